"""How long a cycle takes, stage by stage, with the gate and the journal on; and whether memory stays flat.

    uv run python benchmarks/cycle.py [--cycles N] [--memory-cycles N] [--place DIR]

Prints cycles a second and microseconds a stage for 1, 100, 1,000 and 5,000 symbols (quiet cycles: one strategy that
is asked and wishes for nothing), the whole path of one order, resident memory over many cycles, and the time from the
command to the first cycle. The journal is a real one, in a folder beside this file's repository (so on its disk).
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import interlock.loop
from interlock.core.fees import FeePlan
from interlock.core.risk.keys import KEYS, LESS
from interlock.core.risk.limits import make_limits
from interlock.core.scan import MovingAverageCross
from interlock.core.sessions import ALWAYS_OPEN
from interlock.core.state import Rules, nothing_carried, opening_state
from interlock.core.strategy import Strategy, View
from interlock.examples import Watcher, buy, leave
from interlock.loop import Loop, Parts
from interlock.model.journal import Command, Record
from interlock.model.market import Provides
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import TimeInForce
from interlock.model.risk import Latch
from interlock.model.signals import Proposal
from interlock.model.units import SECOND_NS
from interlock.shell.clocks import HostClock
from interlock.shell.desk import Desk
from interlock.shell.host import HostWatch
from interlock.shell.journal import FileJournal
from interlock.shell.paper import PaperGateway
from interlock.shell.side_file import NoSideFile
from interlock.shell.sources.simulated import SIM_START_NS, SimulatedSource

T = TypeVar("T")
CASH_MICROS = 10**14
#: A limit of each unit that stands in no order's way.
WIDEST = {"qty": 1_000_000, "micros": 10**14, "bps": 10_000, "count": 10**9, "x100": 10**9}
STAGES = ("see", "decide", "write", "sync", "act", "tell")


class Ping:
    """Buys one lot and sells it again, for ever."""

    def propose(self, view: View) -> Proposal:
        """Return an entry when flat and idle, an exit when long and idle."""
        symbol = view.universe[0]
        quote = view.quote(symbol)
        if view.working(symbol):
            return Proposal(wishes=(), because="it waits for its order")
        if view.position(symbol) == 0:
            # The price moves by the cycle, so that no order is the duplicate of one before.
            limit_px = quote.ask_px + 10_000 * (view.cycle % 50)
            wish = buy(symbol, qty=100, limit_px=limit_px, time_in_force=TimeInForce.IOC, because="it is flat")
        else:
            wish = leave(symbol, qty=view.position(symbol), limit_px=quote.bid_px - 100_000, because="it is long")
        return Proposal(wishes=(wish,), because="it pings")


class Quiet:
    """A control desk that nobody speaks to, a latch log for no latch, and a narrator for nobody."""

    stop_seen = False
    is_mute = False

    def drain(self) -> tuple[Command, ...]:
        """Return nothing."""
        return ()

    def rest(self, until_boot_ns: int) -> None:
        """Do not rest."""

    def raised(self, latch: Latch) -> None:
        """Refuse: no latch is expected here."""
        raise SystemExit(f"a latch tripped: {latch.text}")

    def cleared(self, latch_id: str, *, by: str, why: str) -> None:
        """Refuse likewise."""
        raise SystemExit(f"{latch_id} was cleared by {by}: {why}")

    def tell(self, record: Record) -> None:
        """Say nothing."""


class Timed:
    """Adds up the time spent in some calls."""

    def __init__(self) -> None:
        self.spent_ns = dict.fromkeys(STAGES, 0)

    def around(self, stage: str, call: Callable[..., T]) -> Callable[..., T]:
        """Return `call`, timed."""

        def timed(*arguments: object, **named: object) -> T:
            began = time.perf_counter_ns()
            try:
                return call(*arguments, **named)
            finally:
                self.spent_ns[stage] += time.perf_counter_ns() - began

        return timed


def make_rules(universe: tuple[str, ...], provides: frozenset[Provides]) -> Rules:
    """Return rules that let the benchmark's orders pass, with every control in its place."""
    written = {key.name: WIDEST[key.unit] for key in KEYS.values() if key.stricter == LESS and key.unit in WIDEST}
    limits = make_limits(
        has_policy=True,
        symbols=universe,
        written={**written, "warm_up_quotes": 0, "cash_buffer_micros": 0},
        cash_micros=CASH_MICROS,
        bar_ns=SECOND_NS,
    )
    return Rules(
        mode=Mode.SIM,
        limits=limits,
        fees=FeePlan(per_share_micros=5_000, minimum_micros=1_000_000),
        provides=provides,
        universe=universe,
        index={symbol: ix for ix, symbol in enumerate(universe)},
        calendar=ALWAYS_OPEN,
        strategies=("bench",),
    )


