"""Ask a running process for something that only it decides, and wait until it has.

Floor 2 (shell). It decides nothing: a wish is an input of the next cycle, and what the process answered is said.
It stands beside the trip: `resume`, `allow` and `tighten` speak through it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from interlock.model.errors import ExitCode, HomeError
from interlock.model.units import plain
from interlock.shell.control_client import Silence, ask, run_dir_of, settle
from interlock.shell.control_words import Reply, Request
from interlock.shell.home import holder
from interlock.shell.live import ProcessMark
from interlock.shell.operate import Mouth
from interlock.shell.status import Status, holding_words


def running(home: Path, *, at_rest: str) -> ProcessMark:
    """Return the mark of the process of a home that can be asked.

    Args:
        home: the home.
        at_rest: what to do where nothing runs there, a sentence.

    Raises:
        HomeError: nothing runs there, or it is only starting.
    """
    mark = holder(home)
    if mark.run_id:
        return mark
    if mark.pid:
        message = f"Process {mark.pid} in {home} is only starting and cannot be asked yet. Ask again."
        raise HomeError(message)
    message = f"Nothing runs in {home}. {at_rest}"
    raise HomeError(message)


def answered(mark: ProcessMark, request: Request, *, otherwise: str) -> Reply:
    """Return what a process says to a request at once.

    Args:
        mark: the process.
        request: the wish.
        otherwise: what did not happen where it says nothing, such as `Nothing was resumed`.

    Raises:
        HomeError: it says nothing.
    """
    reply = ask(run_dir_of(mark), request)
    if isinstance(reply, Silence):
        message = f"Process {mark.pid} (run {mark.run_id}) holds the home, but {reply.why}. {otherwise}; ask again."
        raise HomeError(message)
    return reply


def asked(
    mark: ProcessMark,
    request: Request,
    *,
    mouth: Mouth,
    otherwise: str,
    after: Callable[[Status], tuple[str, ...]] = lambda _: (),
) -> ExitCode:
    """Ask a process for what is decided in its next cycle, wait for its answer, and say it.

    Args:
        mark: the process.
        request: the wish.
        mouth: where words go.
        otherwise: what did not happen where it says nothing.
        after: more sentences where the wish was granted, from what the process says of itself then.

    Returns:
        CLEAN if it was granted, else REFUSED.

    Raises:
        HomeError: the process says nothing.
    """
    reply = answered(mark, request, otherwise=otherwise)
    mouth.say(holding_words(reply.status.positions))
    if not reply.accepted:
        mouth.warn(reply.text)
        return ExitCode.REFUSED
    outcome = settle(mark, reply, is_done=lambda _: True)
    if isinstance(outcome, Silence) or outcome.settled < reply.ticket:
        why = outcome.why if isinstance(outcome, Silence) else "it did not decide within 10 s"
        mouth.warn(f"What became of the wish is not known: process {mark.pid}: {why}. See: interlock status")
        return ExitCode.REFUSED
    answers = [answer for answer in outcome.answers if answer.kind == request.word]
    if not answers or not answers[0].granted:
        mouth.warn(plain(answers[0].text) if answers else "The process gave no answer to it; see: interlock status")
        return ExitCode.REFUSED
    for line in (answers[0].text, *after(outcome.status)):
        mouth.say(plain(line))
    return ExitCode.CLEAN
