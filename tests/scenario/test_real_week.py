"""A real week of four symbols, replayed to its end: what was filled, held and left is pinned and adds up."""

from __future__ import annotations

import bisect
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from tests.scenario.stage import (
    CONFIGS,
    Ended,
    Room,
    approved_of,
    codes_of,
    cycles_of,
    decisions_of,
    ledger,
    opened_room,
    records,
    stop_of,
)

from interlock.model.orders import OrderClass, Side
from interlock.model.risk import Decision, Verdict

SESSION_CODES = {"MARKET_CLOSED", "OPEN_GUARD", "CLOSE_GUARD"}


class Week:
    """The week, replayed once for all tests that look at it."""

    def __init__(self, room: Room, lean: Path) -> None:
        """Replay it."""
        config = room.path / "real-week.toml"
        written = (CONFIGS / "real-week.toml").read_text(encoding="utf-8").replace("@LEAN@", str(lean))
        config.write_text(written, encoding="utf-8")
        self.room = room
        self.ended: Ended = room.play("run", str(config))
        self.records = records(room.run_dirs[-1])
        self.stop = stop_of(self.records)


@pytest.fixture(scope="module")
def week(shared_data: Path) -> Iterator[Week]:
    """Replay the week."""
    with opened_room() as room:
        yield Week(room, shared_data)


def test_week_runs_to_the_end_of_the_data_and_ends_clean(week: Week) -> None:
    """Every minute from Monday's pre-market to Friday's evening is seen, and the run exits 0 without a complaint."""
    markets = [cycle.inputs.market for cycle in cycles_of(week.records) if cycle.inputs.market is not None]
    days = Counter(market.trading_date for market in markets)

    assert (0, "") == (week.ended.code, week.ended.err)
    assert "the source has no more data" == week.stop.reason
    assert ["2013-10-07", "2013-10-08", "2013-10-09", "2013-10-10", "2013-10-11"] == sorted(days)
    # 04:01 in New York, when the first pre-market minute of SPY is complete.
    assert "000001 SIM  2013-10-07T08:01:00Z SEE  | " in week.ended.out


def test_week_verifies(week: Week) -> None:
    """`interlock verify` finds nothing wrong with the record of the week, and names the same head."""
    verified = week.room.verified()

    assert (True, len(week.records)) == (verified["ok"], verified["records"])


def test_week_adds_up_to_the_cent(week: Week) -> None:
    """Cash, positions and open orders at the end are what the fills alone make of them."""
    own = ledger(week.records)
    holdings = week.stop.holdings

    assert own.cash_micros == holdings.cash_micros
    assert own.held == {(position.strategy_id, position.symbol): position.qty for position in holdings.positions}
    assert ({}, 0) == (own.working, holdings.open_orders)


def test_week_never_fills_outside_the_limit_or_before_the_next_minute(week: Week) -> None:
    """No fill is worse than its order's limit, and none is of the minute in which its order was sent."""
    intents = {decision.decision_id: decision.intent for decision in approved_of(week.records)}
    sent_ns = {
        decision.decision_id: cycle.inputs.market.as_of_ns
        for cycle in cycles_of(week.records)
        for decision in cycle.outputs.decisions
        if cycle.inputs.market is not None and decision.verdict is Verdict.APPROVED
    }
    fills = ledger(week.records).fills

    assert [] == [
        fill
        for fill in fills
        if (fill.last_px - intents[fill.cl_ord_id].limit_px) * intents[fill.cl_ord_id].side.sign > 0
        or fill.event_ns < sent_ns[fill.cl_ord_id] + 60 * 10**9
    ]


class Bar(NamedTuple):
    """The end of one minute of one symbol, as the scenario itself reads it from the recording."""

    end_ns: int
    bid_px: int
    ask_px: int
    bid_qty: int
    ask_qty: int


#: New York was four hours behind UTC in that week.
MIDNIGHT_NS = 4 * 3600 * 10**9


