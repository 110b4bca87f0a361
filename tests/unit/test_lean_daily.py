"""The daily bars of LEAN: what a trading date knew beforehand, never its own bar, and refusals in a sentence."""

from __future__ import annotations

import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest

from interlock.model.errors import DataError
from interlock.model.market import MarketSnapshot, Provides
from interlock.shell.sources.lean import LeanSource
from interlock.shell.sources.lean_daily import ADV_BARS, CLOSE_DAYS_MAX, daily_bars

MONDAY = date(2013, 10, 7)
TUESDAY = date(2013, 10, 8)
QUOTE = "34200000,1670000,1670000,1670000,1672500,300,1672700,1672700,1672700,1672700,200\n"
BEFOREHAND = {Provides.PREVIOUS_CLOSE, Provides.DAILY_VOLUME}


def put_minutes(folder: Path, text: str = QUOTE, *, symbol: str = "spy", day: date = MONDAY) -> None:
    """Write one day of quote bars as LEAN does."""
    room = folder / "equity/usa/minute" / symbol
    room.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(room / f"{day:%Y%m%d}_quote.zip", "w") as archive:
        archive.writestr(f"{day:%Y%m%d}_{symbol}_minute_quote.csv", text)


def put_daily(folder: Path, text: str | bytes, *, symbol: str = "spy", member: str = "") -> Path:
    """Write a file of daily bars as LEAN does."""
    path = folder / "equity/usa/daily" / f"{symbol}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member or f"{symbol}.csv", text)
    return path


def bar(day: date, close: int, volume: int = 100) -> str:
    """Return a daily bar; open, high and low are other than the close, so that none is taken for it."""
    return f"{day:%Y%m%d} 00:00,{close + 1},{close + 2},{close - 1},{close},{volume}\n"


def weekdays_before(day: date, count: int) -> list[date]:
    """Return so many weekdays before a day, the oldest first."""
    found: list[date] = []
    while len(found) < count:
        day -= timedelta(days=1)
        if day.weekday() < 5:
            found.insert(0, day)
    return found


def lean(folder: Path, *universe: str, first_day: date = MONDAY, last_day: date = MONDAY) -> LeanSource:
    """Return the source over a folder."""
    return LeanSource(universe=universe or ("SPY",), path=folder, first_day=first_day, last_day=last_day)


def snapshots(source: LeanSource) -> list[MarketSnapshot]:
    """Return all that a source shows."""
    found: list[MarketSnapshot] = []
    while (snapshot := source.next()) is not None:
        found.append(snapshot)
    return found


def known(folder: Path, on: date = MONDAY) -> tuple[int, int]:
    """Return the close and the mean volume that a date knew beforehand."""
    bars = daily_bars(("SPY",), folder=folder, first_day=MONDAY, last_day=TUESDAY)
    assert bars is not None
    reference = bars.reference_on(on.isoformat())
    return int(reference.close_px[0]), int(reference.adv_qty[0])


def test_real_week_knows_the_close_and_the_volume_before_each_date(shared_data: Path) -> None:
    """Each date of the recorded week has the close of the date before, over the weekend too, and the mean of twenty."""
    source = lean(shared_data, "SPY", "IBM", last_day=date(2013, 10, 11))
    seen = {(s.trading_date, s.reference.is_given): s.reference_of(0) for s in snapshots(source)}

    assert BEFOREHAND <= source.provides
    assert Provides.BANDS not in source.provides
    assert [
        (("2013-10-07", True), 168_890_000, 95_643_806),
        (("2013-10-08", True), 167_420_000, 96_127_600),
        (("2013-10-09", True), 165_480_000, 99_269_650),
        (("2013-10-10", True), 165_570_000, 102_587_213),
        (("2013-10-11", True), 169_240_000, 106_749_979),
    ] == [(day, row.close_px, row.adv_qty) for day, row in seen.items()]
    assert {(0, 0)} == {(row.band_low_px, row.band_high_px) for row in seen.values()}


def test_bar_of_the_date_itself_is_not_seen(tmp_path: Path) -> None:
    """Another close and volume on the date, or no bar of it at all, changes nothing that the date knew."""
    days = weekdays_before(MONDAY, ADV_BARS)
    before = "".join(bar(day, 1_000 + number, 100 + number) for number, day in enumerate(days))
    answers: list[tuple[int, int]] = []
    for later in ("", bar(MONDAY, 9, 9), bar(MONDAY, 8, 10**9) + bar(TUESDAY, 7, 10**9)):
        put_daily(tmp_path, before + later)
        answers.append(known(tmp_path))

    assert [(101_900, 109)] * 3 == answers


