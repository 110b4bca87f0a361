"""Recovery of an eventful day: what was counted, tripped, cleared, tightened and allowed comes back from the record."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from tests.core_factory import (
    ASK_PX,
    BID_PX,
    MID_PX,
    SYMBOLS,
    command,
    fill,
    leaving,
    limits,
    quote,
    report,
    snapshot,
    stepped,
    wish,
)
from tests.journal_factory import MONDAY, OPENING_MICROS, START_NS, TUESDAY, account, boot

from interlock.core.recover import recover
from interlock.core.state import nothing_carried, opening_state, to_carry
from interlock.model.journal import Boot, Command, Cycle
from interlock.model.market import MarketSnapshot
from interlock.model.mode import TradingState
from interlock.model.orders import ExecReport, ExecType, Position
from interlock.model.signals import Wish
from interlock.model.units import SECOND_NS


def traded(qty: int, cl_ord_id: str) -> ExecReport:
    """Return the report that all shares of an order traded at the middle."""
    return fill(qty, cum=qty, px=MID_PX, cl_ord_id=cl_ord_id)


#: Limits at which nearly everything that is counted trips or binds in the eventful day.
EVENTFUL = limits(
    max_reentries=2,
    max_rejects_in_row=1,
    max_strategy_drawdown_bps=9,
    soft_collar_bps=1,
    own={("strategy:cross", "max_strategy_count"): 3, ("strategy:cross", "strategy_window_ns"): 60 * SECOND_NS},
)


class Event(NamedTuple):
    """One cycle of the eventful day: its second, its wishes, and what was said; a latch to clear is named by code."""

    second: int
    wishes: tuple[Wish, ...] = ()
    reports: tuple[ExecReport, ...] = ()
    clears: str = ""
    typed: tuple[Command, ...] = ()
    date: str = MONDAY
    aig_px: int = MID_PX


#: Entries and exits, re-entries, a rejection, latches cleared, a limit tightened, a leave and a new date.
DAY = (
    Event(1, (wish(limit_px=MID_PX),)),
    Event(2, (leaving(limit_px=MID_PX),), (traded(10, "000001-001"),)),
    Event(3, (wish(order_qty=11, limit_px=MID_PX),), (traded(10, "000002-001"),)),
    Event(30, (leaving(order_qty=11, limit_px=MID_PX),), (traded(11, "000003-001"),)),
    Event(80, (wish(order_qty=12, limit_px=MID_PX),), (traded(11, "000004-001"),), aig_px=99 * MID_PX // 100),
    Event(81, (wish("IBM"),), (report(ExecType.REJECTED, cl_ord_id="000005-001", order_id=""),)),
    Event(82, clears="REENTRIES"),
    Event(83, clears="REJECTS_IN_ROW"),
    Event(84, clears="STRATEGY_DRAWDOWN"),
    Event(
        700, (wish("IBM", limit_px=MID_PX),), typed=(command("tighten", about="repeat_window_ns", new_value=10**13),)
    ),
    Event(701, typed=(command("halt"),)),
    Event(702, (), (report(ExecType.CANCELED, cl_ord_id="000010-001"),)),
    Event(4_000, (wish(),), date=TUESDAY, clears="HUMAN_HALT"),
    Event(4_001, (wish(limit_px=ASK_PX + 10_000), wish("IBM")), date=TUESDAY, typed=(command("resume"),)),
    Event(4_002, date=TUESDAY, typed=(command("allow", about="000014-001"),)),
)


def seen(event: Event) -> MarketSnapshot:
    """Return the market of one event: AIG stands where it says."""
    at_ns = START_NS + event.second * SECOND_NS
    moved = event.aig_px - MID_PX
    row = (
        quote("SPY", event_ns=at_ns),
        quote("IBM", event_ns=at_ns),
        quote("AIG", bid_px=BID_PX + moved, ask_px=ASK_PX + moved, event_ns=at_ns),
    )
    return snapshot(event.second, *row, trading_date=event.date, as_of_ns=at_ns)


def test_an_eventful_day_comes_back_from_its_record_cycle_by_cycle() -> None:
    """Counters, standings, leaves, limits and latches are after each cycle what the record alone gives."""
    other = Position(strategy_id="other", symbol="AIG", qty=100, cost_micros=100 * MID_PX, realized_micros=0)
    fresh = nothing_carried(OPENING_MICROS, ())
    handed = msgspec.structs.replace(fresh, account=account(bought=100 * MID_PX), positions=(other,))
    lived = opening_state(
        handed, start=TradingState.ACTIVE, universe=SYMBOLS, limits=EVENTFUL, scanners=(), next_latch_no=1
    )
    decided, _ = boot(handed_over=handed)
    assert isinstance(decided, Boot)
    opening = msgspec.structs.replace(decided, universe=SYMBOLS, limits=EVENTFUL.everywhere())
    records: list[Cycle] = []
    for event in DAY:
        cleared = [latch.latch_id for latch in lived.latches if latch.code == event.clears]
        typed = (*event.typed, *(command("resume", latch_id=name) for name in cleared))
        named = tuple(msgspec.structs.replace(each, state_no=lived.state_no) for each in typed)
        found = stepped(lived, *event.wishes, market=seen(event), reports=event.reports, commands=named)
        lived = found.state
        records.append(Cycle(cycle=lived.cycle, inputs=found.inputs, outputs=found.outputs))
        carried = msgspec.structs.replace(to_carry(lived, head="h"), confirmed=())
        assert carried == recover(opening, records, head="h"), event

    raised = [latch.code for record in records for latch in record.outputs.latches_raised]
    assert ["STRATEGY_DRAWDOWN", "REENTRIES", "REJECTS_IN_ROW", "HUMAN_HALT"] == raised
    assert (0, 1, 1, 10**13) == (
        len(lived.latches), len(lived.leaves), lived.counters.entries_day, lived.limits.value("repeat_window_ns"),
    )  # fmt: skip
