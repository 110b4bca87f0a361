"""Recorded quotes or bars from one CSV file with a header row.

Floor 2 (shell). It never changes the file, and never guesses what a column means.
On the trip: SEE calls `next`; the file is read line by line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from interlock.model.market import MarketSnapshot, Origin, Provides, checked_universe
from interlock.shell.sources.files import content_of_text, readable_path, unreadable
from interlock.shell.sources.table_source import Table, TableWalk
from interlock.shell.sources.tables import Record, checked_form


class CsvSource:
    """Quotes or bars of one CSV file, in UTF-8, with a header row and its rows in order of time.

    Args:
        universe: the symbols; rows of other symbols are passed over.
        path: the file.
        rows: `quotes`, or `bars` stamped with their start.
        zone: the time zone of times without an offset, and of the trading dates.
        bar_ns: length of a bar, 0 for quotes.
        columns: our names (`time`, `symbol`, `bid`, `ask`, `bid_size`, `ask_size`, `close`, `volume`) and the file's.
        time_unit: `iso`, or `s`, `ms`, `us`, `ns` since 1970 UTC.

    Raises:
        DataError: the file cannot be read, or is not what it was said to be.
    """

    def __init__(  # noqa: PLR0913 - one argument a key of [source], all by keyword
        self,
        *,
        universe: tuple[str, ...],
        path: str | Path,
        rows: str,
        zone: str,
        bar_ns: int,
        columns: Mapping[str, str],
        time_unit: str,
    ) -> None:
        self._universe = checked_universe(universe)
        form = checked_form(rows=rows, bar_ns=bar_ns, time_unit=time_unit, columns=columns)
        file = readable_path(Path(path), what="CSV file")
        content = content_of_text(file)
        records = _records(file)
        _, header = next(records, (1, list[str]()))
        table = Table(kind="csv", path=file, content=content, header=[name.strip() for name in header], records=records)
        self._walk = TableWalk(table=table, form=form, universe=universe, zone=zone)

    @property
    def origin(self) -> Origin:
        """Return how the file is read, and its content hash by its name."""
        return self._walk.origin

    @property
    def provides(self) -> frozenset[Provides]:
        """Return what the named columns can tell."""
        return self._walk.provides

    @property
    def universe(self) -> tuple[str, ...]:
        """Return the symbols in column order."""
        return self._universe

    def next(self) -> MarketSnapshot | None:
        """Return the snapshot of the next time in the file, or None after the last.

        Raises:
            DataError: the file cannot be read on.
        """
        return self._walk.next()


def _records(path: Path) -> Iterator[Record]:
    """Yield every line that is not empty; each is read alone, so that a stray quote spoils no line but its own."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _cells(line)
    except UnicodeDecodeError:
        raise unreadable(path, why="it is not text in UTF-8") from None
    except OSError as error:
        raise unreadable(path, why=error.strerror or "the system refused") from None


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True), list[str]())
    except csv.Error:
        return []
