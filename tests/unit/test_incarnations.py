"""Incarnations: two copies of one account are told apart by what they sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.spoken import spoken

from interlock.model.errors import HomeError, JournalError
from interlock.model.mode import Mode
from interlock.shell.incarnations import INCARNATIONS, NOBODY, begin
from interlock.shell.paper import PaperGateway

REPO = Path(__file__).parents[2]


def test_sim_has_no_incarnation_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """SIM's market ends with its process, so its orders need no name of their start."""
    starts = begin(tmp_path, mode=Mode.SIM, after_cycle=0)

    assert (f"IL-{NOBODY}-000001-001", []) == (starts.wire_id("000001-001"), list(tmp_path.iterdir()))


def test_every_paper_start_draws_its_own_and_remembers_the_others(tmp_path: Path) -> None:
    """An order keeps the name of the start that approved it, over any number of restarts."""
    first = begin(tmp_path, mode=Mode.PAPER, after_cycle=0)
    second = begin(tmp_path, mode=Mode.PAPER, after_cycle=40)

    assert first.current != second.current
    assert (32, 0o600) == (len(second.current), (tmp_path / INCARNATIONS).stat().st_mode & 0o777)
    assert first.wire_id("000040-001") == second.wire_id("000040-001")
    assert f"IL-{second.current}-000041-001" == second.wire_id("000041-001")


def test_order_of_another_copy_at_the_gateway_refuses_the_start(tmp_path: Path) -> None:
    """An older copy of a home sees what the newer one sent, and does not start beside it."""
    newer, older = tmp_path / "newer", tmp_path / "older"
    newer.mkdir()
    older.mkdir()
    begin(newer, mode=Mode.PAPER, after_cycle=0)
    (older / INCARNATIONS).write_bytes((newer / INCARNATIONS).read_bytes())
    sent = begin(newer, mode=Mode.PAPER, after_cycle=7).wire_id("000008-001")

    with pytest.raises(HomeError, match="Another copy of this account is alive"):
        begin(older, mode=Mode.PAPER, after_cycle=7).refuse_strangers((sent,), home=older)


def test_own_orders_and_those_of_other_software_do_not_refuse_the_start(tmp_path: Path) -> None:
    """What a person or another program sent bears no prefix of ours, and is not ours to judge here."""
    begin(tmp_path, mode=Mode.PAPER, after_cycle=0)
    starts = begin(tmp_path, mode=Mode.PAPER, after_cycle=7)
    own = (starts.wire_id("000007-001"), starts.wire_id("000008-001"))

    assert None is starts.refuse_strangers((*own, "someone-else-1"), home=tmp_path)


def test_last_line_that_was_never_finished_named_nobody(tmp_path: Path) -> None:
    """A start that died while it drew its name sent nothing; the next one begins on a line of its own."""
    first = begin(tmp_path, mode=Mode.PAPER, after_cycle=0)
    with (tmp_path / INCARNATIONS).open("ab") as file:
        file.write(b"12 0123")
    second = begin(tmp_path, mode=Mode.PAPER, after_cycle=12)
    lines = (tmp_path / INCARNATIONS).read_text().splitlines()

    assert [f"0 {first.current}", f"12 {second.current}"] == lines


def test_damaged_line_refuses_the_start(tmp_path: Path) -> None:
    """Where an incarnation cannot be read, ours cannot be told from a stranger's."""
    begin(tmp_path, mode=Mode.PAPER, after_cycle=0)
    begin(tmp_path, mode=Mode.PAPER, after_cycle=3)
    path = tmp_path / INCARNATIONS
    path.write_bytes(b"x" + path.read_bytes()[1:])

    with pytest.raises(JournalError, match="damaged at line 1"):
        begin(tmp_path, mode=Mode.PAPER, after_cycle=9)


def test_start_asks_the_gateway_for_strangers_before_anything_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A PAPER start that finds a stranger's order at its gateway ends with 2, and leaves no run behind."""
    monkeypatch.setattr(PaperGateway, "wire_ids", lambda _: (f"IL-{'a' * 32}-000001-001",))
    folder = tmp_path / "home"
    words = ("run", str(REPO / "examples" / "paper.toml"), "--mode", "paper", "--cycles", "1", "--home", str(folder))
    code, out, err = spoken(capsys, *words)

    assert (2, []) == (code, out)
    assert "Another copy of this account is alive" in err
    assert [] == list((folder / "runs").iterdir())
