"""Orders, fills, positions and cash, in FIX terms.

Floor 0 (words). Values only: `core.blotter` and `core.portfolio` fold them, the desk sends them.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Side(StrEnum):
    """FIX tag 54."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """Return +1 for BUY and -1 for SELL."""
        return 1 if self is Side.BUY else -1


class OrdType(StrEnum):
    """FIX tag 40. A stop is for PROTECTIVE orders only; MARKET is a wish, which becomes a bounded LIMIT or nothing."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    STOP = "STOP"


class TimeInForce(StrEnum):
    """FIX tag 59."""

    DAY = "DAY"
    IOC = "IOC"
    GTC = "GTC"


class OrderClass(StrEnum):
    """ENTRY adds risk, EXIT provably reduces it, PROTECTIVE is a stop that guards a position."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"
    PROTECTIVE = "PROTECTIVE"


class OrdStatus(StrEnum):
    """FIX tag 39, and NOT_SENT: approved, and stopped by us before the gateway was called."""

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"

    @property
    def is_open(self) -> bool:
        """Return True while the order may still trade."""
        return self in _OPEN


_OPEN = frozenset({OrdStatus.PENDING_NEW, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED})


class ExecType(StrEnum):
    """FIX tag 150 where it has a word; the last three are what a send or a recovery found out."""

    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    CANCEL_REJECT = "CANCEL_REJECT"
    REPLACED = "REPLACED"
    CORRECT = "CORRECT"
    BUST = "BUST"
    NOT_SENT = "NOT_SENT"
    IN_DOUBT = "IN_DOUBT"
    NOT_HELD = "NOT_HELD"


class ExecReport(msgspec.Struct, frozen=True, kw_only=True):
    """One word about one order, from a gateway (or from the desk, about a send that did not happen).

    Attributes:
        exec_id: unique; each folds once.
        cl_ord_id: our id of the order, `<cycle>-<n>`.
        order_id: the venue's id, `PAPER-...` on paper, "" when it never got one.
        exec_type: what happened.
        last_qty: shares of this fill (0 unless TRADE).
        last_px: micros of this fill.
        cum_qty: shares filled so far, as the venue says.
        leaves_qty: shares still working, as the venue says.
        fee_micros: fee of this report.
        event_ns: market time of it.
        text: the venue's words, and for a fill the model that made it.
    """

    exec_id: str
    cl_ord_id: str
    order_id: str
    exec_type: ExecType
    last_qty: int
    last_px: int
    cum_qty: int
    leaves_qty: int
    fee_micros: int
    event_ns: int
    text: str


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One approved order and what became of it.

    `cost_micros` is the sum of its fills (no averages); `exec_ids` are the reports already folded, so that
    each folds once; `approved_ns` and `trading_date` are the market's time and date of the approval.
    `arrival_bid_px` and `arrival_ask_px` are the touch that the decision saw (0 = unknown): fills are measured by it.
    """

    cl_ord_id: str
    order_id: str
    strategy_id: str
    symbol: str
    side: Side
    order_class: OrderClass
    ord_type: OrdType
    time_in_force: TimeInForce
    limit_px: int
    stop_px: int
    order_qty: int
    cum_qty: int
    cost_micros: int
    fee_micros: int
    ord_status: OrdStatus
    cancel_pending: bool
    replace_pending: bool
    in_doubt: bool
    approved_ns: int
    trading_date: str
    exec_ids: tuple[str, ...]
    arrival_bid_px: int = 0
    arrival_ask_px: int = 0

    @property
    def leaves_qty(self) -> int:
        """Return the shares that may still trade; an order in doubt counts whole (unknown is not zero)."""
        return self.order_qty - self.cum_qty if self.ord_status.is_open or self.in_doubt else 0


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one strategy holds of one symbol: signed shares, their cost, what was realised, and fees, in micros."""

    strategy_id: str
    symbol: str
    qty: int
    cost_micros: int
    realized_micros: int
    fees_micros: int = 0


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """The wish to cancel one open order, and why. Cancels are never blocked."""

    cl_ord_id: str
    because: str
