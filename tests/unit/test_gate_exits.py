"""Exits are judged by a law of their own: no rule of ours keeps anyone in a position, and no exit opens one."""

from __future__ import annotations

from itertools import combinations, product

import msgspec
import pytest
from tests.core_factory import (
    BID_PX,
    MID_PX,
    SYMBOLS,
    exit_facts,
    facts,
    headroom,
    intent,
    latch,
    leaving,
    limits,
    order,
    quote,
    snapshot,
    state,
    stepped,
    wish,
)
from tests.gate_cases import ABSENT, CASES
from tests.gate_factory import answering, check, failed, says_no
from tests.journal_factory import START_NS

from interlock.core.conduct import MINUTE_NS, added, spelled
from interlock.core.risk.engine import judge
from interlock.core.risk.facts import Facts
from interlock.core.risk.headroom import SymbolUse
from interlock.core.risk.keys import KEYS, LESS, MORE
from interlock.core.risk.limits import make_limits
from interlock.core.risk.rows import applying_codes, required_codes
from interlock.core.sessions import Place
from interlock.core.step import Stepped
from interlock.core.tape import SymbolTape
from interlock.model.conduct import Conduct, Counters, Window
from interlock.model.market import SymbolReference
from interlock.model.mode import TradingState
from interlock.model.orders import OrderClass, OrdType, Side
from interlock.model.risk import ReasonCode
from interlock.model.signals import OrderIntent
from interlock.model.units import SECOND_NS, duration

R = ReasonCode
EXIT = OrderClass.EXIT
#: All that may stand in an exit's way; every other control is only recorded.
MUST_PASS = (
    R.MODE_FORBIDS, R.TRADING_STATE, R.IDENTITY, R.ORDER_FORM, R.MARKET_UNBOUNDED, R.VALUE_NOT_POSITIVE, R.TICK_SIZE,
    R.LOT_SIZE, R.EXIT_COLLAR, R.POSITION_STALE, R.REDUCE_ONLY,
)  # fmt: skip
OTHERS = tuple(code for code in applying_codes(EXIT) if code not in MUST_PASS)
DAY_NS = 86_400 * SECOND_NS
#: Limits that an exit is judged by itself, and rules of the instrument.
ITS_OWN = ("exit_collar_bps", "tick_size_px", "lot_size_qty", "max_position_age_ns", "market_bound_bps")
NOTHING_ALLOWED = {
    name: 0 if key.stricter == LESS else 2**52
    for name, key in KEYS.items()
    if key.stricter in (LESS, MORE) and name not in ITS_OWN
}
USE = SymbolUse(position_qty=10)
OWN = {("cross", "SPY"): USE}
DOUBTED = headroom(uses={"SPY": msgspec.structs.replace(USE, in_doubt=True)}, own=OWN)
CROWDED = headroom(
    held={("cross", "SPY"): 10},
    orders=tuple(order(f"000001-{number:03d}", order_qty=9_999) for number in range(100, 140)),
)
BUSY = Conduct(
    minute=added(Window(), at_ns=START_NS, span_ns=MINUTE_NS, value=2**50),
    sent=((START_NS, 2**40),),
    throttled=(START_NS,) * 99,
)
COUNTERS = Counters(
    attempts_day=(2**50, 2**40),
    entries_day=2**40,
    sent=((START_NS, 2**40),),
    same={spelled(intent(leaving())): START_NS},
)

