"""Export a run's record as Parquet tables, for pandas, Polars, DuckDB (extra `data`).

Floor 3 (proof). It reads one run's journal and writes new files only: a file that is there is never overwritten.
It stands after the trip.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol, cast

import msgspec

from interlock.model.errors import ConfigError
from interlock.model.journal import Boot, BootAside, Record
from interlock.model.units import plain
from interlock.proof.export_rows import TABLES, Row, last_rows, rows_of
from interlock.proof.run_record import opening
from interlock.shell.journal_reader import JournalReader

#: Rows that are kept in memory before they are written as one row group.
GROUP_ROWS = 20_000


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: rows by table, and (if the journal cannot be trusted to its end) from where on and why."""

    run_id: str
    folder: str
    rows: tuple[tuple[str, int], ...]
    records: int
    distrust: str

    @property
    def is_whole(self) -> bool:
        """Return True if everything durable on the record was exported."""
        return not self.distrust


class _Table(Protocol):
    """An open Parquet file."""

    def write_table(self, table: object) -> None: ...

    def close(self) -> None: ...


class _Library(msgspec.Struct, frozen=True):
    """What the extra brings: types, schemas, tables and files."""

    types: dict[str, object]
    field: Callable[..., object]
    schema: Callable[..., object]
    table: Callable[..., object]
    writer: Callable[..., _Table]


class _Sink:
    """A new file that keeps its first fault instead of raising it: what writes into it is not made for a full disk."""

    def __init__(self, path: Path) -> None:
        self._stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")
        self._bytes = 0
        self._faults: list[OSError] = []

    @property
    def closed(self) -> bool:
        """Return True once it is closed."""
        return self._stream.closed

    def write(self, piece: bytes) -> int:
        """Write; after a fault nothing more reaches the disk."""
        self._bytes += len(piece)
        self._try(lambda: self._stream.write(piece))
        return len(piece)

    def tell(self) -> int:
        """Return how many bytes were handed over."""
        return self._bytes

    def flush(self) -> None:
        """Hand what waits to the system."""
        self._try(self._stream.flush)

    def close(self) -> None:
        """Close the file."""
        self._try(self._stream.close)

    def check(self) -> None:
        """Raise the first fault, if there was one.

        Raises:
            OSError: the fault.
        """
        if self._faults:
            raise self._faults[0]

    def _try(self, do: Callable[[], object]) -> None:
        try:
            do()
        except OSError as error:
            self._faults.append(error)


class _Sheet:
    """One table on its way to its file: rows gather, and go out a group at a time."""

    def __init__(self, name: str, *, sink: _Sink, library: _Library, facts: dict[str, str]) -> None:
        self.name = name
        self.rows = 0
        self._waiting: list[Row] = []
        self._library = library
        fields = [
            library.field(column.rstrip("?"), library.types[kind], nullable=column.endswith("?"))
            for column, kind in TABLES[name]
        ]
        self._sink = sink
        self._schema = library.schema(fields, metadata=facts)
        self._file = library.writer(sink, self._schema, compression="zstd")

    def add(self, rows: Iterable[Row]) -> None:
        """Take rows; a full group is written."""
        self._waiting.extend(rows)
        if len(self._waiting) >= GROUP_ROWS:
            self._write()

    def close(self) -> None:
        """Write what waits and end the file.

        Raises:
            OSError: something of it could not be written.
        """
        if self._waiting:
            self._write()
        self.leave()
        self._sink.check()

    def leave(self) -> None:
        """End the file as it is; a second call does nothing."""
        self._file.close()
        self._sink.close()

    def _write(self) -> None:
        columns = [list(column) for column in zip(*self._waiting, strict=True)]
        self._file.write_table(self._library.table(columns, schema=self._schema))
        self._sink.flush()
        self._sink.check()
        self.rows += len(self._waiting)
        self._waiting.clear()


