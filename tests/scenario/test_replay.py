"""Real runs lived again by the command: a week of data, a killed run, people's commands, PAPER, and bad strategies."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenario.scripts import around_main, written
from tests.scenario.stage import (
    CONFIGS,
    FIRST,
    INTERLOCK,
    Ended,
    Room,
    cycles_of,
    opened_room,
    records,
    stop_of,
    together,
    until,
)
from tests.scenario.test_determinism import Variant, equipped, other_pythons

ONCE = ("--one-pass", "--json")
VARIANTS = (
    Variant(
        name="hash seed 1, Tokyo, locale C, another folder",
        environ={"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        cwd=Path("/"),
    ),
    Variant(
        name="hash seed 2, Los Angeles, locale tr_TR, asserts removed",
        environ={
            "PYTHONHASHSEED": "2",
            "TZ": "America/Los_Angeles",
            "LC_ALL": "tr_TR.UTF-8",
            "PYTHONOPTIMIZE": "2",
        },
    ),
)


class Answer:
    """What `interlock replay --json` said."""

    def __init__(self, ended: Ended) -> None:
        """Take a process that has ended."""
        assert "" == ended.err, ended.err
        said = json.loads(ended.out)
        self.code = ended.code
        self.identical: bool = said["identical"]
        self.head: str = said["head"]
        self.records: int = said["records"]
        self.divergence: dict[str, object] = said["divergence"] or {}

    @property
    def text(self) -> str:
        """Return where and why it differs, in words."""
        return str(self.divergence.get("text", ""))


def replayed(room: Room, *words: str, run_dir: Path | None = None) -> Answer:
    """Live a run again, twice unless the words say otherwise."""
    return Answer(room.play("replay", str(run_dir or room.run_dirs[-1]), "--json", *words))


def everywhere(room: Room, run_dir: Path) -> dict[str, tuple[int, bool, str]]:
    """Live a run again once under each of the variants."""

    def lived(variant: Variant) -> tuple[int, bool, str]:
        answer = Answer(room.play("replay", str(run_dir), *ONCE, cwd=variant.cwd, **variant.environ))
        return answer.code, answer.identical, answer.head

    return dict(zip((variant.name for variant in VARIANTS), together(lived, VARIANTS), strict=True))


def assert_same_everywhere(room: Room, run_dir: Path) -> None:
    """The run comes out the same under each of the variants, with the head that `verify` names."""
    head = str(room.verified(str(run_dir))["head"])

    assert {variant.name: (0, True, head) for variant in VARIANTS} == everywhere(room, run_dir)


@pytest.fixture(scope="module")
def week(shared_data: Path) -> Iterator[Room]:
    """Run the real week once."""
    with opened_room() as room:
        config = room.path / "real-week.toml"
        text = (CONFIGS / "real-week.toml").read_text(encoding="utf-8").replace("@LEAN@", str(shared_data))
        config.write_text(text, encoding="utf-8")
        assert 0 == room.play("run", str(config), "--log", "quiet").code
        yield room


def test_real_week_comes_out_the_same(week: Room) -> None:
    """Every record of the week comes out byte for byte, in both passes, with the head that `verify` names."""
    answer = replayed(week)
    verified = week.verified()

    assert (0, True, {}) == (answer.code, answer.identical, answer.divergence)
    assert (verified["head"], verified["records"]) == (answer.head, answer.records)


def test_real_week_comes_out_the_same_everywhere(week: Room) -> None:
    """Hash seed, zone, locale, folder and removed asserts change nothing."""
    assert_same_everywhere(week, week.run_dirs[-1])


def test_real_week_that_moved_to_another_home_comes_out_the_same(week: Room, room: Room) -> None:
    """The folder of a run is all that a replay needs of its home."""
    moved = room.path / "elsewhere"
    shutil.copytree(week.run_dirs[-1], moved)

    assert True is replayed(room, *ONCE[:1], run_dir=moved).identical


def test_changed_minute_of_the_week_is_named(shared_data: Path, room: Room) -> None:
    """A data folder in which one file was changed and one is gone is named by the first of them, before it is read."""
    lean = room.path / "lean"
    shutil.copytree(shared_data, lean)
    config = room.path / "week.toml"
    text = (CONFIGS / "real-week.toml").read_text(encoding="utf-8").replace("@LEAN@", str(lean))
    config.write_text(text, encoding="utf-8")
    assert 0 == room.play("run", str(config), "--log", "quiet", "--cycles", "20").code
    changed = lean / "equity/usa/minute/bac/20131009_quote.zip"
    # What is shared may be read-only for whoever runs this.
    changed.parent.chmod(0o755)
    changed.chmod(0o644)
    changed.write_bytes(changed.read_bytes() + b"\0")
    answer = replayed(room)
    changed.unlink()
    gone = replayed(room)

    assert (7, False, "data") == (answer.code, answer.identical, answer.divergence["cause"])
    assert "the file equity/usa/minute/bac/20131009_quote.zip was changed" in answer.text
    assert "the file equity/usa/minute/bac/20131009_quote.zip is gone" in gone.text


def test_examples_give_no_false_alarm(room: Room) -> None:
    """The first run, with two of the three example strategies, comes out the same in both passes and everywhere."""
    assert 0 == room.play("run", str(FIRST), "--cycles", "60", "--interval", "0", "--log", "quiet").code

    assert True is replayed(room).identical
    assert_same_everywhere(room, room.run_dirs[-1])


def test_run_without_a_configuration_comes_out_the_same(room: Room) -> None:
    """The built-in configuration has no file, and its run can be lived again all the same."""
    assert 0 == room.play("run", "--cycles", "10", "--interval", "0", "--seed", "9", "--log", "quiet").code

    assert True is replayed(room).identical


def test_killed_run_comes_out_the_same(room: Room) -> None:
    """What a killed run left on disk comes out the same as far as it goes."""
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0 s")
    with room.start("run", config) as running:
        running.see("REST | ", times=20)
        running.send(signal.SIGKILL)
        running.process.wait()
    answer = replayed(room)

    assert (0, True) == (answer.code, answer.identical)
    assert room.verified()["records"] == answer.records
    assert 20 < answer.records


def test_run_with_a_halt_and_resumes_comes_out_the_same(room: Room) -> None:
    """What people said is an input like any other: a halt, the clearing of its latch, the raise, and a stop."""
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0.05 s")
    with room.start("run", config) as running:
        running.see("Filled ", times=2)
        room.play("halt", "--reason", "to see it twice")
        running.see("HUMAN_HALT")
        assert 0 == room.play("resume", "L1", str(room.status()["state_no"])).code
        assert 0 == room.play("resume", str(room.status()["state_no"])).code
        until(lambda: room.status()["trading_state"] == "ACTIVE")
        running.see("REST | ")
        assert 0 == room.play("stop").code
    found = records(room.run_dirs[-1])
    kinds = [command.kind for cycle in cycles_of(found) for command in cycle.inputs.commands]

    assert ["halt", "resume", "resume", "stop"] == kinds
    assert True is replayed(room).identical
    assert_same_everywhere(room, room.run_dirs[-1])


def test_run_in_a_home_with_latches_comes_out_the_same(room: Room) -> None:
    """The second latch of a home is the second again, though the run before raised the first."""
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0.05 s")
    for number in (1, 2):
        with room.start("run", config) as running:
            running.see("REST | ")
            room.play("halt", "--reason", f"number {number}")
            running.see(f"latch=L{number}")
            running.stop()
        assert 0 == room.play("resume", f"L{number}", state_no(room)).code

    assert True is replayed(room).identical


def state_no(room: Room) -> str:
    """Return the number of the state that `resume` shows."""
    return room.play("resume").out.rpartition("state number ")[2].split()[0]


def test_paper_run_and_the_one_after_come_out_the_same(room: Room) -> None:
    """A PAPER run that was killed, and the one that carried its account on, both come out the same."""
    config = written(room, strategy="Restless", settings='{ qty = 10, resting = "BAC" }', mode="PAPER", step="0.05 s")
    words = ("run", config, "--mode", "paper")
    with room.start(*words) as running:
        running.see("REST | ")
        assert 0 == room.play("resume", str(room.status()["state_no"])).code
        running.see("RISK | Approved", "Filled ", times=3)
        running.send(signal.SIGKILL)
        running.process.wait()
    with room.start(*words) as running:
        running.see("REST | ", times=3)
        running.stop()
    killed, carried = room.run_dirs

    assert [True, True] == [replayed(room, run_dir=run_dir).identical for run_dir in (killed, carried)]
    assert_same_everywhere(room, carried)


def test_every_python_here_lives_the_same_run(room: Room) -> None:
    """What this Python decided comes out the same under each Python of this machine that has the packages, 3.13 too."""
    made = [equipped(base, folder=room.path / f"venv-{n}") for n, base in enumerate(other_pythons())]
    pythons = [sys.executable, *(python for python in made if python)]
    print(pythons)
    assert 0 == room.play("run", str(FIRST), "--cycles", "40", "--interval", "0", "--log", "quiet").code
    head = room.verified()["head"]
    words = ("replay", str(room.run_dirs[-1]), "--json")
    answers = [Answer(room.play(*words, prefix=(python, *INTERLOCK[1:]))) for python in pythons]

    assert [(0, head)] * len(pythons) == [(answer.code, answer.head) for answer in answers]


#: A market that breaks off in the midst of a run, as no market should.
_BREAKS = """
from interlock.model.errors import InvariantError
from interlock.shell.paper import PaperGateway
observe = PaperGateway.observe
def breaks(self, snapshot):
    if snapshot.seq == 9:
        raise InvariantError("Broken invariant: it was broken on purpose")
    observe(self, snapshot)
