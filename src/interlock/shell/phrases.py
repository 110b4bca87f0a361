"""Phrases: how a report, a quote, an order and a holding are said in the story.

Floor 2 (the world), and pure: words from values.
"""

from __future__ import annotations

from interlock.model.journal import Holdings
from interlock.model.market import Quote
from interlock.model.orders import ExecReport, ExecType, OrderClass, OrdType
from interlock.model.signals import OrderIntent
from interlock.model.units import money, percent, shares


def counted(count: int, thing: str) -> str:
    """Return a number of things, with the plural where it belongs.

    Examples:
        >>> counted(1, "order"), counted(1_200, "order")
        ('1 order', '1,200 orders')
    """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def scope_words(scope: str) -> str:
    """Return where a latch stands, as a person says it.

    Examples:
        >>> scope_words("account"), scope_words("symbol:IBM")
        ('the account', 'the symbol IBM')
    """
    return f"the {scope.replace(':', ' ')}"


def quote_words(quote: Quote) -> str:
    """Return a quote as bid / ask."""
    if not quote.present:
        return f"{quote.symbol} unknown"
    halted = " halted" if quote.halted else ""
    return f"{quote.symbol} {money(quote.bid_px)} / {money(quote.ask_px)}{halted}"


def report_words(report: ExecReport) -> tuple[str, bool]:
    """Return what a report says, and whether it is as it should be."""
    order = f"order {report.cl_ord_id}"
    if report.exec_type is ExecType.TRADE:
        rest = f"{shares(report.leaves_qty)} still work" if report.leaves_qty else "the order is filled"
        price = money(report.last_px)
        return (
            f"Filled {shares(report.last_qty)} of {order} at {price}, fee {money(report.fee_micros)}; {rest}.",
            True,
        )
    plain_words = {
        ExecType.NEW: f"The gateway took {order} as {report.order_id}.",
        ExecType.CANCELED: f"The gateway canceled {order} with {shares(report.cum_qty)} filled: {report.text}.",
        ExecType.EXPIRED: f"{order.capitalize()} expired with {shares(report.cum_qty)} filled: {report.text}.",
        ExecType.REPLACED: f"The gateway replaced {order}: {report.text}.",
    }
    if report.exec_type in plain_words:
        return plain_words[report.exec_type], True
    uneasy_words = {
        ExecType.REJECTED: f"The gateway rejected {order}: {report.text}.",
        ExecType.CANCEL_REJECT: f"The cancel of {order} was refused: {report.text}.",
        ExecType.NOT_SENT: f"{order.capitalize()} was not sent: {report.text}.",
        ExecType.NOT_HELD: f"{order.capitalize()} never reached the gateway: {report.text}.",
        ExecType.IN_DOUBT: f"{order.capitalize()} is in doubt, and is never sent again: {report.text}.",
    }
    return uneasy_words.get(report.exec_type, f"{report.exec_type} for {order}: {report.text}."), False


def intent_words(intent: OrderIntent) -> str:
    """Return an intent as a person says it.

    Examples:
        `BUY 200 IBM at $181.20`
    """
    leaving = " to leave" if intent.order_class is OrderClass.EXIT else ""
    # A wish for market that no fresh quote could bound has no price of its own.
    at = "the market" if intent.ord_type is OrdType.MARKET else money(intent.limit_px)
    return f"{intent.side} {intent.order_qty:,} {intent.symbol} at {at}{leaving}"


def shaped_words(intent: OrderIntent) -> str:
    """Return what was made of a wish before it was judged, as a sentence that follows another, or ""."""
    words = ""
    if intent.bound_bps:
        words += f" It was a wish for market; its price is bounded {percent(intent.bound_bps)} beyond the touch."
    if intent.wished_qty:
        words += (
            f" It was cut from {shares(intent.wished_qty)} to the largest order; the rest must be wished for again."
        )
    return words


def holdings_words(holdings: Holdings) -> str:
    """Return what an account holds, as a sentence: by symbol, whoever wished for it."""
    held: dict[str, int] = {}
    for position in holdings.positions:
        held[position.symbol] = held.get(position.symbol, 0) + position.qty
    named = ", ".join(f"{qty:,} {symbol}" for symbol, qty in held.items())
    owned = f"You hold {named}, UNPROTECTED;" if named else "You hold nothing;"
    orders = {0: "no order works", 1: "1 order works"}.get(
        holdings.open_orders, f"{holdings.open_orders:,} orders work"
    )
    doubt = f", {holdings.in_doubt} IN DOUBT" if holdings.in_doubt else ""
    return f"{owned} {orders}{doubt}; cash {money(holdings.cash_micros)}."
