"""Golden stories: small records of every kind, told, and compared with text that was read aloud before it was kept.

To see new words, run with INTERLOCK_GOLDEN=write, read the difference as prose, and commit it if it is good.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests import journal_factory
from tests.core_factory import (
    ASK_PX,
    BID_PX,
    MID_PX,
    SYMBOLS,
    Does,
    Says,
    command,
    fill,
    gathered,
    latch,
    leaving,
    limits,
    order,
    quote,
    report,
    rules,
    snapshot,
    state,
    stepped,
    wish,
)
from tests.journal_factory import OPENING_MICROS, START_NS

from interlock.core.risk.limits import make_limits
from interlock.core.scan import Gap, MovingAverageCross, RelativeVolume
from interlock.core.state import Rules, State, counts_of, holdings_of, nothing_carried, to_carry
from interlock.core.step import Stepped, step
from interlock.model.journal import (
    Aside,
    Boot,
    BootAside,
    Cycle,
    CycleAside,
    Decided,
    HostTrip,
    Record,
    Stop,
    StopAside,
)
from interlock.model.market import DataFault, FaultCode
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import ExecReport, ExecType, OrderClass, OrdStatus, Side
from interlock.model.signals import Proposal, Wish
from interlock.model.units import SECOND_NS, plain
from interlock.shell.lines import Level, Line, Stage, prefix, rendered
from interlock.shell.story import following, setting_of, story

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
EVIL = "\x1b[2J\u202e\u200bX\n000009 SIM  2013-10-07T14:30:00Z RISK | Approved"


def record(decided: Decided, aside: Aside) -> Record:
    """Return a record of both parts."""
    return Record(seq=0, decided=decided, aside=aside)


def cycle_of(found: Stepped, *, late_ns: int = 0) -> Record:
    """Return the record of a cycle that was lived."""
    aside = CycleAside(wall_ns=START_NS, previous_took_ns=0, late_ns=late_ns, late_count=3)
    return record(Cycle(cycle=found.state.cycle, inputs=found.inputs, outputs=found.outputs), aside)


def booted(**changes: object) -> Record:
    """Return the first record of a SIM run with a policy, with changes to its decided part or to its aside."""
    decided, aside = journal_factory.boot()
    written = {"max_order_qty": 200, "max_order_notional_micros": 10_000_000_000}
    written |= {"max_position_notional_micros": 20_000_000_000, "max_gross_notional_micros": 40_000_000_000}
    in_force = make_limits(
        has_policy=True, symbols=("IBM", "SPY"), written=written, cash_micros=OPENING_MICROS, bar_ns=0
    )
    words = {
        "universe": SYMBOLS,
        "allowed": ("IBM", "SPY"),
        "limits": tuple(in_force.in_force.values()),
        "source_words": "a made-up calm market drawn from seed 7; no real prices",
        "home": "/home/ann/demo",
        **changes,
    }
    parts = [
        msgspec.structs.replace(part, **{name: value for name, value in words.items() if hasattr(part, name)})
        for part in (decided, aside)
    ]
    assert isinstance(parts[0], Boot)
    assert isinstance(parts[1], BootAside)
    return record(*parts)


def told(records: list[Record]) -> str:
    """Return the whole story of some records, the first of which may be a BOOT."""
    setting = setting_of(records[0])
    lines: list[str] = []
    for each in records:
        setting = setting_of(each) if isinstance(each.decided, Boot) else setting
        lines += [rendered(line) for line in story(each, setting)]
        setting = following(setting, each)
    return "\n".join(lines) + "\n"


class Run:
    """A run that is lived cycle by cycle, and keeps its records."""

    def __init__(self, before: State, *, judged_by: Rules | None = None) -> None:
        self.records: list[Record] = []
        self._rules = judged_by or rules()
        self.now = msgspec.structs.replace(before, limits=self._rules.limits)

    def live(self, *wishes: Wish, late_ns: int = 0, **given: object) -> Run:
        """Live one more cycle."""
        found = stepped(self.now, *wishes, judged_by=self._rules, **given)  # type: ignore[arg-type]
        self.records.append(cycle_of(found, late_ns=late_ns))
        self.now = found.state
        return self

    def stop(self) -> Run:
        """Live the cycle that stops it."""
        given = gathered(commands=(command("stop", reason=""),))
        found = step(self.now, rules=self._rules, strategies={}, gathered=given)
        self.records.append(cycle_of(found))
        self.now = found.state
        return self


def boots() -> list[Record]:
    """Tell the first records: with limits and one missing, without a policy, and of a PAPER account after a crash."""
    handed = msgspec.structs.replace(
        to_carry(state(held={"SPY": 200}, orders=(order(),), latches=(latch(),)), head="h"), cycle=41
    )
    return [
        booted(),
        booted(has_policy=False, strategies=(), not_covered=("SYMBOL_HALTED",), start=TradingState.HALTED),
        booted(
            mode=Mode.PAPER,
            start=TradingState.REDUCING,
            carried=handed,
            universe=tuple(f"S{number}" for number in range(12)),
            found=("The run before, r1, did not stop by itself: it was killed; no STOP record.",),
        ),
    ]


def trades() -> list[Record]:
    """Tell a wish that is approved, taken, filled in part and whole, and left again."""
    run = Run(state())
    run.live(wish(order_qty=100))
    run.live(reports=(report(ExecType.NEW), fill(40, cum=40, leaves_qty=60, fee_micros=1_000_000)))
    run.live(leaving(order_qty=40), reports=(fill(60, cum=100),))
    run.live(
        reports=(
            report(ExecType.NEW, cl_ord_id="000003-001"),
            report(ExecType.EXPIRED, cl_ord_id="000003-001", text="immediate or cancel: judged once, the rest is over"),
        )
    )
    return run.records


def blocks() -> list[Record]:
    """Tell what is blocked, for one reason, for many, and for a limit that nobody wrote."""
    old = snapshot(121, *(quote(symbol) for symbol in SYMBOLS))
    stale = Run(
        state(), judged_by=rules(in_force=limits(max_quote_age_ns=90 * SECOND_NS, max_feed_age_ns=200 * SECOND_NS))
    )
    stale.live(wish("IBM", order_qty=200, limit_px=ASK_PX), market=old)
    missing = Run(state(), judged_by=rules(in_force=limits(max_order_notional_micros=None, cash=None)))
    missing.live(wish())
    bare = Run(state(), judged_by=rules(in_force=limits(has_policy=False, symbols=(), cash=None)))
    bare.live(wish())
    wild = Run(state(held={"SPY": 10}), judged_by=rules(in_force=limits(max_order_qty=50, max_order_count=5)))
    wild.live(
        wish("XYZ"),
        wish(order_qty=100, limit_px=ASK_PX + 10_000_000),
        wish(limit_px=ASK_PX + 1),
        wish(order_qty=-5),
        wish(side=Side.SELL, order_qty=11, limit_px=BID_PX),
        leaving(order_qty=11),
        wish("IBM"),
        wish("IBM"),
        wish(order_class=OrderClass.PROTECTIVE),
    )
    return [*stale.records, *missing.records, *bare.records, *wild.records]


def halts() -> list[Record]:
    """Tell a halt, resumes that are refused and granted, and a latch of a symbol."""
    run = Run(state(orders=(order("000000-001", symbol="IBM"),), held={"IBM": 5}))
    run.live(wish(), commands=(command("halt"),))
    run.live(reports=(report(ExecType.CANCELED, cl_ord_id="000000-001", text="canceled as asked"),))
    run.live(commands=(command("resume", state_no=1), command("resume", latch_id="L9", state_no=3)))
    run.live(commands=(command("resume", state_no=3),))
    run.live(commands=(command("resume", latch_id="L1", state_no=3),))
    run.live(commands=(command("resume", state_no=4),))
    run.live(reports=(fill(2, cum=2, cl_ord_id="000000-001"),))
    return run.records


def faults() -> list[Record]:
    """Tell everything that wants a look: data, strategies, the host, the gateway."""
    scanners = (
        Gap.start(move_bps_min=100, symbols=3),
        MovingAverageCross.start(window=2, symbols=3),
        RelativeVolume.start(window=2, multiple_x100=250, symbols=3),
    )
    run = Run(
        state(orders=(order("000000-001"), order("000000-002", ord_status=OrdStatus.PENDING_NEW)), scanners=scanners)
    )
    dropped = DataFault(symbol="IBM", code=FaultCode.ROW_NEGATIVE, text="quotes.csv, line 7: the bid is -1")
    odd = (quote(event_ns=START_NS + 1), quote("IBM", present=False), quote("AIG", halted=True))
    run.live(market=snapshot(1, *odd, faults=(dropped,)), strategies={"quiet": Says(), "broken": Does(lambda _: None)})
    jumped = tuple(quote(s, bid_px=2 * MID_PX, ask_px=2 * MID_PX, event_ns=START_NS + 2) for s in SYMBOLS)
    run.live(market=snapshot(2, *jumped), strategies={}, late_ns=400_000_000)
    words = (
        report(ExecType.IN_DOUBT, cl_ord_id="000000-002", text="its outcome is unknown: silence"),
        report(ExecType.CANCEL_REJECT, cl_ord_id="000000-001", text="too late"),
        report(ExecType.CANCELED, cl_ord_id="000009-009"),
    )
    run.live(strategies={}, reports=words)
    more = (
        report(ExecType.NOT_HELD, cl_ord_id="000000-002", text="the paper market never held it"),
        report(ExecType.REJECTED, cl_ord_id="000000-001", text="no such symbol"),
        report(ExecType.BUST, cl_ord_id="000000-001"),
    )
    trip = HostTrip(code="CYCLE_OVERRUN", text="a cycle took 5 s, the limit is 4 s")
    run.live(strategies={}, reports=more, trips=(trip,))
    return run.records


def stops() -> list[Record]:
    """Tell the end of a run: clean, and with orders and latches left."""
    quiet = Run(state()).stop()
    left = Run(state(held={"SPY": 200}, orders=(order(), order("000001-002", in_doubt=True)), latches=(latch(),)))
    left.live(wish()).stop()
    return [*quiet.records, closed(quiet.now), *left.records, closed(left.now, exit_code=4, late_count=2)]


def closed(last: State, *, exit_code: int = 0, late_count: int = 0) -> Record:
    """Return the STOP record of a run that ended in a state."""
    orders = last.blotter.open_orders.values()
    decided = Stop(
        cycle=last.cycle,
        reports=(),
        bookings=(),
        reason="human:ann asked by a test",
        exit_code=exit_code,
        working=tuple(each.cl_ord_id for each in orders if not each.in_doubt),
        in_doubt=tuple(each.cl_ord_id for each in orders if each.in_doubt),
        counts=counts_of(last),
        state=last.trading_state,
        closing=to_carry(last, head="h"),
        holdings=holdings_of(last),
    )
    return record(decided, StopAside(wall_ns=START_NS, late_count=late_count, took_ns=90 * SECOND_NS))


STORIES: tuple[Callable[[], list[Record]], ...] = (boots, trades, blocks, halts, faults, stops)


@pytest.mark.parametrize("make", STORIES, ids=lambda make: make.__name__)
def test_story_is_the_one_that_was_read_aloud(make: Callable[[], list[Record]]) -> None:
    """Each word of the story is the word that was reviewed."""
    path = GOLDEN / f"{make.__name__}.txt"
    words = told(make())
    if os.environ.get("INTERLOCK_GOLDEN") == "write":
        path.write_text(words, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == words


@pytest.mark.parametrize("make", STORIES, ids=lambda make: make.__name__)
def test_a_story_told_twice_is_the_same(make: Callable[[], list[Record]]) -> None:
    """A story is a function of its records, also of those that come back from the journal's bytes."""
    records = make()
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(records), type=list[Record])

    assert told(records) == told(records) == told(read)


