"""What the scanner found and what strategies wish for.

Floor 0 (words). A wish is only a wish: it holds no id, no permission and no way to send itself.
On the trip: SCAN makes candidates, IDEA makes proposals, `core.step` turns wishes into intents.
"""

from __future__ import annotations

import msgspec

from interlock.model.orders import OrderClass, OrdType, Side, TimeInForce


class Feature(msgspec.Struct, frozen=True):
    """One number that earned a candidate its rank: name, whole value, unit (`px`, `bps`, `qty`, `x100`, `count`)."""

    name: str
    value: int
    unit: str


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol worth a look. `rank` counts from 1; `score` is what it was ranked by; `because` is a sentence."""

    symbol: str
    scanner: str
    rank: int
    score: int
    side: Side
    features: tuple[Feature, ...]
    because: str


class ScanResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one scanner found, best first; with none, `because` says why there are none."""

    scanner: str
    candidates: tuple[Candidate, ...]
    because: str


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An order that a strategy wishes for. No field has a default.

    Attributes:
        symbol: one of the universe.
        side: BUY or SELL.
        order_qty: whole shares.
        ord_type: LIMIT, or MARKET, which becomes a marketable LIMIT with a stated bound before it is judged.
        limit_px: micros; 0 for MARKET.
        stop_px: micros of the stop that guards the entry; 0 = none.
        time_in_force: DAY or IOC.
        order_class: ENTRY adds risk, EXIT reduces it.
        because: the strategy's reason, a sentence.
    """

    symbol: str
    side: Side
    order_qty: int
    ord_type: OrdType
    limit_px: int
    stop_px: int
    time_in_force: TimeInForce
    order_class: OrderClass
    because: str


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy's whole answer in one cycle: its wishes, or none, and in both cases why."""

    wishes: tuple[Wish, ...]
    because: str


class OrderIntent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A wish with a name: `intent_id` is `<cycle>-<n>`, given by `core.step`, never by a strategy.

    `cause` names the best candidate of its symbol that the strategy was shown, `<scanner>#<rank>`, or is "" where
    there was none; the candidate's own cause is the cycle's snapshot. `wished_qty` is what was wished for where an
    exit was cut to the largest order, 0 where nothing was cut; `bound_bps` is how far from the touch the limit of a
    wish for market was set, 0 for a wish that named its limit.
    """

    intent_id: str
    cause: str
    strategy_id: str
    symbol: str
    side: Side
    order_qty: int
    ord_type: OrdType
    limit_px: int
    stop_px: int
    time_in_force: TimeInForce
    order_class: OrderClass
    because: str
    wished_qty: int = 0
    bound_bps: int = 0


class ProbeIntent(OrderIntent, frozen=True, kw_only=True, omit_defaults=True):
    """A synthetic violation, by which the gate proves itself: it reads like an intent and can never be approved."""


class Idea(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one call of one strategy, also when the answer was "nothing, because".

    `fault` is empty, or says how the strategy failed (it raised, or answered nonsense).
    """

    strategy_id: str
    wishes: int
    because: str
    fault: str
