"""The whole table of controls with the limits that hold: of a file, of a run, or of the built-in configuration.

Floor 3 (proof). It starts nothing, asks no strategy and changes nothing: it opens a source only to see what it tells.
It stands beside the trip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from interlock.config import PaperConfig, SimConfig, default_config, load_config
from interlock.core.risk.conduct_controls import LEAVING, RATE, SAME
from interlock.core.risk.exposure_controls import EXPOSURE
from interlock.core.risk.facts import Control
from interlock.core.risk.keys import KEYS
from interlock.core.risk.market_controls import DATA, SESSION, VOLUME
from interlock.core.risk.order_controls import FORM, SIZE
from interlock.core.watch import HARD_X100, WATCHES, Watch
from interlock.model.errors import HomeError
from interlock.model.journal import DECISION_VERSION, LimitInForce
from interlock.model.market import Provides
from interlock.model.mode import Mode
from interlock.model.orders import OrderClass
from interlock.model.units import plain
from interlock.shell.home import RUNS_FOLDER, holder, known_home
from interlock.shell.limits_then import first_record, latest_run, limits_now
from interlock.shell.live import live_marks
from interlock.shell.sources.simulated import SIM_START_NS
from interlock.wiring import rules_of, source_of

PRE_TRADE, AT_TRADE = "pre-trade", "at-trade"
#: What a watch does when its limit is passed.
LATCH = "latch REDUCING"
#: The headings of the groups, in the order of the table.
GROUPS: tuple[tuple[str, tuple[Control, ...]], ...] = (
    ("Who may send, and what an order looks like", FORM),
    ("When the exchange trades", SESSION),
    ("Whether the market can be believed", DATA),
    ("How large an order is, and how far from the market", SIZE),
    ("Whether the market is large enough", VOLUME),
    ("Whose symbol it is, and whether it was sent before", SAME),
    ("How often, and how much", RATE),
    ("What only an exit must be", LEAVING),
    ("What could be held, and what is left of the cash", EXPOSURE),
)
WATCH_GROUP = "What is watched after the fact"
#: Limits that a line reads beside its own key.
BESIDE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "DATA_UNCONFIRMED": ("max_jump_bps", "jump_quotes"),
        "VOLATILITY_PAUSE": ("pause_move_bps", "pause_window_ns", "pause_for_ns"),
        "ORDER_RATE_MAX": ("order_window_ns",),
        "STRATEGY_RATE_MAX": ("strategy_window_ns",),
        "CONCENTRATION_MAX": ("cash_micros",),
        "SYMBOL_IN_DOUBT": ("ack_timeout_ns",),
        "REPEATED_ORDER": ("repeat_window_ns",),
        "REJECT_STORM": ("reject_window_ns",),
        "ORDER_TO_TRADE": ("order_to_trade_messages",),
        "SLIPPAGE": ("max_slippage_x100",),
        "VOLATILITY_HALT": ("halt_window_ns",),
    }
)


class OwnLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit beside a line's own: of one strategy or symbol, or another one that the line reads."""

    key: str
    scope: str
    limit: int | None
    unit: str
    source: str


class ControlLine(msgspec.Struct, frozen=True, kw_only=True):
    """One control, with the limit that holds.

    Attributes:
        row: number in the control catalogue.
        code: what it is called when it says no; of a watch, what its latch is called.
        name: the field's standard name.
        scope: what it looks at.
        applies_to: classes of order for which it is read and recorded.
        action: `hard block`, `soft block`, `throttle` or `latch REDUCING`.
        limit: the whole number in `unit`; None where nobody wrote one, and where it is a rule without a number.
        source: `config`, `profile <name>`, `default`, `tightened`, `none` or `rule`.
        required_for: classes of order that it can stop.
        phase: `pre-trade`, or `at-trade` for a watch.
        unit: of the limit.
        key: the limit as a configuration names it, "" for a rule.
        is_least: True where the limit is the least that must be there.
        needs: what the source must tell.
        covered: False where the source does not tell it, so that the control cannot speak.
        clears: of a watch: who may clear its latch.
        own: limits of one strategy or symbol; the strictest that holds wins.
        beside: other limits that it reads.
        group: the heading under which it stands.
    """

    row: str
    code: str
    name: str
    scope: str
    applies_to: tuple[OrderClass, ...]
    action: str
    limit: int | None
    source: str
    required_for: tuple[OrderClass, ...]
    phase: str
    unit: str
    key: str
    is_least: bool
    needs: tuple[Provides, ...]
    covered: bool
    clears: str
    own: tuple[OwnLimit, ...]
    beside: tuple[OwnLimit, ...]
    group: str


class Controls(msgspec.Struct, frozen=True, kw_only=True):
    """The table, and whose limits it shows: `words` is a sentence, `notes` say what a reader has to know."""

    words: str
    has_policy: bool
    allowed: tuple[str, ...]
    restricted: tuple[str, ...]
    lines: tuple[ControlLine, ...]
    notes: tuple[str, ...]


def controls_of_file(path: str) -> Controls:
    """Return the table with the limits that a configuration file gives.

    Raises:
        ConfigError: the file cannot be read.
        DataError: its source cannot be read at all.
    """
    config = load_config(path)
    return _of_config(config, words=f"The limits that {plain(config.path)} gives.", notes=())


