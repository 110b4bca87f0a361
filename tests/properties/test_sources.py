"""Sources under any seed and any file: never a traceback, never time going back, never a number out of nowhere."""

from __future__ import annotations

import tempfile
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from interlock.model.errors import DataError
from interlock.model.market import MarketSnapshot
from interlock.model.units import SECOND_NS
from interlock.ports import MarketSource
from interlock.shell.sources.csv_rows import CsvSource
from interlock.shell.sources.lean import LeanSource
from interlock.shell.sources.lean_daily import daily_bars
from interlock.shell.sources.lean_rows import BarKind, lean_lines
from interlock.shell.sources.rows import FaultRow, QuoteRow, in_order
from interlock.shell.sources.simulated import Regime, SimulatedSource

RATES = st.integers(min_value=0, max_value=2_000)
NUMBERS = st.sampled_from(
    ["", "0", "1", "-1", "2", "nan", "inf", "1e9", "x", "1.5", "\x1b[0m", "9" * 15, "9" * 30, "\u0661"]
)
TIMES = st.sampled_from(["0", "60000", "120000", "86399999", "86400000", "-1", "x", ""])
CSV_TIMES = st.sampled_from(["1", "2", "3", "0", "-1", "x", "", "9" * 19])


def checked(source: MarketSource) -> list[MarketSnapshot]:
    """Return all that a source shows, each snapshot checked for what always holds."""
    found: list[MarketSnapshot] = []
    while len(found) < 100 and (snapshot := source.next()) is not None:
        quoted = snapshot.present
        assert not found or found[-1].as_of_ns < snapshot.as_of_ns
        assert len(found) + 1 == snapshot.seq
        assert bool((snapshot.bid_px[quoted] > 0).all())
        assert bool((snapshot.event_ns[quoted] > 0).all())
        assert not snapshot.bid_px[~quoted].any()
        assert not snapshot.ask_qty[~quoted].any()
        found.append(snapshot)
    return found


@given(
    seed=st.integers(min_value=0, max_value=2**64 - 1),
    regime=st.sampled_from(list(Regime)),
    rates=st.tuples(RATES, RATES, RATES, RATES),
)
def test_any_market_of_any_seed_holds_its_promises(seed: int, regime: Regime, rates: tuple[int, int, int, int]) -> None:
    """Prices stay between $5 and $2,000 in whole cents, and what is crossed was asked for."""
    missing_bps, stale_bps, crossed_bps, halted_bps = rates
    source = SimulatedSource(
        universe=("SPY", "IBM", "AIG"),
        seed=seed,
        step_ns=SECOND_NS,
        regime=regime,
        missing_bps=missing_bps,
        stale_bps=stale_bps,
        crossed_bps=crossed_bps,
        halted_bps=halted_bps,
    )
    for snapshot in checked(source):
        prices = np.concatenate([snapshot.bid_px[snapshot.present], snapshot.ask_px[snapshot.present]])
        assert not (prices % 10_000).any()
        assert bool(((prices > 5_000_000) & (prices < 2_000_000_000)).all())
        assert crossed_bps > 0 or bool((snapshot.bid_px <= snapshot.ask_px).all())


@given(lines=st.lists(st.tuples(TIMES, st.lists(NUMBERS, min_size=9, max_size=11)), min_size=1, max_size=8))
def test_any_lean_line_is_a_good_quote_or_a_fault(lines: list[tuple[str, list[str]]]) -> None:
    """However bad a file is, each line gives a quote that can be one or a fault with its number, in order of time."""
    text = "".join(f"{time},{','.join(cells)}\n" for time, cells in lines)
    rows = list(
        in_order(
            lean_lines(text, kind=BarKind.QUOTE, ix=0, clock=lambda since_ms: SECOND_NS + since_ms * 10**6),
            file_name="f.zip",
            from_ns=SECOND_NS,
        )
    )
    times = [row.at_ns for row in rows]

    assert len(lines) == len(rows)
    assert sorted(times) == times
    assert all(isinstance(row, QuoteRow | FaultRow) for row in rows)
    assert not any("\x1b" in row.text for row in rows if isinstance(row, FaultRow))