PaperGateway.observe = breaks
"""


def test_run_that_a_fault_broke_comes_out_the_same(room: Room) -> None:
    """A run that latched and closed its record after a broken cycle comes out the same, its last record too."""
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0 s")
    ended = room.play("run", config, prefix=around_main(_BREAKS))
    stop = stop_of(records(room.run_dirs[-1]))

    assert (6, 6) == (ended.code, stop.exit_code)
    assert ["CYCLE_BROKE"] == [latch.code for latch in stop.closing.latches]
    assert True is replayed(room).identical


BAD = """
{loaded}
from interlock.examples import buy
from interlock.model.orders import TimeInForce
from interlock.model.signals import Proposal

NAMES = {{"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"}}


class Bad:
    def __init__(self):
        {made}

    def propose(self, view):
        symbol = view.universe[0]
        qty = 1 + ({expression}) % 97
        px = view.quote(symbol).ask_px
        wish = buy(symbol, qty=qty, limit_px=px, time_in_force=TimeInForce.IOC, because="it came to its mind")
        return Proposal(wishes=(wish,), because="it has an idea")
"""
#: What each bad strategy loads, makes and asks, and what the sentence about it says.
BAD_ONES = {
    "the time": ("import time", "pass", "time.time_ns() // 1000", "reached for time.time_ns in cycle 1"),
    "chance": ("import random", "pass", "random.randrange(97)", "reached for random.getrandbits in cycle 1"),
    "a seed of its own": ("import random", "self.dice = random.Random()", "self.dice.randrange(97)", "is not determin"),
    "a set": ("", "pass", "sum(i * len(n) * ord(n[0]) for i, n in enumerate(NAMES))", "is not deterministic"),
    "a file": (
        "import pathlib",
        "self.kept = pathlib.Path(__file__).with_name('kept.txt')",
        "(self.kept.write_text(self.kept.read_text() + 'x' if self.kept.exists() else 'x'))",
        "reached for os.stat in cycle 1",
    ),
    "the zone": (
        "import datetime",
        "pass",
        "datetime.datetime.fromtimestamp(view.as_of_ns // 10**9).hour",
        "Only the second pass differs",
    ),
}


@pytest.mark.parametrize("name", BAD_ONES)
def test_strategy_that_cannot_be_lived_again_is_caught(room: Room, name: str) -> None:
    """Time, chance, the order of a set, a file and the zone are each caught, with exit 7 and the strategy's name."""
    loaded, made, expression, words = BAD_ONES[name]
    (room.path / "bad_idea.py").write_text(
        BAD.format(loaded=loaded, made=made, expression=expression), encoding="utf-8"
    )
    config = Path(written(room, strategy="Patient", settings="{}", interval="0 s"))
    text = config.read_text(encoding="utf-8").replace("idle_hands:Patient", "bad_idea:Bad")
    config.write_text(text.replace("settings = {}\n", ""), encoding="utf-8")
    ended = room.play("run", str(config), "--cycles", "10")
    answer = replayed(room)

    assert 0 == ended.code, ended.err
    assert (7, "strategy") == (answer.code, answer.divergence["cause"]), answer.text
    assert words in answer.text
    assert "idle" in answer.text
    assert bool(loaded) == ("The strategy file bad_idea.py reaches" in ended.out) or name == "the zone"


