"""The watch over the host: bounds of this machine that a run must not pass.

Floor 2 (the world). Raw readings stay here; only a bound that was passed becomes an input of the next cycle, and the
core latches the account for it. On the trip: SEE asks it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from interlock.model.journal import HostTrip
from interlock.model.units import SECOND_NS, duration
from interlock.ports import Clock

#: Less room than this where the record is kept halts the account; on a small disk it is a tenth of the disk.
FREE_BYTES_MIN: Final = 1 << 30
#: More than this part of the machine's memory halts the account, in hundredths.
MEMORY_X100_MAX: Final = 80
#: The room and the memory are looked at this often.
LOOK_NS: Final = 10 * SECOND_NS
#: A wall clock that moved by more than this against the boot clock between two looks has jumped.
JUMP_NS_MAX: Final = SECOND_NS // 2
#: A process that was away for longer than this beyond its pace was paused, and its quotes are old.
AWAY_NS_MAX: Final = 2 * SECOND_NS
_MIB: Final = 1 << 20


class HostWatch:
    """Looks at the room that the journal has before it has none, at memory, and, where time matters, at the clocks.

    Source: rows 45 (clock drift and jump) and 46 (journal and resource headroom) of the control catalogue. A disk that
    is nearly full is a reason to send nothing new, for what cannot be written down is not done; what works goes on
    and is recorded.
    """

    def __init__(self, run_dir: Path, clock: Clock, *, paced_ns: int = 0) -> None:
        """Watch the disk that holds a run's folder.

        Args:
            run_dir: the run's folder.
            clock: the two clocks.
            paced_ns: how long a cycle rests where market time follows the wall clock; 0 where it does not, as in
                SIM: then no jump of a clock moves a decision, and none is looked for.
        """
        self._run_dir = run_dir
        self._clock = clock
        self._paced_ns = paced_ns
        self._next_look_ns = clock.boot_ns()
        self._seen_boot_ns = self._next_look_ns
        self._seen_wall_ns = clock.wall_ns()
        self._is_low = False
        self._is_full = False

    def trips(self) -> tuple[HostTrip, ...]:
        """Return the bounds that were passed since the last call; one that stays passed is told once."""
        now_ns = self._clock.boot_ns()
        found = [*self._of_clocks(now_ns)] if self._paced_ns > 0 else []
        if now_ns >= self._next_look_ns:
            self._next_look_ns = now_ns + LOOK_NS
            found += [*self._of_disk(), *self._of_memory()]
        return tuple(found)

    def _of_clocks(self, now_ns: int) -> Iterator[HostTrip]:
        """Yield a jump of the wall clock, and a pause of the process (a suspend, a stopped process)."""
        wall_ns = self._clock.wall_ns()
        away_ns, moved_ns = now_ns - self._seen_boot_ns, wall_ns - self._seen_wall_ns
        self._seen_boot_ns, self._seen_wall_ns = now_ns, wall_ns
        if away_ns > self._paced_ns + AWAY_NS_MAX:
            text = (
                f"the process was away for {duration(away_ns)}, the limit is {duration(self._paced_ns + AWAY_NS_MAX)}: "
                "what it knew of the market is old"
            )
            yield HostTrip(code="PROCESS_PAUSED", text=text)
        if abs(moved_ns - away_ns) > JUMP_NS_MAX:
            text = (
                f"the wall clock jumped by {duration(moved_ns - away_ns)}, the limit is {duration(JUMP_NS_MAX)}: "
                "market time cannot be trusted"
            )
            yield HostTrip(code="CLOCK_JUMP", text=text)

    def _of_disk(self) -> Iterator[HostTrip]:
        disk = os.statvfs(self._run_dir)
        free = disk.f_bavail * disk.f_frsize
        least = min(FREE_BYTES_MIN, disk.f_blocks * disk.f_frsize // 10)
        was_low, self._is_low = self._is_low, free < least
        if self._is_low and not was_low:
            # The numbers are rounded to MiB: the record of a run keeps the bound, not every byte of the day.
            text = (
                f"only {free // _MIB:,} MiB are free where the record is kept, the limit is "
                f"{max(least // _MIB, 1):,} MiB"
            )
            yield HostTrip(code="DISK_LOW", text=text)

    def _of_memory(self) -> Iterator[HostTrip]:
        used = resident_bytes()
        most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * MEMORY_X100_MAX // 100
        was_full, self._is_full = self._is_full, used > most
        if self._is_full and not was_full:
            text = f"the process uses {used // _MIB:,} MiB of memory, the limit is {most // _MIB:,} MiB"
            yield HostTrip(code="MEMORY_HIGH", text=text)


def resident_bytes() -> int:
    """Return how much memory the process holds, in bytes, as the kernel counts it."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
