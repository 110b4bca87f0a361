"""The LEAN source: real files, planted faults, and refusals in a sentence."""

from __future__ import annotations

import itertools
import zipfile
from datetime import date
from pathlib import Path

import pytest

from interlock.model.errors import DataError
from interlock.model.market import FaultCode, MarketSnapshot, Provides
from interlock.model.units import SECOND_NS
from interlock.shell.sources.lean import LeanSource

MONDAY = date(2013, 10, 7)
TUESDAY = date(2013, 10, 8)
#: Midnight in New York of that Monday.
MIDNIGHT_NS = 1_381_118_400 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS
QUOTES = "34200000,1670000,1670000,1670000,1672500,300,1672700,1672700,1672700,1672700,200\n"
TRADES = "34200000,1670000,1670000,1670000,1672600,5000\n"


def put(folder: Path, text: str | bytes, *, kind: str = "quote", symbol: str = "spy", day: date = MONDAY) -> Path:
    """Write one day of bars as LEAN does."""
    room = folder / "equity/usa/minute" / symbol
    room.mkdir(parents=True, exist_ok=True)
    path = room / f"{day:%Y%m%d}_{kind}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{day:%Y%m%d}_{symbol}_minute_{kind}.csv", text)
    return path


def lean(folder: Path, *universe: str, first_day: date = MONDAY, last_day: date = MONDAY) -> LeanSource:
    """Return the source over a folder."""
    return LeanSource(universe=universe or ("SPY",), path=folder, first_day=first_day, last_day=last_day)


def snapshots(source: LeanSource) -> list[MarketSnapshot]:
    """Return all that a source shows."""
    found: list[MarketSnapshot] = []
    while (snapshot := source.next()) is not None:
        found.append(snapshot)
    return found


