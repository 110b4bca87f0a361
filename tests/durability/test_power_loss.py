"""A machine that loses power: whatever the disk kept of what was not synced, nothing promised is missing in silence."""

from __future__ import annotations

import random
from collections import Counter

from tests.durability.life import opened_place
from tests.durability.sim_disk import Loss, Verdict, judged, left_behind, refusal_of, try_states, written_story
from tests.durability.test_kill_points import today

STATES = 2_000


def test_every_state_after_a_power_loss_is_recovered_or_refused() -> None:
    """Each state reads as a prefix that holds everything synced, or is refused; it is refused for one reason only."""
    broken: list[str] = []
    refused: Counter[tuple[Loss, str]] = Counter()
    recovered: Counter[Loss] = Counter()

    def tell(loss: Loss, verdict: Verdict) -> None:
        if not verdict.kept:
            broken.append(verdict.why)
        if verdict.recovered:
            recovered[loss] += 1
        else:
            refused[loss, refusal_of(verdict)] += 1

    with opened_place() as place:
        try_states(place.path, states=STATES, seed=today(), tell=tell)

    assert [] == broken
    assert set(Loss) == set(recovered)
    assert {(Loss.REORDERED, "a whole record lies after a lost one, neither of them promised")} >= set(refused)
    assert sum(refused.values()) < STATES // 20


def test_a_disk_that_lies_about_a_sync_is_found_out() -> None:
    """Where a sync did nothing, what is left falls short of the head file, and is refused."""
    chance = random.Random(1)
    with opened_place() as place:
        story = written_story(place.path / "whole", chance)
        honest = left_behind(story, len(story.ops), loss=Loss.NONE, chance=chance)
        last = max(name for name in honest if name != "HEAD")
        left = place.path / "left"
        left.mkdir()
        for name, content in honest.items():
            (left / name).write_bytes(content[:116] if name == last else content)
        verdict = judged(left, story, len(story.ops))

    assert (True, False) == (verdict.kept, verdict.recovered)
    assert "tail lost" in verdict.why


def test_model_would_see_a_journal_that_does_not_sync() -> None:
    """A state that lacks a promised record without a word is called broken, so the model can fail."""
    chance = random.Random(2)
    with opened_place() as place:
        story = written_story(place.path / "whole", chance)
        at = story.synced[0][0]
        early = left_behind(story, at, loss=Loss.ALL, chance=chance)
        left = place.path / "left"
        left.mkdir()
        for name, content in early.items():
            (left / name).write_bytes(content)
        verdict = judged(left, story._replace(synced=[(0, 2)]), at)

    assert (False, True) == (verdict.kept, verdict.recovered)
