"""States in which one watch reads one number, for every watch of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
import numpy as np
from tests.core_factory import MID_PX, SYMBOLS, limits, state
from tests.journal_factory import MONDAY, OPENING_MICROS, START_NS

from interlock.core.conduct import HOUR_NS
from interlock.core.risk.limits import Limits
from interlock.core.state import State
from interlock.core.watch import WATCHES, Watch
from interlock.model.conduct import Conduct, Counters, Standing, Window
from interlock.model.orders import Position

LIMIT = 20
#: 1.25 times the limit: where the harder latch of a loss stands.
HARD_LIMIT = 25
BY_CODE: Mapping[str, Watch] = MappingProxyType({watch.code: watch for watch in WATCHES})
#: The scope of each kind of watch in these states.
SCOPES: Mapping[str, str] = MappingProxyType(
    {"account": "account", "strategy": "strategy:cross", "symbol": "symbol:SPY"}
)
#: One basis point of what was paid into the account.
BPS_MICROS = OPENING_MICROS // 10_000


def standing(scope: str, loss_micros: int, *, peak_micros: int = 0) -> Standing:
    """Return a standing that lost so much on its trading date."""
    return Standing(scope=scope, profit_micros=-loss_micros, opening_micros=0, peak_micros=peak_micros)


def threshold(watch: Watch) -> int:
    """Return the number with which a watch compares where its limit is `LIMIT`."""
    return HARD_LIMIT if watch.code.endswith("_HARD") else LIMIT


def is_tripped_by(watch: Watch, observed: int) -> bool:
    """Return whether a watch is to trip at this reading, as its line says."""
    return observed > threshold(watch) or (watch.trips_at and observed == threshold(watch))


def quiet(in_force: Limits | None = None) -> State:
    """Return a state in which nothing trips: two strategies that did nothing, of which `cross` holds 10 shares."""
    bare = state(held={"SPY": 10}, in_force=in_force)
    scopes = ("account", "strategy:cross", "strategy:other")
    held = msgspec.structs.replace(bare.tape, confirmed_px=np.array([MID_PX] * len(SYMBOLS), dtype=np.int64))
    return msgspec.structs.replace(
        bare,
        as_of_ns=START_NS,
        trading_date=MONDAY,
        counters=Counters(trading_date=MONDAY, strategies={"cross": Conduct(), "other": Conduct()}),
        standings={scope: standing(scope, 0) for scope in scopes},
        tape=held,
    )


def limited(watch: Watch, *, value: int | None = LIMIT, own: int | None = None) -> Limits:
    """Return generous limits but for that of one watch, for the account or for its strategy alone."""
    mine = {("strategy:cross", watch.key): own} if own is not None else None
    written = {"order_to_trade_messages": 1} if watch.code == "ORDER_TO_TRADE" else {}
    return limits(own=mine, **{**written, watch.key: value})


def reads(watch: Watch, observed: int, *, in_force: Limits | None = None) -> State:
    """Return a state in which a watch reads `observed` in its own scope, and nothing in any other."""
    return _MAKERS[watch.code](quiet(in_force or limited(watch)), observed)


def _lost(scope: str, unit_micros: int) -> Callable[[State, int], State]:
    def made(before: State, observed: int) -> State:
        lost = standing(scope, observed * unit_micros)
        return msgspec.structs.replace(before, standings={**before.standings, scope: lost})

    return made


def _did(conduct: Callable[[int], Conduct]) -> Callable[[State, int], State]:
    def made(before: State, observed: int) -> State:
        strategies = {**before.counters.strategies, "cross": conduct(observed)}
        counters = msgspec.structs.replace(before.counters, strategies=strategies)
        return msgspec.structs.replace(before, counters=counters)

    return made


def _marked(column: str) -> Callable[[State, int], State]:
    def made(before: State, observed: int) -> State:
        flags = np.array([symbol == "SPY" and observed > LIMIT for symbol in SYMBOLS])
        return msgspec.structs.replace(before, tape=msgspec.structs.replace(before.tape, **{column: flags}))

    return made


def _holds(unit_micros: int) -> Callable[[State, int], State]:
    """Return a state in which one share is held at so many units of money."""

    def made(before: State, observed: int) -> State:
        share = Position(strategy_id="cross", symbol="SPY", qty=1, cost_micros=0, realized_micros=0)
        portfolio = msgspec.structs.replace(before.portfolio, positions={("cross", "SPY"): share})
        px = np.array([observed * unit_micros, 0, 0], dtype=np.int64)
        tape = msgspec.structs.replace(before.tape, confirmed_px=px)
        return msgspec.structs.replace(before, portfolio=portfolio, tape=tape)

    return made


def _broken(before: State, observed: int) -> State:
    return msgspec.structs.replace(before, tape=msgspec.structs.replace(before.tape, faults=((START_NS, observed),)))


def _tried(observed: int) -> Conduct:
    bucket = START_NS // (HOUR_NS // 60)
    return Conduct(hour=Window(((bucket, 0, observed),), 0, observed))


_MAKERS: Mapping[str, Callable[[State, int], State]] = MappingProxyType(
    {
        "DAILY_LOSS": _lost("account", 1),
        "DAILY_LOSS_HARD": _lost("account", 1),
        "DRAWDOWN": _lost("account", BPS_MICROS),
        "DRAWDOWN_HARD": _lost("account", BPS_MICROS),
        "STRATEGY_LOSS": _lost("strategy:cross", 1),
        "STRATEGY_LOSS_HARD": _lost("strategy:cross", 1),
        "STRATEGY_DRAWDOWN": _lost("strategy:cross", BPS_MICROS),
        "STRATEGY_DRAWDOWN_HARD": _lost("strategy:cross", BPS_MICROS),
        "GROSS_EXPOSURE": _holds(1),
        "LEVERAGE": _holds(OPENING_MICROS // 100),
        "FEED_BROKEN": _broken,
        "RUNAWAY": _did(_tried),
        "THROTTLED": _did(lambda observed: Conduct(throttled=(START_NS,) * observed)),
        "REENTRIES": _did(lambda observed: Conduct(reentries=(("IBM", 1), ("SPY", observed)))),
        "REPEATED_ORDER": _did(lambda observed: Conduct(repeats=(("BUY 10 SPY", (START_NS,) * observed),))),
        "ORDER_TO_TRADE": _did(lambda observed: Conduct(messages_day=observed)),
        "REJECTS_IN_ROW": _did(lambda observed: Conduct(rejects_in_row=observed)),
        "REJECT_STORM": _did(lambda observed: Conduct(rejects=(START_NS,) * observed)),
        "SLIPPAGE": _did(lambda observed: Conduct(slipped_in_row=observed)),
        "VOLATILITY_HALT": _marked("halted_by_move"),
        "SPLIT_SUSPECTED": _marked("split"),
    }
)