def told(found: list[MarketSnapshot]) -> list[tuple[int, FaultCode, str]]:
    """Return the minute since midnight, the code and the words of each fault."""
    return [
        ((snapshot.as_of_ns - MIDNIGHT_NS) // MINUTE_NS, fault.code, fault.text)
        for snapshot in found
        for fault in snapshot.faults
    ]


def test_bar_is_seen_when_it_is_complete_and_not_when_it_starts(tmp_path: Path) -> None:
    """A bar stamped 09:30 is seen at 09:31, with its close, its sizes and the traded bar of the same minute."""
    put(tmp_path, QUOTES)
    put(tmp_path, TRADES, kind="trade")
    only = snapshots(lean(tmp_path))
    quote = only[0].quote(0)

    assert 1 == len(only)
    assert (MIDNIGHT_NS + 571 * MINUTE_NS, "2013-10-07") == (only[0].as_of_ns, only[0].trading_date)
    assert (167_250_000, 300, 167_270_000, 200) == (quote.bid_px, quote.bid_qty, quote.ask_px, quote.ask_qty)
    assert (167_260_000, 5_000, only[0].as_of_ns) == (quote.last_px, quote.volume, quote.event_ns)


def test_real_week_is_whole_and_clean(shared_data: Path) -> None:
    """The recorded week of four symbols: every minute of it, no fault, quotes in order, pre-market included."""
    source = lean(shared_data, "SPY", "IBM", "AIG", "BAC", last_day=date(2013, 10, 11))
    found = snapshots(source)
    first, last = found[0], found[-1]

    assert 4_675 == len(found)
    assert [] == told(found)
    assert (MIDNIGHT_NS + 241 * MINUTE_NS, 167_250_000, 167_270_000) == (
        first.as_of_ns,
        int(first.bid_px[0]),
        int(first.ask_px[0]),
    )
    assert ("2013-10-11", 185_920_000) == (last.trading_date, int(last.bid_px[1]))
    assert all(one.as_of_ns < other.as_of_ns for one, other in itertools.pairwise(found))
    assert "recorded LEAN minute bars of 4 symbols, 2013-10-07 to 2013-10-11, 40 files" == source.origin.words


def test_same_files_give_the_same_snapshots_wherever_they_lie(tmp_path: Path) -> None:
    """The identity holds names and contents, never a path of this machine."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        put(folder, QUOTES)

    assert lean(one).origin.identity == lean(other).origin.identity
    assert str(tmp_path) not in str(lean(one).origin.identity)
    assert ("from", "2013-10-07") == lean(one).origin.identity[0]
    assert "equity/usa/minute/spy/20131007_quote.zip" == lean(one).origin.identity[2][0]
    assert str(one) == lean(one).origin.where
    assert [s.digest for s in snapshots(lean(one))] == [s.digest for s in snapshots(lean(other))]


def test_source_says_what_its_files_can_tell(tmp_path: Path) -> None:
    """Without trade files there is no last price to be had, and LEAN never tells a halt."""
    put(tmp_path, QUOTES)
    quotes_only = lean(tmp_path).provides
    put(tmp_path, TRADES, kind="trade")

    assert frozenset({Provides.QUOTES, Provides.SIZES}) == quotes_only
    assert frozenset({Provides.QUOTES, Provides.SIZES, Provides.LAST, Provides.VOLUME}) == lean(tmp_path).provides


BAD_LINES = [
    ("x,1,1,1,1,1,2,2,2,2,1", FaultCode.ROW_UNREADABLE, "the time 'x' is not a number"),
    ("34260000,1,1,1", FaultCode.ROW_UNREADABLE, "it has 4 fields and a row has 11"),
    ("", FaultCode.ROW_UNREADABLE, "the time '' is not a number"),
    ("86400000,1,1,1,1,1,2,2,2,2,1", FaultCode.ROW_UNREADABLE, "past the end of its day"),
    ("34260000,1,1,1,nan,1,2,2,2,2,1", FaultCode.ROW_NOT_FINITE, "the bid close 'nan' is not a finite number"),
    ("34260000,1,1,1,1,1,2,2,2,inf,1", FaultCode.ROW_NOT_FINITE, "the ask close 'inf' is not a finite number"),
    ("34260000,1,1,1,-1,1,2,2,2,2,1", FaultCode.ROW_NEGATIVE, "the bid close -1 is below zero"),
    ("34260000,1,1,1,0,1,2,2,2,2,1", FaultCode.ROW_NEGATIVE, "the bid is $0.00, which is no price"),
    ("34260000,3,3,3,3,1,2,2,2,2,1", FaultCode.ROW_CROSSED, "the bid of $0.0003 is above the ask of $0.0002"),
    ("34260000,,,,,,2,2,2,2,1", FaultCode.QUOTE_MISSING, "no bid was quoted in that minute"),
    ("34260000,1,1,1,1,1,,,,,", FaultCode.QUOTE_MISSING, "no ask was quoted in that minute"),
    ("34260000,1,1,1,,1,2,2,2,2,1", FaultCode.ROW_UNREADABLE, "the bid close '' is not a number"),
    ("34260000,1,1,1,1.5,1,2,2,2,2,1", FaultCode.ROW_UNREADABLE, "the bid close '1.5' is not a number that fits"),
    ("34200000,1,1,1,1,1,2,2,2,2,1", FaultCode.ROW_DUPLICATE, "a second row for 2013-10-07T13:31:00Z"),
    ("34140000,1,1,1,1,1,2,2,2,2,1", FaultCode.ROW_OUT_OF_ORDER, "its time 2013-10-07T13:30:00Z is before"),
]


@pytest.mark.parametrize(("line", "code", "words"), BAD_LINES, ids=[words for _, _, words in BAD_LINES])
def test_bad_line_is_told_with_file_and_line_and_its_symbol_is_unknown(
    tmp_path: Path, line: str, code: FaultCode, words: str
) -> None:
    """The line is dropped; from its snapshot on the symbol is unknown; the next good row ends that."""
    good = "34320000" + QUOTES[8:]
    ibm = "34260000" + QUOTES[8:]
    put(tmp_path, QUOTES + line + "\n" + good)
    put(tmp_path, ibm, symbol="ibm")
    found = snapshots(lean(tmp_path, "SPY", "IBM"))
    (fault,) = [fault for fault in told(found) if fault[1] is not FaultCode.DAY_ABSENT]
    at_minute = 571 if code is FaultCode.ROW_DUPLICATE else 572

    assert (at_minute, code) == fault[:2]
    assert fault[2].startswith("equity/usa/minute/spy/20131007_quote.zip line 2: ")
    assert words in fault[2]
    assert [code is not FaultCode.ROW_DUPLICATE, False, True] == [bool(snapshot.present[0]) for snapshot in found]
    assert 167_250_000 == int(found[2].bid_px[0])


def test_bad_trade_line_makes_its_symbol_unknown_too(tmp_path: Path) -> None:
    """Whatever row of a symbol is bad, the symbol is unknown until its next good quote."""
    put(tmp_path, QUOTES + "34260000" + QUOTES[8:])
    put(tmp_path, "34200000,1,1,1,nan,5\n34260000,1,1,1,1,-5\n", kind="trade")
    found = snapshots(lean(tmp_path))

    assert [(571, FaultCode.ROW_NOT_FINITE), (572, FaultCode.ROW_NEGATIVE)] == [fault[:2] for fault in told(found)]
    assert [False, False] == [bool(snapshot.present[0]) for snapshot in found]


def test_windows_line_ends_and_a_missing_last_one_are_read(tmp_path: Path) -> None:
    """How a line ends is not what it says."""
    put(tmp_path, QUOTES.replace("\n", "\r\n") + "34260000" + QUOTES[8:].rstrip())
    put(tmp_path, TRADES, kind="trade")

    assert [[], 2] == [told(found := snapshots(lean(tmp_path))), len(found)]


def test_absent_day_is_told_in_the_first_snapshot_of_that_day(tmp_path: Path) -> None:
    """A missing zip is a fault of its day; the symbol is unknown until its next good row."""
    put(tmp_path, QUOTES)
    put(tmp_path, QUOTES, symbol="ibm")
    put(tmp_path, QUOTES, symbol="ibm", day=TUESDAY)
    for symbol, day in (("spy", MONDAY), ("ibm", MONDAY), ("ibm", TUESDAY), ("spy", TUESDAY)):
        put(tmp_path, TRADES, kind="trade", symbol=symbol, day=day)
    monday, tuesday = snapshots(lean(tmp_path, "SPY", "IBM", last_day=TUESDAY))

    assert ([True, True], [False, True]) == (monday.present.tolist(), tuesday.present.tolist())
    assert ("2013-10-08", "SPY", FaultCode.DAY_ABSENT) == (
        tuesday.trading_date,
        tuesday.faults[0].symbol,
        tuesday.faults[0].code,
    )
    assert tuesday.faults[0].text == (
        "no quote bars of SPY on 2013-10-08: equity/usa/minute/spy/20131008_quote.zip is not there "
        "(a holiday, or a gap in the files)"
    )


def test_file_without_a_row_is_an_absent_day(tmp_path: Path) -> None:
    """A zip that holds nothing says as little as no zip, and is told."""
    put(tmp_path, "")
    put(tmp_path, TRADES, kind="trade")

    assert [(FaultCode.DAY_ABSENT, True)] == [
        (code, text.endswith("20131007_quote.zip holds no quote bars"))
        for _, code, text in told(snapshots(lean(tmp_path)))
    ]


def test_absent_last_day_is_still_told(tmp_path: Path) -> None:
    """Also at the end of the data nothing is passed over in silence."""
    put(tmp_path, QUOTES)
    put(tmp_path, TRADES, kind="trade")
    found = snapshots(lean(tmp_path, last_day=TUESDAY))

    assert ([0, 2], "2013-10-08") == ([len(snapshot.faults) for snapshot in found], found[-1].trading_date)
    assert not bool(found[-1].present[0])


def test_weekend_is_not_an_absent_day(tmp_path: Path) -> None:
    """Saturday and Sunday are not missed."""
    put(tmp_path, QUOTES)
    put(tmp_path, TRADES, kind="trade")

    assert [] == told(snapshots(lean(tmp_path, first_day=date(2013, 10, 5))))


def test_day_of_the_clock_change_is_read_by_the_exchange_clock(tmp_path: Path) -> None:
    """On 3 November 2013 the clock went back: 03:00 was five hours before 08:00 UTC, and 01:30 was twice."""
    sunday = date(2013, 11, 3)
    put(tmp_path, "5400000" + QUOTES[8:] + "10800000" + QUOTES[8:], day=sunday)
    found = snapshots(lean(tmp_path, first_day=sunday, last_day=sunday))

    assert ["2013-11-03"] == [snapshot.trading_date for snapshot in found]
    assert 1_383_465_660 * SECOND_NS == found[0].as_of_ns
    assert "the time 5400000 ms cannot be placed: the clocks are changed" in found[0].faults[0].text


def test_file_that_changed_since_the_start_is_refused(tmp_path: Path) -> None:
    """The identity was recorded, so another content is not read as if it were the same."""
    put(tmp_path, QUOTES)
    put(tmp_path, QUOTES, day=TUESDAY)
    source = lean(tmp_path, last_day=TUESDAY)
    put(tmp_path, QUOTES + QUOTES, day=TUESDAY)

    with pytest.raises(DataError, match="not the file any more that the run began with"):
        snapshots(source)


def test_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The sentence names the folder and the key."""
    with pytest.raises(DataError, match=r"nowhere does not exist.*path under \[source\]"):
        lean(tmp_path / "nowhere")


def test_symbol_without_a_folder_is_refused(tmp_path: Path) -> None:
    """A symbol that the data does not know is a mistake of the configuration, not an absent day."""
    put(tmp_path, QUOTES)

    with pytest.raises(DataError, match="no folder of minute bars of XYZ"):
        lean(tmp_path, "SPY", "XYZ")


def test_days_without_any_file_are_refused(tmp_path: Path) -> None:
    """If nothing at all is there, there is nothing to run on."""
    put(tmp_path, QUOTES)

    with pytest.raises(DataError, match="No minute file of SPY from 2014-01-01 to 2014-01-02"):
        lean(tmp_path, first_day=date(2014, 1, 1), last_day=date(2014, 1, 2))


def test_symbol_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A symbol is a name and never a path."""
    with pytest.raises(DataError, match="cannot be the name of a folder"):
        lean(tmp_path, "../SPY")


@pytest.mark.parametrize(
    ("first_day", "last_day", "words"),
    [(TUESDAY, MONDAY, "is before the first day"), (date(1900, 1, 1), MONDAY, "the most is 20,000")],
    ids=["backwards", "too-many"],
)
def test_days_that_are_no_span_are_refused(tmp_path: Path, first_day: date, last_day: date, words: str) -> None:
    """A span of days goes forward and has an end in sight."""
    with pytest.raises(DataError, match=words):
        lean(tmp_path, first_day=first_day, last_day=last_day)


def test_zip_that_is_none_is_refused_before_the_run(tmp_path: Path) -> None:
    """Bytes that are no zip, a wrong member, other text than UTF-8, and a torn file: a sentence with the file."""
    path = put(tmp_path, QUOTES)
    whole = path.read_bytes()
    reasons: list[str] = []
    for content in (b"no zip", whole[:-30], whole.replace(b"1672500", b"9999999")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"spy/20131007_quote.zip cannot be read: it is not a whole zip") as caught:
            lean(tmp_path)
        reasons.append(str(caught.value))

    assert 3 == len(reasons)


def test_wrong_member_and_wrong_text_are_refused_before_the_run(tmp_path: Path) -> None:
    """A zip must hold the file that its name promises, in UTF-8."""
    path = put(tmp_path, b"\xff\xfe")
    with pytest.raises(DataError, match=r"20131007_spy_minute_quote.csv is not text in UTF-8"):
        lean(tmp_path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.csv", QUOTES)

    with pytest.raises(DataError, match=r"it should hold 20131007_spy_minute_quote.csv and holds other.csv"):
        lean(tmp_path)


def test_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """What the system refuses to read is told in its words."""
    (tmp_path / "equity/usa/minute/spy/20131007_quote.zip").mkdir(parents=True)

    with pytest.raises(DataError, match=r"20131007_quote.zip cannot be read: Is a directory"):
        lean(tmp_path)
