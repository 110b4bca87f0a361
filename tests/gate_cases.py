"""Facts at the limit of every control and one unit beyond it, with true numbers; a new control needs a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from tests.core_factory import (
    ASK_PX,
    BID_PX,
    MID_PX,
    exit_facts,
    facts,
    headroom,
    holding,
    intent,
    latch,
    leaving,
    limits,
    order,
    quote,
    wish,
)
from tests.journal_factory import START_NS

from interlock.core.conduct import HOUR_NS, MINUTE_NS, added, spelled
from interlock.core.risk.facts import Facts
from interlock.core.risk.headroom import Headroom, SymbolUse
from interlock.core.risk.order_controls import PROOF_NS
from interlock.model.conduct import Conduct, Counters, Window
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import Order, OrderClass, OrdType, Side, TimeInForce
from interlock.model.risk import ReasonCode
from interlock.model.units import SECOND_NS

R = ReasonCode
#: What the order of the factory is worth, and what its fees are.
NOTIONAL, FEE = 10 * ASK_PX, 1_000_000
AGO = START_NS - 10 * SECOND_NS
ABSENT = quote(present=False)
DOLLAR = 1_000_000
#: Limits under which only a price collar can stand in the way of a price.
COLLARED = MappingProxyType({"tick_size_px": 1, "max_collar_ticks": 10**9, "soft_collar_bps": 10_000})


class Case(NamedTuple):
    """Facts at a control's limit and one unit beyond; `also` are codes that say no beyond it, too.

    `unfed` are facts in which its input is missing, None where that cannot be.
    """

    at: Facts
    beyond: Facts
    also: tuple[ReasonCode, ...] = ()
    unfed: Facts | None = None


def buy(written: Mapping[str, int] = MappingProxyType({}), **changes: object) -> Facts:
    """Return facts about an entry whose wish has changed, under written limits."""
    return facts(intent=intent(wish(**changes)), limits=limits(**written))  # type: ignore[arg-type]


def sell(qty: int) -> Facts:
    """Return facts about an entry that sells from a position of ten."""
    return facts(intent=intent(wish(side=Side.SELL, limit_px=BID_PX, order_qty=qty)), headroom=holding(10))


def limited(**written: int) -> Facts:
    """Return facts about an entry under written limits."""
    return facts(limits=limits(**written))


def market(bid_px: int, ask_px: int, *, limit_px: int = BID_PX) -> Facts:
    """Return facts about a passive entry in a market."""
    return facts(intent=intent(wish(limit_px=limit_px)), quote=quote(bid_px=bid_px, ask_px=ask_px))


def asking(ask_px: int, **written: int) -> Facts:
    """Return facts about an entry at the ask, in a market with this ask."""
    return facts(
        intent=intent(wish(limit_px=ask_px)),
        quote=quote(ask_px=ask_px),
        limits=limits(tick_size_px=1, max_collar_ticks=10**9, **written),
        headroom=in_ibm(groups={"SPY": "etf", "IBM": "etf"}),
    )


def leaves(limit_px: int) -> Facts:
    """Return facts about an exit at a price, with ticks of one micro."""
    sound = exit_facts(intent=intent(leaving(limit_px=limit_px)), limits=limits(tick_size_px=1))
    return msgspec.structs.replace(sound, quote=quote(bid_px=100 * DOLLAR, ask_px=100 * DOLLAR + 20_000))


def placed(**changes: object) -> Facts:
    """Return facts about an entry at another place in the session."""
    return facts(place=msgspec.structs.replace(facts().place, **changes))


def taped(**changes: object) -> Facts:
    """Return facts about an entry in a symbol with another tape."""
    return facts(tape=msgspec.structs.replace(facts().tape, **changes), limits=limits(warm_up_quotes=10))


def referred(written: Mapping[str, int], *, qty: int = 10, **changes: int) -> Facts:
    """Return facts about an entry in a symbol of which the day knew something else beforehand."""
    known = msgspec.structs.replace(facts().reference, **changes)
    return msgspec.structs.replace(buy(written, order_qty=qty), reference=known)


def counted(written: Mapping[str, int], **changes: object) -> Facts:
    """Return facts about an entry of an account that did something before."""
    return facts(counters=Counters(**changes), limits=limits(**written))  # type: ignore[arg-type]


def done(written: Mapping[str, int], **changes: object) -> Facts:
    """Return facts about an entry of a strategy that did something before."""
    return facts(conduct=Conduct(**changes), limits=limits(**written))  # type: ignore[arg-type]


def tried(*values: int, span_ns: int = MINUTE_NS, at_ns: int = START_NS) -> Window:
    """Return a window of a strategy's attempts of these values, all of them just now."""
    window = Window()
    for value in values:
        window = added(window, at_ns=at_ns, span_ns=span_ns, value=value)
    return window


