"""What the next start does with a damaged record: PAPER refuses and says where, SIM says so and starts afresh."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.durability.calls import Blow, struck_life
from tests.durability.life import Place, in_child, live, one_life, opened_place
from tests.durability.partition import faults, found_by_the_next_start, seen
from tests.journal_factory import frame_offsets
from tests.scenario.stage import boot_of

from interlock.shell.journal_format import PREFIX_BYTES

#: The call after BOOT that writes the tenth cycle's record: the ninth cycle's orders are out by then.
DIE = 43
Harm = Callable[[Path], tuple[str, int, int]]


def last_day(run_dir: Path) -> Path:
    """Return the last journal file of a run."""
    return max(run_dir.glob("*.ilj"))


def turn_a_bit(path: Path, offset: int) -> None:
    """Turn one bit."""
    area = bytearray(path.read_bytes())
    area[offset] ^= 4
    path.write_bytes(area)


def in_the_middle(run_dir: Path) -> tuple[str, int, int]:
    """Damage the fourth record of the first day; return its file, number and offset."""
    path = run_dir / "0002-2013-10-07.ilj"
    offset = frame_offsets(path.read_bytes())[3]
    turn_a_bit(path, offset + PREFIX_BYTES + 100)
    return path.name, 4, offset


def two_frames_swapped(run_dir: Path) -> tuple[str, int, int]:
    """Let the second and the third record of the first day change places."""
    path = run_dir / "0002-2013-10-07.ilj"
    raw = path.read_bytes()
    one, two, three = frame_offsets(raw)[1:4]
    path.write_bytes(raw[:one] + raw[two:three] + raw[one:two] + raw[three:])
    return path.name, 2, one


def tail_lost(run_dir: Path) -> tuple[str, int, int]:
    """Cut off the last two records, which were synced."""
    path = last_day(run_dir)
    raw = path.read_bytes()
    offset = frame_offsets(raw)[-3]
    path.write_bytes(raw[:offset])
    return path.name, len(seen(run_dir).records), offset


def tail_cut_in_a_record(run_dir: Path) -> tuple[str, int, int]:
    """Cut the last record, which was synced, in its middle."""
    path = last_day(run_dir)
    raw = path.read_bytes()
    path.write_bytes(raw[:-50])
    return path.name, len(seen(run_dir).records), frame_offsets(raw)[-2]


HARMS = (in_the_middle, two_frames_swapped, tail_lost, tail_cut_in_a_record)


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
@pytest.mark.parametrize("blow", [Blow.NONE, Blow.KILL_BEFORE], ids=["stopped", "killed"])
def test_paper_does_not_start_on_a_damaged_record(harm: Harm, blow: Blow) -> None:
    """Whether the run before was stopped or killed: exit 5, nothing starts, and the first bad record is named."""
    with opened_place() as place:
        struck_life(place, at=DIE, blow=blow, from_boot=True)
        runs, told = place.run_dirs, place.told()
        file, seq, offset = harm(runs[-1])
        code = in_child(place, lambda: live(place))

        assert (5, runs, told) == (code, place.run_dirs, place.told())
        assert f"cannot be trusted from record {seq} on ({file}, byte {offset:,})" in place.said
        assert ("interlock: ", 1) == (place.said[:11], place.said.count("\n"))


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_sim_says_so_and_starts_afresh(harm: Harm) -> None:
    """SIM carries nothing of a damaged record, says where it is damaged, and runs."""
    with opened_place() as place:
        assert 0 == in_child(place, lambda: live(place, mode="sim"))
        _, seq, _ = harm(place.run_dirs[-1])
        code = in_child(place, lambda: live(place, mode="sim"))
        boot = seen(place.run_dirs[-1]).records[0]

        assert 0 == code, place.said
        assert (2, 0, ()) == (len(place.run_dirs), boot.decided.carried.cycle, boot.decided.carried.positions)
        assert re.search(rf"cannot be trusted.*record {seq} ", " ".join(boot.aside.found))
        assert "SIM starts afresh" in boot.aside.found[-1]


def test_paper_cuts_a_torn_tail_and_tells(place_of_a_torn_tail: Place) -> None:
    """Bytes that no sync had promised are left out, told, and nothing that was promised is missing."""
    place = place_of_a_torn_tail
    found = found_by_the_next_start(place)
    before = seen(place.run_dirs[-1])
    code = one_life(place).code
    boot = boot_of(seen(place.run_dirs[-1]).records)

    assert (0, []) == (code, faults(place))
    assert "no whole record" in found.words[0]
    assert found.carried == boot.carried
    assert before.promised <= len(before.records)


@pytest.fixture
def place_of_a_torn_tail() -> Iterator[Place]:
    """Give a place whose last life was killed, and left a part of a record behind."""
    with opened_place() as place:
        struck_life(place, at=DIE, blow=Blow.KILL_BEFORE, from_boot=True)
        path = last_day(place.run_dirs[-1])
        whole = path.read_bytes()
        path.write_bytes(whole + whole[frame_offsets(whole)[0] :][:777])
        yield place


def test_head_file_that_is_gone_is_not_a_start_afresh() -> None:
    """Without its head file a PAPER record is refused: a lost tail could not be noticed."""
    with opened_place() as place:
        one_life(place)
        (place.run_dirs[-1] / "HEAD").unlink()
        code = in_child(place, lambda: live(place))

        assert (5, 1) == (code, len(place.run_dirs))
        assert "HEAD" in place.said
