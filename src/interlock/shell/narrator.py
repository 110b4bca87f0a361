"""The narrator: the only part that speaks while a run goes on.

Floor 2 (the world). It prints what `story` says of each record, in one of four forms, and decides nothing.
"""

from __future__ import annotations

import sys
from typing import Final, TextIO

import msgspec
from rich.console import Console
from rich.text import Text

from interlock.model.journal import Boot, Cycle, Record
from interlock.model.risk import Verdict
from interlock.shell.lines import Level, Line, prefix, rendered
from interlock.shell.phrases import counted
from interlock.shell.story import Setting, following, setting_of, story

#: The forms of the log, as `--log` names them.
LOG_FORMS: Final = ("story", "line", "json", "quiet")

_STYLES: Final = {Level.INFO: "", Level.WARNING: "yellow", Level.ERROR: "bold red"}
_JSON: Final = msgspec.json.Encoder()


def one_line(record: Record, setting: Setting) -> str:
    """Return a whole cycle as one line, or "" for a record that is no cycle."""
    decided = record.decided
    if not isinstance(decided, Cycle):
        return ""
    outputs = decided.outputs
    market = decided.inputs.market
    approved = sum(1 for decision in outputs.decisions if decision.verdict is Verdict.APPROVED)
    blocked = len(outputs.decisions) - approved
    candidates = sum(len(result.candidates) for result in outputs.scans)
    wishes = f"{len(outputs.decisions):,} wish" + ("" if len(outputs.decisions) == 1 else "es")
    quotes = "no market" if market is None else f"{market.present}/{market.symbols} quotes"
    lines = story(record, setting)
    first = prefix(lines[0]) if lines else ""
    return (
        f"{first[:-7]}LINE | {quotes}, {counted(candidates, 'candidate')}, {wishes}, {approved} approved, "
        f"{blocked} blocked, {counted(len(decided.inputs.reports), 'report')}, "
        f"{outputs.holdings.open_orders} working, state {outputs.state_after}."
    )


def json_line(line: Line) -> str:
    """Return a line as one JSON object."""
    return _JSON.encode(line).decode()


def forms_of(record: Record, setting: Setting, *, form: str) -> tuple[tuple[Level, str], ...]:
    """Return what one form of the log prints for a record, with the level of each line."""
    lines = story(record, setting)
    if form == "json":
        return tuple((line.level, json_line(line)) for line in lines)
    if form == "quiet":
        return tuple((line.level, rendered(line)) for line in lines if line.level is not Level.INFO)
    if form == "line" and isinstance(record.decided, Cycle):
        worst = max((line.level for line in lines), key=tuple(Level).index, default=Level.INFO)
        return ((worst, one_line(record, setting)),)
    return tuple((line.level, rendered(line)) for line in lines)


class ConsoleNarrator:
    """Tells each record to one stream; in colour only where the stream is a terminal that wants it."""

    def __init__(self, *, form: str, stream: TextIO | None = None) -> None:
        """Choose the form, and the stream (standard output where none is given)."""
        self._form = form
        self._stream = stream if stream is not None else sys.stdout
        self._console = Console(file=self._stream, highlight=False, markup=False, soft_wrap=True)
        self._setting: Setting | None = None
        self._is_mute = False

    @property
    def is_mute(self) -> bool:
        """Return True once nobody can read the story any more: the pipe or the terminal was closed."""
        return self._is_mute

    def tell(self, record: Record) -> None:
        """Tell one record, and have it out before the loop rests; a closed stream makes it mute, and says so."""
        if isinstance(record.decided, Boot) or self._setting is None:
            self._setting = setting_of(record)
        told = forms_of(record, self._setting, form=self._form)
        try:
            self._print(told)
        except (OSError, ValueError):
            # A stream that other code closed raises ValueError: nobody reads on there either.
            self._is_mute = True
        self._setting = following(self._setting, record)

    def _print(self, told: tuple[tuple[Level, str], ...]) -> None:
        if self._is_mute:
            return
        for level, said in told:
            text = self._sayable(said)
            self._stream.write(self._coloured(text, level) + "\n" if self._console.is_terminal else text + "\n")
        self._stream.flush()

    def _sayable(self, text: str) -> str:
        """Return a line as the stream can take it: a letter that it has not must not end the run."""
        encoding = self._stream.encoding or "utf-8"
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def _coloured(self, text: str, level: Level) -> str:
        """Return a line with its colour; rich only draws it, for it would end the process on a closed pipe."""
        with self._console.capture() as drawn:
            self._console.print(Text(text, style=_STYLES[level]), end="")
        return drawn.get()