def working(count: int, **changes: object) -> tuple[Order, ...]:
    """Return so many open orders."""
    return tuple(order(f"000001-{number:03d}", **changes) for number in range(100, 100 + count))


def in_ibm(**changes: object) -> Headroom:
    """Return the headroom of an account in which the strategy holds five of another symbol."""
    return headroom(held={("cross", "IBM"): 5}, **changes)  # type: ignore[arg-type]


def held_too(**written: int) -> Facts:
    """Return facts about an entry of an account that holds another symbol, under written limits."""
    return facts(headroom=in_ibm(), limits=limits(**written))


GROSS = NOTIONAL + 5 * MID_PX
UNPRICED = in_ibm(price_of=lambda _: 0, groups={"SPY": "etf", "IBM": "etf"})
WORKING_OUT = MappingProxyType({"side": Side.SELL, "order_class": OrderClass.EXIT, "order_qty": 1})
CROWDED = MappingProxyType({"max_symbol_orders": 3})

#: One case a control; a new control without one fails `test_every_control_has_a_case`.
CASES: dict[ReasonCode, Callable[[], Case]] = {
    R.MODE_FORBIDS: lambda: Case(facts(mode=Mode.PAPER), facts(mode=Mode.LIVE)),
    R.POLICY_MISSING: lambda: Case(facts(), facts(limits=limits(has_policy=False))),
    R.TRADING_STATE: lambda: Case(facts(), facts(state=TradingState.REDUCING)),
    R.LATCHED: lambda: Case(
        facts(latches=(latch(scope="symbol:IBM"), latch(scope="strategy:other"))),
        facts(latches=(latch(scope="symbol:SPY"),)),
    ),
    R.GATE_UNPROVED: lambda: Case(
        facts(proved_ns_ago=PROOF_NS), facts(proved_ns_ago=PROOF_NS + 1), unfed=facts(proved_ns_ago=None)
    ),
    R.IDENTITY: lambda: Case(facts(), facts(known=False)),
    R.ORDER_FORM: lambda: Case(buy(time_in_force=TimeInForce.IOC), buy(time_in_force=TimeInForce.GTC)),
    R.MARKET_UNBOUNDED: lambda: Case(
        facts(intent=intent(bound_bps=50)),
        facts(intent=intent(bound_bps=51)),
        unfed=facts(intent=intent(ord_type=OrdType.MARKET)),
    ),
    R.VALUE_NOT_POSITIVE: lambda: Case(
        buy({"min_order_notional_micros": 0}, order_qty=1), buy({"min_order_notional_micros": 0}, order_qty=0)
    ),
    R.SYMBOL_NOT_ALLOWED: lambda: Case(
        facts(limits=limits(symbols=("SPY",))),
        facts(limits=limits(symbols=("IBM",))),
        unfed=facts(limits=limits(symbols=())),
    ),
    R.SYMBOL_RESTRICTED: lambda: Case(
        facts(limits=limits(restricted=("IBM",))), facts(limits=limits(restricted=("SPY",)))
    ),
    R.MARKET_CLOSED: lambda: Case(placed(), placed(is_open=False), also=(R.OPEN_GUARD, R.CLOSE_GUARD)),
    R.OPEN_GUARD: lambda: Case(
        placed(since_open_ns=300 * SECOND_NS),
        placed(since_open_ns=300 * SECOND_NS - 1),
        unfed=placed(is_open=False),
    ),
    R.CLOSE_GUARD: lambda: Case(
        placed(until_close_ns=300 * SECOND_NS),
        placed(until_close_ns=300 * SECOND_NS - 1),
        unfed=placed(is_open=False),
    ),
    R.CALENDAR_ENDING: lambda: Case(placed(sessions_left=10), placed(sessions_left=9)),
    R.WARMING_UP: lambda: Case(taped(quotes=10), taped(quotes=9)),
    R.QUOTE_MISSING: lambda: Case(
        facts(quote=quote(bid_qty=1, ask_qty=1)),
        facts(quote=quote(bid_qty=1, ask_qty=0)),
        unfed=facts(quote=ABSENT),
    ),
    R.DATA_STALE: lambda: Case(
        facts(as_of_ns=START_NS + 2 * SECOND_NS),
        facts(as_of_ns=START_NS + 2 * SECOND_NS + 1),
        unfed=facts(quote=ABSENT),
    ),
    R.FEED_STALE: lambda: Case(
        facts(feed_ns=START_NS - 5 * SECOND_NS),
        facts(feed_ns=START_NS - 5 * SECOND_NS - 1),
        unfed=facts(feed_ns=0),
    ),
    R.FEED_FAULTS: lambda: Case(facts(feed_faults=10), facts(feed_faults=11)),
    R.DATA_UNCONFIRMED: lambda: Case(taped(), taped(is_confirmed=False)),
    R.MARKET_CROSSED: lambda: Case(market(MID_PX, MID_PX), market(MID_PX + 1, MID_PX), unfed=facts(quote=ABSENT)),
    R.SPREAD_MAX: lambda: Case(
        asking(ASK_PX, max_spread_bps=2), asking(ASK_PX + 1, max_spread_bps=2), unfed=facts(quote=ABSENT)
    ),
    R.SPREAD_WIDE: lambda: Case(
        asking(ASK_PX, soft_spread_bps=2), asking(ASK_PX + 1, soft_spread_bps=2), unfed=facts(quote=ABSENT)
    ),
    R.SYMBOL_HALTED: lambda: Case(facts(), facts(quote=quote(halted=True))),
    R.PRICE_BANDS: lambda: Case(
        referred({}, band_high_px=ASK_PX), referred({}, band_high_px=ASK_PX - 1), unfed=referred({}, band_low_px=0)
    ),
    R.VOLATILITY_PAUSE: lambda: Case(taped(paused_until_ns=START_NS), taped(paused_until_ns=START_NS + 1)),
    R.TICK_SIZE: lambda: Case(buy(limit_px=ASK_PX + 10_000), buy(limit_px=ASK_PX + 1)),
    R.LOT_SIZE: lambda: Case(limited(lot_size_qty=10), limited(lot_size_qty=11)),
    R.ORDER_QTY_MAX: lambda: Case(limited(max_order_qty=10), limited(max_order_qty=9)),
    R.ORDER_NOTIONAL_MIN: lambda: Case(
        limited(min_order_notional_micros=NOTIONAL),
        limited(min_order_notional_micros=NOTIONAL + 1),
        unfed=facts(quote=ABSENT),
    ),
    R.ORDER_NOTIONAL_MAX: lambda: Case(
        limited(max_order_notional_micros=NOTIONAL),
        limited(max_order_notional_micros=NOTIONAL - 1),
        unfed=facts(quote=ABSENT),
    ),
    R.ORDER_NOTIONAL_LARGE: lambda: Case(
        limited(soft_order_notional_micros=NOTIONAL),
        limited(soft_order_notional_micros=NOTIONAL - 1),
        unfed=facts(quote=ABSENT),
    ),
    R.PRICE_COLLAR: lambda: Case(
        buy(COLLARED, limit_px=103 * DOLLAR), buy(COLLARED, limit_px=103 * DOLLAR + 1), unfed=facts(quote=ABSENT)
    ),
    R.PRICE_COLLAR_WIDE: lambda: Case(
        buy({**COLLARED, "soft_collar_bps": 200}, limit_px=98 * DOLLAR),
        buy({**COLLARED, "soft_collar_bps": 200}, limit_px=98 * DOLLAR - 1),
        unfed=facts(quote=ABSENT),
    ),
    R.PRICE_TICKS_MAX: lambda: Case(
        buy({"max_collar_ticks": 2}, limit_px=100_020_000),
        buy({"max_collar_ticks": 2}, limit_px=100_030_000),
        unfed=facts(quote=ABSENT),
    ),
    R.CLOSE_COLLAR: lambda: Case(
        buy({**COLLARED, "close_collar_bps": 10}, limit_px=100_100_000),
        buy({**COLLARED, "close_collar_bps": 10}, limit_px=100_100_001),
        unfed=referred({}, close_px=0),
    ),
    R.EXIT_COLLAR: lambda: Case(
        leaves(90 * DOLLAR),
        leaves(90 * DOLLAR - 1),
        unfed=exit_facts(tape=msgspec.structs.replace(facts().tape, confirmed_px=0), quote=ABSENT),
    ),
    R.PARTICIPATION_DAY: lambda: Case(
        referred({"max_adv_bps": 1}, qty=100), referred({"max_adv_bps": 1}, qty=101), unfed=referred({}, adv_qty=0)
    ),
    R.PARTICIPATION_NOW: lambda: Case(
        buy({"max_volume_bps": 1}), buy({"max_volume_bps": 1}, order_qty=11), unfed=taped(volume=0)
    ),
    R.SYMBOL_TAKEN: lambda: Case(
        facts(headroom=holding(0, strategy_id="other")), facts(headroom=holding(1, strategy_id="other"))
    ),
    R.SYMBOL_IN_DOUBT: lambda: Case(
        facts(headroom=headroom(uses={"IBM": SymbolUse(in_doubt=True)})),
        facts(headroom=headroom(uses={"SPY": SymbolUse(in_doubt=True)})),
    ),
    R.POSITION_STALE: lambda: Case(
        facts(position_age_ns=60 * SECOND_NS),
        facts(position_age_ns=60 * SECOND_NS + 1),
        unfed=facts(position_age_ns=None),
    ),
    R.ORDER_DUPLICATE: lambda: Case(
        counted({}, same={spelled(intent()): AGO}), counted({}, same={spelled(intent()): AGO + 1})
    ),
    R.ORDER_RATE_MAX: lambda: Case(
        counted({"max_order_count": 3}, sent=((START_NS - SECOND_NS, 9), (START_NS, 2))),
        counted({"max_order_count": 3}, sent=((START_NS - SECOND_NS + 1, 1), (START_NS, 2))),
    ),
    R.STRATEGY_RATE_MAX: lambda: Case(
        done({"max_strategy_count": 3}, sent=((START_NS - 5 * SECOND_NS, 9), (START_NS, 2))),
        done({"max_strategy_count": 3}, sent=((START_NS - 5 * SECOND_NS + 1, 1), (START_NS, 2))),
    ),
    R.COUNT_MINUTE_MAX: lambda: Case(
        done({"max_count_minute": 3}, minute=tried(0, 0)), done({"max_count_minute": 3}, minute=tried(0, 0, 0))
    ),
    R.COUNT_HOUR_MAX: lambda: Case(
        done({"max_count_hour": 3}, hour=tried(0, 0, span_ns=HOUR_NS)),
        done({"max_count_hour": 3}, hour=tried(0, 0, 0, span_ns=HOUR_NS)),
    ),
    R.COUNT_DAY_MAX: lambda: Case(
        counted({"max_count_day": 3}, attempts_day=(0, 2)), counted({"max_count_day": 3}, attempts_day=(0, 3))
    ),
    R.VALUE_MINUTE_MAX: lambda: Case(
        done({"max_value_minute_micros": NOTIONAL + 5}, minute=tried(3, 2)),
        done({"max_value_minute_micros": NOTIONAL + 5}, minute=tried(3, 3)),
        unfed=facts(quote=ABSENT),
    ),
    R.VALUE_HOUR_MAX: lambda: Case(
        done({"max_value_hour_micros": NOTIONAL + 5}, hour=tried(5, span_ns=HOUR_NS)),
        done({"max_value_hour_micros": NOTIONAL + 5}, hour=tried(6, span_ns=HOUR_NS)),
        unfed=facts(quote=ABSENT),
    ),
    R.VALUE_DAY_MAX: lambda: Case(
        counted({"max_value_day_micros": NOTIONAL + 5}, attempts_day=(3, 1), blocked_day_micros=2),
        counted({"max_value_day_micros": NOTIONAL + 5}, attempts_day=(3, 1), blocked_day_micros=3),
        unfed=facts(quote=ABSENT),
    ),
    R.ENTRIES_DAY_MAX: lambda: Case(
        counted({"max_entries_day": 3}, entries_day=2), counted({"max_entries_day": 3}, entries_day=3)
    ),
    R.REDUCE_ONLY: lambda: Case(
        exit_facts(), exit_facts(intent=intent(leaving(order_qty=11))), unfed=exit_facts(headroom=headroom())
    ),
    R.SHORT_SALE: lambda: Case(sell(10), sell(11)),
    R.OPEN_ORDERS_MAX: lambda: Case(
        facts(headroom=headroom(orders=working(2, symbol="IBM")), limits=limits(max_open_orders=3)),
        facts(headroom=headroom(orders=working(3, symbol="IBM")), limits=limits(max_open_orders=3)),
    ),
    R.SYMBOL_ORDERS_MAX: lambda: Case(
        facts(
            headroom=headroom(held={("cross", "SPY"): 9}, orders=working(2, **WORKING_OUT)), limits=limits(**CROWDED)
        ),
        facts(
            headroom=headroom(held={("cross", "SPY"): 9}, orders=working(3, **WORKING_OUT)), limits=limits(**CROWDED)
        ),
    ),
    R.UNEXECUTED_MAX: lambda: Case(
        facts(headroom=headroom(orders=working(1, symbol="IBM")), limits=limits(max_unexecuted_micros=2 * NOTIONAL)),
        facts(
            headroom=headroom(orders=working(1, symbol="IBM")), limits=limits(max_unexecuted_micros=2 * NOTIONAL - 1)
        ),
    ),
    R.POSITION_NOTIONAL_MAX: lambda: Case(
        facts(headroom=holding(5), limits=limits(max_position_notional_micros=15 * ASK_PX)),
        facts(headroom=holding(5), limits=limits(max_position_notional_micros=15 * ASK_PX - 1)),
        unfed=facts(quote=ABSENT),
    ),
    R.CONCENTRATION_MAX: lambda: Case(
        asking(MID_PX, max_concentration_bps=100),
        asking(MID_PX + 1, max_concentration_bps=100),
        unfed=facts(limits=limits(cash=None)),
    ),
    R.CONCENTRATION_LARGE: lambda: Case(
        asking(MID_PX, soft_concentration_bps=100),
        asking(MID_PX + 1, soft_concentration_bps=100),
        unfed=facts(limits=limits(cash=None)),
    ),
    R.GROUP_MAX: lambda: Case(
        asking(MID_PX, max_group_bps=150), asking(MID_PX + 1, max_group_bps=150), unfed=facts(headroom=UNPRICED)
    ),
    R.GROSS_NOTIONAL_MAX: lambda: Case(
        held_too(max_gross_notional_micros=GROSS),
        held_too(max_gross_notional_micros=GROSS - 1),
        unfed=facts(headroom=UNPRICED),
    ),
    R.NET_NOTIONAL_MAX: lambda: Case(
        held_too(max_net_notional_micros=GROSS),
        held_too(max_net_notional_micros=GROSS - 1),
        unfed=facts(headroom=UNPRICED),
    ),
    R.LEVERAGE_MAX: lambda: Case(
        facts(headroom=in_ibm(), equity_micros=GROSS, limits=limits(max_leverage_x100=100)),
        facts(headroom=in_ibm(), equity_micros=GROSS - 1, limits=limits(max_leverage_x100=100)),
        unfed=facts(equity_micros=None),
    ),
    R.CAPITAL_MAX: lambda: Case(
        held_too(max_capital_micros=GROSS), held_too(max_capital_micros=GROSS - 1), unfed=facts(headroom=UNPRICED)
    ),
    R.STRATEGY_CAPITAL_MAX: lambda: Case(
        held_too(max_strategy_capital_micros=GROSS),
        held_too(max_strategy_capital_micros=GROSS - 1),
        unfed=facts(headroom=UNPRICED),
    ),
    R.CASH_INSUFFICIENT: lambda: Case(
        facts(headroom=headroom(free_micros=NOTIONAL + FEE)),
        facts(headroom=headroom(free_micros=NOTIONAL + FEE - 1)),
        unfed=facts(limits=limits(cash=None)),
    ),
    R.EQUITY_UNKNOWN: lambda: Case(
        facts(equity_micros=DOLLAR), facts(equity_micros=0), also=(R.LEVERAGE_MAX,), unfed=facts(equity_micros=None)
    ),
}
