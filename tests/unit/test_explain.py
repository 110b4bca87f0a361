"""Explanations of small journals: each part comes from the record, and what is not on the record is said so."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.explain_factory import (
    CANCELED,
    CANDIDATE,
    LATCH,
    LEAVE,
    ONE,
    PENDING,
    begun,
    booked,
    decided_with,
    seen_with,
    told,
)
from tests.journal_factory import (
    START_NS,
    TUESDAY,
    booking,
    boot,
    carried,
    cycle,
    decision,
    report,
    stop,
    whole_run,
    write_run,
)

from interlock.model.conduct import DayRoll
from interlock.model.errors import ConfigError, JournalError
from interlock.model.journal import BootAside, Cycle, GateOutputs, HostTrip, LimitInForce, Proof, Stop
from interlock.model.market import DataFault, FaultCode
from interlock.model.mode import TradingState
from interlock.model.orders import Cancel, ExecType, OrdStatus
from interlock.model.risk import Check, ReasonCode
from interlock.model.signals import ScanResult
from interlock.proof.explain import explain
from interlock.proof.explain_instant import explain_instant
from interlock.proof.explain_text import text_of
from interlock.proof.explained import CycleExplained, Explanation


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Write the whole small run."""
    write_run(tmp_path, whole_run())
    return tmp_path


def test_a_filled_order_is_explained_to_its_end(whole: Path) -> None:
    """Its three reports, what they cost, and what was held before and after are counted from its own fills."""
    found = told(whole, ONE)
    sums = found.consequence

    assert "FILLED" == found.ending
    assert [(2, "folded"), (2, "folded"), (3, "folded")] == [(one.cycle, one.effect) for one in found.reports]
    assert (10, 1_700_000_000, 10_000, -1_700_010_000, 0, 10) == (
        sums.filled_qty,
        sums.value_micros,
        sums.fee_micros,
        sums.cash_change_micros,
        sums.position_before_qty,
        sums.position_after_qty,
    )
    assert "Bought 10 shares of SPY for $1,700.00, fees $0.01: cash -$1,700.01." in text_of(found)


def test_a_blocked_wish_says_what_would_have_changed_it(whole: Path) -> None:
    """It was never sent, its failed check stands first with its limit, and the remedy is told."""
    found = told(whole, "000002-001")
    text = text_of(found)

    assert ("BLOCKED", ()) == (found.ending, found.reports)
    assert "was BLOCKED by ORDER_QTY_MAX; nothing was sent." in found.headline
    assert "FAILED  ORDER_QTY_MAX  10 shares  at most 200 shares  config: max_order_qty" in text
    assert ("ORDER_QTY_MAX: wish for less, or write a larger max_order_qty under [risk].",) == found.changes


def test_an_approved_order_says_which_limit_came_nearest(whole: Path) -> None:
    """Of what passed, the number that used most of its limit is named."""
    assert (
        "The limit that came nearest is ORDER_QTY_MAX: 10 shares of 200 shares (5 % of it)."
        == told(whole, ONE).changes[-1]
    )


def test_an_order_id_of_the_venue_means_the_same_order(whole: Path) -> None:
    """The paper market's own id leads to the same explanation."""
    assert told(whole, ONE) == told(whole, f"PAPER-{ONE}")


def test_an_order_without_a_word_after_a_kill_is_never_called_unsent(tmp_path: Path) -> None:
    """Without a report and without a STOP it counts as sent, and is in doubt."""
    write_run(tmp_path, begun())
    found = told(tmp_path, ONE)

    assert "PENDING_NEW" == found.ending
    assert "after a kill it is in doubt, never unsent" in found.ending_words
    assert "it counts as sent" in found.sent_words
    assert found.notes


