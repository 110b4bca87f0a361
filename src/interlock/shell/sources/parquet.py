"""Recorded quotes or bars from one Parquet file (extra `data`).

Floor 2 (shell). It never changes the file, never guesses what a column means and never rounds: a number is
read by its shortest decimal form, and one that does not fit is a fault.
On the trip: SEE calls `next`; the file is read batch by batch.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Protocol, cast

import msgspec

from interlock.model.errors import DataError
from interlock.model.market import MarketSnapshot, Origin, Provides, checked_universe
from interlock.shell.sources.dates import TIME_NS_MAX, iso_ns
from interlock.shell.sources.files import content_of_bytes, readable_path, unreadable
from interlock.shell.sources.table_source import Table, TableWalk
from interlock.shell.sources.tables import Record, TableForm, checked_form

_BATCH_ROWS = 4_096
_UNIT_NS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_STAMP = re.compile(r"timestamp\[(?P<unit>s|ms|us|ns)(?P<zone>, tz=.+)?\]")


class _Column(Protocol):
    """A column of a batch, as far as it is read here."""

    @property
    def type(self) -> object: ...

    def to_pylist(self) -> list[object]: ...

    def cast(self, target_type: str) -> _Column: ...


class _Batch(Protocol):
    """Some rows of a file, column by column."""

    @property
    def columns(self) -> list[_Column]: ...


class _Schema(Protocol):
    """The columns of a file."""

    @property
    def names(self) -> list[str]: ...

    def field(self, name: str) -> _Column: ...


class _Opened(Protocol):
    """An opened Parquet file."""

    @property
    def schema_arrow(self) -> _Schema: ...

    def iter_batches(self, *, batch_size: int, columns: list[str]) -> Iterator[_Batch]: ...

    def close(self) -> None: ...


class _Library(msgspec.Struct, frozen=True):
    """What the extra brings: how to open a file, and the errors that say that it cannot be read."""

    opened: Callable[[Path], _Opened]
    errors: tuple[type[Exception], ...]


class ParquetSource:
    """Quotes or bars of one Parquet file, with its rows in order of time.

    Args:
        universe: the symbols; rows of other symbols are passed over.
        path: the file.
        rows: `quotes`, or `bars` stamped with their start.
        zone: the time zone of times without one, and of the trading dates.
        bar_ns: length of a bar, 0 for quotes.
        columns: our names (`time`, `symbol`, `bid`, `ask`, `bid_size`, `ask_size`, `close`, `volume`) and the file's.
        time_unit: of a column of whole numbers or text: `iso`, or `s`, `ms`, `us`, `ns` since 1970 UTC; a column
            of timestamps says it itself.

    Raises:
        DataError: the extra is absent, or the file cannot be read or is not what it was said to be.
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
        file = readable_path(Path(path), what="Parquet file")
        library = _library()
        content = content_of_bytes(file)
        names, form = _columns_of(file, form=form, library=library)
        wanted = [name for name in names if name in form.columns.values()]
        # With a column missing nothing is read: the header goes on whole, so that the refusal can list it.
        header = wanted if set(wanted) == set(form.columns.values()) else names
        records = _records(file, wanted=wanted, library=library)
        table = Table(kind="parquet", path=file, content=content, header=header, records=records)
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


def _library() -> _Library:
    try:
        arrow = importlib.import_module("pyarrow")
        tables = importlib.import_module("pyarrow.parquet")
    except ImportError:
        message = (
            "Parquet files need the extra `data`, which is not installed: "
            'run `uv sync --extra data` or `pip install "interlock[data]"`. Nothing was started.'
        )
        raise DataError(message) from None
    arrow_error = cast("type[Exception]", arrow.ArrowException)
    return _Library(cast("Callable[[Path], _Opened]", tables.ParquetFile), (arrow_error, OSError, ValueError))


def _columns_of(path: Path, *, form: TableForm, library: _Library) -> tuple[list[str], TableForm]:
    """Return the names of all columns, and the form; a column of timestamps or dates is read as ISO times."""
    try:
        opened = library.opened(path)
    except library.errors as error:
        raise unreadable(path, why=f"it is not a Parquet file ({error})") from None
    with closing(opened):
        names = list(opened.schema_arrow.names)
        theirs = form.columns["time"]
        kind = str(opened.schema_arrow.field(theirs).type) if names.count(theirs) == 1 else ""
    is_typed = kind.startswith(("timestamp", "date"))
    return names, msgspec.structs.replace(form, time_unit="iso") if is_typed else form


def _records(path: Path, *, wanted: list[str], library: _Library) -> Iterator[Record]:
    number = 0
    try:
        with closing(library.opened(path)) as opened:
            for batch in opened.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
                for cells in zip(*(_texts(column) for column in batch.columns), strict=True):
                    number += 1
                    yield number, list(cells)
    except library.errors as error:
        raise unreadable(path, why=f"after row {number:,} it breaks off ({error})") from None


def _texts(column: _Column) -> list[str]:
    """Return each cell as text; an absent one is empty, as in a CSV file."""
    kind = str(column.type)
    stamp = _STAMP.fullmatch(kind)
    if stamp is None:
        return [_text(value) for value in column.to_pylist()]
    scale = _UNIT_NS[stamp["unit"]]
    mark = "Z" if stamp["zone"] else ""
    counts = cast("list[int | None]", column.cast("int64").to_pylist())
    return ["" if count is None else _stamp_text(count * scale, mark) for count in counts]


def _stamp_text(at_ns: int, mark: str) -> str:
    # Outside what a column can hold the bare number stands there, and is told as a time that cannot be used.
    return f"{iso_ns(at_ns)}{mark}" if 0 <= at_ns <= TIME_NS_MAX else str(at_ns)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
