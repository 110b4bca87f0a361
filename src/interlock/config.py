"""The configuration of one run: read from a file, checked as a whole, and never guessed.

Floor 2 (shell): it reads one file, through `tomlfile`. It may never fill in a limit that nobody wrote, and it never
starts LIVE. On the trip: before it; `assemble` builds a run from one of these values and from nothing else.
"""

from __future__ import annotations

import zoneinfo
from pathlib import Path
from typing import Annotated

import msgspec

from interlock.config_risk import RiskConfig
from interlock.config_types import (
    ACCOUNT_DEFAULT,
    AccountConfig,
    CsvSourceConfig,
    LeanSourceConfig,
    MovingAverageCrossScan,
    PaperFeesConfig,
    ParquetSourceConfig,
    RunConfig,
    ScanConfig,
    SessionConfig,
    SimRunConfig,
    SimulatedSourceConfig,
    SourceConfig,
    StrategyConfig,
    UniverseConfig,
)
from interlock.contradictions import contradictions
from interlock.model.errors import ConfigError, DataError
from interlock.model.market import checked_universe
from interlock.model.mode import LIVE_REFUSAL, Mode, TradingState, mode_from_command, mode_from_config
from interlock.model.units import MICROS_PER_DOLLAR, duration
from interlock.tomlfields import key, read_struct
from interlock.tomlfile import Entry, clipped, read_toml, shown

#: The most scanners and the most strategies of one run.
SCANS_MAX = 16
STRATEGIES_MAX = 64

_NO_ACCOUNT = AccountConfig(name=ACCOUNT_DEFAULT, cash_micros=None)

AccountKey = Annotated[AccountConfig, key("account", "Whose home it is, and the cash that it starts from.")]
UniverseKey = Annotated[
    UniverseConfig,
    key("universe", "The symbols that are seen.", form='[universe] with symbols = ["SPY", "IBM"] under it'),
]
ScansKey = Annotated[tuple[ScanConfig, ...], key("scan", "What looks for symbols worth a look; one [[scan]] each.")]
StrategiesKey = Annotated[
    tuple[StrategyConfig, ...],
    key("strategy", "What wishes for orders; one [[strategy]] each. With none, nothing is wished."),
]
RiskKey = Annotated[RiskConfig | None, key("risk", "The limits. Without this section no trade is allowed.")]
SessionKey = Annotated[SessionConfig, key("session", "Whose trading sessions hold.")]
PaperKey = Annotated[PaperFeesConfig, key("paper", "What trading costs on paper, in SIM and in PAPER.")]
_SOURCE_FORM = '[source] with kind = "simulated" and seed = 7 under it'


class SimConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="mode", tag="SIM"):
    """A run that sends nothing out of this process, on a made-up or a recorded market.

    `path` and `folder` say which file it was read from, absolute; both are "" for the built-in one.
    """

    path: str = ""
    folder: str = ""
    run: Annotated[SimRunConfig, key("run", "The pace, the length and the start of the run.")] = SimRunConfig()
    account: AccountKey = _NO_ACCOUNT
    universe: UniverseKey
    source: Annotated[SourceConfig, key("source", "Where market data comes from.", form=_SOURCE_FORM)]
    scans: ScansKey = ()
    strategies: StrategiesKey = ()
    risk: RiskKey = None
    session: SessionKey = SessionConfig()
    paper: PaperKey = PaperFeesConfig()


class PaperConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="mode", tag="PAPER"):
    """A run that practises on paper at wall-clock pace. It has no `start`: a human raises the state."""

    path: str = ""
    folder: str = ""
    run: Annotated[RunConfig, key("run", "The pace and the length of the run.")] = RunConfig()
    account: AccountKey = _NO_ACCOUNT
    universe: UniverseKey
    source: Annotated[SimulatedSourceConfig, key("source", "The market to practise on.", form=_SOURCE_FORM)]
    scans: ScansKey = ()
    strategies: StrategiesKey = ()
    risk: RiskKey = None
    session: SessionKey = SessionConfig()
    paper: PaperKey = PaperFeesConfig()


class LiveConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="mode", tag="LIVE"):
    """A run on a real account. The type is here so that the word is known; no file is ever read into one."""

    path: str
    folder: str


Config = SimConfig | PaperConfig | LiveConfig


