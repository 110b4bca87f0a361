"""The controls of conduct: duplicates, rates, and how much was tried in a minute, an hour and a day.

Floor 1 (decisions). One function and one line of the table each; a function reads facts, and never acts.
On the trip: RISK evaluates the lines in the order of the table.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from interlock.core.conduct import HOUR_NS, MINUTE_NS, aged, blocked_micros, sided, since, spelled
from interlock.core.risk.facts import (
    ENTRY,
    EXIT,
    THROTTLE,
    Control,
    Facts,
    changed,
    order_micros,
    value_of,
    wishing,
)
from interlock.core.risk.headroom import SymbolUse
from interlock.core.risk.order_controls import room_to_leave
from interlock.model.risk import ReasonCode
from interlock.model.units import duration, utc

_NO_WINDOW = "in how long they count is not written"


def symbol_free(facts: Facts) -> Literal[True] | str:
    """Pass if no other strategy holds the symbol or has an open order in it: one strategy a symbol."""
    owners = facts.headroom.owners.get(facts.intent.symbol, ())
    others = [owner for owner in owners if owner != facts.intent.strategy_id]
    return not others or f"strategy {', '.join(sorted(others))} already holds or works {facts.intent.symbol}"


def nothing_in_doubt(facts: Facts) -> Literal[True] | str:
    """Pass if no order of the symbol is in doubt."""
    return not facts.headroom.use(facts.intent.symbol).in_doubt or "an order of this symbol is in doubt"


def position_age(facts: Facts) -> int | str:
    """Pass if the gateway told lately what it did, so that the position is one that can be believed."""
    if facts.position_age_ns is None:
        return "the gateway has told nothing yet"
    return facts.position_age_ns if facts.position_age_ns >= 0 else "the market's time went back since it told"


def no_duplicate(facts: Facts) -> Literal[True] | str:
    """Pass if this is neither a second open entry nor the same order again within the window, whoever wished it."""
    intent = facts.intent
    window_ns = value_of(facts, "duplicate_window_ns")
    if window_ns is None:
        return _NO_WINDOW
    if facts.headroom.entries.get((intent.strategy_id, intent.symbol, intent.side), 0) > 0:
        return f"{intent.strategy_id} has an open {intent.side} entry in {intent.symbol}"
    then_ns = facts.counters.same.get(spelled(intent))
    if then_ns is None or facts.as_of_ns - then_ns >= window_ns:
        return True
    return f"the same order was approved {duration(facts.as_of_ns - then_ns)} ago"


def order_rate(facts: Facts) -> int | str:
    """Pass if this order is inside the number of orders that the account may have in one window of market time."""
    window_ns = value_of(facts, "order_window_ns")
    return _NO_WINDOW if window_ns is None else since(facts.counters.sent, from_ns=facts.as_of_ns - window_ns) + 1


def strategy_rate(facts: Facts) -> int | str:
    """Pass if this order is inside the number of orders that the strategy may have in one window of market time."""
    window_ns = value_of(facts, "strategy_window_ns")
    return _NO_WINDOW if window_ns is None else since(facts.conduct.sent, from_ns=facts.as_of_ns - window_ns) + 1


def passes_from(beats: tuple[tuple[int, int], ...], *, count_max: int, window_ns: int) -> int:
    """Return the market time from which one more order is inside the rate.

    Args:
        beats: approvals by instant, (ns, count), oldest first.
        count_max: the most in one window, at least 1.
        window_ns: its length.
    """
    room = count_max - 1
    for at_ns, count in reversed(beats):
        room -= count
        if room < 0:
            return at_ns + window_ns
    return 0


def _when(facts: Facts, beats: tuple[tuple[int, int], ...], count_key: str, window_key: str) -> str:
    count_max, window_ns = value_of(facts, count_key), value_of(facts, window_key)
    if count_max is None or window_ns is None or count_max < 1:
        return "no wait lets it pass"
    at_ns = passes_from(beats, count_max=count_max, window_ns=window_ns)
    return f"it can pass in {duration(max(0, at_ns - facts.as_of_ns))}, from {utc(at_ns)} on"


def when_account_passes(facts: Facts) -> str:
    """Say when the account's rate lets one more order pass; nothing waits for it by itself."""
    return _when(facts, facts.counters.sent, "max_order_count", "order_window_ns")


def when_strategy_passes(facts: Facts) -> str:
    """Say when the strategy's rate lets one more order pass; nothing waits for it by itself."""
    return _when(facts, facts.conduct.sent, "max_strategy_count", "strategy_window_ns")


