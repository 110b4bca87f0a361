"""Explain and export, as a person types them after the first run; the texts that were read aloud stand in files."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scenario.stage import FIRST, REPO, Ended, Room, decisions_of, opened_room, records

from interlock.cli import main

GOLDEN = REPO / "tests" / "golden" / "explain"
#: Each golden text, and the words after `explain` that give it.
TEXTS = {
    "filled": "000006-002",
    "blocked": "000002-001",
    "soft": "000003-001",
    "taken": "000006-001",
    "left": "000007-001",
    "worked-on": "000004-001",
    "cycle": "6",
    "nothing-happened": "--symbol AIG --at 2013-10-07T10:30:09-04:00",
    "sold-then": "--symbol IBM --at 2013-10-07T14:30:07.5Z",
}
NAIVE = "--symbol IBM --at 2013-10-07T14:30"


class Played:
    """The first run, played once for all tests that ask about it."""

    def __init__(self, room: Room) -> None:
        """Play it."""
        self.room = room
        room.play("run", str(FIRST), "--cycles", "30", "--interval", "0", "--log", "quiet")

    def explain(self, words: str) -> Ended:
        """Ask for an explanation."""
        return self.say("explain", *words.split(), "--home", str(self.room.home))

    def say(self, *words: str) -> Ended:
        """Speak in this process: no part of an answer depends on the process that gives it."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(words)
        return Ended(code, out.getvalue(), err.getvalue())

    def masked(self, text: str) -> str:
        """Return a text without what differs from run to run: its id and the wall clock."""
        text = text.replace(self.room.run_dirs[-1].name, "RUN")
        return re.sub(r"machine showed [\dTZ:-]+", "machine showed NOW", text)


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """Play the first run."""
    with opened_room() as room:
        yield Played(room)


@pytest.mark.parametrize("name", TEXTS)
def test_the_explanation_is_the_one_that_was_read_aloud(played: Played, name: str) -> None:
    """Each explanation is, word for word, the text in its file; delete the file to see what it says now."""
    ended = played.explain(TEXTS[name])
    path = GOLDEN / f"{name}.txt"
    if not path.exists():
        path.write_text(played.masked(ended.out), encoding="utf-8")
        pytest.fail(f"{path.name} was not there; it was written now: read it aloud")

    assert (0, "") == (ended.code, ended.err)
    assert path.read_text(encoding="utf-8") == played.masked(ended.out)


def test_every_golden_text_has_its_question() -> None:
    """No text lies about that nobody asks for."""
    assert sorted(TEXTS) == sorted(path.stem for path in GOLDEN.iterdir())


def test_every_decision_of_the_run_can_be_explained(played: Played) -> None:
    """Whatever the gate decided has an explanation, which says how it ended and names each check once."""
    for decision in decisions_of(records(played.room.run_dirs[-1])):
        ended = played.explain(f"{decision.decision_id} --json")
        found = json.loads(ended.out)

        assert decision.verdict == found["verdict"]
        assert [check.code for check in decision.checks] == [one["check"]["code"] for one in found["checks"]]


@pytest.mark.parametrize("words", ["000003-001", "6", "--symbol SPY --at 2013-10-07T14:30:09Z"])
def test_json_is_one_object_that_says_its_kind(played: Played, words: str) -> None:
    """`--json` prints one object, whose kind says what was asked for."""
    found = json.loads(played.explain(f"{words} --json").out)

    assert found["kind"] in {"decision", "cycle", "instant"}
    assert found["moment"]["run_id"] == played.room.run_dirs[-1].name


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "Ask for one thing"),
        ("last 6 7", "Ask for one thing"),
        ("last 6 --run last", "Ask for one thing"),
        ("6 --symbol IBM --at 2013-10-07T14:30Z", "Ask for one thing"),
        ("--symbol IBM", "--symbol needs --at beside it"),
        ("--at 2013-10-07T14:30Z", "--at needs --symbol beside it"),
        (NAIVE, "has no time zone"),
        ("--symbol TSLA --at 2013-10-07T14:30:05Z", "did not watch 'TSLA'"),
        ("--symbol IBM --at 2013-10-06T14:30Z", "is before the first market"),
        ("000099-001", "it has cycles 1 to 31"),
        ("nosuchrun 6", "No run in "),
        ("word", "is neither the id of a decision"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_a_sentence(played: Played, words: str, sentence: str) -> None:
    """A question that has no answer ends with 2 and one sentence."""
    ended = played.explain(words)

    assert (2, "") == (ended.code, ended.out)
    assert sentence in ended.err
    assert 1 == ended.err.count("\n")


def test_a_process_answers_as_this_one_does(played: Played) -> None:
    """The command itself prints what is tested here."""
    assert played.explain("last 000003-001") == played.room.play("explain", "last", "000003-001")._replace(seconds=0.0)


def test_a_run_is_named_before_the_id_or_by_an_option(played: Played) -> None:
    """`RUN ID`, `--run RUN` and `last` lead to the same explanation."""
    run_id = played.room.run_dirs[-1].name
    first, *others = (played.explain(words).out for words in (f"{run_id} 6", f"6 --run {run_id[:20]}", "last 6", "6"))

    assert [first] * 3 == others


def test_deleting_everything_but_the_journal_loses_no_explanation(played: Played) -> None:
    """A run's folder that was copied without anything beside its journal explains the same."""
    source = played.room.run_dirs[-1]
    target = played.room.path / "copy" / source.name
    target.mkdir(parents=True)
    for path in (*source.glob("*.ilj"), source / "HEAD"):
        (target / path.name).write_bytes(path.read_bytes())

    assert played.explain("000003-001").out == played.explain(f"{target} 000003-001").out


def test_export_writes_five_tables_once(played: Played) -> None:
    """The tables are written, and a second export into the same folder is refused and changes nothing."""
    pytest.importorskip("pyarrow")
    folder = played.room.path / "tables"
    first = played.room.play("export", "last", "--to", str(folder))
    before = contents(folder)
    second = played.room.play("export", "last", "--to", str(folder))

    assert (0, 2) == (first.code, second.code)
    assert ["checks", "decisions", "equity", "fills", "orders"] == sorted(Path(name).stem for name in before)
    assert "is there already, and an export never overwrites" in second.err
    assert before == contents(folder)


def test_export_of_a_damaged_run_says_where_it_ends(played: Played) -> None:
    """What stands before the damage is exported, the damage is told, and the exit code is 7."""
    pytest.importorskip("pyarrow")
    source = played.room.run_dirs[-1]
    target = played.room.path / "damaged" / source.name
    shutil.copytree(source, target)
    path = max(target.glob("*.ilj"))
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    ended = played.say("export", str(target), "--to", str(played.room.path / "half"))

    assert 7 == ended.code
    assert "cannot be trusted after record" in ended.err
    assert "decisions.parquet" in ended.out


def test_export_without_a_folder_is_refused(played: Played) -> None:
    """An empty name is no folder."""
    ended = played.say("export", "last", "--to", " ", "--home", str(played.room.home))

    assert (2, "") == (ended.code, ended.out)
    assert "--to is empty" in ended.err


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
