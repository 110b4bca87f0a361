"""The journal's reader: walks a run's frames, and says how the journal ends and whether it can be trusted.

Floor 2 (shell). It may never write, cut or repair: a torn tail is left out of what it yields, not of the disk.
On the trip: none; recovery reads the run before, and `tell`, `runs`, `verify` and `replay` read any.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import msgspec

from interlock.model.errors import JournalError
from interlock.model.journal import Aside, Decided, Record
from interlock.model.units import plain
from interlock.shell.journal_format import (
    HEAD_NAME,
    HEADER_BYTES,
    NOTHING_SYNCED,
    PREFIX_BYTES,
    START,
    Chain,
    Frame,
    chained,
    crc_of,
    find_frame,
    parse_file_name,
    unpack_header,
    unpack_payload,
    unpack_prefix,
)
from interlock.shell.run_folder import journal_files, opened, read_marks, unreadable

_DECIDED: msgspec.msgpack.Decoder[Decided] = msgspec.msgpack.Decoder(Decided)
_ASIDE: msgspec.msgpack.Decoder[Aside] = msgspec.msgpack.Decoder(Aside)


class EndingKind(StrEnum):
    """How a journal ends on disk (whether the run ended well is another question: see `RunSummary`)."""

    UNREAD = "unread"
    WHOLE = "whole"
    TORN = "torn"
    TAIL_LOST = "tail lost"
    DAMAGED = "damaged"


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a journal ends, and where.

    Attributes:
        kind: UNREAD (not read to its end yet); WHOLE; TORN (bytes after the last whole record, which no sync had
            promised); TAIL_LOST (it ends before its head file says); DAMAGED (what is there cannot be trusted).
        file: the file in which it ends or is damaged, "" for none.
        offset: bytes before that place in the file.
        seq: the number that the next record would have.
        torn_bytes: bytes of the torn tail, 0 if there is none.
        reason: a sentence, "" when WHOLE.
        notes: what a person should know although the journal can be trusted.
    """

    kind: EndingKind
    file: str
    offset: int
    seq: int
    torn_bytes: int
    reason: str
    notes: tuple[str, ...]

    @property
    def is_trusted(self) -> bool:
        """Return True if everything that was synced is there and unchanged."""
        return self.kind in (EndingKind.WHOLE, EndingKind.TORN)


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a walk begins: a file, bytes into it, and what came before."""

    file_number: int
    offset: int
    seq: int
    chain: Chain


_UNREAD = Ending(
    kind=EndingKind.UNREAD, file="", offset=0, seq=0, torn_bytes=0, reason="it was not read to its end", notes=()
)
_BEGINNING = _Place(file_number=1, offset=HEADER_BYTES, seq=0, chain=START)


class _Bad(Exception):
    """Carries an ending out of a walk."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.reason)
        self.ending = ending


