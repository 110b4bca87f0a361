"""The words a human types.

Floor: the top. It may never decide anything about trading: it reads words, calls one part, prints what it says, and
turns every error into one sentence on stderr and an exit code. It stands before and after the trip.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Protocol, runtime_checkable

import msgspec
import typer

from interlock import __version__
from interlock.cli_read import Act, AsJson, Home, RunWord, meant_run, reading, with_reading_words
from interlock.model.errors import ConfigError, ExitCode, InterlockError
from interlock.model.units import parse_duration, plain, utc
from interlock.proof.tell import tell_run
from interlock.proof.verify import verify_run
from interlock.shell import operate, resume
from interlock.shell.clocks import HostClock
from interlock.shell.home import RUNS_FOLDER, known_home
from interlock.shell.operate import Mouth


@runtime_checkable
class UsageFault(Protocol):
    """What the parser raises on words that it does not know."""

    def format_message(self) -> str:
        """Return the sentence."""
        ...


app = with_reading_words(
    typer.Typer(
        name="interlock",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
)


def main(words: Sequence[str] | None = None) -> int:
    """Do what a command line says.

    Args:
        words: the words after `interlock`; None takes those of this process.

    Returns:
        The exit code; every error has been told as a sentence on stderr.
    """
    cut_words, cut_code = "Interrupted before anything was started.", ExitCode.CLEAN
    try:
        act = app(args=list(sys.argv[1:] if words is None else words), prog_name="interlock", standalone_mode=False)
        if not isinstance(act, Act):
            return ExitCode.CLEAN
        cut_words, cut_code = act.cut_words, act.cut_code
        code = act.do()
        # A strategy may have taken stdout away; what was told is told, and the code stands.
        with contextlib.suppress(AttributeError, ValueError):
            sys.stdout.flush()
    except InterlockError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _complain(cut_words)
        return cut_code
    except BrokenPipeError:
        _leave_stdout()
        return cut_code
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches a user
        return _refuse_words(error) if isinstance(error, UsageFault) else _confess(error)
    return code


def _tell_version(is_asked: bool) -> None:  # noqa: FBT001 - the form that typer calls
    if is_asked:
        typer.echo(f"interlock {__version__}")
        raise typer.Exit


@app.callback()
def _opening(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Run a trading system that cannot trade by accident."""
    del version


@app.command("run")
def _run(  # noqa: PLR0913 - one argument an option
    config: Annotated[
        str | None, typer.Argument(metavar="CONFIG", help="A TOML file; none: the safest system.")
    ] = None,
    *,
    mode: Annotated[str | None, typer.Option(help="sim, paper or live; must agree with the file.")] = None,
    cycles: Annotated[int | None, typer.Option(help="End after so many cycles; 0 = until stopped.")] = None,
    interval: Annotated[str | None, typer.Option(help="Pace: seconds such as 0.5, or a span such as '500 ms'.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the simulated market.")] = None,
    home: Home = None,
    log: Annotated[str, typer.Option(help="How the run is told: story, line, json or quiet.")] = "story",
    record_data: Annotated[
        bool, typer.Option("--record-data", help="Keep every snapshot whole (extra: data).")
    ] = False,
) -> Act:
    """Run the pipeline until it is stopped."""
    _refuse_negative("--cycles", cycles)
    _refuse_negative("--seed", seed)
    pace_ns = None if interval is None else interval_ns(interval)

    def do() -> int:
        # Loaded here and not above: a fault in what makes a run must never keep `halt` from working.
        from interlock.assemble import RunRequest  # noqa: PLC0415
        from interlock.assemble import run as run_request  # noqa: PLC0415

        request = RunRequest(
            config_path=config,
            mode=mode,
            cycles=cycles,
            interval_ns=pace_ns,
            seed=seed,
            home=home,
            log_form=log,
            record_data=record_data,
        )
        return run_request(request)

    return Act(do=do, cut_words="Interrupted before the first cycle. Nothing was sent.", cut_code=ExitCode.CLEAN)


