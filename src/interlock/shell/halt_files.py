"""The folder HALT.d: a halt that needs nothing but a disk.

Floor 2 (shell). It never deletes a request, and a request that cannot be read is a request all the same.
It stands beside the trip: `interlock halt` writes here first, and the control desk looks here in every cycle.
A file is a request until the latch that it asked for is durable; only then it moves to `HALT.d/seen`.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import msgspec

from interlock.model.errors import HomeError
from interlock.model.units import plain, utc
from interlock.shell.home import HALT_FOLDER
from interlock.shell.live import human, make_private, replace_file, sync_folder

SEEN_FOLDER = "seen"
#: How much of a file is its reason.
REASON_MAX = 200
_READ_BYTES = 4 * REASON_MAX
#: The name of the request that stands for a folder that is gone.
FOLDER_GONE = "."


class HaltFile(msgspec.Struct, frozen=True, kw_only=True):
    """One request: the name of its file, who owns it (`human:<user>`), and the first words in it."""

    name: str
    by: str
    reason: str


def halt_names(home: Path) -> tuple[str, ...]:
    """Return the names of the requests that wait, in order; a folder that cannot be read is a request itself."""
    folder = home / HALT_FOLDER
    try:
        names = os.listdir(folder)  # noqa: PTH208 - once a cycle, and half the time
    except OSError:
        return (FOLDER_GONE,)
    if not names or names == [SEEN_FOLDER]:
        return ()
    return tuple(sorted(name for name in names if name != SEEN_FOLDER or not (folder / name).is_dir()))


def read_halt(home: Path, name: str) -> HaltFile:
    """Return one request; what cannot be read is replaced by words that say so.

    A folder that is gone is made again, so that the next request finds a place.
    """
    if name == FOLDER_GONE:
        with contextlib.suppress(HomeError):
            make_private(home / HALT_FOLDER)
        reason = f"{HALT_FOLDER} was gone or could not be read, so a halt could have been missed"
        return HaltFile(name=name, by="control", reason=reason)
    path = home / HALT_FOLDER / name
    by = "human:unknown"
    reason = "(the halt file could not be read)"
    with contextlib.suppress(OSError):
        by = human(path.lstat().st_uid)
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            reason = os.read(fd, _READ_BYTES).decode("utf-8", "replace").strip()
        finally:
            os.close(fd)
    return HaltFile(name=name, by=by, reason=plain(reason[:REASON_MAX]) or "(no reason given)")


def mark_seen(home: Path, name: str) -> None:
    """Move a request whose latch is durable to `HALT.d/seen`; one that cannot be moved asks again at the next start."""
    if name == FOLDER_GONE:
        return
    seen = home / HALT_FOLDER / SEEN_FOLDER
    with contextlib.suppress(OSError):
        seen.mkdir(mode=0o700, exist_ok=True)
        target = seen / name
        if target.exists():
            target = seen / f"{name}.{target.stat().st_mtime_ns}.{len(tuple(seen.iterdir()))}"
        (home / HALT_FOLDER / name).rename(target)


def write_halt(home: Path, *, reason: str, wall_ns: int) -> str:
    """Write one request, whole and durable; on a full disk an empty file must do.

    Args:
        home: an existing home.
        reason: the person's words.
        wall_ns: now, ns since 1970 UTC; it names the file.

    Returns:
        The name of the file.

    Raises:
        HomeError: not even an empty file could be made.
    """
    stamp = utc(wall_ns).replace("-", "").replace(":", "")
    name = f"{stamp}-{wall_ns % 10**9:09d}-{os.getpid()}.halt"
    staged = home / f".{name}"
    target = home / HALT_FOLDER / name
    words = plain(reason)[:REASON_MAX].encode()
    try:
        replace_file(staged, words)
        staged.rename(target)
        sync_folder(target.parent)
    except (OSError, HomeError):
        _write_bare(target, words)
    return name


def _write_bare(target: Path, words: bytes) -> None:
    """Make the file in place; its name alone is the request, its words are a courtesy."""
    try:
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        message = f"No halt could be written into {target.parent}: {error.strerror}."
        raise HomeError(message) from error
    try:
        with contextlib.suppress(OSError):
            os.write(fd, words)
    finally:
        os.close(fd)
