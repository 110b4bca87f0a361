"""The portfolio over any fills: cash re-adds, and a position is the sum of what was bought and sold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.core_factory import fill, order

from interlock.core.portfolio import Portfolio, check_identities, fold_fill, opened
from interlock.model.orders import Side

CASH = 10**12
Fill = tuple[Side, str, str, int, int, int]
fills = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.sampled_from(["SPY", "IBM"]),
        st.sampled_from(["a", "b"]),
        st.integers(1, 7),
        st.integers(1, 1_000),
        st.integers(0, 10),
    ),
    max_size=20,
)


def traded(portfolio: Portfolio, done: list[Fill]) -> Portfolio:
    """Return the portfolio after fills."""
    for side, symbol, who, qty, px, fee in done:
        portfolio = fold_fill(
            portfolio,
            order=order(side=side, symbol=symbol, strategy_id=who),
            report=fill(qty, cum=qty, px=px, fee_micros=fee),
        )
    return portfolio


@given(fills)
def test_cash_is_what_came_in_less_what_went_out(done: list[Fill]) -> None:
    """Cash is the opening less what was bought, plus what was sold, less fees, to the micro."""
    after = traded(opened(CASH), done)
    spent = sum(side.sign * qty * px + fee for side, _, _, qty, px, fee in done)

    check_identities(after)
    assert CASH - spent == after.account.cash_micros


@given(fills)
def test_a_position_is_the_signed_sum_of_its_fills(done: list[Fill]) -> None:
    """Every strategy's shares of every symbol are its own fills, signed."""
    after = traded(opened(CASH), done)
    for who in ("a", "b"):
        for symbol in ("SPY", "IBM"):
            mine = sum(s.sign * qty for s, of, by, qty, _, _ in done if (of, by) == (symbol, who))
            assert mine == after.qty(who, symbol)


@given(fills)
def test_result_and_cost_are_the_cash_of_the_fills(done: list[Fill]) -> None:
    """What was realised, less the signed cost of what is held, is the cash that the fills made, fees aside."""
    after = traded(opened(CASH), done)
    made = sum(-side.sign * qty * px for side, _, _, qty, px, _ in done)
    sums = sum(
        position.realized_micros - (1 if position.qty > 0 else -1) * position.cost_micros
        for position in after.positions.values()
    )

    assert made == sums


@given(fills)
def test_a_flat_position_costs_nothing_and_a_cost_is_never_negative(done: list[Fill]) -> None:
    """No rounding is left behind, and what shares cost never goes below nothing."""
    for position in traded(opened(CASH), done).positions.values():
        assert position.cost_micros >= 0
        assert position.qty != 0 or position.cost_micros == 0


@given(fills, fills)
def test_folding_in_two_parts_is_folding_at_once(first: list[Fill], second: list[Fill]) -> None:
    """fold(a + b) is fold(fold(a), b)."""
    assert traded(opened(CASH), [*first, *second]) == traded(traded(opened(CASH), first), second)
