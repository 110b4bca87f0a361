"""A disk that loses power: what may be left of a journal at any instant, from the calls that the journal made.

The journal writes through `SimDisk`, which keeps each call. `left_behind` then makes one state that a machine may be
found in: everything that was synced is there; what was not may be there, be lost, be torn, or be there without what
was written before it; a file's name may be lost until its folder was synced.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from tests.journal_factory import boot, cycle

from interlock.shell.journal import Disk, FileJournal
from interlock.shell.journal_format import HEAD_NAME
from interlock.shell.journal_reader import Ending, JournalReader

#: What a disk writes at once.
SECTOR_BYTES = 512


class Op(NamedTuple):
    """One call: `write` (with bytes and place), `sync` of a file, or `sync_folder`."""

    kind: str
    name: str
    offset: int
    payload: bytes


class SimDisk:
    """Keeps every call that a journal makes, and makes it."""

    def __init__(self) -> None:
        """Begin with an empty disk."""
        self.ops: list[Op] = []
        self._sizes: dict[str, int] = {}

    def disk(self) -> Disk:
        """Return the calls to hand to a journal."""
        return Disk(write=self._write, write_at=self._write_at, sync=self._sync, sync_folder=self._sync_folder)

    def _write(self, fd: int, payload: bytes) -> int:
        name = _name_of(fd)
        offset = self._sizes.get(name, 0)
        self._sizes[name] = offset + len(payload)
        self.ops.append(Op("write", name, offset, bytes(payload)))
        return os.write(fd, payload)

    def _write_at(self, fd: int, payload: bytes, offset: int) -> int:
        self.ops.append(Op("write", _name_of(fd), offset, bytes(payload)))
        return os.pwrite(fd, payload, offset)

    def _sync(self, fd: int) -> None:
        self.ops.append(Op("sync", _name_of(fd), 0, b""))

    def _sync_folder(self, fd: int) -> None:
        self.ops.append(Op("sync_folder", _name_of(fd), 0, b""))


def _name_of(fd: int) -> str:
    return Path(f"/proc/self/fd/{fd}").readlink().name


class Story(NamedTuple):
    """One run as its disk saw it.

    `heads[n]` is the head after n records; `synced` and `appended` say after which op how many records were
    promised, and how many were written.
    """

    ops: list[Op]
    heads: list[str]
    synced: list[tuple[int, int]]
    appended: list[tuple[int, int]]

    def promised(self, at: int) -> int:
        """Return how many records had been promised after `at` calls."""
        return max((records for op, records in self.synced if op <= at), default=0)


def written_story(run_dir: Path, chance: random.Random) -> Story:
    """Write a run of up to 40 cycles over up to 4 dates, synced now and then, and return what the disk saw."""
    sim = SimDisk()
    synced: list[tuple[int, int]] = []
    appended: list[tuple[int, int]] = []
    with FileJournal.create(run_dir, disk=sim.disk()) as journal:
        heads = [journal.head]

        def append(pair: tuple) -> None:
            journal.append(*pair)
            heads.append(journal.head)
            appended.append((len(sim.ops), len(heads) - 1))

        append(boot())
        journal.sync()
        synced.append((len(sim.ops), journal.synced_records))
        day = 7
        for number in range(1, chance.randint(2, 40)):
            day = min(day + (chance.random() < 0.1), 10)
            append(cycle(number, trading_date=f"2013-10-{day:02d}"))
            if chance.random() < 0.3:
                journal.sync()
            if journal.synced_records > synced[-1][1]:
                synced.append((len(sim.ops), journal.synced_records))
    return Story(sim.ops, heads, synced, appended)


class Loss(Enum):
    """How a power loss treats what was not synced."""

    ALL = "all of it is lost"
    NONE = "none of it is lost"
    TORN = "it is cut at a random length"
    REORDERED = "any part of it is there, and any part is not"


def left_behind(story: Story, at: int, *, loss: Loss, chance: random.Random) -> dict[str, bytes]:
    """Return the files of one state that the machine may be found in after `at` calls, by name."""
    done = story.ops[:at]
    files: dict[str, bytes] = {}
    for name in dict.fromkeys(op.name for op in done if op.kind == "write"):
        calls = [(number, op) for number, op in enumerate(done) if op.name == name]
        last_sync = max((number for number, op in calls if op.kind == "sync"), default=-1)
        durable = [op for number, op in calls if op.kind == "write" and number < last_sync]
        pending = [op for number, op in calls if op.kind == "write" and number > last_sync]
        born = calls[0][0]
        is_named = any(op.kind == "sync_folder" and number > born for number, op in enumerate(done))
        # Names are born in order on a journaling file system; a lost one takes those after it along.
        if not is_named and loss is not Loss.NONE and chance.random() < 0.5:
            break
        files[name] = _content(durable, pending, loss=loss, chance=chance)
    return files


def _content(durable: list[Op], pending: list[Op], *, loss: Loss, chance: random.Random) -> bytes:
    area = bytearray()
    for op in durable:
        _put(area, op.offset, op.payload)
    if loss is Loss.NONE:
        for op in pending:
            _put(area, op.offset, op.payload)
    elif loss is Loss.TORN and pending:
        kept = chance.randrange(len(pending))
        for op in pending[:kept]:
            _put(area, op.offset, op.payload)
        _put(area, pending[kept].offset, pending[kept].payload[: chance.randrange(len(pending[kept].payload))])
    elif loss is Loss.REORDERED:
        for op in pending:
            for start in range(0, len(op.payload), SECTOR_BYTES):
                if chance.random() < 0.5:
                    _put(area, op.offset + start, op.payload[start : start + SECTOR_BYTES])
    return bytes(area)


def _put(area: bytearray, offset: int, payload: bytes) -> None:
    """Write into a file in memory; what lies between its end and the place reads as zeros."""
    if len(area) < offset + len(payload):
        area.extend(bytes(offset + len(payload) - len(area)))
    area[offset : offset + len(payload)] = payload


class Verdict(NamedTuple):
    """What became of one state: is the promise kept, was it recovered, and how the journal ends."""

    kept: bool
    recovered: bool
    ending: Ending
    why: str


def judged(run_dir: Path, story: Story, at: int) -> Verdict:
    """Read what is left and hold it against what was promised."""
    reader = JournalReader(run_dir)
    for _ in reader.frames():
        pass
    ending, promised = reader.ending, story.promised(at)
    is_prefix = reader.count < len(story.heads) and story.heads[reader.count] == reader.head
    holds_all = reader.count >= promised
    kept = is_prefix and (holds_all or not ending.is_trusted)
    why = f"{reader.count} records read ({ending.kind}: {ending.reason}), {promised} promised, a prefix: {is_prefix}"
    return Verdict(kept, ending.is_trusted, ending, why)


def try_states(room: Path, *, states: int, seed: int, tell: Callable[[Loss, Verdict], None]) -> None:
    """Make so many states, fifty of each story, and tell what became of each."""
    chance = random.Random(seed)
    story, made = None, 0
    for number in range(states):
        if story is None or number % 50 == 0:
            made += 1
            story = written_story(room / f"whole-{made}", chance)
        at = chance.randint(0, len(story.ops))
        loss = chance.choice(list(Loss))
        left = room / "left"
        left.mkdir(exist_ok=True)
        for path in left.iterdir():
            path.unlink()
        for name, content in left_behind(story, at, loss=loss, chance=chance).items():
            (left / name).write_bytes(content)
        tell(loss, judged(left, story, at))


def refusal_of(verdict: Verdict) -> str:
    """Return in a few words why a state was refused."""
    reason = verdict.ending.reason
    if "a whole record comes after it" in reason:
        return "a whole record lies after a lost one, neither of them promised"
    if f"{HEAD_NAME} cannot be read" in reason:
        return "no head file yet, and no record"
    return reason
