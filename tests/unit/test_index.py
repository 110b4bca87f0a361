"""The journal as its own index: what halving finds is what a walk from the first record finds, and damage is told."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from tests.journal_factory import (
    MONDAY,
    START_NS,
    TUESDAY,
    Pair,
    boot,
    cycle,
    decision,
    frame_offsets,
    read,
    stop,
    whole_run,
    write_run,
)

from interlock.model.errors import JournalError
from interlock.model.journal import Cycle, Record
from interlock.shell.index import IsFrom, JournalIndex, seen_after, state_past
from interlock.shell.journal import FileJournal
from interlock.shell.journal_format import HEADER_BYTES, START, Frame, pack_frame

SECOND_NS = 1_000_000_000
CYCLES = 400


def long_run() -> list[Pair]:
    """Return a run of two dates whose records are so long that a search has to halve, with a stop."""
    pairs = [boot()]
    for number in range(1, CYCLES + 1):
        wished = (decision(f"{number:06d}-001", approved=False),) if number % 50 == 0 else ()
        date = MONDAY if number <= CYCLES // 2 else TUESDAY
        decided, aside = cycle(number, trading_date=date, decisions=wished)
        assert isinstance(decided, Cycle)
        pairs.append((decided, aside))
    return [*pairs, stop(CYCLES)]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the long run once."""
    folder = tmp_path_factory.mktemp("index") / "run"
    folder.mkdir()
    write_run(folder, long_run())
    return folder


@pytest.fixture(scope="module")
def walked(run_dir: Path) -> list[Record]:
    """Return all records as a walk finds them."""
    return read(run_dir)[0]


def seen_ns(record: Record) -> int:
    """Return the market time of a record, or what no market ever has."""
    decided = record.decided
    market = decided.inputs.market if isinstance(decided, Cycle) else None
    return 2**62 if market is None else market.as_of_ns


def test_the_run_is_long_enough_to_be_halved(run_dir: Path) -> None:
    """The test's own journal has more files than one, each longer than what is read without halving."""
    sizes = [path.stat().st_size for path in sorted(run_dir.glob("*.ilj"))]

    assert 3 == len(sizes)
    assert min(sizes[1:]) > 2 * (1 << 16)


def test_every_record_is_found_by_its_number(run_dir: Path, walked: list[Record]) -> None:
    """Each record that a walk yields is found by its number, and is the same."""
    index = JournalIndex(run_dir)

    assert walked == [index.record(record.seq) for record in walked]


def test_every_instant_is_found(run_dir: Path, walked: list[Record]) -> None:
    """Before, at and after each market time, the first later record is the one that a walk finds."""
    index = JournalIndex(run_dir)
    instants = sorted({seen_ns(record) + shift for record in walked[1:-1:7] for shift in (-1, 0, 1)})
    expected = [next(record.seq for record in walked[1:] if seen_ns(record) > at) for at in instants]

    assert expected == [index.number_where(seen_after(at)) for at in instants]


def test_no_instant_before_the_first_or_after_the_last_is_invented(run_dir: Path) -> None:
    """Before the first market the first cycle is next; after the last one it is the stop."""
    index = JournalIndex(run_dir)

    assert (1, CYCLES + 1) == (index.number_where(seen_after(0)), index.number_where(seen_after(2**62)))


def test_a_change_of_state_is_found(run_dir: Path) -> None:
    """The first record with a later state number is found, and the stop where there is none."""
    index = JournalIndex(run_dir)

    assert (1, CYCLES + 1) == (index.number_where(state_past(0)), index.number_where(state_past(1)))


def test_the_length_is_found_by_a_question_that_is_never_true(run_dir: Path, walked: list[Record]) -> None:
    """A question that no record answers gives the number of records."""
    assert len(walked) == JournalIndex(run_dir).number_where(lambda _: False)


