"""What follows from the table: which controls are evaluated for which class of order, and which of them it must pass.

Floor 1 (decisions). Pure values, made once from the table: they are read for every intent.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from interlock.core.risk.controls import Control
from interlock.core.risk.table import CONTROLS
from interlock.model.market import Provides
from interlock.model.orders import OrderClass
from interlock.model.risk import ReasonCode


def rows_of(controls: tuple[Control, ...], order_class: OrderClass) -> tuple[tuple[Control, bool], ...]:
    """Return the controls that are evaluated for a class of order, in order, each with whether it is required."""
    return tuple(
        (control, order_class in control.required_for) for control in controls if order_class in control.applies_to
    )


#: The rows of each class, made once: they are read for every intent.
ROWS: Mapping[OrderClass, tuple[tuple[Control, bool], ...]] = MappingProxyType(
    {order_class: rows_of(CONTROLS, order_class) for order_class in OrderClass}
)
_REQUIRED = MappingProxyType(
    {order_class: tuple(control.code for control, required in rows if required) for order_class, rows in ROWS.items()}
)
_APPLYING = MappingProxyType(
    {order_class: tuple(control.code for control, _ in rows) for order_class, rows in ROWS.items()}
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
