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

from interlock.core.book import cancel_entries, fold_commands, fold_reports, fold_trips, raise_latch, watch_doubt
from interlock.core.risk.controls import Facts
from interlock.core.risk.engine import judge
from interlock.core.risk.headroom import RECENT_MAX, Approval, Headroom, make_headroom
from interlock.core.scan import prices_of
from interlock.core.state import Rules, State, holdings_of
from interlock.core.strategy import Strategy, View, ask, named
from interlock.model.journal import Command, HostTrip, Inputs, Outputs, SeenMarket
from interlock.model.market import MarketSnapshot, Quote
from interlock.model.mode import TradingState
from interlock.model.orders import ExecReport, Order, OrdStatus
from interlock.model.risk import Approved, Decision, RiskDecision
from interlock.model.signals import Candidate, Idea, OrderIntent, ScanResult

#: Of how many symbols the record keeps the quote, for the story; decisions keep their own.
SHOWN_MAX = 4


class Gathered(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What one cycle was given. `snapshot` is None in the cycle that stops a run."""

    snapshot: MarketSnapshot | None
    reports: tuple[ExecReport, ...]
    commands: tuple[Command, ...]
    trips: tuple[HostTrip, ...]


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
    stopping = any(command.kind == "stop" for command in gathered.commands)
    state = _advance(state, gathered.snapshot)

    state, bookings = fold_reports(state, gathered.reports)
    state = watch_doubt(fold_trips(state, gathered.trips))
    state, answers = fold_commands(state, gathered.commands)

    scans: tuple[ScanResult, ...] = ()
    ideas: tuple[Idea, ...] = ()
    answered: tuple[RiskDecision, ...] = ()
    if gathered.snapshot is not None and not stopping:
        state, scans = _scan(state, gathered.snapshot)
        state, ideas, intents = _ask_all(state, rules, strategies, snapshot=gathered.snapshot, scans=scans)
        state, answered = _judge_all(state, rules, gathered.snapshot, intents)

    state, cancels = cancel_entries(state, gathered.commands)
    raised = tuple(latch for latch in state.latches if latch not in before.latches)
    standing = {latch.latch_id for latch in state.latches}
    outputs = Outputs(
        bookings=bookings,
        scans=scans,
        ideas=ideas,
        decisions=tuple(answer.decision for answer in answered),
        cancels=cancels,
        answers=answers,
        latches_raised=raised,
        latches_cleared=tuple(latch.latch_id for latch in before.latches if latch.latch_id not in standing),
        state_before=before.trading_state,
        state_after=state.trading_state,
        state_no=state.state_no,
        stopping=stopping,
        holdings=holdings_of(state),
    )
    approvals = tuple(answer for answer in answered if isinstance(answer, Approved))
    return Stepped(state=state, inputs=_inputs(gathered), outputs=outputs, approvals=approvals)


def _advance(state: State, snapshot: MarketSnapshot | None) -> State:
    """Begin a cycle: count it, and take over the market's time and its confirmed prices."""
    cycle = state.cycle + 1
    if snapshot is None:
        return msgspec.structs.replace(state, cycle=cycle)
    prices = prices_of(snapshot)
    return msgspec.structs.replace(
        state,
        cycle=cycle,
        as_of_ns=snapshot.as_of_ns,
        trading_date=snapshot.trading_date,
        confirmed_px=np.where(prices.usable, prices.mid_px, state.confirmed_px),
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


def _judge_all(
    state: State, rules: Rules, snapshot: MarketSnapshot, intents: tuple[OrderIntent, ...]
) -> tuple[State, tuple[RiskDecision, ...]]:
    """Decide on each intent in order; what is approved is reserved before the next is looked at."""
    if not intents:
        return state, ()
    headroom = make_headroom(
        portfolio=state.portfolio, blotter=state.blotter, recent=_recent(state, rules), fees=rules.fees
    )
    answered: list[RiskDecision] = []
    blotter = state.blotter
    for intent in intents:
        answer = judge(_facts(state, rules, snapshot, intent, headroom))
        answered.append(answer)
        if isinstance(answer, Approved):
            headroom = headroom.reserve(intent, at_ns=state.as_of_ns, fees=rules.fees)
            blotter = blotter.put(pending_order(answer.decision, state))
    blocked = sum(1 for answer in answered if not isinstance(answer, Approved))
    tally = msgspec.structs.replace(
        state.tally, intents=state.tally.intents + len(intents), blocked=state.tally.blocked + blocked
    )
    recent = headroom.recent[-RECENT_MAX:]
    return msgspec.structs.replace(state, blotter=blotter, recent=recent, tally=tally), tuple(answered)


def _recent(state: State, rules: Rules) -> tuple[Approval, ...]:
    """Return the approvals that some window still counts."""
    windows = (rules.limits.value("duplicate_window_ns"), rules.limits.value("order_window_ns"))
    keep_ns = max(window or 0 for window in windows)
    return tuple(past for past in state.recent if state.as_of_ns - past.at_ns < keep_ns)


def _facts(state: State, rules: Rules, snapshot: MarketSnapshot, intent: OrderIntent, headroom: Headroom) -> Facts:
    ix = rules.index.get(intent.symbol)
    return Facts(
        intent=intent,
        mode=rules.mode,
        state=state.trading_state,
        latches=state.latches,
        known=ix is not None,
        quote=_no_quote(intent.symbol) if ix is None else snapshot.quote(ix),
        confirmed_px=0 if ix is None else int(state.confirmed_px[ix]),
        as_of_ns=state.as_of_ns,
        provides=rules.provides,
        limits=rules.limits,
        headroom=headroom,
        fees=rules.fees,
        price_of=lambda symbol: int(state.confirmed_px[rules.index[symbol]]) if symbol in rules.index else 0,
    )


def _no_quote(symbol: str) -> Quote:
    return Quote(
        symbol=symbol,
        present=False,
        halted=False,
        bid_px=0,
        ask_px=0,
        last_px=0,
        bid_qty=0,
        ask_qty=0,
        volume=0,
        event_ns=0,
    )


def pending_order(decision: Decision, state: State) -> Order:
    """Return the order that an approval became: from this instant on it counts as sent."""
    intent = decision.intent
    return Order(
        cl_ord_id=decision.decision_id,
        order_id="",
        strategy_id=intent.strategy_id,
        symbol=intent.symbol,
        side=intent.side,
        order_class=intent.order_class,
        ord_type=intent.ord_type,
        time_in_force=intent.time_in_force,
        limit_px=intent.limit_px,
        stop_px=intent.stop_px,
        order_qty=intent.order_qty,
        cum_qty=0,
        cost_micros=0,
        fee_micros=0,
        ord_status=OrdStatus.PENDING_NEW,
        cancel_pending=False,
        replace_pending=False,
        in_doubt=False,
        approved_ns=state.as_of_ns,
        trading_date=state.trading_date,
        exec_ids=(),
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
    return Inputs(market=market, reports=gathered.reports, commands=gathered.commands, trips=gathered.trips)
