"""The calls by which a life reaches the disk, each of them a place to die at or to fail at.

The n-th call is counted over all kinds, from the making of the home, or from the first durable record, to the end.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from tests.durability.life import Place, Witness, in_child, live

from interlock.loop import Loop
from interlock.model.journal import Boot, BootAside
from interlock.shell.journal import Disk

KINDS = ("open", "write", "pwrite", "fdatasync", "fsync", "replace", "mkdir", "unlink", "rmdir", "ftruncate")
WRITES = ("write", "pwrite")


class Blow(Enum):
    """What happens at the call that was chosen."""

    NONE = "none"
    KILL_BEFORE = "killed before it"
    KILL_AFTER = "killed after it"
    KILL_HALFWAY = "killed in the middle of it"
    EIO = "it fails once with EIO"
    EIO_FOR_GOOD = "it and all after it fail with EIO"
    ENOSPC_FOR_GOOD = "it and all after it fail with ENOSPC"
    EROFS_FOR_GOOD = "it and all after it fail with EROFS"
    SHORT = "it takes half of what it is given"

    @property
    def is_kill(self) -> bool:
        """Return True if the process dies of it."""
        return self in (Blow.KILL_BEFORE, Blow.KILL_AFTER, Blow.KILL_HALFWAY)


_ERRORS = {
    Blow.EIO: errno.EIO,
    Blow.EIO_FOR_GOOD: errno.EIO,
    Blow.ENOSPC_FOR_GOOD: errno.ENOSPC,
    Blow.EROFS_FOR_GOOD: errno.EROFS,
}


class Calls:
    """Counts the calls of this process, and strikes at one of them."""

    def __init__(self, witness: Witness, *, at: int, blow: Blow) -> None:
        """Strike at the `at`-th call from now on."""
        self.count = 0
        self.is_counting = True
        self._witness = witness
        self._at = at
        self._blow = blow

    def around(self, kind: str) -> Callable[..., object]:
        """Return the call of that kind, counted."""
        truly = getattr(os, kind)

        def counted(*arguments: object, **named: object) -> object:
            if not self.is_counting:
                return truly(*arguments, **named)
            self.count += 1
            is_hit = self.count == self._at
            if not is_hit and not (self.count > self._at > 0 and self._blow.name.endswith("FOR_GOOD")):
                return truly(*arguments, **named)
            return self._strike(kind, truly, arguments, named)

        return counted

    def _strike(self, kind: str, truly: Callable[..., object], arguments: tuple, named: dict) -> object:
        blow = self._blow
        if self.count == self._at:
            self._witness.note("HIT", kind)
        if blow is Blow.KILL_BEFORE:
            os.kill(os.getpid(), signal.SIGKILL)
        if kind in WRITES and blow in (Blow.KILL_HALFWAY, Blow.SHORT):
            payload = arguments[1]
            taken = truly(arguments[0], payload[: len(payload) // 2], *arguments[2:])
            if blow is Blow.KILL_HALFWAY:
                os.kill(os.getpid(), signal.SIGKILL)
            return taken
        if blow in _ERRORS and not (kind == "open" and not self._is_writing(arguments)):
            raise OSError(_ERRORS[blow], os.strerror(_ERRORS[blow]))
        done = truly(*arguments, **named)
        if blow.is_kill:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    def _is_writing(self, arguments: tuple) -> bool:
        return bool(arguments[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) or self._blow is Blow.EIO


class Outcome(NamedTuple):
    """How a struck life ended: exit code, its words, and how many calls it made if it lived."""

    code: int
    said: str
    calls: int


def struck_life(place: Place, *, at: int, blow: Blow, from_boot: bool = False) -> Outcome:
    """Live one life in a child whose `at`-th call is struck (0 = none is), counted from the start or from BOOT."""
    counted = place.path / "calls"
    counted.unlink(missing_ok=True)

    def act() -> int:
        made: list[Calls] = []

        def before(witness: Witness) -> None:
            calls = Calls(witness, at=at, blow=blow)
            made.append(calls)
            if from_boot:
                calls.is_counting = False
                _count_from_boot(calls)
            for kind, shim in shims(calls).items():
                setattr(os, kind, shim)

        write = os.open, os.write
        code = live(place, disk=disk_of_this_process(), before=before)
        fd = write[0](counted, os.O_WRONLY | os.O_CREAT, 0o600)
        write[1](fd, str(made[0].count).encode())
        return code

    code = in_child(place, act)
    return Outcome(code, place.said, int(counted.read_text("ascii")) if counted.exists() else 0)


def _count_from_boot(calls: Calls) -> None:
    """Let the calls be counted once the first record is durable and told."""
    boot = Loop.boot

    def booted(self: Loop, decided: Boot, aside: BootAside) -> None:
        boot(self, decided, aside)
        calls.is_counting = True

    Loop.boot = booted  # type: ignore[method-assign]


def shims(calls: Calls) -> dict[str, Callable[..., object]]:
    """Return every kind of call, counted."""
    return {kind: calls.around(kind) for kind in KINDS}


def disk_of_this_process() -> Disk:
    """Return the disk that calls what `os` holds by then, so that what is planted there is felt by the journal."""
    return Disk(write=_late("write"), write_at=_late("pwrite"), sync=_late("fdatasync"), sync_folder=_late("fsync"))


def _late(kind: str) -> Callable[..., Any]:
    def call(*arguments: object) -> object:
        return getattr(os, kind)(*arguments)

    return call
