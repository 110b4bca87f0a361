"""The gate as a whole: what it makes of a table, of a policy that nobody wrote, and of a source that tells little."""

from __future__ import annotations

import msgspec
import pytest
from tests.core_factory import ASK_PX, BID_PX, SYMBOLS, facts, headroom, intent, limits, order, quote, wish
from tests.gate_cases import ABSENT, CASES, NOTIONAL, buy
from tests.gate_factory import BY_CODE, EVERY_CLASS, check, failed, of_class, without
from tests.journal_factory import START_NS

from interlock.core.risk.decision import decide
from interlock.core.risk.engine import check_of, judge
from interlock.core.risk.limits import make_limits
from interlock.core.risk.rows import Row, applying_codes, not_covered, rows_for
from interlock.model.errors import InvariantError
from interlock.model.market import Provides
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass
from interlock.model.risk import Approved, Blocked, ReasonCode
from interlock.model.units import INTEGER_MAX

R = ReasonCode
#: What a source may not tell, and the controls that cannot speak then.
FEEDS = [
    (Provides.STATUS, (R.SYMBOL_HALTED,)),
    (Provides.BANDS, (R.PRICE_BANDS,)),
    (Provides.PREVIOUS_CLOSE, (R.CLOSE_COLLAR,)),
    (Provides.DAILY_VOLUME, (R.PARTICIPATION_DAY,)),
    (Provides.VOLUME, (R.PARTICIPATION_NOW,)),
    (Provides.SIZES, ()),
    (Provides.LAST, ()),
]


def sound(order_class: OrderClass) -> tuple[Row, ...]:
    """Return the table itself, for a class."""
    return rows_for(order_class, frozenset(Provides))


@pytest.mark.parametrize("order_class", OrderClass)
@pytest.mark.parametrize("code", CASES)
def test_no_approval_without_the_whole_table(code: ReasonCode, order_class: OrderClass) -> None:
    """A table with a control removed approves nothing of a class to which it applies: it is a bug, and it is said."""
    asked = of_class(order_class)
    asked = msgspec.structs.replace(asked, intent=msgspec.structs.replace(asked.intent, order_class=order_class))
    short = without(code, order_class=order_class)
    if code not in applying_codes(order_class):
        assert judge(asked, rows=short).decision.checks == judge(asked).decision.checks
        return

    with pytest.raises(InvariantError, match=f"the gate evaluated .* controls that apply to {order_class}"):
        judge(asked, rows=short)


@pytest.mark.parametrize("order_class", EVERY_CLASS)
def test_an_empty_table_approves_nothing(order_class: OrderClass) -> None:
    """Without controls there is no decision at all."""
    with pytest.raises(InvariantError, match="evaluated 0 of"):
        judge(of_class(order_class), rows=())


@pytest.mark.parametrize("order_class", EVERY_CLASS)
def test_a_table_with_a_control_twice_approves_nothing(order_class: OrderClass) -> None:
    """One that was asked twice does not stand in for another."""
    table = sound(order_class)

    for doubled in ((table[0], *table), (table[0], *table[:-1]), table[::-1]):
        with pytest.raises(InvariantError, match="the gate evaluated"):
            judge(of_class(order_class), rows=doubled)


def test_the_table_of_another_class_approves_nothing() -> None:
    """What an exit must pass is not what an entry must pass."""
    with pytest.raises(InvariantError, match="that apply to ENTRY"):
        judge(facts(), rows=sound(OrderClass.EXIT))


def test_a_required_control_that_is_marked_otherwise_approves_nothing() -> None:
    """A reading that claims not to be required is no reading of a required control."""
    checks = judge(facts()).decision.checks
    demoted = (msgspec.structs.replace(checks[0], required=False), *checks[1:])

    with pytest.raises(InvariantError, match="of the .* that it requires"):
        decide(facts().intent, quote=facts().quote, checks=demoted, mode=Mode.SIM)


@pytest.mark.parametrize("passed", [1, "yes", None, 1.0, [True]])
def test_the_mint_trusts_no_reading_that_is_merely_truthy(passed: object) -> None:
    """Also where the engine is wrong, only True is a pass."""
    checks = judge(facts()).decision.checks
    truthy = (msgspec.structs.replace(checks[0], passed=passed), *checks[1:])
    answer = decide(facts().intent, quote=facts().quote, checks=truthy, mode=Mode.SIM)

    assert Blocked is type(answer)


@pytest.mark.parametrize("order_class", EVERY_CLASS)
def test_every_check_is_recorded_in_the_order_of_the_table(order_class: OrderClass) -> None:
    """Nothing is cut short: a blocked order has as many readings as an approved one, in the same order."""
    answers = (judge(of_class(order_class)), judge(of_class(order_class, state=TradingState.HALTED, known=False)))
    codes = [tuple(each.code for each in answer.decision.checks) for answer in answers]

    assert [applying_codes(order_class)] * 2 == codes
    assert [code for code in BY_CODE if code in applying_codes(order_class)] == list(codes[0])


@pytest.mark.parametrize("code", CASES)
def test_a_control_by_itself_reads_what_the_whole_gate_reads(code: ReasonCode) -> None:
    """What the gate's test of itself asks one control is what judging asks all of them."""
    case = CASES[code]()
    for asked in (case.at, case.beyond, *([case.unfed] if case.unfed is not None else [])):
        table = rows_for(asked.intent.order_class, asked.provides)
        assert tuple(check_of(row, asked) for row in table) == judge(asked).decision.checks


