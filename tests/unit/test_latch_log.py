"""The latch log: what stands, what a cut or damaged log means, and that no id is used twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.model.errors import InvariantError, JournalError
from interlock.model.mode import Mode, TradingState
from interlock.model.risk import Latch
from interlock.shell.home import open_home, prepare_home
from interlock.shell.latch_log import LatchLog, read_latches, standing


def latch(number: int) -> Latch:
    """Return a latch with the id `L<number>`."""
    return Latch(
        latch_id=f"L{number}",
        scope="account",
        code="HUMAN_HALT",
        level=TradingState.HALTED,
        text="ann halted trading",
        raised_by="human:ann",
        at_ns=1,
    )


@pytest.fixture
def log_path(home: Path) -> Path:
    """Return the log of a new home in which L1 to L3 were raised and L2 was cleared."""
    prepare_home(home)
    with LatchLog(home) as log:
        for number in (1, 2, 3):
            log.raised(latch(number))
        log.cleared("L2", by="human:ann", why="it was a test")
    return home / "latches.log"


def test_new_home_has_no_latch_and_begins_with_the_first_id(home: Path) -> None:
    """A fresh home starts at L1."""
    prepare_home(home)

    assert ((), 1) == (read_latches(home).standing, read_latches(home).next_latch_no)


def test_only_the_named_latch_is_cleared(log_path: Path) -> None:
    """What was not named stands, also for the next process."""
    assert (latch(1), latch(3)) == standing(log_path.parent)


def test_ids_are_never_used_again(log_path: Path) -> None:
    """A cleared id stays used in its home for ever."""
    with LatchLog(log_path.parent) as log:
        log.cleared("L3", by="human:ann", why="")

        assert 4 == log.book.next_latch_no
        with pytest.raises(InvariantError, match="used once"):
            log.raised(latch(3))


def test_latch_is_cleared_only_by_a_human(log_path: Path) -> None:
    """Code cannot clear a latch."""
    with LatchLog(log_path.parent) as log, pytest.raises(InvariantError, match="named human"):
        log.cleared("L1", by="interlock", why="")


def test_latch_that_does_not_stand_is_not_cleared(log_path: Path) -> None:
    """A cleared latch cannot be cleared twice."""
    with LatchLog(log_path.parent) as log, pytest.raises(InvariantError, match="only a standing latch"):
        log.cleared("L2", by="human:ann", why="")


@pytest.mark.parametrize("kept", [1, 30, -1])
def test_torn_last_line_is_tolerated_and_told(log_path: Path, kept: int) -> None:
    """A line that was never finished hides nothing: what stood before it stands."""
    head = (log_path.parent / "latches.head").read_bytes()
    whole = log_path.read_bytes()
    with LatchLog(log_path.parent) as log:
        log.cleared("L1", by="human:ann", why="")
    line = log_path.read_bytes()[len(whole) :]
    log_path.write_bytes(whole + line[:kept])
    (log_path.parent / "latches.head").write_bytes(head)

    assert (latch(1), latch(3)) == standing(log_path.parent)
    assert "never finished" in read_latches(log_path.parent).found


def test_log_goes_on_after_a_torn_line(log_path: Path) -> None:
    """The torn bytes are cut before the next line, so they never stand in the middle."""
    with log_path.open("ab") as sink:
        sink.write(b'{"type":"cl')
    with LatchLog(log_path.parent) as log:
        log.raised(latch(4))

    assert (latch(1), latch(3), latch(4)) == standing(log_path.parent)
    assert "" == read_latches(log_path.parent).found


def test_every_changed_byte_is_refused(log_path: Path) -> None:
    """No byte of a durable line can change without being noticed, as it may hide a latch."""
    whole = log_path.read_bytes()
    unnoticed = []
    for place in range(len(whole)):
        log_path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            read_latches(log_path.parent)
        except JournalError:
            continue
        unnoticed.append(place)

    assert [] == unnoticed


def test_every_cut_is_refused(log_path: Path) -> None:
    """No durable line can be cut off, in part or whole."""
    whole = log_path.read_bytes()
    unnoticed = []
    for size in range(len(whole)):
        log_path.write_bytes(whole[:size])
        try:
            read_latches(log_path.parent)
        except JournalError:
            continue
        unnoticed.append(size)

    assert [] == unnoticed


def test_deleted_log_is_refused(log_path: Path) -> None:
    """Deleting the file clears nothing."""
    log_path.unlink()
    (log_path.parent / "latches.head").unlink()
    (log_path.parent / "runs" / "20131007T143000Z-sim-8000").mkdir()
    prepare_home(log_path.parent)

    with pytest.raises(JournalError, match="may be hidden"):
        standing(log_path.parent)


def test_deleted_log_of_a_home_without_runs_is_not_begun_again(log_path: Path) -> None:
    """A home that never ran keeps its latches too: its head file remembers them."""
    log_path.unlink()
    prepare_home(log_path.parent)

    with pytest.raises(JournalError, match="may be hidden"):
        standing(log_path.parent)


def test_log_that_was_deleted_with_all_runs_of_a_used_home_is_not_begun_again(home: Path) -> None:
    """The home's stamp says that a run was here, so its latches were lost and not cleared."""
    with open_home(home, wall_ns=1) as used:
        used.stamp(account="demo", mode=Mode.SIM, source_kind="simulated")
    for name in ("latches.log", "latches.head"):
        (home / name).unlink()
    prepare_home(home)

    with pytest.raises(JournalError, match="may be hidden"):
        standing(home)


@pytest.mark.parametrize("content", [b"", None])
def test_deleted_head_is_refused(log_path: Path, content: bytes | None) -> None:
    """Without its head file a cut could not be noticed, whatever is left of the log."""
    if content is not None:
        log_path.write_bytes(content)
    (log_path.parent / "latches.head").unlink()

    with pytest.raises(JournalError, match="gone or cannot be read"):
        standing(log_path.parent)


def test_home_that_does_not_exist_has_no_latches(home: Path) -> None:
    """Nothing stands where nothing ever was."""
    assert () == standing(home)


def test_log_that_cannot_be_written_is_closed_for_good(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed sync the log takes nothing more in this process."""

    def failing(fd: int) -> None:
        raise OSError(5, f"Input/output error {fd}")

    prepare_home(home)
    with LatchLog(home) as log:
        monkeypatch.setattr("os.fsync", failing)
        with pytest.raises(JournalError, match="Nothing more is sent"):
            log.raised(latch(1))
        monkeypatch.undo()
        with pytest.raises(InvariantError, match="an open latch log"):
            log.raised(latch(2))
