"""Small journals to test with: factories of records, and one whole run whose sums are right."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from interlock.model.conduct import DayRoll
from interlock.model.journal import (
    DECISION_VERSION,
    SCHEMA_VERSION,
    Account,
    Answer,
    Aside,
    Booking,
    Boot,
    BootAside,
    Carried,
    Cycle,
    CycleAside,
    Decided,
    GateOutputs,
    Holdings,
    Inputs,
    LimitInForce,
    Outputs,
    Record,
    SeenMarket,
    Stop,
    StopAside,
)
from interlock.model.market import Quote
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
from interlock.model.risk import Check, Decision, Latch, ReasonCode, Verdict
from interlock.model.signals import Idea, OrderIntent
from interlock.shell.journal import FileJournal
from interlock.shell.journal_format import HEADER_BYTES, PREFIX_BYTES
from interlock.shell.journal_reader import Ending, JournalReader

OPENING_MICROS = 100_000_000_000
START_NS = 1_381_152_600_000_000_000
DAY_NS = 86_400_000_000_000
MONDAY = "2013-10-07"
TUESDAY = "2013-10-08"
Pair = tuple[Decided, Aside]


def account(*, bought: int = 0, sold: int = 0, fees: int = 0) -> Account:
    """Return an account of $100,000 whose cash re-adds."""
    return Account(
        opening_micros=OPENING_MICROS,
        cash_micros=OPENING_MICROS - bought + sold - fees,
        bought_micros=bought,
        sold_micros=sold,
        fees_micros=fees,
    )


def carried(
    *,
    money: Account | None = None,
    positions: tuple[Position, ...] = (),
    orders: tuple[Order, ...] = (),
    latches: tuple[Latch, ...] = (),
    last_cycle: int = 0,
) -> Carried:
    """Return a carried state, of a fresh account unless told otherwise."""
    return Carried(
        previous_head="",
        cycle=last_cycle,
        account=money or account(),
        positions=positions,
        orders=orders,
        latches=latches,
    )


def boot(*, run_id: str = "run-1", handed_over: Carried | None = None) -> Pair:
    """Return a BOOT record in SIM."""
    decided = Boot(
        schema_version=SCHEMA_VERSION,
        decision_version=DECISION_VERSION,
        mode=Mode.SIM,
        start=TradingState.ACTIVE,
        config="{}",
        has_policy=True,
        allowed=("SPY",),
        limits=(LimitInForce(key="max_order_qty", value=200, unit="qty", source="config"),),
        origin_kind="simulated",
        origin_identity=(("seed", "7"),),
        provides=("quotes",),
        not_covered=(),
        universe=("SPY",),
        strategies=("cross",),
        carried=handed_over or carried(),
    )
    aside = BootAside(
        run_id=run_id,
        previous_run="",
        previous_head="",
        started_wall_ns=START_NS,
        pid=1,
        home="/home",
        config_path="",
        source_words="made up",
        source_where="",
        interval_ns=0,
        cycles=0,
        log_form="story",
        sync_words="",
        versions=(),
        found=(),
    )
    return decided, aside


def quote() -> Quote:
    """Return a quote of SPY at $169.99 / $170.01."""
    return Quote(
        symbol="SPY",
        present=True,
        halted=False,
        bid_px=169_990_000,
        ask_px=170_010_000,
        last_px=170_000_000,
        bid_qty=300,
        ask_qty=400,
        volume=1_000,
        event_ns=START_NS,
    )


def market(seq: int, *, trading_date: str = MONDAY) -> SeenMarket:
    """Return what cycle `seq` saw."""
    late_ns = DAY_NS if trading_date != MONDAY else 0
    return SeenMarket(
        seq=seq,
        as_of_ns=START_NS + late_ns + seq * 1_000_000_000,
        trading_date=trading_date,
        digest=f"{seq:064x}",
        symbols=1,
        present=1,
        shown=(quote(),),
        faults=(),
    )


def report(  # noqa: PLR0913 - a report has these parts
    exec_id: str,
    cl_ord_id: str,
    exec_type: ExecType,
    *,
    qty: int = 0,
    px: int = 0,
    cum: int = 0,
    leaves: int = 0,
    fee: int = 0,
) -> ExecReport:
    """Return one report of the paper gateway."""
    return ExecReport(
        exec_id=exec_id,
        cl_ord_id=cl_ord_id,
        order_id=f"PAPER-{cl_ord_id}",
        exec_type=exec_type,
        last_qty=qty,
        last_px=px,
        cum_qty=cum,
        leaves_qty=leaves,
        fee_micros=fee,
        event_ns=START_NS,
        text="",
    )


def booking(cl_ord_id: str, before: OrdStatus | None, after: OrdStatus | None, *, effect: str = "folded") -> Booking:
    """Return what one report did."""
    return Booking(cl_ord_id=cl_ord_id, before=before, after=after, effect=effect, text="")


def decision(  # noqa: PLR0913 - an order has these parts
    decision_id: str,
    *,
    qty: int = 10,
    side: Side = Side.BUY,
    order_class: OrderClass = OrderClass.ENTRY,
    limit_px: int = 170_010_000,
    approved: bool = True,
) -> Decision:
    """Return a decision with one required check, which passed or not as `approved` says."""
    intent = OrderIntent(
        intent_id=decision_id,
        cause="",
        strategy_id="cross",
        symbol="SPY",
        side=side,
        order_qty=qty,
        ord_type=OrdType.LIMIT,
        limit_px=limit_px,
        stop_px=0,
        time_in_force=TimeInForce.DAY,
        order_class=order_class,
        because="it crossed",
    )
    check = Check(
        code=ReasonCode.ORDER_QTY_MAX,
        passed=approved,
        required=True,
        observed=qty,
        limit=200,
        unit="qty",
        source="config",
        note="",
    )
    verdict = Verdict.APPROVED if approved else Verdict.BLOCKED
    return Decision(decision_id=decision_id, verdict=verdict, intent=intent, quote=quote(), checks=(check,))


def holdings(*, qty: int = 0, cash: int = OPENING_MICROS, open_orders: int = 0) -> Holdings:
    """Return what the account has, in SPY of one strategy."""
    return Holdings(positions=positions(qty), cash_micros=cash, open_orders=open_orders, in_doubt=0)


def positions(qty: int) -> tuple[Position, ...]:
    """Return a position in SPY, or none."""
    held = Position(strategy_id="cross", symbol="SPY", qty=qty, cost_micros=0, realized_micros=0)
    return (held,) if qty else ()


def cycle(  # noqa: PLR0913 - a cycle has these parts
    number: int,
    *,
    trading_date: str = MONDAY,
    reports: tuple[ExecReport, ...] = (),
    bookings: tuple[Booking, ...] = (),
    decisions: tuple[Decision, ...] = (),
    left: Holdings | None = None,
    answers: tuple[Answer, ...] = (),
    latches_raised: tuple[Latch, ...] = (),
    latches_cleared: tuple[str, ...] = (),
    state_before: TradingState = TradingState.ACTIVE,
    state_after: TradingState = TradingState.ACTIVE,
) -> Pair:
    """Return one cycle; its idea counts as many wishes as it has decisions, and two of them begin a trading date."""
    rolls = (number, trading_date) in ((1, MONDAY), (3, TUESDAY))
    inputs = Inputs(market=market(number, trading_date=trading_date), reports=reports, commands=(), trips=())
    outputs = Outputs(
        bookings=bookings,
        scans=(),
        ideas=(Idea(strategy_id="cross", wishes=len(decisions), because="it crossed", fault=""),),
        decisions=decisions,
        cancels=(),
        answers=answers,
        latches_raised=latches_raised,
        latches_cleared=latches_cleared,
        state_before=state_before,
        state_after=state_after,
        state_no=1,
        stopping=False,
        holdings=left or holdings(),
        gate=GateOutputs(day_roll=DayRoll(trading_date=trading_date, standings=())) if rolls else None,
    )
    return (
        Cycle(cycle=number, inputs=inputs, outputs=outputs),
        CycleAside(wall_ns=START_NS, previous_took_ns=0, late_ns=0, late_count=0),
    )


def stop(
    last_cycle: int,
    *,
    counts: tuple[tuple[str, int], ...] = (),
    closing: Carried | None = None,
    left: Holdings | None = None,
    exit_code: int = 0,
) -> Pair:
    """Return a STOP record; its counts are those of `tally` unless they are given."""
    decided = Stop(
        cycle=last_cycle,
        reports=(),
        bookings=(),
        reason="the cycles that were asked for are done",
        exit_code=exit_code,
        working=(),
        in_doubt=(),
        counts=counts or tally(),
        state=TradingState.ACTIVE,
        closing=closing or carried(last_cycle=last_cycle),
        holdings=left or holdings(),
    )
    return decided, StopAside(wall_ns=START_NS, late_count=0, took_ns=0)


def tally(**counts: int) -> tuple[tuple[str, int], ...]:
    """Return the account for every intent, zero where nothing is said."""
    names = (
        "intents", "carried", "blocked", "not_sent", "rejected", "cancelled", "filled", "expired", "working",
        "in_doubt",
    )  # fmt: skip
    return tuple((name, counts.get(name, 0)) for name in names)


def whole_run() -> list[Pair]:
    """Return a run of four cycles over two dates: one order filled in two parts, one blocked, then the STOP."""
    px, fee = 170_000_000, 5_000
    first, second = 4 * px, 6 * px
    one = "000001-001"
    acknowledged = report("e1", one, ExecType.NEW, leaves=10)
    part = report("e2", one, ExecType.TRADE, qty=4, px=px, cum=4, leaves=6, fee=fee)
    rest = report("e3", one, ExecType.TRADE, qty=6, px=px, cum=10, fee=fee)
    after_part = holdings(qty=4, cash=OPENING_MICROS - first - fee, open_orders=1)
    after_all = holdings(qty=10, cash=OPENING_MICROS - first - second - 2 * fee)
    closing = carried(money=account(bought=first + second, fees=2 * fee), positions=positions(10), last_cycle=4)
    return [
        boot(),
        cycle(1, decisions=(decision(one),), left=holdings(open_orders=1)),
        cycle(
            2,
            reports=(acknowledged, part),
            bookings=(
                booking(one, OrdStatus.PENDING_NEW, OrdStatus.NEW),
                booking(one, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED),
            ),
            decisions=(decision("000002-001", approved=False),),
            left=after_part,
        ),
        cycle(
            3,
            trading_date=TUESDAY,
            reports=(rest,),
            bookings=(booking(one, OrdStatus.PARTIALLY_FILLED, OrdStatus.FILLED),),
            left=after_all,
        ),
        cycle(4, trading_date=TUESDAY, left=after_all),
        stop(4, counts=tally(intents=2, blocked=1, filled=1), closing=closing, left=after_all),
    ]


def write_run(run_dir: Path, pairs: Iterable[Pair], *, sync_after: int = 10**9) -> str:
    """Write a journal, syncing after the first `sync_after` records or else at the end, and return its head."""
    with FileJournal.create(run_dir) as journal:
        for number, (decided, aside) in enumerate(pairs, start=1):
            journal.append(decided, aside)
            if number == sync_after:
                journal.sync()
        if sync_after >= 10**9:
            journal.sync()
        return journal.head


def read(run_dir: Path) -> tuple[list[Record], Ending]:
    """Return all records that a reader yields, and the ending."""
    reader = JournalReader(run_dir)
    records = list(reader.records())
    return records, reader.ending


def small_run(run_dir: Path, *, sync_after: int = 10**9) -> Path:
    """Write BOOT, one cycle without a market and the STOP; return the one file that holds all three."""
    quiet, aside = cycle(1)
    inputs = Inputs(market=None, reports=(), commands=(), trips=())
    undated = msgspec.structs.replace(quiet, inputs=inputs)
    write_run(run_dir, [boot(), (undated, aside), stop(1)], sync_after=sync_after)
    return run_dir / "0001-boot.ilj"


def frame_offsets(raw: bytes) -> list[int]:
    """Return where each frame of a whole file begins, and the end of the last."""
    offsets = [HEADER_BYTES]
    while offsets[-1] < len(raw):
        offsets.append(offsets[-1] + PREFIX_BYTES + int.from_bytes(raw[offsets[-1] : offsets[-1] + 4], "little"))
    return offsets
