"""The one place where the parts of a run are joined.

Floor: above everything but the command line. It decides nothing; it reads the configuration, recovers what the
run before left, chooses who stands at each door, and starts the loop.
"""

from __future__ import annotations

import os
import platform
from contextlib import ExitStack

import msgspec
import numpy as np

from interlock import __version__
from interlock.config import PaperConfig, SimConfig, decision_keys, default_config, load_config, resolve_mode
from interlock.config_types import (
    GapScan,
    LeanSourceConfig,
    MovingAverageCrossScan,
    ScanConfig,
    SimulatedSourceConfig,
    SourceConfig,
)
from interlock.core.fees import FeePlan
from interlock.core.risk.limits import Limits, make_limits
from interlock.core.risk.table import not_covered
from interlock.core.scan import Gap, MovingAverageCross, RelativeVolume, Scanner
from interlock.core.state import Rules, State, opening_state
from interlock.core.strategy import Strategy
from interlock.loop import Loop, Parts
from interlock.model.errors import ConfigError
from interlock.model.journal import DECISION_VERSION, SCHEMA_VERSION, Boot, BootAside, Carried
from interlock.model.mode import Mode, TradingState, lower
from interlock.model.units import SECOND_NS, utc
from interlock.ports import Clock, MarketSource
from interlock.shell.clocks import HostClock
from interlock.shell.control import ControlDesk
from interlock.shell.desk import Desk
from interlock.shell.home import Home, open_home, resolve_home
from interlock.shell.journal import FileJournal
from interlock.shell.latch_log import LatchLog
from interlock.shell.narrator import LOG_FORMS, ConsoleNarrator
from interlock.shell.paper import PaperGateway
from interlock.shell.recovery import Found, recovered
from interlock.shell.sources.csv_rows import CsvSource
from interlock.shell.sources.lean import LeanSource
from interlock.shell.sources.parquet import ParquetSource
from interlock.shell.sources.simulated import SIM_START_NS, SimulatedSource
from interlock.shell.status import Status, entry_ids, held, open_orders
from interlock.shell.strategies import load_strategy


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a human typed after `interlock run`; None is "not typed"."""

    config_path: str | None = None
    mode: str | None = None
    cycles: int | None = None
    interval_ns: int | None = None
    seed: int | None = None
    home: str | None = None
    log_form: str = "story"


def run(request: RunRequest) -> int:
    """Run the pipeline until it stops.

    Returns:
        The exit code of the process.

    Raises:
        InterlockError: nothing was started, or what went on has ended; the sentence says which.
    """
    if request.log_form not in LOG_FORMS:
        message = f"--log {request.log_form!r} is not a form of the log. Type one of {', '.join(LOG_FORMS)}."
        raise ConfigError(message)
    config = _asked(default_config() if request.config_path is None else load_config(request.config_path), request)
    mode = resolve_mode(Mode.PAPER if isinstance(config, PaperConfig) else Mode.SIM, request.mode)
    clock = HostClock()
    source = _source(config, mode, clock)
    strategies = _strategies(config)
    path = resolve_home(config.account.name, request.home, os.environ)
    with ExitStack() as stack:
        home = stack.enter_context(open_home(path, wall_ns=clock.wall_ns()))
        home.stamp(account=config.account.name, mode=mode, source_kind=source.origin.kind)
        latch_log = stack.enter_context(LatchLog(path, clock=clock))
        cash_micros = config.account.cash_micros
        found = recovered(
            path,
            mode=mode,
            latches=latch_log.book.standing,
            next_latch_no=latch_log.book.next_latch_no,
            cash_micros=cash_micros or 0,
        )
        for latch in found.unlogged:
            latch_log.raised(latch)
        run_dir = home.new_run(wall_ns=clock.wall_ns(), mode=mode)
        journal = stack.enter_context(FileJournal.create(run_dir))
        rules = _rules(config, mode, source)
        state = opening_state(
            found.carried,
            start=_start(config, found.carried),
            symbols=len(source.universe),
            scanners=tuple(_scanner(scan, symbols=len(source.universe)) for scan in config.scans),
            next_latch_no=latch_log.book.next_latch_no,
        )
        watch = _Watch(run_id=run_dir.name, mode=mode, clock=clock)
        control = stack.enter_context(ControlDesk(run_dir=run_dir, home=path, status=watch.status, clock=clock))
        home.announce(run_id=run_dir.name, mode=mode, environ=os.environ)
        gateway = PaperGateway(mode=mode, fees=rules.fees, universe=source.universe)
        gateway.restore(found.carried.orders)
        parts = Parts(
            mode=mode,
            source=source,
            gateway=gateway,
            desk=Desk(mode=mode, gateway=gateway, journal=journal, control=control, clock=clock),
            journal=journal,
            latch_log=latch_log,
            narrator=ConsoleNarrator(form=request.log_form),
            control=control,
            clock=clock,
            rules=rules,
            strategies=strategies,
            interval_ns=config.run.interval_ns,
            cycles=config.run.cycles,
        )
        loop = Loop(parts, state)
        watch.follow(loop)
        aside = _boot_aside(config, home, found, run_id=run_dir.name, source=source, request=request, clock=clock)
        loop.boot(_boot(config, rules, state, source=source, carried=found.carried, mode=mode), aside)
        return int(loop.run())


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


def _source(config: SimConfig | PaperConfig, mode: Mode, clock: Clock) -> MarketSource:
    """Open the source that the configuration names."""
    universe = config.universe.symbols
    written: SourceConfig = config.source
    if isinstance(written, SimulatedSourceConfig):
        # PAPER's market starts now, to the second, and goes on at the pace of the wall clock.
        wall_ns = clock.wall_ns() // SECOND_NS * SECOND_NS
        return SimulatedSource(
            universe=universe,
            seed=written.seed,
            step_ns=written.step_ns,
            start_ns=wall_ns if mode is Mode.PAPER else SIM_START_NS,
            regime=written.regime,
            missing_bps=written.dirt.missing_bps,
            stale_bps=written.dirt.stale_bps,
            crossed_bps=written.dirt.crossed_bps,
            halted_bps=written.dirt.halted_bps,
        )
    if isinstance(written, LeanSourceConfig):
        return LeanSource(universe=universe, path=written.path, first_day=written.first_day, last_day=written.last_day)
    chosen = CsvSource if written.__class__.__name__ == "CsvSourceConfig" else ParquetSource
    return chosen(
        universe=universe,
        path=written.path,
        rows=written.rows,
        zone=written.zone,
        bar_ns=written.bar_ns or 0,
        columns=written.columns.named(),
        time_unit=written.time_unit,
    )


def _bar_ns(written: SourceConfig) -> int:
    """Return how far apart the source's snapshots are, 0 for single quotes."""
    if isinstance(written, SimulatedSourceConfig):
        return written.step_ns
    return 60 * SECOND_NS if isinstance(written, LeanSourceConfig) else written.bar_ns or 0


