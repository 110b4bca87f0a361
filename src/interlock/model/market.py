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
    PREVIOUS_CLOSE = "previous_close"
    DAILY_VOLUME = "daily_volume"
    BANDS = "bands"


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


class SymbolReference(msgspec.Struct, frozen=True, kw_only=True):
    """What the day knows of one symbol beforehand: prices in micros, volume in shares; 0 is unknown, or no band."""

    close_px: int
    adv_qty: int
    band_low_px: int
    band_high_px: int


class Reference(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a day knows beforehand; every column is read-only and has one entry a symbol.

    Made once a day and shared by the snapshots of that day.

    Attributes:
        close_px: int64[N], micros, the official close of the trading date before (0 = unknown).
        adv_qty: int64[N], shares, mean daily volume of the 20 trading dates before, rounded down (0 = unknown).
        band_low_px: int64[N], micros, the published price band; `band_high_px` likewise (0 = none published).
        digest: SHA-256 over all of the above, hexadecimal; empty where no source gave any of it.
    """

    close_px: Column
    adv_qty: Column
    band_low_px: Column
    band_high_px: Column
    digest: str

    @property
    def is_given(self) -> bool:
        """Return whether a source gave it; else every number is 0."""
        return self.digest != ""


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
        reference: what the day knows beforehand; no number of it is of the trading date itself.
        digest: SHA-256 over all of the above but the faults, hexadecimal; the reference counts where it is given.
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
    reference: Reference
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

    def reference_of(self, ix: int) -> SymbolReference:
        """Return what the day knows beforehand of the symbol at position `ix` of the universe."""
        return SymbolReference(
            close_px=int(self.reference.close_px[ix]),
            adv_qty=int(self.reference.adv_qty[ix]),
            band_low_px=int(self.reference.band_low_px[ix]),
            band_high_px=int(self.reference.band_high_px[ix]),
        )


def make_reference(*, close_px: Column, adv_qty: Column, band_low_px: Column, band_high_px: Column) -> Reference:
    """Check the columns of a day, keep them in bytes that nothing can write to, and seal them with a digest.

    It costs as much as a snapshot, so a source calls it once a day and hands the same object to every snapshot.

    Args:
        close_px: int64[N], micros (0 = unknown).
        adv_qty: int64[N], shares (0 = unknown).
        band_low_px: int64[N], micros (0 = none published).
        band_high_px: int64[N], micros (0 = none published).

    Returns:
        The reference.

    Raises:
        InvariantError: a column of the wrong shape or type, or a number below zero.
    """
    symbols = close_px.size
    columns = (close_px, adv_qty, band_low_px, band_high_px)
    digest, numbers, _ = _sealed(f"reference {symbols}\n", columns=columns, flags=(), symbols=symbols)
    for column in numbers:
        invariant(bool((column >= 0).all()), "no number of a reference is below zero")
    return Reference(
        close_px=numbers[0], adv_qty=numbers[1], band_low_px=numbers[2], band_high_px=numbers[3], digest=digest
    )


def _nothing_given(symbols: int) -> Reference:
    """Return the reference of a source that gives none: zeros, and no digest."""
    zeros = np.frombuffer(bytes(np.dtype(np.int64).itemsize * symbols), dtype=np.int64)
    return Reference(close_px=zeros, adv_qty=zeros, band_low_px=zeros, band_high_px=zeros, digest="")


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
    reference: Reference | None = None,
) -> MarketSnapshot:
    """Check the columns, keep them in bytes that nothing can write to, and seal them with a digest.

    A flag that says read-only could be taken back by a strategy; immutable bytes cannot. The reference was sealed when
    it was made, so only its digest is read here; without one the digest is what it is of the other columns alone.

    Returns:
        The snapshot.

    Raises:
        InvariantError: a column of the wrong shape or type, or an event later than `as_of_ns`.
    """
    known = _checked_reference(reference, len(universe))
    title = f"{seq} {as_of_ns} {trading_date} {' '.join(universe)}\n{known.digest}"
    columns = (bid_px, ask_px, last_px, bid_qty, ask_qty, volume, _checked_events(event_ns, as_of_ns))
    digest, numbers, flags = _sealed(title, columns=columns, flags=(present, halted), symbols=len(universe))
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
        reference=known,
        digest=digest,
    )


def _checked_reference(reference: Reference | None, symbols: int) -> Reference:
    if reference is None or not reference.is_given:
        return _nothing_given(symbols)
    shape = reference.close_px.shape
    invariant(shape == (symbols,), "a reference has one entry a symbol", shape=shape, symbols=symbols)
    return reference


def _checked_events(event_ns: Column, as_of_ns: int) -> Column:
    latest_ns = int(event_ns.max()) if event_ns.size > 0 else 0
    invariant(latest_ns <= as_of_ns, "no event is later than its snapshot", event_ns=latest_ns, as_of_ns=as_of_ns)
    return event_ns


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
