"""The control desk of a running process: socket, HALT.d and signals become commands of the next cycle.

Floor 2 (shell). It decides nothing: a command is an input, and the core answers it. It never waits for a client,
and it serves only in REST and once, without blocking, at the head of a cycle.
On the trip: SEE drains it, SEND reads `stop_seen`, REST serves people.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from interlock.model.errors import HomeError
from interlock.model.journal import Answer, Command
from interlock.model.units import SECOND_NS, plain
from interlock.ports import Clock
from interlock.shell.clocks import HostClock
from interlock.shell.control_words import REQUEST_BYTES_MAX, SOCKET_NAME, Reply, Request
from interlock.shell.halt_files import REASON_MAX, halt_names, mark_seen, read_halt
from interlock.shell.live import human
from interlock.shell.status import Status
from interlock.shell.stop_signals import StopSignals

#: A client has this long in all; then it is dropped.
CLIENT_NS = SECOND_NS // 2
CLIENTS_MAX = 8
COMMANDS_MAX = 64
#: How many halt files are remembered, so that their echo on the socket is not a second halt.
_TAKEN_MAX = 1_024
#: Of how many commands the answer is kept for the person who asked.
_ANSWERS_MAX = 256
_LOOK_NS = SECOND_NS // 2
_HOST = HostClock()
_PEER = struct.Struct("3i")
_REQUEST = msgspec.json.Decoder(Request)
#: What is kept back while too many commands wait; a stop and a halt never are.
_CAN_WAIT = frozenset({"resume", "allow", "tighten"})
_TAKEN_WORDS = {
    "stop": "The stop is seen: nothing new is sent, entries are cancelled and accounted for.",
    "resume": "The wish to resume is an input of the next cycle.",
    "allow": "The leave is an input of the next cycle.",
    "tighten": "The tighter limit is an input of the next cycle.",
}


class _Client:
    """One connection: what it said so far, what it is owed, and until when it is waited for."""

    __slots__ = ("asked", "deadline_ns", "owed", "sock", "uid")

    def __init__(self, sock: socket.socket, *, deadline_ns: int) -> None:
        self.sock = sock
        self.asked = b""
        self.owed = b""
        self.deadline_ns = deadline_ns
        self.uid = _PEER.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))[1]


class ControlDesk:
    """Implements `interlock.ports.Control`; use it as a context manager in the main thread."""

    def __init__(self, *, run_dir: Path, home: Path, status: Callable[[], Status], clock: Clock = _HOST) -> None:
        """Keep where people knock.

        Args:
            run_dir: folder of the run; the socket is made there.
            home: its home, which holds HALT.d.
            status: what is held now; asked whenever a person asks.
            clock: deadlines run on its boot clock.
        """
        self._run_dir = run_dir
        self._home = home
        self._status = status
        self._clock = clock
        self._signals = StopSignals(clock)
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._clients: dict[int, _Client] = {}
        self._waiting: deque[Command] = deque()
        self._halt_names: frozenset[str] = frozenset()
        self._waiting_names: tuple[str, ...] = ()
        self._drained_names: tuple[str, ...] = ()
        self._taken_names: deque[str] = deque(maxlen=_TAKEN_MAX)
        self._stop_asked = False
        self._is_halt_waiting = False
        self._made = 0
        self._drained = 0
        self._settled = 0
        self._answers: dict[int, Answer] = {}

    def open(self) -> None:
        """Catch the signals and open the socket; announce the run only after this.

        Raises:
            HomeError: the socket cannot be made.
        """
        waker = self._signals.install()
        self._selector.register(waker, selectors.EVENT_READ)
        folder_fd = os.open(self._run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # The name goes through the folder's descriptor, as a socket's own path may not pass 107 bytes.
            self._listener.bind(f"/proc/self/fd/{folder_fd}/{SOCKET_NAME}")
            (self._run_dir / SOCKET_NAME).chmod(0o600)
            self._listener.listen(CLIENTS_MAX)
        except OSError as error:
            self.close()
            message = f"The control socket in {self._run_dir} cannot be made: {error.strerror}. Nothing was started."
            raise HomeError(message) from error
        finally:
            os.close(folder_fd)
        self._listener.settimeout(0)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def close(self) -> None:
        """Give everything back; a second call does nothing."""
        for client in tuple(self._clients.values()):
            self._drop(client)
        self._listener.close()
        self._selector.close()
        self._signals.restore()
        with contextlib.suppress(OSError):
            (self._run_dir / SOCKET_NAME).unlink()

    def __enter__(self) -> Self:
        """Open the desk."""
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the desk; halts of a cycle that broke or was given up may be on no record, and ask again."""
        del error, trace
        if kind is None and not self.abandon_seen:
            self._settle()
        self.close()

    @property
    def stop_seen(self) -> bool:
        """Return True once a stop was seen, and while a halt waits to be drained.

        After SIGUSR1 it looks at HALT.d itself, so that a halt counts in the middle of a cycle too.
        """
        if self._signals.take_look():
            self._look_at_halts()
        return self._signals.stop_seen or self._stop_asked or self._is_halt_waiting

    @property
    def abandon_seen(self) -> bool:
        """Return True once a person gave up waiting for the stop."""
        return self._signals.abandon_seen

    def drain(self) -> tuple[Command, ...]:
        """Return the commands that arrived since the last call, in order; never block."""
        self._settle()
        self._look_at_halts()
        self._serve(0.0)
        self._take_signals()
        commands = tuple(self._waiting)
        self._waiting.clear()
        self._is_halt_waiting = False
        self._drained_names = self._waiting_names
        self._waiting_names = ()
        self._drained += len(commands)
        return commands

    def rest(self, until_boot_ns: int) -> None:
        """Serve people until the deadline on the boot clock, or until a command is there.

        Args:
            until_boot_ns: nanoseconds since boot; one that has passed serves once without blocking.
        """
        self._settle()
        while True:
            self._look_at_halts()
            left_ns = until_boot_ns - self._clock.boot_ns()
            has_command = bool(self._waiting) or self._signals.has_waiting
            self._serve(0.0 if has_command else max(0, min(left_ns, _LOOK_NS)) / SECOND_NS)
            if has_command or left_ns <= 0:
                return

    def _settle(self) -> None:
        """Know that the cycle of the last drain is over: its commands are decided on, its latches durable.

        Only then do halt files move to `HALT.d/seen`: a halt may be taken twice, and is never lost. The answers come
        in the order of the commands, so each goes to the ticket of its own.
        """
        if self._drained > self._settled:
            answers = self._status().answers[: self._drained - self._settled]
            self._answers.update(enumerate(answers, start=self._settled + 1))
            while len(self._answers) > _ANSWERS_MAX:
                del self._answers[next(iter(self._answers))]
        self._settled = self._drained
        for name in self._drained_names:
            mark_seen(self._home, name)
        self._drained_names = ()

    def _take_signals(self) -> None:
        self._signals.reclaim()
        for command in self._signals.take():
            self._made += 1
            self._waiting.append(command)

    def _look_at_halts(self) -> None:
        names = frozenset(halt_names(self._home))
        fresh = sorted(names - self._halt_names)
        room = max(0, COMMANDS_MAX - len(self._waiting))
        for name in fresh[:room]:
            halt = read_halt(self._home, name)
            self._add(Command(kind="halt", by=halt.by, via="HALT.d", reason=halt.reason, latch_id="", state_no=-1))
            self._waiting_names = (*self._waiting_names, name)
            self._taken_names.append(name)
        self._halt_names = names.difference(fresh[room:])

    def _add(self, command: Command) -> int:
        """Queue a command and return its ticket, or 0 where too many wait; a stop or a halt is always taken."""
        if command.kind == "stop":
            self._stop_asked = True
        if command.kind == "halt":
            self._is_halt_waiting = True
        if command.kind in _CAN_WAIT and len(self._waiting) >= COMMANDS_MAX:
            return 0
        self._made += 1
        self._waiting.append(command)
        return self._made

    def _serve(self, timeout_s: float) -> None:
        """Do what can be done for people without waiting for any one of them."""
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fd in self._clients:
                self._talk(self._clients[key.fd])
            else:
                self._signals.clear_wake()
        if self._clients:
            now_ns = self._clock.boot_ns()
            for client in tuple(self._clients.values()):
                if client.deadline_ns < now_ns:
                    self._drop(client)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            sock, _ = self._listener.accept()
            sock.settimeout(0)
            client = _Client(sock, deadline_ns=self._clock.boot_ns() + CLIENT_NS)
            if client.uid not in (os.geteuid(), 0) or len(self._clients) >= CLIENTS_MAX:
                sock.close()
                return
            self._clients[sock.fileno()] = client
            self._selector.register(sock, selectors.EVENT_READ)
            self._talk(client)

    def _talk(self, client: _Client) -> None:
        """Read what there is, answer once a line is whole, write what can be written."""
        try:
            if not client.owed:
                chunk = client.sock.recv(REQUEST_BYTES_MAX)
                client.asked += chunk
                line, found, _ = client.asked.partition(b"\n")
                if not chunk or len(client.asked) > REQUEST_BYTES_MAX:
                    self._drop(client)
                    return
                if not found:
                    return
                client.owed = msgspec.json.encode(self._reply(line, client.uid)) + b"\n"
                self._selector.modify(client.sock, selectors.EVENT_WRITE)
            client.owed = client.owed[client.sock.send(client.owed) :]
            if not client.owed:
                self._drop(client)
        except BlockingIOError:
            return
        except OSError:
            self._drop(client)

    def _drop(self, client: _Client) -> None:
        if self._clients.pop(client.sock.fileno(), None) is not None:
            self._selector.unregister(client.sock)
        client.sock.close()

    def _reply(self, line: bytes, uid: int) -> Reply:
        try:
            request = _REQUEST.decode(line)
        except msgspec.MsgspecError as error:
            return self._say(accepted=False, text=f"The request cannot be read: {plain(str(error))}.", ticket=0)
        match request.word:
            case "status":
                found = self._answers.get(request.ticket)
                said = self._say(accepted=True, text="", ticket=0)
                return said if found is None else msgspec.structs.replace(said, answers=(found,))
            case "halt":
                return self._take_halt(request, uid)
            case "stop" | "resume" | "allow" | "tighten":
                ticket = self._add(_command(request, uid))
                text = _TAKEN_WORDS[request.word] if ticket else "Too many commands wait; ask again."
                return self._say(accepted=ticket > 0, text=text, ticket=ticket)

    def _take_halt(self, request: Request, uid: int) -> Reply:
        """Take a halt; one whose file was seen in HALT.d is the same halt and makes no second latch."""
        self._look_at_halts()
        if request.halt_file not in self._taken_names:
            self._add(_command(request, uid))
        return self._say(accepted=True, text="The halt is seen: strategies send nothing more.", ticket=self._made)

    def _say(self, *, accepted: bool, text: str, ticket: int) -> Reply:
        return Reply(accepted=accepted, text=text, ticket=ticket, settled=self._settled, status=self._status())


def _command(request: Request, uid: int) -> Command:
    return Command(
        kind=request.word,
        by=human(uid),
        via="control socket",
        reason=plain(request.reason[:REASON_MAX]),
        latch_id=plain(request.latch_id),
        state_no=request.state_no,
        about=plain(request.about),
        new_value=request.new_value,
    )
