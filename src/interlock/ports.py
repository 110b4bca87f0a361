"""The doors between the core and the world: Protocols only.

Floor: between core and shell. Nothing here does anything; `assemble` chooses who stands at each door.
"""

from __future__ import annotations

from typing import Protocol

from interlock.model.journal import Aside, Command, Decided, HostTrip, Record
from interlock.model.market import MarketSnapshot, Origin, Provides
from interlock.model.mode import Mode
from interlock.model.orders import ExecReport
from interlock.model.risk import Approved, Latch


class Clock(Protocol):
    """Two clocks of the host; neither is ever read by a decision."""

    def boot_ns(self) -> int:
        """Return nanoseconds since boot, suspends included; deadlines run on this one."""
        ...

    def wall_ns(self) -> int:
        """Return nanoseconds since 1970 UTC, for asides and for PAPER's market time."""
        ...


class MarketSource(Protocol):
    """Where market data comes from. One call, one snapshot; the same identity gives the same snapshots."""

    @property
    def origin(self) -> Origin:
        """Return where the data comes from."""
        ...

    @property
    def provides(self) -> frozenset[Provides]:
        """Return what it can tell; controls whose input is absent are NOT COVERED."""
        ...

    @property
    def universe(self) -> tuple[str, ...]:
        """Return the symbols in column order."""
        ...

    def next(self) -> MarketSnapshot | None:
        """Return the next snapshot, or None when there is no more.

        Raises:
            DataError: the data cannot be read on.
        """
        ...


class Gateway(Protocol):
    """The last hop before a market. It says which mode it serves and takes nothing approved for another."""

    @property
    def mode(self) -> Mode:
        """Return the one mode that this gateway serves."""
        ...

    def observe(self, snapshot: MarketSnapshot) -> None:
        """See the market (paper fills its orders from it; a broker ignores it)."""
        ...

    def drain(self) -> tuple[ExecReport, ...]:
        """Return all that was reported since the last call, in order."""
        ...

    def submit(self, approved: Approved) -> None:
        """Take one approved order.

        Raises:
            GatewayDown: nothing was sent.
            OutcomeUnknown: something may have been sent.
            InvariantError: approved for another mode, or seen before.
        """
        ...

    def cancel(self, cl_ord_id: str) -> None:
        """Ask for the cancel of one order; the answer comes as a report.

        Raises:
            GatewayDown: nothing was sent.
        """
        ...

    def open_orders(self) -> tuple[str, ...]:
        """Return the ids of the orders that work there now.

        Raises:
            GatewayDown: it cannot be asked; that is not the same as none.
        """
        ...

    def wire_ids(self) -> tuple[str, ...]:
        """Return the wire ids of all orders that work on the account there, whoever sent them.

        Raises:
            GatewayDown: it cannot be asked; that is not the same as none.
        """
        ...

    def close(self) -> None:
        """End the run's use of it. SIM's market ends here, and says so of each order that is left."""
        ...


class Journal(Protocol):
    """The record. What `append` took is durable once `sync` has returned, and not before."""

    def append(self, decided: Decided, aside: Aside) -> Record:
        """Append one record.

        Raises:
            JournalError: it could not be written; nothing may be sent any more.
        """
        ...

    def sync(self) -> None:
        """Make all that was appended durable.

        Raises:
            JournalError: it is not durable; nothing may be sent any more.
        """
        ...

    @property
    def synced_records(self) -> int:
        """Return how many records are durable."""
        ...

    @property
    def head(self) -> str:
        """Return the SHA-256 over all decided parts so far, hexadecimal."""
        ...


class Host(Protocol):
    """The bounds of this machine."""

    def trips(self) -> tuple[HostTrip, ...]:
        """Return the bounds that were passed since the last call."""
        ...


class Recorder(Protocol):
    """Keeps whole snapshots where the source could not make them again."""

    def write(self, snapshot: MarketSnapshot) -> None:
        """Keep one snapshot.

        Raises:
            JournalError: it could not be kept; nothing may be sent any more.
        """
        ...

    def sync(self) -> None:
        """Make all that was kept durable; the journal's records that refer to it come after.

        Raises:
            JournalError: it is not durable; nothing may be sent any more.
        """
        ...


class Narrator(Protocol):
    """Tells a record to a person."""

    @property
    def is_mute(self) -> bool:
        """Return True once nobody can be told any more; then the run stops: there is no silent path."""
        ...

    def tell(self, record: Record) -> None:
        """Tell one record."""
        ...


class LatchLog(Protocol):
    """The home's own memory of latches, beside the journals: it outlives every run."""

    def raised(self, latch: Latch) -> None:
        """Remember a latch, durably."""
        ...

    def cleared(self, latch_id: str, *, by: str, why: str) -> None:
        """Remember that a human cleared a latch, durably."""
        ...


class Control(Protocol):
    """The ways in which a human reaches a running process: socket, HALT.d, signals."""

    def drain(self) -> tuple[Command, ...]:
        """Return the commands that arrived since the last call, in order."""
        ...

    @property
    def stop_seen(self) -> bool:
        """Return True as soon as a stop or halt has been seen, also before it is drained: nothing new is sent."""
        ...

    def rest(self, until_boot_ns: int) -> None:
        """Serve people until the deadline on the boot clock, or until a signal or command wakes it."""
        ...
