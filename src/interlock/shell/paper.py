"""The paper gateway: a pretend market inside this process, with no network and no broker.

Floor 2 (the world). It sends nothing anywhere; every fill is computed here, from quotes that came after the
order, at the touch, and at most the size that was displayed. On the trip: the last hop, behind the desk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from interlock.core.fees import FeePlan
from interlock.model.errors import invariant
from interlock.model.market import MarketSnapshot, Quote
from interlock.model.mode import Mode
from interlock.model.orders import ExecReport, ExecType, Order, OrdStatus, Side, TimeInForce
from interlock.model.risk import Approved

#: Written into every fill, so that a reader knows what made it.
FILL_MODEL = "paper: touch at the close of a later quote, displayed size taken once"


class _Resting(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the pretend venue holds it."""

    cl_ord_id: str
    symbol: str
    side: Side
    limit_px: int
    time_in_force: TimeInForce
    trading_date: str
    sent_ns: int
    order_qty: int
    cum_qty: int
    reports: int

    @property
    def leaves_qty(self) -> int:
        return self.order_qty - self.cum_qty

    @property
    def order_id(self) -> str:
        return f"PAPER-{self.cl_ord_id}"


def _number_of(cl_ord_id: str) -> tuple[int, int]:
    """Return `<cycle>-<n>` as two numbers, which only grow from order to order."""
    cycle, _, number = cl_ord_id.partition("-")
    return int(cycle), int(number)


