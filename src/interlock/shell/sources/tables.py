"""Tables: what the columns of a CSV or Parquet file mean, and how one record of them becomes rows.

Floor 2 (shell). It never opens a file, never rounds a number and never mends a record.
On the trip: under SEE; a file source hands over records of text, and the rows go to the walk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NoReturn

import msgspec

from interlock.model.errors import DataError
from interlock.model.market import FaultCode, Provides
from interlock.model.units import SECOND_NS, parse_money, parse_shares, plain
from interlock.shell.sources.dates import TIME_NS_MAX, ExchangeDays
from interlock.shell.sources.rows import (
    EVERY_SYMBOL,
    BadRow,
    Line,
    QuoteRow,
    TradeRow,
    bad_number,
    checked_quote,
    checked_trade,
)

#: A record of a table: where it is in its file (line or row, from 1), and the text of each cell.
Record = tuple[int, list[str]]

#: Our names of the columns; `open`, `high` and `low` may be named and are not read.
COLUMNS = ("time", "symbol", "bid", "ask", "bid_size", "ask_size", "open", "high", "low", "close", "volume")
_UNIT_NS = {"s": SECOND_NS, "ms": 10**6, "us": 10**3, "ns": 1}
_COUNT = re.compile(r"[0-9]{1,19}")
_ISO = re.compile(
    r"(?P<second>[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?)(?:\.(?P<part>[0-9]{1,9}))?"
    r" ?(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?"
)


class RowKind(StrEnum):
    """What one record of a table is."""

    QUOTES = "quotes"
    BARS = "bars"


class TableForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a table is said to hold: kind of record, length of a bar (ns, 0 for quotes), unit of time, columns."""

    kind: RowKind
    bar_ns: int
    time_unit: str
    columns: dict[str, str]

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """Return what the snapshots follow from beside the file, for the identity of a source."""
        columns = ",".join(f"{ours}={theirs}" for ours, theirs in sorted(self.columns.items()))
        named = (("rows", self.kind.value), ("bar_ns", str(self.bar_ns)), ("time_unit", self.time_unit))
        return (*named, ("columns", columns))

    @property
    def has_quotes(self) -> bool:
        """Return True if a record can tell a bid and an ask."""
        return "bid" in self.columns

    @property
    def provides(self) -> frozenset[Provides]:
        """Return what the named columns can tell."""
        told = {
            Provides.QUOTES: self.has_quotes,
            Provides.SIZES: "bid_size" in self.columns,
            Provides.LAST: "close" in self.columns,
            Provides.VOLUME: "volume" in self.columns and "close" in self.columns,
        }
        return frozenset(kind for kind, is_told in told.items() if is_told)


def checked_form(*, rows: str, bar_ns: int, time_unit: str, columns: Mapping[str, str]) -> TableForm:
    """Return what a table is said to hold, if a table can hold it.

    Args:
        rows: `quotes` or `bars`.
        bar_ns: length of a bar, 0 for quotes.
        time_unit: `iso`, `s`, `ms`, `us` or `ns`.
        columns: our names and the file's; columns that the file does not have are left out.

    Raises:
        DataError: it cannot.
    """
    unknown = sorted(set(columns) - set(COLUMNS))
    kind = next((kind for kind in RowKind if rows == kind.value), None)
    if kind is None:
        _refuse(f'rows = "{plain(rows)}" is not one of quotes, bars')
    if unknown:
        _refuse(f"the column {plain(unknown[0])!r} is not one that Interlock knows: {', '.join(COLUMNS)}")
    if time_unit not in ("iso", *_UNIT_NS):
        _refuse(f'time_unit = "{plain(time_unit)}" is not one of iso, s, ms, us, ns')
    needed = ["time", "symbol", *(["bid", "ask"] if kind is RowKind.QUOTES else ["close"])]
    absent = [name for name in needed if name not in columns]
    if absent:
        _refuse(f'rows = "{kind.value}" needs the column {absent[0]}, and columns does not name it')
    for one, other in (("bid", "ask"), ("bid_size", "ask_size")):
        if (one in columns) != (other in columns):
            _refuse(f"columns names only one of {one} and {other}, and a quote has both")
    if "bid_size" in columns and "bid" not in columns:
        _refuse("columns names bid_size and not bid, and a size without a price is no quote")
    if (kind is RowKind.BARS) != (bar_ns > 0):
        _refuse('a bar has a length, such as bar = "1 min", and a quote has none')
    return TableForm(kind=kind, bar_ns=bar_ns, time_unit=time_unit, columns=dict(columns))


def _refuse(why: str) -> NoReturn:
    message = f"The table under [source] cannot be read: {why}. Nothing was started."
    raise DataError(message)


