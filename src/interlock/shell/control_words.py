"""What is said over the control socket: one request line, one reply line.

Floor 2 (shell). A request carries no leave: who asks is what the kernel says, never what the line says.
It stands beside the trip: `control` answers, `control_client` asks.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from interlock.model.journal import Answer
from interlock.model.units import INTEGER_MAX
from interlock.shell.status import Status

#: Name of the socket in the folder of a run.
SOCKET_NAME = "control.sock"
REQUEST_BYTES_MAX = 64 * 1024
REPLY_BYTES_MAX = 16 * 1024 * 1024
#: The longest id of a decision, and the longest name of a limit.
ABOUT_MAX = 64
#: What no record can hold is refused here, at the door: it would end the run that it reaches.
_Count = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wish of a person.

    Attributes:
        word: what is asked.
        by: who the asker says to be; recorded is the user that the kernel names.
        reason: for `halt` and `allow`: their words.
        halt_file: for `halt`: the file in HALT.d that asks the same, so that it counts once; "" for none.
        latch_id: for `resume`: the latch to clear, "" to raise the state.
        state_no: for `resume`: the number that they saw, -1 for none.
        about: for `allow`: the id of the blocked decision; for `tighten`: the name of the limit in the program.
        new_value: for `tighten`: the new value, in the unit of its limit.
        ticket: for `status`: the number of a command whose answer is asked for, 0 for none.
    """

    word: Literal["status", "stop", "halt", "resume", "allow", "tighten"]
    by: str = ""
    reason: str = ""
    halt_file: str = ""
    latch_id: str = ""
    state_no: Annotated[int, msgspec.Meta(ge=-1, le=INTEGER_MAX)] = -1
    about: Annotated[str, msgspec.Meta(max_length=ABOUT_MAX)] = ""
    new_value: _Count = 0
    ticket: _Count = 0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer.

    Attributes:
        accepted: True if the wish is an input of the next cycle (or was only a question).
        text: the sentence that says so.
        ticket: number of the command in this process, 0 for a question.
        settled: how many commands were decided on so far; the wish is decided once `settled >= ticket`.
        status: what is held and what may be done now.
        answers: what became of the one command that was asked about, empty while that is not known.
    """

    accepted: bool
    text: str
    ticket: int
    settled: int
    status: Status
    answers: tuple[Answer, ...] = ()
