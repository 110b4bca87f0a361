"""The words `halt` and `resume`: trading ends at one word, and goes on only at exactly the right ones."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from tests.spoken import FIRST_LINE, Start, spoken

from interlock.core.watch import WATCHES
from interlock.model.mode import Mode, TradingState
from interlock.model.risk import Latch
from interlock.shell.home import holder, open_home, prepare_home
from interlock.shell.latch_log import LatchLog, standing
from interlock.shell.operate import ANYBODY

LATER = "a named human, on a later trading date only"


def test_halt_ends_well_only_once_no_entry_is_left(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """The halt is one latch, the process goes on, and its entries are gone."""
    start(home, "obedient")
    code, out, err = spoken(capsys, "halt", "--reason", "odd prices")

    assert (0, FIRST_LINE, "") == (code, out[0], err)
    assert [True] == ["by HALT.d: odd prices" in latch.text for latch in standing(home)]
    assert True is bool(holder(home).run_id)


def test_halt_names_what_is_left(capsys: pytest.CaptureFixture[str], home: Path, start: Start, quick: None) -> None:
    """Cancels that are not confirmed are exit 4, with their ids."""
    del quick
    start(home, "stubborn")
    code, _, err = spoken(capsys, "halt")

    assert 4 == code
    assert "000001-001" in err


def test_halt_of_a_process_that_does_not_answer_stands(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start, quick: None
) -> None:
    """The file is there before anybody is asked."""
    del quick
    start(home, "deaf")
    code, _, err = spoken(capsys, "halt", "--reason", "odd")

    assert 4 == code
    assert "The halt file stands" in err
    assert ["odd"] == [path.read_text() for path in (home / "HALT.d").iterdir()]


def test_halt_finds_a_process_whose_lock_file_was_deleted(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """It said who it is in a second place."""
    start(home, "obedient")
    (home / "lock").unlink()
    code, out, err = spoken(capsys, "halt", "--home", str(home), "--reason", "odd")

    assert (0, FIRST_LINE, "", 1) == (code, out[0], err, len(standing(home)))


def test_halt_of_a_process_that_only_starts_is_not_confirmed(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """It holds the home and has no run yet: the file stands, and nobody has said that it was seen."""
    with open_home(home, wall_ns=1):
        during = spoken(capsys, "halt", "--home", str(home), "--reason", "odd")
    after = spoken(capsys, "halt", "--home", str(home))

    assert (4, 0) == (during[0], after[0])
    assert "The halt file stands" in during[2]
    assert "odd" in [path.read_text() for path in (home / "HALT.d").iterdir()]


def test_halt_without_a_home_reaches_every_live_process(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """What is ambiguous for other words is all of them for `halt`."""
    other = home.with_name("other")
    start(home, "obedient")
    start(other, "obedient")
    asked = spoken(capsys, "stop")
    code = spoken(capsys, "halt")[0]

    assert (2, True) == (asked[0], str(other) in asked[2])
    assert (0, 1, 1) == (code, len(standing(home)), len(standing(other)))


def test_halt_of_a_named_home_leaves_the_others_alone(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """A home that is named is the only one that is meant, unless `--all` says otherwise."""
    other = home.with_name("other")
    start(home, "obedient")
    start(other, "obedient")
    named = spoken(capsys, "halt", "--home", str(home))[0]
    after_one = (len(standing(home)), len(standing(other)))
    everywhere = spoken(capsys, "halt", "--home", str(home), "--all")[0]

    assert (0, (1, 0)) == (named, after_one)
    assert (0, 2, 1) == (everywhere, len(standing(home)), len(standing(other)))


def test_halt_with_nothing_running_stands_for_the_next_start(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """The next start sees it; exit 0, as there is nothing to cancel."""
    code, out, _ = spoken(capsys, "halt", "--home", str(home), "--reason", "wait")
    start(home, "obedient")
    status = json.loads(spoken(capsys, "status", "--json")[1][0])

    assert 0 == code
    assert "The halt stands there, and the next start will see it." in out[-1]
    assert ["HALTED", 1] == [status["trading_state"], len(status["latches"])]


def test_halt_that_waits_shows_in_the_status_of_a_run_that_ended(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """What stands in a home lowers the state that its last run left."""
    start(home, "obedient")
    spoken(capsys, "stop")
    before = json.loads(spoken(capsys, "status", "--json")[1][0])["trading_state"]
    spoken(capsys, "halt")
    waiting = json.loads(spoken(capsys, "status", "--json")[1][0])["trading_state"]
    spoken(capsys, "resume")
    latched = json.loads(spoken(capsys, "status", "--json")[1][0])

    assert ["ACTIVE", "HALTED", "HALTED"] == [before, waiting, latched["trading_state"]]
    assert (1, ["L1"]) == (latched["state_no"], [latch["latch_id"] for latch in latched["latches"]])


def test_resume_shows_what_stands_and_takes_exactly_that(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latch is shown with its number; the right words clear it, and the next ones raise the state."""
    start(home, "obedient")
    spoken(capsys, "halt")
    monkeypatch.setattr("sys.stdin", io.StringIO("L1 2\n"))
    cleared = spoken(capsys, "resume")
    raised = spoken(capsys, "resume", "3")

    assert (0, FIRST_LINE, True) == (cleared[0], cleared[1][0], any("L1 HUMAN_HALT" in line for line in cleared[1]))
    assert (0, "Now ACTIVE.") == (raised[0], raised[1][-1])
    assert () == standing(home)


