"""People: what a named human may do to a running process, exactly, and what nobody may."""

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
    latch,
    leaving,
    limits,
    snapshot,
    state,
    stepped,
    wish,
)
from tests.journal_factory import MONDAY, START_NS, TUESDAY
from tests.watch_factory import BY_CODE, SCOPES, quiet, reads, threshold

from interlock.core.judging import OFFERS_MAX
from interlock.core.people import GATE_MISSED, LEAVE_NS, fold_commands
from interlock.core.state import State, opening_state, to_carry
from interlock.core.step import Stepped
from interlock.core.watching import fold_watches
from interlock.model.journal import Answer
from interlock.model.mode import TradingState
from interlock.model.orders import Side
from interlock.model.risk import Leave, ReasonCode
from interlock.model.signals import Wish
from interlock.model.units import SECOND_NS

#: What it takes to clear a watch: a look is enough, or it must hold no more, or the date must be a later one too.
LOOKED = (
    "DRAWDOWN", "DRAWDOWN_HARD", "STRATEGY_DRAWDOWN", "STRATEGY_DRAWDOWN_HARD", "RUNAWAY", "THROTTLED", "REENTRIES",
    "REPEATED_ORDER", "ORDER_TO_TRADE", "REJECTS_IN_ROW", "REJECT_STORM", "SLIPPAGE", "SPLIT_SUSPECTED",
)  # fmt: skip
OVER = ("DAILY_LOSS", "STRATEGY_LOSS", "GROSS_EXPOSURE", "LEVERAGE", "FEED_BROKEN", "VOLATILITY_HALT")
LATER = ("DAILY_LOSS_HARD", "STRATEGY_LOSS_HARD")
FRIDAY = "2013-10-04"
#: Two basis points from the mid: wider than the soft collar, inside the hard one.
WIDE = wish(limit_px=ASK_PX + 10_000)
SOFT = limits(soft_collar_bps=1)


def tripped(code: str) -> State:
    """Return a state in which a watch has just tripped and holds; its latch is the only one."""
    watch = BY_CODE[code]
    held = fold_watches(reads(watch, threshold(watch) + 1), before=quiet())
    return msgspec.structs.replace(held, latches=tuple(one for one in held.latches if one.code == code))


def calmed(held: State, *, date: str = MONDAY) -> State:
    """Return a state in which nothing holds any more, on a date."""
    calm = quiet()
    return msgspec.structs.replace(
        held, standings=calm.standings, counters=calm.counters, tape=calm.tape, portfolio=state().portfolio,
        trading_date=date,
    )  # fmt: skip


def cleared(held: State) -> tuple[State, Answer]:
    """Return what becomes of a resume that names the only latch and the number of the state."""
    (only,) = held.latches
    after, (answer,) = fold_commands(
        held, (command("resume", latch_id=only.latch_id, state_no=held.state_no),)
    )  # fmt: skip
    return after, answer


def blocked_by(found: Stepped) -> list[set[ReasonCode]]:
    """Return what blocked each intent."""
    return [{check.code for check in decision.failed()} for decision in found.outputs.decisions]


def test_each_watch_has_its_rule_of_clearing() -> None:
    """No watch is left out of the three rules."""
    assert sorted(BY_CODE) == sorted((*LOOKED, *OVER, *LATER))


@pytest.mark.parametrize("code", LOOKED)
def test_a_look_is_enough_where_what_tripped_is_counted_anew(code: str) -> None:
    """It is granted at once, and the very next look of the watch does not trip again."""
    after, answer = cleared(tripped(code))
    again = fold_watches(after, before=quiet())

    assert (True, ()) == (answer.granted, after.latches)
    assert code not in {one.code for one in again.latches}


@pytest.mark.parametrize("code", OVER)
def test_what_still_holds_is_not_cleared(code: str) -> None:
    """The latch stays, and the answer says with its numbers what still holds."""
    held = tripped(code)
    after, answer = cleared(held)
    granted, _ = cleared(calmed(held))

    assert (False, held.latches, ()) == (answer.granted, after.latches, granted.latches)
    assert f"Not resumed: what tripped {held.latches[0].latch_id} still holds: " in answer.text
    assert held.latches[0].text in answer.text


@pytest.mark.parametrize("code", LATER)
@pytest.mark.parametrize(("date", "granted"), [(FRIDAY, False), (MONDAY, False), ("", False), (TUESDAY, True)])
def test_the_harder_latch_of_a_loss_is_cleared_on_a_later_date_only(code: str, date: str, granted: bool) -> None:  # noqa: FBT001
    """Neither a recovery of the same day nor a date before it opens the day again."""
    after, answer = cleared(calmed(tripped(code), date=date))

    assert (granted, granted) == (answer.granted, after.latches == ())


