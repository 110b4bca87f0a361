"""How each entry of the corpus was played: real processes, in a room of their own, on the machine of that day."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import NamedTuple

from tests.scenario.scripts import around_main
from tests.scenario.stage import INTERLOCK, Room, decisions_of, ledger, promised, records, until

Act = Callable[[Room, tuple[str, ...]], None]


class Play(NamedTuple):
    """What is played, for one entry or for some that follow each other in one home.

    Attributes:
        names: the entries, in the order of their runs; the folder of the first holds what is played.
        whats: what happens in each, a sentence.
        act: plays it, given a room and the words that start a run.
    """

    names: tuple[str, ...]
    whats: tuple[str, ...]
    act: Act


def to_the_end(*more: str, prefix: tuple[str, ...] = INTERLOCK, code: int = 0) -> Act:
    """Return an act that waits until a run has ended by itself, with an exit code."""

    def act(room: Room, words: tuple[str, ...]) -> None:
        ended = room.play(*words, *more, prefix=prefix)
        assert (code, "") == (ended.code, ended.err)

    return act


def state_no(room: Room) -> str:
    """Return the number of the trading state, as a person types it."""
    return str(room.status()["state_no"])


def human_halt(room: Room, words: tuple[str, ...]) -> None:
    """Halt a run, clear the latch, raise the state, and stop it."""
    with room.start(*words) as running:
        running.see("Filled ", times=2)
        room.play("halt", "--reason", "to look at it once more")
        running.see("HUMAN_HALT")
        assert 0 == room.play("resume", "L1", state_no(room)).code
        assert 0 == room.play("resume", state_no(room)).code
        until(lambda: room.status()["trading_state"] == "ACTIVE")
        running.see("REST | ", times=running.out.count("REST | ") + 4)
        assert 0 == room.play("stop").code


def latched(room: Room, words: tuple[str, ...]) -> None:
    """Halt a run and let it end while its latch stands."""
    with room.start(*words) as running:
        running.see("Filled ", times=2)
        room.play("halt", "--reason", "enough for today")
        running.see("HUMAN_HALT")
        assert 3 == running.stop().code


def sigterm(room: Room, words: tuple[str, ...]) -> None:
    """Stop a run by SIGTERM while its entries work."""
    with room.start(*words) as running:
        running.see("REST | ", times=5)
        assert 0 == running.stop().code


def killed(room: Room, words: tuple[str, ...]) -> None:
    """End a process in the midst, without a chance to say anything."""
    with room.start(*words) as running:
        running.see("Filled ", times=6)
        running.send(signal.SIGKILL)
        running.process.wait()


def torn_tail(room: Room, words: tuple[str, ...]) -> None:
    """End a process in quiet cycles, and cut the last record in two, as a loss of power does."""
    with room.start(*words) as running:
        running.see("REST | ", times=12)
        running.send(signal.SIGKILL)
        running.process.wait()
    run_dir = room.run_dirs[-1]
    assert promised(run_dir) < len(records(run_dir)), "the last record was synced; play it again"
    last = max(run_dir.glob("*.ilj"))
    with last.open("rb+") as file:
        file.truncate(last.stat().st_size - 100)


def paper(room: Room, words: tuple[str, ...]) -> None:
    """Raise a PAPER run, kill it while it holds shares and an order works, and start the next, and raise that too."""
    words = (*words, "--mode", "paper")
    with room.start(*words) as running:
        running.see("REST | ")
        assert 0 == room.play("resume", state_no(room)).code
        running.see("RISK | Approved", "Filled ", times=3)
        running.send(signal.SIGKILL)
        running.process.wait()
    left = ledger(records(room.run_dirs[-1]))
    assert (3, True) == (len(left.held), len(left.working) > 0), "it was killed at another moment; play it again"
    with room.start(*words) as running:
        running.see("REST | ", times=2)
        assert 0 == room.play("resume", state_no(room)).code
        running.see("SEND | ", times=2)
        assert 0 == running.stop().code


def allowed(room: Room, words: tuple[str, ...]) -> None:
    """Let a wish through that only a soft control blocks, and see that the leave is good for one order."""
    with room.start(*words) as running:
        running.see("A human may let it pass once", times=2)
        blocked = decisions_of(records(room.run_dirs[-1]))[0]
        assert 0 == room.play("allow", blocked.decision_id, "--reason", "it was looked at, and is meant so").code
        running.see("Filled ")
        running.see("REST | ", times=running.out.count("REST | ") + 3)
        assert 0 == running.stop().code


def tightened(room: Room, words: tuple[str, ...]) -> None:
    """Make a limit stricter in the midst of a run, and see it block."""
    with room.start(*words) as running:
        running.see("Filled ", times=2)
        assert 0 == room.play("tighten", "max_order_qty", "50 shares").code
        running.see("ORDER_QTY_MAX", times=2)
        assert 0 == running.stop().code


#: A machine that stands still for more than four seconds in the sixth cycle, while the market is seen.
_STANDS_STILL = """
import time
from interlock.shell.paper import PaperGateway
observe = PaperGateway.observe
def stands_still(self, snapshot):
    if snapshot.seq == 6:
        time.sleep(4.2)
    observe(self, snapshot)
PaperGateway.observe = stands_still
"""

PLAYS = (
    Play(("first",), ("Twenty cycles of the first example.",), to_the_end("--cycles", "20", "--interval", "0")),
    Play(
        ("no_config",),
        ("No configuration: every intent is blocked.",),
        to_the_end("--cycles", "12", "--interval", "0", "--seed", "9"),
    ),
    Play(("human_halt",), ("A human halts the run, clears the latch and raises the state.",), human_halt),
    Play(("latched",), ("A human halts the run, and it ends latched, with exit code 3.",), latched),
    Play(("sigterm",), ("SIGTERM stops the run while four entries work.",), sigterm),
    Play(("killed",), ("SIGKILL ends the process; no STOP closes the record.",), killed),
    Play(("torn_tail",), ("The last record of a killed run is cut in two.",), torn_tail),
    Play(
        ("paper_killed", "paper_carried"),
        (
            "A PAPER run that a human raised, killed while it held shares and an order worked.",
            "The PAPER run after it, which carries those shares and that order.",
        ),
        paper,
    ),
    Play(("strategy_fault",), ("A strategy raises, and later wishes for what there is not.",), to_the_end()),
    Play(("dirty_market",), ("Quotes go missing, stale and crossed, and symbols are halted.",), to_the_end()),
    Play(("bad_rows",), ("Quotes from a CSV file with a bad row of each kind.",), to_the_end()),
    Play(
        ("recorded_market",), ("Every snapshot is kept whole in the side file as well.",), to_the_end("--record-data")
    ),
    Play(
        ("overrun",),
        ("A cycle takes more than four seconds and halts the account.",),
        to_the_end(prefix=around_main(_STANDS_STILL), code=3),
    ),
    Play(("soft_block",), ("A soft control blocks a wish, and nobody lets it through.",), to_the_end()),
    Play(("allowed",), ("A human lets one order past the soft control that blocked it.",), allowed),
    Play(("tightened",), ("A human makes a limit stricter, and what passed before is blocked.",), tightened),
    Play(("daily_loss",), ("The account loses what a day may lose, and is latched.",), to_the_end(code=3)),
)
