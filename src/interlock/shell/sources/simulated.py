"""The simulated market: quotes made up from a seed, for any number of symbols, with dirt where it is asked for.

Floor 2 (shell). It never reads a clock and never asks for chance: what a step draws follows from seed and
step alone, and becomes prices through whole numbers only (+ - x //, comparisons, tables), so that a seed is
the same market on every machine and under every version of numpy.
On the trip: SEE calls `next`, which draws one step and shows it as one snapshot.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec
import numpy as np

from interlock.model.errors import DataError
from interlock.model.market import (
    Column,
    MarketSnapshot,
    Origin,
    Provides,
    Reference,
    checked_universe,
    make_reference,
    make_snapshot,
)
from interlock.model.units import BPS_PER_ONE, plain
from interlock.shell.sources.dates import NEW_YORK, TIME_NS_MAX, ExchangeDays
from interlock.shell.sources.dirt import Dirt, DirtRates, checked_rates
from interlock.shell.sources.drawn import Drawn, PhiloxWords, lanes_of_16

#: Version of the drawing; another version is another market, and the journal says which it was.
SIMULATOR_VERSION = 1
#: 2013-10-07T14:30:00Z, an hour after New York opens; SIM begins here whatever the wall clock says.
SIM_START_NS = 1_381_156_200_000_000_000
#: One tick, $0.01, in micros.
TICK_PX = 10_000
SEED_MAX = 2**64 - 1

# Two words a symbol, so eight lanes of 16 bits a step; each lane has one use.
_WORDS_A_SYMBOL = 2
_LANE_END = 65_536
_MOVE, _FOLLOW, _CHANCE, _CHOICE, _SPREAD, _BID_LOTS, _ASK_LOTS, _TRADE = range(8)

_START_MIN_TICKS = 2_000
_START_MAX_TICKS = 40_000
_LOT_QTY = 100
_LOTS_MAX = 15
#: Of 128 equally likely entries 32 are a step without a trade; the others trade 1 to 16 lots at the bid or the ask.
_TRADE_ENTRIES = 128
_TRADES = 96
_TRADE_LOTS_MAX = 16
#: A trend is drawn anew about once in 120 steps; a gap comes about once in 400.
_TURN_BELOW = 546
_JUMP_BELOW = 164
#: What a busy share trades in a day, in lots: 1,000,000 to 20,000,000 shares.
_ADV_MIN_LOTS = 10_000
_ADV_MAX_LOTS = 200_000
_PROVIDES = frozenset(
    {
        *(Provides.QUOTES, Provides.SIZES, Provides.LAST, Provides.VOLUME, Provides.STATUS),
        *(Provides.PREVIOUS_CLOSE, Provides.DAILY_VOLUME),
    }
)


class Regime(StrEnum):
    """How the made-up prices move."""

    CALM = "calm"
    TRENDING = "trending"
    VOLATILE = "volatile"
    GAP = "gap"


class _Tables(msgspec.Struct, frozen=True, kw_only=True):
    """What a lane may pick in one regime; every entry of a table is equally likely."""

    moves_ticks: Column
    spreads_ticks: Column
    follows: Column
    trends: Column
    jumps_bps: Column
    trade_qty: Column
    trade_at_ask: Column


def _tables_of(regime: Regime) -> _Tables:
    if regime is Regime.VOLATILE:
        away = [1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 9, 12]
        still = 2
        spreads = [2, 2, 3, 3, 4, 4, 5, 8]
    else:
        away = [1, 1, 1, 1, 1, 1, 2]
        still = 18
        spreads = [1, 1, 1, 1, 1, 2, 2, 3]
    moves = [-ticks for ticks in away] + [0] * still + away
    entries = np.arange(_TRADE_ENTRIES, dtype=np.int64)
    return _Tables(
        moves_ticks=np.array(moves, dtype=np.int64),
        spreads_ticks=np.array(spreads, dtype=np.int64),
        follows=np.array([0, 0, 1], dtype=np.int64),
        trends=np.array([-1, 0, 1], dtype=np.int64),
        jumps_bps=np.array([-600, -450, -300, -200, 200, 300, 450, 600], dtype=np.int64),
        trade_qty=np.where(entries < _TRADES, (entries // 2 % _TRADE_LOTS_MAX + 1) * _LOT_QTY, 0),
        trade_at_ask=entries % 2,
    )


def _picked(table: Column, lane: Column) -> Column:
    return table.take(lane * len(table) // _LANE_END)


def _number_of(symbol: str, *, seed: int, end: int) -> int:
    """Return a number below `end` that follows from the seed and the name of the symbol."""
    return int.from_bytes(hashlib.sha256(f"{seed} {symbol}".encode()).digest()[:8], "big") % end


def _daily_volumes(universe: tuple[str, ...], seed: int) -> Column:
    """Return the made-up mean daily volume of each symbol, in shares; it follows from the seed and the name."""
    span_lots = _ADV_MAX_LOTS - _ADV_MIN_LOTS + 1
    lots = [_ADV_MIN_LOTS + _number_of(f"{symbol} daily volume", seed=seed, end=span_lots) for symbol in universe]
    return np.array(lots, dtype=np.int64) * _LOT_QTY


class SimulatedSource:
    """A made-up market that never ends: snapshot k, from 1, is as of `start_ns + k * step_ns`.

    Args:
        universe: the symbols.
        seed: 0 to 2**64 - 1; the whole market follows from it.
        step_ns: market time from one snapshot to the next, ns.
        start_ns: UTC; `SIM_START_NS` in SIM, the wall clock in PAPER.
        regime: `calm`, `trending`, `volatile` or `gap`.
        missing_bps: how often a symbol's quote goes missing, in bps of its steps; dirt lasts 2 to 6 steps.
        stale_bps: how often a symbol's quote stops advancing.
        crossed_bps: how often a symbol's bid is shown above its ask.
        halted_bps: how often a symbol is halted; its quote stays as it was.

    Raises:
        DataError: an argument that no market can be drawn from.
    """

    def __init__(  # noqa: PLR0913 - one argument a key of [source], all by keyword
        self,
        *,
        universe: tuple[str, ...],
        seed: int,
        step_ns: int,
        start_ns: int = SIM_START_NS,
        regime: str = "calm",
        missing_bps: int = 0,
        stale_bps: int = 0,
        crossed_bps: int = 0,
        halted_bps: int = 0,
    ) -> None:
        _check_numbers(seed=seed, step_ns=step_ns, start_ns=start_ns)
        self._universe = checked_universe(universe)
        self._seed, self._step_ns, self._start_ns = seed, step_ns, start_ns
        self._regime = _checked_regime(regime)
        self._rates = checked_rates(
            DirtRates(missing_bps=missing_bps, stale_bps=stale_bps, crossed_bps=crossed_bps, halted_bps=halted_bps)
        )
        self._is_dirty = any(rate > 0 for _, rate in self._rates.settings)
        self._dirt = Dirt(seed=seed, universe=universe, rates=self._rates)
        self._words = PhiloxWords(seed=seed, stream=0)
        self._tables = _tables_of(self._regime)
        self._days = ExchangeDays(NEW_YORK)
        self._step = 0
        span_ticks = _START_MAX_TICKS - _START_MIN_TICKS
        starts = [_START_MIN_TICKS + _number_of(symbol, seed=seed, end=span_ticks) for symbol in universe]
        self._mid_ticks = np.array(starts, dtype=np.int64)
        self._floor_ticks = self._mid_ticks // 2
        self._ceiling_ticks = self._mid_ticks * 2
        self._trend = self._mid_ticks % 2 * 2 - 1
        self._last_px = np.zeros(len(universe), dtype=np.int64)
        self._adv_qty = _daily_volumes(universe, seed)
        self._trading_date = ""
        self._reference = self._known_beforehand()

    @property
    def origin(self) -> Origin:
        """Return the seed, the version of the drawing and every setting that the market follows from."""
        identity = (
            ("seed", str(self._seed)),
            ("simulator", str(SIMULATOR_VERSION)),
            ("start_ns", str(self._start_ns)),
            ("step_ns", str(self._step_ns)),
            ("regime", self._regime.value),
            *((name, str(rate)) for name, rate in self._rates.settings),
        )
        soiled = ", with dirt on purpose" if self._is_dirty else ""
        words = f"a made-up {self._regime.value} market drawn from seed {self._seed}{soiled}; no real prices"
        return Origin(kind="simulated", identity=identity, words=words, where="this process")

    @property
    def provides(self) -> frozenset[Provides]:
        """Return what the made-up market can tell; nobody publishes price bands for it."""
        return _PROVIDES

    @property
    def universe(self) -> tuple[str, ...]:
        """Return the symbols in column order."""
        return self._universe

    def next(self) -> MarketSnapshot:
        """Draw the next step; there always is one.

        Raises:
            DataError: the market's clock passed the year 2262, where its numbers end.
        """
        step = self._step + 1
        as_of_ns = self._start_ns + step * self._step_ns
        if as_of_ns > TIME_NS_MAX:
            message = (
                f"The simulated market reached the year 2262 after {self._step:,} steps, where its clock ends. "
                'Write a smaller step under [source], such as step = "1 s".'
            )
            raise DataError(message)
        self._step = step
        trading_date = self._days.date_of(as_of_ns)
        if trading_date != self._trading_date:
            self._trading_date, self._reference = trading_date, self._known_beforehand()
        drawn = self._draw(step, as_of_ns)
        shown = self._dirt.over(drawn, step) if self._is_dirty else drawn
        return make_snapshot(
            seq=step,
            as_of_ns=as_of_ns,
            trading_date=trading_date,
            universe=self._universe,
            bid_px=shown.bid_px,
            ask_px=shown.ask_px,
            last_px=shown.last_px,
            bid_qty=shown.bid_qty,
            ask_qty=shown.ask_qty,
            volume=shown.volume,
            event_ns=shown.event_ns,
            present=shown.present,
            halted=shown.halted,
            faults=shown.faults,
            reference=self._reference,
        )

    def _known_beforehand(self) -> Reference:
        """Return what a trading date knows before its first step: the true middle where the step before it left it.

        The middle of bid and ask is the drawn middle or half a tick above it, so rounded down to a tick it is that.
        """
        none = np.zeros(len(self._universe), dtype=np.int64)
        close_px = self._mid_ticks * TICK_PX
        return make_reference(close_px=close_px, adv_qty=self._adv_qty, band_low_px=none, band_high_px=none)

    def _draw(self, step: int, as_of_ns: int) -> Drawn:
        """Draw the true market of one step: where the middle goes, the quote around it, and what traded."""
        symbols = len(self._universe)
        lanes = lanes_of_16(self._words.of_step(step, _WORDS_A_SYMBOL * symbols), symbols)
        self._mid_ticks = self._mid_ticks + self._kept_in_bounds(self._move(lanes))
        spread_ticks = _picked(self._tables.spreads_ticks, lanes[_SPREAD])
        bid_px = (self._mid_ticks - spread_ticks // 2) * TICK_PX
        ask_px = bid_px + spread_ticks * TICK_PX
        displayed_qty = (lanes[_BID_LOTS : _ASK_LOTS + 1] * _LOTS_MAX // _LANE_END + 1) * _LOT_QTY
        volume = _picked(self._tables.trade_qty, lanes[_TRADE])
        touch_px = bid_px + (ask_px - bid_px) * _picked(self._tables.trade_at_ask, lanes[_TRADE])
        self._last_px = np.where(volume > 0, touch_px, self._last_px)
        return Drawn(
            bid_px=bid_px,
            ask_px=ask_px,
            bid_qty=displayed_qty[0],
            ask_qty=displayed_qty[1],
            last_px=self._last_px,
            volume=volume,
            event_ns=np.full(symbols, as_of_ns, dtype=np.int64),
            present=np.ones(symbols, dtype=np.bool_),
            halted=np.zeros(symbols, dtype=np.bool_),
            faults=(),
        )

    def _move(self, lanes: Column) -> Column:
        """Return how far the regime wants each middle to go, in ticks."""
        move_ticks = _picked(self._tables.moves_ticks, lanes[_MOVE])
        if self._regime is Regime.TRENDING:
            turned = _picked(self._tables.trends, lanes[_CHOICE])
            self._trend = np.where(lanes[_CHANCE] < _TURN_BELOW, turned, self._trend)
            return move_ticks + self._trend * _picked(self._tables.follows, lanes[_FOLLOW])
        if self._regime is Regime.GAP:
            jump_ticks = self._mid_ticks * _picked(self._tables.jumps_bps, lanes[_CHOICE]) // BPS_PER_ONE
            return np.where(lanes[_CHANCE] < _JUMP_BELOW, jump_ticks, move_ticks)
        return move_ticks

    def _kept_in_bounds(self, move_ticks: Column) -> Column:
        """Turn a move away into a move back where a price is beyond half or double its start.

        Starts lie between $20 and $400 and no move is over 6 %, so every price stays between $9 and $850.
        """
        distance = np.abs(move_ticks)
        not_lower = np.where(self._mid_ticks < self._floor_ticks, distance, move_ticks)
        return np.where(self._mid_ticks > self._ceiling_ticks, -distance, not_lower)


def _checked_regime(name: str) -> Regime:
    for regime in Regime:
        if name == regime.value:
            return regime
    known = ", ".join(regime.value for regime in Regime)
    message = f"The regime {plain(name)!r} is not one that the simulated market knows: {known}. Nothing was started."
    raise DataError(message)


def _check_numbers(*, seed: int, step_ns: int, start_ns: int) -> None:
    if not 0 <= seed <= SEED_MAX:
        message = f"The seed {seed} is not between 0 and {SEED_MAX:,}. Nothing was started."
        raise DataError(message)
    if step_ns <= 0:
        message = (
            f"The step of the simulated market is {step_ns} ns, so its clock would stand still or run back. "
            'Write a step such as "1 s" under [source]. Nothing was started.'
        )
        raise DataError(message)
    if not 0 <= start_ns <= TIME_NS_MAX:
        message = (
            f"The simulated market cannot start at {start_ns} ns: it starts between 1970 and 2262. Nothing was started."
        )
        raise DataError(message)
