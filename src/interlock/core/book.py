"""Booking: what the venue, the host and people said, folded into orders, positions, cash and latches.

Floor 1 (decisions). Pure. Nothing here can raise the trading state but a human's resume.
On the trip: BOOK, the first stage of every cycle.
"""

from __future__ import annotations

import msgspec

from interlock.core.blotter import fold_report
from interlock.core.portfolio import check_identities, fold_fill
from interlock.core.state import State
from interlock.model.errors import invariant
from interlock.model.journal import Answer, Booking, Command, HostTrip
from interlock.model.mode import TradingState, lower
from interlock.model.orders import Cancel, ExecReport, Order, OrderClass
from interlock.model.risk import Latch
from interlock.model.units import SECOND_NS, duration

#: An order in doubt for longer than this lowers the account to REDUCING.
IN_DOUBT_NS_MAX = 60 * SECOND_NS

#: Faults of an order that stop its symbol only; every other one stops the account.
_SYMBOL_FAULTS = frozenset({"LATE_FILL"})


def fold_reports(state: State, reports: tuple[ExecReport, ...]) -> tuple[State, tuple[Booking, ...]]:
    """Fold the venue's reports, in order; a contradiction is booked and trips a latch."""
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
        if folded.fault:
            symbol = folded.after.symbol if folded.after is not None else ""
            scope = f"symbol:{symbol}" if folded.fault in _SYMBOL_FAULTS else "account"
            text = f"order {report.cl_ord_id}: {folded.booking.text}"
            state = raise_latch(state, scope=scope, code=folded.fault, level=TradingState.HALTED, text=text)
    check_identities(state.portfolio)
    return state, tuple(bookings)


def fold_trips(state: State, trips: tuple[HostTrip, ...]) -> State:
    """Latch the account HALTED for every bound of the host that was passed."""
    for trip in trips:
        state = raise_latch(state, scope="account", code=trip.code, level=TradingState.HALTED, text=trip.text)
    return state


def watch_doubt(state: State) -> State:
    """Latch the account REDUCING once an order has been in doubt for too long, in market time."""
    for order in state.blotter.open_orders.values():
        age_ns = state.as_of_ns - order.approved_ns
        if order.in_doubt and age_ns > IN_DOUBT_NS_MAX:
            text = f"order {order.cl_ord_id} has been in doubt for {duration(age_ns)}, the limit is 60 s"
            state = raise_latch(
                state, scope="account", code="IN_DOUBT_TOO_LONG", level=TradingState.REDUCING, text=text
            )
    return state


def raise_latch(  # noqa: PLR0913 - the parts of a latch
    state: State, *, scope: str, code: str, level: TradingState, text: str, raised_by: str = "interlock"
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
    )
    trading_state = lower(state.trading_state, level) if scope == "account" else state.trading_state
    return msgspec.structs.replace(
        state,
        latches=(*state.latches, latch),
        next_latch_no=state.next_latch_no + 1,
        trading_state=trading_state,
        state_no=state.state_no + 1,
    )


def fold_commands(state: State, commands: tuple[Command, ...]) -> tuple[State, tuple[Answer, ...]]:
    """Obey people, in the order in which they spoke: halt and stop always, resume only if it is exact."""
    answers: list[Answer] = []
    for command in commands:
        if command.kind == "halt":
            state, answer = _halt(state, command)
        elif command.kind == "resume":
            state, answer = _resume(state, command)
        else:
            invariant(command.kind == "stop", "a command is stop, halt or resume", kind=command.kind)
            answer = Answer(
                kind="stop", granted=True, text=f"Stopping: {command.reason or f'{command.by} asked by {command.via}'}."
            )
        answers.append(answer)
    return state, tuple(answers)


def _halt(state: State, command: Command) -> tuple[State, Answer]:
    # A halt on a halted account changes its number all the same, so that a resume typed before it fails.
    state = msgspec.structs.replace(state, state_no=state.state_no + 1)
    text = f"{command.by} halted trading by {command.via}: {command.reason or 'no reason given'}"
    state = raise_latch(
        state,
        scope="account",
        code="HUMAN_HALT",
        level=TradingState.HALTED,
        text=text,
        raised_by=command.by,
    )
    return state, Answer(kind="halt", granted=True, text=f"Halted: {text}.")


def _resume(state: State, command: Command) -> tuple[State, Answer]:
    if command.state_no != state.state_no:
        text = (
            f"Not resumed: the state is number {state.state_no} by now, and {command.state_no} was typed. "
            "Something changed in between; look again."
        )
        return state, Answer(kind="resume", granted=False, text=text)
    if command.latch_id:
        return _clear(state, command)
    if state.latches:
        names = ", ".join(latch.latch_id for latch in state.latches)
        text = f"Not resumed: {names} still stands, and each latch is cleared by its own name first."
        return state, Answer(kind="resume", granted=False, text=text)
    raised = msgspec.structs.replace(state, trading_state=TradingState.ACTIVE, state_no=state.state_no + 1)
    text = f"{command.by} raised the trading state from {state.trading_state} to ACTIVE."
    return raised, Answer(kind="resume", granted=True, text=text)


def _clear(state: State, command: Command) -> tuple[State, Answer]:
    standing = tuple(latch for latch in state.latches if latch.latch_id != command.latch_id)
    if len(standing) == len(state.latches):
        text = f"Not resumed: no latch {command.latch_id} stands."
        return state, Answer(kind="resume", granted=False, text=text)
    cleared = msgspec.structs.replace(state, latches=standing, state_no=state.state_no + 1)
    left = {0: "none is left", 1: "1 still stands"}.get(len(standing), f"{len(standing)} still stand")
    text = f"{command.by} cleared latch {command.latch_id}; {left}. The state stays {state.trading_state}."
    return cleared, Answer(kind="resume", granted=True, text=text)


def cancel_entries(state: State, commands: tuple[Command, ...]) -> tuple[State, tuple[Cancel, ...]]:
    """Ask for the cancel of every open ENTRY that a stop, a halt or a standing latch takes away.

    A cancel that was asked for is not asked for again until it is answered, unless a person says stop or halt:
    theirs always goes out.

    Source: EXIT and PROTECTIVE orders stay, so that stopping never removes a way out.
    """
    kinds = {command.kind for command in commands}
    insists = "stop" in kinds or "halt" in kinds
    because = {latch.scope: f"latch {latch.latch_id} {latch.code} stands" for latch in state.latches}
    cancels: list[Cancel] = []
    blotter = state.blotter
    for order in state.blotter.open_orders.values():
        scopes = ("account", f"strategy:{order.strategy_id}", f"symbol:{order.symbol}")
        reasons = [because[scope] for scope in scopes if scope in because]
        if "stop" in kinds:
            reasons.insert(0, "the run is stopping")
        if order.order_class is not OrderClass.ENTRY or not reasons or (order.cancel_pending and not insists):
            continue
        cancels.append(Cancel(cl_ord_id=order.cl_ord_id, because=reasons[0]))
        blotter = blotter.put(msgspec.structs.replace(order, cancel_pending=True))
    return msgspec.structs.replace(state, blotter=blotter), tuple(cancels)


def _is_open(order: Order | None) -> bool:
    return order is not None and (order.ord_status.is_open or order.in_doubt)
