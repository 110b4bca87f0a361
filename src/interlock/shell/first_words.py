"""The first words: how records of the first version of the shapes are told, where the sentences have changed since.

Floor 2 (the world), and pure. A run that was told once is told again in the same words, whatever is built later.
On the trip: TELL, for yesterday's record.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from interlock.core.words import number
from interlock.model.journal import Boot, LimitInForce
from interlock.model.risk import ReasonCode

#: The version of the shapes that these words are of.
FIRST_SCHEMA = 1
#: What a control said, and what it told to do, where that is not what it says now.
FIRST_SAYS: Mapping[ReasonCode, tuple[str, str]] = MappingProxyType(
    {
        ReasonCode.MARKET_CROSSED: (
            "{note} (bid {observed}, ask {limit})",
            "wait until bid is below ask",
        ),
        ReasonCode.TICK_SIZE: (
            "the price {observed} is no multiple of the tick {limit}",
            "round the price to the tick",
        ),
        ReasonCode.LOT_SIZE: (
            "{observed} is no multiple of the lot of {limit}",
            "round the quantity to the lot",
        ),
        ReasonCode.EXIT_COLLAR: (
            "the price is {observed} away from the last confirmed price, the limit is {limit}",
            "wish for a price nearer to the market",
        ),
        ReasonCode.ORDER_DUPLICATE: (
            "{note}",
            "wait until the first order has ended and the window has passed",
        ),
        ReasonCode.ORDER_RATE_MAX: (
            "it would be order {observed} of its window, the limit is {limit}",
            "wish for fewer orders at a time",
        ),
        ReasonCode.REDUCE_ONLY: (
            "it is for {observed}, and only {limit} can leave",
            "wish for at most what is held and not already on its way out",
        ),
        ReasonCode.SHORT_SALE: (
            "it could leave the account short by {observed}; shorts are off",
            "sell only what is held",
        ),
        ReasonCode.CASH_INSUFFICIENT: (
            "it needs {observed}, and {limit} is free",
            "wish for less",
        ),
    }
)
_WRITTEN = MappingProxyType(
    {
        "max_order_qty": "max_order_qty",
        "max_order_notional_micros": "max_order_notional",
        "max_position_notional_micros": "max_position_notional",
        "max_gross_notional_micros": "max_gross_notional",
        "price_collar_bps": "price_collar",
        "max_quote_age_ns": "max_quote_age",
        "max_order_count": "max_order_rate",
        "exit_collar_bps": "exit_collar",
        "duplicate_window_ns": "duplicate_window",
        "tick_size_px": "tick_size",
        "lot_size_qty": "lot_size",
    }
)


def first_limit_words(decided: Boot) -> tuple[str, ...]:
    """Return the limits in force as the first version told them: all of them, one by one."""
    allowed = ", ".join(decided.allowed) or "none"
    by_key = {limit.key: limit for limit in decided.limits}
    known = [
        _limit(limit, by_key) for limit in decided.limits if limit.value is not None and limit.key != "order_window_ns"
    ]
    missing = [_WRITTEN.get(limit.key, "cash") for limit in decided.limits if limit.value is None]
    words = [f"Symbols that may be traded: {allowed}.", f"Limits in force: {', '.join(known)}."]
    if missing:
        words.append(f"Not written, so every entry is blocked: {', '.join(missing)}.")
    return tuple(words)


def _limit(limit: LimitInForce, by_key: Mapping[str, LimitInForce]) -> str:
    name = _WRITTEN.get(limit.key, limit.key.removesuffix("_micros"))
    window = by_key.get("order_window_ns") if limit.key == "max_order_count" else None
    each = f" in {number(window.value, window.unit)}" if window is not None else ""
    default = " (default)" if limit.source == "default" else ""
    return f"{name} {number(limit.value, limit.unit)}{each}{default}"
