r"""How long NautilusTrader takes to bring a limit order through its risk engine to its simulated exchange.

    uv run --no-config --isolated --no-project --python 3.13 --with nautilus_trader==2.0.0rc7 \
        python benchmarks/gate_nautilus.py [--intents N] [--repetitions N] [--json]

It stands alone: an environment of its own (`--no-config`: nor does uv read this repository's settings), and nothing of
Interlock's is imported. The risk engine of 2.0.0rc7 is Rust and cannot be called from Python (`nautilus_trader.risk`
offers its configuration and position sizers only; the Cython `nautilus_trader.risk.engine` is gone), so a
`BacktestEngine` runs it, and a strategy submits 1, 10, 100 or 1,000 orders in one `on_quote`. The next quote cancels
them, so that no order is open when a batch begins.

What a span holds is the text of `SPAN`. `submit_order` alone would be no measure: it writes the order to the cache
and queues a command, and the risk engine runs when `on_quote` has returned. The nearest sign that Python sees after
the exchange has the orders is the first `on_order_submitted` of the batch: the engine brings every queued command to
the exchange's queue before it sends out the first of these events (`drain_command_queues`, crates/backtest/src/
engine.rs; `submit_order`, crates/backtest/src/execution_client.rs), and each run first shows that the last order of
1,000 has been checked by then. Printed beside it, but not in the JSON: the same span with the risk engine bypassed (the
difference is its checks and its throttler), and the longer span to the last order accepted.

The checks on a limit order in an active state, in order, read from crates/risk/src/engine/mod.rs in the source
archive of 2.0.0rc7 (`handle_submit_order` and what it calls; the names are the reasons for a denial):

- the order is in the cache; a reduce-only order with a position id: POSITION_NOT_FOUND and
  REDUCE_ONLY_WOULD_INCREASE_POSITION
- INSTRUMENT_NOT_FOUND
- price and trigger price: PRICE_PRECISION_EXCEEDS_MAXIMUM, PRICE_NOT_POSITIVE
- quantity: QUANTITY_PRECISION_EXCEEDS_MAXIMUM, QUANTITY_EXCEEDS_MAXIMUM, QUANTITY_BELOW_MINIMUM (the instrument's)
- a GTD order: MISSING_EXPIRE_TIME, EXPIRE_TIME_IN_PAST
- INVALID_MAX_NOTIONAL_PER_ORDER, and an account that must be known (VALIDATION_FAILED)
- notional: NOTIONAL_EXCEEDS_MAX_PER_ORDER (configured), NOTIONAL_BELOW_MINIMUM, NOTIONAL_EXCEEDS_MAXIMUM (the
  instrument's)
- a cash account: NOTIONAL_EXCEEDS_FREE_BALANCE, CUMULATIVE_NOTIONAL_EXCEEDS_FREE_BALANCE; a margin account: the two
  like them for initial margin. Free is what is left after the reservations of orders that were approved and not yet
  opened; they are walked for each order, so that a batch of 1,000 pays more an order than one of 10
- TRADING_HALTED, TRADING_STATE_REDUCING
- RATE_LIMIT_EXCEEDED (max_order_submit_rate)

The orders here meet those of a cash account whose instrument has a maximum and a minimum quantity. It has no age of
quotes, collar, position or gross limit, loss limit, or search for duplicates: a comparison must say so. The execution
engine then refuses an order that it has sent before (crates/execution/src/engine/mod.rs); that is in the span too.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from dataclasses import dataclass, replace
from importlib.metadata import version

from nautilus_trader.backtest import BacktestEngine, BacktestEngineConfig
from nautilus_trader.common import LoggerConfig
from nautilus_trader.execution import FixedFeeModel
from nautilus_trader.model import (
    AccountType,
    Currency,
    Equity,
    InstrumentId,
    Money,
    OmsType,
    OrderAccepted,
    OrderDenied,
    OrderSide,
    OrderSubmitted,
    Price,
    Quantity,
    QuoteTick,
    StrategyId,
    Symbol,
    TraderId,
    Venue,
)
from nautilus_trader.risk import RiskEngineConfig
from nautilus_trader.trading import Strategy, StrategyConfig

SIZES = (1, 10, 100, 1_000)
SECOND_NS = 10**9
SYMBOL = "ACME.SIM"
QTY = 100
LIMIT_PX = "99.00"  # under the bid, so that the order rests
NOTIONAL_USD = 9_900
CAP_USD = 10_000
SUBMIT_RATE = "1000000/00:00:01"
SPAN = (
    "from before the first Strategy.submit_order of a batch (Python) to the batch's first on_order_submitted (Python). "
    "It includes, for every order: submit_order's crossing into Rust, the order written to the cache, its "
    "OrderInitialized published, the command queues of the message bus, the RiskEngine's checks and throttler, the "
    "ExecutionEngine, the backtest execution client, and the simulated exchange's queue; and once a batch: the return "
    "from on_quote, and one OrderSubmitted event, applied, published and brought back to Python. It does not include "
    "the order factory (the orders are made before), matching, acceptance, or any log (bypassed)"
)


@dataclass(frozen=True)
class Seen:
    """What one run of an engine showed: nanoseconds a batch, and what became of its orders."""

    queued_ns: tuple[int, ...]
    accepted_ns: tuple[int, ...]
    accepted: int
    denied: tuple[str, ...]
    denied_late: int  # how many were denied after the clock had been stopped


class Batches(Strategy):
    """Submits a batch of limit orders on a quote, cancels what rests on the next, and so on."""

    def __init__(self, quantities: tuple[int, ...]) -> None:
        super().__init__(StrategyConfig(strategy_id=StrategyId.from_str("BENCH-001")))
        self.quantities = quantities
        self.size = len(quantities)
        self.instrument_id = InstrumentId.from_str(SYMBOL)
        self.is_to_cancel = False
        self.began_ns = 0
        self.resting = 0
        self.queued_ns: list[int] = []
        self.accepted_ns: list[int] = []
        self.accepted = 0
        self.denied: list[str] = []
        self.denied_late = 0
        self.left_open = 0

    def on_start(self) -> None:
        """Ask for quotes."""
        self.subscribe_quotes(self.instrument_id)

    def on_quote(self, _quote: QuoteTick) -> None:
        """Submit a batch, with the clock on, or cancel the last one."""
        if self.is_to_cancel:
            self.cancel_all_orders(self.instrument_id)
            self.is_to_cancel = False
            return
        self.is_to_cancel = True
        self.left_open += self.cache.orders_open_count()
        limit_px = Price.from_str(LIMIT_PX)
        make = self.order_factory.limit
        orders = [make(self.instrument_id, OrderSide.BUY, Quantity.from_int(qty), limit_px) for qty in self.quantities]
        self.resting = 0
        submit_order = self.submit_order
        self.began_ns = time.perf_counter_ns()
        for order in orders:
            submit_order(order)

    def on_order_submitted(self, _event: OrderSubmitted) -> None:
        """Stop the clock at the first of a batch: all of it is in the exchange's queue."""
        ended_ns = time.perf_counter_ns()
        if len(self.queued_ns) == len(self.accepted_ns):
            self.queued_ns.append(ended_ns - self.began_ns)

    def on_order_accepted(self, _event: OrderAccepted) -> None:
        """Count it, and read the clock at the last of a batch."""
        ended_ns = time.perf_counter_ns()
        self.accepted += 1
        self.resting += 1
        if self.resting == self.size:
            self.accepted_ns.append(ended_ns - self.began_ns)

    def on_order_denied(self, event: OrderDenied) -> None:
        """Keep the reason."""
        self.denied.append(event.reason)
        self.denied_late += bool(self.queued_ns)


