"""What the market looked like at one instant, for the whole universe, in columns.

Floor 0 (words). It never reads a clock or a file; a source makes snapshots, everything else reads them.
On the trip: SEE makes one snapshot, and every later stage of the cycle reads that one and no other.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from interlock.model.errors import DataError, invariant

Column = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: The most symbols that one snapshot may hold.
UNIVERSE_MAX = 20_000


class Provides(StrEnum):
    """What a source can tell. A control whose input is not provided is NOT COVERED, and said so."""

    QUOTES = "quotes"
    SIZES = "sizes"
    LAST = "last"
    VOLUME = "volume"
    STATUS = "status"


class FaultCode(StrEnum):
    """Why a row of market data was dropped; its symbol is unknown until the next good row."""

    ROW_UNREADABLE = "ROW_UNREADABLE"
    ROW_OUT_OF_ORDER = "ROW_OUT_OF_ORDER"
    ROW_DUPLICATE = "ROW_DUPLICATE"
    ROW_NEGATIVE = "ROW_NEGATIVE"
    ROW_NOT_FINITE = "ROW_NOT_FINITE"
    ROW_CROSSED = "ROW_CROSSED"
    DAY_ABSENT = "DAY_ABSENT"
    QUOTE_MISSING = "QUOTE_MISSING"


class DataFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with the data: which symbol, what, and where (file name and line)."""

    symbol: str
    code: FaultCode
    text: str


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where the data comes from.

    `kind` and `identity` are what makes the data the same again (seed and simulator version, or the
    content hash of each file by its name); they are part of the decided record. `words` says it to a
    person and `where` names the path on this machine; both stay aside.
    """

    kind: str
    identity: tuple[tuple[str, str], ...]
    words: str
    where: str


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The last known quote of one symbol: prices in micros, sizes in shares, its own time in ns.

    `present` is False before the first quote and after a fault; then no number here may be used.
    """

    symbol: str
    present: bool
    halted: bool
    bid_px: int
    ask_px: int
    last_px: int
    bid_qty: int
    ask_qty: int
    volume: int
    event_ns: int

    @property
    def mid_px(self) -> int:
        """Return the middle of bid and ask, rounded down to a micro."""
        return (self.bid_px + self.ask_px) // 2