def count_minute(facts: Facts) -> int | str:
    """Pass if the strategy's attempts in a minute, blocked ones included, are inside the limit."""
    return aged(facts.conduct.minute, at_ns=facts.as_of_ns, span_ns=MINUTE_NS).count + 1


def count_hour(facts: Facts) -> int | str:
    """Pass if the strategy's attempts in an hour, blocked ones included, are inside the limit."""
    return aged(facts.conduct.hour, at_ns=facts.as_of_ns, span_ns=HOUR_NS).count + 1


def count_day(facts: Facts) -> int | str:
    """Pass if the account's attempts of the trading date, blocked ones included, are inside the limit."""
    return facts.counters.attempts_day[1] + 1


def _tried_micros(facts: Facts, span_ns: int) -> int | str:
    """Return this order and what the strategy was blocked from in a span, a wish that was repeated only once."""
    micros = order_micros(facts)
    if isinstance(micros, str):
        return micros
    return micros + blocked_micros(facts.conduct, since_ns=facts.as_of_ns - span_ns, but=sided(facts.intent))


def value_minute(facts: Facts) -> int | str:
    """Pass if the value that the strategy tried in a minute, blocked attempts included, is inside the limit."""
    tried = _tried_micros(facts, MINUTE_NS)
    minute = aged(facts.conduct.minute, at_ns=facts.as_of_ns, span_ns=MINUTE_NS)
    return tried if isinstance(tried, str) else minute.value + tried


def value_hour(facts: Facts) -> int | str:
    """Pass if the value that the strategy tried in an hour, blocked attempts included, is inside the limit."""
    tried = _tried_micros(facts, HOUR_NS)
    hour = aged(facts.conduct.hour, at_ns=facts.as_of_ns, span_ns=HOUR_NS)
    return tried if isinstance(tried, str) else hour.value + tried


def value_day(facts: Facts) -> int | str:
    """Pass if the value that the account tried on the trading date, blocked attempts included, is inside the limit."""
    micros = order_micros(facts)
    if isinstance(micros, str):
        return micros
    # This very wish may have been blocked before; then it is the same attempt.
    _, same_micros = facts.conduct.blocked.get(sided(facts.intent), (0, 0))
    return facts.counters.attempts_day[0] + facts.counters.blocked_day_micros - same_micros + micros


def entries_day(facts: Facts) -> int | str:
    """Pass if the entries of the trading date are inside the limit (controlled deployment)."""
    return facts.counters.entries_day + 1


def reduces_only(facts: Facts) -> Literal[True] | str:
    """Pass if, for every subset of fills, this only shrinks the strategy's and the account's position.

    Source: FIA (2024) 1.5 on risk-reducing orders; side opposite to the position, and quantity at most the
    position less what open orders on that side may already take from it.
    """
    room_qty = room_to_leave(facts)
    return facts.intent.order_qty <= room_qty or (
        f"it is for {facts.intent.order_qty:,}, and only {room_qty:,} can leave"
    )


def _in_doubt(facts: Facts) -> Facts:
    uses = {**facts.headroom.uses, facts.intent.symbol: SymbolUse(in_doubt=True)}
    return changed(facts, headroom=msgspec.structs.replace(facts.headroom, uses=uses))


def _of_another(facts: Facts) -> Facts:
    owners = {**facts.headroom.owners, facts.intent.symbol: (f"not-{facts.intent.strategy_id}",)}
    return changed(facts, headroom=msgspec.structs.replace(facts.headroom, owners=owners))


def _sent_just_now(facts: Facts) -> Facts:
    same = {**facts.counters.same, spelled(facts.intent): facts.as_of_ns}
    # A window of zero is allowed, and then the same order is no duplicate: the probe brings a window of its own.
    window = msgspec.structs.replace(facts.limits["duplicate_window_ns"], value=1)
    return changed(
        facts,
        counters=msgspec.structs.replace(facts.counters, same=same),
        limits={**facts.limits, "duplicate_window_ns": window},
    )


def _opens(facts: Facts) -> Facts:
    return wishing(facts, order_qty=room_to_leave(facts) + 1)


