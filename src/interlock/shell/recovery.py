"""What the next start finds of the run before, and what it carries over.

Floor 2 (the world). It reads other runs' journals and writes to none of them.
On the trip: before it. SIM carries standing latches only and starts afresh; PAPER carries all of its account,
or does not start.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import msgspec

from interlock.core.recover import recover
from interlock.core.state import nothing_carried
from interlock.model.errors import InvariantError, JournalError
from interlock.model.journal import Boot, BootAside, Carried, Cycle, LimitInForce, Stop
from interlock.model.mode import Mode
from interlock.model.risk import Latch
from interlock.model.units import plain
from interlock.shell.home import RUNS_FOLDER, run_ids, run_mode
from interlock.shell.journal_check import looks_whole
from interlock.shell.journal_reader import JournalReader, require_trusted
from interlock.shell.live import replace_file
from interlock.shell.loosening import Policy, policy_of
from interlock.shell.run_summary import RunSummary, has_begun, last_stop, summary

#: In the home: the id of the PAPER run that its account lives in.
LAST_PAPER_RUN: Final = "last-paper-run"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What recovery found: the state to start from, the run before, and the sentences to tell.

    `unlogged` are latches that stand and that the home's log does not know yet. `policy` is what the run before was
    judged by, whatever its mode carries; empty where there was none.
    """

    carried: Carried
    unlogged: tuple[Latch, ...]
    previous_run: str
    previous_head: str
    words: tuple[str, ...]
    policy: Policy = Policy()


def recovered(home: Path, *, mode: Mode, latches: tuple[Latch, ...], next_latch_no: int, cash_micros: int) -> Found:
    """Look at the home's last run of this mode, and return what this start carries.

    Args:
        home: the home; its lock is held.
        mode: the mode of the new run.
        latches: those that no human cleared.
        next_latch_no: the number that the home's log would give next.
        cash_micros: what a fresh account starts from.

    Raises:
        JournalError: a PAPER account's record cannot be trusted, so nobody knows what it holds.
    """
    if mode is Mode.PAPER:
        _require_remembered(home)
    others = _unlogged(_latches_of_others(home, mode), next_latch_no=next_latch_no)
    fresh = nothing_carried(cash_micros, (*latches, *others))
    run_id, words = _last_begun(home, mode)
    if not run_id:
        return Found(carried=fresh, unlogged=others, previous_run="", previous_head="", words=tuple(words))
    run_dir = home / RUNS_FOLDER / run_id
    previous_head = ""
    try:
        _require_own(run_dir)
        line = summary(run_dir)
        previous_head = line.head
        if line.ended != "clean":
            words.append(_how_it_ended(line))
        left = _left_by(run_dir)
    except (InvariantError, JournalError) as error:
        if mode is not Mode.SIM:
            raise
        words.append(f"The record of the run before cannot be trusted; look at it with interlock verify. {error}")
        left = fresh
    # A latch is on the run's record first: one that a crash kept out of the home's log still stands.
    unlogged = _unlogged((*left.latches, *others), next_latch_no=next_latch_no)
    latches = (*latches, *unlogged)
    policy = _policy_of(run_dir, limits=left.limits)
    if mode is Mode.SIM:
        left = nothing_carried(cash_micros, latches)
        if words:
            words.append("SIM starts afresh: nothing of it is carried over but latches.")
    return Found(
        carried=msgspec.structs.replace(left, latches=latches),
        unlogged=unlogged,
        previous_run=run_id,
        previous_head=previous_head,
        words=tuple(words),
        policy=policy,
    )


def _policy_of(run_dir: Path, *, limits: tuple[LimitInForce, ...]) -> Policy:
    """Return what a run was judged by at its end; nothing where its first record cannot be read."""
    with contextlib.suppress(InvariantError, JournalError):
        first = next(JournalReader(run_dir).records(), None)
        if first is not None and isinstance(first.decided, Boot):
            return policy_of(first.decided, limits=limits)
    return Policy()


def remember_run(home: Path, run_id: str) -> None:
    """Write down which PAPER run the account lives in, durably: after its journal is there, before its first record.

    Raises:
        HomeError: it could not be written; nothing was started.
    """
    replace_file(home / LAST_PAPER_RUN, run_id.encode())


