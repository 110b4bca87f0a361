"""Whole runs of cycles, on a paper market and with people who interfere: the record always holds the whole truth."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests import journal_factory
from tests.core_factory import FEES, SYMBOLS, command, limits, quote, report, snapshot, state, stepped, wish
from tests.journal_factory import MONDAY, START_NS, TUESDAY

from interlock.core.recover import recover
from interlock.core.risk.keys import KEYS, LESS, MORE, LimitKey
from interlock.core.risk.limits import Limits
from interlock.core.state import State, counts_of, nothing_carried, to_carry
from interlock.core.step import Stepped
from interlock.model.journal import Boot, Command, Cycle
from interlock.model.mode import Mode
from interlock.model.orders import ExecReport, ExecType, OrderClass, OrdType, Side, TimeInForce
from interlock.model.risk import Verdict
from interlock.model.signals import Wish
from interlock.model.units import INTEGER_MAX, SECOND_NS
from interlock.shell.paper import PaperGateway

STEP_PX = 10_000


class Second(NamedTuple):
    """What happens in one cycle."""

    wishes: list[Wish]
    prices: list[int]
    size: int
    commands: list[Command]
    unsent: bool
    odd: ExecType | None
    gap_s: int
    date: str


wishes = st.builds(
    lambda symbol, kind, qty, px, tif: wish(
        symbol, side=kind[0], order_class=kind[1], order_qty=qty, limit_px=px * STEP_PX, time_in_force=tif
    ),
    st.sampled_from((*SYMBOLS, *SYMBOLS, "XYZ")),
    st.sampled_from(
        [(Side.BUY, OrderClass.ENTRY)] * 3 + [(Side.SELL, OrderClass.EXIT)] * 2 + [(Side.SELL, OrderClass.ENTRY)]
    ),
    st.integers(0, 8),
    st.integers(997, 1_003),
    st.sampled_from([TimeInForce.DAY, TimeInForce.DAY, TimeInForce.IOC]),
)
TIGHTENED = ("repeat_window_ns", "duplicate_window_ns", "order_window_ns", "strategy_window_ns", "max_order_qty")
#: A number of 0 and a latch `?` stand for the true ones: a person who looks before they type.
resumes = st.builds(
    lambda latch_id, state_no: command("resume", latch_id=latch_id, state_no=state_no),
    st.sampled_from(["?", "?", "?", "?", "", "L1", "L2"]),
    st.sampled_from([0] * 7 + [2]),
)
commands = st.one_of(
    *[resumes] * 4,
    *[st.just(command("allow"))] * 2,
    st.just(command("halt")),
    st.builds(
        lambda key, value: command("tighten", about=key, new_value=value),
        st.sampled_from(TIGHTENED),
        st.sampled_from([6, 4 * SECOND_NS, 1_200 * SECOND_NS]),
    ),
)
#: Limits at which the watches trip, rates bind, and a human may allow what a soft control blocked.
TIGHT = limits(
    soft_collar_bps=15,
    max_order_count=3,
    max_throttles=1,
    max_reentries=1,
    max_repeats=2,
    max_rejects_in_row=1,
    slippage_fills=1,
    max_order_to_trade=1,
    order_to_trade_messages=4,
    max_strategy_loss_micros=3_000_000,
    max_daily_loss_micros=5_000_000,
    max_strategy_drawdown_bps=1,
    max_drawdown_bps=2,
    own={("strategy:cross", "max_strategy_count"): 4, ("strategy:cross", "strategy_window_ns"): 60 * SECOND_NS},
)
seconds = st.builds(
    Second,
    st.lists(wishes, min_size=1, max_size=4),
    st.lists(st.integers(997, 1_003), min_size=3, max_size=3),
    st.sampled_from([1, 3, 500]),
    st.one_of(st.just([]), st.just([]), st.lists(commands, min_size=1, max_size=2)),
    st.sampled_from([False] * 5 + [True]),
    st.sampled_from([None] * 7 + [ExecType.IN_DOUBT, ExecType.CANCEL_REJECT, ExecType.REJECTED]),
    st.sampled_from([1, 1, 1, 11, 700, 4_000]),
    st.just(MONDAY),
)
runs = st.tuples(st.lists(seconds, min_size=2, max_size=10), st.integers(2, 12)).map(
    lambda drawn: [each._replace(date=MONDAY if number < drawn[1] else TUESDAY) for number, each in enumerate(drawn[0])]
)


def live(run: list[Second], in_force: Limits | None = None) -> list[Stepped]:
    """Live a run on a paper market, as the loop does: what a send brings is an input of the next cycle."""
    gateway = PaperGateway(mode=Mode.SIM, fees=FEES, universe=SYMBOLS)
    lived, found, waiting = state(in_force=in_force), [], ()
    at_ns = START_NS
    for number, second in enumerate(run, start=1):
        at_ns += second.gap_s * SECOND_NS
        row = (
            quote(s, bid_px=px * STEP_PX - STEP_PX, ask_px=px * STEP_PX, ask_qty=second.size, event_ns=at_ns)
            for s, px in zip(SYMBOLS, second.prices, strict=True)
        )
        market = snapshot(number, *row, trading_date=second.date, as_of_ns=at_ns)
        gateway.observe(market)
        reports = (*waiting, *gateway.drain(), *odd_words(lived, second))
        typed = tuple(looked_up(each, lived) for each in second.commands)
        cycle = stepped(lived, *second.wishes, market=market, reports=reports, commands=typed)
        waiting = sent(gateway, cycle, unsent=second.unsent)
        lived = cycle.state
        found.append(cycle)
    return found


def looked_up(typed: Command, lived: State) -> Command:
    """Return what a person types who looks at the state and at the last block that can be allowed."""
    about = lived.offers[-1].decision_id if typed.kind == "allow" and lived.offers else typed.about
    standing = lived.latches[0].latch_id if lived.latches else ""
    latch_id = standing if typed.latch_id == "?" else typed.latch_id
    return msgspec.structs.replace(typed, state_no=typed.state_no or lived.state_no, about=about, latch_id=latch_id)


def odd_words(lived: State, second: Second) -> tuple[ExecReport, ...]:
    """Return a word that a venue may say unasked about an order that works."""
    working = [each for each in lived.blotter.open_orders.values() if each.order_id]
    if second.odd is None or not working:
        return ()
    name = f"odd-{lived.cycle}"
    return (report(second.odd, cl_ord_id=working[0].cl_ord_id, exec_id=name, cum_qty=working[0].cum_qty),)


def sent(gateway: PaperGateway, cycle: Stepped, *, unsent: bool) -> tuple[ExecReport, ...]:
    """Send what a cycle approved, or say that it was not sent."""
    for cancel in cycle.outputs.cancels:
        gateway.cancel(cancel.cl_ord_id)
    words: list[ExecReport] = []
    for approval in cycle.approvals:
        if unsent:
            words.append(
                report(ExecType.NOT_SENT, cl_ord_id=approval.cl_ord_id, exec_id=f"u-{approval.cl_ord_id}", order_id="")
            )
        else:
            gateway.submit(approval)
    return tuple(words)


@given(runs)
def test_a_run_lived_twice_is_the_same_to_the_byte(run: list[Second]) -> None:
    """Replay: the same inputs give the same outputs, byte for byte."""
    once, twice = live(run), live(run)

    assert [msgspec.msgpack.encode((each.inputs, each.outputs)) for each in once] == [
        msgspec.msgpack.encode((each.inputs, each.outputs)) for each in twice
    ]


@given(runs, st.sampled_from([limits(), TIGHT]))
def test_the_record_alone_gives_back_the_account(run: list[Second], in_force: Limits) -> None:
    """After each cycle, folding what was written gives all that is carried but prices, which wait for new ones."""
    decided, _ = journal_factory.boot(handed_over=nothing_carried(journal_factory.OPENING_MICROS, ()))
    assert isinstance(decided, Boot)
    opening = msgspec.structs.replace(decided, universe=SYMBOLS, limits=in_force.everywhere())
    written: list[Cycle] = []
    for cycle in live(run, in_force):
        record = Cycle(cycle=cycle.state.cycle, inputs=cycle.inputs, outputs=cycle.outputs)
        written.append(msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=Cycle))
        carried = msgspec.structs.replace(to_carry(cycle.state, head="h"), confirmed=())
        assert carried == recover(opening, written, head="h")


@given(runs)
def test_everything_is_accounted_for(run: list[Second]) -> None:
    """Each call leaves an idea, each wish a decision, each approval an order, each report a booking."""
    wished = 0
    for cycle, second in zip(live(run), run, strict=True):
        wished += len(second.wishes)
        outputs, counts = cycle.outputs, dict(counts_of(cycle.state))
        approved = [each.decision_id for each in outputs.decisions if each.verdict is Verdict.APPROVED]
        assert (1, len(second.wishes)) == (len(outputs.ideas), len(outputs.decisions))
        assert approved == [approval.cl_ord_id for approval in cycle.approvals]
        assert all(cycle.state.blotter.find(cl_ord_id) is not None for cl_ord_id in approved)
        assert len(cycle.inputs.reports) == len(outputs.bookings)
        assert (wished, sum(counts.values())) == (counts["intents"], 2 * wished)


@given(runs)
def test_no_cash_that_is_not_there_is_spent_and_nothing_is_sold_short(run: list[Second]) -> None:
    """Over a whole run, cash stays above what exits cost in fees, and no strategy goes short."""
    for cycle in live(run):
        account = cycle.state.portfolio.account
        assert account.cash_micros >= -account.fees_micros
        assert all(position.qty >= 0 for position in cycle.state.portfolio.positions.values())


@given(runs)
def test_only_a_granted_resume_raises_the_state(run: list[Second]) -> None:
    """Code lowers the trading state; only a person's exact word raises it."""
    for cycle in live(run):
        outputs = cycle.outputs
        if outputs.state_after.level > outputs.state_before.level:
            assert [answer.kind for answer in outputs.answers if answer.granted].count("resume") > 0
        if outputs.latches_cleared:
            assert set(outputs.latches_cleared) <= {each.latch_id for each in cycle.inputs.commands}