#: What may be wrong with the world, and an exit leaves all the same.
BAD_STATES: dict[str, dict[str, object]] = {
    "latched": {"latches": (latch(), latch("L2", scope="symbol:SPY"), latch("L3", scope="strategy:cross"))},
    "reducing": {"state": TradingState.REDUCING},
    "unproved": {"proved_ns_ago": None},
    "stale": {"as_of_ns": START_NS + DAY_NS},
    "without a quote": {"quote": ABSENT},
    "half a quote": {"quote": quote(bid_px=0, bid_qty=0)},
    "crossed": {"quote": quote(bid_px=MID_PX * 2)},
    "halted": {"quote": quote(halted=True)},
    "a silent feed": {"feed_ns": 0, "feed_faults": 10**6},
    "closed": {"place": Place(is_open=False, since_open_ns=0, until_close_ns=0, sessions_left=0, date="")},
    "paused": {"tape": SymbolTape(confirmed_px=MID_PX, paused_until_ns=START_NS + DAY_NS)},
    "split": {"tape": SymbolTape(confirmed_px=MID_PX, is_split=True)},
    "outside its bands": {"reference": SymbolReference(close_px=0, adv_qty=0, band_low_px=1, band_high_px=1)},
    "in doubt": {"headroom": DOUBTED},
    "crowded": {"headroom": CROWDED},
    "busy": {"conduct": BUSY, "counters": COUNTERS},
    "over every limit": {"limits": limits(**NOTHING_ALLOWED)},
    "without a policy": {
        "limits": make_limits(has_policy=False, symbols=(), written={}, cash_micros=None, bar_ns=0),
    },
    "restricted": {"limits": limits(symbols=(), restricted=SYMBOLS)},
    "without cash": {"headroom": headroom(held={("cross", "SPY"): 10}, free_micros=-(10**12))},
    "without equity": {"equity_micros": None},
    "without a price elsewhere": {
        "headroom": headroom(held={("cross", "SPY"): 10, ("cross", "IBM"): 5}, price_of=lambda _: 0)
    },
    "another strategy in it": {"headroom": headroom(held={("cross", "SPY"): 10, ("other", "SPY"): 10})},
}


def cut(qty: int, **written: int) -> Stepped:
    """Live one cycle in which an exit of so many shares, all that is held, is wished for under these limits."""
    return stepped(state(held={"SPY": qty}, in_force=limits(**written)), leaving(order_qty=qty))


def intent_of(found: Stepped) -> OrderIntent:
    """Return the intent of the one approval of a cycle."""
    (approval,) = found.approvals
    return approval.intent


def test_an_exit_must_pass_exactly_this() -> None:
    """What can keep anyone in a position is a short list; a longer one needs a change here, and a reason."""
    assert set(MUST_PASS) == set(required_codes(EXIT))
    assert set(ReasonCode) == {*MUST_PASS, *OTHERS}


@pytest.mark.parametrize("code", OTHERS)
def test_no_other_control_stands_in_the_way_out(code: ReasonCode) -> None:
    """Each of the others, tripped alone, is recorded and blocks nothing."""
    answer = judge(exit_facts(), rows=says_no(code, order_class=EXIT))

    assert ((), False) == (failed(answer), check(answer, code).passed)


def test_all_other_controls_together_do_not_stand_in_the_way_out() -> None:
    """Also where every other control trips at once, or breaks."""

    def breaks(_: Facts) -> int:
        raise ZeroDivisionError

    for table in (says_no(*OTHERS, order_class=EXIT), answering(breaks, *OTHERS, order_class=EXIT)):
        answer = judge(exit_facts(), rows=table)
        assert () == failed(answer)
        assert OTHERS == tuple(each.code for each in answer.decision.checks if not each.passed)


@pytest.mark.parametrize("name", BAD_STATES)
def test_an_exit_leaves_whatever_is_wrong(name: str) -> None:
    """Each state of the world that stops entries lets an exit pass, and stops an entry."""
    wrong = BAD_STATES[name]

    assert () == failed(judge(exit_facts(**wrong)))
    assert failed(judge(facts(**wrong)))


def test_an_exit_leaves_when_everything_is_wrong_at_once() -> None:
    """Latched, reducing, stale, closed, paused, in doubt, over every limit, without policy, cash or equity: it goes."""
    wrong: dict[str, object] = {}
    for parts in BAD_STATES.values():
        wrong |= parts
    wrong["limits"] = limits(has_policy=False, symbols=(), restricted=SYMBOLS, **NOTHING_ALLOWED)
    wrong["headroom"] = msgspec.structs.replace(CROWDED, uses={"SPY": USE}, owners={"SPY": ("other",)})
    wrong["quote"] = quote(bid_px=MID_PX * 2, halted=True)
    answer = judge(exit_facts(**wrong))

    assert () == failed(answer)
    assert 50 <= sum(1 for each in answer.decision.checks if not each.passed)


def test_an_exit_is_blocked_while_halted() -> None:
    """Only HALTED stops a strategy's exit, by whatever it was halted."""
    assert (R.TRADING_STATE,) == failed(judge(exit_facts(state=TradingState.HALTED)))


