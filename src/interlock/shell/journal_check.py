"""A quick look at a whole journal: every checksum and every number, and no hash.

Floor 2 (shell). It may never write, and never call a journal good: what it finds odd is for the reader to judge.
On the trip: none; recovery looks here before it takes the last words of a run for granted.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from interlock.shell.journal_format import (
    HEADER_BYTES,
    PREFIX_BYTES,
    crc_of,
    payload_start,
    unpack_header,
    unpack_prefix,
)
from interlock.shell.run_folder import journal_files, opened, read_marks

_BLOCK_BYTES = 2**20


def looks_whole(run_dir: Path) -> bool:
    """Return True if each frame has its checksum and its number, and there are as many as the head file says.

    A disk that changes, loses or repeats bytes is seen here, three times faster than by the chains; a person who
    writes a false record with a right checksum is not: that is for `proof.verify`.
    """
    count = 0
    try:
        marks, faults = read_marks(run_dir)
        if faults:
            return False
        for number, name in enumerate(journal_files(run_dir), start=1):
            with opened(run_dir, name) as stream:
                header = unpack_header(stream.read(HEADER_BYTES))
                if (header.file_number, header.first_seq) != (number, count):
                    return False
                count = _counted(stream, count)
    except (OSError, ValueError):
        return False
    return count == max(mark.records for mark in marks)


def _counted(stream: BinaryIO, count: int) -> int:
    """Return the number of the next record after the last frame of a file.

    Raises:
        ValueError: a frame is cut, has another checksum, or another number.
    """
    rest = b""
    while block := stream.read(_BLOCK_BYTES):
        area = rest + block
        view = memoryview(area)
        start = 0
        while len(area) - start >= PREFIX_BYTES:
            length, crc = unpack_prefix(area, start)
            payload_at = start + PREFIX_BYTES
            end = payload_at + length
            if end > len(area):
                break
            if crc_of(view[payload_at:end]) != crc or not area.startswith(payload_start(count), payload_at):
                message = f"record {count} is not what was written"
                raise ValueError(message)
            count += 1
            start = end
        rest = area[start:]
    if rest:
        message = f"record {count} is cut"
        raise ValueError(message)
    return count