def make_engine(*, cap_usd: int, bypass: bool) -> BacktestEngine:
    """Return an engine with one cash account, one equity, and the risk engine on (or bypassed, to be subtracted)."""
    usd = Currency.from_str("USD")
    risk_engine = RiskEngineConfig(
        bypass=bypass, max_order_submit_rate=SUBMIT_RATE, max_notional_per_order={SYMBOL: str(cap_usd)}
    )
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId.from_str("BENCH-001"),
            bypass_logging=True,
            logging=LoggerConfig(bypass_logging=True),
            run_analysis=False,
            risk_engine=risk_engine,
        )
    )
    engine.add_venue(
        Venue("SIM"),
        OmsType.NETTING,
        AccountType.CASH,
        [Money.from_str("1000000000.00 USD")],
        base_currency=usd,
        fee_model=FixedFeeModel(Money.from_str("0.00 USD")),
    )
    engine.add_instrument(
        Equity(
            instrument_id=InstrumentId.from_str(SYMBOL),
            raw_symbol=Symbol("ACME"),
            currency=usd,
            price_precision=2,
            price_increment=Price.from_str("0.01"),
            ts_event=0,
            ts_init=0,
            lot_size=Quantity.from_int(1),
            max_quantity=Quantity.from_int(1_000),
            min_quantity=Quantity.from_int(1),
        )
    )
    return engine


