"""A disk that fails after BOOT: nothing is sent any more, entries are taken back, and the last words say so."""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.durability.calls import Blow, Outcome, struck_life
from tests.durability.life import Place, ScriptedSource, Witness, in_child, live, opened_place
from tests.durability.partition import faults, seen
from tests.durability.test_kill_points import today
from tests.scenario.stage import approved_of, ledger

from interlock.model.journal import Cycle, Stop
from interlock.model.market import MarketSnapshot
from interlock.model.orders import OrderClass
from interlock.shell.journal import Disk

#: CI fails at every so many calls.
EVERY = 4
#: Calls that only clear away what is of no use any more: the run has said all by then.
HARMLESS = ("unlink", "rmdir")


def told_after(place: Place) -> list[tuple[str, ...]]:
    """Return what the witness saw after the call that was struck."""
    told = place.told()
    hits = [number for number, words in enumerate(told) if words[0] == "HIT"]
    return told[hits[0] + 1 :] if hits else []


def kind_of_hit(place: Place) -> str:
    """Return the kind of call that was struck, "" for none."""
    return next((words[1] for words in place.told() if words[0] == "HIT"), "")


def is_stopping(place: Place) -> bool:
    """Return True if the run had decided to stop before the disk failed."""
    last = seen(place.run_dirs[-1]).records[-1].decided
    return isinstance(last, Stop) or (isinstance(last, Cycle) and last.outputs.stopping)


def working_entries(place: Place) -> set[str]:
    """Return the entries that were sent and that work, by the record."""
    records = seen(place.run_dirs[-1]).records
    entries = {d.decision_id for d in approved_of(records) if d.intent.order_class is OrderClass.ENTRY}
    sent = {words[1] for words in place.told() if words[0] == "SEND"}
    return entries & sent & ledger(records).working.keys()


def broken_promises(place: Place, outcome: Outcome) -> list[str]:
    """Return what does not hold after a disk failed in the middle of a run."""
    after = told_after(place)
    cancelled = {words[1] for words in after if words[0] == "CANCEL"}
    named = re.search(r"Cancels asked for without a record: (\d+) \((.*?)\)", outcome.said)
    tests = {
        "exit 5": outcome.code == 5,
        "nothing is sent after it": all(words[0] != "SEND" for words in after),
        "one sentence, no traceback": outcome.said.startswith("interlock: ") and outcome.said.count("\n") == 1,
        "it says that nothing may be sent": re.search("othing (may be|more is) sent", outcome.said) is not None,
    }
    if not is_stopping(place):
        tests["working entries are cancelled"] = working_entries(place) <= cancelled
        tests["it names what is held"] = "You hold " in outcome.said
        tests["it names what was cancelled"] = named is not None and (
            {name for name in named[2].split(", ") if name != "none"} == cancelled
        )
    return [f"{what}: no ({outcome.code}, {outcome.said!r})" for what, holds in tests.items() if not holds]


@pytest.mark.parametrize(
    "blow", [blow for blow in Blow if blow.name.endswith("FOR_GOOD")] + [Blow.EIO, Blow.SHORT], ids=lambda b: b.name
)
def test_failing_call_ends_sending_for_good(blow: Blow) -> None:
    """From BOOT to STOP, a call that fails once or for good ends sending, with exit 5 and honest last words."""
    offset = today()
    with opened_place() as place:
        calls = struck_life(place, at=0, blow=Blow.NONE, from_boot=True).calls
    wrong: list[str] = []
    codes: Counter[int] = Counter()
    for at in range(1 + offset % EVERY, calls + 1, EVERY):
        with opened_place() as place:
            outcome = struck_life(place, at=at, blow=blow, from_boot=True)
            codes[outcome.code] += 1
            wrong += [f"call {at}: {fault}" for fault in faults(place)]
            # A short write that is completed is no failure, and what is cleared away at the end is none either.
            if outcome.code != 0 or (blow is not Blow.SHORT and kind_of_hit(place) not in HARMLESS):
                wrong += [f"call {at}: {promise}" for promise in broken_promises(place, outcome)]

    assert calls > 60
    assert [] == wrong
    assert set(codes) <= {0, 5}
    assert codes[5] > 0


