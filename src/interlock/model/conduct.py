"""What an account and its strategies did so far, as far as a control counts it, and how they stand.

Floor 0 (words). Values only: `core.conduct` and `core.standing` fold them, and a run hands them to the next.
On the trip: BOOK and RISK fold them; the watch after BOOK reads them.
"""

from __future__ import annotations

import msgspec


class Window(msgspec.Struct, frozen=True):
    """A rolling sum: (bucket, value, count) of each bucket that is not empty, oldest first, and the totals.

    The oldest bucket counts whole, so that the sum never covers less than its span.
    """

    buckets: tuple[tuple[int, int, int], ...] = ()
    value: int = 0
    count: int = 0


class Conduct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one strategy did, as far as a control counts it; `day` counts are those of the trading date.

    Attributes:
        minute: value of approved orders (micros) and number of attempts, blocked ones too, in buckets of a second.
        hour: the same in buckets of a minute.
        blocked: what was last blocked of each side and symbol, (ns, micros): a wish that is repeated is one attempt.
        sent: approvals by instant, (ns, count), as far back as the rate looks.
        messages_day: orders sent and cancels asked for.
        executions_day: fills.
        rejects_in_row: rejections since the last order that a venue took.
        rejects: the instants of the last rejections.
        throttled: the instants of the last blocks by its rate.
        left: symbols of which it has sold everything since its last entry.
        reentries: (symbol, how often it was entered again after it was left).
        repeats: (order in words, instants at which it was approved), the newest last.
        slipped_in_row: fills in a row that were too far from their arrival price.
    """

    minute: Window = Window()
    hour: Window = Window()
    blocked: dict[str, tuple[int, int]] = {}
    sent: tuple[tuple[int, int], ...] = ()
    messages_day: int = 0
    executions_day: int = 0
    rejects_in_row: int = 0
    rejects: tuple[int, ...] = ()
    throttled: tuple[int, ...] = ()
    left: tuple[str, ...] = ()
    reentries: tuple[tuple[str, int], ...] = ()
    repeats: tuple[tuple[str, tuple[int, ...]], ...] = ()
    slipped_in_row: int = 0


class Counters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the account did today and what each strategy did; a fold over decisions, reports and cancels.

    Attributes:
        trading_date: the date that the `day` counts are of.
        attempts_day: value of approved orders (micros), and number of all attempts, blocked ones included.
        blocked_day_micros: value of what was last blocked of each strategy, side and symbol.
        entries_day: entries that were approved.
        sent: approvals by instant, (ns, count), of the whole account.
        same: (order in words, instant of its last approval), as far back as duplicates are sought.
        strategies: conduct by strategy.
    """

    trading_date: str = ""
    attempts_day: tuple[int, int] = (0, 0)
    blocked_day_micros: int = 0
    entries_day: int = 0
    sent: tuple[tuple[int, int], ...] = ()
    same: dict[str, int] = {}
    strategies: dict[str, Conduct] = {}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The profit of the account or of one strategy, in micros, on a conservative mark.

    Longs count at the bid and shorts at the ask, fees are in, deposits and withdrawals move nothing.

    Attributes:
        scope: `account` or `strategy:<name>`.
        profit_micros: now.
        opening_micros: at the end of the trading date before; for an account that is new, at its first mark.
        peak_micros: the highest so far.
    """

    scope: str
    profit_micros: int
    opening_micros: int
    peak_micros: int


class DayRoll(msgspec.Struct, frozen=True, kw_only=True):
    """A new trading date: from here on losses are counted from these standings. A restart never makes one again."""

    trading_date: str
    standings: tuple[Standing, ...]
