"""Exported tables: they hold what the record holds, with units in their names, and never overwrite a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from tests.core_factory import order as open_order
from tests.journal_factory import (
    OPENING_MICROS,
    TUESDAY,
    booking,
    boot,
    carried,
    cycle,
    decision,
    frame_offsets,
    holdings,
    positions,
    report,
    stop,
    whole_run,
    write_run,
)

from interlock.core.blotter import CLOSED_KEPT
from interlock.model.errors import ConfigError
from interlock.model.journal import Cycle
from interlock.model.orders import ExecType, OrdStatus
from interlock.proof import export
from interlock.proof.export import GROUP_ROWS, export_run, words_of
from interlock.proof.export_rows import TABLES

pytest.importorskip("pyarrow", reason="needs the extra data")

#: How the name of a number may end, and the names that count things.
UNITS = ("_ns", "_micros", "_qty")
COUNTS = {"cycle", "symbols_held", "open_orders", "in_doubt_orders"}
#: Numbers whose unit stands beside them, in the column `unit`.
BESIDE = {"observed", "limit"}
Rows = list[dict[str, object]]


def table(folder: Path, name: str) -> Rows:
    """Return the rows of a table."""
    from pyarrow import parquet

    rows: Rows = parquet.read_table(folder / f"{name}.parquet").to_pylist()
    return rows


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """Return a folder for a run."""
    folder = tmp_path / "run"
    folder.mkdir()
    return folder


@pytest.fixture
def whole(run_dir: Path, tmp_path: Path) -> Path:
    """Export the whole small run, and return the folder of its tables."""
    write_run(run_dir, whole_run())
    export_run(run_dir, tmp_path / "out")
    return tmp_path / "out"


def test_every_record_is_in_its_table(whole: Path) -> None:
    """Two decisions with a check each, one order, two fills, and a line of equity for each cycle and the stop."""
    assert {"decisions": 2, "checks": 2, "orders": 1, "fills": 2, "equity": 5} == {
        name: len(table(whole, name)) for name in TABLES
    }


def test_columns_are_those_of_the_table_with_their_types(whole: Path) -> None:
    """Names, types and whether a cell may be empty are as written down; each file names its run."""
    from pyarrow import parquet

    words = {"int64": "int", "string": "text", "bool": "flag"}
    for name, columns in TABLES.items():
        schema = parquet.read_schema(whole / f"{name}.parquet")
        found = [(field.name + "?" * field.nullable, words[str(field.type)]) for field in schema]

        assert list(columns) == found
        assert b"run-1" == schema.metadata[b"run_id"]


def test_every_number_says_its_unit() -> None:
    """A number's name ends in its unit, or it is a count, or its unit stands in the next column."""
    names = {column.rstrip("?") for columns in TABLES.values() for column, kind in columns if kind == "int"}

    assert [] == sorted(name for name in names - COUNTS - BESIDE if not name.endswith(UNITS))


def test_an_order_is_told_as_it_ended(whole: Path) -> None:
    """The order holds the sums of its fills and its last status."""
    (found,) = table(whole, "orders")

    assert ("000001-001", "PAPER-000001-001", "FILLED", 10, 0, 1_700_000_000, 10_000) == tuple(
        found[name]
        for name in ("cl_ord_id", "order_id", "ord_status", "cum_qty", "leaves_qty", "cost_micros", "fee_micros")
    )


def test_cash_re_adds_from_the_fills_alone(whole: Path) -> None:
    """Opening cash less what was bought and the fees is the cash of the last line."""
    spent = sum(int(str(row["value_micros"])) + int(str(row["fee_micros"])) for row in table(whole, "fills"))

    assert OPENING_MICROS - spent == table(whole, "equity")[-1]["cash_micros"]


def test_a_blocked_decision_names_what_failed(whole: Path) -> None:
    """The codes that blocked are in the row, and an approved one has none."""
    assert [("APPROVED", ""), ("BLOCKED", "ORDER_QTY_MAX")] == [
        (row["verdict"], row["failed_codes"]) for row in table(whole, "decisions")
    ]


def test_equity_is_valued_at_the_quotes_of_the_cycle(whole: Path) -> None:
    """What is held counts at the mid; the stop saw no market, so its value is unknown and not zero."""
    rows = table(whole, "equity")

    assert (10 * 170_000_000, True) == (
        rows[2]["positions_value_micros"],
        rows[2]["equity_micros"] == rows[2]["cash_micros"] + 1_700_000_000,  # type: ignore[operator]
    )
    assert ("STOP", None, None, None) == tuple(
        rows[-1][name] for name in ("record", "as_of_ns", "positions_value_micros", "equity_micros")
    )


