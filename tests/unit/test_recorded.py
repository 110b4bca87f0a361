"""The walk from rows to snapshots, and the rules by which a line is dropped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from interlock.model.errors import DataError
from interlock.model.market import FaultCode, MarketSnapshot, Reference, make_reference
from interlock.model.units import INTEGER_MAX, SECOND_NS
from interlock.shell.sources.dates import ExchangeDays
from interlock.shell.sources.recorded import FAULTS_MAX, SnapshotWalk
from interlock.shell.sources.rows import (
    EVERY_SYMBOL,
    TIMELESS_LINES_MAX,
    BadRow,
    FaultRow,
    Line,
    QuoteRow,
    Row,
    TradeRow,
    bad_number,
    checked_quote,
    checked_trade,
    in_order,
)

BAD = BadRow(FaultCode.ROW_UNREADABLE, "it is bad")


def walk(*streams: list[Row]) -> list[MarketSnapshot]:
    """Return every snapshot of a universe of two."""
    source = SnapshotWalk(universe=("SPY", "IBM"), streams=map(iter, streams), days=ExchangeDays("UTC"))
    found: list[MarketSnapshot] = []
    while (snapshot := source.next()) is not None:
        found.append(snapshot)
    return found


def quote(at_ns: int, ix: int = 0, bid_px: int = 10, ask_px: int = 12) -> QuoteRow:
    """Return a quote of 100 by 200 shares."""
    return QuoteRow(at_ns=at_ns, ix=ix, bid_px=bid_px, ask_px=ask_px, bid_qty=100, ask_qty=200)


def fault(at_ns: int, ix: int = 0, *, is_timed: bool = True) -> FaultRow:
    """Return a dropped row."""
    return FaultRow(at_ns=at_ns, ix=ix, code=FaultCode.ROW_UNREADABLE, text="f.csv line 1: bad", is_timed=is_timed)


def line(at_ns: int, *bad: BadRow, ix: int = 0, number: int = 1) -> Line:
    """Return a line with a quote, or with what is wrong with it."""
    return Line(number=number, ix=ix, at_ns=at_ns, rows=() if bad else (quote(at_ns, ix),), bad=bad)


def ordered(*lines: Line, from_ns: int = 1) -> list[Row]:
    """Return the rows of a file."""
    return list(in_order(iter(lines), file_name="f.csv", from_ns=from_ns))


def test_what_a_date_knows_beforehand_is_asked_once_and_shown_all_day() -> None:
    """Each date is asked for when its first snapshot is made, and every snapshot of it holds the same answer."""
    asked: list[str] = []

    def known(trading_date: str) -> Reference:
        asked.append(trading_date)
        px = np.full(2, len(asked), dtype=np.int64)
        return make_reference(close_px=px, adv_qty=px, band_low_px=px, band_high_px=px)

    day_ns = 86_400 * SECOND_NS
    rows = iter([quote(5), quote(6), quote(day_ns - 1), quote(day_ns), quote(day_ns + 1)])
    source = SnapshotWalk(universe=("SPY", "IBM"), streams=[rows], days=ExchangeDays("UTC"), reference_on=known)
    closes: list[int] = []
    while (snapshot := source.next()) is not None:
        closes.append(snapshot.reference_of(1).close_px)

    assert ["1970-01-01", "1970-01-02"] == asked
    assert [1, 1, 1, 2, 2] == closes


def test_files_without_a_reference_give_none() -> None:
    """A walk that was given nothing to know beforehand shows zeros and says that they were not given."""
    only = walk([quote(5)])[0]

    assert (False, 0) == (only.reference.is_given, only.reference_of(0).close_px)


def test_each_distinct_time_is_one_snapshot_with_every_row_of_it() -> None:
    """Rows of one time meet in one snapshot, whatever stream they come from; gaps are jumped."""
    found = walk([quote(5), quote(90)], [quote(5, ix=1)], [TradeRow(at_ns=5, ix=0, last_px=11, volume=7)])

    assert [(1, 5), (2, 90)] == [(snapshot.seq, snapshot.as_of_ns) for snapshot in found]
    assert [True, True] == found[0].present.tolist()
    assert (11, 7) == (found[0].quote(0).last_px, found[0].quote(0).volume)


def test_quote_is_carried_forward_with_its_own_time() -> None:
    """A quiet symbol keeps its last quote, and the time of it says how old it is."""
    last = walk([quote(5), quote(9, ix=1, bid_px=3)])[-1]

    assert ([5, 9], [10, 3], [True, True]) == (last.event_ns.tolist(), last.bid_px.tolist(), last.present.tolist())


def test_last_price_is_carried_and_volume_is_not() -> None:
    """Volume belongs to the time of its trade alone; before the first trade both are 0."""
    trades: list[Row] = [TradeRow(at_ns=5, ix=0, last_px=11, volume=7)]
    first, second, third = walk([quote(4), quote(6)], trades)

    assert [(0, 0), (11, 7), (11, 0)] == [
        (snapshot.quote(0).last_px, snapshot.quote(0).volume) for snapshot in (first, second, third)
    ]


def test_symbol_without_a_row_is_not_present() -> None:
    """Before its first quote a symbol is unknown, also when it has traded."""
    only = walk([TradeRow(at_ns=5, ix=1, last_px=11, volume=7)])[0]

    assert ([False, False], [0, 0]) == (only.present.tolist(), only.event_ns.tolist())


def test_snapshot_is_not_changed_by_the_next_one() -> None:
    """What was shown stays as it was shown."""
    first, _ = walk([quote(5), quote(6, bid_px=1)])

    assert 10 == int(first.bid_px[0])


def test_fault_makes_its_symbol_unknown_until_the_next_good_quote() -> None:
    """A dropped row takes the carried quote with it, numbers and all, and a good quote ends that."""
    before, during, still, after = walk([quote(1), fault(2), quote(4)], [quote(3, ix=1)])

    assert [True, False, False, True] == [bool(s.present[0]) for s in (before, during, still, after)]
    assert (0, 0, 0, 0) == tuple(int(c[0]) for c in (still.bid_px, still.ask_px, still.bid_qty, still.ask_qty))
    assert [0, 1, 0, 0] == [len(s.faults) for s in (before, during, still, after)]


def test_trade_does_not_end_a_fault() -> None:
    """A trade says nothing of the quote, so the symbol stays unknown."""
    last = walk([quote(1), fault(2), TradeRow(at_ns=3, ix=0, last_px=11, volume=7)])[-1]

    assert (False, 11) == (bool(last.present[0]), int(last.last_px[0]))


@pytest.mark.parametrize("fault_is_first", [True, False], ids=["before", "after"])
def test_fault_outranks_a_good_row_of_the_same_time(fault_is_first: bool) -> None:  # noqa: FBT001
    """Two rows of one time and one is bad: nobody knows which is true, so the symbol is unknown."""
    streams: list[list[Row]] = [[fault(2)], [quote(2)]]
    only = walk(*(streams if fault_is_first else streams[::-1]))[0]

    assert (False, 0) == (bool(only.present[0]), int(only.bid_px[0]))


def test_fault_without_a_time_waits_for_the_next_snapshot() -> None:
    """It makes no snapshot of its own, is told in the next one, and a good row of its symbol there ends it."""
    first, second = walk([quote(1), fault(2, is_timed=False), quote(7)])
    other = walk([quote(1), fault(2, is_timed=False)], [quote(7, ix=1)])[-1]

    assert (0, 1, 7, True) == (len(first.faults), len(second.faults), second.as_of_ns, bool(second.present[0]))
    assert (1, False) == (len(other.faults), bool(other.present[0]))


def test_fault_after_the_last_row_still_has_a_snapshot() -> None:
    """Nothing that was dropped is passed over in silence, also at the end."""
    first, last = walk([quote(5), fault(6, is_timed=False)])

    assert (5, 6, 1) == (first.as_of_ns, last.as_of_ns, len(last.faults))


def test_fault_that_names_nobody_makes_everybody_unknown() -> None:
    """A line that does not say whose it is may be anybody's."""
    last = walk([quote(5), quote(5, ix=1), fault(6, ix=EVERY_SYMBOL)])[-1]

    assert ([False, False], "*") == (last.present.tolist(), last.faults[0].symbol)


