"""A check in words: what was read, what had to be, where the limit comes from, and which limit came nearest.

Floor 3 (proof), and pure: words from values. A record of the first version of the shapes is told as it was then.
It stands after the trip.
"""

from __future__ import annotations

from types import MappingProxyType

from interlock.core.risk.keys import KEYS
from interlock.core.risk.table import CONTROLS
from interlock.core.words import number
from interlock.model.mode import TradingState
from interlock.model.orders import OrderClass
from interlock.model.risk import Check, Decision, ReasonCode, Verdict
from interlock.model.units import INTEGER_MAX, percent
from interlock.proof.explained import CheckExplained
from interlock.shell.first_words import FIRST_SCHEMA
from interlock.shell.reasons import explain_block, sentence

_CONTROLS = MappingProxyType({control.code: control for control in CONTROLS})
_STATES = MappingProxyType({state.level: state.value for state in TradingState})
_NOT_COVERED = "NOT COVERED"
#: Where a limit comes from when a human let the order through.
LEAVE = "leave"

#: What must be, for the controls that are a rule and no number.
_RULES = MappingProxyType(
    {
        ReasonCode.MODE_FORBIDS: "mode SIM or PAPER",
        ReasonCode.POLICY_MISSING: "a [risk] section",
        ReasonCode.LATCHED: "no latch on it",
        ReasonCode.GATE_UNPROVED: "proved lately",
        ReasonCode.IDENTITY: "in the universe",
        ReasonCode.ORDER_FORM: "LIMIT, DAY or IOC",
        ReasonCode.VALUE_NOT_POSITIVE: "above zero",
        ReasonCode.SYMBOL_NOT_ALLOWED: "on the allow-list",
        ReasonCode.SYMBOL_RESTRICTED: "not restricted",
        ReasonCode.MARKET_CLOSED: "inside a session",
        ReasonCode.QUOTE_MISSING: "a whole quote",
        ReasonCode.DATA_UNCONFIRMED: "a confirmed price",
        ReasonCode.MARKET_CROSSED: "bid below ask",
        ReasonCode.SYMBOL_HALTED: "not halted",
        ReasonCode.PRICE_BANDS: "inside the bands",
        ReasonCode.VOLATILITY_PAUSE: "not paused",
        ReasonCode.TICK_SIZE: "in steps of {limit}",
        ReasonCode.LOT_SIZE: "in lots of {limit}",
        ReasonCode.SYMBOL_TAKEN: "no other strategy's",
        ReasonCode.SYMBOL_IN_DOUBT: "nothing in doubt",
        ReasonCode.ORDER_DUPLICATE: "not again in {limit}",
        ReasonCode.REDUCE_ONLY: "only reduces",
        ReasonCode.SHORT_SALE: "never short",
        ReasonCode.EQUITY_UNKNOWN: "a known equity",
    }
)
#: How the limit of a control read in the first version, where it was not "at most".
_FIRST_FORMS = MappingProxyType(
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
#: The checks of the first version that compared a number with a largest one, so that it could come near.
_FIRST_AT_MOST = frozenset(
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


def explained_checks(
    decision: Decision, *, not_covered: tuple[str, ...], schema_version: int
) -> tuple[CheckExplained, ...]:
    """Return every check of a decision in words, in the table's order.

    Args:
        decision: the decision.
        not_covered: codes of the controls whose input the source does not provide.
        schema_version: of the record's shapes.
    """
    is_first = schema_version == FIRST_SCHEMA
    found: list[CheckExplained] = []
    for check in decision.checks:
        # The check itself says it; only the first version's did not always.
        covered = not check.note.startswith(_NOT_COVERED) and not (is_first and check.code.value in not_covered)
        observed, limit = _first_reading(check) if is_first else _reading(check, decision.intent.order_class)
        found.append(
            CheckExplained(
                name=_CONTROLS[check.code].name,
                check=check,
                covered=covered,
                observed_words=observed,
                limit_words=limit,
                limit_name=_limit_name(check, is_first=is_first),
                words=check.note if check.passed or not covered else sentence(check, schema_version=schema_version),
            )
        )
    return tuple(found)


def _reading(check: Check, order_class: OrderClass) -> tuple[str, str]:
    """Return what was read and what had to be: yes or no for a rule, two numbers for a measure."""
    control = _CONTROLS[check.code]
    limit = "not written" if check.limit is None and control.key else number(check.limit, check.unit)
    if control.measure is not None:
        form = "{limit}" if check.limit is None else "at least {limit}" if control.is_least else "at most {limit}"
        # What is left of something that never ends is recorded as the largest number there is.
        has_no_end = control.is_least and check.observed == INTEGER_MAX
        return "no end" if has_no_end else number(check.observed, check.unit), form.format(limit=limit)
    is_unknown = check.note.startswith((_NOT_COVERED, "CHECK_RAISED"))
    if check.code is ReasonCode.TRADING_STATE:
        must_be = "ACTIVE" if order_class is OrderClass.ENTRY else "at least REDUCING"
    else:
        must_be = limit if control.key and check.limit is None else _RULES[check.code].format(limit=limit)
    return "unknown" if is_unknown else "yes" if check.passed else "no", must_be


def _first_reading(check: Check) -> tuple[str, str]:
    """Return what was read and what had to be in the first version; a trading state had its name."""
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
    return observed, _FIRST_FORMS.get(check.code, "at most {limit}").format(limit=limit)


def _state_words(level: int | None) -> str:
    return _STATES.get(-1 if level is None else level, "unknown")


def _flag_words(flag: int | None) -> str:
    return "unknown" if flag is None else "yes" if flag else "no"


def _limit_name(check: Check, *, is_first: bool) -> str:
    """Return the key of a limit as the configuration writes it, "" for a rule without one."""
    if is_first and check.code is ReasonCode.CASH_INSUFFICIENT:
        return KEYS["cash_micros"].written
    key = _CONTROLS[check.code].key
    return KEYS[key].written if key and check.source != "rule" else ""


def changes_of(decision: Decision, *, schema_version: int) -> tuple[str, ...]:
    """Return what would have changed a decision: a remedy for each failed check, or the limits that came nearest."""
    if decision.verdict is Verdict.BLOCKED:
        return _remedies(decision, schema_version=schema_version)
    required = [check for check in decision.checks if check.required]
    words = [f"Any one of its {len(required)} required checks, had it failed, would have blocked it."]
    left = [check for check in required if check.source == LEAVE]
    if left:
        words.append(f"Without that leave it would have been blocked by {', '.join(check.code for check in left)}.")
    is_first = schema_version == FIRST_SCHEMA
    near = max(required, key=lambda check: _nearness_bps(check, is_first=is_first), default=None)
    if near is not None and _nearness_bps(near, is_first=is_first) > 0:
        words.append(_near_words(near, is_first=is_first))
    return tuple(words)


def _remedies(decision: Decision, *, schema_version: int) -> tuple[str, ...]:
    failed = decision.failed()
    remedies = [_remedy(check, schema_version=schema_version) for check in failed]
    if len(remedies) > 1:
        remedies.insert(0, f"Each of these {len(remedies)} blocked it alone, so all of them have to change.")
    if decision.is_soft_block:
        remedies.append(
            "Nothing but a soft control blocked it: while the run went on, a human could let it pass once with "
            f"interlock allow {decision.decision_id} --reason ..."
        )
    return tuple(remedies)


def _remedy(check: Check, *, schema_version: int) -> str:
    _, remedy = explain_block((check,), schema_version=schema_version)
    return f"{check.code}: {remedy.removeprefix('To change that: ')}"


def _near_words(check: Check, *, is_first: bool) -> str:
    """Return which limit came nearest, and how near: of a least, how much of what there was had to be there."""
    observed, limit = number(check.observed, check.unit), number(check.limit, check.unit)
    near = percent(_nearness_bps(check, is_first=is_first))
    if _CONTROLS[check.code].is_least and not is_first:
        return f"The limit that came nearest is {check.code}: {observed}, at least {limit} had to be there ({near})."
    return f"The limit that came nearest is {check.code}: {observed} of {limit} ({near} of it)."


def _nearness_bps(check: Check, *, is_first: bool) -> int:
    """Return how much of its limit an order used, in hundredths of one per cent; 0 where that has no meaning.

    Of a limit that is the least that must be there, it is how much of what was there the limit asked for. The bound of
    a wish for market is made from its limit, so that it is always reached and says nothing.
    """
    control = _CONTROLS[check.code]
    compares = check.code in _FIRST_AT_MOST if is_first else control.measure is not None
    if not compares or not check.passed or check.source == LEAVE or check.code is ReasonCode.MARKET_UNBOUNDED:
        return 0
    observed, limit = check.observed or 0, check.limit or 0
    part, whole = (limit, observed) if control.is_least and not is_first else (observed, limit)
    return part * 10_000 // whole if part > 0 and whole > 0 else 0
