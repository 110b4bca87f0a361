"""The runs of a home and how each ended, the killed ones too.

Floor 2 (shell). It never writes; an end that nobody recorded is derived, not guessed: no STOP, and nobody lives there.
It stands beside the trip: `interlock runs` and start-up look here.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from interlock.model.errors import JournalError
from interlock.model.units import plain, utc
from interlock.shell.home import RUNS_FOLDER, holder, run_ids
from interlock.shell.run_summary import NO_EXIT_CODE, UNKNOWN_MODE, RunSummary, summary

#: How a run stands that has no STOP yet and whose process lives.
RUNNING = "running"
_HEADLINE = f"{'RUN':<28}{'MODE':<8}{'STARTED (UTC)':<22}{'CYCLES':>10}  ENDED"


def list_runs(home: Path) -> tuple[RunSummary, ...]:
    """Return all runs of a home, oldest first; `ended` is `running` for the one that lives.

    Args:
        home: the home; one that does not exist has no runs.
    """
    living = holder(home).run_id
    return tuple(how_it_ended(home / RUNS_FOLDER / run_id, is_living=run_id == living) for run_id in run_ids(home))


def how_it_ended(run_dir: Path, *, is_living: bool) -> RunSummary:
    """Return one run in one line; a journal that cannot be read at all is `damaged`.

    Args:
        run_dir: its folder.
        is_living: True if its process holds the home now.
    """
    try:
        found = summary(run_dir)
    except JournalError as error:
        found = RunSummary(
            run_id=run_dir.name,
            mode=UNKNOWN_MODE,
            started_wall_ns=0,
            cycles=0,
            ended="damaged",
            exit_code=NO_EXIT_CODE,
            reason=str(error),
            head="",
        )
    if is_living and found.ended == "killed":
        return msgspec.structs.replace(found, ended=RUNNING, reason="its process lives")
    return found


def ended_words(found: RunSummary) -> str:
    """Return how a run ended, as a sentence without its full stop."""
    code = f" (exit {found.exit_code})" if found.exit_code != NO_EXIT_CODE else ""
    return f"{found.ended}{code}: {plain(found.reason).rstrip('.')}"


def table(runs: tuple[RunSummary, ...]) -> str:
    """Return the lines of `interlock runs`."""
    lines = [_HEADLINE]
    for found in runs:
        started = utc(found.started_wall_ns) if found.started_wall_ns else "unknown"
        lines.append(f"{found.run_id:<28}{found.mode:<8}{started:<22}{found.cycles:>10,}  {ended_words(found)}")
    return "\n".join(lines)
