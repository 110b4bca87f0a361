"""The tape: which quote is believed, what pauses a symbol, and how far back is looked."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core_factory import MID_PX, SYMBOLS, limits, quote, snapshot
from tests.journal_factory import MONDAY, START_NS, TUESDAY

from interlock.core.risk.limits import Limits
from interlock.core.scan import prices_of
from interlock.core.tape import (
    BUCKETS,
    VOLUME_WINDOW_NS,
    Range,
    SymbolTape,
    Tape,
    advance_tape,
    blank_tape,
    clear_split,
    faults_in_minute,
    symbol_tape,
)
from interlock.model.market import DataFault, FaultCode
from interlock.model.units import SECOND_NS

#: The field's own numbers: 3 % by three quotes, 2 % in 10 s, 5 % in 5 minutes.
FIELD = limits(
    max_jump_bps=300, jump_quotes=3, pause_move_bps=200, halt_move_bps=500, max_spread_bps=10_000
)  # fmt: skip
CALM = limits(max_jump_bps=300, jump_quotes=3)
DOLLAR = 10**6
FAULTS = tuple(DataFault(symbol="SPY", code=code, text="x") for code in (FaultCode.ROW_CROSSED, FaultCode.DAY_ABSENT))
#: Quotes that mean nothing, whatever their prices.
UNUSABLE = ({"present": False}, {"halted": True}, {"bid_px": 0}, {"ask_px": 1})


def told(  # noqa: PLR0913 - what a source tells
    tape: Tape,
    second: int,
    px: int,
    *,
    date: str = MONDAY,
    in_force: Limits = CALM,
    faults: tuple[DataFault, ...] = (),
    at_ns: int | None = None,
    **changes: object,
) -> Tape:
    """Return the tape after a snapshot in which SPY has this mid and the others stay."""
    now_ns = START_NS + second * SECOND_NS if at_ns is None else at_ns
    spy = {"bid_px": px - 10_000, "ask_px": px + 10_000, "event_ns": now_ns, **changes}
    row = [quote("SPY", **spy), quote("IBM", event_ns=now_ns), quote("AIG", event_ns=now_ns)]
    market = snapshot(second, *row, trading_date=date, as_of_ns=now_ns, faults=faults)
    return advance_tape(tape, market, usable=prices_of(market).usable, limits=in_force.in_force)


def after(*prices: int, in_force: Limits = CALM, date: str = MONDAY) -> Tape:
    """Return the tape after one snapshot a second with these mids of SPY."""
    tape = blank_tape(SYMBOLS)
    for second, px in enumerate(prices, start=1):
        tape = told(tape, second, px, in_force=in_force, date=date)
    return tape


def spy(tape: Tape) -> SymbolTape:
    """Return what the controls read of SPY."""
    return symbol_tape(tape, 0)


@pytest.mark.parametrize(
    ("px", "believed"),
    [
        (103 * DOLLAR, True),
        (97 * DOLLAR, True),
        (103 * DOLLAR + 1, False),
        (97 * DOLLAR - 1, False),
        (1, False),
    ],
)
def test_a_price_within_three_per_cent_is_believed_at_once(px: int, believed: bool) -> None:  # noqa: FBT001
    """At the limit it passes, a millionth of a dollar past it it waits and the old price stands."""
    tape = told(after(MID_PX), 2, px, bid_px=px, ask_px=px)

    assert (believed, px if believed else MID_PX) == (spy(tape).is_confirmed, spy(tape).confirmed_px)


@pytest.mark.parametrize("jumped_px", [120 * DOLLAR, 50 * DOLLAR, 14_285_714])
def test_a_jump_is_believed_with_the_third_quote(jumped_px: int) -> None:
    """Within a day it waits for two more quotes, a jump of 7 to 1 as well; marks and price move together then."""
    steps = [after(MID_PX, *[jumped_px] * count) for count in range(4)]
    marks = [(int(tape.mark_bid_px[0]), int(tape.mark_ask_px[0])) for tape in steps]
    old, new = ((px - 10_000, px + 10_000) for px in (MID_PX, jumped_px))

    assert [True, False, False, True] == [spy(tape).is_confirmed for tape in steps]
    assert ([MID_PX] * 3 + [jumped_px], [old] * 3 + [new]) == ([spy(tape).confirmed_px for tape in steps], marks)
    assert not any(spy(tape).is_split for tape in steps)


def test_a_jump_that_goes_back_is_forgotten() -> None:
    """One quote near the old price is enough, and the next jump needs three of its own."""
    tape = after(MID_PX, 120 * DOLLAR, 120 * DOLLAR, MID_PX)
    again = told(told(tape, 5, 120 * DOLLAR), 6, 120 * DOLLAR)

    assert [(True, MID_PX), (False, MID_PX)] == [(spy(t).is_confirmed, spy(t).confirmed_px) for t in (tape, again)]


def test_quotes_that_jump_about_confirm_nothing() -> None:
    """Each jump counts from itself, however many there are."""
    tape = after(MID_PX, *[px * DOLLAR for px in (120, 140, 120, 140, 60, 140)])

    assert (False, MID_PX) == (spy(tape).is_confirmed, spy(tape).confirmed_px)


def test_the_same_quote_told_again_confirms_nothing() -> None:
    """A source that repeats itself has one quote, however often."""
    tape = after(MID_PX)
    for second in range(2, 9):
        tape = told(tape, second, 120 * DOLLAR, event_ns=START_NS + 2 * SECOND_NS)

    assert (False, MID_PX, 2) == (spy(tape).is_confirmed, spy(tape).confirmed_px, spy(tape).quotes)


@pytest.mark.parametrize("changes", UNUSABLE)
def test_a_quote_that_means_nothing_confirms_nothing(changes: dict[str, object]) -> None:
    """Absent, halted, one-sided and crossed quotes neither confirm a jump nor are believed."""
    tape = after(MID_PX, 120 * DOLLAR, 120 * DOLLAR)
    told_so = told(tape, 4, 120 * DOLLAR, **changes)

    assert (False, MID_PX) == (spy(told_so).is_confirmed, spy(told_so).confirmed_px)


def test_the_first_quote_ever_is_believed_and_a_carried_price_is_remembered() -> None:
    """Without anything to compare with there is no jump; after a restart there is."""
    carried = blank_tape(SYMBOLS, confirmed_px=np.array([MID_PX, 0, 0], dtype=np.int64))
    fresh, again = told(blank_tape(SYMBOLS), 1, 80 * DOLLAR), told(carried, 1, 80 * DOLLAR)

    assert [(80 * DOLLAR, True), (MID_PX, False)] == [
        (spy(tape).confirmed_px, spy(tape).is_confirmed) for tape in (fresh, again)
    ]


@pytest.mark.parametrize("px", [2**48 + 20_000, 12 * 10**14, 2**53 - 10_000])
def test_a_price_that_no_share_has_is_never_believed(px: int) -> None:
    """However often it is told, also as the first of all, and however its products overflow."""
    first, later = after(px, px, px, px), after(MID_PX, px, px, px, px)

    assert [(0, False), (MID_PX, False)] == [(spy(t).confirmed_px, spy(t).is_confirmed) for t in (first, later)]


def overnight(px: int) -> Tape:
    """Return the tape after a Monday at $100 and the first quote of Tuesday."""
    return told(after(MID_PX), 2, px, date=TUESDAY)


@pytest.mark.parametrize(
    ("numerator", "denominator"), [(1, 7), (10, 1), (1, 2), (2, 3), (1, 20), (3, 1), (1, 10), (100, 1)]
)
def test_a_day_that_opens_at_the_ratio_of_a_split_is_not_believed(numerator: int, denominator: int) -> None:
    """7 for 1 and 1 for 10 freeze the symbol, and no number of quotes at the new price thaws it."""
    px = MID_PX * numerator // denominator
    tape = overnight(px)
    later = tape
    for second in range(3, 9):
        later = told(later, second, px, date=TUESDAY)

    assert [(True, False, MID_PX)] * 2 == [
        (spy(t).is_split, spy(t).is_confirmed, spy(t).confirmed_px) for t in (tape, later)
    ]
    assert (False, True) == (symbol_tape(later, 1).is_split, symbol_tape(later, 1).is_confirmed)


@pytest.mark.parametrize(
    ("px", "split"), [(51_500_000, True), (51_500_001, False), (48_500_000, True), (48_499_999, False)]
)
def test_a_split_is_recognised_within_three_per_cent_of_its_ratio(px: int, split: bool) -> None:  # noqa: FBT001
    """At the tolerance it is one, past it it is a jump like any other."""
    tape = told(after(MID_PX), 2, px, date=TUESDAY, bid_px=px, ask_px=px)

    assert (split, False) == (spy(tape).is_split, spy(tape).is_confirmed)


def test_a_gap_that_is_no_ratio_waits_for_three_quotes_only() -> None:
    """A stock that opens a fifth lower is a jump, and the third quote confirms it."""
    tape = overnight(80 * DOLLAR)
    confirmed = told(told(tape, 3, 80 * DOLLAR, date=TUESDAY), 4, 80 * DOLLAR, date=TUESDAY)

    assert [(False, False), (False, True)] == [(spy(t).is_split, spy(t).is_confirmed) for t in (tape, confirmed)]


def test_a_split_over_dates_without_a_quote_is_seen_at_the_first() -> None:
    """What opens is the first quote after the last date that had one, whenever that was."""
    quiet = told(after(MID_PX), 2, 50 * DOLLAR, date=TUESDAY, present=False)
    tape = told(quiet, 3, 50 * DOLLAR, date=TUESDAY)

    assert (False, True) == (spy(quiet).is_split, spy(tape).is_split)


def test_a_split_that_nobody_looked_at_is_still_one_on_the_next_date() -> None:
    """Time alone thaws nothing."""
    tape = told(overnight(10 * DOLLAR), 3, 10 * DOLLAR, date="2013-10-09")

    assert (True, MID_PX) == (spy(tape).is_split, spy(tape).confirmed_px)


def test_a_price_that_is_back_was_no_split() -> None:
    """A wrong first quote ends with the next one near the old price."""
    tape = told(overnight(10 * DOLLAR), 3, MID_PX, date=TUESDAY)

    assert (False, True, MID_PX) == (spy(tape).is_split, spy(tape).is_confirmed, spy(tape).confirmed_px)


@pytest.mark.parametrize("changes", [*UNUSABLE, {"event_ns": START_NS}])
def test_a_quote_that_means_nothing_ends_no_split(changes: dict[str, object]) -> None:
    """A halted or stale quote at the old price thaws nothing, nor do those after it at the new one."""
    tape = told(overnight(10 * DOLLAR), 3, MID_PX, date=TUESDAY, **changes)
    for second in range(4, 8):
        tape = told(tape, second, 10 * DOLLAR, date=TUESDAY)

    assert (True, MID_PX) == (spy(tape).is_split, spy(tape).confirmed_px)


def test_after_a_human_looked_the_next_quote_is_believed() -> None:
    """The price before the split counts no more, for this symbol alone."""
    tape = clear_split(overnight(10 * DOLLAR), 0)
    seen = told(tape, 3, 10 * DOLLAR, date=TUESDAY)

    assert [(False, 0), (False, 10 * DOLLAR)] == [(spy(t).is_split, spy(t).confirmed_px) for t in (tape, seen)]
    assert ([MID_PX] * 2, True) == (seen.confirmed_px[1:].tolist(), spy(seen).is_confirmed)


def test_warm_up_counts_fresh_quotes_in_a_row_and_begins_anew_after_a_fault() -> None:
    """A quote that is told twice or halted counts nothing, and one that was dropped sets the count to zero."""
    counts = []
    tape = blank_tape(SYMBOLS)
    for second, changes in enumerate(
        ({}, {}, {"event_ns": START_NS}, {"halted": True}, {"present": False}, {}), start=1
    ):
        tape = told(tape, second, MID_PX, **changes)
        counts.append(spy(tape).quotes)

    assert [1, 2, 2, 2, 0, 1] == counts
    assert 6 == symbol_tape(tape, 1).quotes


@pytest.mark.parametrize(("px", "pauses"), [(102 * DOLLAR, False), (102 * DOLLAR + 1, True), (98 * DOLLAR, True)])
def test_two_per_cent_in_ten_seconds_pause_for_a_minute(px: int, pauses: bool) -> None:  # noqa: FBT001
    """The move is compared with its lowest price; at the limit nothing happens, past it the symbol waits."""
    tape = told(after(MID_PX, in_force=FIELD), 2, px, in_force=FIELD)
    until_ns = START_NS + 62 * SECOND_NS if pauses else 0

    assert (until_ns, 0) == (spy(tape).paused_until_ns, symbol_tape(tape, 1).paused_until_ns)


@pytest.mark.parametrize(("gap_s", "pauses"), [(10, True), (12, False)])
def test_the_same_move_over_a_longer_time_pauses_nothing(gap_s: int, pauses: bool) -> None:  # noqa: FBT001
    """What lies more than the window (and its oldest bucket) apart is no fast move."""
    tape = told(after(MID_PX, in_force=FIELD), 1 + gap_s, 1025 * DOLLAR // 10, in_force=FIELD)

    assert pauses is (spy(tape).paused_until_ns > 0)


def test_a_pause_lasts_a_minute_from_the_last_look_that_saw_the_move() -> None:
    """While the move is inside the window the minute begins anew; it is never shortened."""
    tape = after(MID_PX, 1025 * DOLLAR // 10, in_force=FIELD)
    ends = []
    for second in (3, 11, 13, 40):
        tape = told(tape, second, 1025 * DOLLAR // 10, in_force=FIELD)
        ends.append((spy(tape).paused_until_ns - START_NS) // SECOND_NS)

    assert [63, 71, 71, 71] == ends


def test_a_jump_that_is_not_believed_pauses_nothing() -> None:
    """A single wrong price is no movement; once it is confirmed it is one."""
    waiting = after(MID_PX, 120 * DOLLAR, 120 * DOLLAR, in_force=FIELD)
    confirmed = told(waiting, 4, 120 * DOLLAR, in_force=FIELD)

    assert [(0, False), (START_NS + 64 * SECOND_NS, True)] == [
        (spy(t).paused_until_ns, bool(t.halted_by_move[0])) for t in (waiting, confirmed)
    ]


@pytest.mark.parametrize(
    ("px", "gap_s", "halts"),
    [(105 * DOLLAR, 100, False), (105 * DOLLAR + 1, 100, True), (106 * DOLLAR, 300, True), (106 * DOLLAR, 340, False)],
)
def test_five_per_cent_in_five_minutes_halt(px: int, gap_s: int, halts: bool) -> None:  # noqa: FBT001
    """At the limit and beyond the window nothing halts."""
    wide = limits(max_jump_bps=10_000, halt_move_bps=500)
    tape = told(after(MID_PX, in_force=wide), 1 + gap_s, px, in_force=wide)

    assert [halts, False, False] == tape.halted_by_move.tolist()


def test_bad_rows_count_for_a_minute_and_missing_ones_never() -> None:
    """Rows that were dropped as wrong are counted, a day without data is not; after a minute both are gone."""
    tape = told(blank_tape(SYMBOLS), 1, MID_PX, faults=FAULTS * 3)
    counts = [faults_in_minute(tape)]
    for second in (31, 60, 61):
        tape = told(tape, second, MID_PX, faults=FAULTS if second == 31 else ())
        counts.append(faults_in_minute(tape))

    assert [3, 4, 4, 1] == counts


def test_the_newest_quote_of_all_tells_that_the_feed_lives() -> None:
    """One symbol that moves on keeps the feed alive, and time never goes back."""
    tape = told(after(MID_PX), 5, MID_PX, event_ns=START_NS)
    older = told(tape, 6, MID_PX, at_ns=START_NS + 3 * SECOND_NS)

    assert [START_NS + 5 * SECOND_NS] * 2 == [tape.feed_ns, older.feed_ns]


def test_volume_counts_for_five_minutes_and_not_for_ever() -> None:
    """Nothing of the last five minutes is left out, and nothing older than a bucket more is left in."""
    tape = told(blank_tape(SYMBOLS), 1, MID_PX, volume=700)
    found = []
    for second in (2, 200, 301, 361, 2_000):
        tape = told(tape, second, MID_PX, volume=50)
        found.append(spy(tape).volume)

    assert [750, 800, 850, 150, 50] == found


@given(st.lists(st.tuples(st.integers(1, 200), st.integers(0, 500)), min_size=1, max_size=30))
def test_the_volume_of_the_last_five_minutes_is_never_left_out(told_so: list[tuple[int, int]]) -> None:
    """The sum is never less than the true one, and never more than that of one bucket more."""
    tape, second, seen = blank_tape(SYMBOLS), 0, []
    for gap_s, volume in told_so:
        second += gap_s
        tape = told(tape, second, MID_PX, volume=volume)
        seen.append((second, volume))
        window_s = VOLUME_WINDOW_NS // SECOND_NS
        least, most = (
            sum(traded for at_s, traded in seen if second - at_s <= span_s)
            for span_s in (window_s, window_s + window_s // BUCKETS)
        )
        assert least <= spy(tape).volume <= most


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 1_000)), min_size=1, max_size=40),
    st.integers(1, 300),
)
def test_the_range_of_a_window_is_never_narrower_than_the_true_one(seen: list[tuple[int, int]], window_ns: int) -> None:
    """For every window, also one that its buckets do not divide, no price inside it is forgotten early."""
    window, at_ns = Range.start(1), 10**6
    usable = np.array([True])
    past: list[tuple[int, int]] = []
    for gap_ns, px in seen:
        at_ns += gap_ns
        past.append((at_ns, px))
        window = window.advance(np.array([px]), usable, at_ns=at_ns, window_ns=window_ns)
        inside = [each for then_ns, each in past if at_ns - then_ns <= window_ns]
        assert int(np.maximum(window.high, window.past_high)[0]) >= max(inside)
        assert int(np.minimum(window.low, window.past_low)[0]) <= min(inside)


@given(st.lists(st.tuples(st.integers(1, 4_000), st.sampled_from([50, 99, 100, 101, 120])), min_size=2, max_size=40))
def test_nothing_of_a_tape_grows(seen: list[tuple[int, int]]) -> None:
    """Whatever was told, and for however long, every column keeps its shape and its type."""
    tape, second = told(blank_tape(SYMBOLS), 1, MID_PX, in_force=FIELD), 1
    shapes = shape_of(tape)
    for number, (gap_s, dollars) in enumerate(seen):
        second += gap_s
        date = MONDAY if number < len(seen) // 2 else TUESDAY
        tape = told(tape, second, dollars * DOLLAR, in_force=FIELD, date=date, faults=FAULTS)
        assert shapes == shape_of(tape)
        assert len(tape.faults) <= 60


def shape_of(held: Tape | Range) -> dict[str, object]:
    """Return the shapes and types of all columns."""
    found: dict[str, object] = {}
    for name, value in msgspec.structs.asdict(held).items():
        if isinstance(value, np.ndarray):
            found[name] = (value.shape, str(value.dtype))
        elif isinstance(value, Range):
            found[name] = shape_of(value)
    return found
