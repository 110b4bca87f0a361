"""The blotter: every open order, the last closed ones, and the one table by which reports change them.

Floor 1 (decisions). Pure: state in, state out. Exposure is freed by the venue's word only, never by a clock.
On the trip: BOOK folds the gateway's reports here; RISK adds the orders that it approved.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import msgspec

from interlock.model.journal import Booking
from interlock.model.orders import ExecReport, ExecType, Order, OrdStatus
from interlock.model.units import money, shares

#: Closed orders are kept this long for late words of the venue; then a late word is one on an unknown order.
CLOSED_KEPT = 200


class Fold(Enum):
    """What a report does to an order."""

    ACKNOWLEDGE = "acknowledge"
    FILL = "fill"
    END = "end"
    CLEAR_FLAG = "clear flag"
    REPLACE = "replace"
    DOUBT = "doubt"
    IGNORE = "ignore"
    LATE_FILL = "late fill"
    OVERFILL = "overfill"
    HALT = "halt"


_I, _H = Fold.IGNORE, Fold.HALT
_REPORTS = (
    ExecType.NEW, ExecType.TRADE, ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED, ExecType.CANCEL_REJECT,
    ExecType.REPLACED, ExecType.CORRECT, ExecType.BUST, ExecType.NOT_SENT, ExecType.IN_DOUBT, ExecType.NOT_HELD,
)  # fmt: skip
_E, _F, _C, _D = Fold.END, Fold.FILL, Fold.CLEAR_FLAG, Fold.DOUBT
# One row a status, one column a report, in the order of _REPORTS.
# Source: the order state matrices of FIX 4.4 (appendix D), with corrections and busts refused: nothing in
# this build sends one, so one that arrives is a contradiction and halts until a human has looked.
_ROWS = {
    OrdStatus.PENDING_NEW: (Fold.ACKNOWLEDGE, _F, _E, _E, _E, _C, _H, _H, _H, _E, _D, _E),
    OrdStatus.NEW: (_I, _F, _E, _E, _E, _C, Fold.REPLACE, _H, _H, _H, _D, _E),
    OrdStatus.PARTIALLY_FILLED: (_I, _F, _E, _E, _E, _C, Fold.REPLACE, _H, _H, _H, _D, _H),
    OrdStatus.FILLED: (_I, Fold.OVERFILL, _I, _I, _I, _I, _H, _H, _H, _H, _I, _H),
    OrdStatus.CANCELED: (_I, Fold.LATE_FILL, _I, _I, _I, _I, _H, _H, _H, _H, _I, _I),
    OrdStatus.EXPIRED: (_I, Fold.LATE_FILL, _I, _I, _I, _I, _H, _H, _H, _H, _I, _I),
    OrdStatus.REJECTED: (_H, Fold.OVERFILL, _I, _I, _I, _I, _H, _H, _H, _H, _I, _I),
    OrdStatus.NOT_SENT: (_H, Fold.OVERFILL, _H, _H, _H, _I, _H, _H, _H, _H, _H, _I),
}
#: What each report does to an order of each status.
TABLE: Mapping[tuple[OrdStatus, ExecType], Fold] = MappingProxyType(
    {(status, report): fold for status, row in _ROWS.items() for report, fold in zip(_REPORTS, row, strict=True)}
)
_ENDS = MappingProxyType(
    {
        ExecType.CANCELED: OrdStatus.CANCELED,
        ExecType.EXPIRED: OrdStatus.EXPIRED,
        ExecType.REJECTED: OrdStatus.REJECTED,
        ExecType.NOT_SENT: OrdStatus.NOT_SENT,
        ExecType.NOT_HELD: OrdStatus.NOT_SENT,
    }
)


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """What one report did: the order before and after (None: unknown order), and a fault to latch, if any.

    `fill_qty` is the number of shares that moved the position; `fault` is a latch code or "".
    """

    before: Order | None
    after: Order | None
    booking: Booking
    fill_qty: int
    fault: str


class Blotter(msgspec.Struct, frozen=True, kw_only=True):
    """All open orders and the last `CLOSED_KEPT` closed ones, by `cl_ord_id`."""

    open_orders: Mapping[str, Order]
    closed_orders: Mapping[str, Order]

    def find(self, cl_ord_id: str) -> Order | None:
        """Return the order, open or recently closed, or None where the id is unknown."""
        return self.open_orders.get(cl_ord_id) or self.closed_orders.get(cl_ord_id)

    def put(self, order: Order) -> Blotter:
        """Return a blotter that holds `order`, among the open or the closed ones as its status says."""
        opened = dict(self.open_orders)
        closed = dict(self.closed_orders)
        if order.ord_status.is_open or order.in_doubt:
            closed.pop(order.cl_ord_id, None)
            opened[order.cl_ord_id] = order
        else:
            opened.pop(order.cl_ord_id, None)
            closed[order.cl_ord_id] = order
            while len(closed) > CLOSED_KEPT:
                del closed[next(iter(closed))]
        return Blotter(open_orders=opened, closed_orders=closed)


EMPTY = Blotter(open_orders=MappingProxyType({}), closed_orders=MappingProxyType({}))


def fold_report(blotter: Blotter, report: ExecReport) -> tuple[Blotter, Folded]:
    """Fold one report by the table.

    A fill of a known order that adds up moves the position also where it must halt: the shares are there.

    Returns:
        The blotter after it, and what happened.
    """
    order = blotter.find(report.cl_ord_id)
    if order is None:
        return blotter, _unknown(report)
    if report.exec_id in order.exec_ids:
        return blotter, _folded(report, order, order, effect="ignored", text="told before", fault="")
    fold = TABLE[order.ord_status, report.exec_type]
    if fold in (Fold.FILL, Fold.LATE_FILL, Fold.OVERFILL):
        return _fold_fill(blotter, order, report, fold=fold)
    if fold is Fold.IGNORE:
        text = f"{report.exec_type} changes nothing for an order that is {order.ord_status}"
        return blotter, _folded(report, order, order, effect="ignored", text=text, fault="")
    if fold is Fold.HALT:
        text = f"{report.exec_type} does not fit an order that is {order.ord_status}"
        return blotter, _folded(report, order, order, effect="halt", text=text, fault="ORDER_STATE")
    after = _changed(order, report, fold=fold)
    return blotter.put(after), _folded(report, order, after, effect="folded", text="", fault="")


def _changed(order: Order, report: ExecReport, *, fold: Fold) -> Order:
    """Return the order after a report that is no fill."""
    known = msgspec.structs.replace(
        order, exec_ids=(*order.exec_ids, report.exec_id), order_id=report.order_id or order.order_id
    )
    if fold is Fold.ACKNOWLEDGE:
        return msgspec.structs.replace(known, ord_status=OrdStatus.NEW, in_doubt=False)
    if fold is Fold.CLEAR_FLAG:
        return msgspec.structs.replace(known, cancel_pending=False, replace_pending=False)
    if fold is Fold.DOUBT:
        return msgspec.structs.replace(known, in_doubt=True)
    if fold is Fold.REPLACE:
        order_qty = report.cum_qty + report.leaves_qty
        return msgspec.structs.replace(known, order_qty=order_qty, replace_pending=False, in_doubt=False)
    return msgspec.structs.replace(
        known, ord_status=_ENDS[report.exec_type], cancel_pending=False, replace_pending=False, in_doubt=False
    )


def _fold_fill(blotter: Blotter, order: Order, report: ExecReport, *, fold: Fold) -> tuple[Blotter, Folded]:
    cum_qty = order.cum_qty + report.last_qty
    if report.last_qty <= 0 or report.last_px <= 0 or report.cum_qty != cum_qty:
        text = (
            f"a fill of {shares(report.last_qty)} at {money(report.last_px)} that makes {report.cum_qty:,} filled does "
            f"not fit {order.cum_qty:,} filled before"
        )
        return blotter, _folded(report, order, order, effect="halt", text=text, fault="FILL_DOES_NOT_ADD_UP")
    over = cum_qty > order.order_qty or fold is Fold.OVERFILL
    status = OrdStatus.FILLED if cum_qty >= order.order_qty else OrdStatus.PARTIALLY_FILLED
    after = msgspec.structs.replace(
        order,
        order_id=report.order_id or order.order_id,
        cum_qty=cum_qty,
        cost_micros=order.cost_micros + report.last_qty * report.last_px,
        fee_micros=order.fee_micros + report.fee_micros,
        ord_status=order.ord_status if fold is not Fold.FILL else status,
        in_doubt=False,
        exec_ids=(*order.exec_ids, report.exec_id),
    )
    fault = "ORDER_OVERFILL" if over else "LATE_FILL" if fold is Fold.LATE_FILL else ""
    text = _why_halt(order, cum_qty=cum_qty) if fault else ""
    effect = "halt" if fault else "folded"
    folded = _folded(report, order, after, effect=effect, text=text, fault=fault)
    return blotter.put(after), msgspec.structs.replace(folded, fill_qty=report.last_qty)


def _why_halt(order: Order, *, cum_qty: int) -> str:
    if cum_qty > order.order_qty:
        return f"{cum_qty} shares traded where {order.order_qty} were ordered"
    return f"it traded although it was {order.ord_status}"


def _folded(  # noqa: PLR0913 - what happened has this many parts
    report: ExecReport, before: Order, after: Order, *, effect: str, text: str, fault: str
) -> Folded:
    booking = Booking(
        cl_ord_id=report.cl_ord_id, before=before.ord_status, after=after.ord_status, effect=effect, text=text
    )
    return Folded(before=before, after=after, booking=booking, fill_qty=0, fault=fault)


def _unknown(report: ExecReport) -> Folded:
    """Return the answer to a report on an order that is not ours: a trade halts, the rest is told."""
    traded = report.exec_type in (ExecType.TRADE, ExecType.CORRECT, ExecType.BUST, ExecType.REPLACED)
    booking = Booking(
        cl_ord_id=report.cl_ord_id,
        before=None,
        after=None,
        effect="halt" if traded else "ignored",
        text=f"{report.exec_type} for an order that is not known here",
    )
    return Folded(before=None, after=None, booking=booking, fill_qty=0, fault="ORDER_UNKNOWN" if traded else "")