@given(
    rows=st.lists(
        st.tuples(CSV_TIMES, st.sampled_from(["SPY", "IBM", "XYZ", ""]), st.lists(NUMBERS, min_size=1, max_size=3)),
        max_size=8,
    )
)
def test_any_csv_file_is_read_or_refused_in_a_sentence(rows: list[tuple[str, str, list[str]]]) -> None:
    """Whatever stands in a file, the answer is snapshots with faults, or a DataError; never a traceback."""
    text = "t,s,b,a\n" + "".join(f"{time},{symbol},{','.join(cells)}\n" for time, symbol, cells in rows)
    refusal = ""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "market.csv")
        path.write_text(text, encoding="utf-8")
        try:
            found = checked(
                CsvSource(
                    universe=("SPY", "IBM"),
                    path=path,
                    rows="quotes",
                    zone="UTC",
                    bar_ns=0,
                    columns={"time": "t", "symbol": "s", "bid": "b", "ask": "a"},
                    time_unit="ns",
                )
            )
        except DataError as error:
            found, refusal = [], str(error)
    usable = [row for row in rows if row[0] in ("1", "2", "3") and row[1] in ("SPY", "IBM") and len(row[2]) == 2]

    assert bool(usable) == bool(found)
    assert found or "market.csv" in refusal


@given(at=st.integers(min_value=0, max_value=399), value=st.integers(min_value=0, max_value=255))
def test_any_torn_byte_of_a_zip_is_read_the_same_or_refused(at: int, value: int) -> None:
    """One wrong byte anywhere in a file ends in the same market or in a sentence that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "equity/usa/minute/spy/20131007_quote.zip")
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("20131007_spy_minute_quote.csv", "34200000,1,1,1,1,1,2,2,2,2,1\n" * 3)
        whole = bytearray(path.read_bytes())
        whole[at % len(whole)] = value
        path.write_bytes(whole)
        day = date(2013, 10, 7)
        answer: object = None
        try:
            found = checked(LeanSource(universe=("SPY",), path=Path(folder), first_day=day, last_day=day))
            answer = [[fault.code.value for fault in snapshot.faults] for snapshot in found]
        except DataError as error:
            answer = "20131007_quote.zip" in str(error)

    assert answer in (True, [["DAY_ABSENT", "ROW_DUPLICATE", "ROW_DUPLICATE"]])


@given(at=st.integers(min_value=0, max_value=399), value=st.integers(min_value=0, max_value=255))
def test_any_torn_byte_of_daily_bars_is_read_the_same_or_refused(at: int, value: int) -> None:
    """One wrong byte anywhere in a file of daily bars ends in the same closes or in a sentence that names the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "equity/usa/daily/spy.zip")
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("spy.csv", "20131003 00:00,1,2,1,1,5\n20131004 00:00,2,3,1,2,5\n")
        whole = bytearray(path.read_bytes())
        whole[at % len(whole)] = value
        path.write_bytes(whole)
        day = date(2013, 10, 7)
        answer: object = None
        try:
            bars = daily_bars(("SPY",), folder=Path(folder), first_day=day, last_day=day)
            answer = [] if bars is None else bars.reference_on("2013-10-07").close_px.tolist()
        except DataError as error:
            answer = "usa/daily/spy.zip" in str(error)

    assert answer in (True, [200])


@given(
    on=st.dates(min_value=date(2013, 9, 1), max_value=date(2013, 12, 1)),
    days=st.sets(st.dates(min_value=date(2013, 9, 1), max_value=date(2013, 12, 1)), max_size=40),
)
def test_no_date_knows_a_bar_of_its_own_or_later(on: date, days: set[date]) -> None:
    """However the days of the bars lie, those before the date give the same answer as all of them."""
    answers: list[list[int]] = []
    for seen in (days, {day for day in days if day < on}):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "equity/usa/daily/spy.zip")
            path.parent.mkdir(parents=True)
            text = "".join(f"{day:%Y%m%d} 00:00,1,1,1,{day.toordinal()},{day.toordinal()}\n" for day in sorted(seen))
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("spy.csv", text)
            bars = daily_bars(("SPY",), folder=Path(folder), first_day=on, last_day=date(2013, 12, 1))
            assert bars is not None
            reference = bars.reference_on(on.isoformat())
            answers.append([int(reference.close_px[0]), int(reference.adv_qty[0])])

    assert answers[0] == answers[1]
    assert answers[0][0] < on.toordinal() * 100
