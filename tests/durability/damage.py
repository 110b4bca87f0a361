"""Damage to a journal that was whole, and the one question about each: does `verify` pass what it should not?

Undetected means: `verify` says ok, while the records differ from a prefix that holds everything the head file said.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Self

from tests.durability.life import Place, in_child
from tests.journal_factory import frame_offsets
from tests.scenario.stage import FIRST, promised

from interlock.cli import main
from interlock.proof.verify import verify_run
from interlock.shell.journal_format import FileHeader, find_frame, pack_header, unpack_header
from interlock.shell.journal_reader import JournalReader

#: How many bytes at the end are cut one by one.
TAIL_BYTES = 20_480


class Whole(NamedTuple):
    """A real run: its files by name, its heads after each record, and how many records were promised."""

    files: dict[str, bytes]
    heads: list[str]
    promised: int

    @classmethod
    def of(cls, run_dir: Path) -> Self:
        """Read a run that is whole."""
        reader = JournalReader(run_dir)
        heads = [reader.head, *(reader.head for _ in reader.frames())]
        names = [path.name for path in sorted(run_dir.iterdir()) if path.name == "HEAD" or path.suffix == ".ilj"]
        return cls({name: (run_dir / name).read_bytes() for name in names}, heads, promised(run_dir))

    @property
    def journals(self) -> list[str]:
        """Return the names of the journal files, in order."""
        return [name for name in self.files if name != "HEAD"]

    def frames(self, name: str) -> list[bytes]:
        """Return the frames of one file."""
        raw = self.files[name]
        edges = frame_offsets(raw)
        return [raw[start:end] for start, end in pairwise(edges)]


def real_run(place: Place, *, seed: int = 7) -> Whole:
    """Run the first example for thirty cycles, and return what it left."""
    words = ["run", str(FIRST), "--cycles", "30", "--interval", "0", "--seed", str(seed), "--log", "quiet"]
    before = len(place.run_dirs)
    code = in_child(place, lambda: main([*words, "--home", str(place.home)]))
    assert (0, before + 1) == (code, len(place.run_dirs)), place.said
    return Whole.of(place.run_dirs[-1])


class Bench:
    """A folder in which one damaged run after the other is laid out and judged."""

    def __init__(self, folder: Path, whole: Whole) -> None:
        """Lay out the whole run."""
        self._folder = folder
        self._whole = whole
        self._changed: set[str] = set(whole.files)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self.passed = 0
        self.refused = 0
        self._lay(whole.files)

    def _lay(self, files: dict[str, bytes]) -> None:
        for name in sorted(self._changed):
            (self._folder / name).unlink(missing_ok=True)
            if name in files:
                (self._folder / name).write_bytes(files[name])

    def undetected(self, changes: dict[str, bytes | None]) -> str:
        """Lay out the run with some files changed or (None) gone; return what `verify` let pass, or ""."""
        self._changed |= set(changes)
        files = {**self._whole.files, **changes}
        self._lay({name: content for name, content in files.items() if content is not None})
        self._changed = set(changes)
        report = verify_run(self._folder)
        if not report.ok:
            self.refused += 1
            return ""
        self.passed += 1
        heads = self._whole.heads
        is_prefix = report.records < len(heads) and heads[report.records] == report.head
        if is_prefix and report.records >= self._whole.promised:
            return ""
        return f"verify passes {report.records} records, {self._whole.promised} were promised, a prefix: {is_prefix}"


def cuts(whole: Whole, *, step: int, offset: int) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """Yield the run cut at every `step`-th byte of its last 20 KB; a file that begins after the cut is gone."""
    sizes = [len(whole.files[name]) for name in whole.journals]
    for lost in range(1 + offset % step, min(TAIL_BYTES, sum(sizes)) + 1, step):
        changes: dict[str, bytes | None] = {}
        left = lost
        for name in reversed(whole.journals):
            size = len(whole.files[name])
            if left > 0:
                changes[name] = whole.files[name][: size - left] if left < size else None
            left -= size
        yield f"{lost} bytes cut", changes


def flips(whole: Whole, *, times: int, chance: random.Random) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """Yield the run with one bit turned over, anywhere in its journal files and its head file."""
    names = list(whole.files)
    weights = [len(whole.files[name]) for name in names]
    for name in chance.choices(names, weights, k=times):
        area = bytearray(whole.files[name])
        place, bit = chance.randrange(len(area)), chance.randrange(8)
        area[place] ^= 1 << bit
        yield f"bit {bit} of byte {place} of {name}", {name: bytes(area)}


def shuffles(whole: Whole, other: Whole) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """Yield the run with frames swapped, deleted, doubled, moved, and put in from another run."""
    for name in whole.journals:
        frames = whole.frames(name)
        header = whole.files[name][: len(whole.files[name]) - sum(map(len, frames))]
        foreign = [frame for each in other.journals for frame in other.frames(each)]

        def laid(made: list[bytes], name: str = name, header: bytes = header) -> dict[str, bytes | None]:
            return {name: header + b"".join(made)}

        for n, frame in enumerate(frames):
            yield f"frame {n} of {name} deleted", laid([*frames[:n], *frames[n + 1 :]])
            yield f"frame {n} of {name} doubled", laid([*frames[:n], frame, *frames[n:]])
            yield f"frame {n} of {name} replaced", laid([*frames[:n], foreign[n % len(foreign)], *frames[n + 1 :]])
            yield f"a strange frame before frame {n} of {name}", laid([*frames[:n], foreign[-1], *frames[n:]])
            for m in range(n + 1, len(frames)):
                swapped = list(frames)
                swapped[n], swapped[m] = swapped[m], swapped[n]
                yield f"frames {n} and {m} of {name} swapped", laid(swapped)


def older_copies(whole: Whole) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """Yield every older copy of the last journal file under the head file of now."""
    last = whole.journals[-1]
    frames = whole.frames(last)
    header = whole.files[last][: len(whole.files[last]) - sum(map(len, frames))]
    for n in range(len(frames)):
        yield f"{last} as it was after {n} frames", {last: header + b"".join(frames[:n])}
    for n, name in enumerate(whole.journals):
        yield f"{name} and all after it gone", dict.fromkeys(whole.journals[n:])
    for n, name in enumerate(whole.journals[1:], start=1):
        before = whole.files[whole.journals[n - 1]]
        header_of = unpack_header(whole.files[name])
        moved = FileHeader(file_number=n, first_seq=header_of.first_seq, chain=header_of.chain)
        yield f"{name} in the place of the one before", {whole.journals[n - 1]: whole.files[name], name: None}
        yield f"{name} with another number", {name: pack_header(moved) + whole.files[name][len(header) :]}
        yield f"{name} twice", {f"{n + 2:04d}-{name[5:]}": whole.files[name]}
        assert find_frame(before, 0) >= 0
