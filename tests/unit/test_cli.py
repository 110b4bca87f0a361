"""The words a human types: what they say, where they say it, and what their exit codes promise."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.spoken import FIRST_LINE, Start, spoken

from interlock.cli import interval_ns
from interlock.model.errors import ConfigError, InvariantError
from interlock.model.units import SECOND_NS
from interlock.shell.home import prepare_home, run_ids
from interlock.shell.latch_log import standing
from interlock.shell.live import live_marks


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("fly",),
        ("run", "--cycles", "many"),
        ("run", "--cycles", "-1"),
        ("run", "--seed", "-1"),
        ("run", "--interval", "soon"),
        ("run", "--unknown"),
        ("tell",),
        ("status",),
        ("stop",),
        ("halt",),
        ("resume", "L1", "3"),
        ("allow", "000001-001", "--reason", "it is right"),
        ("tighten", "max_order_qty", "5 shares"),
        ("controls", "/no/such/file.toml"),
        ("tell", "/no/such/run"),
        ("status", "--home", ""),
    ],
)
def test_words_that_cannot_be_obeyed_are_refused_in_a_sentence(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Exit 2, one sentence on stderr, nothing on stdout, never a traceback."""
    code, out, err = spoken(capsys, *words)

    assert (2, []) == (code, out)
    assert (True, False) == (err.startswith("interlock: "), "Traceback" in err)


@pytest.mark.parametrize("word", "run stop halt resume status runs tell verify controls allow tighten".split())
def test_every_word_explains_itself(capsys: pytest.CaptureFixture[str], word: str) -> None:
    """`--help` ends well, and every word takes `--home`."""
    code, out, err = spoken(capsys, word, "--help")

    assert (0, "") == (code, err)
    assert True is any("--home" in line for line in out)


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints one line and starts nothing."""
    assert (0, ["interlock 0.1.0"], "") == spoken(capsys, "--version")


@pytest.mark.parametrize(
    ("text", "ns"), [("0", 0), ("0.5", SECOND_NS // 2), ("2 s", 2 * SECOND_NS), ("1 min", 60 * SECOND_NS)]
)
def test_interval_is_seconds_or_has_its_unit(text: str, ns: int) -> None:
    """A plain number is seconds."""
    assert ns == interval_ns(text)


@pytest.mark.parametrize("text", ["", "-1", "1e3", "nan", "inf", "1 fortnight", "0x1"])
def test_interval_that_is_none_is_refused(text: str) -> None:
    """What is no span of time is refused before anything starts."""
    with pytest.raises(ConfigError):
        interval_ns(text)


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InvariantError("Broken invariant: x"), 6, "interlock: Broken invariant: x\n"),
        (ConfigError("no\x1b[2J"), 2, "interlock: no?[2J\n"),
        (KeyboardInterrupt(), 0, "interlock: Interrupted before the first cycle. Nothing was sent.\n"),
    ],
)
def test_what_a_run_raises_becomes_a_sentence_and_its_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, sentence: str
) -> None:
    """Every error of ours has a code; control characters are stripped."""

    def failing(request: object) -> int:
        del request
        raise error

    monkeypatch.setattr("interlock.assemble.run", failing)

    assert (code, [], sentence) == spoken(capsys, "run")


def test_bug_of_ours_is_confessed_and_its_details_are_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An error that nobody foresaw is exit 6, with what it means for the money and where the details are."""

    def failing(request: object) -> int:
        message = f"odd {type(request).__name__}"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("interlock.assemble.run", failing)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code, out, err = spoken(capsys, "run")
    kept = [path for path in tmp_path.iterdir() if path.name.startswith("crash-")]

    assert (6, [], 1) == (code, out, len(kept))
    assert [True] * 3 == [words in err for words in ("bug of Interlock", "sends nothing more", str(kept[0]))]
    assert "ZeroDivisionError: odd RunRequest" in kept[0].read_text()
    assert 0o600 == kept[0].stat().st_mode & 0o777


def test_status_of_a_running_process_has_the_promised_keys(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """`status --json` says what is held and that it runs; no home need be named while one is live."""
    start(home, "obedient")
    code, out, _ = spoken(capsys, "status", "--json")
    status = json.loads(out[0])

    assert (0, "SIM", "ACTIVE", 1, None) == (
        code,
        status["mode"],
        status["trading_state"],
        status["cycle"],
        status["ended"],
    )
    assert list(run_ids(home)) == [status["run_id"]]
    assert (1, 1) == (len(status["positions"]), len(status["open_orders"]))


def test_status_says_first_what_is_held(capsys: pytest.CaptureFixture[str], home: Path, start: Start) -> None:
    """The first line is what you own, with its value and its protection."""
    start(home, "obedient")

    assert FIRST_LINE == spoken(capsys, "status")[1][0]


def test_stop_waits_for_the_end_and_leaves_no_latch(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """Exit 0 once the process has ended with nothing left; then status reads its journal."""
    child = start(home, "obedient")
    code, out, err = spoken(capsys, "stop")
    ended = json.loads(spoken(capsys, "status", "--json")[1][0])["ended"]

    assert (0, FIRST_LINE, "") == (code, out[0], err)
    assert (0, ()) == (child.wait(), standing(home))
    assert True is ended.startswith("clean (exit 0)")


def test_stop_of_nothing_is_said_and_is_no_error(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """Where nothing runs there is nothing to stop."""
    prepare_home(home)
    code, out, _ = spoken(capsys, "stop", "--home", str(home))

    assert (0, "You hold nothing that is known here") == (code, out[0])


def test_stop_of_a_process_that_does_not_answer_tells_the_truth(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start, quick: None
) -> None:
    """A process that hangs is named, with what to do; the exit code says that orders may be left."""
    del quick
    child = start(home, "deaf")
    code, _, err = spoken(capsys, "stop")

    assert 4 == code
    assert f"kill -9 {child.pid}" in err


def test_killed_run_is_shown_as_killed(capsys: pytest.CaptureFixture[str], home: Path, start: Start) -> None:
    """A run without STOP whose process is gone was killed; while it lives it runs."""
    child = start(home, "obedient")
    living = spoken(capsys, "runs")[1][-1]
    child.send_signal(signal.SIGKILL)
    child.wait()
    killed = spoken(capsys, "runs")[1][-1]
    first_line = spoken(capsys, "status")[1][0]

    assert (True, True) == ("  running: " in living, "  killed: " in killed)
    assert "You hold 200 SPY ($34,000.00), UNPROTECTED" == first_line
    assert () == live_marks(os.environ)


def test_verify_has_the_promised_keys_and_finds_damage(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """Exit 0 for a whole journal, 7 for a damaged one."""
    start(home, "obedient")
    spoken(capsys, "stop")
    _, out, _ = spoken(capsys, "verify", "last", "--json")
    journal = next((home / "runs" / run_ids(home)[0]).glob("*boot*"))
    content = bytearray(journal.read_bytes())
    content[len(content) // 2] ^= 1
    journal.write_bytes(content)
    damaged, told, _ = spoken(capsys, "verify", "last", "--json")

    assert {"ok", "run_id", "records", "head"} <= json.loads(out[0]).keys()
    assert (7, False) == (damaged, json.loads(told[0])["ok"])


def test_closed_pipe_is_quiet(home: Path) -> None:
    """A reader that goes away gets no traceback."""
    prepare_home(home)
    words = [sys.executable, "-m", "interlock", "status", "--help"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        assert b"" == child.stderr.read()
