"""The tape at the gate: what a market that cannot be believed does to entries, exits and latches, cycle by cycle."""

from __future__ import annotations

import pytest
from tests.core_factory import (
    MID_PX,
    SYMBOLS,
    Says,
    command,
    leaving,
    limits,
    quote,
    snapshot,
    state,
    stepped,
    wish,
)
from tests.journal_factory import DAY_NS, MONDAY, START_NS, TUESDAY

from interlock.core.risk.limits import Limits
from interlock.core.state import State
from interlock.core.step import Stepped
from interlock.model.market import DataFault, FaultCode, MarketSnapshot
from interlock.model.risk import ReasonCode
from interlock.model.units import SECOND_NS

DOLLAR = 10**6
FIELD = limits(max_jump_bps=300, pause_move_bps=200, halt_move_bps=500)
BAD = DataFault(symbol="IBM", code=FaultCode.ROW_CROSSED, text="x")


def market(second: int, px: int = MID_PX, *, date: str = MONDAY, faults: int = 0, **changes: object) -> MarketSnapshot:
    """Return a market in which SPY has this mid and the others stay."""
    at_ns = START_NS + second * SECOND_NS + (DAY_NS if date == TUESDAY else 0)
    spy = quote("SPY", **{"bid_px": px - 10_000, "ask_px": px + 10_000, "event_ns": at_ns, **changes})
    row = [spy, quote("IBM", event_ns=at_ns), quote("AIG", event_ns=at_ns)]
    return snapshot(second, *row, trading_date=date, as_of_ns=at_ns, faults=(BAD,) * faults)


def lived(*markets: MarketSnapshot, in_force: Limits = FIELD, held: dict[str, int] | None = None) -> State:
    """Return the state after these markets, in which nobody wished for anything."""
    found = state(in_force=in_force, held=held)
    for seen in markets:
        found = stepped(found, market=seen).state
    return found


