"""What a journal says of what people gave and took: leaves that stand, and limits that were tightened."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.explain_factory import LEAVE, decided_with
from tests.journal_factory import boot, carried, cycle, stop, write_run

from interlock.model.journal import Boot, GateOutputs, LimitInForce, Stop
from interlock.model.risk import Leave
from interlock.shell.operate import Mouth, say_status
from interlock.shell.status import Status, leave_words, status_from_journal

STRICTER = LimitInForce(key="max_order_qty", value=50, unit="qty", source="tightened")
SAID = GateOutputs(leaves=(LEAVE,), tightened=(STRICTER,))


def status_of(run_dir: Path) -> Status:
    """Return what the journal of a run that ended says."""
    return status_from_journal(run_dir, latches=(), ended="it ended")


@pytest.mark.parametrize(
    ("later", "leaves", "stricter"),
    [((), (LEAVE,), (STRICTER,)), ((GateOutputs(),), (), (STRICTER,)), ((None,), (), (STRICTER,))],
)
def test_a_killed_run_tells_its_last_leaves_and_all_that_was_tightened(
    tmp_path: Path, later: tuple[GateOutputs | None, ...], leaves: tuple[Leave, ...], stricter: tuple[LimitInForce, ...]
) -> None:
    """A leave stands while the last cycle lists it; a limit that was tightened holds until the end."""
    pairs = [decided_with(cycle(ix + 2), state_no=2, gate=said) for ix, said in enumerate(later)]
    write_run(tmp_path, [boot(), decided_with(cycle(1), state_no=2, gate=SAID), *pairs])
    found = status_of(tmp_path)

    assert (leaves, stricter) == (found.leaves, found.tightened)


def test_a_closed_run_tells_what_it_hands_on(tmp_path: Path) -> None:
    """The STOP record holds both."""
    ended, aside = stop(1)
    assert isinstance(ended, Stop)
    closing = msgspec.structs.replace(ended.closing, leaves=(LEAVE,), limits=(STRICTER,))
    write_run(tmp_path, [boot(), cycle(1), (msgspec.structs.replace(ended, closing=closing), aside)])
    found = status_of(tmp_path)

    assert ((LEAVE,), (STRICTER,)) == (found.leaves, found.tightened)


def test_a_run_without_a_cycle_tells_the_leaves_that_it_was_given(tmp_path: Path) -> None:
    """A leave that was carried into a run stands there."""
    handed_over = msgspec.structs.replace(carried(), leaves=(LEAVE,))
    first, aside = boot(handed_over=handed_over)
    assert isinstance(first, Boot)
    write_run(tmp_path, [(first, aside)])

    assert ((LEAVE,), ()) == (status_of(tmp_path).leaves, status_of(tmp_path).tightened)


def test_a_status_says_both_to_a_person(tmp_path: Path) -> None:
    """For whom, for what, past which control, until when, by whom and why; and each limit with its unit."""
    write_run(tmp_path, [boot(), decided_with(cycle(1), gate=SAID, state_no=2)])
    said: list[str] = []
    say_status(status_of(tmp_path), Mouth(say=said.append, warn=said.append))

    assert f"  {leave_words(LEAVE)}" in said
    assert "Tightened while it ran: max_order_qty 50 shares" in said
    assert (
        "Leave for 000001-001: cross may once BUY at most 10 shares of SPY past ORDER_NOTIONAL_LARGE up to "
        "$1,700.10, until market time 2013-10-07T13:30:00Z. human:ann allowed it: she looked." == leave_words(LEAVE)
    )
