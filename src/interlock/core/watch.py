"""The watch: controls that look at what happened, and latch its scope where a limit is passed.

Floor 1 (decisions). Pure. A watch can only lower: REDUCING is the lowest that it sets, it blocks entries of its scope
and never an exit, and it never sells anything. What is unknown trips nothing here: RISK blocks entries for it.
On the trip: after BOOK, once a cycle, before strategies are asked.

Source: the at-trade and post-trade rows of the control catalogue. Loss limits trip when they are reached, all others
when they are passed; the harder loss latch stands at 1.25 times the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from interlock.core.conduct import HOUR_NS, aged
from interlock.core.risk.limits import Limits
from interlock.core.standing import drawdown_bps, loss_of
from interlock.core.tape import Tape, faults_in_minute
from interlock.model.conduct import Conduct, Counters, Standing
from interlock.model.journal import LimitInForce
from interlock.model.market import Flags

#: The harder latch of a loss stands at this many hundredths of its limit.
HARD_X100 = 125
#: A loss is told as a warning from this many hundredths of its limit on.
WARN_X100 = 50
_ANY = "any named human, at any time"
#: What a watch follows from.
CONDUCT, STANDING, MARKET = "conduct", "standing", "market"
ALL_READS = (CONDUCT, STANDING, MARKET)


class Watched(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What the watch reads, after BOOK.

    Attributes:
        as_of_ns: market time.
        limits: all limits.
        counters: what the account and its strategies did.
        standings: how they stand, by scope.
        tape: what the market did.
        base_micros: what was paid into the account.
        gross_micros: value of all positions at the last confirmed mids.
    """

    as_of_ns: int
    limits: Limits
    counters: Counters
    standings: Mapping[str, Standing]
    tape: Tape
    base_micros: int
    gross_micros: int


class Reading(msgspec.Struct, frozen=True):
    """What one watch read of one scope: it trips if `observed` passes `limit` (both None: unknown, trips nothing)."""

    scope: str
    observed: int | None
    limit: int | None


