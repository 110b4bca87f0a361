"""A run's own side file as a source: what it saw, again, without the market or the files that it saw it in.

Floor 2 (the world). It reads a run's folder and nothing else; every snapshot has the digest that it was kept under.
On the trip: none of a run; a replay sees this market where a run kept one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from interlock.model.errors import ConfigError, DataError, JournalError
from interlock.model.journal import Boot
from interlock.model.market import MarketSnapshot, Origin, Provides
from interlock.shell.side_file import SIDE_FILE, side_snapshots


class KeptSource:
    """The snapshots of one run, in order; it says of itself what the run's first record said of its source."""

    def __init__(self, run_dir: Path, boot: Boot) -> None:
        """Take a run's folder and its first record."""
        self.origin = Origin(
            kind=boot.origin_kind,
            identity=boot.origin_identity,
            words="the snapshots that the run kept whole",
            where=str(run_dir / SIDE_FILE),
        )
        self.provides = frozenset(Provides(name) for name in boot.provides)
        self.universe = boot.universe
        self._snapshots: Iterator[MarketSnapshot] = side_snapshots(run_dir)

    def next(self) -> MarketSnapshot | None:
        """Return the next snapshot, or None when no more was kept.

        Raises:
            DataError: the file is damaged, or the extra `data`, which reads it, is not installed.
        """
        try:
            return next(self._snapshots, None)
        except (ConfigError, JournalError) as error:
            raise DataError(str(error)) from error


def kept_source(run_dir: Path, boot: Boot) -> KeptSource | None:
    """Return what a run kept, or None where it kept nothing."""
    return KeptSource(run_dir, boot) if (run_dir / SIDE_FILE).is_file() else None
