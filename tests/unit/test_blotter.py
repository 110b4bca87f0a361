"""The blotter: every cell of the design's table of orders and reports, and what no table shows."""

from __future__ import annotations

import msgspec
import pytest
from tests.core_factory import ASK_PX, blotter, fill, order, report

from interlock.core.blotter import CLOSED_KEPT, EMPTY, TABLE, Blotter, Folded, fold_report
from interlock.model.orders import ExecReport, ExecType, Order, OrdStatus

#: The design's table, word for word: a status a row, a report a column.
COLUMNS = ("NEW", "TRADE", "CANCELED", "EXPIRED", "REJECTED", "CANCEL_REJECT", "REPLACED", "CORRECT", "BUST")
DESIGN = {
    "PENDING_NEW": "NEW | fill | CANCELED | EXPIRED | REJECTED | clear | halt | halt | halt",
    "NEW": "ignore | fill | CANCELED | EXPIRED | REJECTED | clear | fold | halt | halt",
    "PARTIALLY_FILLED": "ignore | fill | CANCELED | EXPIRED | REJECTED | clear | fold | fold | fold",
    "FILLED": "ignore | halt | ignore | ignore | ignore | ignore | halt | fold | fold",
    "CANCELED": "ignore | late | ignore | ignore | ignore | ignore | halt | fold | fold",
    "EXPIRED": "ignore | late | ignore | ignore | ignore | ignore | halt | fold | fold",
    "REJECTED": "halt | halt | ignore | ignore | ignore | ignore | halt | halt | halt",
}
#: Where the code departs from it: no gateway of this build corrects or busts a trade, so a report that does is a
#: contradiction, and halting until a human has looked is the safer of the two.
DEPARTURES = {
    (OrdStatus(status), ExecType(kind)): "halt"
    for status in ("PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED")
    for kind in ("CORRECT", "BUST")
}
#: What the design leaves to the code: the words of a send and of a recovery, and an order that was never sent.
OWN = {
    "PENDING_NEW": "NOT_SENT | doubt | NOT_SENT",
    "NEW": "halt | doubt | NOT_SENT",
    "PARTIALLY_FILLED": "halt | doubt | halt",
    "FILLED": "halt | ignore | halt",
    "CANCELED": "halt | ignore | ignore",
    "EXPIRED": "halt | ignore | ignore",
    "REJECTED": "halt | ignore | ignore",
    "NOT_SENT": "halt | halt | ignore",
}
UNSENT = "halt | halt | halt | halt | halt | ignore | halt | halt | halt"


def cells() -> dict[tuple[OrdStatus, ExecType], str]:
    """Return what each cell does, by the design where it speaks and by the words above where it does not."""
    found: dict[tuple[OrdStatus, ExecType], str] = {}
    for rows, columns in ((DESIGN | {"NOT_SENT": UNSENT}, COLUMNS), (OWN, ("NOT_SENT", "IN_DOUBT", "NOT_HELD"))):
        for status, row in rows.items():
            for kind, cell in zip(columns, row.split(" | "), strict=True):
                found[OrdStatus(status), ExecType(kind)] = cell
    return found | DEPARTURES


def before(status: OrdStatus) -> Order:
    """Return an order of ten shares in a status, with a cancel on its way."""
    cum_qty = {OrdStatus.PARTIALLY_FILLED: 4, OrdStatus.FILLED: 10, OrdStatus.CANCELED: 4, OrdStatus.EXPIRED: 4}
    filled = cum_qty.get(status, 0)
    return order(
        ord_status=status, cum_qty=filled, cost_micros=filled * ASK_PX, cancel_pending=True, replace_pending=True
    )


def word(kind: ExecType, of: Order) -> ExecReport:
    """Return a report of a kind that fits the order."""
    if kind is ExecType.TRADE:
        return fill(6, cum=of.cum_qty + 6)
    return report(kind, cum_qty=of.cum_qty, leaves_qty=12 - of.cum_qty)


