"""How a run ends: its last record, as a fold over its last reports, and what its exit code is.

Floor 1 (decisions). Pure: the loop writes what is made here, and a replay makes it again.
On the trip: after it.
"""

from __future__ import annotations

from interlock.core.book import fold_reports, raise_latch
from interlock.core.state import State, counts_of, holdings_of, to_carry
from interlock.core.step import Stepped
from interlock.model.errors import ExitCode
from interlock.model.journal import Cycle, Stop
from interlock.model.mode import TradingState
from interlock.model.orders import ExecReport

#: How the reason of a stop begins that a broken cycle brought about.
BROKE = "a cycle broke: "


def cycle_record(stepped: Stepped) -> Cycle:
    """Return the decided part of one cycle's record."""
    return Cycle(cycle=stepped.state.cycle, inputs=stepped.inputs, outputs=stepped.outputs)


def broken(state: State, text: str) -> State:
    """Return the state after a cycle broke: the account is latched HALTED, and `text` says by what."""
    return raise_latch(state, scope="account", code="CYCLE_BROKE", level=TradingState.HALTED, text=text)


def closing_record(  # noqa: PLR0913 - what the end of a run is made of
    state: State,
    *,
    reports: tuple[ExecReport, ...],
    at_gateway: tuple[str, ...],
    reason: str,
    at_least: ExitCode,
    head: str,
) -> tuple[State, Stop]:
    """Fold the last reports, and return the state that is left with the decided part of the last record.

    Args:
        state: what the last cycle left.
        reports: what the gateway still said.
        at_gateway: ids of the orders that work there.
        reason: why the run ends, a sentence.
        at_least: the exit code if it is not clean already.
        head: of the record so far.
    """
    state, bookings = fold_reports(state, reports)
    open_orders = state.blotter.open_orders
    in_doubt = tuple(order.cl_ord_id for order in open_orders.values() if order.in_doubt)
    # What works is what either side believes to work: unknown is not empty.
    working = tuple(sorted((open_orders.keys() | set(at_gateway)) - set(in_doubt)))
    return state, Stop(
        cycle=state.cycle,
        reports=reports,
        bookings=bookings,
        reason=reason,
        exit_code=at_least or _exit_code(state, working=working, in_doubt=in_doubt),
        working=working,
        in_doubt=in_doubt,
        counts=counts_of(state),
        state=state.trading_state,
        closing=to_carry(state, head=head),
        holdings=holdings_of(state),
    )


def _exit_code(state: State, *, working: tuple[str, ...], in_doubt: tuple[str, ...]) -> ExitCode:
    if working or in_doubt:
        return ExitCode.ORDERS_LEFT
    if any(latch.scope == "account" for latch in state.latches):
        return ExitCode.LATCHED
    return ExitCode.CLEAN
