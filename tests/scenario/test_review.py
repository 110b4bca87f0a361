"""What a review with fresh eyes tried from outside, on the real command: what got through is a test here."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from tests.scenario.scripts import written
from tests.scenario.stage import INTERLOCK, Room, boot_of, records, stop_of

#: A shell closes some of the standard streams, and Interlock runs in its place.
_CLOSED = ("/bin/sh", "-c", 'exec "$@" {}', "sh", *INTERLOCK)


def closing(*streams: str) -> tuple[str, ...]:
    """Return how to start Interlock with standard streams closed, such as `0<&-`."""
    shell, flag, line, *rest = _CLOSED
    return (shell, flag, line.format(" ".join(streams)), *rest)


@pytest.mark.parametrize("streams", [("2>&-",), ("0<&-", "2>&-")], ids=" ".join)
def test_what_is_said_to_a_closed_stream_is_written_into_no_file_of_the_home(
    room: Room, streams: tuple[str, ...]
) -> None:
    """The number of a closed stream went to the lock or the latch log, and a stop wrote its words into it."""
    config = written(room, strategy="Patient", settings="{ qty = 10 }", interval="0.2 s")
    with room.start("run", config, prefix=closing(*streams)) as running:
        running.see("; 4 orders work;")
        lock = (room.home / "lock").read_bytes()
        ended = running.stop()

    assert (0, lock, b"") == (
        ended.code, (room.home / "lock").read_bytes(), (room.home / "latches.log").read_bytes(),
    )  # fmt: skip
    assert () == stop_of(records(room.run_dirs[-1])).working


def test_a_run_whose_output_is_closed_is_refused(room: Room) -> None:
    """There is no silent path: nobody could read the story."""
    ended = room.play("run", prefix=closing("1>&-"))

    assert (2, []) == (ended.code, room.run_dirs)
    assert "Standard output is closed" in ended.err


def test_an_order_that_no_strategy_looks_after_any_more_is_told(room: Room) -> None:
    """A crash leaves entries working; a start without their strategy says which, and that they work on."""
    config = Path(written(room, strategy="Patient", settings="{ qty = 10 }", mode="PAPER"))
    with room.start("run", str(config), "--mode", "paper") as running:
        running.see("REST | ")
        room.play("resume", "1")
        running.see("; 4 orders work;")
        running.send(signal.SIGKILL)
        running.end()
    config.write_text(config.read_text(encoding="utf-8").replace('name = "idle"', 'name = "other"'), encoding="utf-8")
    told = room.play("run", str(config), "--mode", "paper", "--cycles", "1").out
    ids = [order.cl_ord_id for order in boot_of(records(room.run_dirs[-1])).carried.orders]

    assert 4 == len(ids)
    (line,) = [line for line in told.splitlines() if "No strategy of this configuration looks after the order" in line]
    assert [] == [cl_ord_id for cl_ord_id in ids if f"{cl_ord_id} (BUY 10 " not in line]
