"""Explanations of small journals: each part comes from the record, and what is not on the record is said so."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.core_factory import order as open_order
from tests.journal_factory import (
    DAY_NS,
    START_NS,
    TUESDAY,
    Pair,
    booking,
    boot,
    carried,
    cycle,
    decision,
    holdings,
    quote,
    report,
    stop,
    whole_run,
    write_run,
)

from interlock.model.errors import ConfigError, JournalError
from interlock.model.journal import Boot, BootAside, Cycle, HostTrip, Outputs, Stop
from interlock.model.market import DataFault, FaultCode
from interlock.model.mode import TradingState
from interlock.model.orders import Cancel, ExecReport, ExecType, OrdStatus, Side
from interlock.model.risk import Check, Latch, ReasonCode
from interlock.model.signals import Candidate, Feature, ScanResult
from interlock.proof.explain import explain
from interlock.proof.explain_instant import explain_instant, instant_ns
from interlock.proof.explain_text import text_of
from interlock.proof.explained import CycleExplained, DecisionExplained, Explanation, InstantExplained

ONE = "000001-001"
SECOND_NS = 1_000_000_000
NEW, FILLED, CANCELED = OrdStatus.NEW, OrdStatus.FILLED, OrdStatus.CANCELED
PENDING = OrdStatus.PENDING_NEW
LATCH = Latch(
    latch_id="L1",
    scope="symbol:SPY",
    code="LATE_FILL",
    level=TradingState.HALTED,
    text="a late fill came",
    raised_by="interlock",
    at_ns=START_NS,
)
CANDIDATE = Candidate(
    symbol="SPY",
    scanner="gap",
    rank=1,
    score=9,
    side=Side.BUY,
    features=(Feature("mid_px", 170_000_000, "px"), Feature("relative_x100", 205, "x100")),
    because="it gapped up",
)


def told(run_dir: Path, word: str) -> DecisionExplained:
    """Return the explanation of a decision."""
    found = explain(run_dir, word)
    assert isinstance(found, DecisionExplained)
    return found


def decided_with(pair: Pair, **changes: object) -> Pair:
    """Return a cycle whose outputs have other parts."""
    decided, aside = pair
    assert isinstance(decided, Cycle)
    outputs: Outputs = msgspec.structs.replace(decided.outputs, **changes)
    return msgspec.structs.replace(decided, outputs=outputs), aside


def seen_with(pair: Pair, **changes: object) -> Pair:
    """Return a cycle that saw another market."""
    decided, aside = pair
    assert isinstance(decided, Cycle)
    market = msgspec.structs.replace(decided.inputs.market, **changes)  # type: ignore[type-var]
    return msgspec.structs.replace(decided, inputs=msgspec.structs.replace(decided.inputs, market=market)), aside


def booked(number: int, *pairs: tuple[ExecReport, OrdStatus | None, OrdStatus | None, str]) -> Pair:
    """Return a cycle that booked reports, each with the status before and after and its effect."""
    return cycle(
        number,
        reports=tuple(one for one, _, _, _ in pairs),
        bookings=tuple(booking(one.cl_ord_id, before, after, effect=effect) for one, before, after, effect in pairs),
    )


def begun(*later: Pair) -> list[Pair]:
    """Return a run whose first cycle approves an order, and what came later."""
    return [boot(), cycle(1, decisions=(decision(ONE),), left=holdings(open_orders=1)), *later]


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


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (("LATCHED", "count", 1, 0, "rule"), ("1", "none")),
        (("LATCHED", "count", 0, 0, "rule"), ("none", "none")),
        (("TRADING_STATE", "flag", 0, 2, "rule"), ("HALTED", "at least ACTIVE")),
        (("SYMBOL_NOT_ALLOWED", "flag", 0, 1, "rule"), ("no", "on the allow-list")),
        (("SYMBOL_NOT_ALLOWED", "flag", None, 1, "rule"), ("unknown", "on the allow-list")),
        (("TICK_SIZE", "px", 170_010_000, 10_000, "default"), ("$170.01", "in steps of $0.01")),
        (("ORDER_QTY_MAX", "qty", 10, None, "none"), ("10 shares", "not written")),
        (("PRICE_COLLAR", "bps", None, 300, "config"), ("unknown", "at most 3 %")),
        (("MARKET_CROSSED", "px", 5_000_000, None, "rule"), ("$5.00", "-")),
    ],
)
def test_each_reading_has_its_words(
    tmp_path: Path, reading: tuple[str, str, int | None, int | None, str], words: tuple[str, str]
) -> None:
    """What was read and what had to be are written with their units, and unknown is called unknown."""
    code, unit, observed, limit, source = reading
    check = Check(
        code=ReasonCode(code),
        passed=False,
        required=True,
        observed=observed,
        limit=limit,
        unit=unit,
        source=source,
        note="so it was",
    )
    wished = msgspec.structs.replace(decision(ONE, approved=False), checks=(check,))
    write_run(tmp_path, [boot(), cycle(1, decisions=(wished,))])
    found = told(tmp_path, ONE).checks[0]

    assert words == (found.observed_words, found.limit_words)


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


@pytest.mark.parametrize(
    ("text", "at_ns"),
    [
        ("2013-10-07T14:30-04:00", 1_381_170_600_000_000_000),
        ("2013-10-07 18:30:00Z", 1_381_170_600_000_000_000),
        ("2013-10-07T18:30:00.000000001Z", 1_381_170_600_000_000_001),
        ("2013-10-07T18:30:00.5+00:00", 1_381_170_600_500_000_000),
        ("1970-01-01T00:00Z", 0),
    ],
)
def test_an_instant_with_a_zone_is_read(text: str, at_ns: int) -> None:
    """Offsets and fractions are read to the nanosecond."""
    assert at_ns == instant_ns(text)


@pytest.mark.parametrize("text", ["2013-10-07T14:30", "2013-10-07 14:30:00", "2013-10-07T14:30:00.25"])
def test_a_naive_time_is_refused(text: str) -> None:
    """A time without a zone is somebody's guess, and the refusal shows how to add one."""
    with pytest.raises(ConfigError, match="has no time zone"):
        instant_ns(text)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2013-10-07", "2013-13-07T14:30Z", "1969-12-31T23:59Z", "2300-01-01T00:00Z", "0001-01-01T00:00+14:00"],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(ConfigError, match="is not an instant"):
        instant_ns(text)


