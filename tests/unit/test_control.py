"""The control desk: socket, halt files and signals become commands, and no client can hold it up."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from interlock.model.errors import JournalError
from interlock.model.mode import TradingState
from interlock.model.units import SECOND_NS
from interlock.shell.clocks import HostClock
from interlock.shell.control import CLIENT_NS, CLIENTS_MAX, ControlDesk
from interlock.shell.control_client import Silence, ask
from interlock.shell.control_words import REQUEST_BYTES_MAX, SOCKET_NAME, Reply, Request
from interlock.shell.halt_files import write_halt
from interlock.shell.home import prepare_home
from interlock.shell.live import human
from interlock.shell.status import Status

ME = human(os.getuid())


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        """Start at one second."""
        self.now_ns = SECOND_NS

    def boot_ns(self) -> int:
        """Return the time that was set."""
        return self.now_ns

    def wall_ns(self) -> int:
        """Return the time that was set."""
        return self.now_ns


def status() -> Status:
    """Return the status of a run that holds nothing."""
    return Status(
        run_id="run",
        mode="SIM",
        trading_state=TradingState.ACTIVE,
        cycle=3,
        positions=(),
        open_orders=(),
        ended=None,
        state_no=5,
        latches=(),
        as_of="",
        market_time="",
        open_entries=(),
        answers=(),
    )


@pytest.fixture
def run_dir(home: Path) -> Path:
    """Return the folder of a run in a new home; its path is longer than a socket's name may be."""
    prepare_home(home)
    folder = home / "runs" / ("r" * 120)
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def clock() -> HandClock:
    """Return a clock that the test moves."""
    return HandClock()


@pytest.fixture
def desk(run_dir: Path) -> Iterator[ControlDesk]:
    """Return an open desk on the host's clock."""
    with ControlDesk(run_dir=run_dir, home=run_dir.parents[1], status=status) as opened:
        yield opened


@pytest.fixture
def hand_desk(run_dir: Path, clock: HandClock) -> Iterator[ControlDesk]:
    """Return an open desk on the test's clock."""
    with ControlDesk(run_dir=run_dir, home=run_dir.parents[1], status=status, clock=clock) as opened:
        yield opened


def in_seconds(seconds: float) -> int:
    """Return a deadline on the boot clock."""
    return HostClock().boot_ns() + int(seconds * SECOND_NS)


def served(desk: ControlDesk, run_dir: Path, request: Request) -> Reply | Silence:
    """Ask from another thread while the desk rests, as a process would."""
    with ThreadPoolExecutor(1) as pool:
        answer: Future[Reply | Silence] = pool.submit(ask, run_dir, request)
        while not answer.done():
            desk.rest(in_seconds(0.02))
        return answer.result()


def plain_client(run_dir: Path) -> socket.socket:
    """Return a connection to the desk that has said nothing yet."""
    folder_fd = os.open(run_dir, os.O_RDONLY)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(f"/proc/self/fd/{folder_fd}/{SOCKET_NAME}")
    os.close(folder_fd)
    return client


def test_status_is_answered_in_rest_and_is_no_command(desk: ControlDesk, run_dir: Path) -> None:
    """A question changes nothing."""
    reply = served(desk, run_dir, Request(word="status"))

    assert isinstance(reply, Reply)
    assert (True, "run", ()) == (reply.accepted, reply.status.run_id, desk.drain())


def test_stop_is_seen_at_once_and_drained_once(desk: ControlDesk, run_dir: Path) -> None:
    """A stop by socket raises the flag before the next cycle and is one command."""
    served(desk, run_dir, Request(word="stop", by="human:somebody-else"))

    assert True is desk.stop_seen
    assert [("stop", ME, "control socket")] == [(one.kind, one.by, one.via) for one in desk.drain()]
    assert () == desk.drain()
    assert True is desk.stop_seen


def test_halt_blocks_sends_until_it_is_drained(desk: ControlDesk, run_dir: Path) -> None:
    """After the drain the latch speaks, so that a later resume is not held back by the flag."""
    served(desk, run_dir, Request(word="halt", reason="odd\x1b[2Jprices"))

    assert True is desk.stop_seen
    assert [("halt", "odd?[2Jprices")] == [(one.kind, one.reason) for one in desk.drain()]
    assert False is desk.stop_seen


def test_resume_carries_what_was_typed_and_settles_a_cycle_later(desk: ControlDesk, run_dir: Path) -> None:
    """A command is settled once the cycle that drained it is over, not before."""
    reply = served(desk, run_dir, Request(word="resume", latch_id="L3", state_no=7))
    commands = desk.drain()
    later = served(desk, run_dir, Request(word="status"))

    assert isinstance(reply, Reply)
    assert isinstance(later, Reply)
    assert [("resume", "L3", 7)] == [(one.kind, one.latch_id, one.state_no) for one in commands]
    assert (1, 0, 1) == (reply.ticket, reply.settled, later.settled)