@pytest.mark.parametrize(
    ("exec_type", "after", "ending", "words"),
    [
        (ExecType.NOT_SENT, OrdStatus.NOT_SENT, "NOT_SENT", "was not called"),
        (ExecType.REJECTED, OrdStatus.REJECTED, "REJECTED", "it was handed to"),
        (ExecType.EXPIRED, OrdStatus.EXPIRED, "EXPIRED", "it was handed to"),
        (ExecType.NOT_HELD, OrdStatus.NOT_SENT, "NOT_SENT", "it was handed to"),
        (ExecType.IN_DOUBT, PENDING, "IN_DOUBT", "it counts as sent"),
    ],
)
def test_each_end_of_an_order_has_its_word(
    tmp_path: Path, exec_type: ExecType, after: OrdStatus, ending: str, words: str
) -> None:
    """What the last report made of it is how it ended, and what was sent is told from evidence only."""
    write_run(tmp_path, begun(booked(2, (report("e1", ONE, exec_type), PENDING, after, "folded")), stop(2)))
    found = told(tmp_path, ONE)

    assert ending == found.ending
    assert words in found.sent_words
    assert "no share was traded by it" in text_of(found)


def test_a_late_fill_far_behind_the_end_is_found(tmp_path: Path) -> None:
    """A fill that came after the cancel, many cycles and a date later, is told with what it did."""
    ended = booked(2, (report("e1", ONE, ExecType.CANCELED), PENDING, CANCELED, "folded"))
    quiet = [cycle(number) for number in range(3, 300)]
    late = report("e2", ONE, ExecType.TRADE, qty=10, px=170_000_000, cum=10)
    last = cycle(
        300, trading_date=TUESDAY, reports=(late,), bookings=(booking(ONE, CANCELED, CANCELED, effect="halt"),)
    )
    write_run(tmp_path, begun(ended, *quiet, last, stop(300)))
    found = told(tmp_path, ONE)

    assert [(2, "folded"), (300, "halt")] == [(one.cycle, one.effect) for one in found.reports]
    assert 10 == found.consequence.filled_qty
    assert "It contradicts our record, so trading was halted." in text_of(found)


def test_a_cancel_is_told_with_its_reason_and_the_answer_of_the_stop(tmp_path: Path) -> None:
    """A cancel that was asked for stands under what was sent, and the report in the STOP record is not lost."""
    asked = decided_with(cycle(2), cancels=(Cancel(cl_ord_id=ONE, because="the run is stopping"),))
    ended, aside = stop(2)
    assert isinstance(ended, Stop)
    last = msgspec.structs.replace(
        ended,
        reports=(report("e9", ONE, ExecType.CANCELED),),
        bookings=(booking(ONE, PENDING, CANCELED),),
    )
    write_run(tmp_path, begun(asked, (last, aside)))
    found = told(tmp_path, ONE)

    assert ("CANCELED", [2]) == (found.ending, [number for number, _ in found.cancels])
    assert "Cycle 2 asked the gateway to cancel it, because the run is stopping." in text_of(found)


@pytest.mark.parametrize(
    ("left", "ending", "words"),
    [
        ({"working": (ONE,)}, "PENDING_NEW", "left it working"),
        ({"in_doubt": (ONE,)}, "IN_DOUBT", "without knowing what became of it"),
        ({}, "PENDING_NEW", "the next run of this account carries it on"),
    ],
)
def test_what_a_stop_left_is_told(tmp_path: Path, left: dict[str, tuple[str, ...]], ending: str, words: str) -> None:
    """An order that was open at the stop ended as the STOP record says."""
    ended, aside = stop(1)
    write_run(tmp_path, begun((msgspec.structs.replace(ended, **left), aside)))
    found = told(tmp_path, ONE)

    assert ending == found.ending
    assert words in found.ending_words


