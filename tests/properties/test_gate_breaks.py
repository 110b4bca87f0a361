"""The gate over random facts: breaking any of its controls never lets more through, and running sums never drift."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.core_factory import (
    FEES,
    blotter,
    exit_facts,
    facts,
    headroom,
    holding,
    intent,
    latch,
    leaving,
    limits,
    order,
    quote,
    wish,
)
from tests.gate_cases import CASES
from tests.gate_factory import answering, failed, leave, limit_of, says_yes, without
from tests.journal_factory import OPENING_MICROS, START_NS

from interlock.core.portfolio import Portfolio, opened
from interlock.core.risk.engine import check_of, judge
from interlock.core.risk.facts import Facts
from interlock.core.risk.headroom import Headroom, SymbolUse, Totals, make_headroom
from interlock.core.risk.keys import KEYS
from interlock.core.risk.proof_test import probed
from interlock.core.risk.rows import Row, applying_codes, required_codes, rows_for
from interlock.core.tape import SymbolTape
from interlock.model.errors import InvariantError
from interlock.model.market import Provides
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import Order, OrderClass, Position, Side
from interlock.model.risk import Approved, Check, ReasonCode
from interlock.model.units import SECOND_NS

DOLLAR = 1_000_000
SYMBOLS = ("SPY", "IBM", "AIG")
STRATEGIES = ("a", "b", "cross")
PRICES = {"SPY": 100 * DOLLAR, "IBM": 50 * DOLLAR, "AIG": 0}
GROUPS = {"SPY": "etf", "IBM": "etf"}

#: What the facts of one intent may be like, each drawn or left alone.
PARTS = {
    "mode": st.sampled_from(Mode),
    "state": st.sampled_from(TradingState),
    "latches": st.sampled_from([(), (latch(),), (latch(scope="symbol:IBM"),)]),
    "known": st.booleans(),
    "quote": st.sampled_from([quote(), quote(present=False), quote(halted=True), quote(bid_px=2 * 10**8)]),
    "tape": st.builds(
        SymbolTape, st.sampled_from([0, 10**8]), st.booleans(), st.booleans(), st.integers(0, 20),
        st.sampled_from([0, START_NS + 1]), st.sampled_from([0, 100, 10**6]),
    ),
    "as_of_ns": st.integers(START_NS, START_NS + 4 * SECOND_NS),
    "feed_ns": st.sampled_from([0, START_NS]),
    "feed_faults": st.integers(0, 20),
    "headroom": st.sampled_from([headroom(), holding(10), holding(-10), holding(5, strategy_id="other")]),
    "equity_micros": st.sampled_from([None, -1, 0, 1, OPENING_MICROS]),
    "position_age_ns": st.sampled_from([None, 0, 61 * SECOND_NS]),
    "proved_ns_ago": st.sampled_from([None, 0, 901 * SECOND_NS]),
    "leave": st.sampled_from([None, leave(*ReasonCode)]),
    "provides": st.frozensets(st.sampled_from(Provides)),
    "intent": st.builds(
        lambda side, qty, px, order_class: intent(
            wish(side=side, order_qty=qty, limit_px=px, order_class=order_class)
        ),
        st.sampled_from(Side), st.integers(-1, 20), st.integers(0, 2 * 10**8), st.sampled_from(OrderClass),
    ),
}  # fmt: skip
SOUND = (facts(), exit_facts(), facts(intent=intent(leaving()), headroom=holding(10)))
HARMLESS = limits().in_force


@st.composite
def asked(draw: st.DrawFn, *, values: tuple[object, ...] = (None, 0, 1, 2**52, True, 1.0, float("nan"), "1")) -> Facts:
    """Draw facts: sound ones, or those of a case, with up to three parts and up to two limits changed."""
    case = CASES[draw(st.sampled_from(list(CASES)))]()
    found = draw(st.sampled_from([*SOUND, case.at, case.beyond, case.unfed or case.at]))
    for name in draw(st.lists(st.sampled_from(sorted(PARTS)), max_size=3, unique=True)):
        found = msgspec.structs.replace(found, **{name: draw(PARTS[name])})
    for key in draw(st.lists(st.sampled_from(list(KEYS)), max_size=2, unique=True)):
        found = limit_of(found, key, draw(st.sampled_from([*values, HARMLESS[key].value])))
    return found


def raises(_: Facts) -> object:
    """Break."""
    raise ZeroDivisionError


#: How a control may be broken: it raises, is not a number, has no reason, says no, or says something odd.
BREAKS: tuple[Callable[[Facts], object], ...] = (
    raises,
    lambda _: float("nan"),
    lambda _: float("-inf"),
    lambda _: None,
    lambda _: False,
    lambda _: "no",
    lambda _: 1.0,
)
codes = st.lists(st.sampled_from(ReasonCode), min_size=1, max_size=3, unique=True)


def table(found: Facts, *broken: ReasonCode, how: Callable[[Facts], object]) -> tuple[Row, ...]:
    """Return the table for facts with some controls broken; what the source does not tell is not covered there."""
    changed = answering(how, *broken, order_class=found.intent.order_class)
    true = rows_for(found.intent.order_class, found.provides)
    return tuple(new if new.control.code in broken else row for new, row in zip(changed, true, strict=True))


@settings(max_examples=600)
@given(found=asked(), broken=codes, how=st.sampled_from(BREAKS))
def test_breaking_a_control_never_turns_a_block_into_an_approval(
    found: Facts, broken: list[ReasonCode], how: Callable[[Facts], object]
) -> None:
    """A broken control blocks where it is required, and whatever else blocked goes on blocking."""
    before = judge(found)
    after = judge(found, rows=table(found, *broken, how=how))
    required = set(required_codes(found.intent.order_class))

    assert {*failed(before), *(set(broken) & required)} == set(failed(after))
    assert not isinstance(after, Approved) or isinstance(before, Approved)


@settings(max_examples=200)
@given(found=asked(), gone=st.sampled_from(ReasonCode))
def test_removing_a_control_never_turns_a_block_into_an_approval(found: Facts, gone: ReasonCode) -> None:
    """A table that is short of a control decides nothing of a class to which it applies."""
    assume(gone in applying_codes(found.intent.order_class))
    with pytest.raises(InvariantError, match="the gate evaluated"):
        judge(found, rows=without(gone, order_class=found.intent.order_class))


@settings(max_examples=600)
@given(found=asked())
def test_the_gate_reads_each_control_as_the_control_reads_by_itself(found: Facts) -> None:
    """Approved means that every required reading passed; all of them are what the gate's test of itself would read."""
    answer = judge(found)
    rows = rows_for(found.intent.order_class, found.provides)
    readings = tuple(check_of(row, found) for row in rows)

    assert readings == answer.decision.checks
    assert isinstance(answer, Approved) is all(check.passed is True for check in readings if check.required)
    assert readings == msgspec.msgpack.decode(msgspec.msgpack.encode(readings), type=tuple[Check, ...])


