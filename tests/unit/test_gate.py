"""The gate, from its own table: a control cannot come without a case here, and every case is tried on every side."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import pytest
from tests.core_factory import (
    ASK_PX,
    BID_PX,
    MID_PX,
    exit_facts,
    facts,
    headroom,
    holding,
    intent,
    latch,
    leaving,
    limits,
    quote,
    wish,
)
from tests.journal_factory import START_NS

from interlock.core.risk.controls import Control, Facts, Reading
from interlock.core.risk.decision import decide
from interlock.core.risk.engine import judge
from interlock.core.risk.headroom import RECENT_MAX, Approval, SymbolUse
from interlock.core.risk.limits import make_limits
from interlock.core.risk.rows import applying_codes, not_covered, required_codes
from interlock.core.risk.table import CONTROLS
from interlock.model.errors import InvariantError
from interlock.model.market import Provides
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass, Side, TimeInForce
from interlock.model.risk import Approved, ReasonCode, RiskDecision
from interlock.model.units import INTEGER_MAX, SECOND_NS

R = ReasonCode
NOTIONAL = 10 * ASK_PX
FEE = 1_000_000
AGO = START_NS - 10 * SECOND_NS
ABSENT = quote(present=False)


class Case(NamedTuple):
    """Facts at a control's limit, facts one unit beyond, and what takes its limit and its input away."""

    at: Facts
    beyond: Facts
    without_limit: Facts | None = None
    without_input: Facts | None = None


def buy(**changes: object) -> Facts:
    """Return facts about an entry whose wish has changed."""
    return facts(intent=intent(wish(**changes)))


def sell(qty: int) -> Facts:
    """Return facts about an entry that sells from a position of ten."""
    return facts(intent=intent(wish(side=Side.SELL, limit_px=BID_PX, order_qty=qty)), headroom=holding(10))


def limited(**written: int | None) -> Facts:
    """Return facts about an entry under changed limits."""
    return facts(limits=limits(**written))


def past(*, symbol: str = "SPY", at_ns: int = START_NS, qty: int = 10) -> Approval:
    """Return an approval of the recent past."""
    return Approval(at_ns, "cross", symbol, Side.BUY, qty, ASK_PX)


def after(*approvals: Approval, **written: int | None) -> Facts:
    """Return facts about an entry after some approvals."""
    return facts(headroom=headroom(recent=approvals), limits=limits(**written))


def market(bid_px: int, ask_px: int, *, limit_px: int = BID_PX) -> Facts:
    """Return facts about a passive entry in a market."""
    return facts(intent=intent(wish(limit_px=limit_px)), quote=quote(bid_px=bid_px, ask_px=ask_px))


def leaves(limit_px: int, **changes: object) -> Facts:
    """Return facts about an exit at a price, with ticks of one micro."""
    return exit_facts(intent=intent(leaving(limit_px=limit_px)), limits=limits(tick_size_px=1), **changes)


IN_IBM = headroom(uses={"IBM": SymbolUse(position_qty=5)}, own_position_qty={("cross", "IBM"): 5})
GROSS = NOTIONAL + 5 * MID_PX

