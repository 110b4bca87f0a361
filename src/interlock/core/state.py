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
from interlock.core.risk.headroom import Approval
from interlock.core.risk.limits import Limits
from interlock.core.scan import Scanner
from interlock.model.journal import Carried, Holdings
from interlock.model.market import Column, Provides
from interlock.model.mode import Mode, TradingState, lower
from interlock.model.orders import OrdStatus
from interlock.model.risk import Latch


class Rules(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What one run is judged by, from boot to stop.

    Attributes:
        mode: the mode of the process.
        limits: the limits in force.
        fees: what a trade costs.
        provides: what the source can tell.
        universe: the symbols.
        index: position of each symbol in the universe.
    """

    mode: Mode
    limits: Limits
    fees: FeePlan
    provides: frozenset[Provides]
    universe: tuple[str, ...]
    index: Mapping[str, int]


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
        cycle: number of the last cycle, 0 before the first.
        as_of_ns: market time of the last snapshot.
        trading_date: the exchange's date of it.
        trading_state: what strategies may send.
        state_no: grows with each change of trading state or latches; a resume must name it.
        next_latch_no: number of the next latch.
        latches: those that stand.
        blotter: orders.
        portfolio: cash and positions.
        recent: approvals that the duplicate and rate controls still count.
        scanners: each with what it has seen.
        confirmed_px: int64[N], the last confirmed mid of each symbol in micros, of any age (0 = never).
        tally: how the intents ended.
        previous_head: head of the run that this one was carried from, "" for none.
    """

    cycle: int
    as_of_ns: int
    trading_date: str
    trading_state: TradingState
    state_no: int
    next_latch_no: int
    latches: tuple[Latch, ...]
    blotter: Blotter
    portfolio: Portfolio
    recent: tuple[Approval, ...]
    scanners: tuple[Scanner, ...]
    confirmed_px: Column
    tally: Tally
    previous_head: str


def opening_state(
    carried: Carried, *, start: TradingState, symbols: int, scanners: tuple[Scanner, ...], next_latch_no: int
) -> State:
    """Return the state before the first cycle: what was carried, and a trading state that no latch forbids."""
    state = start
    blotter = EMPTY
    for order in carried.orders:
        blotter = blotter.put(order)
    for latch in carried.latches:
        if latch.scope == "account":
            state = lower(state, latch.level)
    positions = {(position.strategy_id, position.symbol): position for position in carried.positions}
    return State(
        cycle=carried.cycle,
        as_of_ns=0,
        trading_date="",
        trading_state=state,
        state_no=1,
        next_latch_no=next_latch_no,
        latches=carried.latches,
        blotter=blotter,
        portfolio=Portfolio(account=carried.account, positions=positions),
        recent=(),
        scanners=scanners,
        confirmed_px=np.zeros(symbols, dtype=np.int64),
        tally=Tally(carried=len(blotter.open_orders)),
        previous_head=carried.previous_head,
    )


def nothing_carried(cash_micros: int, latches: tuple[Latch, ...]) -> Carried:
    """Return what a fresh account starts from: its cash, and the latches that still stand."""
    return Carried(
        previous_head="", cycle=0, account=opened(cash_micros).account, positions=(), orders=(), latches=latches
    )


def to_carry(state: State, *, head: str) -> Carried:
    """Return what the state hands to the next run."""
    positions = tuple(position for position in state.portfolio.positions.values() if position.qty != 0)
    return Carried(
        previous_head=head,
        cycle=state.cycle,
        account=state.portfolio.account,
        positions=positions,
        orders=tuple(state.blotter.open_orders.values()),
        latches=state.latches,
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
