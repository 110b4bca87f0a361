"""How a human lets one order through that nothing but a soft control blocked: once, with a reason, for a while.

Floor 2 (shell). It gives no leave itself: the running process does, if the block was a soft one, and it records who
gave it and why. Every other control goes on holding. It stands beside the trip.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from interlock.model.errors import ConfigError, ExitCode
from interlock.model.units import plain
from interlock.shell.asking import asked, running
from interlock.shell.control_words import Request
from interlock.shell.live import human
from interlock.shell.operate import Mouth

_DECISION = re.compile(r"\d{6,12}-\d{3,6}")
_AT_REST = "A leave is for an order of a run that goes on, so nothing was allowed."


def allow(home: Path, decision_id: str, *, reason: str, mouth: Mouth) -> ExitCode:
    """Ask the process of a home to let the order of a blocked decision through, once.

    Returns:
        CLEAN if it will, REFUSED if not.

    Raises:
        ConfigError: it is no id of a decision, or there is no reason.
        HomeError: nothing runs there, or it does not answer.
    """
    if _DECISION.fullmatch(decision_id) is None:
        message = (
            f"{plain(decision_id)!r} is not the id of a decision, such as 000036-001. The story shows it where it "
            "blocks, and what is still offered there. Nothing was allowed."
        )
        raise ConfigError(message)
    if not plain(reason).strip():
        message = (
            "A leave needs a reason, which is recorded with your name: type --reason and your words. "
            "Nothing was allowed."
        )
        raise ConfigError(message)
    mark = running(home, at_rest=_AT_REST)
    request = Request(word="allow", by=human(os.getuid()), about=decision_id, reason=plain(reason).strip())
    return asked(mark, request, mouth=mouth, otherwise="Nothing was allowed")
