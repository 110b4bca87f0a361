"""The controls: one pure function and one line of table each.

Floor 1 (decisions). A control reads the facts of one intent and says whether they are inside; it never acts.
Approve if inside: every function states what must be true, and a missing number is never inside.
On the trip: RISK evaluates the whole table, in this order, for each intent.
Row numbers are those of the control catalogue in the book.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from interlock.core.fees import FeePlan
from interlock.core.risk.headroom import RECENT_MAX, Headroom
from interlock.core.risk.limits import Limits
from interlock.model.market import Provides, Quote
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass, OrdType, Side, TimeInForce
from interlock.model.risk import Latch, ReasonCode
from interlock.model.signals import OrderIntent
from interlock.model.units import BPS_PER_ONE


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a control may read about one intent."""

    intent: OrderIntent
    mode: Mode
    state: TradingState
    latches: tuple[Latch, ...]
    known: bool
    quote: Quote
    confirmed_px: int
    as_of_ns: int
    provides: frozenset[Provides]
    limits: Limits
    headroom: Headroom
    fees: FeePlan
    price_of: Callable[[str], int]


#: passed, observed, limit, note
Reading = tuple[bool, int | None, int | None, str]


def _at_most(observed: int | None, limit: int | None) -> Reading:
    """Return inside if both numbers are known and the observed one does not pass the limit."""
    inside = observed is not None and limit is not None and observed <= limit
    return inside, observed, limit, ""


def _must(condition: bool, note: str = "") -> Reading:  # noqa: FBT001
    return condition, int(condition), 1, "" if condition else note


def mode_permits(facts: Facts) -> Reading:
    """Pass in SIM and PAPER; LIVE needs a permit, and there is none."""
    return _must(facts.mode in (Mode.SIM, Mode.PAPER), "LIVE needs a permit and there is none")


def policy_exists(facts: Facts) -> Reading:
    """Pass if the configuration has a [risk] section."""
    return _must(facts.limits.has_policy, "no risk policy is written")


def trading_state(facts: Facts) -> Reading:
    """Pass if the state is ACTIVE for an entry, at least REDUCING for everything else."""
    needed = TradingState.ACTIVE if facts.intent.order_class is OrderClass.ENTRY else TradingState.REDUCING
    inside = facts.state.level >= needed.level
    return inside, facts.state.level, needed.level, f"the trading state is {facts.state}, it must be {needed}"


def no_latch(facts: Facts) -> Reading:
    """Pass if no latch stands on the account, the strategy or the symbol."""
    scopes = ("account", f"strategy:{facts.intent.strategy_id}", f"symbol:{facts.intent.symbol}")
    standing = [latch for latch in facts.latches if latch.scope in scopes]
    note = "; ".join(
        f"latch {latch.latch_id} {latch.code} stands on the {latch.scope.replace(':', ' ')}" for latch in standing
    )
    return not standing, len(standing), 0, note


def identity(facts: Facts) -> Reading:
    """Pass if the symbol is one of the universe."""
    return _must(facts.known, f"{facts.intent.symbol} is not in the universe")


def order_form(facts: Facts) -> Reading:
    """Pass for LIMIT with DAY or IOC, ENTRY or EXIT, without a stop (protection is not built yet)."""
    intent = facts.intent
    inside = (
        intent.ord_type is OrdType.LIMIT
        and intent.time_in_force in (TimeInForce.DAY, TimeInForce.IOC)
        and intent.order_class in (OrderClass.ENTRY, OrderClass.EXIT)
        and intent.stop_px == 0
    )
    stop = "with a stop" if intent.stop_px else "without a stop"
    note = (
        f"{intent.order_class} {intent.ord_type} {intent.time_in_force} {stop} is not taken: "
        "an order is LIMIT, DAY or IOC, ENTRY or EXIT, without a stop"
    )
    return _must(inside, note)


def values_positive(facts: Facts) -> Reading:
    """Pass if quantity and limit price are above zero; what is no whole number was refused before."""
    intent = facts.intent
    inside = intent.order_qty > 0 and intent.limit_px > 0
    return inside, min(intent.order_qty, intent.limit_px), 1, "" if inside else "quantity and price must be above zero"


def symbol_allowed(facts: Facts) -> Reading:
    """Pass if the symbol is on the allow-list; an empty list allows none."""
    return _must(facts.intent.symbol in facts.limits.symbols, f"{facts.intent.symbol} is not on the allow-list")


def quote_present(facts: Facts) -> Reading:
    """Pass if there is a quote with both sides and a size on both."""
    quote = facts.quote
    whole = quote.bid_px > 0 and quote.ask_px > 0 and quote.bid_qty > 0 and quote.ask_qty > 0
    note = "no quote is known" if not quote.present else "the quote lacks a price or a size"
    return _must(quote.present and whole, note)


