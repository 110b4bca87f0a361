"""The gate proves itself: one violation a control is refused, one that is let through halts, and none is ever sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest
from tests.core_factory import (
    command,
    exit_facts,
    facts,
    holding,
    latch,
    leaving,
    quote,
    rules,
    snapshot,
    state,
    stepped,
    wish,
)
from tests.gate_cases import CASES
from tests.gate_factory import BY_CODE, EVERY_CLASS, leave, limit_of, remade, says_yes
from tests.journal_factory import START_NS

from interlock.config_units import StrategyName
from interlock.core.judging import prove
from interlock.core.people import GATE_MISSED
from interlock.core.risk import proof_test
from interlock.core.risk.decision import decide
from interlock.core.risk.engine import judge
from interlock.core.risk.facts import Control, Facts
from interlock.core.risk.keys import KEYS
from interlock.core.risk.order_controls import PROOF_NS
from interlock.core.risk.proof_test import probe_intent, probed, violated
from interlock.core.risk.rows import Row, rows_for
from interlock.core.state import State
from interlock.core.step import Stepped
from interlock.model.errors import InvariantError
from interlock.model.journal import Proof
from interlock.model.market import Provides
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass
from interlock.model.risk import ReasonCode
from interlock.model.signals import OrderIntent, ProbeIntent
from interlock.model.units import INTEGER_MAX, SECOND_NS

R = ReasonCode
ALL = Proof(refused=len(BY_CODE), missed=())
#: The same of a run whose source knows nothing beforehand: three controls are not covered.
COVERED = Proof(refused=len(BY_CODE) - 3, missed=())


def broken(*codes: ReasonCode) -> dict[OrderClass, tuple[Row, ...]]:
    """Return the whole table with some controls that let everything pass."""
    return {order_class: says_yes(*codes, order_class=order_class) for order_class in EVERY_CLASS}


def probe(asked: Facts) -> Facts:
    """Return facts about a probe."""
    return msgspec.structs.replace(asked, intent=ProbeIntent(**msgspec.structs.asdict(asked.intent)))


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Break one control of the table that the gate proves itself by; undone, the table is sound again."""
    table = broken(R.SHORT_SALE)
    with monkeypatch.context() as broken_gate:
        broken_gate.setattr(proof_test, "rows_for", lambda order_class, _: table[order_class])
        yield broken_gate


def proof_of(found: Stepped) -> Proof | None:
    """Return what the gate said of itself in a cycle."""
    return found.outputs.of_gate.proof