def folded(of: Order, *reports: ExecReport) -> tuple[Blotter, Folded]:
    """Return what reports make of one order, and what the last one did."""
    held = blotter(of)
    found = None
    for each in reports:
        held, found = fold_report(held, each)
    assert found is not None
    return held, found


def named(of: Order, after: Order, found: Folded) -> str:
    """Return, in the words of the table, what happened."""
    if found.fault and found.fill_qty == 0:
        return "halt"
    if found.booking.effect == "ignored":
        return "ignore"
    if found.fill_qty > 0:
        return {"": "fill", "LATE_FILL": "late", "ORDER_OVERFILL": "halt"}[found.fault]
    if after.in_doubt:
        return "doubt"
    if after.ord_status is not of.ord_status:
        return after.ord_status.value
    return "clear" if not after.cancel_pending else "fold"


def test_table_has_every_cell() -> None:
    """Every status meets every report."""
    assert {(status, kind) for status in OrdStatus for kind in ExecType} == set(TABLE) == set(cells())


@pytest.mark.parametrize(("status", "kind"), cells())
def test_cell(status: OrdStatus, kind: ExecType) -> None:
    """What a report does to an order is what the table of the design says, or a departure that is listed here."""
    of = before(status)
    held, found = folded(of, word(kind, of))
    after = held.find(of.cl_ord_id)

    assert after is not None
    assert cells()[status, kind] == named(of, after, found)


@pytest.mark.parametrize(("status", "kind"), [key for key, cell in cells().items() if cell in ("ignore", "halt")])
def test_what_is_not_folded_changes_nothing_but_shares_that_traded(status: OrdStatus, kind: ExecType) -> None:
    """An ignored or contradicting report leaves the order as it was; only a fill moves, for the shares are there."""
    of = before(status)
    held, found = folded(of, word(kind, of))

    assert (held.find(of.cl_ord_id) == of) is (found.fill_qty == 0)
    assert (of.ord_status, of.ord_status) == (found.booking.before, found.booking.after)


@pytest.mark.parametrize(
    "status", [status for status in OrdStatus if status not in (OrdStatus.FILLED, OrdStatus.REJECTED)]
)
def test_each_report_folds_once(status: OrdStatus) -> None:
    """A fill that is told twice moves the position once."""
    of = before(status)
    once, first = folded(of, word(ExecType.TRADE, of))
    twice, again = fold_report(once, word(ExecType.TRADE, of))

    assert once == twice
    assert (6, 0, "told before", "") == (first.fill_qty, again.fill_qty, again.booking.text, again.fault)


def test_parts_make_a_whole() -> None:
    """An order fills in parts: shares, cost and fees add up, and the last part closes it."""
    held, found = folded(order(), fill(4, cum=4, px=7, fee_micros=2), fill(6, cum=10, px=5, fee_micros=1))
    after = held.find("000001-001")

    assert after is not None
    assert (OrdStatus.FILLED, 10, 58, 3, 0) == (
        after.ord_status, after.cum_qty, after.cost_micros, after.fee_micros, after.leaves_qty,
    )  # fmt: skip
    assert ("", 6, {}) == (found.fault, found.fill_qty, dict(held.open_orders))


def test_an_overfill_moves_the_position_and_halts() -> None:
    """More shares than were ordered are owned all the same, and trading stops."""
    held, found = folded(order(), fill(11, cum=11))

    assert ("ORDER_OVERFILL", 11, "halt") == (found.fault, found.fill_qty, found.booking.effect)
    assert "11 shares traded where 10 were ordered" == found.booking.text
    assert OrdStatus.FILLED is held.closed_orders["000001-001"].ord_status


def test_a_late_fill_counts_and_halts_the_symbol() -> None:
    """Shares that trade after a cancel are there; the order stays canceled."""
    held, found = folded(before(OrdStatus.CANCELED), fill(6, cum=10))
    after = held.closed_orders["000001-001"]

    assert ("LATE_FILL", 6, "it traded although it was CANCELED") == (found.fault, found.fill_qty, found.booking.text)
    assert (OrdStatus.CANCELED, 10, 10 * ASK_PX) == (after.ord_status, after.cum_qty, after.cost_micros)