def test_the_candidate_that_was_the_cause_is_shown_with_its_features(tmp_path: Path) -> None:
    """The scanner's rank, reason and features are those of the candidate that the intent names."""
    wished = decision(ONE)
    caused = msgspec.structs.replace(wished, intent=msgspec.structs.replace(wished.intent, cause="gap#1"))
    scans = (ScanResult(scanner="gap", candidates=(CANDIDATE,), because=""),)
    write_run(tmp_path, [boot(), decided_with(cycle(1, decisions=(caused,)), scans=scans)])
    found = told(tmp_path, ONE)

    assert (CANDIDATE,) == found.cause
    assert "Scanner gap ranked SPY number 1 to BUY, for it gapped up." in text_of(found)
    assert "Features: mid $170.00, relative 2.05 times." in text_of(found)


def test_a_wish_without_a_candidate_says_so(whole: Path) -> None:
    """Where no scanner had named the symbol, nobody is credited."""
    assert "No scanner had named SPY in this cycle" in text_of(told(whole, ONE))


def test_a_control_that_is_not_covered_is_called_so(tmp_path: Path) -> None:
    """A check without its input is NOT COVERED and not passed, also where the record has it as passed."""
    first, aside = boot()
    halted = Check(
        code=ReasonCode.SYMBOL_HALTED,
        passed=True,
        required=True,
        observed=None,
        limit=None,
        unit="flag",
        source="rule",
        note="NOT COVERED: the source does not tell trading halts",
    )
    wished = msgspec.structs.replace(decision(ONE), checks=(halted,))
    not_covered = msgspec.structs.replace(first, not_covered=("SYMBOL_HALTED",))
    write_run(tmp_path, [(not_covered, aside), cycle(1, decisions=(wished,))])
    found = told(tmp_path, ONE)

    assert [False] == [one.covered for one in found.checks]
    assert "NOT COVERED  SYMBOL_HALTED" in text_of(found)
    assert "NOT COVERED: the source does not tell trading halts" in text_of(found)


def test_a_cycle_is_explained_by_its_number(whole: Path) -> None:
    """A cycle shows what it booked, said, decided and left, and how to read one decision whole."""
    found = explain(whole, "2")
    text = text_of(found)

    assert isinstance(found, CycleExplained)
    assert "Cycle 2 saw 1 of 1 quotes, booked 2 reports, judged 1 wish and approved 0." == found.headline
    assert "000002-001  BUY 10 SPY at $170.01, wished by cross: blocked, for the order is for 10 shares" in text
    assert "To see every check of one: interlock explain run-1 000002-001" in text


def test_a_cycle_tells_faults_trips_latches_and_state(tmp_path: Path) -> None:
    """Whatever else a cycle heard is in its explanation."""
    fault = DataFault(symbol="SPY", code=FaultCode.ROW_CROSSED, text="line 7: bid above ask")
    pair = decided_with(
        seen_with(cycle(1), faults=(fault,), symbols=9),
        latches_raised=(LATCH,),
        latches_cleared=("L0",),
        state_after=TradingState.HALTED,
    )
    decided, aside = pair
    assert isinstance(decided, Cycle)
    trips = (HostTrip(code="CYCLE_OVERRUN", text="the cycle took 5 s"),)
    inputs = msgspec.structs.replace(decided.inputs, trips=trips)
    write_run(tmp_path, [boot(), (msgspec.structs.replace(decided, inputs=inputs), aside)])
    text = text_of(explain(tmp_path, "1"))

    for words in (
        "Data fault of SPY, ROW_CROSSED: line 7: bid above ask.",
        "and 8 more symbols",
        "the cycle took 5 s",
        "L1 tripped on symbol:SPY",
        "L0 was cleared.",
        "from ACTIVE to HALTED",
    ):
        assert words in text