@pytest.mark.parametrize(
    "line",
    [b"\n", b"{}\n", b'{"word":"flatten"}\n', b'{"word":"stop","sudo":true}\n', b"\xff\n"]
    + [b'{"word":"resume","state_no":%d}\n' % number for number in (-2, 2**53 + 1, 10**30)]
    + [b'{"word":"tighten","new_value":%d}\n' % number for number in (-1, 2**53 + 1)]
    + [b'{"word":"allow","about":"%s"}\n' % (b"x" * 65), b'{"word":"status","ticket":-1}\n'],
)
def test_unreadable_request_is_answered_and_does_nothing(desk: ControlDesk, run_dir: Path, line: bytes) -> None:
    """What cannot be read is refused in a sentence."""
    with plain_client(run_dir) as client:
        client.sendall(line)
        desk.rest(in_seconds(0.05))
        answer = client.recv(65536)

    assert b"The request cannot be read" in answer
    assert (False, ()) == (desk.stop_seen, desk.drain())


def test_silent_client_is_dropped_and_holds_nobody_up(hand_desk: ControlDesk, run_dir: Path, clock: HandClock) -> None:
    """A client that says nothing waits for itself only."""
    with plain_client(run_dir) as client:
        hand_desk.drain()
        clock.now_ns += CLIENT_NS + 1
        hand_desk.drain()

        assert b"" == client.recv(1)


def test_endless_request_is_dropped(desk: ControlDesk, run_dir: Path) -> None:
    """A request has a bound."""
    with plain_client(run_dir) as client:
        client.settimeout(0)
        sent = 0
        while sent <= REQUEST_BYTES_MAX:
            sent += client.send(b"x" * 30_000)
            desk.drain()
        client.settimeout(5)

        with pytest.raises((ConnectionError, BrokenPipeError)):
            client.sendall(b"x" * 4_000_000)


def test_crowd_is_refused(desk: ControlDesk, run_dir: Path) -> None:
    """More clients than the bound are turned away; those inside are served."""
    clients = []
    for _ in range(CLIENTS_MAX + 1):
        clients.append(plain_client(run_dir))
        desk.drain()
    clients[0].sendall(b'{"word":"status"}\n')
    desk.drain()

    assert b'{"accepted":true' == clients[0].recv(16)
    assert b"" == clients[-1].recv(1)
    for client in clients:
        client.close()


def test_socket_and_its_folder_are_private(desk: ControlDesk, run_dir: Path) -> None:
    """Nobody else can knock."""
    assert False is desk.stop_seen
    assert 0o600 == (run_dir / SOCKET_NAME).stat().st_mode & 0o777


def test_silence_is_an_answer(run_dir: Path) -> None:
    """Where nobody listens the client says so and raises nothing."""
    assert Silence(why="nobody listens at its control socket") == ask(run_dir, Request(word="status"))


def test_halt_file_is_a_halt_with_its_first_words(desk: ControlDesk, home: Path) -> None:
    """Any file in HALT.d halts; its words, cut and cleaned, are the reason."""
    (home / "HALT.d" / "now").write_text("prices\x07 " + "x" * 500)

    commands = desk.drain()

    assert [("halt", ME, "HALT.d")] == [(one.kind, one.by, one.via) for one in commands]
    assert ["prices? " + "x" * 192] == [one.reason for one in commands]


@pytest.mark.parametrize("kind", ["empty", "fifo", "link", "folder", "binary"])
def test_halt_file_of_any_kind_is_a_halt(desk: ControlDesk, home: Path, kind: str) -> None:
    """What cannot be read halts all the same, and nothing waits at a pipe."""
    path = home / "HALT.d" / "odd"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/nowhere")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"" if kind == "empty" else b"\xff\x00")

    assert ["halt"] == [one.kind for one in desk.drain()]
    assert () == desk.drain()


def test_halt_file_moves_only_after_the_cycle_that_took_it(desk: ControlDesk, home: Path) -> None:
    """Until its latch is durable the file stays where the next start finds it."""
    name = write_halt(home, reason="stop it", wall_ns=1)
    desk.drain()
    during = sorted(path.name for path in (home / "HALT.d").iterdir())
    desk.rest(0)

    assert [name] == during
    assert ["seen"] == [path.name for path in (home / "HALT.d").iterdir()]
    assert [name] == [path.name for path in (home / "HALT.d" / "seen").iterdir()]


def test_halt_file_of_a_cycle_that_failed_asks_again(run_dir: Path, home: Path) -> None:
    """A process that dies in the cycle that took a halt leaves it for the next one."""
    write_halt(home, reason="stop it", wall_ns=1)
    desk = ControlDesk(run_dir=run_dir, home=home, status=status)
    desk.open()
    desk.drain()
    desk.__exit__(JournalError, JournalError("the disk failed"), None)
    with ControlDesk(run_dir=run_dir, home=home, status=status) as again:
        assert ["stop it"] == [one.reason for one in again.drain()]


