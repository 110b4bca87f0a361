"""Kill -9 in mid-run: nothing that was synced is lost, and the next start says what it found and carries it."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest
from tests.scenario.scripts import around_main, written
from tests.scenario.stage import (
    Room,
    Running,
    approved_of,
    boot_of,
    cycles_of,
    decisions_of,
    ledger,
    promised,
    records,
    reports_of,
    until,
)

from interlock.model.journal import Carried
from interlock.model.mode import TradingState
from interlock.model.orders import ExecType

KILLS = 3


def chance_of_today() -> random.Random:
    """Return chance, and print the seed that gives it again."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    return random.Random(seed)


def kill(running: Running) -> None:
    """End a process without a word of warning."""
    running.send(signal.SIGKILL)
    running.process.wait()


def assert_nothing_synced_is_lost(room: Room, run_dir: Path) -> None:
    """What the head file promises is there; `verify` and `runs` say how the run ended."""
    found = records(run_dir)
    verified, listed = room.verified(run_dir.name), room.play("runs").out
    (line,) = [line for line in listed.splitlines() if line.startswith(run_dir.name)]

    assert promised(run_dir) <= len(found)
    assert (True, len(found)) == (verified["ok"], verified["records"]), verified
    assert "killed" in line


def held_by(carried: Carried) -> tuple[int, dict[tuple[str, str], int], dict[str, int]]:
    """Return what a run carries, in the form of a `Ledger`."""
    positions = {(position.strategy_id, position.symbol): position.qty for position in carried.positions}
    return carried.account.cash_micros, positions, {order.cl_ord_id: order.leaves_qty for order in carried.orders}


def test_killed_sim_run_is_found_and_left_behind(room: Room) -> None:
    """At any moment, a killed SIM run verifies and is called killed; the next start says so and starts afresh."""
    chance = chance_of_today()
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0 s")
    for number in range(KILLS):
        with room.start("run", config) as running:
            running.see("REST | ", times=3)
            time.sleep(chance.random() / 2)
            kill(running)
        assert_nothing_synced_is_lost(room, room.run_dirs[-1])
        assert (number > 0) == ("did not stop by itself: it was killed" in running.out)
    ended = room.play("run", config, "--cycles", "3")
    boot = boot_of(records(room.run_dirs[-1]))

    assert (0, "") == (ended.code, ended.err)
    assert "did not stop by itself: it was killed" in ended.out
    assert "SIM starts afresh" in ended.out
    assert ("", 0, (), ()) == (
        boot.carried.previous_head,
        boot.carried.cycle,
        boot.carried.positions,
        boot.carried.orders,
    )


def resume(room: Room) -> None:
    """Raise the trading state as a human does, with the number that is shown."""
    status = room.status()
    assert 0 == room.play("resume", str(status["state_no"])).code


def test_paper_account_lives_through_kills(room: Room) -> None:
    """Over several kills, cash, positions and working orders of each run are those that the next run starts from."""
    chance = chance_of_today()
    config = written(room, strategy="Restless", settings='{ qty = 10, resting = "BAC" }', mode="PAPER", step="0.05 s")
    words = ("run", config, "--mode", "paper")
    names: list[str] = []
    for _ in range(KILLS):
        with room.start(*words) as running:
            running.see("REST | ")
            resume(room)
            running.see("RISK | Approved BUY 10 BAC")
            running.see("BOOK | Filled ", times=3)
            time.sleep(chance.random() / 2)
            kill(running)
        run_dir = room.run_dirs[-1]
        found = records(run_dir)
        own = ledger(found)
        assert own.fills
        assert_nothing_synced_is_lost(room, run_dir)
        names += [decision.decision_id for decision in decisions_of(found)]

        with room.start(*words) as running:
            running.see(f"The run before, {run_dir.name}, did not stop by itself: it was killed", "REST | ")
            running.stop()
        boot = boot_of(records(room.run_dirs[-1]))
        assert (own.cash_micros, own.held, own.working) == held_by(boot.carried)
        assert own.working
        assert (TradingState.REDUCING if own.held else TradingState.HALTED) == boot.start
        assert cycles_of(found)[-1].cycle == boot.carried.cycle
        assert room.verified(run_dir.name)["head"] == boot.carried.previous_head
        names += [decision.decision_id for decision in decisions_of(records(room.run_dirs[-1]))]
    assert len(names) == len(set(names))


