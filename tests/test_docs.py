"""The truth of the book: every word of the program has its place in it, and what it shows is what the program does."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
import typer
from msgspec import inspect

from interlock.cli import app
from interlock.config import SimConfig
from interlock.core.risk.table import CONTROLS
from interlock.core.watch import WATCHES
from interlock.model import errors
from interlock.model.errors import ExitCode, InterlockError
from interlock.model.market import FaultCode
from interlock.model.mode import LIVE_REFUSAL, MODE_WORDS, Mode, TradingState
from interlock.model.risk import ReasonCode
from interlock.proof.latch_words import OTHER_LATCHES
from interlock.shell.lines import Level, Stage
from interlock.shell.narrator import LOG_FORMS
from interlock.tomlfields import keys_of, members_of, struct_spec

REPO = Path(__file__).resolve().parents[1]
DOCS = REPO / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)

#: What gives a latch its code, and where the codes of reports that contradict each other are written.
LATCHING = ("raise_latch", "HostTrip")
FAULTS = "core/blotter.py"
#: Codes that a call takes from somewhere else: a fold of a report, a trip of the host, a watch.
HANDED_ON = {"folded.fault", "trip.code", "trip.watch.code"}
CODE = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
#: The words that the book and its user use for the parts.
WORDS = (
    "mode, trading state, snapshot, candidate, intent, decision, class of an order, gateway, in doubt, block, reject, "
    "cancel, halt, stop, run, home, orchestrator, scanner, risk engine, execution engine, storage"
).split(", ")
#: What no page may name; the words are put together here, so that this file does not hold what it looks for.
UNSPEAKABLE = re.compile(
    r"\b(?:pypi|python" + r"hosted|crates)\.|/" + r"work/|/root" + r"/|\bissue " + r"#?\d|\bissues " + r"show",
    re.IGNORECASE,
)
README_RUN = "pip install uv && uv run interlock run examples/first.toml"
README_TEST = "uv run pytest"


def page(name: str) -> str:
    """Return the text of a page."""
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def headings(text: str) -> set[str]:
    """Return the headings of a page that are one word of code."""
    return set(re.findall(r"^#{2,6} `([^`]+)`$", text, re.MULTILINE))


def without_heading(words: Iterator[str] | tuple[str, ...] | list[str], text: str) -> list[str]:
    """Return the words that have no heading on a page."""
    known = headings(text)
    return sorted({word for word in words if word not in known})


def generator(name: str) -> ModuleType:
    """Return a script of the book as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    """Return every story as the program tells it now."""
    return dict(generator("generate_first_run").stories())


def texts_of(tree: ast.Module) -> dict[str, str]:
    """Return the names at the top of a module that are texts."""
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def latch_codes() -> tuple[set[str], set[str]]:
    """Return every code under which the program latches, and the words of code by which others are handed on."""
    paths = sorted((REPO / "src/interlock").rglob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    named = {name: text for tree in trees for name, text in texts_of(tree).items()}
    found, handed_on = {watch.code for watch in WATCHES}, set[str]()
    for tree in trees:
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            code = next((word.value for word in call.keywords if word.arg == "code"), None)
            if code is None or ast.unparse(call.func).rpartition(".")[2] not in LATCHING:
                continue
            if isinstance(code, ast.Constant):
                found.add(str(code.value))
            else:
                text = ast.unparse(code)
                (found if text in named else handed_on).add(named.get(text, text))
    blotter = ast.parse((REPO / "src/interlock" / FAULTS).read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(blotter) if isinstance(node, ast.Constant)]
    return found | {text for text in texts if isinstance(text, str) and CODE.fullmatch(text)}, handed_on


def config_headings() -> Iterator[str]:
    """Yield the heading that each key of a configuration must have."""

    def inside(spec: inspect.Type, section: str) -> Iterator[str]:
        item = spec.item_type if isinstance(spec, inspect.VarTupleType) else spec
        for kind in members_of(item):
            if isinstance(kind, inspect.StructType):
                for one in keys_of(kind):
                    yield f"{section} {one.name}"
                    yield from inside(one.spec, f"{section.removesuffix(']')}.{one.name}]")

    for one in keys_of(struct_spec(SimConfig)):
        section = f"[[{one.name}]]" if isinstance(one.spec, inspect.VarTupleType) else f"[{one.name}]"
        yield section
        yield from inside(one.spec, section)


def error_classes() -> dict[str, type[InterlockError]]:
    """Return every error that Interlock raises on purpose, by name."""
    found = vars(errors).values()
    return {one.__name__: one for one in found if isinstance(one, type) and issubclass(one, InterlockError)}


def commands() -> dict[str, click.Command]:
    """Return every word that a human types."""
    group = typer.main.get_command(app)
    return dict(getattr(group, "commands", {}))


def named_tests(text: str) -> list[tuple[str, str]]:
    """Return file and function of every test that a text names."""
    return re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text)


