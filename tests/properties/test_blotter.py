"""The blotter over any sequence of reports: nothing folds twice, nothing is lost, and every sum agrees."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.core_factory import blotter, fill, order, report, state

from interlock.core.blotter import Blotter, Folded, fold_report
from interlock.core.book import fold_reports
from interlock.core.portfolio import check_identities
from interlock.model.orders import ExecReport, ExecType, OrdStatus, Side

IDS = ("000001-001", "000001-002", "000001-003")
SIDES = (Side.BUY, Side.SELL, Side.BUY)
words = st.builds(
    lambda cl_ord_id, kind, number, cum_qty, leaves_qty: report(
        kind, cl_ord_id=cl_ord_id, exec_id=f"w{number}", cum_qty=cum_qty, leaves_qty=leaves_qty
    ),
    st.sampled_from((*IDS, "000009-001")),
    st.sampled_from([kind for kind in ExecType if kind is not ExecType.TRADE]),
    st.integers(0, 30),
    st.integers(0, 12),
    st.integers(0, 12),
)
trades = st.builds(
    lambda cl_ord_id, qty, cum, px, fee, number: fill(
        qty, cum=cum, px=px, exec_id=f"t{number}", cl_ord_id=cl_ord_id, fee_micros=fee
    ),
    st.sampled_from((*IDS, "000009-001")),
    st.integers(-1, 6),
    st.integers(0, 12),
    st.integers(0, 100),
    st.integers(0, 5),
    st.integers(0, 30),
)
sequences = st.lists(st.one_of(words, trades, trades), max_size=20)


def opened() -> Blotter:
    """Return a blotter of three orders of ten shares."""
    return blotter(
        *(
            order(cl_ord_id, side=side, ord_status=OrdStatus.PENDING_NEW)
            for cl_ord_id, side in zip(IDS, SIDES, strict=True)
        )
    )


def folded(held: Blotter, reports: list[ExecReport]) -> tuple[Blotter, list[Folded]]:
    """Return the blotter after reports, and what each did."""
    found: list[Folded] = []
    for each in reports:
        held, what = fold_report(held, each)
        found.append(what)
    return held, found


def made_to_fit(reports: list[ExecReport]) -> list[ExecReport]:
    """Return the reports with the sums of most fills made right, so that shares do move."""
    cum: dict[str, int] = {}
    told: dict[str, ExecReport] = {}
    fitting: list[ExecReport] = []
    for each in reports:
        if each.exec_type is ExecType.TRADE and each.cum_qty > 2:
            if each.exec_id not in told:
                total = cum.get(each.cl_ord_id, 0) + max(0, each.last_qty)
                told[each.exec_id] = msgspec.structs.replace(each, cum_qty=total)
                cum[each.cl_ord_id] = total if each.last_qty > 0 and each.last_px > 0 else total - each.last_qty
            fitting.append(told[each.exec_id])
        else:
            fitting.append(each)
    return fitting


@given(sequences, sequences)
def test_folding_in_two_parts_is_folding_at_once(first: list[ExecReport], second: list[ExecReport]) -> None:
    """fold(a + b) is fold(fold(a), b)."""
    halfway, before = folded(opened(), first)
    after, rest = folded(halfway, second)

    assert (after, [*before, *rest]) == folded(opened(), [*first, *second])


@given(sequences)
def test_shares_cost_and_fees_are_those_of_the_fills_that_counted(reports: list[ExecReport]) -> None:
    """An order's sums are those of the fills that moved it, each of them once."""
    fitting = made_to_fit(reports)
    after, found = folded(opened(), fitting)
    for cl_ord_id in IDS:
        ours = [
            each for each, what in zip(fitting, found, strict=True) if each.cl_ord_id == cl_ord_id and what.fill_qty > 0
        ]
        kept = after.find(cl_ord_id)
        assert kept is not None
        assert (
            sum(each.last_qty for each in ours),
            sum(each.last_qty * each.last_px for each in ours),
            sum(each.fee_micros for each in ours),
        ) == (kept.cum_qty, kept.cost_micros, kept.fee_micros)
        assert len({each.exec_id for each in ours}) == len(ours)


@given(sequences)
def test_positions_cash_and_orders_agree(reports: list[ExecReport]) -> None:
    """The position is the signed sum of what orders filled, cash re-adds, and what ended is counted once."""
    before = msgspec.structs.replace(state(), blotter=opened())
    after, bookings = fold_reports(before, tuple(made_to_fit(reports)))
    orders = [after.blotter.find(cl_ord_id) for cl_ord_id in IDS]
    tally = msgspec.structs.asdict(after.tally)
    ended = sum(count for name, count in tally.items() if name not in ("intents", "carried", "blocked"))

    check_identities(after.portfolio)
    assert sum(each.side.sign * each.cum_qty for each in orders if each) == after.portfolio.account_qty("SPY")
    assert sum(each.fee_micros for each in orders if each) == after.portfolio.account.fees_micros
    assert (len(reports), len(IDS)) == (len(bookings), ended + len(after.blotter.open_orders))


@given(sequences)
def test_what_has_ended_never_comes_back(reports: list[ExecReport]) -> None:
    """No report reopens an order, and the shares that are filled never go down."""
    held = opened()
    for each in made_to_fit(reports):
        after, what = fold_report(held, each)
        if what.before is not None and what.after is not None:
            was_open = what.before.ord_status.is_open or what.before.in_doubt
            is_open = what.after.ord_status.is_open or what.after.in_doubt
            assert was_open or not is_open
            assert what.after.cum_qty >= what.before.cum_qty
        assert set(after.open_orders) & set(after.closed_orders) == set()
        held = after


@given(sequences)
def test_a_halt_always_has_a_fault(reports: list[ExecReport]) -> None:
    """What is booked as a halt trips a latch, and nothing else does."""
    for what in folded(opened(), made_to_fit(reports))[1]:
        assert (what.booking.effect == "halt") is (what.fault != "")
        assert what.fill_qty == 0 or what.after is not None
