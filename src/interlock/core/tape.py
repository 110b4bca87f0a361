"""The tape: what the market did so far, as far as a control looks back, in columns.

Floor 1 (decisions). Pure: one snapshot folds the tape into the next one; nothing grows with the length of a run.
On the trip: the first thing of BOOK folds the snapshot here; RISK reads one symbol of it for each intent.

Source: FIA (2015) 1.3, market data reasonability; CME Velocity Logic for pauses by the speed of a price.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import msgspec
import numpy as np

from interlock.model.journal import LimitInForce
from interlock.model.market import Column, Flags, MarketSnapshot
from interlock.model.units import BPS_PER_ONE, SECOND_NS

#: After so many times the quotes that confirm a jump, all of them far from the confirmed price, the old price is gone.
AWAY_TIMES = 3
#: In how many buckets the two windows of price movement are kept; the oldest counts whole.
BUCKETS = 10
#: The volume of this long is what an order is compared with.
VOLUME_WINDOW_NS = 300 * SECOND_NS
#: How far a jump may be from the exact ratio of a split and still look like one, in basis points.
SPLIT_TOLERANCE_BPS = 300
#: The ratios of splits and reverse splits that are looked for, as (numerator, denominator) of price after to before.
SPLIT_RATIOS = (
    (1, 2), (1, 3), (2, 3), (1, 4), (1, 5), (1, 6), (1, 7), (1, 8), (1, 10), (1, 15), (1, 20), (1, 25),
    (1, 30), (1, 40), (1, 50), (1, 100), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1), (10, 1), (15, 1),
    (20, 1), (25, 1), (30, 1), (40, 1), (50, 1), (100, 1),
)  # fmt: skip


class Range(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The highest and lowest mid of each symbol over a window of market time, in `BUCKETS` and the one that is open.

    Attributes:
        bucket: number of the open bucket, -1 before the first.
        highs: int64[BUCKETS, N], of the closed buckets, micros (0 = none).
        lows: likewise (a huge number = none).
        past_high: int64[N], over all closed buckets that still count; `past_low` likewise.
        high: int64[N], of the open bucket; `low` likewise.
    """

    bucket: int
    highs: Column
    lows: Column
    past_high: Column
    past_low: Column
    high: Column
    low: Column

    @classmethod
    def start(cls, symbols: int) -> Self:
        """Return a range that has seen nothing."""
        none, huge = np.zeros(symbols, dtype=np.int64), np.full(symbols, _NO_LOW, dtype=np.int64)
        return cls(
            bucket=-1,
            highs=np.zeros((BUCKETS, symbols), dtype=np.int64),
            lows=np.full((BUCKETS, symbols), _NO_LOW, dtype=np.int64),
            past_high=none,
            past_low=huge,
            high=none,
            low=huge,
        )

    def advance(self, mid: Column, usable: Flags, *, at_ns: int, window_ns: int) -> Range:
        """Return the range with one more column of mids; one that is not usable moves nothing."""
        bucket = at_ns // max(1, -(-window_ns // BUCKETS))
        rolled = self if bucket == self.bucket else self._rolled(bucket)
        seen_low = np.where(usable, mid, _NO_LOW)
        return msgspec.structs.replace(
            rolled,
            high=np.maximum(rolled.high, np.where(usable, mid, 0)),
            low=np.minimum(rolled.low, seen_low),
        )

    def _rolled(self, bucket: int) -> Range:
        """Return the range with the open bucket closed and another open; those between them saw nothing."""
        symbols = len(self.high)
        none, huge = np.zeros(symbols, dtype=np.int64), np.full(symbols, _NO_LOW, dtype=np.int64)
        gone = bucket - self.bucket
        if self.bucket < 0 or gone > BUCKETS or gone < 0:
            return msgspec.structs.replace(Range.start(symbols), bucket=bucket)
        empty = np.zeros((gone - 1, symbols), dtype=np.int64)
        highs = np.concatenate((self.highs[gone:], self.high[np.newaxis], empty))
        lows = np.concatenate((self.lows[gone:], self.low[np.newaxis], empty + _NO_LOW))
        return Range(
            bucket=bucket,
            highs=highs,
            lows=lows,
            past_high=highs.max(axis=0),
            past_low=lows.min(axis=0),
            high=none,
            low=huge,
        )

    def has_moved(self, *, move_bps: int) -> Flags:
        """Return bool[N], True where highest less lowest passes `move_bps` of the lowest, multiplied out."""
        high = np.maximum(self.high, self.past_high)
        low = np.minimum(self.low, self.past_low)
        # high - low > part x low, with the low brought to one side; where nothing was seen, zero is not above anything.
        moved: Flags = high * BPS_PER_ONE > (BPS_PER_ONE + move_bps) * low
        return moved