C, R = Control, ReasonCode
#: Whose symbol it is, and whether it was sent before.
SAME: tuple[Control, ...] = (
    C(
        code=R.SYMBOL_TAKEN, row="-", name="One strategy a symbol", scope="symbol", unit="flag",
        says="{note}",
        remedy="wait until the other strategy has left the symbol, or give each strategy symbols of its own",
        rule=symbol_free, violate=_of_another,
    ),
    C(
        code=R.SYMBOL_IN_DOUBT, row="41", name="Unknown order state freeze", scope="symbol", unit="flag",
        says="{note}", remedy="wait for the venue's word on it",
        rule=nothing_in_doubt, violate=_in_doubt,
    ),
    C(
        code=R.POSITION_STALE, row="9", name="Position freshness", scope="account", unit="ns",
        key="max_position_age_ns",
        says="the gateway told {observed} ago what it did, the limit is {limit}",
        remedy="wait until the gateway speaks again",
        required_for=ENTRY | EXIT, measure=position_age,
    ),
    C(
        code=R.ORDER_DUPLICATE, row="8", name="Duplicate order check", scope="strategy", unit="ns",
        key="duplicate_window_ns",
        says="{note}; the window is {limit}",
        remedy="wait until the first order has ended and the window has passed",
        rule=no_duplicate, violate=_sent_just_now,
    ),
)  # fmt: skip
#: How often, and how much.
RATE: tuple[Control, ...] = (
    C(
        code=R.ORDER_RATE_MAX, row="32", name="Maximum order rate", scope="account", unit="count",
        key="max_order_count", action=THROTTLE,
        says="it would be order {observed} of its window, the limit is {limit}; {note}",
        remedy="wish for fewer orders at a time",
        measure=order_rate, explains=when_account_passes,
    ),
    C(
        code=R.STRATEGY_RATE_MAX, row="32", name="Maximum order rate of a strategy", scope="strategy", unit="count",
        key="max_strategy_count", action=THROTTLE,
        says="it would be the strategy's order {observed} of its window, the limit is {limit}; {note}",
        remedy="wish for fewer orders at a time",
        measure=strategy_rate, explains=when_strategy_passes,
    ),
    C(
        code=R.COUNT_MINUTE_MAX, row="30", name="Attempts in a minute", scope="strategy", unit="count",
        key="max_count_minute",
        says="it would be the strategy's attempt {observed} in a minute, the limit is {limit}",
        remedy="wish less often",
        measure=count_minute,
    ),
    C(
        code=R.COUNT_HOUR_MAX, row="30", name="Attempts in an hour", scope="strategy", unit="count",
        key="max_count_hour",
        says="it would be the strategy's attempt {observed} in an hour, the limit is {limit}",
        remedy="wish less often",
        measure=count_hour,
    ),
    C(
        code=R.COUNT_DAY_MAX, row="30", name="Attempts in a day", scope="account", unit="count", key="max_count_day",
        says="it would be attempt {observed} of the day, the limit is {limit}", remedy="wish less often",
        measure=count_day,
    ),
    C(
        code=R.VALUE_MINUTE_MAX, row="30", name="Cumulative value in a minute", scope="strategy", unit="micros",
        key="max_value_minute_micros",
        says="the strategy would have tried {observed} in a minute, the limit is {limit}",
        remedy="wish for less, or less often",
        measure=value_minute,
    ),
    C(
        code=R.VALUE_HOUR_MAX, row="30", name="Cumulative value in an hour", scope="strategy", unit="micros",
        key="max_value_hour_micros",
        says="the strategy would have tried {observed} in an hour, the limit is {limit}",
        remedy="wish for less, or less often",
        measure=value_hour,
    ),
    C(
        code=R.VALUE_DAY_MAX, row="30", name="Cumulative value in a day", scope="account", unit="micros",
        key="max_value_day_micros",
        says="the account would have tried {observed} today, the limit is {limit}",
        remedy="wish for less, or wait for the next trading date",
        measure=value_day,
    ),
    C(
        code=R.ENTRIES_DAY_MAX, row="50", name="Controlled deployment: entries in a day", scope="account",
        unit="count", key="max_entries_day",
        says="it would be entry {observed} of the day, the limit is {limit}",
        remedy="wait for the next trading date",
        measure=entries_day,
    ),
)  # fmt: skip
#: What only an exit must be.
LEAVING: tuple[Control, ...] = (
    C(
        code=R.REDUCE_ONLY, row="9", name="Reduce-only integrity", scope="symbol", unit="flag",
        says="{note}", remedy="wish for at most what is held and not already on its way out",
        applies_to=EXIT, required_for=EXIT, rule=reduces_only, violate=_opens,
    ),
)  # fmt: skip
