"""The watch over the host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from interlock.model.units import SECOND_NS
from interlock.shell.host import FREE_BYTES_MIN, LOOK_NS, HostWatch


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
