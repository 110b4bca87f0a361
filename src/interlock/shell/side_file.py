"""The side file of a run: whole snapshots, kept where the source could not make them again, or where it was asked.

Floor 2 (the world). Arrow record batches in one stream, compressed with zstd, durable before the journal's records
that refer to them. It needs the extra `data`. On the trip: SEE writes to it, WRITE syncs it first.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
import numpy.typing as npt

from interlock.model.errors import ConfigError, InvariantError, JournalError
from interlock.model.market import Column, Flags, MarketSnapshot, Reference, make_reference, make_snapshot
from interlock.model.units import plain
from interlock.shell.run_folder import opened

#: The name of the side file in a run's folder.
SIDE_FILE: Final = "snapshots.arrows"

_NUMBERS: Final = ("bid_px", "ask_px", "last_px", "bid_qty", "ask_qty", "volume", "event_ns")
_FLAGS: Final = ("present", "halted")
#: Columns of the reference; they count where the batch says that one was given, and older files have none of them.
_REFERENCE: Final = ("close_px", "adv_qty", "band_low_px", "band_high_px")
_GIVEN: Final = "given"
_NOT_GIVEN: Final = "none"


class _Column(Protocol):
    """A column of a batch."""

    def to_numpy(self, *, zero_copy_only: bool) -> npt.NDArray[np.generic]: ...


class _Batch(Protocol):
    """One snapshot's columns."""

    def column(self, name: str) -> _Column: ...


class _Read(Protocol):
    """A batch with what was said of it."""

    @property
    def batch(self) -> _Batch: ...

    @property
    def custom_metadata(self) -> Mapping[bytes, bytes]: ...


class _Stream(Protocol):
    """An open stream, for writing or for reading."""

    def write_batch(self, batch: object, *, custom_metadata: Mapping[str, str]) -> None: ...

    def read_next_batch_with_custom_metadata(self) -> _Read: ...

    def close(self) -> None: ...


class _Arrow(Protocol):
    """What of pyarrow is used here."""

    int64: Callable[[], object]
    bool_: Callable[[], object]
    schema: Callable[..., object]
    record_batch: Callable[..., object]
    ArrowException: type[Exception]


class _Ipc(Protocol):
    """What of pyarrow.ipc is used here."""

    new_stream: Callable[..., _Stream]
    open_stream: Callable[..., _Stream]
    IpcWriteOptions: Callable[..., object]


def _arrow() -> tuple[_Arrow, _Ipc]:
    """Return the extra, or say how to get it.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return cast("_Arrow", importlib.import_module("pyarrow")), cast("_Ipc", importlib.import_module("pyarrow.ipc"))
    except ImportError as error:
        message = (
            "Recording whole snapshots needs the extra `data`, which is not installed: "
            'run `uv sync --extra data` or `pip install "interlock[data]"`. Nothing was started.'
        )
        raise ConfigError(message) from error


class NoSideFile:
    """What stands in its place where the source can make its snapshots again."""

    def write(self, snapshot: MarketSnapshot) -> None:
        """Keep nothing: the digest in the journal is enough."""
        del snapshot

    def sync(self) -> None:
        """Have nothing to make durable."""

    def close(self) -> None:
        """Have nothing to close."""


class SideFile:
    """Keeps every snapshot of a run, in order."""

    def __init__(self, run_dir: Path, universe: tuple[str, ...]) -> None:
        """Begin the file of a run.

        Raises:
            ConfigError: the extra is not installed.
            JournalError: the file cannot be made.
        """
        self._arrow, ipc = _arrow()
        fields = [(name, self._arrow.int64()) for name in (*_NUMBERS, *_REFERENCE)]
        fields += [(name, self._arrow.bool_()) for name in _FLAGS]
        self._schema = self._arrow.schema(fields, metadata={"universe": "\n".join(universe)})
        self._path = run_dir / SIDE_FILE
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self._fd = os.open(self._path, flags, 0o600)
            self._file = os.fdopen(self._fd, "wb", buffering=0)
            self._stream = ipc.new_stream(self._file, self._schema, options=ipc.IpcWriteOptions(compression="zstd"))
        except OSError as error:
            raise self._failed(error) from error

    def write(self, snapshot: MarketSnapshot) -> None:
        """Append one snapshot.

        Raises:
            JournalError: it could not be written; nothing may be sent any more.
        """
        columns = [getattr(snapshot, name) for name in _NUMBERS]
        columns += [getattr(snapshot.reference, name) for name in _REFERENCE]
        columns += [getattr(snapshot, name) for name in _FLAGS]
        said = {
            "seq": str(snapshot.seq),
            "as_of_ns": str(snapshot.as_of_ns),
            "trading_date": snapshot.trading_date,
            "reference": _GIVEN if snapshot.reference.is_given else _NOT_GIVEN,
            "digest": snapshot.digest,
        }
        try:
            self._stream.write_batch(self._arrow.record_batch(columns, schema=self._schema), custom_metadata=said)
        except OSError as error:
            raise self._failed(error) from error

    def sync(self) -> None:
        """Make all that was written durable.

        Raises:
            JournalError: it is not; nothing may be sent any more.
        """
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Close the file; what was synced stays whatever happens here."""
        try:
            self._stream.close()
            self._file.close()
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> JournalError:
        return JournalError(
            f"The side file {plain(str(self._path))} failed: {error.strerror or error}. What this run saw can no "
            "longer be kept, so nothing may be sent. Look at the disk (space, limits, faults), then start a new run."
        )


