"""The story of the gate's own controls: its proof, the day, soft blocks, leaves, limits that a person tightened."""

from __future__ import annotations

from pathlib import Path

import msgspec
from tests.core_factory import ASK_PX, command, leaving, limits, state, stepped, wish
from tests.journal_factory import START_NS

from interlock.core.state import State
from interlock.core.step import Stepped
from interlock.model.journal import Command, Cycle, CycleAside, Record
from interlock.model.mode import Mode
from interlock.model.orders import OrdType
from interlock.shell.lines import rendered
from interlock.shell.story import Setting, story

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SETTING = Setting(mode=Mode.SIM, source_words="made up", at_ns=0)
SOFT = limits(soft_order_notional_micros=100_000_000)


def told(found: Stepped, needle: str) -> str:
    """Return the sentence of a cycle that holds some words, without its prefix, or "" where none does."""
    aside = CycleAside(wall_ns=START_NS, previous_took_ns=0, late_ns=0, late_count=0)
    cycle = Cycle(cycle=found.state.cycle, inputs=found.inputs, outputs=found.outputs)
    lines = [rendered(line) for line in story(Record(seq=0, decided=cycle, aside=aside), SETTING)]
    return next((line.partition(" | ")[2] for line in lines if needle in line), "")


def about(kind: str, subject: str, new_value: int = 0) -> Command:
    """Return what a person asked about a decision or a limit."""
    return msgspec.structs.replace(command(kind, reason="I looked"), about=subject, new_value=new_value)


def lived(before: State, *commands: Command) -> Stepped:
    """Live a cycle in which a large order is wished for, and people said this."""
    return stepped(before, wish(), commands=commands)


def test_a_day_and_the_proof_of_the_gate_are_told_once() -> None:
    """The first cycle says that the date begins and that the gate proved itself; the second does not."""
    first = stepped(state())
    second = stepped(first.state)

    assert "The trading date 2013-10-07 begins: the losses of the day count from here. DAY_ROLL" == told(
        first, "DAY_ROLL"
    )
    assert told(first, "The gate proved itself").startswith("The gate proved itself: it refused all ")
    assert ("", "") == (told(second, "DAY_ROLL"), told(second, "proved itself"))


def test_a_soft_block_says_how_a_human_lets_it_pass() -> None:
    """What blocks softly names the word to type; a hard block beside it does not."""
    soft = told(lived(state(in_force=SOFT)), "Blocked")
    hard = told(lived(state(in_force=limits(soft_order_notional_micros=1, max_order_qty=9))), "Blocked")

    assert "A human may let it pass once: interlock allow 000001-001 --reason ..." in soft
    assert "interlock allow" not in hard
    assert "a human must allow it" not in hard
    assert "ORDER_NOTIONAL_LARGE" in hard


def test_a_leave_and_its_use_are_told_with_the_person_and_the_reason() -> None:
    """Who allowed what, for whom, until when, and later which order passed by it."""
    first = lived(state(in_force=SOFT))
    second = lived(first.state, about("allow", "000001-001"))

    assert told(second, "allowed cross").startswith(
        "human:ann allowed cross once to BUY at most 10 shares of SPY past ORDER_NOTIONAL_LARGE up to $1,000.10, until "
    )
    assert told(second, "Approved").startswith(
        "Approved BUY 10 SPY at $100.01, because it is a test: all 67 checks passed, ORDER_NOTIONAL_LARGE for "
        "human:ann allowed it once: I looked."
    )


def test_a_tightened_limit_is_told_with_its_new_value() -> None:
    """The answer says who did it, and the line after it what holds from now on."""
    found = stepped(state(), commands=(about("tighten", "max_order_qty", 7),))

    assert "human:ann tightened max_order_qty." in told(found, "tightened")
    assert "max_order_qty is 7 shares from now on." == told(found, "from now on")


def test_a_loss_that_came_near_its_limit_is_a_warning() -> None:
    """Half of a daily limit is told as a warning, once."""
    before = state(held={"SPY": 10}, in_force=limits(max_daily_loss_micros=2_000_000))
    first = stepped(before)
    poorer = msgspec.structs.replace(
        first.state,
        portfolio=msgspec.structs.replace(
            first.state.portfolio,
            account=msgspec.structs.replace(
                first.state.portfolio.account,
                cash_micros=first.state.portfolio.account.cash_micros - 1_000_000,
                fees_micros=first.state.portfolio.account.fees_micros + 1_000_000,
            ),
        ),
    )
    second = stepped(poorer)

    assert "The account lost $1.00 today, which is half or more of its daily limit of $2.00." == told(
        second, "half or more"
    )
    assert "" == told(stepped(second.state), "half or more")


def test_what_was_made_of_a_wish_is_told() -> None:
    """A bounded wish for market and a cut exit say so beside their approval."""
    market = stepped(state(), wish(ord_type=OrdType.MARKET, limit_px=0))
    cut = stepped(state(held={"SPY": 30}, in_force=limits(max_order_qty=20)), leaving(order_qty=30))

    assert "It was a wish for market; its price is bounded 0.50 % beyond the touch." in told(market, "Approved")
    assert "It was cut from 30 shares to the largest order; the rest must be wished for again." in told(cut, "Approved")
    assert ASK_PX < market.outputs.decisions[0].intent.limit_px


def test_a_decision_says_first_what_failed_and_how_many_passed() -> None:
    """The form of the design: what, why with numbers, how many passed, what would change it, code and id."""
    lines = (GOLDEN / "blocks.txt").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if "Blocked BUY 200 IBM" in line)

    assert line.endswith(
        "RISK | Blocked BUY 200 IBM at $100.01: the quote is 121 s old, the limit is 90 s; 66 checks passed. "
        "To change that: wait for a fresh quote, or write a larger max_quote_age under [risk]. "
        "DATA_STALE decision=000001-001"
    )
