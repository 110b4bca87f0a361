"""The journal as its own index: the record of a cycle or of an instant is found by halving, not by reading all.

Floor 2 (shell). It may never write: there is no index file that could be stale, lost or wrong.
On the trip: none; `explain` looks up what it tells here, in a run that ended, was killed, or still runs.

Records are in order of number, market time and state number. A frame can be recognised from any byte on, so a place
is found in as many looks as the length of the journal has bits. What is found is checked like everything that is read:
CRC32, number, and from the second record on the hash chain; `proof.verify` checks also what was passed over.
"""

from __future__ import annotations

import itertools
import mmap
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from interlock.model.errors import JournalError
from interlock.model.journal import Record
from interlock.model.units import plain
from interlock.shell.journal_format import (
    HEADER_BYTES,
    PREFIX_BYTES,
    Frame,
    chained,
    crc_of,
    find_frame,
    unpack_payload,
    unpack_prefix,
)
from interlock.shell.journal_reader import decode
from interlock.shell.run_folder import journal_files, opened, read_marks, unreadable

#: Where less than this is left to halve, frames are read one after the other.
_NEAR_BYTES = 1 << 16


class _Market(msgspec.Struct, frozen=True):
    as_of_ns: int


class _Inputs(msgspec.Struct, frozen=True):
    market: _Market | None


class _Outputs(msgspec.Struct, frozen=True):
    state_no: int


class _Boot(msgspec.Struct, frozen=True, tag="BOOT"):
    """The little of a first record that a search looks at: that it is one."""


class _Cycle(msgspec.Struct, frozen=True, tag="CYCLE"):
    """The little of a cycle that a search looks at."""

    inputs: _Inputs
    outputs: _Outputs


class _Stop(msgspec.Struct, frozen=True, tag="STOP"):
    """The little of a last record that a search looks at: that it is one."""


#: True for every frame from some place on, False for all before it.
IsFrom = Callable[[Frame], bool]

_GLANCE: msgspec.msgpack.Decoder[_Boot | _Cycle | _Stop] = msgspec.msgpack.Decoder(_Boot | _Cycle | _Stop)


def seen_after(at_ns: int) -> IsFrom:
    """Return the question whether a record saw the market later than `at_ns`, or ends the run."""

    def ask(frame: Frame) -> bool:
        glance = _glance(frame)
        if not isinstance(glance, _Cycle) or glance.inputs.market is None:
            return not isinstance(glance, _Boot)
        return glance.inputs.market.as_of_ns > at_ns

    return ask


def state_past(state_no: int) -> IsFrom:
    """Return the question whether the trading state or a latch changed after state number `state_no`."""

    def ask(frame: Frame) -> bool:
        glance = _glance(frame)
        if isinstance(glance, _Cycle):
            return glance.outputs.state_no > state_no
        return isinstance(glance, _Stop)

    return ask


