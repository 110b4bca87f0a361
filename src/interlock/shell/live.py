"""Which Interlock processes of this user live now, so that a halt without a home finds them all.

Floor 2 (shell). It never ends a process, and it never takes a recycled pid for one of ours.
It stands beside the trip: a run registers at boot, and the words of the command line look here.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec

from interlock.model.errors import HomeError

#: A registration is one small file; more than this is not one.
_MARK_BYTES_MAX = 16 * 1024
_DEAD_STATES = frozenset({"Z", "X", "x"})


class ProcessMark(msgspec.Struct, frozen=True, kw_only=True):
    """What tells one process from all others: its pid, when the kernel started it, and in which boot.

    Attributes:
        pid: process id.
        started_ticks: field 22 of /proc/<pid>/stat, clock ticks since boot.
        boot_id: the kernel's id of this boot, so that a pid of yesterday is not mistaken.
        started_wall_ns: when it opened its home, ns since 1970 UTC.
        home: its home, absolute.
        run_id: its run, "" until there is one.
        mode: its mode, "" until there is a run.
    """

    pid: int
    started_ticks: int
    boot_id: str
    started_wall_ns: int
    home: str
    run_id: str
    mode: str


def user_name(uid: int) -> str:
    """Return the account name of a user id, or the number where the system knows no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def human(uid: int) -> str:
    """Return the identity under which a user's command is recorded, `human:<user>`."""
    return f"human:{user_name(uid)}"


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of all homes of this user: `$XDG_STATE_HOME/interlock`, never the working directory.

    Args:
        environ: the environment; a relative `XDG_STATE_HOME` is ignored.

    Source: XDG Base Directory Specification 0.8 (relative paths are invalid and ignored).
    """
    state = environ.get("XDG_STATE_HOME", "")
    if state.startswith("/"):
        return Path(state) / "interlock"
    home = environ.get("HOME", "")
    owner = home if home.startswith("/") else pwd.getpwuid(os.geteuid()).pw_dir
    return Path(owner) / ".local" / "state" / "interlock"


def is_private(folder: Path) -> bool:
    """Return True if `folder` is a real directory of ours that nobody else can enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & 0o077 == 0


def make_private(folder: Path) -> None:
    """Create `folder` with mode 0700 if it is not there.

    Raises:
        HomeError: it cannot be made, or it is a link, someone else's, or open to others.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    except OSError as error:
        message = f"The folder {folder} cannot be made: {error.strerror}. Choose another with --home."
        raise HomeError(message) from error
    if not is_private(folder):
        raise HomeError(_why_not_private(folder))


def _why_not_private(folder: Path) -> str:
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        why, cure = "is a symbolic link, which someone could turn elsewhere", "Name the folder itself"
    elif not stat.S_ISDIR(found.st_mode):
        why, cure = "is not a folder", "Choose another with --home"
    elif found.st_uid != os.geteuid():
        why, cure = f"belongs to the user {user_name(found.st_uid)}", "Use a folder of your own"
    else:
        mode = stat.S_IMODE(found.st_mode)
        why, cure = f"can be entered by others (mode {mode:04o})", f"Close it with: chmod 700 {folder}"
    return f"{folder} {why}. A home holds orders and latches and must be yours alone. Nothing was started. {cure}."


def boot_id() -> str:
    """Return the kernel's id of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def started_ticks(pid: int) -> int:
    """Return when the kernel started process `pid`, in ticks since boot, or -1 if it does not run."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return -1
    fields = text.rpartition(")")[2].split()
    return -1 if fields[0] in _DEAD_STATES else int(fields[19])


def own_mark(*, home: Path, wall_ns: int) -> ProcessMark:
    """Return the mark of this process, without a run yet."""
    pid = os.getpid()
    return ProcessMark(
        pid=pid,
        started_ticks=started_ticks(pid),
        boot_id=boot_id(),
        started_wall_ns=wall_ns,
        home=str(home),
        run_id="",
        mode="",
    )


def is_alive(mark: ProcessMark) -> bool:
    """Return True if the very process of `mark` still runs (same pid, same start, same boot)."""
    return mark.boot_id == boot_id() and mark.started_ticks >= 0 and started_ticks(mark.pid) == mark.started_ticks


def wake(mark: ProcessMark) -> bool:
    """Send SIGUSR1 to a live process, only if it catches it: uncaught, this signal would end it.

    Returns:
        True if the signal was sent.
    """
    caught = 0
    try:
        for line in Path(f"/proc/{mark.pid}/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("SigCgt:"):
                caught = int(line.split()[1], 16)
        if not is_alive(mark) or not caught >> (signal.SIGUSR1 - 1) & 1:
            return False
        os.kill(mark.pid, signal.SIGUSR1)
    except OSError:
        return False
    return True


def _live_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where marks are kept: the state folder always, the runtime folder where there is one.

    Both are written and both are read, as a halt may come from a shell that has no runtime folder.
    """
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    folders = [state_folder(environ) / ".live"]
    if runtime.startswith("/") and is_private(Path(runtime)):
        folders.append(Path(runtime) / "interlock")
    return tuple(folders)


def register(mark: ProcessMark, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Write the mark of this process where `live_marks` looks.

    Returns:
        The files, to be removed at the end.

    Raises:
        HomeError: the user's state folder is not private or cannot be written.
    """
    written: list[Path] = []
    for folder in _live_folders(environ):
        make_private(folder)
        target = folder / f"{mark.pid}.json"
        replace_file(target, msgspec.json.encode(mark))
        written.append(target)
    return tuple(written)


def live_marks(environ: Mapping[str, str]) -> tuple[ProcessMark, ...]:
    """Return the marks of all live processes of this user, oldest first; marks of dead ones are removed."""
    found: dict[int, ProcessMark] = {}
    for folder in _live_folders(environ):
        if not is_private(folder):
            continue
        for path in sorted(folder.glob("*.json")):
            mark = read_mark(path)
            if is_alive(mark):
                found[mark.pid] = mark
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
    return tuple(sorted(found.values(), key=lambda mark: (mark.started_wall_ns, mark.pid)))


#: The mark of no process at all; `is_alive` says False.
NOBODY = ProcessMark(pid=0, started_ticks=-1, boot_id="", started_wall_ns=0, home="", run_id="", mode="")


def read_mark(path: Path) -> ProcessMark:
    """Return the mark in a file, or `NOBODY` where there is none that can be read."""
    try:
        with path.open("rb") as source:
            return msgspec.json.decode(source.read(_MARK_BYTES_MAX), type=ProcessMark)
    except (OSError, msgspec.MsgspecError):
        return NOBODY


def replace_file(target: Path, content: bytes) -> None:
    """Put a small file in place whole and durable: a reader sees the old one or the new one, never half.

    Raises:
        HomeError: it cannot be written.
    """
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "wb") as sink:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())
        fresh.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror}. Free some space, or look at who owns the folder."
        raise HomeError(message) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
