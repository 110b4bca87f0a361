"""What `verify` finds in the gate's own record: leaves nobody gave, limits that moved alone, days that roll twice."""

from __future__ import annotations

import msgspec
import pytest
from tests import journal_factory
from tests.core_factory import command, limits, state, stepped, wish
from tests.journal_factory import MONDAY, START_NS, TUESDAY

from interlock.core.risk.keys import KEYS, MORE
from interlock.core.state import State
from interlock.core.step import Stepped
from interlock.model.conduct import DayRoll, Standing
from interlock.model.journal import Boot, Command, Cycle, GateOutputs, LimitInForce, Proof
from interlock.model.orders import Side
from interlock.model.risk import Leave, ReasonCode
from interlock.proof.verify_gate import LARGER_IS_STRICTER, GateRecount

SOFT = limits(soft_order_notional_micros=100_000_000)


def booted() -> Boot:
    """Return a first record with the limits of the runs below."""
    decided, _ = journal_factory.boot()
    assert isinstance(decided, Boot)
    return msgspec.structs.replace(decided, limits=SOFT.everywhere())


def record(found: Stepped) -> Cycle:
    """Return the record of a cycle that was lived."""
    return Cycle(cycle=found.state.cycle, inputs=found.inputs, outputs=found.outputs)


def problems(*cycles: Cycle) -> list[str]:
    """Return what does not fit in a run of these cycles."""
    recount = GateRecount(booted())
    return [problem for cycle in cycles for problem in recount.take(cycle)]


def allow(decision_id: str) -> Command:
    """Return a human's leave for a block."""
    return msgspec.structs.replace(command("allow", reason="I looked"), about=decision_id)


def soft_run(before: State | None = None) -> list[Cycle]:
    """Live a soft block, its leave, the order that uses it, and the same wish again."""
    now, cycles = before or state(in_force=SOFT), []
    for commands in ((), (allow("000001-001"),), ()):
        found = stepped(now, wish(), commands=commands)
        cycles.append(record(found))
        now = found.state
    return cycles


def with_gate(cycle: Cycle, **changes: object) -> Cycle:
    """Return a cycle with other words of the gate."""
    gate = msgspec.structs.replace(cycle.outputs.of_gate, **changes)
    return msgspec.structs.replace(cycle, outputs=msgspec.structs.replace(cycle.outputs, gate=gate))


def tighten(key: str, new_value: int) -> Command:
    """Return a human's wish for a stricter limit."""
    return msgspec.structs.replace(command("tighten"), about=key, new_value=new_value)


def tight_run() -> list[Cycle]:
    """Live two cycles, in the second of which a limit is tightened."""
    first = stepped(state(in_force=SOFT))
    return [record(first), record(stepped(first.state, commands=(tighten("max_order_qty", 5),)))]


def test_a_leave_that_a_human_gave_and_that_was_used_once_is_sound() -> None:
    """The soft block, the leave in the next cycle, the approval by it, and nothing left of it."""
    cycles = soft_run()

    assert [] == problems(*cycles)
    assert ["BLOCKED", "APPROVED", "BLOCKED"] == [cycle.outputs.decisions[0].verdict.value for cycle in cycles]


def test_an_approval_by_a_leave_that_nobody_gave_is_found() -> None:
    """Without the command that gave it, no leave was there to pass by."""
    first, second, _ = soft_run()
    inputs = msgspec.structs.replace(second.inputs, commands=())

    assert ["000002-001 passed by a leave, and none that fits it was given or is used up by it"] == problems(
        first, msgspec.structs.replace(second, inputs=inputs)
    )


def test_an_approval_beside_an_allow_that_was_refused_is_found() -> None:
    """A command is no leave: only one that was granted, for this very block, lets anything pass."""
    first, second, _ = soft_run()
    refused = msgspec.structs.replace(second.outputs.answers[0], granted=False)
    outputs = msgspec.structs.replace(second.outputs, answers=(refused,))

    assert ["000002-001 passed by a leave, and none that fits it was given or is used up by it"] == problems(
        first, msgspec.structs.replace(second, outputs=outputs)
    )


def test_a_limit_that_was_written_as_tightened_and_lets_more_through_is_found() -> None:
    """A limit only ever becomes stricter, whichever way it looks."""
    first, second = tight_run()
    looser = (
        LimitInForce(key="max_order_qty", value=10**6, unit="qty", source="tightened"),
        LimitInForce(key="duplicate_window_ns", value=1, unit="ns", source="tightened"),
    )

    assert [
        "the limit max_order_qty is written as tightened from 10000 to 1000000",
        "the limit duplicate_window_ns is written as tightened from 10000000000 to 1",
    ] == problems(first, with_gate(second, tightened=looser))


