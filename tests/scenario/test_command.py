"""The words by which a human reaches a real process: halt, resume, stop, status, and the lock of a home."""

from __future__ import annotations

from tests.scenario.scripts import written
from tests.scenario.stage import Room, boot_of, codes_of, cycles_of, records, stop_of, until

from interlock.model.mode import TradingState
from interlock.model.orders import OrderClass
from interlock.model.risk import Verdict


def restless(room: Room) -> str:
    """Write a configuration that trades in every cycle, twenty times a second."""
    return written(room, strategy="Restless", settings='{ qty = 10, resting = "BAC" }', interval="0.05 s")


def latches(room: Room) -> list[str]:
    """Return the ids of the latches that stand, as `status` says."""
    found = room.status()["latches"]
    assert isinstance(found, list)
    return [latch["latch_id"] for latch in found]


def test_halt_stops_entries_at_once(room: Room) -> None:
    """A halt blocks the very next decisions, names why in each, and the process ends as latched."""
    config = restless(room)
    with room.start("run", config) as running:
        running.see("RISK | Approved", times=3)
        halted = room.play("halt", "--reason", "lunch\x1b[2J break")
        assert (0, "") == (halted.code, halted.err)
        assert halted.out.startswith("You hold ")
        assert ("HALTED", ["L1"]) == (room.status()["trading_state"], latches(room))
        running.see("TRADING_STATE,LATCHED")
        ended = running.stop()
    found = records(room.run_dirs[-1])
    (at,) = [ix for ix, c in enumerate(cycles_of(found)) if c.outputs.latches_raised]
    after = [decision for cycle in cycles_of(found)[at:] for decision in cycle.outputs.decisions]

    assert 3 == ended.code
    assert after
    assert all(decision.verdict is Verdict.BLOCKED for decision in after)
    entries = [decision for decision in after if decision.intent.order_class is OrderClass.ENTRY]
    assert entries
    assert all({"TRADING_STATE", "LATCHED"} <= {*codes_of(decision)} for decision in entries)
    assert all("TRADING_STATE" in codes_of(decision) for decision in after)
    assert stop_of(found).closing.latches[0].text.endswith("lunch?[2J break")


def test_latch_lasts_until_it_is_cleared_by_its_name_and_number(room: Room) -> None:
    """A halt outlives the process and its own file; a wrong name or number clears nothing, the right ones do."""
    config = restless(room)
    with room.start("run", config) as running:
        running.see("RISK | Approved")
        assert 0 == room.play("halt").code
        assert 3 == running.stop().code
    for file in (room.home / "HALT.d").rglob("*.halt"):
        file.unlink()
    with room.start("run", config) as running:
        running.see("Latch L1 still stands", "TRADING_STATE,LATCHED")
        state_no = room.status()["state_no"]
        assert isinstance(state_no, int)
        for wrong in (("L1", str(state_no + 1)), ("L2", str(state_no)), (str(state_no),)):
            assert 2 == room.play("resume", *wrong).code
        assert ["L1"] == latches(room)
        assert 0 == room.play("resume", "L1", str(state_no)).code
        assert ([], "HALTED") == (latches(room), room.status()["trading_state"])
        assert 0 == room.play("resume", str(room.status()["state_no"])).code
        assert "ACTIVE" == room.status()["trading_state"]
        running.see("RISK | Approved")
        stopped = room.play("stop")
        ended = running.end()

    assert TradingState.HALTED is boot_of(records(room.run_dirs[-1])).start
    assert (0, 0, True) == (stopped.code, ended.code, room.verified()["ok"])


def test_second_process_is_refused_with_pid_and_start(room: Room) -> None:
    """One account is driven by one process: the second is told who holds the home and since when, and exits 2."""
    config = restless(room)
    with room.start("run", config) as running:
        running.see("REST | ")
        second = room.play("run", config, "--cycles", "1")
        assert (2, "") == (second.code, second.out)
        assert f"is in use by process {running.process.pid}, started at 20" in second.err
        assert 1 == len(room.run_dirs)
        assert 0 == running.stop().code


def test_stop_leaves_no_latch_and_waits_for_the_end(room: Room) -> None:
    """`interlock stop` says what is held, comes back when the process has ended, and leaves nothing to clear."""
    with room.start("run", restless(room)) as running:
        running.see("RISK | Approved")
        stopped = room.play("stop")
        until(lambda: running.process.poll() is not None, seconds=1)
        ended = running.end()

    assert (0, 0, "") == (stopped.code, ended.code, stopped.err)
    assert stopped.out.startswith("You hold ")
    assert [] == latches(room)
    assert isinstance(room.status()["ended"], str)


def test_halt_without_a_process_waits_for_the_next_start(room: Room) -> None:
    """A halt that is written while nothing runs is a latch from the first cycle of the next run, and its exit code."""
    config = restless(room)
    assert 0 == room.play("run", config, "--cycles", "2").code
    assert 0 == room.play("halt", "--reason", "over night").code
    ended = room.play("run", config, "--cycles", "3")
    first = cycles_of(records(room.run_dirs[-1]))[0]

    assert (3, TradingState.HALTED) == (ended.code, first.outputs.state_after)
    assert all(decision.verdict is Verdict.BLOCKED for decision in first.outputs.decisions)
    assert "over night" in ended.out