def missing_tests(named: list[tuple[str, str]]) -> list[str]:
    """Return those of the named tests that are not there."""
    missing: list[str] = []
    for file, name in named:
        path = REPO / file
        tree = ast.parse(path.read_text(encoding="utf-8") if path.is_file() else "")
        if name not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{file}::{name}")
    return missing


def test_a_word_without_a_heading_is_found() -> None:
    """The measure itself: a heading of code counts, and a word in the text does not."""
    assert ["B_C"] == without_heading(["A_B", "B_C"], "## `A_B`\n\nB_C is in the text.\n## B_C\n")


def test_every_reason_code_is_in_the_book() -> None:
    """Each code of the gate has its own heading."""
    assert [] == without_heading([code.value for code in ReasonCode], page("reason-codes"))


def test_every_configuration_key_is_in_the_book() -> None:
    """Each key that a file may hold has its own heading."""
    assert [] == without_heading(config_headings(), page("configuration"))


@pytest.mark.parametrize(
    "words",
    [[one.value for one in Stage], [one.value for one in Level], list(LOG_FORMS)],
    ids=["stage", "level", "form"],
)
def test_every_log_word_is_in_the_book(words: list[str]) -> None:
    """Each stage word, level and form of the log has its own heading."""
    assert [] == without_heading(words, page("log-words"))


def test_every_mode_and_trading_state_is_in_the_book() -> None:
    """Each has its own heading, and the modes stand there in the words of the boot."""
    text = page("modes")
    told = " ".join(re.sub(r"^> ?", "", text, flags=re.MULTILINE).split())

    assert [] == without_heading([*(one.value for one in Mode), *(one.value for one in TradingState)], text)
    assert [] == [words for words in (*MODE_WORDS.values(), LIVE_REFUSAL) if words not in told]


def test_every_error_is_in_the_book_with_its_exit_code() -> None:
    """Each class has its own heading, and the tree says its exit code."""
    text = page("errors-and-exit-codes")
    known = error_classes()
    in_tree = dict(re.findall(r"^[|+\- ]*(\w+) +exit (\d)$", text, re.MULTILINE))

    assert [] == without_heading(list(known), text)
    assert {name: str(int(one.exit_code)) for name, one in known.items() if name != "InterlockError"} == in_tree


def test_every_exit_code_is_in_the_book() -> None:
    """Each has its row, with its number and its name."""
    rows = re.findall(r"^\| (\d) \| `(\w+)` \|", page("errors-and-exit-codes"), re.MULTILINE)

    assert {(str(int(one)), one.name) for one in ExitCode} == set(rows)


def test_every_latch_code_is_in_the_book() -> None:
    """Each code under which something latches has its own heading, in whatever file it is raised."""
    codes, handed_on = latch_codes()

    assert {"HUMAN_HALT", "ORDER_OVERFILL", "CYCLE_OVERRUN", "STRATEGY_FAULT", "GATEWAY_DOWN", "GATE_MISSED"} <= codes
    assert handed_on == HANDED_ON
    assert [] == without_heading(list(codes), page("reason-codes"))


def test_latches_without_a_table_are_told_exactly() -> None:
    """The words for them name each such code that the program has, and none that it has not."""
    codes, _ = latch_codes()

    assert codes - {watch.code for watch in WATCHES} == set(OTHER_LATCHES)


def test_every_data_fault_is_in_the_book() -> None:
    """Each code for a row that was dropped has its own heading."""
    assert [] == without_heading([one.value for one in FaultCode], page("errors-and-exit-codes"))


def test_every_command_is_in_the_book_with_every_option() -> None:
    """Each word that a human types has its own heading, and each of its options stands below it."""
    text = page("commands")
    parts = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    options = {
        (word, option)
        for word, command in commands().items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help"
    }

    assert set(commands()) == set(parts)
    assert ("run", "--cycles") in options
    assert [] == sorted((word, option) for word, option in options if option not in parts[word])


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_design_is_in_the_glossary(word: str) -> None:
    """Our words for the parts, and their user's, are explained."""
    assert word in page("glossary").splitlines()


@pytest.mark.parametrize("name", ["configuration", "controls", "reason_codes"])
def test_generated_pages_are_what_the_tables_say(name: str) -> None:
    """A page is generated, and nobody changed it or the tables alone."""
    stale = generator(f"generate_{name}").rendered() != page(name.replace("_", "-"))

    assert not stale, f"run: uv run python docs/generate_{name}.py"