@settings(max_examples=300)
@given(found=asked(values=(None, 0, 1, 2**52)), broken=codes)
def test_a_broken_control_is_found_whatever_the_facts_are(found: Facts, broken: list[ReasonCode]) -> None:
    """A sound gate never accuses itself, and a control that lets everything through is named wherever it can be."""
    tables = {each: says_yes(*broken, order_class=each) for each in (OrderClass.ENTRY, OrderClass.EXIT)}
    sound = msgspec.structs.replace(found, provides=frozenset(Provides))
    missed = set(probed(sound, rows=tables).missed)
    # Where its limit is no number it says no whatever it reads: then there is nothing to find.
    keys = {row.control.code: row.control.key for row in (*tables[OrderClass.ENTRY], *tables[OrderClass.EXIT])}
    can_pass = {code for code in broken if not keys[code] or type(found.limits[keys[code]].value) is int}

    assert () == probed(found).missed
    assert can_pass == missed


class Line(msgspec.Struct, frozen=True):
    """An order as the sums see it."""

    who: str
    symbol: str
    side: Side
    qty: int
    px: int
    order_class: OrderClass


lines = st.lists(
    st.builds(
        Line,
        st.sampled_from(STRATEGIES), st.sampled_from(SYMBOLS), st.sampled_from(Side), st.integers(1, 50),
        st.integers(1, 200).map(lambda each: each * DOLLAR), st.sampled_from([OrderClass.ENTRY, OrderClass.EXIT]),
    ),
    max_size=6,
)  # fmt: skip
holdings = st.dictionaries(
    st.tuples(st.sampled_from(STRATEGIES), st.sampled_from(SYMBOLS)), st.integers(-30, 30), max_size=5
)


def made(held: dict[tuple[str, str], int], *orders: Order) -> Headroom:
    """Return the headroom of an account with these positions and orders."""
    positions = {
        (who, symbol): Position(strategy_id=who, symbol=symbol, qty=qty, cost_micros=0, realized_micros=0)
        for (who, symbol), qty in held.items()
    }
    return make_headroom(
        portfolio=Portfolio(account=opened(OPENING_MICROS).account, positions=positions),
        blotter=blotter(*orders),
        fees=FEES,
        price_of=PRICES.__getitem__,
        groups=GROUPS,
        unanswered_before_ns=0,
    )


