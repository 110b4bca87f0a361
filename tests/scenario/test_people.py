"""A human speaks with a running process: a soft block is let through once, a limit is tightened, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenario.stage import (
    CONFIGS,
    Ended,
    Room,
    Running,
    approved_of,
    codes_of,
    cycles_of,
    decisions_of,
    opened_room,
    records,
)

from interlock.model.journal import Cycle
from interlock.model.orders import OrderClass
from interlock.model.risk import Decision

_CONFIG = """mode = "SIM"
[run]
interval = "0.05 s"
start = "ACTIVE"
[account]
name = "stage"
cash = "$1,000,000"
[universe]
symbols = ["SPY", "IBM"]
[source]
kind = "simulated"
seed = 7
[[strategy]]
use = "idle_hands:{strategy}"
name = "idle"
settings = {settings}
[risk]
symbols = ["SPY", "IBM"]
max_order_qty = "1,000 shares"
max_order_notional = "$100,000"
max_position_notional = "$150,000"
max_gross_notional = "$300,000"
price_collar = "50 %"
soft_collar = "40 %"
warm_up_quotes = 0
max_volume = "100 %"
duplicate_window = "0 s"
max_order_rate = "1000 / s"
max_strategy_rate = "1000 / s"
max_reentries = 1000
max_repeats = 1000
max_order_to_trade = 1000000
"""
INSISTS = {"strategy": "Insistent", "settings": '{ symbol = "SPY", limit_cents = 5300 }'}
BUYS_AND_SELLS = {"strategy": "Restless", "settings": "{ qty = 10 }"}
GROWS = {"strategy": "Slow", "settings": "{ milliseconds = 0 }"}
SOFT = 'soft_order_notional = "$10"\n'


def config_in(room: Room, play: dict[str, str], more: str = "") -> str:
    """Write a configuration into a room, its strategies beside it, and return its path."""
    (room.path / "idle_hands.py").write_text((CONFIGS / "idle_hands.py").read_text(encoding="utf-8"), encoding="utf-8")
    path = room.path / "people.toml"
    path.write_text(_CONFIG.format(**play) + more, encoding="utf-8")
    return str(path)


def stopped(room: Room, running: Running) -> list[Cycle]:
    """Let a run go on for a while, stop it, and return its cycles, of a record that verifies."""
    seen = running.out.count(" REST | ")
    running.see(" REST | ", times=seen + 5)
    assert 0 == running.stop().code, running.err
    assert True is room.verified()["ok"]
    return cycles_of(records(room.run_dirs[-1]))


def entries_after(cycles: list[Cycle], number: int) -> list[Decision]:
    """Return the decisions on entries of the cycles after one of them."""
    return [
        decision
        for cycle in cycles
        if cycle.cycle > number
        for decision in cycle.outputs.decisions
        if decision.intent.order_class is OrderClass.ENTRY
    ]


def answered_in(cycles: list[Cycle], kind: str) -> list[int]:
    """Return the numbers of the cycles in which a command of this kind was granted."""
    return [cycle.cycle for cycle in cycles for one in cycle.outputs.answers if (one.kind, one.granted) == (kind, True)]


class Allowed:
    """A run in which one soft block was allowed."""

    def __init__(self, room: Room) -> None:
        """Play it."""
        with room.start("run", config_in(room, INSISTS, SOFT)) as running:
            running.see("interlock allow 000003-001 --reason", "000004 SIM")
            self.refused = room.play("allow", "000009-009", "--reason", "look")
            self.granted: Ended = room.play("allow", "000003-001", "--reason", "I looked at it")
            self.again = room.play("allow", "000003-001", "--reason", "I looked at it")
            running.see("Approved BUY 1 SPY")
            self.cycles = stopped(room, running)
        self.records = records(room.run_dirs[-1])
        self.explained = [room.play("explain", one.decision_id).out for one in approved_of(self.records)]


@pytest.fixture(scope="module")
def allowed() -> Iterator[Allowed]:
    """Play the run."""
    with opened_room() as room:
        yield Allowed(room)


def test_soft_block_is_let_through_once_and_not_twice(allowed: Allowed) -> None:
    """What a soft control blocked is approved once after a named human's leave, then blocked as before."""
    (granted_in,) = answered_in(allowed.cycles, "allow")
    (approved,) = approved_of(allowed.records)
    others = [one for one in decisions_of(allowed.records) if one is not approved]

    assert granted_in == int(approved.decision_id[:6])
    assert ["leave"] == [check.source for check in approved.checks if check.code == "ORDER_NOTIONAL_LARGE"]
    assert [] == [one.decision_id for one in others if "ORDER_NOTIONAL_LARGE" not in codes_of(one)]
    assert len(others) > 5


def test_answer_to_a_leave_says_for_whom_how_long_and_that_all_else_holds(allowed: Allowed) -> None:
    """What was allowed is clear from the answer, and the same decision is not allowed twice."""
    assert (0, "", "You hold nothing") == (
        allowed.granted.code,
        allowed.granted.err,
        allowed.granted.out.split("\n")[0],
    )
    assert (
        "allowed idle once to BUY at most 1 share of SPY past ORDER_NOTIONAL_LARGE up to $53.00, until"
        in allowed.granted.out
    )
    assert "I looked at it. Every other control holds, and the strategy must wish for it again." in allowed.granted.out
    for refused in (allowed.refused, allowed.again):
        assert (2, "You hold ") == (refused.code, refused.out[:9])
        assert "Not allowed: " in refused.err
        assert "none of the last decisions that only a soft control blocked" in refused.err


def test_leave_is_told_where_its_order_is_explained(allowed: Allowed) -> None:
    """The explanation names the human, the reason, and what would have blocked it."""
    (text,) = allowed.explained

    assert "ALLOWED" in text
    assert "allowed it once: I looked at it" in text
    assert "Without that leave it would have been blocked by ORDER_NOTIONAL_LARGE." in text


