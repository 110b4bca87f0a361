"""The gate proves itself: one synthetic violation a control must be refused, with the right code.

Floor 1 (decisions). Pure. A probe works on a copy, holds a type of which no approval can be made, and never reaches
the desk: nothing here can be sent. On the trip: RISK, before its first decision, every 15 minutes of market time, and
before a human's resume arms anything.

Source: row 54 of the control catalogue; the proof test of a protective function in industrial safety.
"""

from __future__ import annotations

import msgspec

from interlock.core.risk.engine import check_as_orders, check_of
from interlock.core.risk.facts import Facts
from interlock.core.risk.rows import Row, rows_for
from interlock.core.risk.violations import VIOLATIONS, WIDEST, sound
from interlock.model.errors import invariant
from interlock.model.journal import Proof
from interlock.model.orders import OrderClass, OrdType, Side, TimeInForce
from interlock.model.risk import ReasonCode
from interlock.model.signals import OrderIntent, ProbeIntent

#: The class of order with which a control is probed: its own, or an entry.
_CLASSES = (OrderClass.ENTRY, OrderClass.EXIT)


def probed(facts: Facts, *, rows: dict[OrderClass, tuple[Row, ...]] | None = None) -> Proof:
    """Give every control something that it must refuse.

    Args:
        facts: of the run as it stands; they are copied, and what they say about the market is replaced where a
            violation needs it.
        rows: the table by class (a test may hand over one with a control broken).

    Returns:
        How many violations were refused, and the codes of the controls that let theirs through.
    """
    missed: list[str] = []
    refused = 0
    seen: set[str] = set()
    for order_class in _CLASSES:
        table = rows_for(order_class, facts.provides) if rows is None else rows[order_class]
        for row in table:
            code = row.control.code.value
            if code in seen or not row.required or row.uncovered is not None:
                continue
            seen.add(code)
            if _is_refused(row, _probe(facts, order_class)):
                refused += 1
            else:
                missed.append(code)
    return Proof(refused=refused, missed=tuple(missed))


def _probe(facts: Facts, order_class: OrderClass) -> Facts:
    """Return a copy of the facts about a probe, without a human's leave: a leave is for a person's order only."""
    asked = msgspec.structs.replace(facts.intent, order_class=order_class)
    return sound(msgspec.structs.replace(facts, intent=ProbeIntent(**msgspec.structs.asdict(asked)), leave=None))


def _is_refused(row: Row, facts: Facts) -> bool:
    """Return True if the control says no to each violation, under its own code, as a required check.

    It is asked on the path that orders take. A violation that it could not even read is not refused but missed, where a
    limit is written: what cannot tell an order from nothing would block everything or let everything through.
    """
    limit = facts.limits.get(row.control.key)
    is_measured = row.control.measure is not None and limit is not None and limit.value is not None
    for violation in (violated(row, facts), _real(row, facts)):
        check = check_as_orders(row, violation)
        if check.passed or not check.required or check.code is not row.control.code:
            return False
        if is_measured and check.observed is None and row.control.violate is None:
            return False
    return True


def _real(row: Row, facts: Facts) -> Facts:
    """Return facts that are really beyond a control, and not only beyond a limit that was moved."""
    violate = VIOLATIONS.get(row.control.code)
    limit = facts.limits.get(row.control.key)
    if violate is None or limit is None or limit.value is None:
        return violated(row, facts)
    # A limit that nothing can be beyond, such as a least of zero, is moved: at least the comparison is proved.
    is_out_of_reach = limit.value > WIDEST.get(row.control.code, limit.value)
    if is_out_of_reach or (row.control.code is ReasonCode.ORDER_NOTIONAL_MIN and limit.value <= 1):
        return violated(row, facts)
    return violate(facts, limit.value)


def violated(row: Row, facts: Facts) -> Facts:
    """Return facts that a control must refuse.

    A control with a limit is given one that is one unit stricter than what it reads; a rule brings a violation of its
    own. Where a number cannot be read at all, the facts are a violation as they are: unknown is a no.

    Raises:
        InvariantError: a rule in the table has no violation.
    """
    control = row.control
    if control.violate is not None:
        return control.violate(facts)
    invariant(control.measure is not None, "every rule of the table brings a violation of its own", code=control.code)
    observed = check_of(row, facts).observed
    limit = facts.limits.get(control.key)
    if observed is None or limit is None:
        return facts
    stricter = observed + 1 if control.is_least else observed - 1
    limits = {**facts.limits, control.key: msgspec.structs.replace(limit, value=stricter)}
    return msgspec.structs.replace(facts, limits=limits)


def probe_intent(symbol: str, *, px: int) -> OrderIntent:
    """Return what a probe starts from where nobody wished for anything: one share of a symbol."""
    return OrderIntent(
        intent_id="000000-000",
        cause="",
        strategy_id="(probe)",  # a name that no strategy can have, so that nothing is held or was done under it
        symbol=symbol,
        side=Side.BUY,
        order_qty=1,
        ord_type=OrdType.LIMIT,
        limit_px=px,
        stop_px=0,
        time_in_force=TimeInForce.DAY,
        order_class=OrderClass.ENTRY,
        because="the gate proves itself",
    )
