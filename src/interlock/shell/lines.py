"""Lines: what one line of the story is, and how it is printed.

Floor 2 (the world), and pure. Stage words and levels are the design's; a new one needs a decision record in the book.
On the trip: TELL; `story` makes these, the narrator prints them.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from interlock.model.mode import Mode
from interlock.model.units import utc


class Stage(StrEnum):
    """The stage words; a new one needs a decision record in the book."""

    BOOT = "BOOT"
    SEE = "SEE"
    BOOK = "BOOK"
    SCAN = "SCAN"
    IDEA = "IDEA"
    RISK = "RISK"
    SEND = "SEND"
    HALT = "HALT"
    REST = "REST"
    STOP = "STOP"
    FAIL = "FAIL"


class Level(StrEnum):
    """INFO is the story, WARNING wants a look, ERROR means halted."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the story: a sentence, and `key=value` pairs for machines and for `grep`."""

    cycle: int
    mode: Mode
    at_ns: int
    stage: Stage
    level: Level
    text: str
    keys: tuple[tuple[str, str], ...]


def prefix(line: Line) -> str:
    """Return the prefix, as wide in every line of a run: cycle, mode, market time, stage."""
    at = utc(line.at_ns) if line.at_ns else "-" * 20
    return f"{line.cycle:06d} {line.mode:<4} {at} {line.stage:<4} | "


def rendered(line: Line) -> str:
    """Return a line as the story prints it."""
    keys = "".join(f" {key}={_quoted(value)}" if key else f" {value}" for key, value in line.keys)
    return f"{prefix(line)}{line.text}{keys}"


def _quoted(value: str) -> str:
    """Return a value as one word to a reader who splits at spaces."""
    return f'"{value}"' if " " in value else value
