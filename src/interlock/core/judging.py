"""Judging: every intent of a cycle through the gate, in a fixed order, each reserved before the next is looked at.

Floor 1 (decisions). Pure. It gathers what the gate may read, and hands over nothing else.
On the trip: RISK, after IDEA; and before the first decision the gate proves itself here.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from interlock.core.book import raise_latch, unanswered_before_ns
from interlock.core.conduct import fold_decision, of_strategy
from interlock.core.people import GATE_MISSED, LEAVE_NS
from interlock.core.risk.engine import judge
from interlock.core.risk.facts import Facts
from interlock.core.risk.headroom import Headroom, make_headroom
from interlock.core.risk.order_controls import PROOF_NS
from interlock.core.risk.proof_test import probe_intent, probed
from interlock.core.risk.shape import shaped
from interlock.core.sessions import place_of
from interlock.core.state import Rules, State
from interlock.core.tape import NO_TAPE, faults_in_minute, symbol_tape
from interlock.model.journal import Command, Proof
from interlock.model.market import MarketSnapshot, Quote, SymbolReference
from interlock.model.mode import TradingState
from interlock.model.orders import Order, OrdStatus
from interlock.model.risk import Approved, Decision, Leave, RiskDecision
from interlock.model.signals import OrderIntent

#: Of how many blocks a human may allow one; older ones are forgotten, and the strategy has to wish again.
OFFERS_MAX = 50
_NO_REFERENCE = SymbolReference(close_px=0, adv_qty=0, band_low_px=0, band_high_px=0)


def judge_all(
    state: State, rules: Rules, *, snapshot: MarketSnapshot, intents: tuple[OrderIntent, ...]
) -> tuple[State, tuple[RiskDecision, ...]]:
    """Decide on each intent in order; what is approved is reserved before the next is looked at."""
    if not intents:
        return state, ()
    headroom = _headroom(state, rules)
    base = _base(state, rules, headroom)
    answered: list[RiskDecision] = []
    for wished in intents:
        asked = _facts(base, wished, state=state, rules=rules, snapshot=snapshot)
        answer = judge(asked)
        answered.append(answer)
        state = _remembered(state, answer, asked)
        if isinstance(answer, Approved):
            headroom = headroom.reserve(asked.intent, fees=rules.fees)
        base = msgspec.structs.replace(base, headroom=headroom, counters=state.counters)
    blocked = sum(1 for answer in answered if not isinstance(answer, Approved))
    tally = msgspec.structs.replace(
        state.tally, intents=state.tally.intents + len(intents), blocked=state.tally.blocked + blocked
    )
    return msgspec.structs.replace(state, tally=tally), tuple(answered)


def _remembered(state: State, answer: RiskDecision, asked: Facts) -> State:
    """Return the state that counts one decision: its attempt, its order, the leave that it used, a leave it offers."""
    decision = answer.decision
    intent = decision.intent
    px = max(intent.limit_px, decision.quote.ask_px if decision.quote.present else 0)
    counters = fold_decision(
        state.counters,
        decision,
        at_ns=state.as_of_ns,
        value_micros=intent.order_qty * px,
        limits=asked.limits,
    )
    if not isinstance(answer, Approved):
        offers = (
            (*state.offers, _offer(decision, at_ns=state.as_of_ns))[-OFFERS_MAX:]
            if decision.is_soft_block
            else state.offers
        )
        return msgspec.structs.replace(state, counters=counters, offers=offers)
    has_used = asked.leave is not None and any(check.source == "leave" for check in decision.checks)
    used = asked.leave if has_used else None
    return msgspec.structs.replace(
        state,
        counters=counters,
        blotter=state.blotter.put(pending_order(decision, state)),
        leaves=tuple(leave for leave in state.leaves if leave is not used),
    )


def _offer(decision: Decision, *, at_ns: int) -> Leave:
    """Return the leave that a human may give for a block of soft controls alone; it is offered for a while."""
    intent = decision.intent
    return Leave(
        decision_id=decision.decision_id,
        strategy_id=intent.strategy_id,
        symbol=intent.symbol,
        side=intent.side,
        order_qty=intent.order_qty,
        codes=tuple(check.code for check in decision.failed()),
        observed=tuple(check.observed or 0 for check in decision.failed()),
        expires_ns=at_ns + LEAVE_NS,
        by="",
        reason="",
    )


def prove(
    state: State, rules: Rules, *, snapshot: MarketSnapshot, commands: tuple[Command, ...]
) -> tuple[State, Proof | None]:
    """Let the gate prove itself where that is due: at the start, every 15 minutes, and before a resume is obeyed.

    Returns:
        The state, and what was proved; None where it was not due. A miss latches the account.
    """
    arms = any(command.kind == "resume" and not command.latch_id for command in commands)
    if state.proved_ns >= 0 and state.as_of_ns - state.proved_ns < PROOF_NS and not arms:
        return state, None
    base = _base(state, rules, _headroom(state, rules))
    ask_px = int(snapshot.ask_px[0])
    intent = probe_intent(rules.universe[0], px=max(1, ask_px))
    proof = probed(_facts(base, intent, state=state, rules=rules, snapshot=snapshot))
    if not proof.missed:
        return msgspec.structs.replace(state, proved_ns=state.as_of_ns), proof
    text = (
        f"the gate let a synthetic violation through that it must refuse: {', '.join(proof.missed)}. Its own checks "
        "cannot be trusted"
    )
    state = msgspec.structs.replace(state, proved_ns=-1)
    state = raise_latch(
        state,
        scope="account",
        code=GATE_MISSED,
        level=TradingState.HALTED,
        text=text,
        clears="nobody while the process runs; the next start proves itself again",
    )
    return state, proof


def _headroom(state: State, rules: Rules) -> Headroom:
    return make_headroom(
        portfolio=state.portfolio,
        blotter=state.blotter,
        fees=rules.fees,
        price_of=_prices(state, rules),
        groups=state.limits.groups,
        unanswered_before_ns=unanswered_before_ns(state),
    )


def _prices(state: State, rules: Rules) -> Callable[[str], int]:
    confirmed_px = state.tape.confirmed_px.tolist()
    index = rules.index
    return lambda symbol: confirmed_px[index[symbol]] if symbol in index else 0


def _base(state: State, rules: Rules, headroom: Headroom) -> Facts:
    """Return the facts that are the same for every intent of a cycle; those of one intent are blank."""
    standing = state.standings.get("account")
    # A mark that is missing now makes the equity unknown, whatever it was before.
    equity = None if standing is None else state.portfolio.account.opening_micros + standing.profit_micros
    return Facts(
        intent=probe_intent("", px=1),
        mode=rules.mode,
        state=state.trading_state,
        latches=state.latches,
        known=False,
        quote=_no_quote(""),
        reference=_NO_REFERENCE,
        tape=NO_TAPE,
        feed_ns=state.tape.feed_ns,
        feed_faults=faults_in_minute(state.tape),
        as_of_ns=state.as_of_ns,
        place=place_of(rules.calendar, state.as_of_ns),
        exchange=rules.calendar.name,
        provides=rules.provides,
        limits=state.limits.in_force,
        policy=state.limits,
        headroom=headroom,
        counters=state.counters,
        conduct=of_strategy(state.counters, ""),
        fees=rules.fees,
        equity_micros=equity if _is_marked(state, rules) else None,
        position_age_ns=None if state.told_ns < 0 else state.as_of_ns - state.told_ns,
        proved_ns_ago=None if state.proved_ns < 0 else state.as_of_ns - state.proved_ns,
        leave=None,
    )


def _is_marked(state: State, rules: Rules) -> bool:
    """Return True if every position has a confirmed price on the side where it would be closed, and no jump waits."""
    tape = state.tape
    for position in state.portfolio.positions.values():
        if position.qty == 0:
            continue
        ix = rules.index.get(position.symbol)
        if ix is None or (tape.mark_bid_px[ix] if position.qty > 0 else tape.mark_ask_px[ix]) <= 0:
            return False
        if tape.jump_px[ix] > 0 or tape.split[ix]:
            # The price may be another by now, so nobody knows what was lost.
            return False
    return True


def _facts(base: Facts, wished: OrderIntent, *, state: State, rules: Rules, snapshot: MarketSnapshot) -> Facts:
    """Return what the gate may read about one intent."""
    ix = rules.index.get(wished.symbol)
    quote = _no_quote(wished.symbol) if ix is None else snapshot.quote(ix)
    limits = state.limits.of(strategy_id=wished.strategy_id, symbol=wished.symbol)
    intent = shaped(wished, quote=quote, limits=limits)
    return msgspec.structs.replace(
        base,
        intent=intent,
        known=ix is not None,
        quote=quote,
        reference=_NO_REFERENCE if ix is None else snapshot.reference_of(ix),
        tape=NO_TAPE if ix is None else symbol_tape(state.tape, ix),
        limits=limits,
        conduct=of_strategy(base.counters, wished.strategy_id),
        leave=_leave_for(state, intent),
    )


def _leave_for(state: State, intent: OrderIntent) -> Leave | None:
    """Return a human's leave for this very order: of this strategy, symbol and side, and at most its size."""
    for leave in state.leaves:
        bound = (leave.strategy_id, leave.symbol, leave.side) == (intent.strategy_id, intent.symbol, intent.side)
        if bound and intent.order_qty <= leave.order_qty:
            return leave
    return None


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
        arrival_bid_px=decision.quote.bid_px if decision.quote.present else 0,
        arrival_ask_px=decision.quote.ask_px if decision.quote.present else 0,
    )