@app.command("stop")
def _stop(*, home: Home = None) -> Act:
    """Ask one running process to stop, and wait until it has; leaves no latch."""
    return _waiting(lambda: operate.stop(known_home(home, os.environ), _mouth()))


@app.command("halt")
def _halt(
    *,
    reason: Annotated[str, typer.Option(help="Your words; they are recorded.")] = "",
    everywhere: Annotated[bool, typer.Option("--all", help="Halt every live process of yours.")] = False,
    home: Home = None,
) -> Act:
    """Halt trading until a human resumes it; works also when nothing runs."""

    def do() -> int:
        return operate.halt(home_option=home, everywhere=everywhere, reason=reason, mouth=_mouth(), environ=os.environ)

    return _waiting(do)


@app.command("resume")
def _resume(
    typed: Annotated[
        list[str] | None, typer.Argument(metavar="[LATCH] [STATE_NO]", help="As `resume` shows them.")
    ] = None,
    *,
    home: Home = None,
) -> Act:
    """Clear one latch or, with none left, raise the trading state to ACTIVE."""

    def do() -> int:
        folder = known_home(home, os.environ)
        if typed:
            return resume.resume(folder, resume.read_wish(" ".join(typed)), mouth=_mouth())
        shown = resume.show(folder, _mouth())
        if not shown.is_asked:
            return ExitCode.CLEAN
        return resume.resume(folder, resume.read_wish(_read_line()), mouth=_mouth())

    return _waiting(do)


@app.command("allow")
def _allow(
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="The id of a decision that was blocked.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; it is recorded with your name.")],
    home: Home = None,
) -> Act:
    """Let one order once past the soft control that blocked it; every other control holds."""

    def do() -> int:
        from interlock.shell.allow import allow  # noqa: PLC0415

        return allow(known_home(home, os.environ), decision, reason=reason, mouth=_mouth())

    return _waiting(do)


@app.command("tighten")
def _tighten(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A limit as a configuration names it: max_order_qty.")],
    value: Annotated[
        list[str], typer.Argument(metavar="VALUE", help="With its unit: '100 shares', '$5,000', '5 / s'.")
    ],
    *,
    home: Home = None,
) -> Act:
    """Make a limit of a running process stricter, at once; to loosen one takes a new start."""

    def do() -> int:
        from interlock.shell.tighten import read_tightening, tighten  # noqa: PLC0415

        wish = read_tightening(key, " ".join(value))
        return tighten(known_home(home, os.environ), wish, mouth=_mouth())

    return _waiting(do)


@app.command("status")
def _status(*, home: Home = None, json: AsJson = False) -> Act:
    """Say what is held, what may be sent, and since when that is known."""

    def do() -> int:
        # Loaded here: what reads a configuration must never keep `halt` from working.
        from interlock.shell.config_file import compared  # noqa: PLC0415

        folder = known_home(home, os.environ)
        status = operate.status_now(folder, _mouth())
        status = msgspec.structs.replace(status, file=compared(folder / RUNS_FOLDER / status.run_id))
        if json:
            typer.echo(msgspec.json.encode(status))
        else:
            operate.say_status(status, _mouth())
        return ExitCode.CLEAN

    return reading(do)


@app.command("tell")
def _tell(
    run: RunWord,
    *,
    cycle: Annotated[int | None, typer.Option(help="Only this cycle.")] = None,
    home: Home = None,
) -> Act:
    """Tell a run again, in the words of the day."""
    _refuse_negative("--cycle", cycle)
    return reading(lambda: tell_run(meant_run(run, home), cycle))


@app.command("verify")
def _verify(run: RunWord, *, home: Home = None, json: AsJson = False) -> Act:
    """Check a run's journal: frames, hashes, orders, positions and cash."""

    def do() -> int:
        report = verify_run(meant_run(run, home))
        if json:
            typer.echo(msgspec.json.encode(report))
        else:
            typer.echo(
                f"{'OK' if report.ok else 'NOT OK'}: run {report.run_id}, "
                f"{report.records:,} records, head {report.head}"
            )
            for found in (*report.problems, *report.notes):
                typer.echo(f"  {plain(found)}")
        return ExitCode.CLEAN if report.ok else ExitCode.FOUND

    return reading(do)


