"""What a long journal costs: write, verify, tell, summary and start, each with its time and its resident memory.

    uv run python -m benchmarks.journal [--records N] [--dir DIR]

The journal is made of records as a PAPER run on one symbol writes them: quiet cycles, and a round trip of two orders
in every fifty; one file a day of 86,400 cycles. Each step runs in a process of its own, so its peak is its own. The
disk's own rate of fdatasync is measured in the same run, before and after.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from tests.journal_factory import (
    OPENING_MICROS,
    START_NS,
    account,
    booking,
    boot,
    carried,
    cycle,
    decision,
    holdings,
    positions,
    report,
    stop,
    tally,
)

from interlock.cli import main as interlock
from interlock.model.conduct import DayRoll
from interlock.model.journal import Aside, Cycle, Decided, GateOutputs, Holdings, Stop
from interlock.model.mode import Mode
from interlock.model.orders import ExecType, OrderClass, OrdStatus, Side
from interlock.proof.verify import verify_run
from interlock.shell.journal import FileJournal
from interlock.shell.journal_reader import JournalReader
from interlock.shell.recovery import LAST_PAPER_RUN
from interlock.shell.run_summary import summary

DAY_CYCLES = 86_400
ROUND_TRIP_CYCLES = 50
SYNC_RECORDS = 1_000
PX, FEE, QTY = 170_000_000, 5_000, 10
RUN_ID = "20131007T143000Z-paper-0000"
CONFIG = """
mode = "PAPER"
[account]
name = "bench"
cash = "$100,000"
[universe]
symbols = ["SPY"]
[source]
kind = "simulated"
seed = 7
step = "0.05 s"
[[strategy]]
use = "interlock.examples:Watcher"
name = "cross"
settings = {}
"""


class Cost(NamedTuple):
    """What one step took: seconds, seconds of CPU, peak resident MiB of its process, and its exit code."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    code: int


def records(count: int) -> Iterator[tuple[Decided, Aside]]:
    """Yield a run of so many records, BOOT and STOP among them, whose sums are right."""
    decided, aside = boot(run_id=RUN_ID)
    yield msgspec.structs.replace(decided, mode=Mode.PAPER), aside
    trips = 0
    quiet, quiet_aside = cycle(1)
    last = count - 2
    for number in range(1, last + 1):
        phase = number % ROUND_TRIP_CYCLES
        made = quiet
        if 1 <= phase <= 4 and number - phase + 4 <= last:
            made = _traded(number, phase, trips)
            trips += phase == 4
        else:
            cash_micros = OPENING_MICROS - trips * 2 * FEE
            outputs = msgspec.structs.replace(quiet.outputs, holdings=holdings(cash=cash_micros))
            made = msgspec.structs.replace(quiet, outputs=outputs)
        yield _dated(made, number), quiet_aside
    value = trips * QTY * PX
    closing = carried(money=account(bought=value, sold=value, fees=trips * 2 * FEE), last_cycle=last)
    left = holdings(cash=OPENING_MICROS - trips * 2 * FEE)
    yield stop(last, counts=tally(intents=2 * trips, filled=2 * trips), closing=closing, left=left)


def _dated(made: Cycle, number: int) -> Cycle:
    day = (number - 1) // DAY_CYCLES
    market = made.inputs.market
    seen = msgspec.structs.replace(
        market,
        seq=number,
        as_of_ns=START_NS + number * 1_000_000_000,
        trading_date=f"2013-{10 + (6 + day) // 28:02d}-{(6 + day) % 28 + 1:02d}",
        digest=f"{number:064x}",
    )
    rolls = (number - 1) % DAY_CYCLES == 0
    gate = GateOutputs(day_roll=DayRoll(trading_date=seen.trading_date, standings=())) if rolls else None
    return msgspec.structs.replace(
        made,
        cycle=number,
        inputs=msgspec.structs.replace(made.inputs, market=seen),
        outputs=msgspec.structs.replace(made.outputs, gate=gate),
    )


def _traded(number: int, phase: int, trips: int) -> Cycle:
    """Return a cycle of a round trip: buy, filled, sell, filled."""
    is_order = phase in (1, 3)
    ordered = number if is_order else number - 1
    name = f"{ordered:06d}-001"
    side, order_class = (Side.BUY, OrderClass.ENTRY) if phase < 3 else (Side.SELL, OrderClass.EXIT)
    fees = trips * 2 * FEE + (FEE if phase in (2, 3) else 2 * FEE if phase == 4 else 0)
    held = QTY if phase in (2, 3) else 0
    left = Holdings(
        positions=positions(held),
        cash_micros=OPENING_MICROS - held * PX - fees,
        open_orders=1 if is_order else 0,
        in_doubt=0,
    )
    if is_order:
        made, _ = cycle(number, decisions=(decision(name, side=side, order_class=order_class),), left=left)
    else:
        new = report(f"PAPER-{name}-1", name, ExecType.NEW, leaves=QTY)
        fill = report(f"PAPER-{name}-2", name, ExecType.TRADE, qty=QTY, px=PX, cum=QTY, fee=FEE)
        booked = (
            booking(name, OrdStatus.PENDING_NEW, OrdStatus.NEW),
            booking(name, OrdStatus.NEW, OrdStatus.FILLED),
        )
        made, _ = cycle(number, reports=(new, fill), bookings=booked, left=left)
    return made


