"""What every scenario stands on: a room of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.scenario.stage import Room, opened_room


@pytest.fixture
def room() -> Iterator[Room]:
    """Give a scenario a room of its own."""
    with opened_room() as opened:
        yield opened
