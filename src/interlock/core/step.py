"""The step: one cycle's decisions, as one pure function on one screen.

Floor 1 (decisions). It knows no clock, no disk, no network and no chance: the same state and inputs give the
same outputs, byte for byte. On the trip: it stands between gathering and writing, and calls
BOOK, SCAN, IDEA and RISK in that order, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
import numpy as np

from interlock.core.book import cancel_entries, fold_reports, fold_trips, raise_latch, watch_doubt
from interlock.core.judging import judge_all, prove
from interlock.core.people import fold_commands, tightened_by
from interlock.core.scan import prices_of
from interlock.core.state import Rules, State, holdings_of
from interlock.core.strategy import Strategy, View, ask, named
from interlock.core.tape import advance_tape
from interlock.core.watching import fold_watches, stand
from interlock.model.conduct import DayRoll
from interlock.model.journal import (
    Answer,
    Booking,
    Command,
    GateOutputs,
    HostTrip,
    Inputs,
    Outputs,
    Proof,
    SeenMarket,
)
from interlock.model.market import MarketSnapshot
from interlock.model.mode import TradingState
from interlock.model.orders import ExecReport
from interlock.model.risk import Approved, RiskDecision
from interlock.model.signals import Candidate, Idea, OrderIntent, ScanResult

#: Of how many symbols the record keeps the quote, for the story; decisions keep their own.
SHOWN_MAX = 4


class Gathered(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What one cycle was given. `snapshot` is None in the cycle that stops a run; `is_told` if the gateway answered."""

    snapshot: MarketSnapshot | None
    reports: tuple[ExecReport, ...]
    commands: tuple[Command, ...]
    trips: tuple[HostTrip, ...]
    is_told: bool = True


