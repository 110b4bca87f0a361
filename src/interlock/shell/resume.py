"""How a human lets trading go on: one latch by its id, or the state to ACTIVE, each with the number that was seen.

Floor 2 (shell). It never clears a latch that was not named, nor one on a state that changed since it was shown.
It stands beside the trip: a running process judges the wish itself; with none, it is judged here, under the lock.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from interlock.core.people import GATE_MISSED
from interlock.model.errors import ExitCode, HomeError
from interlock.model.mode import Mode, TradingState
from interlock.model.risk import Latch
from interlock.model.units import plain
from interlock.shell.asking import answered, asked
from interlock.shell.clocks import HostClock
from interlock.shell.control_words import Request
from interlock.shell.halt_files import halt_names, mark_seen, read_halt
from interlock.shell.home import holder, open_home, run_ids, run_mode
from interlock.shell.latch_log import LatchLog
from interlock.shell.live import ProcessMark, human
from interlock.shell.operate import ANYBODY, Mouth, latch_words, say_holdings
from interlock.shell.status import holding_words

_TYPED_LATCH = re.compile(r"(L\d{1,9}) (\d{1,18})")
_TYPED_NUMBER = re.compile(r"\d{1,18}")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person typed: the latch to clear ("" = raise the state) and the state number that they saw."""

    latch_id: str
    state_no: int


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a person was shown: what stands, the number of the state, and whether a process runs."""

    latches: tuple[Latch, ...]
    state_no: int
    is_running: bool
    trading_state: str

    @property
    def is_asked(self) -> bool:
        """Return True if there is something that a human may let go on."""
        return bool(self.latches) or (self.is_running and self.trading_state != TradingState.ACTIVE)


def read_wish(typed: str) -> Wish:
    """Read `L3 7` or, to raise the state, `7`; nothing else is a wish.

    Raises:
        HomeError: it is neither.
    """
    with_latch = _TYPED_LATCH.fullmatch(typed)
    if with_latch is not None:
        return Wish(latch_id=with_latch[1], state_no=int(with_latch[2]))
    if _TYPED_NUMBER.fullmatch(typed) is not None:
        return Wish(latch_id="", state_no=int(typed))
    message = (
        f"{plain(typed)!r} is not a latch and a state number, such as `L3 7`, nor a state number alone. "
        "Nothing was resumed."
    )
    raise HomeError(message)


def show(home: Path, mouth: Mouth) -> Shown:
    """Show what is owned, each latch, the number of the state, and how to go on.

    Raises:
        HomeError: there is no such home, or its process does not answer.
        JournalError: the latch log cannot be trusted.
    """
    mark = holder(home)
    if mark.run_id:
        status = answered(mark, Request(word="status"), otherwise="Nothing was resumed").status
        mouth.say(holding_words(status.positions))
        shown = Shown(
            latches=status.latches,
            state_no=status.state_no,
            is_running=True,
            trading_state=status.trading_state.value,
        )
    else:
        say_holdings(home, mouth)
        latches, lines = _at_rest(home, None)
        shown = Shown(latches=latches, state_no=lines, is_running=False, trading_state="at rest")
    mouth.say(f"Trading state {shown.trading_state}, state number {shown.state_no}")
    for latch in shown.latches:
        mouth.say(latch_words(latch))
    mouth.say(_how_to_go_on(shown))
    return shown


def resume(home: Path, wish: Wish, *, mouth: Mouth) -> ExitCode:
    """Clear exactly one latch, or raise the state of a running process.

    Raises:
        HomeError: the wish is refused: another number, no such latch, nothing to raise.
        JournalError: the latch log cannot be trusted or written.
    """
    mark = holder(home)
    if mark.run_id:
        return _ask_to_resume(mark, wish, mouth)
    say_holdings(home, mouth)
    if not wish.latch_id:
        message = (
            f"Nothing runs in {home}, so there is no trading state to raise. Start it with `interlock run`; "
            "then resume it, if it waits for that."
        )
        raise HomeError(message)
    latches, _ = _at_rest(home, wish)
    left = ", ".join(latch.latch_id for latch in latches) or "none"
    mouth.say(f"Latch {wish.latch_id} is cleared. Latches that still stand: {left}.")
    return ExitCode.CLEAN


def _how_to_go_on(shown: Shown) -> str:
    if shown.latches:
        latch_id = shown.latches[0].latch_id
        return f"To clear one latch, type its id and the state number: {latch_id} {shown.state_no}"
    if not shown.is_running:
        return "No latch stands and nothing runs: there is nothing to resume."
    if shown.trading_state == TradingState.ACTIVE:
        return "No latch stands and the state is ACTIVE: there is nothing to resume."
    return f"No latch stands. To raise the state to ACTIVE, type the state number: {shown.state_no}"


def _ask_to_resume(mark: ProcessMark, wish: Wish, mouth: Mouth) -> ExitCode:
    request = Request(word="resume", by=human(os.getuid()), latch_id=wish.latch_id, state_no=wish.state_no)
    return asked(mark, request, mouth=mouth, otherwise="Nothing was resumed")


def _at_rest(home: Path, wish: Wish | None) -> tuple[tuple[Latch, ...], int]:
    """Under the lock, make latches of the halts that wait, then clear the one that is wished for, if one is.

    With nobody running, the number of the state is the number of lines of the latch log: it grows with each change.
    """
    if not home.is_dir():
        message = f"There is no home at {home}. Nothing was resumed. Name it with --home."
        raise HomeError(message)
    clock = HostClock()
    with open_home(home, wall_ns=clock.wall_ns()), LatchLog(home) as log:
        for name in halt_names(home):
            _latch_halt(home, name, log=log, at_ns=clock.wall_ns())
        if wish is not None:
            # A SIM run begins anew each time; a home that has a PAPER account goes on with what it had.
            is_account = any(run_mode(one) is Mode.PAPER for one in run_ids(home))
            _check(log, wish, is_account=is_account)
            log.cleared(
                wish.latch_id, by=human(os.getuid()), why=f"resume {wish.latch_id} {wish.state_no}, nothing running"
            )
        return log.book.standing, log.book.lines


def _check(log: LatchLog, wish: Wish, *, is_account: bool) -> None:
    if wish.state_no != log.book.lines:
        message = (
            f"Not resumed: the state is number {log.book.lines} by now, and {wish.state_no} was typed. "
            "Something changed in between; look again with: interlock resume"
        )
        raise HomeError(message)
    found = [latch for latch in log.book.standing if latch.latch_id == wish.latch_id]
    if not found:
        message = f"Not resumed: no latch {wish.latch_id} stands. See what does with: interlock resume"
        raise HomeError(message)
    if is_account and _needs_a_process(found[0]):
        message = (
            f"Not resumed: {wish.latch_id} {found[0].code} is cleared by {plain(found[0].clears)}, and only a running "
            "process knows whether that holds. Start it, where it trades nothing before a human lets it, and resume "
            "there."
        )
        raise HomeError(message)


def _needs_a_process(latch: Latch) -> bool:
    """Return True if who may clear a latch depends on how the account stands, which nothing at rest can tell."""
    return latch.clears not in ("", ANYBODY) and latch.code != GATE_MISSED


def _latch_halt(home: Path, name: str, *, log: LatchLog, at_ns: int) -> None:
    halt = read_halt(home, name)
    latch = Latch(
        latch_id=f"L{log.book.next_latch_no}",
        scope="account",
        code="HUMAN_HALT",
        level=TradingState.HALTED,
        text=f"{halt.by} halted trading by HALT.d: {halt.reason}",
        raised_by=halt.by,
        at_ns=at_ns,
    )
    log.raised(latch)
    mark_seen(home, name)