def at(seconds: int, before: State, *wishes: object, **given: object) -> Stepped:
    """Live one cycle so many seconds after the start."""
    market = snapshot(before.cycle + 1, as_of_ns=START_NS + seconds * SECOND_NS)
    return stepped(before, *wishes, market=market, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", [facts(), exit_facts()], ids=EVERY_CLASS)
def test_every_control_refuses_its_violation(asked: Facts) -> None:
    """On sound facts of either class each control of the table is tried once, and none lets its violation through."""
    assert ALL == probed(asked)


@pytest.mark.parametrize("code", BY_CODE)
def test_a_control_that_lets_everything_through_is_found_and_named(code: ReasonCode) -> None:
    """Break any one of them, and the proof says which, and that the others still hold."""
    assert Proof(refused=len(BY_CODE) - 1, missed=(code,)) == probed(facts(), rows=broken(code))


@pytest.mark.parametrize("code", [code for code, control in BY_CODE.items() if control.measure is not None])
def test_a_control_whose_reading_is_stuck_is_found(code: ReasonCode) -> None:
    """A measure that reads the same harmless number whatever happens compares rightly, and is found all the same."""

    def stuck(control: Control) -> Control:
        harmless = INTEGER_MAX if control.is_least else 0
        return msgspec.structs.replace(control, measure=lambda _: harmless)

    table = {order_class: remade(stuck, code, order_class=order_class) for order_class in EVERY_CLASS}

    assert (code,) == probed(facts(), rows=table).missed


def test_all_broken_controls_are_named() -> None:
    """Not only the first one: those of an entry in the order of the table, and then what only an exit must pass."""
    only_exits = (R.EXIT_COLLAR, R.REDUCE_ONLY)
    codes = (*(code for code in BY_CODE if code not in only_exits), *only_exits)

    assert Proof(refused=0, missed=codes) == probed(facts(), rows=broken(*BY_CODE))


def test_a_control_that_does_not_mark_itself_as_required_is_found() -> None:
    """A control that no class must pass refuses nothing: it is not counted, so the count says that one is gone."""
    table = {order_class: rows_for(order_class, frozenset(Provides)) for order_class in EVERY_CLASS}
    idle = {
        order_class: tuple(
            msgspec.structs.replace(row, required=row.required and row.control.code is not R.SHORT_SALE) for row in rows
        )
        for order_class, rows in table.items()
    }

    assert ALL.refused - 1 == probed(facts(), rows=idle).refused


@pytest.mark.parametrize("code", CASES)
def test_a_sound_gate_misses_nothing_whatever_the_facts_are(code: ReasonCode) -> None:
    """At every limit, beyond it, and with every input missing: a proof that cries wolf would halt a sound account."""
    case = CASES[code]()

    assert [()] * 3 == [probed(asked).missed for asked in (case.at, case.beyond, case.unfed or case.at)]


@pytest.mark.parametrize("value", [None, 0, 1, 2**52])
@pytest.mark.parametrize("key", KEYS)
def test_a_sound_gate_misses_nothing_whatever_is_written(key: str, value: int | None) -> None:
    """No value of a limit, and none at all, makes the gate accuse itself; a duplicate window of zero is one."""
    assert () == probed(limit_of(facts(), key, value)).missed


def test_a_strategy_named_like_the_probe_does_not_make_the_gate_accuse_itself() -> None:
    """A position of its own that the probe could reduce is no way through."""
    asked = facts(intent=probe_intent("SPY", px=100_010_000), headroom=holding(10, strategy_id="probe"))

    assert ALL == probed(asked)


def test_the_probe_has_a_name_that_no_strategy_can_have() -> None:
    """Nothing is held and nothing was done under it, so that no strategy's past changes what is probed."""
    (form,) = [meta.pattern for meta in get_args(StrategyName)[1:]]

    assert None is re.fullmatch(form, probe_intent("SPY", px=1).strategy_id)
    assert re.fullmatch(form, "probe")


def test_a_humans_leave_lets_no_probe_through() -> None:
    """A leave is for a person's order: it does not make a soft control miss."""
    assert ALL == probed(facts(leave=leave(*BY_CODE)))


def test_what_is_not_covered_is_not_probed() -> None:
    """A control that cannot speak proves nothing, and is not counted as if it had."""
    asked = facts(provides=frozenset(Provides) - {Provides.STATUS})

    assert Proof(refused=len(BY_CODE) - 1, missed=()) == probed(asked)


def test_a_rule_without_a_violation_is_a_bug_that_is_said() -> None:
    """A new rule cannot come without something that it must refuse."""
    (row,) = [row for row in rows_for(OrderClass.ENTRY, frozenset(Provides)) if row.control.code is R.IDENTITY]
    bare = msgspec.structs.replace(row, control=msgspec.structs.replace(row.control, violate=None))

    with pytest.raises(InvariantError, match="every rule of the table brings a violation of its own"):
        violated(bare, facts())


@pytest.mark.parametrize("asked", [facts(), exit_facts()], ids=EVERY_CLASS)
def test_a_probe_can_never_be_approved(asked: Facts) -> None:
    """What every control lets pass is approved as an intent, and as a probe it is a broken invariant."""
    checks = judge(asked).decision.checks
    for decided in (
        lambda: judge(probe(asked)),
        lambda: decide(probe(asked).intent, quote=asked.quote, checks=checks, mode=Mode.SIM),
    ):
        with pytest.raises(InvariantError, match="only an intent is decided on, never a ProbeIntent"):
            decided()


def test_nothing_that_only_looks_like_an_intent_is_approved() -> None:
    """Exactly the type counts: also another kind of intent is refused."""

    class Likeness(OrderIntent, frozen=True, kw_only=True):
        """An intent that is none."""

    asked = facts(intent=Likeness(**msgspec.structs.asdict(facts().intent)))

    with pytest.raises(InvariantError, match="never a Likeness"):
        judge(asked)


def test_a_proof_changes_nothing_but_when_the_gate_was_proved() -> None:
    """No order, no attempt, no latch, no number: every other part of the state is the very same."""
    before = at(1, state(held={"SPY": 10})).state
    stale = msgspec.structs.replace(before, proved_ns=-1)
    after, proof = prove(stale, rules(), snapshot=snapshot(2), commands=())
    parts = [name for name in State.__struct_fields__ if getattr(after, name) is not getattr(stale, name)]

    assert (COVERED, ["proved_ns"], before.as_of_ns) == (proof, parts, after.proved_ns)


def test_the_gate_proves_itself_before_its_first_decision() -> None:
    """The first cycle has a proof, and the order of that cycle is the only thing approved or decided in it."""
    first = at(1, state(), wish())

    assert COVERED == proof_of(first)
    assert [("cross", "000001-001")] == [(one.intent.strategy_id, one.cl_ord_id) for one in first.approvals]
    assert (1, 1, 1) == (len(first.outputs.decisions), first.state.tally.intents, len(first.state.blotter.open_orders))


def test_a_position_without_any_price_does_not_make_the_gate_accuse_itself() -> None:
    """A run that starts with a position that the first snapshot does not quote waits for a price, and is not halted."""
    market = snapshot(1, quote("SPY"), quote("IBM"), quote("AIG", present=False, event_ns=0))
    first = stepped(state(held={"AIG": 5}), market=market)

    assert (COVERED, TradingState.ACTIVE, ()) == (proof_of(first), first.state.trading_state, first.state.latches)


def test_a_cycle_that_stops_approves_nothing_whatever_was_proved() -> None:
    """The proof of a cycle that was told to stop arms nobody."""
    found = at(1, state(), wish(), commands=(command("stop"),))

    assert (COVERED, ()) == (proof_of(found), found.approvals)


@pytest.mark.parametrize(("seconds", "proof"), [(2, None), (900, None), (901, COVERED), (5_000, COVERED)])
def test_the_gate_proves_itself_again_after_15_minutes(seconds: int, proof: Proof | None) -> None:
    """In market time, on the instant; and an entry passes all the while."""
    assert 900 * SECOND_NS == PROOF_NS
    later = at(seconds, at(1, state()).state, wish())

    assert (proof, 1) == (proof_of(later), len(later.approvals))


@pytest.mark.parametrize("start", [TradingState.HALTED, TradingState.REDUCING])
def test_the_gate_proves_itself_before_a_resume_is_obeyed(start: TradingState) -> None:
    """A human arms nothing that was not tried a moment before."""
    before = at(1, state(start=start)).state
    found = at(2, before, wish(), commands=(command("resume", state_no=before.state_no),))

    assert (COVERED, TradingState.ACTIVE, 1) == (proof_of(found), found.state.trading_state, len(found.approvals))


def test_clearing_a_latch_arms_nothing_and_needs_no_proof() -> None:
    """Only what raises the trading state is preceded by a proof."""
    before = at(1, state(latches=(latch(),))).state
    found = at(2, before, commands=(command("resume", latch_id="L1", state_no=before.state_no),))

    assert ((), None) == (found.state.latches, proof_of(found))


@pytest.mark.usefixtures("missing")
def test_a_miss_halts_the_account_in_its_first_cycle_and_nothing_is_approved() -> None:
    """The latch names the control; neither an entry nor an exit passes a gate that cannot be trusted."""
    first = at(1, state(held={"SPY": 10}), wish("IBM"), leaving())
    (raised,) = first.outputs.latches_raised

    assert Proof(refused=len(BY_CODE) - 1, missed=(R.SHORT_SALE,)) == proof_of(first)
    assert ("account", GATE_MISSED, TradingState.HALTED) == (raised.scope, raised.code, raised.level)
    assert R.SHORT_SALE in raised.text
    assert (TradingState.HALTED, (), 2) == (first.state.trading_state, first.approvals, len(first.outputs.decisions))


def test_a_miss_in_the_middle_of_a_run_halts_it(missing: pytest.MonkeyPatch) -> None:
    """A gate that was sound at the start and is not 15 minutes later stops there."""
    missing.undo()
    sound = at(1, state())
    missing.setattr(proof_test, "rows_for", lambda order_class, _: broken(R.SHORT_SALE)[order_class])
    before_proof, after_proof = at(900, sound.state, wish("IBM")), at(901, sound.state, wish("IBM"))

    assert [1, 0] == [len(found.approvals) for found in (before_proof, after_proof)]
    assert TradingState.HALTED is after_proof.state.trading_state


@pytest.mark.usefixtures("missing")
def test_a_miss_before_a_resume_refuses_it() -> None:
    """The state does not rise, and the account is halted."""
    before = msgspec.structs.replace(state(start=TradingState.REDUCING), proved_ns=START_NS, cycle=1)
    found = at(1, before, wish(), commands=(command("resume", state_no=before.state_no),))

    assert (False, TradingState.HALTED, ()) == (
        found.outputs.answers[0].granted, found.state.trading_state, found.approvals,
    )  # fmt: skip


def test_a_miss_is_cleared_by_nobody_while_the_process_runs(missing: pytest.MonkeyPatch) -> None:
    """Neither its name, nor a resume, nor a proof that holds again: only another start."""
    missed = at(1, state())
    missing.undo()
    sound = at(2, missed.state, wish())
    named = at(3, sound.state, commands=(command("resume", latch_id="L1", state_no=sound.state.state_no),))
    raised = at(4, named.state, wish(), commands=(command("resume", state_no=named.state.state_no),))

    assert COVERED == proof_of(sound)
    assert [False, False] == [found.outputs.answers[0].granted for found in (named, raised)]
    assert [TradingState.HALTED] * 3 == [found.state.trading_state for found in (sound, named, raised)]
    assert () == (*sound.approvals, *raised.approvals)


@pytest.mark.usefixtures("missing")
def test_a_miss_that_lasts_is_latched_once() -> None:
    """The gate tries itself again in each cycle, and one latch says so."""
    first = at(1, state())
    second = at(2, first.state)

    assert (1, (), 1) == (len(first.state.latches), second.outputs.latches_raised, len(second.state.latches))
    assert (R.SHORT_SALE,) == (proof_of(second) or ALL).missed


def test_an_entry_is_blocked_where_the_gate_is_not_proved() -> None:
    """Also without a latch: what was proved too long ago is not believed, and what never was even less."""
    answers = [judge(facts(proved_ns_ago=ago)) for ago in (0, PROOF_NS, PROOF_NS + 1, -1, None)]

    assert [True, True, False, False, False] == [answer.decision.failed() == () for answer in answers]