def test_an_entry_is_blocked_while_reducing() -> None:
    """REDUCING is exactly the state in which one may leave and not enter."""
    assert (R.TRADING_STATE,) == failed(judge(facts(state=TradingState.REDUCING)))


@pytest.mark.parametrize("code", MUST_PASS)
def test_an_exit_must_be_an_exit(code: ReasonCode) -> None:
    """What is on its list stops it: an order that opens or names an absurd price is none."""
    assert (code,) == failed(judge(exit_facts(), rows=says_no(code, order_class=EXIT)))


def reduces(held: dict[str, int], opened: tuple[tuple[str, Side, int], ...], asked: tuple[Side, int]) -> bool:
    """Return True if an exit of `cross` shrinks its own and the account's position, whichever open orders fill."""
    for size in range(len(opened) + 1):
        for filled in combinations(opened, size):
            for owners in (("cross",), ("cross", "other")):
                before = sum(held[who] for who in owners)
                before += sum(side.sign * qty for who, side, qty in filled if who in owners)
                after = before + asked[0].sign * asked[1]
                if abs(after) >= abs(before) or before * after < 0:
                    return False
    return True


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
@pytest.mark.parametrize("own", [-3, -1, 0, 1, 3])
def test_an_exit_passes_exactly_if_it_reduces_for_every_subset_of_fills(own: int, side: Side) -> None:
    """Checked against every subset: of own orders and another's, on both sides, for all small sizes."""
    every = [(who, each, qty) for who in ("cross", "other") for each in (Side.BUY, Side.SELL) for qty in (1, 2)]
    books = [(), *[(each,) for each in every], *combinations(every, 2)]
    for other, opened, qty in product((-2, 0, 2), books, (1, 2, 3)):
        orders = tuple(
            order(f"000001-{100 + ix}", strategy_id=who, side=each, order_qty=size, order_class=EXIT)
            for ix, (who, each, size) in enumerate(opened)
        )
        room = headroom(held={("cross", "SPY"): own, ("other", "SPY"): other}, orders=orders)
        asked = exit_facts(intent=intent(leaving(side=side, order_qty=qty)), headroom=room)
        expected = reduces({"cross": own, "other": other}, opened, (side, qty))
        assert expected is (R.REDUCE_ONLY not in failed(judge(asked))), (other, opened, qty)


@pytest.mark.parametrize(("qty", "codes"), [(100, ()), (150, ()), (50, (R.LOT_SIZE,)), (149, (R.LOT_SIZE,))])
def test_an_odd_remainder_may_leave_whole(qty: int, codes: tuple[ReasonCode, ...]) -> None:
    """Of 150 shares in lots of 100 one may sell a lot or all of it, and no other odd part."""
    room = headroom(held={("cross", "SPY"): 150})
    asked = exit_facts(intent=intent(leaving(order_qty=qty)), headroom=room, limits=limits(lot_size_qty=100))

    assert codes == failed(judge(asked))


def test_what_a_lot_on_its_way_leaves_over_may_leave() -> None:
    """With a hundred of 150 on their way out, the fifty that are left over may follow."""
    on_its_way = order(side=Side.SELL, order_class=EXIT, order_qty=100)
    room = headroom(held={("cross", "SPY"): 150}, orders=(on_its_way,))
    asked = exit_facts(intent=intent(leaving(order_qty=50)), headroom=room, limits=limits(lot_size_qty=100))

    assert () == failed(judge(asked))


def test_an_entry_never_has_an_odd_remainder() -> None:
    """An entry that sells all of an odd position is no exit, and lots hold for it."""
    selling = intent(wish(side=Side.SELL, limit_px=BID_PX, order_qty=150))
    asked = facts(intent=selling, headroom=headroom(held={("cross", "SPY"): 150}), limits=limits(lot_size_qty=100))

    assert (R.LOT_SIZE,) == failed(judge(asked))