def test_failure_at_the_last_record_names_what_is_held() -> None:
    """A disk that fails under the STOP record ends the run with the same last words as one that failed before."""
    with opened_place() as place:
        calls = struck_life(place, at=0, blow=Blow.NONE, from_boot=True).calls
    for at in range(calls, 0, -1):
        with opened_place() as place:
            outcome = struck_life(place, at=at, blow=Blow.EIO, from_boot=True)
            if outcome.code != 0:
                break

    assert (5, True) == (outcome.code, "You hold " in outcome.said), outcome.said


def test_cycle_that_breaks_on_a_failing_disk_still_takes_entries_back() -> None:
    """A source that breaks while the latch log cannot be written ends the run, and working entries are cancelled."""

    def break_down(witness: Witness) -> None:
        see, write, broken = ScriptedSource.next, os.write, []

        def fail_at_six(self: ScriptedSource) -> MarketSnapshot | None:
            market = see(self)
            if market is not None and market.seq == 6:
                broken.append(True)
                witness.note("HIT", "write")
                message = "the source broke"
                raise RuntimeError(message)
            return market

        def write_until_then(fd: int, payload: bytes) -> int:
            if broken:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return write(fd, payload)

        ScriptedSource.next, os.write = fail_at_six, write_until_then  # type: ignore[method-assign]

    with opened_place() as place:
        code = in_child(place, lambda: live(place, before=break_down))
        cancelled = {words[1] for words in told_after(place) if words[0] == "CANCEL"}

        assert code in (5, 6)
        assert {"000002-002", "000005-002"} <= cancelled, place.said


def noting_failures(witness: Witness) -> Disk:
    """Return a disk whose first write that fails is written down."""

    def write(fd: int, payload: bytes) -> int:
        try:
            return os.write(fd, payload)
        except OSError:
            witness.note("HIT", "write")
            raise

    return Disk(write=write)


@pytest.mark.parametrize("size", [9_000, 12_345, 20_000, 30_000])
def test_file_size_limit_ends_sending(size: int) -> None:
    """Where no file may grow past a size, the write that would pass it ends sending, and the next start finds all."""

    def limit(witness: Witness) -> None:
        del witness
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    with opened_place() as place:
        code = in_child(place, lambda: live(place, disk=noting_failures(Witness(place)), before=limit))

        assert [] == broken_promises(place, Outcome(code, place.said, 0))
        assert ("write", []) == (kind_of_hit(place), faults(place))


@pytest.fixture
def small_disk() -> Iterator[Place]:
    """Give a place on a disk of its own, or skip where that is not allowed."""
    with opened_place() as place:
        words = ["mount", "-t", "tmpfs", "-o", "size=44k,mode=700", "tmpfs", str(place.home)]
        place.home.mkdir(mode=0o700)
        mount = shutil.which("mount")
        if mount is None or subprocess.run(words, capture_output=True, check=False).returncode != 0:
            pytest.skip("missing privilege: a disk of its own (mount -t tmpfs)")
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", str(place.home)], check=True)


def test_full_disk_ends_sending_on_paper(small_disk: Place) -> None:
    """On a disk of 44 kB the write that finds no space ends sending, and what is on record is all that was sent."""
    code = in_child(small_disk, lambda: live(small_disk, disk=noting_failures(Witness(small_disk))))

    assert [] == broken_promises(small_disk, Outcome(code, small_disk.said, 0))
    assert ("write", []) == (kind_of_hit(small_disk), faults(small_disk))
    assert "No space left on device" in small_disk.said


def test_read_only_disk_is_refused_at_the_start(small_disk: Place) -> None:
    """Once its disk is read-only an account does not start, and says why in one sentence."""
    subprocess.run(["mount", "-o", "remount,size=10m", str(small_disk.home)], check=True)
    assert 0 == in_child(small_disk, lambda: live(small_disk))
    before = small_disk.told()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk.home)], check=True)
    code = in_child(small_disk, lambda: live(small_disk))

    assert code in (2, 5)
    assert before == small_disk.told()
    assert "Read-only file system" in small_disk.said
    assert ("interlock: ", 1) == (small_disk.said[:11], small_disk.said.count("\n"))
