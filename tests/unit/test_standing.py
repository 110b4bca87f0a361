"""Standing: what the account and its strategies gained, on a mark that never flatters, and what an unknown one does."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core_factory import (
    ASK_PX,
    BID_PX,
    MID_PX,
    SYMBOLS,
    fill,
    leaving,
    limits,
    order,
    quote,
    snapshot,
    state,
    stepped,
    wish,
)
from tests.journal_factory import OPENING_MICROS, START_NS

from interlock.core.portfolio import Portfolio, fold_fill, opened
from interlock.core.standing import (
    ACCOUNT,
    exposure_micros,
    fold_standings,
    mark_micros,
    profits,
    rebased,
    rolled,
)
from interlock.core.tape import Tape, blank_tape
from interlock.core.watch import loss_of
from interlock.model.conduct import Standing
from interlock.model.market import MarketSnapshot
from interlock.model.orders import Position, Side
from interlock.model.risk import ReasonCode
from interlock.model.units import SECOND_NS

INDEX = {symbol: ix for ix, symbol in enumerate(SYMBOLS)}


def position(qty: int, *, px: int = MID_PX, strategy_id: str = "cross", symbol: str = "SPY") -> Position:
    """Return shares that were bought, or sold short, at one price."""
    return Position(strategy_id=strategy_id, symbol=symbol, qty=qty, cost_micros=abs(qty) * px, realized_micros=0)


def marked(*, bid_px: int = BID_PX, ask_px: int = ASK_PX, unknown: str = "") -> Tape:
    """Return a tape whose last confirmed quotes are these, but for one symbol."""
    known = np.array([symbol != unknown for symbol in SYMBOLS])
    return msgspec.structs.replace(
        blank_tape(SYMBOLS),
        mark_bid_px=np.where(known, bid_px, 0),
        mark_ask_px=np.where(known, ask_px, 0),
        confirmed_px=np.where(known, (bid_px + ask_px) // 2, 0),
    )


def traded(*trades: tuple[str, str, Side, int, int, int]) -> Portfolio:
    """Return the portfolio after trades of (strategy, symbol, side, shares, price, fee)."""
    held = opened(OPENING_MICROS)
    for number, (strategy_id, symbol, side, qty, px, fee) in enumerate(trades, start=1):
        sent = order(f"{number:06d}-001", strategy_id=strategy_id, symbol=symbol, side=side, order_qty=qty)
        held = fold_fill(held, order=sent, report=fill(qty, cum=qty, px=px, fee_micros=fee))
    return held


def gained(held: Portfolio, tape: Tape) -> dict[str, int | None]:
    """Return the profits of a portfolio."""
    return profits(held, tape, index=INDEX, strategies=("cross",))


@pytest.mark.parametrize(
    ("qty", "bid_px", "ask_px", "value"),
    [(10, 99, 101, 990), (-10, 99, 101, -1_010), (0, 0, 0, 0), (10, 0, 101, None), (-10, 99, 0, None), (-1, 0, 5, -5)],
)
def test_longs_count_at_the_bid_and_shorts_at_the_ask(qty: int, bid_px: int, ask_px: int, value: int | None) -> None:
    """A position is worth what leaving it would bring; the side that is not needed may be unknown."""
    assert value == mark_micros(position(qty), bid_px=bid_px, ask_px=ask_px)


def test_a_round_trip_costs_the_spread_and_the_fees() -> None:
    """What was just bought at the ask stands at a loss of the spread and the fee, and so does a short."""
    bought = traded(("cross", "SPY", Side.BUY, 10, ASK_PX, 7))
    short = traded(("cross", "SPY", Side.SELL, 10, BID_PX, 7))
    cost = -(10 * (ASK_PX - BID_PX) + 7)

    assert [{"strategy:cross": cost, ACCOUNT: cost}] * 2 == [gained(bought, marked()), gained(short, marked())]


def test_what_was_realised_counts_on_after_the_position_is_closed() -> None:
    """A closed position needs no mark, and its profit is what it brought less both fees."""
    closed = traded(("cross", "SPY", Side.BUY, 10, MID_PX, 7), ("cross", "SPY", Side.SELL, 10, MID_PX + 100, 5))

    assert {"strategy:cross": 988, ACCOUNT: 988} == gained(closed, blank_tape(SYMBOLS))


def test_an_unknown_mark_makes_its_own_scopes_unknown_and_no_other() -> None:
    """The account and the strategy that holds it are unknown, never zero; another strategy is known."""
    held = traded(("cross", "SPY", Side.BUY, 1, MID_PX, 0), ("other", "IBM", Side.BUY, 1, MID_PX, 0))
    found = gained(held, marked(unknown="SPY"))

    assert {"strategy:cross": None, "strategy:other": BID_PX - MID_PX, ACCOUNT: None} == found


def test_a_symbol_outside_the_universe_has_no_mark() -> None:
    """What a restart took out of the universe is held still, and nobody knows what it is worth."""
    held = traded(("cross", "OLD", Side.BUY, 1, MID_PX, 0))

    assert {"strategy:cross": None, ACCOUNT: None} == gained(held, marked())


trades = st.tuples(
    st.sampled_from(["cross", "other", "third"]),
    st.sampled_from(SYMBOLS),
    st.sampled_from(Side),
    st.integers(1, 50),
    st.integers(1, 200 * 10**6),
    st.integers(0, 10**6),
)


@given(st.lists(trades, max_size=12), st.integers(1, 10**8), st.integers(0, 10**6))
def test_the_profits_of_the_strategies_add_up_to_the_accounts(
    done: list[tuple[str, str, Side, int, int, int]], bid_px: int, spread_px: int
) -> None:
    """Nothing is gained or lost between the strategies and the account, long or short, to the micro."""
    found = gained(traded(*done), marked(bid_px=bid_px, ask_px=bid_px + spread_px))
    account = found.pop(ACCOUNT)

    assert account == sum(one for one in found.values() if one is not None)
    assert None not in found.values()


@pytest.mark.parametrize("paid_micros", [10**9, -(10**9)])
def test_a_deposit_and_a_withdrawal_move_no_loss_and_no_peak(paid_micros: int) -> None:
    """Profit is equity less what was paid in, so that money that comes or goes is neither gained nor lost."""
    held = traded(("cross", "SPY", Side.BUY, 10, ASK_PX, 7))
    account = held.account
    paid = msgspec.structs.replace(
        held,
        account=msgspec.structs.replace(
            account,
            opening_micros=account.opening_micros + paid_micros,
            cash_micros=account.cash_micros + paid_micros,
        ),
    )
    before = fold_standings({}, {ACCOUNT: gained(held, marked())[ACCOUNT]}, is_new_date=True)

    assert before == fold_standings(before, {ACCOUNT: gained(paid, marked())[ACCOUNT]}, is_new_date=False)


def test_exposure_is_gross_at_the_last_confirmed_middle() -> None:
    """Longs and shorts add up; a symbol that was never confirmed or is unknown counts nothing here."""
    held = Portfolio(
        account=opened(OPENING_MICROS).account,
        positions={
            (one.strategy_id, one.symbol): one
            for one in (position(10), position(-5, symbol="IBM"), position(3, symbol="AIG"), position(1, symbol="OLD"))
        },
    )

    assert 15 * MID_PX == exposure_micros(held, marked(unknown="AIG"), index=INDEX)


def test_the_first_mark_is_where_losses_count_from() -> None:
    """A scope that is marked for the first time has lost nothing, and its peak is not below zero."""
    found = fold_standings({}, {ACCOUNT: -7, "strategy:cross": None}, is_new_date=True)

    assert {ACCOUNT: Standing(scope=ACCOUNT, profit_micros=-7, opening_micros=-7, peak_micros=0)} == found
    assert 0 == loss_of(found[ACCOUNT])


@pytest.mark.parametrize(
    ("now", "is_new_date", "after"),
    [
        (5, False, (5, 0, 9)),
        (12, False, (12, 0, 12)),
        (None, False, (3, 0, 9)),
        (5, True, (5, 3, 9)),
        (None, True, (3, 3, 9)),
    ],
)
def test_a_standing_keeps_its_peak_and_its_opening(
    now: int | None,
    is_new_date: bool,  # noqa: FBT001
    after: tuple[int, int, int],
) -> None:
    """An unknown profit leaves it as it was; a new date opens at what the one before ended with, known or not."""
    before = {ACCOUNT: Standing(scope=ACCOUNT, profit_micros=3, opening_micros=0, peak_micros=9)}
    found = fold_standings(before, {ACCOUNT: now}, is_new_date=is_new_date)[ACCOUNT]

    assert after == (found.profit_micros, found.opening_micros, found.peak_micros)


def test_a_rebased_peak_is_where_its_scope_stands() -> None:
    """Only this scope moves; one that has no standing changes nothing."""
    stands = {name: Standing(scope=name, profit_micros=3, opening_micros=0, peak_micros=9) for name in ("account", "x")}

    assert [3, 9] == [one.peak_micros for one in rebased(stands, ACCOUNT).values()]
    assert stands == rebased(stands, "nobody")


def test_the_record_of_a_date_holds_all_standings() -> None:
    """From it one knows where every loss is counted from."""
    stands = fold_standings({}, {ACCOUNT: 1, "strategy:cross": 1}, is_new_date=True)

    assert ("2013-10-07", tuple(stands.values())) == (
        (roll := rolled("2013-10-07", stands)).trading_date, roll.standings,
    )  # fmt: skip


def market(second: int, *, dark: str = "", fall_px: int = 0) -> MarketSnapshot:
    """Return a market in which one symbol has no quote, and every price stands lower than at first."""
    at_ns = START_NS + second * SECOND_NS
    row = [
        quote(symbol, event_ns=at_ns, present=symbol != dark, bid_px=BID_PX - fall_px, ask_px=ASK_PX - fall_px)
        for symbol in SYMBOLS
    ]
    return snapshot(second, *row)


def blocked(found: object) -> set[ReasonCode]:
    """Return what blocked the only intent."""
    return {check.code for check in found.outputs.decisions[0].failed()}  # type: ignore[attr-defined]


def test_an_unknown_mark_blocks_entries_and_never_an_exit() -> None:
    """A position without any price blocks what adds risk elsewhere, and what is held otherwise can leave."""
    held = state(held={"SPY": 10, "IBM": 10})
    entry = stepped(held, wish("AIG"), market=market(1, dark="SPY"))
    leave = stepped(held, leaving("IBM"), market=market(1, dark="SPY"))

    assert ReasonCode.EQUITY_UNKNOWN in blocked(entry)
    assert (1, None) == (len(leave.approvals), leave.state.standings.get(ACCOUNT))


def test_a_mark_that_was_known_once_is_kept_through_a_gap() -> None:
    """The last confirmed quote marks on; the age of its quote blocks the symbol itself, and no one else."""
    first = stepped(state(held={"SPY": 10}), market=market(1))
    second = stepped(first.state, wish("AIG"), market=market(2, dark="SPY"))

    assert (set(), 1) == (blocked(second), len(second.approvals))


def test_an_account_that_goes_dark_sells_nothing_and_trips_nothing() -> None:
    """Minutes without a mark, with a loss behind them, raise no latch, cancel nothing and decide nothing."""
    in_force = limits(max_daily_loss_micros=100_000_000)
    lived = state(held={"SPY": 10}, in_force=in_force)
    for second in range(1, 5):
        found = stepped(lived, market=market(second, dark="SPY", fall_px=50_000_000))
        lived = found.state

    assert ((), (), ()) == (found.outputs.latches_raised, found.outputs.cancels, found.outputs.decisions)
    assert {} == {scope: one for scope, one in lived.standings.items() if scope == ACCOUNT}


def test_a_loss_that_comes_back_from_the_dark_trips_then() -> None:
    """As soon as the mark is known again the loss is counted in full."""
    lived = stepped(state(held={"SPY": 10}, in_force=limits(max_daily_loss_micros=10_000_000)), market=market(1)).state
    dark = stepped(lived, market=market(2, dark="SPY", fall_px=2_000_000))
    light = stepped(dark.state, market=market(3, fall_px=2_000_000))

    assert [[], ["DAILY_LOSS", "DAILY_LOSS_HARD"]] == [
        [one.code for one in each.outputs.latches_raised] for each in (dark, light)
    ]
