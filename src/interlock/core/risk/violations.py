"""Violations: for each control with a number, facts that are really beyond it: an order too large, a quote too old.

Floor 1 (decisions). Pure. A rule brings its own violation with its line of the table; a measure has it here, so that a
control that measures the wrong thing is found, and not only one that compares wrongly.
On the trip: RISK, when the gate proves itself. Nothing here can be approved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from interlock.core.conduct import HOUR_NS, MINUTE_NS
from interlock.core.risk.facts import Facts, changed, wishing
from interlock.core.risk.headroom import SymbolUse
from interlock.core.sessions import Place
from interlock.core.tape import SymbolTape
from interlock.model.conduct import Conduct, Window
from interlock.model.market import Quote, SymbolReference
from interlock.model.orders import Side
from interlock.model.risk import ReasonCode
from interlock.model.units import INTEGER_MAX, MICROS_PER_DOLLAR

_PX = 100 * MICROS_PER_DOLLAR
_TICK_PX = 10_000
#: What a probe has where a number that others are read by is not written, or is zero: then nothing is approved, and
#: the controls are proved all the same.
_STOOD_IN = MappingProxyType(
    {
        "cash_micros": 10**12,
        "tick_size_px": _TICK_PX,
        "order_window_ns": MINUTE_NS,
        "strategy_window_ns": MINUTE_NS,
    }
)
#: Facts, and the limit in force.
Violate = Callable[[Facts, int], Facts]


def sound(facts: Facts) -> Facts:
    """Return the facts of a run with a market in which everything can be read, and an order of one share in it.

    Limits, latches, state and what is spoken for stay those of the run: a probe works on a copy of the real thing.
    """
    symbol, at_ns = facts.intent.symbol, facts.as_of_ns
    quote = Quote(
        symbol=symbol,
        present=True,
        halted=False,
        bid_px=_PX - _TICK_PX,
        ask_px=_PX,
        last_px=_PX,
        bid_qty=100,
        ask_qty=100,
        volume=100,
        event_ns=at_ns,
    )
    known = dict(facts.limits)
    for key, value in _STOOD_IN.items():
        if not known[key].value:
            known[key] = msgspec.structs.replace(known[key], value=value)
    return msgspec.structs.replace(
        facts,
        limits=known,
        intent=msgspec.structs.replace(facts.intent, order_qty=1, limit_px=_PX, side=Side.BUY),
        known=True,
        quote=quote,
        reference=SymbolReference(close_px=_PX, adv_qty=INTEGER_MAX, band_low_px=1, band_high_px=INTEGER_MAX),
        tape=SymbolTape(confirmed_px=_PX, is_confirmed=True, quotes=INTEGER_MAX, volume=INTEGER_MAX),
        feed_ns=at_ns,
        feed_faults=0,
        place=Place(is_open=True, since_open_ns=INTEGER_MAX, until_close_ns=INTEGER_MAX, sessions_left=10**6, date=""),
        # A position elsewhere that nobody can price blocks entries, and says nothing about the gate.
        headroom=msgspec.structs.replace(facts.headroom, unpriced={}),
        equity_micros=INTEGER_MAX,
        position_age_ns=0,
        proved_ns_ago=0,
    )


def _quoted(facts: Facts, **parts: object) -> Facts:
    return changed(facts, quote=msgspec.structs.replace(facts.quote, **parts))


def _placed(facts: Facts, **parts: object) -> Facts:
    return changed(facts, place=msgspec.structs.replace(facts.place, **parts))


def _taped(facts: Facts, **parts: object) -> Facts:
    return changed(facts, tape=msgspec.structs.replace(facts.tape, **parts))


def _counted(facts: Facts, **parts: object) -> Facts:
    return changed(facts, counters=msgspec.structs.replace(facts.counters, **parts))


def _conducted(facts: Facts, **parts: object) -> Facts:
    return changed(facts, conduct=msgspec.structs.replace(Conduct(), **parts))


def _totalled(facts: Facts, **parts: object) -> Facts:
    totals = msgspec.structs.replace(facts.headroom.totals, **parts)
    return changed(facts, headroom=msgspec.structs.replace(facts.headroom, totals=totals))


def _used(facts: Facts, use: SymbolUse) -> Facts:
    uses = {**facts.headroom.uses, facts.intent.symbol: use}
    return changed(facts, headroom=msgspec.structs.replace(facts.headroom, uses=uses))


def _worth(facts: Facts, limit: int) -> Facts:
    """Return facts about an order that is worth more than a limit."""
    return wishing(facts, order_qty=limit // _PX + 2)


def _held(facts: Facts, limit_micros: int) -> Facts:
    """Return facts in which more than a limit is held of the symbol already."""
    return _used(facts, SymbolUse(position_qty=limit_micros // _PX + 1))


def _of_cash(facts: Facts, limit_bps: int) -> int:
    cash = facts.limits["cash_micros"].value
    return (cash or 0) * limit_bps // 10_000 + 1


def _window(facts: Facts, *, span_ns: int, value: int, count: int) -> Window:
    return Window(((facts.as_of_ns // (span_ns // 60), value, count),), value, count)


def _grouped(facts: Facts, limit: int) -> Facts:
    symbol = facts.intent.symbol
    headroom = msgspec.structs.replace(
        facts.headroom, groups={symbol: "probe"}, by_group={"probe": _of_cash(facts, limit)}, uses={}
    )
    return changed(facts, headroom=headroom)


def _alone(facts: Facts) -> Facts:
    """Return facts in which nothing has an unknown price."""
    return changed(facts, headroom=msgspec.structs.replace(facts.headroom, unpriced={}, uses={}, own={}))


def _by_strategy(facts: Facts, limit: int) -> Facts:
    facts = _alone(facts)
    by_strategy = {facts.intent.strategy_id: limit}
    return changed(facts, headroom=msgspec.structs.replace(facts.headroom, by_strategy=by_strategy))


R = ReasonCode
#: Limits in bps above which a spread cannot be violated: bid and ask would have to be further apart than they can be.
WIDEST = MappingProxyType({ReasonCode.SPREAD_MAX: 16_000, ReasonCode.SPREAD_WIDE: 16_000})
#: How each control with a number is violated, given its limit; a limit that nothing can be beyond is moved instead.
VIOLATIONS: Mapping[ReasonCode, Violate] = MappingProxyType(
    {
        R.OPEN_GUARD: lambda facts, limit: _placed(facts, since_open_ns=limit - 1),
        R.CLOSE_GUARD: lambda facts, limit: _placed(facts, until_close_ns=limit - 1),
        R.CALENDAR_ENDING: lambda facts, limit: _placed(facts, sessions_left=limit - 1),
        R.WARMING_UP: lambda facts, limit: _taped(facts, quotes=limit - 1),
        R.DATA_STALE: lambda facts, limit: _quoted(facts, event_ns=facts.as_of_ns - limit - 1),
        R.FEED_STALE: lambda facts, limit: changed(facts, feed_ns=facts.as_of_ns - limit - 1),
        R.FEED_FAULTS: lambda facts, limit: changed(facts, feed_faults=limit + 1),
        R.SPREAD_MAX: lambda facts, _limit: _quoted(facts, ask_px=facts.quote.bid_px * 10),
        R.SPREAD_WIDE: lambda facts, _limit: _quoted(facts, ask_px=facts.quote.bid_px * 10),
        R.ORDER_QTY_MAX: lambda facts, limit: wishing(facts, order_qty=limit + 1),
        R.ORDER_NOTIONAL_MIN: lambda facts, _limit: _quoted(wishing(facts, limit_px=1), bid_px=1, ask_px=1),
        R.ORDER_NOTIONAL_MAX: _worth,
        R.ORDER_NOTIONAL_LARGE: _worth,
        R.PRICE_COLLAR: lambda facts, limit: wishing(facts, limit_px=_PX * (limit + 10_100) // 10_000),
        R.PRICE_COLLAR_WIDE: lambda facts, limit: wishing(facts, limit_px=_PX * (limit + 10_100) // 10_000),
        R.PRICE_TICKS_MAX: lambda facts, limit: wishing(
            facts, limit_px=_PX + (limit + 2) * (facts.limits["tick_size_px"].value or 1)
        ),
        R.CLOSE_COLLAR: lambda facts, limit: wishing(facts, limit_px=_PX * (limit + 10_001) // 10_000),
        R.EXIT_COLLAR: lambda facts, limit: wishing(facts, limit_px=_PX * (limit + 10_100) // 10_000),
        R.PARTICIPATION_DAY: lambda facts, limit: changed(
            wishing(facts, order_qty=limit + 1), reference=msgspec.structs.replace(facts.reference, adv_qty=10_000)
        ),
        R.PARTICIPATION_NOW: lambda facts, limit: _taped(wishing(facts, order_qty=limit + 1), volume=10_000),
        R.POSITION_STALE: lambda facts, limit: changed(facts, position_age_ns=limit + 1),
        R.ORDER_RATE_MAX: lambda facts, limit: _counted(facts, sent=((facts.as_of_ns, limit),)),
        R.STRATEGY_RATE_MAX: lambda facts, limit: _conducted(facts, sent=((facts.as_of_ns, limit),)),
        R.COUNT_MINUTE_MAX: lambda facts, limit: _conducted(
            facts, minute=_window(facts, span_ns=MINUTE_NS, value=0, count=limit)
        ),
        R.COUNT_HOUR_MAX: lambda facts, limit: _conducted(
            facts, hour=_window(facts, span_ns=HOUR_NS, value=0, count=limit)
        ),
        R.COUNT_DAY_MAX: lambda facts, limit: _counted(facts, attempts_day=(0, limit)),
        R.VALUE_MINUTE_MAX: lambda facts, limit: _conducted(
            facts, minute=_window(facts, span_ns=MINUTE_NS, value=limit, count=1)
        ),
        R.VALUE_HOUR_MAX: lambda facts, limit: _conducted(
            facts, hour=_window(facts, span_ns=HOUR_NS, value=limit, count=1)
        ),
        R.VALUE_DAY_MAX: lambda facts, limit: _counted(facts, attempts_day=(limit, 1), blocked_day_micros=0),
        R.ENTRIES_DAY_MAX: lambda facts, limit: _counted(facts, entries_day=limit),
        R.OPEN_ORDERS_MAX: lambda facts, limit: _totalled(facts, orders=limit),
        R.SYMBOL_ORDERS_MAX: lambda facts, limit: _used(facts, SymbolUse(orders=limit)),
        R.UNEXECUTED_MAX: lambda facts, limit: _totalled(facts, unexecuted_micros=limit),
        R.POSITION_NOTIONAL_MAX: _held,
        R.CONCENTRATION_MAX: lambda facts, limit: _held(facts, _of_cash(facts, limit)),
        R.CONCENTRATION_LARGE: lambda facts, limit: _held(facts, _of_cash(facts, limit)),
        R.GROUP_MAX: _grouped,
        R.GROSS_NOTIONAL_MAX: lambda facts, limit: _totalled(_alone(facts), gross_micros=limit),
        R.NET_NOTIONAL_MAX: lambda facts, limit: _totalled(_alone(facts), long_micros=limit),
        R.LEVERAGE_MAX: lambda facts, limit: changed(
            _totalled(_alone(facts), gross_micros=limit * MICROS_PER_DOLLAR), equity_micros=100 * MICROS_PER_DOLLAR
        ),
        R.CAPITAL_MAX: lambda facts, limit: _totalled(_alone(facts), gross_micros=limit),
        R.STRATEGY_CAPITAL_MAX: _by_strategy,
        R.CASH_INSUFFICIENT: lambda facts, limit: changed(
            facts, headroom=msgspec.structs.replace(facts.headroom, free_micros=limit)
        ),
    }
)