class MarketSnapshot(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The whole universe at one instant; every column is read-only and has one entry a symbol.

    Attributes:
        seq: number of the snapshot in its source, from 1.
        as_of_ns: the instant, UTC; no `event_ns` is later.
        trading_date: the exchange's date of the instant, `YYYY-MM-DD`.
        universe: the symbols, in the order of the columns.
        bid_px: int64[N], micros; `ask_px` and `last_px` likewise (0 = none).
        bid_qty: int64[N], shares displayed; `ask_qty` likewise.
        volume: int64[N], shares traded in the bar or step that ended with this snapshot (0 = none).
        event_ns: int64[N], UTC, when the quote was made (0 = never).
        present: bool[N], False before the first quote and after a fault.
        halted: bool[N], True where the venue says so (only if the source provides `status`).
        faults: what was dropped on the way to this snapshot.
        digest: SHA-256 over all of the above but the faults, hexadecimal.
    """

    seq: int
    as_of_ns: int
    trading_date: str
    universe: tuple[str, ...]
    bid_px: Column
    ask_px: Column
    last_px: Column
    bid_qty: Column
    ask_qty: Column
    volume: Column
    event_ns: Column
    present: Flags
    halted: Flags
    faults: tuple[DataFault, ...]
    digest: str

    def quote(self, ix: int) -> Quote:
        """Return the quote of the symbol at position `ix` of the universe."""
        return Quote(
            symbol=self.universe[ix],
            present=bool(self.present[ix]),
            halted=bool(self.halted[ix]),
            bid_px=int(self.bid_px[ix]),
            ask_px=int(self.ask_px[ix]),
            last_px=int(self.last_px[ix]),
            bid_qty=int(self.bid_qty[ix]),
            ask_qty=int(self.ask_qty[ix]),
            volume=int(self.volume[ix]),
            event_ns=int(self.event_ns[ix]),
        )


def make_snapshot(  # noqa: PLR0913 - one argument a column, all by keyword
    *,
    seq: int,
    as_of_ns: int,
    trading_date: str,
    universe: tuple[str, ...],
    bid_px: Column,
    ask_px: Column,
    last_px: Column,
    bid_qty: Column,
    ask_qty: Column,
    volume: Column,
    event_ns: Column,
    present: Flags,
    halted: Flags,
    faults: tuple[DataFault, ...] = (),
) -> MarketSnapshot:
    """Check the columns, keep them in bytes that nothing can write to, and seal them with a digest.

    A flag that says read-only could be taken back by a strategy; immutable bytes cannot.

    Returns:
        The snapshot.

    Raises:
        InvariantError: a column of the wrong shape or type, or an event later than `as_of_ns`.
    """
    title = f"{seq} {as_of_ns} {trading_date} {' '.join(universe)}\n"
    columns = (bid_px, ask_px, last_px, bid_qty, ask_qty, volume, event_ns)
    digest, numbers, flags = _sealed(title, columns=columns, flags=(present, halted), symbols=len(universe))
    latest_ns = int(event_ns.max()) if universe else 0
    invariant(latest_ns <= as_of_ns, "no event is later than its snapshot", event_ns=latest_ns, as_of_ns=as_of_ns)
    return MarketSnapshot(
        seq=seq,
        as_of_ns=as_of_ns,
        trading_date=trading_date,
        universe=universe,
        bid_px=numbers[0],
        ask_px=numbers[1],
        last_px=numbers[2],
        bid_qty=numbers[3],
        ask_qty=numbers[4],
        volume=numbers[5],
        event_ns=numbers[6],
        present=flags[0],
        halted=flags[1],
        faults=faults,
        digest=digest,
    )


def _sealed(
    title: str, *, columns: tuple[Column, ...], flags: tuple[Flags, ...], symbols: int
) -> tuple[str, tuple[Column, ...], tuple[Flags, ...]]:
    """Check the columns; return the SHA-256 over them, hexadecimal, and copies in bytes that nothing can write to."""
    digest = hashlib.sha256(title.encode())
    numbers: list[Column] = []
    for column in columns:
        invariant(column.shape == (symbols,), "a column has one entry a symbol", shape=column.shape)
        invariant(column.dtype == np.int64, "a column of numbers holds int64", dtype=column.dtype)
        content = column.tobytes()
        digest.update(content)
        numbers.append(np.frombuffer(content, dtype=np.int64))
    marks: list[Flags] = []
    for flag in flags:
        invariant(flag.shape == (symbols,), "a column has one entry a symbol", shape=flag.shape)
        invariant(flag.dtype == np.bool_, "a column of flags holds bool", dtype=flag.dtype)
        content = flag.tobytes()
        digest.update(content)
        marks.append(np.frombuffer(content, dtype=np.bool_))
    return digest.hexdigest(), tuple(numbers), tuple(marks)


def checked_universe(symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Return `symbols` if they can be a universe: some, not too many, each once.

    Raises:
        DataError: when they cannot.
    """
    if not symbols:
        message = "The universe is empty: write symbols under [universe]. Nothing was started."
        raise DataError(message)
    if len(symbols) > UNIVERSE_MAX:
        message = f"The universe has {len(symbols):,} symbols and the most is {UNIVERSE_MAX:,}. Nothing was started."
        raise DataError(message)
    twice = (
        sorted({symbol for symbol in symbols if symbols.count(symbol) > 1}) if len(set(symbols)) != len(symbols) else []
    )
    if twice:
        message = f"The universe names {', '.join(twice)} more than once. Nothing was started."
        raise DataError(message)
    return symbols
