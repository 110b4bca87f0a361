"""The one place where the parts of a run are joined.

Floor: above everything but the command line. It decides nothing; it reads the configuration, recovers what the
run before left, chooses who stands at each door, and starts the loop.
"""

from __future__ import annotations

import contextlib
import os
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec

from interlock.config import PaperConfig, SimConfig, default_config, load_config, resolve_mode
from interlock.config_types import (
    SimulatedSourceConfig,
)
from interlock.loop import Loop, Parts
from interlock.model.errors import ConfigError, JournalError
from interlock.model.journal import BootAside, Carried
from interlock.model.mode import Mode
from interlock.model.units import plain, utc
from interlock.ports import Clock, Recorder
from interlock.shell.clocks import HostClock
from interlock.shell.control import ControlDesk
from interlock.shell.desk import Desk
from interlock.shell.home import Home, open_home, resolve_home
from interlock.shell.host import HostWatch
from interlock.shell.incarnations import begin
from interlock.shell.journal import FileJournal
from interlock.shell.latch_log import LatchLog
from interlock.shell.loosening import Policy, loosening_of, take_loosening
from interlock.shell.narrator import LOG_FORMS, ConsoleNarrator
from interlock.shell.paper import PaperGateway
from interlock.shell.recovery import Found, recovered, remember_run
from interlock.shell.side_file import NoSideFile, SideFile
from interlock.shell.status import Status, entry_ids, held, open_orders, tightened_of
from interlock.shell.strategy_guard import code_files, warnings_of
from interlock.wiring import Wired, boot_of, market_start_ns, opened, versions_of, wired

#: Standard input, output and error are 0, 1 and 2.
_STDERR_FD = 2


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a human typed after `interlock run`; None is "not typed"."""

    config_path: str | None = None
    mode: str | None = None
    cycles: int | None = None
    interval_ns: int | None = None
    seed: int | None = None
    home: str | None = None
    log_form: str = "story"
    record_data: bool = False


class _Plan(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a run is made of before it has a home: all of it is read and checked before anything is touched."""

    made: Wired
    request: RunRequest


def run(request: RunRequest) -> int:
    """Run the pipeline until it stops.

    Returns:
        The exit code of the process.

    Raises:
        InterlockError: nothing was started, or what went on has ended; the sentence says which.
    """
    _keep_standard_streams()
    clock = HostClock()
    plan = _planned(request, clock)
    made = plan.made
    with ExitStack() as stack:
        path = resolve_home(made.config.account.name, home_option=request.home, environ=os.environ)
        home = stack.enter_context(open_home(path, wall_ns=clock.wall_ns()))
        home.stamp(account=made.config.account.name, mode=made.mode, source_kind=made.source.origin.kind)
        latch_log = stack.enter_context(LatchLog(path, clock=clock))
        found = _found(plan, path, latch_log)
        run_dir = home.new_run(wall_ns=clock.wall_ns(), mode=made.mode)
        # A start that is refused from here on leaves no empty run behind.
        stack.callback(_remove_if_empty, run_dir)
        loop = _joined(stack, plan, home=home, found=found, run_dir=run_dir, latch_log=latch_log, clock=clock)
        try:
            return int(loop.run())
        except KeyboardInterrupt as error:
            message = (
                "The run was interrupted while it was being closed, so its record may lack the last words. "
                "Nothing more is sent. See what it left with: interlock status"
            )
            raise JournalError(message) from error


def _keep_standard_streams() -> None:
    """See to it that no file of the run gets the number of a standard stream.

    A process that was started with one of them closed would give its number to the next file, the home's lock or the
    log of latches, and what is meant for a person would be written into that.

    Raises:
        ConfigError: standard output is closed, so nobody could read the story.
    """
    opened_fd = os.open(os.devnull, os.O_RDWR)
    while opened_fd <= _STDERR_FD:
        opened_fd = os.open(os.devnull, os.O_RDWR)
    os.close(opened_fd)
    if sys.stdout is None:
        message = (
            "Standard output is closed, so nobody could read what the run says. Nothing was started. "
            "Give it a place, such as a file: interlock run > story.txt"
        )
        raise ConfigError(message)


def _planned(request: RunRequest, clock: Clock) -> _Plan:
    """Read and check everything that a person wrote."""
    if request.log_form not in LOG_FORMS:
        message = (
            f"--log {plain(request.log_form)!r} is not a form of the log. Type one of {', '.join(LOG_FORMS)}. "
            "Nothing was started."
        )
        raise ConfigError(message)
    config = default_config() if request.config_path is None else load_config(request.config_path)
    mode = resolve_mode(Mode.PAPER if isinstance(config, PaperConfig) else Mode.SIM, request.mode)
    config = _asked(config, request)
    made = wired(config, mode, start_ns=market_start_ns(mode, wall_ns=clock.wall_ns()))
    return _Plan(made=made, request=request)