def test_flood_of_faults_is_counted_and_not_kept() -> None:
    """One snapshot tells so many faults one by one, and the last says how many more there were."""
    only = walk([fault(2, is_timed=False) for _ in range(FAULTS_MAX + 41)])[0]

    assert FAULTS_MAX == len(only.faults)
    assert only.faults[-1].text.endswith("(and 41 more rows were dropped after this one)")


def test_no_rows_make_no_snapshots() -> None:
    """An empty walk ends at once, and stays ended."""
    source = SnapshotWalk(universe=("SPY",), streams=[], days=ExchangeDays("UTC"))

    assert (None, None) == (source.next(), source.next())


def test_line_out_of_order_is_dropped_and_told_next() -> None:
    """Its snapshot is gone, so the next one tells it, with file, line and both times."""
    good, told, next_good = ordered(line(10**9), line(5, number=2), line(2 * 10**9))

    assert (quote(10**9), quote(2 * 10**9)) == (good, next_good)
    assert isinstance(told, FaultRow)
    assert (10**9 + 1, FaultCode.ROW_OUT_OF_ORDER, False) == (told.at_ns, told.code, told.is_timed)
    assert told.text == (
        "f.csv line 2: its time 1970-01-01T00:00:00Z is before 1970-01-01T00:00:01Z of the row before it"
    )


def test_second_line_of_a_time_is_a_duplicate_and_the_first_is_doubted() -> None:
    """The second row is dropped, and its fault belongs to the very time that both claim."""
    rows = ordered(line(5), line(5, number=2), line(5, ix=1, number=3))
    only = walk(rows)[0]

    assert [(FaultCode.ROW_DUPLICATE, "f.csv line 2: a second row for 1970-01-01T00:00:00Z")] == [
        (told.code, told.text) for told in only.faults
    ]
    assert [False, True] == only.present.tolist()