def load_config(path: str | Path) -> SimConfig | PaperConfig:
    """Read a configuration file.

    Args:
        path: the TOML file; paths in it are relative to its folder.

    Returns:
        The configuration, with absolute paths.

    Raises:
        ConfigError: the file cannot be read, says LIVE, or holds anything that is not known and right.
    """
    file = read_toml(path)
    root = Entry(file=file, at=(), value=file.table)
    is_paper = _mode_of(root) is Mode.PAPER
    if is_paper:
        _check_paper_keys(root)
    read: SimConfig | PaperConfig = read_struct(PaperConfig, root) if is_paper else read_struct(SimConfig, root)
    _check_universe(read.universe, root)
    _check_names(read.scans, read.strategies, root=root)
    _check_source(read.source, root)
    _check_risk(read, root)
    absolute = Path(path).absolute()
    placed = msgspec.structs.replace(read, path=str(absolute), folder=str(absolute.parent))
    if isinstance(placed, PaperConfig):
        return _paced(placed, root)
    return msgspec.structs.replace(placed, source=_with_absolute_path(placed.source, absolute.parent))


def default_config() -> SimConfig:
    """Return what runs when no file is named: the safest system there is.

    It starts ACTIVE and wishes for orders, and it has no risk policy, so that the story shows what that blocks.
    """
    return SimConfig(
        run=SimRunConfig(start=TradingState.ACTIVE),
        account=AccountConfig(name=ACCOUNT_DEFAULT, cash_micros=100_000 * MICROS_PER_DOLLAR),
        universe=UniverseConfig(symbols=("SPY", "IBM", "AIG", "BAC")),
        source=SimulatedSourceConfig(seed=7),
        scans=(MovingAverageCrossScan(window=5),),
        strategies=(StrategyConfig(use="interlock.examples:RoundTrip", name="roundtrip", settings={"qty": 10}),),
        risk=None,
    )


def resolve_mode(config_mode: Mode, command: str | None) -> Mode:
    """Return the mode that the configuration and the command line agree on.

    Args:
        config_mode: the mode of the configuration; SIM if it names none.
        command: what follows `--mode`, or None if it was not typed.

    Returns:
        The mode: SIM, or PAPER if both say so.

    Raises:
        ConfigError: they do not agree, the word is no mode, or either says LIVE.

    Examples:
        >>> resolve_mode(Mode.SIM, None).value, resolve_mode(Mode.PAPER, "paper").value
        ('SIM', 'PAPER')
    """
    asked = None if command is None else mode_from_command(command)
    if asked is Mode.LIVE or config_mode is Mode.LIVE:
        raise ConfigError(LIVE_REFUSAL)
    if asked is config_mode or (asked is None and config_mode is Mode.SIM):
        return config_mode
    if asked is None:
        message = (
            f"The configuration says {config_mode.value} and the command line says nothing. {config_mode.value} needs "
            f"both keys: type --mode {config_mode.value.lower()} as well. Nothing was started."
        )
        raise ConfigError(message)
    message = (
        f"--mode {asked.value.lower()} and the configuration do not agree: the configuration says "
        f'{config_mode.value} (a configuration without a mode says SIM). Write mode = "{asked.value}" at the top of '
        f"the file, or type --mode {config_mode.value.lower()}. Nothing was started."
    )
    raise ConfigError(message)


def decision_keys(config: SimConfig | PaperConfig) -> str:
    """Return everything that decisions depend on, as canonical JSON: keys sorted, no spaces.

    Pace, length, account name and paths are left out: they differ between machines and decide nothing.
    """
    written: dict[str, object] = msgspec.to_builtins(config)
    source: dict[str, object] = msgspec.to_builtins(config.source)
    source.pop("path", None)
    start = config.run.start if isinstance(config, SimConfig) else TradingState.HALTED
    decisive = {name: written[name] for name in ("mode", "universe", "scans", "strategies", "risk", "session", "paper")}
    decisive |= {"source": source, "start": start.value, "account": {"cash_micros": config.account.cash_micros}}
    return msgspec.json.encode(decisive, order="sorted").decode()


def strategy_folder(config: SimConfig | PaperConfig) -> str:
    """Return the folder in which a strategy's module may live beside the file; "" for the built-in configuration."""
    return config.folder


def _mode_of(root: Entry) -> Mode:
    """Return the mode of a file; an absent one is SIM, and LIVE is refused."""
    if "mode" not in root.file.table:
        return Mode.SIM
    entry = root.child("mode", root.file.table["mode"])
    word = entry.value if isinstance(entry.value, str) else shown(entry.value)
    try:
        mode = mode_from_config(clipped(word))
    except ConfigError as error:
        entry.refuse(str(error))
    if mode is Mode.LIVE:
        entry.refuse(LIVE_REFUSAL)
    return mode


def _written(root: Entry, section: str, *, name: str) -> Entry | None:
    """Return one key of one section if it is written, else None."""
    inner = root.child(section, root.file.table.get(section))
    return None if inner.table is None or name not in inner.table else inner.child(name, inner.table[name])


