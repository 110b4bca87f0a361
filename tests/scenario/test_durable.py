"""Decision before send, as the kernel sees it and as the gateway sees it."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest
from tests.scenario.scripts import around_main, written
from tests.scenario.stage import FIRST, INTERLOCK, Room, approved_of, records

#: At each send: how many records were durable, and in which record the approval stands.
_WATCH_JOURNAL = """
import json
from interlock.model.journal import Cycle
from interlock.model.risk import Verdict
from interlock.shell.journal import FileJournal
from interlock.shell.paper import PaperGateway
append, take, opened, stands, sends = FileJournal.append, PaperGateway.submit, [], {}, []
def appended(self, decided, aside):
    record = append(self, decided, aside)
    opened[:] = [self]
    for decision in decided.outputs.decisions if isinstance(decided, Cycle) else ():
        if decision.verdict is Verdict.APPROVED:
            stands[decision.decision_id] = record.seq
    return record
def submit(self, approved):
    sends.append([approved.cl_ord_id, stands.get(approved.cl_ord_id, 10**9), opened[0].synced_records])
    take(self, approved)
FileJournal.append, PaperGateway.submit = appended, submit
"""
_TELLING = "print(json.dumps(sends), file=sys.stderr)"


def test_approval_is_durable_at_every_send(room: Room) -> None:
    """When the gateway is called, the record that holds the approval is among those that were synced."""
    ended = room.play(
        "run", str(FIRST), "--cycles", "30", "--interval", "0", prefix=around_main(_WATCH_JOURNAL, _TELLING)
    )
    sends = json.loads(ended.err.splitlines()[-1])

    assert 0 == ended.code
    assert [decision.decision_id for decision in approved_of(records(room.run_dirs[-1]))] == [
        name for name, _, _ in sends
    ]
    assert [] == [name for name, seq, synced in sends if synced <= seq]


CALL = re.compile(r"(?:\d+ +)?(openat|write|fdatasync|close)\((.*)\) += (-?\d+)")


def test_kernel_sees_the_sync_before_the_story_goes_on(room: Room) -> None:
    """Between the write of an approving record and the words that hand it over, its file is synced, successfully."""
    strace = shutil.which("strace")
    if strace is None:
        may_install = os.geteuid() == 0
        pytest.skip("needs strace, which .ci/run installs" if may_install else "missing privilege: to install strace")
    trace = room.path / "trace"
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0 s")
    traced = (strace, "-f", "-e", "trace=openat,write,fdatasync,close", "-s", "65536", "-o", str(trace))
    ended = room.play("run", config, "--cycles", "12", prefix=(*traced, *INTERLOCK))
    if "Operation not permitted" in ended.err:
        pytest.skip("missing privilege: strace may not look here")
    assert (0, "") == (ended.code, ended.err)
    handed = unsynced_at_hand_over(trace.read_text(encoding="utf-8", errors="replace"))

    assert [] == [count for count in handed if count != 0]
    assert len(handed) >= 5


def unsynced_at_hand_over(trace: str) -> list[int]:
    """Return, for each time that the story hands over an order, how many writes of the journal were not synced."""
    journals: set[str] = set()
    unsynced = 0
    handed: list[int] = []
    for call, arguments, returned in CALL.findall(trace):
        fd = arguments.partition(",")[0]
        if call == "openat" and ".ilj" in arguments:
            journals.add(returned)
        elif call == "close":
            journals.discard(fd)
        elif call == "write" and fd in journals:
            unsynced += 1
        elif call == "fdatasync" and fd in journals and returned == "0":
            unsynced = 0
        elif call == "write" and fd == "1" and "Handing " in arguments:
            handed.append(unsynced)
    return handed