def make_quotes(count: int) -> list[QuoteTick]:
    """Return quotes a second apart, all of the same prices, above the orders' limit."""
    instrument_id = InstrumentId.from_str(SYMBOL)
    bid_px, ask_px, qty = Price.from_str("100.00"), Price.from_str("100.02"), Quantity.from_int(1_000)
    times = (second * SECOND_NS for second in range(1, count + 1))
    return [QuoteTick(instrument_id, bid_px, ask_px, qty, qty, at_ns, at_ns) for at_ns in times]


def run_once(*, size: int, batches: int, cap_usd: int = CAP_USD, bypass: bool = False, last_qty: int = QTY) -> Seen:
    """Run one engine over so many batches of one size."""
    engine = make_engine(cap_usd=cap_usd, bypass=bypass)
    strategy = Batches((QTY,) * (size - 1) + (last_qty,))
    engine.add_strategy(strategy)
    engine.add_data(make_quotes(2 * batches))
    engine.run()
    engine.dispose()
    if strategy.left_open:
        raise SystemExit(f"{strategy.left_open} orders were still open when the next batch began: no fair measure")
    return Seen(
        queued_ns=tuple(strategy.queued_ns),
        accepted_ns=tuple(strategy.accepted_ns),
        accepted=strategy.accepted,
        denied=tuple(strategy.denied),
        denied_late=strategy.denied_late,
    )