def controls_of_home(home_option: str | None, environ: Mapping[str, str]) -> Controls:
    """Return the table with the limits of the run that lives in a home, else of its last one, else the built-in ones.

    Args:
        home_option: `--home`, None where it was not typed.
        environ: says where homes and live processes are.

    Raises:
        HomeError: several homes are live, and none is named.
        JournalError: the run's record cannot be read.
    """
    try:
        home = known_home(home_option, environ)
    except HomeError:
        if live_marks(environ):
            raise
        return _built_in("No run was ever started")
    run_id = latest_run(home)
    if not run_id:
        return _built_in(f"No run was ever started in {home}")
    return controls_of_run(home / RUNS_FOLDER / run_id, is_living=holder(home).run_id == run_id)


def controls_of_run(run_dir: Path, *, is_living: bool) -> Controls:
    """Return the table with the limits of a run as they are now, or were at its end.

    Raises:
        JournalError: its record cannot be read.
    """
    boot, _ = first_record(run_dir)
    known = {one.value for one in Provides}
    provides = frozenset(Provides(name) for name in boot.provides if name in known)
    holds = "hold in the run" if is_living else "held at the end of the run"
    notes: tuple[str, ...] = ()
    if boot.decision_version != DECISION_VERSION:
        notes = ("Another version of Interlock made this run: what is shown as `none` it did not have.",)
    return Controls(
        words=f"The limits that {holds} {plain(run_dir.name)}.",
        has_policy=boot.has_policy,
        allowed=boot.allowed,
        restricted=boot.restricted,
        lines=tuple(_lines(limits_now(run_dir), provides)),
        notes=notes,
    )


def _built_in(why: str) -> Controls:
    return _of_config(
        default_config(), words=f"{why}, so these are the limits of the built-in configuration.", notes=()
    )


def _of_config(config: SimConfig | PaperConfig, *, words: str, notes: tuple[str, ...]) -> Controls:
    mode = Mode.PAPER if isinstance(config, PaperConfig) else Mode.SIM
    rules = rules_of(config, mode, source=source_of(config, start_ns=SIM_START_NS))
    return Controls(
        words=words,
        has_policy=rules.limits.has_policy,
        allowed=tuple(sorted(rules.limits.symbols)),
        restricted=tuple(sorted(rules.limits.restricted)),
        lines=tuple(_lines(rules.limits.everywhere(), rules.provides)),
        notes=notes,
    )


def _lines(limits: Iterable[LimitInForce], provides: frozenset[Provides]) -> list[ControlLine]:
    held = tuple(limits)
    found = [
        _of_control(control, group=group, limits=held, provides=provides)
        for group, controls in GROUPS
        for control in controls
    ]
    return [*found, *(_of_watch(watch, limits=held) for watch in WATCHES)]


def _of_control(
    control: Control, *, group: str, limits: tuple[LimitInForce, ...], provides: frozenset[Provides]
) -> ControlLine:
    limit, source = _in_force(control.key, limits)
    return ControlLine(
        row=control.row,
        code=control.code.value,
        name=control.name,
        scope=control.scope,
        applies_to=_in_order(control.applies_to),
        action=control.action,
        limit=limit,
        source=source,
        required_for=_in_order(control.required_for),
        phase=PRE_TRADE,
        unit=control.unit,
        key=KEYS[control.key].written if control.key else "",
        is_least=control.is_least,
        needs=tuple(sorted(control.needs)),
        covered=control.needs <= provides,
        clears="",
        own=_own(control.key, limits),
        beside=_beside(control.code.value, limits),
        group=group,
    )


def _of_watch(watch: Watch, *, limits: tuple[LimitInForce, ...]) -> ControlLine:
    limit, source = _in_force(watch.key, limits)
    harder = watch.code.endswith("_HARD")
    return ControlLine(
        row=watch.row,
        code=watch.code,
        name=watch.name,
        scope=watch.scope,
        applies_to=(OrderClass.ENTRY,),
        action=LATCH,
        limit=-(-limit * HARD_X100 // 100) if harder and limit is not None else limit,
        source=source,
        required_for=(OrderClass.ENTRY,),
        phase=AT_TRADE,
        unit=watch.unit,
        key=KEYS[watch.key].written,
        is_least=False,
        needs=(),
        covered=True,
        clears=watch.clears,
        own=() if harder else _own(watch.key, limits),
        beside=_beside(watch.code, limits),
        group=WATCH_GROUP,
    )


def _in_order(classes: frozenset[OrderClass]) -> tuple[OrderClass, ...]:
    return tuple(one for one in OrderClass if one in classes)


def _in_force(key: str, limits: tuple[LimitInForce, ...]) -> tuple[int | None, str]:
    """Return the account's limit and where it comes from; a rule has none."""
    if not key:
        return None, "rule"
    return next(((one.value, one.source) for one in limits if one.key == key and not one.scope), (None, "none"))


def _own(key: str, limits: tuple[LimitInForce, ...]) -> tuple[OwnLimit, ...]:
    return tuple(_other(one) for one in limits if one.key == key and one.scope)


def _beside(code: str, limits: tuple[LimitInForce, ...]) -> tuple[OwnLimit, ...]:
    """Return the other limits that a line reads, in the order in which they are named."""
    keys = BESIDE.get(code, ())
    return tuple(_other(one) for key in keys for one in limits if one.key == key)


def _other(limit: LimitInForce) -> OwnLimit:
    key = KEYS[limit.key].written if limit.key in KEYS else limit.key
    return OwnLimit(key=key, scope=limit.scope, limit=limit.value, unit=limit.unit, source=limit.source)