def _found(plan: _Plan, path: Path, latch_log: LatchLog) -> Found:
    """Recover what the run before left, and refuse a configuration that cannot see what is held.

    Raises:
        ConfigError: a symbol that is held or worked is not in the universe.
        JournalError: a PAPER account's record cannot be trusted.
    """
    found = recovered(
        path,
        mode=plan.made.mode,
        latches=latch_log.book.standing,
        next_latch_no=latch_log.book.next_latch_no,
        cash_micros=plan.made.config.account.cash_micros or 0,
    )
    for latch in found.unlogged:
        latch_log.raised(latch)
    carried = found.carried
    limits = plan.made.rules.limits
    now = Policy(
        limits=limits.everywhere(),
        allowed=tuple(sorted(limits.symbols)),
        restricted=tuple(sorted(limits.restricted)),
        groups=tuple(sorted(limits.groups.items())),
        exchange=plan.made.rules.calendar.name,
    )
    looser = loosening_of(found.policy, now, latches=carried.latches)
    taken = take_loosening(looser, mode=plan.made.mode, is_terminal=_is_terminal(), read_line=_asked_line)
    own = {position.symbol for position in carried.positions} | {order.symbol for order in carried.orders}
    unseen = sorted(own.difference(plan.made.source.universe))
    if unseen:
        message = (
            f"The account in {path} holds or works {', '.join(unseen)}, and [universe] does not name it, so nobody "
            "would watch it. Add it to symbols under [universe]. Nothing was started."
        )
        raise ConfigError(message)
    return msgspec.structs.replace(found, words=(*found.words, *taken, *_unattended(carried, plan.made)))


def _unattended(carried: Carried, made: Wired) -> tuple[str, ...]:
    """Return sentences about what was carried and no strategy of this configuration looks after."""
    words: list[str] = []
    owned = [
        f"{position.qty} {position.symbol} of {position.strategy_id}"
        for position in carried.positions
        if position.strategy_id not in made.strategies
    ]
    if owned:
        words.append(f"No strategy of this configuration looks after {', '.join(owned)}: nothing will sell it.")
    working = [
        f"{order.cl_ord_id} ({order.side} {order.leaves_qty} {order.symbol} of {order.strategy_id})"
        for order in carried.orders
        if order.strategy_id not in made.strategies
    ]
    if working:
        words.append(
            f"No strategy of this configuration looks after the order {', '.join(working)}: it works on until it ends, "
            "and only an entry is taken back by a stop or a halt."
        )
    return tuple(words)