@pytest.mark.parametrize("start", [0, 1, 49, 50, 51, CYCLES // 2, CYCLES, CYCLES + 1])
def test_reading_on_gives_the_rest(run_dir: Path, walked: list[Record], start: int) -> None:
    """From any record on, all that follow are read."""
    assert walked[start:] == list(JournalIndex(run_dir).records_from(start))


@pytest.mark.parametrize("start", [0, 50, 51, 300, CYCLES + 1])
def test_records_that_hold_a_text_are_those_that_a_walk_finds(run_dir: Path, walked: list[Record], start: int) -> None:
    """Passing over what does not hold an id loses none that does."""
    wanted = "-001"
    expected = [
        record.seq
        for record in walked[start:]
        if isinstance(record.decided, Cycle) and record.decided.outputs.decisions
    ]

    assert expected == [record.seq for record in JournalIndex(run_dir).records_holding(wanted, start)]


def test_halving_looks_at_few_records(run_dir: Path) -> None:
    """A search looks at a small part of the records, not at all of them."""
    looks = itertools.count()

    def is_from(frame: Frame) -> bool:
        next(looks)
        return frame.seq >= CYCLES // 3

    assert CYCLES // 3 == JournalIndex(run_dir).number_where(is_from)
    assert next(looks) < CYCLES // 2


def test_looking_writes_nothing(run_dir: Path) -> None:
    """There is no index file that could be stale: a search leaves the folder as it was."""

    def listing() -> list[tuple[str, int, int]]:
        return sorted((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in run_dir.iterdir())

    before = listing()
    JournalIndex(run_dir).record(CYCLES)

    assert before == listing()


def whole_journal(folder: Path) -> Path:
    """Write the small whole run, and return the path of its last file."""
    write_run(folder, whole_run())
    return max(folder.glob("*.ilj"))


def test_a_torn_tail_is_left_out(tmp_path: Path) -> None:
    """Bytes after the last durable record are no record, and no fault."""
    last = whole_journal(tmp_path)
    with last.open("ab") as stream:
        stream.write(b"\x10\x00\x00\x00half")

    assert [0, 1, 2, 3, 4, 5] == [record.seq for record in JournalIndex(tmp_path).records_from(0)]


def test_a_record_that_is_still_being_appended_is_seen_once_it_is_whole(tmp_path: Path) -> None:
    """A run that lives is read up to its last whole record, each time anew."""
    pairs = whole_run()
    with FileJournal.create(tmp_path) as journal:
        counts: list[int] = []
        for decided, aside in pairs:
            journal.append(decided, aside)
            journal.sync()
            counts.append(JournalIndex(tmp_path).number_where(lambda _: False))

    assert [1, 2, 3, 4, 5, 6] == counts


def test_a_changed_byte_in_what_is_read_is_told(tmp_path: Path) -> None:
    """A record that was changed on disk is not explained, and the refusal names the record."""
    last = whole_journal(tmp_path)
    raw = bytearray(last.read_bytes())
    raw[frame_offsets(bytes(raw))[1] + 40] ^= 1
    last.write_bytes(raw)

    with pytest.raises(JournalError, match="Record 4 of the journal in .* cannot be trusted"):
        JournalIndex(tmp_path).record(4)


def test_a_lost_synced_tail_is_told(tmp_path: Path) -> None:
    """A journal that ends before its head file says so is not taken for the whole."""
    last = whole_journal(tmp_path)
    raw = last.read_bytes()
    last.write_bytes(raw[: frame_offsets(raw)[-2]])
    index = JournalIndex(tmp_path)

    with pytest.raises(JournalError, match="6 records were durable"):
        list(index.records_from(0))
    with pytest.raises(JournalError, match="6 were durable"):
        list(index.records_holding("000001-001", 1))


def test_a_record_of_another_history_is_told(tmp_path: Path) -> None:
    """A whole frame of another run in the place of one of this is found by the chain."""
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder, limit_px in ((mine, 170_010_000), (other, 170_020_000)):
        folder.mkdir()
        pairs = [boot(), cycle(1, decisions=(decision("000001-001", limit_px=limit_px),)), cycle(2), stop(2)]
        write_run(folder, pairs)
    name = max(mine.glob("*.ilj")).name
    kept, foreign = (mine / name).read_bytes(), (other / name).read_bytes()
    cut = frame_offsets(kept)[1]
    (mine / name).write_bytes(kept[:cut] + foreign[frame_offsets(foreign)[1] :])

    with pytest.raises(JournalError, match="does not follow from the one before it"):
        list(JournalIndex(mine).records_from(1))


@pytest.mark.parametrize("left", [0, 10, HEADER_BYTES])
def test_a_file_that_holds_no_record_yet_is_no_fault(tmp_path: Path, left: int) -> None:
    """A kill just after a new file was made leaves it empty or with its header only."""
    write_run(tmp_path, [boot(), cycle(1)])
    (tmp_path / "0003-2013-10-08.ilj").write_bytes(bytes(left))

    assert [0, 1] == [record.seq for record in JournalIndex(tmp_path).records_from(0)]
    assert 2 == JournalIndex(tmp_path).number_where(seen_after(START_NS + 10 * SECOND_NS))


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    """A missing folder is refused in words."""
    with pytest.raises(JournalError, match="cannot be read"):
        JournalIndex(tmp_path / "none")


def test_a_folder_without_a_journal_has_no_first_record(tmp_path: Path) -> None:
    """A folder without a journal file has no record to show."""
    with pytest.raises(JournalError, match="Record 0 .* it is not there"):
        JournalIndex(tmp_path).record(0)


def test_a_record_past_the_end_is_not_there(run_dir: Path) -> None:
    """A number that no record has is refused."""
    with pytest.raises(JournalError, match="it is not there"):
        JournalIndex(run_dir).record(CYCLES + 2)


def test_the_durable_count_is_that_of_the_head_file(run_dir: Path, walked: list[Record]) -> None:
    """What the head file promises is known without reading a record."""
    assert len(walked) == JournalIndex(run_dir).durable


@pytest.mark.parametrize("is_from", [seen_after(0), state_past(0)], ids=["seen", "state"])
def test_a_record_of_an_unknown_form_is_a_sentence(is_from: IsFrom) -> None:
    """A frame that this build cannot read is told as such, by every question."""
    with pytest.raises(JournalError, match="Record 7 is not of a form that this build reads"):
        is_from(Frame(seq=7, decided=b"\x80", aside=b"", chain=START))


def test_a_record_that_was_taken_out_is_told(tmp_path: Path) -> None:
    """Where a whole record is missing between two, the one that stands in its place is named."""
    write_run(tmp_path, [boot(), *(cycle(number) for number in range(1, 5))])
    last = max(tmp_path.glob("*.ilj"))
    raw = last.read_bytes()
    offsets = frame_offsets(raw)
    last.write_bytes(raw[: offsets[1]] + raw[offsets[2] :])

    with pytest.raises(JournalError, match="Record 2 .* record 3 stands in its place"):
        list(JournalIndex(tmp_path).records_from(1))


def test_a_whole_frame_of_an_unknown_content_is_told(tmp_path: Path) -> None:
    """A frame whose content is of no record is refused by its number."""
    write_run(tmp_path, [boot()])
    payload = pack_frame(Frame(seq=1, decided=b"\x80", aside=b"\x80", chain=START))
    with max(tmp_path.glob("*.ilj")).open("ab") as stream:
        stream.write(payload)

    with pytest.raises(JournalError, match="Record 1 .* not of a form that this build reads"):
        list(JournalIndex(tmp_path).records_holding("", 1))


def test_a_file_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    """A folder in the place of a journal file is told, by every way of looking."""
    (tmp_path / "0001-boot.ilj").mkdir()
    index = JournalIndex(tmp_path)

    with pytest.raises(JournalError, match="cannot be read"):
        index.record(0)
    with pytest.raises(JournalError, match="cannot be read"):
        list(index.records_holding("000001-001", 1))
