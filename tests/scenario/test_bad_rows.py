"""Bad rows in recorded files: each is told and recorded, and its symbol is unknown until its next good row."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping

import msgspec
import pytest
from tests.scenario.stage import CONFIGS, WIDE, Ended, Room, codes_of, cycles_of, opened_room, records, stop_of

from interlock.model.journal import Cycle
from interlock.model.market import FaultCode

GOOD = "1000000,1000000,1000000,1000000,500,1000100,1000100,1000100,1000100,500"


def minute(number: int, row: str = GOOD, *, extra_ms: int = 0) -> str:
    """Return one minute of a LEAN quote file; number 0 begins at 09:30 in New York and is seen at 09:31."""
    return f"{34_200_000 + number * 60_000 + extra_ms},{row}"


#: Minutes of SPY: a good one first, and after each bad one; there is no row in minute 3.
SPY_ROWS = (
    minute(0),
    minute(1),
    minute(2),
    minute(1, extra_ms=30_000),  # out of order, so SPY is unknown in minute 3
    minute(4),
    minute(5),
    minute(5),  # twice: which of the two is true, nobody knows
    minute(6),
    minute(7, GOOD.replace("1000000,500", "-1000000,500")),
    minute(8),
    minute(9, GOOD.replace("1000000,500", "NaN,500")),
    minute(10),
    minute(11, GOOD.replace("1000000,500", "1000200,500")),  # bid above ask
    minute(12),
    minute(13, "\x1b[2J" + GOOD),
    minute(14),
)
#: IBM is quoted without a fault in every one of those minutes, so that each has a snapshot.
IBM_ROWS = tuple(minute(number) for number in range(15))
#: The same faults in single quotes; IBM has one.
CSV_ROWS = (
    "01,SPY,100.00,100.01",
    "02,SPY,100.00,100.01",
    "01.5,SPY,100.00,100.01",  # out of order, so SPY is unknown in second 3
    "03,IBM,100.00,100.01",
    "04,SPY,100.00,100.01",
    "05,SPY,100.00,100.01",
    "05,SPY,100.00,100.01",  # twice
    "06,SPY,100.00,100.01",
    "07,SPY,-100.00,100.01",
    "08,SPY,100.00,100.01",
    "09,SPY,nan,100.01",
    "10,SPY,100.00,100.01",
    "11,SPY,100.02,100.01",  # bid above ask
    "12,SPY,100.00,100.01",
    "13,SPY,1\x1b[2J00.00,100.01",
    "14,SPY,100.00,100.01",
)
#: In which snapshots of the first day, counted from 0, SPY is unknown.
UNKNOWN_LEAN = [3, 5, 7, 9, 11, 13]
UNKNOWN_CSV = [2, 4, 6, 8, 10, 12]
LEAN_SOURCE = 'kind = "lean"\npath = "lean"\nresolution = "minute"\nfrom = 2013-10-07\nto = 2013-10-08\n'
CSV_SOURCE = """kind = "csv"
path = "rows.csv"
rows = "quotes"
[source.columns]
time = "time"
symbol = "symbol"
bid = "bid"
ask = "ask"
bid_size = "bid_size"
ask_size = "ask_size"
"""
CONFIG = """
[run]
interval = "0 s"
start = "ACTIVE"

[account]
cash = "$1,000,000"

[universe]
symbols = [{symbols}]

[source]
{source}
[[strategy]]
use = "idle_hands:Insistent"
name = "insistent"
settings = {{ symbol = "SPY", limit_cents = 10001 }}

[risk]
symbols = ["SPY"]
"""


class Dirty(msgspec.Struct, frozen=True, kw_only=True):
    """One run over dirty rows."""

    ended: Ended
    cycles: list[Cycle]
    exit_code: int
    verified: object

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Return symbol and code of each fault, in order."""
        return [
            (fault.symbol, fault.code.value)
            for cycle in self.cycles
            if cycle.inputs.market is not None
            for fault in cycle.inputs.market.faults
        ]


def played(room: Room, *, symbols: str, source: str) -> Dirty:
    """Run over what was planted in a room."""
    (room.path / "idle_hands.py").write_text((CONFIGS / "idle_hands.py").read_text(encoding="utf-8"), encoding="utf-8")
    config = room.path / "dirty.toml"
    config.write_text(CONFIG.format(symbols=symbols, source=source) + WIDE, encoding="utf-8")
    ended = room.play("run", str(config))
    found = records(room.run_dirs[-1])
    return Dirty(
        ended=ended,
        cycles=cycles_of(found),
        exit_code=stop_of(found).exit_code,
        verified=room.verified()["ok"],
    )


