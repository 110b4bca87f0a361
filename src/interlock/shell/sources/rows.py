"""Rows: what one line of a file says about one symbol, and the rules by which a bad line is dropped.

Floor 2 (shell). It never mends a line: what is wrong is dropped with a code, the file and the line, or told
as an error when a whole file says nothing.
On the trip: under SEE; sources read lines, this file puts them in order or says why not, the walk shows them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from interlock.model.errors import DataError
from interlock.model.market import FaultCode
from interlock.model.units import INTEGER_MAX, money, plain, utc

#: The `ix` of a line that does not say whose it is: it makes every symbol unknown.
EVERY_SYMBOL = -1
#: So many lines in a row without a time that can be read are not a bad patch but another kind of file.
TIMELESS_LINES_MAX = 10_000


class QuoteRow(msgspec.Struct, frozen=True, gc=False):
    """A quote of one symbol, seen from `at_ns` (UTC) on: prices in micros, sizes in shares."""

    at_ns: int
    ix: int
    bid_px: int
    ask_px: int
    bid_qty: int
    ask_qty: int


class TradeRow(msgspec.Struct, frozen=True, gc=False):
    """A trade, or a bar of them, complete at `at_ns` (UTC): the last price in micros, the volume in shares."""

    at_ns: int
    ix: int
    last_px: int
    volume: int


class FaultRow(msgspec.Struct, frozen=True, gc=False):
    """What was dropped. With `is_timed` it belongs to the snapshot of `at_ns`, else to the first one from there on."""

    at_ns: int
    ix: int
    code: FaultCode
    text: str
    is_timed: bool


Row = QuoteRow | TradeRow | FaultRow


class BadRow(msgspec.Struct, frozen=True):
    """Why something cannot be used: the code, and the rest of a sentence that begins with file and line."""

    code: FaultCode
    why: str


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line as it was read: its time (UTC ns, 0 = none that can be used), its rows, and what is wrong with it."""

    number: int
    ix: int
    at_ns: int
    rows: tuple[QuoteRow | TradeRow, ...]
    bad: tuple[BadRow, ...]


def checked_quote(row: QuoteRow) -> QuoteRow | BadRow:
    """Return the quote if it can be one: two prices above zero, no bid above its ask, sizes of zero or more."""
    for side, px, qty in (("bid", row.bid_px, row.bid_qty), ("ask", row.ask_px, row.ask_qty)):
        if not 0 < px <= INTEGER_MAX:
            return BadRow(_code_of(px), f"the {side} is {money(px)}, which is no price")
        if not 0 <= qty <= INTEGER_MAX:
            return BadRow(_code_of(qty), f"the size of the {side} is {qty}, which is no size")
    if row.bid_px > row.ask_px:
        why = f"the bid of {money(row.bid_px)} is above the ask of {money(row.ask_px)}"
        return BadRow(FaultCode.ROW_CROSSED, why)
    return row


def checked_trade(row: TradeRow) -> TradeRow | BadRow:
    """Return the trade if it can be one: a price above zero and a volume of zero or more."""
    if not 0 < row.last_px <= INTEGER_MAX:
        return BadRow(_code_of(row.last_px), f"the price is {money(row.last_px)}, which is no price")
    if not 0 <= row.volume <= INTEGER_MAX:
        return BadRow(_code_of(row.volume), f"the volume is {row.volume}, which is no size")
    return row


def _code_of(value: int) -> FaultCode:
    return FaultCode.ROW_NEGATIVE if value <= 0 else FaultCode.ROW_UNREADABLE


def bad_number(name: str, text: str) -> BadRow:
    """Return why a text could not be read as a number: it is below zero, not finite, or no number that fits.

    Examples:
        >>> bad_number("bid", "nan").code.value, bad_number("bid", "-1").code.value, bad_number("bid", "x").code.value
        ('ROW_NOT_FINITE', 'ROW_NEGATIVE', 'ROW_UNREADABLE')
    """
    shown = plain(text[:40])
    try:
        value = float(text)
    except ValueError:
        return BadRow(FaultCode.ROW_UNREADABLE, f"the {name} {shown!r} is not a number")
    if not math.isfinite(value):
        return BadRow(FaultCode.ROW_NOT_FINITE, f"the {name} {shown!r} is not a finite number")
    if value < 0:
        return BadRow(FaultCode.ROW_NEGATIVE, f"the {name} {shown} is below zero")
    return BadRow(FaultCode.ROW_UNREADABLE, f"the {name} {shown!r} is not a number that fits its unit")


