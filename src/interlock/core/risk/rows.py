"""What follows from the table: which controls are evaluated for which class of order, and which of them it must pass.

Floor 1 (decisions). Pure values, made once from the table: they are read for every intent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec

from interlock.core.risk.facts import SOFT, Control, Measure, Rule
from interlock.core.risk.table import CONTROLS
from interlock.model.market import Provides
from interlock.model.orders import OrderClass
from interlock.model.risk import Check, ReasonCode

#: What no order can be judged without: a source that lacks it leaves the controls that read it blocking.
_VITAL = frozenset({Provides.QUOTES})


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One control for one class of order and one source.

    Attributes:
        control: the line of the table.
        required: True if this class must pass it.
        soft: True if a human's leave may stand in for it.
        passed: the check of a rule without a number that is kept, made once; None where numbers are shown.
        uncovered: the check of a control whose input the source does not provide, else None.
    """

    control: Control
    required: bool
    soft: bool
    passed: Check | None
    uncovered: Check | None


def rows_of(
    controls: tuple[Control, ...], order_class: OrderClass, *, provides: frozenset[Provides]
) -> tuple[Row, ...]:
    """Return the controls that are evaluated for a class of order, in order."""
    return tuple(_row(control, order_class, provides) for control in controls if order_class in control.applies_to)


@lru_cache(maxsize=64)
def rows_for(order_class: OrderClass, provides: frozenset[Provides]) -> tuple[Row, ...]:
    """Return the rows of the table itself; they are the same each time."""
    return rows_of(CONTROLS, order_class, provides=provides)


#: A row, spread out so that nothing of it is looked up again for each intent: the row, the check that is settled
#: whatever the facts are, the rule, the check of a rule that is kept, the measure, its key, which way it is looked at,
#: the code, whether it is required, the unit, whether it is soft.
Line = tuple[Row, Check | None, Rule | None, Check | None, Measure | None, str, bool, ReasonCode, bool, str, bool]


def lines_of(rows: tuple[Row, ...]) -> tuple[Line, ...]:
    """Return the rows, spread out."""
    return tuple(
        (
            row,
            row.uncovered,
            row.control.rule,
            row.passed,
            row.control.measure,
            row.control.key,
            row.control.is_least,
            row.control.code,
            row.required,
            row.control.unit,
            row.soft,
        )
        for row in rows
    )


@lru_cache(maxsize=64)
def lines_for(order_class: OrderClass, provides: frozenset[Provides]) -> tuple[Line, ...]:
    """Return the rows of the table itself, spread out; they are the same each time."""
    return lines_of(rows_for(order_class, provides))


def _row(control: Control, order_class: OrderClass, provides: frozenset[Provides]) -> Row:
    required = order_class in control.required_for
    lacking = sorted(control.needs - provides - _VITAL)
    note = f"NOT COVERED: the source does not tell {' and '.join(lacking).replace('_', ' ')}"
    uncovered = Check(control.code, True, required, None, None, control.unit, "rule", note) if lacking else None  # noqa: FBT003
    kept = Check(control.code, True, required, 1, 1, control.unit, "rule", "")  # noqa: FBT003
    return Row(
        control=control,
        required=required,
        soft=control.action == SOFT,
        passed=kept if control.rule is not None and not control.key else None,
        uncovered=uncovered,
    )


_REQUIRED: Mapping[OrderClass, tuple[ReasonCode, ...]] = MappingProxyType(
    {one: tuple(control.code for control in CONTROLS if one in control.required_for) for one in OrderClass}
)
_APPLYING: Mapping[OrderClass, tuple[ReasonCode, ...]] = MappingProxyType(
    {one: tuple(control.code for control in CONTROLS if one in control.applies_to) for one in OrderClass}
)


def required_codes(order_class: OrderClass) -> tuple[ReasonCode, ...]:
    """Return the codes that an order of this class must pass, in the table's order."""
    return _REQUIRED[order_class]


def applying_codes(order_class: OrderClass) -> tuple[ReasonCode, ...]:
    """Return the codes that are evaluated and recorded for an order of this class, in the table's order."""
    return _APPLYING[order_class]


def not_covered(provides: frozenset[Provides]) -> tuple[str, ...]:
    """Return the codes of the controls whose input a source does not provide.

    Args:
        provides: what the source can tell.

    Returns:
        The codes in the table's order; such a control cannot speak, and the book says what that means.
    """
    return tuple(control.code.value for control in CONTROLS if not control.needs <= provides)
