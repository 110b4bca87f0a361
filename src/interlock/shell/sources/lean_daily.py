"""The daily bars of a LEAN data folder: what each trading date knew beforehand, and no bar of the date itself.

Floor 2 (shell). It never shows a bar on its own date, never mends a line, and never guesses a close.
On the trip: before the first SEE, which reads the files once; then once for each trading date.

*Source* of the format: the LEAN data format for US equities, daily resolution. A line is a date, open, high,
low, close and volume; prices are whole numbers of 1/10,000 of a dollar, not adjusted for splits or dividends.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from datetime import date
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from interlock.model.errors import DataError
from interlock.model.market import Column, Reference, make_reference
from interlock.model.units import INTEGER_MAX, plain
from interlock.shell.sources.files import unreadable
from interlock.shell.sources.lean_zip import content_of, packed_bytes, unpacked

#: Where daily bars live in a LEAN data folder.
DAILY_FOLDER = "equity/usa/daily"
#: The mean daily volume is that of so many trading dates.
ADV_BARS = 20
#: A close more days ago than this is not that of the date before: since 1933 US exchanges were never shut so long.
CLOSE_DAYS_MAX = 10
_PX_A_UNIT = 100
_STAMP_LENGTH = len("20131007")
_STAMP = re.compile(r"[0-9]{8}")
_LINE = re.compile(r"[0-9]{8} [0-9]{2}:[0-9]{2}(?:,[0-9]{1,15}){5}")
_CLOSE, _VOLUME = 4, 5


class SymbolBars(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The daily bars of one symbol, the oldest first: int64 days since year 1, closes in micros, volumes in shares."""

    day: Column
    close_px: Column
    volume: Column

    def before(self, day: int) -> tuple[int, int]:
        """Return the close of the date before a day, and the mean volume of the 20 dates before it; 0 is unknown."""
        count = int(np.searchsorted(self.day, day, side="left"))
        if count == 0 or day - int(self.day[count - 1]) > CLOSE_DAYS_MAX:
            return 0, 0
        adv_qty = int(self.volume[count - ADV_BARS : count].sum()) // ADV_BARS if count >= ADV_BARS else 0
        return int(self.close_px[count - 1]), adv_qty


class DailyBars(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The daily bars of a universe, and the content words of each file by its name in the data folder."""

    symbols: tuple[SymbolBars, ...]
    content: tuple[tuple[str, str], ...]

    def reference_on(self, trading_date: str) -> Reference:
        """Return what a trading date knew beforehand.

        Args:
            trading_date: `YYYY-MM-DD`; no bar of that date or later is looked at.
        """
        day = date.fromisoformat(trading_date).toordinal()
        known = np.array([bars.before(day) for bars in self.symbols], dtype=np.int64)
        none = np.zeros(len(self.symbols), dtype=np.int64)
        return make_reference(close_px=known[:, 0], adv_qty=known[:, 1], band_low_px=none, band_high_px=none)


def daily_bars(universe: tuple[str, ...], *, folder: Path, first_day: date, last_day: date) -> DailyBars | None:
    """Read the daily bars of the days of a run and of the 20 dates before them.

    Each file is read once and held, so it cannot change under the run.

    Args:
        universe: the symbols, each fit to be the name of a file.
        folder: the LEAN data folder.
        first_day: date in New York.
        last_day: date in New York.

    Returns:
        The bars, or None where a symbol has no daily file: what is known of some only is not provided.

    Raises:
        DataError: a file that is there cannot be read, or holds what is no daily bar.
    """
    names = [f"{symbol.lower()}.zip" for symbol in universe]
    if not _names_in(folder / DAILY_FOLDER).issuperset(names):
        return None
    symbols: list[SymbolBars] = []
    content: list[tuple[str, str]] = []
    for name in names:
        path = folder / DAILY_FOLDER / name
        packed = packed_bytes(path)
        text = unpacked(packed, path=path, member=f"{path.stem}.csv")
        symbols.append(_symbol_bars(text, path=path, first_day=first_day, last_day=last_day))
        content.append((f"{DAILY_FOLDER}/{name}", content_of(packed)))
    return DailyBars(symbols=tuple(symbols), content=tuple(content))


def _names_in(room: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in room.iterdir())
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise unreadable(room, why=error.strerror or "the system refused") from None


def _symbol_bars(text: str, *, path: Path, first_day: date, last_day: date) -> SymbolBars:
    """Return the bars of the days and of the 20 dates before; the stamp of every line is checked, to find them."""
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []
    stamps = [line[:_STAMP_LENGTH] for line in lines]
    for number, (before, stamp) in enumerate(pairwise(("", *stamps)), start=1):
        if _STAMP.fullmatch(stamp) is None:
            raise _bad_line(path, number, f"it begins with {plain(stamp)!r} and a daily bar begins with a date")
        if stamp <= before:
            raise _bad_line(path, number, f"its date {stamp} is not after {before} of the line before it")
    begin = max(0, bisect_left(stamps, f"{first_day:%Y%m%d}") - ADV_BARS)
    end = bisect_right(stamps, f"{last_day:%Y%m%d}")
    bars = [_bar(lines[at], path=path, number=at + 1) for at in range(begin, end)]
    columns = np.array(bars, dtype=np.int64).reshape(-1, 3)
    return SymbolBars(day=columns[:, 0].copy(), close_px=columns[:, 1].copy(), volume=columns[:, 2].copy())


def _bar(line: str, *, path: Path, number: int) -> tuple[int, int, int]:
    """Return the day, the close in micros and the volume of one line."""
    if _LINE.fullmatch(line) is None:
        raise _bad_line(path, number, f"{plain(line[:60])!r} is not a date, four prices and a volume")
    fields = line.split(",")
    close_px, volume = int(fields[_CLOSE]) * _PX_A_UNIT, int(fields[_VOLUME])
    if not 0 < close_px <= INTEGER_MAX:
        raise _bad_line(path, number, f"the close {fields[_CLOSE]} is no price")
    try:
        return date.fromisoformat(line[:_STAMP_LENGTH]).toordinal(), close_px, volume
    except ValueError:
        raise _bad_line(path, number, f"there is no date {line[:_STAMP_LENGTH]}") from None


def _bad_line(path: Path, number: int, why: str) -> DataError:
    return unreadable(path, why=f"line {number}: {why}")
