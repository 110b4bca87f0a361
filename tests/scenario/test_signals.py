"""Signals at a running process: it stops at once, takes entries back, accounts for all, and says so truthfully."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import msgspec
import pytest
from tests.scenario.scripts import around_main, written
from tests.scenario.stage import (
    Ended,
    Room,
    approved_of,
    cycles_of,
    ledger,
    opened_room,
    records,
    reports_of,
    stop_of,
    together,
)

from interlock.model.journal import Stop
from interlock.model.orders import ExecType

#: A stop takes no longer than this from the signal to the end of the process.
STOPS_SECONDS_MAX = 2.0
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """When a signal comes: which strategy runs, at which pace, and what the story must hold by then."""

    strategy: str
    settings: str
    interval: str
    seen: str
    times: int = 1


MOMENTS = {
    "while it rests": Moment(strategy="Patient", settings="{ qty = 10 }", interval="5 s", seen="REST | "),
    "in the rush of cycles": Moment(
        strategy="Restless", settings="{ qty = 10 }", interval="0 s", seen="REST | ", times=20
    ),
    "with working entries": Moment(
        strategy="Patient", settings="{ qty = 10 }", interval="0.2 s", seen="; 4 orders work;"
    ),
}


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """How a signalled process ended, what its journal says, and what `verify` makes of that."""

    ended: Ended
    stop: Stop
    stop_via: str
    decided_at_stop: int
    cancelled: list[str]
    working_before: list[str]
    sent_late: list[str]
    verified: object


def stopped(case: tuple[str, signal.Signals]) -> Stopped:
    """Signal one process at one moment."""
    name, number = case
    moment = MOMENTS[name]
    with opened_room() as room:
        config = written(room, strategy=moment.strategy, settings=moment.settings, interval=moment.interval)
        with room.start("run", config) as running:
            running.see(moment.seen, times=moment.times)
            ended = running.stop(number)
        found = records(room.run_dirs[-1])
        last = cycles_of(found)[-1]
        answered = {report.cl_ord_id: report.exec_type for report in reversed(reports_of(found))}
        before = [record for record in found if record.decided is not last and not isinstance(record.decided, Stop)]
        return Stopped(
            ended=ended,
            stop=stop_of(found),
            stop_via=",".join(command.via for command in last.inputs.commands),
            decided_at_stop=len(last.outputs.decisions),
            cancelled=sorted(cancel.cl_ord_id for cancel in last.outputs.cancels),
            working_before=sorted(ledger(before).working),
            sent_late=[d.decision_id for d in approved_of(found) if d.decision_id not in answered],
            verified=room.verified()["ok"],
        )


CASES = [(name, number) for name in MOMENTS for number in STOPPING]


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[tuple[str, signal.Signals], Stopped]]:
    """Signal all processes, a few at a time."""
    return dict(zip(CASES, together(stopped, CASES), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[1].name} {case[0]}")
def test_signal_stops_at_once_and_accounts_for_everything(
    outcomes: dict[tuple[str, signal.Signals], Stopped], case: tuple[str, signal.Signals]
) -> None:
    """It ends within 2 s, exits 0, decides nothing more, leaves no order, and its record verifies."""
    found = outcomes[case]
    counts = dict(found.stop.counts)

    assert 0 == found.ended.code, found.ended.err
    assert found.ended.seconds < STOPS_SECONDS_MAX
    assert (case[1].name, 0, True) == (found.stop_via, found.decided_at_stop, found.verified)
    assert ((), (), 0) == (found.stop.working, found.stop.in_doubt, counts["working"])
    assert [] == found.sent_late
    assert "STOP | Stopped: " in found.ended.out
    assert "Traceback" not in found.ended.out + found.ended.err


def test_working_entries_are_cancelled_by_name(outcomes: dict[tuple[str, signal.Signals], Stopped]) -> None:
    """The four resting entries are asked back in the cycle of the stop, and all four end as cancelled."""
    found = outcomes["with working entries", signal.SIGTERM]

    assert 4 == len(found.working_before)
    assert found.working_before == found.cancelled
    assert 4 == dict(found.stop.counts)["cancelled"]


def test_sigusr1_wakes_and_never_stops(room: Room) -> None:
    """SIGUSR1 leaves the run going, and a SIGTERM after it ends it as usual."""
    config = written(room, strategy="Patient", settings="{ qty = 10 }", interval="0.05 s")
    with room.start("run", config) as running:
        running.see("000003 SIM")
        for _ in range(5):
            running.send(signal.SIGUSR1)
        cycles = running.out.count(" SEE  | ")
        running.see(" SEE  | ", times=cycles + 3)
        ended = running.stop()

    assert (0, True) == (ended.code, room.verified()["ok"])
    assert ["SIGTERM"] == [c.via for cycle in cycles_of(records(room.run_dirs[-1])) for c in cycle.inputs.commands]


@pytest.mark.parametrize("gap_seconds", [0.0, 0.01, 0.05, 0.1, 0.3])
def test_second_interrupt_within_two_seconds_is_like_one(room: Room, gap_seconds: float) -> None:
    """A finger that slips on Ctrl+C neither abandons the stop nor changes the exit code, at whatever moment."""
    config = written(room, strategy="Patient", settings="{ qty = 10 }", interval="5 s")
    with room.start("run", config) as running:
        running.see("000001 SIM", "REST | ")
        running.send(signal.SIGINT)
        time.sleep(gap_seconds)
        if running.process.poll() is None:
            running.send(signal.SIGINT)
        ended = running.end()

    assert 0 == ended.code, ended.err
    assert 1 == ended.err.count("Ctrl+C seen. Stopping")
    assert "Abandoning" not in ended.err
    assert "Traceback" not in ended.err
    assert stop_of(records(room.run_dirs[-1])).exit_code == 0


#: The signal comes when the record of a further approving cycle has just become durable; each send is told.
_SIGNAL_AFTER_SYNC = """
import signal
from interlock.shell.journal import FileJournal
from interlock.shell.paper import PaperGateway
sync, take, sent = FileJournal.sync, PaperGateway.submit, []
def synced(self):
    sync(self)
    if len(sent) >= 8:
        os.kill(os.getpid(), signal.SIGTERM)
def submit(self, approved):
    sent.append(approved.cl_ord_id)
    take(self, approved)
FileJournal.sync, PaperGateway.submit = synced, submit
"""
_TELL_SENT = "print('SENT', *sent, file=sys.stderr)"


def test_nothing_approved_is_sent_after_the_stop_was_seen(room: Room) -> None:
    """A signal between the durable approval and its send: the gateway is not called, and the order is NOT_SENT."""
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0 s")
    ended = room.play("run", config, prefix=around_main(_SIGNAL_AFTER_SYNC, _TELL_SENT))
    found = records(room.run_dirs[-1])
    sent = ended.err.splitlines()[-1].split()[1:]
    approved = [decision.decision_id for decision in approved_of(found)]
    not_sent = [report.cl_ord_id for report in reports_of(found) if report.exec_type is ExecType.NOT_SENT]

    assert (0, 8) == (ended.code, len(sent))
    assert (approved[:8], approved[8:]) == (sent, not_sent)
    assert not_sent
    assert (len(not_sent), True) == (dict(stop_of(found).counts)["not_sent"], room.verified()["ok"])
