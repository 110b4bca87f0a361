"""Replay and strategies: one that changed, that is gone, or that answers otherwise each time is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.replay_stage import STRATEGY, diverged, forget, run

from interlock.model.journal import BootAside
from interlock.proof.causes import Cause
from interlock.proof.replay import replay_pass
from interlock.shell.journal_reader import JournalReader

pytestmark = pytest.mark.usefixtures("path_of_modules")


def test_changed_strategy_is_named_by_its_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A strategy whose code wishes for something else is the likely cause, with the name of its file."""
    made = run(capsys, tmp_path)
    made.module.write_text(STRATEGY.replace("qty=5", "qty=6"), encoding="utf-8")
    forget(made.module)
    found = diverged(replay_pass(made.run_dir))

    assert ("outputs.decisions[0].intent.order_qty", "5", "6") == (found.field, found.recorded, found.replayed)
    assert Cause.STRATEGY is found.cause
    assert f"its code changed since, {made.module.name}" in found.text


def test_strategy_that_is_gone_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without its strategy no run can be lived again, and the sentence says which."""
    made = run(capsys, tmp_path)
    made.module.unlink()
    forget(made.module)
    found = diverged(replay_pass(made.run_dir))

    assert (Cause.STRATEGY, True) == (found.cause, made.module.stem in found.text)


#: A line that remembers each call in a place that outlives the strategy.
KEEPS = "        self.CALLS.append(view.cycle)\n        px ="


def test_strategy_that_is_not_deterministic_is_named_as_such(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A strategy that answers otherwise although its code is the same takes something from outside of its view."""
    calls = STRATEGY.replace("class Own:", "class Own:\n    CALLS = sys.modules.setdefault('kept_calls', [])\n")
    text = f"import sys\n{calls.replace('qty=5', 'qty=len(self.CALLS)').replace('        px =', KEEPS)}"
    try:
        made = run(capsys, tmp_path, text=text)
        found = diverged(replay_pass(made.run_dir))
    finally:
        sys.modules.pop("kept_calls", None)

    assert (1, "outputs.decisions[0].intent.order_qty", Cause.STRATEGY) == (found.cycle, found.field, found.cause)
    assert "Strategy own answered something else and its code is the same, so it is not deterministic" in found.text


REACHES = {
    "time.time_ns": ("import time", "time.time_ns() % 7"),
    "random.getrandbits": ("import random", "random.randrange(7)"),
    "builtins.open": ("", "len(open(__file__).read()) % 7"),
    "os.urandom": ("from os import urandom", "urandom(1)[0] % 7"),
    "datetime.datetime.now": ("from datetime import datetime, UTC", "datetime.now(UTC).second % 7"),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", REACHES)
def test_strategy_that_reaches_outside_is_named_with_function_and_cycle(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    """Time, chance and files are caught in the first cycle that asks for them, in a sentence."""
    loaded, expression = REACHES[name]
    text = loaded + STRATEGY.replace("qty=5", f"qty=5 + ({expression} if view.cycle == 3 else 0)")
    made = run(capsys, tmp_path, text=text)
    found = diverged(replay_pass(made.run_dir))

    assert (3, "outputs.ideas[0]", Cause.STRATEGY) == (found.cycle, found.field, found.cause)
    assert f"Strategy own reached for {name} in cycle 3." in found.text


def test_boot_warns_of_a_strategy_that_reaches_outside(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The run says at its start which line reaches for what, and goes on, for it may be harmless."""
    made = run(capsys, tmp_path, text="import time" + STRATEGY)
    boot = next(JournalReader(made.run_dir).records())

    assert isinstance(boot.aside, BootAside)
    assert [f"The strategy file {made.module.name} reaches"] == [
        words[: 26 + len(made.module.name)] for words in boot.aside.found
    ]
