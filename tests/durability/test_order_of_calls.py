"""A sync of the approving record, and of the head file, precedes every send: at the seam and in the kernel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.durability.life import Place, Witness, in_child, live, opened_place
from tests.durability.partition import seen
from tests.scenario.stage import REPO, approved_of

from interlock.shell.journal import Disk

_LIFE = """
import sys
from pathlib import Path
from tests.durability.life import Place, live
sys.exit(live(Place(Path(sys.argv[1]))))
"""
_CALL = re.compile(r"(?:\d+ +)?(openat|write|pwrite64|fdatasync|close)\((.*)\) += (-?\d+)")


def noting(witness: Witness) -> Disk:
    """Return a disk that writes each call down once it succeeded."""

    def noted(kind: str, truly: Callable[..., int | None]) -> Callable[..., int | None]:
        def call(fd: int, *rest: object) -> int | None:
            done = truly(fd, *rest)
            witness.note(kind, Path(f"/proc/self/fd/{fd}").readlink().name)
            return done

        return call

    return Disk(
        write=noted("WRITE", os.write),  # type: ignore[arg-type]
        write_at=noted("WRITE", os.pwrite),  # type: ignore[arg-type]
        sync=noted("SYNC", os.fdatasync),  # type: ignore[arg-type]
    )


def sends_too_early(told: list[tuple[str, ...]]) -> list[str]:
    """Return each send before which a write of a journal file, or of the head file after it, was not synced."""
    unsynced: set[str] = set()
    is_marked = False
    early: list[str] = []
    for kind, name, *_ in told:
        if kind == "WRITE":
            unsynced.add(name)
            is_marked = name == "HEAD"
        elif kind == "SYNC":
            unsynced.discard(name)
        elif kind == "SEND" and (unsynced or not is_marked):
            early.append(name)
    return early


def approved_in(place: Place) -> list[str]:
    """Return the ids of all approved orders but those that a stop kept from being sent."""
    names = [decision.decision_id for run_dir in place.run_dirs for decision in approved_of(seen(run_dir).records)]
    return [name for name in names if not name.startswith("000012-")]


def test_every_send_follows_the_sync_of_its_approval_at_the_seam() -> None:
    """The last write before a send is the head file's, it is synced, and so is every journal file."""
    with opened_place() as place:
        code = in_child(place, lambda: live(place, disk=noting(Witness(place))))
        told = place.told()

        assert (0, []) == (code, sends_too_early(told))
        assert approved_in(place) == [words[1] for words in told if words[0] == "SEND"]


def test_every_send_follows_the_sync_of_its_approval_in_the_kernel() -> None:
    """As strace sees it, fdatasync succeeded for journal file and head file before the gateway was called."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace, which .ci/run installs")
    with opened_place() as place:
        trace = place.path / "trace"
        words = (strace, "-f", "-e", "trace=openat,write,pwrite64,fdatasync,close", "-s", "64", "-o", str(trace))
        ended = subprocess.run(
            [*words, sys.executable, "-c", _LIFE, str(place.path)],
            cwd=REPO,
            env={**os.environ, "XDG_RUNTIME_DIR": str(place.path / "run"), "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if "Operation not permitted" in ended.stderr:
            pytest.skip("missing privilege: strace may not look here")
        told = calls_in(trace.read_text(encoding="utf-8", errors="replace"))

        assert (0, "") == (ended.returncode, ended.stderr)
        assert approved_in(place) == [words[1] for words in told if words[0] == "SEND"]
        assert [] == sends_too_early(told)


def calls_in(trace: str) -> list[tuple[str, ...]]:
    """Return writes, syncs and sends in the words of the witness, from what strace wrote down."""
    names: dict[str, str] = {}
    told: list[tuple[str, ...]] = []
    for call, arguments, returned in _CALL.findall(trace):
        fd = arguments.partition(",")[0]
        if call == "openat":
            name = arguments.split('"')[1].rpartition("/")[2]
            if name.endswith(".ilj") or name in ("HEAD", "witness"):
                names[returned] = name
        elif call == "close":
            names.pop(fd, None)
        elif names.get(fd) == "witness" and '"SEND ' in arguments:
            told.append(("SEND", arguments.split('"')[1].removeprefix("SEND ").removesuffix("\\n")))
        elif fd in names and names[fd] != "witness":
            if call == "fdatasync" and returned == "0":
                told.append(("SYNC", names[fd]))
            elif call != "fdatasync":
                told.append(("WRITE", names[fd]))
    return told


@pytest.mark.parametrize(
    "told",
    [
        [("WRITE", "1.ilj"), ("SEND", "1")],
        [("WRITE", "1.ilj"), ("SYNC", "1.ilj"), ("SEND", "1")],
        [("WRITE", "1.ilj"), ("SYNC", "1.ilj"), ("WRITE", "HEAD"), ("SEND", "1")],
        [("WRITE", "HEAD"), ("SYNC", "HEAD"), ("WRITE", "1.ilj"), ("SYNC", "1.ilj"), ("SEND", "1")],
    ],
)
def test_a_send_too_early_is_seen(told: list[tuple[str, ...]]) -> None:
    """A send before a sync of either file is found."""
    assert ["1"] == sends_too_early(told)
