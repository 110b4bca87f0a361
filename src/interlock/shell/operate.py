"""What `stop`, `halt` and `status` do: find the processes, speak with them, and say what came of it.

Floor 2 (shell). It never ends a process and never clears a latch that was not named. Every wait has a bound.
It stands beside the trip: the command line gives it the words of a person and prints what it says.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from interlock.core.risk.keys import KEYS
from interlock.core.words import number
from interlock.model.errors import ExitCode, HomeError, InterlockError
from interlock.model.mode import TradingState, lower
from interlock.model.risk import Latch
from interlock.model.units import plain, utc
from interlock.shell.clocks import HostClock
from interlock.shell.control_client import Silence, ask, has_ended, is_halted, run_dir_of, settle
from interlock.shell.control_words import Reply, Request
from interlock.shell.halt_files import halt_names, write_halt
from interlock.shell.home import (
    HALT_FOLDER,
    RUNS_FOLDER,
    holder,
    is_held,
    last_home,
    prepare_home,
    resolve_home,
    run_ids,
)
from interlock.shell.latch_log import read_latches, standing
from interlock.shell.live import ProcessMark, human, is_alive, live_marks, wake
from interlock.shell.run_summary import has_begun
from interlock.shell.runs import ended_words, how_it_ended
from interlock.shell.status import Status, holding_words, leave_words, status_from_journal

#: Who may clear a latch that does not say it.
ANYBODY = "any named human, at any time"


class Mouth(msgspec.Struct, frozen=True, kw_only=True):
    """Where words go: `say` to stdout, `warn` to stderr as a sentence."""

    say: Callable[[str], None]
    warn: Callable[[str], None]


def stop(home: Path, mouth: Mouth) -> ExitCode:
    """Ask the one process of a home to stop, and wait until it has.

    Returns:
        CLEAN once it ended with no order left (or nothing ran), else ORDERS_LEFT.
    """
    mark = holder(home)
    if mark.pid and not mark.run_id:
        say_holdings(home, mouth)
        mouth.warn(
            f"Process {mark.pid} in {home} is only starting and cannot be asked yet. It was not stopped; ask again."
        )
        return ExitCode.REFUSED
    if not mark.pid:
        say_holdings(home, mouth)
        mouth.say(f"Nothing runs in {home}, so there is nothing to stop.")
        return ExitCode.CLEAN
    reply = ask(run_dir_of(mark), Request(word="stop", by=human(os.getuid())))
    if isinstance(reply, Reply):
        mouth.say(holding_words(reply.status.positions))
        mouth.say(reply.text)
    elif is_alive(mark):
        say_holdings(home, mouth)
        mouth.warn(_hung(mark, reply, "It was not asked to stop"))
        return ExitCode.ORDERS_LEFT
    if not has_ended(mark):
        mouth.warn(
            f"Process {mark.pid} was asked to stop and still runs after 15 s. It sends nothing new. "
            f"Look again with: interlock status --home {home}"
        )
        return ExitCode.ORDERS_LEFT
    return _say_end(mark, mouth)


def halt(
    *, home_option: str | None, everywhere: bool, reason: str, mouth: Mouth, environ: Mapping[str, str]
) -> ExitCode:
    """Halt trading: a file first, then every live process, then wait until no order that adds risk is left.

    Args:
        home_option: `--home`; with none, and with `everywhere`, every live home of this user is meant.
        everywhere: `--all`.
        reason: the person's words.
        mouth: where words go.
        environ: says where homes and live processes are.

    Returns:
        CLEAN only if each process confirmed that no such order is left, else ORDERS_LEFT.

    Raises:
        HomeError: nothing is known that could be halted.
    """
    homes, marks = _meant(home_option, everywhere=everywhere, environ=environ)
    if not homes:
        message = "Nothing runs and no home is known, so no halt was written. Name the home with --home."
        raise HomeError(message)
    code = ExitCode.CLEAN
    files: dict[str, str] = {}
    for home in homes:
        try:
            files[home] = _write_request(Path(home), reason)
        except InterlockError as error:
            mouth.warn(f"{error} The processes are told directly.")
            code = ExitCode.ORDERS_LEFT
    for mark in marks:
        wake(mark)
    living = frozenset(mark.home for mark in marks)
    for mark in marks:
        code = max(code, _halt_one(mark, reason=reason, halt_file=files.get(mark.home, ""), mouth=mouth))
    for home in homes:
        if home not in living:
            code = max(code, _halt_unseen(Path(home), is_written=home in files, mouth=mouth))
    return code


def status_now(home: Path, mouth: Mouth) -> Status:
    """Return what the home's process says, or, with none (or a silent one), what the last run's journal says.

    Raises:
        HomeError: there is no run at all.
        JournalError: no record can be read.
    """
    mark = holder(home)
    if mark.run_id:
        reply = ask(run_dir_of(mark), Request(word="status"))
        if isinstance(reply, Reply):
            return reply.status
        if is_alive(mark):
            mouth.warn(_hung(mark, reply, "What follows is from its journal"))
    return _written_status(home)


def say_status(status: Status, mouth: Mouth) -> None:
    """Say a status to a person, what is owned first."""
    mouth.say(holding_words(status.positions))
    say_state(status, mouth)
    for leave in status.leaves:
        mouth.say(f"  {leave_words(leave)}")
    stricter = [f"{KEYS[limit.key].written} {number(limit.value, limit.unit)}" for limit in status.tightened]
    if stricter:
        mouth.say(f"Tightened while it ran: {', '.join(stricter)}")
    orders = [f"{order.cl_ord_id}{' (in doubt)' if order.in_doubt else ''}" for order in status.open_orders]
    mouth.say(f"Open orders: {', '.join(orders) if orders else 'none'}")
    running = "It runs." if status.ended is None else f"It ended; {status.ended}."
    mouth.say(f"Run {status.run_id}, cycle {status.cycle:,}. {running}")
    mouth.say(f"As of {status.as_of or 'before the first cycle'}{_market(status)}")
    if status.file.words:
        mouth.say(plain(status.file.words))


def say_state(status: Status, mouth: Mouth) -> None:
    """Say mode, trading state, its number, and each latch that stands."""
    mouth.say(f"Mode {status.mode}, trading state {status.trading_state}, state number {status.state_no}")
    for latch in status.latches:
        mouth.say(latch_words(latch))


def latch_words(latch: Latch) -> str:
    """Return one latch as a line: id, code, text, scope, who raised it and when, and who may clear it."""
    return (
        f"  {latch.latch_id} {latch.code} on {plain(latch.scope)}: {plain(latch.text).rstrip('.')}. "
        f"Raised by {plain(latch.raised_by)} at {utc(latch.at_ns)}, holds it at {latch.level} or lower. "
        f"Who may clear it: {plain(latch.clears) or ANYBODY}."
    )


def say_holdings(home: Path, mouth: Mouth) -> None:
    """Say what the last run of a home left, or that this is not known."""
    try:
        status = _written_status(home)
    except InterlockError as error:
        mouth.say("You hold nothing that is known here" if not run_ids(home) else "What you hold is not known")
        if run_ids(home):
            mouth.warn(str(error))
        return
    mouth.say(holding_words(status.positions))


def _written_status(home: Path) -> Status:
    last = next((run_id for run_id in reversed(run_ids(home)) if has_begun(home / RUNS_FOLDER / run_id)), "")
    if not last:
        message = f"No run was ever started in {home}, so there is nothing to show. Start with: interlock run"
        raise HomeError(message)
    run_dir = home / RUNS_FOLDER / last
    is_living = holder(home).run_id == last
    ended = None if is_living else ended_words(how_it_ended(run_dir, is_living=False))
    status = status_from_journal(run_dir, latches=standing(home), ended=ended)
    return status if is_living else _at_rest(home, status)


def _at_rest(home: Path, status: Status) -> Status:
    """Return the status of a home where nothing runs: what stands there lowers the state, halts that wait do too."""
    state = status.trading_state
    for latch in status.latches:
        if latch.scope == "account":
            state = lower(state, latch.level)
    if halt_names(home):
        state = TradingState.HALTED
    return msgspec.structs.replace(status, trading_state=state, state_no=read_latches(home).lines)


def _market(status: Status) -> str:
    return f", market time {status.market_time}" if status.market_time else ""


def _meant(
    home_option: str | None, *, everywhere: bool, environ: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[ProcessMark, ...]]:
    """Return the homes and the live processes that a halt means: with a home only that one, else all."""
    live = live_marks(environ)
    homes = [mark.home for mark in live]
    if home_option is not None or environ.get("INTERLOCK_HOME"):
        named = str(resolve_home("", home_option=home_option, environ=environ))
        held = holder(Path(named))
        if not everywhere:
            # What lives there says so in two places: the lock file of the home can be deleted, or be another's.
            here = {mark.pid: mark for mark in (*live, held) if mark.home == named and mark.run_id}
            return (named,), tuple(here.values())
        homes.append(named)
        live = (*live, *([held] if held.run_id and held.pid not in [mark.pid for mark in live] else []))
    elif last_home(environ) and Path(last_home(environ)).is_dir():
        homes.append(last_home(environ))
    return tuple(dict.fromkeys(homes)), live


def _write_request(home: Path, reason: str) -> str:
    """Write the halt file; a home that is not there yet is made, so that a start there finds the halt."""
    if not (home / HALT_FOLDER).is_dir():
        prepare_home(home)
    return write_halt(home, reason=reason, wall_ns=HostClock().wall_ns())


def _halt_unseen(home: Path, *, is_written: bool, mouth: Mouth) -> ExitCode:
    """Say what a halt means for a home of which no process is known, and return whether somebody holds it all the same.

    A process that is only starting has not said yet who it is; one whose lock file was deleted cannot be found by it.
    """
    say_holdings(home, mouth)
    if is_held(home):
        stands = "The halt file stands, and it will see it when it next looks" if is_written else "It was not halted"
        mouth.warn(
            f"A process holds {home} and cannot be asked yet. {stands}. Look again with: interlock status --home {home}"
        )
        return ExitCode.ORDERS_LEFT
    if is_written:
        mouth.say(f"Nothing runs in {home}. The halt stands there, and the next start will see it.")
    return ExitCode.CLEAN


def _halt_one(mark: ProcessMark, *, reason: str, halt_file: str, mouth: Mouth) -> ExitCode:
    """Tell one process, wait, and say what is left."""
    request = Request(word="halt", by=human(os.getuid()), reason=plain(reason), halt_file=halt_file)
    reply = ask(run_dir_of(mark), request)
    outcome = settle(mark, reply, is_done=is_halted) if isinstance(reply, Reply) else reply
    if isinstance(outcome, Silence) or isinstance(reply, Silence):
        silence = outcome if isinstance(outcome, Silence) else Silence(why="it fell silent")
        if is_alive(mark):
            say_holdings(Path(mark.home), mouth)
            mouth.warn(_hung(mark, silence, "The halt file stands, and it will see it when it next looks"))
            return ExitCode.ORDERS_LEFT
        return _say_end(mark, mouth)
    mouth.say(holding_words(outcome.status.positions))
    if is_halted(outcome) and outcome.settled >= reply.ticket:
        mouth.say(f"Run {mark.run_id} is HALTED; no order that adds risk is left.")
        return ExitCode.CLEAN
    left = ", ".join(outcome.status.open_entries) or "none is known"
    mouth.warn(
        f"Run {mark.run_id} (process {mark.pid}) is {outcome.status.trading_state}, and after 10 s cancels are "
        f"not confirmed. Orders that are left: {left}. The halt stands; "
        f"look again with: interlock status --home {mark.home}"
    )
    return ExitCode.ORDERS_LEFT


def _say_end(mark: ProcessMark, mouth: Mouth) -> ExitCode:
    """Say how a process ended, and return whether orders were left."""
    home = Path(mark.home)
    say_holdings(home, mouth)
    found = how_it_ended(run_dir_of(mark), is_living=False)
    mouth.say(f"Run {mark.run_id} ended; {ended_words(found)}.")
    try:
        is_empty = not _written_status(home).open_orders
    except InterlockError:
        is_empty = False
    if is_empty and found.ended in ("clean", "killed"):
        return ExitCode.CLEAN
    mouth.warn(f"Orders may be left by run {mark.run_id}. See them with: interlock status --home {home}")
    return ExitCode.ORDERS_LEFT


def _hung(mark: ProcessMark, silence: Silence, meanwhile: str) -> str:
    return (
        f"Process {mark.pid} (run {mark.run_id}) lives but {silence.why}. {meanwhile}. If it hangs, end it with "
        f"`kill -9 {mark.pid}`: its journal keeps what was synced, and orders without an answer count as in doubt."
    )
