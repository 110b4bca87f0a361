"""The journal's reader: each way in which a journal can be cut, changed or exchanged, and what is made of it."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import msgspec
import pytest
from tests.journal_factory import (
    MONDAY,
    TUESDAY,
    boot,
    cycle,
    frame_offsets,
    read,
    small_run,
    stop,
    whole_run,
    write_run,
)

from interlock.model.errors import JournalError
from interlock.shell.journal import FileJournal
from interlock.shell.journal_format import (
    HEAD_NAME,
    HEADER_BYTES,
    PREFIX_BYTES,
    SLOT_BYTES,
    chained,
    find_frame,
    pack_frame,
    unpack_mark,
    unpack_payload,
)
from interlock.shell.journal_reader import EndingKind, JournalReader, require_trusted

SMALL = 3


def test_truncation_at_every_byte_is_a_lost_tail_once_all_was_synced(tmp_path: Path) -> None:
    """Cut a synced journal anywhere: the reader yields the whole records before the cut, and refuses the rest."""
    path = small_run(tmp_path / "run")
    raw = path.read_bytes()
    offsets = frame_offsets(raw)
    wrong = []
    for size in range(len(raw)):
        path.write_bytes(raw[:size])
        records, ending = read(tmp_path / "run")
        whole = sum(1 for offset in offsets[1:] if offset <= size)
        if (whole, EndingKind.TAIL_LOST) != (len(records), ending.kind):
            wrong.append((size, len(records), ending))

    assert [] == wrong


def test_truncation_beyond_the_last_sync_is_torn_and_told(tmp_path: Path) -> None:
    """Cut what no sync had promised: the prefix holds everything synced, and the rest is counted in bytes."""
    path = small_run(tmp_path / "run", sync_after=1)
    raw = path.read_bytes()
    offsets = frame_offsets(raw)
    wrong = []
    for size in range(offsets[1], len(raw)):
        path.write_bytes(raw[:size])
        records, ending = read(tmp_path / "run")
        last_whole = max(offset for offset in offsets if offset <= size)
        kind = EndingKind.WHOLE if size == last_whole else EndingKind.TORN
        if (kind, size - last_whole, offsets.index(last_whole)) != (ending.kind, ending.torn_bytes, len(records)):
            wrong.append((size, len(records), ending))

    assert [] == wrong


def test_no_single_bit_flip_of_a_synced_journal_goes_undetected(tmp_path: Path) -> None:
    """Flip each bit of the journal file, one at a time: none is trusted."""
    path = small_run(tmp_path / "run")
    raw = bytearray(path.read_bytes())
    undetected = []
    for bit in range(8 * len(raw)):
        raw[bit // 8] ^= 1 << bit % 8
        path.write_bytes(raw)
        _, ending = read(tmp_path / "run")
        if ending.is_trusted:
            undetected.append(bit)
        raw[bit // 8] ^= 1 << bit % 8

    assert [] == undetected


def test_a_bit_flip_beyond_the_last_sync_is_damage_or_cuts_the_torn_tail(tmp_path: Path) -> None:
    """What was synced is never touched by a flip after it, and no changed record is ever yielded."""
    path = small_run(tmp_path / "run", sync_after=1)
    raw = bytearray(path.read_bytes())
    originals, _ = read(tmp_path / "run")
    last = frame_offsets(bytes(raw))[-2]
    wrong = []
    for bit in range(8 * frame_offsets(bytes(raw))[1], 8 * len(raw)):
        raw[bit // 8] ^= 1 << bit % 8
        path.write_bytes(raw)
        records, ending = read(tmp_path / "run")
        expected = EndingKind.TORN if bit // 8 >= last else EndingKind.DAMAGED
        if originals[: len(records)] != records or len(records) < 1 or ending.kind is not expected:
            wrong.append((bit, len(records), ending))
        raw[bit // 8] ^= 1 << bit % 8

    assert [] == wrong


def test_each_bit_of_a_slot_of_the_head_file_is_covered(tmp_path: Path) -> None:
    """Flip each bit of a slot: it is never read as another word."""
    small_run(tmp_path / "run")
    raw = bytearray((tmp_path / "run" / HEAD_NAME).read_bytes()[:SLOT_BYTES])
    undetected = []
    for bit in range(8 * SLOT_BYTES):
        raw[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(ValueError):
            undetected.append((bit, unpack_mark(bytes(raw))))
        raw[bit // 8] ^= 1 << bit % 8

    assert [] == undetected


def test_a_torn_slot_leaves_the_other_and_is_told(tmp_path: Path) -> None:
    """The journal stays trusted by the slot that is whole, and a note says that one is not."""
    small_run(tmp_path / "run")
    path = tmp_path / "run" / HEAD_NAME
    path.write_bytes(b"\0" * SLOT_BYTES + path.read_bytes()[SLOT_BYTES:])
    _, ending = read(tmp_path / "run")

    assert (EndingKind.WHOLE, 1) == (ending.kind, len(ending.notes))


@pytest.mark.parametrize("left", [b"", b"\0" * 8192, None])
def test_without_a_head_file_nothing_is_trusted(tmp_path: Path, left: bytes | None) -> None:
    """Absent, empty or wiped: a lost tail could not be noticed, so the answer is no."""
    small_run(tmp_path / "run")
    (tmp_path / "run" / HEAD_NAME).unlink()
    if left is not None:
        (tmp_path / "run" / HEAD_NAME).write_bytes(left)
    records, ending = read(tmp_path / "run")

    assert (SMALL, EndingKind.DAMAGED) == (len(records), ending.kind)


def rearranged(raw: bytes, order: list[int]) -> bytes:
    """Return the file with its frames in another order."""
    offsets = frame_offsets(raw)
    return raw[:HEADER_BYTES] + b"".join(raw[offsets[each] : offsets[each + 1]] for each in order)


@pytest.mark.parametrize("order", [[0, 2, 1], [1, 0, 2], [0, 2], [1, 2], [0, 0, 1, 2], [0, 1, 1, 2], [0, 1, 2, 2], []])
def test_swapped_deleted_and_inserted_frames_are_refused(tmp_path: Path, order: list[int]) -> None:
    """Whole frames in any order but their own are not a history."""
    path = small_run(tmp_path / "run")
    path.write_bytes(rearranged(path.read_bytes(), order))
    _, ending = read(tmp_path / "run")

    assert not ending.is_trusted


def test_a_frame_made_by_hand_needs_the_right_chain(tmp_path: Path) -> None:
    """A frame with a right checksum and number, and changed content under the old hash, is refused."""
    path = small_run(tmp_path / "run")
    raw = path.read_bytes()
    offsets = frame_offsets(raw)
    last = unpack_payload(raw[offsets[2] + PREFIX_BYTES :])
    forged = msgspec.structs.replace(last, decided=last.decided.replace(b"cycles", b"CYCLES"))
    path.write_bytes(raw[: offsets[2]] + pack_frame(forged))
    _, ending = read(tmp_path / "run")

    assert (EndingKind.DAMAGED, True) == (ending.kind, "chain hash" in ending.reason)


def test_a_frame_with_another_number_is_refused_though_its_chain_is_right(tmp_path: Path) -> None:
    """The hashes cover what a record says, so its number is checked by counting."""
    path = small_run(tmp_path / "run")
    raw = path.read_bytes()
    last_offset = frame_offsets(raw)[2]
    last = unpack_payload(raw[last_offset + PREFIX_BYTES :])
    path.write_bytes(raw[:last_offset] + pack_frame(msgspec.structs.replace(last, seq=7)))
    _, ending = read(tmp_path / "run")

    assert (EndingKind.DAMAGED, "record 7 stands where record 2 must be") == (ending.kind, ending.reason)


def test_a_rewritten_last_record_is_not_the_one_that_the_head_file_knows(tmp_path: Path) -> None:
    """Content, hash and checksum all made anew still differ from what was synced."""
    path = small_run(tmp_path / "run")
    raw = path.read_bytes()
    offsets = frame_offsets(raw)
    before = unpack_payload(raw[offsets[1] + PREFIX_BYTES : offsets[2]])
    last = unpack_payload(raw[offsets[2] + PREFIX_BYTES :])
    decided = last.decided.replace(b"cycles", b"CYCLES")
    chain = chained(before.chain, decided=decided, aside=last.aside)
    path.write_bytes(raw[: offsets[2]] + pack_frame(msgspec.structs.replace(last, decided=decided, chain=chain)))
    _, ending = read(tmp_path / "run")

    assert (EndingKind.DAMAGED, True) == (ending.kind, "not of one history" in ending.reason)


def test_an_older_copy_under_a_newer_head_file_is_refused(tmp_path: Path) -> None:
    """A restored backup ends, cleanly, before what the head file says was durable."""
    run_dir = tmp_path / "run"
    with FileJournal.create(run_dir) as journal:
        for pair in whole_run()[:3]:
            journal.append(*pair)
        journal.sync()
        shutil.copytree(run_dir, tmp_path / "backup")
        for pair in whole_run()[3:]:
            journal.append(*pair)
        journal.sync()
    for path in run_dir.glob("*.ilj"):
        path.unlink()
    for path in (tmp_path / "backup").glob("*.ilj"):
        shutil.copy(path, run_dir)
    records, ending = read(run_dir)

    assert (3, EndingKind.TAIL_LOST) == (len(records), ending.kind)


@pytest.mark.parametrize("name", ["0001-boot.ilj", f"0002-{MONDAY}.ilj", f"0003-{TUESDAY}.ilj"])
def test_a_file_that_is_gone_is_noticed(tmp_path: Path, name: str) -> None:
    """The first, the middle and the last file: none can be missing in silence."""
    write_run(tmp_path / "run", whole_run())
    (tmp_path / "run" / name).unlink()
    _, ending = read(tmp_path / "run")

    assert not ending.is_trusted


def test_a_tear_in_a_file_that_others_follow_is_damage(tmp_path: Path) -> None:
    """Only the last file may end torn."""
    write_run(tmp_path / "run", whole_run(), sync_after=1)
    path = tmp_path / "run" / f"0002-{MONDAY}.ilj"
    path.write_bytes(path.read_bytes()[:-1])
    _, ending = read(tmp_path / "run")

    assert (EndingKind.DAMAGED, True) == (ending.kind, "more files come after it" in ending.reason)


def test_a_file_of_another_run_is_refused(tmp_path: Path) -> None:
    """A file's header names the records and the chain before it, so a stranger's file does not fit."""
    write_run(tmp_path / "run", whole_run())
    write_run(tmp_path / "other", [boot(), cycle(1, trading_date=TUESDAY), cycle(2), stop(2)])
    shutil.copy(tmp_path / "other" / f"0002-{TUESDAY}.ilj", tmp_path / "run" / f"0002-{MONDAY}.ilj")
    _, ending = read(tmp_path / "run")

    assert EndingKind.DAMAGED is ending.kind


def test_a_stray_journal_file_is_refused(tmp_path: Path) -> None:
    """A copy with a name of its own is not read as part of the run, and not passed over either."""
    write_run(tmp_path / "run", whole_run())
    shutil.copy(tmp_path / "run" / "0001-boot.ilj", tmp_path / "run" / "copy.ilj")
    _, ending = read(tmp_path / "run")

    assert EndingKind.DAMAGED is ending.kind


def test_a_tail_of_zeros_is_torn(tmp_path: Path) -> None:
    """What a power loss leaves where the length was kept and the bytes were not."""
    path = small_run(tmp_path / "run")
    path.write_bytes(path.read_bytes() + bytes(5000))
    records, ending = read(tmp_path / "run")

    assert (SMALL, EndingKind.TORN, 5000) == (len(records), ending.kind, ending.torn_bytes)


def test_a_frame_that_became_whole_while_it_was_read_is_no_damage(tmp_path: Path) -> None:
    """Reading a live run: the search for later frames counts only what begins after the torn one."""
    raw = small_run(tmp_path / "run").read_bytes()
    offsets = frame_offsets(raw)

    assert (offsets[1], offsets[2], -1) == (
        find_frame(raw, offsets[1]),
        find_frame(raw, offsets[1] + 1),
        find_frame(raw, offsets[2] + 1),
    )


def test_a_record_of_another_schema_ends_the_reading_as_damage(tmp_path: Path) -> None:
    """Whole frames with content that this build does not know are not guessed at."""
    with FileJournal.create(tmp_path / "run") as journal:
        journal.append(*boot())
        journal.append(msgspec.Raw(b"\x01"), msgspec.Raw(b"\x01"))  # type: ignore[arg-type]
        journal.sync()
    records, ending = read(tmp_path / "run")

    assert (1, EndingKind.DAMAGED, True) == (len(records), ending.kind, "not of a form" in ending.reason)


def test_a_record_with_the_aside_of_another_kind_is_damage(tmp_path: Path) -> None:
    """A BOOT with the aside of a STOP was written by nobody."""
    with FileJournal.create(tmp_path / "run") as journal:
        journal.append(boot()[0], stop(0)[1])
        journal.sync()
    _, ending = read(tmp_path / "run")

    assert EndingKind.DAMAGED is ending.kind


def test_an_ending_is_unread_until_the_journal_was_read_to_its_end(tmp_path: Path) -> None:
    """Nothing is trusted half way."""
    small_run(tmp_path / "run")
    reader = JournalReader(tmp_path / "run")
    next(reader.records())

    assert (EndingKind.UNREAD, False) == (reader.ending.kind, reader.ending.is_trusted)


def test_a_damaged_journal_is_refused_with_file_record_and_byte(tmp_path: Path) -> None:
    """The sentence to a person says where, and that nothing was repaired."""
    path = small_run(tmp_path / "run")
    path.write_bytes(path.read_bytes()[:-1])
    reader = JournalReader(tmp_path / "run")
    list(reader.records())

    with pytest.raises(JournalError, match=r"from record 2 on \(0001-boot.ilj, byte .*Nothing was repaired"):
        require_trusted(reader)


def test_a_folder_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    """An absent run is not an empty one."""
    with pytest.raises(JournalError, match="cannot be read"):
        JournalReader(tmp_path / "absent")
