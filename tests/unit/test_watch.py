"""The watches: each trips at its limit exactly as its line says, in its own scope, and never where it is unknown."""

from __future__ import annotations

import msgspec
import pytest
from tests.core_factory import SYMBOLS, limits
from tests.journal_factory import OPENING_MICROS, START_NS
from tests.watch_factory import (
    BPS_MICROS,
    BY_CODE,
    HARD_LIMIT,
    LIMIT,
    SCOPES,
    is_tripped_by,
    limited,
    quiet,
    reads,
    standing,
    threshold,
)

from interlock.core.conduct import HOUR_NS, MINUTE_NS
from interlock.core.risk.keys import KEYS
from interlock.core.state import State
from interlock.core.tape import blank_tape
from interlock.core.watch import WATCHES, Watch, drawdown_bps, loss_of, trips
from interlock.core.watching import trip_words, watched
from interlock.core.words import number
from interlock.model.conduct import Conduct, Counters, Standing, Window
from interlock.model.units import SECOND_NS

ALL = pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.code)
#: Watches whose limit one strategy may have to itself.
OF_ONE = [watch for watch in WATCHES if watch.scope == "strategy" and "strategy" in KEYS[watch.key].scopes]


def tripped(watch: Watch, held: State) -> list[str]:
    """Return the scopes in which a watch trips."""
    return [trip.scope for trip in trips(watched(held)) if trip.watch is watch]


def of_conduct(conduct: Conduct, *, code: str, **written: int | None) -> list[str]:
    """Return where a watch trips that reads this conduct of the strategy `cross`."""
    in_force = limits(**{BY_CODE[code].key: LIMIT, **written})
    before = quiet(in_force)
    counters = msgspec.structs.replace(before.counters, strategies={"cross": conduct})
    return tripped(BY_CODE[code], msgspec.structs.replace(before, counters=counters))


@ALL
@pytest.mark.parametrize("past", [-1, 0, 1])
def test_a_watch_trips_at_its_limit_as_its_line_says_and_not_a_unit_before(watch: Watch, past: int) -> None:
    """One unit inside it never trips, one past it always does, and at the limit it does if it `trips_at`."""
    observed = threshold(watch) + past
    expected = [SCOPES[watch.scope]] if is_tripped_by(watch, observed) else []

    assert expected == tripped(watch, reads(watch, observed))


@ALL
def test_a_watch_without_its_limit_trips_nothing(watch: Watch) -> None:
    """What nobody limited trips no watch, however large; the gate blocks for the missing limit instead."""
    assert [] == tripped(watch, reads(watch, 10**6, in_force=limited(watch, value=None)))


@ALL
def test_a_watch_without_its_number_trips_nothing(watch: Watch) -> None:
    """Before anything is known nothing trips, at the strictest of limits too."""
    before = quiet(limited(watch, value=1))
    unknown = msgspec.structs.replace(before, counters=Counters(), standings={}, tape=blank_tape(SYMBOLS))

    assert [] == tripped(watch, unknown)


def test_nothing_trips_where_nothing_happened() -> None:
    """The quiet state from which the others are made trips nothing by itself."""
    assert [] == list(trips(watched(quiet())))


@pytest.mark.parametrize("watch", OF_ONE, ids=lambda watch: watch.code)
def test_the_limit_of_one_strategy_trips_for_it_alone(watch: Watch) -> None:
    """Where one strategy has a stricter limit of its own, it holds for that one."""
    at_own = 4 if watch.code.endswith("_HARD") else 3
    own = limited(watch, value=1_000, own=3)

    assert ["strategy:cross"] == tripped(watch, reads(watch, at_own + 1, in_force=own))
    assert [] == tripped(watch, reads(watch, at_own - 1, in_force=own))


@ALL
def test_a_trip_says_the_limit_that_was_passed(watch: Watch) -> None:
    """The sentence of a trip is whole and holds its limit; that of a split has no number to say."""
    (trip,) = [each for each in trips(watched(reads(watch, threshold(watch) + 1))) if each.watch is watch]
    words = trip_words(trip)

    assert (False, watch.code != "SPLIT_SUSPECTED") == ("{" in words, number(threshold(watch), watch.unit) in words)


@pytest.mark.parametrize(("limit", "at"), [(100, 125), (101, 127), (1, 2), (3, 4)])
def test_the_harder_latch_stands_at_a_quarter_more_rounded_up(limit: int, at: int) -> None:
    """1.25 times the limit is never reached early: a part of a unit counts as a whole one."""
    hard = BY_CODE["DAILY_LOSS_HARD"]
    in_force = limits(max_daily_loss_micros=limit)

    assert ["account"] == tripped(hard, reads(hard, at, in_force=in_force))
    assert [] == tripped(hard, reads(hard, at - 1, in_force=in_force))


