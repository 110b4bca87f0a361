"""Watching: what a trip does to the run, how long it lasts, and where the losses of a day are counted from."""

from __future__ import annotations

import msgspec
import pytest
from tests.core_factory import (
    ASK_PX,
    BID_PX,
    MID_PX,
    SYMBOLS,
    Says,
    command,
    leaving,
    limits,
    quote,
    rules,
    snapshot,
    state,
    stepped,
    wish,
)
from tests.journal_factory import MONDAY, START_NS, TUESDAY
from tests.watch_factory import BY_CODE, LIMIT, SCOPES, quiet, reads, threshold

from interlock.core.book import raise_latch
from interlock.core.state import Rules, State, opening_state, to_carry
from interlock.core.step import Stepped
from interlock.core.tape import blank_tape
from interlock.core.watch import WATCHES, Watch
from interlock.core.watching import fold_watches, watched
from interlock.model.market import MarketSnapshot
from interlock.model.mode import TradingState
from interlock.model.risk import ReasonCode, Verdict
from interlock.model.units import SECOND_NS

DOLLAR = 10**6
ALL = pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.code)


def looked_at(held: State) -> State:
    """Return a state after every watch has looked at it, as in the first cycle of a run."""
    return fold_watches(held, before=quiet())


def trip(watch: Watch) -> State:
    """Return a state in which this watch tripped, and no softer one of the same loss stands any more."""
    held = looked_at(reads(watch, threshold(watch) + 1))
    return msgspec.structs.replace(held, latches=tuple(each for each in held.latches if each.code == watch.code))


def recovered(tripped: State) -> State:
    """Return a state in which everything that was counted, lost and seen is as if it had never been."""
    calm = quiet()
    return msgspec.structs.replace(
        calm,
        latches=tripped.latches,
        trading_state=tripped.trading_state,
        state_no=tripped.state_no,
        next_latch_no=tripped.next_latch_no,
    )


def verdicts(found: Stepped) -> list[str]:
    """Return the answers in order."""
    return [decision.verdict for decision in found.outputs.decisions]


def restarted(lived: State, *, in_force: object = None) -> State:
    """Return what the next run of the account starts from."""
    carried = to_carry(lived, head="h")
    return opening_state(
        carried,
        start=TradingState.ACTIVE,
        universe=SYMBOLS,
        limits=in_force or lived.limits,  # type: ignore[arg-type]
        scanners=(),
        next_latch_no=lived.next_latch_no,
    )


@ALL
def test_a_trip_latches_its_own_scope_at_reducing(watch: Watch) -> None:
    """The latch has the watch's code and scope, the date, and says who clears it; the account falls with its own."""
    held = trip(watch)
    found = [(one.scope, one.code, one.level, one.clears, one.trading_date, one.raised_by) for one in held.latches]
    lowered = TradingState.REDUCING if watch.scope == "account" else TradingState.ACTIVE

    assert [(SCOPES[watch.scope], watch.code, TradingState.REDUCING, watch.clears, MONDAY, "interlock")] == found
    assert lowered is held.trading_state


@ALL
def test_a_trip_is_not_raised_twice(watch: Watch) -> None:
    """While its latch stands the same trip changes nothing, so that nothing is done for it again."""
    held = looked_at(reads(watch, threshold(watch) + 1))
    again = looked_at(held)

    assert (held.latches, held.state_no, held.next_latch_no) == (again.latches, again.state_no, again.next_latch_no)


@ALL
def test_a_trip_blocks_the_entries_of_its_scope_and_lets_exits_pass(watch: Watch) -> None:
    """What adds risk is blocked, what reduces it passes, and what is not of the scope goes on."""
    before = recovered(trip(watch))
    other = wish("IBM", order_qty=7)
    strategies = {"cross": Says(wish(limit_px=MID_PX), leaving()), "other": Says(other)}
    found = stepped(before, strategies=strategies)
    entry, leave, elsewhere = found.outputs.decisions

    assert ReasonCode.LATCHED in {check.code for check in entry.failed()}
    assert Verdict.APPROVED is leave.verdict
    assert ("BLOCKED" if watch.scope == "account" else "APPROVED") == elsewhere.verdict


