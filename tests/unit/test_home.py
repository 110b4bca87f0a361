"""The home: where it lies, who may open it, how runs are named and found, and which processes live."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from interlock.model.errors import HomeError
from interlock.model.mode import Mode
from interlock.shell.home import (
    Home,
    find_run,
    holder,
    known_home,
    new_run_id,
    open_home,
    resolve_home,
    run_ids,
    run_mode,
)
from interlock.shell.live import is_alive, live_marks, own_mark, wake

WALL_NS = 1_381_156_200_500_000_000


def opened(path: Path) -> Home:
    """Open a home at a fixed wall-clock time."""
    return open_home(path, wall_ns=WALL_NS)


def refusal(path: Path) -> str:
    """Return the sentence with which a home is refused."""
    with pytest.raises(HomeError) as caught:
        opened(path)
    return str(caught.value)


def test_home_is_the_account_in_the_state_folder() -> None:
    """Without an override the home is `$XDG_STATE_HOME/interlock/<account>`."""
    assert Path("/var/state/interlock/demo") == resolve_home(
        "demo", home_option=None, environ={"XDG_STATE_HOME": "/var/state"}
    )


def test_home_without_state_folder_lies_under_the_users_home() -> None:
    """A missing or relative `XDG_STATE_HOME` means `~/.local/state`."""
    expected = Path("/nowhere/ann/.local/state/interlock/demo")

    assert expected == resolve_home("demo", home_option=None, environ={"HOME": "/nowhere/ann"})
    assert expected == resolve_home(
        "demo", home_option=None, environ={"HOME": "/nowhere/ann", "XDG_STATE_HOME": "state"}
    )


def test_home_option_beats_the_environment_and_is_made_absolute(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--home` wins over `INTERLOCK_HOME`, and a relative path is taken from the working directory once."""
    monkeypatch.chdir(home.parent)

    assert home.parent / "there" == resolve_home("demo", home_option="there", environ={"INTERLOCK_HOME": "/elsewhere"})
    assert Path("/elsewhere") == resolve_home("demo", home_option=None, environ={"INTERLOCK_HOME": "/elsewhere"})


@pytest.mark.parametrize("account", ["", "../x", "a/b", ".live", "Ann"])
def test_account_name_that_is_no_folder_is_refused(account: str) -> None:
    """An account name cannot lead out of the state folder."""
    with pytest.raises(HomeError):
        resolve_home(account, home_option=None, environ={"XDG_STATE_HOME": "/var/state"})


def test_new_home_is_private(home: Path) -> None:
    """A new home and its folders have mode 0700."""
    with opened(home):
        modes = [path.stat().st_mode & 0o777 for path in (home, home / "runs", home / "HALT.d")]

    assert [0o700, 0o700, 0o700] == modes


def test_home_that_others_can_enter_is_refused(home: Path) -> None:
    """A home with wider permissions is refused with the command that closes it."""
    home.mkdir(mode=0o755)
    home.chmod(0o755)

    assert f"chmod 700 {home}" in refusal(home)


def test_home_behind_a_link_is_refused(home: Path) -> None:
    """A symbolic link could be turned elsewhere, so it is no home."""
    target = home.with_name("target")
    target.mkdir(mode=0o700)
    home.symlink_to(target)

    assert "symbolic link" in refusal(home)


def test_file_is_no_home(home: Path) -> None:
    """A file in the place of the home is refused in a sentence."""
    home.write_text("x")

    assert "is not a folder" in refusal(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the privilege to give a folder away")
def test_home_of_another_user_is_refused(home: Path) -> None:
    """A folder that belongs to someone else is refused."""
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)

    assert "belongs to the user" in refusal(home)


def test_second_process_is_refused_with_pid_and_start_of_the_first(home: Path) -> None:
    """One account is driven by one process."""
    with opened(home):
        sentence = refusal(home)

    assert f"process {os.getpid()}, started at 2013-10-07T14:30:00Z" in sentence


def test_deleting_the_lock_file_frees_nothing(home: Path) -> None:
    """The folder is locked too, so a second process is refused although the file is gone."""
    with opened(home):
        (home / "lock").unlink()

        assert "is in use by" in refusal(home)


def test_closed_home_opens_again(home: Path) -> None:
    """The lock ends with the process that held it."""
    opened(home).close()

    with opened(home) as again:
        assert home == again.path


def test_run_id_sorts_after_older_ones_although_the_clock_went_back(home: Path) -> None:
    """A clock that was set back never makes an older run the last one."""
    with opened(home) as own:
        first = own.new_run(wall_ns=WALL_NS, mode=Mode.SIM)
        second = own.new_run(wall_ns=WALL_NS - 10**12, mode=Mode.PAPER)
        third = own.new_run(wall_ns=WALL_NS, mode=Mode.SIM)

    assert (first.name, second.name, third.name) == run_ids(home)
    assert "20131007T143000Z-paper-8001" == second.name
    assert Mode.PAPER is run_mode(second.name)


def test_run_folder_is_private(home: Path) -> None:
    """The folder of a run has mode 0700."""
    with opened(home) as own:
        assert 0o700 == own.new_run(wall_ns=WALL_NS, mode=Mode.SIM).stat().st_mode & 0o777