def test_line_without_a_time_between_two_of_one_time_does_not_turn_time_back() -> None:
    """It waits until time goes on, so rows of one time stay together."""
    first, second = walk(ordered(line(5), line(0, BAD, number=2), line(5, ix=1), line(8)))

    assert ([5, 8], [0, 1]) == ([first.as_of_ns, second.as_of_ns], [len(first.faults), len(second.faults)])
    assert [True, True] == first.present.tolist()


def test_bad_line_with_a_time_is_told_at_that_time() -> None:
    """What was dropped belongs to the snapshot of its own time, though it has no good row."""
    told = ordered(line(5, BAD, number=3))

    assert [FaultRow(5, 0, FaultCode.ROW_UNREADABLE, "f.csv line 3: it is bad", is_timed=True)] == told


def test_file_without_one_usable_time_is_refused_with_its_first_line() -> None:
    """If nothing can be placed in time there is no market, and the sentence shows why."""
    with pytest.raises(DataError, match=r"No line of f.csv has a time .* line 4: it is bad"):
        ordered(line(0, BAD, number=4), from_ns=0)


def test_file_without_rows_is_refused() -> None:
    """An empty file is no market."""
    with pytest.raises(DataError, match=r"f.csv holds no row of any symbol"):
        ordered(from_ns=0)


def test_endless_lines_without_a_time_are_another_kind_of_file() -> None:
    """Waiting lines are bounded: beyond the bound the file cannot be read on."""

    def endless() -> Iterator[Line]:
        yield line(5)
        while True:
            yield line(0, BAD, number=2)

    with pytest.raises(DataError, match=f"{TIMELESS_LINES_MAX:,} lines in a row"):
        list(in_order(endless(), file_name="f.csv", from_ns=0))


@pytest.mark.parametrize(
    ("bid_px", "ask_px", "bid_qty", "code", "words"),
    [
        (0, 2, 1, FaultCode.ROW_NEGATIVE, "the bid is $0.00, which is no price"),
        (1, -2, 1, FaultCode.ROW_NEGATIVE, "the ask is -$0.000002, which is no price"),
        (1, INTEGER_MAX + 1, 1, FaultCode.ROW_UNREADABLE, "which is no price"),
        (1, 2, -1, FaultCode.ROW_NEGATIVE, "the size of the bid is -1, which is no size"),
        (3_000_000, 2_000_000, 1, FaultCode.ROW_CROSSED, "the bid of $3.00 is above the ask of $2.00"),
    ],
    ids=["zero", "negative", "too-large", "size", "crossed"],
)
def test_quote_that_is_none_is_refused(bid_px: int, ask_px: int, bid_qty: int, code: FaultCode, words: str) -> None:
    """Each rule of a quote has its code and its words."""
    found = checked_quote(QuoteRow(at_ns=1, ix=0, bid_px=bid_px, ask_px=ask_px, bid_qty=bid_qty, ask_qty=0))

    assert isinstance(found, BadRow)
    assert code is found.code
    assert words in found.why


def test_locked_quote_with_empty_sizes_is_a_quote() -> None:
    """Bid equal to ask and sizes of zero are odd, and not wrong: the gate judges them."""
    locked = QuoteRow(at_ns=1, ix=0, bid_px=INTEGER_MAX, ask_px=INTEGER_MAX, bid_qty=0, ask_qty=0)

    assert locked is checked_quote(locked)


@pytest.mark.parametrize(("last_px", "volume"), [(0, 1), (1, -1), (INTEGER_MAX + 1, 1), (1, INTEGER_MAX + 1)])
def test_trade_that_is_none_is_refused(last_px: int, volume: int) -> None:
    """A price above zero, a volume of zero or more, both of a size that can be kept."""
    assert isinstance(checked_trade(TradeRow(at_ns=1, ix=0, last_px=last_px, volume=volume)), BadRow)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", FaultCode.ROW_UNREADABLE),
        ("ten", FaultCode.ROW_UNREADABLE),
        ("1.00000001", FaultCode.ROW_UNREADABLE),
        ("-3", FaultCode.ROW_NEGATIVE),
        ("-inf", FaultCode.ROW_NOT_FINITE),
        ("NaN", FaultCode.ROW_NOT_FINITE),
    ],
    ids=["empty", "word", "decimals", "negative", "infinite", "nan"],
)
def test_text_that_is_no_number_says_which_kind_of_none(text: str, code: FaultCode) -> None:
    """The code tells a reader of the faults what the file is full of."""
    assert code is bad_number("bid", text).code


def test_control_characters_of_a_file_do_not_reach_a_screen() -> None:
    """What a file holds is shown without what could fake a screen, and cut."""
    why = bad_number("bid", "\x1b[2J" + "9" * 50).why

    assert "\x1b" not in why
    assert 70 > len(why)
