"""Orders, positions and cash, counted again from what a journal holds.

Floor 3 (proof). It may never import the code that booked them: only the words of the model are shared, so that
one mistake cannot be made twice. On the trip: none; `verify` asks here.

Source: the table of order states in the design (FIX 4.4, appendix D), with what a send or a recovery finds out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import msgspec

from interlock.model.journal import Account, Booking, Carried, Holdings
from interlock.model.orders import ExecReport, ExecType, Order, OrderClass, OrdStatus, Position
from interlock.model.risk import Decision
from interlock.model.units import money

FOLDED, IGNORED, HALT = "folded", "ignored", "halt"
#: By which name the account for every intent counts an order that ended.
_ENDED_AS = (
    (OrdStatus.NOT_SENT, "not_sent"),
    (OrdStatus.REJECTED, "rejected"),
    (OrdStatus.CANCELED, "cancelled"),
    (OrdStatus.FILLED, "filled"),
    (OrdStatus.EXPIRED, "expired"),
)


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the recount knows it."""

    strategy_id: str
    symbol: str
    sign: int
    order_class: OrderClass
    order_qty: int
    cum_qty: int
    ord_status: OrdStatus
    in_doubt: bool
    exec_ids: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Return True while it may still trade, or nobody knows."""
        return self.ord_status.is_open or self.in_doubt


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Cash and what it re-adds from, in micros."""

    opening_micros: int
    bought_micros: int
    sold_micros: int
    fees_micros: int

    @property
    def cash_micros(self) -> int:
        """Return opening - bought + sold - fees."""
        return self.opening_micros - self.bought_micros + self.sold_micros - self.fees_micros


def expected_of_open(status: OrdStatus, exec_type: ExecType) -> tuple[str, OrdStatus]:
    """Return what a report other than a trade does to an open order: the effect, and the status after it."""
    is_pending = status is OrdStatus.PENDING_NEW
    is_part_filled = status is OrdStatus.PARTIALLY_FILLED
    rules = {
        ExecType.NEW: (FOLDED, OrdStatus.NEW) if is_pending else (IGNORED, status),
        ExecType.CANCELED: (FOLDED, OrdStatus.CANCELED),
        ExecType.EXPIRED: (FOLDED, OrdStatus.EXPIRED),
        ExecType.REJECTED: (FOLDED, OrdStatus.REJECTED),
        ExecType.CANCEL_REJECT: (FOLDED, status),
        ExecType.REPLACED: (HALT if is_pending else FOLDED, status),
        ExecType.NOT_SENT: (FOLDED, OrdStatus.NOT_SENT) if is_pending else (HALT, status),
        ExecType.NOT_HELD: (HALT, status) if is_part_filled else (FOLDED, OrdStatus.NOT_SENT),
        ExecType.IN_DOUBT: (FOLDED, status),
    }
    return rules.get(exec_type, (HALT, status))


def expected_of_ended(status: OrdStatus, exec_type: ExecType) -> str:
    """Return what a report other than a trade does to an order that has ended: its status never changes."""
    contradicts = {
        ExecType.NEW: status in (OrdStatus.REJECTED, OrdStatus.NOT_SENT),
        ExecType.CANCELED: status is OrdStatus.NOT_SENT,
        ExecType.EXPIRED: status is OrdStatus.NOT_SENT,
        ExecType.REJECTED: status is OrdStatus.NOT_SENT,
        ExecType.CANCEL_REJECT: False,
        ExecType.IN_DOUBT: status is OrdStatus.NOT_SENT,
        ExecType.NOT_HELD: status is OrdStatus.FILLED,
    }
    return HALT if contradicts.get(exec_type, True) else IGNORED


_NO_ORDER = (0, 0)


def _number(cl_ord_id: str) -> tuple[int, int]:
    """Return the two numbers of an order's id; ids of a run only grow."""
    cycle, _, number = cl_ord_id.partition("-")
    return (int(cycle), int(number)) if cycle.isdecimal() and number.isdecimal() else _NO_ORDER


#: Ended orders that are kept for late words; far more than the runtime keeps, and never more.
ENDED_KEPT = 5_000


