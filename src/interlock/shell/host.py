"""The watch over the host: bounds of this machine that a run must not pass.

Floor 2 (the world). Raw readings stay here; only a bound that was passed becomes an input of the next cycle, and the
core latches the account for it. On the trip: SEE asks it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from interlock.model.journal import HostTrip
from interlock.model.units import SECOND_NS
from interlock.ports import Clock

#: Less room than this where the record is kept halts the account; on a small disk it is a tenth of the disk.
FREE_BYTES_MIN: Final = 1 << 30
#: The room is looked at this often.
LOOK_NS: Final = 10 * SECOND_NS
_MIB: Final = 1 << 20


class HostWatch:
    """Looks at the room that the journal has, before the journal has none.

    Source: row 46 of the control catalogue (journal and resource headroom). A disk that is nearly full is a reason to
    send nothing new, for what cannot be written down is not done; what works goes on and is recorded.
    """

    def __init__(self, run_dir: Path, clock: Clock) -> None:
        """Watch the disk that holds a run's folder."""
        self._run_dir = run_dir
        self._clock = clock
        self._next_look_ns = clock.boot_ns()
        self._is_low = False

    def trips(self) -> tuple[HostTrip, ...]:
        """Return the bounds that were passed since the last call; one that stays passed is told once."""
        now_ns = self._clock.boot_ns()
        if now_ns < self._next_look_ns:
            return ()
        self._next_look_ns = now_ns + LOOK_NS
        disk = os.statvfs(self._run_dir)
        free = disk.f_bavail * disk.f_frsize
        least = min(FREE_BYTES_MIN, disk.f_blocks * disk.f_frsize // 10)
        was_low, self._is_low = self._is_low, free < least
        if was_low or not self._is_low:
            return ()
        # The numbers are rounded to MiB: the record of a run keeps the bound, not every byte of the day.
        text = (
            f"only {free // _MIB:,} MiB are free where the record is kept, the limit is {max(least // _MIB, 1):,} MiB"
        )
        return (HostTrip(code="DISK_LOW", text=text),)
