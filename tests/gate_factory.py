"""What the tests of the gate share: facts of each class, the table with one control changed, and what blocked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from tests.core_factory import exit_facts, facts

from interlock.core.risk.facts import Control, Facts, sized
from interlock.core.risk.rows import Row, rows_for, rows_of
from interlock.core.risk.table import CONTROLS
from interlock.model.journal import LimitInForce
from interlock.model.market import Provides
from interlock.model.orders import OrderClass, Side
from interlock.model.risk import Approved, Check, Leave, ReasonCode, RiskDecision
from interlock.model.units import INTEGER_MAX

#: Every control by its code.
BY_CODE: Mapping[ReasonCode, Control] = {control.code: control for control in CONTROLS}
#: Classes of which something can pass today.
EVERY_CLASS = (OrderClass.ENTRY, OrderClass.EXIT)


def of_class(order_class: OrderClass, **changes: object) -> Facts:
    """Return facts about an order of a class that every control lets pass."""
    return facts(**changes) if order_class is OrderClass.ENTRY else exit_facts(**changes)


def failed(answer: RiskDecision) -> tuple[ReasonCode, ...]:
    """Return what blocked, or nothing for an approval."""
    assert isinstance(answer, Approved) is (answer.decision.failed() == ())
    return tuple(check.code for check in answer.decision.failed())


def check(answer: RiskDecision, code: ReasonCode) -> Check:
    """Return the one reading of a control."""
    (found,) = [each for each in answer.decision.checks if each.code is code]
    return found


def remade(
    make: Callable[[Control], Control], *codes: ReasonCode, order_class: OrderClass = OrderClass.ENTRY
) -> tuple[Row, ...]:
    """Return the table for a class with some controls made anew."""
    controls = tuple(make(control) if control.code in codes else control for control in CONTROLS)
    return rows_of(controls, order_class, provides=frozenset(Provides))


def answering(answer: Callable[[Facts], object], *codes: ReasonCode, order_class: OrderClass) -> tuple[Row, ...]:
    """Return the table for a class in which some controls answer what they are told, whatever the facts are."""

    def made(control: Control) -> Control:
        part = "rule" if control.measure is None else "measure"
        return msgspec.structs.replace(control, **{part: answer})

    return remade(made, *codes, order_class=order_class)


def says_no(*codes: ReasonCode, order_class: OrderClass) -> tuple[Row, ...]:
    """Return the table for a class in which some controls always say no."""
    return answering(lambda _: "it always says no", *codes, order_class=order_class)


def says_yes(*codes: ReasonCode, order_class: OrderClass) -> tuple[Row, ...]:
    """Return the table for a class in which some controls let everything pass: their limit is always just reached."""

    def made(control: Control) -> Control:
        if control.measure is None:
            return msgspec.structs.replace(control, rule=lambda _: True)
        return msgspec.structs.replace(control, measure=lambda asked: asked.limits[control.key].value)

    return remade(made, *codes, order_class=order_class)


def without(code: ReasonCode, *, order_class: OrderClass) -> tuple[Row, ...]:
    """Return the table for a class with a control taken out of it."""
    return tuple(row for row in rows_for(order_class, frozenset(Provides)) if row.control.code is not code)


def limit_of(asked: Facts, key: str, value: object) -> Facts:
    """Return facts under which a limit has a value, of whatever type, whoever wrote it."""
    limit = asked.limits.get(key, LimitInForce(key=key, value=None, unit="count", source="config"))
    held = msgspec.structs.replace(limit, value=value)
    return msgspec.structs.replace(asked, limits={**asked.limits, key: held})


def without_limit(asked: Facts, key: str) -> Facts:
    """Return facts that know of no such limit at all."""
    return msgspec.structs.replace(asked, limits={name: each for name, each in asked.limits.items() if name != key})


def observed(asked: Facts, code: ReasonCode) -> int | str:
    """Return what a control measures."""
    measure = BY_CODE[code].measure
    assert measure is not None
    return measure(sized(asked))


def leave(*codes: ReasonCode, **changes: object) -> Leave:
    """Return a human's leave for the wish of the factory to pass these codes once."""
    given = Leave(
        decision_id="000001-001",
        strategy_id="cross",
        symbol="SPY",
        side=Side.BUY,
        order_qty=10,
        codes=codes,
        observed=(INTEGER_MAX,) * len(codes),
        expires_ns=2**62,
        by="human:ann",
        reason="it is a test",
    )
    return msgspec.structs.replace(given, **changes)
