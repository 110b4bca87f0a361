"""Booking: what the venue, the host and people said, folded into orders, positions, cash and latches.

Floor 1 (decisions). Pure. Nothing here can raise the trading state but a human's resume.
On the trip: BOOK, the first stage of every cycle.
"""

from __future__ import annotations

import msgspec

from interlock.core.blotter import Folded, fold_report
from interlock.core.conduct import fold_cancels, fold_word, is_worse_than_limit
from interlock.core.portfolio import check_identities, fold_fill
from interlock.core.risk.headroom import is_in_doubt
from interlock.core.state import State
from interlock.model.journal import Booking, HostTrip
from interlock.model.mode import TradingState, lower
from interlock.model.orders import Cancel, ExecReport, Order, OrderClass
from interlock.model.risk import Latch
from interlock.model.units import SECOND_NS, duration, money

#: An order in doubt for longer than this lowers the account to REDUCING.
IN_DOUBT_NS_MAX = 60 * SECOND_NS

#: Faults of an order that stop its symbol only; every other one stops the account.
_SYMBOL_FAULTS = frozenset({"LATE_FILL"})


def fold_reports(
    state: State, reports: tuple[ExecReport, ...], *, is_told: bool = True
) -> tuple[State, tuple[Booking, ...]]:
    """Fold the venue's reports, in order; a contradiction is booked and trips a latch.

    Args:
        state: before them.
        reports: in order.
        is_told: True if the gateway answered, also where it had nothing to report.
    """
    bookings: list[Booking] = []
    for report in reports:
        blotter, folded = fold_report(state.blotter, report)
        bookings.append(folded.booking)
        portfolio = state.portfolio
        tally = state.tally
        if folded.after is not None and folded.fill_qty > 0:
            portfolio = fold_fill(portfolio, order=folded.after, report=report)
        if folded.after is not None and _is_open(folded.before) and not _is_open(folded.after):
            tally = tally.ended(folded.after.ord_status)
        state = msgspec.structs.replace(state, blotter=blotter, portfolio=portfolio, tally=tally)
        state = _judged(_counted(state, report, folded), report, folded)
    check_identities(state.portfolio)
    return msgspec.structs.replace(state, told_ns=state.as_of_ns if is_told else state.told_ns), tuple(bookings)


def _counted(state: State, report: ExecReport, folded: Folded) -> State:
    """Count what a report says of its strategy; one that changed nothing is no news."""
    order = folded.after
    if order is None or folded.booking.effect == "ignored":
        return state
    counters = fold_word(
        state.counters,
        report,
        order=order,
        has_filled=folded.fill_qty > 0,
        left_qty=state.portfolio.qty(order.strategy_id, order.symbol),
        limits=state.limits.in_force,
    )
    return msgspec.structs.replace(state, counters=counters)


def _judged(state: State, report: ExecReport, folded: Folded) -> State:
    """Latch what a report contradicts, and a fill that is worse than its order allows."""
    order = folded.after
    if folded.fault:
        scope = f"symbol:{order.symbol}" if order is not None and folded.fault in _SYMBOL_FAULTS else "account"
        text = f"order {report.cl_ord_id}: {folded.booking.text}"
        state = raise_latch(state, scope=scope, code=folded.fault, level=TradingState.HALTED, text=text)
    if order is not None and folded.fill_qty > 0 and is_worse_than_limit(report, order):
        text = (
            f"order {report.cl_ord_id} traded at {money(report.last_px)}, which is worse than its limit "
            f"{money(order.limit_px)}: no venue may do that"
        )
        state = raise_latch(state, scope="account", code="FILL_WORSE", level=TradingState.REDUCING, text=text)
    return state


def fold_trips(state: State, trips: tuple[HostTrip, ...]) -> State:
    """Latch the account HALTED for every bound of the host that was passed."""
    for trip in trips:
        state = raise_latch(state, scope="account", code=trip.code, level=TradingState.HALTED, text=trip.text)
    return state


def unanswered_before_ns(state: State) -> int:
    """Return the instant before which an order must have been answered by now."""
    timeout_ns = state.limits.value("ack_timeout_ns")
    return state.as_of_ns - (0 if timeout_ns is None else timeout_ns)


def watch_doubt(state: State) -> State:
    """Latch the account REDUCING once an order has been in doubt for too long, in market time."""
    before_ns = unanswered_before_ns(state)
    for order in state.blotter.open_orders.values():
        age_ns = state.as_of_ns - order.approved_ns
        if age_ns > IN_DOUBT_NS_MAX and is_in_doubt(order, before_ns):
            text = f"order {order.cl_ord_id} is in doubt, {duration(age_ns)} after its approval; the limit is 60 s"
            state = raise_latch(
                state, scope="account", code="IN_DOUBT_TOO_LONG", level=TradingState.REDUCING, text=text
            )
    return state


def raise_latch(  # noqa: PLR0913 - the parts of a latch
    state: State,
    *,
    scope: str,
    code: str,
    level: TradingState,
    text: str,
    raised_by: str = "interlock",
    clears: str = "",
) -> State:
    """Return the state with a latch, or as it was where the same latch already stands."""
    if any(latch.scope == scope and latch.code == code for latch in state.latches):
        return state
    latch = Latch(
        latch_id=f"L{state.next_latch_no}",
        scope=scope,
        code=code,
        level=level,
        text=text,
        raised_by=raised_by,
        at_ns=state.as_of_ns,
        clears=clears,
        trading_date=state.trading_date,
        mode=state.mode.value,
    )
    trading_state = lower(state.trading_state, level) if scope == "account" else state.trading_state
    return msgspec.structs.replace(
        state,
        latches=(*state.latches, latch),
        next_latch_no=state.next_latch_no + 1,
        trading_state=trading_state,
        state_no=state.state_no + 1,
    )


def cancel_entries(state: State, kinds: tuple[str, ...]) -> tuple[State, tuple[Cancel, ...]]:
    """Ask for the cancel of every open ENTRY that a stop, a halt or a standing latch takes away.

    A cancel that was asked for is not asked for again until it is answered, unless a person says stop or halt:
    theirs always goes out.

    Args:
        state: after everything else of the cycle.
        kinds: of the commands of this cycle.

    Source: EXIT and PROTECTIVE orders stay, so that stopping never removes a way out.
    """
    insists = "stop" in kinds or "halt" in kinds
    because = {latch.scope: f"latch {latch.latch_id} {latch.code} stands" for latch in state.latches}
    cancels: list[Cancel] = []
    strategies: list[str] = []
    blotter = state.blotter
    for order in state.blotter.open_orders.values():
        scopes = ("account", f"strategy:{order.strategy_id}", f"symbol:{order.symbol}")
        reasons = [because[scope] for scope in scopes if scope in because]
        if "stop" in kinds:
            reasons.insert(0, "the run is stopping")
        if order.order_class is not OrderClass.ENTRY or not reasons or (order.cancel_pending and not insists):
            continue
        cancels.append(Cancel(cl_ord_id=order.cl_ord_id, because=reasons[0]))
        strategies.append(order.strategy_id)
        blotter = blotter.put(msgspec.structs.replace(order, cancel_pending=True))
    counters = fold_cancels(state.counters, strategies)
    return msgspec.structs.replace(state, blotter=blotter, counters=counters), tuple(cancels)


def _is_open(order: Order | None) -> bool:
    return order is not None and (order.ord_status.is_open or order.in_doubt)