def bars_of(lean: Path, symbol: str) -> list[Bar]:
    """Return the minutes of a symbol, read by nothing of the program: start in ms, prices in 1/10,000 of a dollar."""
    bars: list[Bar] = []
    for day in range(7, 12):
        name = f"201310{day:02}"
        midnight_ns = int(np.datetime64(f"2013-10-{day:02}", "ns").astype(np.int64)) + MIDNIGHT_NS
        with zipfile.ZipFile(lean / "equity/usa/minute" / symbol.lower() / f"{name}_quote.zip") as packed:
            lines = packed.read(packed.namelist()[0]).decode().splitlines()
        for line in lines:
            fields = [int(field) for field in line.split(",")]
            end_ns = midnight_ns + (fields[0] + 60_000) * 10**6
            bars.append(Bar(end_ns, fields[4] * 100, fields[9] * 100, fields[5], fields[10]))
    return bars


def test_week_fills_at_prices_that_were_there(week: Week, shared_data: Path) -> None:
    """Each fill is at the touch of the last ended minute, for no more than its size, as the recording has it."""
    symbols = {decision.decision_id: decision.intent for decision in approved_of(week.records)}
    bars = {symbol: bars_of(shared_data, symbol) for symbol in ("SPY", "IBM", "AIG", "BAC")}
    for fill in ledger(week.records).fills:
        intent = symbols[fill.cl_ord_id]
        ended = bars[intent.symbol]
        bar = ended[bisect.bisect_right(ended, fill.event_ns, key=lambda each: each.end_ns) - 1]
        touch = (bar.ask_px, bar.ask_qty) if intent.side is Side.BUY else (bar.bid_px, bar.bid_qty)
        assert (touch[0], True) == (fill.last_px, fill.last_qty <= touch[1]), fill


def test_week_has_no_fault_because_the_recording_has_none(week: Week, shared_data: Path) -> None:
    """The recording, read by the scenario itself, has no crossed, empty or disordered minute, and no fault was told."""
    for symbol in ("SPY", "IBM", "AIG", "BAC"):
        bars = bars_of(shared_data, symbol)
        assert [] == [bar for bar in bars if not 0 < bar.bid_px <= bar.ask_px or min(bar.bid_qty, bar.ask_qty) < 0]
        assert sorted({bar.end_ns for bar in bars}) == [bar.end_ns for bar in bars]

    markets = [cycle.inputs.market for cycle in cycles_of(week.records) if cycle.inputs.market is not None]
    assert [] == [fault for market in markets for fault in market.faults]
    assert 0 == week.ended.out.count("Data fault: ")


#: The regular session of New York in that week, and the guards of five minutes at both ends, in minutes after midnight.
OPENS, CLOSES, GUARD = 9 * 60 + 30, 16 * 60, 5


def minute_of_day(as_of_ns: int) -> int:
    """Return the minute of the day in New York, in that week."""
    return (as_of_ns - MIDNIGHT_NS) // (60 * 10**9) % (24 * 60)


def when_decided(week: Week) -> list[tuple[int, Decision]]:
    """Return every decision of the week with the minute of the day of its market."""
    return [
        (minute_of_day(cycle.inputs.market.as_of_ns), decision)
        for cycle in cycles_of(week.records)
        for decision in cycle.outputs.decisions
        if cycle.inputs.market is not None
    ]


def test_week_enters_inside_the_sessions_and_their_guards_alone(week: Week) -> None:
    """No entry passes before 9:35 or after 15:55; each one there says which of the three session controls it broke."""
    entries = [(at, one) for at, one in when_decided(week) if one.intent.order_class is OrderClass.ENTRY]
    outside = [(at, one) for at, one in entries if not OPENS + GUARD <= at <= CLOSES - GUARD]
    said = Counter(code for _, one in outside for code in codes_of(one) if code in SESSION_CODES)

    assert [] == [one for _, one in outside if one.verdict is Verdict.APPROVED]
    assert {
        "MARKET_CLOSED": sum(1 for at, _ in outside if not OPENS <= at < CLOSES),
        "OPEN_GUARD": sum(1 for at, _ in outside if not OPENS + GUARD <= at < CLOSES),
        "CLOSE_GUARD": sum(1 for at, _ in outside if not OPENS <= at <= CLOSES - GUARD),
    } == said
    assert [] == [one for at, one in entries if (at, one) not in outside and SESSION_CODES & {*codes_of(one)}]
    assert outside
    assert any(one.verdict is Verdict.APPROVED for _, one in entries)