class PaperGateway:
    """Acknowledges at once, fills from later quotes, and never fills better than the touch.

    Rules: an order sent in one cycle can fill from the next snapshot on, on a quote newer than its send;
    a buy pays the ask, a sell gets the bid, and only if its limit allows; the displayed size of a quote is
    consumed once, in send order, and refills only with a new quote; an IOC is judged once, on its first
    eligible quote; a DAY order ends with its trading date; a halted, absent or crossed quote fills nothing.
    """

    def __init__(
        self, *, mode: Mode, fees: FeePlan, universe: tuple[str, ...], wire_id: Callable[[str], str] = str
    ) -> None:
        """Open a pretend market for one mode, SIM or PAPER; `wire_id` names an order as the wire does."""
        invariant(mode in (Mode.SIM, Mode.PAPER), "the paper gateway serves SIM or PAPER", mode=mode)
        self._mode = mode
        self._fees = fees
        self._wire_id = wire_id
        self._index = {symbol: ix for ix, symbol in enumerate(universe)}
        self._resting: dict[str, _Resting] = {}
        self._reports: list[ExecReport] = []
        self._taken: dict[tuple[str, Side], tuple[int, int]] = {}
        self._last_id = (0, 0)
        self._as_of_ns = 0
        self._trading_date = ""

    @property
    def mode(self) -> Mode:
        """Return the mode that it serves."""
        return self._mode

    def restore(self, orders: Iterable[Order]) -> None:
        """Take over the orders that a run before left working.

        What was never acknowledged was never held here, and a cancel that was asked for is not asked again.
        """
        for order in orders:
            self._last_id = max(self._last_id, _number_of(order.cl_ord_id))
            resting = _Resting(
                cl_ord_id=order.cl_ord_id,
                symbol=order.symbol,
                side=order.side,
                limit_px=order.limit_px,
                time_in_force=order.time_in_force,
                trading_date=order.trading_date,
                sent_ns=order.approved_ns,
                order_qty=order.order_qty,
                cum_qty=order.cum_qty,
                reports=len(order.exec_ids),
            )
            if order.ord_status is OrdStatus.PENDING_NEW:
                self._report(resting, ExecType.NOT_HELD, text="the paper market never held it")
            elif order.cancel_pending:
                self._report(resting, ExecType.CANCELED, text="canceled as asked before the restart")
            else:
                self._resting[order.cl_ord_id] = resting

    def observe(self, snapshot: MarketSnapshot) -> None:
        """End what a new trading date ends, then fill what this snapshot's quotes fill, in send order."""
        self._as_of_ns = snapshot.as_of_ns
        self._trading_date = snapshot.trading_date
        for resting in tuple(self._resting.values()):
            if resting.trading_date != snapshot.trading_date:
                self._report(resting, ExecType.EXPIRED, text=f"its trading date {resting.trading_date} is over")
                continue
            # A symbol that a restart took out of the universe has no quote: its order waits, and expires.
            ix = self._index.get(resting.symbol)
            if ix is not None and self._is_eligible(resting, snapshot.quote(ix)):
                self._match(resting, snapshot.quote(ix))

    def drain(self) -> tuple[ExecReport, ...]:
        """Return what was reported since the last call."""
        reports = tuple(self._reports)
        self._reports.clear()
        return reports

    def submit(self, approved: Approved) -> None:
        """Take one order: approved for this mode, and never seen before.

        Raises:
            InvariantError: it was approved for another mode, or its id was used before.
        """
        invariant(isinstance(approved, Approved), "a gateway takes approvals only", got=type(approved).__name__)
        invariant(approved.mode is self._mode, "an order is approved for the gateway's own mode", mode=approved.mode)
        new_id = _number_of(approved.cl_ord_id)
        invariant(new_id > self._last_id, "an order id is used once", cl_ord_id=approved.cl_ord_id)
        self._last_id = new_id
        intent = approved.intent
        resting = _Resting(
            cl_ord_id=approved.cl_ord_id,
            symbol=intent.symbol,
            side=intent.side,
            limit_px=intent.limit_px,
            time_in_force=intent.time_in_force,
            trading_date=self._trading_date,
            sent_ns=self._as_of_ns,
            order_qty=intent.order_qty,
            cum_qty=0,
            reports=0,
        )
        self._report(resting, ExecType.NEW, text="acknowledged on paper")

    def cancel(self, cl_ord_id: str) -> None:
        """Cancel an order that rests; for any other, say that it is too late."""
        resting = self._resting.get(cl_ord_id)
        if resting is not None:
            self._report(resting, ExecType.CANCELED, text="canceled as asked")
            return
        self._reports.append(
            ExecReport(
                exec_id=f"PAPER-{cl_ord_id}-late",
                cl_ord_id=cl_ord_id,
                order_id="",
                exec_type=ExecType.CANCEL_REJECT,
                last_qty=0,
                last_px=0,
                cum_qty=0,
                leaves_qty=0,
                fee_micros=0,
                event_ns=self._as_of_ns,
                text="too late: it does not rest here",
            )
        )

    def open_orders(self) -> tuple[str, ...]:
        """Return the ids of the orders that rest here."""
        return tuple(self._resting)

    def wire_ids(self) -> tuple[str, ...]:
        """Return the wire ids of the orders that rest here; nobody else can send to this market."""
        return tuple(self._wire_id(cl_ord_id) for cl_ord_id in self._resting)

    def close(self) -> None:
        """End SIM's market with its process; PAPER's orders stay on the record and go on in the next run."""
        if self._mode is Mode.SIM:
            for resting in tuple(self._resting.values()):
                self._report(resting, ExecType.EXPIRED, text="the simulated market ended with the run")

    def _is_eligible(self, resting: _Resting, quote: Quote) -> bool:
        """Return True for a whole, uncrossed, unhalted quote that is newer than the order's send."""
        return (
            quote.present and not quote.halted and 0 < quote.bid_px <= quote.ask_px and quote.event_ns > resting.sent_ns
        )

    def _match(self, resting: _Resting, quote: Quote) -> None:
        is_buy = resting.side is Side.BUY
        touch_px = quote.ask_px if is_buy else quote.bid_px
        displayed_qty = quote.ask_qty if is_buy else quote.bid_qty
        reaches = touch_px <= resting.limit_px if is_buy else touch_px >= resting.limit_px
        key = (resting.symbol, resting.side)
        taken_ns, taken_qty = self._taken.get(key, (0, 0))
        left_qty = displayed_qty - taken_qty if taken_ns == quote.event_ns else displayed_qty
        fill_qty = min(resting.leaves_qty, max(0, left_qty)) if reaches else 0
        if fill_qty > 0:
            self._taken[key] = (quote.event_ns, displayed_qty - left_qty + fill_qty)
            resting = self._fill(resting, qty=fill_qty, px=touch_px)
        if resting.time_in_force is TimeInForce.IOC and resting.leaves_qty > 0:
            self._report(resting, ExecType.EXPIRED, text="immediate or cancel: judged once, the rest is over")

    def _fill(self, resting: _Resting, *, qty: int, px: int) -> _Resting:
        fee_micros = self._fees.total(resting.cum_qty + qty) - self._fees.total(resting.cum_qty)
        filled = msgspec.structs.replace(resting, cum_qty=resting.cum_qty + qty)
        return self._report(filled, ExecType.TRADE, text=FILL_MODEL, last_qty=qty, last_px=px, fee_micros=fee_micros)

    def _report(  # noqa: PLR0913 - the parts of a report
        self,
        resting: _Resting,
        exec_type: ExecType,
        *,
        text: str,
        last_qty: int = 0,
        last_px: int = 0,
        fee_micros: int = 0,
    ) -> _Resting:
        """Say a word about an order, and keep it or let it go by that word."""
        resting = msgspec.structs.replace(resting, reports=resting.reports + 1)
        ended = exec_type not in (ExecType.NEW, ExecType.TRADE)
        if ended or resting.leaves_qty == 0:
            self._resting.pop(resting.cl_ord_id, None)
        else:
            self._resting[resting.cl_ord_id] = resting
        self._reports.append(
            ExecReport(
                exec_id=f"{resting.order_id}-{resting.reports}",
                cl_ord_id=resting.cl_ord_id,
                order_id=resting.order_id,
                exec_type=exec_type,
                last_qty=last_qty,
                last_px=last_px,
                cum_qty=resting.cum_qty,
                leaves_qty=0 if ended else resting.leaves_qty,
                fee_micros=fee_micros,
                event_ns=self._as_of_ns,
                text=text,
            )
        )
        return resting
