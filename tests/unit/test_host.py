"""The watch over the host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from interlock.model.units import SECOND_NS
from interlock.shell import host
from interlock.shell.host import AWAY_NS_MAX, FREE_BYTES_MIN, JUMP_NS_MAX, LOOK_NS, HostWatch


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_ns = SECOND_NS

    def boot_ns(self) -> int:
        """Return the hand-set time."""
        return self.now_ns

    def wall_ns(self) -> int:
        """Return the hand-set time."""
        return self.now_ns


def disk(monkeypatch: pytest.MonkeyPatch, *, free: int, size: int) -> None:
    """Let the disk have this many free bytes of this many."""
    words = (1, 1, size, free, free, 0, 0, 0, 0, 255)
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result(words) if path else None)


def codes(watch: HostWatch) -> list[str]:
    """Return the codes of the trips of one look."""
    return [trip.code for trip in watch.trips()]


@pytest.mark.parametrize(
    ("free", "size", "expected"),
    [
        (FREE_BYTES_MIN, FREE_BYTES_MIN * 100, []),
        (FREE_BYTES_MIN - 1, FREE_BYTES_MIN * 100, ["DISK_LOW"]),
        (30_000, 300_000, []),
        (29_999, 300_000, ["DISK_LOW"]),
    ],
)
def test_disk_trips_one_byte_below_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, size: int, expected: list[str]
) -> None:
    """The limit itself is allowed; a small disk has a tenth of itself as its limit."""
    disk(monkeypatch, free=free, size=size)

    assert expected == codes(HostWatch(tmp_path, HandClock()))


def test_disk_that_stays_low_is_told_once_and_again_after_it_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trip is news; the latch that it makes is what lasts."""
    clock = HandClock()
    watch = HostWatch(tmp_path, clock)
    told = []
    for free in (0, 0, FREE_BYTES_MIN, 0):
        disk(monkeypatch, free=free, size=FREE_BYTES_MIN * 100)
        told.append(codes(watch))
        clock.now_ns += LOOK_NS

    assert [["DISK_LOW"], [], [], ["DISK_LOW"]] == told


def test_disk_is_not_looked_at_in_every_cycle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks nothing is asked of the system."""
    clock = HandClock()
    watch = HostWatch(tmp_path, clock)
    watch.trips()
    clock.now_ns += LOOK_NS - 1
    disk(monkeypatch, free=0, size=FREE_BYTES_MIN * 100)

    assert [] == codes(watch)


class TwoClocks:
    """Two clocks that a test moves apart."""

    def __init__(self) -> None:
        self.boot = SECOND_NS
        self.wall = 1_000 * SECOND_NS

    def boot_ns(self) -> int:
        """Return the hand-set time since boot."""
        return self.boot

    def wall_ns(self) -> int:
        """Return the hand-set time of day."""
        return self.wall

    def pass_by(self, *, boot_ns: int, wall_ns: int) -> None:
        """Let time pass on both."""
        self.boot += boot_ns
        self.wall += wall_ns


@pytest.mark.parametrize(
    ("jump_ns", "expected"),
    [
        (JUMP_NS_MAX, []),
        (JUMP_NS_MAX + 1, ["CLOCK_JUMP"]),
        (-JUMP_NS_MAX, []),
        (-JUMP_NS_MAX - 1, ["CLOCK_JUMP"]),
    ],
)
def test_a_wall_clock_that_jumps_either_way_trips(tmp_path: Path, jump_ns: int, expected: list[str]) -> None:
    """Half a second against the boot clock is allowed, one nanosecond more is a jump."""
    clock = TwoClocks()
    watch = HostWatch(tmp_path, clock, paced_ns=SECOND_NS)
    clock.pass_by(boot_ns=SECOND_NS, wall_ns=SECOND_NS + jump_ns)

    assert expected == codes(watch)
    clock.pass_by(boot_ns=SECOND_NS, wall_ns=SECOND_NS)
    assert [] == codes(watch)


@pytest.mark.parametrize(("beyond_ns", "expected"), [(0, []), (1, ["PROCESS_PAUSED"])])
def test_a_process_that_was_away_trips(tmp_path: Path, beyond_ns: int, expected: list[str]) -> None:
    """A suspend or a stopped process is seen by the boot clock, which does not stop in one."""
    clock = TwoClocks()
    watch = HostWatch(tmp_path, clock, paced_ns=SECOND_NS)
    away_ns = SECOND_NS + AWAY_NS_MAX + beyond_ns
    clock.pass_by(boot_ns=away_ns, wall_ns=away_ns)

    assert expected == codes(watch)


def test_clocks_are_left_alone_where_no_decision_runs_on_them(tmp_path: Path) -> None:
    """SIM's market time comes from its snapshots, so no jump and no pause can move a decision."""
    clock = TwoClocks()
    watch = HostWatch(tmp_path, clock)
    clock.pass_by(boot_ns=3600 * SECOND_NS, wall_ns=-3600 * SECOND_NS)

    assert [] == codes(watch)


def test_memory_trips_once_beyond_its_part_and_again_after_it_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 80 of 100 pages it is allowed; at 81 it halts the account, once until it was lower again."""
    used = {"bytes": 80}
    monkeypatch.setattr(host, "resident_bytes", lambda: used["bytes"])
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PHYS_PAGES": 100, "SC_PAGE_SIZE": 1}[name])
    clock = HandClock()
    watch = HostWatch(tmp_path, clock)
    found = []
    for now in (80, 81, 82, 80, 81):
        used["bytes"] = now
        found.append(codes(watch))
        clock.now_ns += LOOK_NS

    assert [[], ["MEMORY_HIGH"], [], [], ["MEMORY_HIGH"]] == found


def test_resident_memory_is_what_the_kernel_counts() -> None:
    """The number is one of bytes: some megabytes, and less than the machine has."""
    assert 1 << 20 < host.resident_bytes() < os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
