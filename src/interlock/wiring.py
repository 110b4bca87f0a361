"""What a configuration becomes: the source, the strategies, the scanners, the rules and the first record.

Floor: below the loop. A run and its replay are made here, by the same lines, from a file or from a record. It decides
nothing and adds no limit of its own. On the trip: before it.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import msgspec
import numpy as np

from interlock.config import PaperConfig, SimConfig, decision_keys
from interlock.config_types import (
    CsvSourceConfig,
    GapScan,
    LeanSourceConfig,
    MovingAverageCrossScan,
    ScanConfig,
    SimulatedSourceConfig,
    SourceConfig,
)
from interlock.core.fees import FeePlan
from interlock.core.risk.rows import not_covered
from interlock.core.scan import Gap, MovingAverageCross, RelativeVolume, Scanner
from interlock.core.sessions import NEVER_CLOSES, Calendar
from interlock.core.state import Rules, State, opening_state
from interlock.core.strategy import Strategy
from interlock.model.errors import ConfigError, JournalError
from interlock.model.journal import DECISION_VERSION, SCHEMA_VERSION, Boot, BootAside, Carried
from interlock.model.mode import Mode, TradingState, lower
from interlock.model.units import SECOND_NS, plain
from interlock.policy import limits_for
from interlock.ports import MarketSource
from interlock.shell.calendars import load_calendar
from interlock.shell.sources.csv_rows import CsvSource
from interlock.shell.sources.lean import LeanSource
from interlock.shell.sources.parquet import ParquetSource
from interlock.shell.sources.simulated import SIM_START_NS, SimulatedSource
from interlock.shell.strategies import load_strategy
from interlock.shell.strategy_guard import CODE_PREFIX, CodeFile, own_code_sha256


class Wired(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a configuration names, made: nothing of it has been asked yet."""

    config: SimConfig | PaperConfig
    mode: Mode
    source: MarketSource
    strategies: dict[str, Strategy]
    rules: Rules


def wired(config: SimConfig | PaperConfig, mode: Mode, *, start_ns: int, kept: MarketSource | None = None) -> Wired:
    """Make everything that a configuration names.

    Args:
        config: the configuration.
        mode: the mode of the process.
        start_ns: when a simulated market begins, ns UTC.
        kept: what a run kept of its market, where it is to be seen instead of the source.

    Raises:
        ConfigError: a strategy cannot be loaded.
        DataError: the source cannot be read at all.
    """
    source = source_of(config, start_ns=start_ns) if kept is None else kept
    return Wired(
        config=config,
        mode=mode,
        source=source,
        strategies=strategies_of(config),
        rules=rules_of(config, mode, source=source),
    )


def opened(made: Wired, carried: Carried, *, next_latch_no: int) -> State:
    """Return the state before the first cycle, with scanners that have seen nothing."""
    symbols = len(made.source.universe)
    return opening_state(
        carried,
        start=start_of(made.config, carried),
        universe=made.source.universe,
        limits=made.rules.limits,
        scanners=tuple(scanner_of(scan, symbols=symbols) for scan in made.config.scans),
        next_latch_no=next_latch_no,
        mode=made.mode,
    )


def start_of(config: SimConfig | PaperConfig, carried: Carried) -> TradingState:
    """Return the state to start in: SIM's is written in its file; PAPER waits for a human."""
    if isinstance(config, SimConfig):
        return config.run.start
    waiting = TradingState.REDUCING if carried.positions else TradingState.HALTED
    for latch in carried.latches:
        # One symbol's or one strategy's latch blocks its own entries; it must not keep the account's exits back.
        if latch.scope == "account":
            waiting = lower(waiting, latch.level)
    return waiting


def boot_of(made: Wired, state: State, *, carried: Carried) -> Boot:
    """Return the decided part of the first record of a run that starts from `state`."""
    rules, source = made.rules, made.source
    return Boot(
        schema_version=SCHEMA_VERSION,
        decision_version=DECISION_VERSION,
        mode=made.mode,
        start=state.trading_state,
        config=decision_keys(made.config),
        has_policy=rules.limits.has_policy,
        allowed=tuple(sorted(rules.limits.symbols)),
        limits=rules.limits.everywhere(),
        origin_kind=source.origin.kind,
        origin_identity=source.origin.identity,
        provides=tuple(sorted(source.provides)),
        not_covered=not_covered(source.provides),
        universe=source.universe,
        strategies=tuple(made.strategies),
        carried=carried,
        next_latch_no=state.next_latch_no,
        profile="" if made.config.risk is None else made.config.risk.profile or "",
        restricted=tuple(sorted(rules.limits.restricted)),
        calendar=rules.calendar.identity,
        groups=tuple(sorted(rules.limits.groups.items())),
    )


def versions_of(files: tuple[CodeFile, ...]) -> tuple[tuple[str, str], ...]:
    """Return what a run is made with: versions, and the SHA-256 of every file of code that can change a decision.

    Args:
        files: the code of its strategies.
    """
    # Looked up and not imported: what the package itself imports stands on a higher floor.
    own = str(vars(sys.modules[__name__.partition(".")[0]])["__version__"])
    return (
        ("interlock", own),
        ("python", platform.python_version()),
        ("numpy", np.__version__),
        ("msgspec", msgspec.__version__),
        (f"{CODE_PREFIX}interlock", own_code_sha256()),
        *((f"{CODE_PREFIX}{file.name}", file.sha256) for file in files),
    )


