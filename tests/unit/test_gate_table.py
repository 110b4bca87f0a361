"""Every control of the table, tried on every side from the table itself: a new one cannot come without it."""

from __future__ import annotations

from decimal import Decimal
from string import Formatter

import msgspec
import numpy as np
import pytest
from tests.gate_cases import CASES
from tests.gate_factory import (
    BY_CODE,
    EVERY_CLASS,
    answering,
    check,
    failed,
    limit_of,
    observed,
    of_class,
    remade,
    says_no,
    without_limit,
)

from interlock.core.risk.engine import judge
from interlock.core.risk.facts import HARD, SOFT, THROTTLE, Control, Facts
from interlock.core.risk.keys import KEYS
from interlock.core.risk.rows import applying_codes, required_codes
from interlock.core.risk.table import CONTROLS
from interlock.core.sessions import Place
from interlock.core.words import number
from interlock.model.orders import OrderClass
from interlock.model.risk import Check, ReasonCode, RiskDecision

#: A place in a session that begins and ends.
NOON = Place(is_open=True, since_open_ns=10**13, until_close_ns=10**13, sessions_left=100, date="2013-10-07")


class Odd(str):
    """A text that is not exactly a text."""

    __slots__ = ()


class Loud(str):
    """A text that breaks what asks it for words."""

    __slots__ = ()

    def __str__(self) -> str:
        """Break."""
        raise ZeroDivisionError


#: What is no whole number: an unknown reading, and everything that only looks like a number.
NO_NUMBERS = (
    "unknown", "", Odd("1"), Loud("1"), float("nan"), float("inf"), float("-inf"), 1.0, -1e300, True, False, None,
    Decimal(1), Decimal("NaN"), np.int64(1), b"1", (1,), object(),
)  # fmt: skip
#: What is no yes.
NO_YESES = (1, 1.0, "yes", "", None, False, np.True_, Odd("yes"), object(), [True], float("nan"))

#: Each control with each class that it can block.
REQUIRED = [(code, one) for one in EVERY_CLASS for code in required_codes(one)]
MEASURED = [(code, one) for code, one in REQUIRED if BY_CODE[code].measure is not None]
RULED = [(code, one) for code, one in REQUIRED if BY_CODE[code].measure is None]
KEYED = [(code, one) for code, one in REQUIRED if BY_CODE[code].key]
RECORDED = [(code, one) for one in EVERY_CLASS for code in applying_codes(one) if code not in required_codes(one)]


def at_its_limit(code: ReasonCode, order_class: OrderClass, *, beyond: int = 0) -> Facts:
    """Return sound facts under which a control reads exactly its limit, or lies so many units beyond it."""
    asked = of_class(order_class, place=NOON)
    value = observed(asked, code)
    assert type(value) is int
    control = BY_CODE[code]
    return limit_of(asked, control.key, value + beyond if control.is_least else value - beyond)


def answered(answers: tuple[object, ...], code: ReasonCode, order_class: OrderClass) -> list[RiskDecision]:
    """Return what the gate says if a control answers each of these."""
    asked = of_class(order_class)
    return [
        judge(asked, rows=answering(lambda _, answer=answer: answer, code, order_class=order_class))
        for answer in answers
    ]


def breaks(_: Facts) -> int:
    """Break."""
    raise ZeroDivisionError