def test_halt_file_of_a_cycle_that_was_given_up_asks_again(run_dir: Path, home: Path, clock: HandClock) -> None:
    """A person who leaves a hung cycle by a second Ctrl+C does not take its halt along."""
    write_halt(home, reason="stop it", wall_ns=1)
    with ControlDesk(run_dir=run_dir, home=home, status=status, clock=clock) as desk:
        desk.drain()
        signal.raise_signal(signal.SIGINT)
        clock.now_ns += 3 * SECOND_NS
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with ControlDesk(run_dir=run_dir, home=home, status=status) as again:
        assert ["stop it"] == [one.reason for one in again.drain()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signal_that_other_code_caught_is_taken_back_and_stops(desk: ControlDesk, number: signal.Signals) -> None:
    """A strategy, or what it imports, may catch a signal for itself: a stop could be missed, so the run stops."""
    ours = signal.getsignal(number)
    signal.signal(number, signal.SIG_IGN)
    commands = desk.drain()

    assert [("stop", "interlock")] == [(one.kind, one.by) for one in commands]
    assert f"caught {number.name} for itself" in commands[0].reason
    assert (True, ours, ()) == (desk.stop_seen, signal.getsignal(number), desk.drain())


def test_deleted_halt_folder_is_a_halt(desk: ControlDesk, home: Path) -> None:
    """A folder that is gone may have held a halt; it is made again, and its loss halts once."""
    (home / "HALT.d").rmdir()

    assert ["halt"] == [one.kind for one in desk.drain()]
    assert () == desk.drain()
    (home / "HALT.d").rmdir()
    assert ["halt"] == [one.kind for one in desk.drain()]


def test_halt_by_file_and_socket_is_one_command(desk: ControlDesk, run_dir: Path, home: Path) -> None:
    """`halt` speaks twice so that one way suffices, and makes one latch."""
    name = write_halt(home, reason="stop it", wall_ns=1)
    served(desk, run_dir, Request(word="halt", reason="stop it", halt_file=name))
    first = desk.drain()
    served(desk, run_dir, Request(word="halt", reason="stop it", halt_file=name))

    assert ["HALT.d"] == [one.via for one in first]
    assert () == desk.drain()


def test_halt_by_socket_counts_where_its_file_could_not_be_written(desk: ControlDesk, run_dir: Path) -> None:
    """A full disk does not keep a halt away."""
    served(desk, run_dir, Request(word="halt", reason="stop it", halt_file="lost.halt"))

    assert ["control socket"] == [one.via for one in desk.drain()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_signal_wakes_the_rest_and_is_one_command(desk: ControlDesk, number: signal.Signals) -> None:
    """A signal is seen before its handler returns, and an hour's rest ends at once."""
    signal.raise_signal(number)

    assert True is desk.stop_seen
    desk.rest(in_seconds(3600))
    assert [("stop", ME, number.name)] == [(one.kind, one.by, one.via) for one in desk.drain()]


def test_signal_during_rest_wakes_it(desk: ControlDesk) -> None:
    """A signal that comes while the process rests ends the rest."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(os.kill, os.getpid(), signal.SIGTERM)
        desk.rest(in_seconds(3600))

    assert ["SIGTERM"] == [one.via for one in desk.drain()]


def test_wake_signal_stops_nothing(desk: ControlDesk) -> None:
    """SIGUSR1 only wakes."""
    signal.raise_signal(signal.SIGUSR1)
    desk.rest(in_seconds(0.01))

    assert (False, ()) == (desk.stop_seen, desk.drain())


def test_wake_signal_in_the_middle_of_a_cycle_shows_the_halt(desk: ControlDesk, home: Path) -> None:
    """After SIGUSR1 the flag itself looks at HALT.d, so that a halt counts before the next send."""
    desk.drain()
    write_halt(home, reason="now", wall_ns=1)
    before = desk.stop_seen
    signal.raise_signal(signal.SIGUSR1)

    assert (False, True) == (before, desk.stop_seen)
    assert ["now"] == [one.reason for one in desk.drain()]


def test_second_interrupt_abandons_only_after_two_seconds(hand_desk: ControlDesk, clock: HandClock) -> None:
    """Repeats within 2 s are the same wish; a later one gives up waiting."""
    signal.raise_signal(signal.SIGINT)
    clock.now_ns += 2 * SECOND_NS - 1
    signal.raise_signal(signal.SIGINT)
    early = hand_desk.abandon_seen
    clock.now_ns += 1
    # What breaks into a stuck strategy is the interrupt itself.
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)

    assert (False, True) == (early, hand_desk.abandon_seen)
    assert 1 == len(hand_desk.drain())


def test_repeated_terminate_never_abandons(hand_desk: ControlDesk, clock: HandClock) -> None:
    """Only a person at the keyboard gives up waiting; the first Ctrl+C after a SIGTERM is a first one."""
    signal.raise_signal(signal.SIGTERM)
    clock.now_ns += 10 * SECOND_NS
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)

    assert False is hand_desk.abandon_seen


def test_closed_desk_gives_everything_back(run_dir: Path) -> None:
    """Handlers are restored and the socket is gone; a late SIGUSR1 can end nobody."""
    before = signal.getsignal(signal.SIGTERM)
    with ControlDesk(run_dir=run_dir, home=run_dir.parents[1], status=status):
        pass

    assert before == signal.getsignal(signal.SIGTERM)
    assert signal.SIG_IGN == signal.getsignal(signal.SIGUSR1)
    assert False is (run_dir / SOCKET_NAME).exists()
