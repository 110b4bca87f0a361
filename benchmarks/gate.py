"""What a decision of the gate costs: every control on one intent, and intents a second in cycles of 1 to 1,000.

    uv run python benchmarks/gate.py [--intents N] [--peer] [--json]

Measured in one process, without a disk: `judge` alone on one entry that passes everything (p50 and p99), and the whole
of RISK (`judge_all`: facts, shape, decision, headroom reserved, counters folded) on 1, 10, 100 and 1,000 entries of one
cycle, each in a symbol of its own. With --peer it also runs benchmarks/gate_nautilus.py, in an environment of its own
that never touches this project's, and prints its figures beside ours with what each span holds.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from interlock.core.fees import FeePlan
from interlock.core.judging import _base, _facts, _headroom, judge_all, prove
from interlock.core.risk.engine import judge
from interlock.core.risk.limits import Limits, make_limits
from interlock.core.risk.rows import rows_for
from interlock.core.sessions import ALWAYS_OPEN
from interlock.core.state import Rules, State, nothing_carried, opening_state
from interlock.core.tape import advance_tape
from interlock.core.watching import stand
from interlock.model.market import MarketSnapshot, make_snapshot
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass, OrdType, Side, TimeInForce
from interlock.model.risk import Approved
from interlock.model.signals import OrderIntent
from interlock.model.units import MICROS_PER_DOLLAR, SECOND_NS
from interlock.shell.sources.simulated import SIM_START_NS, SimulatedSource

BATCHES = (1, 10, 100, 1_000)
SYMBOLS = max(BATCHES)
PX = 100 * MICROS_PER_DOLLAR
CASH_MICROS = 10**15
REPEATS = 7
#: Where the peer is measured: its own Python and its own packages.
PEER = ("nautilus_trader==2.0.0rc7", "3.13")


def limits(universe: tuple[str, ...]) -> Limits:
    """Return limits that every order of the benchmark is inside of; every control is still evaluated."""
    wide = {
        "max_order_qty": 10_000,
        "price_collar_bps": 300,
        "max_order_notional_micros": CASH_MICROS // 100,
        "max_position_notional_micros": CASH_MICROS // 100,
        "max_gross_notional_micros": CASH_MICROS,
        "max_strategy_capital_micros": CASH_MICROS,
        "max_capital_micros": CASH_MICROS,
        "max_order_count": 10**9,
        "max_strategy_count": 10**9,
        "max_count_minute": 10**9,
        "max_count_hour": 10**9,
        "max_count_day": 10**9,
        "max_entries_day": 10**9,
        "max_value_minute_micros": 2**53,
        "max_value_hour_micros": 2**53,
        "max_value_day_micros": 2**53,
        "max_open_orders": 10**6,
        "warm_up_quotes": 0,
    }
    return make_limits(has_policy=True, symbols=universe, written=wide, cash_micros=CASH_MICROS, bar_ns=SECOND_NS)


def market(universe: tuple[str, ...], *, seq: int) -> MarketSnapshot:
    """Return a calm market in which every symbol is quoted and has traded."""
    count = len(universe)
    as_of_ns = SIM_START_NS + seq * SECOND_NS

    def column(value: int) -> np.ndarray:
        return np.full(count, value, dtype=np.int64)

    return make_snapshot(
        seq=seq,
        as_of_ns=as_of_ns,
        trading_date="2013-10-07",
        universe=universe,
        bid_px=column(PX - 10_000),
        ask_px=column(PX),
        last_px=column(PX),
        bid_qty=column(500),
        ask_qty=column(500),
        volume=column(10_000),
        event_ns=column(as_of_ns),
        present=np.ones(count, dtype=np.bool_),
        halted=np.zeros(count, dtype=np.bool_),
    )


def ready() -> tuple[State, Rules, MarketSnapshot]:
    """Return a state that has seen a market and whose gate has proved itself."""
    universe = tuple(f"S{number:05d}" for number in range(SYMBOLS))
    source = SimulatedSource(universe=("S",), seed=1, step_ns=SECOND_NS)
    rules = Rules(
        mode=Mode.SIM,
        limits=limits(universe),
        fees=FeePlan(per_share_micros=5_000, minimum_micros=MICROS_PER_DOLLAR),
        provides=frozenset(one for one in source.provides if one not in ("previous_close", "daily_volume")),
        universe=universe,
        index={symbol: ix for ix, symbol in enumerate(universe)},
        calendar=ALWAYS_OPEN,
        strategies=("bench",),
    )
    state = opening_state(
        nothing_carried(CASH_MICROS, ()),
        start=TradingState.ACTIVE,
        universe=universe,
        limits=rules.limits,
        scanners=(),
        next_latch_no=1,
    )
    seen = market(universe, seq=1)
    state = msgspec.structs.replace(
        state, as_of_ns=seen.as_of_ns, trading_date=seen.trading_date, told_ns=seen.as_of_ns
    )
    tape = advance_tape(state.tape, seen, usable=seen.present, limits=rules.limits.in_force)
    state, _, _ = stand(msgspec.structs.replace(state, tape=tape), rules)
    state, _ = prove(state, rules, snapshot=seen, commands=())
    return state, rules, seen


def intents(rules: Rules, count: int) -> tuple[OrderIntent, ...]:
    """Return one entry in each of so many symbols."""
    return tuple(
        OrderIntent(
            intent_id=f"000001-{number:03d}",
            cause="",
            strategy_id="bench",
            symbol=rules.universe[number],
            side=Side.BUY,
            order_qty=99,
            ord_type=OrdType.LIMIT,
            limit_px=PX,
            stop_px=0,
            time_in_force=TimeInForce.DAY,
            order_class=OrderClass.ENTRY,
            because="it is measured",
        )
        for number in range(count)
    )


def spread_of(call: Callable[[], object], times: int) -> tuple[float, float]:
    """Return p50 and p99 of one call, in microseconds, garbage collection left on."""
    for _ in range(times // 10):
        call()
    taken: list[int] = []
    for _ in range(times):
        began = time.perf_counter_ns()
        call()
        taken.append(time.perf_counter_ns() - began)
    taken.sort()
    return taken[times // 2] / 1_000, taken[times * 99 // 100] / 1_000


def ours(times: int) -> dict[str, object]:
    """Measure the gate; every order must be approved, or the figures mean nothing."""
    state, rules, seen = ready()
    asked = _facts(
        _base(state, rules, _headroom(state, rules)), intents(rules, 1)[0], state=state, rules=rules, snapshot=seen
    )
    controls = len(rows_for(OrderClass.ENTRY, rules.provides))
    if not isinstance(judge(asked), Approved):
        failed = [check.code.value for check in judge(asked).decision.failed()]
        sys.exit(f"the order that is measured is blocked by {failed}")
    p50_us, p99_us = spread_of(lambda: judge(asked), times)
    per_second: dict[str, float] = {}
    for batch in BATCHES:
        wished = intents(rules, batch)
        rates: list[float] = []
        for _ in range(REPEATS):
            loops = max(1, times // (batch * REPEATS))
            gc.collect()
            began = time.perf_counter_ns()
            for _ in range(loops):
                _, answers = judge_all(state, rules, snapshot=seen, intents=wished)
            rates.append(loops * batch * 1e9 / (time.perf_counter_ns() - began))
        if not all(isinstance(answer, Approved) for answer in answers):
            sys.exit("an order of a batch was blocked, so the figures mean nothing")
        per_second[str(batch)] = round(statistics.median(rates))
    return {"controls": controls, "p50_us": p50_us, "p99_us": p99_us, "per_second": per_second}


def peer(times: int) -> dict[str, object] | None:
    """Measure the peer in an environment of its own; None, with a sentence, where it cannot be had."""
    script = Path(__file__).with_name("gate_nautilus.py")
    package, python = PEER
    words = ["uv", "run", "--no-config", "--isolated", "--no-project", "--python", python, "--with", package]
    # Where Pythons are kept by pyenv, both the one that has uv and the one that is asked for must be seen.
    environment = os.environ | {"PYENV_VERSION": os.environ.get("PYENV_VERSION", "3.13.0:3.11.7")}
    done = subprocess.run(
        [*words, "python", str(script), "--intents", str(times), "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode:
        print(f"The peer could not be measured: {done.stderr.strip().splitlines()[-1:]}")
        return None
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--intents", type=int, default=20_000, help="how many decisions are measured")
    parser.add_argument("--peer", action="store_true", help="also measure NautilusTrader's order path")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    found: dict[str, object] = {"interlock": ours(asked.intents)}
    if asked.peer:
        found["nautilus"] = peer(1_000)
    if asked.json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        if isinstance(figures, dict):
            print(f"{name}: {json.dumps(figures)}")


if __name__ == "__main__":
    main()
