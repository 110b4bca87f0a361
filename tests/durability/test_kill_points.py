"""SIGKILL between any two opcodes and at any call: nothing is lost, nothing is guessed, nothing is sent twice."""

from __future__ import annotations

import random
import time

import pytest
from tests.durability.calls import Blow, struck_life
from tests.durability.life import Place, one_life, opened_place
from tests.durability.partition import faults

#: How many opcodes CI dies at, and at every which call.
OPCODES = 50
EVERY = 7


def today() -> int:
    """Return a number that is another one tomorrow, and print it: the offset of the points that are tried."""
    offset = int(time.time()) // 86_400
    print(f"offset {offset}")
    return offset


def sends(place: Place) -> list[str]:
    """Return the ids that reached the gateway, in order."""
    return [words[1] for words in place.told() if words[0] == "SEND"]


def test_script_takes_every_path() -> None:
    """The life that is killed sends, fills, cancels, halts, resumes and stops, and nothing is wrong after it."""
    with opened_place() as place:
        death = one_life(place)

        assert (0, "", []) == (death.code, place.said, faults(place))
        assert death.passed > 10_000
        assert (8, 3, 1, 1) == tuple(
            sum(1 for words in place.told() if words[0] == kind) for kind in ("SEND", "CANCEL", "LATCH", "CLEARED")
        )


def test_kill_between_two_opcodes_keeps_the_partition_over_three_lives() -> None:
    """Two lives die at opcodes of submit, fill, cancel, halt and stop, a third ends; each is accounted for."""
    offset = today()
    chance = random.Random(offset)
    with opened_place() as place:
        whole = one_life(place).passed
    step = whole // OPCODES
    told: list[str] = []
    for point in range(1 + offset % step, whole, step):
        with opened_place() as place:
            deaths = [point, chance.randrange(1, whole), 0]
            for die in deaths:
                one_life(place, die=die)
                told += [f"{deaths}: {fault}" for fault in faults(place)]

    assert [] == told


@pytest.mark.parametrize("blow", [blow for blow in Blow if blow.is_kill], ids=lambda blow: blow.name.lower())
def test_kill_at_a_call_keeps_the_partition(blow: Blow) -> None:
    """A life dies at a write, sync, open, rename, unlink or mkdir, also of its start; the next one finds all."""
    offset = today()
    with opened_place() as place:
        calls = struck_life(place, at=0, blow=Blow.NONE).calls
    told: list[str] = []
    for at in range(1 + offset % EVERY, calls + 1, EVERY):
        with opened_place() as place:
            struck_life(place, at=at, blow=blow)
            told += [f"call {at}: {fault}" for fault in faults(place)]
            code = one_life(place).code
            told += [
                f"call {at}, next life: {fault}" for fault in [*faults(place), *([f"exit {code}"] if code else [])]
            ]

    assert calls > 100
    assert [] == told


def test_kill_before_the_first_record_does_not_lock_the_account() -> None:
    """A start that died before its first record was durable sent nothing, so the next start passes over it."""
    with opened_place() as place:
        one_life(place)
        killed = struck_life(place, at=40, blow=Blow.KILL_BEFORE)
        empty = place.run_dirs[-1]
        before = len(sends(place))
        third = one_life(place)

        assert (-9, [], 2) == (killed.code, [path.name for path in empty.glob("*.ilj")], len(place.run_dirs) - 1)
        assert (0, []) == (third.code, faults(place))
        assert before < len(sends(place))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("SEND 000002-001", "000002-001 was sent 2 times"),
        ("SEND 000099-001", "000099-001 was sent and its approval was not durable"),
        ("LATCH L9", "latch L9 stood, nobody cleared it, and it is gone"),
    ],
)
def test_partition_sees_what_is_planted(line: str, told: str) -> None:
    """A second send, a send without a durable approval and a lost latch are each found."""
    with opened_place() as place:
        one_life(place)
        with (place.path / "witness").open("a", encoding="utf-8") as sink:
            sink.write(f"{line}\n")

        assert [told] == faults(place)