numbers = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([INTEGER_MAX, -INTEGER_MAX, INTEGER_MAX + 1, 2**63, 10**400]),
    st.sampled_from([True, False, None, math.nan, math.inf, 1.0, "10", b"1", 1j]),
    st.floats(),
)
kinds = (Side, OrdType, TimeInForce, OrderClass)
odd_wishes = st.builds(
    lambda symbol, qty, px, stop, words, because: msgspec.structs.replace(
        wish(), symbol=symbol, order_qty=qty, limit_px=px, stop_px=stop, because=because,
        side=words[0], ord_type=words[1], time_in_force=words[2], order_class=words[3],
    ),
    st.one_of(st.sampled_from(SYMBOLS), st.text(max_size=5), st.none()),
    numbers,
    numbers,
    st.one_of(st.just(0), numbers),
    st.tuples(*(st.one_of(st.sampled_from(kind), st.sampled_from(["BUY", None, 0])) for kind in kinds)),
    st.one_of(st.text(min_size=1, max_size=5), st.none()),
)  # fmt: skip


@given(st.lists(st.one_of(odd_wishes, odd_wishes.map(lambda each: msgspec.structs.replace(each, because="x")))))
def test_no_odd_wish_is_approved_or_breaks_a_cycle(odd: list[Wish]) -> None:
    """Whatever a wish holds, the step answers, its record can be written, and only whole numbers are approved."""
    found = stepped(state(), *odd)

    assert msgspec.msgpack.encode((found.inputs, found.outputs))
    assert msgspec.json.encode(found.outputs)
    for approval in found.approvals:
        intent = approval.intent
        assert (int, int, 0) == (type(intent.order_qty), type(intent.limit_px), intent.stop_px)
        assert intent.symbol in SYMBOLS