class Recount:
    """Counts one run again, report by report; it keeps open orders and the last that ended, so it does not grow."""

    def __init__(self, carried: Carried) -> None:
        """Begin with what the run before handed over."""
        account = carried.account
        self.sums = Sums(
            opening_micros=account.opening_micros,
            bought_micros=account.bought_micros,
            sold_micros=account.sold_micros,
            fees_micros=account.fees_micros,
        )
        self.orders = {order.cl_ord_id: _from_order(order) for order in carried.orders}
        self.positions = {(held.strategy_id, held.symbol): held.qty for held in carried.positions}
        self._open_ids = {name: True for name, order in self.orders.items() if order.is_open}
        self._counts = dict.fromkeys(("intents", "blocked", *(name for _, name in _ENDED_AS)), 0)
        self._counts["carried"] = len(self._open_ids)
        self._ended: deque[str] = deque()
        self._forgotten = (-1, -1)

    def approve(self, decision: Decision) -> None:
        """Take in an order that the gate approved."""
        intent = decision.intent
        self.orders[decision.decision_id] = Counted(
            strategy_id=intent.strategy_id,
            symbol=intent.symbol,
            sign=intent.side.sign,
            order_class=intent.order_class,
            order_qty=intent.order_qty,
            cum_qty=0,
            ord_status=OrdStatus.PENDING_NEW,
            in_doubt=False,
            exec_ids=(),
        )
        self._open_ids[decision.decision_id] = True
        self._counts["intents"] += 1

    def block(self) -> None:
        """Count an intent that the gate blocked."""
        self._counts["intents"] += 1
        self._counts["blocked"] += 1

    def report(self, report: ExecReport, booking: Booking) -> Iterator[str]:
        """Fold one report and compare with how it was booked; yield what does not fit."""
        name = report.cl_ord_id
        order = self.orders.get(name)
        if booking.cl_ord_id != name:
            yield f"the report {report.exec_id} on {name} was booked for {booking.cl_ord_id}"
        elif order is None and booking.before is None and _number(name) <= self._forgotten:
            # It ended so long ago that neither the runtime nor this count remembers it: it moves nothing.
            return
        elif order is None:
            yield f"the report {report.exec_id} is about {name}, which this run neither approved nor carried"
        elif booking.before is None:
            # The runtime forgets orders that ended long ago; a late word on one then moves nothing.
            if order.is_open:
                yield f"the report {report.exec_id} was booked as if {name}, which is open, were unknown"
        else:
            effect, after = self._fold(order, report)
            self._put(name, order, after)
            said = (booking.before, booking.effect, booking.after)
            counted = (order.ord_status, effect, after.ord_status)
            if said != counted:
                yield (
                    f"the report {report.exec_id} ({report.exec_type}) on {name} was booked as {_words(said)}, "
                    f"and by the table it is {_words(counted)}"
                )

    def _fold(self, order: Counted, report: ExecReport) -> tuple[str, Counted]:
        if report.exec_id in order.exec_ids:
            return IGNORED, order
        if report.exec_type is ExecType.TRADE:
            return self._trade(order, report)
        if not order.is_open:
            return expected_of_ended(order.ord_status, report.exec_type), order
        effect, status = expected_of_open(order.ord_status, report.exec_type)
        if effect != FOLDED:
            return effect, order
        keeps_doubt = report.exec_type is ExecType.CANCEL_REJECT and order.in_doubt
        return FOLDED, msgspec.structs.replace(
            order,
            ord_status=status,
            in_doubt=report.exec_type is ExecType.IN_DOUBT or keeps_doubt,
            order_qty=report.cum_qty + report.leaves_qty if report.exec_type is ExecType.REPLACED else order.order_qty,
            exec_ids=(*order.exec_ids, report.exec_id),
        )

    def _trade(self, order: Counted, report: ExecReport) -> tuple[str, Counted]:
        """Fold a trade: shares that traded are there, whatever the order's status was."""
        cum_qty = order.cum_qty + report.last_qty
        if report.last_qty <= 0 or report.last_px <= 0 or report.cum_qty != cum_qty:
            return HALT, order
        value_micros = report.last_qty * report.last_px
        self.sums = msgspec.structs.replace(
            self.sums,
            bought_micros=self.sums.bought_micros + (value_micros if order.sign > 0 else 0),
            sold_micros=self.sums.sold_micros + (value_micros if order.sign < 0 else 0),
            fees_micros=self.sums.fees_micros + report.fee_micros,
        )
        place = (order.strategy_id, order.symbol)
        self.positions[place] = self.positions.get(place, 0) + order.sign * report.last_qty
        filled = OrdStatus.FILLED if cum_qty >= order.order_qty else OrdStatus.PARTIALLY_FILLED
        after = msgspec.structs.replace(
            order,
            cum_qty=cum_qty,
            ord_status=filled if order.ord_status.is_open else order.ord_status,
            in_doubt=False,
            exec_ids=(*order.exec_ids, report.exec_id),
        )
        fits = order.ord_status.is_open and cum_qty <= order.order_qty
        return FOLDED if fits else HALT, after

    def _put(self, name: str, before: Counted, after: Counted) -> None:
        self.orders[name] = after
        if after.is_open:
            self._open_ids[name] = True
        elif before.is_open:
            del self._open_ids[name]
            self._counts[dict(_ENDED_AS)[after.ord_status]] += 1
            self._ended.append(name)
            if len(self._ended) > ENDED_KEPT:
                oldest = self._ended.popleft()
                if not self.orders[oldest].is_open:
                    del self.orders[oldest]
                    self._forgotten = max(self._forgotten, _number(oldest))

    def open_ids(self) -> tuple[str, ...]:
        """Return the ids of the orders that may still trade, sorted."""
        return tuple(sorted(self._open_ids))

    def in_doubt_ids(self) -> tuple[str, ...]:
        """Return the ids of the orders whose state nobody knows, sorted."""
        return tuple(name for name in self.open_ids() if self.orders[name].in_doubt)

    def counts(self) -> dict[str, int]:
        """Return every intent, and every order carried over, by how it ended."""
        in_doubt = len(self.in_doubt_ids())
        return {**self._counts, "working": len(self._open_ids) - in_doubt, "in_doubt": in_doubt}

    def holdings(self, said: Holdings) -> Iterator[str]:
        """Yield where the holdings of a record are not what was counted."""
        if said.cash_micros != self.sums.cash_micros:
            yield f"the cash is written as {money(said.cash_micros)} and re-adds to {money(self.sums.cash_micros)}"
        yield from self.held(said.positions)
        counted = (len(self._open_ids), len(self.in_doubt_ids()))
        if (said.open_orders, said.in_doubt) != counted:
            yield (
                f"{said.open_orders} open orders with {said.in_doubt} in doubt are written, "
                f"and {counted[0]} with {counted[1]} in doubt are counted"
            )

    def held(self, said: tuple[Position, ...]) -> Iterator[str]:
        """Yield where positions are not the sum of the fills."""
        written = {(held.strategy_id, held.symbol): held.qty for held in said if held.qty != 0}
        counted = {place: qty for place, qty in self.positions.items() if qty != 0}
        if len(written) != sum(1 for held in said if held.qty != 0):
            yield "a position is written twice"
        for place in sorted(written.keys() | counted.keys()):
            if written.get(place, 0) != counted.get(place, 0):
                strategy_id, symbol = place
                yield (
                    f"the position of {strategy_id} in {symbol} is written as {written.get(place, 0)} shares, "
                    f"and the fills add up to {counted.get(place, 0)}"
                )

    def account(self, said: Account) -> Iterator[str]:
        """Yield where an account is not the sum of the fills."""
        parts = (said.opening_micros, said.bought_micros, said.sold_micros, said.fees_micros, said.cash_micros)
        sums = self.sums
        counted = (sums.opening_micros, sums.bought_micros, sums.sold_micros, sums.fees_micros, sums.cash_micros)
        if parts != counted:
            yield (
                f"the account is written as opening, bought, sold, fees, cash = {', '.join(map(money, parts))}, "
                f"and counted as {', '.join(map(money, counted))}"
            )


def _from_order(order: Order) -> Counted:
    return Counted(
        strategy_id=order.strategy_id,
        symbol=order.symbol,
        sign=order.side.sign,
        order_class=order.order_class,
        order_qty=order.order_qty,
        cum_qty=order.cum_qty,
        ord_status=order.ord_status,
        in_doubt=order.in_doubt,
        exec_ids=order.exec_ids,
    )


def _words(step: tuple[OrdStatus | None, str, OrdStatus | None]) -> str:
    before, effect, after = step
    return f"{before or 'unknown'} -> {after or 'unknown'} ({effect})"
