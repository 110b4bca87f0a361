"""The same seed and configuration give the same head in any place and at any pace; another seed does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
from tests.scenario.stage import FIRST, INTERLOCK, REPO, Room, boot_of, opened_room, records, together

WORDS = ("run", str(FIRST), "--cycles", "30")
FAST = ("--interval", "0")

#: The head of the first run, on every platform that is tested. It moves only with what decides, or with the schema.
HEAD = "dfae7e7728c193f72660766b7bd0c93d68458c29b932e3843192e9608a1ac4ea"


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One way to run the same thing."""

    name: str
    words: tuple[str, ...] = FAST
    environ: dict[str, str] = {}
    cwd: Path = REPO


VARIANTS = (
    Variant(name="hash seed 1", environ={"PYTHONHASHSEED": "1"}),
    Variant(name="hash seed 2, Tokyo", environ={"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"}),
    Variant(name="Los Angeles, asserts removed", environ={"TZ": "America/Los_Angeles", "PYTHONOPTIMIZE": "2"}),
    Variant(name="locale C, line", words=(*FAST, "--log", "line"), environ={"LC_ALL": "C"}),
    Variant(name="locale tr_TR, json", words=(*FAST, "--log", "json"), environ={"LC_ALL": "tr_TR.UTF-8"}),
    Variant(name="quiet, at a pace", words=("--interval", "0.01", "--log", "quiet")),
    Variant(name="another folder", cwd=Path("/")),
)


def head_of(variant: Variant) -> str:
    """Return the head that one way to run gives, in a home of its own."""
    with opened_room() as room:
        ended = room.play(*WORDS, *variant.words, cwd=variant.cwd, **variant.environ)
        assert (0, "") == (ended.code, ended.err), variant.name
        return str(room.verified()["head"])


def test_head_is_the_same_however_it_is_run() -> None:
    """Hash seed, time zone, locale, home, log form, pace and folder change nothing that was decided."""
    heads = together(head_of, VARIANTS)

    assert {variant.name: HEAD for variant in VARIANTS} == dict(
        zip((variant.name for variant in VARIANTS), heads, strict=True)
    )


def test_another_seed_gives_another_head() -> None:
    """The head is not the same for everything."""
    heads = together(head_of, (Variant(name="seed 8", words=(*FAST, "--seed", "8")), Variant(name="seed 7")))

    assert HEAD == heads[1]
    assert HEAD != heads[0]


def other_pythons() -> list[str]:
    """Return Pythons 3.13 of this machine, if any; `.ci/run` makes sure that its machine has one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    places = [*sorted(pyenv.glob("3.13*/bin/python")), Path("/usr/bin/python3.13"), Path("/usr/local/bin/python3.13")]
    return [str(path) for path in places if path.exists()]


def equipped(base: str, *, folder: Path) -> str:
    """Return a Python with the locked packages on top of `base`, or "" where this machine does not have them."""
    uv = shutil.which("uv")
    if uv is None:
        return ""
    words = (uv, "sync", "--quiet", "--offline", "--frozen", "--no-dev", "--python", base)
    environ = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(folder)}
    made = subprocess.run(words, cwd=REPO, env=environ, capture_output=True, check=False)
    return str(folder / "bin" / "python") if made.returncode == 0 else ""


def test_every_python_here_gives_the_same_head(room: Room) -> None:
    """Python 3.13 decides what this Python decides, on every machine that has both with their packages."""
    # Where this machine has one only, the pinned head stands in for the other: each must give it.
    bases = other_pythons()
    made = [equipped(base, folder=room.path / f"venv-{number}") for number, base in enumerate(bases)]
    pythons = [sys.executable, *(python for python in made if python)]
    print(pythons)
    heads: list[object] = []
    for python in pythons:
        ended = room.play(*WORDS, *FAST, prefix=(python, *INTERLOCK[1:]), PYTHONHASHSEED="3")
        assert (0, "") == (ended.code, ended.err)
        heads.append(room.verified()["head"])

    assert [HEAD] * len(pythons) == heads


def test_decided_part_knows_no_path_and_no_process(room: Room) -> None:
    """What decides holds no path, no run id and no pid of this machine, so that a head can be the same on another."""
    room.play(*WORDS, *FAST)
    found = records(room.run_dirs[-1])
    # The sessions that never close are called 24/7, which is no path.
    boot = msgspec.json.encode(boot_of(found)).decode().replace("24/7", "")
    every = b"".join(msgspec.json.encode(record.decided) for record in found)

    assert [] == [word for word in (str(room.path), str(REPO), room.run_dirs[-1].name, "/") if word in boot]
    assert str(room.path).encode() not in every