@pytest.mark.parametrize("code", LATER)
def test_a_later_date_does_not_clear_a_loss_that_still_holds(code: str) -> None:
    """On the later date too the loss of that date must be below the limit."""
    _, answer = cleared(msgspec.structs.replace(tripped(code), trading_date=TUESDAY))

    assert (False, True) == (answer.granted, "still holds" in answer.text)


@pytest.mark.parametrize("code", ["DRAWDOWN", "STRATEGY_DRAWDOWN_HARD"])
def test_a_cleared_drawdown_begins_its_peak_anew(code: str) -> None:
    """The peak is where the scope stands now; the opening of the day and every other scope stay."""
    held = tripped(code)
    after, _ = cleared(held)
    scope = SCOPES[BY_CODE[code].scope]
    was, now = held.standings[scope], after.standings[scope]

    assert (was.profit_micros, was.opening_micros) == (now.peak_micros, now.opening_micros)
    assert [scope] == [name for name, one in after.standings.items() if one != held.standings[name]]


def test_what_is_counted_anew_is_of_its_own_strategy_and_kind_only() -> None:
    """Clearing a storm of rejections forgives no repeated order and no other strategy."""
    held = tripped("REJECT_STORM")
    mine = msgspec.structs.replace(held.counters.strategies["cross"], repeats=(("an order", (START_NS,)),))
    counters = msgspec.structs.replace(held.counters, strategies={"cross": mine, "other": mine})
    after, _ = cleared(msgspec.structs.replace(held, counters=counters))

    assert ((), mine.repeats) == (
        after.counters.strategies["cross"].rejects,
        after.counters.strategies["cross"].repeats,
    )
    assert mine == after.counters.strategies["other"]


@pytest.mark.parametrize("date", [MONDAY, TUESDAY])
def test_a_gate_that_missed_is_cleared_by_nobody(date: str) -> None:
    """While the process runs its checks cannot be trusted, whatever the date."""
    missed = msgspec.structs.replace(latch(code=GATE_MISSED), trading_date=MONDAY)
    held = msgspec.structs.replace(state(latches=(missed,)), trading_date=date)
    after, answer = cleared(held)

    assert (False, held.latches) == (answer.granted, after.latches)
    assert "nobody clears that while the process runs" in answer.text


@pytest.mark.parametrize(("reason", "said"), [("lunch", "lunch"), ("", "no reason given")])
def test_a_halt_is_always_obeyed_and_named(reason: str, said: str) -> None:
    """Who halted, how and why is in the answer and in the latch."""
    after, (answer,) = fold_commands(state(), (command("halt", reason=reason),))

    assert (True, f"Halted: human:ann halted trading by a test: {said}.") == (answer.granted, answer.text)
    assert ("HUMAN_HALT", "human:ann", TradingState.HALTED) == (
        after.latches[0].code, after.latches[0].raised_by, after.trading_state,
    )  # fmt: skip


@pytest.mark.parametrize(("reason", "said"), [("lunch", "lunch"), ("", "human:ann asked by a test")])
def test_a_stop_is_always_granted(reason: str, said: str) -> None:
    """It changes nothing by itself: the step takes the entries back."""
    before = state()
    after, (answer,) = fold_commands(before, (command("stop", reason=reason),))

    assert (before, True, f"Stopping: {said}.") == (after, answer.granted, answer.text)


def test_clearing_the_last_latch_leaves_the_state_where_it_is() -> None:
    """Raising the state is an act of its own, and says so."""
    after, answer = cleared(state(latches=(latch(),)))
    raised, (told,) = fold_commands(after, (command("resume", state_no=after.state_no),))

    assert ("human:ann cleared latch L1; none is left. The state stays HALTED.", TradingState.HALTED) == (
        answer.text, after.trading_state,
    )  # fmt: skip
    assert ("human:ann raised the trading state from HALTED to ACTIVE.", TradingState.ACTIVE) == (
        told.text, raised.trading_state,
    )  # fmt: skip


def offered(*wishes: Wish, before: State | None = None) -> State:
    """Return the state after a cycle in which wishes were blocked."""
    return stepped(before or state(in_force=SOFT), *(wishes or (WIDE,))).state