#: One case a control; a new control without one fails `test_every_control_has_a_case`.
CASES: dict[ReasonCode, Callable[[], Case]] = {
    R.MODE_FORBIDS: lambda: Case(facts(mode=Mode.PAPER), facts(mode=Mode.LIVE)),
    R.POLICY_MISSING: lambda: Case(facts(), facts(limits=limits(has_policy=False))),
    R.TRADING_STATE: lambda: Case(facts(), facts(state=TradingState.REDUCING)),
    R.LATCHED: lambda: Case(
        facts(latches=(latch(scope="symbol:IBM"), latch(scope="strategy:other"))),
        facts(latches=(latch(scope="symbol:SPY"),)),
    ),
    R.IDENTITY: lambda: Case(facts(), facts(known=False)),
    R.ORDER_FORM: lambda: Case(buy(time_in_force=TimeInForce.IOC), buy(time_in_force=TimeInForce.GTC)),
    R.VALUE_NOT_POSITIVE: lambda: Case(buy(order_qty=1), buy(order_qty=0)),
    R.SYMBOL_NOT_ALLOWED: lambda: Case(
        facts(limits=limits(symbols=("SPY",))), facts(limits=limits(symbols=("IBM",))), facts(limits=limits(symbols=()))
    ),
    R.QUOTE_MISSING: lambda: Case(
        facts(quote=quote(bid_qty=1, ask_qty=1)),
        facts(quote=quote(bid_qty=1, ask_qty=0)),
        without_input=facts(quote=ABSENT),
    ),
    R.DATA_STALE: lambda: Case(
        facts(as_of_ns=START_NS + 2 * SECOND_NS),
        facts(as_of_ns=START_NS + 2 * SECOND_NS + 1),
        limited(max_quote_age_ns=None),
        facts(quote=ABSENT),
    ),
    R.MARKET_CROSSED: lambda: Case(
        market(MID_PX, MID_PX), market(MID_PX + 1, MID_PX), without_input=facts(quote=ABSENT)
    ),
    R.SYMBOL_HALTED: lambda: Case(facts(), facts(quote=quote(halted=True))),
    R.TICK_SIZE: lambda: Case(
        buy(limit_px=ASK_PX + 10_000), buy(limit_px=ASK_PX + 1), limited(tick_size_px=None), None
    ),
    R.LOT_SIZE: lambda: Case(limited(lot_size_qty=10), limited(lot_size_qty=11), limited(lot_size_qty=None), None),
    R.ORDER_QTY_MAX: lambda: Case(limited(max_order_qty=10), limited(max_order_qty=9), limited(max_order_qty=None)),
    R.ORDER_NOTIONAL_MAX: lambda: Case(
        limited(max_order_notional_micros=NOTIONAL),
        limited(max_order_notional_micros=NOTIONAL - 1),
        limited(max_order_notional_micros=None),
        facts(quote=ABSENT),
    ),
    R.PRICE_COLLAR: lambda: Case(
        facts(intent=intent(wish(limit_px=103_000_000)), limits=limits(tick_size_px=1)),
        facts(intent=intent(wish(limit_px=103_000_001)), limits=limits(tick_size_px=1)),
        limited(price_collar_bps=None),
        facts(quote=ABSENT),
    ),
    R.EXIT_COLLAR: lambda: Case(
        leaves(90_000_000),
        leaves(89_999_999),
        exit_facts(limits=limits(exit_collar_bps=None)),
        exit_facts(confirmed_px=0),
    ),
    R.SYMBOL_TAKEN: lambda: Case(
        facts(headroom=holding(0, strategy_id="other")), facts(headroom=holding(1, strategy_id="other"))
    ),
    R.SYMBOL_IN_DOUBT: lambda: Case(
        facts(headroom=headroom(uses={"IBM": SymbolUse(in_doubt=True)})),
        facts(headroom=headroom(uses={"SPY": SymbolUse(in_doubt=True)})),
    ),
    R.ORDER_DUPLICATE: lambda: Case(
        after(past(at_ns=AGO)), after(past(at_ns=AGO + 1)), limited(duplicate_window_ns=None)
    ),
    R.ORDER_RATE_MAX: lambda: Case(
        after(past(symbol="IBM"), past(symbol="AIG"), max_order_count=3),
        after(past(symbol="IBM"), past(symbol="AIG"), past(qty=9), max_order_count=3),
        limited(max_order_count=None),
        limited(order_window_ns=None),
    ),
    R.REDUCE_ONLY: lambda: Case(
        exit_facts(),
        exit_facts(intent=intent(leaving(order_qty=11))),
        without_input=exit_facts(headroom=headroom()),
    ),
    R.SHORT_SALE: lambda: Case(sell(10), sell(11)),
    R.POSITION_NOTIONAL_MAX: lambda: Case(
        limited(max_position_notional_micros=NOTIONAL),
        limited(max_position_notional_micros=NOTIONAL - 1),
        limited(max_position_notional_micros=None),
        facts(quote=ABSENT),
    ),
    R.GROSS_NOTIONAL_MAX: lambda: Case(
        facts(headroom=IN_IBM, limits=limits(max_gross_notional_micros=GROSS)),
        facts(headroom=IN_IBM, limits=limits(max_gross_notional_micros=GROSS - 1)),
        limited(max_gross_notional_micros=None),
        facts(headroom=IN_IBM, price_of=lambda _: 0),
    ),
    R.CASH_INSUFFICIENT: lambda: Case(
        facts(headroom=headroom(free_micros=NOTIONAL + FEE)),
        facts(headroom=headroom(free_micros=NOTIONAL + FEE - 1)),
        facts(limits=limits(cash=None)),
    ),
}
#: Controls without a written limit: a rule is never missing.
LIMITED = [code for code, case in CASES.items() if case().without_limit is not None]
FED = [code for code, case in CASES.items() if case().without_input is not None]
EVERY_CLASS = (OrderClass.ENTRY, OrderClass.EXIT)


def failed(answer: RiskDecision) -> tuple[ReasonCode, ...]:
    """Return what blocked, or nothing for an approval."""
    assert isinstance(answer, Approved) is (answer.decision.failed() == ())
    return tuple(check.code for check in answer.decision.failed())


