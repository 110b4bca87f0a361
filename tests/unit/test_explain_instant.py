"""Instants of small journals: what was, what was not, and what the record cannot tell."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.core_factory import order as open_order
from tests.explain_factory import (
    CANDIDATE,
    LATCH,
    ONE,
    SECOND_NS,
    begun,
    decided_with,
    seen_with,
)
from tests.journal_factory import (
    DAY_NS,
    START_NS,
    Pair,
    boot,
    carried,
    cycle,
    decision,
    holdings,
    quote,
    whole_run,
    write_run,
)

from interlock.model.errors import ConfigError, JournalError
from interlock.model.journal import Boot, GateOutputs, LimitInForce
from interlock.model.mode import TradingState
from interlock.model.signals import ScanResult
from interlock.proof.explain_instant import explain_instant, instant_ns
from interlock.proof.explain_text import text_of
from interlock.proof.explained import Explanation, InstantExplained


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Write the whole small run."""
    write_run(tmp_path, whole_run())
    return tmp_path


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


def test_a_restricted_symbol_and_a_tightened_age_stand_in_the_way(tmp_path: Path) -> None:
    """The restricted list is told, and how old a quote may be is the strictest limit that held in that cycle."""
    ages = [LimitInForce(key="max_quote_age_ns", value=n * SECOND_NS, unit="ns", source="config") for n in (90, 25, 20)]
    first, aside = wider()[0]
    assert isinstance(first, Boot)
    own = msgspec.structs.replace(ages[1], scope="symbol:SPY")
    changed = msgspec.structs.replace(first, restricted=("SPY",), limits=(ages[0], own))
    stricter = GateOutputs(tightened=(ages[2],))
    aged = [seen_with(cycle(n), as_of_ns=START_NS + n * 30 * SECOND_NS) for n in (1, 2)]
    tightened = decided_with(aged[1], state_no=2, gate=stricter)
    write_run(tmp_path, [(changed, aside), decided_with(aged[0], state_no=1), tightened])
    before, after = (at(tmp_path, n * 30 * SECOND_NS).in_the_way for n in (1, 2))

    assert "SPY is on the restricted list: take it out of restricted under [risk], with a new start." == before[0]
    assert "The quote was 30 s old, and max_quote_age is 25 s." == before[-1]
    assert "The quote was 60 s old, and max_quote_age is 20 s." == after[-1]


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
