"""The gate's answer to one intent: every check listed, and the type that locks a send.

Floor 0 (words). Only `core.risk.decision` can make an `Approved`; nothing can copy or decode one.
On the trip: RISK makes exactly one decision an intent; the desk sends nothing but `Approved`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Never, NoReturn, final

import msgspec

from interlock.model.errors import InvariantError
from interlock.model.market import Quote
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import Side
from interlock.model.signals import OrderIntent


class ReasonCode(StrEnum):
    """Why the gate says no; one code a control. The book has a heading for each."""

    MODE_FORBIDS = "MODE_FORBIDS"
    POLICY_MISSING = "POLICY_MISSING"
    TRADING_STATE = "TRADING_STATE"
    LATCHED = "LATCHED"
    GATE_UNPROVED = "GATE_UNPROVED"
    IDENTITY = "IDENTITY"
    ORDER_FORM = "ORDER_FORM"
    MARKET_UNBOUNDED = "MARKET_UNBOUNDED"
    VALUE_NOT_POSITIVE = "VALUE_NOT_POSITIVE"
    SYMBOL_NOT_ALLOWED = "SYMBOL_NOT_ALLOWED"
    SYMBOL_RESTRICTED = "SYMBOL_RESTRICTED"
    MARKET_CLOSED = "MARKET_CLOSED"
    OPEN_GUARD = "OPEN_GUARD"
    CLOSE_GUARD = "CLOSE_GUARD"
    CALENDAR_ENDING = "CALENDAR_ENDING"
    WARMING_UP = "WARMING_UP"
    QUOTE_MISSING = "QUOTE_MISSING"
    DATA_STALE = "DATA_STALE"
    FEED_STALE = "FEED_STALE"
    FEED_FAULTS = "FEED_FAULTS"
    DATA_UNCONFIRMED = "DATA_UNCONFIRMED"
    MARKET_CROSSED = "MARKET_CROSSED"
    SPREAD_MAX = "SPREAD_MAX"
    SPREAD_WIDE = "SPREAD_WIDE"
    SYMBOL_HALTED = "SYMBOL_HALTED"
    PRICE_BANDS = "PRICE_BANDS"
    VOLATILITY_PAUSE = "VOLATILITY_PAUSE"
    TICK_SIZE = "TICK_SIZE"
    LOT_SIZE = "LOT_SIZE"
    ORDER_QTY_MAX = "ORDER_QTY_MAX"
    ORDER_NOTIONAL_MIN = "ORDER_NOTIONAL_MIN"
    ORDER_NOTIONAL_MAX = "ORDER_NOTIONAL_MAX"
    ORDER_NOTIONAL_LARGE = "ORDER_NOTIONAL_LARGE"
    PRICE_COLLAR = "PRICE_COLLAR"
    PRICE_COLLAR_WIDE = "PRICE_COLLAR_WIDE"
    PRICE_TICKS_MAX = "PRICE_TICKS_MAX"
    CLOSE_COLLAR = "CLOSE_COLLAR"
    EXIT_COLLAR = "EXIT_COLLAR"
    PARTICIPATION_DAY = "PARTICIPATION_DAY"
    PARTICIPATION_NOW = "PARTICIPATION_NOW"
    SYMBOL_TAKEN = "SYMBOL_TAKEN"
    SYMBOL_IN_DOUBT = "SYMBOL_IN_DOUBT"
    POSITION_STALE = "POSITION_STALE"
    ORDER_DUPLICATE = "ORDER_DUPLICATE"
    ORDER_RATE_MAX = "ORDER_RATE_MAX"
    STRATEGY_RATE_MAX = "STRATEGY_RATE_MAX"
    COUNT_MINUTE_MAX = "COUNT_MINUTE_MAX"
    COUNT_HOUR_MAX = "COUNT_HOUR_MAX"
    COUNT_DAY_MAX = "COUNT_DAY_MAX"
    VALUE_MINUTE_MAX = "VALUE_MINUTE_MAX"
    VALUE_HOUR_MAX = "VALUE_HOUR_MAX"
    VALUE_DAY_MAX = "VALUE_DAY_MAX"
    ENTRIES_DAY_MAX = "ENTRIES_DAY_MAX"
    REDUCE_ONLY = "REDUCE_ONLY"
    SHORT_SALE = "SHORT_SALE"
    OPEN_ORDERS_MAX = "OPEN_ORDERS_MAX"
    SYMBOL_ORDERS_MAX = "SYMBOL_ORDERS_MAX"
    UNEXECUTED_MAX = "UNEXECUTED_MAX"
    POSITION_NOTIONAL_MAX = "POSITION_NOTIONAL_MAX"
    CONCENTRATION_MAX = "CONCENTRATION_MAX"
    CONCENTRATION_LARGE = "CONCENTRATION_LARGE"
    GROUP_MAX = "GROUP_MAX"
    GROSS_NOTIONAL_MAX = "GROSS_NOTIONAL_MAX"
    NET_NOTIONAL_MAX = "NET_NOTIONAL_MAX"
    LEVERAGE_MAX = "LEVERAGE_MAX"
    CAPITAL_MAX = "CAPITAL_MAX"
    STRATEGY_CAPITAL_MAX = "STRATEGY_CAPITAL_MAX"
    CASH_INSUFFICIENT = "CASH_INSUFFICIENT"
    EQUITY_UNKNOWN = "EQUITY_UNKNOWN"


class Check(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One control's reading of one intent.

    Attributes:
        code: the control.
        passed: True only if the reading is inside the limit.
        required: True if this class of order must pass it; else it is recorded and never blocks.
        observed: the number that was read, None where it is unknown.
        limit: the limit, None where none is written.
        unit: how to read both (`px`, `micros`, `qty`, `ns`, `bps`, `count`, `flag`).
        source: where the limit comes from: `config`, `profile <name>`, `default`, `tightened`, `rule` or `none`; it
            ends in ` strategy:<name>` or ` symbol:<symbol>` where that one's own limit is the strictest, and is
            `leave` where a human let this order through a soft control.
        note: words, where numbers do not say it; "CHECK_RAISED ..." where the control itself failed.
        soft: True if a human's one-time leave may stand in for it.
    """

    code: ReasonCode
    passed: bool
    required: bool
    observed: int | None
    limit: int | None
    unit: str
    source: str
    note: str
    soft: bool = False


