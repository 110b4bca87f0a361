"""Reasons in words: what each failed check says, and what would have changed it.

Floor 2 (the world), and pure. The sentences themselves stand in the table of controls; here they get their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from interlock.core.risk.keys import KEYS, NO_DEFAULT, SIZED_FROM
from interlock.core.risk.table import CONTROLS
from interlock.core.words import number
from interlock.model.journal import SCHEMA_VERSION, Boot, LimitInForce
from interlock.model.risk import Check
from interlock.model.units import BPS_PER_ONE, money
from interlock.shell.first_words import FIRST_SAYS, FIRST_SCHEMA, first_limit_words

#: Reasons that one line of the story spells out; the rest follow as codes.
SPELLED_MAX = 3

_CONTROLS = MappingProxyType({control.code: control for control in CONTROLS})
#: The second halves of a rate: they are told with their first.
_WINDOWS = MappingProxyType({"max_order_count": "order_window_ns", "max_strategy_count": "strategy_window_ns"})


def written_name(key: str) -> str:
    """Return how a limit is written in a configuration, without the unit that ends its name in here."""
    return KEYS[key].written if key in KEYS else key


def sentence(check: Check, *, schema_version: int = SCHEMA_VERSION) -> str:
    """Return why one check failed; a record of the first version is told in its own words."""
    control = _CONTROLS[check.code]
    says, _ = _spoken(check, schema_version)
    if check.note.startswith("CHECK_RAISED"):
        return f"the check {check.code} itself failed ({check.note}), and a check that fails is a no"
    if control.key and check.limit is None and check.source == "none":
        return f"no {_missing_name(control.key)} is written"
    if check.observed is None and check.note and (control.rule is None or schema_version == FIRST_SCHEMA):
        return check.note
    words = says.format(
        observed=number(check.observed, check.unit), limit=number(check.limit, check.unit), note=check.note
    )
    return words.removesuffix("; ")


def _spoken(check: Check, schema_version: int) -> tuple[str, str]:
    """Return the sentence of a control and what it tells to do, as of a version of the shapes."""
    control = _CONTROLS[check.code]
    now = (control.says, control.remedy)
    return FIRST_SAYS.get(check.code, now) if schema_version == FIRST_SCHEMA else now


def explain_block(failed: tuple[Check, ...], *, schema_version: int = SCHEMA_VERSION) -> tuple[str, str]:
    """Return the reasons of a block, and the sentence that says what would change the first of them.

    Where something hard blocks, a human's leave would change nothing: soft controls are then named by their codes only.
    """
    spelled: list[str] = []
    failed = tuple(check for check in failed if not check.soft) or failed
    for check in failed:
        words = sentence(check, schema_version=schema_version)
        if words not in spelled:
            spelled.append(words)
    reasons = "; ".join(spelled[:SPELLED_MAX])
    more = len(spelled) - SPELLED_MAX
    if more > 0:
        reasons += f"; {more} more {'reason' if more == 1 else 'reasons'}"
    control = _CONTROLS[failed[0].code]
    if control.key and failed[0].source == "none":
        name = _missing_name(control.key)
        return reasons, f"To change that: write {name} under {'[account]' if name == 'cash' else '[risk]'}."
    _, remedy = _spoken(failed[0], schema_version)
    return reasons, f"To change that: {remedy}."


def _missing_name(key: str) -> str:
    """Return what a person has to write where a limit is missing: what it is sized from, which is cash for most."""
    sized_from = SIZED_FROM.get(key, key)
    return written_name(sized_from) if sized_from in NO_DEFAULT else "cash"


def limit_words(decided: Boot) -> tuple[str, ...]:
    """Return the limits in force as sentences for the boot: those that a person wrote one by one, the rest counted."""
    if not decided.has_policy:
        return ("There is no risk policy, so no trade is allowed. To allow some: write a [risk] section.",)
    if decided.schema_version == FIRST_SCHEMA:
        return first_limit_words(decided)
    allowed = ", ".join(decided.allowed) or "none"
    account = {limit.key: limit for limit in decided.limits if not limit.scope}
    told = [limit for limit in account.values() if limit.key not in _WINDOWS.values() and limit.value is not None]
    chosen = [_limit(limit, account) for limit in told if limit.source != "default"]
    defaults = sum(1 for limit in told if limit.source == "default")
    words = [f"Symbols that may be traded: {allowed}."]
    if decided.restricted:
        words.append(f"Symbols that may not be entered: {', '.join(decided.restricted)}.")
    profile = f" The profile {decided.profile} is sized by the cash." if decided.profile else ""
    words.append(
        f"Limits in force: {', '.join(chosen)}; and {defaults} by default: interlock controls lists them all.{profile}"
    )
    own = [limit for limit in decided.limits if limit.scope and limit.key not in _WINDOWS.values()]
    if own:
        beside = {(limit.scope, limit.key): limit for limit in decided.limits}
        named = ", ".join(_own_limit(limit, beside) for limit in own)
        words.append(f"Where they are stricter, these hold: {named}.")
    missing = [_missing_name(limit.key) for limit in account.values() if limit.value is None]
    if missing:
        words.append(f"Not written, so every entry is blocked: {', '.join(dict.fromkeys(missing))}.")
    return (*words, *early_words(account))


def session_words(decided: Boot) -> tuple[str, ...]:
    """Return whose sessions hold, as a sentence for the boot; none for a record that knows none."""
    known = dict(decided.calendar)
    if not known:
        return ()
    if not known["last"]:
        return (f"Trading sessions: {known['name']}, it never closes.",)
    return (f"Trading sessions: those of {known['name']}, known from {known['first']} to {known['last']}.",)


#: A written limit, and the one by default that may be reached before it.
_REACHED_FIRST = (
    ("max_position_notional_micros", "max_strategy_capital_micros"),
    ("max_position_notional_micros", "max_concentration_bps"),
    ("max_gross_notional_micros", "max_capital_micros"),
    ("max_order_notional_micros", "max_unexecuted_micros"),
    ("max_order_notional_micros", "max_strategy_capital_micros"),
)


def early_words(account: Mapping[str, LimitInForce]) -> tuple[str, ...]:
    """Return a sentence for every written limit that a default is reached before: it holds, and nobody wrote it."""
    cash = account.get("cash_micros")
    found: list[str] = []
    for name, other in _REACHED_FIRST:
        limit, default = account.get(name), account.get(other)
        if limit is None or default is None or limit.value is None or default.value is None:
            continue
        if limit.source == "default" or default.source != "default" or cash is None or cash.value is None:
            continue
        most = cash.value * default.value // BPS_PER_ONE if default.unit == "bps" else default.value
        if limit.value > most:
            stands = number(default.value, default.unit)
            worth = f", which is {money(most)}" if default.unit == "bps" else ""
            found.append(
                f"{written_name(name)} of {number(limit.value, limit.unit)} is never reached: {written_name(other)} "
                f"stands at its default of {stands}{worth}. To change that: write {written_name(other)} under [risk]."
            )
    return tuple(found)


def _limit(limit: LimitInForce, by_key: Mapping[str, LimitInForce]) -> str:
    window = by_key.get(_WINDOWS.get(limit.key, ""))
    each = f" in {number(window.value, window.unit)}" if window is not None else ""
    return f"{written_name(limit.key)} {number(limit.value, limit.unit)}{each}{_source(limit.source)}"


def _own_limit(limit: LimitInForce, beside: Mapping[tuple[str, str], LimitInForce]) -> str:
    """Return a limit of one strategy or symbol, a rate with its own window."""
    window_key = _WINDOWS.get(limit.key, "")
    window = beside.get((limit.scope, window_key), beside.get(("", window_key)))
    words = _limit(limit, {} if window is None else {window_key: window})
    return f"{words} for the {limit.scope.replace(':', ' ')}"


def _source(source: str) -> str:
    """Return where a limit comes from, where it was not simply written."""
    return "" if source == "config" else f" ({source})"