@ALL
def test_a_trip_stays_tripped_when_its_metric_recovers(watch: Watch) -> None:
    """Through cycles in which nothing is wrong any more, over a new date and a restart, the latch stands."""
    lived = recovered(trip(watch))
    standing_before = lived.latches
    for second, date in ((1, MONDAY), (2, TUESDAY), (3, TUESDAY)):
        lived = stepped(lived, market=snapshot(second, trading_date=date)).state
    later = stepped(restarted(lived), market=snapshot(4, trading_date=TUESDAY)).state

    assert (standing_before, standing_before) == (lived.latches, later.latches)


@ALL
@pytest.mark.parametrize("kind", ["halt", "allow", "tighten", "other latch", "stale number", "plain resume"])
def test_nothing_but_a_resume_that_names_it_clears_a_latch(watch: Watch, kind: str) -> None:
    """Every other word of a person leaves it where it is."""
    before = recovered(trip(watch))
    (mine,) = before.latches
    typed = {
        "halt": command("halt"),
        "allow": command("allow", about=mine.latch_id),
        "tighten": command("tighten", about="max_order_qty", new_value=5),
        "other latch": command("resume", latch_id="L9", state_no=before.state_no),
        "stale number": command("resume", latch_id=mine.latch_id, state_no=before.state_no - 1),
        "plain resume": command("resume", state_no=before.state_no),
    }[kind]
    found = stepped(before, commands=(typed,))

    assert (mine, ()) == (found.state.latches[0], found.outputs.latches_cleared)


@ALL
def test_a_change_since_the_last_cycle_is_looked_at(watch: Watch) -> None:
    """Where something is left out because it has not changed, what did change is not left out with it."""
    calm = quiet()
    seen = msgspec.structs.replace(calm, tape=msgspec.structs.replace(calm.tape, seq=1))
    held = fold_watches(reads(watch, threshold(watch) + 1), before=seen)

    assert watch.code in {one.code for one in held.latches}


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("THROTTLED", {"max_throttles": 1, "max_strategy_count": 0}),
        ("RUNAWAY", {"max_count_hour": 1}),
        ("REPEATED_ORDER", {"max_repeats": 2, "duplicate_window_ns": 0}),
        ("ORDER_TO_TRADE", {"max_order_to_trade": 1, "order_to_trade_messages": 1}),
    ],
)
def test_what_was_counted_after_the_watch_looked_is_looked_at_in_the_next_cycle(
    code: str, written: dict[str, int]
) -> None:
    """Decisions come after the watch, so that what they counted trips one cycle later though nothing else is said."""
    exits = [leaving(order_qty=1, limit_px=MID_PX)] * 2 if code == "REPEATED_ORDER" else []
    before = state(held={"SPY": 10}, in_force=limits(**written))
    first = stepped(before, *exits, wish("IBM"), wish("AIG"))
    second = stepped(first.state)

    assert ([], [code]) == tuple([one.code for one in each.outputs.latches_raised] for each in (first, second))


def fallen(second: int, drop_px: int, *, date: str = MONDAY) -> MarketSnapshot:
    """Return a market in which every price stands lower than at first."""
    at_ns = START_NS + second * SECOND_NS
    row = (quote(symbol, bid_px=BID_PX - drop_px, ask_px=ASK_PX - drop_px, event_ns=at_ns) for symbol in SYMBOLS)
    return snapshot(second, *row, trading_date=date)


def lived_through(*markets: MarketSnapshot, before: State) -> list[Stepped]:
    """Live one cycle for each market."""
    found: list[Stepped] = []
    for market in markets:
        found.append(stepped(found[-1].state if found else before, market=market))
    return found


