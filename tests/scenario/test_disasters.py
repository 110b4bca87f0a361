"""The field's disasters, lived over `step` with the numbers of a profile: each stops at a number that is stated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest
from tests.core_factory import leaving, limits
from tests.scenario.disasters import (
    CENT_PX,
    FIELD,
    WARM_S,
    Rejects,
    ask_px,
    bid_px,
    buying,
    clearing,
    live,
    told,
)

from interlock.core.strategy import View
from interlock.model.orders import OrderClass
from interlock.model.risk import ReasonCode
from interlock.model.signals import Wish

BASKET = tuple(f"S{number:03d}" for number in range(349))
FIRST_S = WARM_S + 1
MINUTE = range(FIRST_S, FIRST_S + 60)
FIVE_MINUTES = range(FIRST_S, FIRST_S + 300)
#: An hour, of which only every eleventh second is told: nobody wishes in the others.
AN_HOUR = [told(second) for second in range(FIRST_S, FIRST_S + 3_600, 11)]


# Dead code sent child orders of a parent that was long filled: 4 million executions in 45 minutes.
def test_knight_a_child_order_loop_that_never_looks_at_its_fills_stops_at_five() -> None:
    """Knight, 2012, sent child orders without looking at its fills: here the fifth identical order is the last."""
    life = live({"power_peg": lambda view: [buying(3, ask_px(view))]}, map(told, FIVE_MINUTES))
    seconds = [second for second, cycle in life.cycles.items() if cycle.approvals]

    assert (5, 15) == (len(life.sent()), life.state.portfolio.qty("power_peg", "SPY"))
    assert [FIRST_S + 10 * number for number in range(5)] == seconds
    assert [(seconds[-1] + 1, "strategy:power_peg", "REPEATED_ORDER")] == life.raised()


def in_and_out(view: View) -> Iterator[Wish]:
    """Buy at the ask and sell at the bid, over and over, each time at another price, so that no order is the same."""
    held = view.positions.get("SPY", 0)
    if held > 0:
        yield leaving(order_qty=held, limit_px=bid_px(view) - view.cycle % 100 * CENT_PX)
    elif not view.orders:
        yield buying(1, ask_px(view) + view.cycle % 100 * CENT_PX)


# The loop lost the spread each time. Here every order has another price, so that none is a duplicate.
def test_knight_that_buys_high_and_sells_low_in_a_loop_stops_at_the_twentieth_re_entry() -> None:
    """Knight, 2012, bought at the ask and sold at the bid in a loop: here 21 entries pass and nothing is left held."""
    life = live({"power_peg": in_and_out}, map(told, FIVE_MINUTES))
    entries = [sent for sent in life.sent() if sent.order_class is OrderClass.ENTRY]

    assert (21, 21, 0) == (len(entries), len(life.sent()) - len(entries), life.state.portfolio.qty("power_peg", "SPY"))
    assert [("strategy:power_peg", "REENTRIES")] == [raised[1:] for raised in life.raised()]


# Seven servers were put back to the old code, which was the wrong one.
def test_knight_that_is_cleared_by_a_human_stops_at_the_twentieth_again() -> None:
    """Knight, 2012, was made worse by those who looked: here clearing allows twenty re-entries more."""
    looks_at = FIRST_S + 100
    life = live(
        {"power_peg": in_and_out},
        map(told, FIVE_MINUTES),
        typed=lambda second, state: clearing(state) if second == looks_at else (),
    )
    entries = [sent for sent in life.sent() if sent.order_class is OrderClass.ENTRY]

    assert (41, ("L1",)) == (len(entries), life.cycles[looks_at].outputs.latches_cleared)
    assert ["REENTRIES"] * 2 == [code for _, _, code in life.raised()]


# Blocked wishes are attempts too: none passes from the 121st of a minute on.
def test_knight_that_asks_a_hundred_times_a_second_is_disabled_after_an_hours_attempts() -> None:
    """Knight, 2012, had nobody count its tries: here one of 7,300 wishes is sent, and past 7,200 it is disabled."""
    life = live({"power_peg": lambda view: [buying(1, ask_px(view))] * 100}, map(told, range(FIRST_S, FIRST_S + 75)))
    counted = [second for second, codes in life.blocks() if ReasonCode.COUNT_MINUTE_MAX in codes]

    assert (1, FIRST_S + 1) == (len(life.sent()), counted[0])
    assert [(FIRST_S + 73, "strategy:power_peg", "RUNAWAY")] == life.raised()


# A basket of $444 billion instead of $58 million went out in 349 stocks. Each piece of $400 passes by itself; what
# they come to together is counted with each approval of the same cycle.
@pytest.mark.parametrize(
    ("written", "code", "passed"),
    [
        ({"max_unexecuted_micros": 25_000 * 10**6}, ReasonCode.UNEXECUTED_MAX, 62),
        ({"max_gross_notional_micros": 90_000 * 10**6}, ReasonCode.GROSS_NOTIONAL_MAX, 224),
        ({"max_value_minute_micros": 5_000 * 10**6}, ReasonCode.VALUE_MINUTE_MAX, 12),
        ({"max_strategy_capital_micros": 10_000 * 10**6}, ReasonCode.STRATEGY_CAPITAL_MAX, 24),
        ({"max_capital_micros": 50_000 * 10**6}, ReasonCode.CAPITAL_MAX, 124),
        ({"max_open_orders": 20}, ReasonCode.OPEN_ORDERS_MAX, 20),
        ({"max_order_count": 10}, ReasonCode.ORDER_RATE_MAX, 10),
    ],
)
def test_citi_a_basket_whose_pieces_pass_alone_stops_at_its_sum(
    written: dict[str, int], code: ReasonCode, passed: int
) -> None:
    """Citi, 2022, sent a basket piece by piece: here the piece that passes their sum is blocked."""
    in_force = limits(symbols=BASKET, **written)
    basket = {"basket": lambda view: [buying(4, ask_px(view, symbol), symbol) for symbol in BASKET]}
    life = live(basket, [told(FIRST_S, universe=BASKET)], in_force=in_force, universe=BASKET)

    assert passed == len(life.sent())
    assert [(FIRST_S, [code])] * (len(BASKET) - passed) == life.blocks()


# 711 warnings were overridden with one click; here there is no warning to click away.
def test_citi_the_same_basket_under_a_profile_stops_at_ten_a_second() -> None:
    """Citi, 2022, had warnings that were clicked away: here ten pieces leave, and the strategy is disabled."""
    in_force = limits(**{key: limit.value for key, limit in FIELD.in_force.items()}, symbols=BASKET)
    basket = {"basket": lambda view: [buying(4, ask_px(view, symbol), symbol) for symbol in BASKET]}
    life = live(basket, (told(second, universe=BASKET) for second in MINUTE[:5]), in_force=in_force, universe=BASKET)
    sent_in = [len(cycle.approvals) for cycle in life.cycles.values()]

    assert (10, 10, ()) == (sent_in[0], sum(sent_in), life.state.offers)
    assert [(FIRST_S + 1, "strategy:basket", "THROTTLED")] == life.raised()


# Many models held the same few stocks, and one's sale was the next one's signal.
def test_ten_strategies_that_wish_for_one_symbol_get_one_order() -> None:
    """August 2007 had many models crowd into one stock: here of ten wishes in one cycle exactly one is sent."""
    crowd = {f"model{number}": every(1, lambda view, _: buying(1, ask_px(view))) for number in range(10)}
    life = live(crowd, map(told, MINUTE))
    taken = [codes for second, codes in life.blocks() if second == FIRST_S]

    assert ["model0"] * len(life.sent()) == [sent.strategy_id for sent in life.sent()]
    assert 1 == len(life.cycles[FIRST_S].approvals)
    assert [ReasonCode.SYMBOL_TAKEN in codes for codes in taken] == [True] * 9


# A retry with a back-off looks like a new order every eleven seconds.
@pytest.mark.parametrize(("sizes", "passed"), [((3,), 5), ((1, 2), 9), ((1, 2, 3), 13)])
def test_a_strategy_that_buys_again_just_outside_the_duplicate_window_stops(
    sizes: tuple[int, ...], passed: int
) -> None:
    """A retry loop with a back-off is the commonest of all: here the fifth identical order is the last."""
    life = live({"retry": every(11, lambda view, turn: buying(sizes[turn % len(sizes)], ask_px(view)))}, AN_HOUR)

    assert (passed, [("strategy:retry", "REPEATED_ORDER")]) == (
        len(life.sent()), [raised[1:] for raised in life.raised()],
    )  # fmt: skip


# Four orders of $3,000 pass; the fifth would be past 15 % of the account, where a human must allow it.
def test_a_strategy_that_buys_again_at_another_price_stops_at_its_concentration() -> None:
    """A retry loop that follows the price is no duplicate: here the fifth order must be allowed."""
    life = live({"retry": every(11, lambda view, turn: buying(30, ask_px(view) + turn % 100 * CENT_PX))}, AN_HOUR)

    assert (4, 120) == (len(life.sent()), life.state.portfolio.qty("retry", "SPY"))
    assert (FIRST_S + 44, [ReasonCode.CONCENTRATION_LARGE]) == life.blocks()[0]


def every(seconds: int, wish_of: Callable[[View, int], Wish]) -> Callable[[View], Iterable[Wish]]:
    """Return a strategy that wishes once in so many seconds, and counts its turns."""

    def wishes(view: View) -> Iterable[Wish]:
        turn, rest = divmod(view.snapshot.seq - FIRST_S, seconds)
        return [wish_of(view, turn)] if rest == 0 else []

    return wishes


# A venue changed a rule overnight, and the strategy sent the next order at once.
@pytest.mark.parametrize(
    ("takes_every", "sent", "rejected", "code"), [(0, 3, 3, "REJECTS_IN_ROW"), (3, 14, 10, "REJECT_STORM")]
)
def test_a_reject_storm_stops_its_strategy(takes_every: int, sent: int, rejected: int, code: str) -> None:
    """A storm of rejections ends with the third in a row, or with the tenth where every third order is taken."""

    def tries(view: View) -> Iterator[Wish]:
        yield buying(1, ask_px(view) + view.cycle % 100 * CENT_PX)

    life = live({"retry": tries}, map(told, MINUTE), venue=Rejects(takes_every=takes_every))

    assert (sent, rejected) == (len(life.sent()), life.state.tally.rejected)
    assert [("strategy:retry", code)] == [raised[1:] for raised in life.raised()]


# One share at 610,000 yen was sold as 610,000 shares at one yen.
@pytest.mark.parametrize(
    ("slip", "code"),
    [
        (buying(3, 10_001 * 10**6), ReasonCode.PRICE_COLLAR),
        (buying(3, 1_000_100 // 10_000 * 10_000), ReasonCode.PRICE_COLLAR),
        (buying(300, 100_010_000), ReasonCode.ORDER_NOTIONAL_MAX),
    ],
)
def test_a_decimal_slip_by_a_hundred_sends_nothing(slip: Wish, code: ReasonCode) -> None:
    """Mizuho, 2005, swapped a price and a size: here a price or a size that is wrong by a hundred sends no order."""
    life = live({"fat_finger": lambda _: [slip]}, map(told, MINUTE))

    assert ([], True) == (life.sent(), all(code in codes for _, codes in life.blocks()))
    assert len(MINUTE) == len(life.blocks())


# More shares were sold than the company had.
def test_a_sale_of_what_nobody_holds_sends_nothing() -> None:
    """Mizuho, 2005, sold more shares than there were: here not one is sold that is not held, as no class of order."""
    short = leaving(order_qty=1, order_class=OrderClass.ENTRY)
    life = live({"fat_finger": lambda _: [leaving(order_qty=1), short]}, map(told, MINUTE))
    codes = {code for _, failed in life.blocks() for code in failed}

    assert ([], True) == (life.sent(), {ReasonCode.REDUCE_ONLY, ReasonCode.SHORT_SALE} <= codes)
