"""The latches of a home: one append-only log that says which were raised and which a named human cleared.

Floor 2 (shell). It never forgets a latch because a file is short, gone or damaged: then it refuses.
It stands beside the trip: a latch is written here before the cycle that raised it sends anything, and
start-up reads here what still stands.

Each line is JSON with its number and the SHA-256 of the line before. `latches.head` holds how many lines
were durable and the hash of the last one, so that a log that was cut or put back from a copy is noticed.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from interlock.model.errors import HomeError, JournalError, invariant
from interlock.model.risk import Latch
from interlock.ports import Clock
from interlock.shell.clocks import HostClock
from interlock.shell.live import replace_file

LATCH_LOG = "latches.log"
_HEAD = "latches.head"
_HOST = HostClock()
_NO_LINE = hashlib.sha256(b"").hexdigest()
_LATCH_ID = re.compile(r"L([1-9]\d{0,8})")


class Raised(msgspec.Struct, frozen=True, kw_only=True, tag="raised"):
    """One line: a latch was raised at `wall_ns` (ns since 1970 UTC). `previous` is the hash of the line before."""

    line: int
    previous: str
    wall_ns: int
    latch: Latch


class Cleared(msgspec.Struct, frozen=True, kw_only=True, tag="cleared"):
    """One line: the named human `by` cleared exactly this latch, and why."""

    line: int
    previous: str
    wall_ns: int
    latch_id: str
    by: str
    why: str


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines were durable, and the hash of the last of them."""

    lines: int
    last: str


class LatchBook(msgspec.Struct, frozen=True, kw_only=True):
    """What the log says.

    Attributes:
        standing: the latches that no human cleared, oldest first.
        next_latch_no: the number of the next latch; ids are never used twice in a home.
        lines: how many lines there are; it grows with every change, so it numbers the state of a home at rest.
        last: the hash of the last line.
        good_bytes: size of the log without a torn last line.
        torn_bytes: size of the torn last line, 0 if there is none.
    """

    standing: tuple[Latch, ...]
    next_latch_no: int
    lines: int
    last: str
    good_bytes: int
    torn_bytes: int

    @property
    def found(self) -> str:
        """Return the sentence about a torn last line, or ""."""
        if not self.torn_bytes:
            return ""
        return f"The last {self.torn_bytes} bytes of the latch log were never finished; no latch was told from them."


_LINE: msgspec.json.Decoder[Raised | Cleared] = msgspec.json.Decoder(Raised | Cleared)


def begin_latch_log(home: Path) -> None:
    """Make the empty log of a home without runs, so that its absence later says that latches were lost.

    Raises:
        HomeError: it cannot be made.
    """
    head = home / _HEAD
    if (home / LATCH_LOG).exists() or (head.exists() and _read_head(head).lines > 0):
        return
    replace_file(head, msgspec.json.encode(_Head(lines=0, last=_NO_LINE)))
    replace_file(home / LATCH_LOG, b"")


def read_latches(home: Path) -> LatchBook:
    """Read the log of a home.

    Raises:
        JournalError: it is gone, cut or damaged, so a latch may be hidden.
    """
    path = home / LATCH_LOG
    try:
        content = path.read_bytes()
    except OSError as error:
        raise JournalError(_refusal(path, f"cannot be read ({error.strerror})")) from error
    good, _, torn = content.rpartition(b"\n")
    lines = good.split(b"\n") if good else []
    standing: dict[str, Latch] = {}
    used_no = 0
    last = _NO_LINE
    hashes = [last]
    for number, line in enumerate(lines, start=1):
        entry = _decode(path, line, number)
        if (entry.line, entry.previous) != (number, last):
            raise JournalError(_refusal(path, f"is damaged: line {number} does not follow from the one before"))
        last = hashlib.sha256(line).hexdigest()
        hashes.append(last)
        if isinstance(entry, Raised):
            standing[entry.latch.latch_id] = entry.latch
            used_no = max(used_no, _latch_no(path, entry.latch.latch_id))
        elif standing.pop(entry.latch_id, None) is None:
            raise JournalError(_refusal(path, f"is damaged: line {number} clears a latch that does not stand"))
    _check_head(home, hashes)
    return LatchBook(
        standing=tuple(standing.values()),
        next_latch_no=used_no + 1,
        lines=len(lines),
        last=last,
        good_bytes=len(content) - len(torn),
        torn_bytes=len(torn),
    )


def standing(home: Path) -> tuple[Latch, ...]:
    """Return the latches of a home that no human cleared, oldest first; none where there is no home yet.

    Raises:
        JournalError: the log is gone, cut or damaged.
    """
    return read_latches(home).standing if home.exists() else ()