def quote_fresh(facts: Facts) -> Reading:
    """Pass if the quote is at most as old as the limit, in market time."""
    if not facts.quote.present:
        return False, None, facts.limits.value("max_quote_age_ns"), "no quote is known"
    return _at_most(facts.as_of_ns - facts.quote.event_ns, facts.limits.value("max_quote_age_ns"))


def market_uncrossed(facts: Facts) -> Reading:
    """Pass if bid is below ask, or equal to it and the order would not take it (locked: passive only)."""
    quote = facts.quote
    if not quote.present:
        return False, None, None, "no quote is known"
    intent = facts.intent
    takes = intent.limit_px >= quote.ask_px if intent.side is Side.BUY else intent.limit_px <= quote.bid_px
    inside = quote.bid_px < quote.ask_px or (quote.bid_px == quote.ask_px and not takes)
    return inside, quote.bid_px, quote.ask_px, "" if inside else "bid and ask are crossed or locked"


def not_halted(facts: Facts) -> Reading:
    """Pass if the venue has not halted the symbol; where the source has no status this is NOT COVERED."""
    if Provides.STATUS not in facts.provides:
        return True, None, None, "NOT COVERED: the source does not tell trading halts"
    return _must(not facts.quote.halted, "the venue has halted it")


def on_tick(facts: Facts) -> Reading:
    """Pass if the limit price is a whole number of ticks."""
    tick_px = facts.limits.value("tick_size_px")
    inside = tick_px is not None and tick_px > 0 and facts.intent.limit_px % tick_px == 0
    return inside, facts.intent.limit_px, tick_px, ""


def in_lots(facts: Facts) -> Reading:
    """Pass if the quantity is a whole number of lots."""
    lot_qty = facts.limits.value("lot_size_qty")
    inside = lot_qty is not None and lot_qty > 0 and facts.intent.order_qty % lot_qty == 0
    return inside, facts.intent.order_qty, lot_qty, ""


def order_qty(facts: Facts) -> Reading:
    """Pass if the quantity is inside the largest order."""
    return _at_most(facts.intent.order_qty, facts.limits.value("max_order_qty"))


def reference_px(facts: Facts) -> int | None:
    """Return the price at which an order counts: its limit or the far touch, whichever is higher."""
    if not facts.quote.present:
        return None
    return max(facts.intent.limit_px, facts.quote.ask_px)


def order_notional(facts: Facts) -> Reading:
    """Pass if quantity x max(limit, ask) is inside the largest order value."""
    px = reference_px(facts)
    notional_micros = None if px is None else facts.intent.order_qty * px
    return _at_most(notional_micros, facts.limits.value("max_order_notional_micros"))


def price_collar(facts: Facts) -> Reading:
    """Pass if |limit - mid| <= collar x mid, multiplied out; shown as basis points of mid, rounded up."""
    if not facts.quote.present:
        return False, None, facts.limits.value("price_collar_bps"), "no quote is known"
    return _collar(facts.intent.limit_px, facts.quote.mid_px, facts.limits.value("price_collar_bps"))


def exit_collar(facts: Facts) -> Reading:
    """Pass if an exit's limit is inside a wide collar round the last confirmed price, of any age."""
    return _collar(facts.intent.limit_px, facts.confirmed_px, facts.limits.value("exit_collar_bps"))


