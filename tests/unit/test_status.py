"""What a journal says of a run that is gone: holdings, and the orders that were open at its last record."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.journal_factory import booking, boot, cycle, decision, holdings, report, stop, write_run
from tests.spoken import spoken

from interlock.model.errors import JournalError
from interlock.model.orders import ExecType, OrdStatus
from interlock.shell.status import HeldPosition, holding_words, status_from_journal

ORDER = "000001-001"


def open_after(run_dir: Path, *, exec_type: ExecType, after: OrdStatus) -> list[tuple[str, int, bool]]:
    """Return id, leaves and doubt of the orders that a killed run left after one report on its one order."""
    answer = report("e1", ORDER, exec_type, qty=4, px=170_000_000, cum=4, leaves=6)
    first = cycle(1, decisions=(decision(ORDER), decision("000001-002", approved=False)))
    second = cycle(
        2,
        reports=(answer,),
        bookings=(booking(ORDER, OrdStatus.PENDING_NEW, after),),
        left=holdings(qty=4, open_orders=1),
    )
    write_run(run_dir, [boot(), first, second])
    status = status_from_journal(run_dir, latches=(), ended="killed")
    return [(order.cl_ord_id, order.leaves_qty, order.in_doubt) for order in status.open_orders]


@pytest.mark.parametrize(
    ("exec_type", "after", "expected"),
    [
        (ExecType.NEW, OrdStatus.NEW, [(ORDER, 10, False)]),
        (ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, [(ORDER, 6, False)]),
        (ExecType.IN_DOUBT, OrdStatus.PENDING_NEW, [(ORDER, 10, True)]),
        (ExecType.CANCELED, OrdStatus.CANCELED, []),
        (ExecType.NOT_SENT, OrdStatus.NOT_SENT, []),
    ],
)
def test_open_orders_of_a_killed_run_are_folded_from_its_journal(
    tmp_path: Path, exec_type: ExecType, after: OrdStatus, expected: list[tuple[str, int, bool]]
) -> None:
    """An approved order is open until a report ends it; a blocked one never was."""
    assert expected == open_after(tmp_path / "run", exec_type=exec_type, after=after)


def test_ended_run_says_what_it_holds_at_cost(tmp_path: Path) -> None:
    """After a STOP no price is current, so the cost is shown and named."""
    write_run(tmp_path / "run", [boot(), cycle(1, left=holdings(qty=4)), stop(1, left=holdings(qty=4))])
    status = status_from_journal(tmp_path / "run", latches=(), ended="clean")

    assert "You hold 4 SPY (cost $0.00), UNPROTECTED" == holding_words(status.positions)


def test_journal_without_a_record_holds_the_unknown(tmp_path: Path) -> None:
    """Unknown is not nothing."""
    (tmp_path / "run").mkdir()

    with pytest.raises(JournalError, match="is unknown"):
        status_from_journal(tmp_path / "run", latches=(), ended="killed")


def test_holdings_are_summed_over_strategies_and_bounded() -> None:
    """The account's own sum is what you own, and a long list is counted."""
    many = [
        HeldPosition(
            strategy_id=strategy,
            symbol=f"S{number:02d}",
            qty=qty,
            cost_micros=0,
            value_micros=qty * 10**6,
            priced=True,
        )
        for number in range(12)
        for strategy, qty in (("one", 3), ("two", -3 if number == 0 else -1))
    ]
    words = holding_words(many)

    assert False is ("S00" in words)
    assert "2 S01 ($2.00), UNPROTECTED; 2 S02" in words
    assert True is words.endswith("; and 1 more (interlock status --json names all)")


def test_start_that_never_began_is_passed_over(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A run that was killed before its first record hides neither what the last one left nor that there is none."""
    folder = tmp_path / "home"
    assert 0 == spoken(capsys, "run", "--cycles", "2", "--interval", "0", "--home", str(folder))[0]
    before = spoken(capsys, "status", "--home", str(folder))
    (folder / "runs" / "29991231T000000Z-sim-ffff").mkdir(mode=0o700)

    assert before == spoken(capsys, "status", "--home", str(folder))