Read = Callable[[Watched], Iterator[Reading]]


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table of watches.

    Attributes:
        code: what its latch is called.
        row: number in the control catalogue.
        name: the field's standard name.
        scope: `account`, `strategy` or `symbol`.
        unit: unit of observed and limit.
        key: the limit it reads.
        trips_at: True where reaching the limit trips it already.
        says: the sentence, with {observed} and {limit}.
        clears: who may clear its latch, and what must hold.
        reads: what it follows from: conduct, standing or the market; where that has not changed, nothing new can trip.
        read: what it reads, one reading a scope.
    """

    code: str
    row: str
    name: str
    scope: str
    unit: str
    key: str
    trips_at: bool
    says: str
    clears: str = _ANY
    reads: str
    read: Read


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """A watch that tripped: its line, the scope, and the numbers."""

    watch: Watch
    scope: str
    observed: int
    limit: int


def trips(watched: Watched, *, reads: tuple[str, ...] = ALL_READS) -> Iterator[Trip]:
    """Yield every watch that is passed now, in the order of the table.

    Args:
        watched: what they read.
        reads: only the watches that follow from these.
    """
    for watch in WATCHES:
        if watch.reads not in reads:
            continue
        for reading in watch.read(watched):
            if has_tripped(watch, reading) and reading.observed is not None and reading.limit is not None:
                yield Trip(watch=watch, scope=reading.scope, observed=reading.observed, limit=reading.limit)


def has_tripped(watch: Watch, reading: Reading) -> bool:
    """Return True if a reading passes its limit (or reaches it, where that trips already)."""
    if reading.observed is None or reading.limit is None:
        return False
    return reading.observed >= reading.limit if watch.trips_at else reading.observed > reading.limit


def _limit(watched: Watched, key: str, strategy_id: str = "") -> int | None:
    limit: LimitInForce | None = watched.limits.of(strategy_id=strategy_id, symbol="").get(key)
    return None if limit is None else limit.value


def _harder(limit: int | None) -> int | None:
    """Return 1.25 times a limit, rounded up: the harder latch never trips before it."""
    return None if limit is None else -(-limit * HARD_X100 // 100)


def _account(measure: Callable[[Watched], int | None], key: str, *, hard: bool = False) -> Read:
    def read(watched: Watched) -> Iterator[Reading]:
        limit = _limit(watched, key)
        yield Reading("account", measure(watched), _harder(limit) if hard else limit)

    return read


def _each_strategy(measure: Callable[[Watched, Conduct], int | None], key: str) -> Read:
    def read(watched: Watched) -> Iterator[Reading]:
        for name, conduct in watched.counters.strategies.items():
            yield Reading(f"strategy:{name}", measure(watched, conduct), _limit(watched, key, name))

    return read


def _each_standing(measure: Callable[[Watched, Standing], int | None], key: str, *, hard: bool = False) -> Read:
    def read(watched: Watched) -> Iterator[Reading]:
        for scope, standing in watched.standings.items():
            if scope == "account":
                continue
            limit = _limit(watched, key, scope.removeprefix("strategy:"))
            yield Reading(scope, measure(watched, standing), _harder(limit) if hard else limit)

    return read


def _account_loss(watched: Watched) -> int | None:
    standing = watched.standings.get("account")
    return None if standing is None else loss_of(standing)


def _account_drawdown(watched: Watched) -> int | None:
    standing = watched.standings.get("account")
    return None if standing is None else drawdown_bps(standing, base_micros=watched.base_micros)


def _strategy_loss(watched: Watched, standing: Standing) -> int | None:
    del watched
    return loss_of(standing)


def _strategy_drawdown(watched: Watched, standing: Standing) -> int | None:
    return drawdown_bps(standing, base_micros=watched.base_micros)


def _gross(watched: Watched) -> int | None:
    return watched.gross_micros


def _leverage(watched: Watched) -> int | None:
    """Return gross value over equity in hundredths, rounded up; with no equity left, more than any limit."""
    standing = watched.standings.get("account")
    if standing is None or watched.gross_micros == 0:
        return 0 if standing is not None else None
    equity = watched.base_micros + standing.profit_micros
    return -(-watched.gross_micros * 100 // equity) if equity > 0 else watched.gross_micros


def _feed_faults(watched: Watched) -> int | None:
    return faults_in_minute(watched.tape)


def _attempts(watched: Watched, conduct: Conduct) -> int | None:
    return aged(conduct.hour, at_ns=watched.as_of_ns, span_ns=HOUR_NS).count


def _throttles(watched: Watched, conduct: Conduct) -> int | None:
    return sum(1 for at_ns in conduct.throttled if watched.as_of_ns - at_ns < HOUR_NS // 60)


def _reentries(watched: Watched, conduct: Conduct) -> int | None:
    del watched
    return max((count for _, count in conduct.reentries), default=0)


def _repeats(watched: Watched, conduct: Conduct) -> int | None:
    window_ns = _limit(watched, "repeat_window_ns")
    if window_ns is None:
        return None
    return max(
        (sum(1 for at_ns in times if watched.as_of_ns - at_ns < window_ns) for _, times in conduct.repeats), default=0
    )


def _order_to_trade(watched: Watched, conduct: Conduct) -> int | None:
    """Return messages over executions and one, rounded up; below the least number of messages it says nothing."""
    least = _limit(watched, "order_to_trade_messages")
    if least is None or conduct.messages_day < least:
        return None
    return -(-conduct.messages_day // (conduct.executions_day + 1))


def _rejects_in_row(watched: Watched, conduct: Conduct) -> int | None:
    del watched
    return conduct.rejects_in_row


def _rejects(watched: Watched, conduct: Conduct) -> int | None:
    window_ns = _limit(watched, "reject_window_ns")
    if window_ns is None:
        return None
    return sum(1 for at_ns in conduct.rejects if watched.as_of_ns - at_ns < window_ns)


def _slips(watched: Watched, conduct: Conduct) -> int | None:
    del watched
    return conduct.slipped_in_row


def _each_flagged(flags: Callable[[Tape], Flags], key: str) -> Read:
    """Return a reading for each symbol that the tape has marked, and for no other: most cycles have none."""

    def read(watched: Watched) -> Iterator[Reading]:
        marked = flags(watched.tape)
        if not marked.any():
            return
        for ix in marked.nonzero()[0].tolist():
            limit = _limit(watched, key)
            yield Reading(f"symbol:{watched.tape.universe[ix]}", None if limit is None else limit + 1, limit)

    return read


_SAME_DAY = "a named human, on a later trading date or once the loss is below the limit"
_HARD_DAY = "a named human, on a later trading date only"
_REBASED = "a named human; the peak then begins anew from where it stands"
_LOOKED = "a named human who has looked at the price; the next quote is then believed"
W = Watch
#: Every watch there is.
WATCHES: tuple[Watch, ...] = (
    W(
        code="DAILY_LOSS", row="40a", name="Daily loss limit", scope="account", unit="micros",
        key="max_daily_loss_micros", trips_at=True,
        says="the account lost {observed} today, the limit is {limit}", clears=_SAME_DAY,
        reads=STANDING, read=_account(_account_loss, "max_daily_loss_micros"),
    ),
    W(
        code="DAILY_LOSS_HARD", row="40a", name="Daily loss limit, harder latch", scope="account", unit="micros",
        key="max_daily_loss_micros", trips_at=True,
        says="the account lost {observed} today, 1.25 times its limit is {limit}", clears=_HARD_DAY,
        reads=STANDING, read=_account(_account_loss, "max_daily_loss_micros", hard=True),
    ),
    W(
        code="DRAWDOWN", row="40b", name="Drawdown limit", scope="account", unit="bps", key="max_drawdown_bps",
        trips_at=True,
        says="the account stands {observed} below its peak, the limit is {limit}", clears=_REBASED,
        reads=STANDING, read=_account(_account_drawdown, "max_drawdown_bps"),
    ),
    W(
        code="DRAWDOWN_HARD", row="40b", name="Drawdown limit, harder latch", scope="account", unit="bps",
        key="max_drawdown_bps", trips_at=True,
        says="the account stands {observed} below its peak, 1.25 times its limit is {limit}", clears=_REBASED,
        reads=STANDING, read=_account(_account_drawdown, "max_drawdown_bps", hard=True),
    ),
    W(
        code="STRATEGY_LOSS", row="40a", name="Daily loss limit of a strategy", scope="strategy", unit="micros",
        key="max_strategy_loss_micros", trips_at=True,
        says="it lost {observed} today, the limit is {limit}", clears=_SAME_DAY,
        reads=STANDING, read=_each_standing(_strategy_loss, "max_strategy_loss_micros"),
    ),
    W(
        code="STRATEGY_LOSS_HARD", row="40a", name="Daily loss limit of a strategy, harder latch", scope="strategy",
        unit="micros", key="max_strategy_loss_micros", trips_at=True,
        says="it lost {observed} today, 1.25 times its limit is {limit}", clears=_HARD_DAY,
        reads=STANDING, read=_each_standing(_strategy_loss, "max_strategy_loss_micros", hard=True),
    ),
    W(
        code="STRATEGY_DRAWDOWN", row="40b", name="Drawdown limit of a strategy", scope="strategy", unit="bps",
        key="max_strategy_drawdown_bps", trips_at=True,
        says="it stands {observed} below its peak, the limit is {limit}", clears=_REBASED,
        reads=STANDING, read=_each_standing(_strategy_drawdown, "max_strategy_drawdown_bps"),
    ),
    W(
        code="STRATEGY_DRAWDOWN_HARD", row="40b", name="Drawdown limit of a strategy, harder latch", scope="strategy",
        unit="bps", key="max_strategy_drawdown_bps", trips_at=True,
        says="it stands {observed} below its peak, 1.25 times its limit is {limit}", clears=_REBASED,
        reads=STANDING, read=_each_standing(_strategy_drawdown, "max_strategy_drawdown_bps", hard=True),
    ),
    W(
        code="GROSS_EXPOSURE", row="23", name="Gross exposure at the market's prices", scope="account", unit="micros",
        key="max_gross_notional_micros", trips_at=False,
        says="what is held is worth {observed}, the limit is {limit}",
        reads=MARKET, read=_account(_gross, "max_gross_notional_micros"),
    ),
    W(
        code="LEVERAGE", row="25", name="Leverage at the market's prices", scope="account", unit="x100",
        key="max_leverage_x100", trips_at=False,
        says="what is held is {observed} the equity, the limit is {limit}",
        reads=MARKET, read=_account(_leverage, "max_leverage_x100"),
    ),
    W(
        code="FEED_BROKEN", row="14", name="Feed integrity", scope="account", unit="count", key="max_feed_faults",
        trips_at=False,
        says="the feed had {observed} bad rows in a minute, the limit is {limit}",
        reads=MARKET, read=_account(_feed_faults, "max_feed_faults"),
    ),
    W(
        code="RUNAWAY", row="30", name="Attempts in an hour", scope="strategy", unit="count", key="max_count_hour",
        trips_at=False,
        says="it tried {observed} orders in an hour, the limit is {limit}",
        reads=CONDUCT, read=_each_strategy(_attempts, "max_count_hour"),
    ),
    W(
        code="THROTTLED", row="32", name="Throttled too often", scope="strategy", unit="count", key="max_throttles",
        trips_at=False,
        says="its rate blocked it {observed} times in a minute, the limit is {limit}",
        reads=CONDUCT, read=_each_strategy(_throttles, "max_throttles"),
    ),
    W(
        code="REENTRIES", row="33", name="Repeated automated execution throttle", scope="strategy", unit="count",
        key="max_reentries", trips_at=True,
        says="it entered one symbol again {observed} times today, it is disabled at {limit}",
        reads=CONDUCT, read=_each_strategy(_reentries, "max_reentries"),
    ),
    W(
        code="REPEATED_ORDER", row="33", name="Identical orders", scope="strategy", unit="count", key="max_repeats",
        trips_at=True,
        says="it sent the same order {observed} times, it is disabled at {limit}",
        reads=CONDUCT, read=_each_strategy(_repeats, "max_repeats"),
    ),
    W(
        code="ORDER_TO_TRADE", row="34", name="Order-to-trade ratio", scope="strategy", unit="count",
        key="max_order_to_trade", trips_at=False,
        says="it sent {observed} messages for each execution today, the limit is {limit}",
        reads=CONDUCT, read=_each_strategy(_order_to_trade, "max_order_to_trade"),
    ),
    W(
        code="REJECTS_IN_ROW", row="35", name="Rejections in a row", scope="strategy", unit="count",
        key="max_rejects_in_row", trips_at=True,
        says="the venue rejected {observed} of its orders in a row, it is disabled at {limit}",
        reads=CONDUCT, read=_each_strategy(_rejects_in_row, "max_rejects_in_row"),
    ),
    W(
        code="REJECT_STORM", row="35", name="Reject storm", scope="strategy", unit="count", key="max_rejects",
        trips_at=True,
        says="the venue rejected {observed} of its orders in a short time, it is disabled at {limit}",
        reads=CONDUCT, read=_each_strategy(_rejects, "max_rejects"),
    ),
    W(
        code="SLIPPAGE", row="39", name="Execution-quality anomaly", scope="strategy", unit="count",
        key="slippage_fills", trips_at=True,
        says="{observed} of its fills in a row were too far from their arrival price, it is disabled at {limit}",
        reads=CONDUCT, read=_each_strategy(_slips, "slippage_fills"),
    ),
    W(
        code="VOLATILITY_HALT", row="15", name="Volatility halt", scope="symbol", unit="bps", key="halt_move_bps",
        trips_at=False,
        says="its price moved by more than {limit} in the halt window",
        reads=MARKET, read=_each_flagged(lambda tape: tape.halted_by_move, "halt_move_bps"),
    ),
    W(
        code="SPLIT_SUSPECTED", row="11", name="Unrecorded split", scope="symbol", unit="bps", key="max_jump_bps",
        trips_at=False,
        says="its price opened the day at the ratio of a split, and this source tells of no splits", clears=_LOOKED,
        reads=MARKET, read=_each_flagged(lambda tape: tape.split, "max_jump_bps"),
    ),
)  # fmt: skip