def test_a_restart_on_the_same_date_keeps_the_opening_of_the_day() -> None:
    """What was lost before the restart is still lost today, and no day begins."""
    first = lived_through(fallen(1, 0), fallen(2, 1_000_000), before=state(held={"SPY": 10}))[-1].state
    (again,) = lived_through(fallen(3, 1_000_000), before=restarted(first))

    assert first.standings["account"] == again.state.standings["account"]
    assert (10_000_000, None) == (loss(again.state, "account"), again.outputs.of_gate.day_roll)


def loss(lived: State, scope: str) -> int:
    """Return what a scope lost since its day began."""
    return lived.standings[scope].opening_micros - lived.standings[scope].profit_micros


def test_a_restart_within_the_limit_cannot_lose_the_same_money_twice() -> None:
    """A loss that came before the restart and one after it trip together."""
    in_force = limits(max_daily_loss_micros=15_000_000)
    before = state(held={"SPY": 10}, in_force=in_force)
    first = lived_through(fallen(1, 0), fallen(2, 1_000_000), before=before)[-1]
    (again,) = lived_through(fallen(3, 1_500_000), before=restarted(first.state))

    assert [[], ["DAILY_LOSS"]] == [[one.code for one in each.outputs.latches_raised] for each in (first, again)]


def test_a_new_date_begins_the_day_anew_and_says_so_once() -> None:
    """Losses count from the profit that yesterday ended with, also over a restart in between."""
    monday = lived_through(fallen(1, 0), fallen(2, 1_000_000), before=state(held={"SPY": 10}))
    tuesday = lived_through(
        fallen(3, 1_200_000, date=TUESDAY), fallen(4, 1_300_000, date=TUESDAY), before=restarted(monday[-1].state)
    )
    rolls = [each.outputs.of_gate.day_roll for each in (*monday, *tuesday)]

    assert [MONDAY, None, TUESDAY, None] == [None if roll is None else roll.trading_date for roll in rolls]
    assert [0, 10_000_000, 2_000_000, 3_000_000] == [loss(each.state, "account") for each in (*monday, *tuesday)]


def test_the_record_of_a_new_date_holds_every_standing() -> None:
    """From the record alone one knows where each loss is counted from."""
    (first,) = lived_through(fallen(1, 0), before=state(held={"SPY": 10}))
    roll = first.outputs.of_gate.day_roll

    assert roll is not None
    assert ["strategy:cross", "account"] == [one.scope for one in roll.standings]
    assert tuple(first.state.standings.values()) == roll.standings


@pytest.mark.parametrize(
    ("lost", "warned"), [((0, 49), [0]), ((0, 50), [1]), ((50, 60), [0]), ((0, 100), [1]), ((60, 40), [0])]
)
def test_half_of_a_loss_limit_warns_once(lost: tuple[int, int], warned: list[int]) -> None:
    """The cycle in which a loss passes half of its limit says so, and trips nothing yet."""
    in_force = limits(max_daily_loss_micros=10_000_000)
    before = state(held={"SPY": 10}, in_force=in_force)
    *_, last = lived_through(
        fallen(1, 0), *(fallen(2 + n, part * 10_000) for n, part in enumerate(lost)), before=before
    )

    assert warned == [sum("The account lost" in words for words in last.outputs.of_gate.warnings)]


def test_a_strategy_is_warned_of_its_own_limit() -> None:
    """A limit of one strategy is half spent by its own loss."""
    in_force = limits(own={("strategy:cross", "max_strategy_loss_micros"): 20_000_000})
    before = state(held={"SPY": 10}, in_force=in_force)
    *_, last = lived_through(fallen(1, 0), fallen(2, 1_000_000), before=before)

    assert (
        "Strategy cross lost $10.00 today, which is half or more of its daily limit of $20.00",
    ) == last.outputs.of_gate.warnings