def widest(key: LimitKey, value: int | None) -> int | None:
    """Return the widest value of a limit that can be written and that the gate can still prove."""
    if key.stricter == LESS:
        return 10_000 if key.unit == "bps" else INTEGER_MAX
    return (1 if "window" in key.name else 0) if key.stricter == MORE else value


WIDEST = msgspec.structs.replace(
    limits(),
    in_force={
        name: msgspec.structs.replace(limit, value=widest(KEYS[name], 1 if "size" in name else limit.value))
        for name, limit in limits().in_force.items()
    },
)


def test_the_widest_of_limits_let_a_sound_wish_pass() -> None:
    """The limits of the next test are no wall: a wish with sound numbers is approved."""
    assert 1 == len(stepped(state(in_force=WIDEST), wish()).approvals)


@given(numbers, numbers, st.sampled_from(Side), st.sampled_from(OrderClass))
def test_no_odd_number_is_approved(qty: object, px: object, side: Side, order_class: OrderClass) -> None:
    """A wish that is right but for its numbers is approved for sound ones only, also by the widest of limits."""
    asked = msgspec.structs.replace(wish(side=side, order_class=order_class), order_qty=qty, limit_px=px)
    found = stepped(state(held={"SPY": 3}, in_force=WIDEST), asked)

    assert msgspec.msgpack.encode((found.inputs, found.outputs))
    for approval in found.approvals:
        assert 0 < approval.intent.order_qty <= INTEGER_MAX
        assert 0 < approval.intent.limit_px <= INTEGER_MAX
