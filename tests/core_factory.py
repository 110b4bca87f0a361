"""Small values to test the core with: snapshots, rules, states, facts and strategies; by default everything passes."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
from tests.journal_factory import MONDAY, OPENING_MICROS, START_NS
from tests.limits_factory import SYMBOLS, limits

from interlock.core.blotter import EMPTY, Blotter
from interlock.core.fees import FeePlan
from interlock.core.portfolio import Portfolio, opened
from interlock.core.risk.engine import judge
from interlock.core.risk.facts import Facts
from interlock.core.risk.headroom import Headroom, make_headroom
from interlock.core.risk.limits import Limits
from interlock.core.scan import Scanner
from interlock.core.sessions import ALWAYS_OPEN, place_of
from interlock.core.state import Rules, State, nothing_carried, opening_state
from interlock.core.step import Gathered, Stepped, step
from interlock.core.strategy import Strategy, View
from interlock.core.tape import SymbolTape
from interlock.model.conduct import Conduct, Counters
from interlock.model.journal import Command, HostTrip
from interlock.model.market import DataFault, MarketSnapshot, Provides, Quote, SymbolReference, make_snapshot
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import (
    ExecReport,
    ExecType,
    Order,
    OrderClass,
    OrdStatus,
    OrdType,
    Position,
    Side,
    TimeInForce,
)
from interlock.model.risk import Approved, Latch
from interlock.model.signals import OrderIntent, Proposal, Wish
from interlock.model.units import SECOND_NS

BID_PX, ASK_PX, MID_PX = 99_990_000, 100_010_000, 100_000_000
#: What the snapshots of these tests tell: everything but what a day knows beforehand.
COVERED = frozenset(Provides) - {Provides.PREVIOUS_CLOSE, Provides.DAILY_VOLUME, Provides.BANDS}
FEES = FeePlan(per_share_micros=5_000, minimum_micros=1_000_000)


def quote(symbol: str = "SPY", **changes: object) -> Quote:
    """Return a fresh quote at $99.99 / $100.01 with 500 shares on each side."""
    sound = Quote(
        symbol=symbol,
        present=True,
        halted=False,
        bid_px=BID_PX,
        ask_px=ASK_PX,
        last_px=MID_PX,
        bid_qty=500,
        ask_qty=500,
        volume=1_000,
        event_ns=START_NS,
    )
    return msgspec.structs.replace(sound, **changes)


def snapshot(
    seq: int = 1,
    *quotes: Quote,
    trading_date: str = MONDAY,
    faults: tuple[DataFault, ...] = (),
    as_of_ns: int | None = None,
) -> MarketSnapshot:
    """Return snapshot `seq`, one second after the one before; each quote is new unless quotes are given."""
    at_ns = START_NS + seq * SECOND_NS if as_of_ns is None else as_of_ns
    row = quotes or tuple(quote(symbol, event_ns=at_ns) for symbol in SYMBOLS)

    def column(name: str) -> np.ndarray:
        return np.array([getattr(each, name) for each in row])

    return make_snapshot(
        seq=seq,
        as_of_ns=at_ns,
        trading_date=trading_date,
        universe=tuple(each.symbol for each in row),
        bid_px=column("bid_px"),
        ask_px=column("ask_px"),
        last_px=column("last_px"),
        bid_qty=column("bid_qty"),
        ask_qty=column("ask_qty"),
        volume=column("volume"),
        event_ns=column("event_ns"),
        present=column("present"),
        halted=column("halted"),
        faults=faults,
    )


def wish(symbol: str = "SPY", **changes: object) -> Wish:
    """Return a wish to buy 10 shares at the ask."""
    sound = Wish(
        symbol=symbol,
        side=Side.BUY,
        order_qty=10,
        ord_type=OrdType.LIMIT,
        limit_px=ASK_PX,
        stop_px=0,
        time_in_force=TimeInForce.DAY,
        order_class=OrderClass.ENTRY,
        because="it is a test",
    )
    return msgspec.structs.replace(sound, **changes)


def leaving(symbol: str = "SPY", **changes: object) -> Wish:
    """Return a wish to sell 10 held shares at the bid."""
    sold = {"side": Side.SELL, "limit_px": BID_PX, "order_class": OrderClass.EXIT, "time_in_force": TimeInForce.IOC}
    return wish(symbol, **{**sold, **changes})


def intent(wished: Wish | None = None, **changes: object) -> OrderIntent:
    """Return the intent that a wish of the strategy `cross` becomes."""
    fields = msgspec.structs.asdict(wished or wish())
    named = OrderIntent(intent_id="000001-001", cause="", strategy_id="cross", **fields)
    return msgspec.structs.replace(named, **changes)


def headroom(
    *,
    held: dict[tuple[str, str], int] | None = None,
    orders: tuple[Order, ...] = (),
    price_of: Callable[[str], int] = lambda _: MID_PX,
    groups: dict[str, str] | None = None,
    **changes: object,
) -> Headroom:
    """Return the headroom of an account of $100,000 that holds nothing, but for shares by (strategy, symbol)."""
    positions = {
        (who, symbol): Position(strategy_id=who, symbol=symbol, qty=qty, cost_micros=0, realized_micros=0)
        for (who, symbol), qty in (held or {}).items()
    }
    made = make_headroom(
        portfolio=Portfolio(account=opened(OPENING_MICROS).account, positions=positions),
        blotter=blotter(*orders),
        fees=FEES,
        price_of=price_of,
        groups=groups or {},
        unanswered_before_ns=0,
    )
    return msgspec.structs.replace(made, **changes)


def holding(qty: int, *, strategy_id: str = "cross", symbol: str = "SPY") -> Headroom:
    """Return the headroom of an account in which one strategy holds one symbol."""
    return headroom(held={(strategy_id, symbol): qty})


def facts(**changes: object) -> Facts:
    """Return facts about an entry that every control lets pass; `limits` may be a whole policy."""
    policy = changes.pop("limits", None) or limits()
    assert isinstance(policy, Limits)
    wished = changes.get("intent", intent())
    assert isinstance(wished, OrderIntent)
    changes.setdefault("policy", policy)
    changes.setdefault("limits", policy.of(strategy_id=wished.strategy_id, symbol=wished.symbol))
    sound = Facts(
        intent=intent(),
        mode=Mode.SIM,
        state=TradingState.ACTIVE,
        latches=(),
        known=True,
        quote=quote(),
        reference=SymbolReference(close_px=MID_PX, adv_qty=1_000_000, band_low_px=MID_PX // 2, band_high_px=MID_PX * 2),
        tape=SymbolTape(confirmed_px=MID_PX, is_confirmed=True, quotes=100, volume=100_000),
        feed_ns=START_NS,
        feed_faults=0,
        as_of_ns=START_NS,
        place=place_of(ALWAYS_OPEN, START_NS),
        exchange="24/7",
        provides=frozenset(Provides),
        limits=policy.in_force,
        policy=policy,
        headroom=headroom(),
        counters=Counters(),
        conduct=Conduct(),
        fees=FEES,
        equity_micros=OPENING_MICROS,
        position_age_ns=0,
        proved_ns_ago=0,
        leave=None,
    )
    return msgspec.structs.replace(sound, **changes)


def exit_facts(**changes: object) -> Facts:
    """Return facts about an exit of all 10 shares that are held, which every control lets pass."""
    return facts(**{"intent": intent(leaving()), "headroom": holding(10), **changes})


def approved(intent_id: str = "000001-001", *, mode: Mode = Mode.SIM, **changes: object) -> Approved:
    """Return an approval, which only the gate can give; `changes` are those of the wish."""
    answer = judge(facts(intent=intent(wish(**changes), intent_id=intent_id), mode=mode))  # type: ignore[arg-type]
    assert isinstance(answer, Approved)
    return answer


def order(cl_ord_id: str = "000001-001", **changes: object) -> Order:
    """Return an order to buy 10 SPY that works at the gateway, nothing of it filled."""
    working = Order(
        cl_ord_id=cl_ord_id,
        order_id=f"PAPER-{cl_ord_id}",
        strategy_id="cross",
        symbol="SPY",
        side=Side.BUY,
        order_class=OrderClass.ENTRY,
        ord_type=OrdType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_px=ASK_PX,
        stop_px=0,
        order_qty=10,
        cum_qty=0,
        cost_micros=0,
        fee_micros=0,
        ord_status=OrdStatus.NEW,
        cancel_pending=False,
        replace_pending=False,
        in_doubt=False,
        approved_ns=START_NS,
        trading_date=MONDAY,
        exec_ids=(),
    )
    return msgspec.structs.replace(working, **changes)


def blotter(*orders: Order) -> Blotter:
    """Return a blotter of these orders."""
    held = EMPTY
    for each in orders:
        held = held.put(each)
    return held


def report(exec_type: ExecType, *, cl_ord_id: str = "000001-001", **changes: object) -> ExecReport:
    """Return a gateway's word on an order."""
    bare = ExecReport(
        exec_id=f"e-{exec_type}",
        cl_ord_id=cl_ord_id,
        order_id=f"PAPER-{cl_ord_id}",
        exec_type=exec_type,
        last_qty=0,
        last_px=0,
        cum_qty=0,
        leaves_qty=0,
        fee_micros=0,
        event_ns=START_NS,
        text="so it is",
    )
    return msgspec.structs.replace(bare, **changes)


