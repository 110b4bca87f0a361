"""A disk that is full or fails, and a machine that is slow: nothing is sent after it, and the exit code says so."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenario.scripts import around_main, written
from tests.scenario.stage import Ended, Room, approved_of, boot_of, cycles_of, promised, records, reports_of, stop_of

from interlock.model.orders import ExecType

#: Says of each order that reaches the gateway its id, on standard error.
_WATCH_SENDS = """
from interlock.shell.paper import PaperGateway
take = PaperGateway.submit
def submit(self, approved):
    take(self, approved)
    os.write(2, f"SENT {approved.cl_ord_id}\\n".encode())
PaperGateway.submit = submit
"""
#: No file may grow past this; Python ignores the signal, so a write fails as it does on a full disk.
_SMALL_FILES = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))"
#: The twentieth call that should make something durable fails, and so do all after it.
_FAILING_SYNC = """
import errno
truly, calls = os.fdatasync, []
def fdatasync(fd):
    calls.append(fd)
    if len(calls) > 20:
        os.write(2, b"DISK FAILS\\n")
        raise OSError(errno.EIO, "Input/output error")
    truly(fd)
os.fdatasync = fdatasync
"""


def assert_sending_ended_with_the_disk(room: Room, ended: Ended) -> None:
    """Exit 5, one sentence that says what is known, and no order sent whose approval is not on the record."""
    (said,) = [line for line in ended.err.splitlines() if line.startswith("interlock: ")]
    sent = [line.removeprefix("SENT ") for line in ended.err.splitlines() if line.startswith("SENT ")]
    found = records(room.run_dirs[-1])

    assert 5 == ended.code, ended.err
    assert "Traceback" not in ended.err + ended.out
    assert f"{promised(room.run_dirs[-1]):,} records are durable" in said
    assert "nothing may be sent" in said
    assert sent
    assert sent == [decision.decision_id for decision in approved_of(found)]
    assert True is room.verified()["ok"]


def test_file_that_may_not_grow_ends_sending(room: Room) -> None:
    """A write that fails in the middle of a run is the end of sending, not of honesty."""
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0 s")
    ended = room.play("run", config, prefix=around_main(f"{_SMALL_FILES}\n{_WATCH_SENDS}"))

    assert_sending_ended_with_the_disk(room, ended)


def test_sync_that_fails_ends_sending(room: Room) -> None:
    """A sync that fails is terminal: the approvals that it should have made durable are not sent."""
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0 s")
    ended = room.play("run", config, prefix=around_main(f"{_FAILING_SYNC}\n{_WATCH_SENDS}"))
    after = ended.err.split("DISK FAILS\n", 1)[1]

    assert "SENT" not in after
    assert 5 == ended.code, ended.err
    assert "Traceback" not in ended.err + ended.out
    assert "could not be made durable" in after


@pytest.fixture
def small_disk(room: Room) -> Iterator[Path]:
    """Give a disk of 300 kB as the room's home, or skip where that is not allowed."""
    room.home.mkdir(mode=0o700)
    mount = shutil.which("mount")
    words = (mount or "mount", "-t", "tmpfs", "-o", "size=300k,mode=700", "tmpfs", str(room.home))
    if mount is None or subprocess.run(words, capture_output=True, check=False).returncode != 0:
        pytest.skip("missing privilege: a disk of its own (mount -t tmpfs)")
    yield room.home
    subprocess.run(("umount", "-l", str(room.home)), check=True)


def test_full_disk_ends_sending_and_the_next_start_is_refused(room: Room, small_disk: Path) -> None:
    """On a full disk the run ends as it must, and a start on that disk is refused in a sentence."""
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0 s")
    ended = room.play("run", config, prefix=around_main(_WATCH_SENDS))
    assert_sending_ended_with_the_disk(room, ended)
    with (small_disk / "filler").open("wb", buffering=0) as sink, contextlib.suppress(OSError):
        for _ in range(1_000):
            sink.write(bytes(4096))
    again = room.play("run", config, "--cycles", "1")

    assert again.code in (2, 5)
    assert ("", 0) == (again.out, again.err.count("Traceback"))
    assert "No space left on device" in again.err


def test_strategy_that_thinks_too_long_halts_the_account(room: Room) -> None:
    """A cycle of over 4 s latches the account with CYCLE_OVERRUN, and what it approved is too old to be sent."""
    config = written(room, strategy="Slow", settings="{ milliseconds = 4200 }", interval="0 s")
    ended = room.play("run", config, "--cycles", "4")
    found = records(room.run_dirs[-1])
    third = cycles_of(found)[2]

    assert 3 == ended.code, ended.err
    assert ["CYCLE_OVERRUN"] == [latch.code for latch in third.outputs.latches_raised]
    unsent = {report.cl_ord_id for report in reports_of(found) if report.exec_type is ExecType.NOT_SENT}
    assert {one.decision_id for one in approved_of(found) if int(one.decision_id[:6]) > 1} == unsent != set()
    assert ["CYCLE_OVERRUN"] == [latch.code for latch in stop_of(found).closing.latches]
    assert ("", True) == (ended.err, room.verified()["ok"])
    assert boot_of(found).carried.latches == ()