def test_a_value_without_a_quote_is_empty(run_dir: Path, tmp_path: Path) -> None:
    """Where one held symbol has no quote on the record, the sum is unknown."""
    held = msgspec.structs.replace(positions(5)[0], symbol="IBM")
    left = msgspec.structs.replace(holdings(), positions=(*positions(5), held))
    write_run(run_dir, [boot(), cycle(1, left=left)])
    export_run(run_dir, tmp_path / "out")
    (row,) = table(tmp_path / "out", "equity")

    assert (None, None, 2) == (row["positions_value_micros"], row["equity_micros"], row["symbols_held"])


def test_a_wish_without_a_quote_has_empty_prices(run_dir: Path, tmp_path: Path) -> None:
    """A quote that was not there is empty, never zero."""
    wished = decision("000001-001", approved=False)
    absent = msgspec.structs.replace(wished, quote=msgspec.structs.replace(wished.quote, present=False))
    write_run(run_dir, [boot(), cycle(1, decisions=(absent,))])
    export_run(run_dir, tmp_path / "out")
    (row,) = table(tmp_path / "out", "decisions")

    assert [None] * 3 == [row[name] for name in ("bid_px_micros", "ask_qty", "quote_age_ns")]


def test_every_order_comes_once_however_many_there_are(run_dir: Path, tmp_path: Path) -> None:
    """More orders than are kept for late words, closed one a cycle or many at once, each have one row."""
    many = CLOSED_KEPT + 50
    ids = [f"000001-{number:03d}" for number in range(1, many + 1)]
    ended = tuple(report(f"e{one}", one, ExecType.CANCELED) for one in ids)
    folded = tuple(booking(one, OrdStatus.PENDING_NEW, OrdStatus.CANCELED) for one in ids)
    one_by_one = [
        cycle(
            number,
            reports=(report(f"f{number}", f"{number - 1:06d}-001", ExecType.CANCELED),) if number > 3 else (),
            bookings=(booking("", OrdStatus.PENDING_NEW, OrdStatus.CANCELED),) if number > 3 else (),
            decisions=(decision(f"{number:06d}-001"),),
        )
        for number in range(3, many)
    ]
    first = cycle(1, decisions=tuple(decision(one) for one in ids))
    write_run(run_dir, [boot(), first, cycle(2, reports=ended, bookings=folded), *one_by_one])
    export_run(run_dir, tmp_path / "out")
    rows = table(tmp_path / "out", "orders")

    assert sorted([*ids, *(f"{number:06d}-001" for number in range(3, many))]) == sorted(
        str(row["cl_ord_id"]) for row in rows
    )
    assert 1 == sum(row["ord_status"] == "PENDING_NEW" for row in rows)


