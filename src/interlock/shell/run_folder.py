"""What lies in a run's folder: its journal files in order, and what its head file says.

Floor 2 (shell). It may never write, follow a link or wait at a pipe.
On the trip: none; `journal_reader` looks here before it reads a frame.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from interlock.model.errors import JournalError
from interlock.model.units import plain
from interlock.shell.journal_format import FILES_MAX, HEAD_NAME, SLOT_BYTES, SLOTS, HeadMark, unpack_mark

_READ_BYTES = 1 << 20


def opened(run_dir: Path, name: str) -> BinaryIO:
    """Open a file of a run for reading; a link is not followed, and a pipe does not wait."""

    def opener(path: str, flags: int) -> int:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)

    return open(run_dir / name, "rb", buffering=_READ_BYTES, opener=opener)


def journal_files(run_dir: Path) -> tuple[str, ...]:
    """Return the names of all files that call themselves journal files, in order."""
    names = sorted(entry.name for entry in os.scandir(run_dir) if entry.name.endswith(".ilj"))
    if len(names) > FILES_MAX:
        message = f"{plain(str(run_dir))} holds {len(names):,} journal files, and a run has at most {FILES_MAX:,}."
        raise JournalError(message)
    return tuple(names)


def read_marks(run_dir: Path) -> tuple[tuple[HeadMark, ...], tuple[str, ...]]:
    """Return what the slots of the head file say, and what is wrong with those that say nothing."""
    run_dir.stat()
    try:
        with opened(run_dir, HEAD_NAME) as stream:
            raw = stream.read(SLOTS * SLOT_BYTES + 1)
    except FileNotFoundError:
        return (), (f"{HEAD_NAME} is not there",)
    marks: list[HeadMark] = []
    faults = [] if len(raw) == SLOTS * SLOT_BYTES else [f"{HEAD_NAME} has not the size that it must have"]
    for slot in range(SLOTS):
        try:
            marks.append(unpack_mark(raw[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES]))
        except ValueError as error:
            faults.append(f"slot {slot}: {error}")
    return tuple(marks), tuple(faults)


def unreadable(run_dir: Path, error: OSError) -> JournalError:
    """Return the error that says why nothing of a run can be read."""
    message = (
        f"The journal in {plain(str(run_dir))} cannot be read: {plain(str(error))}. "
        "Nothing is known about this run until it can; check the path and who may read it."
    )
    return JournalError(message)
