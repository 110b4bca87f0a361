"""What a wish is made into before it is judged: a bounded price for a wish for market, a cut for an oversized exit.

Floor 1 (decisions). Pure. Both are recorded in the intent, so nothing is changed silently; nothing is made larger.
On the trip: RISK, first thing for each intent.

Source: row 4 of the control catalogue (CME market and stop order protection). An exit is cut and not blocked, for no
rule of ours may keep anyone in a position; the strategy wishes the rest again.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from interlock.model.journal import LimitInForce
from interlock.model.market import Quote
from interlock.model.orders import OrderClass, OrdType, Side
from interlock.model.signals import OrderIntent
from interlock.model.units import BPS_PER_ONE


def shaped(intent: OrderIntent, *, quote: Quote, limits: Mapping[str, LimitInForce]) -> OrderIntent:
    """Return the intent as it is judged.

    Args:
        intent: as it was wished.
        quote: of its symbol.
        limits: those that hold for its strategy in its symbol.
    """
    return _cut(_bounded(intent, quote, limits), quote, limits)


def _value(limits: Mapping[str, LimitInForce], key: str) -> int | None:
    limit = limits.get(key)
    return None if limit is None else limit.value


def _bounded(intent: OrderIntent, quote: Quote, limits: Mapping[str, LimitInForce]) -> OrderIntent:
    """Make a wish for market a marketable limit; without a whole quote it stays what it is, and is blocked."""
    bound_bps, tick_px = _value(limits, "market_bound_bps"), _value(limits, "tick_size_px")
    whole = quote.present and 0 < quote.bid_px <= quote.ask_px
    if intent.ord_type is not OrdType.MARKET or not whole or bound_bps is None or not tick_px:
        return intent
    # Rounded towards the market, so that the bound is not passed. An exit must be able to trade at all: where no whole
    # tick lies between the touch and the bound, it gets the tick at the touch.
    leaves = intent.order_class is OrderClass.EXIT
    if intent.side is Side.BUY:
        limit_px = quote.ask_px * (BPS_PER_ONE + bound_bps) // BPS_PER_ONE // tick_px * tick_px
        limit_px = max(limit_px, -(-quote.ask_px // tick_px) * tick_px) if leaves else limit_px
    else:
        limit_px = -(-quote.bid_px * (BPS_PER_ONE - bound_bps) // BPS_PER_ONE // tick_px) * tick_px
        limit_px = min(limit_px, quote.bid_px // tick_px * tick_px) if leaves else limit_px
    return msgspec.structs.replace(intent, ord_type=OrdType.LIMIT, limit_px=limit_px, bound_bps=bound_bps)


def _cut(intent: OrderIntent, quote: Quote, limits: Mapping[str, LimitInForce]) -> OrderIntent:
    """Cut an exit to the largest order, in whole lots; where not even one lot is inside, it is left as it is."""
    if intent.order_class is not OrderClass.EXIT or intent.order_qty <= 0:
        return intent
    largest = intent.order_qty
    qty_max, micros_max = _value(limits, "max_order_qty"), _value(limits, "max_order_notional_micros")
    px = max(intent.limit_px, quote.ask_px if quote.present else 0)
    if qty_max is not None:
        largest = min(largest, qty_max)
    if micros_max is not None and px > 0:
        largest = min(largest, micros_max // px)
    if largest >= intent.order_qty:
        return intent
    lot_qty = _value(limits, "lot_size_qty") or 1
    largest = largest // lot_qty * lot_qty
    if largest <= 0:
        return intent
    return msgspec.structs.replace(intent, order_qty=largest, wished_qty=intent.order_qty)