def measure(*, size: int, intents: int, bypass: bool) -> Seen:
    """Run warm-up batches and measured ones; return the measured spans, and the counts of all orders.

    Raises:
        SystemExit: An order was denied or not accepted, or a batch has no span.
    """
    warm = max(2, 200 // size)
    batches = warm + max(5, intents // size)
    seen = run_once(size=size, batches=batches, bypass=bypass)
    if seen.denied or seen.accepted != size * batches:
        raise SystemExit(f"{seen.accepted} of {size * batches} orders were accepted; denied: {seen.denied[:3]}")
    if len(seen.queued_ns) != batches or len(seen.accepted_ns) != batches:
        raise SystemExit(f"{len(seen.queued_ns)} spans were seen for {batches} batches of {size}")
    return replace(seen, queued_ns=seen.queued_ns[warm:], accepted_ns=seen.accepted_ns[warm:])


def check_that_it_checks() -> None:
    """Show that an order at the cap is accepted, one past it is denied, and the last of 1,000 is so within the span.

    Raises:
        SystemExit: The risk engine said otherwise, so the figures would be of a path that checks nothing.
    """
    at_cap = run_once(size=1, batches=1, cap_usd=NOTIONAL_USD)
    past_cap = run_once(size=1, batches=1, cap_usd=NOTIONAL_USD - 1)
    is_denied = len(past_cap.denied) == 1 and past_cap.denied[0].startswith("NOTIONAL_EXCEEDS_MAX_PER_ORDER")
    if at_cap.accepted != 1 or at_cap.denied or past_cap.accepted or not is_denied:
        raise SystemExit(f"the risk engine did not check the notional: {at_cap}, {past_cap}")
    last = run_once(size=1_000, batches=1, last_qty=2 * QTY)
    if last.accepted != 999 or len(last.denied) != 1 or last.denied_late:
        raise SystemExit("the clock stopped before the risk engine had seen the last order of 1,000: no measure")


def percentile_us(spans_ns: tuple[int, ...], percent: int) -> float:
    """Return the span, in microseconds, that so many in a hundred do not exceed."""
    return sorted(spans_ns)[math.ceil(len(spans_ns) * percent / 100) - 1] / 1e3


def per_second(size: int, spans_ns: tuple[int, ...]) -> float:
    """Return orders a second over all the batches of a run."""
    return size * len(spans_ns) * 1e9 / sum(spans_ns)


def print_words(runs: dict[int, list[Seen]], bypassed: dict[int, list[Seen]]) -> None:
    """Print the figures of all spans, and what they include."""
    print(f"span: {SPAN}")
    for name, those in (("checked", runs), ("risk engine bypassed", bypassed)):
        p50, p99 = (statistics.median(percentile_us(seen.queued_ns, at) for seen in those[1]) for at in (50, 99))
        print(f"one order, {name}: p50 {p50:.1f} us, p99 {p99:.1f} us")
    print(f"{'batch':>6} {'orders/s':>9} {'bypassed':>9} {'risk us/order':>13} {'to accepted/s':>13}")
    for size in SIZES:
        checked = statistics.median(per_second(size, seen.queued_ns) for seen in runs[size])
        free = statistics.median(per_second(size, seen.queued_ns) for seen in bypassed[size])
        longer = statistics.median(per_second(size, seen.accepted_ns) for seen in runs[size])
        print(f"{size:6,} {checked:9,.0f} {free:9,.0f} {1e6 / checked - 1e6 / free:13.2f} {longer:13,.0f}")


def main() -> None:
    """Measure, and print words or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--intents", type=int, default=1_000, help="orders a repetition, for each size of batch")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    check_that_it_checks()
    runs: dict[int, list[Seen]] = {size: [] for size in SIZES}
    bypassed: dict[int, list[Seen]] = {size: [] for size in SIZES}
    for _ in range(chosen.repetitions):
        for size in SIZES:
            runs[size].append(measure(size=size, intents=chosen.intents, bypass=False))
            if not chosen.json:
                bypassed[size].append(measure(size=size, intents=chosen.intents, bypass=True))
    every = [seen for size in SIZES for seen in runs[size]]
    accepted, denied = sum(seen.accepted for seen in every), sum(len(seen.denied) for seen in every)
    found = version("nautilus_trader")
    if not chosen.json:
        print(f"nautilus_trader {found}: {accepted:,} orders accepted, {denied} denied (warm-up and all)")
        print_words(runs, bypassed)
        return
    answer: dict[str, object] = {"version": found, "span": SPAN}
    for name, at in (("p50_us", 50), ("p99_us", 99)):
        answer[name] = round(statistics.median(percentile_us(seen.queued_ns, at) for seen in runs[1]), 2)
    answer["per_second"] = {
        str(size): round(statistics.median(per_second(size, seen.queued_ns) for seen in runs[size])) for size in SIZES
    }
    print(json.dumps({**answer, "denied": denied, "accepted": accepted}))


if __name__ == "__main__":
    main()
