"""Recovery: what an account has, from the record of a run that nobody closed.

Floor 1 (decisions). Pure: the same folds as the run itself, over what the run wrote down. A synced approval is the
attempt itself, so an approved order without a word from the venue comes back as PENDING_NEW, never as unsent.
On the trip: before it. Start-up is recovery.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from interlock.core.book import fold_reports
from interlock.core.state import State, opening_state, to_carry
from interlock.core.step import pending_order
from interlock.model.journal import Boot, Carried, Cycle
from interlock.model.mode import TradingState
from interlock.model.risk import Verdict


def recover(boot: Boot, cycles: Iterable[Cycle], *, head: str) -> Carried:
    """Fold a run's own record into what it left.

    Args:
        boot: its first record.
        cycles: its cycles, in order.
        head: the head of the record that they come from.

    Returns:
        What the next run carries.

    Raises:
        InvariantError: the record contradicts itself.
    """
    state = opening_state(
        boot.carried, start=TradingState.HALTED, symbols=len(boot.universe), scanners=(), next_latch_no=1
    )
    for cycle in cycles:
        state = _lived_again(state, cycle)
    return to_carry(state, head=head)


def _lived_again(state: State, cycle: Cycle) -> State:
    standing = state.latches
    market = cycle.inputs.market
    if market is not None:
        state = msgspec.structs.replace(state, as_of_ns=market.as_of_ns, trading_date=market.trading_date)
    state, _ = fold_reports(state, cycle.inputs.reports)
    blotter = state.blotter
    for decision in cycle.outputs.decisions:
        if decision.verdict is Verdict.APPROVED:
            blotter = blotter.put(pending_order(decision, state))
    for cancel in cycle.outputs.cancels:
        order = blotter.open_orders.get(cancel.cl_ord_id)
        if order is not None:
            blotter = blotter.put(msgspec.structs.replace(order, cancel_pending=True))
    # The folds above raise latches of their own numbering; what the run wrote down is what stands.
    kept = tuple(latch for latch in standing if latch.latch_id not in cycle.outputs.latches_cleared)
    return msgspec.structs.replace(
        state, cycle=cycle.cycle, blotter=blotter, latches=(*kept, *cycle.outputs.latches_raised)
    )
