"""The stage of the scenarios: a room with a home, real processes in it, and sums of our own over a journal.

What is counted here is counted from the reports and decisions alone, never from the program's own sums.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from interlock.model.journal import Boot, Cycle, Record, Stop
from interlock.model.orders import ExecReport, ExecType
from interlock.model.risk import Decision, Verdict
from interlock.shell.journal_reader import JournalReader
from interlock.shell.run_folder import read_marks

REPO = Path(__file__).resolve().parents[2]
FIRST = REPO / "examples" / "first.toml"
PAPER = REPO / "examples" / "paper.toml"
CONFIGS = Path(__file__).resolve().parent / "configs"
INTERLOCK = (sys.executable, "-m", "interlock")

#: What stands under [risk] beside the symbols where a configuration is about something else than limits: no limit of
#: these blocks an order of a scenario or trips a watch. It is written for $1,000,000 of cash.
WIDE = """
max_order_qty = "1,000 shares"
max_order_notional = "$100,000"
soft_order_notional = "$99,999"
price_collar = "30 %"
soft_collar = "29 %"
max_collar_ticks = 1_000_000
close_collar = "100 %"
max_jump = "100 %"
max_spread = "100 %"
soft_spread = "99 %"
pause_move = "100 %"
halt_move = "100 %"
warm_up_quotes = 0
open_guard = "0 s"
close_guard = "0 s"
max_adv = "100 %"
max_volume = "100 %"
duplicate_window = "0 s"
max_order_rate = "1000 / s"
max_strategy_rate = "1000 / s"
max_count_minute = 1_000_000
max_count_hour = 1_000_000
max_count_day = 1_000_000
max_entries_day = 1_000_000
max_value_minute = "$1,000,000,000"
max_value_hour = "$1,000,000,000"
max_value_day = "$1,000,000,000"
max_reentries = 1_000_000
max_repeats = 1_000_000
max_order_to_trade = 1_000_000
slippage_fills = 1_000_000
max_position_notional = "$200,000"
max_gross_notional = "$600,000"
max_concentration = "100 %"
soft_concentration = "99 %"
max_unexecuted = "$600,000"
max_strategy_capital = "$600,000"
max_capital = "$600,000"
cash_buffer = "$0"
max_strategy_loss = "$1,000,000"
max_daily_loss = "$1,000,000"
max_strategy_drawdown = "100 %"
max_drawdown = "100 %"
"""

#: A process that has not ended by then hangs; this bounds a scenario and measures nothing.
ENDS_SECONDS_MAX = 60.0
#: How long a scenario waits for something to appear in a story.
SEEN_SECONDS_MAX = 30.0
#: How many processes play at once.
AT_ONCE = 2
_LOOK_SECONDS = 0.005

Q = TypeVar("Q")
A = TypeVar("A")


class Ended(NamedTuple):
    """How a process ended: exit code, standard output, standard error, and seconds from a signal to the end."""

    code: int
    out: str
    err: str
    seconds: float = 0.0


class Running:
    """A process on the stage; leaving its `with` block ends it if it still runs."""

    def __init__(self, words: tuple[str, ...], *, folder: Path, environ: Mapping[str, str], cwd: Path) -> None:
        """Start it, its output going to files of its own."""
        self._out = folder / "out"
        self._err = folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                words, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=dict(environ), cwd=cwd
            )

    def __enter__(self) -> Self:
        """Return the process."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it for good, if nothing else did."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    @property
    def out(self) -> str:
        """Return what it has printed so far."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    @property
    def err(self) -> str:
        """Return what it has complained of so far."""
        return self._err.read_text(encoding="utf-8", errors="replace")

    def see(self, *texts: str, times: int = 1) -> None:
        """Wait until the story holds each of the texts, so many times."""
        until(lambda: self.process.poll() is not None or all(self.out.count(text) >= times for text in texts))
        shown = self.out
        assert [] == [text for text in texts if shown.count(text) < times], (self.process.returncode, self.err)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> Ended:
        """Wait until it has ended."""
        began = time.monotonic()
        self.process.wait(ENDS_SECONDS_MAX)
        return Ended(self.process.returncode, self.out, self.err, time.monotonic() - began)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Send it a signal and wait until it has ended."""
        self.send(number)
        return self.end()


