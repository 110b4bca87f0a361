"""What a control may read about one intent, and what a line of the table holds.

Floor 1 (decisions). Values only. A control reads facts and answers; it never acts and never remembers.
On the trip: RISK makes one `Facts` an intent, and every control of the table reads the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from interlock.core.fees import FeePlan
from interlock.core.risk.headroom import Headroom, SymbolUse
from interlock.core.risk.limits import Limits
from interlock.core.sessions import Place
from interlock.core.tape import SymbolTape
from interlock.model.conduct import Conduct, Counters
from interlock.model.journal import LimitInForce
from interlock.model.market import Provides, Quote, SymbolReference
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass, Side
from interlock.model.risk import Latch, Leave, ReasonCode
from interlock.model.signals import OrderIntent


class Sized(msgspec.Struct, frozen=True):
    """What several controls ask of one intent, worked out once; each is a number of micros, or why it is unknown.

    Attributes:
        px: the price at which the order counts: its limit or the far touch, whichever is higher.
        order: what the order is worth at it.
        worst: the symbol's worst case with this order, whichever open orders fill.
        gross: the worst cases of all symbols with this order.
    """

    px: int | str
    order: int | str
    worst: int | str
    gross: int | str


_UNSIZED = "it was not sized"
UNSIZED = Sized(_UNSIZED, _UNSIZED, _UNSIZED, _UNSIZED)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a control may read about one intent.

    Attributes:
        intent: what is wished for.
        mode: the mode of the process.
        state: the trading state.
        latches: those that stand.
        known: True if the symbol is one of the universe.
        quote: its last known quote.
        reference: what its day knew beforehand.
        tape: what was seen of it so far.
        feed_ns: the newest quote of all symbols, ns UTC.
        feed_faults: bad rows of the feed in the last minute.
        as_of_ns: market time.
        place: where in its session the exchange is.
        exchange: its name.
        provides: what the source can tell.
        limits: the strictest limits that hold for this strategy in this symbol.
        policy: all limits, with the lists of symbols.
        headroom: what is spoken for.
        counters: what the account did.
        conduct: what the strategy did.
        fees: what a trade costs.
        equity_micros: of the account, on the conservative mark; None where a mark is unknown.
        position_age_ns: since the gateway last told what it did; None where it never has.
        proved_ns_ago: since the gate last proved itself; None where it never has.
        leave: a human's one-time leave for this very order, or None.
        sized: what the engine worked out of all these; whoever makes facts leaves it alone.
    """

    intent: OrderIntent
    mode: Mode
    state: TradingState
    latches: tuple[Latch, ...]
    known: bool
    quote: Quote
    reference: SymbolReference
    tape: SymbolTape
    feed_ns: int
    feed_faults: int
    as_of_ns: int
    place: Place
    exchange: str
    provides: frozenset[Provides]
    limits: Mapping[str, LimitInForce]
    policy: Limits
    headroom: Headroom
    counters: Counters
    conduct: Conduct
    fees: FeePlan
    equity_micros: int | None
    position_age_ns: int | None
    proved_ns_ago: int | None
    leave: Leave | None
    sized: Sized = UNSIZED


#: A measure is a whole number, or a sentence that says why it is unknown; then the control has said no.
Measure = Callable[[Facts], "int | str"]
#: A rule is kept, or a sentence says why it is not. Only True lets through.
Rule = Callable[[Facts], "Literal[True] | str"]
#: What a control does when it says no, beside blocking.
HARD, SOFT, THROTTLE = "hard block", "soft block", "throttle"
#: Classes of order.
ENTRY = frozenset({OrderClass.ENTRY})
EXIT = frozenset({OrderClass.EXIT})
EVERY = frozenset(OrderClass)
NOTHING: frozenset[Provides] = frozenset()


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table: it has a `measure` with a limit, or a `rule`.

    Attributes:
        code: what it is called when it says no.
        row: number in the control catalogue.
        name: the field's standard name.
        scope: what it looks at: `order`, `symbol`, `strategy`, `group` or `account`.
        needs: what the source must provide; without it the control is NOT COVERED.
        applies_to: classes for which it is evaluated and recorded.
        required_for: classes that it can block.
        action: `hard block`, `soft block` (a human may let it through once) or `throttle`.
        unit: unit of observed and limit.
        key: the limit it reads, "" where it is a rule without a number.
        is_least: True where the limit is the least that must be there, and not the most.
        says: the sentence, with {observed}, {limit}, {note}.
        remedy: what would have let the order pass.
        measure: the number to compare, None for a rule.
        rule: the condition, None for a measure.
        explains: words for the note where a measure says no, None for none.
        violate: facts that it must refuse, made from facts that pass; None where moving its limit does.
    """

    code: ReasonCode
    row: str
    name: str
    scope: str
    unit: str
    says: str
    remedy: str
    key: str = ""
    needs: frozenset[Provides] = NOTHING
    applies_to: frozenset[OrderClass] = EVERY
    required_for: frozenset[OrderClass] = ENTRY
    action: str = HARD
    is_least: bool = False
    measure: Measure | None = None
    rule: Rule | None = None
    explains: Callable[[Facts], str] | None = None
    violate: Callable[[Facts], Facts] | None = None


NO_QUOTE = "no quote is known"


def changed(facts: Facts, **parts: object) -> Facts:
    """Return facts with some parts changed."""
    return msgspec.structs.replace(facts, **parts)


def wishing(facts: Facts, **parts: object) -> Facts:
    """Return facts about an intent with some parts changed."""
    return msgspec.structs.replace(facts, intent=msgspec.structs.replace(facts.intent, **parts))


def value_of(facts: Facts, key: str) -> int | None:
    """Return the value of a limit, None where nobody wrote one."""
    limit = facts.limits.get(key)
    return None if limit is None else limit.value


def is_buy(facts: Facts) -> bool:
    """Return True for an order to buy."""
    return facts.intent.side is Side.BUY


def bps_of(part: int, whole: int) -> int:
    """Return a part of a whole in basis points, rounded up, so that it passes a limit exactly if the part does.

    Source: ceil(a / b) <= c holds for whole numbers exactly if a <= c * b, so nothing is lost by the division.
    """
    return -(-part * 10_000 // whole)


UNPRICED = "a price that is needed is unknown"


def sized(facts: Facts) -> Facts:
    """Return the same facts with their sums worked out; whatever was in `sized` before counts for nothing."""
    px: int | str = max(facts.intent.limit_px, facts.quote.ask_px) if facts.quote.present else NO_QUOTE
    if isinstance(px, str):
        return msgspec.structs.replace(facts, sized=Sized(px, px, px, px))
    intent, headroom = facts.intent, facts.headroom
    use = headroom.use(intent.symbol)
    worst = with_order(facts, use) * max(px, use.open_px)
    gross: int | str = UNPRICED
    if headroom.is_priced_but(intent.symbol):
        gross = headroom.totals.gross_micros - use.worst_qty() * headroom.px(intent.symbol, use) + worst
    return msgspec.structs.replace(facts, sized=Sized(px, intent.order_qty * px, worst, gross))


def with_order(facts: Facts, use: SymbolUse) -> int:
    """Return the worst quantity of a use with the intent in it, in shares."""
    qty = facts.intent.order_qty
    return use.worst_qty(more_buy_qty=qty) if is_buy(facts) else use.worst_qty(more_sell_qty=qty)


def order_micros(facts: Facts) -> int | str:
    """Return what the order is worth, in micros."""
    return facts.sized.order
