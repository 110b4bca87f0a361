"""Damage to a real run's journal: what `verify` passes is never anything but a prefix that holds the head."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from tests.durability.damage import Bench, Whole, cuts, flips, older_copies, real_run, shuffles
from tests.durability.life import Place, opened_place
from tests.durability.test_kill_points import today

#: CI cuts at every so many bytes, and turns so many bits.
CUT_STEP = 24
FLIPS = 1_000


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Give the module one place."""
    with opened_place() as opened:
        yield opened


@pytest.fixture(scope="module")
def whole(place: Place) -> Whole:
    """Give the module one real run."""
    return real_run(place)


def passed(place: Place, whole: Whole, damages: Iterator[tuple[str, dict[str, bytes | None]]]) -> tuple[int, list[str]]:
    """Return how many damages `verify` let pass, rightly, and those that it must not have passed."""
    bench = Bench(place.path / "bench", whole)
    wrong = [f"{what}: {found}" for what, changes in damages if (found := bench.undetected(changes))]
    return bench.passed, wrong


def test_undamaged_run_passes(place: Place, whole: Whole) -> None:
    """The run that is damaged here is whole, longer than what is cut from it, and passes."""
    assert (1, []) == passed(place, whole, iter([("nothing", {})]))
    assert 20_480 < sum(len(whole.files[name]) for name in whole.journals)
    assert len(whole.heads) - 1 == whole.promised > 30


def test_no_cut_is_undetected(place: Place, whole: Whole) -> None:
    """Cut at every so many bytes of the last 20 KB, the run is refused: the head file promised all of it."""
    assert (0, []) == passed(place, whole, cuts(whole, step=CUT_STEP, offset=today()))


def test_no_turned_bit_is_undetected(place: Place, whole: Whole) -> None:
    """With a bit turned the run is refused, unless it is in the slot of the head file that the other one replaces."""
    right, wrong = passed(place, whole, flips(whole, times=FLIPS, chance=random.Random(today())))

    assert [] == wrong
    assert right < FLIPS // 5


def test_no_frame_out_of_place_is_undetected(place: Place, whole: Whole) -> None:
    """Frames swapped, deleted, doubled, replaced and put in from another run are refused."""
    assert (0, []) == passed(place, whole, shuffles(whole, real_run(place, seed=8)))


def test_no_older_copy_of_a_file_is_undetected(place: Place, whole: Whole) -> None:
    """Older copies of the journal files under the head file of now are refused, and so are files that moved."""
    assert (0, []) == passed(place, whole, older_copies(whole))


def test_bench_sees_what_verify_would_miss(place: Place, whole: Whole) -> None:
    """A run that passes and is not what was promised is called undetected, so the bench can fail."""
    bench = Bench(place.path / "bench", whole._replace(promised=whole.promised + 1))

    assert bench.undetected({}).startswith(f"verify passes {whole.promised} records")