def said(asked: Check) -> Check:
    """Return a check as it comes back from a record."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(asked), type=Check)


def test_every_control_has_a_case() -> None:
    """Codes, controls and cases are the same: neither comes without the others."""
    assert set(ReasonCode) == {control.code for control in CONTROLS} == set(CASES)
    assert len(ReasonCode) == len(CONTROLS)


def test_every_control_can_block_something() -> None:
    """No control is only for show, and none can block what it is not asked about."""
    assert {control.code for control in CONTROLS} == {code for code, _ in REQUIRED}
    assert not [control.code for control in CONTROLS if control.required_for - control.applies_to]


@pytest.mark.parametrize("code", CASES)
def test_passes_at_the_limit(code: ReasonCode) -> None:
    """With true numbers: at its limit a control lets the order pass, and so does everything else."""
    assert () == failed(judge(CASES[code]().at))


@pytest.mark.parametrize("code", CASES)
def test_blocks_one_unit_beyond_and_alone(code: ReasonCode) -> None:
    """With true numbers: one unit beyond its limit a control blocks, although the others pass."""
    case = CASES[code]()

    assert {code, *case.also} == set(failed(judge(case.beyond)))


@pytest.mark.parametrize("code", [code for code, case in CASES.items() if case().unfed is not None])
def test_blocks_where_its_input_is_missing(code: ReasonCode) -> None:
    """What cannot be read has not passed, and is recorded as unknown with a reason."""
    unfed = CASES[code]().unfed
    assert unfed is not None
    reading = check(judge(unfed), code)

    assert (False, True) == (reading.passed, reading.required)
    assert reading.note
    assert BY_CODE[code].measure is None or reading.observed is None


def test_every_control_that_needs_the_market_is_tried_without_it() -> None:
    """Each control that a source must feed has a case in which the source is silent, but for a flag it sends."""
    fed = {control.code for control in CONTROLS if control.needs} - {ReasonCode.SYMBOL_HALTED}

    assert set() == {code for code in fed if CASES[code]().unfed is None}


@pytest.mark.parametrize(("code", "order_class"), MEASURED)
def test_a_measure_passes_at_exactly_what_it_reads(code: ReasonCode, order_class: OrderClass) -> None:
    """A limit itself is allowed, whatever it is."""
    answer = judge(at_its_limit(code, order_class))
    reading = check(answer, code)

    assert () == failed(answer)
    assert (True, reading.limit) == (reading.passed, reading.observed)


@pytest.mark.parametrize(("code", "order_class"), MEASURED)
def test_a_measure_blocks_one_unit_beyond(code: ReasonCode, order_class: OrderClass) -> None:
    """One unit is enough, and the block says what was read and what the limit is."""
    answer = judge(at_its_limit(code, order_class, beyond=1))
    reading = check(answer, code)

    assert (code,) == failed(answer)
    assert 1 == abs((reading.observed or 0) - (reading.limit or 0))


@pytest.mark.parametrize(("code", "order_class"), RULED)
def test_a_rule_blocks_its_own_violation(code: ReasonCode, order_class: OrderClass) -> None:
    """Sound facts pass a rule, and those that it brings as its violation do not."""
    violate = BY_CODE[code].violate
    assert violate is not None

    assert () == failed(judge(of_class(order_class)))
    assert code in failed(judge(violate(of_class(order_class))))


@pytest.mark.parametrize(("code", "order_class"), KEYED)
def test_blocks_without_its_limit(code: ReasonCode, order_class: OrderClass) -> None:
    """A limit that nobody wrote is not `no limit`: neither where it has no value nor where it is not there."""
    asked, key = of_class(order_class), BY_CODE[code].key
    readings = [check(judge(each), code) for each in (limit_of(asked, key, None), without_limit(asked, key))]

    assert [(False, None), (False, None)] == [(reading.passed, reading.limit) for reading in readings]


@pytest.mark.parametrize(("code", "order_class"), KEYED)
def test_blocks_where_its_limit_is_no_whole_number(code: ReasonCode, order_class: OrderClass) -> None:
    """A limit of another type is no limit, and the record of it can be written."""
    asked = of_class(order_class)
    readings = [check(judge(limit_of(asked, BY_CODE[code].key, value)), code) for value in NO_NUMBERS]

    assert [(False, None)] * len(NO_NUMBERS) == [(reading.passed, reading.limit) for reading in readings]
    assert readings == [said(reading) for reading in readings]


@pytest.mark.parametrize(("code", "order_class"), MEASURED)
def test_blocks_where_its_measure_is_no_whole_number(code: ReasonCode, order_class: OrderClass) -> None:
    """NaN, an infinity, a float, a flag, a text: none of them is inside a limit, and each can be recorded."""
    decided = answered(NO_NUMBERS, code, order_class)
    readings = [check(each, code) for each in decided]

    assert [(code,)] * len(NO_NUMBERS) == [failed(each) for each in decided]
    assert [(None, reading) for reading in readings] == [(reading.observed, said(reading)) for reading in readings]


@pytest.mark.parametrize(("code", "order_class"), RULED)
def test_blocks_where_its_rule_says_anything_but_true(code: ReasonCode, order_class: OrderClass) -> None:
    """What is merely truthy is no yes, and each can be recorded."""
    decided = answered(NO_YESES, code, order_class)
    readings = [check(each, code) for each in decided]

    assert [(code,)] * len(NO_YESES) == [failed(each) for each in decided]
    assert readings == [said(reading) for reading in readings]


@pytest.mark.parametrize(("code", "order_class"), [*REQUIRED, *RECORDED])
def test_a_control_that_raises_has_said_no(code: ReasonCode, order_class: OrderClass) -> None:
    """A raising control blocks where it is required, is recorded where it is not, and says CHECK_RAISED."""
    decided = judge(of_class(order_class), rows=answering(breaks, code, order_class=order_class))

    assert ((code,) if code in required_codes(order_class) else ()) == failed(decided)
    assert "CHECK_RAISED ZeroDivisionError" == check(decided, code).note


@pytest.mark.parametrize(
    ("code", "order_class"), [pair for pair in (*REQUIRED, *RECORDED) if BY_CODE[pair[0]].measure is not None]
)
def test_a_control_whose_words_raise_has_said_no(code: ReasonCode, order_class: OrderClass) -> None:
    """Also what only explains a no cannot turn it into anything else."""

    def loud(control: Control) -> Control:
        worst = -(2**70) if control.is_least else 2**70
        return msgspec.structs.replace(control, measure=lambda _: worst, explains=breaks)

    decided = judge(of_class(order_class), rows=remade(loud, code, order_class=order_class))

    assert ((code,) if code in required_codes(order_class) else ()) == failed(decided)


@pytest.mark.parametrize(("code", "order_class"), [*REQUIRED, *RECORDED])
def test_blocks_its_own_classes_and_is_recorded_elsewhere(code: ReasonCode, order_class: OrderClass) -> None:
    """A control that says no stops exactly the classes that require it; every other record tells it all the same."""
    decided = judge(of_class(order_class), rows=says_no(code, order_class=order_class))
    is_required = code in required_codes(order_class)
    reading = check(decided, code)

    assert ((code,) if is_required else ()) == failed(decided)
    assert (False, is_required) == (reading.passed, reading.required)


@pytest.mark.parametrize("far", [2**63, 2**200])
@pytest.mark.parametrize(("code", "order_class"), MEASURED)
def test_a_reading_too_large_for_a_record_is_bounded(code: ReasonCode, order_class: OrderClass, far: int) -> None:
    """A number beyond what a record holds blocks or passes as it is, and is written as the largest there is."""
    side = 1 if BY_CODE[code].is_least else -1
    asked = of_class(order_class)
    answers = [
        judge(asked, rows=answering(lambda _, far=far: far, code, order_class=order_class))
        for far in (side * far, -side * far)
    ]
    readings = [check(answer, code) for answer in answers]

    assert [(), (code,)] == [failed(answer) for answer in answers]
    assert readings == [said(reading) for reading in readings]


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.code)
def test_a_control_is_whole(control: Control) -> None:
    """It has a measure with a limit or a rule with a violation, a known key in its unit, and a known action."""
    key = KEYS.get(control.key)

    assert (control.measure is None) is not (control.rule is None)
    assert control.rule is None or control.violate is not None
    assert (key is not None) if control.key or control.measure is not None else key is None
    assert key is None or control.unit == key.unit
    assert control.action in (HARD, SOFT, THROTTLE)
    assert control.scope in ("order", "symbol", "strategy", "group", "account")
    assert control.name
    assert control.remedy


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.code)
def test_a_control_can_say_why(control: Control) -> None:
    """Its sentence takes a reading, a limit and a note, and names its numbers where it has some."""
    named = {name for _, name, _, _ in Formatter().parse(control.says) if name is not None}
    words = control.says.format(observed=number(7, control.unit), limit=number(None, control.unit), note="so it is")

    assert named <= {"observed", "limit", "note"}
    assert ({"observed", "limit"} if control.measure is not None else {"note"}) <= named
    assert "{" not in words