def plant_lean(room: Room, days: Mapping[str, tuple[str, ...]], *, symbol: str) -> None:
    """Write the minutes of a symbol, day by day, as LEAN files."""
    folder = room.path / "lean" / "equity" / "usa" / "minute" / symbol
    folder.mkdir(parents=True)
    for day, rows in days.items():
        trades = "\n".join(f"{row.partition(',')[0]},1000000,1000000,1000000,1000000,100" for row in rows[:1])
        with zipfile.ZipFile(folder / f"{day}_trade.zip", "w") as packed:
            packed.writestr(f"{day}_{symbol}_minute_trade.csv", trades + "\n")
        with zipfile.ZipFile(folder / f"{day}_quote.zip", "w") as packed:
            packed.writestr(f"{day}_{symbol}_minute_quote.csv", "\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def lean() -> Iterator[Dirty]:
    """Run over LEAN files with one fault of each kind, and a second day on which SPY has no file."""
    with opened_room() as room:
        plant_lean(room, {"20131007": SPY_ROWS}, symbol="spy")
        plant_lean(room, {"20131007": IBM_ROWS, "20131008": IBM_ROWS[:3]}, symbol="ibm")
        yield played(room, symbols='"SPY", "IBM"', source=LEAN_SOURCE)


@pytest.fixture(scope="module")
def csv() -> Iterator[Dirty]:
    """Run over a CSV file with one fault of each kind."""
    with opened_room() as room:
        rows = "".join(f"2013-10-07T14:30:{row},500,500\n" for row in CSV_ROWS)
        (room.path / "rows.csv").write_text(f"time,symbol,bid,ask,bid_size,ask_size\n{rows}", encoding="utf-8")
        yield played(room, symbols='"SPY", "IBM"', source=CSV_SOURCE)


@pytest.fixture(params=["lean", "csv"])
def dirty(request: pytest.FixtureRequest) -> Dirty:
    """Give each of the two runs."""
    found = request.getfixturevalue(str(request.param))
    assert isinstance(found, Dirty)
    return found


FIVE = [
    ("SPY", FaultCode.ROW_OUT_OF_ORDER.value),
    ("SPY", FaultCode.ROW_DUPLICATE.value),
    ("SPY", FaultCode.ROW_NEGATIVE.value),
    ("SPY", FaultCode.ROW_NOT_FINITE.value),
    ("SPY", FaultCode.ROW_CROSSED.value),
]


def test_run_over_bad_rows_ends_clean(dirty: Dirty) -> None:
    """A bad row is no error: the run goes to the end of the data, exits 0, complains of nothing and verifies."""
    assert (0, "", 0, True) == (dirty.ended.code, dirty.ended.err, dirty.exit_code, dirty.verified)
    assert "the source has no more data" in dirty.ended.out


def test_each_bad_row_is_a_fault_in_the_journal_and_in_the_story(dirty: Dirty) -> None:
    """Out of order, duplicate, negative, NaN, bid above ask: each is recorded once, in order, and told once."""
    rows = [fault for fault in dirty.faults if fault in FIVE]

    assert FIVE == rows
    assert [1] * 5 == [dirty.ended.out.count(f"next good row. {code} symbol=SPY") for _, code in FIVE]


@pytest.mark.parametrize(("dirty", "unknown"), [("lean", UNKNOWN_LEAN), ("csv", UNKNOWN_CSV)], indirect=["dirty"])
def test_symbol_is_unknown_from_the_fault_to_the_next_good_row(dirty: Dirty, unknown: list[int]) -> None:
    """In exactly those snapshots an entry is blocked with QUOTE_MISSING, and in no other one for that reason."""
    day = [c for c in dirty.cycles if c.inputs.market is not None and c.inputs.market.trading_date == "2013-10-07"]
    missing = [ix for ix, c in enumerate(day) if any("QUOTE_MISSING" in codes_of(d) for d in c.outputs.decisions)]
    absent = [ix for ix, c in enumerate(day) if c.inputs.market and not c.inputs.market.shown[0].present]

    assert (unknown, unknown) == (missing, absent)
    assert [1] * len(day) == [len(cycle.outputs.decisions) for cycle in day]


def test_absent_day_is_a_fault_and_its_symbol_is_unknown_all_day(lean: Dirty) -> None:
    """The second day has no file of SPY: that is told, and every entry of that day is blocked with QUOTE_MISSING."""
    second = [
        cycle for cycle in lean.cycles if cycle.inputs.market and cycle.inputs.market.trading_date == "2013-10-08"
    ]

    assert ("SPY", FaultCode.DAY_ABSENT.value) in lean.faults
    assert "no quote bars of SPY on 2013-10-08" in lean.ended.out
    assert 3 == len(second)
    assert all("QUOTE_MISSING" in codes_of(d) for cycle in second for d in cycle.outputs.decisions)


def test_control_characters_of_a_row_never_reach_a_screen(dirty: Dirty) -> None:
    """A row that would clear a terminal is told without the character that does it."""
    assert "\x1b" not in dirty.ended.out
    assert ("SPY", FaultCode.ROW_UNREADABLE.value) in dirty.faults
