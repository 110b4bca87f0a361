"""Incarnations: which start of which copy of an account sent an order.

Floor 2 (the world). Every start of PAPER draws 128 random bits and writes them into its home, durably, before
anything can be sent; the id that an order has on the wire carries them. So an order at the gateway with our prefix and
an incarnation that this home never drew was sent by another copy of the account, which may be alive: then nothing
starts. SIM's incarnation is zero, for its market ends with its process.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from interlock.model.errors import HomeError, JournalError
from interlock.model.mode import Mode
from interlock.model.units import plain
from interlock.shell.clocks import drawn_name
from interlock.shell.live import sync_folder

#: The name of the file in the home: one line a start, `<first cycle> <incarnation>`.
INCARNATIONS: Final = "incarnations"
#: What every id of ours begins with on the wire.
WIRE_PREFIX: Final = "IL"
#: SIM's incarnation.
NOBODY: Final = "0" * 32

_LINE: Final = re.compile(r"([0-9]{1,18}) ([0-9a-f]{32})")
_WIRE: Final = re.compile(rf"{WIRE_PREFIX}-([0-9a-f]{{32}})-([0-9]+-[0-9]+)")


class Incarnations:
    """The incarnations of one home, this start's included."""

    def __init__(self, starts: tuple[tuple[int, str], ...]) -> None:
        """Take (cycle before the first of that start, incarnation), oldest first."""
        self._starts = starts

    @property
    def current(self) -> str:
        """Return the incarnation of this start."""
        return self._starts[-1][1]

    def wire_id(self, cl_ord_id: str) -> str:
        """Return the id that an order has on the wire: it names the start in whose cycle it was approved."""
        cycle = int(cl_ord_id.partition("-")[0])
        drawn = [incarnation for after, incarnation in self._starts if after < cycle]
        return f"{WIRE_PREFIX}-{drawn[-1] if drawn else NOBODY}-{cl_ord_id}"

    def refuse_strangers(self, wire_ids: Iterable[str], *, home: Path) -> None:
        """Refuse to start beside another copy of this account.

        Args:
            wire_ids: every order that works at the gateway now.
            home: for the sentence.

        Raises:
            HomeError: an order with our prefix bears an incarnation that this home never drew.
        """
        known = {incarnation for _, incarnation in self._starts}
        strangers: list[str] = []
        for wire_id in wire_ids:
            found = _WIRE.fullmatch(wire_id)
            if found is not None and found[1] not in known:
                strangers.append(wire_id)
        if strangers:
            message = (
                f"The gateway works {len(strangers)} orders of Interlock that the home {plain(str(home))} never sent, "
                f"such as {strangers[0]}. Another copy of this account is alive, or this home is an older copy of it. "
                "Two of them would trade the same money twice. Nothing was started. Find the other one and halt it "
                "(interlock halt --all on its machine), or use the newest home."
            )
            raise HomeError(message)


def begin(home: Path, *, mode: Mode, after_cycle: int) -> Incarnations:
    """Draw this start's incarnation and make it durable.

    Args:
        home: the home; its lock is held.
        mode: of this start; SIM draws nothing and writes nothing.
        after_cycle: the number of the last cycle of the run before, 0 for none.

    Raises:
        JournalError: the file is damaged or cannot be written, so an order could not be told from a stranger's.
    """
    if mode is Mode.SIM:
        return Incarnations(((-1, NOBODY),))
    path = home / INCARNATIONS
    try:
        starts = (*_read(path), (after_cycle, drawn_name()))
        is_new = not path.exists()
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            line = f"{starts[-1][0]} {starts[-1][1]}\n".encode()
            written = os.write(fd, line)
            os.fsync(fd)
        finally:
            os.close(fd)
        if is_new:
            sync_folder(home)
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror}), so this start has no name. Nothing was started."
        raise JournalError(message) from error
    if written != len(line):
        message = f"{path} took {written} of {len(line)} bytes, so this start has no name. Nothing was started."
        raise JournalError(message)
    return Incarnations(starts)


def _read(path: Path) -> tuple[tuple[int, str], ...]:
    """Return the starts that are written; a last line that was never finished named a start that sent nothing."""
    if not path.exists():
        return ()
    whole, _, torn = path.read_bytes().rpartition(b"\n")
    starts: list[tuple[int, str]] = []
    for line in whole.decode("ascii", errors="replace").split("\n") if whole else []:
        found = _LINE.fullmatch(line)
        if found is None:
            message = (
                f"{path} is damaged at line {len(starts) + 1}, so an order of ours could not be told from a stranger's."
                " Nothing was started. Restore the home, or look at the gateway yourself and begin a new home."
            )
            raise JournalError(message)
        starts.append((int(found[1]), found[2]))
    if torn:
        # Cut it here, under the lock: what follows must stand on a line of its own.
        os.truncate(path, len(whole) + 1 if whole else 0)
    return tuple(starts)
