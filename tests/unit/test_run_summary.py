"""One run in one line, read from the ends of its journal."""

from __future__ import annotations

from pathlib import Path

from tests.journal_factory import (
    small_run,
    whole_run,
    write_run,
)

from interlock.shell.journal import FileJournal
from interlock.shell.journal_reader import JournalReader
from interlock.shell.run_summary import NO_EXIT_CODE, last_stop, last_words, summary


def test_a_run_that_died_before_its_first_record_is_readable(tmp_path: Path) -> None:
    """An empty folder, and one with a journal without records, both read as killed."""
    (tmp_path / "one").mkdir()
    FileJournal.create(tmp_path / "two").close()

    assert [("one", "unknown", "killed"), ("two", "unknown", "killed")] == [
        (line.run_id, line.mode, line.ended) for line in (summary(tmp_path / "one"), summary(tmp_path / "two"))
    ]


def test_a_clean_run_in_one_line(tmp_path: Path) -> None:
    """The summary says who, how far, how it ended, and the head."""
    head = write_run(tmp_path / "run", whole_run())
    line = summary(tmp_path / "run")

    assert ("run-1", "SIM", 4, "clean", 0, head) == (
        line.run_id,
        line.mode,
        line.cycles,
        line.ended,
        line.exit_code,
        line.head,
    )
    assert "the cycles that were asked for are done" == line.reason


def test_a_killed_run_in_one_line(tmp_path: Path) -> None:
    """Without a STOP a run was killed, and it has no exit code; records after the last sync count too."""
    write_run(tmp_path / "run", whole_run()[:-1], sync_after=2)
    line = summary(tmp_path / "run")

    assert ("killed", NO_EXIT_CODE, 4) == (line.ended, line.exit_code, line.cycles)
    assert last_stop(tmp_path / "run") is None


def test_a_damaged_run_in_one_line(tmp_path: Path) -> None:
    """A summary of what cannot be trusted says so, and no STOP is taken from it."""
    path = small_run(tmp_path / "run")
    raw = bytearray(path.read_bytes())
    raw[-40] ^= 1
    path.write_bytes(raw)
    line = summary(tmp_path / "run")

    assert ("tail lost", NO_EXIT_CODE) == (line.ended, line.exit_code)
    assert last_stop(tmp_path / "run") is None


def test_the_quick_end_of_a_journal_is_that_of_the_whole_reading(tmp_path: Path) -> None:
    """Wherever the last sync was, the short way and the long way agree."""
    pairs = whole_run()
    wrong = []
    for synced in range(1, len(pairs) + 1):
        run_dir = tmp_path / str(synced)
        write_run(run_dir, pairs, sync_after=synced)
        words = last_words(run_dir)
        reader = JournalReader(run_dir)
        records = list(reader.records())
        if (records[-1:], reader.count, reader.head) != (list(words.last), words.records, words.head):
            wrong.append(synced)

    assert [] == wrong
