"""The lines of one LEAN minute file, read strictly.

Floor 2 (shell). It never opens a file and never mends a line.
On the trip: under SEE; the LEAN source hands over the text of a day, and the rows go to the walk.

*Source* of the format: the LEAN data format for US equities, minute resolution. A bar is stamped with its
start in milliseconds since midnight in New York; prices are whole numbers of 1/10,000 of a dollar.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum

from interlock.model.market import FaultCode
from interlock.model.units import SECOND_NS
from interlock.shell.sources.dates import ExchangeDays
from interlock.shell.sources.rows import BadRow, Line, QuoteRow, TradeRow, bad_number, checked_quote, checked_trade

#: UTC ns of a wall time of one day, given in ms since midnight; ValueError where the clock shows it twice or never.
DayClock = Callable[[int], int]

_BAR_NS = 60 * SECOND_NS
_DAY_MS = 86_400_000
_MS_NS = 1_000_000
_PX_A_UNIT = 100
_WHOLE = re.compile(r"[0-9]{1,15}")
_QUOTE_LINE = re.compile(r"[0-9]{1,15}(?:,[0-9]{1,15}){10}")
_TRADE_LINE = re.compile(r"[0-9]{1,15}(?:,[0-9]{1,15}){5}")
_QUOTE_NAMES = (
    *("time", "bid open", "bid high", "bid low", "bid close", "bid size"),
    *("ask open", "ask high", "ask low", "ask close", "ask size"),
)
_TRADE_NAMES = ("time", "open", "high", "low", "close", "volume")


class BarKind(StrEnum):
    """The two kinds of minute bars, as the names of LEAN's files spell them."""

    QUOTE = "quote"
    TRADE = "trade"


def day_clock(days: ExchangeDays, day: date) -> DayClock:
    """Return the clock of one day: exact also on the two days a year on which New York changes its clocks."""
    midnight_ns = days.midnight_ns(day)
    if days.midnight_ns(day + timedelta(days=1)) - midnight_ns == _DAY_MS * _MS_NS:
        return lambda since_ms: midnight_ns + since_ms * _MS_NS
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall time; the days give it its zone

    def changed(since_ms: int) -> int:
        wall = midnight + timedelta(seconds=since_ms // 1000)
        return days.instant_ns(wall) + since_ms % 1000 * _MS_NS

    return changed


def lean_lines(text: str, *, kind: BarKind, ix: int, clock: DayClock) -> Iterator[Line]:
    """Yield every line of a day's file, each with its rows or with what is wrong with it.

    Args:
        text: the whole file.
        kind: what its bars are.
        ix: position of its symbol in the universe.
        clock: the clock of its day.
    """
    form = _QUOTE_LINE if kind is BarKind.QUOTE else _TRADE_LINE
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    for number, line in enumerate(lines, start=1):
        fields = line.removesuffix("\r").split(",")
        at_ns, late = _bar_end(fields[0], clock)
        if late:
            yield Line(number=number, ix=ix, at_ns=0, rows=(), bad=late)
            continue
        if form.fullmatch(line.removesuffix("\r")) is None:
            why = _why_not(fields, _QUOTE_NAMES if kind is BarKind.QUOTE else _TRADE_NAMES)
            yield Line(number=number, ix=ix, at_ns=at_ns, rows=(), bad=(why,))
            continue
        row = _quote(fields, ix=ix, at_ns=at_ns) if kind is BarKind.QUOTE else _trade(fields, ix=ix, at_ns=at_ns)
        if isinstance(row, BadRow):
            yield Line(number=number, ix=ix, at_ns=at_ns, rows=(), bad=(row,))
        else:
            yield Line(number=number, ix=ix, at_ns=at_ns, rows=(row,), bad=())


def _bar_end(text: str, clock: DayClock) -> tuple[int, tuple[BadRow, ...]]:
    """Return when the bar is complete: its start and a minute."""
    if _WHOLE.fullmatch(text) is None:
        return 0, (bad_number("time", text),)
    since_ms = int(text)
    if since_ms >= _DAY_MS:
        return 0, (BadRow(FaultCode.ROW_UNREADABLE, f"the time {since_ms} ms is past the end of its day"),)
    try:
        return clock(since_ms) + _BAR_NS, ()
    except ValueError as error:
        return 0, (BadRow(FaultCode.ROW_UNREADABLE, f"the time {since_ms} ms cannot be placed: {error}"),)


def _quote(fields: list[str], *, ix: int, at_ns: int) -> QuoteRow | BadRow:
    return checked_quote(
        QuoteRow(
            at_ns=at_ns,
            ix=ix,
            bid_px=int(fields[4]) * _PX_A_UNIT,
            ask_px=int(fields[9]) * _PX_A_UNIT,
            bid_qty=int(fields[5]),
            ask_qty=int(fields[10]),
        )
    )


def _trade(fields: list[str], *, ix: int, at_ns: int) -> TradeRow | BadRow:
    return checked_trade(TradeRow(at_ns=at_ns, ix=ix, last_px=int(fields[4]) * _PX_A_UNIT, volume=int(fields[5])))


def _why_not(fields: list[str], names: tuple[str, ...]) -> BadRow:
    if len(fields) != len(names):
        return BadRow(FaultCode.ROW_UNREADABLE, f"it has {len(fields)} fields and a row has {len(names)}")
    if names is _QUOTE_NAMES:
        for side, part in (("bid", fields[1:6]), ("ask", fields[6:11])):
            if not any(part):
                return BadRow(FaultCode.QUOTE_MISSING, f"no {side} was quoted in that minute")
    for name, text in zip(names, fields, strict=True):
        if _WHOLE.fullmatch(text) is None:
            return bad_number(name, text)
    return BadRow(FaultCode.ROW_UNREADABLE, "it is not a row of whole numbers")
