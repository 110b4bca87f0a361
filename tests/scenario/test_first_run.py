"""The first run, as a stranger types it: what it shows, what it blocks without a policy, and told again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.scenario.stage import (
    FIRST,
    PAPER,
    Ended,
    Room,
    approved_of,
    boot_of,
    codes_of,
    decisions_of,
    ledger,
    opened_room,
    records,
    stop_of,
)


class Played:
    """The first run, played once for all tests that look at it."""

    def __init__(self, room: Room) -> None:
        """Play it."""
        self.room = room
        self.ended: Ended = room.play("run", str(FIRST), "--cycles", "30", "--interval", "0")


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """Play the first run."""
    with opened_room() as room:
        yield Played(room)


def test_first_run_ends_clean_and_complains_of_nothing(played: Played) -> None:
    """The first run exits 0, and standard error stays empty."""
    assert (0, "") == (played.ended.code, played.ended.err)


@pytest.mark.parametrize(
    "words",
    [
        "BOOT | SIM: Interlock sends nothing out of this process.",
        "BOOT | The data: ",
        "source=simulated",
        "RISK | Approved ",
        "RISK | Blocked ",
        " SYMBOL_NOT_ALLOWED decision=",
        "To change that: ",
        " still work. ",
        "; the order is filled. ",
        "STOP | Stopped: 30 cycles are done.",
        "STOP | Every wish is accounted for: ",
        "exit=0",
    ],
)
def test_first_run_shows_what_a_stranger_should_see(played: Played, words: str) -> None:
    """Mode, origin, approvals, blocks with reasons and remedies, partial and whole fills are in the story."""
    assert words in played.ended.out


def test_first_run_adds_up_from_its_fills(played: Played) -> None:
    """Cash and positions at the stop are what the fills alone make of them."""
    found = records(played.room.run_dirs[-1])
    own = ledger(found)
    stop = stop_of(found)

    assert (own.cash_micros, own.held, own.working) == (
        stop.holdings.cash_micros,
        {(position.strategy_id, position.symbol): position.qty for position in stop.holdings.positions},
        {},
    )
    assert own.fills


def test_tell_says_the_same_words_byte_for_byte(played: Played) -> None:
    """`interlock tell last` prints what the run printed, and nothing else."""
    told = played.room.play("tell", "last")

    assert (0, played.ended.out, "") == (told.code, told.out, told.err)


def test_without_a_configuration_everything_is_blocked(room: Room) -> None:
    """The safest system wishes for orders, approves none, and says what to write to allow something."""
    ended = room.play("run", "--cycles", "5", "--interval", "0")
    found = records(room.run_dirs[-1])

    assert (0, "") == (ended.code, ended.err)
    assert decisions_of(found)
    assert [] == approved_of(found)
    assert all("POLICY_MISSING" in codes_of(decision) for decision in decisions_of(found))
    assert "To allow some: write a [risk] section." in ended.out
    assert "RISK | Approved" not in ended.out


def test_paper_example_waits_for_a_human(room: Room) -> None:
    """The PAPER example starts HALTED, so every wish is blocked until a human resumes, and it ends clean."""
    ended = room.play("run", str(PAPER), "--mode", "paper", "--cycles", "3")
    found = records(room.run_dirs[-1])

    assert (0, "") == (ended.code, ended.err)
    assert ("PAPER", "HALTED") == (boot_of(found).mode, boot_of(found).start)
    assert "BOOT | PAPER: Interlock practises on paper." in ended.out
    assert decisions_of(found)
    assert all("TRADING_STATE" in codes_of(decision) for decision in decisions_of(found))