def make_loop(folder: Path, *, symbols: int, strategy: Strategy, cycles: int) -> tuple[Loop, Parts]:
    """Join a run as `assemble` does, without a home, a story, a pace or a first record."""
    universe = tuple(f"S{number:05d}" for number in range(symbols))
    clock = HostClock()
    quiet = Quiet()
    source = SimulatedSource(universe=universe, seed=7, step_ns=SECOND_NS, start_ns=SIM_START_NS, regime="calm")
    rules = make_rules(universe, source.provides)
    state = opening_state(
        nothing_carried(CASH_MICROS, ()),
        start=TradingState.ACTIVE,
        universe=universe,
        limits=rules.limits,
        scanners=(MovingAverageCross.start(window=20, symbols=symbols),),
        next_latch_no=1,
    )
    journal = FileJournal.create(folder)
    gateway = PaperGateway(mode=Mode.SIM, fees=rules.fees, universe=universe)
    parts = Parts(
        mode=Mode.SIM,
        source=source,
        gateway=gateway,
        desk=Desk(mode=Mode.SIM, gateway=gateway, journal=journal, control=quiet, clock=clock),
        journal=journal,
        recorder=NoSideFile(),
        latch_log=quiet,
        narrator=quiet,
        control=quiet,
        clock=clock,
        host=HostWatch(folder, clock),
        rules=rules,
        strategies={"bench": strategy},
        interval_ns=0,
        cycles=cycles,
    )
    return Loop(parts, state), parts


def timed_run(*, symbols: int, strategy: Strategy, cycles: int, place: Path) -> tuple[float, dict[str, float], int]:
    """Run and return microseconds a cycle, whole and by stage, and how many orders were wished for."""
    timed = Timed()
    with tempfile.TemporaryDirectory(dir=place) as folder:
        loop, parts = make_loop(Path(folder), symbols=symbols, strategy=strategy, cycles=cycles)
        # The parts are frozen; what is timed are their methods, one wrapper each.
        for stage, part, name in (
            ("see", parts.source, "next"),
            ("see", parts.gateway, "observe"),
            ("see", parts.gateway, "drain"),
            ("write", parts.journal, "append"),
            ("sync", parts.journal, "sync"),
            ("act", parts.desk, "act"),
            ("tell", parts.narrator, "tell"),
        ):
            setattr(part, name, timed.around(stage, getattr(part, name)))
        untimed_step = interlock.loop.step
        interlock.loop.step = timed.around("decide", untimed_step)
        try:
            began = time.perf_counter_ns()
            loop.run()
            spent_ns = time.perf_counter_ns() - began
        finally:
            interlock.loop.step = untimed_step
        parts.journal.close()
    intents = loop.state.tally.intents
    return spent_ns / cycles / 1e3, {stage: spent / cycles / 1e3 for stage, spent in timed.spent_ns.items()}, intents


def resident_mib() -> float:
    """Return this process's resident memory now, in MiB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def print_cycles(cycles: int, place: Path) -> None:
    """Print quiet cycles for each size of universe, then cycles that send an order each."""
    print(f"{'symbols':>8} {'cycles/s':>9} {'us/cycle':>9} " + " ".join(f"{stage:>8}" for stage in STAGES))
    for symbols in (1, 100, 1_000, 5_000):
        count = max(200, cycles // (1 if symbols <= 100 else symbols // 100))
        runs = [timed_run(symbols=symbols, strategy=Watcher(), cycles=count, place=place) for _ in range(3)]
        whole, stages, _ = sorted(runs, key=lambda run: run[0])[1]
        told = " ".join(f"{stages[stage]:8.1f}" for stage in STAGES)
        print(f"{symbols:8,} {1e6 / whole:9,.0f} {whole:9.1f} {told}")
    quiet, quiet_stages, _ = timed_run(symbols=1, strategy=Watcher(), cycles=cycles, place=place)
    ordering, stages, intents = timed_run(symbols=1, strategy=Ping(), cycles=cycles, place=place)
    told = " ".join(f"{stages[stage]:8.1f}" for stage in STAGES)
    print(f"{'1 + ping':>8} {1e6 / ordering:9,.0f} {ordering:9.1f} {told}")
    more = (ordering - stages["sync"]) - (quiet - quiet_stages["sync"])
    each = more * cycles / intents
    print(f"one order's whole path over a quiet cycle, sync apart: {each:.1f} us ({intents:,} orders)")


def print_memory(cycles: int, place: Path) -> None:
    """Print resident memory at ten points of one long run with orders."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        loop, parts = make_loop(Path(folder), symbols=100, strategy=Ping(), cycles=cycles)
        seen: list[float] = []

        def tell(record: Record) -> None:
            if record.seq % (cycles // 10) == 0:
                seen.append(resident_mib())

        parts.narrator.tell = tell  # type: ignore[method-assign]
        loop.run()
        parts.journal.close()
    print(f"resident MiB over {cycles:,} cycles of 100 symbols: " + " ".join(f"{mib:.1f}" for mib in seen))


def print_start() -> None:
    """Print the time from the command to the end of its first cycle and a clean stop, median of five."""
    example = Path(__file__).parent.parent / "examples" / "first.toml"
    times: list[float] = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as home:
            command = [sys.executable, "-m", "interlock", "run", str(example), "--cycles", "1", "--interval", "0"]
            began = time.perf_counter()
            subprocess.run([*command, "--home", f"{home}/h"], check=True, capture_output=True)
            times.append(time.perf_counter() - began)
    print(f"command to one cycle and stopped: {statistics.median(times):.2f} s (median of 5)")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=5_000)
    parser.add_argument("--memory-cycles", type=int, default=100_000)
    parser.add_argument("--place", type=Path, default=Path(__file__).parent, help="where the journals lie")
    chosen = parser.parse_args()
    print_cycles(chosen.cycles, chosen.place)
    print_memory(chosen.memory_cycles, chosen.place)
    print_start()


if __name__ == "__main__":
    main()
