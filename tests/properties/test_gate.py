"""The gate over random books: whichever orders fill, no limit breaks, and every exit reduces."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from tests.core_factory import FEES, Says, limits, order, quote, rules, snapshot, state, stepped, wish
from tests.journal_factory import OPENING_MICROS

from interlock.core.portfolio import Portfolio
from interlock.core.state import State
from interlock.core.step import Stepped
from interlock.model.market import MarketSnapshot
from interlock.model.orders import Order, OrderClass, OrdStatus, Position, Side
from interlock.model.signals import OrderIntent, Wish

DOLLAR = 1_000_000
SYMBOLS = ("SPY", "IBM")
STRATEGIES = ("cross", "other")


class Book(NamedTuple):
    """A random account, its market, its limits and what is wished for."""

    before: State
    market: MarketSnapshot
    written: dict[str, int]
    wishes: dict[str, list[Wish]]


class Open(NamedTuple):
    """What an order may still do."""

    strategy_id: str
    symbol: str
    side: Side
    qty: int
    limit_px: int
    fee_micros: int


symbols = st.sampled_from(SYMBOLS)
#: Most often each symbol has one strategy, as the gate wants it.
owners = st.sampled_from(
    [{"SPY": "cross", "IBM": "other"}] * 4 + [{"SPY": "other", "IBM": "cross"}, {"SPY": "cross", "IBM": "cross"}]
)
sides = st.sampled_from(Side)
dollars = st.integers(8, 12).map(lambda each: each * DOLLAR)
wishes = st.lists(
    st.builds(
        lambda symbol, side, qty, px, order_class: wish(
            symbol, side=side, order_qty=qty, limit_px=px, order_class=order_class
        ),
        symbols,
        st.sampled_from([Side.BUY, Side.SELL]),
        st.integers(1, 6),
        dollars,
        st.sampled_from([OrderClass.ENTRY, OrderClass.EXIT]),
    ),
    max_size=4,
)


@st.composite
def orders(draw: st.DrawFn) -> tuple[Order, ...]:
    """Draw a few open orders, some of them in part filled or in doubt."""
    made: list[Order] = []
    for number in range(draw(st.integers(0, 3))):
        qty, doubt = draw(st.integers(1, 6)), draw(st.sampled_from([False] * 5 + [True]))
        cum = draw(st.integers(0, qty - 1))
        made.append(
            order(
                f"000000-{number:03d}",
                strategy_id=draw(owners)[(symbol := draw(symbols))],
                symbol=symbol,
                side=draw(sides),
                order_class=draw(st.sampled_from([OrderClass.ENTRY, OrderClass.EXIT])),
                limit_px=draw(dollars),
                order_qty=qty,
                cum_qty=cum,
                fee_micros=FEES.total(cum),
                in_doubt=doubt,
                ord_status=OrdStatus.CANCELED if doubt else OrdStatus.PARTIALLY_FILLED if cum else OrdStatus.NEW,
            )
        )
    return tuple(made)


@st.composite
def books(draw: st.DrawFn) -> Book:
    """Draw a whole book, with limits near to what it may reach."""
    owner = draw(owners)
    positions = {
        (who, symbol): Position(strategy_id=who, symbol=symbol, qty=qty, cost_micros=0, realized_micros=0)
        for who in STRATEGIES
        for symbol in SYMBOLS
        if (qty := draw(st.sampled_from([0, 3, 6, 9, -4] if owner[symbol] == who else [0] * 9 + [2])))
    }
    cash = draw(st.integers(40, 400)) * DOLLAR
    empty = state(orders=draw(orders()))
    money = msgspec.structs.replace(
        empty.portfolio.account, cash_micros=cash, bought_micros=OPENING_MICROS - cash, fees_micros=0
    )
    before = msgspec.structs.replace(empty, portfolio=Portfolio(account=money, positions=positions))
    quotes = []
    for symbol in (*SYMBOLS, "AIG"):
        bid_px = draw(dollars)
        quotes.append(quote(symbol, bid_px=bid_px, ask_px=bid_px + 10_000))
    written = {
        "max_position_notional_micros": draw(st.integers(50, 250)) * DOLLAR,
        "max_gross_notional_micros": draw(st.integers(80, 400)) * DOLLAR,
        "price_collar_bps": 10_000,
        "exit_collar_bps": 10_000,
    }
    wished = {who: draw(wishes) for who in STRATEGIES}
    return Book(before=before, market=snapshot(1, *quotes), written=written, wishes=wished)


def lived(book: Book) -> Stepped:
    """Return the cycle in which the book's wishes are judged."""
    strategies = {who: Says(*wished) for who, wished in book.wishes.items()}
    allowed = limits(**book.written)  # type: ignore[arg-type]
    return stepped(book.before, market=book.market, strategies=strategies, judged_by=rules(in_force=allowed))


