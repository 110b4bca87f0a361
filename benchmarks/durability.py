"""The long versions of the durability proofs; tests/durability holds the short ones, which CI runs.

    just durability opcodes [--every K] [--first N]   a kill between any two opcodes, then the next start
    just durability calls                             a kill or an error at every call, then the next start
    just durability power [--states N] [--seed N]     states after a power loss
    just durability damage [--flips N] [--seed N]     cuts at every byte, turned bits, frames out of place

Each prints what it tried, how long it took and every broken promise, and ends with 7 if there was one.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.durability.calls import Blow, struck_life
from tests.durability.damage import Bench, cuts, flips, older_copies, real_run, shuffles
from tests.durability.life import one_life, opened_place
from tests.durability.partition import faults
from tests.durability.sim_disk import Loss, Verdict, refusal_of, try_states


def killed_between_opcodes(point: int) -> list[str]:
    """Kill a life at one opcode, and every tenth time the next life too; return what does not hold."""
    told: list[str] = []
    with opened_place() as place:
        dies = [point, random.Random(point).randrange(1, 10_000), 0] if point % 10 == 0 else [point]  # noqa: S311 - chance hides no secret
        for die in dies:
            one_life(place, die=die)
            told += [f"opcode {dies}: {fault}" for fault in faults(place)]
    return told


def struck(at: int, *, blow: Blow) -> list[str]:
    """Strike at one call; return what does not hold afterwards."""
    with opened_place() as place:
        outcome = struck_life(place, at=at, blow=blow)
        told = [f"call {at}, {blow.value}: {fault}" for fault in faults(place)]
        seen = place.told()
    hits = [number for number, words in enumerate(seen) if words[0] == "HIT"]
    if outcome.code != 0 and hits and any(words[0] == "SEND" for words in seen[hits[0] :]):
        told.append(f"call {at}, {blow.value}: something was sent after it")
    if "Traceback" in outcome.said:
        told.append(f"call {at}, {blow.value}: a traceback: {outcome.said}")
    return told


def everywhere(act: Callable[[int], list[str]], points: range) -> list[str]:
    """Return what does not hold at any of the points, two processes at a time."""
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        return [fault for told in pool.map(act, points, chunksize=16) for fault in told]


def opcodes(chosen: argparse.Namespace) -> list[str]:
    """Kill at every opcode of the loop, desk, paper gateway, journal and latch log."""
    with opened_place() as place:
        whole = one_life(place).passed
    points = range(chosen.first, whole + 1, chosen.every)
    told = everywhere(killed_between_opcodes, points)
    print(f"{len(points):,} of {whole:,} opcodes, each tenth with two more lives")
    return told


def calls(_: argparse.Namespace) -> list[str]:
    """Kill and fail at every call."""
    with opened_place() as place:
        whole = struck_life(place, at=0, blow=Blow.NONE).calls
    told: list[str] = []
    blows = [blow for blow in Blow if blow is not Blow.NONE]
    for blow in blows:
        told += everywhere(partial(struck, blow=blow), range(1, whole + 1))
    print(f"{whole:,} calls, {len(blows)} blows at each: {whole * len(blows):,} lives")
    return told


def power(chosen: argparse.Namespace) -> list[str]:
    """Lose power in many states."""
    told: list[str] = []
    ended: Counter[str] = Counter()

    def tell(loss: Loss, verdict: Verdict) -> None:
        if not verdict.kept:
            told.append(f"{loss.value}: {verdict.why}")
        ended[f"{loss.value}: {'recovered' if verdict.recovered else 'refused, ' + refusal_of(verdict)}"] += 1

    with opened_place() as place:
        try_states(place.path, states=chosen.states, seed=chosen.seed, tell=tell)
    print(f"{chosen.states:,} states, seed {chosen.seed}")
    for how, count in sorted(ended.items()):
        print(f"  {count:7,} {how}")
    return told


def damage(chosen: argparse.Namespace) -> list[str]:
    """Damage one real run in every way."""
    told: list[str] = []
    with opened_place() as place:
        whole, other = real_run(place), real_run(place, seed=8)
        bench = Bench(place.path / "bench", whole)
        chance = random.Random(chosen.seed)  # noqa: S311 - the same
        kinds = {
            "cuts at every byte of the last 20 KB": cuts(whole, step=1, offset=0),
            "turned bits": flips(whole, times=chosen.flips, chance=chance),
            "frames out of place": shuffles(whole, other),
            "older copies of files": older_copies(whole),
        }
        for name, damages in kinds.items():
            bench.passed = bench.refused = 0
            wrong = [f"{what}: {found}" for what, changes in damages if (found := bench.undetected(changes))]
            print(f"  {name}: {bench.refused:,} refused, {bench.passed:,} rightly passed, {len(wrong)} undetected")
            told += wrong
    return told


PROOFS = {"opcodes": opcodes, "calls": calls, "power": power, "damage": damage}


def main() -> int:
    """Try what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof", choices=PROOFS)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--states", type=int, default=20_000)
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    began = time.perf_counter()
    told = PROOFS[chosen.proof](chosen)
    for fault in told[:20]:
        print(f"BROKEN {fault}")
    print(f"{len(told):,} broken promises, {time.perf_counter() - began:.1f} s")
    return 7 if told else 0


if __name__ == "__main__":
    sys.exit(main())
