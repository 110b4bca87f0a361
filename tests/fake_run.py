"""A process that lives in a home as a run does, but trades nothing: for tests of the command line.

Called as `python -m tests.fake_run HOME BEHAVIOUR`; it prints `ready` once people can reach it.
`obedient` cancels its one entry when it is halted or stopped, `stubborn` never does, `deaf` answers nobody.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import msgspec
from tests.journal_factory import boot, cycle, holdings, stop

from interlock.model.journal import Answer, Command
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass, Side
from interlock.model.risk import Latch
from interlock.shell.clocks import HostClock
from interlock.shell.control import ControlDesk
from interlock.shell.home import open_home
from interlock.shell.journal import FileJournal
from interlock.shell.latch_log import LatchLog
from interlock.shell.status import HeldPosition, OpenOrder, Status

ENTRY = OpenOrder(
    cl_ord_id="000001-001", symbol="IBM", side=Side.BUY, order_class=OrderClass.ENTRY, leaves_qty=10, in_doubt=False
)
HELD = HeldPosition(strategy_id="cross", symbol="IBM", qty=200, cost_micros=1, value_micros=36_240_000_000, priced=True)


class FakeRun:
    """Takes commands the way a loop does and remembers what it says of itself."""

    def __init__(self, run_id: str, behaviour: str, log: LatchLog) -> None:
        """Start ACTIVE with one open entry and a position."""
        self.log = log
        self.behaviour = behaviour
        self.is_stopping = False
        self.status = Status(
            run_id=run_id,
            mode="SIM",
            trading_state=TradingState.ACTIVE,
            cycle=1,
            positions=(HELD,),
            open_orders=(ENTRY,),
            ended=None,
            state_no=1,
            latches=(),
            as_of="2013-10-07T14:30:00Z",
            market_time="",
            open_entries=(ENTRY.cl_ord_id,),
            answers=(),
        )

    def obey(self, commands: tuple[Command, ...]) -> None:
        """Obey in order."""
        for command in commands:
            if command.kind == "stop":
                self.is_stopping = True
            elif command.kind == "halt":
                self.halt(command)
            else:
                self.resume(command)
        if commands and self.behaviour == "obedient":
            self.status = msgspec.structs.replace(self.status, open_orders=(), open_entries=())

    def halt(self, command: Command) -> None:
        """Raise a latch."""
        latch = Latch(
            latch_id=f"L{self.log.book.next_latch_no}",
            scope="account",
            code="HUMAN_HALT",
            level=TradingState.HALTED,
            text=f"{command.by} halted trading by {command.via}: {command.reason}",
            raised_by=command.by,
            at_ns=1,
        )
        self.log.raised(latch)
        self.change(state=TradingState.HALTED, answer=Answer(kind="halt", granted=True, text="Halted."))

    def resume(self, command: Command) -> None:
        """Clear the named latch, or go ACTIVE, if the number is right."""
        names = [latch.latch_id for latch in self.log.book.standing]
        is_right = command.state_no == self.status.state_no
        if is_right and command.latch_id in names:
            self.log.cleared(command.latch_id, by=command.by, why="resume")
            answer = Answer(kind="resume", granted=True, text=f"Latch {command.latch_id} is cleared.")
            self.change(state=self.status.trading_state, answer=answer)
        elif is_right and not command.latch_id and not names:
            self.change(state=TradingState.ACTIVE, answer=Answer(kind="resume", granted=True, text="Now ACTIVE."))
        else:
            answer = Answer(kind="resume", granted=False, text="Not resumed: something changed.")
            self.status = msgspec.structs.replace(self.status, answers=(answer,))

    def change(self, *, state: TradingState, answer: Answer) -> None:
        """Note a new state."""
        self.status = msgspec.structs.replace(
            self.status,
            trading_state=state,
            state_no=self.status.state_no + 1,
            latches=self.log.book.standing,
            answers=(answer,),
        )


def main(home_path: Path, behaviour: str) -> int:
    """Live until a stop."""
    clock = HostClock()
    with open_home(home_path, wall_ns=clock.wall_ns()) as home, LatchLog(home_path) as log:
        run_dir = home.new_run(wall_ns=clock.wall_ns(), mode=Mode.SIM)
        run = FakeRun(run_dir.name, behaviour, log)
        left = holdings(qty=200)
        with (
            FileJournal.create(run_dir) as journal,
            ControlDesk(run_dir=run_dir, home=home_path, status=lambda: run.status) as desk,
        ):
            journal.append(*boot(run_id=run_dir.name))
            journal.append(*cycle(1, left=left))
            journal.sync()
            home.announce(run_id=run_dir.name, mode=Mode.SIM, environ=os.environ)
            print("ready", flush=True)
            if behaviour == "deaf":
                threading.Event().wait()
            while not run.is_stopping:
                run.obey(desk.drain())
                if not run.is_stopping:
                    desk.rest(clock.boot_ns() + 50_000_000)
            journal.append(*stop(1, left=left))
            journal.sync()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