def test_nothing_written_allows_nothing() -> None:
    """Default deny: no policy and no limits block an entry, and each missing number says so."""
    nothing = make_limits(has_policy=False, symbols=(), written={}, cash_micros=None, bar_ns=0)
    blocked_by = set(failed(judge(facts(limits=nothing))))
    unwritten = {R.POLICY_MISSING, R.SYMBOL_NOT_ALLOWED, R.CONCENTRATION_MAX, R.CONCENTRATION_LARGE}
    unwritten |= {code for code, control in BY_CODE.items() if control.key and nothing.value(control.key) is None}

    assert unwritten == blocked_by
    assert len(unwritten) >= 17


def test_a_policy_that_writes_only_its_existence_allows_nothing() -> None:
    """An empty [risk] has defaults for much, and lets no entry through: size and money have none."""
    empty = make_limits(has_policy=True, symbols=SYMBOLS, written={}, cash_micros=10**11, bar_ns=0)

    assert {
        R.ORDER_QTY_MAX, R.ORDER_NOTIONAL_MAX, R.ORDER_NOTIONAL_LARGE, R.PRICE_COLLAR, R.PRICE_COLLAR_WIDE,
        R.VALUE_MINUTE_MAX, R.POSITION_NOTIONAL_MAX, R.GROSS_NOTIONAL_MAX,
    } == set(failed(judge(facts(limits=empty))))  # fmt: skip


@pytest.mark.parametrize("side", [1, -1])
def test_a_protective_order_is_never_approved(side: int) -> None:
    """Protection is not built yet, so nothing of its class passes."""
    answer = judge(facts(intent=intent(wish(order_class=OrderClass.PROTECTIVE, stop_px=max(0, side) * BID_PX))))

    assert R.ORDER_FORM in failed(answer)


def test_a_wish_too_large_for_the_record_is_blocked_and_recorded() -> None:
    """Price times size of an absurd wish is blocked, and its record can still be written."""
    answer = judge(buy(order_qty=INTEGER_MAX, limit_px=INTEGER_MAX))

    assert INTEGER_MAX == check(answer, R.ORDER_NOTIONAL_MAX).observed
    assert answer.decision == msgspec.msgpack.decode(
        msgspec.msgpack.encode(answer.decision), type=type(answer.decision)
    )


def test_an_order_below_the_ask_counts_at_the_ask() -> None:
    """A low limit does not make an order or a position look small: the dearer of limit and ask counts."""
    low = facts(intent=intent(wish(limit_px=BID_PX)), limits=limits(max_order_notional_micros=NOTIONAL - 1))

    assert (R.ORDER_NOTIONAL_MAX,) == failed(judge(low))


def test_a_second_open_entry_is_a_duplicate() -> None:
    """An open entry of the same strategy, symbol and side blocks another at any price and size."""
    open_entry = headroom(orders=(order(limit_px=ASK_PX - 10_000, order_qty=3),))

    assert (R.ORDER_DUPLICATE,) == failed(judge(facts(headroom=open_entry)))


@pytest.mark.parametrize(("lacking", "codes"), FEEDS)
def test_what_a_source_does_not_tell_is_said_to_be_uncovered(lacking: Provides, codes: tuple[ReasonCode, ...]) -> None:
    """A control whose input does not come passes with a note, and no other control changes its answer."""
    provides = frozenset(Provides) - {lacking}
    blind, seeing = judge(facts(provides=provides)), judge(facts())
    notes = {each.code: each.note for each in blind.decision.checks if each != check(seeing, each.code)}

    assert Approved is type(blind)
    assert codes == tuple(notes)
    assert {f"NOT COVERED: the source does not tell {lacking.replace('_', ' ')}"} >= set(notes.values())
    assert tuple(code.value for code in codes) == not_covered(provides)


@pytest.mark.parametrize(("lacking", "codes"), FEEDS)
def test_an_uncovered_control_cannot_block(lacking: Provides, codes: tuple[ReasonCode, ...]) -> None:
    """What nobody tells is not guessed from what is there; only the controls that need it are silent."""
    provides = frozenset(Provides) - {lacking}
    answers = {code: failed(judge(msgspec.structs.replace(CASES[code]().beyond, provides=provides))) for code in CASES}

    assert set(codes) == {code for code, blocked_by in answers.items() if code not in blocked_by}


def test_a_source_without_quotes_lets_nothing_in() -> None:
    """Quotes are vital: a source that tells none leaves every control that reads them blocking."""
    silent = facts(quote=ABSENT)
    untold = judge(msgspec.structs.replace(silent, provides=frozenset()))

    assert failed(judge(silent)) == failed(untold)
    assert {R.QUOTE_MISSING, R.DATA_STALE, R.ORDER_NOTIONAL_MAX, R.GROSS_NOTIONAL_MAX} <= set(failed(untold))


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        (R.DATA_STALE, {"quote": quote(event_ns=START_NS + 1)}),
        (R.FEED_STALE, {"feed_ns": START_NS + 1}),
        (R.POSITION_STALE, {"position_age_ns": -1}),
    ],
)
def test_an_age_below_zero_is_no_age(code: ReasonCode, changes: dict[str, object]) -> None:
    """What comes from the future is smaller than every limit, and would be fresh for ever: it is unknown, and a no."""
    check = next(each for each in judge(facts(**changes)).decision.checks if each.code is code)

    assert (False, None) == (check.passed, check.observed)
    assert check.note
