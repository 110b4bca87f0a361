"""One PAPER life to kill: a short scripted run, joined by `assemble` itself, in a child process that may die anywhere.

The market, the strategy, the person and the clocks are scripted; the journal, the desk, the gateway, the latch log,
the home and the loop are the real ones. A witness outside the home writes down what no killed process could tell.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType, ModuleType
from typing import NamedTuple, NoReturn, Self

from tests.core_factory import ASK_PX, SYMBOLS, leaving, quote, snapshot, wish
from tests.journal_factory import DAY_NS, MONDAY, START_NS
from tests.scenario.stage import WIDE

import interlock.assemble
import interlock.wiring
from interlock.cli import main
from interlock.core.strategy import View
from interlock.model.journal import Command
from interlock.model.market import MarketSnapshot, Origin, Provides
from interlock.model.mode import TradingState
from interlock.model.orders import TimeInForce
from interlock.model.risk import Approved, Latch
from interlock.model.signals import Proposal, Wish
from interlock.model.units import SECOND_NS
from interlock.shell.home import RUNS_FOLDER, run_ids
from interlock.shell.journal import Disk, FileJournal
from interlock.shell.latch_log import LatchLog
from interlock.shell.paper import PaperGateway
from interlock.shell.run_folder import journal_files
from interlock.shell.status import Status

#: Where the script ends: so many cycles one life has.
CYCLES = 13
STEP_NS = SECOND_NS // 4
#: The code of a child in which something broke that is no error of Interlock's.
BROKEN = 99
#: The modules whose every opcode is a point to die at.
DEADLY = tuple(
    f"interlock/{name}.py" for name in ("loop", "shell/desk", "shell/paper", "shell/journal", "shell/latch_log")
)

_CONFIG = """
mode = "{mode}"
{run}
[account]
name = "stage"
cash = "$1,000,000"
[universe]
symbols = ["SPY", "IBM", "AIG"]
[source]
kind = "simulated"
seed = 7
step = "0.25 s"
[[strategy]]
use = "interlock.examples:Watcher"
name = "cross"
settings = {{}}
[risk]
symbols = ["SPY", "IBM", "AIG"]
"""
_REST_PX = ASK_PX * 9 // 10 // 10_000 * 10_000


class Place(NamedTuple):
    """Where lives are lived: a home, its configuration, and the witness."""

    path: Path

    @property
    def home(self) -> Path:
        """Return the home of the account."""
        return self.path / "home"

    @property
    def config(self) -> Path:
        """Return the configuration of a life on paper."""
        return self.path / "life.toml"

    @property
    def sim_config(self) -> Path:
        """Return the configuration of a life in SIM."""
        return self.path / "sim.toml"

    @property
    def run_dirs(self) -> list[Path]:
        """Return the folders of all lives, oldest first."""
        return [self.home / RUNS_FOLDER / run_id for run_id in run_ids(self.home)]

    def told(self) -> list[tuple[str, ...]]:
        """Return what the witness wrote, a line a tuple of words."""
        path = self.path / "witness"
        return [tuple(line.split(" ")) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    @property
    def said(self) -> str:
        """Return what the last child wrote to standard error."""
        return (self.path / "err").read_text("utf-8", errors="replace")


@contextlib.contextmanager
def opened_place() -> Iterator[Place]:
    """Open a place, in memory where that can be had: a kill loses no page, so a real disk would prove no more."""
    memory = Path("/dev/shm")  # noqa: S108 - the file system in memory, not a name of ours
    where = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="il-", dir=where))
    place = Place(path)
    place.config.write_text(_CONFIG.format(mode="PAPER", run="") + WIDE, encoding="utf-8")
    sim = _CONFIG.format(mode="SIM", run='[run]\nstart = "ACTIVE"\ninterval = "0 s"') + WIDE
    place.sim_config.write_text(sim, encoding="utf-8")
    (path / "run").mkdir(mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Witness:
    """Writes down, outside the home, what a life did before it was killed; a page in memory outlives its process."""

    def __init__(self, place: Place) -> None:
        """Go on in the file of the lives before."""
        self._fd = os.open(place.path / "witness", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._write = os.write

    def note(self, *words: object) -> None:
        """Write one line."""
        self._write(self._fd, (" ".join(map(str, words)) + "\n").encode())


class ScriptedClock:
    """A boot clock that moves when the loop rests."""

    def __init__(self) -> None:
        """Begin at an hour after boot."""
        self.now_ns = 3_600 * SECOND_NS

    def boot_ns(self) -> int:
        """Return the time since boot."""
        return self.now_ns

    def wall_ns(self) -> int:
        """Return the time of the day."""
        return START_NS + self.now_ns


class ScriptedSource:
    """Thirteen snapshots of a life; the eleventh is of the next trading date."""

    origin = Origin(kind="simulated", identity=(("seed", "7"),), words="a script", where="")
    provides = frozenset({Provides.QUOTES, Provides.SIZES, Provides.LAST, Provides.VOLUME})
    universe = SYMBOLS

    def __init__(self, home: Path) -> None:
        """Begin on the date on which the life before ended, later in the day."""
        runs = [home / RUNS_FOLDER / run_id for run_id in run_ids(home)]
        dates = [name[5:15] for run_dir in runs for name in journal_files(run_dir) if name[5:9].isdigit()]
        self._day = max((int(date[8:]) for date in dates), default=int(MONDAY[8:]))
        self._second = 100 * len(runs)
        self._seq = 0

    def next(self) -> MarketSnapshot | None:
        """Return the next second's market, in which the fourth quote shows four shares of SPY only."""
        self._seq += 1
        if self._seq > CYCLES:
            return None
        day = self._day + (1 if self._seq >= 11 else 0)
        at_ns = START_NS + (day - int(MONDAY[8:])) * DAY_NS + (self._second + self._seq) * SECOND_NS
        sizes = {3: 4, 6: 6}
        qty = sizes.get(self._seq, 500)
        quotes = [quote(symbol, event_ns=at_ns, ask_qty=qty, bid_qty=qty) for symbol in SYMBOLS]
        return snapshot(self._seq, *quotes, as_of_ns=at_ns, trading_date=f"{MONDAY[:8]}{day:02d}")


