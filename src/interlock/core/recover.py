"""Recovery: what an account has, from the record of a run that nobody closed.

Floor 1 (decisions). Pure: the same folds as the run itself, over what the run wrote down. A synced approval is the
attempt itself, so an approved order without a word from the venue comes back as PENDING_NEW, never as unsent.
On the trip: before it. Start-up is recovery.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from interlock.core.book import fold_reports
from interlock.core.conduct import fold_cancels, fold_decision, forgiven, of_strategy, on_date
from interlock.core.judging import pending_order
from interlock.core.risk.limits import limits_of
from interlock.core.state import State, opening_state, to_carry
from interlock.model.conduct import Counters
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
        boot.carried,
        start=TradingState.HALTED,
        universe=boot.universe,
        limits=limits_of(boot.limits),
        scanners=(),
        next_latch_no=1,
        mode=boot.mode,
    )
    for cycle in cycles:
        state = _lived_again(state, cycle)
    # Prices were not lived again: the next run waits for its own.
    return msgspec.structs.replace(to_carry(state, head=head), confirmed=())


def _lived_again(state: State, cycle: Cycle) -> State:
    standing = state.latches
    market, outputs = cycle.inputs.market, cycle.outputs
    if market is not None:
        state = msgspec.structs.replace(state, as_of_ns=market.as_of_ns, trading_date=market.trading_date)
    state, _ = fold_reports(state, cycle.inputs.reports)
    if market is not None:
        state = msgspec.structs.replace(state, counters=on_date(state.counters, market.trading_date))
    state = _tightened_again(_forgiven_again(state, cycle), cycle)
    state = _decided_again(state, cycle)
    # The folds above raise latches of their own numbering; what the run wrote down is what stands.
    kept = tuple(latch for latch in standing if latch.latch_id not in outputs.latches_cleared)
    return msgspec.structs.replace(
        state,
        cycle=cycle.cycle,
        latches=(*kept, *outputs.latches_raised),
        standings={**state.standings, **{one.scope: one for one in outputs.of_gate.standings}},
        leaves=outputs.of_gate.leaves,
    )


def _forgiven_again(state: State, cycle: Cycle) -> State:
    """Count anew what a named human's look made count anew."""
    counters: Counters = state.counters
    for latch in state.latches:
        kind, _, name = latch.scope.partition(":")
        # A drawdown that was cleared moved a peak, which the record holds, and counted nothing anew.
        counts = kind == "strategy" and not latch.code.endswith(("DRAWDOWN", "DRAWDOWN_HARD"))
        if latch.latch_id in cycle.outputs.latches_cleared and counts:
            conduct = forgiven(of_strategy(counters, name), latch.code)
            counters = msgspec.structs.replace(counters, strategies={**counters.strategies, name: conduct})
    return msgspec.structs.replace(state, counters=counters)


def _tightened_again(state: State, cycle: Cycle) -> State:
    """Hold what a person made stricter, before anything is decided by it."""
    tightened = cycle.outputs.of_gate.tightened
    if not tightened:
        return state
    in_force = {**state.limits.in_force, **{limit.key: limit for limit in tightened}}
    again = limits_of((*in_force.values(), *state.limits.own.values()))
    limits = msgspec.structs.replace(state.limits, in_force=again.in_force, resolved=again.resolved)
    return msgspec.structs.replace(state, limits=limits)


def _decided_again(state: State, cycle: Cycle) -> State:
    """Fold the decisions and the cancels of a cycle: an approval is the attempt itself."""
    blotter, counters = state.blotter, state.counters
    for decision in cycle.outputs.decisions:
        intent = decision.intent
        px = max(intent.limit_px, decision.quote.ask_px if decision.quote.present else 0)
        counters = fold_decision(
            counters,
            decision,
            at_ns=state.as_of_ns,
            value_micros=intent.order_qty * px,
            limits=state.limits.of(strategy_id=intent.strategy_id, symbol=intent.symbol),
        )
        if decision.verdict is Verdict.APPROVED:
            blotter = blotter.put(pending_order(decision, state))
    owners: list[str] = []
    for cancel in cycle.outputs.cancels:
        order = blotter.open_orders.get(cancel.cl_ord_id)
        if order is not None:
            owners.append(order.strategy_id)
            blotter = blotter.put(msgspec.structs.replace(order, cancel_pending=True))
    return msgspec.structs.replace(state, blotter=blotter, counters=fold_cancels(counters, owners))
