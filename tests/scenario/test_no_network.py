"""SIM and PAPER need no network and open no connection: with the network taken away they end as elsewhere."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from tests.scenario.scripts import around_main, written
from tests.scenario.stage import FIRST, INTERLOCK, PAPER, Room

#: Writes down every word to the outside, then prints them as the last line of standard error.
_LISTENING = """
import json
heard = []
WATCHED = ("socket.", "subprocess.", "urllib.", "http.", "os.system", "os.exec", "os.posix_spawn", "os.fork")
def listen(event, words):
    if event.startswith(WATCHED):
        heard.append([event, *(str(getattr(word, "family", word)) for word in words)])
sys.addaudithook(listen)
"""
_TELLING = "print(json.dumps(heard), file=sys.stderr)"
_RUNS = {
    "SIM": ("run", str(FIRST), "--cycles", "30", "--interval", "0"),
    "PAPER": ("run", str(PAPER), "--mode", "paper", "--cycles", "3"),
}


@pytest.fixture(scope="module")
def without_network() -> tuple[str, ...]:
    """Give the words that take the network away from what follows them, or skip where that is not allowed."""
    unshare = shutil.which("unshare")
    for words in ((unshare, "-n"), (unshare, "-r", "-n")):
        if unshare and subprocess.run((*words, "true"), capture_output=True, check=False).returncode == 0:
            return tuple(str(word) for word in words)
    pytest.skip("missing privilege: a network of its own (unshare -n)")


@pytest.mark.parametrize("mode", _RUNS)
def test_run_ends_as_elsewhere_without_a_network(room: Room, without_network: tuple[str, ...], mode: str) -> None:
    """Where not even the loopback is up, SIM gives the same head and both modes exit 0 without a complaint."""
    alone = room.play(*_RUNS[mode], prefix=(*without_network, *INTERLOCK))
    head = room.verified()["head"]

    assert (0, "") == (alone.code, alone.err)
    if mode == "SIM":
        room.play(*_RUNS[mode])
        assert head == room.verified()["head"]


@pytest.mark.parametrize("mode", _RUNS)
def test_run_connects_to_nothing_and_starts_nothing(room: Room, mode: str) -> None:
    """Python's own audit hears no connection, no look-up and no other program; only the control socket is bound."""
    ended = room.play(*_RUNS[mode], prefix=around_main(_LISTENING, _TELLING))
    heard = json.loads(ended.err.splitlines()[-1])
    binds = [words for event, *words in heard if event == "socket.bind"]
    made = [words for event, *words in heard if event == "socket.__new__"]
    others = {event for event, *_ in heard} - {"socket.bind", "socket.__new__"}

    assert (0, set()) == (ended.code, others)
    assert [["1", True]] == [[family, address.endswith("control.sock")] for family, address in binds]
    assert {"1"} == {words[1] for words in made}


def test_audit_hears_a_connection_when_there_is_one(room: Room) -> None:
    """The ear is not deaf: a strategy that connects is heard (and finds nobody)."""
    config = written(room, strategy="Patient", settings="{ qty = 10 }", interval="0 s")
    with (room.path / "idle_hands.py").open("a", encoding="utf-8") as module:
        module.write("\nimport socket\nwith socket.socket() as s:\n    s.connect_ex(('127.0.0.1', 9))\n")
    ended = room.play("run", config, "--cycles", "2", prefix=around_main(_LISTENING, _TELLING))

    assert "socket.connect" in {event for event, *_ in json.loads(ended.err.splitlines()[-1])}