class Stepped(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What one cycle decided: the next state, both halves of its record, and the approvals to redeem."""

    state: State
    inputs: Inputs
    outputs: Outputs
    approvals: tuple[Approved, ...]


def step(state: State, *, rules: Rules, strategies: Mapping[str, Strategy], gathered: Gathered) -> Stepped:
    """Fold one cycle's inputs into the state, and decide.

    Args:
        state: what the last cycle left.
        rules: what the run is judged by.
        strategies: by name, in the order in which they are asked.
        gathered: the market, the venue's reports, people's commands and the host's trips.

    Returns:
        The next state, the record of the cycle, and exactly one approval for each approved decision.

    Raises:
        InvariantError: a sentence that must always hold does not.
    """
    before = state
    kinds = tuple(command.kind for command in gathered.commands)
    stopping = "stop" in kinds
    state = _advance(state, gathered.snapshot)
    state, booked = _book(state, rules, gathered, before=before)

    scans: tuple[ScanResult, ...] = ()
    ideas: tuple[Idea, ...] = ()
    answered: tuple[RiskDecision, ...] = ()
    if gathered.snapshot is not None and not stopping:
        state, scans = _scan(state, gathered.snapshot)
        state, ideas, intents = _ask_all(state, rules, strategies, snapshot=gathered.snapshot, scans=scans)
        state, answered = judge_all(state, rules, snapshot=gathered.snapshot, intents=intents)

    state, cancels = cancel_entries(state, kinds)
    standing = {latch.latch_id for latch in state.latches}
    outputs = Outputs(
        bookings=booked.bookings,
        scans=scans,
        ideas=ideas,
        decisions=tuple(answer.decision for answer in answered),
        cancels=cancels,
        answers=booked.answers,
        latches_raised=tuple(latch for latch in state.latches if latch not in before.latches),
        latches_cleared=tuple(latch.latch_id for latch in before.latches if latch.latch_id not in standing),
        state_before=before.trading_state,
        state_after=state.trading_state,
        state_no=state.state_no,
        stopping=stopping,
        holdings=holdings_of(state),
        gate=_of_gate(before, state, booked),
    )
    approvals = tuple(answer for answer in answered if isinstance(answer, Approved))
    return Stepped(state=state, inputs=_inputs(gathered), outputs=outputs, approvals=approvals)


def _of_gate(before: State, after: State, booked: _Booked) -> GateOutputs | None:
    """Return what the gate's own controls had to say, None for nothing."""
    said = GateOutputs(
        standings=tuple(one for scope, one in after.standings.items() if one != before.standings.get(scope)),
        day_roll=booked.day_roll,
        proof=booked.proof,
        leaves=after.leaves,
        tightened=tightened_by(before, after),
        warnings=booked.warnings,
    )
    return None if said == GateOutputs() else said


class _Booked(msgspec.Struct, frozen=True, kw_only=True):
    """What BOOK had to say."""

    bookings: tuple[Booking, ...]
    answers: tuple[Answer, ...]
    day_roll: DayRoll | None
    proof: Proof | None
    warnings: tuple[str, ...]


def _book(state: State, rules: Rules, gathered: Gathered, *, before: State) -> tuple[State, _Booked]:
    """Fold the venue's words, the host's trips, the market's own, and last what people said."""
    snapshot = gathered.snapshot
    state, bookings = fold_reports(state, gathered.reports, is_told=gathered.is_told)
    day_roll: DayRoll | None = None
    warnings: tuple[str, ...] = ()
    proof: Proof | None = None
    if snapshot is not None:
        state = msgspec.structs.replace(
            state,
            tape=advance_tape(state.tape, snapshot, usable=prices_of(snapshot).usable, limits=state.limits.in_force),
        )
        state, day_roll, warnings = stand(state, rules)
        state, proof = prove(state, rules, snapshot=snapshot, commands=gathered.commands)
    state = watch_doubt(fold_trips(state, gathered.trips))
    state, answers = fold_commands(state, gathered.commands)
    if snapshot is not None:
        state = fold_watches(state, before=before)
    return state, _Booked(bookings=bookings, answers=answers, day_roll=day_roll, proof=proof, warnings=warnings)


def _advance(state: State, snapshot: MarketSnapshot | None) -> State:
    """Begin a cycle: count it, and take over the market's time; leaves and offers that are over go."""
    cycle = state.cycle + 1
    if snapshot is None:
        return msgspec.structs.replace(state, cycle=cycle)
    return msgspec.structs.replace(
        state,
        cycle=cycle,
        as_of_ns=snapshot.as_of_ns,
        trading_date=snapshot.trading_date,
        leaves=tuple(leave for leave in state.leaves if leave.expires_ns > snapshot.as_of_ns),
        offers=tuple(offer for offer in state.offers if offer.expires_ns > snapshot.as_of_ns),
    )


def _scan(state: State, snapshot: MarketSnapshot) -> tuple[State, tuple[ScanResult, ...]]:
    prices = prices_of(snapshot)
    advanced = [scanner.advance(snapshot, prices) for scanner in state.scanners]
    scanners = tuple(scanner for scanner, _ in advanced)
    return msgspec.structs.replace(state, scanners=scanners), tuple(result for _, result in advanced)


def _ask_all(
    state: State,
    rules: Rules,
    strategies: Mapping[str, Strategy],
    *,
    snapshot: MarketSnapshot,
    scans: tuple[ScanResult, ...],
) -> tuple[State, tuple[Idea, ...], tuple[OrderIntent, ...]]:
    """Ask each strategy once; name its wishes; a strategy that failed is latched."""
    candidates = tuple(candidate for result in scans for candidate in result.candidates)
    # The first named is the best: a dict that is filled backwards keeps it.
    causes = {found.symbol: f"{found.scanner}#{found.rank}" for found in reversed(candidates)}
    ideas: list[Idea] = []
    intents: list[OrderIntent] = []
    for name, strategy in strategies.items():
        asked = ask(strategy, _view(state, rules, name, snapshot=snapshot, candidates=candidates))
        ideas.append(asked.idea)
        for wish in asked.wishes:
            intent_id = f"{state.cycle:06d}-{len(intents) + 1:03d}"
            cause = causes.get(wish.symbol, "")
            intents.append(named(wish, strategy_id=name, intent_id=intent_id, cause=cause))
        if asked.idea.fault:
            state = raise_latch(
                state,
                scope=f"strategy:{name}",
                code="STRATEGY_FAULT",
                level=TradingState.HALTED,
                text=asked.idea.fault,
            )
    return state, tuple(ideas), tuple(intents)


def _view(
    state: State, rules: Rules, name: str, *, snapshot: MarketSnapshot, candidates: tuple[Candidate, ...]
) -> View:
    return View(
        strategy_id=name,
        cycle=state.cycle,
        snapshot=snapshot,
        index=MappingProxyType(rules.index),
        candidates=candidates,
        positions={
            symbol: position.qty for (owner, symbol), position in state.portfolio.positions.items() if owner == name
        },
        orders=tuple(order for order in state.blotter.open_orders.values() if order.strategy_id == name),
    )


def _inputs(gathered: Gathered) -> Inputs:
    """Return the journal's half of what was gathered; the market is kept as its digest and a few quotes."""
    snapshot = gathered.snapshot
    market = None
    if snapshot is not None:
        market = SeenMarket(
            seq=snapshot.seq,
            as_of_ns=snapshot.as_of_ns,
            trading_date=snapshot.trading_date,
            digest=snapshot.digest,
            symbols=len(snapshot.universe),
            present=int(np.count_nonzero(snapshot.present)),
            shown=tuple(snapshot.quote(ix) for ix in range(min(SHOWN_MAX, len(snapshot.universe)))),
            faults=snapshot.faults,
        )
    return Inputs(
        market=market,
        reports=gathered.reports,
        commands=gathered.commands,
        trips=gathered.trips,
        is_told=gathered.is_told,
    )
