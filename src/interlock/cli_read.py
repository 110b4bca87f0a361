"""The words by which a human asks what a run did, or which controls hold; and what every reading word shares.

Floor: the top, just below `cli`. It may never change a run: it reads words, calls one part, prints what it says.
It stands after the trip.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from interlock.model.errors import ConfigError, ExitCode
from interlock.model.units import plain
from interlock.shell import runs
from interlock.shell.home import find_run, find_run_path, known_home

Home = Annotated[
    str | None, typer.Option("--home", help="The account's folder; else INTERLOCK_HOME, else the usual one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RunWord = Annotated[str, typer.Argument(metavar="RUN", help="A run id, a unique prefix of one, a path, or `last`.")]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of words asks for, and what a Ctrl+C during it means."""

    do: Callable[[], int]
    cut_words: str
    cut_code: ExitCode


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What `explain` was asked: of a run, either a decision or cycle by its id, or a symbol at an instant.

    `wanted` is "" where a symbol is asked for, and `symbol` and `at` are "" where an id is.
    """

    run: str
    wanted: str
    symbol: str
    at: str


def meant_run(word: str, home: str | None) -> Path:
    """Return the folder of the run that a person means by a word, in their home or by a path.

    Raises:
        HomeError: none is meant, or more than one.
    """
    return find_run_path(word) if "/" in word else find_run(known_home(home, os.environ), word)


def reading(do: Callable[[], int]) -> Act:
    """Return an act that changes nothing, whenever it is cut short."""
    return Act(do=do, cut_words="Interrupted. Nothing was changed.", cut_code=ExitCode.CLEAN)


def with_reading_words(app: typer.Typer) -> typer.Typer:
    """Add the words of this file to a command line, and return it."""
    app.command("controls")(_controls)
    app.command("runs")(_runs)
    app.command("explain")(_explain)
    app.command("export")(_export)
    return app


def _controls(
    config: Annotated[str | None, typer.Argument(metavar="CONFIG", help="A TOML file; none: the last run's.")] = None,
    *,
    home: Home = None,
    json: AsJson = False,
) -> Act:
    """List every control, with the limit that holds and where it comes from."""

    def do() -> int:
        # Loaded here: no other word needs the table with its words.
        from interlock.proof import controls, controls_text  # noqa: PLC0415

        found = controls.controls_of_home(home, os.environ) if config is None else controls.controls_of_file(config)
        typer.echo(msgspec.json.encode(found.lines).decode() if json else controls_text.text_of(found))
        return ExitCode.CLEAN

    return reading(do)


def _runs(*, home: Home = None) -> Act:
    """List the runs of a home and how each ended."""

    def do() -> int:
        folder = known_home(home, os.environ)
        found = runs.list_runs(folder)
        typer.echo(runs.table(found) if found else f"No run was ever started in {folder}.")
        return ExitCode.CLEAN

    return reading(do)


def _explain(  # noqa: PLR0913 - one argument an option
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN] ID", help="A decision, order or cycle; the run is `last`.")
    ] = None,
    *,
    symbol: Annotated[str, typer.Option(help="Instead of an ID: what was with this symbol.")] = "",
    at: Annotated[str, typer.Option(help="When, with its zone: 2013-10-07T14:30-04:00.")] = "",
    run: Annotated[str, typer.Option(help="The run, beside --symbol and --at.")] = "",
    home: Home = None,
    json: AsJson = False,
) -> Act:
    """Explain a decision from the market to the books, or what was with a symbol at an instant."""
    question = read_question(tuple(words or ()), symbol=symbol, at=at, run=run)

    def do() -> int:
        # Loaded here: no other word explains.
        from interlock.proof import explain, explain_instant, explain_text  # noqa: PLC0415
        from interlock.proof.explained import Explanation  # noqa: PLC0415

        run_dir = meant_run(question.run, home)
        found: Explanation
        if question.symbol:
            at_ns = explain_instant.instant_ns(question.at)
            found = explain_instant.explain_instant(run_dir, question.symbol, at_ns=at_ns)
        else:
            found = explain.explain(run_dir, question.wanted)
        if json:
            typer.echo(msgspec.json.encode(found).decode())
        else:
            typer.echo(explain_text.text_of(found), nl=False)
        return ExitCode.CLEAN

    return reading(do)


def _export(
    run: RunWord,
    *,
    to: Annotated[str, typer.Option(help="The folder for the files; none in it is overwritten.")],
    home: Home = None,
) -> Act:
    """Export a run as Parquet tables, for pandas, Polars, DuckDB."""

    def do() -> int:
        # Loaded here: no other word exports.
        from interlock.proof.export import export_run, words_of  # noqa: PLC0415

        if not to.strip():
            message = "--to is empty. Name a folder for the files. Nothing was exported."
            raise ConfigError(message)
        exported = export_run(meant_run(run, home), Path(to))
        typer.echo(words_of(exported))
        if exported.is_whole:
            return ExitCode.CLEAN
        sys.stdout.flush()
        typer.echo(
            f"interlock: The journal of {plain(exported.run_id)} cannot be trusted after record {exported.records:,}: "
            f"{plain(exported.distrust)}. What was exported is what stands before that; see interlock verify.",
            err=True,
        )
        return ExitCode.FOUND

    return Act(do=do, cut_words="Interrupted. No half table was left; the run is unchanged.", cut_code=ExitCode.CLEAN)


def read_question(words: tuple[str, ...], *, symbol: str, at: str, run: str) -> Question:
    """Read what `explain` is asked from what was typed.

    Args:
        words: nothing, an id, or a run and an id.
        symbol: of `--symbol`, "" if it was not typed.
        at: of `--at`, "" if it was not typed.
        run: of `--run`, "" if it was not typed.

    Raises:
        ConfigError: it is no question, or two.

    Examples:
        >>> read_question(("000036-001",), symbol="", at="", run="").run
        'last'
    """
    if bool(symbol) != bool(at):
        missing, given = ("--at", "--symbol") if symbol else ("--symbol", "--at")
        message = (
            f"{given} needs {missing} beside it, such as: interlock explain --symbol IBM --at 2013-10-07T14:30-04:00"
        )
        raise ConfigError(message)
    if symbol and not words:
        return Question(run=run or "last", wanted="", symbol=symbol, at=at)
    if symbol or not words or len(words) > (1 if run else 2):
        message = (
            "Ask for one thing: `interlock explain [RUN] ID`, where ID is a decision such as 000036-001 or a cycle "
            "such as 36; or `interlock explain --symbol S --at TIME [--run RUN]`."
        )
        raise ConfigError(message)
    *before, wanted = words
    return Question(run=before[0] if before else run or "last", wanted=wanted, symbol="", at="")
