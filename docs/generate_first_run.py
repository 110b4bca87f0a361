"""Fill the stories of the book and the README from a real run of examples/first.toml.

Run `uv run python docs/generate_first_run.py` after a change of the example or of the words; a test compares.
A place for a story is `<!-- story: NAME -->`, a block of text, and `<!-- end of story -->`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

from interlock.shell.journal_reader import JournalReader
from interlock.shell.narrator import forms_of
from interlock.shell.story import following, setting_of

REPO = Path(__file__).resolve().parents[1]
PAGES = (REPO / "README.md", REPO / "docs/first-run.md", REPO / "docs/log-words.md")
CYCLES = 20
WIDTH = 104
PREFIX = 40

#: What differs from machine to machine, and what the pages show in its place.
RUN_ID = (re.compile(r"\d{8}T\d{6}Z-(sim|paper)-[0-9a-f]{4}"), "20261122T090000Z-sim-3f9c")
TOOK = (re.compile(r"after [\d.,]+ m?s(?=\.|, \d+ cycles late)"), "after 19 s")
PERSON = (re.compile(r"human:[\w.-]*\w"), "human:you")
HOME_SHOWN = "/home/you/.local/state/interlock/demo"

_PLACE = re.compile(r"(<!-- story: (?P<name>[a-z-]+) -->\n)```text\n.*?```\n(<!-- end of story -->)", re.DOTALL)
_MARK = "\x1f"
Lines = list[str]


class MissingStoryError(Exception):
    """The run did not show what a page wants to show."""


def run_story(*words: str, halted: bool = False) -> tuple[Lines, dict[str, Lines]]:
    """Run the program for a few cycles, and return what it printed, and what each form of the log says of it.

    Args:
        words: what follows `interlock run`.
        halted: whether a human halts the home first.
    """
    with tempfile.TemporaryDirectory(prefix="il-") as room:
        home = Path(room) / "home"
        if halted:
            interlock(room, "halt", "--reason", "lunch")
        printed = interlock(room, "run", *words, "--interval", "0", passes=(0, 3))
        run_dir = next((home / "runs").iterdir())
        forms: dict[str, Lines] = {"line": [], "json": [], "quiet": []}
        for name, lines in forms.items():
            records = list(JournalReader(run_dir).records())
            setting = setting_of(records[0])
            for record in records:
                lines += [text for _, text in forms_of(record, setting, form=name)]
                setting = following(setting, record)
        return settled(printed, str(home)), {name: settled(lines, str(home)) for name, lines in forms.items()}


def interlock(room: str, *words: str, passes: tuple[int, ...] = (0,)) -> Lines:
    """Run one command in the home of a room, and return what it printed."""
    command = [sys.executable, "-m", "interlock", *words, "--home", f"{room}/home"]
    environ = {**os.environ, "XDG_STATE_HOME": f"{room}/state", "XDG_RUNTIME_DIR": room}
    ended = subprocess.run(  # noqa: S603 - the program that the pages tell of
        command, capture_output=True, text=True, check=False, cwd=REPO, env=environ, timeout=60
    )
    if ended.returncode not in passes:
        message = f"{ended.stderr} exit {ended.returncode}"
        raise MissingStoryError(message)
    return ended.stdout.splitlines()


def failing_config(folder: str) -> str:
    """Write a configuration whose strategy fails, and return its path."""
    path = Path(folder) / "failing.toml"
    (Path(folder) / "failing.py").write_text(
        "class Failing:\n    def propose(self, view):\n        raise ValueError('the price is odd')\n", encoding="utf-8"
    )
    text = (REPO / "examples/first.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("interlock.examples:CrossFollower", "failing:Failing").replace("{ qty = 50 }", "{}"))
    return str(path)


def settled(lines: Lines, home: str) -> Lines:
    """Return the lines with the words of this machine replaced by those of the pages."""
    found = [line.replace(home, HOME_SHOWN) for line in lines]
    for pattern, shown in (RUN_ID, TOOK, PERSON):
        found = [pattern.sub(shown, line) for line in found]
    return found


def stage(line: str) -> str:
    """Return the stage word of a line."""
    return line.partition(" | ")[0].split()[-1]


def first(lines: Lines, *needles: str) -> str:
    """Return the first line that holds every needle."""
    for line in lines:
        if all(needle in line for needle in needles):
            return line
    message = f"no line of the run holds {needles}"
    raise MissingStoryError(message)


def of_cycle(lines: Lines, number: str) -> Lines:
    """Return the lines of one cycle."""
    return [line for line in lines if line.startswith(number)]


def order_of(line: str) -> str:
    """Return the id that a line of RISK decided on."""
    return line.rpartition("decision=")[2]


def whole_life(lines: Lines) -> Lines:
    """Return what was said of the first entry that was filled in two parts or more."""
    for line in lines:
        order = order_of(line)
        told = [other for other in lines if f"order={order} " in f"{other} "]
        if "Approved BUY" in line and first_or(told, "still work") and first_or(told, "the order is filled"):
            return [line, *told]
    message = "no entry was filled in parts"
    raise MissingStoryError(message)


def first_or(lines: Lines, needle: str) -> str:
    """Return the first line with the needle, or "" where there is none."""
    return next((line for line in lines if needle in line), "")


def excerpt(lines: Lines) -> Lines:
    """Return the few lines that the README shows: a block, then one order from the wish to the fill."""
    approved = first(lines, "RISK | Approved BUY")
    number = approved[:6]
    blocked = first([line for line in lines if stage(line) == "RISK"], "Blocked")
    seen = [line for line in of_cycle(lines, number) if stage(line) in ("SEE", "IDEA") and "for nothing" not in line]
    told = [line for line in lines if f"order={order_of(approved)} " in f"{line} "]
    ended = lines[-3:]
    return [lines[0], blocked, "...", *seen, approved, *told[:3], "...", *ended]


STORY: dict[str, Callable[[Lines], Lines]] = {
    "excerpt": excerpt,
    "boot-line": lambda lines: lines[:1],
    "boot": lambda lines: [line for line in lines if stage(line) == "BOOT"],
    "see": lambda lines: [first(lines, " SEE ")],
    "scan-none": lambda lines: [first(lines, "No candidate")],
    "scan-found": lambda lines: [first(lines, "Worth a look")],
    "idea-none": lambda lines: [first(lines, "wishes for nothing")],
    "idea-some": lambda lines: [first(lines, "IDEA", "order")],
    "blocked": lambda lines: [first(lines, "RISK | Blocked")],
    "proved": lambda lines: [first(lines, "DAY_ROLL"), first(lines, "The gate proved itself")],
    "soft": lambda lines: [first(lines, "RISK | Blocked", "A human may let it pass once")],
    "blocked-list": lambda lines: [first(lines, "RISK | Blocked", "SYMBOL_NOT_ALLOWED")],
    "approved": lambda lines: whole_life(lines)[:1],
    "life": lambda lines: whole_life(lines)[1:],
    "leave": lambda lines: [first(lines, "RISK | Approved SELL", "to leave")],
    "rest": lambda lines: [first(lines, "REST", "UNPROTECTED")],
    "stop": lambda lines: of_cycle(lines, lines[-1][:6]),
    "book": lambda lines: [first(lines, " BOOK ")],
    "send": lambda lines: [first(lines, " SEND ")],
    "stop-line": lambda lines: [lines[-1]],
}
NO_POLICY: dict[str, Callable[[Lines], Lines]] = {
    "no-policy": lambda lines: [first(lines, "There is no risk policy"), first(lines, "RISK | Blocked")],
}
HALTED: dict[str, Callable[[Lines], Lines]] = {
    "halt": lambda lines: [line for line in lines if stage(line) == "HALT"],
}
FAILED: dict[str, Callable[[Lines], Lines]] = {"fail": lambda lines: [first(lines, " FAIL ")]}
FORMS: dict[str, Callable[[dict[str, Lines]], Lines]] = {
    "form-line": lambda forms: [line for line in forms["line"] if "LINE | " in line][:3],
    "form-json": lambda forms: [first(forms["json"], '"stage":"RISK"', "Approved")],
    "form-quiet": lambda forms: forms["quiet"][:2],
}


def stories() -> dict[str, Lines]:
    """Return every story by name, from real runs."""
    lines, forms = run_story("examples/first.toml", "--cycles", str(CYCLES))
    without, _ = run_story("--cycles", "3")
    halted, _ = run_story("examples/first.toml", "--cycles", "2", halted=True)
    with tempfile.TemporaryDirectory(prefix="il-") as folder:
        failed, _ = run_story(failing_config(folder), "--cycles", "1")
    return (
        {name: pick(lines) for name, pick in STORY.items()}
        | {name: pick(without) for name, pick in NO_POLICY.items()}
        | {name: pick(halted) for name, pick in HALTED.items()}
        | {name: pick(failed) for name, pick in FAILED.items()}
        | {name: pick(forms) for name, pick in FORMS.items()}
    )


def broken(line: str) -> Lines:
    """Return a line as the pages print it: broken where it is long, and continued under its sentence."""
    indent = " " * (PREFIX if line[:6].isdigit() else 4)
    # A list of codes has no spaces: it may be broken after a comma, where a mark stands while it is wrapped.
    marked = re.sub(r",(?=[A-Z_]{4})", f",{_MARK} ", line)
    parts = textwrap.wrap(marked, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    return [part.replace(f"{_MARK} ", "").removesuffix(_MARK) for part in parts]


def filled(text: str, told: dict[str, Lines]) -> str:
    """Return a page with its stories as the program tells them now."""

    def fill(place: re.Match[str]) -> str:
        body = "\n".join(part for line in told[place["name"]] for part in broken(line))
        return f"{place[1]}```text\n{body}\n```\n{place[3]}"

    return _PLACE.sub(fill, text)


if __name__ == "__main__":
    now = stories()
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8"), now), encoding="utf-8")
