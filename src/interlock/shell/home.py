"""The home of one account: its folder, its lock, its runs, and the stamp that says whose it is.

Floor 2 (shell). It never opens a home that someone else can enter, and never one that another process holds.
It stands before the trip: `assemble` opens the home first and closes it last.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from interlock.model.errors import HomeError
from interlock.model.mode import Mode
from interlock.model.units import SECOND_NS, plain, utc
from interlock.shell.latch_log import begin_latch_log
from interlock.shell.live import (
    NOBODY,
    ProcessMark,
    is_alive,
    live_marks,
    make_private,
    own_mark,
    read_mark,
    register,
    replace_file,
    state_folder,
    sync_folder,
)

HALT_FOLDER = "HALT.d"
RUNS_FOLDER = "runs"
_LAST_HOME = "last-home"
_STAMP = "stamp.json"
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_RUN_ID = re.compile(r"(\d{8}T\d{6}Z)-(sim|paper|live)-([0-9a-f]{4})")
#: A run id tells starts apart that are this far from each other: a second in 65,536 parts.
_SUFFIX_STEPS = 65_536


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Whose home it is: the account, and the kind of source that its PAPER runs live on ("" before the first)."""

    account: str
    paper_source: str


class Home:
    """An open home: locked for the life of this process. Made by `open_home`."""

    __slots__ = ("_fds", "_mark", "_registered", "path")

    def __init__(self, *, path: Path, fds: tuple[int, int], mark: ProcessMark) -> None:
        """Keep what `open_home` opened: the path, the two locked descriptors, and who we are."""
        self.path = path
        self._fds = fds
        self._mark = mark
        self._registered: tuple[Path, ...] = ()
        self._write_lock()

    def stamp(self, *, account: str, mode: Mode, source_kind: str) -> None:
        """Stamp the home, or compare with the stamp that it bears.

        Raises:
            HomeError: it is another account's home, or its PAPER account lives on another source.
        """
        path = self.path / _STAMP
        paper_source = source_kind if mode is Mode.PAPER else ""
        if path.exists():
            found = _read_stamp(path)
            if found.account != account:
                message = (
                    f"The home {self.path} belongs to the account {plain(found.account)!r} "
                    f"and this run is for {account!r}. "
                    "Nothing was started. Use another --home, or the account's own configuration."
                )
                raise HomeError(message)
            if found.paper_source and paper_source not in ("", found.paper_source):
                message = (
                    f"The PAPER account in {self.path} lives on the source {plain(found.paper_source)!r} "
                    f"and this run would bring {source_kind!r}; "
                    "its positions would be priced from another market. Nothing was started. "
                    "Use another --home."
                )
                raise HomeError(message)
            paper_source = paper_source or found.paper_source
        replace_file(path, msgspec.json.encode(Stamp(account=account, paper_source=paper_source)))

    def new_run(self, *, wall_ns: int, mode: Mode) -> Path:
        """Make the folder of a new run, 0700, with an id that sorts after every older one.

        A clock that was set back therefore gives an id that is ahead of it; the record holds the true time.

        Args:
            wall_ns: now, ns since 1970 UTC.
            mode: the mode of the run.

        Raises:
            HomeError: the folder cannot be made.
        """
        known = run_ids(self.path)
        run_id = new_run_id(wall_ns, mode)
        if known and _run_order(run_id) <= _run_order(known[-1]):
            run_id = _run_after(known[-1], mode)
        folder = self.path / RUNS_FOLDER / run_id
        try:
            folder.mkdir(mode=0o700)
            sync_folder(folder.parent)
        except OSError as error:
            message = f"The folder {folder} cannot be made: {error.strerror}. Nothing was started."
            raise HomeError(message) from error
        return folder

    def announce(self, *, run_id: str, mode: Mode, environ: Mapping[str, str]) -> None:
        """Say to this user's other commands that the run lives here; call it once signals are caught.

        Raises:
            HomeError: the user's state folder cannot be used.
        """
        self._mark = msgspec.structs.replace(self._mark, run_id=run_id, mode=mode.value)
        self._write_lock()
        self._registered = register(self._mark, environ)
        replace_file(state_folder(environ) / _LAST_HOME, str(self.path).encode())

    def close(self) -> None:
        """Take back the announcement and let go of the lock; a second call does nothing."""
        for path in self._registered:
            with contextlib.suppress(OSError):
                path.unlink()
        self._registered = ()
        for fd in self._fds:
            with contextlib.suppress(OSError):
                os.close(fd)
        self._fds = (-1, -1)

    def __enter__(self) -> Self:
        """Return the home."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the home."""
        del kind, error, trace
        self.close()

    def _write_lock(self) -> None:
        content = msgspec.json.encode(self._mark)
        try:
            os.pwrite(self._fds[1], content, 0)
            os.ftruncate(self._fds[1], len(content))
        except OSError as error:
            message = f"{self.path} cannot say who holds it ({error.strerror or error}). Nothing was started."
            raise HomeError(message) from error


