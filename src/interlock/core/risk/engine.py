"""The gate: exactly one decision an intent, every check listed, headroom reserved in a fixed order.

Floor 1 (decisions). It holds no state of its own and knows no bypass. A control that raises has said no.
On the trip: RISK, between the strategies' wishes and the journal.
"""

from __future__ import annotations

from interlock.core.risk.controls import Control, Facts
from interlock.core.risk.decision import decide
from interlock.core.risk.rows import ROWS, rows_of
from interlock.core.risk.table import CONTROLS
from interlock.model.risk import Check, RiskDecision
from interlock.model.units import INTEGER_MAX


def judge(facts: Facts, *, controls: tuple[Control, ...] = CONTROLS) -> RiskDecision:
    """Evaluate every control that applies to the intent's class, and decide.

    Args:
        facts: what is known about one intent.
        controls: the table (a test may hand over one with a control removed: then nothing is approved).

    Returns:
        `Approved` or `Blocked`, with all readings, in the table's order.
    """
    order_class = facts.intent.order_class
    rows = ROWS[order_class] if controls is CONTROLS else rows_of(controls, order_class)
    checks = tuple([_check(control, facts, required=required) for control, required in rows])
    return decide(facts.intent, quote=facts.quote, checks=checks, mode=facts.mode)


def _check(control: Control, facts: Facts, *, required: bool) -> Check:
    """Run one control; whatever it raises is a no."""
    try:
        passed, observed, limit, note = control.read(facts)
    except Exception as error:  # noqa: BLE001 - a check that raises has not passed
        passed, observed, limit, note = False, None, None, f"CHECK_RAISED {type(error).__name__}"
    return Check(
        code=control.code,
        passed=passed is True,
        required=required,
        observed=_recorded(observed),
        limit=_recorded(limit),
        unit=control.unit,
        source=facts.limits.source(control.key) if control.key else "rule",
        note=note,
    )


def _recorded(reading: int | None) -> int | None:
    """Return a reading as the record keeps it: beyond the largest number that it can hold, that number.

    The control has already judged the true one: price times size of an absurd wish has no limit in Python,
    and a record that cannot be written would stop the run instead of blocking the wish.
    """
    if reading is None or -INTEGER_MAX <= reading <= INTEGER_MAX:
        return reading
    return INTEGER_MAX if reading > 0 else -INTEGER_MAX