def export_run(run_dir: Path, folder: Path) -> Exported:
    """Write a run's decisions, checks, orders, fills and equity into a folder, one file a table.

    Args:
        run_dir: the run's folder.
        folder: where the files go; it is made if it is not there.

    Returns:
        What was written, and whether it is all that the record holds.

    Raises:
        ConfigError: the extra is absent, a file of that name is there, or the folder cannot be written.
        JournalError: the journal cannot be read at all.
    """
    library = _library()
    reader = JournalReader(run_dir)
    records = reader.records()
    first = next(records, None)
    if first is None or not isinstance(first.decided, Boot) or not isinstance(first.aside, BootAside):
        message = f"The run {plain(run_dir.name)} has no first record that can be trusted, so nothing was exported."
        raise ConfigError(message)
    run_id = plain(first.aside.run_id)
    facts = {"run_id": run_id, "mode": first.decided.mode.value, "made_by": "interlock export"}
    with contextlib.ExitStack() as undo:
        sinks = _new_files(folder)
        # Half a table looks like a whole one, so whatever ends this before its time takes the files away.
        undo.callback(_take_back, *(folder / f"{name}.parquet" for name in TABLES))
        try:
            sheets = _written(sinks, facts=facts, library=library, boot=first.decided, records=records)
        except OSError as error:
            raise ConfigError(_why_not_made(folder, error)) from error
        undo.pop_all()
    distrust = "" if reader.ending.is_trusted else reader.ending.reason
    return Exported(
        run_id=run_id,
        folder=str(folder),
        rows=tuple((sheet.name, sheet.rows) for sheet in sheets),
        records=reader.count,
        distrust=distrust,
    )


def words_of(exported: Exported) -> str:
    """Return what was written, a line a table."""
    lines = [f"Exported run {exported.run_id}, {exported.records:,} records, to {plain(exported.folder)}:"]
    lines += [f"  {name + '.parquet':<18}{rows:>12,} rows" for name, rows in exported.rows]
    return "\n".join(lines)


def _written(
    sinks: list[_Sink], *, facts: dict[str, str], library: _Library, boot: Boot, records: Iterator[Record]
) -> tuple[_Sheet, ...]:
    """Write all rows of all records; the files are closed, however it ends."""
    with contextlib.ExitStack() as open_files:
        sheets: dict[str, _Sheet] = {}
        for name, sink in zip(TABLES, sinks, strict=True):
            sheets[name] = _Sheet(name, sink=sink, library=library, facts=facts)
            open_files.callback(sheets[name].leave)
        state = opening(boot)
        for record in records:
            folded = rows_of(state, record)
            state = folded.state
            for name, rows in folded.rows.items():
                sheets[name].add(rows)
        sheets["orders"].add(last_rows(state))
        for sheet in sheets.values():
            sheet.close()
    return tuple(sheets.values())


def _new_files(folder: Path) -> list[_Sink]:
    """Make one new file a table; if one cannot be made, none is left behind.

    Raises:
        ConfigError: one of them is there already, or cannot be made.
    """
    made: list[Path] = []
    opened: list[_Sink] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in TABLES:
            path = folder / f"{name}.parquet"
            opened.append(_Sink(path))
            made.append(path)
    except OSError as error:
        for sink in opened:
            sink.close()
        _take_back(*made)
        raise ConfigError(_why_not_made(folder, error)) from error
    return opened


def _take_back(*paths: Path) -> None:
    """Remove files that this export made."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def _why_not_made(folder: Path, error: OSError) -> str:
    where = plain(str(error.filename or folder))
    if isinstance(error, FileExistsError):
        return f"{where} is there already, and an export never overwrites. Nothing was exported; name another folder."
    return f"{where} cannot be written: {plain(error.strerror or str(error))}. Nothing was exported."


def _library() -> _Library:
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        message = (
            "Parquet files need the extra `data`, which is not installed: "
            'run `uv sync --extra data` or `pip install "interlock[data]"`. Nothing was exported.'
        )
        raise ConfigError(message) from None
    make = cast("dict[str, Callable[..., object]]", vars(arrow))
    return _Library(
        types={"int": make["int64"](), "text": make["string"](), "flag": make["bool_"]()},
        field=make["field"],
        schema=make["schema"],
        table=make["table"],
        writer=cast("Callable[..., _Table]", parquet.ParquetWriter),
    )