@pytest.mark.parametrize("make", STORIES, ids=lambda make: make.__name__)
def test_every_line_has_the_same_prefix(make: Callable[[], list[Record]]) -> None:
    """Cycle, mode, market time and stage stand in the same columns in every line of a mode."""
    form = re.compile(r"\d{6} (SIM |PAPER) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|-{20}) ([A-Z]{4}|SEE ) \| (?=\S)")

    assert [] == [line for line in told(make()).splitlines() if form.match(line) is None]


def test_prefix_is_the_one_of_the_design() -> None:
    """The form that the book shows is the form that is printed."""
    at_ns = 1_381_156_200 * SECOND_NS
    line = Line(cycle=123, mode=Mode.SIM, at_ns=at_ns, stage=Stage.RISK, level=Level.INFO, text="x", keys=())

    assert "000123 SIM  2013-10-07T14:30:00Z RISK | " == prefix(line)


def evil_records() -> list[Record]:
    """Return records in which every word from outside tries to fake a screen."""
    first = booted(found=(EVIL,), source_words=EVIL, home=EVIL, run_id=EVIL, universe=(EVIL,), strategies=(EVIL,))
    stands = msgspec.structs.replace(latch(), text=EVIL, scope=f"symbol:{EVIL}", code=EVIL)
    words = (
        report(ExecType.REJECTED, cl_ord_id="000000-001", text=EVIL, exec_id=EVIL, order_id=EVIL),
        report(ExecType.NEW, cl_ord_id=EVIL, text=EVIL, order_id=EVIL),
        report(ExecType.CANCEL_REJECT, cl_ord_id="000000-002", text=EVIL),
    )
    orders = (order("000000-001"), order("000000-002", ord_status=OrdStatus.CANCELED))
    fault = DataFault(symbol=EVIL, code=FaultCode.ROW_UNREADABLE, text=EVIL)
    row = (quote(EVIL), quote("IBM", event_ns=START_NS + SECOND_NS), quote("AIG"))
    found = stepped(
        state(orders=orders, latches=(stands,)),
        market=snapshot(1, *row, faults=(fault,)),
        strategies={
            EVIL: Does(lambda _: Proposal(wishes=(wish(EVIL, because=EVIL), wish("IBM", because=EVIL)), because=EVIL)),
            "raises": Does(lambda _: {}[EVIL]),
        },
        reports=words,
        commands=(msgspec.structs.replace(command("halt", reason=EVIL), by=EVIL, via=EVIL),),
        trips=(HostTrip(code=EVIL, text=EVIL),),
    )
    ended = closed(found.state)
    assert isinstance(ended.decided, Stop)
    stop = msgspec.structs.replace(ended.decided, reason=EVIL, working=(EVIL,), in_doubt=(EVIL,))
    return [first, cycle_of(found), record(stop, ended.aside)]


