"""The recount: each cell of the table of order states, each fill, and the account for every order."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.journal_factory import (
    MONDAY,
    OPENING_MICROS,
    Pair,
    booking,
    boot,
    carried,
    cycle,
    decision,
    holdings,
    positions,
    report,
    stop,
    tally,
    write_run,
)

from interlock.model.conduct import Counters
from interlock.model.journal import Booking
from interlock.model.mode import Mode
from interlock.model.orders import (
    ExecReport,
    ExecType,
    Order,
    OrderClass,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from interlock.proof import recount as recount_module
from interlock.proof.recount import Recount
from interlock.proof.verify import VerifyReport, verify_run

ONE = "000001-001"
PX = 170_000_000


def verified(run_dir: Path, pairs: list[Pair]) -> VerifyReport:
    """Write a run and verify it."""
    write_run(run_dir, pairs)
    return verify_run(run_dir)


def carried_order(status: OrdStatus, *, cum: int = 0, in_doubt: bool = False) -> Order:
    """Return an order of 10 SPY that the run before handed over."""
    return Order(
        cl_ord_id=ONE,
        order_id="PAPER-1",
        strategy_id="cross",
        symbol="SPY",
        side=Side.BUY,
        order_class=OrderClass.ENTRY,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_px=PX,
        stop_px=0,
        order_qty=10,
        cum_qty=cum,
        cost_micros=cum * PX,
        fee_micros=0,
        ord_status=status,
        cancel_pending=False,
        replace_pending=False,
        in_doubt=in_doubt,
        approved_ns=0,
        trading_date=MONDAY,
        exec_ids=("old",),
    )


S, T = OrdStatus, ExecType
HALTS = "halt"
TABLE: dict[OrdStatus, dict[ExecType, tuple[OrdStatus, str]]] = {
    S.PENDING_NEW: {
        T.NEW: (S.NEW, "folded"), T.TRADE: (S.PARTIALLY_FILLED, "folded"), T.CANCELED: (S.CANCELED, "folded"),
        T.EXPIRED: (S.EXPIRED, "folded"), T.REJECTED: (S.REJECTED, "folded"),
        T.CANCEL_REJECT: (S.PENDING_NEW, "folded"), T.REPLACED: (S.PENDING_NEW, HALTS),
        T.CORRECT: (S.PENDING_NEW, HALTS), T.NOT_SENT: (S.NOT_SENT, "folded"),
        T.IN_DOUBT: (S.PENDING_NEW, "folded"), T.NOT_HELD: (S.NOT_SENT, "folded"),
    },
    S.NEW: {
        T.NEW: (S.NEW, "ignored"), T.TRADE: (S.PARTIALLY_FILLED, "folded"), T.CANCELED: (S.CANCELED, "folded"),
        T.EXPIRED: (S.EXPIRED, "folded"), T.REJECTED: (S.REJECTED, "folded"), T.CANCEL_REJECT: (S.NEW, "folded"),
        T.REPLACED: (S.NEW, "folded"), T.CORRECT: (S.NEW, HALTS), T.NOT_SENT: (S.NEW, HALTS),
    },
    S.PARTIALLY_FILLED: {
        T.NEW: (S.PARTIALLY_FILLED, "ignored"), T.TRADE: (S.PARTIALLY_FILLED, "folded"),
        T.CANCELED: (S.CANCELED, "folded"), T.EXPIRED: (S.EXPIRED, "folded"), T.REJECTED: (S.REJECTED, "folded"),
        T.CANCEL_REJECT: (S.PARTIALLY_FILLED, "folded"), T.REPLACED: (S.PARTIALLY_FILLED, "folded"),
        T.NOT_HELD: (S.PARTIALLY_FILLED, HALTS),
    },
    S.FILLED: {
        T.NEW: (S.FILLED, "ignored"), T.TRADE: (S.FILLED, HALTS), T.CANCELED: (S.FILLED, "ignored"),
        T.EXPIRED: (S.FILLED, "ignored"), T.REJECTED: (S.FILLED, "ignored"), T.CANCEL_REJECT: (S.FILLED, "ignored"),
        T.REPLACED: (S.FILLED, HALTS),
    },
    S.CANCELED: {
        T.NEW: (S.CANCELED, "ignored"), T.TRADE: (S.CANCELED, HALTS), T.CANCELED: (S.CANCELED, "ignored"),
        T.CANCEL_REJECT: (S.CANCELED, "ignored"), T.REPLACED: (S.CANCELED, HALTS),
    },
    S.EXPIRED: {T.TRADE: (S.EXPIRED, HALTS), T.EXPIRED: (S.EXPIRED, "ignored"), T.REPLACED: (S.EXPIRED, HALTS)},
    S.REJECTED: {
        T.NEW: (S.REJECTED, HALTS), T.TRADE: (S.REJECTED, HALTS), T.CANCELED: (S.REJECTED, "ignored"),
        T.CANCEL_REJECT: (S.REJECTED, "ignored"), T.REPLACED: (S.REJECTED, HALTS), T.BUST: (S.REJECTED, HALTS),
    },
    S.NOT_SENT: {T.TRADE: (S.NOT_SENT, HALTS), T.NOT_HELD: (S.NOT_SENT, "ignored"), T.CANCELED: (S.NOT_SENT, HALTS)},
}  # fmt: skip
CELLS = [(before, kind, *cell) for before, row in TABLE.items() for kind, cell in row.items()]


@pytest.mark.parametrize(("before", "kind", "after", "effect"), CELLS, ids=[f"{c[0]}-{c[1]}" for c in CELLS])
def test_each_cell_of_the_table_of_order_states(
    before: OrdStatus, kind: ExecType, after: OrdStatus, effect: str
) -> None:
    """A booking by the design's table passes, and the same booking with another effect does not."""
    cum = {OrdStatus.PARTIALLY_FILLED: 4, OrdStatus.FILLED: 10}.get(before, 0)
    qty = 3 if kind is ExecType.TRADE else 0
    told = report("e1", ONE, kind, qty=qty, px=PX if qty else 0, cum=cum + qty, leaves=10 - cum)
    handed_over = carried(orders=(carried_order(before, cum=cum),))
    right = list(Recount(handed_over).report(told, booking(ONE, before, after, effect=effect)))
    other = "ignored" if effect != "ignored" else "folded"
    wrong = list(Recount(handed_over).report(told, booking(ONE, before, after, effect=other)))

    assert ([], 1) == (right, len(wrong))