def recorded_config(boot: Boot, aside: BootAside) -> SimConfig | PaperConfig:
    """Return the configuration that a first record holds: its decision keys, and where this machine finds the rest.

    Raises:
        JournalError: the record's configuration is not one that this build reads.
    """
    try:
        keys = msgspec.json.decode(boot.config, type=dict[str, object])
        start = keys.pop("start", TradingState.HALTED.value)
        keys["run"] = {"start": start} if boot.mode is Mode.SIM else {}
        keys["path"] = aside.config_path
        keys["folder"] = str(Path(aside.config_path).parent) if aside.config_path else ""
        if boot.origin_kind != "simulated":
            keys["source"] = _placed(msgspec.convert(keys["source"], dict[str, object]), aside.source_where)
        if boot.mode is Mode.PAPER:
            return msgspec.convert(keys, PaperConfig)
        return msgspec.convert(keys, SimConfig)
    except (msgspec.MsgspecError, KeyError) as error:
        message = (
            f"The configuration on the record of run {plain(aside.run_id)} cannot be read by this build "
            f"({plain(str(error))}), so the run cannot be lived again. Use the version of Interlock that made it."
        )
        raise JournalError(message) from error


def _placed(source: dict[str, object], path: str) -> dict[str, object]:
    """Return the keys of a recorded source, its path among them; a column that a file does not have is not written."""
    if "columns" in source:
        columns = msgspec.convert(source["columns"], dict[str, str])
        source = {**source, "columns": {name: column for name, column in columns.items() if column}}
    return {**source, "path": path}


def recorded_start_ns(boot: Boot) -> int:
    """Return when the simulated market of a recorded run began, ns UTC."""
    written = dict(boot.origin_identity).get("start_ns", "")
    return int(written) if written.isdecimal() else SIM_START_NS


def market_start_ns(mode: Mode, *, wall_ns: int) -> int:
    """Return when a simulated market begins: PAPER's now, to the second, going on at the pace of the wall clock."""
    return wall_ns // SECOND_NS * SECOND_NS if mode is Mode.PAPER else SIM_START_NS


def source_of(config: SimConfig | PaperConfig, *, start_ns: int) -> MarketSource:
    """Open the source that the configuration names.

    Raises:
        DataError: it cannot be read at all.
    """
    universe = config.universe.symbols
    written: SourceConfig = config.source
    if isinstance(written, SimulatedSourceConfig):
        return SimulatedSource(
            universe=universe,
            seed=written.seed,
            step_ns=written.step_ns,
            start_ns=start_ns,
            regime=written.regime,
            missing_bps=written.dirt.missing_bps,
            stale_bps=written.dirt.stale_bps,
            crossed_bps=written.dirt.crossed_bps,
            halted_bps=written.dirt.halted_bps,
        )
    if isinstance(written, LeanSourceConfig):
        return LeanSource(universe=universe, path=written.path, first_day=written.first_day, last_day=written.last_day)
    chosen = CsvSource if isinstance(written, CsvSourceConfig) else ParquetSource
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


def strategies_of(config: SimConfig | PaperConfig) -> dict[str, Strategy]:
    """Return the strategies by name, in the order in which they are asked.

    Raises:
        ConfigError: one cannot be loaded.
    """
    return {
        written.name: load_strategy(
            written.use, name=written.name, settings=written.settings, folder=config.folder, path=config.path
        )
        for written in config.strategies
    }


def scanner_of(written: ScanConfig, *, symbols: int) -> Scanner:
    """Return the scanner that one [[scan]] names, which has seen nothing yet."""
    if isinstance(written, MovingAverageCrossScan):
        return MovingAverageCross.start(window=written.window, symbols=symbols)
    if isinstance(written, GapScan):
        return Gap.start(move_bps_min=written.move_bps_min, symbols=symbols)
    return RelativeVolume.start(window=written.window, multiple_x100=written.multiple_x100, symbols=symbols)


def rules_of(config: SimConfig | PaperConfig, mode: Mode, *, source: MarketSource) -> Rules:
    """Return what the run is judged by.

    Raises:
        ConfigError: the exchange of its sessions is not known.
        DataError: the table of sessions was changed.
    """
    return Rules(
        mode=mode,
        limits=limits_for(config.risk, cash_micros=config.account.cash_micros, bar_ns=_bar_ns(config.source)),
        fees=FeePlan(
            per_share_micros=config.paper.fee_per_share_micros, minimum_micros=config.paper.fee_minimum_micros
        ),
        provides=source.provides,
        universe=source.universe,
        index={symbol: ix for ix, symbol in enumerate(source.universe)},
        calendar=_calendar_of(config),
        strategies=tuple(strategy.name for strategy in config.strategies),
    )


def _calendar_of(config: SimConfig | PaperConfig) -> Calendar:
    """Return the sessions of the exchange; where it is not known, the sentence says which file and field named it."""
    try:
        return load_calendar(exchange_of(config))
    except ConfigError as error:
        if not config.path:
            raise
        message = f"{plain(config.path)}, [session] exchange: {error}"
        raise ConfigError(message) from None


def exchange_of(config: SimConfig | PaperConfig) -> str:
    """Return whose sessions hold: as written, else a made-up market never closes and a recorded one is XNYS."""
    if config.session.exchange is not None:
        return config.session.exchange
    return NEVER_CLOSES if isinstance(config.source, SimulatedSourceConfig) else "XNYS"
