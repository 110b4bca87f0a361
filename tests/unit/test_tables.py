"""The CSV and Parquet sources: columns, times, exact prices, and refusals in a sentence."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from interlock.model.errors import DataError
from interlock.model.market import FaultCode, MarketSnapshot, Provides
from interlock.model.units import SECOND_NS
from interlock.shell.sources.csv_rows import CsvSource
from interlock.shell.sources.dates import TIME_NS_MAX
from interlock.shell.sources.parquet import ParquetSource

QUOTES = {"time": "time", "symbol": "symbol", "bid": "bid", "ask": "ask", "bid_size": "bs", "ask_size": "as"}
BARS = {"time": "time", "symbol": "symbol", "close": "close", "volume": "volume"}
HEADER = "time,symbol,bid,ask,bs,as\n"
#: 2013-10-07T09:30:00 in New York.
OPEN_NS = 1_381_152_600 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS


def table(  # noqa: PLR0913 - one argument a key
    path: Path,
    *,
    rows: str = "quotes",
    zone: str = "America/New_York",
    bar_ns: int = 0,
    columns: dict[str, str] = QUOTES,
    time_unit: str = "iso",
    kind: type[CsvSource | ParquetSource] = CsvSource,
) -> CsvSource | ParquetSource:
    """Return a source over a file, for SPY and IBM."""
    return kind(
        universe=("SPY", "IBM"), path=path, rows=rows, zone=zone, bar_ns=bar_ns, columns=columns, time_unit=time_unit
    )


def csv(folder: Path, text: str | bytes) -> Path:
    """Write a CSV file."""
    path = folder / "market.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def snapshots(source: CsvSource | ParquetSource) -> list[MarketSnapshot]:
    """Return all that a source shows."""
    found: list[MarketSnapshot] = []
    while (snapshot := source.next()) is not None:
        found.append(snapshot)
    return found


def told(found: list[MarketSnapshot]) -> list[tuple[str, FaultCode, str]]:
    """Return every fault."""
    return [(fault.symbol, fault.code, fault.text) for snapshot in found for fault in snapshot.faults]


def test_quotes_are_read_exactly_and_other_symbols_are_passed_over(tmp_path: Path) -> None:
    """A quote is seen at its own time, to the micro; symbols outside the universe are not looked at."""
    text = "2013-10-07T09:30:00,IBM,181.200001,181.3,300,200\n2013-10-07T09:30:00,XYZ,oops,1,1,1\n"
    only = snapshots(table(csv(tmp_path, HEADER + text)))
    quote = only[0].quote(1)

    assert (1, [], OPEN_NS, "2013-10-07") == (len(only), told(only), only[0].as_of_ns, only[0].trading_date)
    assert (181_200_001, 181_300_000, 300, 200) == (quote.bid_px, quote.ask_px, quote.bid_qty, quote.ask_qty)
    assert [False, True] == only[0].present.tolist()


@pytest.mark.parametrize(
    ("written", "time_unit", "expected_ns"),
    [
        ("2013-10-07T09:30:00", "iso", OPEN_NS),
        ("2013-10-07 09:30", "iso", OPEN_NS),
        ("2013-10-07T09:30:00.123456789", "iso", OPEN_NS + 123_456_789),
        ("2013-10-07T13:30:00Z", "iso", OPEN_NS),
        ("2013-10-07T15:30:00.5+02:00", "iso", OPEN_NS + SECOND_NS // 2),
        ("2013-10-07T19:00:00 +0530", "iso", OPEN_NS),
        ("2013-10-07", "iso", OPEN_NS - 570 * MINUTE_NS),
        ("1381152600", "s", OPEN_NS),
        ("1381152600001", "ms", OPEN_NS + 10**6),
        ("1381152600000001", "us", OPEN_NS + 10**3),
        ("1381152600000000001", "ns", OPEN_NS + 1),
    ],
)
def test_time_is_read_in_its_unit_and_zone(tmp_path: Path, written: str, time_unit: str, expected_ns: int) -> None:
    """With an offset a time is that instant, without one it is in the zone; counts are since 1970 UTC."""
    only = snapshots(table(csv(tmp_path, f"{HEADER}{written},IBM,1,2,3,4\n"), time_unit=time_unit))

    assert [expected_ns] == [snapshot.as_of_ns for snapshot in only]


@pytest.mark.parametrize(
    ("written", "time_unit", "words"),
    [
        ("2013-11-03T01:30:00", "iso", "shown twice or never"),
        ("2013-03-10T02:30:00", "iso", "shown twice or never"),
        ("2013-13-01T01:30:00", "iso", "month must be in 1..12"),
        ("yesterday", "iso", "write it as 2013-10-07T09:30:00"),
        ("1381152600", "iso", "write it as 2013-10-07T09:30:00"),
        ("1969-12-31T00:00:00Z", "iso", "not between 1970 and 2262"),
        ("2500-01-01T00:00:00Z", "iso", "not between 1970 and 2262"),
        ("-5", "s", "not a whole count of s since 1970"),
        ("1.5", "ms", "not a whole count of ms since 1970"),
        (str(TIME_NS_MAX), "s", "not between 1970 and 2262"),
    ],
)
def test_time_that_is_none_is_a_fault_of_the_next_snapshot(
    tmp_path: Path, written: str, time_unit: str, words: str
) -> None:
    """A local time that is shown twice is as unknown as a word."""
    first, later = (
        ("2013-01-01T00:00:00Z", "2014-01-01T00:00:00Z") if time_unit == "iso" else ("1381152600", "1381152601")
    )
    text = f"{first},IBM,1,2,3,4\n{written},IBM,1,2,3,4\n{later},SPY,1,2,3,4\n"
    found = snapshots(table(csv(tmp_path, HEADER + text), time_unit=time_unit))
    ((symbol, code, why),) = told(found)

    assert ("IBM", FaultCode.ROW_UNREADABLE, True) == (symbol, code, words in why)
    assert why.startswith("market.csv line 3: the time ")
    assert [[False, True], [True, False]] == [snapshot.present.tolist() for snapshot in found]


@pytest.mark.parametrize(
    ("row", "symbol", "code", "words"),
    [
        ("T,IBM,1.0000001,2,3,4", "IBM", FaultCode.ROW_UNREADABLE, "the bid '1.0000001' is not a number that fits"),
        ("T,IBM,1,x,3,4", "IBM", FaultCode.ROW_UNREADABLE, "the ask 'x' is not a number"),
        ("T,IBM,1,2,-3,4", "IBM", FaultCode.ROW_NEGATIVE, "the bid_size -3 is below zero"),
        ("T,IBM,1,2,3,inf", "IBM", FaultCode.ROW_NOT_FINITE, "the ask_size 'inf' is not a finite number"),
        ("T,IBM,3,2,3,4", "IBM", FaultCode.ROW_CROSSED, "the bid of $3.00 is above the ask of $2.00"),
        ("T,IBM,,2,3,4", "IBM", FaultCode.QUOTE_MISSING, "no bid was quoted at that time"),
        ("T,IBM,1, ,3,4", "IBM", FaultCode.QUOTE_MISSING, "no ask was quoted at that time"),
        ("T,IBM,1,2,3", "*", FaultCode.ROW_UNREADABLE, "it has 5 fields and the header has 6"),
        ("T,,1,2,3,4", "*", FaultCode.ROW_UNREADABLE, "it does not say of which symbol it is"),
        ('T,IBM,1,"2,3,4', "*", FaultCode.ROW_UNREADABLE, "its quotation marks do not close"),
    ],
)
def test_bad_row_is_told_and_the_rows_after_it_are_read(
    tmp_path: Path, row: str, symbol: str, code: FaultCode, words: str
) -> None:
    """One bad row is one fault with file and line, and the next good row ends it."""
    text = "2013-10-07T09:30:00,IBM,1,2,3,4\n\n" + row.replace("T", "2013-10-07T09:31:00", 1)
    text += "\n2013-10-07T09:31:00,SPY,1,2,3,4\n2013-10-07T09:32:00,IBM,1,2,3,4\n"
    found = snapshots(table(csv(tmp_path, HEADER + text)))
    faults = told(found)

    assert [(symbol, code)] == [fault[:2] for fault in faults]
    assert f"market.csv line 4: {words}" in faults[0][2]
    assert [True, False, True] == [bool(snapshot.present[1]) for snapshot in found]


def test_bars_are_seen_when_complete_and_without_a_quote_nobody_is_present(tmp_path: Path) -> None:
    """A close is not a quote: last price and volume are known, and the symbol is not."""
    path = csv(tmp_path, "time,symbol,close,volume\n2013-10-07T09:30:00,IBM,181.25,500.0\n")
    source = table(path, rows="bars", bar_ns=MINUTE_NS, columns=BARS)
    (only,) = snapshots(source)
    quote = only.quote(1)

    assert OPEN_NS + MINUTE_NS == only.as_of_ns
    assert (False, 0, 0, 181_250_000, 500) == (
        quote.present,
        quote.bid_px,
        quote.event_ns,
        quote.last_px,
        quote.volume,
    )
    assert frozenset({Provides.LAST, Provides.VOLUME}) == source.provides
    assert source.origin.words.endswith("; it has no bid and ask, so every entry is blocked for want of a quote")


def test_bars_with_quotes_show_both_and_keep_the_trade_where_a_side_is_empty(tmp_path: Path) -> None:
    """A side without a quote is a fault of the quote and leaves the trade standing; a crossed one does not."""
    text = "time,symbol,close,volume,bid,ask\n"
    text += "2013-10-07T09:30:00,IBM,10,500,9,11\n2013-10-07T09:31:00,IBM,11,600,,12\n"
    text += "2013-10-07T09:32:00,IBM,12,700,14,13\n2013-10-07T09:33:00,IBM,,,14,15\n"
    columns = BARS | {"bid": "bid", "ask": "ask"}
    source = table(csv(tmp_path, text), rows="bars", bar_ns=MINUTE_NS, columns=columns)
    found = snapshots(source)
    lasts = [(bool(s.present[1]), int(s.last_px[1]), int(s.volume[1])) for s in found]

    assert [(True, 10_000_000, 500), (False, 11_000_000, 600), (False, 11_000_000, 0), (True, 11_000_000, 0)] == lasts
    assert [FaultCode.QUOTE_MISSING, FaultCode.ROW_CROSSED] == [code for _, code, _ in told(found)]
    assert frozenset({Provides.QUOTES, Provides.LAST, Provides.VOLUME}) == source.provides


def test_quoted_cells_byte_order_mark_and_spaces_are_read(tmp_path: Path) -> None:
    """What spreadsheets write around a number does not change it."""
    text = '"time", symbol ,bid,ask,bs,as\r\n2013-10-07T09:30:00, IBM ,"1,000.5",1000.75, 3 ,4\r\n'
    (only,) = snapshots(table(csv(tmp_path, b"\xef\xbb\xbf" + text.encode())))

    assert (1_000_500_000, 1_000_750_000, 3) == (
        int(only.bid_px[1]),
        int(only.ask_px[1]),
        int(only.bid_qty[1]),
    )


def test_trading_date_is_the_zone_s(tmp_path: Path) -> None:
    """The same instant is Monday in New York and Tuesday in UTC."""
    path = csv(tmp_path, HEADER + "2013-10-08T02:00:00Z,IBM,1,2,3,4\n")

    assert ["2013-10-07", "2013-10-08"] == [
        snapshots(table(path, zone=zone))[0].trading_date for zone in ("America/New_York", "UTC")
    ]


def test_identity_says_how_the_file_was_read_and_what_it_held(tmp_path: Path) -> None:
    """Name and content of the file, zone, columns and units make the data the same again; the path does not."""
    path = csv(tmp_path, HEADER + "2013-10-07T09:30:00,IBM,1,2,3,4\n")
    origin = table(path).origin

    assert ("csv", str(path)) == (origin.kind, origin.where)
    assert "recorded quotes of 2 symbols from the csv file market.csv" == origin.words
    assert ["rows", "bar_ns", "time_unit", "columns", "zone", "market.csv"] == [name for name, _ in origin.identity]
    assert origin.identity[-1][1].startswith(f"{path.stat().st_size}:")
    assert ("SPY", "IBM") == table(path).universe


def test_missing_column_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    """The sentence names the file, the column and what could be meant."""
    path = csv(tmp_path, "time,symbol,b,ask,bs,as\n")

    with pytest.raises(DataError, match=r"market.csv has no column 'bid'.*there: time, symbol, b, ask, bs, as"):
        table(path)


def test_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Which of the two is meant, nobody knows."""
    path = csv(tmp_path, "time,symbol,bid,bid,ask,bs,as\n")

    with pytest.raises(DataError, match="more than one column 'bid'"):
        table(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column 'time'.*there: none"),
        (HEADER, "holds no row of any symbol"),
        (HEADER + "2013-10-07T09:30:00,XYZ,1,2,3,4\n", "holds no row of any symbol"),
        (HEADER + "x,IBM,1,2,3,4\n", "No line of market.csv has a time .* line 2: the time 'x'"),
        (b"time\xff", "market.csv cannot be read: it is not text in UTF-8"),
        (
            (HEADER + "2013-10-07T09:30:00,IBM,1,2,3,4\n" * 999).encode() + b"\xe2\x82",
            "market.csv cannot be read: it is not text in UTF-8",
        ),
    ],
    ids=["empty", "header-only", "other-symbols", "no-time", "not-utf8", "torn-utf8"],
)
def test_file_that_is_no_market_is_refused_before_the_run(tmp_path: Path, text: str | bytes, words: str) -> None:
    """A file that says nothing is not run on."""
    with pytest.raises(DataError, match=words):
        table(csv(tmp_path, text))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"rows": "ticks"}, "is not one of quotes, bars"),
        ({"time_unit": "min"}, "is not one of iso, s, ms, us, ns"),
        ({"columns": QUOTES | {"mood": "m"}}, "'mood' is not one that Interlock knows: time, symbol"),
        ({"columns": {"time": "t", "symbol": "s"}}, "needs the column bid"),
        ({"rows": "bars", "bar_ns": MINUTE_NS}, "needs the column close"),
        ({"columns": {**BARS, "bid": "b"}, "rows": "bars", "bar_ns": 1}, "only one of bid and ask"),
        ({"columns": {"time": "t", "symbol": "s", "bid": "b", "ask": "a", "ask_size": "z"}}, "one of bid_size"),
        ({"columns": {**BARS, "bid_size": "b", "ask_size": "a"}, "rows": "bars", "bar_ns": 1}, "bid_size and not bid"),
        ({"rows": "bars", "columns": BARS}, "a bar has a length"),
        ({"bar_ns": 1}, "a quote has none"),
        ({"zone": "Mars/Olympus"}, "'Mars/Olympus' is not known on this machine"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-",
)
def test_settings_that_no_table_can_have_are_refused(tmp_path: Path, wrong: dict[str, object], words: str) -> None:
    """Each refusal says what would be right."""
    path = csv(tmp_path, HEADER + "2013-10-07T09:30:00,IBM,1,2,3,4\n")

    with pytest.raises(DataError, match=words):
        table(path, **wrong)  # type: ignore[arg-type]


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The sentence names the path and the key."""
    for kind in (CsvSource, ParquetSource):
        with pytest.raises(DataError, match=r"none does not exist.*path under \[source\]"):
            table(tmp_path / "none", kind=kind)


def test_parquet_shows_what_the_same_csv_shows(tmp_path: Path) -> None:
    """The kind of file makes no difference: same rows, same snapshots, to the digest."""
    times = ["2013-10-07T09:30:00", "2013-10-07T09:30:01", "2013-10-07T09:30:02"]
    columns = {
        "extra": [1, 2, 3],
        "time": times,
        "symbol": ["SPY", "IBM", "SPY"],
        "bid": [167.25, 181.2, 167.26],
        "ask": [167.27, 181.3, 167.28],
        "bs": [100, 200, 300],
        "as": [100.0, 200.0, 300.0],
    }
    rows = "\n".join(",".join(str(column[n]) for column in columns.values()) for n in range(3))
    from_csv = snapshots(table(csv(tmp_path, ",".join(columns) + "\n" + rows)))
    from_parquet = snapshots(table(parquet(tmp_path, columns), kind=ParquetSource))

    assert 3 == len(from_csv)
    assert [s.digest for s in from_csv] == [s.digest for s in from_parquet]


def parquet(folder: Path, columns: dict[str, object]) -> Path:
    """Write a Parquet file."""
    arrow = pytest.importorskip("pyarrow", reason="needs the extra data")
    tables = pytest.importorskip("pyarrow.parquet", reason="needs the extra data")
    path = folder / "market.parquet"
    tables.write_table(arrow.table(columns), path)
    return path


def test_parquet_timestamps_say_their_zone_themselves(tmp_path: Path) -> None:
    """With a zone a timestamp is an instant; without one it is in the zone of [source], whatever the unit says."""
    arrow = pytest.importorskip("pyarrow", reason="needs the extra data")
    local, utc = datetime(2013, 10, 7, 9, 30), datetime(2013, 10, 7, 13, 30, tzinfo=timezone.utc)  # noqa: DTZ001, UP017
    seen: list[int] = []
    for time in (arrow.array([local], arrow.timestamp("us")), arrow.array([utc], arrow.timestamp("ms", "UTC"))):
        path = parquet(tmp_path, {"time": time, "symbol": ["IBM"], "bid": [1], "ask": [2], "bs": [3], "as": [4]})
        seen += [s.as_of_ns for s in snapshots(table(path, kind=ParquetSource, time_unit="ms"))]

    assert [OPEN_NS, OPEN_NS] == seen


def test_parquet_rows_are_judged_like_lines(tmp_path: Path) -> None:
    """Absent cells, NaN, decimals and impossible times: exact or a fault, never a traceback."""
    arrow = pytest.importorskip("pyarrow", reason="needs the extra data")
    times = arrow.array([OPEN_NS, None, OPEN_NS + 1, OPEN_NS + 2, -5], arrow.timestamp("ns", "UTC"))
    bids = arrow.array([Decimal("1.2500000000"), Decimal(1), None, Decimal("0.0000001"), Decimal(1)])
    path = parquet(
        tmp_path,
        {"time": times, "symbol": ["IBM"] * 5, "bid": bids, "ask": [2.5] * 5, "bs": [3] * 5, "as": [4] * 5},
    )
    found = snapshots(table(path, kind=ParquetSource))

    faults = told(found)
    begins = [
        "line 2: the time ''",
        "line 3: no bid was quoted",
        "line 4: the bid '0.0000001000'",
        "line 5: the time '-5'",
    ]
    unreadable = FaultCode.ROW_UNREADABLE

    assert 1_250_000 == int(found[0].bid_px[1])
    assert [unreadable, FaultCode.QUOTE_MISSING, unreadable, unreadable] == [code for _, code, _ in faults]
    assert all(fault[2].startswith(f"market.parquet {begin}") for fault, begin in zip(faults, begins, strict=True))


def test_parquet_that_is_none_or_lacks_a_column_is_refused(tmp_path: Path) -> None:
    """Before the run, with the file and what is there."""
    path = parquet(tmp_path, {"time": ["x"], "symbol": ["IBM"]})
    with pytest.raises(DataError, match=r"market.parquet has no column 'bid'.*there: time, symbol\."):
        table(path, kind=ParquetSource)
    path.write_bytes(b"PAR1 not at all")

    with pytest.raises(DataError, match=r"market.parquet cannot be read: it is not a Parquet file"):
        table(path, kind=ParquetSource)


def test_parquet_that_breaks_off_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """A file whose end is whole and whose middle is torn cannot be read on."""
    rows = 50_000
    times = [str(OPEN_NS + number) for number in range(rows)]
    path = parquet(
        tmp_path,
        {"time": times, "symbol": ["IBM"] * rows, "bid": [1] * rows, "ask": [2] * rows, "bs": times, "as": [4] * rows},
    )
    torn = bytearray(path.read_bytes())
    torn[4 : len(torn) // 2] = bytes(len(torn) // 2 - 4)
    path.write_bytes(torn)

    with pytest.raises(DataError, match=r"market.parquet cannot be read: after row [0-9,]+ it breaks off"):
        snapshots(table(path, kind=ParquetSource, time_unit="ns"))


def test_parquet_without_its_extra_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs an absent extra says so in one sentence."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    path = csv(tmp_path, HEADER)

    with pytest.raises(DataError, match=r"uv sync --extra data"):
        table(path, kind=ParquetSource)