def test_attempt_without_a_word_comes_back_as_not_held(room: Room) -> None:
    """An approval that was durable when the process died counts as an attempt, until the gateway says it has none."""
    config = written(room, strategy="Patient", settings="{ qty = 10 }", mode="PAPER", step="0.4 s")
    words = ("run", config, "--mode", "paper")
    with room.start(*words) as running:
        running.see("REST | ")
        resume(room)
        until(lambda: "SEND | Handing " in running.out)
        kill(running)
    found = records(room.run_dirs[-1])
    attempts = sorted(decision.decision_id for decision in approved_of(found))
    heard = [report.cl_ord_id for report in reports_of(found)]
    with room.start(*words) as running:
        running.see("REST | ")
        running.stop()
    next_found = records(room.run_dirs[-1])

    assert (4, []) == (len(attempts), heard)
    assert attempts == sorted(order.cl_ord_id for order in boot_of(next_found).carried.orders)
    assert dict.fromkeys(attempts, ExecType.NOT_HELD) == {
        report.cl_ord_id: report.exec_type for report in cycles_of(next_found)[0].inputs.reports
    }
    assert ({}, {}) == (ledger(next_found).working, ledger(next_found).held)


#: The process dies when its journal is there and its first record is not yet.
_DIES_BEFORE_BOOT = """
from interlock.shell.journal import FileJournal
def append(*words):
    os.kill(os.getpid(), 9)
FileJournal.append = append
"""
#: The process dies when the folder of its run is there, and nothing is in it.
_DIES_BEFORE_JOURNAL = """
from interlock.shell.journal import FileJournal
FileJournal.create = lambda *words, **named: os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("deadly", [_DIES_BEFORE_BOOT, _DIES_BEFORE_JOURNAL], ids=["no record", "no journal"])
def test_run_that_was_killed_before_its_first_record_is_passed_over(room: Room, deadly: str) -> None:
    """A PAPER account is not lost to a start that never came to its first record: the run before is carried on."""
    config = written(room, strategy="Restless", settings="{ qty = 10 }", mode="PAPER", step="0.05 s")
    words = ("run", config, "--mode", "paper")
    with room.start(*words) as running:
        running.see("REST | ")
        resume(room)
        running.see("Filled ", times=4)
        running.stop()
    left = ledger(records(room.run_dirs[-1]))
    assert left.fills

    for _ in range(2):
        assert -signal.SIGKILL == room.play(*words, prefix=around_main(deadly)).code
    ended = room.play(*words, "--cycles", "1")
    boot = boot_of(records(room.run_dirs[-1]))

    assert "" == ended.err
    assert 2 == ended.out.count("was killed before its first record was durable")
    assert (left.cash_micros, left.held, left.working) == held_by(boot.carried)


def test_run_whose_promised_records_are_gone_is_not_passed_over(room: Room) -> None:
    """Where the head file promises records that are not there, nobody knows what is held, and nothing is started."""
    config = written(room, strategy="Patient", settings="{ qty = 10 }", mode="PAPER", step="0.05 s")
    words = ("run", config, "--mode", "paper", "--cycles", "2")
    assert [0, 0] == [room.play(*words).code for _ in range(2)]
    for file in room.run_dirs[-1].glob("*.ilj"):
        file.unlink()
    ended = room.play(*words)

    assert (5, "", 2) == (ended.code, ended.out, len(room.run_dirs))
    assert "cannot be trusted" in ended.err
