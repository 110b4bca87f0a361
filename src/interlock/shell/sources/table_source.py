"""A source over one table of recorded quotes or bars, whatever kind of file holds it.

Floor 2 (shell). It never reads a file itself: it is handed the records, and what the file is called.
On the trip: SEE calls `next`; records are read as they are needed, so memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from interlock.model.market import MarketSnapshot, Origin, Provides
from interlock.shell.sources.dates import ExchangeDays
from interlock.shell.sources.recorded import SnapshotWalk
from interlock.shell.sources.rows import in_order
from interlock.shell.sources.tables import Record, TableForm, TableReader


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One opened file: its kind, its path, its content words, the names of its columns and its records."""

    kind: str
    path: Path
    content: str
    header: list[str]
    records: Iterator[Record]


class TableWalk:
    """The rows of one table as snapshots, and where they come from.

    Args:
        table: the opened file.
        form: what it is said to hold.
        universe: the symbols.
        zone: the time zone of times without an offset, and of the trading dates.

    Raises:
        DataError: a column is missing, or no row can be used.
    """

    def __init__(self, *, table: Table, form: TableForm, universe: tuple[str, ...], zone: str) -> None:
        self._table = table
        self._form = form
        self._zone = zone
        self._symbols = len(universe)
        days = ExchangeDays(zone)
        name = table.path.name
        reader = TableReader(form=form, header=table.header, file_name=name, universe=universe, days=days)
        rows = in_order(reader.lines(table.records), file_name=name, from_ns=0)
        self._walk = SnapshotWalk(universe=universe, streams=[rows], days=days)

    @property
    def origin(self) -> Origin:
        """Return how the file is read, and its content hash by its name."""
        table = self._table
        symbols = "1 symbol" if self._symbols == 1 else f"{self._symbols:,} symbols"
        unquoted = (
            "" if self._form.has_quotes else "; it has no bid and ask, so every entry is blocked for want of a quote"
        )
        words = f"recorded {self._form.kind.value} of {symbols} from the {table.kind} file {table.path.name}{unquoted}"
        identity = (*self._form.settings, ("zone", self._zone), (table.path.name, table.content))
        return Origin(kind=table.kind, identity=identity, words=words, where=str(table.path))

    @property
    def provides(self) -> frozenset[Provides]:
        """Return what the named columns can tell."""
        return self._form.provides

    def next(self) -> MarketSnapshot | None:
        """Return the snapshot of the next time in the file, or None after the last."""
        return self._walk.next()