def write(run_dir: Path, count: int) -> int:
    """Write the run, synced every thousand records."""
    with FileJournal.create(run_dir) as journal:
        for number, (decided, aside) in enumerate(records(count), start=1):
            journal.append(decided, aside)
            if number % SYNC_RECORDS == 0 or isinstance(decided, Stop):
                journal.sync()
    return 0


def measured(act: Callable[[], int]) -> Cost:
    """Do something in a child process that says nothing, and return what it cost."""
    sys.stdout.flush()
    began = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os._exit(act())
    _, status, used = os.wait4(pid, 0)
    return _cost(began, status, used)


def _cost(began: float, status: int, used: resource.struct_rusage) -> Cost:
    seconds = time.perf_counter() - began
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))


def started(home: Path, config: Path) -> Cost:
    """Start a PAPER run of one cycle by the command, in a Python of its own."""
    words = ["-m", "interlock", "run", str(config), "--mode", "paper", "--cycles", "1", "--log", "quiet"]
    began = time.perf_counter()
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    command = [sys.executable, *words, "--home", str(home)]
    pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=silent)
    _, status, used = os.wait4(pid, 0)
    return _cost(began, status, used)


def syncs_a_second(folder: Path) -> float:
    """Return how often a second this disk makes 800 appended bytes durable."""
    fd = os.open(folder / "sync-rate", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    began = time.perf_counter()
    count = 300
    for _ in range(count):
        os.write(fd, bytes(800))
        os.fdatasync(fd)
    os.close(fd)
    return count / (time.perf_counter() - began)


def walk(run_dir: Path) -> int:
    """Read every record."""
    reader = JournalReader(run_dir)
    for _ in reader.records():
        pass
    return 0 if reader.ending.is_trusted else 1


def without_stop(run_dir: Path) -> None:
    """Let the run look killed: its last record is gone, and its head file is of the sync before."""
    path = max(run_dir.glob("*.ilj"))
    reader = JournalReader(run_dir)
    for _ in reader.frames():
        offset = reader.offset
    os.truncate(path, offset)
    marks = (run_dir / "HEAD").read_bytes()
    newest = max((0, 4096), key=lambda start: int.from_bytes(marks[start + 16 : start + 24], "little"))
    (run_dir / "HEAD").write_bytes(marks[:newest] + bytes(4096) + marks[newest + 4096 :])


def show(what: str, cost: Cost, count: int) -> None:
    """Print one step."""
    each = f"{cost.cpu_seconds / count * 1e6:.1f} us a record" if count > 1 else ""
    told = f"{cost.seconds:7.2f} s, CPU {cost.cpu_seconds:6.2f} s, {cost.peak_mib:6.1f} MiB"
    print(f"{what:36} {told}  {each}{f'  EXIT {cost.code}' if cost.code else ''}")


def print_all(room: Path, count: int) -> None:
    """Print every step on a journal of so many records."""
    home, fresh = room / "home", room / "fresh"
    run_dir = home / "runs" / RUN_ID
    config = room / "bench.toml"
    config.write_text(CONFIG, encoding="utf-8")
    for name, folder in (("XDG_STATE_HOME", room / "state"), ("XDG_RUNTIME_DIR", room / "run")):
        folder.mkdir(mode=0o700)
        os.environ[name] = str(folder)
    print(f"fdatasync before: {syncs_a_second(room):,.0f} a second; a process that does nothing: ", end="")
    print(f"{measured(lambda: 0).peak_mib:.1f} MiB")
    show("start on an empty home (first)", started(fresh, config), 1)
    show("start on an empty home (again)", started(fresh, config), 1)
    shutil.copytree(fresh, home, ignore=shutil.ignore_patterns("2*", "*.sock"))
    show(f"write {count:,} records", measured(lambda: write(run_dir, count)), count)
    size = sum(path.stat().st_size for path in run_dir.iterdir())
    print(f"{len(list(run_dir.iterdir())) - 1} files, {size / 1e6:,.0f} MB, {size / count:,.0f} bytes a record")
    show("read every record", measured(lambda: walk(run_dir)), count)
    show("verify", measured(lambda: 0 if verify_run(run_dir).ok else 7), count)
    show("tell", measured(lambda: interlock(["tell", str(run_dir)])), count)
    show("summary (of `interlock runs`)", measured(lambda: 0 * len(summary(run_dir).head)), 1)
    # What is measured is a start on the long run, so the home may remember no other one.
    (home / LAST_PAPER_RUN).unlink(missing_ok=True)
    show("start on it, stopped", started(home, config), 1)
    (home / LAST_PAPER_RUN).unlink(missing_ok=True)
    for other in (home / "runs").iterdir():
        if other != run_dir:
            shutil.rmtree(other)
    without_stop(run_dir)
    show("start on it, killed", started(home, config), 1)
    print(f"fdatasync after: {syncs_a_second(room):,.0f} a second")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--dir", type=Path, default=Path(__file__).parent, help="a folder on the disk to measure")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.dir) as room:
        print_all(Path(room), chosen.records)


if __name__ == "__main__":
    main()