class Room(NamedTuple):
    """A place with one home, and the environment in which nobody else's runs are seen."""

    path: Path

    @property
    def home(self) -> Path:
        """Return the home that words in this room mean."""
        return self.path / "home"

    @property
    def run_dirs(self) -> list[Path]:
        """Return the folders of the runs, oldest first."""
        return sorted((self.home / "runs").iterdir()) if (self.home / "runs").is_dir() else []

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of a process in this room."""
        state, run = self.path / "state", self.path / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("INTERLOCK_", "PYTHON"))}
        rooms = {"XDG_STATE_HOME": str(state), "XDG_RUNTIME_DIR": str(run), "INTERLOCK_HOME": str(self.home)}
        return {**kept, **rooms, "NO_COLOR": "1", **more}

    def start(self, *words: str, prefix: tuple[str, ...] = INTERLOCK, cwd: Path = REPO, **environ: str) -> Running:
        """Start a process in this room; `prefix` is what stands before the words."""
        folder = Path(tempfile.mkdtemp(prefix="said-", dir=self.path))
        return Running((*prefix, *words), folder=folder, environ=self.environ(**environ), cwd=cwd)

    def play(self, *words: str, prefix: tuple[str, ...] = INTERLOCK, cwd: Path = REPO, **environ: str) -> Ended:
        """Start a process in this room and wait until it has ended."""
        with self.start(*words, prefix=prefix, cwd=cwd, **environ) as running:
            return running.end()

    def verified(self, word: str = "last") -> dict[str, object]:
        """Return what `interlock verify` says of a run."""
        return json.loads(self.play("verify", word, "--json").out)

    def status(self) -> dict[str, object]:
        """Return what `interlock status` says."""
        return json.loads(self.play("status", "--json").out)


@contextlib.contextmanager
def opened_room() -> Iterator[Room]:
    """Open a room with a short path, as the path of a Unix socket may have 107 bytes at most."""
    path = Path(tempfile.mkdtemp(prefix="il-"))
    try:
        yield Room(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def until(is_so: Callable[[], bool], *, seconds: float = SEEN_SECONDS_MAX) -> None:
    """Wait until something is so, within a bound."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"it is not so after {seconds} s"
        time.sleep(_LOOK_SECONDS)


def together(do: Callable[[Q], A], questions: Iterable[Q]) -> list[A]:
    """Return the answers in the order of the questions, a few played at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(do, questions))


def records(run_dir: Path) -> list[Record]:
    """Return all records of a journal, which must be one that can be trusted."""
    reader = JournalReader(run_dir)
    found = list(reader.records())
    assert reader.ending.is_trusted, reader.ending
    return found


def promised(run_dir: Path) -> int:
    """Return how many records the head file promises."""
    marks, _ = read_marks(run_dir)
    return max((mark.records for mark in marks), default=0)


def boot_of(found: list[Record]) -> Boot:
    """Return the first record's decided part."""
    assert isinstance(found[0].decided, Boot)
    return found[0].decided


def stop_of(found: list[Record]) -> Stop:
    """Return the last record's decided part, which must be a STOP."""
    assert isinstance(found[-1].decided, Stop), type(found[-1].decided)
    return found[-1].decided


def cycles_of(found: list[Record]) -> list[Cycle]:
    """Return the decided parts of the cycles."""
    return [record.decided for record in found if isinstance(record.decided, Cycle)]


def decisions_of(found: list[Record]) -> list[Decision]:
    """Return every decision, in order."""
    return [decision for cycle in cycles_of(found) for decision in cycle.outputs.decisions]


def approved_of(found: list[Record]) -> list[Decision]:
    """Return every approved decision, in order."""
    return [decision for decision in decisions_of(found) if decision.verdict is Verdict.APPROVED]


def codes_of(decision: Decision) -> list[str]:
    """Return the codes of the required checks that did not pass."""
    return [check.code.value for check in decision.checks if check.required and not check.passed]


def reports_of(found: list[Record]) -> list[ExecReport]:
    """Return every report of the gateway and the desk, in order."""
    reports: list[ExecReport] = []
    for record in found:
        if isinstance(record.decided, Cycle):
            reports.extend(record.decided.inputs.reports)
        elif isinstance(record.decided, Stop):
            reports.extend(record.decided.reports)
    return reports


class Ledger(NamedTuple):
    """Cash in micros, signed shares by (strategy, symbol), shares that still work by order, and the fills."""

    cash_micros: int
    held: dict[tuple[str, str], int]
    working: dict[str, int]
    fills: list[ExecReport]


_LAST_WORDS = (ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED, ExecType.NOT_SENT, ExecType.NOT_HELD)


def ledger(found: list[Record]) -> Ledger:
    """Add up a run from what it carried, what was approved and what the gateway reported, and from nothing else."""
    carried = boot_of(found).carried
    cash_micros = carried.account.cash_micros
    held = {(position.strategy_id, position.symbol): position.qty for position in carried.positions}
    orders = {o.cl_ord_id: (o.strategy_id, o.symbol, o.side.sign) for o in carried.orders}
    working = {order.cl_ord_id: order.order_qty - order.cum_qty for order in carried.orders}
    fills: list[ExecReport] = []
    for record in found:
        for report in reports_of([record]):
            if report.exec_type is ExecType.TRADE:
                strategy_id, symbol, sign = orders[report.cl_ord_id]
                fills.append(report)
                cash_micros -= sign * report.last_qty * report.last_px + report.fee_micros
                held[strategy_id, symbol] = held.get((strategy_id, symbol), 0) + sign * report.last_qty
                working[report.cl_ord_id] -= report.last_qty
            if report.exec_type in _LAST_WORDS or working.get(report.cl_ord_id) == 0:
                working.pop(report.cl_ord_id, None)
        for decision in approved_of([record]):
            intent = decision.intent
            orders[decision.decision_id] = (intent.strategy_id, intent.symbol, intent.side.sign)
            working[decision.decision_id] = intent.order_qty
    return Ledger(cash_micros, {key: qty for key, qty in held.items() if qty != 0}, working, fills)
