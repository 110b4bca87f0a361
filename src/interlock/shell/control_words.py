"""What is said over the control socket: one request line, one reply line.

Floor 2 (shell). A request carries no leave: who asks is what the kernel says, never what the line says.
It stands beside the trip: `control` answers, `control_client` asks.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from interlock.model.units import INTEGER_MAX
from interlock.shell.status import Status

#: Name of the socket in the folder of a run.
SOCKET_NAME = "control.sock"
REQUEST_BYTES_MAX = 64 * 1024
REPLY_BYTES_MAX = 16 * 1024 * 1024


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wish of a person.

    Attributes:
        word: what is asked.
        by: who the asker says to be; recorded is the user that the kernel names.
        reason: for `halt`: their words.
        halt_file: for `halt`: the file in HALT.d that asks the same, so that it counts once; "" for none.
        latch_id: for `resume`: the latch to clear, "" to raise the state.
        state_no: for `resume`: the number that they saw, -1 for none.
    """

    word: Literal["status", "stop", "halt", "resume"]
    by: str = ""
    reason: str = ""
    halt_file: str = ""
    latch_id: str = ""
    # Bounded here, at the door: a number that no record can hold would end the run that it reaches.
    state_no: Annotated[int, msgspec.Meta(ge=-1, le=INTEGER_MAX)] = -1


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer.

    Attributes:
        accepted: True if the wish is an input of the next cycle (or was only a question).
        text: the sentence that says so.
        ticket: number of the command in this process, 0 for a question.
        settled: how many commands were decided on so far; the wish is decided once `settled >= ticket`.
        status: what is held and what may be done now.
    """

    accepted: bool
    text: str
    ticket: int
    settled: int
    status: Status