def test_the_softer_latch_of_a_loss_trips_before_the_harder_one() -> None:
    """Between the limit and 1.25 times it only the first of the two stands."""
    soft, hard = BY_CODE["STRATEGY_LOSS"], BY_CODE["STRATEGY_LOSS_HARD"]
    held = reads(soft, HARD_LIMIT - 1)

    assert (["strategy:cross"], []) == (tripped(soft, held), tripped(hard, held))


def test_a_profit_is_no_loss() -> None:
    """What stands above its opening lost nothing."""
    assert (0, 3) == (loss_of(standing("account", -5)), loss_of(standing("account", 3)))


@pytest.mark.parametrize(
    ("peak", "profit", "base", "bps"),
    [(0, -1, 10_000, 1), (0, -1, 10_001, 1), (0, 0, 10_000, 0), (10_000, 0, 10_000, 5_000), (0, -1, 0, None)],
)
def test_a_drawdown_is_measured_from_what_the_peak_then_had(peak: int, profit: int, base: int, bps: int | None) -> None:
    """It is a part of capital and profit at the peak, rounded up; where there was nothing it is unknown."""
    stands = Standing(scope="account", profit_micros=profit, opening_micros=0, peak_micros=peak)

    assert bps == drawdown_bps(stands, base_micros=base)


def test_leverage_without_equity_is_more_than_any_limit() -> None:
    """An account that owes as much as it has, and holds something, trips at every limit that can be written."""
    watch = BY_CODE["LEVERAGE"]
    held = reads(watch, 1, in_force=limits(max_leverage_x100=10**6))
    broke = msgspec.structs.replace(held, standings={"account": standing("account", OPENING_MICROS)})

    assert ([], ["account"]) == (tripped(watch, held), tripped(watch, broke))


def test_leverage_is_rounded_up_and_falls_with_the_equity() -> None:
    """A loss raises it with the same position."""
    watch = BY_CODE["LEVERAGE"]
    held = reads(watch, LIMIT)
    poorer = msgspec.structs.replace(held, standings={"account": standing("account", BPS_MICROS)})

    assert ([], ["account"]) == (tripped(watch, held), tripped(watch, poorer))


@pytest.mark.parametrize(
    ("code", "field", "span_ns"),
    [
        ("THROTTLED", "throttled", MINUTE_NS),
        ("REJECT_STORM", "rejects", 300 * SECOND_NS),
        ("REPEATED_ORDER", "repeats", 600 * SECOND_NS),
    ],
)
def test_what_is_older_than_its_window_counts_no_more(code: str, field: str, span_ns: int) -> None:
    """An instant exactly as old as the window is out of it, and one a nanosecond younger is in."""
    for at_ns, expected in ((START_NS - span_ns, []), (START_NS - span_ns + 1, ["strategy:cross"])):
        times = (at_ns,) * (LIMIT + 1)
        conduct = Conduct(**{field: (("an order", times),) if field == "repeats" else times})
        assert expected == of_conduct(conduct, code=code)


@pytest.mark.parametrize("code", ["REJECT_STORM", "REPEATED_ORDER"])
def test_a_watch_whose_window_nobody_wrote_trips_nothing(code: str) -> None:
    """In how long they count is a limit too."""
    key = {"REJECT_STORM": "reject_window_ns", "REPEATED_ORDER": "repeat_window_ns"}[code]
    times = (START_NS,) * (LIMIT + 1)
    conduct = Conduct(rejects=times, repeats=(("an order", times),))

    assert (["strategy:cross"], []) == (of_conduct(conduct, code=code), of_conduct(conduct, code=code, **{key: None}))


def test_attempts_older_than_an_hour_count_no_more() -> None:
    """The hour is kept in buckets of a minute, and the oldest counts whole."""
    bucket = START_NS // (HOUR_NS // 60)
    at, out = ((bucket - back, 0, LIMIT + 1) for back in (60, 61))

    assert ["strategy:cross"] == of_conduct(Conduct(hour=Window((at,), 0, LIMIT + 1)), code="RUNAWAY")
    assert [] == of_conduct(Conduct(hour=Window((out,), 0, LIMIT + 1)), code="RUNAWAY")


@pytest.mark.parametrize(
    ("messages", "executions", "least", "expected"),
    [
        (50, 0, 50, True),
        (49, 0, 50, False),
        (42, 1, 1, True),
        (40, 1, 1, False),
        (41, 1, 1, True),
        (50, 0, None, False),
    ],
)
def test_order_to_trade_is_messages_over_executions_and_one(
    messages: int,
    executions: int,
    least: int | None,
    expected: bool,  # noqa: FBT001
) -> None:
    """Below the least number of messages it says nothing; a part counts as a whole."""
    conduct = Conduct(messages_day=messages, executions_day=executions)

    assert (["strategy:cross"] if expected else []) == of_conduct(
        conduct, code="ORDER_TO_TRADE", order_to_trade_messages=least
    )