def never(_: Facts) -> Reading:
    """Say no to everything."""
    return False, 1, 0, "never"


def raises(_: Facts) -> Reading:
    """Break."""
    raise ZeroDivisionError


def with_reading(read: Callable[[Facts], Reading], *codes: ReasonCode) -> tuple[Control, ...]:
    """Return the table with other functions behind some codes."""
    return tuple(
        msgspec.structs.replace(control, read=read) if control.code in codes else control for control in CONTROLS
    )


def of_class(order_class: OrderClass) -> Facts:
    """Return facts about an order of a class that every control lets pass."""
    return facts() if order_class is OrderClass.ENTRY else exit_facts()


def test_every_control_has_a_case() -> None:
    """A new control, or a new reason code, cannot come without being tried here."""
    assert set(CASES) == {control.code for control in CONTROLS} == set(ReasonCode)


@pytest.mark.parametrize("code", CASES)
def test_passes_at_the_limit(code: ReasonCode) -> None:
    """At its limit a control lets the order pass, and so does everything else."""
    assert () == failed(judge(CASES[code]().at))


@pytest.mark.parametrize("code", CASES)
def test_blocks_one_unit_beyond_and_alone(code: ReasonCode) -> None:
    """One unit beyond its limit a control blocks, although all the others pass."""
    assert (code,) == failed(judge(CASES[code]().beyond))


@pytest.mark.parametrize("code", LIMITED)
def test_blocks_without_its_limit(code: ReasonCode) -> None:
    """A limit that nobody wrote is not `no limit`."""
    assert (code,) == failed(judge(CASES[code]().without_limit or facts()))


@pytest.mark.parametrize("code", FED)
def test_blocks_without_its_input(code: ReasonCode) -> None:
    """What cannot be read has not passed."""
    assert code in failed(judge(CASES[code]().without_input or facts()))


@pytest.mark.parametrize("key", [control.key for control in CONTROLS if control.key])
def test_every_limited_control_is_tried_without_its_limit(key: str) -> None:
    """The list of cases without a limit has every control that reads one."""
    assert {control.code for control in CONTROLS if control.key == key} <= set(LIMITED)


@pytest.mark.parametrize("order_class", EVERY_CLASS)
@pytest.mark.parametrize("code", CASES)
def test_a_control_that_raises_has_said_no(code: ReasonCode, order_class: OrderClass) -> None:
    """A raising control blocks where it is required, is recorded where it is not, and says CHECK_RAISED."""
    answer = judge(of_class(order_class), controls=with_reading(raises, code))
    notes = [check.note for check in answer.decision.checks if check.code is code]

    assert ((code,) if code in required_codes(order_class) else ()) == failed(answer)
    assert ["CHECK_RAISED ZeroDivisionError"] * (code in applying_codes(order_class)) == notes


@pytest.mark.parametrize("order_class", EVERY_CLASS)
@pytest.mark.parametrize("code", CASES)
def test_only_its_own_required_failure_blocks(code: ReasonCode, order_class: OrderClass) -> None:
    """A failing control blocks exactly the classes that require it."""
    answer = judge(of_class(order_class), controls=with_reading(never, code))

    assert ((code,) if code in required_codes(order_class) else ()) == failed(answer)


@pytest.mark.parametrize("order_class", OrderClass)
@pytest.mark.parametrize("code", CASES)
def test_no_approval_without_the_whole_table(code: ReasonCode, order_class: OrderClass) -> None:
    """A table with a control removed approves nothing of a class to which it applies."""
    changed = msgspec.structs.replace(of_class(order_class).intent, order_class=order_class)
    asked = msgspec.structs.replace(of_class(order_class), intent=changed)
    short = tuple(control for control in CONTROLS if control.code is not code)
    if code not in applying_codes(order_class):
        assert judge(asked, controls=short).decision.checks == judge(asked).decision.checks
        return

    with pytest.raises(InvariantError, match=f"the gate evaluated .* controls that apply to {order_class}"):
        judge(asked, controls=short)


def test_an_empty_table_approves_nothing() -> None:
    """Without controls there is no decision at all."""
    with pytest.raises(InvariantError, match="evaluated 0 of"):
        judge(facts(), controls=())


def test_an_exit_passes_when_every_other_control_fails() -> None:
    """No control outside an exit's own short list can stand in the way out."""
    others = [control.code for control in CONTROLS if control.code not in required_codes(OrderClass.EXIT)]
    answer = judge(exit_facts(), controls=with_reading(never, *others))

    assert () == failed(answer)
    assert len(others) == sum(1 for check in answer.decision.checks if not check.passed)


