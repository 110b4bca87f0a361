"""What a person asks of a running process is answered to that person, whoever else asks at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from interlock.model.journal import Answer, Command
from interlock.model.mode import TradingState
from interlock.model.units import SECOND_NS
from interlock.shell.clocks import HostClock
from interlock.shell.control import COMMANDS_MAX, ControlDesk
from interlock.shell.control_client import ask
from interlock.shell.control_words import Reply, Request
from interlock.shell.home import prepare_home
from interlock.shell.live import human
from interlock.shell.status import Status


class Process:
    """A process that answers each command by its own words, and keeps the answers of its last cycle with any."""

    def __init__(self, run_dir: Path) -> None:
        """Open its desk."""
        self.run_dir = run_dir
        self.answers: tuple[Answer, ...] = ()
        self.desk = ControlDesk(run_dir=run_dir, home=run_dir.parents[1], status=self.status)

    def status(self) -> Status:
        """Return a status with the answers of the last cycle."""
        return Status(
            run_id="run",
            mode="SIM",
            trading_state=TradingState.ACTIVE,
            cycle=1,
            positions=(),
            open_orders=(),
            ended=None,
            state_no=1,
            latches=(),
            as_of="",
            market_time="",
            open_entries=(),
            answers=self.answers,
        )

    def cycle(self) -> tuple[Command, ...]:
        """Live one cycle, and return what it was asked."""
        commands = self.desk.drain()
        said = tuple(Answer(kind=one.kind, granted=True, text=f"{one.about} {one.new_value}") for one in commands)
        # What the loop adds of its own comes after what people asked.
        self.answers = (*said, Answer(kind="stop", granted=True, text="its own")) if said else self.answers
        return commands

    def asked(self, request: Request) -> Reply:
        """Ask it while it rests."""
        with ThreadPoolExecutor(1) as pool:
            answer: Future[object] = pool.submit(ask, self.run_dir, request)
            while not answer.done():
                self.desk.rest(HostClock().boot_ns() + SECOND_NS // 50)
        found = answer.result()
        assert isinstance(found, Reply), found
        return found


@pytest.fixture
def process(home: Path) -> Iterator[Process]:
    """Return a process with an open desk."""
    prepare_home(home)
    run_dir = home / "runs" / "r"
    run_dir.mkdir(mode=0o700)
    living = Process(run_dir)
    with living.desk:
        yield living


def tightened(value: int) -> Request:
    """Return a wish to tighten a limit."""
    return Request(word="tighten", by="human:somebody-else", about="max_order_qty", new_value=value)


def test_leave_and_tightening_are_commands_of_the_peer_with_what_was_typed(process: Process) -> None:
    """Who asked is what the kernel says; what was typed arrives whole, without control characters."""
    leave = Request(word="allow", by="human:somebody-else", about="000001\x1b-001", reason="odd\x07 but right")
    process.asked(leave)
    process.asked(tightened(5))
    me = human(os.getuid())

    assert [
        ("allow", me, "000001?-001", "odd? but right", 0),
        ("tighten", me, "max_order_qty", "", 5),
    ] == [(one.kind, one.by, one.about, one.reason, one.new_value) for one in process.cycle()]


def test_each_of_two_who_ask_at_once_gets_the_answer_to_their_own(process: Process) -> None:
    """Answers go by ticket: a later question of the same kind never takes an earlier one's answer."""
    tickets = [process.asked(tightened(value)).ticket for value in (5, 7)]
    process.cycle()
    answers = [process.asked(Request(word="status", ticket=ticket)).answers for ticket in tickets]

    assert [("max_order_qty 5",), ("max_order_qty 7",)] == [tuple(one.text for one in found) for found in answers]


def test_answer_is_still_there_after_a_later_cycle_answered_others(process: Process) -> None:
    """A person who looks a moment late is not told somebody else's answer."""
    first = process.asked(tightened(5)).ticket
    process.cycle()
    process.asked(tightened(7))
    process.cycle()

    assert ["max_order_qty 5"] == [one.text for one in process.asked(Request(word="status", ticket=first)).answers]


def test_no_answer_is_given_before_the_cycle_that_decides_is_over(process: Process) -> None:
    """A wish that waits, and a question that asks about none, have no answer."""
    ticket = process.asked(tightened(5)).ticket
    early = process.asked(Request(word="status", ticket=ticket))

    assert (0, ()) == (early.settled, early.answers)
    process.cycle()
    assert () == process.asked(Request(word="status")).answers


def test_too_many_wishes_are_turned_away_and_a_halt_never_is(process: Process) -> None:
    """What can wait is refused while the bound of commands waits; a halt and a stop are taken."""
    taken = [process.asked(tightened(1)).accepted for _ in range(COMMANDS_MAX)]
    refused = [
        process.asked(request)
        for request in (tightened(1), Request(word="allow", about="000001-001"), Request(word="resume"))
    ]
    halted = process.asked(Request(word="halt", reason="now"))

    assert [True] * COMMANDS_MAX == taken
    assert [(False, 0, "Too many commands wait; ask again.")] * 3 == [
        (one.accepted, one.ticket, one.text) for one in refused
    ]
    assert True is halted.accepted
    assert COMMANDS_MAX + 1 == len(process.cycle())
