"""The sentences of Phase 4's definition of done that no other test proves: real runs, looked at as a person would."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.core_factory import FEES, SYMBOLS, approved
from tests.scenario.scripts import around_main
from tests.scenario.stage import (
    FIRST,
    PAPER,
    Room,
    approved_of,
    boot_of,
    codes_of,
    cycles_of,
    decisions_of,
    opened_room,
    records,
    reports_of,
    stop_of,
)

from interlock.model.errors import InvariantError
from interlock.model.journal import Record
from interlock.model.mode import LIVE_REFUSAL, MODE_WORDS, Mode
from interlock.model.orders import ExecType
from interlock.model.risk import Verdict
from interlock.model.units import SECOND_NS
from interlock.shell.home import holder
from interlock.shell.lines import Stage
from interlock.shell.paper import PaperGateway
from interlock.shell.sources.simulated import SimulatedSource

CYCLES = 20
LINE = re.compile(r"(\d{6,}) (SIM |PAPER|LIVE) (\S{20}) (\w+) +\| (.+)")
#: The stages of a cycle in the order of the trip.
TRIP = [Stage.SEE, Stage.BOOK, Stage.SCAN, Stage.IDEA, Stage.RISK, Stage.SEND, Stage.REST]

#: Writes down every file that is opened to be written, made, moved or removed, and prints them at the end.
_LISTENING = """
import json, os
heard = []
def listen(event, words):
    if event == "open" and isinstance(words[0], (str, bytes)) and words[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        heard.append(os.fsdecode(words[0]))
    elif event in ("os.mkdir", "os.remove", "os.rename", "os.chmod", "os.rmdir", "os.truncate"):
        named = [word for word in words if isinstance(word, (str, bytes, os.PathLike))]
        heard.extend(os.fsdecode(word) for word in named)
sys.addaudithook(listen)
"""
_TELLING = "print(json.dumps(heard), file=sys.stderr)"


class Played:
    """The first run, played once for all tests that look at it."""

    def __init__(self, room: Room) -> None:
        """Play it."""
        ended = room.play("run", str(FIRST), "--cycles", str(CYCLES), "--interval", "0")
        self.code = ended.code
        self.lines = ended.out.splitlines()
        self.records: list[Record] = records(room.run_dirs[-1])

    def parsed(self) -> list[tuple[int, str, str, str]]:
        """Return cycle, mode, stage and sentence of every line."""
        found = [LINE.fullmatch(line) for line in self.lines]
        return [(int(one[1]), one[2].strip(), one[4], one[5]) for one in found if one is not None]


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """Play the first run."""
    with opened_room() as room:
        yield Played(room)


# 4.1 run modes


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (Mode.SIM, ("run", str(FIRST), "--cycles", "2", "--interval", "0")),
        (Mode.PAPER, ("run", str(PAPER), "--mode", "paper", "--cycles", "1")),
    ],
)
def test_mode_is_the_first_thing_that_a_run_says(room: Room, mode: Mode, words: tuple[str, ...]) -> None:
    """The first line of a run is its mode, in the words that leave no doubt."""
    first = room.play(*words).out.splitlines()[0]

    assert first.endswith(f" BOOT | {MODE_WORDS[mode]}")


def test_a_file_without_a_mode_is_sim(room: Room) -> None:
    """Whoever writes no mode gets the safest."""
    path = room.path / "no-mode.toml"
    lines = FIRST.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("mode = ")), encoding="utf-8")
    ended = room.play("run", str(path), "--cycles", "1", "--interval", "0")

    assert (0, True) == (ended.code, ended.out.splitlines()[0].endswith(f" BOOT | {MODE_WORDS[Mode.SIM]}"))


def test_every_line_of_a_run_names_its_mode(played: Played) -> None:
    """Nobody has to look back to know how dangerous the process is: each line says it."""
    modes = [mode for _, mode, _, _ in played.parsed()]

    assert [Mode.SIM.value] * len(played.lines) == modes


@pytest.mark.parametrize("word", ["paper1", "Live ", "1", "true", "", "SIM", "LIVE"])
def test_a_word_that_is_no_mode_starts_nothing(room: Room, word: str) -> None:
    """Everything but exactly sim, paper or live is refused in a sentence, before there is a run."""
    ended = room.play("run", str(FIRST), "--mode", word, "--cycles", "1")

    assert (2, "", []) == (ended.code, ended.out, room.run_dirs)
    assert f"--mode {word!r} is not a mode" in ended.err


def test_live_refuses_to_start_and_says_why(room: Room) -> None:
    """LIVE ends with exit 2 and the sentence that says what is missing, and no run is begun."""
    ended = room.play("run", str(FIRST), "--mode", "live", "--cycles", "1")

    assert (2, "", []) == (ended.code, ended.out, room.run_dirs)
    assert f"interlock: {LIVE_REFUSAL}\n" == ended.err


def test_the_last_hop_takes_nothing_that_was_approved_for_another_mode() -> None:
    """A PAPER gateway refuses an approval of SIM, whatever led there."""
    gateway = PaperGateway(mode=Mode.PAPER, fees=FEES, universe=SYMBOLS)

    with pytest.raises(InvariantError, match="an order is approved for the gateway's own mode"):
        gateway.submit(approved(mode=Mode.SIM))
    assert ((), ()) == (gateway.open_orders(), gateway.drain())


# 4.2 continuous loop and graceful shutdown


def test_a_run_goes_on_until_ctrl_c_and_ends_cleanly(room: Room) -> None:
    """Without a number of cycles a run goes on; one Ctrl+C ends it with exit 0, a STOP record and a last line."""
    with room.start("run", str(FIRST), "--interval", "0.01") as running:
        running.see("000025 SIM ")
        ended = running.stop(signal.SIGINT)
    stop = stop_of(records(room.run_dirs[-1]))

    assert (0, 0) == (ended.code, stop.exit_code)
    assert "Ctrl+C seen. Stopping: nothing new is sent" in ended.err
    assert ended.out.splitlines()[-1].endswith("exit=0")


def test_nothing_is_left_behind_by_ctrl_c(room: Room) -> None:
    """After Ctrl+C no order works or is in doubt, every wish is accounted for, and lock, socket and mark are gone."""
    with room.start("run", str(FIRST), "--interval", "0.01") as running:
        running.see("still work")
        running.stop(signal.SIGINT)
    (run_dir,) = room.run_dirs
    stop = stop_of(records(run_dir))
    counts = dict(stop.counts)
    wishes = counts.pop("intents") + counts.pop("carried")
    marks = [path for path in (room.path / "run").rglob("*") if path.is_file()]

    assert ((), (), wishes) == (stop.working, stop.in_doubt, sum(counts.values()))
    assert ("", False, []) == (holder(room.home).run_id, (run_dir / "control.sock").exists(), marks)
    assert "clean (exit 0)" in room.play("runs").out
    assert 0 == room.play("run", str(FIRST), "--cycles", "1", "--interval", "0").code


def test_ctrl_c_wakes_a_long_rest_at_once(room: Room) -> None:
    """A rest of ten minutes does not keep anyone from stopping."""
    with room.start("run", str(FIRST), "--interval", "600") as running:
        running.see(" REST | ")
        ended = running.stop(signal.SIGINT)

    assert 0 == ended.code


# 4.3 data source abstraction


def test_scanner_gets_a_whole_market_in_every_cycle(played: Played) -> None:
    """Each cycle of the simulated market shows the scanner a quote of every symbol, and it finds something."""
    cycles = cycles_of(played.records)[:-1]
    seen = [(cycle.inputs.market.present, cycle.inputs.market.symbols) for cycle in cycles if cycle.inputs.market]
    candidates = [candidate for cycle in cycles for result in cycle.outputs.scans for candidate in result.candidates]

    assert [(4, 4)] * CYCLES == seen
    assert candidates
    assert all(candidate.features and candidate.because for candidate in candidates)


def test_boot_says_where_the_data_comes_from(played: Played) -> None:
    """The story names the origin of the data, and the record holds what would make it again."""
    boot = boot_of(played.records)
    said = [text for _, _, stage, text in played.parsed() if stage == "BOOT" and text.startswith("The data: ")]

    assert 1 == len(said)
    assert re.fullmatch(
        r"The data: a made-up \w+ market drawn from seed \d+; no real prices\. source=simulated", said[0]
    )
    assert {"seed", "simulator", "start_ns", "step_ns"} <= dict(boot.origin_identity).keys()


def test_same_seed_is_the_same_market_and_another_is_not() -> None:
    """The market of a seed can be looked at twice."""
    one, again, other = (
        SimulatedSource(universe=("SPY", "IBM"), seed=seed, step_ns=SECOND_NS).next() for seed in (7, 7, 8)
    )

    assert one.digest == again.digest
    assert not np.array_equal(one.bid_px, other.bid_px)


# 4.4 risk engine activation


def test_the_gate_really_blocks_and_what_it_blocks_is_never_sent(played: Played) -> None:
    """The first run has blocks; no report and no order ever names a blocked decision."""
    blocked = {one.decision_id for one in decisions_of(played.records) if one.verdict is Verdict.BLOCKED}
    reported = {report.cl_ord_id for report in reports_of(played.records)}

    assert blocked
    assert set() == blocked & reported


def test_every_block_says_why_and_what_would_change_it(played: Played) -> None:
    """Each line of a block has its decision, every code of a check that failed, and what to do."""
    told = {text.rpartition("decision=")[2]: text for _, _, stage, text in played.parsed() if stage == "RISK"}
    for decision in decisions_of(played.records):
        if decision.verdict is Verdict.BLOCKED:
            text = told[decision.decision_id]

            assert f"{','.join(codes_of(decision))} decision={decision.decision_id}" in text
            assert ". To change that: " in text


# 4.5 paper-safe execution


def test_execution_gives_simulated_results_with_fake_ids(played: Played) -> None:
    """Each order is acknowledged, partly and wholly filled or expired, always under an id that says PAPER."""
    reports = reports_of(played.records)
    kinds = {report.exec_type for report in reports}
    parts = [report for report in reports if report.exec_type is ExecType.TRADE and report.leaves_qty > 0]

    assert {ExecType.NEW, ExecType.TRADE, ExecType.EXPIRED} <= kinds
    assert parts
    assert {one.decision_id for one in approved_of(played.records)} == {report.cl_ord_id for report in reports}
    assert [] == [report for report in reports if report.order_id != f"PAPER-{report.cl_ord_id}"]


def test_a_run_writes_nothing_outside_its_own_folders(room: Room) -> None:
    """Nothing is written, made, moved or removed but in the home and in the user's folders for running programs."""
    # A name without a folder is opened beside a folder's descriptor, or else in the working directory.
    empty = room.path / "empty"
    empty.mkdir()
    words = ("run", str(FIRST), "--cycles", "10", "--interval", "0")
    ended = room.play(*words, prefix=around_main(_LISTENING, _TELLING), cwd=empty, PYTHONDONTWRITEBYTECODE="1")
    heard = [Path(path) for path in json.loads(ended.err.splitlines()[-1])]
    allowed = (room.path, Path("/proc/self/fd"), Path("/dev"))
    outside = {path for path in heard if len(path.parts) > 1 and not any(path.is_relative_to(one) for one in allowed)}

    assert (0, set(), []) == (ended.code, outside, list(empty.iterdir()))
    assert any(path.is_relative_to(room.home) for path in heard)


# 4.6 observability and log discipline


def test_every_line_has_the_same_prefix_and_a_known_stage(played: Played) -> None:
    """Each line is a prefix of one form and a sentence, and its stage is one of the stage words."""
    parsed = played.parsed()

    assert len(played.lines) == len(parsed)
    assert set() == {stage for _, _, stage, _ in parsed} - {stage.value for stage in Stage}
    assert 1 == len({line.index(" | ") for line in played.lines})


def test_each_cycle_reads_in_the_order_of_the_trip(played: Played) -> None:
    """In every cycle the stages come as see, book, scan, idea, risk, send, rest; see is first and rest is last."""
    for number in range(1, CYCLES + 1):
        # The gate proves itself before anybody is asked, so that nothing is decided by one that cannot say no.
        told = [(Stage(stage), text) for cycle, _, stage, text in played.parsed() if cycle == number]
        stages = [stage for stage, text in told if not text.startswith("The gate proved itself: ")]
        places = [TRIP.index(stage) for stage in stages]

        assert all(before <= after for before, after in pairwise(places)), stages
        assert (Stage.SEE, Stage.REST) == (stages[0], stages[-1])


def test_one_order_can_be_followed_by_its_number_alone(played: Played) -> None:
    """Whoever searches for the number of an approval finds its decision, its send and each answer, in order."""
    decision = approved_of(played.records)[0]
    found = [stage for _, _, stage, text in played.parsed() if decision.decision_id in text]

    assert ["RISK", "SEND", "BOOK"] == found[:3]
    assert {"BOOK"} == set(found[2:])


def test_errors_and_the_story_go_different_ways(room: Room, played: Played) -> None:
    """A run that starts complains of nothing, one that is refused tells no story, and `quiet` holds back the INFO."""
    refused = room.play("run", "no-such-file.toml")
    quiet = room.play("run", str(FIRST), "--cycles", str(CYCLES), "--interval", "0", "--log", "quiet")
    # What the source does not tell is a warning at the start, as a block is one later on.
    warned = [line for line in played.lines if " RISK | Blocked " in line or " BOOT | NOT COVERED" in line]

    assert ("", True) == (refused.out, refused.err.startswith("interlock: no-such-file.toml: "))
    assert (warned, "") == (quiet.out.splitlines(), quiet.err)
