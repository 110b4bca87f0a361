"""One step of the simulated market in columns, and the raw words that it is drawn from.

Floor 2 (shell). It never reads a clock and never asks for chance: words are a function of seed, stream and step.
On the trip: under SEE; the simulated source draws a step, dirt may soil it, and a snapshot shows it.

*Source* of the words: Philox 4x64-10; Salmon and others, "Parallel Random Numbers: As Easy as 1, 2, 3", 2011.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from interlock.model.market import Column, DataFault, Flags

Words = npt.NDArray[np.uint64]


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """One step: int64[N] prices in micros, sizes and volume in shares, `event_ns` in ns; bool[N] flags."""

    bid_px: Column
    ask_px: Column
    bid_qty: Column
    ask_qty: Column
    last_px: Column
    volume: Column
    event_ns: Column
    present: Flags
    halted: Flags
    faults: tuple[DataFault, ...]


class PhiloxWords:
    """The raw words of one stream of one seed, by step: `PhiloxWords(seed=7, stream=0)`.

    Args:
        seed: 0 to 2**64 - 1, the key.
        stream: 0 to 2**64 - 1; streams of one seed are independent.
    """

    def __init__(self, *, seed: int, stream: int) -> None:
        self._generator = np.random.Philox(key=seed)
        # One generator serves every step: its state is set anew each time, which is cheaper than a new one.
        self._state = self._generator.state
        self._counter = np.array([0, 0, stream, 0], dtype=np.uint64)
        self._state["state"]["counter"] = self._counter

    def of_step(self, step: int, count: int) -> Words:
        """Return `count` words of 64 bits that depend on seed, stream and step alone.

        The step is a digit of the counter of its own, so that a step of any size never reaches into the next one.
        """
        self._counter[1] = step
        self._generator.state = self._state
        return self._generator.random_raw(count)


def lanes_of_16(words: Words, symbols: int) -> Column:
    """Return the words as lanes of 16 bits, lowest first: int64[lane, symbol], each 0 to 65,535."""
    narrow = words.astype("<u8", copy=False).view("<u2").reshape(symbols, -1)
    return narrow.T.astype(np.int64, order="C")


def lanes_of_32(words: Words, symbols: int) -> Column:
    """Return the words as lanes of 32 bits, lowest first: int64[lane, symbol], each 0 to 2**32 - 1."""
    narrow = words.astype("<u8", copy=False).view("<u4").reshape(symbols, -1)
    return narrow.T.astype(np.int64, order="C")
