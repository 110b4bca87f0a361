"""Reasons in words: what each failed check says, and what would have changed it.

Floor 2 (the world), and pure. The sentences themselves stand in the table of controls; here they get their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from interlock.core.risk.table import CONTROLS
from interlock.model.journal import Boot, LimitInForce
from interlock.model.risk import Check
from interlock.model.units import duration, money, percent, shares

#: Reasons that one line of the story spells out; the rest follow as codes.
SPELLED_MAX = 3

_CONTROLS = MappingProxyType({control.code: control for control in CONTROLS})
#: How each key is written in the configuration, without the unit that ends its name in here.
_WRITTEN = MappingProxyType(
    {
        "max_order_qty": "max_order_qty",
        "max_order_notional_micros": "max_order_notional",
        "max_position_notional_micros": "max_position_notional",
        "max_gross_notional_micros": "max_gross_notional",
        "price_collar_bps": "price_collar",
        "max_quote_age_ns": "max_quote_age",
        "max_order_count": "max_order_rate",
        "exit_collar_bps": "exit_collar",
        "duplicate_window_ns": "duplicate_window",
        "tick_size_px": "tick_size",
        "lot_size_qty": "lot_size",
    }
)


def number(value: int | None, unit: str) -> str:
    """Write a reading with its unit; an unknown one is called unknown."""
    if value is None:
        return "unknown"
    if unit in ("px", "micros"):
        return money(value)
    if unit == "qty":
        return shares(value)
    if unit == "ns":
        return duration(value)
    return percent(value) if unit == "bps" else f"{value:,}"


def sentence(check: Check) -> str:
    """Return why one check failed."""
    control = _CONTROLS[check.code]
    if check.note.startswith("CHECK_RAISED"):
        return f"the check {check.code} itself failed ({check.note}), and a check that fails is a no"
    if control.key and check.limit is None and check.source == "none":
        return f"no {_WRITTEN.get(control.key, 'cash')} is written"
    if check.observed is None and check.note:
        return check.note
    return control.says.format(
        observed=number(check.observed, check.unit), limit=number(check.limit, check.unit), note=check.note
    )


def explain_block(failed: tuple[Check, ...]) -> tuple[str, str]:
    """Return the reasons of a block, and the sentence that says what would change the first of them."""
    spelled: list[str] = []
    for check in failed:
        words = sentence(check)
        if words not in spelled:
            spelled.append(words)
    reasons = "; ".join(spelled[:SPELLED_MAX])
    more = len(spelled) - SPELLED_MAX
    if more > 0:
        reasons += f"; {more} more {'reason' if more == 1 else 'reasons'}"
    control = _CONTROLS[failed[0].code]
    if control.key and failed[0].source == "none":
        section = "cash under [account]" if control.key == "cash_micros" else f"{_WRITTEN[control.key]} under [risk]"
        return reasons, f"To change that: write {section}."
    return reasons, f"To change that: {control.remedy}."


def limit_words(decided: Boot) -> tuple[str, ...]:
    """Return the limits in force as sentences for the boot."""
    if not decided.has_policy:
        return ("There is no risk policy, so no trade is allowed. To allow some: write a [risk] section.",)
    allowed = ", ".join(decided.allowed) or "none"
    by_key = {limit.key: limit for limit in decided.limits}
    known = [
        _limit(limit, by_key) for limit in decided.limits if limit.value is not None and limit.key != "order_window_ns"
    ]
    missing = [_WRITTEN.get(limit.key, "cash") for limit in decided.limits if limit.value is None]
    words = [f"Symbols that may be traded: {allowed}.", f"Limits in force: {', '.join(known)}."]
    if missing:
        words.append(f"Not written, so every entry is blocked: {', '.join(missing)}.")
    return tuple(words)


def _limit(limit: LimitInForce, by_key: Mapping[str, LimitInForce]) -> str:
    name = _WRITTEN.get(limit.key, limit.key.removesuffix("_micros"))
    window = by_key.get("order_window_ns") if limit.key == "max_order_count" else None
    each = f" in {number(window.value, window.unit)}" if window is not None else ""
    default = " (default)" if limit.source == "default" else ""
    return f"{name} {number(limit.value, limit.unit)}{each}{default}"
