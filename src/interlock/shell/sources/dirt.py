"""Dirt: what is wrong with real market data, laid over the simulated market on purpose.

Floor 2 (shell). It never changes the market underneath: with dirt and without, the same seed has the same
true prices, and dirt only decides what of them is shown.
On the trip: under SEE, between the draw of a step and its snapshot.
"""

from __future__ import annotations

import msgspec
import numpy as np

from interlock.model.errors import DataError
from interlock.model.market import Column, DataFault, FaultCode, Flags
from interlock.model.units import BPS_PER_ONE
from interlock.shell.sources.drawn import Drawn, PhiloxWords, lanes_of_32

# Four lanes of 32 bits a symbol: one for each kind of dirt.
_WORDS_A_SYMBOL = 2
_STREAM = 1
#: Dirt lasts from 2 to 6 steps.
_LASTS_MIN = 2
_LASTS_SPAN = 5


class DirtRates(msgspec.Struct, frozen=True, kw_only=True):
    """How often each kind of dirt begins, in bps of the steps of a symbol (100 = once in a hundred steps)."""

    missing_bps: int
    stale_bps: int
    crossed_bps: int
    halted_bps: int

    @property
    def settings(self) -> tuple[tuple[str, int], ...]:
        """Return each rate by its name, in the order of the lanes."""
        return tuple((name, int(rate)) for name, rate in msgspec.structs.asdict(self).items())


def checked_rates(rates: DirtRates) -> DirtRates:
    """Return the rates if each is a share of a whole.

    Raises:
        DataError: one is below nothing or above everything.
    """
    for name, rate in rates.settings:
        if not 0 <= rate <= BPS_PER_ONE:
            message = (
                f"The rate {name} of the simulated market is {rate} and must lie between 0 and {BPS_PER_ONE:,} bps "
                "(all of the time). Nothing was started."
            )
            raise DataError(message)
    return rates


class Dirt:
    """The dirt of one seed over one universe; it remembers what is wrong now and what was shown last."""

    def __init__(self, *, seed: int, universe: tuple[str, ...], rates: DirtRates) -> None:
        self._universe = universe
        self._rates = np.array([[rate] for _, rate in rates.settings], dtype=np.int64)
        self._words = PhiloxWords(seed=seed, stream=_STREAM)
        self._until_step = np.zeros((len(self._rates), len(universe)), dtype=np.int64)
        nothing = np.zeros(len(universe), dtype=np.int64)
        never = np.zeros(len(universe), dtype=np.bool_)
        self._kept = Drawn(
            bid_px=nothing,
            ask_px=nothing,
            bid_qty=nothing,
            ask_qty=nothing,
            last_px=nothing,
            volume=nothing,
            event_ns=nothing,
            present=never,
            halted=never,
            faults=(),
        )

    def over(self, drawn: Drawn, step: int) -> Drawn:
        """Return what is shown of a step.

        Missing: no quote at all. Stale and halted: the quote stays as it was, with its own time. Crossed: bid
        and ask change places.

        Args:
            drawn: the true step.
            step: its number, from 1; each step is soiled once, in order.
        """
        missing, stale, crossed, halted = self._wrong_now(step)
        kept = self._keep(drawn, ~(missing | stale | halted))
        nothing = np.zeros_like(kept.bid_px)
        return Drawn(
            bid_px=np.where(missing, nothing, np.where(crossed, kept.ask_px, kept.bid_px)),
            ask_px=np.where(missing, nothing, np.where(crossed, kept.bid_px, kept.ask_px)),
            bid_qty=np.where(missing, nothing, kept.bid_qty),
            ask_qty=np.where(missing, nothing, kept.ask_qty),
            last_px=kept.last_px,
            volume=kept.volume,
            event_ns=kept.event_ns,
            present=(kept.event_ns > 0) & ~missing,
            halted=halted,
            faults=self._faults(missing),
        )

    def _wrong_now(self, step: int) -> tuple[Flags, Flags, Flags, Flags]:
        symbols = len(self._universe)
        lanes = lanes_of_32(self._words.of_step(step, _WORDS_A_SYMBOL * symbols), symbols)
        begins = (lanes % BPS_PER_ONE < self._rates) & (self._until_step < step)
        lasts = lanes // BPS_PER_ONE % _LASTS_SPAN + _LASTS_MIN
        self._until_step = np.where(begins, step + lasts - 1, self._until_step)
        missing, stale, crossed, halted = self._until_step >= step
        return missing, stale, crossed, halted

    def _keep(self, drawn: Drawn, fresh: Flags) -> Drawn:
        kept = self._kept

        def newer(now: Column, before: Column) -> Column:
            return np.where(fresh, now, before)

        self._kept = Drawn(
            bid_px=newer(drawn.bid_px, kept.bid_px),
            ask_px=newer(drawn.ask_px, kept.ask_px),
            bid_qty=newer(drawn.bid_qty, kept.bid_qty),
            ask_qty=newer(drawn.ask_qty, kept.ask_qty),
            last_px=newer(drawn.last_px, kept.last_px),
            volume=np.where(fresh, drawn.volume, 0),
            event_ns=newer(drawn.event_ns, kept.event_ns),
            present=drawn.present,
            halted=drawn.halted,
            faults=(),
        )
        return self._kept

    def _faults(self, missing: Flags) -> tuple[DataFault, ...]:
        return tuple(
            DataFault(
                symbol=self._universe[ix],
                code=FaultCode.QUOTE_MISSING,
                text=f"no quote of {self._universe[ix]} in this step: the dirt that [source.dirt] missing asks for",
            )
            for ix in np.flatnonzero(missing).tolist()
        )