def test_a_watch_never_raises_what_a_harder_latch_lowered() -> None:
    """A halted account that trips stays halted."""
    halted = raise_latch(
        reads(BY_CODE["DAILY_LOSS"], LIMIT), scope="account", code="X", level=TradingState.HALTED, text="x"
    )

    assert TradingState.HALTED is looked_at(halted).trading_state


def test_the_watch_reads_nothing_of_a_portfolio_that_is_empty() -> None:
    """Without positions nothing is held, whatever the prices."""
    assert (0, 10 * MID_PX) == (watched(state()).gross_micros, watched(quiet()).gross_micros)


def wide(symbols: int) -> tuple[State, Rules, MarketSnapshot, MarketSnapshot]:
    """Return a run on so many symbols, and two markets between which every one of them moves by six per cent."""
    universe = tuple(f"S{number:02d}" for number in range(symbols))
    in_force = limits(symbols=universe, halt_move_bps=500)
    index = {symbol: ix for ix, symbol in enumerate(universe)}
    held = msgspec.structs.replace(state(in_force=in_force), tape=blank_tape(universe))
    row = [quote(symbol, event_ns=START_NS + SECOND_NS) for symbol in universe]
    px = {"bid_px": 94 * DOLLAR, "ask_px": 94 * DOLLAR + 10_000, "event_ns": START_NS + 2 * SECOND_NS}
    moved = [quote(symbol, **px) for symbol in universe]
    judged_by = msgspec.structs.replace(rules(in_force=in_force), universe=universe, index=index)
    return held, judged_by, snapshot(1, *row), snapshot(2, *moved)


@pytest.mark.parametrize(("symbols", "scopes"), [(20, ["symbol"] * 20), (21, ["account"])])
def test_a_move_of_the_whole_market_latches_the_account_once(symbols: int, scopes: list[str]) -> None:
    """Twenty symbols that trip at once are twenty latches; one more is a matter of the market."""
    held, judged_by, calm, moved = wide(symbols)
    first = stepped(held, strategies={}, market=calm, judged_by=judged_by)
    found = stepped(first.state, strategies={}, market=moved, judged_by=judged_by)
    again = stepped(found.state, strategies={}, market=moved, judged_by=judged_by)

    assert scopes == [one.scope.partition(":")[0] for one in found.outputs.latches_raised]
    assert () == again.outputs.latches_raised


@pytest.mark.parametrize(("symbol", "latched"), [("SPY", True), ("AIG", True), ("IBM", False)])
def test_a_symbol_that_is_neither_allowed_nor_held_needs_no_latch(symbol: str, latched: bool) -> None:  # noqa: FBT001
    """What may be traded is latched, and so is what is held; no other symbol fills the list of latches."""
    in_force = limits(symbols=("SPY",), halt_move_bps=500)
    lived = stepped(state(held={"AIG": 10}, in_force=in_force)).state
    at_ns = START_NS + 2 * SECOND_NS
    moved = {"bid_px": 94 * DOLLAR, "ask_px": 94 * DOLLAR + 10_000}
    row = [quote(each, event_ns=at_ns, **(moved if each == symbol else {})) for each in SYMBOLS]
    found = stepped(lived, market=snapshot(2, *row))

    assert ([f"symbol:{symbol}"] if latched else []) == [one.scope for one in found.outputs.latches_raised]


def test_a_date_that_goes_back_begins_no_day_and_lowers_the_account() -> None:
    """Losses count on from the day that has begun, and a person must look at the clock."""
    tuesday = lived_through(
        fallen(1, 0, date=TUESDAY), fallen(2, 1_000_000, date=TUESDAY), before=state(held={"SPY": 10})
    )
    (back,) = lived_through(fallen(3, 1_000_000, date=MONDAY), before=tuesday[-1].state)

    assert (10_000_000, None, TUESDAY) == (
        loss(back.state, "account"), back.outputs.of_gate.day_roll, back.state.counters.trading_date,
    )  # fmt: skip
    assert [("account", "DATE_BACK")] == [(one.scope, one.code) for one in back.outputs.latches_raised]
