"""People: what was said to a running process, obeyed or refused, each with a sentence.

Floor 1 (decisions). Pure. Only here the trading state rises, a latch is cleared, a limit is tightened and a soft block
is let through; each by a named human, and none of them by a strategy.
On the trip: BOOK, after the venue's reports and the host's trips.
"""

from __future__ import annotations

import msgspec

from interlock.core.book import raise_latch
from interlock.core.conduct import forgiven, of_strategy
from interlock.core.risk.keys import KEYS
from interlock.core.risk.limits import tightened
from interlock.core.risk.table import CONTROLS
from interlock.core.standing import rebased
from interlock.core.state import State
from interlock.core.tape import clear_split
from interlock.core.watch import WATCHES
from interlock.core.watching import standing_trip
from interlock.core.words import number
from interlock.model.errors import invariant
from interlock.model.journal import Answer, Command, LimitInForce
from interlock.model.mode import TradingState
from interlock.model.risk import Latch, Leave
from interlock.model.units import SECOND_NS, shares, utc

#: A human's one-time leave is over after this span of market time.
LEAVE_NS = 600 * SECOND_NS
#: Latches that a human clears on a later trading date only.
_LATER_DATE = frozenset({"DAILY_LOSS_HARD", "STRATEGY_LOSS_HARD"})
#: The latch of a gate that missed a violation: nobody clears it in this process.
GATE_MISSED = "GATE_MISSED"


def fold_commands(state: State, commands: tuple[Command, ...]) -> tuple[State, tuple[Answer, ...]]:
    """Obey people, in the order in which they spoke: halt and stop always, everything else only if it is exact."""
    answers: list[Answer] = []
    for command in commands:
        if command.kind == "halt":
            state, answer = _halt(state, command)
        elif command.kind == "resume":
            state, answer = _resume(state, command)
        elif command.kind == "allow":
            state, answer = _allow(state, command)
        elif command.kind == "tighten":
            state, answer = _tighten(state, command)
        else:
            invariant(command.kind == "stop", "a command is stop, halt, resume, allow or tighten", kind=command.kind)
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


def _no(kind: str, text: str) -> Answer:
    return Answer(kind=kind, granted=False, text=text)


def _resume(state: State, command: Command) -> tuple[State, Answer]:
    if command.state_no != state.state_no:
        text = (
            f"Not resumed: the state is number {state.state_no} by now, and {command.state_no} was typed. "
            "Something changed in between; look again."
        )
        return state, _no("resume", text)
    if command.latch_id:
        return _clear(state, command)
    if state.latches:
        names = ", ".join(latch.latch_id for latch in state.latches)
        return state, _no(
            "resume", f"Not resumed: {names} still stands, and each latch is cleared by its own name first."
        )
    raised = msgspec.structs.replace(state, trading_state=TradingState.ACTIVE, state_no=state.state_no + 1)
    text = f"{command.by} raised the trading state from {state.trading_state} to ACTIVE."
    return raised, Answer(kind="resume", granted=True, text=text)


def _clear(state: State, command: Command) -> tuple[State, Answer]:
    found = [latch for latch in state.latches if latch.latch_id == command.latch_id]
    if not found:
        return state, _no("resume", f"Not resumed: no latch {command.latch_id} stands.")
    latch = found[0]
    if latch.code == GATE_MISSED:
        text = (
            f"Not resumed: {latch.latch_id} says that the gate did not prove itself, and nobody clears that while the "
            "process runs. Stop it, and see whether the next start proves itself."
        )
        return state, _no("resume", text)
    if latch.mode and latch.mode != state.mode.value and any(watch.code == latch.code for watch in WATCHES):
        text = (
            f"Not resumed: {latch.latch_id} tripped in {latch.mode}, and this process is {state.mode.value}, which "
            f"knows nothing of it. Clear it in a {latch.mode} process."
        )
        return state, _no("resume", text)
    if latch.code in _LATER_DATE and state.trading_date <= latch.trading_date:
        return state, _no(
            "resume", f"Not resumed: {latch.latch_id} {latch.code} is cleared on a later trading date only."
        )
    after = _forgiven(state, latch)
    still = standing_trip(after, code=latch.code, scope=latch.scope)
    if still:
        return state, _no("resume", f"Not resumed: what tripped {latch.latch_id} still holds: {still}.")
    standing = tuple(one for one in state.latches if one is not latch)
    cleared = msgspec.structs.replace(after, latches=standing, state_no=state.state_no + 1)
    left = {0: "none is left", 1: "1 still stands"}.get(len(standing), f"{len(standing)} still stand")
    text = f"{command.by} cleared latch {command.latch_id}; {left}. The state stays {state.trading_state}."
    return cleared, Answer(kind="resume", granted=True, text=text)