def test_other_limits_are_told_over_the_real_week(week: Room) -> None:
    """Twice the gross limit lets more of the week through, and the answer says how much worse it could have been."""
    path = week.path / "wider.toml"
    text = (week.path / "real-week.toml").read_text(encoding="utf-8")
    # The one strategy may use all of the gross limit, so both are twice what they were.
    assert 2 == text.count(' = "$22,000"')
    path.write_text(text.replace(' = "$22,000"', ' = "$44,000"'), encoding="utf-8")
    ended = week.play("replay", "last", "--with-config", str(path), "--json")
    answer = json.loads(ended.out)

    assert (0, "") == (ended.code, ended.err)
    assert 0 < answer["flip_count"]
    assert {"APPROVED"} <= {flip["now"] for flip in answer["flips"]}
    assert answer["before"]["gross_micros"] < answer["after"]["gross_micros"]


#: A machine that is too slow for every approval.
_LATE = "import interlock.shell.desk as desk\ndesk.APPROVAL_NS_MAX = -1"


def test_other_limits_keep_back_what_the_machine_kept_back(room: Room) -> None:
    """Orders that were too old to be sent on the day are not sent when the same limits judge them again."""
    config = written(room, strategy="Restless", settings="{ qty = 10 }", interval="0 s")
    assert 0 == room.play("run", config, "--cycles", "10", prefix=around_main(_LATE)).code
    answer = json.loads(room.play("replay", "last", "--with-config", config, "--json").out)

    assert (0, 0, 0) == (answer["flip_count"], answer["only_then"], answer["only_now"])
    assert 0 == answer["before"]["gross_micros"] == answer["after"]["gross_micros"]
