"""The rows of an export: what one record adds to each table, with the unit of every number in its name.

Floor 3 (proof), and pure: rows from records. What the record does not hold is empty, never zero.
It stands after the trip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from interlock.core.state import State
from interlock.model.journal import Boot, Cycle, Holdings, Record, Stop
from interlock.model.market import Quote
from interlock.model.orders import ExecReport, ExecType, Order
from interlock.model.risk import Decision, Verdict
from interlock.proof.run_record import after_record, opening, reports_of

Cell = int | str | bool | None
Row = tuple[Cell, ...]

#: Each table's columns: name, and `int`, `text` or `flag`; a name that ends in `?` may be empty.
TABLES: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType(
    {
        "decisions": (
            ("cycle", "int"),
            ("as_of_ns", "int"),
            ("trading_date", "text"),
            ("decision_id", "text"),
            ("verdict", "text"),
            ("failed_codes", "text"),
            ("strategy_id", "text"),
            ("symbol", "text"),
            ("side", "text"),
            ("order_class", "text"),
            ("ord_type", "text"),
            ("time_in_force", "text"),
            ("order_qty", "int"),
            ("limit_px_micros", "int"),
            ("stop_px_micros?", "int"),
            ("cause", "text"),
            ("because", "text"),
            ("bid_px_micros?", "int"),
            ("ask_px_micros?", "int"),
            ("bid_qty?", "int"),
            ("ask_qty?", "int"),
            ("quote_age_ns?", "int"),
        ),
        "checks": (
            ("cycle", "int"),
            ("decision_id", "text"),
            ("code", "text"),
            ("passed", "flag"),
            ("required", "flag"),
            ("observed?", "int"),
            ("limit?", "int"),
            ("unit", "text"),
            ("limit_source", "text"),
            ("note", "text"),
        ),
        "orders": (
            ("cl_ord_id", "text"),
            ("order_id", "text"),
            ("strategy_id", "text"),
            ("symbol", "text"),
            ("side", "text"),
            ("order_class", "text"),
            ("ord_type", "text"),
            ("time_in_force", "text"),
            ("limit_px_micros", "int"),
            ("order_qty", "int"),
            ("cum_qty", "int"),
            ("leaves_qty", "int"),
            ("cost_micros", "int"),
            ("fee_micros", "int"),
            ("ord_status", "text"),
            ("in_doubt", "flag"),
            ("approved_ns", "int"),
            ("trading_date", "text"),
        ),
        "fills": (
            ("cycle", "int"),
            ("event_ns", "int"),
            ("exec_id", "text"),
            ("cl_ord_id", "text"),
            ("order_id", "text"),
            ("strategy_id?", "text"),
            ("symbol?", "text"),
            ("side?", "text"),
            ("last_qty", "int"),
            ("last_px_micros", "int"),
            ("value_micros", "int"),
            ("fee_micros", "int"),
            ("cum_qty", "int"),
            ("leaves_qty", "int"),
            ("effect", "text"),
            ("text", "text"),
        ),
        "equity": (
            ("cycle", "int"),
            ("record", "text"),
            ("as_of_ns?", "int"),
            ("trading_date?", "text"),
            ("trading_state", "text"),
            ("cash_micros", "int"),
            ("positions_cost_micros", "int"),
            ("positions_value_micros?", "int"),
            ("equity_micros?", "int"),
            ("symbols_held", "int"),
            ("open_orders", "int"),
            ("in_doubt_orders", "int"),
        ),
    }
)


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """The orders as they stand after a record, and the rows that it added by table."""

    state: State
    rows: Mapping[str, tuple[Row, ...]]


def rows_of(state: State, record: Record) -> Folded:
    """Return the rows that one record adds, and the orders after it.

    An order becomes a row once it is closed and so long ago that no late word can change it (see `last_rows`).
    """
    decided = record.decided
    if isinstance(decided, Boot):
        return Folded(state=opening(decided), rows={})
    rows: dict[str, tuple[Row, ...]] = {"fills": tuple(_fill_rows(state, record, cycle=decided.cycle))}
    if isinstance(decided, Cycle):
        rows["decisions"] = tuple(_decision_row(decided, one) for one in decided.outputs.decisions)
        rows["checks"] = tuple(_check_rows(decided))
        rows["equity"] = (_cycle_row(decided),)
    else:
        rows["equity"] = (_stop_row(decided),)
    lived = after_record(state, decided)
    rows["orders"] = tuple(_order_row(order) for order in lived.forgotten)
    return Folded(state=lived.state, rows=rows)


def last_rows(state: State) -> tuple[Row, ...]:
    """Return the orders that are left when the record ends: the last closed ones, then those still open."""
    orders = (*state.blotter.closed_orders.values(), *state.blotter.open_orders.values())
    return tuple(_order_row(order) for order in orders)


def _decision_row(cycle: Cycle, decision: Decision) -> Row:
    intent, quote, market = decision.intent, decision.quote, cycle.inputs.market
    as_of_ns = 0 if market is None else market.as_of_ns
    seen: Row = (None,) * 5
    if quote.present:
        seen = (quote.bid_px, quote.ask_px, quote.bid_qty, quote.ask_qty, as_of_ns - quote.event_ns)
    failed = "" if decision.verdict is Verdict.APPROVED else ",".join(check.code for check in decision.failed())
    return (
        cycle.cycle,
        as_of_ns,
        "" if market is None else market.trading_date,
        decision.decision_id,
        decision.verdict.value,
        failed,
        intent.strategy_id,
        intent.symbol,
        intent.side.value,
        intent.order_class.value,
        intent.ord_type.value,
        intent.time_in_force.value,
        intent.order_qty,
        intent.limit_px,
        intent.stop_px or None,
        intent.cause,
        intent.because,
        *seen,
    )


def _check_rows(cycle: Cycle) -> Iterator[Row]:
    for decision in cycle.outputs.decisions:
        for check in decision.checks:
            yield (
                cycle.cycle,
                decision.decision_id,
                check.code.value,
                check.passed,
                check.required,
                check.observed,
                check.limit,
                check.unit,
                check.source,
                check.note,
            )


def _order_row(order: Order) -> Row:
    return (
        order.cl_ord_id,
        order.order_id,
        order.strategy_id,
        order.symbol,
        order.side.value,
        order.order_class.value,
        order.ord_type.value,
        order.time_in_force.value,
        order.limit_px,
        order.order_qty,
        order.cum_qty,
        order.leaves_qty,
        order.cost_micros,
        order.fee_micros,
        order.ord_status.value,
        order.in_doubt,
        order.approved_ns,
        order.trading_date,
    )


def _fill_rows(state: State, record: Record, *, cycle: int) -> Iterator[Row]:
    for report, effect, _ in reports_of(record):
        if report.exec_type is ExecType.TRADE:
            yield _fill_row(report, effect=effect, cycle=cycle, order=state.blotter.find(report.cl_ord_id))


def _fill_row(report: ExecReport, *, effect: str, cycle: int, order: Order | None) -> Row:
    known: Row = (None, None, None) if order is None else (order.strategy_id, order.symbol, order.side.value)
    return (
        cycle,
        report.event_ns,
        report.exec_id,
        report.cl_ord_id,
        report.order_id,
        *known,
        report.last_qty,
        report.last_px,
        report.last_qty * report.last_px,
        report.fee_micros,
        report.cum_qty,
        report.leaves_qty,
        effect,
        report.text,
    )


def _cycle_row(cycle: Cycle) -> Row:
    market, outputs = cycle.inputs.market, cycle.outputs
    quotes = () if market is None else (*market.shown, *(one.quote for one in outputs.decisions))
    when: Row = (None, None) if market is None else (market.as_of_ns, market.trading_date)
    value = _value_micros(outputs.holdings, quotes)
    return (cycle.cycle, "CYCLE", *when, outputs.state_after.value, *_held(outputs.holdings, value))


def _stop_row(stop: Stop) -> Row:
    value = _value_micros(stop.holdings, ())
    return (stop.cycle, "STOP", None, None, stop.state.value, *_held(stop.holdings, value))


def _held(holdings: Holdings, value_micros: int | None) -> Row:
    return (
        holdings.cash_micros,
        sum(position.cost_micros for position in holdings.positions),
        value_micros,
        None if value_micros is None else holdings.cash_micros + value_micros,
        len({position.symbol for position in holdings.positions}),
        holdings.open_orders,
        holdings.in_doubt,
    )


def _value_micros(holdings: Holdings, quotes: tuple[Quote, ...]) -> int | None:
    """Return what is held at the mids of this very cycle, or None where the record lacks one of them."""
    mids = {quote.symbol: quote.mid_px for quote in quotes if quote.present and quote.bid_px > 0 and quote.ask_px > 0}
    if any(position.symbol not in mids for position in holdings.positions):
        return None
    return sum(position.qty * mids[position.symbol] for position in holdings.positions)
