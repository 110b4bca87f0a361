"""The disasters of market data: a price that stands still, splits, slips or is garbage stops at a stated number."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from tests.core_factory import SYMBOLS, command, leaving, quote, snapshot
from tests.journal_factory import DAY_NS, MONDAY, START_NS, TUESDAY
from tests.scenario.disasters import CENT_PX, DOLLAR, WARM_S, Life, ask_px, bid_px, buying, live, told

from interlock.core.state import State
from interlock.core.strategy import View
from interlock.model.journal import Command
from interlock.model.market import DataFault, FaultCode, MarketSnapshot
from interlock.model.mode import TradingState
from interlock.model.orders import OrderClass
from interlock.model.risk import ReasonCode
from interlock.model.signals import Wish
from interlock.model.units import SECOND_NS

FIRST_S = WARM_S + 1
HOUR = range(FIRST_S, FIRST_S + 3_600, 30)


def buys(view: View) -> Iterable[Wish]:
    """Buy one share at the ask, each time at another price, so that no order is a duplicate of the one before."""
    return [buying(1, ask_px(view) + view.cycle % 100 * CENT_PX)]


def buys_dips(view: View) -> Iterable[Wish]:
    """Buy whatever stands at less than $90, whoever sells it."""
    return [buying(5, ask_px(view))] if ask_px(view) < 90 * DOLLAR else []


# Many a feed handler had one quote stand still while the others moved on, so that the feed looked alive.
def test_a_quote_that_is_frozen_for_an_hour_is_traded_for_two_seconds() -> None:
    """A quote that is frozen for an hour is traded for two seconds, and again with the first that is fresh."""
    last_ns = START_NS + WARM_S * SECOND_NS
    seconds = (*range(FIRST_S, FIRST_S + 5), *HOUR[1:])
    frozen = [told(second, event_ns=last_ns) for second in seconds]
    life = live({"trend": buys}, [*frozen, told(FIRST_S + 3_601)])
    stale = [second for second, codes in life.blocks() if ReasonCode.DATA_STALE in codes]

    assert [second for second in seconds if second > WARM_S + 2] == stale
    assert [FIRST_S, FIRST_S + 3_601] == [second for second, cycle in life.cycles.items() if cycle.approvals]


# The quote is too old after two seconds and the feed after five; nothing is latched, so it goes on by itself.
def test_a_feed_that_stops_for_an_hour_is_traded_for_two_seconds() -> None:
    """Tokyo, 2020, had a feed that stopped: here it is traded for two seconds, and again with the first fresh quote."""
    last_ns = START_NS + WARM_S * SECOND_NS
    row = [quote(symbol, event_ns=last_ns) for symbol in SYMBOLS]
    seconds = (*range(FIRST_S, FIRST_S + 10), *HOUR[1:])
    dead = [snapshot(second, *row, as_of_ns=START_NS + second * SECOND_NS) for second in seconds]
    life = live({"trend": buys}, [*dead, told(FIRST_S + 3_601)])
    stopped = [second for second, codes in life.blocks() if ReasonCode.FEED_STALE in codes]

    assert [second for second in seconds if second > WARM_S + 5] == stopped
    assert [FIRST_S, FIRST_S + 3_601] == [second for second, cycle in life.cycles.items() if cycle.approvals]
    assert [] == life.raised()


def overnight(px: int) -> list[MarketSnapshot]:
    """Return a Tuesday of ten minutes on which SPY opened at this price, after a minute of Monday at $100."""
    monday = [told(second) for second in range(FIRST_S, FIRST_S + 60)]
    tuesday = [
        told(second, {"SPY": px}, date=TUESDAY, later_ns=DAY_NS) for second in range(FIRST_S + 60, FIRST_S + 660, 5)
    ]
    return [*monday, *tuesday]


# The position that is held shows no loss for it, and after a named human looked the price is believed.
@pytest.mark.parametrize("px", [14_290_000, 10 * DOLLAR, 50 * DOLLAR])
def test_a_split_overnight_sends_nothing_until_a_human_looked(px: int) -> None:
    """A split that the vendor missed looks like the dip of the century: here no order is sent until a human looked."""
    hold = {"holder": lambda view: [buying(5, ask_px(view))] if view.cycle == FIRST_S else buys_dips(view)}
    life = live(hold, overnight(px))
    looked = live(hold, overnight(px), typed=lambda second, state: look(state) if second == FIRST_S + 100 else ())

    assert ([(FIRST_S + 60, "symbol:SPY", "SPLIT_SUSPECTED")], 1) == (life.raised(), len(life.sent()))
    assert 0 == life.state.standings["account"].opening_micros - life.state.standings["account"].profit_micros
    # The quote that was on the screen when they looked is not believed for that: the next one is, five seconds on.
    assert FIRST_S + 105 == [second for second, cycle in looked.cycles.items() if cycle.approvals][1]


def look(state: State) -> tuple[Command, ...]:
    """Return the words of a person who looked at the first latch."""
    return tuple(command("resume", latch_id=one.latch_id, state_no=state.state_no) for one in state.latches[:1])


# A sale at a hundredfold can only rest, and nothing of it is ever filled.
@pytest.mark.parametrize("factor_x100", [1, 10_000])
def test_one_quote_that_slipped_by_a_hundred_sends_nothing(factor_x100: int) -> None:
    """A decimal point slips in one quote of the feed: here no entry is sent, no profit counted."""
    slipped = told(FIRST_S + 2, {"SPY": factor_x100 * DOLLAR + CENT_PX})
    markets = [told(FIRST_S), told(FIRST_S + 1), slipped, told(FIRST_S + 3), told(FIRST_S + 4)]
    life = live({"reverts": reverts}, markets)
    entries = [sent for sent in life.sent() if sent.order_class is OrderClass.ENTRY]

    assert (1, 5, []) == (len(entries), life.state.portfolio.qty("reverts", "SPY"), life.raised())
    assert (FIRST_S + 2, True) == (life.blocks()[0][0], ReasonCode.DATA_UNCONFIRMED in life.blocks()[0][1])
    assert 1 == len({each.state.standings["account"].peak_micros for each in life.cycles.values()})


def reverts(view: View) -> Iterable[Wish]:
    """Buy five shares at first; then buy what is far below $100, and take a profit on what is far above it."""
    if view.snapshot.seq == FIRST_S or ask_px(view) < 90 * DOLLAR:
        yield buying(5, ask_px(view))
    if bid_px(view) > 110 * DOLLAR:
        yield leaving(order_qty=5, limit_px=bid_px(view), order_class=OrderClass.EXIT)
        yield buying(1, ask_px(view))


# Three quotes confirm a price, and then the move itself halts the symbol.
@pytest.mark.parametrize("quotes", [1, 2, 3, 10])
def test_a_feed_that_slips_for_longer_is_halted_by_its_move(quotes: int) -> None:
    """A vendor repeats a slipped price: here no entry is sent on it, however often it is told."""
    slipped = [told(FIRST_S + 1 + number, {"SPY": DOLLAR}) for number in range(quotes)]
    back = [told(FIRST_S + 1 + quotes + number) for number in range(3)]
    life = live({"dips": buys_dips}, [told(FIRST_S), *slipped, *back])

    assert ([], [] if quotes < 3 else ["VOLATILITY_HALT"]) == (life.sent(), [code for _, _, code in life.raised()])


#: What a broken feed tells of one symbol; each is told over and over.
GARBAGE: tuple[dict[str, object], ...] = (
    {"bid_px": 0, "ask_px": 0},
    {"bid_px": 0},
    {"ask_px": 0},
    {"bid_px": 101 * DOLLAR, "ask_px": 99 * DOLLAR},
    {"bid_px": 1, "ask_px": 1},
    {"bid_px": 1, "ask_px": 2**53},
    {"bid_px": 2**53 - 1, "ask_px": 2**53},
    {"bid_px": 12 * 10**14, "ask_px": 12 * 10**14 + 1},
    {"bid_qty": 0, "ask_qty": 0},
    {"halted": True},
    {"present": False},
    {"event_ns": 0},
)


# A feed handler read a field too far: zeros, crossed sides, prices of a millionth or of billions.
@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_feed_of_garbage_sends_nothing(garbage: dict[str, object]) -> None:
    """A feed of garbage is bought at whatever it says: here nothing of it is sent, its sound neighbour is."""
    seconds = range(FIRST_S, FIRST_S + 60)

    def buys_all(view: View) -> Iterable[Wish]:
        yield buying(1, min(ask_px(view), 10**12))
        yield buying(1, 100 * DOLLAR)
        if view.snapshot.seq == FIRST_S:
            yield buying(2, ask_px(view, "IBM"), "IBM")

    life = live({"eager": buys_all}, [told(second, **garbage) for second in seconds])

    assert ["IBM"] == [sent.symbol for sent in life.sent()]


# Rows that could not be read were dropped one by one, and nobody asked how many there were.
@pytest.mark.parametrize(("rows", "stops_at"), [(1, 10), (4, 2), (11, 0)])
def test_a_feed_of_bad_rows_lowers_the_account_at_the_eleventh(rows: int, stops_at: int) -> None:
    """Bad rows are dropped and nobody counts them: here the eleventh of a minute lowers the account."""
    bad = (DataFault(symbol="AIG", code=FaultCode.ROW_UNREADABLE, text="x"),) * rows
    markets = [msgspec.structs.replace(told(FIRST_S + number), faults=bad) for number in range(20)]
    life = live({"eager": buys}, markets)

    assert [(FIRST_S + stops_at, "account", "FEED_BROKEN")] == life.raised()
    assert (TradingState.REDUCING, True) == (life.state.trading_state, last_sent(life) < FIRST_S + stops_at)
    assert MONDAY == life.state.trading_date


def last_sent(life: Life) -> int:
    """Return the last second in which an order was sent."""
    return max((second for second, cycle in life.cycles.items() if cycle.approvals), default=0)