class JournalReader:
    """Reads one run's journal from its first record to its last, with flat memory.

    Attributes:
        file: the file of the frame that was yielded last.
        offset: bytes before it in that file.
    """

    def __init__(self, run_dir: Path) -> None:
        """Take the run's folder.

        Raises:
            JournalError: there is no such folder, or it cannot be read.
        """
        self._run_dir = run_dir
        self.file = ""
        self.offset = 0
        self._count = 0
        self._chain = START
        self._ending = _UNREAD
        try:
            self._marks, self._head_faults = read_marks(run_dir)
            self._files = journal_files(run_dir)
        except OSError as error:
            raise unreadable(run_dir, error) from error

    @property
    def count(self) -> int:
        """Return how many records were read so far, those before the start of a tail included."""
        return self._count

    @property
    def head(self) -> str:
        """Return the SHA-256 over the decided parts read so far, hexadecimal."""
        return self._chain.head.hex()

    @property
    def ending(self) -> Ending:
        """Return how the journal ends; UNREAD until all frames or records were read."""
        return self._ending

    @property
    def run_dir(self) -> Path:
        """Return the run's folder."""
        return self._run_dir

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order, each checked: CRC32, number, both chains, and the head file where it speaks.

        Raises:
            JournalError: a file cannot be read at all (damage is no error here: see `ending`).
        """
        return self._walk(_BEGINNING)

    def records(self) -> Iterator[Record]:
        """Yield the records in order; one whose content is not of this build's schema ends the walk as damage.

        Raises:
            JournalError: a file cannot be read at all (damage is no error here: see `ending`).
        """
        for frame in self.frames():
            try:
                record = decode(frame)
            except ValueError as error:
                reason = f"record {frame.seq} of {self.file} is not of a form that this build reads ({error})"
                self._ending = self._bad(EndingKind.DAMAGED, reason).ending
                return
            yield record

    def tail_frames(self) -> Iterator[Frame]:
        """Yield the last durable frame and those after it, without reading what is before.

        It yields nothing where the head file names no record that is there: then `frames` says more.
        """
        mark = max(self._marks, key=lambda each: each.records, default=NOTHING_SYNCED)
        if not 1 <= mark.file_number <= len(self._files):
            return
        try:
            with opened(self._run_dir, self._files[mark.file_number - 1]) as stream:
                stream.seek(mark.last_offset)
                frame = unpack_payload(_one_payload(stream))
        except (EOFError, OSError, ValueError):
            return
        if (frame.seq + 1, frame.chain) != (mark.records, mark.chain):
            return
        self.file, self.offset = self._files[mark.file_number - 1], mark.last_offset
        yield frame
        start = _Place(file_number=mark.file_number, offset=mark.end_offset, seq=mark.records, chain=mark.chain)
        yield from self._walk(start)

    def _walk(self, start: _Place) -> Iterator[Frame]:
        self._count, self._chain, self._ending = start.seq, start.chain, _UNREAD
        try:
            for number in range(start.file_number, len(self._files) + 1):
                offset = start.offset if number == start.file_number else HEADER_BYTES
                yield from self._walk_file(number, offset)
            self._ending = self._at_end()
        except _Bad as bad:
            self._ending = bad.ending
        except OSError as error:
            raise unreadable(self._run_dir, error) from error

    def _walk_file(self, number: int, offset: int) -> Iterator[Frame]:
        name = self._files[number - 1]
        self.file, self.offset = name, 0
        if parse_file_name(name)[0] != number:
            reason = f"file {number} of the run is not there, or {plain(name)} is not of this run"
            raise self._bad(EndingKind.DAMAGED, reason)
        with opened(self._run_dir, name) as stream:
            self._check_header(stream, number, is_start=offset == HEADER_BYTES)
            stream.seek(offset)
            self.offset = offset
            while True:
                try:
                    payload = _one_payload(stream)
                except EOFError:
                    return
                except ValueError as error:
                    raise self._torn_or_damaged(stream, str(error)) from error
                yield self._checked(payload)
                self.offset += PREFIX_BYTES + len(payload)

    def _check_header(self, stream: BinaryIO, number: int, *, is_start: bool) -> None:
        try:
            header = unpack_header(stream.read(HEADER_BYTES))
        except ValueError as error:
            raise self._torn_or_damaged(stream, str(error)) from error
        place = (header.first_seq, header.chain) if is_start else (self._count, self._chain)
        if header.file_number != number or place != (self._count, self._chain):
            stands = f"it is file {header.file_number} and begins at record {header.first_seq}"
            reason = f"{plain(self.file)} belongs elsewhere: {stands}, where record {self._count} must be"
            raise self._bad(EndingKind.DAMAGED, reason)

    def _checked(self, payload: bytes) -> Frame:
        try:
            frame = unpack_payload(payload)
        except ValueError as error:
            raise self._bad(EndingKind.DAMAGED, f"record {self._count} cannot be read: {error}") from error
        expected = chained(self._chain, decided=frame.decided, aside=frame.aside)
        if frame.seq != self._count:
            raise self._bad(EndingKind.DAMAGED, f"record {frame.seq} stands where record {self._count} must be")
        if frame.chain != expected:
            reason = f"record {frame.seq} does not follow from the one before it (chain hash)"
            raise self._bad(EndingKind.DAMAGED, reason)
        self._count += 1
        self._chain = frame.chain
        for mark in self._marks:
            if mark.records == self._count and mark.chain != frame.chain:
                reason = f"{HEAD_NAME} knows another record {frame.seq}: journal and head file are not of one history"
                raise self._bad(EndingKind.DAMAGED, reason)
        return frame

    def _torn_or_damaged(self, stream: BinaryIO, why: str) -> _Bad:
        """Tell a tail that never became durable from damage: durable bytes, or whole frames, come after damage."""
        torn_bytes = os.fstat(stream.fileno()).st_size - self.offset
        unread = f"record {self._count} cannot be read ({why})"
        if self.file != self._files[-1]:
            return self._bad(EndingKind.DAMAGED, f"{unread}, and more files come after it")
        if torn_bytes > 0:
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as area:
                later = find_frame(area, self.offset)
            # A frame right here was being written when it was read: the run is alive, and this is its end for now.
            if later > self.offset:
                return self._bad(EndingKind.DAMAGED, f"{unread}, and a whole record comes after it at byte {later:,}")
        if self._count < self._durable():
            reason = f"{unread}, and {HEAD_NAME} says that {self._durable():,} records were durable"
            return self._bad(EndingKind.TAIL_LOST, reason)
        reason = f"the last {torn_bytes:,} bytes are no whole record ({why}); no sync had promised them"
        return self._bad(EndingKind.TORN, reason, torn_bytes=torn_bytes)

    def _at_end(self) -> Ending:
        durable = self._durable()
        if self._count < durable:
            reason = f"it ends after {self._count:,} records, and {HEAD_NAME} says that {durable:,} were durable"
            return self._bad(EndingKind.TAIL_LOST, reason).ending
        return self._bad(EndingKind.WHOLE, "").ending

    def _durable(self) -> int:
        return max((mark.records for mark in self._marks), default=0)

    def _bad(self, kind: EndingKind, reason: str, *, torn_bytes: int = 0) -> _Bad:
        """Return the ending at the present place; without a head file that can be read nothing is trusted."""
        if self._files and not self._marks and kind in (EndingKind.WHOLE, EndingKind.TORN):
            kind = EndingKind.DAMAGED
            reason = f"{HEAD_NAME} cannot be read ({'; '.join(self._head_faults)}), so a lost tail could not be noticed"
        ending = Ending(
            kind=kind,
            file=self.file,
            offset=self.offset,
            seq=self._count,
            torn_bytes=torn_bytes,
            reason=reason,
            notes=tuple(f"One part of {HEAD_NAME} is of no use: {fault}" for fault in self._head_faults),
        )
        return _Bad(ending)


def decode(frame: Frame) -> Record:
    """Return the record of a frame.

    Raises:
        ValueError: its content is not of this build's schema, or its two parts are of different kinds.
    """
    decided = _DECIDED.decode(frame.decided)
    aside = _ASIDE.decode(frame.aside)
    if type(aside).__name__ != f"{type(decided).__name__}Aside":
        message = f"a {type(decided).__name__} record has the aside of another kind"
        raise ValueError(message)
    return Record(seq=frame.seq, decided=decided, aside=aside)


def require_trusted(reader: JournalReader) -> None:
    """Refuse a journal that was read to its end and cannot be trusted.

    Raises:
        JournalError: it is damaged, or its synced tail is lost.
    """
    ending = reader.ending
    if not ending.is_trusted:
        message = (
            f"The journal in {plain(str(reader.run_dir))} cannot be trusted from record {ending.seq} on "
            f"({ending.file or HEAD_NAME}, byte {ending.offset:,}): {ending.reason}. Nothing was repaired and nothing "
            "was started from it. Keep the folder as it is, and look at the disk and at who else can write there."
        )
        raise JournalError(message)


def _one_payload(stream: BinaryIO) -> bytes:
    """Return the next payload, its CRC32 checked.

    Raises:
        EOFError: there is no further byte.
        ValueError: in words, when there is no whole frame.
    """
    prefix = stream.read(PREFIX_BYTES)
    if not prefix:
        raise EOFError
    if len(prefix) < PREFIX_BYTES:
        message = f"it is cut after {len(prefix)} bytes"
        raise ValueError(message)
    length, crc = unpack_prefix(prefix)
    payload = stream.read(length)
    if len(payload) < length:
        message = f"it is cut after {PREFIX_BYTES + len(payload):,} of {PREFIX_BYTES + length:,} bytes"
        raise ValueError(message)
    if crc_of(payload) != crc:
        message = "its checksum (CRC32) does not match"
        raise ValueError(message)
    return payload
