"""The scanner: which symbols are worth a look now, with the features that earned each its rank.

Floor 1 (decisions). Pure: each scanner is a frozen value that folds one snapshot into the next value.
A ring is a tuple of the snapshots' own read-only columns, so nothing is copied and nothing is written to.
On the trip: SCAN runs after BOOK, on the whole universe at once; Python touches candidates only.
"""

from __future__ import annotations

from typing import Protocol, Self

import msgspec
import numpy as np
import numpy.typing as npt

from interlock.model.market import Column, Flags, MarketSnapshot
from interlock.model.orders import Side
from interlock.model.signals import Candidate, Feature, ScanResult
from interlock.model.units import BPS_PER_ONE, money, percent

#: The most candidates that one scanner hands on in one cycle.
CANDIDATES_MAX = 20


class Prices(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What scanners read of a snapshot: `mid_px` int64[N] in micros, and bool[N] where it may be used."""

    mid_px: Column
    usable: Flags


class Scanner(Protocol):
    """A scanner is its own state: `advance` returns the next state and what was found."""

    def advance(self, snapshot: MarketSnapshot, prices: Prices) -> tuple[Self, ScanResult]:
        """Fold one snapshot."""
        ...


def prices_of(snapshot: MarketSnapshot) -> Prices:
    """Return mid prices and where they mean something: a quote on both sides, not crossed, not halted."""
    usable = snapshot.present & ~snapshot.halted & (snapshot.bid_px > 0) & (snapshot.ask_px >= snapshot.bid_px)
    return Prices(mid_px=(snapshot.bid_px + snapshot.ask_px) // 2, usable=usable)


class MovingAverageCross(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Finds mids that cross the simple moving average of the last `window` mids, this one included.

    Attributes:
        window: how many snapshots the average spans.
        ring: the last `window` mid columns, oldest first (zero where not usable).
        total: int64[N], sum over the ring.
        streak: int64[N], usable snapshots in a row.
        above: int64[N], +1 above the average, -1 below, 0 not known yet.

    Source: the simple moving average, compared as `mid * window` against the sum, so that nothing is divided.
    """

    window: int
    ring: tuple[Column, ...]
    total: Column
    streak: Column
    above: Column

    @classmethod
    def start(cls, *, window: int, symbols: int) -> Self:
        """Return a scanner that has seen nothing."""
        zeros = np.zeros(symbols, dtype=np.int64)
        return cls(window=window, ring=(), total=zeros, streak=zeros, above=zeros)

    def advance(self, snapshot: MarketSnapshot, prices: Prices) -> tuple[Self, ScanResult]:
        """Fold one snapshot; a candidate is a symbol that changed sides in this very snapshot."""
        mid = np.where(prices.usable, prices.mid_px, 0)
        full = len(self.ring) == self.window
        total = self.total + mid - self.ring[0] if full else self.total + mid
        ring = (*(self.ring[1:] if full else self.ring), mid)
        streak = np.where(prices.usable, self.streak + 1, 0)
        warm = streak >= self.window
        side = np.sign(mid * self.window - total)
        above = np.where(warm, np.where(side == 0, self.above, side), 0)
        crossed = np.flatnonzero(above * self.above < 0)
        average_px = total[crossed] // self.window
        distance_bps = np.abs(mid[crossed] - average_px) * BPS_PER_ONE // np.maximum(average_px, 1)
        best = best_of(crossed, distance_bps)
        found = [self._candidate(snapshot, ix=int(ix), mid=mid, total=total, above=above) for ix in best]
        following = type(self)(window=self.window, ring=ring, total=total, streak=streak, above=above)
        warm_count = int(np.count_nonzero(warm))
        because = (
            f"no symbol crossed its average of {self.window} snapshots; {warm_count} of {len(warm)} have enough of them"
        )
        return following, ranked("moving_average_cross", found, of=len(crossed), because=because)

    def _candidate(self, snapshot: MarketSnapshot, *, ix: int, mid: Column, total: Column, above: Column) -> Candidate:
        mid_px = int(mid[ix])
        sum_px = int(total[ix])
        is_up = int(above[ix]) > 0
        average_px = sum_px // self.window
        distance_bps = abs(mid_px - average_px) * BPS_PER_ONE // max(average_px, 1)
        return Candidate(
            symbol=snapshot.universe[ix],
            scanner="moving_average_cross",
            rank=0,
            score=distance_bps,
            side=Side.BUY if is_up else Side.SELL,
            features=(
                Feature("mid_px", mid_px, "px"),
                Feature("average_px", average_px, "px"),
                Feature("distance_bps", distance_bps, "bps"),
            ),
            because=f"its mid {money(mid_px)} crossed {'above' if is_up else 'below'} its average {money(average_px)}",
        )


class Gap(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Finds mids that jumped by at least `move_bps_min` since the symbol's last usable snapshot (overnight included).

    `previous_px` is int64[N] in micros, 0 before the first usable snapshot.
    """

    move_bps_min: int
    previous_px: Column

    @classmethod
    def start(cls, *, move_bps_min: int, symbols: int) -> Self:
        """Return a scanner that has seen nothing."""
        return cls(move_bps_min=move_bps_min, previous_px=np.zeros(symbols, dtype=np.int64))

    def advance(self, snapshot: MarketSnapshot, prices: Prices) -> tuple[Self, ScanResult]:
        """Fold one snapshot; the bound itself counts as a gap."""
        both = prices.usable & (self.previous_px > 0)
        move = np.where(both, prices.mid_px - self.previous_px, 0)
        jumped = np.flatnonzero(both & (np.abs(move) * BPS_PER_ONE >= self.move_bps_min * self.previous_px))
        best = best_of(jumped, np.abs(move[jumped]) * BPS_PER_ONE // np.maximum(self.previous_px[jumped], 1))
        found = [self._candidate(snapshot, ix=int(ix), mid_px=int(prices.mid_px[ix])) for ix in best]
        following = type(self)(
            move_bps_min=self.move_bps_min, previous_px=np.where(prices.usable, prices.mid_px, self.previous_px)
        )
        because = f"no mid moved by {percent(self.move_bps_min)} or more since its last quote"
        return following, ranked("gap", found, of=len(jumped), because=because)

    def _candidate(self, snapshot: MarketSnapshot, *, ix: int, mid_px: int) -> Candidate:
        previous_px = int(self.previous_px[ix])
        move_px = mid_px - previous_px
        move_bps = abs(move_px) * BPS_PER_ONE // previous_px
        return Candidate(
            symbol=snapshot.universe[ix],
            scanner="gap",
            rank=0,
            score=move_bps,
            side=Side.BUY if move_px > 0 else Side.SELL,
            features=(
                Feature("mid_px", mid_px, "px"),
                Feature("previous_px", previous_px, "px"),
                Feature("move_bps", move_bps, "bps"),
            ),
            because=f"its mid jumped {percent(move_bps)} {'up' if move_px > 0 else 'down'} to {money(mid_px)}",
        )


class RelativeVolume(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Finds volume of at least `multiple_x100` hundredths of the mean of the `window` snapshots before.

    `ring` holds the last `window` volume columns, oldest first, and `total` their sum, int64[N] in shares.
    """

    window: int
    multiple_x100: int
    ring: tuple[Column, ...]
    total: Column

    @classmethod
    def start(cls, *, window: int, multiple_x100: int, symbols: int) -> Self:
        """Return a scanner that has seen nothing."""
        return cls(window=window, multiple_x100=multiple_x100, ring=(), total=np.zeros(symbols, dtype=np.int64))

    def advance(self, snapshot: MarketSnapshot, prices: Prices) -> tuple[Self, ScanResult]:
        """Fold one snapshot; this snapshot's volume is compared with those before it, never with itself."""
        full = len(self.ring) == self.window
        heavy = snapshot.volume * (self.window * 100) >= self.total * self.multiple_x100
        busy = np.flatnonzero(heavy & (self.total > 0) & (snapshot.volume > 0) & prices.usable & full)
        best = best_of(busy, snapshot.volume[busy] * (self.window * 100) // np.maximum(self.total[busy], 1))
        found = [self._candidate(snapshot, ix=int(ix), mid_px=int(prices.mid_px[ix])) for ix in best]
        total = self.total + snapshot.volume - self.ring[0] if full else self.total + snapshot.volume
        ring = (*(self.ring[1:] if full else self.ring), snapshot.volume)
        following = type(self)(window=self.window, multiple_x100=self.multiple_x100, ring=ring, total=total)
        because = (
            f"no volume reached {_times(self.multiple_x100)} times its mean of {self.window} snapshots"
            if full
            else f"it has seen {len(self.ring)} of the {self.window} snapshots that it compares with"
        )
        return following, ranked("relative_volume", found, of=len(busy), because=because)

    def _candidate(self, snapshot: MarketSnapshot, *, ix: int, mid_px: int) -> Candidate:
        volume = int(snapshot.volume[ix])
        total = int(self.total[ix])
        relative_x100 = volume * self.window * 100 // total
        last_px = int(snapshot.last_px[ix])
        return Candidate(
            symbol=snapshot.universe[ix],
            scanner="relative_volume",
            rank=0,
            score=relative_x100,
            side=Side.BUY if last_px >= mid_px else Side.SELL,
            features=(
                Feature("volume_qty", volume, "qty"),
                Feature("mean_qty", total // self.window, "qty"),
                Feature("relative_x100", relative_x100, "x100"),
            ),
            because=f"{volume:,} shares traded, {_times(relative_x100)} times its mean",
        )


def _times(value_x100: int) -> str:
    """Write hundredths as a plain factor."""
    return f"{value_x100 // 100}.{value_x100 % 100:02d}".rstrip("0").rstrip(".")


def best_of(found: npt.NDArray[np.intp], scores: Column) -> npt.NDArray[np.intp]:
    """Return the `CANDIDATES_MAX` best of `found` by score, best first; ties keep the order of the universe."""
    return found[np.argsort(-scores, kind="stable")[:CANDIDATES_MAX]]


def ranked(scanner: str, best: list[Candidate], *, of: int, because: str) -> ScanResult:
    """Return the candidates of one scanner with their ranks.

    Args:
        scanner: its name.
        best: what it keeps, best first.
        of: how many it found in all.
        because: why there are none, said only then.
    """
    if not best:
        return ScanResult(scanner=scanner, candidates=(), because=because)
    candidates = tuple(msgspec.structs.replace(candidate, rank=rank) for rank, candidate in enumerate(best, start=1))
    kept = f", the best {len(candidates)} kept" if of > len(candidates) else ""
    return ScanResult(scanner=scanner, candidates=candidates, because=f"{of} found{kept}")