class TableReader:
    """Turns the records of one file into lines: found once by the header, then read by position.

    Args:
        form: what the file is said to hold.
        header: the names of its columns, as they stand there.
        file_name: how a person finds the file.
        universe: the symbols that are wanted; records of others are passed over.
        days: the days of the exchange, for times without an offset.

    Raises:
        DataError: a column that was named is not there, or is there twice.
    """

    def __init__(
        self, *, form: TableForm, header: list[str], file_name: str, universe: tuple[str, ...], days: ExchangeDays
    ) -> None:
        self._form = form
        self._width = len(header)
        self._at = {ours: _position(theirs, header, file_name) for ours, theirs in form.columns.items()}
        self._ix_of = {symbol: ix for ix, symbol in enumerate(universe)}
        self._days = days

    def lines(self, records: Iterator[Record]) -> Iterator[Line]:
        """Yield a line for every record of the universe, good or bad."""
        for number, cells in records:
            if len(cells) != self._width:
                fields = f"it has {len(cells)} fields and the header has {self._width}"
                why = fields if cells else "its quotation marks do not close"
                yield _nobodys(number, why)
                continue
            symbol = self._cell(cells, "symbol")
            if not symbol:
                yield _nobodys(number, "it does not say of which symbol it is")
            elif symbol in self._ix_of:
                yield self._line(number, cells, self._ix_of[symbol])

    def _cell(self, cells: list[str], name: str) -> str:
        return cells[self._at[name]].strip()

    def _line(self, number: int, cells: list[str], ix: int) -> Line:
        written = self._cell(cells, "time")
        try:
            at_ns = self._instant_ns(written) + self._form.bar_ns
        except ValueError as error:
            why = BadRow(FaultCode.ROW_UNREADABLE, f"the time {plain(written[:40])!r} cannot be used: {error}")
            return Line(number=number, ix=ix, at_ns=0, rows=(), bad=(why,))
        rows: tuple[QuoteRow | TradeRow, ...] = ()
        bad: tuple[BadRow, ...] = ()
        try:
            for row in (*self._quotes(cells, ix=ix, at_ns=at_ns), *self._trades(cells, ix=ix, at_ns=at_ns)):
                rows = rows if isinstance(row, BadRow) else (*rows, row)
                bad = (*bad, row) if isinstance(row, BadRow) else bad
        except _BadCellError as error:
            bad = (error.bad,)
        # A side without a quote leaves the trade standing; anything else that is wrong spoils the whole record.
        is_spoilt = any(one.code is not FaultCode.QUOTE_MISSING for one in bad)
        return Line(number=number, ix=ix, at_ns=at_ns, rows=() if is_spoilt else rows, bad=bad)

    def _quotes(self, cells: list[str], *, ix: int, at_ns: int) -> tuple[QuoteRow | BadRow, ...]:
        if not self._form.has_quotes:
            return ()
        for side in ("bid", "ask"):
            if not self._cell(cells, side):
                return (BadRow(FaultCode.QUOTE_MISSING, f"no {side} was quoted at that time"),)
        row = QuoteRow(
            at_ns=at_ns,
            ix=ix,
            bid_px=self._px(cells, "bid"),
            ask_px=self._px(cells, "ask"),
            bid_qty=self._qty(cells, "bid_size"),
            ask_qty=self._qty(cells, "ask_size"),
        )
        return (checked_quote(row),)

    def _trades(self, cells: list[str], *, ix: int, at_ns: int) -> tuple[TradeRow | BadRow, ...]:
        if "close" not in self._form.columns:
            return ()
        if self._form.has_quotes and not self._cell(cells, "close"):
            return ()  # quoted, and not traded
        row = TradeRow(at_ns=at_ns, ix=ix, last_px=self._px(cells, "close"), volume=self._qty(cells, "volume"))
        return (checked_trade(row),)

    def _px(self, cells: list[str], name: str) -> int:
        text = self._cell(cells, name)
        try:
            return parse_money(f"${text}")
        except ValueError:
            raise _BadCellError(bad_number(name, text)) from None

    def _qty(self, cells: list[str], name: str) -> int:
        """Return a size; 0 where the file has no such column. Some writers keep whole numbers as `100.0`."""
        if name not in self._at:
            return 0
        text = self._cell(cells, name)
        try:
            return parse_shares(f"{text.removesuffix('.0')} shares")
        except ValueError:
            raise _BadCellError(bad_number(name, text)) from None

    def _instant_ns(self, text: str) -> int:
        """Return the instant that a time means; ValueError, in words, where it means none or two."""
        at_ns = self._iso_ns(text) if self._form.time_unit == "iso" else _counted_ns(text, self._form.time_unit)
        if not 0 < at_ns <= TIME_NS_MAX - self._form.bar_ns:
            message = "it is not between 1970 and 2262"
            raise ValueError(message)
        return at_ns

    def _iso_ns(self, text: str) -> int:
        found = _ISO.fullmatch(text)
        if found is None:
            message = "write it as 2013-10-07T09:30:00, with an offset such as -04:00 or in the zone of [source]"
            raise ValueError(message)
        second, part, offset = found["second"], found["part"] or "", found["offset"] or ""
        part_ns = int(part.ljust(9, "0"))
        if offset:
            return int(datetime.fromisoformat(f"{second}{offset}").timestamp()) * SECOND_NS + part_ns
        return self._days.instant_ns(datetime.fromisoformat(second)) + part_ns


class _BadCellError(Exception):
    """A cell holds no number that can be used; carries why."""

    def __init__(self, bad: BadRow) -> None:
        super().__init__(bad.why)
        self.bad = bad


def _counted_ns(text: str, time_unit: str) -> int:
    if _COUNT.fullmatch(text) is None:
        message = f"it is not a whole count of {time_unit} since 1970"
        raise ValueError(message)
    return int(text) * _UNIT_NS[time_unit]


def _nobodys(number: int, why: str) -> Line:
    return Line(number=number, ix=EVERY_SYMBOL, at_ns=0, rows=(), bad=(BadRow(FaultCode.ROW_UNREADABLE, why),))


def _position(theirs: str, header: list[str], file_name: str) -> int:
    if header.count(theirs) == 1:
        return header.index(theirs)
    there = ", ".join(plain(name) for name in header[:40]) or "none"
    count = "no column" if theirs not in header else "more than one column"
    message = (
        f"{plain(file_name)} has {count} {plain(theirs)!r}, which columns under [source] names; "
        f"the columns that are there: {there}. Nothing was started."
    )
    raise DataError(message)
