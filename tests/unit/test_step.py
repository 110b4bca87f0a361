"""The step: one cycle from inputs to decisions, the same for ever, with nothing left unsaid."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from tests.core_factory import (
    ASK_PX,
    BID_PX,
    MID_PX,
    SYMBOLS,
    Does,
    Says,
    command,
    fill,
    gathered,
    latch,
    leaving,
    limits,
    order,
    quote,
    report,
    rules,
    snapshot,
    state,
    stepped,
    wish,
)
from tests.journal_factory import START_NS

from interlock.core.scan import MovingAverageCross
from interlock.core.state import State, counts_of, to_carry
from interlock.core.step import SHOWN_MAX, Stepped, step
from interlock.core.strategy import View
from interlock.core.tape import blank_tape
from interlock.model.errors import InvariantError
from interlock.model.journal import HostTrip
from interlock.model.mode import TradingState
from interlock.model.orders import ExecType, OrderClass, OrdStatus, Side
from interlock.model.risk import ReasonCode, Verdict
from interlock.model.signals import Proposal
from interlock.model.units import SECOND_NS

EXIT = order("000000-002", side=Side.SELL, order_class=OrderClass.EXIT)
ENTRY = order("000000-001")
TRIP = HostTrip(code="CYCLE_OVERRUN", text="a cycle took 5 s, the limit is 4 s")


def verdicts(found: Stepped) -> list[Verdict]:
    """Return the answers in order."""
    return [decision.verdict for decision in found.outputs.decisions]


def blocked_by(found: Stepped) -> list[set[ReasonCode]]:
    """Return what blocked each intent."""
    return [{check.code for check in decision.failed()} for decision in found.outputs.decisions]


def encoded(found: Stepped) -> bytes:
    """Return the record of a cycle, byte for byte."""
    return msgspec.msgpack.encode((found.inputs, found.outputs))


def cancelled(found: Stepped) -> list[str]:
    """Return the ids whose cancel was asked for."""
    return [cancel.cl_ord_id for cancel in found.outputs.cancels]


def stop_of(before: State) -> Stepped:
    """Live the cycle that stops a run."""
    asked = {"cross": Says(wish())}
    return step(before, rules=rules(), strategies=asked, gathered=gathered(commands=(command("stop"),)))


def test_the_same_inputs_give_the_same_bytes() -> None:
    """A cycle lived twice is the same record, byte for byte, and the same state to carry."""
    lived = [
        stepped(state(orders=(ENTRY,)), wish("IBM"), wish("XYZ"), reports=(fill(3, cum=3, cl_ord_id="000000-001"),))
        for _ in range(2)
    ]

    assert encoded(lived[0]) == encoded(lived[1])
    assert to_carry(lived[0].state, head="h") == to_carry(lived[1].state, head="h")


def test_an_approved_wish_is_an_order_from_that_instant() -> None:
    """An approval is counted as sent before it is: the order is pending, and its room is taken."""
    found = stepped(state(), wish())
    pending = found.state.blotter.open_orders["000001-001"]

    assert ["000001-001"] == [approval.cl_ord_id for approval in found.approvals]
    arrival = {"arrival_bid_px": BID_PX, "arrival_ask_px": ASK_PX}
    assert pending == order(order_id="", ord_status=OrdStatus.PENDING_NEW, approved_ns=START_NS + SECOND_NS, **arrival)
    assert (1, 10 * ASK_PX) == (found.outputs.holdings.open_orders, pending.order_qty * pending.limit_px)


def test_every_wish_has_exactly_one_decision_and_an_id_of_its_own() -> None:
    """Good, bad and absurd wishes of two strategies are each decided once, in the order of asking."""
    strategies = {"a": Says(wish(), wish("XYZ"), wish(order_qty=-5)), "b": Says(wish("IBM"), wish("IBM"))}
    found = stepped(state(), strategies=strategies)
    ids = [decision.decision_id for decision in found.outputs.decisions]

    assert [f"000001-{number:03d}" for number in range(1, 6)] == ids
    assert ["APPROVED", "BLOCKED", "BLOCKED", "APPROVED", "BLOCKED"] == verdicts(found)
    assert {"intents": 5, "carried": 0, "blocked": 3, "working": 2} == {
        name: count for name, count in counts_of(found.state) if count or name == "carried"
    }


def test_two_wishes_of_one_cycle_share_the_room() -> None:
    """What is approved first is spoken for when the next is judged."""
    tight = limits(max_gross_notional_micros=15 * ASK_PX)
    found = stepped(state(in_force=tight), wish("SPY"), wish("IBM"))

    assert ["APPROVED", "BLOCKED"] == verdicts(found)
    assert {ReasonCode.GROSS_NOTIONAL_MAX} == blocked_by(found)[1]


def test_every_call_leaves_an_idea() -> None:
    """Each strategy that is asked is on the record, in order, whatever it said."""
    strategies = {"quiet": Says(), "wishing": Says(wish()), "broken": Does(lambda _: 1 / 0)}
    ideas = stepped(state(), strategies=strategies).outputs.ideas

    assert [("quiet", 0, ""), ("wishing", 1, "")] == [(i.strategy_id, i.wishes, i.fault) for i in ideas[:2]]
    assert ideas[2].fault.startswith("it raised ZeroDivisionError: division by zero")


@pytest.mark.parametrize("answer", [lambda _: 1 / 0, lambda _: None, lambda _: (wish(),) * 1_001, lambda v: v])
def test_a_broken_strategy_is_latched_and_the_others_go_on(answer: object) -> None:
    """Whatever it did instead of answering, it alone stops: its entries are taken back, and the next are blocked."""
    mine = order("000000-001", strategy_id="broken", symbol="IBM")
    strategies = {"broken": Does(answer), "sound": Says(wish())}  # type: ignore[arg-type]
    found = stepped(state(orders=(mine,)), strategies=strategies)
    (raised,) = found.outputs.latches_raised
    again = stepped(found.state, strategies={"broken": Says(wish("AIG"))})

    assert ("strategy:broken", "STRATEGY_FAULT") == (raised.scope, raised.code)
    assert (["APPROVED"], ["000000-001"]) == (verdicts(found), cancelled(found))
    assert TradingState.ACTIVE is found.outputs.state_after
    assert [{ReasonCode.LATCHED}] == blocked_by(again)


def test_a_fault_takes_the_good_wishes_of_its_answer_along() -> None:
    """One piece of nonsense among good wishes refuses the whole answer."""
    found = stepped(state(), wish(), msgspec.structs.replace(wish(), limit_px=float("nan")))

    assert ((), ()) == (found.outputs.decisions, found.approvals)


def test_a_halt_blocks_everything_of_its_cycle_and_cancels_entries_only() -> None:
    """What a person halts is halted before anything is judged; ways out stay."""
    found = stepped(state(orders=(ENTRY, EXIT), held={"SPY": 10}), wish("IBM"), leaving(), commands=(command("halt"),))

    assert (["BLOCKED", "BLOCKED"], ["000000-001"]) == (verdicts(found), cancelled(found))
    assert (TradingState.ACTIVE, TradingState.HALTED) == (found.outputs.state_before, found.outputs.state_after)
    assert ["HUMAN_HALT"] == [raised.code for raised in found.outputs.latches_raised]
    assert "latch L1 HUMAN_HALT stands" == found.outputs.cancels[0].because


def test_a_trip_of_the_host_halts_before_anything_is_judged() -> None:
    """A bound that was passed latches the account."""
    found = stepped(state(), wish(), trips=(TRIP,))

    assert [{ReasonCode.TRADING_STATE, ReasonCode.LATCHED}] == blocked_by(found)
    assert ["CYCLE_OVERRUN"] == [raised.code for raised in found.outputs.latches_raised]


def test_a_cancel_is_asked_for_once_until_it_is_answered() -> None:
    """A pending cancel is not sent again; a refused one is, as long as the latch stands."""
    first = stepped(state(orders=(ENTRY,)), commands=(command("halt"),))
    second = stepped(first.state)
    refused = report(ExecType.CANCEL_REJECT, cl_ord_id="000000-001")
    third = stepped(second.state, reports=(refused,))

    assert [["000000-001"], [], ["000000-001"]] == [cancelled(first), cancelled(second), cancelled(third)]


@pytest.mark.parametrize("kind", ["halt", "stop"])
def test_a_person_who_insists_is_obeyed_again(kind: str) -> None:
    """A second halt and a stop ask again, also where a cancel is on its way; a latch that stands asks at once."""
    halted = stepped(state(orders=(ENTRY,), latches=(latch(),)))
    again = stepped(halted.state, commands=(command(kind),))

    assert (["000000-001"], ["000000-001"]) == (cancelled(halted), cancelled(again))


def test_a_latch_takes_back_the_entries_of_its_scope_only() -> None:
    """A latch on a symbol or a strategy leaves the entries of others alone."""
    other = order("000000-003", symbol="IBM", strategy_id="other")
    on_symbol = stepped(state(orders=(ENTRY, other), latches=(latch(scope="symbol:IBM"),)))
    on_strategy = stepped(state(orders=(ENTRY, other), latches=(latch(scope="strategy:cross"),)))

    assert (["000000-003"], ["000000-001"]) == (cancelled(on_symbol), cancelled(on_strategy))


def test_a_stop_proposes_nothing_and_cancels_entries() -> None:
    """The cycle that stops looks at no market, asks no strategy, decides nothing and takes entries back."""
    found = stop_of(state(orders=(ENTRY, EXIT)))
    outputs = found.outputs

    assert ((), (), (), ["000000-001"]) == (outputs.scans, outputs.ideas, outputs.decisions, cancelled(found))
    assert (True, None, "Stopping: lunch.") == (outputs.stopping, found.inputs.market, outputs.answers[0].text)
    assert "the run is stopping" == outputs.cancels[0].because


def test_a_stop_decides_nothing_even_where_there_is_a_market() -> None:
    """Once a stop is seen no strategy is asked, whatever else was gathered."""
    found = stepped(state(), wish(), commands=(command("stop"),))

    assert ((), ()) == (found.outputs.ideas, found.outputs.decisions)


@pytest.mark.parametrize(
    ("latch_id", "state_no", "granted"),
    [("L1", 1, True), ("L1", 2, False), ("L1", 0, False), ("L2", 1, False), ("l1", 1, False), ("", 1, False)],
)
def test_a_latch_is_cleared_by_its_exact_name_and_number_only(latch_id: str, state_no: int, granted: bool) -> None:  # noqa: FBT001
    """Anything else than this latch and this number is refused and changes nothing."""
    typed = command("resume", latch_id=latch_id, state_no=state_no)
    found = stepped(state(latches=(latch(),)), commands=(typed,))

    assert [granted] == [answer.granted for answer in found.outputs.answers]
    assert (("L1",) if granted else ()) == found.outputs.latches_cleared
    assert TradingState.HALTED is found.outputs.state_after


@pytest.mark.parametrize(("latches", "after"), [((), "ACTIVE"), ((latch(scope="symbol:IBM"),), "HALTED")])
def test_only_without_any_latch_is_the_state_raised(latches: tuple[object, ...], after: str) -> None:
    """Raising the state is an act of its own, after the last latch has gone."""
    halted = state(start=TradingState.HALTED, latches=latches)  # type: ignore[arg-type]
    found = stepped(halted, wish(), commands=(command("resume", state_no=1),))

    assert after == found.outputs.state_after
    assert [after == "ACTIVE"] == [verdict is Verdict.APPROVED for verdict in verdicts(found)]


@pytest.mark.parametrize("between", ["halt", "trip"])
def test_a_halt_that_came_in_between_wins(between: str) -> None:
    """A resume that was typed for the state before a halt or a trip is refused."""
    typed = command("resume", state_no=1)
    commands = (command("halt"), typed) if between == "halt" else (typed,)
    trips = (TRIP,) if between == "trip" else ()
    found = stepped(state(start=TradingState.REDUCING), commands=commands, trips=trips)

    assert (False, TradingState.HALTED) == (found.outputs.answers[-1].granted, found.outputs.state_after)


def test_a_halt_of_a_halted_account_still_outdates_a_resume() -> None:
    """A second halt raises no second latch, and changes the number all the same."""
    found = stepped(state(latches=(latch(),)), commands=(command("halt"),))

    assert ((), 2) == (found.outputs.latches_raised, found.outputs.state_no)


def test_an_unknown_command_is_refused_loudly() -> None:
    """A command that is none of the five breaks an invariant."""
    with pytest.raises(InvariantError, match="a command is stop, halt, resume, allow or tighten"):
        stepped(state(), commands=(command("flatten"),))


@pytest.mark.parametrize(("age_s", "level"), [(60, "ACTIVE"), (61, "REDUCING")])
def test_doubt_lowers_the_account_after_a_minute(age_s: int, level: str) -> None:
    """An order in doubt for more than 60 s of market time leaves ways out only."""
    doubted = msgspec.structs.replace(ENTRY, in_doubt=True)
    found = stepped(state(orders=(doubted,)), market=snapshot(age_s))

    assert level == found.outputs.state_after


def test_a_late_fill_halts_its_symbol_and_an_overfill_the_account() -> None:
    """How far a contradiction reaches follows from what it puts in doubt."""
    ended = msgspec.structs.replace(ENTRY, ord_status=OrdStatus.CANCELED)
    late = stepped(state(orders=(ended,)), wish("IBM"), wish(), reports=(fill(1, cum=1, cl_ord_id="000000-001"),))
    over = stepped(state(orders=(ENTRY,)), wish("IBM"), reports=(fill(11, cum=11, cl_ord_id="000000-001"),))

    assert (["APPROVED", "BLOCKED"], ["BLOCKED"]) == (verdicts(late), verdicts(over))
    assert ["symbol:SPY", "account"] == [found.outputs.latches_raised[0].scope for found in (late, over)]
    assert [1, 11] == [found.state.portfolio.account_qty("SPY") for found in (late, over)]


def test_a_trade_on_an_unknown_order_halts_the_account() -> None:
    """Shares of an order that nobody sent are a contradiction that stops everything."""
    found = stepped(state(), wish(), reports=(fill(1, cum=1, cl_ord_id="000009-001"),))

    assert (["ORDER_UNKNOWN"], ["BLOCKED"]) == (
        [raised.code for raised in found.outputs.latches_raised], verdicts(found),
    )  # fmt: skip


def test_a_strategy_cannot_change_anything_through_its_view() -> None:
    """Columns, index and fields refuse; its own dictionary of positions is a copy."""
    tried: list[str] = []

    def meddle(view: View) -> Proposal:
        view.positions.clear()  # type: ignore[attr-defined]
        for change in (
            lambda: view.snapshot.bid_px.__setitem__(0, 1),
            lambda: view.index.__setitem__("XYZ", 0),  # type: ignore[attr-defined]
            lambda: setattr(view, "cycle", 9),
            lambda: setattr(view.orders[0], "order_qty", 1),
        ):
            with pytest.raises((ValueError, AttributeError)) as refused:
                change()
            tried.append(refused.typename)
        return Proposal(wishes=(), because="it tried")

    before = state(held={"SPY": 10}, orders=(ENTRY,))
    found = stepped(before, strategies={"cross": Does(meddle)})

    assert ("", 4) == (found.outputs.ideas[0].fault, len(tried))
    assert (10, ENTRY) == (found.state.portfolio.qty("cross", "SPY"), found.state.blotter.find("000000-001"))


@pytest.mark.parametrize(
    "name", ["bid_px", "ask_px", "last_px", "bid_qty", "ask_qty", "volume", "event_ns", "present", "halted"]
)
def test_no_strategy_can_open_a_column_for_writing(name: str) -> None:
    """The gate judges by these very columns, so they lie in bytes that nothing can write to; to try is a fault."""

    def meddle(view: View) -> Proposal:
        getattr(view.snapshot, name).setflags(write=True)
        return Proposal(wishes=(), because="it tried")

    (idea,) = stepped(state(), strategies={"cross": Does(meddle)}).outputs.ideas

    assert True is ("cannot set WRITEABLE flag" in idea.fault)


def test_scanners_see_each_snapshot_and_strategies_their_candidates() -> None:
    """What a scanner finds in this very snapshot is in the view of this very cycle."""
    seen: list[int] = []
    scanner = MovingAverageCross.start(window=2, symbols=3)
    lived = state(scanners=(scanner,))
    watching = {"cross": Does(lambda view: seen.append(len(view.candidates)) or Proposal(wishes=(), because="saw"))}
    for second, bid_px in enumerate((100, 90, 120), start=1):
        at_ns = START_NS + second * SECOND_NS
        row = tuple(quote(s, bid_px=bid_px, ask_px=bid_px, event_ns=at_ns) for s in SYMBOLS)
        lived = stepped(lived, market=snapshot(second, *row), strategies=watching).state

    assert [0, 0, 3] == seen


def test_prices_are_confirmed_by_good_quotes_only_and_then_kept() -> None:
    """A crossed, halted or absent quote confirms nothing; what was confirmed before stays."""
    first = stepped(state())
    at_ns = START_NS + 2 * SECOND_NS
    moved = (
        quote("SPY", bid_px=BID_PX + 2, ask_px=ASK_PX + 2, event_ns=at_ns),
        quote("IBM", bid_px=ASK_PX + 2, ask_px=BID_PX + 2, event_ns=at_ns),
        quote("AIG", bid_px=BID_PX + 2, ask_px=ASK_PX + 2, halted=True, event_ns=at_ns),
    )
    second = stepped(first.state, market=snapshot(2, *moved))

    assert [[MID_PX] * 3, [MID_PX + 2, MID_PX, MID_PX]] == [
        found.state.confirmed_px.tolist() for found in (first, second)
    ]


def test_approvals_are_remembered_for_the_longest_window_only() -> None:
    """What no window counts any more is forgotten."""
    lived, kept = state(), []
    for second, symbol in ((1, "SPY"), (5, "IBM"), (6, "AIG")):
        lived = stepped(lived, wish(symbol), market=snapshot(second)).state
        kept.append([(at_ns - START_NS) // SECOND_NS for at_ns, _ in lived.counters.strategies["cross"].sent])

    assert [[1], [1, 5], [5, 6]] == kept


def test_the_record_keeps_a_few_quotes_and_the_digest() -> None:
    """The market of a cycle is kept as its digest, its counts and the first quotes."""
    row = tuple(quote(f"S{number}", present=number != 1) for number in range(SHOWN_MAX + 2))
    market = snapshot(1, *row)
    index = {symbol: ix for ix, symbol in enumerate(market.universe)}
    wide = msgspec.structs.replace(rules(), universe=market.universe, index=index)
    before = msgspec.structs.replace(state(), tape=blank_tape(market.universe))
    found = stepped(before, strategies={}, market=market, judged_by=wide)

    assert found.inputs.market is not None
    assert (SHOWN_MAX, SHOWN_MAX + 2, SHOWN_MAX + 1, market.digest) == (
        len(found.inputs.market.shown), found.inputs.market.symbols, found.inputs.market.present,
        found.inputs.market.digest,
    )  # fmt: skip


def test_a_wish_outside_the_universe_is_decided_too() -> None:
    """An unknown symbol has no quote, and is blocked by name."""
    found = stepped(state(), wish("XYZ"))

    assert ReasonCode.IDENTITY in blocked_by(found)[0]
    assert np.all(found.state.confirmed_px == MID_PX)
