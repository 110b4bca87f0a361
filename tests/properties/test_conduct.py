"""The counters over random days: what is forgotten is never what a limit still counts, and nothing grows."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.core_factory import MID_PX, SYMBOLS, intent, limits, order, quote, report, wish
from tests.journal_factory import MONDAY, START_NS, TUESDAY

from interlock.core.conduct import (
    HOUR_NS,
    INSTANTS_KEPT,
    MINUTE_NS,
    aged,
    fold_cancels,
    fold_decision,
    fold_word,
    of_strategy,
    on_date,
    since,
    spelled,
)
from interlock.model.conduct import Counters, Window
from interlock.model.orders import ExecType, OrderClass, Side
from interlock.model.risk import Check, Decision, ReasonCode, Verdict
from interlock.model.units import SECOND_NS

LIMITS = limits().in_force
STRATEGIES = ("cross", "other")
RATE_NS, REPEAT_NS, REJECT_NS = (
    LIMITS[key].value or 0 for key in ("strategy_window_ns", "repeat_window_ns", "reject_window_ns")
)
#: Buckets of a window that are kept: sixty of the span and the one that is open.
BUCKETS_MAX = 61


class Happening(NamedTuple):
    """One thing that is counted, so long after the one before."""

    kind: str
    gap_ns: int
    strategy_id: str
    symbol: str
    side: Side
    value: int


#: Most of them come close together, so that windows hold several.
GAPS_NS = (
    *(0, 0, 1, SECOND_NS - 1, SECOND_NS, 2 * SECOND_NS, 4 * SECOND_NS) * 3,
    *(5 * SECOND_NS, 59 * SECOND_NS, 61 * SECOND_NS, 599 * SECOND_NS, HOUR_NS),
)
KINDS = ("approved",) * 4 + ("blocked", "throttled", "rejected", "taken", "traded", "cancel")
happenings = st.builds(
    Happening,
    st.sampled_from(KINDS),
    st.sampled_from(GAPS_NS),
    st.sampled_from(STRATEGIES),
    st.sampled_from(SYMBOLS),
    st.sampled_from(Side),
    st.integers(0, 10**12),
)
days = st.lists(happenings, min_size=12, max_size=40)


class Counted(NamedTuple):
    """The counters, the instant, and all that ever happened with its instant."""

    counters: Counters
    at_ns: int
    past: tuple[tuple[int, Happening], ...]


NOTHING = Counted(Counters(trading_date=MONDAY), START_NS, ())


def one_more(before: Counted, happening: Happening) -> Counted:
    """Return what is counted after one more thing."""
    at_ns = before.at_ns + happening.gap_ns
    counters = _folded(before.counters, happening, at_ns)
    return Counted(counters, at_ns, (*before.past, (at_ns, happening)))


def _folded(counters: Counters, happening: Happening, at_ns: int) -> Counters:
    kind, name = happening.kind, happening.strategy_id
    sent = order(strategy_id=name, symbol=happening.symbol)
    if kind == "cancel":
        return fold_cancels(counters, [name])
    if kind in ("approved", "blocked", "throttled"):
        return fold_decision(counters, decided(happening), at_ns=at_ns, value_micros=happening.value, limits=LIMITS)
    said = {"rejected": ExecType.REJECTED, "taken": ExecType.NEW, "traded": ExecType.TRADE}[kind]
    word = report(said, event_ns=at_ns, last_px=MID_PX, last_qty=1)
    return fold_word(
        counters, word, order=sent, has_filled=kind == "traded", left_qty=happening.value % 2, limits=LIMITS
    )


def decided(happening: Happening) -> Decision:
    """Return a decision on a wish."""
    order_class = OrderClass.ENTRY if happening.side is Side.BUY else OrderClass.EXIT
    wished = intent(wish(happening.symbol, side=happening.side, order_class=order_class))
    approved = happening.kind == "approved"
    code = ReasonCode.STRATEGY_RATE_MAX if happening.kind == "throttled" else ReasonCode.PRICE_COLLAR
    return Decision(
        decision_id="000001-001",
        verdict=Verdict.APPROVED if approved else Verdict.BLOCKED,
        intent=msgspec.structs.replace(wished, strategy_id=happening.strategy_id),
        quote=quote(),
        checks=(Check(code, approved, True, 1, 1, "count", "default", ""),),  # noqa: FBT003
    )


def counted(day: list[Happening], before: Counted = NOTHING) -> Counted:
    """Return what is counted after a list of things."""
    found = before
    for happening in day:
        found = one_more(found, happening)
    return found


def of(found: Counted, name: str, *kinds: str, within_ns: int) -> list[tuple[int, Happening]]:
    """Return what one strategy did of some kinds within a span, its end left out."""
    return [
        (at_ns, one)
        for at_ns, one in found.past
        if one.kind in kinds and one.strategy_id == name and found.at_ns - at_ns < within_ns
    ]


@given(days, days)
def test_counters_that_were_written_and_read_go_on_as_if_nothing_had_been(
    first: list[Happening], then: list[Happening]
) -> None:
    """Folding two days at once, or the second over what was carried of the first, gives the same counters."""
    half = counted(first)
    carried = msgspec.msgpack.decode(msgspec.msgpack.encode(half.counters), type=Counters)

    assert counted([*first, *then]).counters == counted(then, half._replace(counters=carried)).counters


@given(days)
def test_sums_of_a_span_are_never_less_than_the_true_ones(day: list[Happening]) -> None:
    """Minute and hour hold every attempt of the last span, and at most those of one bucket more."""
    found = counted(day)
    for name in STRATEGIES:
        conduct = of_strategy(found.counters, name)
        for window, span_ns in ((conduct.minute, MINUTE_NS), (conduct.hour, HOUR_NS)):
            held = aged(window, at_ns=found.at_ns, span_ns=span_ns)
            least, most = (
                _attempts(found, name, within_ns) for within_ns in (span_ns + 1, span_ns + span_ns // 60 + 1)
            )
            assert least[0] <= held.count <= most[0]
            assert least[1] <= held.value <= most[1]


def _attempts(found: Counted, name: str, within_ns: int) -> tuple[int, int]:
    tried = of(found, name, "approved", "blocked", "throttled", within_ns=within_ns)
    return len(tried), sum(one.value for _, one in tried if one.kind == "approved")


@given(days)
def test_rates_repeats_rejects_and_throttles_are_exact(day: list[Happening]) -> None:
    """Each counts what lies within its window to the nanosecond, for each strategy by itself."""
    found = counted(day)
    for name in STRATEGIES:
        conduct = of_strategy(found.counters, name)
        approved = of(found, name, "approved", within_ns=RATE_NS)
        assert len(approved) == since(conduct.sent, from_ns=found.at_ns - RATE_NS)
        for times, kind, within_ns in (
            (conduct.rejects, "rejected", REJECT_NS),
            (conduct.throttled, "throttled", MINUTE_NS),
        ):
            expected = [at_ns for at_ns, _ in of(found, name, kind, within_ns=within_ns)]
            assert expected == [at_ns for at_ns in times if found.at_ns - at_ns < within_ns]


@given(days)
def test_identical_orders_are_all_remembered_within_their_window(day: list[Happening]) -> None:
    """However the orders are mixed, none of the same words is forgotten while it counts."""
    found = counted(day)
    for name in STRATEGIES:
        held = dict(of_strategy(found.counters, name).repeats)
        approved = of(found, name, "approved", within_ns=REPEAT_NS)
        for words in {spelled(decided(one).intent): None for _, one in approved}:
            expected = [at_ns for at_ns, one in approved if spelled(decided(one).intent) == words]
            assert expected == [at_ns for at_ns in held[words] if found.at_ns - at_ns < REPEAT_NS]


@given(days)
def test_counts_of_the_day_are_the_true_ones(day: list[Happening]) -> None:
    """Attempts, value, entries, messages and executions of the date add up from what happened."""
    found = counted(day)
    happened = [one for _, one in found.past]
    tried = [one for one in happened if one.kind in ("approved", "blocked", "throttled")]
    approved = [one for one in tried if one.kind == "approved"]
    last = {(one.strategy_id, one.side, one.symbol): one for one in tried}
    blocked = sum(one.value for one in last.values() if one.kind != "approved")

    assert (sum(one.value for one in approved), len(tried)) == found.counters.attempts_day
    assert (blocked, sum(one.side is Side.BUY for one in approved)) == (
        found.counters.blocked_day_micros, found.counters.entries_day,
    )  # fmt: skip
    for name in STRATEGIES:
        conduct = of_strategy(found.counters, name)
        mine = [one.kind for one in happened if one.strategy_id == name]
        assert (mine.count("approved") + mine.count("cancel"), mine.count("traded")) == (
            conduct.messages_day, conduct.executions_day,
        )  # fmt: skip


@given(days)
def test_counters_stay_small(day: list[Happening]) -> None:
    """However much happens, what is kept is bounded by windows, symbols and strategies."""
    counters = counted(day * 3).counters
    assert len(counters.strategies) <= len(STRATEGIES)
    for conduct in counters.strategies.values():
        assert max(len(conduct.minute.buckets), len(conduct.hour.buckets)) <= BUCKETS_MAX
        assert max(len(conduct.rejects), len(conduct.throttled)) <= INSTANTS_KEPT + 1
        assert len(conduct.blocked) <= len(SYMBOLS) * len(Side)
        assert max(len(conduct.left), len(conduct.reentries)) <= len(SYMBOLS)
        assert conduct.sent[-1][0] - conduct.sent[0][0] < RATE_NS if conduct.sent else conduct.messages_day >= 0
        assert all(is_whole(window) for window in (conduct.minute, conduct.hour))


def is_whole(window: Window) -> bool:
    """Return whether the totals of a window are those of its buckets."""
    return (window.value, window.count) == tuple(sum(bucket[at] for bucket in window.buckets) for at in (1, 2))


@given(days, days)
def test_a_new_date_begins_its_own_counts_anew_whatever_was_before(
    first: list[Happening], then: list[Happening]
) -> None:
    """The counts of a date depend on that date alone."""
    over = counted(first)
    anew = counted(then, over._replace(counters=on_date(over.counters, TUESDAY)))
    alone = counted(then, Counted(Counters(trading_date=TUESDAY), over.at_ns, ()))

    assert (alone.counters.attempts_day, alone.counters.blocked_day_micros, alone.counters.entries_day) == (
        anew.counters.attempts_day, anew.counters.blocked_day_micros, anew.counters.entries_day,
    )  # fmt: skip
    for name, conduct in alone.counters.strategies.items():
        mine = of_strategy(anew.counters, name)
        assert (conduct.messages_day, conduct.executions_day) == (mine.messages_day, mine.executions_day)