def test_every_row_of_the_catalogue_has_a_place() -> None:
    """Each of the 55 rows is a control, a watch, or is said to live elsewhere or later; none is said to be both."""
    controls = generator("generate_controls")
    built = {control.row for control in CONTROLS} | {watch.row for watch in WATCHES}
    catalogue = {str(row) for row in range(1, 55)} - {"40"} | {"40a", "40b"}

    assert catalogue == (built | set(controls.UNBUILT) | set(controls.ELSEWHERE)) - {"-", "40"}
    assert set() == built & set(controls.UNBUILT)


def test_every_control_and_watch_is_in_the_table_of_controls() -> None:
    """One line each, in the order in which they are evaluated."""
    rows = re.findall(r"^\| \[`(\w+)`\]\S* \| \S+ \|", page("controls"), re.MULTILINE)

    assert [*(control.code.value for control in CONTROLS), *(watch.code for watch in WATCHES)] == rows


def test_stories_in_the_book_are_what_the_program_says_now(told: dict[str, list[str]]) -> None:
    """The README, the first run and the log words show real runs of examples/first.toml, word for word."""
    first_run = generator("generate_first_run")
    texts = {path.name: path.read_text(encoding="utf-8") for path in first_run.PAGES}
    stale = [name for name, text in texts.items() if first_run.filled(text, told) != text]

    assert [] == stale, "run: uv run python docs/generate_first_run.py"


def test_every_story_has_a_place(told: dict[str, list[str]]) -> None:
    """Each story that is generated is shown on some page, and each place has its story."""
    texts = [path.read_text(encoding="utf-8") for path in generator("generate_first_run").PAGES]
    places = {name for text in texts for name in re.findall(r"<!-- story: ([a-z-]+) -->", text)}

    assert told.keys() == places


def test_the_trip_in_the_book_runs() -> None:
    """Every example of the trip gives what the page says."""
    examples = "\n".join(re.findall(r"```\{doctest\}\n(.*?)```", page("trip"), re.DOTALL))
    parsed = doctest.DocTestParser().get_doctest(examples, {}, "trip.md", "docs/trip.md", 0)
    complaints: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(parsed, out=complaints.append)

    assert (0, "") == (results.failed, "".join(complaints))
    assert results.attempted > 20


def test_every_test_that_phase_4_names_is_there() -> None:
    """A sentence of the definition of done is proven by a test that exists."""
    named = named_tests(page("phase-4"))

    assert [] == missing_tests(named)
    assert len(named) > 20


def test_a_named_test_that_is_not_there_is_found() -> None:
    """The measure itself: a wrong name and a wrong file are both told."""
    named = named_tests("`tests/test_docs.py::test_no_such` and `tests/none.py::test_at_all`")

    assert ["tests/test_docs.py::test_no_such", "tests/none.py::test_at_all"] == missing_tests(named)


def test_every_sentence_of_phase_4_names_a_test_or_is_open() -> None:
    """No row of a definition of done stands without a proof, but those of the step that is not begun."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", page("phase-4").split("## 4.1")[1], re.MULTILINE)
    unproven = [
        sentence for sentence, proof in rows if not named_tests(proof) and not proof.startswith(("-", "proven"))
    ]

    assert ["Phase 4 is marked frozen", "Ready to enter Phase 5, strategy implementation"] == [
        sentence for sentence in unproven if "definition" not in sentence and "validated" not in sentence
    ]


def test_readme_commands_stand_in_it_and_ci_runs_them() -> None:
    """A stranger and CI type the same two commands."""
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    ci = (REPO / ".ci/run").read_text(encoding="utf-8")

    assert [True, True] == [f"```sh\n{command}\n```" in readme for command in (README_RUN, README_TEST)]
    assert "try uv run interlock run examples/first.toml" in ci
    assert "try uv run pytest" in ci


def test_readme_points_at_pages_that_are_there() -> None:
    """No link of the README leads nowhere."""
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)", readme)

    assert targets
    assert [] == [target for target in targets if not (REPO / target).exists()]


@pytest.mark.parametrize("path", [*PAGES, REPO / "README.md"], ids=lambda path: path.name)
def test_no_page_names_what_is_not_the_projects(path: Path) -> None:
    """The book names no registry, no path of one machine, and nothing of how it came about."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert [] == [line for line in lines if UNSPEAKABLE.search(line)]


def test_what_is_not_the_projects_is_found() -> None:
    """The measure itself."""
    assert UNSPEAKABLE.search("see " + "issue " + "#2")
    assert UNSPEAKABLE.search("/wo" + "rk/main")
