"""A market, a pretend venue and one loop, to live the field's disasters with: nothing here knows how the gate works."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

import msgspec
from tests.core_factory import FEES, SYMBOLS, Does, command, quote, report, rules, snapshot, stepped, wish
from tests.journal_factory import MONDAY, OPENING_MICROS, START_NS

from interlock.config_risk import RiskConfig
from interlock.core.risk.limits import Limits
from interlock.core.state import State, nothing_carried, opening_state
from interlock.core.step import Stepped
from interlock.core.strategy import Strategy, View
from interlock.model.journal import Command
from interlock.model.market import MarketSnapshot, Quote
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import ExecReport, ExecType
from interlock.model.risk import Approved, ReasonCode
from interlock.model.signals import OrderIntent, Proposal, Wish
from interlock.model.units import SECOND_NS
from interlock.policy import limits_for
from interlock.shell.paper import PaperGateway

DOLLAR = 10**6
CENT_PX = 10_000
#: The profile `paper` on an account of $100,000, and every default of the table: nothing is written for the test.
FIELD = limits_for(RiskConfig(profile="paper", symbols=SYMBOLS), cash_micros=OPENING_MICROS, bar_ns=0)
#: So many quiet seconds warm the symbols up before anybody wishes.
WARM_S = 12


class Venue(Protocol):
    """What a disaster happens at."""

    def observe(self, market: MarketSnapshot, /) -> None:
        """See the market."""
        ...

    def drain(self) -> tuple[ExecReport, ...]:
        """Return what was reported."""
        ...

    def submit(self, approved: Approved, /) -> None:
        """Take an order."""
        ...

    def cancel(self, cl_ord_id: str, /) -> None:
        """Take a cancel."""
        ...


class Rejects:
    """A venue that rejects orders, all but every n-th."""

    def __init__(self, *, takes_every: int = 0) -> None:
        self._takes_every = takes_every
        self._seen = 0
        self._said: list[ExecReport] = []
        self._now_ns = 0

    def observe(self, market: MarketSnapshot) -> None:
        """Take over the time."""
        self._now_ns = market.as_of_ns

    def drain(self) -> tuple[ExecReport, ...]:
        """Return what was said since the last call."""
        said, self._said = tuple(self._said), []
        return said

    def submit(self, approved: Approved) -> None:
        """Reject it, or take it and let it expire."""
        self._seen += 1
        takes = self._takes_every > 0 and self._seen % self._takes_every == 0
        for kind in (ExecType.NEW, ExecType.EXPIRED) if takes else (ExecType.REJECTED,):
            name = f"{approved.cl_ord_id}-{kind}"
            self._said.append(report(kind, cl_ord_id=approved.cl_ord_id, exec_id=name, event_ns=self._now_ns))

    def cancel(self, cl_ord_id: str) -> None:
        """Have nothing that rests."""


class Life(NamedTuple):
    """What was lived: the cycles by their second."""

    cycles: dict[int, Stepped]

    def sent(self) -> list[OrderIntent]:
        """Return every order that left the gate."""
        return [approval.intent for cycle in self.cycles.values() for approval in cycle.approvals]

    def raised(self) -> list[tuple[int, str, str]]:
        """Return (second, scope, code) of every latch that was raised."""
        return [
            (second, one.scope, one.code)
            for second, cycle in self.cycles.items()
            for one in cycle.outputs.latches_raised
        ]

    def blocks(self) -> list[tuple[int, list[ReasonCode]]]:
        """Return (second, codes) of every wish that was blocked."""
        return [
            (second, [check.code for check in decision.failed()])
            for second, cycle in self.cycles.items()
            for decision in cycle.outputs.decisions
            if decision.failed()
        ]

    @property
    def state(self) -> State:
        """Return the state at the end."""
        return list(self.cycles.values())[-1].state


def told(
    second: int,
    px: Mapping[str, int] | None = None,
    *,
    universe: tuple[str, ...] = SYMBOLS,
    date: str = MONDAY,
    later_ns: int = 0,
    **spy: object,
) -> MarketSnapshot:
    """Return the market of one second: every symbol at $100 with a spread of two cents, but for those named."""
    at_ns = START_NS + second * SECOND_NS + later_ns
    row: list[Quote] = []
    for symbol in universe:
        mid_px = (px or {}).get(symbol, 100 * DOLLAR)
        row.append(quote(symbol, bid_px=mid_px - CENT_PX, ask_px=mid_px + CENT_PX, event_ns=at_ns))
    row[0] = msgspec.structs.replace(row[0], **spy)
    return snapshot(second, *row, trading_date=date, as_of_ns=at_ns)


def live(  # noqa: PLR0913 - what a run is given
    strategies: Mapping[str, Callable[[View], Iterable[Wish]]],
    markets: Iterable[MarketSnapshot],
    *,
    in_force: Limits = FIELD,
    universe: tuple[str, ...] = SYMBOLS,
    venue: Venue | None = None,
    typed: Callable[[int, State], tuple[Command, ...]] | None = None,
) -> Life:
    """Live a run: warm-up, then one cycle a market; what a send brings is an input of the next cycle."""
    gateway = venue or PaperGateway(mode=Mode.SIM, fees=FEES, universe=universe)
    index = {symbol: ix for ix, symbol in enumerate(universe)}
    judged_by = msgspec.structs.replace(
        rules(in_force=in_force), universe=universe, index=index, strategies=tuple(strategies)
    )
    lived = opening_state(
        nothing_carried(OPENING_MICROS, ()), start=TradingState.ACTIVE, universe=universe, limits=in_force,
        scanners=(), next_latch_no=1,
    )  # fmt: skip
    for second in range(1, WARM_S + 1):
        warm = told(second, universe=universe)
        gateway.observe(warm)
        lived = stepped(lived, market=warm, strategies={}, judged_by=judged_by).state
    asked = {name: wishing(function) for name, function in strategies.items()}
    cycles: dict[int, Stepped] = {}
    for market in markets:
        gateway.observe(market)
        commands = typed(market.seq, lived) if typed is not None else ()
        cycle = stepped(
            lived, market=market, strategies=asked, judged_by=judged_by, reports=gateway.drain(), commands=commands
        )
        for cancel in cycle.outputs.cancels:
            gateway.cancel(cancel.cl_ord_id)
        for approval in cycle.approvals:
            gateway.submit(approval)
        lived = cycle.state
        cycles[market.seq] = cycle
    return Life(cycles)


def wishing(function: Callable[[View], Iterable[Wish]]) -> Strategy:
    """Return a strategy that wishes what a function makes of its view."""
    return Does(lambda view: Proposal(wishes=tuple(function(view)), because="it always does"))


def clearing(state: State) -> tuple[Command, ...]:
    """Return what a person types who clears the first latch that stands."""
    return tuple(command("resume", latch_id=one.latch_id, state_no=state.state_no) for one in state.latches[:1])


def ask_px(view: View, symbol: str = "SPY") -> int:
    """Return the ask that a strategy sees."""
    return int(view.snapshot.ask_px[view.index[symbol]])


def bid_px(view: View, symbol: str = "SPY") -> int:
    """Return the bid that a strategy sees."""
    return int(view.snapshot.bid_px[view.index[symbol]])


def buying(qty: int, px: int, symbol: str = "SPY") -> Wish:
    """Return a wish to buy."""
    return wish(symbol, order_qty=qty, limit_px=px)
