"""How a number of the gate is written for a person, unit by unit.

Floor 1 (decisions), and pure: latches hold sentences, and the story says the same ones.
On the trip: wherever a limit or a reading is told.
"""

from __future__ import annotations

from interlock.model.units import duration, money, percent, shares


def number(value: int | None, unit: str) -> str:
    """Write a reading with its unit; an unknown one is called unknown.

    Examples:
        >>> number(150, "x100"), number(None, "qty"), number(90 * 10**9, "ns")
        ('1.50 x', 'unknown', '90 s')
    """
    if value is None:
        return "unknown"
    if unit in ("px", "micros"):
        return money(value)
    if unit == "qty":
        return shares(value)
    if unit == "ns":
        return duration(value)
    if unit == "x100":
        return f"{value // 100:,}.{value % 100:02d} x"
    return percent(value) if unit == "bps" else f"{value:,}"