@pytest.mark.parametrize(
    ("written", "qty"),
    [
        ({"max_order_qty": 155}, 155),
        ({"max_order_qty": 154}, 150),
        ({"max_order_qty": 100}, 100),
        ({"max_order_notional_micros": 33 * 100_010_000}, 30),
        ({"max_order_qty": 10, "max_order_notional_micros": 10**12}, 10),
        ({"max_order_qty": 9}, 155),
        ({"max_order_notional_micros": 0}, 155),
    ],
)
def test_an_oversized_exit_is_cut_and_never_to_nothing(written: dict[str, int], qty: int) -> None:
    """It goes in whole lots of at most the largest order, or as it is where not one lot is inside, and is told."""
    sent = intent_of(cut(155, lot_size_qty=10, **written))

    assert (qty, 0 if qty == 155 else 155) == (sent.order_qty, sent.wished_qty)


def test_what_was_cut_can_be_wished_for_again() -> None:
    """The rest follows in the next cycle, until nothing is left to sell."""
    first = cut(25, max_order_qty=10)
    second = stepped(first.state, leaving(order_qty=15))
    third = stepped(second.state, leaving(order_qty=5))

    assert [10, 10, 5] == [intent_of(found).order_qty for found in (first, second, third)]


def test_an_oversized_entry_is_not_cut() -> None:
    """Nobody gets into a position by half: an entry beyond the largest order is blocked."""
    found = stepped(state(in_force=limits(max_order_qty=9)), wish())
    (decision,) = found.outputs.decisions

    assert ((R.ORDER_QTY_MAX,), 10) == (tuple(each.code for each in decision.failed()), decision.intent.order_qty)


@pytest.mark.parametrize("age_ns", [0, 2 * SECOND_NS, DAY_NS, 30 * DAY_NS])
def test_the_wide_collar_judges_by_the_last_confirmed_price_of_any_age(age_ns: int) -> None:
    """Ten percent round the last price that was believed, however long ago; a block says how old the quote is."""
    at, beyond = CASES[R.EXIT_COLLAR]().at, CASES[R.EXIT_COLLAR]().beyond
    answers = [judge(msgspec.structs.replace(each, as_of_ns=START_NS + age_ns)) for each in (at, beyond)]

    assert [(), (R.EXIT_COLLAR,)] == [failed(answer) for answer in answers]
    assert f"the last quote is {duration(age_ns)} old" == check(answers[1], R.EXIT_COLLAR).note


def test_a_price_that_ran_away_unconfirmed_does_not_keep_anyone_in() -> None:
    """An exit at the bid that there is leaves, whatever was confirmed before; one at neither price is blocked."""
    away = quote(bid_px=MID_PX // 2, ask_px=MID_PX // 2 + 10_000)
    prices = (MID_PX, MID_PX // 2, MID_PX // 4)
    asked = [exit_facts(quote=away, intent=intent(leaving(limit_px=px))) for px in prices]

    assert [(), (), (R.EXIT_COLLAR,)] == [failed(judge(each)) for each in asked]


def test_an_exit_leaves_at_a_touch_that_two_sides_agree_on_and_at_no_other() -> None:
    """A price that ran away lets go of nobody; a lone bid, one far below its ask, and a crossed quote say no price."""
    half = MID_PX // 2
    quotes = (
        quote(bid_px=half, ask_px=half + 10_000),
        quote(bid_px=half, ask_px=0, ask_qty=0),
        quote(bid_px=half, ask_px=MID_PX),
        quote(bid_px=half, ask_px=half - 10_000),
    )
    asked = [exit_facts(quote=each, intent=intent(leaving(limit_px=half))) for each in quotes]

    assert [(), *[(R.EXIT_COLLAR,)] * 3] == [failed(judge(each)) for each in asked]


def test_an_exit_leaves_in_a_cycle_that_knows_no_quote() -> None:
    """Lived through: the quote is gone, the price is remembered, and what is held goes out at a named limit."""
    before = stepped(state(held={"SPY": 10}), market=snapshot(1)).state
    gone = snapshot(2, quote("SPY", present=False, event_ns=0), *(quote(each) for each in SYMBOLS[1:]))
    found = stepped(before, leaving(), market=gone)
    bare = stepped(before, leaving(ord_type=OrdType.MARKET, limit_px=0), market=gone)

    assert (10, False) == (intent_of(found).order_qty, gone.quote(0).present)
    assert R.MARKET_UNBOUNDED in {each.code for each in bare.outputs.decisions[0].failed()}