def test_a_trade_on_a_rejected_order_says_so() -> None:
    """Such a trade is no overfill in words, and halts like one."""
    _, found = folded(before(OrdStatus.REJECTED), fill(6, cum=6))

    assert ("ORDER_OVERFILL", "it traded although it was REJECTED") == (found.fault, found.booking.text)


@pytest.mark.parametrize(
    "odd", [fill(4, cum=3), fill(4, cum=5), fill(0, cum=0), fill(-1, cum=-1), fill(4, cum=4, px=0)]
)
def test_a_fill_that_does_not_add_up_moves_nothing(odd: ExecReport) -> None:
    """A sum that goes down or jumps, no shares, or no price: nobody knows what is true, so it halts."""
    held, found = folded(order(), odd)

    assert ("FILL_DOES_NOT_ADD_UP", 0, "halt") == (found.fault, found.fill_qty, found.booking.effect)
    assert order() == held.find("000001-001")


@pytest.mark.parametrize("kind", ExecType)
def test_a_word_on_an_unknown_order_halts_if_it_could_move_shares(kind: ExecType) -> None:
    """Trades, corrections, busts and replaces of what we never sent halt; every other word is told."""
    held, found = fold_report(EMPTY, report(kind))
    halts = kind in (ExecType.TRADE, ExecType.CORRECT, ExecType.BUST, ExecType.REPLACED)

    assert ("ORDER_UNKNOWN" if halts else "", "halt" if halts else "ignored") == (found.fault, found.booking.effect)
    assert (EMPTY, None, None, 0) == (held, found.before, found.after, found.fill_qty)


def test_doubt_keeps_an_order_open_and_a_word_of_the_venue_ends_it() -> None:
    """In doubt it counts whole; an acknowledgement is evidence."""
    held, _ = folded(order(ord_status=OrdStatus.PENDING_NEW), report(ExecType.IN_DOUBT))
    doubted = held.open_orders["000001-001"]
    cleared, _ = fold_report(held, report(ExecType.NEW))

    assert (True, 10) == (doubted.in_doubt, doubted.leaves_qty)
    assert order(exec_ids=("e-IN_DOUBT", "e-NEW")) == cleared.open_orders["000001-001"]


def test_a_replace_changes_the_size_by_the_venues_word() -> None:
    """After a replace the order is as large as the venue says."""
    held, _ = folded(before(OrdStatus.PARTIALLY_FILLED), report(ExecType.REPLACED, cum_qty=4, leaves_qty=3))
    after = held.open_orders["000001-001"]

    assert (7, 3, False) == (after.order_qty, after.leaves_qty, after.replace_pending)


def test_a_word_without_the_venues_id_keeps_the_one_that_is_known() -> None:
    """The desk knows no order id of the venue, and its words do not blank it."""
    held, _ = folded(order(), report(ExecType.IN_DOUBT, order_id=""))

    assert "PAPER-000001-001" == held.open_orders["000001-001"].order_id


def test_closed_orders_are_bounded_and_the_oldest_goes() -> None:
    """Of ended orders the last ones are kept for late words; a later word is then on an unknown order."""
    ended = [order(f"000001-{number:03d}", ord_status=OrdStatus.CANCELED) for number in range(CLOSED_KEPT + 1)]
    held = blotter(*ended, order("000002-001"))

    assert (CLOSED_KEPT, 1) == (len(held.closed_orders), len(held.open_orders))
    assert (None, ended[1]) == (held.find("000001-000"), held.find("000001-001"))


def test_an_order_is_open_or_closed_and_never_both() -> None:
    """An order that comes to doubt after it had ended is open again."""
    ended = order(ord_status=OrdStatus.CANCELED)
    held = blotter(ended).put(msgspec.structs.replace(ended, in_doubt=True))

    assert ({}, ["000001-001"]) == (dict(held.closed_orders), list(held.open_orders))