def fill(qty: int, *, cum: int, px: int = ASK_PX, exec_id: str = "", **changes: object) -> ExecReport:
    """Return the report of a fill that makes `cum` shares filled."""
    name = exec_id or f"fill-{cum}"
    return report(ExecType.TRADE, exec_id=name, last_qty=qty, last_px=px, cum_qty=cum, **changes)  # type: ignore[arg-type]


def latch(latch_id: str = "L1", *, scope: str = "account", code: str = "HUMAN_HALT") -> Latch:
    """Return a latch that halts its scope."""
    return Latch(
        latch_id=latch_id,
        scope=scope,
        code=code,
        level=TradingState.HALTED,
        text="it tripped",
        raised_by="interlock",
        at_ns=START_NS,
    )


def rules(*, mode: Mode = Mode.SIM, in_force: Limits | None = None) -> Rules:
    """Return the rules of a run on three symbols."""
    return Rules(
        mode=mode,
        limits=in_force or limits(),
        fees=FEES,
        provides=COVERED,
        universe=SYMBOLS,
        index={symbol: ix for ix, symbol in enumerate(SYMBOLS)},
        calendar=ALWAYS_OPEN,
        strategies=("cross",),
    )


def state(  # noqa: PLR0913 - what a run starts from
    *,
    start: TradingState = TradingState.ACTIVE,
    orders: tuple[Order, ...] = (),
    latches: tuple[Latch, ...] = (),
    held: dict[str, int] | None = None,
    scanners: tuple[Scanner, ...] = (),
    in_force: Limits | None = None,
) -> State:
    """Return the state before the first cycle; `held` says what the strategy `cross` holds."""
    fresh = nothing_carried(OPENING_MICROS, latches)
    positions = tuple(
        Position(strategy_id="cross", symbol=symbol, qty=qty, cost_micros=qty * MID_PX, realized_micros=0)
        for symbol, qty in (held or {}).items()
    )
    carried = msgspec.structs.replace(fresh, positions=positions, orders=orders)
    return opening_state(
        carried,
        start=start,
        universe=SYMBOLS,
        limits=in_force or limits(),
        scanners=scanners,
        next_latch_no=len(latches) + 1,
    )