def _forgiven(state: State, latch: Latch) -> State:
    """Return the state in which what tripped a latch is counted anew, where a human's look is all that it takes."""
    kind, _, name = latch.scope.partition(":")
    if latch.code == "SPLIT_SUSPECTED" and name in state.tape.universe:
        return msgspec.structs.replace(state, tape=clear_split(state.tape, state.tape.universe.index(name)))
    if latch.code.endswith(("DRAWDOWN", "DRAWDOWN_HARD")):
        return msgspec.structs.replace(state, standings=rebased(state.standings, latch.scope))
    if kind == "strategy":
        conduct = forgiven(of_strategy(state.counters, name), latch.code)
        strategies = {**state.counters.strategies, name: conduct}
        return msgspec.structs.replace(state, counters=msgspec.structs.replace(state.counters, strategies=strategies))
    return state


def _allow(state: State, command: Command) -> tuple[State, Answer]:
    """Give a one-time leave for a block of which nothing but soft controls stood in the way."""
    offers = [offer for offer in state.offers if offer.decision_id == command.about]
    if not offers:
        text = (
            f"Not allowed: {command.about} is none of the last decisions that only a soft control blocked. What a hard "
            "control blocks, nobody lets through."
        )
        return state, _no("allow", text)
    if not command.reason.strip():
        return state, _no("allow", "Not allowed: a leave needs a reason, which is recorded. Type --reason.")
    offer = offers[0]
    leave = msgspec.structs.replace(
        offer, expires_ns=state.as_of_ns + LEAVE_NS, by=command.by, reason=command.reason.strip()
    )
    text = (
        f"{command.by} allowed {leave.strategy_id} once to {leave.side} at most {shares(leave.order_qty)} of "
        f"{leave.symbol} past {_seen(leave)}, until {utc(leave.expires_ns)}: {leave.reason}. "
        "Every other control holds, and the strategy must wish for it again."
    )
    kept = tuple(one for one in state.leaves if one.decision_id != leave.decision_id)
    after = msgspec.structs.replace(
        state, leaves=(*kept, leave), offers=tuple(one for one in state.offers if one is not offer)
    )
    return after, Answer(kind="allow", granted=True, text=text)


def _seen(leave: Leave) -> str:
    """Return the soft controls of a leave, each with the most that it lets through."""
    units = {control.code: control.unit for control in CONTROLS}
    parts = [
        f"{code} up to {number(most, units[code])}" for code, most in zip(leave.codes, leave.observed, strict=True)
    ]
    return " and ".join(parts)


def _tighten(state: State, command: Command) -> tuple[State, Answer]:
    """Make one limit stricter, at once; what would let more through is refused."""
    key = KEYS.get(command.about)
    if key is None:
        return state, _no("tighten", f"Not tightened: there is no limit {command.about}.")
    was = state.limits.in_force[key.name].value
    if was is None:
        text = f"Not tightened: {key.written} is not written, so it blocks already. To write it, start anew."
        return state, _no("tighten", text)
    limits = tightened(state.limits, name=key.name, value=command.new_value)
    if limits is None:
        text = (
            f"Not tightened: {key.written} is {number(was, key.unit)}, and {number(command.new_value, key.unit)} would "
            "not let less through than it does. To loosen a limit, change the file and start anew."
        )
        return state, _no("tighten", text)
    after = msgspec.structs.replace(state, limits=limits, state_no=state.state_no + 1)
    return after, Answer(kind="tighten", granted=True, text=f"{command.by} tightened {key.written}.")


def tightened_by(before: State, after: State) -> tuple[LimitInForce, ...]:
    """Return the limits that became stricter between two states."""
    if before.limits is after.limits:
        return ()
    held = before.limits.in_force
    return tuple(limit for name, limit in after.limits.in_force.items() if limit is not held.get(name))