@app.command("replay")
def _replay(
    run: RunWord,
    *,
    with_config: Annotated[
        str | None, typer.Option(help="Say instead what the limits of this file would have changed.")
    ] = None,
    one_pass: Annotated[bool, typer.Option("--one-pass", help="Leave out the second pass in another process.")] = False,
    home: Home = None,
    json: AsJson = False,
) -> Act:
    """Live a run again from its record, and say whether it comes out the same."""

    def do() -> int:
        # Loaded here: no other word lives a run again.
        from interlock.proof import replay, what_if  # noqa: PLC0415

        run_dir = meant_run(run, home)
        if with_config is not None:
            return what_if.answer(run_dir, config_path=with_config, as_json=json, say=_say)
        return replay.answer(run_dir, is_once=one_pass, as_json=json, environ=os.environ, say=_say)

    return reading(do)


def interval_ns(text: str) -> int:
    """Read `--interval`: a plain number of seconds (`0`, `0.5`), or a span with its unit (`500 ms`).

    Raises:
        ConfigError: it is neither.

    Examples:
        >>> interval_ns("0.5"), interval_ns("2 s")
        (500000000, 2000000000)
    """
    for candidate in (f"{text} s", text):
        with contextlib.suppress(ValueError):
            return parse_duration(candidate)
    message = (
        f"--interval {plain(text)!r} is not a span of time: type seconds, such as 0.5, or '500 ms'. "
        "Nothing was started."
    )
    raise ConfigError(message)


def _waiting(do: Callable[[], int]) -> Act:
    """Return an act that speaks with a running process: cut short, its outcome is not known."""
    words = (
        "Interrupted while waiting. What was asked for stands, and its outcome is not known: see `interlock status`."
    )
    return Act(do=do, cut_words=words, cut_code=ExitCode.ORDERS_LEFT)


def _mouth() -> Mouth:
    return Mouth(say=_say, warn=_complain)


def _say(line: str) -> None:
    """Print a line to stdout; a reader that went away must not keep a halt from the next process."""
    try:
        typer.echo(line)
    except BrokenPipeError:
        _leave_stdout()


def _complain(sentence: str) -> None:
    """Print one sentence to stderr; where nobody reads it there is nobody to tell."""
    lines = "\n".join(plain(line) for line in sentence.splitlines())
    with contextlib.suppress(OSError):
        typer.echo(f"interlock: {lines}", err=True)


def _leave_stdout() -> None:
    """Send what is still to be printed nowhere, so that the end of the process does not trip over it."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _read_line() -> str:
    typer.echo("Type it here: ", nl=False)
    sys.stdout.flush()
    return sys.stdin.readline().rstrip("\n")


def _refuse_negative(option: str, value: int | None) -> None:
    if value is not None and not 0 <= value < 2**63:
        message = f"{option} {value} is not possible: type a whole number from 0 up. Nothing was started."
        raise ConfigError(message)


def _refuse_words(fault: UsageFault) -> ExitCode:
    _complain(
        f"{fault.format_message().rstrip('.')}. Nothing was started. See what can be typed with: interlock --help"
    )
    return ExitCode.REFUSED


def _confess(error: Exception) -> ExitCode:
    """Say that this is a bug of ours, what it means for the person's money, and where the details are."""
    stamp = utc(HostClock().wall_ns()).replace(":", "").replace("-", "")
    where = "nowhere, as the disk refused"
    with contextlib.suppress(OSError):
        fd, where = tempfile.mkstemp(prefix=f"crash-{stamp}-", suffix=".txt")
        with os.fdopen(fd, "w", encoding="utf-8") as sink:
            sink.write("".join(traceback.format_exception(error)))
    _complain(
        f"This is a bug of Interlock ({type(error).__name__}: {error}). This process sends nothing more; "
        "orders that work at a venue still do. Check what you hold with: interlock status. "
        f"The details were written to {where}; please report them."
    )
    return ExitCode.INVARIANT