def resolve_home(account_name: str, *, home_option: str | None, environ: Mapping[str, str]) -> Path:
    """Return the absolute home of an account.

    Args:
        account_name: names the folder where nothing overrides it.
        home_option: `--home`, None where it was not typed.
        environ: `INTERLOCK_HOME` overrides `$XDG_STATE_HOME/interlock/<account>`.

    Returns:
        The path, its parents resolved, so that one home has one name.

    Raises:
        HomeError: an empty `--home`, or an account name that cannot be a folder.
    """
    written = _override(home_option, environ)
    if written:
        return _one_name(Path(written))
    if _ACCOUNT.fullmatch(account_name) is None:
        message = f"The account name {plain(account_name)!r} cannot name a folder: use a-z, 0-9, '.', '_' and '-'."
        raise HomeError(message)
    return _one_name(state_folder(environ) / account_name)


def known_home(home_option: str | None, environ: Mapping[str, str]) -> Path:
    """Return the home that a word without a configuration means: the override, the one live home, else the last used.

    Raises:
        HomeError: there are several live homes, or none was ever used.
    """
    written = _override(home_option, environ)
    if written:
        return _one_name(Path(written))
    homes = sorted({mark.home for mark in live_marks(environ)})
    if len(homes) > 1:
        listed = "\n".join(f"  {home}" for home in homes)
        message = f"{len(homes)} homes are live and one must be meant. Add --home with one of:\n{listed}"
        raise HomeError(message)
    if homes:
        return Path(homes[0])
    last = last_home(environ)
    if not last:
        message = "No home is known: nothing runs, and nothing ever ran for this user. Start with: interlock run"
        raise HomeError(message)
    return Path(last)


def last_home(environ: Mapping[str, str]) -> str:
    """Return the home that was used last, or "" where none is known."""
    try:
        return (state_folder(environ) / _LAST_HOME).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def prepare_home(path: Path) -> None:
    """Create the folders of a home, 0700, where they are not there; lock nothing.

    Raises:
        HomeError: the home is a link, another user's, open to others, or cannot be made.
    """
    make_private(path)
    for name in (RUNS_FOLDER, HALT_FOLDER):
        make_private(path / name)
    # A stamp says that a run was here: if its latches are gone with its runs, they were lost and not cleared.
    if not (path / _STAMP).exists() and not any((path / RUNS_FOLDER).iterdir()):
        begin_latch_log(path)