#: No price of a share in micros comes near this, and times any part of a price it still fits into 64 bits.
_NO_LOW = 2**48


class Tape(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a run has seen of each symbol; every column is int64[N].

    Attributes:
        universe: the symbols, in the order of the columns.
        seq: number of the last snapshot, 0 before the first.
        date_ix: number of the trading dates seen; `dates` says on which each symbol was last usable.
        trading_date: of the last snapshot.
        feed_ns: the newest `event_ns` of all symbols.
        confirmed_px: the last confirmed mid, of any age (0 = never).
        mark_bid_px: the bid of the last confirmed quote; `mark_ask_px` its ask.
        jump_px: the last mid that was far from the confirmed one and waits for others to confirm it (0 = none waits).
        jump_count: how many quotes in a row were near the one before, the first included.
        jump_quotes: how many quotes in a row were far from the confirmed one; a price that runs away is believed too.
        split: bool[N], the quote opened a trading date at the ratio of a split and is not believed.
        quotes: fresh usable quotes in a row since the start or the last fault, at most `QUOTES_MAX`.
        quote_ns: `event_ns` of the last one that counted.
        dates: the number of the trading date on which it was last usable, 0 for never.
        fast: range of mids over the pause window; `slow` over the halt window.
        paused_until_ns: market time until which a fast move pauses it.
        volumes: int64[BUCKETS, N], shares traded in the closed buckets of `VOLUME_WINDOW_NS`.
        volume: of the open bucket; `volume_bucket` its number.
        faults: (ns, count) of bad rows in the last minute.
    """

    universe: tuple[str, ...]
    seq: int
    date_ix: int
    trading_date: str
    feed_ns: int
    confirmed_px: Column
    mark_bid_px: Column
    mark_ask_px: Column
    jump_px: Column
    jump_count: Column
    jump_quotes: Column
    split: Flags
    quotes: Column
    quote_ns: Column
    dates: Column
    fast: Range
    slow: Range
    halted_by_move: Flags
    paused_until_ns: Column
    volumes: Column
    past_volume: Column
    volume: Column
    volume_bucket: int
    faults: tuple[tuple[int, int], ...]


class SymbolTape(msgspec.Struct, frozen=True):
    """The tape of one symbol, as the controls read it; a symbol that is not in the universe has none of it."""

    confirmed_px: int = 0
    is_confirmed: bool = False
    is_split: bool = False
    quotes: int = 0
    paused_until_ns: int = 0
    volume: int = 0


#: Fresh quotes are counted up to here; no written limit asks for more.
QUOTES_MAX = 1_000_000
NO_TAPE = SymbolTape()
_FAULT_WINDOW_NS = 60 * SECOND_NS


def blank_tape(universe: tuple[str, ...], *, confirmed_px: Column | None = None) -> Tape:
    """Return a tape that has seen nothing, but for confirmed prices that were carried over."""
    symbols = len(universe)
    none = np.zeros(symbols, dtype=np.int64)
    no = np.zeros(symbols, dtype=np.bool_)
    known = none if confirmed_px is None else confirmed_px
    return Tape(
        universe=universe,
        seq=0,
        date_ix=0,
        trading_date="",
        feed_ns=0,
        confirmed_px=known,
        mark_bid_px=none,
        mark_ask_px=none,
        jump_px=none,
        jump_count=none,
        jump_quotes=none,
        split=no,
        quotes=none,
        quote_ns=none,
        dates=none,
        fast=Range.start(symbols),
        slow=Range.start(symbols),
        halted_by_move=no,
        paused_until_ns=none,
        volumes=np.zeros((BUCKETS, symbols), dtype=np.int64),
        past_volume=none,
        volume=none,
        volume_bucket=-1,
        faults=(),
    )


def advance_tape(tape: Tape, snapshot: MarketSnapshot, *, usable: Flags, limits: Mapping[str, LimitInForce]) -> Tape:
    """Fold one snapshot into the tape.

    Args:
        tape: what was seen before.
        snapshot: the market now.
        usable: bool[N], where it has a whole, uncrossed, unhalted quote.
        limits: the account's limits; each that is read here has a default, so that none is missing.

    Returns:
        The tape after it.
    """
    # A price that no share has is never believed; brought down to here, no product with it passes 64 bits.
    mid = np.minimum((snapshot.bid_px + snapshot.ask_px) // 2, _NO_LOW)
    is_new_date = snapshot.trading_date != tape.trading_date
    date_ix = tape.date_ix + is_new_date
    tape = _judged(tape, snapshot, mid=mid, usable=usable, date_ix=date_ix, limits=limits)
    at_ns = snapshot.as_of_ns
    believed = usable & (tape.jump_px == 0) & ~tape.split
    fast = tape.fast.advance(mid, believed, at_ns=at_ns, window_ns=_of(limits, "pause_window_ns"))
    slow = tape.slow.advance(mid, believed, at_ns=at_ns, window_ns=_of(limits, "halt_window_ns"))
    pauses = fast.has_moved(move_bps=_of(limits, "pause_move_bps"))
    paused_until_ns = np.where(pauses, at_ns + _of(limits, "pause_for_ns"), tape.paused_until_ns)
    volumes, past_volume, volume, bucket = _volumes(tape, snapshot)
    return msgspec.structs.replace(
        tape,
        seq=snapshot.seq,
        date_ix=date_ix,
        trading_date=snapshot.trading_date,
        feed_ns=max(tape.feed_ns, int(snapshot.event_ns.max())),
        fast=fast,
        slow=slow,
        halted_by_move=slow.has_moved(move_bps=_of(limits, "halt_move_bps")),
        paused_until_ns=paused_until_ns,
        volumes=volumes,
        past_volume=past_volume,
        volume=volume,
        volume_bucket=bucket,
        faults=_faults(tape.faults, snapshot),
    )


def _of(limits: Mapping[str, LimitInForce], key: str) -> int:
    limit = limits.get(key)
    return 0 if limit is None or limit.value is None else limit.value


def _judged(  # noqa: PLR0913 - what a quote is judged by
    tape: Tape,
    snapshot: MarketSnapshot,
    *,
    mid: Column,
    usable: Flags,
    date_ix: int,
    limits: Mapping[str, LimitInForce],
) -> Tape:
    """Believe a quote that is near the last confirmed one; keep one that jumped until others confirm it."""
    jump_bps, jump_quotes = _of(limits, "max_jump_bps"), _of(limits, "jump_quotes")
    fresh = usable & (snapshot.event_ns > tape.quote_ns)
    known = tape.confirmed_px > 0
    opens = fresh & known & (tape.dates < date_ix)
    near = (mid < _NO_LOW) & (~known | (np.abs(mid - tape.confirmed_px) * BPS_PER_ONE <= jump_bps * tape.confirmed_px))
    split = tape.split & ~(fresh & near)
    if opens.any():
        split = np.where(opens, _looks_split(mid, tape.confirmed_px), split)
    waits = fresh & ~near
    if not (waits.any() or split.any() or tape.jump_px.any()):
        return _believed(tape, snapshot, mid=mid, fresh=fresh, date_ix=date_ix)
    again = waits & (tape.jump_px > 0) & (np.abs(mid - tape.jump_px) * BPS_PER_ONE <= jump_bps * tape.jump_px)
    count = np.where(again, tape.jump_count + 1, np.where(waits, 1, tape.jump_count))
    far = np.where(waits, tape.jump_quotes + 1, np.where(fresh, 0, tape.jump_quotes))
    confirmed_by_count = waits & (mid < _NO_LOW) & ((count >= jump_quotes) | (far >= AWAY_TIMES * jump_quotes))
    believed = ((fresh & near) | confirmed_by_count) & ~split
    jump_px = np.where(believed, 0, np.where(waits, mid, tape.jump_px))
    counted = np.where(fresh, np.minimum(tape.quotes + 1, QUOTES_MAX), tape.quotes)
    return msgspec.structs.replace(
        tape,
        confirmed_px=np.where(believed, mid, tape.confirmed_px),
        mark_bid_px=np.where(believed, snapshot.bid_px, tape.mark_bid_px),
        mark_ask_px=np.where(believed, snapshot.ask_px, tape.mark_ask_px),
        jump_px=jump_px,
        jump_count=np.where(believed, 0, count),
        jump_quotes=np.where(believed, 0, far),
        split=split,
        quotes=np.where(snapshot.present, counted, 0),
        quote_ns=np.where(fresh, snapshot.event_ns, tape.quote_ns),
        dates=np.where(fresh, date_ix, tape.dates),
    )


def _believed(tape: Tape, snapshot: MarketSnapshot, *, mid: Column, fresh: Flags, date_ix: int) -> Tape:
    """Believe every fresh quote, as in most snapshots: nothing jumped, nothing waits, nothing looks like a split."""
    counted = np.minimum(tape.quotes + fresh, QUOTES_MAX)
    return msgspec.structs.replace(
        tape,
        confirmed_px=np.where(fresh, mid, tape.confirmed_px),
        mark_bid_px=np.where(fresh, snapshot.bid_px, tape.mark_bid_px),
        mark_ask_px=np.where(fresh, snapshot.ask_px, tape.mark_ask_px),
        jump_count=np.where(fresh, 0, tape.jump_count),
        jump_quotes=np.where(fresh, 0, tape.jump_quotes),
        split=tape.split & ~fresh,
        quotes=np.where(snapshot.present, counted, 0),
        quote_ns=np.where(fresh, snapshot.event_ns, tape.quote_ns),
        dates=np.where(fresh, date_ix, tape.dates),
    )


def _looks_split(mid: Column, before_px: Column) -> Flags:
    """Return where a mid stands to the one before it as after a split, within the tolerance, multiplied out."""
    found = np.zeros(len(mid), dtype=np.bool_)
    for numerator, denominator in SPLIT_RATIOS:
        expected = before_px * numerator
        found = found | (np.abs(mid * denominator - expected) * BPS_PER_ONE <= SPLIT_TOLERANCE_BPS * expected)
    return found


def _volumes(tape: Tape, snapshot: MarketSnapshot) -> tuple[Column, Column, Column, int]:
    """Return the buckets of volume with this snapshot's in the open one."""
    bucket = snapshot.as_of_ns // (VOLUME_WINDOW_NS // BUCKETS)
    gone = bucket - tape.volume_bucket
    if gone == 0:
        return tape.volumes, tape.past_volume, tape.volume + snapshot.volume, bucket
    symbols = len(snapshot.volume)
    if tape.volume_bucket < 0 or gone > BUCKETS or gone < 0:
        nothing = np.zeros((BUCKETS, symbols), dtype=np.int64)
        return nothing, np.zeros(symbols, dtype=np.int64), snapshot.volume, bucket
    empty = np.zeros((gone - 1, symbols), dtype=np.int64)
    volumes = np.concatenate((tape.volumes[gone:], tape.volume[np.newaxis], empty))
    return volumes, volumes.sum(axis=0), snapshot.volume, bucket


def _faults(before: tuple[tuple[int, int], ...], snapshot: MarketSnapshot) -> tuple[tuple[int, int], ...]:
    """Return the bad rows of the last minute; what is only missing is no bad row."""
    bad = sum(1 for fault in snapshot.faults if fault.code.startswith("ROW_"))
    kept = tuple(past for past in before if snapshot.as_of_ns - past[0] < _FAULT_WINDOW_NS)
    return (*kept, (snapshot.as_of_ns, bad)) if bad else kept


def symbol_tape(tape: Tape, ix: int) -> SymbolTape:
    """Return the tape of the symbol at position `ix` of the universe."""
    return SymbolTape(
        int(tape.confirmed_px[ix]),
        bool(tape.jump_px[ix] == 0 and not tape.split[ix]),
        bool(tape.split[ix]),
        int(tape.quotes[ix]),
        int(tape.paused_until_ns[ix]),
        int(tape.volume[ix] + tape.past_volume[ix]),
    )


def faults_in_minute(tape: Tape) -> int:
    """Return how many bad rows the feed had in the last minute."""
    return sum(count for _, count in tape.faults)


def clear_split(tape: Tape, ix: int) -> Tape:
    """Return the tape after a human looked at a split: the price before it counts no more, the next quote does."""
    return msgspec.structs.replace(
        tape,
        split=_without(tape.split, ix),
        confirmed_px=_zeroed(tape.confirmed_px, ix),
        jump_px=_zeroed(tape.jump_px, ix),
        jump_count=_zeroed(tape.jump_count, ix),
        jump_quotes=_zeroed(tape.jump_quotes, ix),
    )


def _without(flags: Flags, ix: int) -> Flags:
    changed = flags.copy()
    changed[ix] = False
    return changed


def _zeroed(column: Column, ix: int) -> Column:
    changed = column.copy()
    changed[ix] = 0
    return changed
