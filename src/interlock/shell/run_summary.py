"""One run in one line: who it was, how far it came and how it ended, without reading all of it.

Floor 2 (shell). It may never write. It trusts the head file for where the last durable record is, checks
that record and all after it, and reads the whole journal only where these do not fit.
On the trip: none; `interlock runs`, `status` and recovery ask here.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from interlock.model.errors import JournalError
from interlock.model.journal import Boot, BootAside, Cycle, Record, Stop
from interlock.model.units import plain
from interlock.shell.journal_format import Frame
from interlock.shell.journal_reader import Ending, EndingKind, JournalReader, decode

#: The exit code of a run that never said one.
NO_EXIT_CODE = -1
UNKNOWN_MODE = "unknown"


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `interlock runs`.

    Attributes:
        run_id: as the run gave it, or the name of its folder where no record can be read.
        mode: `SIM`, `PAPER`, `LIVE`, or `unknown`.
        started_wall_ns: when it began, 0 where it is not known.
        cycles: number of the last cycle.
        ended: `clean` (a STOP closes it), `killed` (none does; or it still runs, which only its lock can tell),
            `tail lost` or `damaged`.
        exit_code: of its STOP, else `NO_EXIT_CODE`.
        reason: why it ended, a sentence.
        head: SHA-256 over its decided parts, hexadecimal.
    """

    run_id: str
    mode: str
    started_wall_ns: int
    cycles: int
    ended: str
    exit_code: int
    reason: str
    head: str


class LastWords(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a journal: its last record (none: no record can be read), how it ends, how many, and the head."""

    last: tuple[Record, ...]
    ending: Ending
    records: int
    head: str


def last_words(run_dir: Path) -> LastWords:
    """Return the end of a journal.

    What is before the last durable record is not looked at where the head file and that record agree;
    `proof.verify` looks at all of it.

    Raises:
        JournalError: the folder or a file cannot be read at all.
    """
    reader = JournalReader(run_dir)
    last = _last_of(reader, tail_only=True)
    if not last or not reader.ending.is_trusted:
        reader = JournalReader(run_dir)
        last = _last_of(reader, tail_only=False)
    try:
        records = tuple(decode(frame) for frame in last)
    except ValueError:
        records = ()
    return LastWords(last=records, ending=reader.ending, records=reader.count, head=reader.head)


def has_begun(run_dir: Path) -> bool:
    """Return False for a run that was killed before its first record was whole, and that no head file speaks of.

    Such a start decided and sent nothing. A run whose record is damaged has begun: it is not passed over.
    """
    try:
        reader = JournalReader(run_dir)
        return any(True for _ in reader.frames()) or not reader.ending.is_trusted
    except JournalError:
        return True


def last_stop(run_dir: Path) -> Stop | None:
    """Return the STOP record that closes a run, or None where there is none: it was killed, or it still runs.

    Raises:
        JournalError: the folder or a file cannot be read at all.
    """
    words = last_words(run_dir)
    if words.last and words.ending.is_trusted and isinstance(words.last[0].decided, Stop):
        return words.last[0].decided
    return None


def summary(run_dir: Path) -> RunSummary:
    """Return one run in one line.

    Args:
        run_dir: the run's folder.

    Returns:
        The line; a run that cannot be trusted says so in `ended`.

    Raises:
        JournalError: the folder or a file cannot be read at all.
    """
    words = last_words(run_dir)
    decided = words.last[0].decided if words.last else None
    stop = decided if isinstance(decided, Stop) and words.ending.is_trusted else None
    cycles = decided.cycle if isinstance(decided, Cycle | Stop) else 0
    run_id, mode, started_wall_ns = _first_words(run_dir)
    return RunSummary(
        run_id=run_id,
        mode=mode,
        started_wall_ns=started_wall_ns,
        cycles=cycles,
        ended="clean" if stop else "killed" if words.ending.is_trusted else words.ending.kind.value,
        exit_code=stop.exit_code if stop else NO_EXIT_CODE,
        reason=stop.reason if stop else _why(words),
        head=words.head,
    )


def _why(words: LastWords) -> str:
    if not words.ending.is_trusted:
        return f"record {words.ending.seq} cannot be trusted: {words.ending.reason}"
    torn = f"; {words.ending.reason}" if words.ending.kind is EndingKind.TORN else ""
    return f"no STOP closes it after {words.records:,} records{torn}"


def _last_of(reader: JournalReader, *, tail_only: bool) -> tuple[Frame, ...]:
    last: tuple[Frame, ...] = ()
    for frame in reader.tail_frames() if tail_only else reader.frames():
        last = (frame,)
    return last


def _first_words(run_dir: Path) -> tuple[str, str, int]:
    """Return run id, mode and start from the BOOT record, or what is known without it."""
    for record in JournalReader(run_dir).records():
        decided, aside = record.decided, record.aside
        if isinstance(decided, Boot) and isinstance(aside, BootAside):
            return plain(aside.run_id), decided.mode.value, aside.started_wall_ns
        break
    return plain(run_dir.name), UNKNOWN_MODE, 0