def in_order(lines: Iterator[Line], *, file_name: str, from_ns: int) -> Iterator[Row]:
    """Yield the rows of one file with time never going back, and a fault for each line that breaks a rule.

    Args:
        lines: the lines in the order of the file.
        file_name: how a person finds the file, for the sentences.
        from_ns: UTC; the earliest time that the file can speak of (0 = not known).

    Raises:
        DataError: no line of the file has a time that can be read, or so many in a row have none that it is not
            what it was said to be.
    """
    latest_ns = from_ns
    seen_ns: dict[int, int] = {}
    timeless: list[tuple[Line, BadRow]] = []
    for line in lines:
        late = _out_of_order(line, latest_ns)
        if late or line.at_ns == 0:
            timeless.extend((line, bad) for bad in (late or line.bad))
            _check_timeless(timeless, file_name)
            continue
        if line.at_ns > latest_ns:
            yield from _told_next(timeless, file_name=file_name, from_ns=latest_ns + 1)
            timeless.clear()
        latest_ns = line.at_ns
        twice = seen_ns.get(line.ix) == line.at_ns
        seen_ns[line.ix] = line.at_ns
        if twice:
            bad = BadRow(FaultCode.ROW_DUPLICATE, f"a second row for {utc(line.at_ns)}")
            yield _fault(line, bad, file_name=file_name, at_ns=line.at_ns, is_timed=True)
            continue
        yield from line.rows
        for bad in line.bad:
            yield _fault(line, bad, file_name=file_name, at_ns=line.at_ns, is_timed=True)
    if latest_ns == 0:
        _refuse_timeless(timeless, file_name)
    yield from _told_next(timeless, file_name=file_name, from_ns=latest_ns + 1)


def _out_of_order(line: Line, latest_ns: int) -> tuple[BadRow, ...]:
    if line.at_ns == 0 or line.at_ns >= latest_ns:
        return ()
    why = f"its time {utc(line.at_ns)} is before {utc(latest_ns)} of the row before it"
    return (BadRow(FaultCode.ROW_OUT_OF_ORDER, why),)


def _told_next(timeless: list[tuple[Line, BadRow]], *, file_name: str, from_ns: int) -> Iterator[FaultRow]:
    for line, bad in timeless:
        yield _fault(line, bad, file_name=file_name, at_ns=from_ns, is_timed=False)


def _fault(line: Line, bad: BadRow, *, file_name: str, at_ns: int, is_timed: bool) -> FaultRow:
    text = f"{file_name} line {line.number}: {bad.why}"
    return FaultRow(at_ns=at_ns, ix=line.ix, code=bad.code, text=text, is_timed=is_timed)


def _check_timeless(timeless: list[tuple[Line, BadRow]], file_name: str) -> None:
    if len(timeless) < TIMELESS_LINES_MAX:
        return
    line, bad = timeless[0]
    message = (
        f"{file_name} cannot be read on: {TIMELESS_LINES_MAX:,} lines in a row have no time that can be used. "
        f"The first is line {line.number}: {bad.why}. Look whether [source] says what the file holds."
    )
    raise DataError(message)


def _refuse_timeless(timeless: list[tuple[Line, BadRow]], file_name: str) -> None:
    if not timeless:
        message = f"{file_name} holds no row of any symbol of the universe, so there is no market to run on."
        raise DataError(message)
    line, bad = timeless[0]
    message = (
        f"No line of {file_name} has a time that can be read, so there is no market to run on. The first is line "
        f"{line.number}: {bad.why}. Look whether [source] says what the file holds."
    )
    raise DataError(message)