class Says:
    """A strategy that answers what it was told to."""

    def __init__(self, *wishes: Wish) -> None:
        self._wishes = wishes

    def propose(self, view: View) -> Proposal:
        """Return the wishes."""
        del view
        return Proposal(wishes=self._wishes, because="it was told to")


class Does:
    """A strategy whose answer is whatever a function makes of its view."""

    def __init__(self, function: Callable[[View], object]) -> None:
        self._function = function

    def propose(self, view: View) -> Proposal:
        """Return what the function returns, which may be no proposal at all."""
        return self._function(view)  # type: ignore[return-value]


def command(kind: str, *, latch_id: str = "", state_no: int = 0, reason: str = "lunch", **about: object) -> Command:
    """Return what a person asked; `about` and `new_value` are those of an allow and a tighten."""
    bare = Command(kind=kind, by="human:ann", via="a test", reason=reason, latch_id=latch_id, state_no=state_no)
    return msgspec.structs.replace(bare, **about)


def gathered(
    market: MarketSnapshot | None = None,
    *,
    reports: tuple[ExecReport, ...] = (),
    commands: tuple[Command, ...] = (),
    trips: tuple[HostTrip, ...] = (),
) -> Gathered:
    """Return what one cycle was given."""
    return Gathered(snapshot=market, reports=reports, commands=commands, trips=trips)


def stepped(  # noqa: PLR0913 - all that one cycle is given
    before: State,
    *wishes: Wish,
    market: MarketSnapshot | None = None,
    strategies: dict[str, Strategy] | None = None,
    judged_by: Rules | None = None,
    reports: tuple[ExecReport, ...] = (),
    commands: tuple[Command, ...] = (),
    trips: tuple[HostTrip, ...] = (),
) -> Stepped:
    """Live one cycle in which the strategy `cross` has these wishes; without a market the next second's."""
    seen = market or snapshot(before.cycle + 1)
    asked = {"cross": Says(*wishes)} if strategies is None else strategies
    inputs = gathered(seen, reports=reports, commands=commands, trips=trips)
    return step(before, rules=judged_by or rules(), strategies=asked, gathered=inputs)
