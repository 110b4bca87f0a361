"""The other side of the control desk: ask a running process, and wait, within a bound, for what becomes of it.

Floor 2 (shell). It never sends a signal that could end a process, and silence is an answer here, not an error.
It stands beside the trip: every word that asks a running process speaks through it.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec

from interlock.model.mode import TradingState
from interlock.model.units import SECOND_NS, plain
from interlock.shell.clocks import HostClock
from interlock.shell.control_words import REPLY_BYTES_MAX, SOCKET_NAME, Reply, Request
from interlock.shell.home import RUNS_FOLDER
from interlock.shell.live import ProcessMark, is_alive

#: A cycle may take 4 s before it halts, and a busy process answers between two cycles.
REPLY_SECONDS_MAX = 6.0
#: How long a halt or a resume waits for its outcome.
OUTCOME_NS_MAX = 10 * SECOND_NS
#: How long a stop waits for the process to end.
STOP_NS_MAX = 15 * SECOND_NS
_POLL_SECONDS = 0.05
_CHUNK_BYTES = 64 * 1024
_REPLY = msgspec.json.Decoder(Reply)


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """No answer, and why: nobody listens there, or the process is busy or hangs."""

    why: str


def run_dir_of(mark: ProcessMark) -> Path:
    """Return the folder of the run of a live process."""
    return Path(mark.home) / RUNS_FOLDER / mark.run_id


def ask(run_dir: Path, request: Request) -> Reply | Silence:
    """Ask the process of a run.

    Args:
        run_dir: the run's folder.
        request: the wish.

    Returns:
        Its reply, or `Silence` where there is none within the bound.
    """
    try:
        folder_fd = os.open(run_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        return Silence(why=f"{run_dir} cannot be opened: {error.strerror}")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(REPLY_SECONDS_MAX)
            sock.connect(f"/proc/self/fd/{folder_fd}/{SOCKET_NAME}")
            sock.sendall(msgspec.json.encode(request) + b"\n")
            return _REPLY.decode(_read_line(sock))
    except TimeoutError:
        return Silence(why=f"it did not answer within {REPLY_SECONDS_MAX:g} s")
    except (FileNotFoundError, ConnectionRefusedError):
        return Silence(why="nobody listens at its control socket")
    except OSError as error:
        return Silence(why=f"its control socket failed: {error.strerror}")
    except msgspec.MsgspecError as error:
        return Silence(why=f"its answer cannot be read: {plain(str(error))}")
    finally:
        os.close(folder_fd)


def settle(mark: ProcessMark, reply: Reply, *, is_done: Callable[[Reply], bool]) -> Reply | Silence:
    """Poll the status of a process until a command is decided on and `is_done` says so, or the bound passes.

    Args:
        mark: the process.
        reply: what it said when it took the command.
        is_done: reads a status reply.

    Returns:
        The last reply, whether it is done or not, with the answer to the command once there is one; `Silence` once
        the process has ended or says nothing.
    """
    clock = HostClock()
    deadline_ns = clock.boot_ns() + OUTCOME_NS_MAX
    latest = reply
    while clock.boot_ns() < deadline_ns:
        asked = ask(run_dir_of(mark), Request(word="status", ticket=reply.ticket))
        if isinstance(asked, Silence):
            return asked
        latest = asked
        if latest.settled >= reply.ticket and is_done(latest):
            return latest
        _pause(mark)
    return latest


def is_halted(reply: Reply) -> bool:
    """Return True if a process neither trades nor has an order left that adds risk."""
    return reply.status.trading_state is TradingState.HALTED and not reply.status.open_entries


def has_ended(mark: ProcessMark) -> bool:
    """Wait, within the bound of a stop, until a process has ended; return False if it still runs then."""
    clock = HostClock()
    deadline_ns = clock.boot_ns() + STOP_NS_MAX
    while is_alive(mark):
        if clock.boot_ns() > deadline_ns:
            return False
        _pause(mark)
    return True


def _pause(mark: ProcessMark) -> None:
    """Wait a moment, or shorter if the process ends."""
    try:
        pid_fd = os.pidfd_open(mark.pid)
    except OSError:
        return
    try:
        select.select([pid_fd], [], [], _POLL_SECONDS)
    finally:
        os.close(pid_fd)


def _read_line(sock: socket.socket) -> bytes:
    """Return one line; the bound on time is the socket's for each part, the bound on size is for the whole."""
    chunks: list[bytes] = []
    size = 0
    while size <= REPLY_BYTES_MAX:
        chunk = sock.recv(_CHUNK_BYTES)
        chunks.append(chunk)
        size += len(chunk)
        if not chunk or chunk.endswith(b"\n"):
            break
    return b"".join(chunks)