def entering(before: State, seen: MarketSnapshot, *, symbol: str = "SPY") -> Stepped:
    """Live a cycle in which a strategy wishes to buy a few shares in the middle of the market."""
    px = seen.quote(SYMBOLS.index(symbol)).mid_px
    return stepped(before, wish(symbol, limit_px=px // 10_000 * 10_000), market=seen)


def blocked_by(found: Stepped) -> set[ReasonCode]:
    """Return what blocked the first intent."""
    return {check.code for check in found.outputs.decisions[0].failed()}


@pytest.mark.parametrize("px", [MID_PX // 7, 10 * MID_PX])
def test_a_split_overnight_freezes_its_symbol_until_a_human_looked(px: int) -> None:
    """Quote after quote is blocked; a named human clears the latch, and the next quote is believed and traded."""
    before = lived(market(1))
    opening = entering(before, market(2, px, date=TUESDAY))
    later = entering(opening.state, market(3, px, date=TUESDAY))
    (raised,) = opening.outputs.latches_raised
    typed = command("resume", latch_id=raised.latch_id, state_no=later.state.state_no)
    looked = stepped(later.state, market=market(4, px, date=TUESDAY), commands=(typed,))
    traded = entering(looked.state, market(5, px, date=TUESDAY))

    assert ("symbol:SPY", "SPLIT_SUSPECTED", ()) == (raised.scope, raised.code, later.outputs.latches_raised)
    for frozen in (opening, later):
        assert {ReasonCode.LATCHED, ReasonCode.DATA_UNCONFIRMED} <= blocked_by(frozen)
    assert ((raised.latch_id,), ()) == (looked.outputs.latches_cleared, looked.state.latches)
    assert 1 == len(traded.approvals)


def test_a_split_overnight_leaves_the_other_symbols_alone() -> None:
    """Only the symbol that opened so is frozen."""
    found = entering(lived(market(1)), market(2, MID_PX // 7, date=TUESDAY), symbol="IBM")

    assert (1, set()) == (len(found.approvals), blocked_by(found))


def test_a_split_of_what_is_held_neither_loses_nor_sells_anything() -> None:
    """7 for 1 looks like a loss of six sevenths; the old mark stands, no loss trips and nothing is sold."""
    in_force = limits(max_jump_bps=300, max_daily_loss_micros=1_000_000)
    found = stepped(lived(market(1), held={"SPY": 10}, in_force=in_force), market=market(2, MID_PX // 7, date=TUESDAY))

    assert ["SPLIT_SUSPECTED"] == [one.code for one in found.outputs.latches_raised]
    assert (0, ()) == (
        found.state.standings["account"].opening_micros - found.state.standings["account"].profit_micros,
        found.outputs.cancels,
    )


def test_a_jump_of_seven_to_one_within_a_day_is_unconfirmed_and_then_halts() -> None:
    """It freezes nothing by its ratio; as soon as three quotes confirm it, it is a move that halts the symbol."""
    px = MID_PX // 7
    first = entering(lived(market(1)), market(2, px))
    second = entering(first.state, market(3, px))
    third = entering(second.state, market(4, px))

    assert [[], [], ["VOLATILITY_HALT"]] == [
        [one.code for one in each.outputs.latches_raised] for each in (first, second, third)
    ]
    assert [True, True, False] == [ReasonCode.DATA_UNCONFIRMED in blocked_by(each) for each in (first, second, third)]


@pytest.mark.parametrize(("quotes", "passes"), [(9, False), (10, True)])
def test_an_entry_waits_for_ten_fresh_quotes_and_an_exit_does_not(quotes: int, passes: bool) -> None:  # noqa: FBT001
    """The tenth quote of a symbol is the first on which it may be entered; what is held may leave before."""
    cold = limits(warm_up_quotes=10)
    before = lived(*(market(second) for second in range(1, quotes)), held={"SPY": 10}, in_force=cold)
    found = entering(before, market(quotes))
    leave = stepped(before, leaving(), market=market(quotes))

    assert (set() if passes else {ReasonCode.WARMING_UP}, 1) == (blocked_by(found), len(leave.approvals))


def test_a_fault_begins_the_warm_up_anew() -> None:
    """After a quote that was dropped ten more are needed, for that symbol alone."""
    cold = limits(warm_up_quotes=10)
    before = lived(*(market(second) for second in range(1, 12)), market(12, present=False), in_force=cold)
    spy, ibm = (entering(before, market(13), symbol=symbol) for symbol in ("SPY", "IBM"))

    assert ({ReasonCode.WARMING_UP}, set()) == (blocked_by(spy), blocked_by(ibm))


@pytest.mark.parametrize(("second", "passes"), [(3, False), (70, False), (71, True)])
def test_a_fast_move_pauses_its_symbol_and_passes_by_itself(second: int, passes: bool) -> None:  # noqa: FBT001
    """After two per cent in ten seconds entries wait for a minute from the last look; nobody has to clear it."""
    px = 1_025 * DOLLAR // 10
    before = lived(market(1), market(2, px), *((market(11, px),) if second > 11 else ()))
    found = entering(before, market(second, px))
    other = entering(before, market(second, px), symbol="IBM")

    assert (set() if passes else {ReasonCode.VOLATILITY_PAUSE}, set()) == (blocked_by(found), blocked_by(other))


def test_a_fast_move_does_not_keep_anyone_in_a_position() -> None:
    """A pause blocks what adds risk, and an exit passes in the very cycle."""
    px = 1_025 * DOLLAR // 10
    found = stepped(lived(market(1), held={"SPY": 10}), leaving(limit_px=px), market=market(2, px))

    assert (1, True) == (len(found.approvals), bool(found.state.tape.paused_until_ns[0]))


def test_a_move_of_five_per_cent_latches_until_a_human_clears_it_after_the_window() -> None:
    """While the move is in the window the latch cannot be cleared; five minutes later it can, by its name."""
    wide = limits(halt_move_bps=500)
    halted = stepped(lived(market(1), in_force=wide), market=market(60, 106 * DOLLAR))
    (raised,) = halted.outputs.latches_raised
    typed = command("resume", latch_id=raised.latch_id, state_no=halted.state.state_no)
    refused = stepped(halted.state, market=market(61, 106 * DOLLAR), commands=(typed,))
    waited = stepped(refused.state, market=market(420, 106 * DOLLAR))
    granted = stepped(waited.state, market=market(421, 106 * DOLLAR), commands=(typed,))

    assert ("symbol:SPY", "VOLATILITY_HALT") == (raised.scope, raised.code)
    assert [False, True] == [each.outputs.answers[0].granted for each in (refused, granted)]
    assert (raised,) == waited.state.latches


@pytest.mark.parametrize(("bad", "codes"), [(10, []), (11, ["FEED_BROKEN"])])
def test_a_feed_of_garbage_lowers_the_account(bad: int, codes: list[str]) -> None:
    """The eleventh bad row of a minute blocks all entries, and only a human ends it; exits pass."""
    before = lived(market(1), held={"SPY": 10})
    found = stepped(before, strategies={"cross": Says(leaving(), wish("AIG"))}, market=market(2, faults=bad))
    leave, entry = found.outputs.decisions

    assert (codes, "APPROVED") == ([one.code for one in found.outputs.latches_raised], leave.verdict)
    assert bool(codes) is (ReasonCode.FEED_FAULTS in {check.code for check in entry.failed()})


def test_a_feed_that_stops_blocks_every_symbol() -> None:
    """After five seconds without any quote nothing is entered anywhere; an exit may pass on the last price."""
    frozen = [quote(symbol) for symbol in SYMBOLS]
    before = lived(snapshot(0, *frozen), held={"SPY": 10})
    fresh, stale = (stepped(before, leaving(), wish("AIG"), market=snapshot(second, *frozen)) for second in (5, 6))
    found = [{check.code for check in each.outputs.decisions[1].failed()} for each in (fresh, stale)]

    assert ([False, True], [1, 1]) == (
        [ReasonCode.FEED_STALE in each for each in found], [len(each.approvals) for each in (fresh, stale)],
    )  # fmt: skip


def test_a_quote_that_moved_under_an_old_stamp_is_not_confirmed() -> None:
    """The tape judges what is new; a price that changed without a newer stamp was never judged, and is far away."""
    before = lived(market(1))
    moved = entering(before, market(2, 10 * MID_PX, event_ns=START_NS + SECOND_NS))
    stayed = entering(before, market(2, event_ns=START_NS + SECOND_NS))

    assert ReasonCode.DATA_UNCONFIRMED in blocked_by(moved)
    assert 1 == len(stayed.approvals)


def test_the_quote_on_the_screen_when_a_split_was_cleared_is_not_traded_on() -> None:
    """A human who clears the latch says that the next quote counts, not the one that looked like a split."""
    opening = stepped(lived(market(1)), market=market(2, MID_PX // 2, date=TUESDAY))
    (raised,) = opening.outputs.latches_raised
    typed = command("resume", latch_id=raised.latch_id, state_no=opening.state.state_no)
    seen = market(3, MID_PX // 2, date=TUESDAY)
    looked = stepped(opening.state, wish("SPY", limit_px=MID_PX // 2), market=seen, commands=(typed,))

    assert (raised.latch_id,) == looked.outputs.latches_cleared
    assert ReasonCode.DATA_UNCONFIRMED in blocked_by(looked)