class ScriptedStrategy:
    """Enters, rests, leaves and enters again, so that every path of an order is taken."""

    def __init__(self) -> None:
        """Begin the script."""
        self._asked = 0

    def propose(self, view: View) -> Proposal:
        """Return what the script wishes in this cycle."""
        self._asked += 1
        held = view.position("SPY")
        out = (leaving("SPY", order_qty=held),) if held > 0 else ()
        rest = {"limit_px": _REST_PX, "time_in_force": TimeInForce.DAY}
        script: dict[int, tuple[Wish, ...]] = {
            2: (wish("SPY"), wish("IBM", **rest)),
            5: (*out, wish("AIG", **rest)),
            9: (wish("SPY", order_qty=7), wish("IBM", order_qty=11, **rest)),
            11: (wish("AIG", order_qty=3, **rest), *out),
            12: (wish("SPY", order_qty=5),),
        }
        return Proposal(wishes=script.get(self._asked, ()), because="the script says so")


class ScriptedControl:
    """A person who lets trading go on, halts it, lets it go on again, and stops the run."""

    def __init__(self, *, run_dir: Path, home: Path, status: Callable[[], Status], clock: ScriptedClock) -> None:
        """Take what the real one takes."""
        del run_dir, home
        self._status = status
        self._clock = clock
        self._cycle = 0

    def __enter__(self) -> Self:
        """Stand at the door."""
        return self

    def __exit__(self, *_: object) -> None:
        """Go home."""

    @property
    def stop_seen(self) -> bool:
        """Return True in the twelfth cycle, in which an approval is waiting."""
        return self._cycle == 12

    def rest(self, until_boot_ns: int) -> None:
        """Let the clock move on."""
        self._clock.now_ns = max(self._clock.now_ns, until_boot_ns)

    def drain(self) -> tuple[Command, ...]:
        """Return the commands of the next cycle."""
        self._cycle += 1
        if self._cycle in (1, 9):
            return self._go_on()
        kinds = {7: "halt", 13: "stop"}
        return (_command(kinds[self._cycle]),) if self._cycle in kinds else ()

    def _go_on(self) -> tuple[Command, ...]:
        status = self._status()
        names = [latch.latch_id for latch in status.latches]
        if status.trading_state is not TradingState.ACTIVE:
            names.append("")
        return tuple(
            _command("resume", latch_id=name, state_no=status.state_no + number) for number, name in enumerate(names)
        )


def _command(kind: str, *, latch_id: str = "", state_no: int = 0) -> Command:
    return Command(kind=kind, by="human:ann", via="script", reason="lunch", latch_id=latch_id, state_no=state_no)