def test_each_date_of_a_run_knows_the_bar_of_the_date_before(tmp_path: Path) -> None:
    """Monday's bar is first known on Tuesday, in every snapshot of it, and the reference turns with the date."""
    put_minutes(tmp_path, QUOTE + "34260000" + QUOTE[8:])
    put_minutes(tmp_path, day=TUESDAY)
    put_daily(tmp_path, bar(date(2013, 10, 4), 1_000) + bar(MONDAY, 2_000) + bar(TUESDAY, 3_000))
    found = snapshots(lean(tmp_path, last_day=TUESDAY))

    assert [("2013-10-07", 100_000)] * 2 + [("2013-10-08", 200_000)] == [
        (snapshot.trading_date, snapshot.reference_of(0).close_px) for snapshot in found
    ]
    assert found[0].reference is found[1].reference


def test_minute_that_ends_at_midnight_is_of_the_next_date(tmp_path: Path) -> None:
    """At midnight the day's own bar is complete, so the date that begins knows it, also after the last day."""
    put_minutes(tmp_path, "86340000" + QUOTE[8:])
    put_daily(tmp_path, bar(date(2013, 10, 4), 1_000) + bar(MONDAY, 2_000))
    (only,) = snapshots(lean(tmp_path))

    assert ("2013-10-08", 200_000) == (only.trading_date, only.reference_of(0).close_px)


def test_holiday_is_jumped_to_the_last_date_that_traded(tmp_path: Path) -> None:
    """A date without a bar is no date of the twenty, and the close is that of the last one before it."""
    days = [day for day in weekdays_before(MONDAY, ADV_BARS + 2) if day not in {date(2013, 10, 4), date(2013, 9, 18)}]
    put_daily(tmp_path, "".join(bar(day, 1_000 + number, 100 + number) for number, day in enumerate(days)))

    assert (date(2013, 10, 3), ADV_BARS) == (days[-1], len(days))
    assert (101_900, 109) == known(tmp_path)


@pytest.mark.parametrize(
    ("count", "adv_qty"), [(ADV_BARS, 109), (ADV_BARS - 1, 0), (ADV_BARS + 1, 110), (1, 0)], ids=str
)
def test_mean_volume_is_of_twenty_dates_or_unknown(tmp_path: Path, count: int, adv_qty: int) -> None:
    """With fewer than twenty bars there is no mean, with more the oldest are left out; it is rounded down."""
    days = weekdays_before(MONDAY, count)
    put_daily(tmp_path, "".join(bar(day, 1_000, 100 + number) for number, day in enumerate(days)))

    assert (100_000, adv_qty) == known(tmp_path)


@pytest.mark.parametrize(
    ("days_ago", "close_px"), [(CLOSE_DAYS_MAX, 100_000), (CLOSE_DAYS_MAX + 1, 0)], ids=["at-the-limit", "past-it"]
)
def test_close_of_long_ago_is_not_that_of_the_date_before(tmp_path: Path, days_ago: int, close_px: int) -> None:
    """A file that ends long before the day does not know its previous close, nor the volume before it."""
    last = MONDAY - timedelta(days=days_ago)
    days = [*weekdays_before(last, ADV_BARS), last]
    put_daily(tmp_path, "".join(bar(day, 1_000) for day in days))

    assert (close_px, 100 if close_px else 0) == known(tmp_path)


def test_symbol_that_was_never_traded_before_is_unknown(tmp_path: Path) -> None:
    """On its first date, or with an empty file, a symbol has no close and no volume."""
    put_daily(tmp_path, bar(MONDAY, 1_000))
    first, second = known(tmp_path), known(tmp_path, TUESDAY)
    put_daily(tmp_path, "")

    assert [(0, 0), (100_000, 0), (0, 0)] == [first, second, known(tmp_path)]


def test_without_the_daily_file_of_each_symbol_nothing_of_it_is_provided(tmp_path: Path) -> None:
    """One symbol's missing file takes it from all, and the digests are those of a folder without any."""
    for symbol in ("spy", "ibm"):
        put_minutes(tmp_path, symbol=symbol)
    bare = lean(tmp_path, "SPY", "IBM")
    put_daily(tmp_path, bar(date(2013, 10, 4), 1_000))
    half = lean(tmp_path, "SPY", "IBM")
    put_daily(tmp_path, bar(date(2013, 10, 4), 1_000), symbol="ibm")
    whole = lean(tmp_path, "SPY", "IBM")
    words = {source.origin.words for source in (bare, half, whole)}
    (one,), (other,), (last,) = snapshots(bare), snapshots(half), snapshots(whole)

    assert [set(), set(), BEFOREHAND] == [source.provides & BEFOREHAND for source in (bare, half, whole)]
    assert bare.origin.identity == half.origin.identity
    assert (one.digest, False) == (other.digest, other.reference.is_given)
    assert one.digest != last.digest
    assert 1 == len(words)


