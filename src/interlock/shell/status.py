"""What a run has and may do now, in one value: for `interlock status`, and for the first line of every answer.

Floor 2 (shell). It never guesses: a price that is not known is said to be unknown, and protection that lives
inside a process counts as none.
It stands beside the trip: the loop fills a `Status` when a person asks; with no process the journal does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from interlock.core.risk.table import CONTROLS
from interlock.core.words import number
from interlock.model.errors import JournalError
from interlock.model.journal import Answer, Boot, BootAside, Cycle, Decided, LimitInForce, Record, Stop
from interlock.model.mode import TradingState
from interlock.model.orders import ExecType, Order, OrderClass, Position, Side
from interlock.model.risk import Latch, Leave, Verdict
from interlock.model.units import money, plain, shares, utc
from interlock.shell.journal_reader import JournalReader
from interlock.shell.limits_then import TIGHTENED, limits_now
from interlock.shell.run_summary import last_words, summary

#: How many holdings the first line names; the rest is counted.
_NAMED_MAX = 10


class HeldPosition(msgspec.Struct, frozen=True, kw_only=True):
    """One position: signed shares, their cost and, if `priced`, their value at the last known price, in micros."""

    strategy_id: str
    symbol: str
    qty: int
    cost_micros: int
    value_micros: int
    priced: bool


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order that works, or of which nobody knows: `leaves_qty` is what may still trade."""

    cl_ord_id: str
    symbol: str
    side: Side
    order_class: OrderClass
    leaves_qty: int
    in_doubt: bool


