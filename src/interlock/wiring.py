"""What a configuration becomes: the source, the strategies, the scanners and the rules that it names.

Floor: just below `assemble`, which joins what is made here. It decides nothing and adds no limit of its own.
"""

from __future__ import annotations

import msgspec

from interlock.config import PaperConfig, SimConfig
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
from interlock.core.risk.limits import Limits, make_limits
from interlock.core.scan import Gap, MovingAverageCross, RelativeVolume, Scanner
from interlock.core.state import Rules
from interlock.core.strategy import Strategy
from interlock.model.mode import Mode
from interlock.model.units import SECOND_NS
from interlock.ports import Clock, MarketSource
from interlock.shell.sources.csv_rows import CsvSource
from interlock.shell.sources.lean import LeanSource
from interlock.shell.sources.parquet import ParquetSource
from interlock.shell.sources.simulated import SIM_START_NS, SimulatedSource
from interlock.shell.strategies import load_strategy


def source_of(config: SimConfig | PaperConfig, mode: Mode, *, clock: Clock) -> MarketSource:
    """Open the source that the configuration names.

    Raises:
        DataError: it cannot be read at all.
    """
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
    """Return what the run is judged by."""
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
