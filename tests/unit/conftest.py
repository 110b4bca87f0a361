"""Processes that live in a home, for the tests of the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.spoken import Start

from interlock.model.units import SECOND_NS
from interlock.shell import control_client

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a way to start processes that live in a home; all are ended with the test."""
    with ExitStack() as stack:

        def started(home: Path, behaviour: str = "obedient") -> subprocess.Popen[str]:
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.fake_run", str(home), behaviour],
                cwd=REPO,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(child)
            stack.callback(child.kill)
            assert child.stdout is not None
            assert "ready\n" == child.stdout.readline()
            return child

        yield started


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the bounds, for processes that never answer."""
    monkeypatch.setattr(control_client, "REPLY_SECONDS_MAX", 0.3)
    monkeypatch.setattr(control_client, "OUTCOME_NS_MAX", SECOND_NS // 2)
    monkeypatch.setattr(control_client, "STOP_NS_MAX", SECOND_NS // 2)


@pytest.fixture
def path_of_modules() -> Iterator[None]:
    """Forget afterwards the folders from which strategies were loaded."""
    before = list(sys.path)
    yield
    sys.path[:] = before
