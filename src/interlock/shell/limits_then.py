"""The limits that held at some record of a run: those of its start, and what a person tightened since.

Floor 2 (shell). It reads a journal and never writes; only the records that changed the state are looked at.
It stands beside the trip: `controls`, `status`, `tighten` and `explain` ask here.
"""

from __future__ import annotations

from pathlib import Path

from interlock.model.errors import JournalError
from interlock.model.journal import Boot, BootAside, Cycle, LimitInForce
from interlock.model.units import plain
from interlock.shell.home import RUNS_FOLDER, holder, run_ids
from interlock.shell.index import JournalIndex, state_past
from interlock.shell.run_summary import has_begun

#: Where a limit comes from that a person made stricter while the run went on.
TIGHTENED = "tightened"


def latest_run(home: Path) -> str:
    """Return the id of the run that lives in a home, else of its last one that began, or "" where there is none."""
    living = holder(home).run_id
    return living or next((one for one in reversed(run_ids(home)) if has_begun(home / RUNS_FOLDER / one)), "")


def first_record(run_dir: Path) -> tuple[Boot, BootAside]:
    """Return both parts of the first record of a run.

    Raises:
        JournalError: it cannot be read.
    """
    record = JournalIndex(run_dir).record(0)
    if not isinstance(record.decided, Boot) or not isinstance(record.aside, BootAside):
        message = f"The journal in {plain(str(run_dir))} does not begin with its first record; see interlock verify."
        raise JournalError(message)
    return record.decided, record.aside


def limits_then(index: JournalIndex, boot: Boot, *, last: int) -> tuple[LimitInForce, ...]:
    """Return every limit as it was after a record.

    Args:
        index: the run's journal.
        boot: its first record.
        last: the number of the record.

    Raises:
        JournalError: the record cannot be trusted where it is needed.
    """
    stricter: dict[str, LimitInForce] = {}
    state_no = 0
    while True:
        # Tightening a limit changes the number of the state, so that it is found among these by halving.
        number = index.number_where(state_past(state_no))
        if number > last:
            break
        decided = index.record(number).decided
        if not isinstance(decided, Cycle):
            break
        stricter |= {limit.key: limit for limit in decided.outputs.of_gate.tightened}
        state_no = decided.outputs.state_no
    return tuple(limit if limit.scope else stricter.get(limit.key, limit) for limit in boot.limits)


def limits_now(run_dir: Path) -> tuple[LimitInForce, ...]:
    """Return every limit as it is at the end of a run's record.

    Raises:
        JournalError: the record cannot be trusted where it is needed.
    """
    boot, _ = first_record(run_dir)
    index = JournalIndex(run_dir)
    return limits_then(index, boot, last=index.number_where(lambda _: False) - 1)