def test_content_of_each_daily_file_is_part_of_the_identity(tmp_path: Path) -> None:
    """Another bar, also one that the run never looks at, is another identity, by the name of its file."""
    put_minutes(tmp_path)
    put_daily(tmp_path, bar(date(2013, 10, 4), 1_000))
    before = dict(lean(tmp_path).origin.identity)
    put_daily(tmp_path, bar(date(2013, 10, 4), 1_000) + bar(date(2020, 10, 5), 1_000))
    after = dict(lean(tmp_path).origin.identity)

    assert ["equity/usa/daily/spy.zip"] == [name for name, content in after.items() if before[name] != content]


def test_daily_file_that_changes_under_a_run_changes_nothing_in_it(tmp_path: Path) -> None:
    """It was read whole when its content was named, so what the run knows is what the identity says."""
    put_minutes(tmp_path)
    put_daily(tmp_path, bar(date(2013, 10, 4), 1_000))
    source = lean(tmp_path)
    put_daily(tmp_path, bar(date(2013, 10, 4), 2_000)).write_bytes(b"no zip")

    assert [100_000] == [snapshot.reference_of(0).close_px for snapshot in snapshots(source)]


def test_zip_that_is_none_is_refused_before_the_run(tmp_path: Path) -> None:
    """Bytes that are no zip, a torn file and a changed byte: a sentence with the file."""
    put_minutes(tmp_path)
    path = put_daily(tmp_path, bar(date(2013, 10, 4), 1_000))
    whole = path.read_bytes()
    for content in (b"no zip", whole[:-30], whole.replace(b"20131004", b"20131003")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"usa/daily/spy.zip cannot be read: it is not a whole zip"):
            lean(tmp_path)


def test_wrong_member_wrong_text_and_a_folder_are_refused_before_the_run(tmp_path: Path) -> None:
    """A zip must be one, and hold the file that its name promises, in UTF-8."""
    put_minutes(tmp_path)
    put_daily(tmp_path, b"\xff\xfe")
    with pytest.raises(DataError, match=r"spy.csv is not text in UTF-8"):
        lean(tmp_path)
    path = put_daily(tmp_path, "", member="ibm.csv")
    with pytest.raises(DataError, match=r"it should hold spy.csv and holds ibm.csv"):
        lean(tmp_path)
    path.unlink()
    path.mkdir()

    with pytest.raises(DataError, match=r"spy.zip cannot be read: Is a directory"):
        lean(tmp_path)


GOOD = bar(date(2013, 10, 3), 1_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD + "2013100x 00:00,1,1,1,1,1\n", "line 2: it begins with '2013100x' and a daily bar begins with a date"),
        (GOOD + "\n", "line 2: it begins with ''"),
        (GOOD + GOOD, "line 2: its date 20131003 is not after 20131003 of the line before it"),
        (GOOD + bar(date(2013, 10, 2), 1_000), "line 2: its date 20131002 is not after 20131003"),
        (GOOD + "20131004 00:00,1,1,1,1\n", "is not a date, four prices and a volume"),
        (GOOD + "20131004 00:00,1,1,1,-1,1\n", "is not a date, four prices and a volume"),
        (GOOD + "20131004 00:00,1,1,1,nan,1\n", "is not a date, four prices and a volume"),
        (GOOD + "20131004 00:00,1,1,1,1,1.5\n", "is not a date, four prices and a volume"),
        (GOOD + "20131004 00:00,1,1,1,0,1\n", "line 2: the close 0 is no price"),
        (GOOD + "20131004 00:00,1,1,1,999999999999999,1\n", "line 2: the close 999999999999999 is no price"),
        ("20130931 00:00,1,1,1,1,1\n", "line 1: there is no date 20130931"),
    ],
)
def test_line_that_is_no_daily_bar_refuses_the_file(tmp_path: Path, text: str, words: str) -> None:
    """A wrong close would be believed for a whole day, so nothing starts; the sentence names file and line."""
    put_minutes(tmp_path)
    put_daily(tmp_path, text)

    with pytest.raises(DataError, match=r"usa/daily/spy.zip cannot be read: line ") as caught:
        lean(tmp_path)
    assert words in str(caught.value)


def test_lines_that_no_date_of_the_run_needs_are_not_read(tmp_path: Path) -> None:
    """Before the twenty dates and after the last day only the dates count, so an old oddity stops nothing."""
    days = weekdays_before(MONDAY, ADV_BARS)
    needed = "".join(bar(day, 1_000) for day in days)
    put_daily(tmp_path, "19980102 odd\n" + needed + bar(TUESDAY, 1_000) + "20131009 odd\n")

    assert (100_000, 100) == known(tmp_path)


def test_windows_line_ends_and_a_missing_last_one_are_read(tmp_path: Path) -> None:
    """How a line ends is not what it says."""
    text = bar(date(2013, 10, 3), 1_000) + bar(date(2013, 10, 4), 2_000)
    put_daily(tmp_path, text.replace("\n", "\r\n").rstrip())

    assert (200_000, 0) == known(tmp_path)
