"""Conduct: what the account and its strategies did, as a fold over decisions, reports and cancels.

Floor 1 (decisions). Pure. What is counted here is counted again, by the same lines, when a record is recovered.
On the trip: BOOK folds reports here, RISK each decision; nothing grows with the length of a run.

Source: row 30 (cumulative order value and count), 32 (rate), 33 (repeated execution), 34 (order to trade), 35
(reject storm) and 39 (execution quality) of the control catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec

from interlock.model.conduct import Conduct, Counters, Window
from interlock.model.journal import LimitInForce
from interlock.model.orders import ExecReport, ExecType, Order, OrderClass, Side
from interlock.model.risk import Decision, ReasonCode, Verdict
from interlock.model.signals import OrderIntent
from interlock.model.units import INTEGER_MAX, SECOND_NS

MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
#: In how many buckets a window is kept.
_BUCKETS = 60
#: Of how many different orders the last approvals are remembered, at the most; then the oldest is forgotten last of
#: all controls: the rate of orders stops a strategy long before.
ORDERS_KEPT = 10_000
#: Instants that are kept of rejections, of throttled wishes and of repeats; every limit is far below.
INSTANTS_KEPT = 1_000
_NOTHING = Conduct()


def spelled(intent: OrderIntent) -> str:
    """Return what makes two orders the same, in words: symbol, side, size and price."""
    return f"{intent.side} {intent.order_qty} {intent.symbol} {intent.limit_px}"


def sided(intent: OrderIntent) -> str:
    """Return what a wish is about, in words: side and symbol. Wished again, it is the same attempt."""
    return f"{intent.side} {intent.symbol}"


def blocked_micros(conduct: Conduct, *, since_ns: int, but: str) -> int:
    """Return the value of what was last blocked of each side and symbol since an instant, one of them left out."""
    if not conduct.blocked:
        return 0
    return sum(value for name, (at_ns, value) in conduct.blocked.items() if at_ns > since_ns and name != but)


def of_strategy(counters: Counters, strategy_id: str) -> Conduct:
    """Return the conduct of a strategy, which is empty before it did anything."""
    return counters.strategies.get(strategy_id, _NOTHING)


def on_date(counters: Counters, trading_date: str) -> Counters:
    """Return the counters of a trading date: the counts of the day begin anew, everything else goes on."""
    if trading_date <= counters.trading_date:
        return counters
    strategies = {
        name: msgspec.structs.replace(conduct, messages_day=0, executions_day=0, reentries=(), blocked={})
        for name, conduct in counters.strategies.items()
    }
    return msgspec.structs.replace(
        counters,
        trading_date=trading_date,
        attempts_day=(0, 0),
        blocked_day_micros=0,
        entries_day=0,
        strategies=strategies,
    )


def added(window: Window, *, at_ns: int, span_ns: int, value: int) -> Window:
    """Return a rolling sum with one more value; what is over drops out, and the oldest bucket counts whole."""
    kept = aged(window, at_ns=at_ns, span_ns=span_ns)
    bucket = at_ns // (span_ns // _BUCKETS)
    buckets = kept.buckets
    if buckets and buckets[-1][0] == bucket:
        _, held, count = buckets[-1]
        buckets = (*buckets[:-1], (bucket, min(INTEGER_MAX, held + value), count + 1))
    else:
        buckets = (*buckets, (bucket, value, 1))
    return _summed(buckets)


def aged(window: Window, *, at_ns: int, span_ns: int) -> Window:
    """Return a rolling sum without the buckets that are over."""
    if not window.buckets:
        return window
    oldest = at_ns // (span_ns // _BUCKETS) - _BUCKETS
    if window.buckets[0][0] >= oldest:
        return window
    return _summed(tuple(bucket for bucket in window.buckets if bucket[0] >= oldest))


def _summed(buckets: tuple[tuple[int, int, int], ...]) -> Window:
    value = min(INTEGER_MAX, sum(bucket[1] for bucket in buckets))
    return Window(buckets, value, sum(bucket[2] for bucket in buckets))


def since(beats: tuple[tuple[int, int], ...], *, from_ns: int) -> int:
    """Return how many approvals are newer than an instant."""
    return sum([count for at_ns, count in beats if at_ns > from_ns]) if beats else 0


def _beaten(beats: tuple[tuple[int, int], ...], *, at_ns: int, keep_ns: int) -> tuple[tuple[int, int], ...]:
    """Return the beats with one more; what no window looks at any more drops out."""
    if beats and beats[-1][0] == at_ns:
        return (*beats[:-1], (at_ns, beats[-1][1] + 1))
    return (*(beat for beat in beats if at_ns - beat[0] < keep_ns), (at_ns, 1))


def fold_decision(
    counters: Counters, decision: Decision, *, at_ns: int, value_micros: int, limits: Mapping[str, LimitInForce]
) -> Counters:
    """Count one decision: an attempt also where it was blocked, an order where it was approved.

    Args:
        counters: what was counted before.
        decision: the gate's answer.
        at_ns: market time.
        value_micros: what the order is worth at the price that the gate counted.
        limits: those that hold for the strategy in the symbol, for how far back is looked.
    """
    intent = decision.intent
    value = min(INTEGER_MAX, max(0, value_micros))
    approved = decision.verdict is Verdict.APPROVED
    counted = value if approved else 0
    # A blocked wish counts at most as the largest order: an absurd one must not spend the day of every strategy.
    value = value if approved else min(value, _span(limits, "max_order_notional_micros"))
    blocked = dict(of_strategy(counters, intent.strategy_id).blocked)
    _, before = blocked.pop(sided(intent), (0, 0))
    if not approved:
        blocked[sided(intent)] = (at_ns, value)
    while len(blocked) > ORDERS_KEPT:
        del blocked[next(iter(blocked))]
    held = of_strategy(counters, intent.strategy_id)
    changed = msgspec.structs.replace(
        held,
        minute=added(held.minute, at_ns=at_ns, span_ns=MINUTE_NS, value=counted),
        hour=added(held.hour, at_ns=at_ns, span_ns=HOUR_NS, value=counted),
        blocked=blocked,
    )
    counters = msgspec.structs.replace(
        counters,
        attempts_day=(min(INTEGER_MAX, counters.attempts_day[0] + counted), counters.attempts_day[1] + 1),
        blocked_day_micros=min(INTEGER_MAX, max(0, counters.blocked_day_micros - before + value - counted)),
    )
    if approved:
        counters, changed = _approved(counters, changed, intent, at_ns=at_ns, limits=limits)
    elif any(check.code is ReasonCode.STRATEGY_RATE_MAX for check in decision.failed()):
        changed = msgspec.structs.replace(changed, throttled=_instants(changed.throttled, at_ns, MINUTE_NS))
    return _with(counters, intent.strategy_id, changed)


def _approved(
    counters: Counters, held: Conduct, intent: OrderIntent, *, at_ns: int, limits: Mapping[str, LimitInForce]
) -> tuple[Counters, Conduct]:
    """Count one order, of the account and of its strategy."""
    words = spelled(intent)
    repeat_ns = _span(limits, "repeat_window_ns")
    times = next((times for name, times in held.repeats if name == words), ())
    repeats = tuple(past for past in held.repeats if past[0] != words and at_ns - past[1][-1] < repeat_ns)
    is_entry = intent.order_class is OrderClass.ENTRY
    comes_back = is_entry and intent.symbol in held.left
    held = msgspec.structs.replace(
        held,
        sent=_beaten(held.sent, at_ns=at_ns, keep_ns=_span(limits, "strategy_window_ns")),
        messages_day=held.messages_day + 1,
        repeats=(*repeats[-ORDERS_KEPT:], (words, _instants(times, at_ns, repeat_ns))),
        reentries=_one_more(held.reentries, intent.symbol) if comes_back else held.reentries,
        left=tuple(symbol for symbol in held.left if symbol != intent.symbol) if comes_back else held.left,
    )
    same = dict(counters.same)
    # Put last, so that the oldest stand first and only those have to be looked at.
    same.pop(words, None)
    duplicate_ns = _span(limits, "duplicate_window_ns")
    while same:
        oldest = next(iter(same))
        if len(same) < ORDERS_KEPT and at_ns - same[oldest] < duplicate_ns:
            break
        del same[oldest]
    same[words] = at_ns
    counters = msgspec.structs.replace(
        counters,
        entries_day=counters.entries_day + is_entry,
        sent=_beaten(counters.sent, at_ns=at_ns, keep_ns=_span(limits, "order_window_ns")),
        same=same,
    )
    return counters, held


def _span(limits: Mapping[str, LimitInForce], key: str) -> int:
    limit = limits.get(key)
    # Where nobody wrote how far back to look, nothing is forgotten yet: the controls that read it block.
    return INTEGER_MAX if limit is None or limit.value is None else limit.value


def _instants(before: tuple[int, ...], at_ns: int, window_ns: int) -> tuple[int, ...]:
    return (*(then for then in before[-INSTANTS_KEPT:] if at_ns - then < window_ns), at_ns)


def _one_more(counted: tuple[tuple[str, int], ...], symbol: str) -> tuple[tuple[str, int], ...]:
    count = dict(counted).get(symbol, 0) + 1
    return (*(entry for entry in counted if entry[0] != symbol), (symbol, count))


def _with(counters: Counters, strategy_id: str, conduct: Conduct) -> Counters:
    return msgspec.structs.replace(counters, strategies={**counters.strategies, strategy_id: conduct})


def fold_cancels(counters: Counters, strategy_ids: Iterable[str]) -> Counters:
    """Count the cancels that were asked for, one for each strategy named."""
    for name in strategy_ids:
        held = of_strategy(counters, name)
        counters = _with(counters, name, msgspec.structs.replace(held, messages_day=held.messages_day + 1))
    return counters


def fold_word(  # noqa: PLR0913 - what one report says about an order
    counters: Counters,
    report: ExecReport,
    *,
    order: Order,
    has_filled: bool,
    left_qty: int,
    limits: Mapping[str, LimitInForce],
) -> Counters:
    """Count what a venue said about an order.

    Args:
        counters: what was counted before.
        report: the word.
        order: the order after it.
        has_filled: True if shares traded.
        left_qty: what the strategy holds of the symbol after it.
        limits: the account's limits, for how far back is looked.
    """
    held = of_strategy(counters, order.strategy_id)
    if report.exec_type is ExecType.REJECTED:
        rejects = _instants(held.rejects, report.event_ns, _span(limits, "reject_window_ns"))
        held = msgspec.structs.replace(held, rejects_in_row=held.rejects_in_row + 1, rejects=rejects)
    elif report.exec_type is ExecType.NEW:
        held = msgspec.structs.replace(held, rejects_in_row=0)
    if has_filled:
        slipped = has_slipped(report, order, limits=limits)
        left = order.symbol not in held.left and left_qty == 0
        held = msgspec.structs.replace(
            held,
            executions_day=held.executions_day + 1,
            slipped_in_row=held.slipped_in_row + 1 if slipped else 0,
            left=(*held.left, order.symbol) if left else held.left,
        )
    return _with(counters, order.strategy_id, held)


def has_slipped(report: ExecReport, order: Order, *, limits: Mapping[str, LimitInForce]) -> bool:
    """Return True if a fill is further from its arrival mid than the limit times what was to be expected.

    To be expected is half of the spread that the decision saw, and a tick at the least; the comparison is multiplied
    out. An arrival that is unknown says nothing.
    """
    limit = limits.get("max_slippage_x100")
    tick = limits.get("tick_size_px")
    if limit is None or limit.value is None or order.arrival_ask_px <= 0 or tick is None or tick.value is None:
        return False
    twice_mid_px = order.arrival_bid_px + order.arrival_ask_px
    twice_worse_px = order.side.sign * (2 * report.last_px - twice_mid_px)
    twice_expected_px = max(order.arrival_ask_px - order.arrival_bid_px, 2 * tick.value)
    return twice_worse_px * 100 > limit.value * twice_expected_px


def is_worse_than_limit(report: ExecReport, order: Order) -> bool:
    """Return True if a fill is worse than the order's own limit, which no venue may do."""
    return report.last_px > order.limit_px if order.side is Side.BUY else report.last_px < order.limit_px


def forgiven(conduct: Conduct, code: str) -> Conduct:
    """Return a strategy's conduct after a named human cleared its latch: what tripped it is counted anew."""
    fresh = _COUNTED_ANEW.get(code)
    return conduct if fresh is None else fresh(conduct)


_COUNTED_ANEW: Mapping[str, Callable[[Conduct], Conduct]] = MappingProxyType(
    {
        "REENTRIES": lambda conduct: msgspec.structs.replace(conduct, reentries=()),
        "REPEATED_ORDER": lambda conduct: msgspec.structs.replace(conduct, repeats=()),
        "REJECTS_IN_ROW": lambda conduct: msgspec.structs.replace(conduct, rejects_in_row=0),
        "REJECT_STORM": lambda conduct: msgspec.structs.replace(conduct, rejects=(), rejects_in_row=0),
        "THROTTLED": lambda conduct: msgspec.structs.replace(conduct, throttled=()),
        "SLIPPAGE": lambda conduct: msgspec.structs.replace(conduct, slipped_in_row=0),
        "ORDER_TO_TRADE": lambda conduct: msgspec.structs.replace(conduct, messages_day=0, executions_day=0),
        "RUNAWAY": lambda conduct: msgspec.structs.replace(conduct, hour=Window()),
    }
)