class Verdict(StrEnum):
    """The two answers there are."""

    APPROVED = "APPROVED"
    BLOCKED = "BLOCKED"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one decision. It is data: having one gives no leave to send anything.

    `decision_id` is the intent's id, and of an approved intent also the order's `cl_ord_id`.
    """

    decision_id: str
    verdict: Verdict
    intent: OrderIntent
    quote: Quote
    checks: tuple[Check, ...]

    def failed(self) -> tuple[Check, ...]:
        """Return the required checks that did not pass, in the table's order."""
        return tuple(check for check in self.checks if check.required and not check.passed)

    @property
    def is_soft_block(self) -> bool:
        """Return True if a human's one-time leave would let it pass: all that failed are soft."""
        failed = self.failed()
        # A number that could not be read cannot be allowed: nobody would know what was allowed.
        return bool(failed) and all(
            check.soft and check.observed is not None and check.limit is not None for check in failed
        )


@final
class Approved:
    """Leave to send one order once: minted by the gate, redeemed at the desk's turnstile.

    It is a capability and not data: it cannot be built, copied, pickled, decoded or changed.
    The type says so to a type checker (`key: Never`), and the class says so at run time.
    This guards against our own mistakes; against hostile code the guard is a separate process.
    """

    __slots__ = ("_decision", "_mode")

    _decision: Decision
    _mode: Mode

    def __init__(self, *, key: Never) -> None:
        """Refuse: no caller has a key."""
        del key
        _refuse_to_make()

    @property
    def decision(self) -> Decision:
        """Return the record of the decision."""
        return self._decision

    @property
    def intent(self) -> OrderIntent:
        """Return the approved intent."""
        return self._decision.intent

    @property
    def mode(self) -> Mode:
        """Return the mode for which it was approved."""
        return self._mode

    @property
    def cl_ord_id(self) -> str:
        """Return the id that the order will carry."""
        return self._decision.decision_id

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: an approval never changes."""
        del name, value
        _refuse_to_make()

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: an approval never changes."""
        del name
        _refuse_to_make()

    def __init_subclass__(cls) -> NoReturn:
        """Refuse: a subclass could be built."""
        _refuse_to_make()

    def __copy__(self) -> NoReturn:
        """Refuse: there is one of each."""
        _refuse_to_make()

    def __deepcopy__(self, memo: object) -> NoReturn:
        """Refuse: there is one of each."""
        del memo
        _refuse_to_make()

    def __reduce__(self) -> NoReturn:
        """Refuse: an approval does not leave the process."""
        _refuse_to_make()


def _refuse_to_make() -> NoReturn:
    message = "Broken invariant: only the gate makes an approval, each once, and nothing changes or copies one"
    raise InvariantError(message)


@final
class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's no: a value, with every check listed."""

    decision: Decision


RiskDecision = Approved | Blocked


class Latch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something tripped and stays tripped until a named human clears exactly this latch.

    Attributes:
        latch_id: short and unique in its home, such as `L3`.
        scope: `account`, `strategy:<name>` or `symbol:<symbol>`.
        code: what tripped, such as `HUMAN_HALT` or `ORDER_OVERFILL`.
        level: the highest trading state that its scope may have while it stands.
        text: the sentence with the numbers.
        raised_by: `human:<user>` or the part that raised it.
        at_ns: market time of it.
        clears: who may clear it and what must hold, in words; "" where any named human may at any time.
        trading_date: the exchange's date of it.
        mode: of the process in which it tripped.
    """

    latch_id: str
    scope: str
    code: str
    level: TradingState
    text: str
    raised_by: str
    at_ns: int
    clears: str = ""
    trading_date: str = ""
    mode: str = ""


class Leave(msgspec.Struct, frozen=True, kw_only=True):
    """A human's one-time leave to pass soft controls: bound to strategy, symbol, side and size, and it expires.

    Attributes:
        decision_id: the blocked decision that it answers.
        strategy_id: whose wish it lets pass.
        symbol: in which symbol.
        side: on which side.
        order_qty: of at most so many shares.
        codes: the soft controls that it stands in for, and no others.
        observed: what each of them read when it blocked: the leave is for that much, and no more.
        expires_ns: market time at which it is over.
        by: `human:<user>`.
        reason: their words.
    """

    decision_id: str
    strategy_id: str
    symbol: str
    side: Side
    order_qty: int
    codes: tuple[ReasonCode, ...]
    observed: tuple[int, ...]
    expires_ns: int
    by: str
    reason: str
