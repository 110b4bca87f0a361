"""Headroom: what open orders may still do is spoken for, whichever of them fill."""

from __future__ import annotations

import msgspec
import pytest
from tests.core_factory import (
    ASK_PX,
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

from interlock.core.portfolio import Portfolio, opened
from interlock.core.risk.engine import judge
from interlock.core.risk.headroom import Approval, Headroom, SymbolUse, make_headroom
from interlock.model.orders import OrderClass, OrdStatus, Position, Side
from interlock.model.risk import ReasonCode

FEE = 1_000_000


def made(*orders: object, held: dict[str, int] | None = None) -> Headroom:
    """Return the headroom of an account with these orders and positions."""
    portfolio = state(held=held).portfolio
    return make_headroom(portfolio=portfolio, blotter=blotter(*orders), recent=(), fees=FEES)  # type: ignore[arg-type]


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


def test_a_closed_order_takes_nothing() -> None:
    """What ended is no longer spoken for."""
    assert headroom() == made(order(ord_status=OrdStatus.CANCELED))


def test_orders_of_one_symbol_add_up_at_their_highest_price() -> None:
    """Two orders count together, each on its own side, at the dearer of their limits."""
    both = made(order(), order("000001-002", side=Side.SELL, limit_px=ASK_PX + 1, order_qty=3), held={"SPY": 4})

    assert SymbolUse(position_qty=4, open_buy_qty=10, open_sell_qty=3, open_px=ASK_PX + 1) == both.use("SPY")


def test_positions_of_two_strategies_add_up() -> None:
    """A symbol's use is the account's, whoever holds it."""
    mine = Position(strategy_id="a", symbol="SPY", qty=4, cost_micros=0, realized_micros=0)
    yours = msgspec.structs.replace(mine, strategy_id="b", qty=-1)
    portfolio = Portfolio(account=opened(1).account, positions={("a", "SPY"): mine, ("b", "SPY"): yours})
    made_of = make_headroom(portfolio=portfolio, blotter=blotter(), recent=(), fees=FEES)

    assert (3, 4, -1) == (made_of.use("SPY").position_qty, *made_of.own_position_qty.values())


def test_reserving_is_the_same_as_having_the_order() -> None:
    """An approved intent counts exactly as its open order will in the next cycle."""
    pending = order(ord_status=OrdStatus.PENDING_NEW)
    reserved = headroom().reserve(intent(), at_ns=START_NS, fees=FEES)

    assert made(pending) == msgspec.structs.replace(reserved, recent=())
    assert (Approval(START_NS, "cross", "SPY", Side.BUY, 10, ASK_PX),) == reserved.recent


def test_reserving_an_exit_takes_its_fee_only() -> None:
    """A sale reserves shares and a fee, and leaves the headroom before it as it was."""
    before = holding(10)
    after = before.reserve(intent(leaving()), at_ns=START_NS, fees=FEES)

    assert (10, OPENING_MICROS - FEE) == (after.use("SPY").open_sell_qty, after.free_micros)
    assert ({}, 0) == (before.own_open_qty, before.use("SPY").open_sell_qty)


def test_reserving_twice_adds_up() -> None:
    """Two approvals of one cycle count together."""
    twice = headroom()
    for number in (1, 2):
        twice = twice.reserve(intent(wish(order_qty=number)), at_ns=START_NS, fees=FEES)

    assert {("cross", "SPY", Side.BUY, OrderClass.ENTRY): 3} == twice.own_open_qty


def test_gross_leaves_out_one_symbol_and_adds_the_rest() -> None:
    """The gross of the others is their worst case at the dearer of last price and open limit."""
    both = made(order(symbol="IBM"), held={"SPY": 100, "AIG": -2})

    assert 10 * ASK_PX + 2 * MID_PX == both.gross_micros(lambda _: MID_PX, but="SPY")


def test_gross_is_unknown_where_a_price_is() -> None:
    """A position without any price makes the whole unknown, not zero."""
    assert None is made(held={"AIG": 1}).gross_micros(lambda _: 0, but="SPY")


def test_gross_needs_no_price_for_nothing() -> None:
    """A symbol without a position and without orders has no value, whatever its price."""
    assert 0 == made(held={"AIG": 0}).gross_micros(lambda _: 0, but="SPY")


@pytest.mark.parametrize(("own", "all_held", "own_open", "room"), [(10, 6, 0, 6), (3, 10, 0, 3), (10, 20, 4, 6)])
def test_an_exit_fits_into_its_own_room_and_the_accounts(own: int, all_held: int, own_open: int, room: int) -> None:
    """Neither another's shares, nor another's short, nor an own sale on its way lets an exit be larger."""
    held = headroom(
        uses={"SPY": SymbolUse(position_qty=all_held, open_sell_qty=own_open)},
        own_position_qty={("cross", "SPY"): own},
        own_open_qty={("cross", "SPY", Side.SELL, OrderClass.EXIT): own_open},
    )
    answers = [judge(exit_facts(headroom=held, intent=intent(leaving(order_qty=qty)))) for qty in (room, room + 1)]

    assert [(), (ReasonCode.REDUCE_ONLY,)] == [
        tuple(check.code for check in answer.decision.failed()) for answer in answers
    ]