def test_week_may_leave_at_any_hour(week: Week) -> None:
    """No session control keeps an exit back: some of the week's exits are approved while the exchange is closed."""
    exits = [(at, one) for at, one in when_decided(week) if one.intent.order_class is OrderClass.EXIT]

    assert {Verdict.APPROVED} == {one.verdict for _, one in exits}
    assert [at for at, _ in exits if not OPENS <= at < CLOSES]


def test_week_trips_no_watch(week: Week) -> None:
    """The week trades to its end: nothing is latched, no loss comes near its limit, and each proof holds."""
    outputs = [cycle.outputs for cycle in cycles_of(week.records)]
    proofs = [one.of_gate.proof for one in outputs if one.of_gate.proof is not None]

    assert [] == [latch for one in outputs for latch in one.latches_raised]
    assert [] == [warning for one in outputs for warning in one.of_gate.warnings]
    assert proofs
    assert {()} == {proof.missed for proof in proofs}


def test_week_begins_each_trading_date_once(week: Week) -> None:
    """Each of the five days rolls the losses of the day once, in its first minute."""
    rolls = [cycle.outputs.of_gate.day_roll for cycle in cycles_of(week.records)]
    dates = [cycle.inputs.market.trading_date for cycle in cycles_of(week.records) if cycle.inputs.market is not None]

    assert list(dict.fromkeys(dates)) == [roll.trading_date for roll in rolls if roll is not None]


def test_week_is_what_it_was(week: Week) -> None:
    """Fills, blocks, positions, cash and head of the week are pinned; a change of any is a change of decisions."""
    blocks = Counter(code for decision in decisions_of(week.records) for code in codes_of(decision))
    own = ledger(week.records)

    assert PINNED == {
        "records": len(week.records),
        "decisions": len(decisions_of(week.records)),
        "approved": len(approved_of(week.records)),
        "blocks": dict(sorted(blocks.items())),
        "fills": len(own.fills),
        "shares": sum(fill.last_qty for fill in own.fills),
        "held": own.held,
        "cash_micros": own.cash_micros,
        "head": week.room.verified()["head"],
    }


PINNED: dict[str, object] = {
    "records": 4_678,
    "decisions": 863,
    "approved": 148,
    "blocks": {
        "CAPITAL_MAX": 500,
        "CASH_INSUFFICIENT": 117,
        "CLOSE_GUARD": 348,
        "CONCENTRATION_LARGE": 500,
        "CONCENTRATION_MAX": 500,
        "DATA_STALE": 15,
        "GROSS_NOTIONAL_MAX": 615,
        "MARKET_CLOSED": 340,
        "MARKET_CROSSED": 9,
        "OPEN_GUARD": 348,
        "ORDER_NOTIONAL_LARGE": 500,
        "ORDER_NOTIONAL_MAX": 500,
        "PARTICIPATION_NOW": 198,
        "POSITION_NOTIONAL_MAX": 500,
        "PRICE_COLLAR": 6,
        "PRICE_COLLAR_WIDE": 30,
        "SPREAD_MAX": 6,
        "SPREAD_WIDE": 25,
        "STRATEGY_CAPITAL_MAX": 615,
        "SYMBOL_NOT_ALLOWED": 233,
        "UNEXECUTED_MAX": 545,
        "WARMING_UP": 1,
    },
    "fills": 121,
    "shares": 44_000,
    "held": {},
    "cash_micros": 99_358_000_000,
    "head": "125a061082f8dce37e2cb584f35a4c445ad4ca73ee09771ab67d6b1c96dcaf2d",
}