def test_a_cycle_tells_what_the_gate_itself_said(tmp_path: Path) -> None:
    """A new date, the proof, a tightened limit, a loss that comes near and a leave that stands are all told."""
    said = GateOutputs(
        day_roll=DayRoll(trading_date="2013-10-07", standings=()),
        proof=Proof(refused=68, missed=()),
        leaves=(LEAVE,),
        tightened=(LimitInForce(key="max_order_count", value=5, unit="count", source="tightened"),),
        warnings=("The account lost $60.00 today",),
    )
    write_run(tmp_path, [boot(), decided_with(cycle(1), gate=said)])
    text = text_of(explain(tmp_path, "1"))

    for words in (
        "The trading date 2013-10-07 began: the losses of the day count from here.",
        "it refused 68.",
        "max_order_rate was tightened to 5.",
        "The account lost $60.00 today.",
        "Leave for 000001-001: cross may once BUY at most 10 shares of SPY past ORDER_NOTIONAL_LARGE up to $1,700.10,",
        "human:ann allowed it: she looked.",
    ):
        assert words in text


@pytest.mark.parametrize("word", ["", "x", "1-1", "-1", "000001-001-1", "last", "1.5", "000001-1"])
def test_what_is_no_id_is_refused(whole: Path, word: str) -> None:
    """Anything that is no decision and no cycle is refused with an example of both."""
    with pytest.raises(ConfigError, match="such as 000036-001, nor the number of a cycle"):
        explain(whole, word)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("9", "it has cycles 1 to 4"),
        ("0", "it has cycles 1 to 4"),
        ("000009-001", "it has cycles 1 to 4"),
        ("000002-007", "it made: 000002-001"),
        ("000004-001", "it made: none"),
    ],
)
def test_what_the_run_does_not_hold_is_refused_with_what_there_is(whole: Path, word: str, words: str) -> None:
    """A refusal says what the run has."""
    with pytest.raises(ConfigError, match=words):
        explain(whole, word)


def test_a_cycle_of_the_run_before_leads_to_that_run(tmp_path: Path) -> None:
    """Where cycles count on, an older one is asked of the run before, by its name."""
    first, aside = boot(handed_over=carried(last_cycle=60))
    assert isinstance(aside, BootAside)
    write_run(tmp_path, [(first, msgspec.structs.replace(aside, previous_run="run-0")), cycle(61)])

    assert "Cycle 61 " in explain(tmp_path, "61").headline
    with pytest.raises(ConfigError, match="Ask that one: interlock explain run-0 7"):
        explain(tmp_path, "7")


def test_a_run_without_a_cycle_has_nothing_to_explain(tmp_path: Path) -> None:
    """A run that ended at its boot is told so."""
    write_run(tmp_path, [boot()])

    with pytest.raises(ConfigError, match="before its first cycle"):
        explain(tmp_path, "1")
    with pytest.raises(ConfigError, match="before it had seen a market"):
        explain_instant(tmp_path, "SPY", at_ns=START_NS)


def test_a_journal_that_begins_with_a_cycle_is_not_explained(tmp_path: Path) -> None:
    """Without its first record a run's limits are not known, so nothing is explained from it."""
    write_run(tmp_path, [cycle(1)])

    with pytest.raises(JournalError, match="does not begin with its first record"):
        explain(tmp_path, "1")


@pytest.mark.parametrize("word", [ONE, "000002-001", "3"])
def test_json_holds_all_that_the_text_is_made_of(whole: Path, word: str) -> None:
    """The text is a function of the values, and the values survive JSON whole."""
    found = explain(whole, word)
    back = msgspec.json.decode(msgspec.json.encode(found), type=Explanation)

    assert found == back
    assert text_of(found) == text_of(back)


def test_no_control_character_of_a_strategy_reaches_the_screen(tmp_path: Path) -> None:
    """Words from outside cannot move the cursor or fake a line."""
    wished = decision(ONE)
    evil = msgspec.structs.replace(wished, intent=msgspec.structs.replace(wished.intent, because="x\x1b[2J\nOK"))
    write_run(tmp_path, [boot(), cycle(1, decisions=(evil,))])

    assert "because x?[2J?OK." in text_of(told(tmp_path, ONE))