def test_leave_that_is_not_used_stands_in_the_status(room: Room) -> None:
    """A leave for less than is wished for again is not used, and is shown until it is over."""
    with room.start("run", config_in(room, GROWS, SOFT)) as running:
        running.see("interlock allow 000003-001 --reason", "000004 SIM")
        assert 0 == room.play("allow", "000003-001", "--reason", "once").code
        text, found = room.play("status").out, room.status()
        running.stop()

    assert "Leave for 000003-001: idle may once BUY at most 4 shares of SPY past ORDER_NOTIONAL_LARGE up to $" in text
    assert ["000003-001"] == [leave["decision_id"] for leave in found["leaves"]]  # type: ignore[attr-defined]


class Tightened:
    """A run of which a limit was tightened."""

    def __init__(self, room: Room) -> None:
        """Play it."""
        config = config_in(room, BUYS_AND_SELLS)
        with room.start("run", config) as running:
            running.see("Approved BUY 10 SPY", "Approved SELL 10 SPY")
            self.granted = room.play("tighten", "max_order_qty", "5 shares")
            self.looser = room.play("tighten", "max_order_qty", "6 shares")
            self.other_span = room.play("tighten", "max_order_rate", "5 / min")
            self.rate = room.play("tighten", "max_order_rate", "900 / s")
            self.status = room.status()
            self.said = room.play("status").out
            self.listed = json.loads(room.play("controls", "--json").out)
            path = Path(config)
            path.write_text(path.read_text().replace("1,000 shares", "900 shares"))
            self.changed = room.status()
            path.write_text("[risk")
            self.broken = room.status()
            self.cycles = stopped(room, running)
        self.after = json.loads(room.play("controls", "--json").out)
        self.at_rest = room.play("status").out


@pytest.fixture(scope="module")
def tightened() -> Iterator[Tightened]:
    """Play the run."""
    with opened_room() as room:
        yield Tightened(room)


def test_tightened_limit_blocks_the_next_order(tightened: Tightened) -> None:
    """From the cycle that answered on, larger entries are blocked by the tightened limit; exits are cut, not kept."""
    first, *_ = answered_in(tightened.cycles, "tighten")
    late = entries_after(tightened.cycles, first - 1)
    sources = {check.source for one in late for check in one.checks if check.code == "ORDER_QTY_MAX"}

    assert late
    assert [] == [one.decision_id for one in late if "ORDER_QTY_MAX" not in codes_of(one)]
    assert {"tightened"} == sources


def test_answer_to_a_tightening_says_what_holds_and_for_how_long(tightened: Tightened) -> None:
    """The runtime's own words come first, then the limit in force; what would loosen is refused with 2."""
    assert (0, "") == (tightened.granted.code, tightened.granted.err)
    assert " tightened max_order_qty." in tightened.granted.out
    assert "max_order_qty is 5 shares from now on, until this run ends." in tightened.granted.out
    assert 2 == tightened.looser.code
    assert "Not tightened: max_order_qty is 5 shares, and 6 shares would not let less through" in tightened.looser.err


def test_rate_is_tightened_over_its_own_span_only(tightened: Tightened) -> None:
    """Another span is refused before anybody is asked; the same span tightens the count."""
    assert (2, "") == (tightened.other_span.code, tightened.other_span.out)
    assert "max_order_rate counts over 1 s in this run, and 60 s was typed" in tightened.other_span.err
    assert (0, "") == (tightened.rate.code, tightened.rate.err)
    assert "max_order_rate is 900 from now on" in tightened.rate.out


def test_status_and_controls_show_what_was_tightened(tightened: Tightened) -> None:
    """While it runs and afterwards, the limit that holds is shown with where it comes from."""
    shown = [(one["key"], one["value"]) for one in tightened.status["tightened"]]  # type: ignore[attr-defined]

    assert [("max_order_qty", 5), ("max_order_count", 900)] == shown
    assert "Tightened while it ran: max_order_qty 5 shares, max_order_rate 900" in tightened.said
    assert "Tightened while it ran: max_order_qty 5 shares, max_order_rate 900" in tightened.at_rest
    for listed in (tightened.listed, tightened.after):
        lines = {one["code"]: (one["limit"], one["source"]) for one in listed}
        assert [(5, "tightened"), (900, "tightened"), (100_000_000_000, "config")] == [
            lines[code] for code in ("ORDER_QTY_MAX", "ORDER_RATE_MAX", "ORDER_NOTIONAL_MAX")
        ]


def test_status_says_when_the_file_differs_from_what_runs(tightened: Tightened) -> None:
    """A file that says the same, one that was changed, and one that cannot be read are told apart."""
    files = [one["file"] for one in (tightened.status, tightened.changed, tightened.broken)]

    assert ["same", "differs", "unknown"] == [one["state"] for one in files]  # type: ignore[index]
    assert [[], ["risk.max_order_qty"], []] == [one["differs"] for one in files]  # type: ignore[index]
    assert "says what runs." in tightened.said
    assert "It holds from the next start." in files[1]["words"]  # type: ignore[index]


@pytest.mark.parametrize("words", [("tighten", "max_order_qty", "5 shares"), ("allow", "000001-001", "--reason", "x")])
def test_what_only_a_process_decides_is_refused_at_rest(room: Room, words: tuple[str, ...]) -> None:
    """With nothing running there is no limit in force and no order to let through: exit 2, and what to do instead."""
    room.play("run", "--cycles", "1", "--interval", "0")
    ended = room.play(*words)

    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert "Nothing runs in " in ended.err
    assert "Traceback" not in ended.err