def at(run_dir: Path, shift_ns: int, symbol: str = "SPY") -> InstantExplained:
    """Return the explanation of an instant, counted from the start of the run."""
    return explain_instant(run_dir, symbol, at_ns=START_NS + shift_ns)


@pytest.mark.parametrize(("shift_ns", "number"), [(1, 1), (SECOND_NS, 1), (2 * SECOND_NS - 1, 1), (2 * SECOND_NS, 2)])
def test_the_cycle_in_force_is_the_last_one_that_saw_no_later_market(whole: Path, shift_ns: int, number: int) -> None:
    """A cycle rules from its market's time until the next one's."""
    if shift_ns < SECOND_NS:
        with pytest.raises(ConfigError, match="is before the first market"):
            at(whole, shift_ns)
        return

    assert (number, shift_ns - number * SECOND_NS) == (at(whole, shift_ns).moment.cycle, at(whole, shift_ns).behind_ns)


def test_a_night_between_two_markets_is_told(whole: Path) -> None:
    """In the gap the last market before it is in force, and how old it is stands there."""
    found = at(whole, DAY_NS // 2)

    assert (2, DAY_NS // 2 - 2 * SECOND_NS) == (found.moment.cycle, found.behind_ns)
    assert "older than the instant; nothing newer had come." in text_of(found)


def test_an_instant_after_the_last_market_is_refused(whole: Path) -> None:
    """After the last market nothing is known, and the refusal says from when to when something is."""
    with pytest.raises(ConfigError, match="it saw markets from 2013-10-07T13:30:01Z to 2013-10-08T13:30:04Z"):
        at(whole, 2 * DAY_NS)


def test_a_symbol_that_was_not_watched_is_refused(whole: Path) -> None:
    """The refusal names the universe."""
    with pytest.raises(ConfigError, match="did not watch 'IBM': its universe is SPY"):
        at(whole, SECOND_NS, "IBM")


def wider(*pairs: Pair, allowed: tuple[str, ...] = ("SPY",), has_policy: bool = True) -> list[Pair]:
    """Return a run that watches SPY and IBM."""
    first, aside = boot()
    assert isinstance(first, Boot)
    changed = msgspec.structs.replace(first, universe=("SPY", "IBM"), allowed=allowed, has_policy=has_policy)
    return [(changed, aside), *pairs]


def test_a_quote_that_the_record_does_not_keep_is_said_so(tmp_path: Path) -> None:
    """Where neither the shown quotes nor a decision hold the symbol's, that is told, and nothing is made up."""
    write_run(tmp_path, wider(cycle(1)))
    found = at(tmp_path, SECOND_NS, "IBM")

    assert () == found.quote
    assert "Whether there was a quote of IBM is not in the record of this cycle." in text_of(found)
    assert "interlock replay run-1" in text_of(found)


def test_the_quote_of_a_decision_is_used_where_none_is_shown(tmp_path: Path) -> None:
    """A decision keeps the quote that it was judged by."""
    wished = decision(ONE)
    other = msgspec.structs.replace(
        wished,
        quote=msgspec.structs.replace(quote(), symbol="IBM"),
        intent=msgspec.structs.replace(wished.intent, symbol="IBM"),
    )
    write_run(tmp_path, wider(cycle(1, decisions=(other,), left=holdings(open_orders=1))))
    found = at(tmp_path, SECOND_NS, "IBM")

    assert (SECOND_NS, ()) == (found.quote_age_ns, found.notes)
    assert [ONE] == [wish.decision_id for wish in found.wishes]
    assert [ONE] == [order.cl_ord_id for order in found.orders]


def test_what_would_have_stood_in_the_way_is_listed(tmp_path: Path) -> None:
    """The allow-list, the state, a latch, a missing quote and a halt are each told."""
    absent = msgspec.structs.replace(quote(), present=False, halted=True)
    pair = decided_with(
        seen_with(cycle(1), shown=(absent,)),
        latches_raised=(LATCH,),
        state_after=TradingState.REDUCING,
    )
    write_run(tmp_path, wider(pair, allowed=("IBM",)))
    found = at(tmp_path, SECOND_NS)

    assert 5 == len(found.in_the_way)
    assert "SPY is not on the allow-list: add it to symbols under [risk]." == found.in_the_way[0]
    assert "There was no quote of SPY" in found.quote_words
    assert (LATCH,) == found.latches


def test_no_policy_and_an_old_quote_stand_in_the_way(tmp_path: Path) -> None:
    """Without a policy nothing may be entered, and a quote beyond max_quote_age is told with both numbers."""
    first, *rest = wider(seen_with(cycle(1), as_of_ns=START_NS + 100 * SECOND_NS), has_policy=False)
    decided, aside = first
    assert isinstance(decided, Boot)
    aged = msgspec.structs.replace(decided.limits[0], key="max_quote_age_ns", value=90 * SECOND_NS, unit="ns")
    write_run(tmp_path, [(msgspec.structs.replace(decided, limits=(aged,)), aside), *rest])
    found = at(tmp_path, 100 * SECOND_NS)

    assert "No risk policy is written" in found.in_the_way[0]
    assert "The quote was 100 s old, and max_quote_age is 90 s." == found.in_the_way[1]


def test_a_scanner_says_why_a_symbol_is_no_candidate(tmp_path: Path) -> None:
    """Named, passed over for others, or nothing found at all: each is said."""
    scans = (
        ScanResult(scanner="gap", candidates=(CANDIDATE,), because=""),
        ScanResult(scanner="cross", candidates=(), because="nothing crossed"),
    )
    write_run(tmp_path, wider(decided_with(cycle(1), scans=scans)))
    named, other = text_of(at(tmp_path, SECOND_NS)), text_of(at(tmp_path, SECOND_NS, "IBM"))

    assert "Scanner gap ranked SPY number 1 to BUY" in named
    assert "Scanner gap: it did not name IBM; it named SPY." in other
    assert "Scanner cross: it found no candidate at all: nothing crossed." in other


def test_an_order_that_was_approved_long_before_is_still_found_at_work(tmp_path: Path) -> None:
    """The search for open orders goes back as far as it must."""
    quiet = [cycle(number, left=holdings(open_orders=1)) for number in range(2, 700)]
    write_run(tmp_path, begun(*quiet))

    assert [ONE] == [order.cl_ord_id for order in at(tmp_path, 699 * SECOND_NS).orders]


def test_an_order_of_the_run_before_is_found_at_work(tmp_path: Path) -> None:
    """An order that was carried into the run counts as open from its first cycle on."""
    order = open_order("000060-001")
    first, aside = boot(handed_over=carried(orders=(order,), last_cycle=60))
    write_run(tmp_path, [(first, aside), cycle(61, left=holdings(open_orders=1))])

    assert (order,) == at(tmp_path, 61 * SECOND_NS).orders


def test_open_orders_that_do_not_add_up_are_told(tmp_path: Path) -> None:
    """A cycle that counts more open orders than the record shows is not believed."""
    write_run(tmp_path, [boot(), cycle(1, left=holdings(open_orders=2))])

    with pytest.raises(JournalError, match="says that 2 orders were open"):
        at(tmp_path, SECOND_NS)


def test_latches_are_those_that_stood_then(tmp_path: Path) -> None:
    """A latch stands from the cycle that raised it until the one that cleared it."""
    raised = decided_with(cycle(2), latches_raised=(LATCH,), state_no=2)
    standing = decided_with(cycle(3), state_no=2)
    cleared = decided_with(cycle(4), latches_cleared=("L1",), state_no=3)
    write_run(tmp_path, [boot(), cycle(1), raised, standing, cleared])

    assert [(), (LATCH,), (LATCH,), ()] == [at(tmp_path, number * SECOND_NS).latches for number in range(1, 5)]


def test_an_instant_survives_json(whole: Path) -> None:
    """The values of an instant are the same after JSON, and so is the text."""
    found = at(whole, 2 * SECOND_NS)
    back = msgspec.json.decode(msgspec.json.encode(found), type=Explanation)

    assert (found, text_of(found)) == (back, text_of(back))
