"""Soft controls: a human may let one order past one of them once, and nothing of it helps against any other."""

from __future__ import annotations

import msgspec
import pytest
from tests.core_factory import (
    ASK_PX,
    BID_PX,
    Says,
    command,
    facts,
    headroom,
    leaving,
    limits,
    snapshot,
    state,
    stepped,
    wish,
)
from tests.gate_cases import CASES, NOTIONAL
from tests.gate_factory import BY_CODE, check, failed, leave, limit_of, without_limit
from tests.journal_factory import START_NS

from interlock.core.people import LEAVE_NS
from interlock.core.risk.engine import judge
from interlock.core.risk.facts import SOFT
from interlock.core.state import State
from interlock.core.step import Stepped
from interlock.model.market import MarketSnapshot
from interlock.model.orders import Side
from interlock.model.risk import ReasonCode, Verdict
from interlock.model.signals import Wish
from interlock.model.units import SECOND_NS

R = ReasonCode
SOFT_CODES = tuple(code for code, control in BY_CODE.items() if control.action == SOFT)
HARD_CODES = tuple(code for code in BY_CODE if code not in SOFT_CODES)
#: Above five shares a human must allow an order.
ASKED = limits(soft_order_notional_micros=5 * ASK_PX)


def codes_of(found: Stepped) -> tuple[ReasonCode, ...]:
    """Return what blocked the one decision of a cycle."""
    (decision,) = found.outputs.decisions
    return tuple(each.code for each in decision.failed())


def allowed(*, held: dict[str, int] | None = None) -> State:
    """Return the state after a human allowed the strategy's blocked wish for ten shares; it has not wished again."""
    blocked = stepped(state(in_force=ASKED, held=held), wish())
    return stepped(blocked.state, commands=(command("allow", about="000001-001", reason="I looked"),)).state


def wished_again(before: State, asked: Wish, *, who: str = "cross", market: MarketSnapshot | None = None) -> Stepped:
    """Live one more cycle in which a strategy wishes."""
    return stepped(before, strategies={who: Says(asked)}, market=market)


@pytest.mark.parametrize("code", SOFT_CODES)
def test_a_leave_lets_one_order_past_its_soft_control(code: ReasonCode) -> None:
    """The order passes, and the record says by whose leave, with what was read."""
    beyond = CASES[code]().beyond
    answer = judge(msgspec.structs.replace(beyond, leave=leave(code)))
    reading, before = check(answer, code), check(judge(beyond), code)

    assert () == failed(answer)
    assert ("leave", "human:ann allowed it once: it is a test") == (reading.source, reading.note)
    assert (before.observed, before.limit, True, True) == (
        reading.observed, reading.limit, reading.soft, reading.required,
    )  # fmt: skip


@pytest.mark.parametrize("code", SOFT_CODES)
def test_a_leave_is_for_at_most_what_the_human_saw(code: ReasonCode) -> None:
    """The reading that was blocked passes, and one unit more than it does not."""
    beyond = CASES[code]().beyond
    read = check(judge(beyond), code).observed
    assert read is not None
    answers = [judge(msgspec.structs.replace(beyond, leave=leave(code, observed=(most,)))) for most in (read, read - 1)]

    assert [(), (code,)] == [failed(answer) for answer in answers]


@pytest.mark.parametrize("observed", [(), (2**53, 2**53)])
def test_a_leave_whose_readings_do_not_match_its_codes_helps_nothing(observed: tuple[int, ...]) -> None:
    """What was seen of which control is not guessed."""
    code = R.ORDER_NOTIONAL_LARGE

    assert (code,) == failed(judge(msgspec.structs.replace(CASES[code]().beyond, leave=leave(code, observed=observed))))


@pytest.mark.parametrize("code", SOFT_CODES)
def test_a_leave_for_other_controls_does_not_help(code: ReasonCode) -> None:
    """It names the controls that it stands in for, and no others."""
    others = tuple(each for each in BY_CODE if each is not code)

    assert (code,) == failed(judge(msgspec.structs.replace(CASES[code]().beyond, leave=leave(*others))))


@pytest.mark.parametrize("code", SOFT_CODES)
def test_a_leave_does_not_help_where_nothing_can_be_read(code: ReasonCode) -> None:
    """A person lets a number through that they saw, never one that nobody knows."""
    case = CASES[code]()
    assert case.unfed is not None

    assert code in failed(judge(msgspec.structs.replace(case.unfed, leave=leave(*BY_CODE))))


@pytest.mark.parametrize("code", SOFT_CODES)
def test_a_leave_does_not_help_where_no_limit_is_written(code: ReasonCode) -> None:
    """Without a limit nobody knows how far beyond it the order is."""
    asked, key = facts(leave=leave(*BY_CODE)), BY_CODE[code].key

    assert [(code,)] * 2 == [failed(judge(each)) for each in (limit_of(asked, key, None), without_limit(asked, key))]