def _strategies(config: SimConfig | PaperConfig) -> dict[str, Strategy]:
    return {
        written.name: load_strategy(
            written.use, name=written.name, settings=written.settings, folder=config.folder, path=config.path
        )
        for written in config.strategies
    }


def _scanner(written: ScanConfig, *, symbols: int) -> Scanner:
    if isinstance(written, MovingAverageCrossScan):
        return MovingAverageCross.start(window=written.window, symbols=symbols)
    if isinstance(written, GapScan):
        return Gap.start(move_bps_min=written.move_bps_min, symbols=symbols)
    return RelativeVolume.start(window=written.window, multiple_x100=written.multiple_x100, symbols=symbols)


def _rules(config: SimConfig | PaperConfig, mode: Mode, source: MarketSource) -> Rules:
    return Rules(
        mode=mode,
        limits=_limits(config),
        fees=FeePlan(
            per_share_micros=config.paper.fee_per_share_micros, minimum_micros=config.paper.fee_minimum_micros
        ),
        provides=source.provides,
        universe=source.universe,
        index={symbol: ix for ix, symbol in enumerate(source.universe)},
    )


def _limits(config: SimConfig | PaperConfig) -> Limits:
    risk = config.risk
    written: dict[str, int] = {}
    if risk is not None:
        keys = msgspec.structs.asdict(risk)
        written = {name: value for name, value in keys.items() if isinstance(value, int)}
        if risk.max_order_rate is not None:
            written["max_order_count"], written["order_window_ns"] = risk.max_order_rate
    return make_limits(
        has_policy=risk is not None,
        symbols=() if risk is None else risk.symbols,
        written=written,
        cash_micros=config.account.cash_micros,
        bar_ns=_bar_ns(config.source),
    )


def _start(config: SimConfig | PaperConfig, carried: Carried) -> TradingState:
    """Return the state to start in: SIM's is written in its file; PAPER waits for a human."""
    if isinstance(config, SimConfig):
        return config.run.start
    waiting = TradingState.REDUCING if carried.positions else TradingState.HALTED
    for latch in carried.latches:
        waiting = lower(waiting, latch.level)
    return waiting


def _boot(  # noqa: PLR0913 - the decided part of the first record
    config: SimConfig | PaperConfig,
    rules: Rules,
    state: State,
    *,
    source: MarketSource,
    carried: Carried,
    mode: Mode,
) -> Boot:
    return Boot(
        schema_version=SCHEMA_VERSION,
        decision_version=DECISION_VERSION,
        mode=mode,
        start=state.trading_state,
        config=decision_keys(config),
        has_policy=rules.limits.has_policy,
        allowed=tuple(sorted(rules.limits.symbols)),
        limits=tuple(rules.limits.in_force.values()),
        origin_kind=source.origin.kind,
        origin_identity=source.origin.identity,
        provides=tuple(sorted(source.provides)),
        not_covered=not_covered(source.provides),
        universe=source.universe,
        strategies=tuple(written.name for written in config.strategies),
        carried=carried,
    )


def _boot_aside(  # noqa: PLR0913 - the aside of the first record
    config: SimConfig | PaperConfig,
    home: Home,
    found: Found,
    *,
    run_id: str,
    source: MarketSource,
    request: RunRequest,
    clock: Clock,
) -> BootAside:
    versions = (
        ("interlock", __version__),
        ("python", platform.python_version()),
        ("numpy", np.__version__),
        ("msgspec", msgspec.__version__),
    )
    return BootAside(
        run_id=run_id,
        previous_run=found.previous_run,
        previous_head=found.previous_head,
        started_wall_ns=clock.wall_ns(),
        pid=os.getpid(),
        home=str(home.path),
        config_path=config.path,
        source_words=source.origin.words,
        source_where=source.origin.where,
        interval_ns=config.run.interval_ns,
        cycles=config.run.cycles,
        log_form=request.log_form,
        sync_words="every decision is on disk before anything is sent",
        versions=versions,
        found=found.words,
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
        )
