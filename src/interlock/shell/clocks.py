"""The host's two clocks, and its chance.

Floor 2 (the world). The only module that reads time or draws bits; no decision reads either.
"""

from __future__ import annotations

import os
import time


class HostClock:
    """The boot clock, which does not stop in a suspend, and the wall clock."""

    def boot_ns(self) -> int:
        """Return nanoseconds since boot (CLOCK_BOOTTIME)."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def wall_ns(self) -> int:
        """Return nanoseconds since 1970 UTC, as this machine believes."""
        return time.time_ns()


def drawn_name() -> str:
    """Return 128 bits that nobody else draws, as 32 hexadecimal digits."""
    return os.urandom(16).hex()
