"""The whole state of a run between two cycles, and the rules that do not change while it runs.

Floor 1 (decisions). Frozen values: a cycle folds one state into the next, and nothing is kept elsewhere
(only a strategy object keeps what it likes; replay runs the strategy again).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from interlock.core.blotter import EMPTY, Blotter
from interlock.core.fees import FeePlan
from interlock.core.portfolio import Portfolio, opened
from interlock.core.risk.limits import Limits
from interlock.core.scan import Scanner
from interlock.core.sessions import Calendar
from interlock.core.tape import Tape, blank_tape
from interlock.model.conduct import Counters, Standing
from interlock.model.journal import Carried, Holdings
from interlock.model.market import Column, Provides
from interlock.model.mode import Mode, TradingState, lower
from interlock.model.orders import OrdStatus
from interlock.model.risk import Latch, Leave


class Rules(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What one run is judged by, from boot to stop.

    Attributes:
        mode: the mode of the process.
        limits: those of the start; a person may tighten them, and the state holds those in force.
        fees: what a trade costs.
        provides: what the source can tell.
        universe: the symbols.
        index: position of each symbol in the universe.
        calendar: the exchange's sessions.
        strategies: their names, in the order in which they are asked.
    """

    mode: Mode
    limits: Limits
    fees: FeePlan
    provides: frozenset[Provides]
    universe: tuple[str, ...]
    index: Mapping[str, int]
    calendar: Calendar
    strategies: tuple[str, ...] = ()


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How many intents the run had, how many orders came over from the run before, and how they ended."""

    intents: int = 0
    carried: int = 0
    blocked: int = 0
    not_sent: int = 0
    rejected: int = 0
    cancelled: int = 0
    filled: int = 0
    expired: int = 0

    def ended(self, status: OrdStatus) -> Tally:
        """Return the tally with one more order ended as `status`."""
        name = {
            OrdStatus.NOT_SENT: "not_sent",
            OrdStatus.REJECTED: "rejected",
            OrdStatus.CANCELED: "cancelled",
            OrdStatus.FILLED: "filled",
            OrdStatus.EXPIRED: "expired",
        }[status]
        return msgspec.structs.replace(self, **{name: getattr(self, name) + 1})


class State(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything that one cycle hands to the next.

    Attributes:
        mode: of the process.
        cycle: number of the last cycle, 0 before the first.
        as_of_ns: market time of the last snapshot.
        trading_date: the exchange's date of it.
        trading_state: what strategies may send.
        state_no: grows with each change of trading state or latches; a resume must name it.
        next_latch_no: number of the next latch.
        latches: those that stand.
        blotter: orders.
        portfolio: cash and positions.
        limits: those in force.
        counters: what the account and its strategies did, as far as a control counts it.
        standings: how they stand, by scope.
        tape: what the market did.
        leaves: one-time leaves that humans gave and that are not used up.
        offers: the last blocks that a human may allow once.
        proved_ns: market time at which the gate last proved itself, -1 for never.
        told_ns: market time at which the gateway last told what it did, -1 for never.
        scanners: each with what it has seen.
        tally: how the intents ended.
        previous_head: head of the run that this one was carried from, "" for none.
    """

    mode: Mode
    cycle: int
    as_of_ns: int
    trading_date: str
    trading_state: TradingState
    state_no: int
    next_latch_no: int
    latches: tuple[Latch, ...]
    blotter: Blotter
    portfolio: Portfolio
    limits: Limits
    counters: Counters
    standings: Mapping[str, Standing]
    tape: Tape
    leaves: tuple[Leave, ...]
    offers: tuple[Leave, ...]
    proved_ns: int
    told_ns: int
    scanners: tuple[Scanner, ...]
    tally: Tally
    previous_head: str

    @property
    def confirmed_px(self) -> Column:
        """Return the last confirmed mid of each symbol in micros, of any age (0 = never): int64[N]."""
        return self.tape.confirmed_px


