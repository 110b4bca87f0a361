"""The journal's writer: one frame a record, one file a market date, durable only after `sync`.

Floor 2 (shell). It may never rewrite a byte of a journal file, never open the journal of another run, and
never write again after a write or a sync failed: what the disk then holds is not known.
On the trip: WRITE appends here, and syncs before anything is sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn, Self

import msgspec

from interlock.model.errors import JournalError, invariant
from interlock.model.journal import Aside, Cycle, Decided, Record
from interlock.model.units import plain
from interlock.shell.journal_format import (
    HEAD_NAME,
    NOTHING_SYNCED,
    SLOT_BYTES,
    SLOTS,
    START,
    FileHeader,
    Frame,
    HeadMark,
    chained,
    file_name,
    pack_frame,
    pack_header,
    pack_mark,
)

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE_MODE = 0o600
_FOLDER_MODE = 0o700


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """The four calls by which a journal reaches a disk, so that a test can make each of them fail."""

    write: Callable[[int, bytes], int] = os.write
    write_at: Callable[[int, bytes, int], int] = os.pwrite
    sync: Callable[[int], None] = os.fdatasync
    sync_folder: Callable[[int], None] = os.fsync


OS_DISK: Final = Disk()


class FileJournal:
    """The journal of one run, in a folder of its own; made once, never reopened.

    It is the `interlock.ports.Journal` of a process, and can be used as a context manager that closes it.
    """

    def __init__(self, run_dir: Path, *, disk: Disk) -> None:
        """Take the folder of a new run; use `create`."""
        self._run_dir = run_dir
        self._disk = disk
        self._encoder = msgspec.msgpack.Encoder()
        self._folder_fd = -1
        self._head_fd = -1
        self._file_fd = -1
        self._file_number = 0
        self._file_name = ""
        self._trading_date = ""
        self._records = 0
        self._chain = START
        self._last_offset = 0
        self._end_offset = 0
        self._synced = 0
        self._syncs = 0
        self._dead = ""

    @classmethod
    def create(cls, run_dir: Path, *, disk: Disk = OS_DISK) -> FileJournal:
        """Begin the journal of a new run: its folder, its head file and its first journal file, all durable.

        Args:
            run_dir: the run's folder; made (0700) where it is absent, refused where a journal is in it.
            disk: the calls that reach the disk; a test hands over ones that fail.

        Returns:
            A journal without a record.

        Raises:
            JournalError: it cannot be made; nothing was started.
        """
        journal = cls(run_dir, disk=disk)
        try:
            journal._begin()
        except OSError as error:
            journal.close()
            message = (
                f"The journal in {plain(str(run_dir))} cannot be begun: {plain(str(error))}. "
                "Nothing was started and nothing was sent. Give the run a new folder that can be written to."
            )
            raise JournalError(message) from error
        return journal

    def _begin(self) -> None:
        self._run_dir.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        parent_fd = os.open(self._run_dir.parent, _FOLDER)
        try:
            self._disk.sync_folder(parent_fd)
        finally:
            os.close(parent_fd)
        self._folder_fd = os.open(self._run_dir, _FOLDER | os.O_NOFOLLOW)
        # The head file is never O_APPEND: Linux would then append whatever offset pwrite is given.
        self._head_fd = os.open(HEAD_NAME, _NEW_FILE, _FILE_MODE, dir_fd=self._folder_fd)
        self._write_whole(self._head_fd, pack_mark(NOTHING_SYNCED) * SLOTS)
        self._disk.sync(self._head_fd)
        self._open_file("")

    def _open_file(self, trading_date: str) -> None:
        """Begin the next file: its header and its name are durable before a record goes into it."""
        number = self._file_number + 1
        name = file_name(number, trading_date)
        header = pack_header(FileHeader(file_number=number, first_seq=self._records, chain=self._chain))
        new_fd = os.open(name, _NEW_FILE | os.O_APPEND, _FILE_MODE, dir_fd=self._folder_fd)
        before_fd, self._file_fd = self._file_fd, new_fd
        if before_fd != -1:
            os.close(before_fd)
        self._write_whole(new_fd, header)
        self._disk.sync(new_fd)
        self._disk.sync_folder(self._folder_fd)
        self._file_number, self._file_name, self._trading_date = number, name, trading_date
        self._end_offset = len(header)

    def append(self, decided: Decided, aside: Aside) -> Record:
        """Append one record, with one write.

        Args:
            decided: what decisions read or are; it makes the head.
            aside: the rest, of the same kind of record.

        Returns:
            The record with its number. It is durable only after the next `sync`.

        Raises:
            JournalError: it could not be written; nothing may be sent any more.
        """
        self._refuse_if_dead()
        market = decided.inputs.market if isinstance(decided, Cycle) else None
        if market is not None and market.trading_date != self._trading_date:
            self._turn_to(market.trading_date)
        try:
            decided_bytes = self._encoder.encode(decided)
            aside_bytes = self._encoder.encode(aside)
            chain = chained(self._chain, decided=decided_bytes, aside=aside_bytes)
            frame = pack_frame(Frame(seq=self._records, decided=decided_bytes, aside=aside_bytes, chain=chain))
        except (OverflowError, TypeError, ValueError) as error:
            self._die(f"record {self._records} cannot be put into bytes ({error})")
        # Until the write is whole the journal counts as dead: an interrupt in its middle must not be written over.
        self._dead = f"the write of record {self._records} was interrupted"
        try:
            self._write_whole(self._file_fd, frame)
        except OSError as error:
            self._die(f"record {self._records} could not be written to {self._file_name} ({error})")
        self._dead = ""
        record = Record(seq=self._records, decided=decided, aside=aside)
        self._chain = chain
        self._records += 1
        self._last_offset = self._end_offset
        self._end_offset += len(frame)
        return record

    def _turn_to(self, trading_date: str) -> None:
        """Go on in a new file; the old one is whole and durable first, so that a tear can only be in the last."""
        self.sync()
        try:
            self._open_file(trading_date)
        except OSError as error:
            self._die(f"the file for {trading_date} could not be begun ({error})")

    def sync(self) -> None:
        """Make all that was appended durable, then say so in the head file, durably.

        The order matters: the records first, the head file after, so that it never names a record that
        could still be lost.

        Raises:
            JournalError: it is not durable; nothing may be sent any more.
        """
        self._refuse_if_dead()
        if self._records == self._synced:
            return
        mark = HeadMark(
            file_number=self._file_number,
            records=self._records,
            last_offset=self._last_offset,
            end_offset=self._end_offset,
            chain=self._chain,
        )
        self._dead = "a sync was interrupted"
        try:
            self._disk.sync(self._file_fd)
            slot = pack_mark(mark)
            written = self._disk.write_at(self._head_fd, slot, self._syncs % SLOTS * SLOT_BYTES)
            self._disk.sync(self._head_fd)
        except OSError as error:
            self._die(f"{self._file_name} could not be made durable ({error})")
        if written != len(slot):
            self._die(f"{HEAD_NAME} took {written} of {len(slot)} bytes")
        self._dead = ""
        self._synced = self._records
        self._syncs += 1

    @property
    def synced_records(self) -> int:
        """Return how many records are durable."""
        return self._synced

    @property
    def head(self) -> str:
        """Return the SHA-256 over all decided parts so far, hexadecimal."""
        return self._chain.head.hex()

    def close(self) -> None:
        """Close the files. It makes nothing durable (call `sync` first) and may be called twice."""
        self._dead = self._dead or "it was closed"
        for fd in (self._file_fd, self._head_fd, self._folder_fd):
            if fd != -1:
                _close_quietly(fd)
        self._file_fd = self._head_fd = self._folder_fd = -1

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _write_whole(self, fd: int, payload: bytes) -> None:
        """Write all of `payload`; a short write is completed, and one that takes nothing is a failure."""
        written = self._disk.write(fd, payload)
        while written != len(payload):
            more = self._disk.write(fd, payload[written:])
            if more <= 0:
                message = f"the disk took {written} of {len(payload)} bytes"
                raise OSError(message)
            written += more
        invariant(written == len(payload), "a write is whole or a failure", written=written)

    def _refuse_if_dead(self) -> None:
        if self._dead:
            message = (
                f"The journal in {plain(str(self._run_dir))} takes no more records: {self._dead}. Nothing may be sent."
            )
            raise JournalError(message)

    def _die(self, what: str) -> NoReturn:
        """Take no more records, ever, and raise the error that says why."""
        self._dead = plain(what)
        message = (
            f"The journal in {plain(str(self._run_dir))} failed: {self._dead}. {self._synced:,} records are durable; "
            "what the disk holds after them is not known, so nothing more is written and nothing may be sent. "
            "Look at the disk (space, limits, faults), then start a new run: it says what this one left."
        )
        raise JournalError(message)


def _close_quietly(fd: int) -> None:
    """Close a descriptor; one that is closed already changes nothing, durability is the business of `sync`."""
    try:
        os.close(fd)
    except OSError:
        return