def _collar(px: int, reference: int, collar_bps: int | None) -> Reading:
    if reference <= 0:
        return False, None, collar_bps, "no price was ever confirmed"
    away_px = abs(px - reference) * BPS_PER_ONE
    inside = collar_bps is not None and away_px <= collar_bps * reference
    return inside, -(-away_px // reference), collar_bps, ""


def symbol_free(facts: Facts) -> Reading:
    """Pass if no other strategy holds the symbol or has an open order in it: one strategy a symbol."""
    intent = facts.intent
    others = {
        owner
        for (owner, symbol), qty in facts.headroom.own_position_qty.items()
        if symbol == intent.symbol and qty != 0
    }
    others |= {
        owner
        for (owner, symbol, _, _), qty in facts.headroom.own_open_qty.items()
        if symbol == intent.symbol and qty != 0
    }
    others.discard(intent.strategy_id)
    named = ", ".join(sorted(others))
    return not others, len(others), 0, f"strategy {named} already holds or works {intent.symbol}" if others else ""


def nothing_in_doubt(facts: Facts) -> Reading:
    """Pass if no order of the symbol is in doubt."""
    return _must(not facts.headroom.use(facts.intent.symbol).in_doubt, "an order of this symbol is in doubt")


def no_duplicate(facts: Facts) -> Reading:
    """Pass if this is neither a second open entry nor the same order again within the window."""
    intent = facts.intent
    window_ns = facts.limits.value("duplicate_window_ns")
    key = (intent.strategy_id, intent.symbol, intent.side, OrderClass.ENTRY)
    if facts.headroom.own_open_qty.get(key, 0) > 0:
        return False, 1, 0, f"{intent.strategy_id} has an open {intent.side} entry in {intent.symbol}"
    if len(facts.headroom.recent) >= RECENT_MAX:
        return False, None, 0, "more orders were approved within the window than are remembered"
    wished = (intent.symbol, intent.side, intent.order_qty, intent.limit_px)
    same = sum(
        1
        for past in facts.headroom.recent
        if (past.symbol, past.side, past.order_qty, past.limit_px) == wished
        and (window_ns is None or facts.as_of_ns - past.at_ns < window_ns)
    )
    return window_ns is not None and same == 0, same, 0, "" if same == 0 else "the same order was approved just now"


def order_rate(facts: Facts) -> Reading:
    """Pass if this order is inside the number of orders that one window of market time may have.

    More than `RECENT_MAX` orders are not remembered, so no written limit reaches beyond that.
    """
    window_ns, written = facts.limits.value("order_window_ns"), facts.limits.value("max_order_count")
    if window_ns is None or written is None:
        return False, None, written, "how many orders may be sent in how long is not written"
    inside_window = sum(1 for past in facts.headroom.recent if facts.as_of_ns - past.at_ns < window_ns)
    return _at_most(inside_window + 1, min(written, RECENT_MAX))


def reduces_only(facts: Facts) -> Reading:
    """Pass if, for every subset of fills, this only shrinks the strategy's and the account's position.

    Source: FIA (2024) 1.5 on risk-reducing orders; side opposite to the position, and quantity at most the
    position less what open orders on that side may already take from it.
    """
    intent = facts.intent
    own_qty = facts.headroom.own_position_qty.get((intent.strategy_id, intent.symbol), 0)
    own_open = sum(
        facts.headroom.own_open_qty.get((intent.strategy_id, intent.symbol, intent.side, order_class), 0)
        for order_class in OrderClass
    )
    use = facts.headroom.use(intent.symbol)
    account_open = use.open_buy_qty if intent.side is Side.BUY else use.open_sell_qty
    own_room = -intent.side.sign * own_qty - own_open
    account_room = -intent.side.sign * use.position_qty - account_open
    return _at_most(intent.order_qty, max(0, min(own_room, account_room)))


def no_short(facts: Facts) -> Reading:
    """Pass if no subset of fills leaves the account short: shorts are off."""
    intent = facts.intent
    use = facts.headroom.use(intent.symbol)
    selling_qty = intent.order_qty if intent.side is Side.SELL else 0
    shortest_qty = use.position_qty - use.open_sell_qty - selling_qty
    return shortest_qty >= 0 or selling_qty == 0, max(0, -shortest_qty), 0, ""


def _worst_micros(facts: Facts) -> int | None:
    """Return the worst-case value of the intent's symbol with this order, at the decision's prices."""
    px = reference_px(facts)
    if px is None:
        return None
    use = facts.headroom.use(facts.intent.symbol)
    is_buy = facts.intent.side is Side.BUY
    worst_qty = use.worst_qty(
        more_buy_qty=facts.intent.order_qty if is_buy else 0,
        more_sell_qty=0 if is_buy else facts.intent.order_qty,
    )
    return worst_qty * max(px, use.open_px)


def position_notional(facts: Facts) -> Reading:
    """Pass if the symbol's worst case, all open orders filled, is inside the largest position."""
    return _at_most(_worst_micros(facts), facts.limits.value("max_position_notional_micros"))


def gross_notional(facts: Facts) -> Reading:
    """Pass if the worst cases of all symbols together are inside the account's gross limit."""
    here = _worst_micros(facts)
    elsewhere = facts.headroom.gross_micros(facts.price_of, but=facts.intent.symbol)
    if here is None or elsewhere is None:
        note = "a price that is needed is unknown"
        return False, None, facts.limits.value("max_gross_notional_micros"), note
    return _at_most(here + elsewhere, facts.limits.value("max_gross_notional_micros"))


def cash_covers(facts: Facts) -> Reading:
    """Pass if cash less all open buys and fees still pays for this order; sales not yet filled add nothing."""
    if facts.limits.value("cash_micros") is None:
        return False, None, None, "no cash is written under [account]"
    intent = facts.intent
    needed_micros = facts.fees.total(intent.order_qty)
    if intent.side is Side.BUY:
        needed_micros += intent.order_qty * intent.limit_px
    return _at_most(needed_micros, facts.headroom.free_micros)


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table.

    Attributes:
        code: what it is called when it says no.
        row: number in the control catalogue.
        name: the field's standard name.
        needs: what the source must provide for it to speak at all.
        applies_to: classes for which it is evaluated and recorded.
        required_for: classes that it can block.
        unit: unit of observed and limit.
        key: the limit it reads, "" where it is a rule.
        says: the sentence, with {observed}, {limit}, {note}.
        remedy: what would have let the order pass.
        read: the function.
    """

    code: ReasonCode
    row: str
    name: str
    needs: frozenset[Provides]
    applies_to: frozenset[OrderClass]
    required_for: frozenset[OrderClass]
    unit: str
    key: str
    says: str
    remedy: str
    read: Callable[[Facts], Reading]
