"""Headroom: what open orders may still do is spoken for, whichever of them fill."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from tests.core_factory import (
    ASK_PX,
    BID_PX,
    FEES,
    MID_PX,
    blotter,
    exit_facts,
    headroom,
    holding,
    intent,
    leaving,
    order,
    state,
    wish,
)
from tests.journal_factory import OPENING_MICROS, START_NS

from interlock.core.risk.engine import judge
from interlock.core.risk.headroom import Headroom, SymbolUse, Totals, is_in_doubt, make_headroom
from interlock.model.orders import Order, OrderClass, OrdStatus, Side
from interlock.model.risk import ReasonCode

FEE = 1_000_000
SELLING = {"side": Side.SELL, "order_class": OrderClass.EXIT, "limit_px": BID_PX}


def made(
    *orders: Order,
    held: dict[str, int] | None = None,
    price_of: Callable[[str], int] = lambda _: MID_PX,
    groups: dict[str, str] | None = None,
    unanswered_before_ns: int = 0,
) -> Headroom:
    """Return the headroom of an account with these orders and positions."""
    return make_headroom(
        portfolio=state(held=held).portfolio,
        blotter=blotter(*orders),
        fees=FEES,
        price_of=price_of,
        groups=groups or {},
        unanswered_before_ns=unanswered_before_ns,
    )


def sums(room: Headroom) -> tuple[object, ...]:
    """Return everything of a headroom but where its prices come from."""
    parts = msgspec.structs.asdict(room)
    return tuple(value for name, value in parts.items() if name != "price_of")


@pytest.mark.parametrize(
    ("use", "worst_qty"),
    [
        (SymbolUse(), 0),
        (SymbolUse(position_qty=10, open_buy_qty=5), 15),
        (SymbolUse(position_qty=10, open_buy_qty=5, open_sell_qty=5), 15),
        (SymbolUse(position_qty=10, open_sell_qty=30), 20),
        (SymbolUse(position_qty=-10, open_sell_qty=5), 15),
    ],
)
def test_worst_position_nets_nothing(use: SymbolUse, worst_qty: int) -> None:
    """Of all subsets of fills the one that leaves the largest position counts."""
    assert worst_qty == use.worst_qty()


def test_worst_position_counts_the_order_that_is_judged() -> None:
    """What is being judged counts as if it were open."""
    use = SymbolUse(position_qty=10, open_buy_qty=5, open_sell_qty=12)

    assert (18, 17) == (use.worst_qty(more_buy_qty=3), use.worst_qty(more_sell_qty=15))


def test_an_open_buy_takes_cash_at_its_limit_and_its_whole_fee() -> None:
    """What a buy may still cost is not free, a minimum fee included."""
    assert OPENING_MICROS - 10 * ASK_PX - FEE == made(order()).free_micros


def test_an_open_sale_adds_no_cash_and_takes_its_fee() -> None:
    """Proceeds that are not there yet add nothing."""
    assert OPENING_MICROS - FEE == made(order(side=Side.SELL), held={"SPY": 10}).free_micros


def test_a_fee_already_paid_is_not_reserved_again() -> None:
    """A part that filled has paid the minimum fee, so the rest of the order reserves no second one."""
    part = order(ord_status=OrdStatus.PARTIALLY_FILLED, cum_qty=4, fee_micros=FEE)

    assert OPENING_MICROS - 6 * ASK_PX == made(part).free_micros


def test_an_order_in_doubt_counts_whole() -> None:
    """Nobody knows what became of it, so all of it may fill, even where its status has ended."""
    unknown = order(ord_status=OrdStatus.CANCELED, in_doubt=True)
    use = made(unknown).use("SPY")

    assert (10, True) == (use.open_buy_qty, use.in_doubt)


def test_one_order_in_doubt_puts_its_symbol_in_doubt() -> None:
    """A sound order after it does not clear the symbol, and one before it does not hide it."""
    doubted, sound = order(in_doubt=True), order("000001-002")

    assert (True, True) == (made(doubted, sound).use("SPY").in_doubt, made(sound, doubted).use("SPY").in_doubt)


@pytest.mark.parametrize(
    ("late_ns", "status", "is_doubted"),
    [
        (0, OrdStatus.PENDING_NEW, False),
        (1, OrdStatus.PENDING_NEW, True),
        (1, OrdStatus.NEW, False),
        (1, OrdStatus.PARTIALLY_FILLED, False),
    ],
)
def test_an_order_that_nobody_answered_in_time_is_in_doubt(
    late_ns: int, status: OrdStatus, *, is_doubted: bool
) -> None:
    """One approved before the instant by which it must be answered is in doubt; one that was taken is not."""
    waits = order(ord_status=status)
    before_ns = START_NS + late_ns

    assert (is_doubted, is_doubted) == (
        is_in_doubt(waits, before_ns), made(waits, unanswered_before_ns=before_ns).use("SPY").in_doubt,
    )  # fmt: skip


def test_a_closed_order_takes_nothing() -> None:
    """What ended is no longer spoken for."""
    assert sums(headroom()) == sums(made(order(ord_status=OrdStatus.CANCELED)))


def test_orders_of_one_symbol_add_up_at_their_highest_price() -> None:
    """Two orders count together, each on its own side, at the dearer of their limits."""
    both = made(order(), order("000001-002", side=Side.SELL, limit_px=ASK_PX + 1, order_qty=3), held={"SPY": 4})
    use = SymbolUse(position_qty=4, open_buy_qty=10, open_sell_qty=3, open_px=ASK_PX + 1, orders=2)

    assert (use, use) == (both.use("SPY"), both.own_use("cross", "SPY"))


def test_positions_of_two_strategies_add_up() -> None:
    """A symbol's use is the account's, whoever holds it; what each holds is known, and who came first."""
    both = headroom(held={("b", "SPY"): 4, ("a", "SPY"): -1})

    assert (3, 4, -1, ("b", "a")) == (
        both.use("SPY").position_qty,
        both.own_use("b", "SPY").position_qty,
        both.own_use("a", "SPY").position_qty,
        both.owners["SPY"],
    )


def test_a_position_of_nothing_takes_nothing() -> None:
    """What was sold out owns its symbol no longer, and needs no price."""
    assert sums(headroom()) == sums(made(held={"AIG": 0}, price_of=lambda _: 0))


def test_the_totals_are_the_worst_case_of_each_symbol_added_up() -> None:
    """At the dearer of the last price and an open limit; long if all buys fill, short if all sells do."""
    room = made(
        order(symbol="IBM"),
        order("000001-002", symbol="SPY", order_qty=30, **SELLING),
        held={"SPY": 100, "AIG": -2},
    )

    assert (
        Totals(
            gross_micros=100 * MID_PX + 10 * ASK_PX + 2 * MID_PX,
            long_micros=100 * MID_PX + 10 * ASK_PX - 2 * MID_PX,
            short_micros=70 * MID_PX - 2 * MID_PX,
            unexecuted_micros=10 * ASK_PX + 30 * BID_PX,
            orders=2,
        )
        == room.totals
    )
    assert {"cross": room.totals.gross_micros} == room.by_strategy


def test_a_part_that_filled_is_not_unexecuted() -> None:
    """Only what is left of an order may still fill."""
    part = order(ord_status=OrdStatus.PARTIALLY_FILLED, cum_qty=4, fee_micros=FEE)

    assert (6 * ASK_PX, 6) == (made(part).totals.unexecuted_micros, made(part).use("SPY").open_buy_qty)


def test_a_group_is_the_sum_of_its_symbols() -> None:
    """A symbol without a group is in none."""
    room = made(order(symbol="IBM"), held={"SPY": 3, "AIG": 5}, groups={"SPY": "etf", "IBM": "etf"})

    assert {"etf": 3 * MID_PX + 10 * ASK_PX} == room.by_group


@pytest.mark.parametrize(
    ("held", "orders", "but", "is_priced"),
    [
        ({}, (), "SPY", True),
        ({"AIG": 1}, (), "SPY", False),
        ({"AIG": 1}, (), "AIG", True),
        ({"AIG": 1, "IBM": 1}, (), "AIG", False),
        ({}, (order(symbol="AIG"),), "SPY", True),
        ({"AIG": 1}, (order(symbol="AIG"),), "SPY", False),
    ],
)
def test_a_total_is_unknown_where_another_price_is(
    held: dict[str, int], orders: tuple[Order, ...], but: str, *, is_priced: bool
) -> None:
    """A position without any price makes the whole unknown, not zero; what is only worked counts at its limit."""
    room = made(*orders, held=held, price_of=lambda _: 0)

    assert is_priced is room.is_priced_but(but)


def test_reserving_is_the_same_as_having_the_order() -> None:
    """An approved intent counts exactly as its open order will in the next cycle."""
    pending = order(ord_status=OrdStatus.PENDING_NEW)

    assert sums(made(pending)) == sums(headroom().reserve(intent(), fees=FEES))


def test_reserving_an_exit_takes_its_fee_only() -> None:
    """A sale reserves shares and a fee, and leaves the headroom before it as it was."""
    before = holding(10)
    after = before.reserve(intent(leaving()), fees=FEES)

    assert (10, OPENING_MICROS - FEE) == (after.use("SPY").open_sell_qty, after.free_micros)
    assert (0, {}, 1) == (before.use("SPY").open_sell_qty, after.entries, after.totals.orders)


def test_reserving_twice_adds_up() -> None:
    """Two approvals of one cycle count together."""
    twice = headroom()
    for number in (1, 2):
        twice = twice.reserve(intent(wish(order_qty=number)), fees=FEES)

    assert ({("cross", "SPY", Side.BUY): 3}, 2) == (twice.entries, twice.use("SPY").orders)


@pytest.mark.parametrize(("own", "all_held", "own_open", "room"), [(10, 6, 0, 6), (3, 10, 0, 3), (10, 20, 4, 6)])
def test_an_exit_fits_into_its_own_room_and_the_accounts(own: int, all_held: int, own_open: int, room: int) -> None:
    """Neither another's shares, nor another's short, nor an own sale on its way lets an exit be larger."""
    sale = order(**{**SELLING, "order_qty": own_open})
    held = headroom(held={("cross", "SPY"): own, ("other", "SPY"): all_held - own}, orders=(sale,) if own_open else ())
    answers = [judge(exit_facts(headroom=held, intent=intent(leaving(order_qty=qty)))) for qty in (room, room + 1)]

    assert [(), (ReasonCode.REDUCE_ONLY,)] == [
        tuple(check.code for check in answer.decision.failed()) for answer in answers
    ]