@pytest.mark.parametrize("code", HARD_CODES)
def test_a_leave_never_helps_a_hard_control(code: ReasonCode) -> None:
    """Whatever codes a leave names, what a hard control blocks stays blocked."""
    beyond = CASES[code]().beyond
    answer = judge(msgspec.structs.replace(beyond, leave=leave(*BY_CODE)))

    assert failed(judge(beyond)) == failed(answer)
    assert not answer.decision.is_soft_block


@pytest.mark.parametrize("code", SOFT_CODES)
def test_only_a_block_of_soft_controls_alone_may_be_allowed(code: ReasonCode) -> None:
    """One hard control beside it, and there is nothing that a person could let through."""
    beyond = CASES[code]().beyond
    hard = msgspec.structs.replace(beyond, known=False)

    assert (True, False) == (judge(beyond).decision.is_soft_block, judge(hard).decision.is_soft_block)


def test_a_leave_is_used_up_by_the_order_that_it_let_through() -> None:
    """The wish is blocked, a person allows it, it passes when it is wished again, and the next one is blocked."""
    before = allowed()
    passed = wished_again(before, wish())
    after = wished_again(passed.state, wish(limit_px=BID_PX))

    assert ((), 1, ()) == (codes_of(passed), len(before.leaves), passed.state.leaves)
    assert R.ORDER_NOTIONAL_LARGE in codes_of(after)


def test_a_leave_in_the_same_cycle_as_the_wish_counts() -> None:
    """People are heard before the strategies are."""
    blocked = stepped(state(in_force=ASKED), wish())
    again = stepped(blocked.state, wish(), commands=(command("allow", about="000001-001", reason="I looked"),))

    assert ((R.ORDER_NOTIONAL_LARGE,), ()) == (codes_of(blocked), codes_of(again))


def test_a_leave_that_was_not_needed_stays() -> None:
    """An order that passes by itself uses nothing up."""
    small = wished_again(allowed(), wish(order_qty=5))

    assert ((), 1) == (codes_of(small), len(small.state.leaves))


@pytest.mark.parametrize(("qty", "codes"), [(9, ()), (10, ()), (11, (R.ORDER_NOTIONAL_LARGE,))])
def test_a_leave_is_for_at_most_its_size(qty: int, codes: tuple[ReasonCode, ...]) -> None:
    """It lets the size pass that the person saw, and a smaller one."""
    assert codes == codes_of(wished_again(allowed(), wish(order_qty=qty)))


@pytest.mark.parametrize(
    ("who", "asked"),
    [
        ("other", wish()),
        ("cross", wish("IBM")),
        ("cross", wish(side=Side.SELL, limit_px=BID_PX)),
    ],
    ids=["strategy", "symbol", "side"],
)
def test_a_leave_is_for_this_strategy_symbol_and_side(who: str, asked: Wish) -> None:
    """It stands, and it does not help anyone or anything else."""
    before = allowed(held={"SPY": 20} if asked.side is Side.SELL else None)
    found = wished_again(before, asked, who=who)

    assert ((R.ORDER_NOTIONAL_LARGE,), before.leaves) == (codes_of(found), found.state.leaves)


@pytest.mark.parametrize(("late_ns", "codes"), [(-1, ()), (0, (R.ORDER_NOTIONAL_LARGE,))])
def test_a_leave_expires(late_ns: int, codes: tuple[ReasonCode, ...]) -> None:
    """Ten minutes of market time after it was given it is gone, used or not."""
    before = allowed()
    at_ns = START_NS + 2 * SECOND_NS + LEAVE_NS + late_ns

    assert codes == codes_of(wished_again(before, wish(), market=snapshot(3, as_of_ns=at_ns)))


def test_an_exit_needs_no_leave_and_uses_none_up() -> None:
    """A soft control never stands in an exit's way, so the leave that an entry waits for is still there after it."""
    given = leave(R.ORDER_NOTIONAL_LARGE, side=Side.SELL, order_qty=20)
    before = msgspec.structs.replace(state(in_force=ASKED, held={"SPY": 20}), leaves=(given,))
    found = stepped(before, leaving())
    (decision,) = found.outputs.decisions
    (reading,) = [each for each in decision.checks if each.code is R.ORDER_NOTIONAL_LARGE]

    assert (Verdict.APPROVED, (given,)) == (decision.verdict, found.state.leaves)
    assert (False, False) == (reading.passed, reading.required)


def test_a_leave_does_not_reach_the_orders_around_it() -> None:
    """What else is open counts all the same: a leave moves no limit."""
    crowded = facts(
        leave=leave(*BY_CODE), headroom=headroom(free_micros=0), limits=limits(soft_order_notional_micros=NOTIONAL - 1)
    )

    assert (R.CASH_INSUFFICIENT,) == failed(judge(crowded))