class FileCompared(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the configuration file says what runs: `same`, `differs`, `unknown` or `built-in`, and in words.

    `differs` names the keys that do not say the same. "" is a state too: nobody compared them.
    """

    state: str = ""
    path: str = ""
    differs: tuple[str, ...] = ()
    words: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What a run has and may do.

    Attributes:
        run_id: the run.
        mode: its mode.
        trading_state: what strategies may send.
        cycle: number of the last cycle, 0 before the first.
        positions: what is held.
        open_orders: what works, and what is in doubt.
        ended: how it ended, a sentence; None only while it runs (the JSON of `status` promises a null).
        state_no: the number that `resume` asks for.
        latches: what stands, oldest first.
        as_of: wall-clock time of the last cycle, UTC; "" before the first.
        market_time: market time of the last cycle, UTC; "" before the first.
        open_entries: ids of open or in-doubt orders that add risk.
        answers: what became of the commands of the last cycle that had any.
        leaves: one-time leaves past a soft control that humans gave and that are not used up.
        tightened: limits that humans made stricter while it ran.
        file: whether its configuration file still says what runs.
    """

    run_id: str
    mode: str
    trading_state: TradingState
    cycle: int
    positions: tuple[HeldPosition, ...]
    open_orders: tuple[OpenOrder, ...]
    ended: str | None
    state_no: int
    latches: tuple[Latch, ...]
    as_of: str
    market_time: str
    open_entries: tuple[str, ...]
    answers: tuple[Answer, ...]
    leaves: tuple[Leave, ...] = ()
    tightened: tuple[LimitInForce, ...] = ()
    file: FileCompared = FileCompared()


def holding_words(positions: Iterable[HeldPosition]) -> str:
    """Return the first line of every answer: what is owned, summed over strategies.

    Examples:
        >>> ibm = HeldPosition(strategy_id="cross", symbol="IBM", qty=200, cost_micros=36_000_000_000,
        ...                    value_micros=36_240_000_000, priced=True)
        >>> holding_words([ibm])
        'You hold 200 IBM ($36,240.00), UNPROTECTED'
        >>> holding_words([])
        'You hold nothing'
    """
    together: dict[str, HeldPosition] = {}
    for position in positions:
        before = together.get(position.symbol)
        together[position.symbol] = position if before is None else _sum(before, position)
    words = [_one_holding(position) for position in together.values() if position.qty != 0]
    if not words:
        return "You hold nothing"
    more = len(words) - _NAMED_MAX
    named = "; ".join(words[:_NAMED_MAX])
    return f"You hold {named}; and {more} more (interlock status --json names all)" if more > 0 else f"You hold {named}"


_UNITS = MappingProxyType({control.code: control.unit for control in CONTROLS})


def leave_words(leave: Leave) -> str:
    """Return one leave as a sentence: for whom, for what at most, past which controls, until when, by whom and why."""
    past = ", ".join(
        f"{code} up to {number(most, _UNITS[code])}" for code, most in zip(leave.codes, leave.observed, strict=True)
    )
    return (
        f"Leave for {leave.decision_id}: {plain(leave.strategy_id)} may once {leave.side} at most "
        f"{shares(leave.order_qty)} of {plain(leave.symbol)} past {past}, until market time "
        f"{utc(leave.expires_ns)}. {plain(leave.by)} allowed it: {plain(leave.reason)}."
    )


def held(positions: Iterable[Position], prices_px: Mapping[str, int]) -> tuple[HeldPosition, ...]:
    """Return positions with their value at `prices_px` (symbol to micros; absent or 0 = not known)."""
    return tuple(
        HeldPosition(
            strategy_id=position.strategy_id,
            symbol=position.symbol,
            qty=position.qty,
            cost_micros=position.cost_micros,
            value_micros=position.qty * prices_px.get(position.symbol, 0),
            priced=prices_px.get(position.symbol, 0) > 0,
        )
        for position in positions
        if position.qty != 0
    )


def open_orders(orders: Iterable[Order]) -> tuple[OpenOrder, ...]:
    """Return the orders that work or are in doubt."""
    return tuple(
        OpenOrder(
            cl_ord_id=order.cl_ord_id,
            symbol=order.symbol,
            side=order.side,
            order_class=order.order_class,
            leaves_qty=order.leaves_qty,
            in_doubt=order.in_doubt,
        )
        for order in orders
        if order.ord_status.is_open or order.in_doubt
    )


def entry_ids(orders: Iterable[OpenOrder]) -> tuple[str, ...]:
    """Return the ids of the orders that add risk."""
    return tuple(order.cl_ord_id for order in orders if order.order_class is OrderClass.ENTRY)


def tightened_of(limits: Iterable[LimitInForce]) -> tuple[LimitInForce, ...]:
    """Return those limits of the account that a human made stricter while the run went on."""
    return tuple(limit for limit in limits if limit.source == TIGHTENED)


def status_from_journal(run_dir: Path, *, latches: tuple[Latch, ...], ended: str | None) -> Status:
    """Return the last state that a run's journal knows.

    Args:
        run_dir: the run's folder.
        latches: what stands in its home now; a human may have cleared some since.
        ended: how it ended, None while it runs.

    Raises:
        JournalError: no record can be read.
    """
    words = last_words(run_dir)
    if not words.last:
        message = (
            f"The journal in {plain(str(run_dir))} holds no record that can be read ({words.ending.reason}), "
            "so what the run holds is unknown. See it with: interlock verify"
        )
        raise JournalError(message)
    record = words.last[0]
    positions, orders, prices_px = _last_holdings(run_dir, record.decided)
    state, state_no = _last_state(record.decided)
    return Status(
        run_id=run_dir.name,
        mode=summary(run_dir).mode,
        trading_state=state,
        cycle=record.decided.cycle if isinstance(record.decided, Cycle | Stop) else 0,
        positions=held(positions, prices_px),
        open_orders=orders,
        ended=ended,
        state_no=state_no,
        latches=latches,
        as_of=_as_of(record),
        market_time=_market_time(record.decided),
        open_entries=entry_ids(orders),
        answers=record.decided.outputs.answers if isinstance(record.decided, Cycle) else (),
        leaves=_leaves(record.decided),
        tightened=_tightened(run_dir, record.decided),
    )


def _sum(one: HeldPosition, other: HeldPosition) -> HeldPosition:
    return HeldPosition(
        strategy_id="",
        symbol=one.symbol,
        qty=one.qty + other.qty,
        cost_micros=one.cost_micros + other.cost_micros,
        value_micros=one.value_micros + other.value_micros,
        priced=one.priced and other.priced,
    )


def _one_holding(position: HeldPosition) -> str:
    worth = money(position.value_micros) if position.priced else f"cost {money(position.cost_micros)}"
    size = f"{position.qty:,}" if position.qty > 0 else f"{-position.qty:,} short"
    return f"{size} {plain(position.symbol)} ({worth}), UNPROTECTED"


def _last_state(decided: Decided) -> tuple[TradingState, int]:
    match decided:
        case Boot():
            return decided.start, 0
        case Cycle():
            return decided.outputs.state_after, decided.outputs.state_no
        case Stop():
            return decided.state, 0


def _tightened(run_dir: Path, decided: Decided) -> tuple[LimitInForce, ...]:
    """Return what was tightened; a journal that is damaged before its end still says what is held."""
    if isinstance(decided, Stop):
        return tightened_of(decided.closing.limits)
    try:
        return tightened_of(limits_now(run_dir))
    except JournalError:
        return ()


def _leaves(decided: Decided) -> tuple[Leave, ...]:
    match decided:
        case Boot():
            return decided.carried.leaves
        case Cycle():
            return decided.outputs.of_gate.leaves
        case Stop():
            return decided.closing.leaves


def _last_holdings(
    run_dir: Path, decided: Decided
) -> tuple[tuple[Position, ...], tuple[OpenOrder, ...], Mapping[str, int]]:
    """Return positions, open orders and last prices; the whole journal is read only where orders were open."""
    match decided:
        case Boot():
            return decided.carried.positions, open_orders(decided.carried.orders), {}
        case Stop():
            left = frozenset((*decided.working, *decided.in_doubt))
            if not left:
                return decided.holdings.positions, (), {}
            return decided.holdings.positions, tuple(o for o in _folded_orders(run_dir) if o.cl_ord_id in left), {}
        case Cycle():
            holdings = decided.outputs.holdings
            shown = decided.inputs.market.shown if decided.inputs.market is not None else ()
            prices_px = {quote.symbol: quote.mid_px for quote in shown if quote.present}
            is_quiet = holdings.open_orders == 0 and holdings.in_doubt == 0
            return holdings.positions, () if is_quiet else _folded_orders(run_dir), prices_px


def _folded_orders(run_dir: Path) -> tuple[OpenOrder, ...]:
    """Return the orders that were open at the last record; only open ones are kept on the way."""
    found: dict[str, OpenOrder] = {}
    for record in JournalReader(run_dir).records():
        decided = record.decided
        if isinstance(decided, Boot):
            found.update((order.cl_ord_id, order) for order in open_orders(decided.carried.orders))
            continue
        reports = decided.inputs.reports if isinstance(decided, Cycle) else decided.reports
        bookings = decided.outputs.bookings if isinstance(decided, Cycle) else decided.bookings
        for report in reports:
            order = found.get(report.cl_ord_id)
            if order is not None and report.exec_type is ExecType.TRADE:
                found[order.cl_ord_id] = msgspec.structs.replace(order, leaves_qty=report.leaves_qty)
            if order is not None and report.exec_type is ExecType.IN_DOUBT:
                found[order.cl_ord_id] = msgspec.structs.replace(order, in_doubt=True)
        for booking in bookings:
            if booking.after is not None and not booking.after.is_open:
                found.pop(booking.cl_ord_id, None)
        if isinstance(decided, Cycle):
            found.update((order.cl_ord_id, order) for order in _approved(decided))
    return tuple(found.values())


def _approved(cycle: Cycle) -> tuple[OpenOrder, ...]:
    return tuple(
        OpenOrder(
            cl_ord_id=decision.decision_id,
            symbol=decision.intent.symbol,
            side=decision.intent.side,
            order_class=decision.intent.order_class,
            leaves_qty=decision.intent.order_qty,
            in_doubt=False,
        )
        for decision in cycle.outputs.decisions
        if decision.verdict is Verdict.APPROVED
    )


def _as_of(record: Record) -> str:
    aside = record.aside
    return utc(aside.started_wall_ns if isinstance(aside, BootAside) else aside.wall_ns)


def _market_time(decided: Decided) -> str:
    if isinstance(decided, Cycle) and decided.inputs.market is not None:
        return utc(decided.inputs.market.as_of_ns)
    return ""