def opening_state(  # noqa: PLR0913 - what a run starts from
    carried: Carried,
    *,
    start: TradingState,
    universe: tuple[str, ...],
    limits: Limits,
    scanners: tuple[Scanner, ...],
    next_latch_no: int,
    mode: Mode = Mode.SIM,
) -> State:
    """Return the state before the first cycle: what was carried, and a trading state that no latch forbids."""
    state = start
    blotter = EMPTY
    for order in carried.orders:
        blotter = blotter.put(order)
    for latch in carried.latches:
        if latch.scope == "account":
            state = lower(state, latch.level)
    return State(
        mode=mode,
        cycle=carried.cycle,
        as_of_ns=0,
        trading_date="",
        trading_state=state,
        state_no=1,
        next_latch_no=next_latch_no,
        latches=carried.latches,
        blotter=blotter,
        portfolio=_portfolio(carried),
        limits=limits,
        counters=carried.counters,
        standings={standing.scope: standing for standing in carried.standings},
        tape=_tape(carried, universe),
        leaves=carried.leaves,
        offers=(),
        proved_ns=-1,
        told_ns=-1,
        scanners=scanners,
        tally=Tally(carried=len(blotter.open_orders)),
        previous_head=carried.previous_head,
    )


def _portfolio(carried: Carried) -> Portfolio:
    """Return cash and positions, those that are closed among them: what they realised counts on."""
    positions = {(one.strategy_id, one.symbol): one for one in (*carried.positions, *carried.left)}
    return Portfolio(account=carried.account, positions=positions)


def _tape(carried: Carried, universe: tuple[str, ...]) -> Tape:
    """Return a tape that knows nothing but the last confirmed prices of what is held or worked."""
    confirmed = dict(carried.confirmed)
    known_px = np.array([confirmed.get(symbol, 0) for symbol in universe], dtype=np.int64)
    return blank_tape(universe, confirmed_px=known_px)


def nothing_carried(cash_micros: int, latches: tuple[Latch, ...]) -> Carried:
    """Return what a fresh account starts from: its cash, and the latches that still stand."""
    return Carried(
        previous_head="", cycle=0, account=opened(cash_micros).account, positions=(), orders=(), latches=latches
    )


def to_carry(state: State, *, head: str) -> Carried:
    """Return what the state hands to the next run."""
    held = state.portfolio.positions.values()
    positions = tuple(position for position in held if position.qty != 0)
    own = {position.symbol for position in positions} | {order.symbol for order in state.blotter.open_orders.values()}
    prices = zip(state.tape.universe, state.tape.confirmed_px.tolist(), strict=True)
    return Carried(
        previous_head=head,
        cycle=state.cycle,
        account=state.portfolio.account,
        positions=positions,
        orders=tuple(state.blotter.open_orders.values()),
        latches=state.latches,
        left=tuple(position for position in held if position.qty == 0),
        limits=state.limits.everywhere(),
        counters=state.counters,
        standings=tuple(state.standings.values()),
        leaves=state.leaves,
        confirmed=tuple((symbol, px) for symbol, px in prices if symbol in own and px > 0),
    )


def holdings_of(state: State) -> Holdings:
    """Return what a person would want to know first: positions, cash, and what is still open."""
    orders = state.blotter.open_orders.values()
    return Holdings(
        positions=tuple(position for position in state.portfolio.positions.values() if position.qty != 0),
        cash_micros=state.portfolio.account.cash_micros,
        open_orders=len(orders),
        in_doubt=sum(1 for order in orders if order.in_doubt),
    )


def counts_of(state: State) -> tuple[tuple[str, int], ...]:
    """Return how every intent ended; `intents` and `carried` add up to the rest."""
    orders = state.blotter.open_orders.values()
    in_doubt = sum(1 for order in orders if order.in_doubt)
    tally = state.tally
    return (
        ("intents", tally.intents),
        ("carried", tally.carried),
        ("blocked", tally.blocked),
        ("not_sent", tally.not_sent),
        ("working", len(orders) - in_doubt),
        ("rejected", tally.rejected),
        ("cancelled", tally.cancelled),
        ("filled", tally.filled),
        ("expired", tally.expired),
        ("in_doubt", in_doubt),
    )