def test_an_exit_passes_in_the_worst_of_markets() -> None:
    """Without a policy, latched, reducing, stale, halted, in doubt, at its rate, and without any quote: it leaves."""
    use = SymbolUse(position_qty=10, in_doubt=True)
    held = {("cross", "SPY"): 10, ("other", "SPY"): 0}
    crowded = headroom(uses={"SPY": use}, own_position_qty=held, free_micros=-1, recent=(past(),) * 2_000)
    answer = judge(
        exit_facts(
            state=TradingState.REDUCING,
            latches=(latch(), latch(scope="symbol:SPY")),
            quote=ABSENT,
            headroom=crowded,
            limits=make_limits(has_policy=False, symbols=(), written={}, cash_micros=None, bar_ns=0),
        )
    )

    assert () == failed(answer)


def test_an_exit_is_blocked_while_halted() -> None:
    """Only HALTED stops a strategy's exit."""
    assert (R.TRADING_STATE,) == failed(judge(exit_facts(state=TradingState.HALTED)))


def test_nothing_written_allows_nothing() -> None:
    """Default deny: no policy and no limits block an entry, and each missing number says so."""
    nothing = make_limits(has_policy=False, symbols=(), written={}, cash_micros=None, bar_ns=0)
    blocked_by = set(failed(judge(facts(limits=nothing))))

    assert {
        R.POLICY_MISSING, R.SYMBOL_NOT_ALLOWED, R.ORDER_QTY_MAX, R.ORDER_NOTIONAL_MAX, R.PRICE_COLLAR,
        R.POSITION_NOTIONAL_MAX, R.GROSS_NOTIONAL_MAX, R.CASH_INSUFFICIENT,
    } == blocked_by  # fmt: skip


def test_a_protective_order_is_never_approved() -> None:
    """Protection is not built yet, so nothing of its class passes."""
    answer = judge(facts(intent=intent(wish(order_class=OrderClass.PROTECTIVE))))

    assert R.ORDER_FORM in failed(answer)


def test_only_true_is_a_pass() -> None:
    """A reading that is merely truthy has not passed."""
    truthy = with_reading(lambda _: (1, 1, 1, ""), R.IDENTITY)  # type: ignore[arg-type,return-value]

    assert (R.IDENTITY,) == failed(judge(facts(), controls=truthy))


def test_a_reading_too_large_for_the_record_is_bounded() -> None:
    """Price times size of an absurd wish is blocked, and its record can still be written."""
    answer = judge(buy(order_qty=INTEGER_MAX, limit_px=INTEGER_MAX))
    seen = {check.code: check.observed for check in answer.decision.checks}

    assert INTEGER_MAX == seen[R.ORDER_NOTIONAL_MAX]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(answer.decision), type=type(answer.decision))


def test_a_window_that_is_too_full_to_remember_blocks() -> None:
    """More approvals than are remembered never read as few, whatever limit is written."""
    full = after(*(past(symbol="IBM"),) * RECENT_MAX, max_order_count=INTEGER_MAX)

    assert (R.ORDER_DUPLICATE, R.ORDER_RATE_MAX) == failed(judge(full))


def test_an_untold_halt_is_said_to_be_uncovered() -> None:
    """A source without halts cannot block for one, and the reading says that it is NOT COVERED."""
    blind = facts(provides=frozenset({Provides.QUOTES}))
    notes = {check.code: check.note for check in judge(blind).decision.checks}

    assert notes[R.SYMBOL_HALTED].startswith("NOT COVERED")
    assert ("SYMBOL_HALTED",) == not_covered(frozenset({Provides.QUOTES}))


def test_a_second_open_entry_is_a_duplicate() -> None:
    """An open entry of the same strategy, symbol and side blocks another at any price and size."""
    key = ("cross", "SPY", Side.BUY, OrderClass.ENTRY)

    assert (R.ORDER_DUPLICATE,) == failed(judge(facts(headroom=headroom(own_open_qty={key: 1}))))


def test_an_order_below_the_ask_counts_at_the_ask() -> None:
    """A low limit does not make an order or a position look small: the dearer of limit and ask counts."""
    low = facts(intent=intent(wish(limit_px=BID_PX)), limits=limits(max_order_notional_micros=NOTIONAL - 1))

    assert (R.ORDER_NOTIONAL_MAX,) == failed(judge(low))


def test_the_mint_trusts_no_reading_that_is_merely_truthy() -> None:
    """Also where the engine is wrong, only True is a pass."""
    checks = judge(facts()).decision.checks
    truthy = (msgspec.structs.replace(checks[0], passed=1), *checks[1:])
    answer = decide(facts().intent, quote=facts().quote, checks=truthy, mode=Mode.SIM)

    assert not isinstance(answer, Approved)