def test_the_way_that_each_limit_looks_is_known_here_too() -> None:
    """The list of limits of which the larger is stricter is that of the gate, written a second time."""
    assert {name for name, key in KEYS.items() if key.stricter == MORE} == LARGER_IS_STRICTER


def test_a_leave_that_nobody_gave_is_found() -> None:
    """A leave that stands in a record must be one that a named human gave in that cycle."""
    first = soft_run()[0]
    leave = Leave(
        decision_id="000001-001",
        strategy_id="cross",
        symbol="SPY",
        side=Side.BUY,
        order_qty=10,
        codes=(ReasonCode.ORDER_NOTIONAL_LARGE,),
        observed=(10**9,),
        expires_ns=START_NS * 2,
        by="interlock",
        reason="because",
    )

    assert ["the leave for 000001-001 is not one that a human gave in this cycle"] == problems(
        with_gate(first, leaves=(leave,))
    )


def test_a_limit_that_a_person_tightened_is_sound_and_one_that_moved_alone_is_found() -> None:
    """A limit moves only by a person who was obeyed."""
    first, second = tight_run()
    alone = msgspec.structs.replace(second, outputs=msgspec.structs.replace(second.outputs, answers=()))

    assert [] == problems(first, second)
    assert ["the limit max_order_qty was changed, and nobody was obeyed who asked for it"] == problems(first, alone)


def test_a_tightening_to_what_it_was_is_found() -> None:
    """A limit that is written as tightened has another value than before."""
    first, second = tight_run()
    same = (LimitInForce(key="max_order_qty", value=10_000, unit="qty", source="tightened"),)

    assert ["the limit max_order_qty is written as tightened from 10000 to 10000"] == problems(
        first, with_gate(second, tightened=same)
    )


def test_a_gate_that_missed_a_violation_and_went_on_is_found() -> None:
    """After a miss nothing may be approved in the same cycle."""
    found = record(stepped(state(), wish()))
    missed = with_gate(found, proof=Proof(refused=60, missed=("DATA_STALE",)))

    assert ["the gate missed DATA_STALE in its test of itself, and went on approving"] == problems(missed)


@pytest.mark.parametrize(
    ("roll", "expected"),
    [
        (None, f"the trading date went from none to {MONDAY}, and the day did not roll"),
        (
            DayRoll(trading_date=TUESDAY, standings=()),
            f"the day rolls to {TUESDAY}, where the date was none and is {MONDAY}",
        ),
    ],
)
def test_a_day_that_does_not_roll_or_rolls_elsewhere_is_found(roll: DayRoll | None, expected: str) -> None:
    """Each trading date begins once, and on its own date."""
    assert [expected] == problems(with_gate(record(stepped(state(in_force=SOFT))), day_roll=roll))


def test_a_day_that_rolls_twice_is_found() -> None:
    """A date that has begun does not begin again, whatever restarts in between."""
    first = stepped(state(in_force=SOFT))
    again = with_gate(record(stepped(first.state)), day_roll=DayRoll(trading_date=MONDAY, standings=()))

    assert [f"the day rolls to {MONDAY}, where the date was {MONDAY} and is {MONDAY}"] == problems(record(first), again)


def test_a_day_that_was_begun_anew_within_it_is_found() -> None:
    """An opening that moves within a date would hide a loss; a peak below the profit would hide a drawdown."""
    first = stepped(state(in_force=SOFT))
    second = record(stepped(first.state))
    moved = Standing(scope="account", profit_micros=-5, opening_micros=-5, peak_micros=0)
    sunk = Standing(scope="account", profit_micros=7, opening_micros=0, peak_micros=6)

    assert ["the day of account began at 0 micros of profit, and is written as -5"] == problems(
        record(first), with_gate(second, standings=(moved,))
    )
    assert ["account stands above its own peak"] == problems(record(first), with_gate(second, standings=(sunk,)))


def test_a_cycle_without_words_of_the_gate_is_sound() -> None:
    """Most cycles have nothing to say of the gate itself."""
    first = stepped(state(in_force=SOFT))
    quiet = record(stepped(first.state))
    bare = msgspec.structs.replace(quiet, outputs=msgspec.structs.replace(quiet.outputs, gate=None))

    assert GateOutputs() == bare.outputs.of_gate
    assert [] == problems(record(first), bare)
