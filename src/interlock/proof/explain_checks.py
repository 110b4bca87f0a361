"""A check in words: what was read, what had to be, where the limit comes from, and which limit came nearest.

Floor 3 (proof), and pure: words from values. It stands after the trip.
"""

from __future__ import annotations

from types import MappingProxyType

from interlock.core.risk.table import CONTROLS
from interlock.model.mode import TradingState
from interlock.model.risk import Check, Decision, ReasonCode, Verdict
from interlock.model.units import percent
from interlock.proof.explained import CheckExplained
from interlock.shell.reasons import explain_block, number, sentence

_CONTROLS = MappingProxyType({control.code: control for control in CONTROLS})
_STATES = MappingProxyType({state.level: state.value for state in TradingState})
_UNIT_ENDINGS = ("_micros", "_bps", "_ns", "_px")
_OTHER_NAMES = MappingProxyType({"max_order_count": "max_order_rate", "lot_size_qty": "lot_size"})
_NOT_COVERED = "NOT COVERED"

#: How the limit of a control reads where it is not "at most".
_LIMIT_FORMS = MappingProxyType(
    {
        ReasonCode.VALUE_NOT_POSITIVE: "at least {limit}",
        ReasonCode.TRADING_STATE: "at least {limit}",
        ReasonCode.MARKET_CROSSED: "below {limit}",
        ReasonCode.TICK_SIZE: "in steps of {limit}",
        ReasonCode.LOT_SIZE: "in lots of {limit}",
        ReasonCode.MODE_FORBIDS: "mode SIM or PAPER",
        ReasonCode.POLICY_MISSING: "a [risk] section",
        ReasonCode.IDENTITY: "in the universe",
        ReasonCode.ORDER_FORM: "LIMIT, DAY or IOC",
        ReasonCode.SYMBOL_NOT_ALLOWED: "on the allow-list",
        ReasonCode.QUOTE_MISSING: "a whole quote",
        ReasonCode.SYMBOL_HALTED: "not halted",
        ReasonCode.SYMBOL_IN_DOUBT: "nothing in doubt",
    }
)
#: The checks that compare a number of the order with a largest one, so that it can come near.
_AT_MOST = frozenset(
    {
        ReasonCode.DATA_STALE,
        ReasonCode.ORDER_QTY_MAX,
        ReasonCode.ORDER_NOTIONAL_MAX,
        ReasonCode.PRICE_COLLAR,
        ReasonCode.EXIT_COLLAR,
        ReasonCode.ORDER_RATE_MAX,
        ReasonCode.REDUCE_ONLY,
        ReasonCode.POSITION_NOTIONAL_MAX,
        ReasonCode.GROSS_NOTIONAL_MAX,
        ReasonCode.CASH_INSUFFICIENT,
    }
)


def explained_checks(decision: Decision, *, not_covered: tuple[str, ...]) -> tuple[CheckExplained, ...]:
    """Return every check of a decision in words, in the table's order.

    Args:
        decision: the decision.
        not_covered: codes of the controls whose input the source does not provide.
    """
    return tuple(_explained(check, not_covered=not_covered) for check in decision.checks)


def _explained(check: Check, *, not_covered: tuple[str, ...]) -> CheckExplained:
    covered = check.code.value not in not_covered and not check.note.startswith(_NOT_COVERED)
    observed, limit = _reading(check)
    return CheckExplained(
        name=_CONTROLS[check.code].name,
        check=check,
        covered=covered,
        observed_words=observed,
        limit_words=limit,
        limit_name=_limit_name(_CONTROLS[check.code].key),
        words=check.note if check.passed or not covered else sentence(check),
    )


def _reading(check: Check) -> tuple[str, str]:
    """Return what was read and what had to be; a flag is yes or no, a trading state has its name."""
    if check.code is ReasonCode.TRADING_STATE:
        observed, limit = _state_words(check.observed), _state_words(check.limit)
    elif check.unit == "flag":
        observed, limit = _flag_words(check.observed), _flag_words(check.limit)
    elif check.limit == 0:
        return "none" if check.observed == 0 else number(check.observed, check.unit), "none"
    else:
        observed, limit = number(check.observed, check.unit), number(check.limit, check.unit)
    if check.limit is None:
        return observed, "not written" if check.source == "none" else "-"
    return observed, _LIMIT_FORMS.get(check.code, "at most {limit}").format(limit=limit)


def _state_words(level: int | None) -> str:
    return _STATES.get(-1 if level is None else level, "unknown")


def _flag_words(flag: int | None) -> str:
    return "unknown" if flag is None else "yes" if flag else "no"


def _limit_name(key: str) -> str:
    """Return the key of a limit as the configuration writes it.

    Examples:
        >>> _limit_name("max_order_notional_micros"), _limit_name("max_order_count")
        ('max_order_notional', 'max_order_rate')
    """
    for ending in _UNIT_ENDINGS:
        key = key.removesuffix(ending)
    return _OTHER_NAMES.get(key, key)


def changes_of(decision: Decision) -> tuple[str, ...]:
    """Return what would have changed a decision: a remedy for each failed check, or the limits that came nearest."""
    if decision.verdict is Verdict.BLOCKED:
        remedies = tuple(_remedy(check) for check in decision.failed())
        several = f"Each of these {len(remedies)} blocked it alone, so all of them have to change."
        return (several, *remedies) if len(remedies) > 1 else remedies
    required = [check for check in decision.checks if check.required]
    first = f"Any one of its {len(required)} required checks, had it failed, would have blocked it."
    near = sorted((check for check in required if _nearness_bps(check) > 0), key=_nearness_bps, reverse=True)
    if not near:
        return (first,)
    check = near[0]
    return (
        first,
        (
            f"The limit that came nearest is {check.code}: {number(check.observed, check.unit)} of "
            f"{number(check.limit, check.unit)} ({percent(_nearness_bps(check))} of it)."
        ),
    )


def _remedy(check: Check) -> str:
    _, remedy = explain_block((check,))
    return f"{check.code}: {remedy.removeprefix('To change that: ')}"


def _nearness_bps(check: Check) -> int:
    """Return how much of its limit an order used, in hundredths of one per cent; 0 where that has no meaning."""
    if check.code not in _AT_MOST or not check.observed or not check.limit:
        return 0
    return check.observed * 10_000 // check.limit
