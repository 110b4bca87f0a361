"""The loop, with a world that fails where it is told to: what breaks a cycle loses no fill and keeps no cancel back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.core_factory import FEES, SYMBOLS, Does, Says, latch, order, rules, snapshot, state, wish
from tests.journal_factory import boot

from interlock.core.state import State
from interlock.core.strategy import Strategy, View
from interlock.loop import CYCLE_NS_MAX, Loop, Parts
from interlock.model.errors import DataError, ExitCode, InvariantError, JournalError
from interlock.model.journal import Command, Cycle, HostTrip, Record, Stop
from interlock.model.market import MarketSnapshot
from interlock.model.mode import Mode
from interlock.model.orders import ExecType, OrdStatus
from interlock.model.risk import Latch
from interlock.model.signals import Proposal
from interlock.model.units import SECOND_NS
from interlock.shell.desk import Desk
from interlock.shell.journal import FileJournal
from interlock.shell.journal_reader import JournalReader
from interlock.shell.paper import PaperGateway
from interlock.shell.side_file import NoSideFile


class World:
    """A clock, a market, a host, a log of latches, a control and a listener in one; `fail` says where it fails."""

    is_mute = False
    stop_seen = False

    def __init__(self, fail: Mapping[str, Exception]) -> None:
        self.fail = fail
        self.now_ns = SECOND_NS
        self.seq = 0
        self.log: list[Latch] = []

    def boot_ns(self) -> int:
        """Return the hand-set time."""
        return self.now_ns

    def wall_ns(self) -> int:
        """Return the hand-set time."""
        return self.now_ns

    def next(self) -> MarketSnapshot:
        """Return the next snapshot."""
        self.seq += 1
        self._may_fail(f"next {self.seq}")
        return snapshot(self.seq)

    def trips(self) -> tuple[HostTrip, ...]:
        """Return no trip."""
        self._may_fail(f"trips {self.seq}")
        return ()

    def raised(self, raised: Latch) -> None:
        """Remember a latch."""
        self._may_fail("raised")
        self.log.append(raised)

    def drain(self) -> tuple[Command, ...]:
        """Return no command."""
        return ()

    def tell(self, record: Record) -> None:
        """Listen to nothing."""

    def _may_fail(self, where: str) -> None:
        if where in self.fail:
            raise self.fail[where]


class Lived(NamedTuple):
    """What a run left: its world, its gateway, its loop and its records; `error` is what it raised, "" for nothing."""

    world: World
    gateway: PaperGateway
    loop: Loop
    cycles: list[Cycle]
    stops: list[Stop]
    error: str


def lived(  # noqa: PLR0913 - what a run is made of
    run_dir: Path,
    *,
    strategy: Strategy,
    fail: Mapping[str, Exception] | None = None,
    before: State | None = None,
    resting: bool = False,
    cycles: int = 3,
    during: Callable[[World], None] | None = None,
) -> Lived:
    """Let a loop run in such a world, and return what it left."""
    world = World(fail or {})
    gateway = PaperGateway(mode=Mode.SIM, fees=FEES, universe=SYMBOLS)
    before = state() if before is None else before
    gateway.restore(before.blotter.open_orders.values() if resting else ())
    strategies = {"cross": strategy if during is None else Does(lambda view: _moved(world, during, strategy, view))}
    error = ""
    with FileJournal.create(run_dir) as journal:
        desk = Desk(mode=Mode.SIM, gateway=gateway, journal=journal, control=world, clock=world)  # type: ignore[arg-type]
        parts = Parts(
            mode=Mode.SIM, source=world, gateway=gateway, desk=desk, journal=journal, recorder=NoSideFile(),  # type: ignore[arg-type]
            latch_log=world, narrator=world, control=world, clock=world, host=world, rules=rules(),  # type: ignore[arg-type]
            strategies=strategies, interval_ns=0, cycles=cycles,
        )  # fmt: skip
        loop = Loop(parts, before)
        loop.boot(*boot())  # type: ignore[arg-type]
        try:
            loop.run()
        except (InvariantError, JournalError, OSError) as raised:
            error = f"{type(raised).__name__}: {raised}"
    decided = [record.decided for record in JournalReader(run_dir).records()]
    found = [each for each in decided if isinstance(each, Cycle)]
    return Lived(world, gateway, loop, found, [each for each in decided if isinstance(each, Stop)], error)


def _moved(world: World, during: Callable[[World], None], strategy: Strategy, view: View) -> Proposal:
    during(world)
    return strategy.propose(view)


@pytest.mark.parametrize(("took_ns", "said"), [(CYCLE_NS_MAX, ExecType.NEW), (CYCLE_NS_MAX + 1, ExecType.NOT_SENT)])
def test_what_a_cycle_that_ran_over_approved_is_not_sent(tmp_path: Path, took_ns: int, said: ExecType) -> None:
    """Its market was seen too long ago, however fresh the approval; the limit itself is inside."""

    def think(world: World) -> None:
        world.now_ns += took_ns

    found = lived(tmp_path / "run", strategy=Says(wish()), during=think, cycles=1)
    reports = [report for cycle in found.cycles for report in cycle.inputs.reports]

    assert [said] == [report.exec_type for report in reports][:1]


def test_a_host_that_cannot_be_read_loses_no_fill(tmp_path: Path) -> None:
    """What the gateway had said is folded into the last record, though the cycle that drained it broke."""
    found = lived(tmp_path / "run", strategy=Says(wish()), fail={"trips 2": OSError("the disk is gone")})

    assert "OSError: the disk is gone" == found.error
    assert [10] == [position.qty for position in found.stops[0].closing.positions]


def test_a_second_broken_cycle_cancels_entries_although_its_latch_stands(tmp_path: Path) -> None:
    """A latch of an earlier run is not raised again, and what is left of the end goes on without it."""
    standing = latch(code="CYCLE_BROKE")
    before = state(orders=(order(ord_status=OrdStatus.NEW, limit_px=1_000_000),), latches=(standing,))
    found = lived(
        tmp_path / "run", strategy=Says(), before=before, resting=True, fail={"next 1": InvariantError("it broke")}
    )

    assert ("InvariantError: it broke", ()) == (found.error, found.gateway.open_orders())
    assert ([], (standing,), ExitCode.INVARIANT) == (
        found.world.log, found.stops[0].closing.latches, found.stops[0].exit_code,
    )  # fmt: skip


def test_a_latch_that_cannot_be_written_keeps_no_cancel_back(tmp_path: Path) -> None:
    """Cancels only reduce, so they wait for no disk."""
    before = state(orders=(order(ord_status=OrdStatus.NEW, limit_px=1_000_000),))
    fail = {"next 1": InvariantError("it broke"), "raised": JournalError("no room")}
    found = lived(tmp_path / "run", strategy=Says(), before=before, resting=True, fail=fail)

    assert ("JournalError: no room", ()) == (found.error, found.gateway.open_orders())


def test_the_process_ends_with_the_code_that_is_on_its_record(tmp_path: Path) -> None:
    """A market that cannot be read on breaks a run that went on: it is no refused start."""
    found = lived(tmp_path / "run", strategy=Says(), fail={"next 2": DataError("the file is cut")})

    assert "InvariantError: the file is cut" == found.error
    assert [ExitCode.INVARIANT] == [stop.exit_code for stop in found.stops]
