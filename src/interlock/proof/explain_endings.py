"""How an order ended, whether it was sent, and what the record cannot tell, in sentences.

Floor 3 (proof), and pure but for what it is handed. An order without a word from the venue is never called unsent.
It stands after the trip.
"""

from __future__ import annotations

from interlock.model.mode import Mode
from interlock.model.orders import ExecType, Order, OrdStatus
from interlock.model.risk import Decision, Verdict
from interlock.model.units import money, shares, utc
from interlock.proof.explained import ReportExplained
from interlock.proof.run_record import RunRecord
from interlock.shell.phrases import intent_words

BLOCKED, IN_DOUBT = "BLOCKED", "IN_DOUBT"

_MARKETS = {Mode.SIM: "the paper market inside the process", Mode.PAPER: "the paper market", Mode.LIVE: "the gateway"}


def headline_of(decision: Decision, *, ending: str) -> str:
    """Return the whole story of one decision in one sentence."""
    intent = decision.intent
    terms = f"{intent_words(intent)} ({intent.order_class}, {intent.ord_type}, {intent.time_in_force})"
    if decision.verdict is Verdict.BLOCKED:
        failed = decision.failed()
        codes = ", ".join(check.code.value for check in failed)
        return f"{decision.decision_id}: {terms} was BLOCKED by {codes}; nothing was sent."
    return f"{decision.decision_id}: {terms} was APPROVED and ended {ending}."


def sent_words(run: RunRecord, *, decision: Decision, reports: tuple[ReportExplained, ...]) -> str:
    """Return whether and when the order was sent, as far as there is evidence."""
    if decision.verdict is Verdict.BLOCKED:
        return "Nothing was sent: the gate blocked the wish, and a blocked wish never leaves this program."
    market = _MARKETS[run.boot.mode]
    first = "Its approval was written down before the send began"
    if run.aside.sync_words:
        first += f" ({run.aside.sync_words.rstrip('.')})"
    if any(one.report.exec_type is ExecType.NOT_SENT for one in reports):
        return f"{first}. Then it was stopped at the last door: {market} was not called."
    answered = [one for one in reports if one.report.exec_type is not ExecType.IN_DOUBT]
    if not answered:
        return (
            f"{first}. No word of {market} on it is on the record, so nobody can say from here whether it arrived: "
            "it counts as sent."
        )
    one = answered[0]
    return (
        f"{first}; it was handed to {market} at the end of the same cycle. "
        f"The first answer was booked in cycle {one.cycle:,}, at {utc(one.as_of_ns)}."
    )


def ending_of(run: RunRecord, *, decision: Decision, order: Order) -> tuple[str, str]:
    """Return how a decision ended: one word, and a sentence."""
    if decision.verdict is Verdict.BLOCKED:
        return BLOCKED, "It ended at the gate. No order was made of it, so nothing can come back."
    filled = f"{shares(order.cum_qty)} of {order.order_qty:,} filled"
    if order.in_doubt:
        return IN_DOUBT, (
            f"Nobody knows what became of it ({filled}, as far as is known). It is never sent again, and it counts in "
            "every limit until the venue's word, or a named human, settles it."
        )
    if not order.ord_status.is_open:
        return order.ord_status.value, f"{_ENDINGS[order.ord_status]}: {filled}."
    return _still_open(run, order, filled=filled)


_ENDINGS = {
    OrdStatus.FILLED: "It filled whole",
    OrdStatus.CANCELED: "It was canceled",
    OrdStatus.EXPIRED: "It expired",
    OrdStatus.REJECTED: "The venue rejected it",
    OrdStatus.NOT_SENT: "It never reached the market",
}


def _still_open(run: RunRecord, order: Order, *, filled: str) -> tuple[str, str]:
    """Return the words on an order that no report ended: left by a stop, lost in a kill, or still at work."""
    status = order.ord_status.value
    if not run.stop:
        where = f"The record ends with cycle {run.last_cycle:,} and no STOP closes it, so the run lives or was killed."
        if order.ord_status is OrdStatus.PENDING_NEW:
            return (
                status,
                f"{where} No word on this order is there: after a kill it is in doubt, never unsent.",
            )
        return status, f"{where} By then the order worked, {filled}."
    stop = run.stop[0]
    if order.cl_ord_id in stop.in_doubt:
        return IN_DOUBT, f"The run stopped without knowing what became of it ({filled}). It is never sent again."
    if order.cl_ord_id in stop.working:
        return (
            status,
            f"The run stopped and left it working, {filled}; what came later is in the next run.",
        )
    return status, f"The run stopped with it {status}, {filled}; the next run of this account carries it on."


def not_whole_notes(run: RunRecord, *, is_open: bool) -> tuple[str, ...]:
    """Return what a reader has to know about the record itself."""
    if is_open and not run.stop:
        return (f"Read up to cycle {run.last_cycle:,}, the last one on the record now.",)
    return ()


def cash_words(micros: int) -> str:
    """Return a change of cash with its sign.

    Examples:
        >>> cash_words(-1_000_000), cash_words(2_500_000), cash_words(0)
        ('-$1.00', '+$2.50', '$0.00')
    """
    return f"+{money(micros)}" if micros > 0 else money(micros)
