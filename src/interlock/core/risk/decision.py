"""The mint: the one module that can make an approval.

Floor 1 (decisions). An import contract lets only the engine in here. It does not trust the engine either: it
looks at the checks itself, and mints only if they are exactly what the order's class requires, and all passed.
"""

from __future__ import annotations

from interlock.core.risk.rows import applying_codes, required_codes
from interlock.core.risk.table import CONTROLS
from interlock.model.errors import InvariantError
from interlock.model.market import Quote
from interlock.model.mode import Mode
from interlock.model.risk import Approved, Blocked, Check, Decision, RiskDecision, Verdict
from interlock.model.signals import OrderIntent


def decide(intent: OrderIntent, *, quote: Quote, checks: tuple[Check, ...], mode: Mode) -> RiskDecision:
    """Return the gate's answer to one intent.

    Args:
        intent: what was wished for.
        quote: the quote that was used.
        checks: one reading a control that applies, in the table's order.
        mode: the mode of the process.

    Returns:
        `Approved` if and only if every required check is there, is marked as required and has passed.

    Raises:
        InvariantError: the checks are not one for each control that applies to the order's class, or what was judged
            is a probe of the gate itself.
    """
    # Exactly this type: a synthetic violation reads like an intent, and no approval is ever made of one.
    if type(intent) is not OrderIntent:
        message = f"Broken invariant: only an intent is decided on, never a {type(intent).__name__}"
        raise InvariantError(message)
    required, applying = required_codes(intent.order_class), applying_codes(intent.order_class)
    marked = tuple([check.code for check in checks if check.required])
    # An answer short of a control must not look like one that merely failed: it is a bug, and it is said.
    if marked != required or tuple([check.code for check in checks]) != applying:
        message = (
            f"Broken invariant: the gate evaluated {len(checks)} of the {len(applying)} controls that apply to "
            f"{intent.order_class}, and {len(marked)} of the {len(required)} that it requires "
            f"(of {len(CONTROLS)} in the table)"
        )
        raise InvariantError(message)
    complete = len(required) > 0 and not [check for check in checks if check.required and check.passed is not True]
    verdict = Verdict.APPROVED if complete else Verdict.BLOCKED
    decision = Decision(decision_id=intent.intent_id, verdict=verdict, intent=intent, quote=quote, checks=checks)
    return _mint(decision, mode) if complete else Blocked(decision=decision)


def _mint(decision: Decision, mode: Mode) -> Approved:
    approved = object.__new__(Approved)
    object.__setattr__(approved, "_decision", decision)
    object.__setattr__(approved, "_mode", mode)
    return approved
