"""Conduct: what is counted of decisions, reports and cancels, for how long, and what a human's look counts anew."""

from __future__ import annotations

import msgspec
import pytest
from tests.core_factory import (
    ASK_PX,
    BID_PX,
    MID_PX,
    Says,
    fill,
    intent,
    leaving,
    limits,
    order,
    quote,
    report,
    snapshot,
    state,
    stepped,
    wish,
)
from tests.journal_factory import MONDAY, START_NS, TUESDAY

from interlock.core.conduct import (
    INSTANTS_KEPT,
    MINUTE_NS,
    ORDERS_KEPT,
    added,
    aged,
    blocked_micros,
    fold_cancels,
    fold_decision,
    fold_word,
    forgiven,
    has_slipped,
    is_worse_than_limit,
    of_strategy,
    on_date,
    sided,
    since,
    spelled,
)
from interlock.model.conduct import Conduct, Counters, Window
from interlock.model.orders import ExecReport, ExecType, Order, Side
from interlock.model.risk import Check, Decision, ReasonCode, Verdict
from interlock.model.units import INTEGER_MAX, SECOND_NS

LIMITS = limits().in_force
DOLLAR = 10**6


def decided(*, blocked_by: ReasonCode | None = None, exits: bool = False, **changes: object) -> Decision:
    """Return a decision on a wish of the strategy `cross`, approved unless a control blocks it."""
    check = Check(ReasonCode.ORDER_QTY_MAX, True, True, 1, 2, "qty", "config", "")  # noqa: FBT003
    if blocked_by is not None:
        check = Check(blocked_by, False, True, 3, 2, "qty", "config", "")  # noqa: FBT003
    return Decision(
        decision_id="000001-001",
        verdict=Verdict.APPROVED if blocked_by is None else Verdict.BLOCKED,
        intent=intent(leaving() if exits else wish(), **changes),
        quote=quote(),
        checks=(check,),
    )


def folded(*told: tuple[int, Decision], value: int = 7, before: Counters | None = None) -> Counters:
    """Return the counters after decisions at seconds."""
    counters = before or Counters(trading_date=MONDAY)
    for second, decision in told:
        counters = fold_decision(
            counters, decision, at_ns=START_NS + second * SECOND_NS, value_micros=value, limits=LIMITS
        )
    return counters


def cross(counters: Counters) -> Conduct:
    """Return the conduct of the strategy `cross`."""
    return of_strategy(counters, "cross")


def word(exec_type: ExecType, *, counters: Counters, second: int = 0) -> Counters:
    """Return the counters after a venue's word without a fill."""
    said = report(exec_type, event_ns=START_NS + second * SECOND_NS)
    return fold_word(counters, report=said, order=order(), has_filled=False, left_qty=0, limits=LIMITS)


def after_fill(counters: Counters, *, left_qty: int, px: int = ASK_PX, at: Order | None = None) -> Counters:
    """Return the counters after a fill that leaves so many shares held."""
    said = fill(10, cum=10, px=px)
    return fold_word(counters, report=said, order=at or order(), has_filled=True, left_qty=left_qty, limits=LIMITS)


def test_orders_are_the_same_by_side_size_symbol_and_price() -> None:
    """Who wished and why does not make two orders different; each of the four does."""
    one = spelled(intent())
    others = [{"side": Side.SELL}, {"order_qty": 11}, {"symbol": "IBM"}, {"limit_px": MID_PX}]

    assert one == spelled(intent(strategy_id="other", because="else", intent_id="000009-009"))
    assert [False] * 4 == [one == spelled(intent(**changes)) for changes in others]
    assert ("BUY SPY", "SELL SPY") == (sided(intent(order_qty=1)), sided(intent(side=Side.SELL)))


