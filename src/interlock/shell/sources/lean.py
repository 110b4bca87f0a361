"""Recorded minute bars of US equities, from a LEAN data folder.

Floor 2 (shell). It never shows a bar before it is complete, never changes a file, and never goes on with a
file that is no longer the one that the run began with.
On the trip: SEE calls `next`; one day of each minute file is held at a time, so memory grows with the days by no
more than their daily bars, 24 bytes each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec

from interlock.model.errors import DataError
from interlock.model.market import FaultCode, MarketSnapshot, Origin, Provides, checked_universe
from interlock.model.units import plain
from interlock.shell.sources.dates import NEW_YORK, ExchangeDays
from interlock.shell.sources.files import readable_path, unreadable
from interlock.shell.sources.lean_daily import daily_bars
from interlock.shell.sources.lean_rows import BarKind, day_clock, lean_lines
from interlock.shell.sources.lean_zip import content_of, packed_bytes, unpacked
from interlock.shell.sources.recorded import SnapshotWalk, nothing_beforehand
from interlock.shell.sources.rows import FaultRow, Row, in_order

#: Where minute bars live in a LEAN data folder.
MINUTE_FOLDER = "equity/usa/minute"
_DAYS_MAX = 20_000
_SATURDAY = 5
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class _DayFile(msgspec.Struct, frozen=True, kw_only=True):
    """One zip: a kind of bar of one symbol on one day. `name` is relative to the data folder."""

    path: Path
    name: str
    member: str
    kind: BarKind
    ix: int
    day: date


class LeanSource:
    """Minute quote and trade bars of a LEAN data folder, from the first day to the last, both included.

    Every weekday without a file is told as absent, holidays too: the folder does not say which days were open. Where
    every symbol has a file of daily bars too, each trading date knows the close and the volumes before it.

    Args:
        universe: the symbols.
        path: the LEAN data folder (it holds `equity/usa/minute`).
        first_day: date in New York.
        last_day: date in New York.

    Raises:
        DataError: there is no such folder, no file of a symbol or of the days, or a file that cannot be read.
    """

    def __init__(self, *, universe: tuple[str, ...], path: str | Path, first_day: date, last_day: date) -> None:
        self._universe = checked_universe(universe)
        self._folder = readable_path(Path(path), what="LEAN data folder")
        self._first_day, self._last_day = first_day, last_day
        wanted = _wanted(_days_of(first_day, last_day), universe=universe, folder=self._folder)
        there = [_names_in(self._folder, symbol) for symbol in universe]
        found = [file for file in wanted if file.path.name in there[file.ix]]
        absent = [file for file in wanted if file.path.name not in there[file.ix] and file.day.weekday() < _SATURDAY]
        if not found:
            message = (
                f"No minute file of {', '.join(universe[:8])} from {first_day} to {last_day} is in "
                f"{plain(str(self._folder / MINUTE_FOLDER))}, so there is no market to run on. "
                "Look at from, to and path under [source]. Nothing was started."
            )
            raise DataError(message)
        self._content = {file.name: _content_of(file) for file in found}
        self._daily = daily_bars(universe, folder=self._folder, first_day=first_day, last_day=last_day)
        self._kinds = frozenset(file.kind for file in found)
        self._days = ExchangeDays(NEW_YORK)
        streams = [self._absent_rows(absent), *self._bar_streams(found)]
        beforehand = nothing_beforehand if self._daily is None else self._daily.reference_on
        self._walk = SnapshotWalk(universe=universe, streams=streams, days=self._days, reference_on=beforehand)

    @property
    def origin(self) -> Origin:
        """Return the days, and the content hash of every file by its name in the data folder."""
        span = (("from", self._first_day.isoformat()), ("to", self._last_day.isoformat()))
        symbols = "1 symbol" if len(self._universe) == 1 else f"{len(self._universe):,} symbols"
        files = "1 file" if len(self._content) == 1 else f"{len(self._content):,} files"
        words = f"recorded LEAN minute bars of {symbols}, {self._first_day} to {self._last_day}, {files}"
        daily = () if self._daily is None else self._daily.content
        identity = (*span, *sorted([*self._content.items(), *daily]))
        return Origin(kind="lean", identity=identity, words=words, where=str(self._folder))

    @property
    def provides(self) -> frozenset[Provides]:
        """Return what the kinds of files that are there can tell; LEAN says neither who is halted nor any bands."""
        quotes = {Provides.QUOTES, Provides.SIZES} if BarKind.QUOTE in self._kinds else set[Provides]()
        trades = {Provides.LAST, Provides.VOLUME} if BarKind.TRADE in self._kinds else set[Provides]()
        beforehand = set[Provides]() if self._daily is None else {Provides.PREVIOUS_CLOSE, Provides.DAILY_VOLUME}
        return frozenset(quotes | trades | beforehand)

    @property
    def universe(self) -> tuple[str, ...]:
        """Return the symbols in column order."""
        return self._universe

    def next(self) -> MarketSnapshot | None:
        """Return the snapshot of the next minute in which a bar of the universe ended, or None after the last day.

        Raises:
            DataError: a file changed or vanished since the run began.
        """
        return self._walk.next()

    def _bar_streams(self, found: list[_DayFile]) -> list[Iterator[Row]]:
        """Return one stream for each symbol and kind; `found` is in the order of the days."""
        files_of: dict[tuple[int, BarKind], list[_DayFile]] = {}
        for file in found:
            files_of.setdefault((file.ix, file.kind), []).append(file)
        return [self._bar_rows(files) for files in files_of.values()]

    def _bar_rows(self, files: list[_DayFile]) -> Iterator[Row]:
        for file in files:
            packed = packed_bytes(file.path)
            if content_of(packed) != self._content[file.name]:
                raise unreadable(file.path, why="it is not the file any more that the run began with")
            text = unpacked(packed, path=file.path, member=file.member)
            midnight_ns = self._days.midnight_ns(file.day)
            if not text.strip():
                why = f"{file.name} holds no {file.kind.value} bars"
                yield self._absent(file, why)
                continue
            lines = lean_lines(text, kind=file.kind, ix=file.ix, clock=day_clock(self._days, file.day))
            yield from in_order(lines, file_name=file.name, from_ns=midnight_ns)

    def _absent_rows(self, absent: list[_DayFile]) -> Iterator[Row]:
        for file in absent:
            yield self._absent(file, f"{file.name} is not there (a holiday, or a gap in the files)")

    def _absent(self, file: _DayFile, why: str) -> FaultRow:
        text = f"no {file.kind.value} bars of {self._universe[file.ix]} on {file.day}: {why}"
        at_ns = self._days.midnight_ns(file.day)
        return FaultRow(at_ns=at_ns, ix=file.ix, code=FaultCode.DAY_ABSENT, text=text, is_timed=False)


def _days_of(first_day: date, last_day: date) -> list[date]:
    count = (last_day - first_day).days + 1
    if count < 1:
        message = f"The last day {last_day} is before the first day {first_day}: look at from and to under [source]."
        raise DataError(message)
    if count > _DAYS_MAX:
        message = (
            f"From {first_day} to {last_day} are {count:,} days and the most is {_DAYS_MAX:,}: look at from and to."
        )
        raise DataError(message)
    return [first_day + timedelta(days=number) for number in range(count)]


def _wanted(days: list[date], *, universe: tuple[str, ...], folder: Path) -> list[_DayFile]:
    """Return every file that could be there, by day, then symbol, then kind."""
    for symbol in universe:
        if _SYMBOL.fullmatch(symbol) is None:
            message = (
                f"The symbol {plain(symbol)!r} cannot be the name of a folder of LEAN data: letters, digits, dots "
                "and dashes only. Look at symbols under [universe]. Nothing was started."
            )
            raise DataError(message)
    return [
        _file_of(universe[ix], folder=folder, kind=kind, ix=ix, day=day)
        for day in days
        for ix in range(len(universe))
        for kind in BarKind
    ]


def _file_of(symbol: str, *, folder: Path, kind: BarKind, ix: int, day: date) -> _DayFile:
    name = f"{MINUTE_FOLDER}/{symbol.lower()}/{day:%Y%m%d}_{kind.value}.zip"
    member = f"{day:%Y%m%d}_{symbol.lower()}_minute_{kind.value}.csv"
    return _DayFile(path=folder / name, name=name, member=member, kind=kind, ix=ix, day=day)


def _names_in(folder: Path, symbol: str) -> frozenset[str]:
    room = folder / MINUTE_FOLDER / symbol.lower()
    try:
        return frozenset(path.name for path in room.iterdir())
    except OSError:
        message = (
            f"There is no folder of minute bars of {symbol}: {plain(str(room))} is missing or cannot be read. "
            "Look at path under [source] and symbols under [universe]. Nothing was started."
        )
        raise DataError(message) from None


def _content_of(file: _DayFile) -> str:
    """Return the content words of a file that was read to its end, so that a broken one is refused before the run."""
    packed = packed_bytes(file.path)
    unpacked(packed, path=file.path, member=file.member)
    return content_of(packed)