def folded(recount: Recount, told: ExecReport, booked: Booking) -> list[str]:
    """Return what a recount says against one booking."""
    return list(recount.report(told, booked))


def test_a_report_folds_once() -> None:
    """The same exec_id again is ignored, and moves nothing."""
    recount = Recount(carried(orders=(carried_order(OrdStatus.NEW),)))
    fill = report("e1", ONE, ExecType.TRADE, qty=4, px=PX, cum=4)
    first = folded(recount, fill, booking(ONE, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED))
    part = OrdStatus.PARTIALLY_FILLED
    second = folded(recount, fill, booking(ONE, part, part, effect="ignored"))

    assert ([], [], 4) == (first, second, recount.positions["cross", "SPY"])


def test_a_fill_that_does_not_add_up_halts_and_moves_nothing() -> None:
    """A venue that counts otherwise than we do is not believed."""
    recount = Recount(carried(orders=(carried_order(OrdStatus.NEW),)))
    fill = report("e1", ONE, ExecType.TRADE, qty=4, px=PX, cum=5)
    found = folded(recount, fill, booking(ONE, OrdStatus.NEW, OrdStatus.NEW, effect="halt"))

    assert ([], {}) == (found, recount.positions)


def test_an_overfill_halts_and_the_shares_are_there_all_the_same() -> None:
    """More traded than was ordered: it is a fault, and it is also a position."""
    recount = Recount(carried(orders=(carried_order(OrdStatus.NEW),)))
    fill = report("e1", ONE, ExecType.TRADE, qty=12, px=PX, cum=12)
    found = folded(recount, fill, booking(ONE, OrdStatus.NEW, OrdStatus.FILLED, effect="halt"))

    assert ([], 12) == (found, recount.positions["cross", "SPY"])


def test_a_sale_takes_shares_and_brings_cash() -> None:
    """SELL is the reverse of BUY, and the fee is paid both ways."""
    sold = msgspec.structs.replace(carried_order(OrdStatus.NEW), side=Side.SELL)
    recount = Recount(carried(orders=(sold,), positions=positions(10)))
    fill = report("e1", ONE, ExecType.TRADE, qty=4, px=PX, cum=4, fee=7)
    folded(recount, fill, booking(ONE, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED))

    assert (6, OPENING_MICROS + 4 * PX - 7) == (recount.positions["cross", "SPY"], recount.sums.cash_micros)


def test_doubt_ends_with_the_venues_word() -> None:
    """In doubt is set by a report, kept by a refused cancel, and cleared by a cancel."""
    recount = Recount(carried(orders=(carried_order(OrdStatus.NEW),)))
    states = []
    for number, (kind, after) in enumerate([(T.IN_DOUBT, S.NEW), (T.CANCEL_REJECT, S.NEW), (T.CANCELED, S.CANCELED)]):
        folded(recount, report(f"e{number}", ONE, kind), booking(ONE, S.NEW, after))
        states.append((recount.in_doubt_ids(), recount.counts()["in_doubt"], recount.counts()["cancelled"]))

    assert [((ONE,), 1, 0), ((ONE,), 1, 0), ((), 0, 1)] == states