def test_an_approval_counts_in_every_sum() -> None:
    """Value and attempts of the minute, the hour and the day, the entry, its rate and its message."""
    counters = folded((1, decided()), (1, decided(exits=True)), value=7)
    conduct = cross(counters)

    assert [(14, 2)] * 3 == [
        (conduct.minute.value, conduct.minute.count), (conduct.hour.value, conduct.hour.count), counters.attempts_day,
    ]  # fmt: skip
    assert (1, 2, ((START_NS + SECOND_NS, 2),)) == (counters.entries_day, conduct.messages_day, conduct.sent)
    assert conduct.sent == counters.sent


def test_a_block_is_an_attempt_and_its_value_is_remembered_once_a_side_and_symbol() -> None:
    """A wish that is repeated for an hour tried its value once; another side or symbol is another wish."""
    no = ReasonCode.PRICE_COLLAR
    same = [(second, decided(blocked_by=no)) for second in range(1, 4)]
    counters = folded(*same, (4, decided(blocked_by=no, symbol="IBM")), (5, decided(blocked_by=no, side=Side.SELL)))
    conduct = cross(counters)

    assert ((0, 5), 21, 5, 0) == (
        counters.attempts_day, counters.blocked_day_micros, conduct.minute.count, conduct.minute.value,
    )  # fmt: skip
    assert (0, 0, ()) == (counters.entries_day, conduct.messages_day, conduct.sent)
    assert [21, 14, 7] == [
        blocked_micros(conduct, since_ns=START_NS + second * SECOND_NS, but="") for second in (0, 3, 4)
    ]
    assert 14 == blocked_micros(conduct, since_ns=START_NS, but="BUY SPY")


def test_a_block_that_is_approved_later_is_counted_as_approved_only() -> None:
    """The value moves from what was blocked to what was ordered."""
    counters = folded((1, decided(blocked_by=ReasonCode.PRICE_COLLAR)), (2, decided()))

    assert ({}, 0, (7, 2)) == (cross(counters).blocked, counters.blocked_day_micros, counters.attempts_day)


def test_what_is_blocked_of_symbols_that_nobody_knows_does_not_grow() -> None:
    """A strategy that makes up symbols fills a list of a fixed length, and the oldest drops out."""
    full = {f"BUY S{number}": (START_NS, 1) for number in range(ORDERS_KEPT)}
    before = Counters(trading_date=MONDAY, strategies={"cross": Conduct(blocked=full)})
    after = cross(folded((1, decided(blocked_by=ReasonCode.IDENTITY, symbol="NEW")), before=before)).blocked

    assert (ORDERS_KEPT, "BUY S1", "BUY NEW") == (len(after), next(iter(after)), list(after)[-1])


def test_orders_that_are_remembered_as_the_same_do_not_grow() -> None:
    """Of many different orders within the window the oldest is forgotten."""
    full = {f"BUY 1 S{number} 5": START_NS for number in range(ORDERS_KEPT)}
    after = folded((1, decided()), before=Counters(trading_date=MONDAY, same=full)).same

    assert (ORDERS_KEPT, spelled(intent())) == (len(after), list(after)[-1])


@pytest.mark.parametrize(("later_s", "kept"), [(9, 2), (10, 1)])
def test_an_order_is_the_same_again_for_as_long_as_the_window(later_s: int, kept: int) -> None:
    """At its end it is forgotten."""
    counters = folded((1, decided()), (1 + later_s, decided(symbol="IBM")))

    assert kept == len(counters.same)