def allowed(held: State, *, about: str = "000001-001", reason: str = "I looked") -> Stepped:
    """Live the cycle in which a person allows a block."""
    return stepped(held, commands=(command("allow", about=about, reason=reason),))


def test_a_leave_lets_a_soft_block_pass_once() -> None:
    """The very next wish passes with the person and the reason on its record, and the one after is blocked."""
    given = allowed(offered())
    first = stepped(given.state, WIDE)
    second = stepped(first.state, wish(limit_px=WIDE.limit_px, order_qty=9))
    notes = [check.note for check in first.outputs.decisions[0].checks if check.source == "leave"]

    assert (True, ["human:ann allowed it once: I looked"]) == (given.outputs.answers[0].granted, notes)
    assert (1, 0) == (len(first.approvals), len(second.approvals))
    assert ReasonCode.PRICE_COLLAR_WIDE in blocked_by(second)[0]
    assert [1, 0] == [len(each.outputs.of_gate.leaves) for each in (given, first)]


def test_a_leave_is_recorded_with_all_that_binds_it() -> None:
    """Strategy, symbol, side, size, controls, end, person and reason are in the record of the cycle."""
    (leave,) = allowed(offered()).outputs.of_gate.leaves

    assert leave == Leave(
        decision_id="000001-001",
        strategy_id="cross",
        symbol="SPY",
        side=Side.BUY,
        order_qty=10,
        codes=(ReasonCode.PRICE_COLLAR_WIDE,),
        observed=leave.observed,
        expires_ns=START_NS + 2 * SECOND_NS + LEAVE_NS,
        by="human:ann",
        reason="I looked",
    )


@pytest.mark.parametrize(
    ("asked", "strategy_id", "passes"),
    [
        (WIDE, "cross", True),
        (msgspec.structs.replace(WIDE, order_qty=9), "cross", True),
        (msgspec.structs.replace(WIDE, order_qty=11), "cross", False),
        (msgspec.structs.replace(WIDE, symbol="IBM"), "cross", False),
        (msgspec.structs.replace(WIDE, side=Side.SELL, limit_px=BID_PX - 10_000), "cross", False),
        (WIDE, "other", False),
    ],
)
def test_a_leave_is_bound_to_strategy_symbol_side_and_size(asked: Wish, strategy_id: str, passes: bool) -> None:  # noqa: FBT001
    """Less of the same passes; anything else is blocked by the same soft control, and the leave is still there."""
    held = allowed(offered(before=state(in_force=SOFT, held={"SPY": 50} if asked.side is Side.SELL else None))).state
    found = stepped(held, strategies={strategy_id: Says(asked)})

    assert (passes, 0 if passes else 1) == (len(found.approvals) == 1, len(found.state.leaves))
    assert passes or {ReasonCode.PRICE_COLLAR_WIDE} == blocked_by(found)[0]


@pytest.mark.parametrize(("later_s", "passes"), [(599, True), (600, False)])
def test_a_leave_is_over_after_ten_minutes_of_market_time(later_s: int, passes: bool) -> None:  # noqa: FBT001
    """At the end of the ten minutes it is gone, whoever still wishes."""
    held = allowed(offered()).state
    found = stepped(held, WIDE, market=snapshot(2 + later_s))

    assert (passes, ()) == (len(found.approvals) == 1, found.state.leaves)


@pytest.mark.parametrize(
    ("about", "reason", "says"),
    [
        ("000001-001", "  ", "needs a reason"),
        ("000001-002", "why not", "none of"),
        ("000009-001", "why not", "none of"),
    ],
)
def test_a_leave_needs_a_soft_block_and_a_reason(about: str, reason: str, says: str) -> None:
    """Without words, for a hard block or for nothing there is no leave."""
    found = allowed(offered(WIDE, msgspec.structs.replace(WIDE, symbol="XYZ")), about=about, reason=reason)

    assert (False, ()) == (found.outputs.answers[0].granted, found.state.leaves)
    assert says in found.outputs.answers[0].text


def test_one_block_is_allowed_once() -> None:
    """The same decision is not allowed a second time after its leave was used."""
    used = stepped(allowed(offered()).state, WIDE)
    again = allowed(used.state)

    assert (1, False) == (len(used.approvals), again.outputs.answers[0].granted)


def test_a_leave_passes_no_hard_control_and_is_not_spent_on_it() -> None:
    """A hard control that comes in between blocks, and the leave stands for the next wish."""
    held = allowed(offered()).state
    tight = command("tighten", about="max_order_qty", new_value=9)
    found = stepped(held, WIDE, commands=(tight,))

    assert ([{ReasonCode.ORDER_QTY_MAX}], 1) == (blocked_by(found), len(found.state.leaves))


