"""The gate over random books: whichever orders fill, no limit breaks, and every order that reduces can leave."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from tests.core_factory import FEES, Says, latch, limits, order, quote, snapshot, state, stepped, wish

from interlock.core.portfolio import Portfolio, opened
from interlock.core.state import State
from interlock.core.step import Stepped
from interlock.model.market import MarketSnapshot
from interlock.model.mode import TradingState
from interlock.model.orders import Order, OrderClass, OrdStatus, Position, Side
from interlock.model.risk import Approved
from interlock.model.signals import OrderIntent, Wish

DOLLAR = 1_000_000
SYMBOLS = ("SPY", "IBM")
STRATEGIES = ("cross", "other")


class Book(NamedTuple):
    """A random account, its market, its limits and what is wished for."""

    before: State
    market: MarketSnapshot
    written: dict[str, int]
    cash_micros: int
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
dollars = st.integers(8, 12).map(lambda each: each * DOLLAR)
#: Most of them draw nothing special, so that what is rare does not hide what is not.
seldom = st.sampled_from([False] * 7 + [True])


@st.composite
def wished_by(draw: st.DrawFn, mine: list[str]) -> list[Wish]:
    """Draw what a strategy wishes for, most often in a symbol of its own."""
    made: list[Wish] = []
    for _ in range(draw(st.integers(0, 3))):
        symbol = draw(st.sampled_from(SYMBOLS)) if not mine or draw(seldom) else draw(st.sampled_from(mine))
        made.append(
            wish(
                symbol,
                side=draw(st.sampled_from([Side.BUY, Side.BUY, Side.SELL])),
                order_qty=draw(st.integers(1, 6)),
                limit_px=draw(dollars),
                order_class=draw(st.sampled_from([OrderClass.ENTRY, OrderClass.EXIT])),
            )
        )
    return made


@st.composite
def orders(draw: st.DrawFn, owner: dict[str, str]) -> tuple[Order, ...]:
    """Draw a few open orders, some of them in part filled or in doubt, most of them of the symbol's own strategy."""
    made: list[Order] = []
    for number in range(draw(st.integers(0, 3))):
        qty, doubt = draw(st.integers(1, 6)), draw(seldom)
        cum, symbol = draw(st.integers(0, qty - 1)), draw(symbols)
        made.append(
            order(
                f"000000-{number:03d}",
                strategy_id=draw(st.sampled_from(STRATEGIES)) if draw(seldom) else owner[symbol],
                symbol=symbol,
                side=draw(st.sampled_from(Side)),
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
def caps(draw: st.DrawFn) -> dict[str, int]:
    """Draw limits near to what a book may reach; most of them bind seldom, so that others are reached."""

    def money(least: int, most: int) -> int:
        return (draw(st.integers(least, most)) if draw(seldom) else most) * DOLLAR

    return {
        "max_position_notional_micros": money(50, 250),
        "max_gross_notional_micros": money(80, 400),
        "max_net_notional_micros": money(50, 400),
        "max_capital_micros": money(80, 400),
        "max_strategy_capital_micros": money(60, 300),
        "max_unexecuted_micros": money(50, 300),
        "cash_buffer_micros": money(0, 20),
        "max_concentration_bps": draw(st.integers(2_000, 20_000)) if draw(seldom) else 10**6,
        "max_open_orders": draw(st.sampled_from([2, 3, 4, 5, 5, 6, 6])),
        "max_symbol_orders": draw(st.sampled_from([1, 2, 3, 3, 4, 4, 4])),
        "soft_concentration_bps": 10**6,
        "max_leverage_x100": 10**6,
        "price_collar_bps": 10_000,
        "soft_collar_bps": 10_000,
        "exit_collar_bps": 10_000,
        "max_collar_ticks": 10**6,
    }


@st.composite
def books(draw: st.DrawFn, *, start: TradingState = TradingState.ACTIVE, latched: bool = False) -> Book:
    """Draw a whole book, with limits near to what it may reach."""
    owner = draw(owners)
    positions = {
        (who, symbol): Position(strategy_id=who, symbol=symbol, qty=qty, cost_micros=0, realized_micros=0)
        for who in STRATEGIES
        for symbol in SYMBOLS
        if (qty := draw(st.sampled_from([0, 3, 6, 9, -4] if owner[symbol] == who else [0] * 9 + [2])))
    }
    cash_micros, written = draw(st.integers(20, 90) | st.integers(80, 400)) * DOLLAR, draw(caps())
    reducing = msgspec.structs.replace(latch(), level=TradingState.REDUCING)
    empty = state(
        start=start,
        orders=draw(orders(owner)),
        in_force=limits(cash=cash_micros, **written),
        latches=(reducing,) if latched else (),
    )
    portfolio = Portfolio(account=opened(cash_micros).account, positions=positions)
    quotes = []
    for symbol in (*SYMBOLS, "AIG"):
        bid_px = draw(dollars)
        quotes.append(quote(symbol, bid_px=bid_px, ask_px=bid_px + 10_000))
    return Book(
        before=msgspec.structs.replace(empty, portfolio=portfolio),
        market=snapshot(1, *quotes),
        written=written,
        cash_micros=cash_micros,
        wishes={who: draw(wished_by([one for one in SYMBOLS if owner[one] == who])) for who in STRATEGIES},
    )


def lived(book: Book) -> Stepped:
    """Return the cycle in which the book's wishes are judged."""
    strategies = {who: Says(*wished) for who, wished in book.wishes.items()}
    return stepped(book.before, market=book.market, strategies=strategies)


def open_of(intent: OrderIntent) -> Open:
    """Return what an approved intent may do."""
    fee_micros = FEES.total(intent.order_qty)
    return Open(intent.strategy_id, intent.symbol, intent.side, intent.order_qty, intent.limit_px, fee_micros)


def judged(found: Stepped, book: Book) -> Iterator[tuple[OrderIntent, bool, list[Open]]]:
    """Yield each intent, whether it was approved, and everything that was open when it was judged."""
    known = [
        Open(
            each.strategy_id, each.symbol, each.side, each.order_qty - each.cum_qty, each.limit_px,
            FEES.total(each.order_qty) - each.fee_micros,
        )
        for each in book.before.blotter.open_orders.values()
    ]  # fmt: skip
    sent = {approval.cl_ord_id: approval for approval in found.approvals}
    for decision in found.outputs.decisions:
        is_sent = isinstance(sent.get(decision.decision_id), Approved)
        yield decision.intent, is_sent, list(known)
        if is_sent:
            known.append(open_of(decision.intent))


def entries(found: Stepped, book: Book) -> Iterator[tuple[OrderIntent, list[Open]]]:
    """Yield each approved entry with everything that was open before it."""
    for intent, is_sent, known in judged(found, book):
        if is_sent and intent.order_class is OrderClass.ENTRY:
            yield intent, known


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


def prices(book: Book, intent: OrderIntent, known: list[Open], *, strategy_id: str = "") -> dict[str, int]:
    """Return at which price each symbol counts: its last mid, for the intent's own the ask, or a dearer open limit."""
    found: dict[str, int] = {}
    for ix, symbol in enumerate(SYMBOLS):
        seen = book.market.quote(ix)
        limit_pxs = [o.limit_px for o in known if o.symbol == symbol and strategy_id in ("", o.strategy_id)]
        base_px = max(intent.limit_px, seen.ask_px) if symbol == intent.symbol else seen.mid_px
        found[symbol] = max([base_px, *limit_pxs])
    return found


@settings(max_examples=300)
@given(books())
def test_no_subset_of_fills_breaks_a_limit_of_what_is_held(book: Book) -> None:
    """At the prices of its decision, every entry leaves position, gross, net, capital and shorts whole."""
    written = book.written
    for intent, before in entries(lived(book), book):
        known = [*before, open_of(intent)]
        px, own_px = prices(book, intent, before), prices(book, intent, before, strategy_id=intent.strategy_id)
        for filled in subsets(known):
            values = {symbol: held(book, filled, symbol=symbol) * px[symbol] for symbol in SYMBOLS}
            here, gross = abs(values[intent.symbol]), sum(abs(value) for value in values.values())
            own = sum(
                abs(held(book, filled, symbol=symbol, strategy_id=intent.strategy_id)) * own_px[symbol]
                for symbol in SYMBOLS
            )
            assert here <= written["max_position_notional_micros"]
            assert here * 10_000 <= written["max_concentration_bps"] * book.cash_micros
            assert gross <= min(written["max_gross_notional_micros"], written["max_capital_micros"])
            assert abs(sum(values.values())) <= written["max_net_notional_micros"]
            assert own <= written["max_strategy_capital_micros"]
            assert intent.side is Side.BUY or held(book, filled, symbol=intent.symbol) >= 0


@settings(max_examples=300)
@given(books())
def test_no_subset_of_fills_breaks_a_limit_of_what_is_owed(book: Book) -> None:
    """Every entry leaves its buffer of cash whatever fills, and no more orders and money open than may be."""
    written = book.written
    for intent, before in entries(lived(book), book):
        known = [*before, open_of(intent)]
        for filled in subsets(known):
            paid = sum(each.qty * each.limit_px for each in filled if each.side is Side.BUY)
            fees = sum(each.fee_micros for each in filled)
            assert book.cash_micros - paid - fees >= written["cash_buffer_micros"]
        assert sum(each.qty * each.limit_px for each in known) <= written["max_unexecuted_micros"]
        assert len(known) <= written["max_open_orders"]
        assert len([each for each in known if each.symbol == intent.symbol]) <= written["max_symbol_orders"]


def reduces(book: Book, intent: OrderIntent, known: list[Open]) -> bool:
    """Return True if an order brings its strategy and the account nearer to zero, whatever else fills."""
    for filled in subsets(known):
        for who in (intent.strategy_id, ""):
            before = held(book, filled, symbol=intent.symbol, strategy_id=who)
            after = before + intent.side.sign * intent.order_qty
            if abs(after) >= abs(before) or before * after < 0:
                return False
    return True


@settings(max_examples=200)
@given(
    st.sampled_from([TradingState.ACTIVE, TradingState.REDUCING]).flatmap(lambda start: books(start=start))
    | books(latched=True)
)
def test_an_exit_passes_exactly_if_it_reduces_whatever_else_fills(book: Book) -> None:
    """In ACTIVE, in REDUCING and under a latch, over any limit: what reduces for every subset leaves, nothing else."""
    found = lived(book)
    for intent, is_sent, known in judged(found, book):
        if intent.order_class is OrderClass.EXIT:
            assert reduces(book, intent, known) is is_sent
    sent = [approval.intent.order_class for approval in found.approvals]
    assert found.state.trading_state is TradingState.ACTIVE or OrderClass.ENTRY not in sent


@given(books())
def test_one_strategy_has_a_symbol_and_one_entry_is_open_in_it(book: Book) -> None:
    """An entry is approved only where no other strategy is, and only one of a strategy, symbol and side at a time."""
    own_entries = [
        (each.strategy_id, each.symbol, each.side)
        for each in book.before.blotter.open_orders.values()
        if each.order_class is OrderClass.ENTRY
    ]
    for intent, known in entries(lived(book), book):
        others = {who for who in STRATEGIES if who != intent.strategy_id}
        assert all(held(book, (), symbol=intent.symbol, strategy_id=who) == 0 for who in others)
        assert not [each for each in known if each.symbol == intent.symbol and each.strategy_id in others]
        assert not [
            each
            for each in book.before.blotter.open_orders.values()
            if (each.symbol, each.in_doubt) == (intent.symbol, True)
        ]
        assert (intent.strategy_id, intent.symbol, intent.side) not in own_entries
        own_entries.append((intent.strategy_id, intent.symbol, intent.side))


@pytest.mark.parametrize("order_class", [OrderClass.ENTRY, OrderClass.EXIT])
def test_the_books_are_rich_enough_to_mean_something(order_class: OrderClass) -> None:
    """Among the books there is one in which an order of each class is approved while two others are open."""

    def is_rich(book: Book) -> bool:
        return any(
            is_sent and intent.order_class is order_class and len(known) >= 2
            for intent, is_sent, known in judged(lived(book), book)
        )

    found = find(books(), is_rich, settings=settings(max_examples=500, database=None, phases=[Phase.generate]))

    assert is_rich(found)