def use_of(held: int, opened_here: list[Line]) -> SymbolUse:
    """Return a use, added up anew."""
    return SymbolUse(
        position_qty=held,
        open_buy_qty=sum(each.qty for each in opened_here if each.side is Side.BUY),
        open_sell_qty=sum(each.qty for each in opened_here if each.side is not Side.BUY),
        open_px=max((each.px for each in opened_here), default=0),
        orders=len(opened_here),
    )


def worst(use: SymbolUse, symbol: str) -> int:
    """Return the worst case of a use, in micros."""
    longest, shortest = use.position_qty + use.open_buy_qty, use.position_qty - use.open_sell_qty
    return max(abs(longest), abs(shortest)) * max(PRICES[symbol], use.open_px)


def orders_of(every: list[Line]) -> list[Order]:
    """Return the open orders of some lines."""
    return [
        order(
            f"000001-{ix:03d}", strategy_id=one.who, symbol=one.symbol, side=one.side, order_class=one.order_class,
            order_qty=one.qty, limit_px=one.px,
        )
        for ix, one in enumerate(every)
    ]  # fmt: skip


def reserved(held: dict[tuple[str, str], int], before: list[Line], after: list[Line]) -> Headroom:
    """Return the headroom of an account with some orders, in which others are approved one by one."""
    running = made(held, *orders_of(before))
    for one in after:
        wished = wish(one.symbol, side=one.side, order_qty=one.qty, limit_px=one.px, order_class=one.order_class)
        running = running.reserve(intent(wished, strategy_id=one.who), fees=FEES)
    return running


@settings(max_examples=200)
@given(held=holdings, before=lines, after=lines)
def test_running_sums_are_those_of_the_orders_they_became(
    held: dict[tuple[str, str], int], before: list[Line], after: list[Line]
) -> None:
    """What is reserved one by one in a cycle is what the next cycle makes of the open orders."""
    from_scratch = made(held, *orders_of([*before, *after]))

    assert msgspec.structs.asdict(from_scratch) == msgspec.structs.asdict(reserved(held, before, after))


@settings(max_examples=200)
@given(held=holdings, before=lines, after=lines)
def test_running_sums_of_the_account_are_those_added_up_anew(
    held: dict[tuple[str, str], int], before: list[Line], after: list[Line]
) -> None:
    """However many orders are reserved one by one: each total is what adding everything up anew gives."""
    every, running = [*before, *after], reserved(held, before, after)
    uses = {
        symbol: use_of(
            sum(qty for (_, name), qty in held.items() if name == symbol), [o for o in every if o.symbol == symbol]
        )
        for symbol in SYMBOLS
    }
    px = {symbol: max(PRICES[symbol], use.open_px) for symbol, use in uses.items()}
    paid = sum(each.qty * each.px for each in every if each.side is Side.BUY)

    assert uses == {symbol: running.use(symbol) for symbol in SYMBOLS}
    assert running.totals == Totals(
        gross_micros=sum(worst(use, symbol) for symbol, use in uses.items()),
        long_micros=sum((use.position_qty + use.open_buy_qty) * px[symbol] for symbol, use in uses.items()),
        short_micros=sum((use.position_qty - use.open_sell_qty) * px[symbol] for symbol, use in uses.items()),
        unexecuted_micros=sum(each.qty * each.px for each in every),
        orders=len(every),
    )
    assert running.by_group.get("etf", 0) == sum(worst(uses[symbol], symbol) for symbol in GROUPS)
    assert running.free_micros == OPENING_MICROS - paid - sum(FEES.total(each.qty) for each in every)


@settings(max_examples=200)
@given(held=holdings, before=lines, after=lines)
def test_running_sums_of_a_strategy_are_those_added_up_anew(
    held: dict[tuple[str, str], int], before: list[Line], after: list[Line]
) -> None:
    """Each strategy's own use and capital is its own, whoever else is in the symbol."""
    every, running = [*before, *after], reserved(held, before, after)
    own = {
        (who, symbol): use_of(held.get((who, symbol), 0), [o for o in every if (o.who, o.symbol) == (who, symbol)])
        for who in STRATEGIES
        for symbol in SYMBOLS
    }

    assert own == {pair: running.own_use(*pair) for pair in own}
    assert [sum(worst(own[who, symbol], symbol) for symbol in SYMBOLS) for who in STRATEGIES] == [
        running.by_strategy.get(who, 0) for who in STRATEGIES
    ]