@pytest.mark.parametrize("typed", ["", "y", "L1", "L1  2", " L1 2", "l1 2", "L1 2 ", "L1 two", "all"])
def test_resume_refuses_words_that_do_not_match(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """Nothing near, nothing short, nothing empty lets trading go on."""
    spoken(capsys, "halt", "--home", str(home))
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    code, _, err = spoken(capsys, "resume", "--home", str(home))

    assert (2, True, 1) == (code, "Nothing was resumed" in err, len(standing(home)))


def test_resume_with_an_old_number_loses_against_the_halt_between(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """A halt that came after the showing wins."""
    start(home, "obedient")
    spoken(capsys, "halt")
    spoken(capsys, "halt")
    code, _, err = spoken(capsys, "resume", "L1", "2")

    assert (2, "interlock: Not resumed: something changed.\n", 2) == (code, err, len(standing(home)))


def test_resume_at_rest_clears_one_latch_under_the_lock(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """With nothing running the command makes latches of waiting halts, and clears exactly the named one."""
    spoken(capsys, "halt", "--home", str(home))
    spoken(capsys, "halt", "--home", str(home))
    early = spoken(capsys, "resume", "--home", str(home), "L1", "1")
    other = spoken(capsys, "resume", "--home", str(home), "L9", "2")
    right = spoken(capsys, "resume", "--home", str(home), "L1", "2")

    assert [2, 2, 0] == [early[0], other[0], right[0]]
    assert ["L2"] == [latch.latch_id for latch in standing(home)]


def test_resume_at_rest_loses_against_a_halt_file_that_came_between(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    """A halt that nobody recorded yet counts as a change too."""
    spoken(capsys, "halt", "--home", str(home))
    spoken(capsys, "resume", "--home", str(home), "L1", "7")
    spoken(capsys, "halt", "--home", str(home))
    code = spoken(capsys, "resume", "--home", str(home), "L1", "1")[0]

    assert (2, 2) == (code, len(standing(home)))


def test_resume_shows_who_may_clear_each_latch(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """A latch says whose look it takes, and what has to hold; one that says nothing takes any named human's."""
    stood(home, "HUMAN_HALT", clears="", mode=Mode.SIM)
    stood(home, "DAILY_LOSS_HARD", clears=LATER, mode=Mode.SIM)
    _, out, _ = spoken(capsys, "resume", "--home", str(home))

    assert [ANYBODY, LATER] == [
        line.partition("Who may clear it: ")[2].rstrip(".") for line in out if "HARD" in line or "HUMAN" in line
    ]


def test_latch_that_depends_on_the_account_is_not_cleared_at_rest(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    """What only a running PAPER account can tell, such as its trading date, is not passed over by stopping it."""
    stood(home, "DAILY_LOSS_HARD", clears=LATER, mode=Mode.PAPER)
    stood(home, "GATE_MISSED", clears="nobody while the process runs", mode=Mode.PAPER)
    stood(home, "LEVERAGE", clears=ANYBODY, mode=Mode.PAPER)
    hard = spoken(capsys, "resume", "--home", str(home), "L1", "3")
    missed = spoken(capsys, "resume", "--home", str(home), "L2", "3")
    any_time = spoken(capsys, "resume", "--home", str(home), "L3", "4")

    assert [2, 0, 0] == [hard[0], missed[0], any_time[0]]
    assert f"L1 DAILY_LOSS_HARD is cleared by {LATER}, and only a running process knows" in hard[2]
    assert ["L1"] == [latch.latch_id for latch in standing(home)]


def test_latch_of_a_simulated_loss_is_cleared_at_rest(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """A SIM run begins anew each time, so that its loss is over with it."""
    stood(home, "DAILY_LOSS_HARD", clears=LATER, mode=Mode.SIM)

    assert 0 == spoken(capsys, "resume", "--home", str(home), "L1", "1")[0]


def test_watches_that_anybody_clears_say_so_in_the_same_words() -> None:
    """What counts as no condition here is what the watch writes into its latch."""
    assert ANYBODY in {watch.clears for watch in WATCHES}


def stood(home: Path, code: str, *, clears: str, mode: Mode) -> None:
    """Leave a latch in a home in which a run of this mode ended."""
    with open_home(home, wall_ns=1) as opened, LatchLog(home) as log:
        opened.new_run(wall_ns=1, mode=mode)
        latch = Latch(
            latch_id=f"L{log.book.next_latch_no}",
            scope="account",
            code=code,
            level=TradingState.REDUCING,
            text="it tripped",
            raised_by="interlock",
            at_ns=1,
            clears=clears,
        )
        log.raised(latch)


def test_resume_has_no_state_to_raise_where_nothing_runs(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """Without a process there is nothing to make ACTIVE."""
    prepare_home(home)
    shown = spoken(capsys, "resume", "--home", str(home))
    code, _, err = spoken(capsys, "resume", "--home", str(home), "0")

    assert (0, 2, True) == (shown[0], code, "no trading state to raise" in err)