def side_snapshots(run_dir: Path) -> Iterator[MarketSnapshot]:
    """Yield the snapshots of a run's side file, in order, each sealed anew.

    A batch that cannot be read ends the walk: after a crash that is the last one, to which no durable record of the
    journal refers; in a damaged file the records that lack their snapshots show it.

    Raises:
        ConfigError: the extra is not installed.
        JournalError: the file is not there or a snapshot does not have the digest that it was kept under.
    """
    arrow, ipc = _arrow()
    try:
        with opened(run_dir, SIDE_FILE) as file:
            stream = ipc.open_stream(file)
            universe = tuple(_universe_of(stream).split("\n"))
            while True:
                try:
                    read = stream.read_next_batch_with_custom_metadata()
                except (StopIteration, OSError, MemoryError, arrow.ArrowException):
                    return
                yield _checked(read, universe)
    except (OSError, ValueError, MemoryError, arrow.ArrowException) as error:
        message = f"The side file of {run_dir.name} cannot be read: {plain(str(error))}."
        raise JournalError(message) from error


def _universe_of(stream: _Stream) -> str:
    schema: object = getattr(stream, "schema", None)
    metadata = cast("Mapping[bytes, bytes]", getattr(schema, "metadata", None) or {})
    return metadata.get(b"universe", b"").decode()


def _checked(read: _Read, universe: tuple[str, ...]) -> MarketSnapshot:
    """Return a batch as the snapshot that it was, or refuse it.

    Raises:
        JournalError: it is not what was kept.
    """
    try:
        snapshot, digest = _snapshot(read, universe)
    except (KeyError, ValueError, InvariantError) as error:
        message = f"A snapshot of the side file cannot be made again ({plain(str(error))}): it is damaged."
        raise JournalError(message) from error
    if snapshot.digest != digest:
        message = (
            f"Snapshot {snapshot.seq} of the side file does not have the digest that it was kept under: it is damaged."
        )
        raise JournalError(message)
    return snapshot


def _snapshot(read: _Read, universe: tuple[str, ...]) -> tuple[MarketSnapshot, str]:
    said = {name.decode(): text.decode() for name, text in read.custom_metadata.items()}
    snapshot = make_snapshot(
        seq=int(said["seq"]),
        as_of_ns=int(said["as_of_ns"]),
        trading_date=said["trading_date"],
        universe=universe,
        bid_px=_numbers(read, "bid_px"),
        ask_px=_numbers(read, "ask_px"),
        last_px=_numbers(read, "last_px"),
        bid_qty=_numbers(read, "bid_qty"),
        ask_qty=_numbers(read, "ask_qty"),
        volume=_numbers(read, "volume"),
        event_ns=_numbers(read, "event_ns"),
        present=_flags(read, "present"),
        halted=_flags(read, "halted"),
        reference=_reference(read) if said.get("reference", _NOT_GIVEN) == _GIVEN else None,
    )
    return snapshot, said["digest"]


def _reference(read: _Read) -> Reference:
    return make_reference(
        close_px=_numbers(read, "close_px"),
        adv_qty=_numbers(read, "adv_qty"),
        band_low_px=_numbers(read, "band_low_px"),
        band_high_px=_numbers(read, "band_high_px"),
    )


def _numbers(read: _Read, name: str) -> Column:
    return _whole(read.batch.column(name)).astype(np.int64)


def _flags(read: _Read, name: str) -> Flags:
    return _whole(read.batch.column(name)).astype(np.bool_)


def _whole(column: _Column) -> npt.NDArray[np.generic]:
    """Return a column of numbers or flags; one with holes comes as something else, and is no column of ours."""
    values = column.to_numpy(zero_copy_only=False)
    if values.dtype.str not in ("<i8", "|b1"):
        message = f"a column came back as {values.dtype}"
        raise ValueError(message)
    return values
