"""Tell a run again from its journal, in the words of the day.

Floor 3 (proof). It reads one run's journal and prints; the words come from the same function as they did then.
It stands after the trip.
"""

from __future__ import annotations

import sys
from pathlib import Path

from interlock.model.errors import ConfigError, ExitCode
from interlock.model.journal import Cycle, Record, Stop
from interlock.shell.journal_reader import JournalReader
from interlock.shell.narrator import forms_of
from interlock.shell.story import Setting, following, setting_of


def tell_run(run_dir: Path, cycle: int | None, *, form: str = "story") -> int:
    """Print a run's story to standard output.

    Args:
        run_dir: the run's folder.
        cycle: only this cycle (0 = the boot), or None for all of it.
        form: one of the forms of the log.

    Returns:
        The exit code: 7 where the journal cannot be trusted from some record on.

    Raises:
        ConfigError: the run has no such cycle.
        JournalError: the journal cannot be read at all.
    """
    reader = JournalReader(run_dir)
    setting: Setting | None = None
    told = 0
    for record in reader.records():
        setting = setting or setting_of(record)
        if cycle is None or _cycle_of(record) == cycle:
            told += 1
            for _, text in forms_of(record, setting, form=form):
                sys.stdout.write(text + "\n")
        setting = following(setting, record)
    if not reader.ending.is_trusted:
        sys.stdout.flush()
        sys.stderr.write(
            f"interlock: The journal of {run_dir.name} cannot be trusted after record {reader.count}: "
            f"{reader.ending.reason}. What was told before that is on the record; see interlock verify.\n"
        )
        return ExitCode.FOUND
    if told == 0:
        wanted = "first record: it was killed before it began" if cycle is None else f"cycle {cycle}"
        message = f"The run {run_dir.name} has no {wanted}. Its journal holds {reader.count:,} records."
        raise ConfigError(message)
    return ExitCode.CLEAN


def _cycle_of(record: Record) -> int:
    """Return the cycle that a record belongs to; the first record is cycle 0."""
    return record.decided.cycle if isinstance(record.decided, Cycle | Stop) else 0