def test_a_report_on_an_order_that_nobody_approved_is_found() -> None:
    """Neither approved here nor carried over: a problem, however it was booked."""
    found = folded(Recount(carried()), report("e1", "x", ExecType.NEW), booking("x", None, None, effect="ignored"))

    assert ["the report e1 is about x, which this run neither approved nor carried"] == found


def test_a_late_word_on_an_order_that_the_runtime_forgot_is_no_problem() -> None:
    """Orders that ended long ago are unknown to the runtime, and it says so."""
    recount = Recount(carried(orders=(carried_order(OrdStatus.CANCELED),)))
    found = folded(recount, report("e1", ONE, ExecType.CANCELED), booking(ONE, None, None, effect="ignored"))

    assert [] == found


def test_a_run_that_carries_orders_counts_them(tmp_path: Path) -> None:
    """PAPER goes on with an order of the run before: its cycle numbers, its counts, its end."""
    handed_over = carried(orders=(carried_order(OrdStatus.NEW),), last_cycle=8)
    # The date that its counts are of is handed over too, so the day does not begin again with the run.
    handed_over = msgspec.structs.replace(handed_over, counters=Counters(trading_date=MONDAY))
    first, aside = boot(handed_over=handed_over)
    told = report("e1", ONE, ExecType.CANCELED)
    pairs = [
        (msgspec.structs.replace(first, mode=Mode.PAPER), aside),
        cycle(9, reports=(told,), bookings=(booking(ONE, OrdStatus.NEW, OrdStatus.CANCELED),)),
        stop(9, counts=tally(carried=1, cancelled=1)),
    ]

    assert () == verified(tmp_path / "run", pairs).problems


def test_a_working_order_must_be_named_at_the_stop(tmp_path: Path) -> None:
    """An order that is open at the end is named, carried, and shows in the exit code."""
    order = carried_order(OrdStatus.PENDING_NEW)
    left = holdings(open_orders=1)
    closing = carried(orders=(msgspec.structs.replace(order, exec_ids=()),), last_cycle=1)
    final, aside = stop(1, counts=tally(intents=1, working=1), closing=closing, left=left, exit_code=4)
    begun = [boot(), cycle(1, decisions=(decision(ONE),), left=left)]
    named = msgspec.structs.replace(final, working=(ONE,))
    right = verified(tmp_path / "right", [*begun, (named, aside)])
    wrong = verified(tmp_path / "wrong", [*begun, (final, aside)])

    assert () == right.problems
    assert ["the open orders 000001-001 are not named at the stop."] == [
        problem.split(": ")[1] for problem in wrong.problems
    ]


def test_orders_are_carried_as_they_were_counted(tmp_path: Path) -> None:
    """An order that is open and not carried, and one that is carried with a fill too many, are both found."""
    order = msgspec.structs.replace(carried_order(OrdStatus.PENDING_NEW), exec_ids=())
    begun = [boot(), cycle(1, decisions=(decision(ONE),), left=holdings(open_orders=1))]
    told = []
    for case, orders in enumerate([(), (msgspec.structs.replace(order, cum_qty=1),)]):
        final, aside = stop(
            1,
            counts=tally(intents=1, working=1),
            closing=carried(orders=orders, last_cycle=1),
            left=holdings(open_orders=1),
            exit_code=4,
        )
        final = msgspec.structs.replace(final, working=(ONE,))
        told += [each.split("): ")[1] for each in verified(tmp_path / str(case), [*begun, (final, aside)]).problems]

    assert [
        "the orders none are carried, and 000001-001 are open.",
        "order 000001-001 is carried as PENDING_NEW with 1 filled.",
    ] == told


def test_count_keeps_the_last_ended_orders_and_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not grow with a run; a late word on a forgotten order moves nothing, and one on no order is named."""
    monkeypatch.setattr(recount_module, "ENDED_KEPT", 2)
    counted = Recount(carried())
    for number in range(1, 5):
        name = f"{number:06d}-001"
        counted.approve(decision(name))
        words = report(f"e{number}", name, ExecType.CANCELED)
        assert [] == list(counted.report(words, booking(name, OrdStatus.PENDING_NEW, OrdStatus.CANCELED)))
    late = report("late", "000001-001", ExecType.CANCELED)
    never = report("never", "000009-001", ExecType.CANCELED)

    assert ["000003-001", "000004-001"] == list(counted.orders)
    assert [] == list(counted.report(late, booking("000001-001", None, None)))
    assert 1 == len(list(counted.report(never, booking("000009-001", None, None))))
    assert 4 == counted.counts()["cancelled"]
