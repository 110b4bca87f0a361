"""The portfolio: cash and positions add up over fills, long, short and through zero."""

from __future__ import annotations

import msgspec
import pytest
from tests.core_factory import FEES, fill, order

from interlock.core.fees import FeePlan
from interlock.core.portfolio import Portfolio, check_identities, fold_fill, opened
from interlock.model.errors import InvariantError
from interlock.model.journal import Account
from interlock.model.orders import Side

CASH = 1_000_000_000
DOLLAR = 1_000_000


def traded(*fills: tuple[Side, int, int], fee: int = 0, symbol: str = "SPY", who: str = "cross") -> Portfolio:
    """Return the portfolio after fills of (side, shares, price in dollars), each with a fee."""
    portfolio = opened(CASH)
    for side, qty, dollars in fills:
        bought = order(side=side, symbol=symbol, strategy_id=who)
        portfolio = fold_fill(portfolio, order=bought, report=fill(qty, cum=qty, px=dollars * DOLLAR, fee_micros=fee))
    return portfolio


def held(portfolio: Portfolio) -> tuple[int, int, int]:
    """Return shares, cost and realised result in dollars of the only position."""
    (position,) = portfolio.positions.values()
    return position.qty, position.cost_micros // DOLLAR, position.realized_micros // DOLLAR


BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("fills", "expected"),
    [
        ([(BUY, 10, 5)], (10, 50, 0)),
        ([(BUY, 10, 5), (BUY, 10, 7)], (20, 120, 0)),
        ([(BUY, 10, 5), (SELL, 4, 7)], (6, 30, 8)),
        ([(BUY, 10, 5), (SELL, 10, 3)], (0, 0, -20)),
        ([(SELL, 10, 5)], (-10, 50, 0)),
        ([(SELL, 10, 5), (BUY, 4, 3)], (-6, 30, 8)),
        ([(SELL, 10, 5), (BUY, 10, 7)], (0, 0, -20)),
        ([(BUY, 10, 5), (SELL, 15, 7)], (-5, 35, 20)),
        ([(SELL, 10, 5), (BUY, 15, 3)], (5, 15, 20)),
        ([(BUY, 10, 5), (SELL, 10, 7), (BUY, 2, 6)], (2, 12, 20)),
    ],
)
def test_position_cost_and_result(fills: list[tuple[Side, int, int]], expected: tuple[int, int, int]) -> None:
    """Long, short, in part, out, through zero and in again: shares, cost and result are what a person expects."""
    assert expected == held(traded(*fills))


def test_rounding_stays_with_the_shares_that_remain() -> None:
    """A cost that does not divide leaves no micro behind once the last share has gone."""
    portfolio = opened(CASH)
    steps = [(BUY, 1, 1), (BUY, 2, 2), (SELL, 1, 5), (SELL, 1, 5), (SELL, 1, 5)]
    for side, qty, px in steps:
        portfolio = fold_fill(portfolio, order=order(side=side), report=fill(qty, cum=qty, px=px))
    (position,) = portfolio.positions.values()

    assert (0, 0, 15 - 5) == (position.qty, position.cost_micros, position.realized_micros)


def test_cash_keeps_its_sums() -> None:
    """Bought, sold and fees are kept beside the cash that they make."""
    account = traded((BUY, 10, 5), (SELL, 4, 7), fee=3).account

    assert (
        Account(
            opening_micros=CASH,
            cash_micros=CASH - 50 * DOLLAR + 28 * DOLLAR - 6,
            bought_micros=50 * DOLLAR,
            sold_micros=28 * DOLLAR,
            fees_micros=6,
        )
        == account
    )


def test_a_fee_is_the_accounts_and_not_the_positions() -> None:
    """The cost of a position knows no fee."""
    assert (10, 50, 0) == held(traded((BUY, 10, 5), fee=999))


def test_quantities_are_known_by_strategy_and_by_account() -> None:
    """One strategy's shares are not another's, and the account has both."""
    mine = traded((BUY, 10, 5), who="a")
    both = fold_fill(mine, order=order(side=SELL, strategy_id="b"), report=fill(3, cum=3, px=DOLLAR))

    assert (10, -3, 0, 7) == (both.qty("a", "SPY"), both.qty("b", "SPY"), both.qty("c", "SPY"), both.account_qty("SPY"))
    assert 0 == both.account_qty("IBM")


def test_a_fold_leaves_the_portfolio_before_it_alone() -> None:
    """Folding gives a new portfolio and changes none."""
    before = opened(CASH)
    fold_fill(before, order=order(), report=fill(1, cum=1))

    assert opened(CASH) == before


def test_cash_that_does_not_add_up_is_refused() -> None:
    """One micro of difference is a broken invariant."""
    portfolio = traded((BUY, 10, 5))
    off = msgspec.structs.replace(portfolio.account, cash_micros=portfolio.account.cash_micros + 1)

    check_identities(portfolio)
    with pytest.raises(InvariantError, match="cash re-adds"):
        check_identities(Portfolio(account=off, positions={}))


@pytest.mark.parametrize(
    ("shares", "fee_micros"), [(0, 0), (1, 1_000_000), (200, 1_000_000), (201, 1_005_000), (1_000, 5_000_000)]
)
def test_fee_has_a_minimum_and_nothing_for_nothing(shares: int, fee_micros: int) -> None:
    """So much a share, at least the minimum, and nothing for an order that never traded."""
    assert fee_micros == FEES.total(shares)


def test_fee_of_a_free_plan_is_nothing() -> None:
    """A plan without fees charges none."""
    assert 0 == FeePlan(per_share_micros=0, minimum_micros=0).total(7)


def test_a_flat_position_keeps_what_it_realised() -> None:
    """A position that is gone still says what it earned."""
    assert (0, 0, 20) == held(traded((BUY, 10, 5), (SELL, 10, 7)))