def _check_paper_keys(root: Entry) -> None:
    """Refuse, each in its own sentence, what only SIM may have."""
    start, kind = _written(root, "run", name="start"), _written(root, "source", name="kind")
    if start is not None:
        start.refuse("PAPER has no start: it begins HALTED and a human raises it with interlock resume; take it out")
    if kind is not None and kind.value in ("lean", "csv", "parquet"):
        kind.refuse('recorded data runs in SIM only; write mode = "SIM", or kind = "simulated" to practise on paper')


def _paced(config: PaperConfig, root: Entry) -> PaperConfig:
    """Return a PAPER configuration whose interval is its step, as its market is drawn at wall-clock pace."""
    step_ns = config.source.step_ns
    interval = _written(root, "run", name="interval")
    if interval is not None and config.run.interval_ns != step_ns:
        interval.refuse(
            f"PAPER draws its market at wall-clock pace, so the interval must be the step of [source], which is "
            f"{duration(step_ns)}; write the same in both, or take interval out"
        )
    return msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, interval_ns=step_ns))


def _check_universe(universe: UniverseConfig, root: Entry) -> None:
    """Refuse a universe that is empty, too large, or names a symbol twice."""
    entry = root.child("universe", None).child("symbols", None)
    seen: set[str] = set()
    for ix, symbol in enumerate(universe.symbols):
        if symbol in seen:
            entry.child(ix, symbol).refuse(f'"{symbol}" is named before; write each symbol once')
        seen.add(symbol)
    try:
        checked_universe(universe.symbols)
    except DataError as error:
        entry.refuse(str(error))


def _check_names(scans: tuple[ScanConfig, ...], strategies: tuple[StrategyConfig, ...], *, root: Entry) -> None:
    """Refuse too many scanners or strategies, and two strategies of one name."""
    for name, count, count_max in (("scan", len(scans), SCANS_MAX), ("strategy", len(strategies), STRATEGIES_MAX)):
        if count > count_max:
            root.child(name, None).refuse(f"there are {count:,} of them and the most is {count_max}; write fewer")
    names = [strategy.name for strategy in strategies]
    for ix, name in enumerate(names):
        if name in names[:ix]:
            entry = root.child("strategy", None).child(ix, None).child("name", name)
            entry.refuse(f'"{name}" is the name of another strategy; give each its own')


def _check_source(source: SourceConfig, root: Entry) -> None:
    """Refuse a recorded source whose keys do not fit each other."""
    entry = root.child("source", None)
    match source:
        case SimulatedSourceConfig():
            return
        case LeanSourceConfig():
            if source.first_day > source.last_day:
                entry.child("to", None).refuse(f"{source.last_day} is before from, {source.first_day}; swap them")
        case CsvSourceConfig() | ParquetSourceConfig():
            _check_zone(source.zone, entry.child("zone", source.zone))
            _check_rows(source, entry)


def _check_risk(config: SimConfig | PaperConfig, root: Entry) -> None:
    """Refuse a limit that can never bind, and what contradicts itself."""
    if config.risk is None:
        return
    found = contradictions(
        config.risk,
        cash_micros=config.account.cash_micros,
        universe=config.universe.symbols,
        strategies=tuple(strategy.name for strategy in config.strategies),
    )
    for wrong in found:
        entry = root.child("risk", None)
        for part in wrong.at:
            entry = entry.child(part, None)
        entry.refuse(wrong.words)


def _check_zone(zone: str, entry: Entry) -> None:
    """Refuse a zone that this machine's time zone database does not hold."""
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        entry.refuse(f'{shown(zone)} is no time zone; write one such as "UTC" or "America/New_York"')


def _check_rows(source: CsvSourceConfig | ParquetSourceConfig, entry: Entry) -> None:
    """Refuse columns that cannot make the rows, and a bar length where there are no bars."""
    named = source.columns.named()
    for name in ("bid", "ask") if source.rows == "quotes" else ("close",):
        if name not in named:
            words = f'rows = "{source.rows}" needs this column; write what the file calls it'
            entry.child("columns", None).child(name, None).refuse(words)
    if source.rows == "bars" and source.bar_ns is None:
        entry.child("bar", None).refuse('it is missing; write how long a bar is, such as "1 min"')
    if source.rows == "quotes" and source.bar_ns is not None:
        entry.child("bar", None).refuse('it is for rows = "bars" only; take it out')


def _with_absolute_path(source: SourceConfig, folder: Path) -> SourceConfig:
    """Return a source whose path does not depend on where the command was typed."""
    if isinstance(source, SimulatedSourceConfig):
        return source
    return msgspec.structs.replace(source, path=str(folder / source.path))