def _is_terminal() -> bool:
    """Return True if a person can be asked: both ends are a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _asked_line(question: str) -> str:
    """Ask a person, and return the line that they typed."""
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline()


def _joined(  # noqa: PLR0913 - the parts that have a home by now
    stack: ExitStack, plan: _Plan, *, home: Home, found: Found, run_dir: Path, latch_log: LatchLog, clock: Clock
) -> Loop:
    """Join the parts, catch the signals, and write the first record."""
    made = plan.made
    state = opened(made, found.carried, next_latch_no=latch_log.book.next_latch_no)
    watch = _Watch(run_id=run_dir.name, mode=made.mode, clock=clock)
    control = stack.enter_context(ControlDesk(run_dir=run_dir, home=home.path, status=watch.status, clock=clock))
    gateway = _gateway(made, home.path, found)
    home.announce(run_id=run_dir.name, mode=made.mode, environ=os.environ)
    recorder = _recorder(stack, plan, run_dir)
    journal = stack.enter_context(FileJournal.create(run_dir))
    if made.mode is Mode.PAPER:
        remember_run(home.path, run_dir.name)
    loop = Loop(
        Parts(
            mode=made.mode,
            source=made.source,
            gateway=gateway,
            desk=Desk(mode=made.mode, gateway=gateway, journal=journal, control=control, clock=clock),
            journal=journal,
            recorder=recorder,
            latch_log=latch_log,
            narrator=ConsoleNarrator(form=plan.request.log_form),
            control=control,
            clock=clock,
            host=HostWatch(run_dir, clock, paced_ns=_paced_ns(made)),
            rules=made.rules,
            strategies=made.strategies,
            interval_ns=made.config.run.interval_ns,
            cycles=made.config.run.cycles,
        ),
        state,
    )
    watch.follow(loop)
    aside = _boot_aside(plan, home, found, run_id=run_dir.name, clock=clock)
    loop.boot(boot_of(made, state, carried=found.carried), aside)
    return loop


def _paced_ns(made: Wired) -> int:
    """Return the pace of a market that follows the wall clock, 0 for one that does not."""
    return made.config.run.interval_ns if made.mode is Mode.PAPER else 0


def _gateway(made: Wired, home: Path, found: Found) -> PaperGateway:
    """Open the gateway under a name of this start, and refuse to be the second copy of an account.

    Raises:
        HomeError: the gateway works an order that this home never sent.
        JournalError: this start cannot be given a name.
    """
    starts = begin(home, mode=made.mode, after_cycle=found.carried.cycle)
    rules = made.rules
    gateway = PaperGateway(mode=made.mode, fees=rules.fees, universe=rules.universe, wire_id=starts.wire_id)
    gateway.restore(found.carried.orders)
    starts.refuse_strangers(gateway.wire_ids(), home=home)
    return gateway


def _recorder(stack: ExitStack, plan: _Plan, run_dir: Path) -> Recorder:
    if not plan.request.record_data:
        return NoSideFile()
    side_file = SideFile(run_dir, plan.made.source.universe)
    stack.callback(side_file.close)
    return side_file


def _remove_if_empty(run_dir: Path) -> None:
    with contextlib.suppress(OSError):
        run_dir.rmdir()


def _asked(config: SimConfig | PaperConfig, request: RunRequest) -> SimConfig | PaperConfig:
    """Return the configuration with what the command line overrides.

    Raises:
        ConfigError: it overrides what it may not.
    """
    run_config = config.run
    if request.cycles is not None:
        run_config = msgspec.structs.replace(run_config, cycles=request.cycles)
    if request.interval_ns is not None:
        run_config = msgspec.structs.replace(run_config, interval_ns=request.interval_ns)
    source = config.source
    if request.seed is not None:
        if not isinstance(source, SimulatedSourceConfig):
            message = (
                "--seed is for the simulated market, and this configuration reads recorded data. Nothing was started."
            )
            raise ConfigError(message)
        source = msgspec.structs.replace(source, seed=request.seed)
    if isinstance(config, PaperConfig) and run_config.interval_ns != config.source.step_ns:
        message = (
            "PAPER practises at the pace of the wall clock, so the interval is the market's own step; "
            "leave --interval out. Nothing was started."
        )
        raise ConfigError(message)
    return msgspec.structs.replace(config, run=run_config, source=source)


def _boot_aside(plan: _Plan, home: Home, found: Found, *, run_id: str, clock: Clock) -> BootAside:
    """Return the aside of the first record: this machine and this process."""
    config = plan.made.config
    files = code_files(tuple(written.use for written in config.strategies), folder=config.folder)
    return BootAside(
        run_id=run_id,
        previous_run=found.previous_run,
        previous_head=found.previous_head,
        started_wall_ns=clock.wall_ns(),
        pid=os.getpid(),
        home=str(home.path),
        config_path=config.path,
        source_words=plan.made.source.origin.words,
        source_where=plan.made.source.origin.where,
        interval_ns=config.run.interval_ns,
        cycles=config.run.cycles,
        log_form=plan.request.log_form,
        sync_words="every decision is on disk before anything is sent",
        versions=versions_of(files),
        found=(*found.words, *warnings_of(files)),
    )


class _Watch:
    """Answers `status` for a loop that it follows."""

    def __init__(self, *, run_id: str, mode: Mode, clock: Clock) -> None:
        self._run_id = run_id
        self._mode = mode
        self._clock = clock
        self._loops: list[Loop] = []

    def follow(self, loop: Loop) -> None:
        """Look at this loop from now on."""
        self._loops.append(loop)

    def status(self) -> Status:
        """Return what the run has and may do now."""
        state = self._loops[-1].state
        prices = self._loops[-1].prices()
        orders = open_orders(state.blotter.open_orders.values())
        return Status(
            run_id=self._run_id,
            mode=self._mode.value,
            trading_state=state.trading_state,
            cycle=state.cycle,
            positions=held(state.portfolio.positions.values(), prices),
            open_orders=orders,
            ended=None,
            state_no=state.state_no,
            latches=state.latches,
            as_of=utc(self._clock.wall_ns()),
            market_time=utc(state.as_of_ns) if state.as_of_ns else "",
            open_entries=entry_ids(orders),
            answers=self._loops[-1].answers,
            leaves=state.leaves,
            tightened=tightened_of(state.limits.in_force.values()),
        )
