"""The host's two clocks.

Floor 2 (the world). The only module that tells time to the loop and the desk; no decision reads it.
"""

from __future__ import annotations

import time


class HostClock:
    """The boot clock, which does not stop in a suspend, and the wall clock."""

    def boot_ns(self) -> int:
        """Return nanoseconds since boot (CLOCK_BOOTTIME)."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def wall_ns(self) -> int:
        """Return nanoseconds since 1970 UTC, as this machine believes."""
        return time.time_ns()