class LatchLog:
    """Implements `interlock.ports.LatchLog`: open for writing by the one process that holds the home's lock."""

    __slots__ = ("_book", "_clock", "_fd", "_home")

    def __init__(self, home: Path, *, clock: Clock = _HOST) -> None:
        """Read the log and cut a torn last line; `clock` dates the lines.

        Raises:
            JournalError: it is gone, cut or damaged, or cannot be opened.
        """
        self._home = home
        self._clock = clock
        self._book = read_latches(home)
        try:
            self._fd = os.open(home / LATCH_LOG, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
            if self._book.torn_bytes:
                os.ftruncate(self._fd, self._book.good_bytes)
                os.fsync(self._fd)
        except OSError as error:
            raise JournalError(_refusal(home / LATCH_LOG, f"cannot be opened ({error.strerror})")) from error

    @property
    def book(self) -> LatchBook:
        """Return what the log says now."""
        return self._book

    def raised(self, latch: Latch) -> None:
        """Write that a latch was raised; it is durable on return.

        Raises:
            JournalError: it could not be written; nothing may be sent any more.
            InvariantError: its id was used before.
        """
        number = _latch_no(self._home / LATCH_LOG, latch.latch_id)
        invariant(number >= self._book.next_latch_no, "a latch id is used once in a home", latch_id=latch.latch_id)
        entry = Raised(line=self._book.lines + 1, previous=self._book.last, wall_ns=self._clock.wall_ns(), latch=latch)
        self._append(entry, standing=(*self._book.standing, latch), next_latch_no=number + 1)

    def cleared(self, latch_id: str, *, by: str, why: str) -> None:
        """Write that a named human cleared one standing latch; it is durable on return.

        Args:
            latch_id: the latch.
            by: `human:<user>`.
            why: their words, or how it was asked.

        Raises:
            JournalError: it could not be written.
            InvariantError: no such latch stands, or the name is not a human's.
        """
        rest = tuple(latch for latch in self._book.standing if latch.latch_id != latch_id)
        invariant(len(rest) < len(self._book.standing), "only a standing latch is cleared", latch_id=latch_id)
        invariant(by.startswith("human:"), "only a named human clears a latch", by=by)
        entry = Cleared(
            line=self._book.lines + 1,
            previous=self._book.last,
            wall_ns=self._clock.wall_ns(),
            latch_id=latch_id,
            by=by,
            why=why,
        )
        self._append(entry, standing=rest, next_latch_no=self._book.next_latch_no)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def __enter__(self) -> Self:
        """Return the log."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        del kind, error, trace
        self.close()

    def _append(self, entry: Raised | Cleared, *, standing: tuple[Latch, ...], next_latch_no: int) -> None:
        line = msgspec.json.encode(entry)
        invariant(self._fd >= 0, "an open latch log is written", home=self._home)
        try:
            written = os.write(self._fd, line + b"\n")
            os.fsync(self._fd)
        except OSError as error:
            self.close()
            raise JournalError(_unwritten(self._home, error.strerror)) from error
        if written != len(line) + 1:
            self.close()
            raise JournalError(_unwritten(self._home, "the disk took only a part of the line"))
        last = hashlib.sha256(line).hexdigest()
        try:
            replace_file(self._home / _HEAD, msgspec.json.encode(_Head(lines=entry.line, last=last)))
        except HomeError as error:
            self.close()
            raise JournalError(_unwritten(self._home, str(error))) from error
        self._book = LatchBook(
            standing=standing,
            next_latch_no=next_latch_no,
            lines=entry.line,
            last=last,
            good_bytes=self._book.good_bytes + written,
            torn_bytes=0,
        )


def _decode(path: Path, line: bytes, number: int) -> Raised | Cleared:
    try:
        return _LINE.decode(line)
    except msgspec.MsgspecError as error:
        raise JournalError(_refusal(path, f"is damaged: line {number} cannot be read")) from error


def _latch_no(path: Path, latch_id: str) -> int:
    found = _LATCH_ID.fullmatch(latch_id)
    if found is None:
        raise JournalError(_refusal(path, f"has a latch with the id {latch_id!r}, which is not of the form L1"))
    return int(found[1])


def _read_head(path: Path) -> _Head:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Head)
    except (OSError, msgspec.MsgspecError) as error:
        raise JournalError(_refusal(path, "is gone or cannot be read")) from error


def _check_head(home: Path, hashes: list[str]) -> None:
    """Compare with the head file, which is one line behind if a crash came between the two."""
    head = _read_head(home / _HEAD)
    if head.lines >= len(hashes):
        reason = f"was cut: it has {len(hashes) - 1} lines and {head.lines} were durable"
        raise JournalError(_refusal(home / LATCH_LOG, reason))
    if hashes[head.lines] != head.last:
        raise JournalError(_refusal(home / LATCH_LOG, f"is not the one that was written: line {head.lines} differs"))


def _refusal(path: Path, why: str) -> str:
    return (
        f"The latch log {path} {why}. A latch may be hidden, so nothing is started from this home. "
        "Put the file back from a copy, or, if you know that nothing stood, use a new --home."
    )


def _unwritten(home: Path, why: str | None) -> str:
    return f"The latch log in {home} cannot be written: {why}. Nothing more is sent by this process."
