"""The gate: exactly one decision an intent, every check listed, headroom reserved in a fixed order.

Floor 1 (decisions). It holds no state of its own and knows no bypass. A control that raises has said no.
On the trip: RISK, between the strategies' wishes and the journal.
"""

from __future__ import annotations

import msgspec

from interlock.core.risk.decision import decide
from interlock.core.risk.facts import Facts, Sized, sized
from interlock.core.risk.rows import Line, Row, lines_for, lines_of
from interlock.model.journal import LimitInForce
from interlock.model.risk import Check, RiskDecision
from interlock.model.units import INTEGER_MAX


def judge(facts: Facts, *, rows: tuple[Row, ...] | None = None) -> RiskDecision:
    """Evaluate every control that applies to the intent's class, and decide.

    Args:
        facts: what is known about one intent.
        rows: the table for its class (a test may hand over one with a control changed: then nothing is approved
            that the table itself would block).

    Returns:
        `Approved` or `Blocked`, with all readings, in the table's order.
    """
    lines = lines_for(facts.intent.order_class, facts.provides) if rows is None else lines_of(rows)
    return decide(facts.intent, quote=facts.quote, checks=_checks(lines, _sized(facts)), mode=facts.mode)


def _sized(facts: Facts) -> Facts:
    """Work out the sums; where they cannot be, every control that needs one says no."""
    try:
        return sized(facts)
    except Exception as error:  # noqa: BLE001 - what cannot be worked out is unknown, and unknown is a no
        why = f"CHECK_RAISED {type(error).__name__}"
        return msgspec.structs.replace(facts, sized=Sized(why, why, why, why))


def _checks(lines: tuple[Line, ...], facts: Facts) -> tuple[Check, ...]:
    """Run every control, in order; no answer of one keeps another from being asked.

    What passes without more ado is said here, as most controls do for most orders; everything else goes through
    `_check`, which asks again and says why.
    """
    checks: list[Check] = []
    limits = facts.limits
    for row, settled, rule, passed, measure, key, is_least, code, required, unit, soft in lines:
        if settled is not None:
            checks.append(settled)
            continue
        try:
            if rule is not None:
                if passed is not None and rule(facts) is True:
                    checks.append(passed)
                    continue
            elif measure is not None:
                observed, limit = measure(facts), limits[key]
                value = limit.value
                # Approve if inside: both are whole numbers that a record can hold, and one is not beyond the other.
                if (
                    type(observed) is int
                    and type(value) is int
                    and (value <= observed <= INTEGER_MAX if is_least else -INTEGER_MAX <= observed <= value)
                ):
                    source = _source(limit) if limit.scope else limit.source
                    checks.append(Check(code, True, required, observed, value, unit, source, "", soft))  # noqa: FBT003
                    continue
        except Exception:  # noqa: BLE001, S110 - asked again below, where it becomes a no with its reason
            pass
        checks.append(_check(row, facts))
    return tuple(checks)


def check_of(row: Row, facts: Facts) -> Check:
    """Run one control by itself, as the gate's test of itself does."""
    return _check(row, _sized(facts))


def check_as_orders(row: Row, facts: Facts) -> Check:
    """Run one control on the very path that every order takes."""
    return _checks(lines_of((row,)), _sized(facts))[0]


def _check(row: Row, facts: Facts) -> Check:
    """Run one control; whatever it raises is a no, and so is whatever is not a whole number inside its limit."""
    if row.uncovered is not None:
        return row.uncovered
    try:
        return _measured(row, facts) if row.control.measure is not None else _ruled(row, facts)
    except Exception as error:  # noqa: BLE001 - a check that raises has not passed
        return _no(row, observed=None, limit=None, note=f"CHECK_RAISED {type(error).__name__}")


def _measured(row: Row, facts: Facts) -> Check:
    """Compare a number with its limit; both must be whole numbers, and the observed one inside."""
    control = row.control
    observed = control.measure(facts) if control.measure is not None else ""
    limit = facts.limits.get(control.key)
    if limit is None or type(limit.value) is not int:
        return _no(row, observed=observed, limit=limit)
    value = limit.value
    if type(observed) is int and (observed >= value if control.is_least else observed <= value):
        kept = _recorded(observed)
        return Check(control.code, True, row.required, kept, value, control.unit, _source(limit), "", row.soft)  # noqa: FBT003
    note = control.explains(facts) if control.explains is not None and type(observed) is int else ""
    return _allowed(row, facts, observed=observed, limit=limit) or _no(row, observed=observed, limit=limit, note=note)


def _ruled(row: Row, facts: Facts) -> Check:
    """Ask for a condition: only True is a yes."""
    control = row.control
    answer = control.rule(facts) if control.rule is not None else ""
    if not control.key:
        kept = row.passed if answer is True else None
        return _no(row, observed=0, limit=None, note=answer) if kept is None else kept
    limit = facts.limits.get(control.key)
    if answer is True and limit is not None and type(limit.value) is int:
        return Check(control.code, True, row.required, None, limit.value, control.unit, _source(limit), "")  # noqa: FBT003
    return _no(row, observed=None, limit=limit, note=answer)


def _allowed(row: Row, facts: Facts, *, observed: object, limit: LimitInForce) -> Check | None:
    """Return a pass where a human let this very order through a soft control, once."""
    leave = facts.leave
    # Where it cannot block it needs no leave, and must not use one up.
    is_asked = row.soft and row.required and type(observed) is int
    if not is_asked or leave is None:
        return None
    # At most what the human saw: of every soft control a smaller number is nearer to its limit.
    most = dict(zip(leave.codes, leave.observed, strict=True)).get(row.control.code)
    if most is None or type(observed) is not int or observed > most:
        return None
    note = f"{leave.by} allowed it once: {leave.reason}"
    code, unit = row.control.code, row.control.unit
    return Check(code, True, row.required, _recorded(observed), limit.value, unit, "leave", note, soft=True)  # noqa: FBT003


def _no(row: Row, *, observed: object, limit: LimitInForce | None, note: object = "") -> Check:
    """Return a check that did not pass, with what is known of why."""
    # Exactly a text: a record cannot hold what only looks like one.
    if type(observed) is str:
        observed, note = None, observed
    told = note if type(note) is str else "its answer was neither a yes nor a reason"
    return Check(
        row.control.code,
        False,  # noqa: FBT003
        row.required,
        _recorded(observed),
        None if limit is None else _recorded(limit.value),
        row.control.unit,
        "rule" if not row.control.key else "none" if limit is None else _source(limit),
        told,
        row.soft,
    )


def _source(limit: LimitInForce) -> str:
    return f"{limit.source} {limit.scope}" if limit.scope else limit.source


def _recorded(reading: object) -> int | None:
    """Return a reading as the record keeps it: beyond the largest number that it can hold, that number.

    The control has already judged the true one: price times size of an absurd wish has no limit in Python,
    and a record that cannot be written would stop the run instead of blocking the wish.
    """
    if type(reading) is not int:
        return None
    return max(-INTEGER_MAX, min(INTEGER_MAX, reading))