def open_home(path: Path, *, wall_ns: int) -> Home:
    """Create the home if need be and lock it for the life of this process.

    The folder and the file `lock` in it are both locked, so that deleting the file frees nothing.

    Args:
        path: absolute, from `resolve_home`.
        wall_ns: now, ns since 1970 UTC; shown to a second process that is refused.

    Raises:
        HomeError: another process holds it, or it is unsafe.
    """
    prepare_home(path)
    fds: list[int] = []
    try:
        fds.append(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW))
        fds.append(os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        for fd in fds:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return Home(path=path, fds=(fds[0], fds[1]), mark=own_mark(home=path, wall_ns=wall_ns))
    except (OSError, HomeError) as error:
        for fd in fds:
            os.close(fd)
        if isinstance(error, HomeError):
            raise
        raise HomeError(_why_locked(path, error)) from error


def holder(path: Path) -> ProcessMark:
    """Return the mark of the live process that holds a home, or `NOBODY`."""
    mark = read_mark(path / "lock")
    return mark if is_alive(mark) else NOBODY


def is_held(path: Path) -> bool:
    """Return True if some process holds a home's lock, whatever its lock file says; False where there is no home."""
    try:
        folder_fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(folder_fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(folder_fd)
    return False


def new_run_id(wall_ns: int, mode: Mode) -> str:
    """Return an id such as `20261122T075152Z-sim-3f9c`; the last four digits are the fraction of the second.

    Examples:
        >>> new_run_id(1_381_156_200_500_000_000, Mode.SIM)
        '20131007T143000Z-sim-8000'
    """
    stamp = utc(wall_ns).replace("-", "").replace(":", "")
    return f"{stamp}-{mode.value.lower()}-{wall_ns % SECOND_NS * _SUFFIX_STEPS // SECOND_NS:04x}"


def run_ids(home: Path) -> tuple[str, ...]:
    """Return the ids of all runs in a home, oldest first."""
    try:
        names = [entry.name for entry in (home / RUNS_FOLDER).iterdir()]
    except OSError:
        return ()
    return tuple(sorted((name for name in names if _RUN_ID.fullmatch(name)), key=_run_order))


def run_mode(run_id: str) -> Mode:
    """Return the mode that a run id names.

    Raises:
        HomeError: it is no run id.
    """
    found = _RUN_ID.fullmatch(run_id)
    if found is None:
        message = f"{plain(run_id)!r} is not the id of a run. See them with: interlock runs"
        raise HomeError(message)
    return Mode(found[2].upper())


def find_run(home: Path, word: str) -> Path:
    """Return the folder of the run that a person means.

    Args:
        home: where to look.
        word: `last`, a run id, a unique prefix of one, or a path (it holds a `/`).

    Raises:
        HomeError: none is meant, or more than one, which are listed.
    """
    if "/" in word or word in (".", ".."):
        return find_run_path(word)
    known = run_ids(home)
    meant = known[-1:] if word == "last" else tuple(run_id for run_id in known if word and run_id.startswith(word))
    if len(meant) == 1:
        return home / RUNS_FOLDER / meant[0]
    if not meant:
        message = f"No run in {home} is named by {plain(word)!r}. See them with: interlock runs --home {home}"
        raise HomeError(message)
    shown = "\n".join(f"  {run_id}" for run_id in meant[-20:])
    message = f"{plain(word)!r} names {len(meant)} runs and one must be meant. Type more of it:\n{shown}"
    raise HomeError(message)


def find_run_path(word: str) -> Path:
    """Return the folder that a path names.

    Raises:
        HomeError: there is no such folder.
    """
    folder = Path(os.path.abspath(word))  # noqa: PTH100 - Path.absolute keeps the dots
    if not folder.is_dir():
        message = f"There is no run folder at {plain(str(folder))}. See the runs of a home with: interlock runs"
        raise HomeError(message)
    return folder


def _override(home_option: str | None, environ: Mapping[str, str]) -> str:
    if home_option is not None and not home_option.strip():
        message = "--home is empty. Name a folder, or leave --home away."
        raise HomeError(message)
    return home_option or environ.get("INTERLOCK_HOME", "")


def _one_name(path: Path) -> Path:
    """Return `path` absolute, its parents resolved and its last name untouched, so that a link there shows."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps the dots
    return Path(os.path.realpath(absolute.parent)) / absolute.name


def _read_stamp(path: Path) -> Stamp:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Stamp)
    except (OSError, msgspec.MsgspecError) as error:
        message = (
            f"The stamp {path}, which says whose home this is, cannot be read. Nothing was started. "
            "Look at the file; if the home is yours and its account known, write it again or use another --home."
        )
        raise HomeError(message) from error


def _why_locked(path: Path, error: OSError) -> str:
    if not isinstance(error, BlockingIOError):
        return f"The home {path} cannot be locked: {error.strerror}. Nothing was started."
    mark = read_mark(path / "lock")
    who = f"process {mark.pid}, started at {utc(mark.started_wall_ns)}" if mark.pid else "another process"
    return (
        f"The home {path} is in use by {who}. One account is driven by one process, so nothing was started. "
        f"See it with `interlock status --home {path}`, end it with `interlock stop --home {path}`."
    )


def _run_order(run_id: str) -> tuple[str, str]:
    found = _RUN_ID.fullmatch(run_id)
    return (found[1], found[3]) if found is not None else ("", "")


def _run_after(run_id: str, mode: Mode) -> str:
    stamp, suffix = _run_order(run_id)
    seconds = int(datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
    step = int(suffix, 16) + 1
    return new_run_id(seconds * SECOND_NS + (step * SECOND_NS + _SUFFIX_STEPS - 1) // _SUFFIX_STEPS, mode)