class JournalIndex:
    """Finds records of one run, and reads on from there, with flat memory."""

    def __init__(self, run_dir: Path) -> None:
        """Take the run's folder.

        Raises:
            JournalError: there is no such folder, or it cannot be read.
        """
        self._run_dir = run_dir
        try:
            marks, _ = read_marks(run_dir)
            self._files = journal_files(run_dir)
        except OSError as error:
            raise unreadable(run_dir, error) from error
        self._durable = max((mark.records for mark in marks), default=0)

    @property
    def durable(self) -> int:
        """Return how many records the head file says are durable."""
        return self._durable

    def number_where(self, is_from: IsFrom) -> int:
        """Return the number of the first record for which `is_from` is true, or how many there are if none.

        Args:
            is_from: a question that is False up to some record and True from it on.

        Raises:
            JournalError: a file cannot be read, or a record is not of a form that this build reads.
        """
        last = -1
        for frame in self._near(is_from):
            if is_from(frame):
                return frame.seq
            last = frame.seq
        return last + 1

    def frames_from(self, number: int) -> Iterator[Frame]:
        """Yield the frames from record `number` on, each chained to the one before.

        Raises:
            JournalError: what comes next cannot be trusted, or a durable record is not there.
        """
        before: Frame | None = None
        for frame in self._near(lambda frame: frame.seq >= number):
            if before is not None:
                self._check_follows(before, frame)
            before = frame
            if frame.seq >= number:
                yield frame
        seen = 0 if before is None else before.seq + 1
        if seen < self._durable:
            raise self._distrust(seen, f"it ends there, and {self._durable:,} records were durable")

    def records_holding(self, text: str, number: int) -> Iterator[Record]:
        """Yield the records from `number` on whose decided part holds a text, such as the id of an order.

        What lies between them is passed over by its lengths, unread.

        Raises:
            JournalError: a record that holds it cannot be trusted, or a durable record is not there.
        """
        wanted, seen = text.encode(), 0

        def is_from(frame: Frame) -> bool:
            return frame.seq >= number

        try:
            first = self._file_of(is_from)
            for file_number in range(first, len(self._files)):
                with self._mapped(file_number) as area:
                    start = _offset_near(area, is_from) if file_number == first else HEADER_BYTES
                    for frame in _frames_holding(area, wanted, start=start):
                        if frame.seq >= number and wanted in frame.decided:
                            yield self._decoded(frame)
                        seen = frame.seq + 1
        except OSError as error:
            raise unreadable(self._run_dir, error) from error
        if seen < self._durable:
            raise self._distrust(seen, f"no whole record follows there, and {self._durable:,} were durable")

    def records_from(self, number: int) -> Iterator[Record]:
        """Yield the records from `number` on, each chained to the one before.

        Raises:
            JournalError: what comes next cannot be trusted, or a durable record is not there.
        """
        for frame in self.frames_from(number):
            yield self._decoded(frame)

    def record(self, number: int) -> Record:
        """Return one record.

        Raises:
            JournalError: it is not there, or cannot be trusted.
        """
        for record in self.records_from(number):
            if record.seq == number:
                return record
            break
        raise self._distrust(number, "it is not there")

    def _near(self, is_from: IsFrom) -> Iterator[Frame]:
        """Yield frames in order, from shortly before the first for which `is_from` is true."""
        try:
            first = self._file_of(is_from)
            for number in range(first, len(self._files)):
                with self._mapped(number) as area:
                    yield from _walk(area, _offset_near(area, is_from) if number == first else HEADER_BYTES)
        except OSError as error:
            raise unreadable(self._run_dir, error) from error

    def _file_of(self, is_from: IsFrom) -> int:
        """Return the index of the last file that begins before the place that is looked for."""
        low, high = 0, len(self._files)
        while high - low > 1:
            middle = (low + high) // 2
            with self._mapped(middle) as area:
                first = next(_walk(area, HEADER_BYTES), None)
            if first is None or is_from(first):
                high = middle
            else:
                low = middle
        return low

    def _mapped(self, number: int) -> mmap.mmap:
        with opened(self._run_dir, self._files[number]) as stream:
            try:
                return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:  # a file without a byte, made just before a kill
                return mmap.mmap(-1, 1, access=mmap.ACCESS_READ)

    def _check_follows(self, before: Frame, frame: Frame) -> None:
        if frame.seq != before.seq + 1:
            raise self._distrust(before.seq + 1, f"record {frame.seq:,} stands in its place")
        if frame.chain != chained(before.chain, decided=frame.decided, aside=frame.aside):
            raise self._distrust(frame.seq, "it does not follow from the one before it (chain hash)")

    def _decoded(self, frame: Frame) -> Record:
        try:
            return decode(frame)
        except ValueError as error:
            reason = f"it is not of a form that this build reads ({plain(str(error))})"
            raise self._distrust(frame.seq, reason) from error

    def _distrust(self, number: int, reason: str) -> JournalError:
        message = (
            f"Record {number:,} of the journal in {plain(str(self._run_dir))} cannot be trusted: {reason}. "
            f"Nothing was changed. See how the journal ends with: interlock verify {plain(self._run_dir.name)}"
        )
        return JournalError(message)


def _offset_near(area: mmap.mmap, is_from: IsFrom) -> int:
    """Return the offset of a frame shortly before the first for which `is_from` is true, by halving."""
    low, high = HEADER_BYTES, len(area)
    while high - low > _NEAR_BYTES:
        middle = (low + high) // 2
        at = find_frame(area, middle)
        # A frame found here is also before the place if it says so; then the place is after it, else before `middle`,
        # or this very frame, which a walk from `low` on reaches.
        if at == -1 or at >= high or is_from(next(_walk(area, at))):
            high = middle
        else:
            low = at
    return low


def _walk(area: mmap.mmap, offset: int) -> Iterator[Frame]:
    """Yield whole frames from an offset on, up to the first bytes that are none."""
    while offset + PREFIX_BYTES < len(area):
        try:
            length, crc = unpack_prefix(area[offset : offset + PREFIX_BYTES])
            payload = area[offset + PREFIX_BYTES : offset + PREFIX_BYTES + length]
            if len(payload) < length or crc_of(payload) != crc:
                return
            frame = unpack_payload(payload)
        except ValueError:
            return
        yield frame
        offset += PREFIX_BYTES + length


def _frames_holding(area: mmap.mmap, wanted: bytes, *, start: int) -> Iterator[Frame]:
    """Yield each frame from an offset on whose bytes hold `wanted`, and the file's last one."""
    at, last, told = start, start, -1
    hit = area.find(wanted, at)
    while at + PREFIX_BYTES < len(area):
        try:
            length, _ = unpack_prefix(area[at : at + PREFIX_BYTES])
        except ValueError:
            break
        end = at + PREFIX_BYTES + length
        if end > len(area):
            break
        last = at
        if at <= hit < end:
            yield from itertools.islice(_walk(area, at), 1)
            hit, told = area.find(wanted, end), at
        at = end
    if last != told:
        yield from itertools.islice(_walk(area, last), 1)


def _glance(frame: Frame) -> _Boot | _Cycle | _Stop:
    try:
        return _GLANCE.decode(frame.decided)
    except ValueError as error:
        message = f"Record {frame.seq:,} is not of a form that this build reads ({plain(str(error))})."
        raise JournalError(message) from error