def test_an_order_that_was_carried_in_has_a_row(run_dir: Path, tmp_path: Path) -> None:
    """An order of the run before counts, with the fill that came in this run."""
    order = open_order("000060-001", ord_status=OrdStatus.NEW)
    fill = report("e1", order.cl_ord_id, ExecType.TRADE, qty=1, px=170_000_000, cum=1, leaves=order.order_qty - 1)
    folded = booking(order.cl_ord_id, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
    write_run(
        run_dir,
        [boot(handed_over=carried(orders=(order,), last_cycle=60)), cycle(61, reports=(fill,), bookings=(folded,))],
    )
    export_run(run_dir, tmp_path / "out")

    assert [("PARTIALLY_FILLED", 1)] == [
        (row["ord_status"], row["cum_qty"]) for row in table(tmp_path / "out", "orders")
    ]
    assert [order.symbol] == [row["symbol"] for row in table(tmp_path / "out", "fills")]


def test_a_fill_of_an_unknown_order_has_no_symbol(run_dir: Path, tmp_path: Path) -> None:
    """A fill that contradicts the record is kept, and what nobody knows is empty."""
    stray = report("e1", "000009-009", ExecType.TRADE, qty=1, px=5_000_000, cum=1)
    write_run(
        run_dir, [boot(), cycle(1, reports=(stray,), bookings=(booking("000009-009", None, None, effect="halt"),))]
    )
    export_run(run_dir, tmp_path / "out")
    (row,) = table(tmp_path / "out", "fills")

    assert (None, "halt", 5_000_000) == (row["symbol"], row["effect"], row["value_micros"])


def test_rows_beyond_one_group_are_all_written(run_dir: Path, tmp_path: Path) -> None:
    """Rows go out in groups, and none is lost between two."""
    decided = decision("000001-001", approved=False)
    many = msgspec.structs.replace(decided, checks=decided.checks * (GROUP_ROWS // 2 + 1))
    write_run(run_dir, [boot(), *(cycle(number, decisions=(many,)) for number in range(1, 5))])
    exported = export_run(run_dir, tmp_path / "out")

    assert 4 * (GROUP_ROWS // 2 + 1) == dict(exported.rows)["checks"] == len(table(tmp_path / "out", "checks"))


@pytest.mark.parametrize("name", list(TABLES))
def test_a_file_that_is_there_is_never_overwritten(run_dir: Path, tmp_path: Path, name: str) -> None:
    """One file in the way refuses the whole export, stays as it is, and nothing else is left behind."""
    write_run(run_dir, whole_run())
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / f"{name}.parquet").write_text("mine")

    with pytest.raises(ConfigError, match=rf"{name}\.parquet is there already, and an export never overwrites"):
        export_run(run_dir, folder)
    assert [(f"{name}.parquet", "mine")] == [(path.name, path.read_text()) for path in folder.iterdir()]


def test_a_folder_that_is_a_file_is_refused(run_dir: Path, tmp_path: Path) -> None:
    """A file in the place of the folder is a sentence."""
    write_run(run_dir, whole_run())
    (tmp_path / "out").write_text("mine")

    with pytest.raises(ConfigError, match="Nothing was exported"):
        export_run(run_dir, tmp_path / "out")


def test_a_full_disk_leaves_no_half_table(run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tables cannot be written to their end, none stays, and the refusal says why."""

    def opened(path: str, flags: int, mode: int) -> int:
        """Open the path as if its disk were full: the first write fails, as on /dev/full."""
        return os.open("/dev/full", os.O_WRONLY) if path.endswith("orders.parquet") else os.open(path, flags, mode)

    write_run(run_dir, whole_run())
    disk = SimpleNamespace(**{**vars(os), "open": lambda path, flags, mode: opened(str(path), flags, mode)})
    monkeypatch.setattr(export, "os", disk)

    with pytest.raises(ConfigError, match="No space left on device"):
        export_run(run_dir, tmp_path / "out")
    assert [] == list((tmp_path / "out").iterdir())


def test_an_interrupt_leaves_no_half_table(run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends an export before its time takes its files away."""

    def cut(*_: object) -> object:
        raise KeyboardInterrupt

    write_run(run_dir, whole_run())
    monkeypatch.setattr(export, "rows_of", cut)

    with pytest.raises(KeyboardInterrupt):
        export_run(run_dir, tmp_path / "out")
    assert [] == list((tmp_path / "out").iterdir())


def test_without_the_extra_a_sentence_says_how_to_get_it(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pyarrow nothing is made, and the sentence names the extra."""
    write_run(run_dir, whole_run())
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ConfigError, match="Parquet files need the extra `data`"):
        export_run(run_dir, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_journal_is_exported_up_to_the_damage_and_says_so(run_dir: Path, tmp_path: Path) -> None:
    """What stands before the damage is in the tables, and the answer is not called whole."""
    write_run(run_dir, whole_run())
    last = run_dir / f"0003-{TUESDAY}.ilj"
    raw = bytearray(last.read_bytes())
    raw[frame_offsets(bytes(raw))[1] + 40] ^= 1
    last.write_bytes(raw)
    exported = export_run(run_dir, tmp_path / "out")

    assert (False, 4) == (exported.is_whole, exported.records)
    assert [1, 2, 3] == [row["cycle"] for row in table(tmp_path / "out", "equity")]


def test_a_run_without_a_first_record_is_refused(run_dir: Path, tmp_path: Path) -> None:
    """Nothing is made of a run whose first record cannot be read."""
    write_run(run_dir, [cycle(1)])

    with pytest.raises(ConfigError, match="has no first record"):
        export_run(run_dir, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_answer_says_how_much_of_what(run_dir: Path, tmp_path: Path) -> None:
    """Each table has its line with its rows."""
    write_run(run_dir, [*whole_run()[:-1], stop(4)])
    words = words_of(export_run(run_dir, tmp_path / "out")).splitlines()

    assert words[0].startswith("Exported run run-1, 6 records, to ")
    assert ["decisions.parquet", "2", "rows"] in [line.split() for line in words]


def test_a_cycle_without_a_market_has_no_time(run_dir: Path, tmp_path: Path) -> None:
    """The cycle that stops a run looks at no market, so its time is empty."""
    decided, aside = cycle(1)
    assert isinstance(decided, Cycle)
    inputs = msgspec.structs.replace(decided.inputs, market=None)
    write_run(run_dir, [boot(), (msgspec.structs.replace(decided, inputs=inputs), aside)])
    export_run(run_dir, tmp_path / "out")

    assert [None] == [row["as_of_ns"] for row in table(tmp_path / "out", "equity")]