def test_a_leave_stands_in_for_the_controls_that_were_looked_at_only() -> None:
    """A second soft control that was no part of the block is still in the way."""
    held = allowed(offered()).state
    tight = command("tighten", about="soft_order_notional_micros", new_value=10 * MID_PX)
    found = stepped(held, WIDE, commands=(tight,))

    assert [{ReasonCode.ORDER_NOTIONAL_LARGE}] == blocked_by(found)


def test_only_the_last_blocks_can_be_allowed() -> None:
    """Of many blocks the oldest are forgotten; the strategy has to wish again."""
    many = [msgspec.structs.replace(WIDE, order_qty=1 + number) for number in range(OFFERS_MAX + 1)]
    held = offered(*many)
    answers = [allowed(held, about=f"000001-{number:03d}").outputs.answers[0].granted for number in (1, 2, 51)]

    assert ([False, True, True], OFFERS_MAX) == (answers, len(held.offers))


def test_a_leave_outlives_a_restart_and_is_used_once_over_it() -> None:
    """What was given is carried, and what was used is gone."""
    given = allowed(offered()).state
    carried = to_carry(given, head="h")
    anew = opening_state(
        carried, start=TradingState.ACTIVE, universe=SYMBOLS, limits=SOFT, scanners=(), next_latch_no=1
    )
    used = stepped(anew, WIDE)

    assert (1, ()) == (len(used.approvals), to_carry(used.state, head="h").leaves)


@pytest.mark.parametrize(
    ("key", "value", "granted"),
    [
        ("max_order_qty", 9_999, True),
        ("max_order_qty", 10_000, False),
        ("max_order_qty", 10_001, False),
        ("duplicate_window_ns", 10 * SECOND_NS + 1, True),
        ("duplicate_window_ns", 10 * SECOND_NS, False),
        ("duplicate_window_ns", 0, False),
        ("lot_size_qty", 100, False),
        ("cash_micros", 1, False),
        ("max_order_size", 1, False),
        ("", 1, False),
    ],
)
def test_a_limit_is_only_made_stricter(key: str, value: int, granted: bool) -> None:  # noqa: FBT001
    """What lets less through is granted; what lets as much or more through, or is no limit, is refused."""
    before = state()
    after, (answer,) = fold_commands(before, (command("tighten", about=key, new_value=value),))

    assert granted is answer.granted
    assert (
        (value, "tightened") == (after.limits.value(key), after.limits.in_force[key].source)
        if granted
        else (before is after)
    )


def test_a_limit_that_nobody_wrote_cannot_be_tightened() -> None:
    """It already lets nothing through."""
    before = state(in_force=limits(max_order_qty=None))

    assert (before, False) == (
        (told := fold_commands(before, (command("tighten", about="max_order_qty", new_value=5),)))[0],
        told[1][0].granted,
    )
    assert told[1][0].text.startswith("Not tightened: max_order_qty is not written, so it blocks already.")


def test_a_tightened_limit_binds_in_the_same_cycle_and_is_recorded() -> None:
    """What is judged after the word is judged by it, and the number of the state outdates older words."""
    before = state()
    found = stepped(before, wish(), commands=(command("tighten", about="max_order_qty", new_value=9),))

    assert [{ReasonCode.ORDER_QTY_MAX}] == blocked_by(found)
    assert [("max_order_qty", 9, "tightened")] == [
        (limit.key, limit.value, limit.source) for limit in found.outputs.of_gate.tightened
    ]
    assert before.state_no + 1 == found.state.state_no


def test_a_tightened_limit_binds_where_a_strategy_has_a_limit_of_its_own() -> None:
    """The strictest wins, also against one that was written for the strategy."""
    own = limits(own={("strategy:cross", "max_order_qty"): 50})
    found = stepped(
        state(in_force=own), wish(order_qty=10), commands=(command("tighten", about="max_order_qty", new_value=9),)
    )

    assert [{ReasonCode.ORDER_QTY_MAX}] == blocked_by(found)


def test_a_tightened_limit_never_keeps_anyone_in_a_position() -> None:
    """An exit larger than the new limit is cut to it, and passes."""
    found = stepped(
        state(held={"SPY": 10}), leaving(), commands=(command("tighten", about="max_order_qty", new_value=4),)
    )

    assert [(4, 10)] == [(each.intent.order_qty, each.intent.wished_qty) for each in found.approvals]