def _require_remembered(home: Path) -> None:
    """Refuse to begin a PAPER account afresh where its last run was taken away.

    Raises:
        JournalError: the run that the home remembers is gone.
    """
    path = home / LAST_PAPER_RUN
    run_id = path.read_bytes().decode("utf-8", errors="replace").strip() if path.exists() else ""
    if run_id and run_id not in run_ids(home):
        message = (
            f"The account in {plain(str(home))} lived last in the run {plain(run_id)}, and that run is not in runs/ "
            "any more, so nobody knows what the account holds. Nothing was started. Put it back, or begin a new "
            "account with another --home."
        )
        raise JournalError(message)


def _require_own(run_dir: Path) -> None:
    """Refuse a record that says it is another run's.

    Raises:
        JournalError: the folder was renamed, or brought here from another home.
    """
    first = next(JournalReader(run_dir).records(), None)
    if first is None or not isinstance(first.aside, BootAside):
        return
    if first.aside.run_id != run_dir.name:
        message = (
            f"The folder {run_dir.name} holds the record of the run {plain(first.aside.run_id)}: it was renamed, or "
            "brought here from another home. What it holds is not this account's. Nothing was started. "
            "Take it out of runs/."
        )
        raise JournalError(message)


def _latches_of_others(home: Path, mode: Mode) -> tuple[Latch, ...]:
    """Return the latches that the last runs of other modes left: a home has one set of latches, whatever ran."""
    latches: list[Latch] = []
    for other in Mode:
        run_id, _ = _last_begun(home, other) if other is not mode else ("", [])
        if run_id:
            # A record of another mode that cannot be read keeps nobody from starting; verify names it.
            with contextlib.suppress(InvariantError, JournalError):
                latches.extend(_left_by(home / RUNS_FOLDER / run_id).latches)
    return tuple(latches)


def _unlogged(latches: tuple[Latch, ...], *, next_latch_no: int) -> tuple[Latch, ...]:
    """Return the latches that the home's log does not know yet, each id once, in order of their numbers."""
    by_no = {int(latch.latch_id[1:]): latch for latch in reversed(latches)}
    return tuple(by_no[number] for number in sorted(by_no) if number >= next_latch_no)


def _last_begun(home: Path, mode: Mode) -> tuple[str, list[str]]:
    """Return the last run of a mode that has a first record ("" for none), and words on those that came after it.

    A start that was killed before its first record was durable decided nothing, and its head file promises nothing.
    """
    words: list[str] = []
    for run_id in reversed([run_id for run_id in run_ids(home) if run_mode(run_id) is mode]):
        if has_begun(home / RUNS_FOLDER / run_id):
            return run_id, words
        words.append(
            f"The run {run_id} was killed before its first record was durable: it decided and sent nothing, "
            "and is passed over."
        )
    return "", words


def _how_it_ended(line: RunSummary) -> str:
    return (
        f"The run before, {line.run_id}, did not stop by itself: it was {line.ended}; {line.reason}. "
        "Everything that was durable is still on its record (interlock tell, interlock verify)."
    )


def _left_by(run_dir: Path) -> Carried:
    """Return what a run left: its own closing words, or the fold of its record where it was killed.

    Raises:
        JournalError: its record cannot be trusted.
    """
    stop: Stop | None = last_stop(run_dir)
    if stop is not None:
        _require_whole(run_dir)
        return stop.closing
    reader = JournalReader(run_dir)
    records = reader.records()
    first = next(records, None)
    if first is None or not isinstance(first.decided, Boot):
        require_trusted(reader)
        message = (
            f"The record of {run_dir.name} has no first record, so nobody knows what the account holds. "
            "Nothing was started."
        )
        raise JournalError(message)
    cycles = (record.decided for record in records if isinstance(record.decided, Cycle))
    carried = recover(first.decided, cycles, head="")
    require_trusted(reader)
    return msgspec.structs.replace(carried, previous_head=reader.head)


def _require_whole(run_dir: Path) -> None:
    """Refuse a run whose last words can be read and whose middle cannot: what was damaged once is not trusted.

    Raises:
        JournalError: the record is damaged, and where.
    """
    if looks_whole(run_dir):
        return
    reader = JournalReader(run_dir)
    for _ in reader.frames():
        pass
    require_trusted(reader)