def opened(book: Book) -> list[Open]:
    """Return what was open before the cycle."""
    return [
        Open(
            each.strategy_id,
            each.symbol,
            each.side,
            each.order_qty - each.cum_qty,
            each.limit_px,
            FEES.total(each.order_qty) - each.fee_micros,
        )
        for each in book.before.blotter.open_orders.values()
    ]


def approvals(found: Stepped, book: Book) -> Iterator[tuple[OrderIntent, list[Open]]]:
    """Yield each approved intent with everything that was open when it was approved."""
    known = opened(book)
    for approval in found.approvals:
        intent = approval.intent
        yield intent, list(known)
        fee_micros = FEES.total(intent.order_qty)
        known.append(
            Open(intent.strategy_id, intent.symbol, intent.side, intent.order_qty, intent.limit_px, fee_micros)
        )


def subsets(known: list[Open]) -> Iterator[tuple[Open, ...]]:
    """Yield every set of orders that may fill; sums of parts lie between those of wholes."""
    for size in range(len(known) + 1):
        yield from combinations(known, size)


def held(book: Book, filled: tuple[Open, ...], *, symbol: str, strategy_id: str = "") -> int:
    """Return the shares of a symbol after fills, of one strategy or of all."""
    positions = book.before.portfolio.positions.values()
    owned = sum(p.qty for p in positions if p.symbol == symbol and strategy_id in ("", p.strategy_id))
    return owned + sum(
        each.side.sign * each.qty for each in filled if each.symbol == symbol and strategy_id in ("", each.strategy_id)
    )


def price_of(book: Book, symbol: str) -> int:
    """Return the price at which another symbol counts: its last confirmed mid."""
    return book.market.quote(SYMBOLS.index(symbol)).mid_px


@settings(max_examples=400)
@given(books())
def test_no_subset_of_fills_breaks_a_limit(book: Book) -> None:
    """At the prices of its decision, every entry leaves every limit whole, whichever orders fill."""
    for intent, known in approvals(lived(book), book):
        if intent.order_class is not OrderClass.ENTRY:
            continue
        mine = Open(
            intent.strategy_id, intent.symbol, intent.side, intent.order_qty, intent.limit_px,
            FEES.total(intent.order_qty),
        )  # fmt: skip
        px = max(intent.limit_px, book.market.quote(SYMBOLS.index(intent.symbol)).ask_px)
        for filled in subsets([*known, mine]):
            values = {
                symbol: abs(held(book, filled, symbol=symbol))
                * (px if symbol == intent.symbol else price_of(book, symbol))
                for symbol in SYMBOLS
            }
            paid = sum(each.qty * each.limit_px for each in filled if each.side is Side.BUY)
            paid += sum(each.fee_micros for each in filled)
            assert values[intent.symbol] <= book.written["max_position_notional_micros"]
            assert sum(values.values()) <= book.written["max_gross_notional_micros"]
            assert paid <= book.before.portfolio.account.cash_micros
            if intent.side is Side.SELL:
                assert held(book, filled, symbol=intent.symbol) >= 0


@settings(max_examples=400)
@given(books())
def test_every_approved_exit_reduces_whatever_else_fills(book: Book) -> None:
    """Whichever other orders fill first, an exit brings the strategy and the account nearer to zero, never past it."""
    for intent, known in approvals(lived(book), book):
        if intent.order_class is not OrderClass.EXIT:
            continue
        for filled in subsets(known):
            for who in (intent.strategy_id, ""):
                before = held(book, filled, symbol=intent.symbol, strategy_id=who)
                after = before + intent.side.sign * intent.order_qty
                assert abs(after) < abs(before)
                assert before * after >= 0


@given(books())
def test_one_strategy_has_a_symbol_and_one_entry_is_open_in_it(book: Book) -> None:
    """An entry is approved only where no other strategy is, and only one of a strategy, symbol and side at a time."""
    for intent, known in approvals(lived(book), book):
        if intent.order_class is not OrderClass.ENTRY:
            continue
        others = {who for who in STRATEGIES if who != intent.strategy_id}
        assert all(held(book, (), symbol=intent.symbol, strategy_id=who) == 0 for who in others)
        assert not [each for each in known if each.symbol == intent.symbol and each.strategy_id in others]
        assert not [
            each
            for each in book.before.blotter.open_orders.values()
            if (each.symbol, each.in_doubt) == (intent.symbol, True)
        ]


@pytest.mark.parametrize("order_class", [OrderClass.ENTRY, OrderClass.EXIT])
def test_the_books_are_rich_enough_to_mean_something(order_class: OrderClass) -> None:
    """Among the books there is one in which an order of each class is approved while two others are open."""

    def is_rich(book: Book) -> bool:
        return any(
            intent.order_class is order_class and len(known) >= 2 for intent, known in approvals(lived(book), book)
        )

    found = find(books(), is_rich, settings=settings(max_examples=1_000, database=None, phases=[Phase.generate]))

    assert is_rich(found)
