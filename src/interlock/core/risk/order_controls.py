"""The controls of the order itself: who may send at all, what it looks like, how large it is, how far from the market.

Floor 1 (decisions). One function and one line of the table each; a function reads facts, and never acts.
On the trip: RISK evaluates the lines in the order of the table.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from interlock.core.risk.facts import (
    EVERY,
    EXIT,
    NO_QUOTE,
    SOFT,
    Control,
    Facts,
    bps_of,
    changed,
    is_buy,
    order_micros,
    value_of,
    wishing,
)
from interlock.model.market import Provides
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass, OrdType, TimeInForce
from interlock.model.risk import Latch, ReasonCode
from interlock.model.units import MICROS_PER_DOLLAR, SECOND_NS, duration, shares

#: The gate must have proved itself within this span of market time.
PROOF_NS = 900 * SECOND_NS
#: How far apart bid and ask may lie, of the bid, for an exit to go by what it would trade at now.
TOUCH_SPREAD_BPS = 1_000
_QUOTES = frozenset({Provides.QUOTES})
_CLOSE = frozenset({Provides.PREVIOUS_CLOSE})


def mode_permits(facts: Facts) -> Literal[True] | str:
    """Pass in SIM and PAPER; LIVE needs a permit, and there is none."""
    return facts.mode in (Mode.SIM, Mode.PAPER) or "LIVE needs a permit and there is none"


def policy_exists(facts: Facts) -> Literal[True] | str:
    """Pass if the configuration has a [risk] section."""
    return facts.policy.has_policy or "no risk policy is written"


def trading_state(facts: Facts) -> Literal[True] | str:
    """Pass if the state is ACTIVE for an entry, at least REDUCING for everything else."""
    needed = TradingState.ACTIVE if facts.intent.order_class is OrderClass.ENTRY else TradingState.REDUCING
    return facts.state.level >= needed.level or f"the trading state is {facts.state}, it must be {needed}"


def no_latch(facts: Facts) -> Literal[True] | str:
    """Pass if no latch stands on the account, the strategy or the symbol."""
    if not facts.latches:
        return True
    scopes = ("account", f"strategy:{facts.intent.strategy_id}", f"symbol:{facts.intent.symbol}")
    standing = [latch for latch in facts.latches if latch.scope in scopes]
    return not standing or "; ".join(
        f"latch {latch.latch_id} {latch.code} stands on the {latch.scope.replace(':', ' ')}" for latch in standing
    )


def gate_proved(facts: Facts) -> Literal[True] | str:
    """Pass if the gate refused every synthetic violation within the last 15 minutes of market time."""
    ago = facts.proved_ns_ago
    return (ago is not None and 0 <= ago <= PROOF_NS) or "the gate has not proved itself lately"


def identity(facts: Facts) -> Literal[True] | str:
    """Pass if the symbol is one of the universe."""
    return facts.known or f"{facts.intent.symbol} is not in the universe"


def order_form(facts: Facts) -> Literal[True] | str:
    """Pass for LIMIT (or a wish for MARKET) with DAY or IOC, ENTRY or EXIT, without a stop: protection comes later."""
    intent = facts.intent
    if (
        intent.ord_type in (OrdType.LIMIT, OrdType.MARKET)
        and intent.time_in_force in (TimeInForce.DAY, TimeInForce.IOC)
        and intent.order_class in (OrderClass.ENTRY, OrderClass.EXIT)
        and intent.stop_px == 0
    ):
        return True
    stop = "with a stop" if intent.stop_px else "without a stop"
    return (
        f"{intent.order_class} {intent.ord_type} {intent.time_in_force} {stop} is not taken: "
        "an order is LIMIT, DAY or IOC, ENTRY or EXIT, without a stop"
    )


def market_bound(facts: Facts) -> int | str:
    """Pass if a wish for market became a LIMIT at most so far beyond the touch; one that named its limit passes."""
    if facts.intent.ord_type is OrdType.MARKET:
        return "it is a market order, and without a fresh quote nothing bounds its price"
    return facts.intent.bound_bps


def values_positive(facts: Facts) -> Literal[True] | str:
    """Pass if quantity and limit price are above zero; what is no whole number was refused before."""
    intent = facts.intent
    return (intent.order_qty > 0 and intent.limit_px > 0) or "quantity and price must be above zero"


def symbol_allowed(facts: Facts) -> Literal[True] | str:
    """Pass if the symbol is on the allow-list; an empty list allows none."""
    return facts.intent.symbol in facts.policy.symbols or f"{facts.intent.symbol} is not on the allow-list"


def not_restricted(facts: Facts) -> Literal[True] | str:
    """Pass if the symbol is not on the restricted list, which outranks the allow-list."""
    return facts.intent.symbol not in facts.policy.restricted or f"{facts.intent.symbol} is on the restricted list"


def on_tick(facts: Facts) -> Literal[True] | str:
    """Pass if the limit price is a whole number of ticks."""
    tick_px = value_of(facts, "tick_size_px")
    inside = tick_px is not None and tick_px > 0 and facts.intent.limit_px % tick_px == 0
    return inside or "the price is between two ticks"


def in_lots(facts: Facts) -> Literal[True] | str:
    """Pass if the quantity is a whole number of lots, or the whole of what an exit can still take."""
    lot_qty = value_of(facts, "lot_size_qty")
    if lot_qty is not None and lot_qty > 0 and facts.intent.order_qty % lot_qty == 0:
        return True
    # An odd remainder must be able to leave: it is what a part fill or a split left over.
    leaves_all = facts.intent.order_class is OrderClass.EXIT and facts.intent.order_qty == room_to_leave(facts)
    return leaves_all or f"{shares(facts.intent.order_qty)} are no whole number of lots"


def room_to_leave(facts: Facts) -> int:
    """Return how many shares can leave for every subset of fills, by the strategy's and by the account's position."""
    intent = facts.intent
    buys = intent.side.sign > 0
    rooms: list[int] = []
    for use in (
        facts.headroom.own_use(intent.strategy_id, intent.symbol),
        facts.headroom.use(intent.symbol),
    ):
        open_qty = use.open_buy_qty if buys else use.open_sell_qty
        rooms.append(-intent.side.sign * use.position_qty - open_qty)
    return max(0, min(rooms))


def order_qty(facts: Facts) -> int | str:
    """Pass if the quantity is inside the largest order."""
    return facts.intent.order_qty


def price_collar(facts: Facts) -> int | str:
    """Pass if |limit - mid| <= collar x mid, multiplied out; shown as basis points of mid, rounded up."""
    if not facts.quote.present or facts.quote.mid_px <= 0:
        return NO_QUOTE
    return bps_of(abs(facts.intent.limit_px - facts.quote.mid_px), facts.quote.mid_px)


def price_ticks(facts: Facts) -> int | str:
    """Pass if the limit price is at most so many ticks from the mid."""
    tick_px = value_of(facts, "tick_size_px")
    if not facts.quote.present:
        return NO_QUOTE
    if tick_px is None or tick_px <= 0:
        return "no tick_size is written"
    return -(-abs(facts.intent.limit_px - facts.quote.mid_px) // tick_px)


def close_collar(facts: Facts) -> int | str:
    """Pass if the limit price is near enough to the close of the trading date before."""
    close_px = facts.reference.close_px
    return bps_of(abs(facts.intent.limit_px - close_px), close_px) if close_px > 0 else "no previous close is known"


def exit_collar(facts: Facts) -> int | str:
    """Pass if an exit's limit is inside a wide collar round the last confirmed price, of any age, or round the touch.

    A price that runs away, or that no other quote has confirmed yet, must not keep anyone in: what it can be sold for
    now counts as well, where there are two sides and they lie near each other: a lone bid is no price.
    """
    quote, px = facts.quote, facts.intent.limit_px
    touch_px = quote.ask_px if is_buy(facts) else quote.bid_px
    known = [facts.tape.confirmed_px]
    is_two_sided = quote.present and 0 < quote.bid_px <= quote.ask_px
    if is_two_sided and bps_of(quote.ask_px - quote.bid_px, quote.bid_px) <= TOUCH_SPREAD_BPS:
        known.append(touch_px)
    distances = [bps_of(abs(px - one), one) for one in known if one > 0]
    return min(distances) if distances else "no price is known since the start"


def confirmed_age(facts: Facts) -> str:
    """Say how old the quote is round which an exit is judged."""
    return f"the last quote is {duration(facts.as_of_ns - facts.quote.event_ns)} old" if facts.quote.present else ""


def _latched(facts: Facts) -> Facts:
    latch = Latch(
        latch_id="L0",
        scope="account",
        code="PROBE",
        level=TradingState.REDUCING,
        text="it is a probe",
        raised_by="interlock",
        at_ns=facts.as_of_ns,
    )
    return changed(facts, latches=(latch,))


def _on_half_ticks(facts: Facts) -> Facts:
    limits = dict(facts.limits)
    limits["tick_size_px"] = msgspec.structs.replace(limits["tick_size_px"], value=2 * MICROS_PER_DOLLAR)
    return wishing(changed(facts, limits=limits), limit_px=3 * MICROS_PER_DOLLAR)


def _in_odd_lots(facts: Facts) -> Facts:
    limits = dict(facts.limits)
    limits["lot_size_qty"] = msgspec.structs.replace(limits["lot_size_qty"], value=100)
    return wishing(changed(facts, limits=limits), order_qty=150)


C, R = Control, ReasonCode
#: Who may send at all, and what an order looks like.
FORM: tuple[Control, ...] = (
    C(
        code=R.MODE_FORBIDS, row="48", name="Human authorisation (mode)", scope="account", unit="flag",
        says="{note}", remedy="use mode = 'SIM' or mode = 'PAPER'",
        required_for=EVERY, rule=mode_permits, violate=lambda facts: changed(facts, mode=Mode.LIVE),
    ),
    C(
        code=R.POLICY_MISSING, row="-", name="Risk policy", scope="account", unit="flag",
        says="{note}, so no trade is allowed", remedy="write a [risk] section",
        rule=policy_exists,
        violate=lambda facts: changed(facts, policy=msgspec.structs.replace(facts.policy, has_policy=False)),
    ),
    C(
        code=R.TRADING_STATE, row="47", name="Trading state", scope="account", unit="flag",
        says="{note}", remedy="a human raises it with `interlock resume`, or in SIM start = 'ACTIVE' under [run]",
        required_for=EVERY, rule=trading_state, violate=lambda facts: changed(facts, state=TradingState.HALTED),
    ),
    C(
        code=R.LATCHED, row="47", name="Latches", scope="account", unit="flag",
        says="{note}", remedy="a human clears the latch with `interlock resume`",
        rule=no_latch, violate=_latched,
    ),
    C(
        code=R.GATE_UNPROVED, row="54", name="Gate self-test (proof test)", scope="account", unit="flag",
        says="{note}", remedy="wait until the gate has proved itself; it does so at every start",
        rule=gate_proved, violate=lambda facts: changed(facts, proved_ns_ago=PROOF_NS + 1),
    ),
    C(
        code=R.IDENTITY, row="5", name="Known instrument", scope="symbol", unit="flag",
        says="{note}", remedy="add the symbol under [universe]",
        required_for=EVERY, rule=identity, violate=lambda facts: changed(facts, known=False),
    ),
    C(
        code=R.ORDER_FORM, row="7", name="Order type and time in force whitelist", scope="order", unit="flag",
        says="{note}", remedy="wish for a LIMIT order, DAY or IOC",
        required_for=EVERY, rule=order_form, violate=lambda facts: wishing(facts, time_in_force=TimeInForce.GTC),
    ),
    C(
        code=R.MARKET_UNBOUNDED, row="4", name="Market-order protection", scope="order", unit="bps",
        key="market_bound_bps",
        says="its price is bounded {observed} beyond the touch, the limit is {limit}",
        remedy="name a limit price, or wait for a fresh quote",
        required_for=EVERY, measure=market_bound, violate=lambda facts: wishing(facts, ord_type=OrdType.MARKET),
    ),
    C(
        code=R.VALUE_NOT_POSITIVE, row="6", name="Non-finite, zero or negative value", scope="order", unit="flag",
        says="{note}", remedy="wish for one share or more at a price above zero",
        required_for=EVERY, rule=values_positive, violate=lambda facts: wishing(facts, order_qty=0),
    ),
    C(
        code=R.SYMBOL_NOT_ALLOWED, row="16", name="Permitted instrument list", scope="symbol", unit="flag",
        says="{note}", remedy="add it to symbols under [risk]",
        rule=symbol_allowed,
        violate=lambda facts: changed(facts, policy=msgspec.structs.replace(facts.policy, symbols=frozenset())),
    ),
    C(
        code=R.SYMBOL_RESTRICTED, row="16", name="Restricted list", scope="symbol", unit="flag",
        says="{note}", remedy="take it out of restricted under [risk], with a new start",
        rule=not_restricted,
        violate=lambda facts: changed(
            facts, policy=msgspec.structs.replace(facts.policy, restricted=frozenset({facts.intent.symbol}))
        ),
    ),
)  # fmt: skip
#: How large an order is, and how far from the market.
SIZE: tuple[Control, ...] = (
    C(
        code=R.TICK_SIZE, row="5", name="Tick conformity", scope="order", unit="px", key="tick_size_px",
        says="{note}, the tick is {limit}", remedy="round the price to the tick",
        required_for=EVERY, rule=on_tick, violate=_on_half_ticks,
    ),
    C(
        code=R.LOT_SIZE, row="5", name="Lot conformity", scope="order", unit="qty", key="lot_size_qty",
        says="{note}, the lot is {limit}", remedy="round the quantity to the lot",
        required_for=EVERY, rule=in_lots, violate=_in_odd_lots,
    ),
    C(
        code=R.ORDER_QTY_MAX, row="1", name="Maximum order quantity", scope="order", unit="qty", key="max_order_qty",
        says="the order is for {observed}, the limit is {limit}",
        remedy="wish for less, or write a larger max_order_qty under [risk]",
        measure=order_qty,
    ),
    C(
        code=R.ORDER_NOTIONAL_MIN, row="5", name="Minimum order value", scope="order", unit="micros",
        key="min_order_notional_micros", needs=_QUOTES, is_least=True,
        says="the order is worth {observed}, the least is {limit}",
        remedy="wish for more, or write a smaller min_order_notional under [risk]",
        measure=order_micros,
    ),
    C(
        code=R.ORDER_NOTIONAL_MAX, row="2", name="Maximum order value", scope="order", unit="micros",
        key="max_order_notional_micros", needs=_QUOTES,
        says="the order is worth {observed}, the limit is {limit}",
        remedy="wish for less, or write a larger max_order_notional under [risk]",
        measure=order_micros,
    ),
    C(
        code=R.ORDER_NOTIONAL_LARGE, row="2", name="Large order value", scope="order", unit="micros",
        key="soft_order_notional_micros", needs=_QUOTES, action=SOFT,
        says="the order is worth {observed}, and above {limit} a human must allow it",
        remedy="wish for less, or write a larger soft_order_notional under [risk]",
        measure=order_micros,
    ),
    C(
        code=R.PRICE_COLLAR, row="3", name="Price collar", scope="order", unit="bps", key="price_collar_bps",
        needs=_QUOTES,
        says="the price is {observed} away from the mid, the limit is {limit}",
        remedy="wish for a price nearer to the market",
        measure=price_collar,
    ),
    C(
        code=R.PRICE_COLLAR_WIDE, row="3", name="Wide price", scope="order", unit="bps", key="soft_collar_bps",
        needs=_QUOTES, action=SOFT,
        says="the price is {observed} away from the mid, and above {limit} a human must allow it",
        remedy="wish for a price nearer to the market",
        measure=price_collar,
    ),
    C(
        code=R.PRICE_TICKS_MAX, row="3", name="Price collar in ticks", scope="order", unit="count",
        key="max_collar_ticks", needs=_QUOTES,
        says="the price is {observed} ticks away from the mid, the limit is {limit}",
        remedy="wish for a price nearer to the market",
        measure=price_ticks,
    ),
    C(
        code=R.CLOSE_COLLAR, row="3", name="Price collar round the previous close", scope="order", unit="bps",
        key="close_collar_bps", needs=_CLOSE,
        says="the price is {observed} away from the previous close, the limit is {limit}",
        remedy="wish for a price nearer to the previous close, or write a wider close_collar under [risk]",
        measure=close_collar,
    ),
    C(
        code=R.EXIT_COLLAR, row="3", name="Price collar of an exit", scope="order", unit="bps", key="exit_collar_bps",
        says="the price is {observed} away from the last confirmed price and the touch, the limit is {limit}; {note}",
        remedy="wish for a price nearer to the market",
        applies_to=EXIT, required_for=EXIT, measure=exit_collar, explains=confirmed_age,
    ),
)  # fmt: skip
