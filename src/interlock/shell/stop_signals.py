"""The signals by which a person reaches a running process.

Floor 2 (shell). A signal never ends the process by itself, and SIGUSR1 never stops it.
On the trip: any moment; the flag is up before the handler returns, and REST wakes at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable
from types import FrameType

from interlock.model.errors import invariant
from interlock.model.journal import Command
from interlock.model.units import SECOND_NS
from interlock.ports import Clock
from interlock.shell.live import human

#: Repeats of Ctrl+C within this time are the same wish.
REPEAT_NS = 2 * SECOND_NS
_OldHandler = Callable[[int, FrameType | None], object] | int | None
_CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
_FIRST_WORDS = (
    "\ninterlock: {name} seen. Stopping: nothing new is sent, entries are cancelled and accounted for, "
    "then the journal is closed. Ctrl+C again, in 2 s or later, abandons that.\n"
)
_ABANDON_WORDS = "\ninterlock: Ctrl+C again. Abandoning the rest; what is left is listed.\n"


class StopSignals:
    """Catches SIGINT, SIGTERM, SIGHUP and SIGUSR1 while installed; only in the main thread."""

    __slots__ = (
        "_abandon_seen",
        "_clock",
        "_first_interrupt_ns",
        "_look",
        "_old",
        "_old_fd",
        "_waiting",
        "_wakers",
        "stop_seen",
    )

    def __init__(self, clock: Clock) -> None:
        """Install nothing yet; `clock` tells a repeat from a second wish."""
        self._clock = clock
        self.stop_seen = False
        self._abandon_seen = False
        self._first_interrupt_ns = -1
        self._look = False
        self._waiting: tuple[Command, ...] = ()
        self._old: tuple[tuple[signal.Signals, _OldHandler], ...] = ()
        self._old_fd = -1
        self._wakers: tuple[socket.socket, ...] = ()

    @property
    def abandon_seen(self) -> bool:
        """Return True once a person pressed Ctrl+C a second time, 2 s or more after the first."""
        return self._abandon_seen

    def install(self) -> socket.socket:
        """Catch the signals.

        Returns:
            The socket that becomes readable at each signal.
        """
        invariant(not self._old, "signals are caught once")
        receiver, sender = socket.socketpair()
        receiver.settimeout(0)
        sender.settimeout(0)
        self._wakers = (receiver, sender)
        self._old_fd = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        self._old = tuple((number, signal.signal(number, self._handler_of(number))) for number in _CAUGHT)
        return receiver

    def restore(self) -> None:
        """Give the signals back; SIGUSR1 stays without effect, as a late one would end the process.

        After a stop was seen the others stay without effect too: the process is ending, its exit code is the answer,
        and a repeat of Ctrl+C in its last milliseconds must not put another in its place.
        """
        if not self._old:
            return
        for number, old in self._old:
            is_deadly = self.stop_seen or (number is signal.SIGUSR1 and old is signal.SIG_DFL)
            signal.signal(number, signal.SIG_IGN if is_deadly else old)
        signal.set_wakeup_fd(self._old_fd)
        for waker in self._wakers:
            waker.close()
        self._old = ()

    def clear_wake(self) -> None:
        """Empty the socket that signals write to."""
        with contextlib.suppress(BlockingIOError):
            while self._wakers[0].recv(4096):
                pass

    def take(self) -> tuple[Command, ...]:
        """Return the stop commands that signals made since the last call."""
        waiting, self._waiting = self._waiting, ()
        return waiting

    @property
    def has_waiting(self) -> bool:
        """Return True while a command was not taken."""
        return bool(self._waiting)

    def reclaim(self) -> None:
        """Take the signals back from code that caught them for itself, and stop: a stop may have been missed."""
        lost = [number for number, _ in self._old if signal.getsignal(number) != self._handler_of(number)]
        for number in lost:
            signal.signal(number, self._handler_of(number))
        if lost and not self.stop_seen:
            names = ", ".join(number.name for number in lost)
            self.stop_seen = True
            reason = f"other code in this process caught {names} for itself, so a person's stop may have been missed"
            self._waiting = (_own_stop(reason),)

    def take_look(self) -> bool:
        """Return True if SIGUSR1 asked since the last call to look at HALT.d at once."""
        look, self._look = self._look, False
        return look

    def _handler_of(self, number: signal.Signals) -> Callable[[int, FrameType | None], None]:
        return self._on_wake if number is signal.SIGUSR1 else self._on_stop

    def _on_wake(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._look = True

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        now_ns = self._clock.boot_ns()
        name = "Ctrl+C" if number == signal.SIGINT else signal.Signals(number).name
        if not self.stop_seen:
            self.stop_seen = True
            self._waiting = (_stop_command(signal.Signals(number).name),)
            _say(_FIRST_WORDS.format(name=name))
        elif number == signal.SIGINT and 0 <= self._first_interrupt_ns <= now_ns - REPEAT_NS and not self._abandon_seen:
            # A strategy that never answers cannot be waited for: this breaks into whatever runs.
            self._abandon_seen = True
            _say(_ABANDON_WORDS)
            raise KeyboardInterrupt
        if number == signal.SIGINT and self._first_interrupt_ns < 0:
            self._first_interrupt_ns = now_ns


def _stop_command(via: str) -> Command:
    return Command(kind="stop", by=human(os.getuid()), via=via, reason="", latch_id="", state_no=-1)


def _own_stop(reason: str) -> Command:
    return Command(kind="stop", by="interlock", via="a look at the signals", reason=reason, latch_id="", state_no=-1)


def _say(words: str) -> None:
    """Write to stderr past Python's buffers, which may be in use below this handler."""
    with contextlib.suppress(OSError):
        os.write(2, words.encode())