def test_run_is_found_by_last_id_prefix_and_path(home: Path) -> None:
    """Each way to name a run leads to the same folder."""
    folder = home / "runs" / new_run_id(WALL_NS, Mode.SIM)
    folder.mkdir(parents=True)

    assert [folder] * 4 == [find_run(home, word) for word in ("last", folder.name, "2013", str(folder))]


def test_ambiguous_run_is_listed_and_refused(home: Path) -> None:
    """A prefix of two runs names neither."""
    names = [new_run_id(WALL_NS + step * 10**9, Mode.SIM) for step in range(2)]
    for name in names:
        (home / "runs" / name).mkdir(parents=True)

    with pytest.raises(HomeError) as caught:
        find_run(home, "2013")
    assert [True, True] == [name in str(caught.value) for name in names]


@pytest.mark.parametrize("word", ["", "last", "1999", "/no/such/folder", "..x"])
def test_run_that_is_not_there_is_refused(home: Path, word: str) -> None:
    """No run is found where there is none."""
    with pytest.raises(HomeError):
        find_run(home, word)


def test_home_of_another_account_is_refused(home: Path) -> None:
    """A home bears the name of its account and serves no other."""
    with opened(home) as own:
        own.stamp(account="ann", mode=Mode.SIM, source_kind="simulated")
        with pytest.raises(HomeError, match="belongs to the account 'ann'"):
            own.stamp(account="bob", mode=Mode.SIM, source_kind="simulated")


def test_paper_home_refuses_another_source(home: Path) -> None:
    """A PAPER account is priced from one kind of source; SIM runs beside it may use any."""
    with opened(home) as own:
        own.stamp(account="ann", mode=Mode.PAPER, source_kind="simulated")
        own.stamp(account="ann", mode=Mode.SIM, source_kind="lean")
        own.stamp(account="ann", mode=Mode.PAPER, source_kind="simulated")
        with pytest.raises(HomeError, match="lives on the source 'simulated'"):
            own.stamp(account="ann", mode=Mode.PAPER, source_kind="live")


def test_damaged_stamp_is_refused(home: Path) -> None:
    """A stamp that cannot be read is no leave to use the home."""
    with opened(home) as own:
        (home / "stamp.json").write_text("{")
        with pytest.raises(HomeError, match="cannot be read"):
            own.stamp(account="ann", mode=Mode.SIM, source_kind="simulated")


def test_announced_run_is_found_and_forgotten_at_the_end(home: Path) -> None:
    """A live run is registered for the user's other commands, and its home is the last used afterwards."""
    with opened(home) as own:
        run_id = own.new_run(wall_ns=WALL_NS, mode=Mode.SIM).name
        own.announce(run_id=run_id, mode=Mode.SIM, environ=os.environ)

        assert [(os.getpid(), run_id)] == [(mark.pid, mark.run_id) for mark in live_marks(os.environ)]
        assert run_id == holder(home).run_id
        assert home == known_home(None, os.environ)

    assert () == live_marks(os.environ)
    assert home == known_home(None, os.environ)


def test_run_is_found_without_a_runtime_folder(home: Path) -> None:
    """A halt from a shell without `XDG_RUNTIME_DIR` finds a run that was started in a desktop session."""
    with opened(home) as own:
        own.announce(run_id="x", mode=Mode.SIM, environ=os.environ)
        bare = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}

        assert ["x"] == [mark.run_id for mark in live_marks(bare)]


def test_unknown_home_is_refused() -> None:
    """Without a live run and a last one, no home is guessed."""
    with pytest.raises(HomeError, match="No home is known"):
        known_home(None, os.environ)


def test_recycled_pid_is_not_taken_for_the_process(home: Path) -> None:
    """The same pid with another start, or in another boot, is another process."""
    mark = own_mark(home=home, wall_ns=WALL_NS)
    recycled = msgspec.structs.replace(mark, started_ticks=mark.started_ticks - 1)
    yesterday = msgspec.structs.replace(mark, boot_id="another")

    assert [True, False, False] == [is_alive(mark), is_alive(recycled), is_alive(yesterday)]


def test_stale_registration_is_removed_by_whoever_sees_it(home: Path) -> None:
    """The mark of a dead process is not shown and does not stay."""
    with opened(home) as own:
        own.announce(run_id="x", mode=Mode.SIM, environ=os.environ)
        path = Path(os.environ["XDG_STATE_HOME"]) / "interlock" / ".live" / f"{os.getpid()}.json"
        mark = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
        (path.parent / "1.json").write_bytes(msgspec.json.encode({**mark, "pid": 2**22 + 1}))

        assert 1 == len(live_marks(os.environ))
        assert [path.name] == sorted(entry.name for entry in path.parent.iterdir())


def test_process_that_does_not_catch_the_wake_signal_is_left_alone(home: Path) -> None:
    """SIGUSR1 ends a process that does not catch it, so it is not sent to one."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        mark = msgspec.structs.replace(own_mark(home=home, wall_ns=WALL_NS), pid=child.pid)
        ticks = int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19])

        assert False is wake(msgspec.structs.replace(mark, started_ticks=ticks))
        child.communicate(b"\n")
    assert 0 == child.returncode


def test_lock_file_that_takes_no_mark_refuses_the_start_in_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk nobody could see who holds the home, so nothing starts, and no bug of ours is confessed."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)

    with pytest.raises(HomeError, match=r"No space left on device.*Nothing was started"):
        open_home(home / "full", wall_ns=1)