def test_a_window_forgets_nothing_early_and_everything_in_time() -> None:
    """The bucket in which the span begins counts whole; the one before it is gone."""
    window = added(Window(), at_ns=START_NS, span_ns=MINUTE_NS, value=5)
    window = added(window, at_ns=START_NS + SECOND_NS // 2, span_ns=MINUTE_NS, value=6)
    window = added(window, at_ns=START_NS + SECOND_NS, span_ns=MINUTE_NS, value=7)
    sums = [
        (found.value, found.count)
        for found in (aged(window, at_ns=START_NS + second * SECOND_NS, span_ns=MINUTE_NS) for second in (60, 61, 62))
    ]

    assert ([(18, 3), (7, 1), (0, 0)], 2) == (sums, len(window.buckets))


def test_sums_stop_at_the_largest_number_that_a_record_can_hold() -> None:
    """An absurd value does not make a record that nobody can write."""
    counters = folded((1, decided()), (2, decided()), value=10**30)

    assert (INTEGER_MAX, INTEGER_MAX) == (counters.attempts_day[0], cross(counters).hour.value)
    assert msgspec.msgpack.encode(counters)


def test_a_block_counts_at_most_as_the_largest_order() -> None:
    """One absurd wish does not spend the day of every strategy."""
    counters = folded((1, decided(blocked_by=ReasonCode.IDENTITY)), value=10**30)
    largest = LIMITS["max_order_notional_micros"].value

    assert (largest, (START_NS + SECOND_NS, largest)) == (
        counters.blocked_day_micros, cross(counters).blocked["BUY SPY"],
    )  # fmt: skip


def test_the_rate_counts_what_is_newer_than_its_window() -> None:
    """At exactly the length of the window an approval is out of it."""
    beats = ((START_NS, 2), (START_NS + 5, 1))

    assert [3, 1, 0] == [since(beats, from_ns=START_NS + late) for late in (-1, 0, 5)]


def test_a_strategys_own_longer_window_is_looked_back_through() -> None:
    """Two orders a minute are two orders a minute, also where the account's own window is five seconds."""
    own = {("strategy:cross", "max_strategy_count"): 2, ("strategy:cross", "strategy_window_ns"): 60 * SECOND_NS}
    lived, found = state(in_force=limits(own=own, strategy_window_ns=5 * SECOND_NS)), []
    for second, symbol in ((1, "SPY"), (10, "IBM"), (20, "AIG"), (61, "AIG")):
        cycle = stepped(lived, wish(symbol), market=snapshot(second))
        lived = cycle.state
        found.append([check.code for check in cycle.outputs.decisions[0].failed()])

    assert [[], [], [ReasonCode.STRATEGY_RATE_MAX], []] == found


def test_a_rate_that_blocks_is_remembered_as_throttled() -> None:
    """Only the strategy's own rate counts there, each time that it blocks."""
    rate, other = ReasonCode.STRATEGY_RATE_MAX, ReasonCode.ORDER_RATE_MAX
    counters = folded((1, decided(blocked_by=rate)), (2, decided(blocked_by=other)), (3, decided(blocked_by=rate)))

    assert (START_NS + SECOND_NS, START_NS + 3 * SECOND_NS) == cross(counters).throttled


def test_identical_orders_are_counted_by_their_instants() -> None:
    """The same order again is a repeat; one that is long over is no repeat of it any more."""
    counters = folded((1, decided()), (2, decided(symbol="IBM")), (12, decided()), (611, decided()))
    (past,) = [times for words, times in cross(counters).repeats if words == spelled(intent())]

    assert (START_NS + 12 * SECOND_NS, START_NS + 611 * SECOND_NS) == past


def test_instants_are_kept_up_to_a_fixed_number() -> None:
    """A storm that never ends fills a list of a fixed length."""
    times = tuple(START_NS + number for number in range(INSTANTS_KEPT))
    before = Counters(trading_date=MONDAY, strategies={"cross": Conduct(rejects=times)})
    once = word(ExecType.REJECTED, counters=before)
    twice = word(ExecType.REJECTED, counters=once)

    assert [INSTANTS_KEPT + 1] * 2 == [len(cross(each).rejects) for each in (once, twice)]


def test_coming_back_to_a_symbol_that_was_left_is_a_re_entry() -> None:
    """It is counted when the entry is approved, once for each time that everything was sold, and for each symbol."""
    counters = folded((1, decided()))
    counters = after_fill(counters, left_qty=10)
    counters = after_fill(counters, left_qty=0)
    left = cross(counters).left
    exited = folded((2, decided(exits=True)), before=counters)
    counters = folded((3, decided()), (4, decided()), before=exited)

    assert (("SPY",), (), ("SPY",)) == (left, cross(exited).reentries, cross(exited).left)
    assert ((("SPY", 1),), ()) == (cross(counters).reentries, cross(counters).left)


def test_a_rejection_counts_in_a_row_until_the_venue_takes_an_order() -> None:
    """Taking one ends the row, and the rejections of the last minutes stay counted."""
    counters = Counters(trading_date=MONDAY)
    rows = []
    for second, said in enumerate((ExecType.REJECTED, ExecType.REJECTED, ExecType.CANCELED, ExecType.NEW), start=1):
        counters = word(said, counters=counters, second=second)
        rows.append(cross(counters).rejects_in_row)

    assert ([1, 2, 2, 0], 2) == (rows, len(cross(counters).rejects))


def test_rejections_older_than_their_window_are_forgotten_with_the_next() -> None:
    """Five minutes are looked back."""
    counters = word(ExecType.REJECTED, counters=Counters(), second=0)
    inside, outside = (word(ExecType.REJECTED, counters=counters, second=second) for second in (299, 300))

    assert (2, 1) == (len(cross(inside).rejects), len(cross(outside).rejects))


def test_cancels_are_messages_of_their_strategies() -> None:
    """Each cancel that was asked for counts once for whoever owns the order."""
    messages = fold_cancels(Counters(), ["cross", "other", "cross"]).strategies

    assert {"cross": 2, "other": 1} == {name: conduct.messages_day for name, conduct in messages.items()}


def test_a_new_date_begins_the_counts_of_the_day_and_no_others() -> None:
    """What is counted in minutes, in rows and in repeats goes on over midnight."""
    counters = folded((1, decided()), (2, decided(blocked_by=ReasonCode.STRATEGY_RATE_MAX, symbol="IBM")))
    counters = word(ExecType.REJECTED, counters=after_fill(counters, left_qty=0))
    anew = on_date(counters, TUESDAY)
    was, now = cross(counters), cross(anew)

    assert (TUESDAY, (0, 0), 0, 0) == (
        anew.trading_date, anew.attempts_day, anew.blocked_day_micros, anew.entries_day,
    )  # fmt: skip
    assert (0, 0, (), {}) == (now.messages_day, now.executions_day, now.reentries, now.blocked)
    assert (was.minute, was.hour, was.sent, was.rejects, was.rejects_in_row, was.throttled, was.repeats, was.left) == (
        now.minute, now.hour, now.sent, now.rejects, now.rejects_in_row, now.throttled, now.repeats, now.left,
    )  # fmt: skip
    assert (counters.same, counters.sent) == (anew.same, anew.sent)
    assert anew is on_date(anew, TUESDAY)


def arrived(side: Side, spread_px: int) -> Order:
    """Return an order that arrived at a middle of $100 with this spread."""
    half = spread_px // 2
    return order(side=side, arrival_bid_px=MID_PX - half, arrival_ask_px=MID_PX + half)


@pytest.mark.parametrize(
    ("side", "spread_px", "px", "slipped"),
    [
        (Side.BUY, 20_000, MID_PX + 30_000, False),
        (Side.BUY, 20_000, MID_PX + 30_001, True),
        (Side.SELL, 20_000, MID_PX - 30_000, False),
        (Side.SELL, 20_000, MID_PX - 30_001, True),
        (Side.BUY, 40_000, MID_PX + 60_000, False),
        (Side.BUY, 40_000, MID_PX + 60_001, True),
        (Side.BUY, 2, MID_PX + 30_000, False),
        (Side.BUY, 2, MID_PX + 30_001, True),
        (Side.BUY, 20_000, MID_PX - DOLLAR, False),
    ],
)
def test_a_fill_slips_beyond_three_times_what_was_to_be_expected(
    side: Side,
    spread_px: int,
    px: int,
    slipped: bool,  # noqa: FBT001
) -> None:
    """To be expected is half the spread at arrival, a tick at the least; a better price never slips."""
    assert slipped is has_slipped(fill(1, cum=1, px=px), arrived(side, spread_px), limits=LIMITS)


@pytest.mark.parametrize("missing", ["max_slippage_x100", "tick_size_px", "arrival"])
def test_a_slip_that_cannot_be_told_is_none(missing: str) -> None:
    """Without its limit, the tick or the price of arrival it says nothing."""
    in_force = limits(**({} if missing == "arrival" else {missing: None})).in_force
    at = order() if missing == "arrival" else arrived(Side.BUY, 20_000)

    assert False is has_slipped(fill(1, cum=1, px=2 * MID_PX), at, limits=in_force)


def test_slips_count_in_a_row() -> None:
    """One fill that was as expected ends the row."""
    counters, rows = Counters(), []
    for px in (MID_PX + DOLLAR, MID_PX + DOLLAR, MID_PX, MID_PX + DOLLAR):
        counters = after_fill(counters, left_qty=1, px=px, at=arrived(Side.BUY, 20_000))
        rows.append(cross(counters).slipped_in_row)

    assert ([1, 2, 0, 1], 4) == (rows, cross(counters).executions_day)


@pytest.mark.parametrize(
    ("side", "px", "worse"),
    [
        (Side.BUY, ASK_PX, False),
        (Side.BUY, ASK_PX + 1, True),
        (Side.SELL, BID_PX, False),
        (Side.SELL, BID_PX - 1, True),
    ],
)
def test_a_fill_worse_than_its_limit_is_seen(side: Side, px: int, worse: bool) -> None:  # noqa: FBT001
    """At the limit it is allowed, a millionth past it is not."""
    at = order(side=side, limit_px=ASK_PX if side is Side.BUY else BID_PX)

    assert worse is is_worse_than_limit(fill(1, cum=1, px=px), at)


def test_a_fill_that_is_worse_than_its_limit_lowers_the_account() -> None:
    """No venue may do that, so that the account leaves positions only, until a human has looked."""
    said: ExecReport = fill(10, cum=10, px=ASK_PX + 1)
    found = stepped(state(orders=(order(),)), strategies={"cross": Says()}, reports=(said,))

    assert ([("account", "FILL_WORSE", "REDUCING")], "REDUCING") == (
        [(one.scope, one.code, one.level) for one in found.outputs.latches_raised], found.state.trading_state,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("REENTRIES", ("reentries",)),
        ("REPEATED_ORDER", ("repeats",)),
        ("REJECTS_IN_ROW", ("rejects_in_row",)),
        ("REJECT_STORM", ("rejects", "rejects_in_row")),
        ("THROTTLED", ("throttled",)),
        ("SLIPPAGE", ("slipped_in_row",)),
        ("ORDER_TO_TRADE", ("messages_day", "executions_day")),
        ("RUNAWAY", ("hour",)),
        ("STRATEGY_FAULT", ()),
        ("STRATEGY_LOSS", ()),
    ],
)
def test_a_look_counts_anew_what_tripped_and_nothing_else(code: str, fields: tuple[str, ...]) -> None:
    """Every other count of the strategy stays."""
    full = Conduct(
        minute=Window(((1, 1, 1),), 1, 1), hour=Window(((1, 1, 1),), 1, 1), blocked={"BUY SPY": (1, 1)},
        sent=((1, 1),), messages_day=1, executions_day=1, rejects_in_row=1, rejects=(1,), throttled=(1,),
        left=("SPY",), reentries=(("SPY", 1),), repeats=(("an order", (1,)),), slipped_in_row=1,
    )  # fmt: skip
    anew = forgiven(full, code)

    assert sorted(fields) == sorted(
        name for name in Conduct.__struct_fields__ if getattr(full, name) != getattr(anew, name)
    )