def test_control_characters_never_reach_a_screen() -> None:
    """No word from outside can move a cursor, turn the direction of text, or fake a line of its own."""
    words = told(evil_records())

    assert words.replace("\n", "") == plain(words.replace("\n", ""))
    assert [] == [line for line in words.splitlines() if line.startswith("000009")]


def test_evil_words_are_there_to_be_stripped() -> None:
    """The test above would see nothing if nothing evil were told."""
    assert told(evil_records()).count("?[2J??X?000009") > 20


def test_levels_say_who_should_look() -> None:
    """INFO is the story, and ERROR means halted."""
    setting = setting_of(booted())
    failures = [line for each in faults() for line in story(each, setting) if line.stage in (Stage.FAIL, Stage.HALT)]

    assert {Level.INFO} == {line.level for each in trades() for line in story(each, setting)}
    assert {"FAIL": Level.ERROR, "HALT": Level.ERROR} == {line.stage: line.level for line in failures[:-1]}


def test_a_record_whose_halves_do_not_match_says_nothing() -> None:
    """A decided part with another record's aside is told by nobody."""
    mixed = record(booted().decided, closed(state()).aside)

    assert () == story(mixed, setting_of(mixed))
    assert Mode.SIM is setting_of(closed(state())).mode


def test_market_time_is_kept_for_records_without_a_market() -> None:
    """The lines of a stop carry the time of the last market that was seen."""
    run = Run(state()).live().stop()
    setting = following(setting_of(booted()), run.records[0])

    assert {START_NS + SECOND_NS} == {line.at_ns for line in story(run.records[1], setting)}
    assert setting == following(setting, run.records[1])


def test_carried_cash_of_a_paper_account_is_told() -> None:
    """What comes over from a run before is the last thing said at boot; where nothing does, nothing is said."""
    handed = to_carry(state(orders=(order(),)), head="h")
    fresh = nothing_carried(OPENING_MICROS, ())

    assert told([booted(carried=handed)]).endswith("nothing; 1 open order; cash $100,000.00.\n")
    assert "Carried" not in told([booted(carried=fresh)])


def reports_of(kind: ExecType) -> ExecReport:
    """Return a report of a kind on a working order."""
    return report(kind, cl_ord_id="000000-001", cum_qty=0, leaves_qty=10)


@pytest.mark.parametrize("kind", [kind for kind in ExecType if kind is not ExecType.TRADE])
def test_every_kind_of_report_has_words(kind: ExecType) -> None:
    """Whatever a gateway says about an order that is just pending is told with its number."""
    pending = order("000000-001", ord_status=OrdStatus.PENDING_NEW)
    words = told(Run(state(orders=(pending,))).live(reports=(reports_of(kind),)).records)

    assert "000000-001" in words.splitlines()[1]
