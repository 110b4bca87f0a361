"""The journal under any run, any sync and any cut: what comes back is a prefix that holds everything synced."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.journal_factory import MONDAY, TUESDAY, boot, cycle

from interlock.model.journal import Record
from interlock.shell.journal import Disk, FileJournal
from interlock.shell.journal_format import Chain, HeadMark, pack_mark, unpack_mark
from interlock.shell.journal_reader import EndingKind, JournalReader

DATES = st.lists(st.sampled_from([MONDAY, TUESDAY]), max_size=8)
HASHES = st.binary(min_size=32, max_size=32)
COUNTS = st.integers(min_value=0, max_value=2**63)


@contextmanager
def room() -> Iterator[Path]:
    """Give one example a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="il-"))
    try:
        yield folder / "run"
    finally:
        shutil.rmtree(folder)


def read(run_dir: Path) -> tuple[list[Record], EndingKind]:
    """Return all records, and how the journal ends."""
    reader = JournalReader(run_dir)
    return list(reader.records()), reader.ending.kind


def written(run_dir: Path, dates: list[str], synced: int, *, disk: Disk | None = None) -> tuple[list[Record], int]:
    """Write BOOT and one cycle a date, sync after `synced` records; return the records, and how many are durable."""
    with FileJournal.create(run_dir, disk=disk or Disk()) as journal:
        records = [journal.append(*boot())]
        for number, date in enumerate(dates, start=1):
            if number == synced:
                journal.sync()
            records.append(journal.append(*cycle(number, trading_date=date)))
        return records, journal.synced_records


@given(dates=DATES, synced=st.integers(0, 8))
def test_whatever_was_appended_is_read_back(dates: list[str], synced: int) -> None:
    """Any run over any order of dates comes back whole."""
    with room() as run_dir:
        records, _ = written(run_dir, dates, synced)

        assert (records, EndingKind.WHOLE) == read(run_dir)


@given(dates=DATES, synced=st.integers(0, 8), cut=st.integers(0, 10_000))
def test_a_cut_of_the_last_file_leaves_a_prefix_or_is_refused(dates: list[str], synced: int, cut: int) -> None:
    """Cut bytes off the last file: what is trusted holds everything synced, and everything yielded was appended."""
    with room() as run_dir:
        records, durable = written(run_dir, dates, synced)
        last = max(run_dir.glob("*.ilj"))
        raw = last.read_bytes()
        last.write_bytes(raw[: max(0, len(raw) - cut)])
        found, kind = read(run_dir)

        assert records[: len(found)] == found
        assert (len(found) >= durable) == (kind in (EndingKind.WHOLE, EndingKind.TORN))


@given(dates=DATES, place=st.integers(0, 10_000), garbage=st.binary(min_size=1, max_size=64))
def test_garbage_anywhere_never_changes_a_record_in_silence(dates: list[str], place: int, garbage: bytes) -> None:
    """Overwrite bytes of any file: a record that is yielded was appended, and none synced is passed over."""
    with room() as run_dir:
        records, durable = written(run_dir, dates, synced=3)
        files = sorted(run_dir.glob("*.ilj"))
        path = files[place % len(files)]
        raw = bytearray(path.read_bytes())
        start = place % len(raw)
        raw[start : start + len(garbage)] = garbage
        path.write_bytes(raw)
        found, kind = read(run_dir)

        assert records[: len(found)] == found
        assert len(found) >= durable or kind in (EndingKind.DAMAGED, EndingKind.TAIL_LOST)


@given(
    numbers=st.tuples(st.integers(0, 2**32 - 1), COUNTS, COUNTS, COUNTS),
    hashes=st.tuples(HASHES, HASHES),
)
def test_a_slot_of_the_head_file_is_read_as_it_was_written(
    numbers: tuple[int, int, int, int], hashes: tuple[bytes, bytes]
) -> None:
    """Every mark survives its bytes."""
    file_number, records, last_offset, end_offset = numbers
    mark = HeadMark(
        file_number=file_number,
        records=records,
        last_offset=last_offset,
        end_offset=end_offset,
        chain=Chain(*hashes),
    )

    assert mark == unpack_mark(pack_mark(mark))


@given(chunk=st.integers(1, 4_000))
def test_a_disk_that_takes_little_at_a_time_makes_the_same_bytes(chunk: int) -> None:
    """Short writes are completed: the files are those of a disk that takes all."""
    with room() as one, room() as other:
        written(one, [MONDAY], 1)
        written(other, [MONDAY], 1, disk=Disk(write=lambda fd, payload: os.write(fd, payload[:chunk])))

        assert [path.read_bytes() for path in sorted(one.iterdir())] == [
            path.read_bytes() for path in sorted(other.iterdir())
        ]