def join(place: Place, witness: Witness, *, disk: Disk | None) -> None:
    """Put script and witness where `assemble` finds the world. Only for a process that ends after one life."""
    clock = ScriptedClock()
    raised, cleared, create = LatchLog.raised, LatchLog.cleared, FileJournal.create

    class WitnessedGateway(PaperGateway):
        """The real paper gateway, whose sends and cancels are written down first."""

        def submit(self, approved: Approved) -> None:
            witness.note("SEND", approved.cl_ord_id)
            super().submit(approved)

        def cancel(self, cl_ord_id: str) -> None:
            witness.note("CANCEL", cl_ord_id)
            super().cancel(cl_ord_id)

    def note_raised(self: LatchLog, latch: Latch) -> None:
        raised(self, latch)
        witness.note("LATCH", latch.latch_id)

    def note_cleared(self: LatchLog, latch_id: str, *, by: str, why: str) -> None:
        cleared(self, latch_id, by=by, why=why)
        witness.note("CLEARED", latch_id)

    LatchLog.raised, LatchLog.cleared = note_raised, note_cleared  # type: ignore[method-assign]
    parts: list[tuple[ModuleType, str, object]] = [
        (interlock.assemble, "HostClock", lambda: clock),
        (interlock.assemble, "PaperGateway", WitnessedGateway),
        (interlock.assemble, "ControlDesk", ScriptedControl),
        (interlock.wiring, "source_of", lambda *_, **__: ScriptedSource(place.home)),
        (interlock.wiring, "strategies_of", lambda _: {"cross": ScriptedStrategy()}),
    ]
    for module, name, part in parts:
        getattr(module, name)  # what is gone there must not be planted in vain
        setattr(module, name, part)
    if disk is not None:
        FileJournal.create = lambda run_dir: create(run_dir, disk=disk)  # type: ignore[method-assign,assignment]


def die_at(point: int, count: Callable[[int], None]) -> None:
    """Kill this process before the `point`-th opcode in a deadly module (0 = never); tell `count` each one."""
    passed = 0

    def at_opcode(_frame: FrameType, event: str, _: object) -> Callable[..., object]:
        nonlocal passed
        if event == "opcode":
            passed += 1
            if passed == point:
                os.kill(os.getpid(), signal.SIGKILL)
            count(passed)
        return at_opcode

    def at_call(frame: FrameType, event: str, _: object) -> Callable[..., object] | None:
        if event != "call" or not frame.f_code.co_filename.endswith(DEADLY):
            return None
        frame.f_trace_opcodes = True
        return at_opcode

    sys.settrace(at_call)


class Death(NamedTuple):
    """How a child ended: exit code or minus a signal, and how many opcodes it passed if it lived."""

    code: int
    passed: int


@cache
def warm_up() -> None:
    """Let the command line load what it loads at its first words, so that not every child has to."""
    with contextlib.redirect_stderr(io.StringIO()):
        main(["run", "--mode", "none"])


def in_child(place: Place, act: Callable[[], int]) -> int:
    """Do something in a child process and return its exit code, or minus the signal that ended it."""
    warm_up()
    with warnings.catch_warnings():
        # The threads of a linear algebra library hold no lock that a child needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        sys.stdout.flush()
        pid = os.fork()
    if pid == 0:
        _live_and_end(place, act)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _live_and_end(place: Place, act: Callable[[], int]) -> NoReturn:
    code = BROKEN
    try:
        out = os.open(os.devnull, os.O_WRONLY)
        err = os.open(place.path / "err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as it lives
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the same
        os.environ["XDG_STATE_HOME"] = str(place.path / "state")
        os.environ["XDG_RUNTIME_DIR"] = str(place.path / "run")
        code = act()
    except BaseException as error:  # noqa: BLE001 - a child never goes on as its parent
        sys.settrace(None)
        traceback.print_exception(error, file=sys.stderr)
    finally:
        sys.settrace(None)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def live(
    place: Place, *, disk: Disk | None = None, before: Callable[[Witness], None] | None = None, mode: str = "paper"
) -> int:
    """Live one life in this process, by the words that a person types, and return its exit code."""
    witness = Witness(place)
    join(place, witness, disk=disk)
    if before is not None:
        before(witness)
    config = place.config if mode == "paper" else place.sim_config
    return main(["run", str(config), "--mode", mode, "--home", str(place.home), "--log", "quiet"])


def one_life(place: Place, *, die: int = 0) -> Death:
    """Live one life in a child that dies before its `die`-th opcode, 0 = it lives to its end."""
    counted = place.path / "opcodes"

    def act() -> int:
        passed = [0]
        die_at(die, lambda number: passed.__setitem__(0, number))
        code = live(place)
        sys.settrace(None)
        counted.write_text(str(passed[0]), encoding="ascii")
        return code

    code = in_child(place, act)
    return Death(code, int(counted.read_text("ascii")) if code >= 0 and counted.exists() else 0)
