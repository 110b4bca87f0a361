"""The journal's writer: what it writes, what is durable when, and that a failure is for good."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import stat
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.journal_factory import (
    MONDAY,
    TUESDAY,
    boot,
    cycle,
    read,
    small_run,
    stop,
    whole_run,
    write_run,
)

from interlock.model.errors import InvariantError, JournalError
from interlock.model.journal import Record
from interlock.shell.journal import Disk, FileJournal
from interlock.shell.journal_format import (
    FRAME_BYTES_MAX,
    HEAD_NAME,
    PREFIX_BYTES,
    START,
    Frame,
    chained,
    file_name,
    pack_frame,
)
from interlock.shell.journal_reader import EndingKind, JournalReader

TESTS = Path(__file__).parents[1]


def test_what_was_appended_is_read_back_record_for_record(tmp_path: Path) -> None:
    """A reader yields the very records that were appended, numbered from 0, and the same head."""
    pairs = whole_run()
    head = write_run(tmp_path / "run", pairs)
    reader = JournalReader(tmp_path / "run")
    records = list(reader.records())

    assert [Record(seq=seq, decided=d, aside=a) for seq, (d, a) in enumerate(pairs)] == records
    assert (EndingKind.WHOLE, (), 6, head) == (reader.ending.kind, reader.ending.notes, reader.count, reader.head)


def test_a_new_market_date_begins_a_new_file_and_the_names_tell_the_order(tmp_path: Path) -> None:
    """BOOT is in a file of its own, then there is one file a market date, and STOP stays in the last."""
    write_run(tmp_path / "run", whole_run())
    names = sorted(path.name for path in (tmp_path / "run").iterdir())

    assert ["0001-boot.ilj", f"0002-{MONDAY}.ilj", f"0003-{TUESDAY}.ilj", HEAD_NAME] == names


def test_files_and_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    """The folder is 0700 and each file in it 0600."""
    write_run(tmp_path / "run", whole_run())
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "run").iterdir()}

    assert ({0o600}, 0o700) == (modes, stat.S_IMODE((tmp_path / "run").stat().st_mode))


def test_the_aside_has_no_part_in_the_head(tmp_path: Path) -> None:
    """Two runs that decided the same have the same head, whatever their asides say."""
    one = write_run(tmp_path / "one", [boot(run_id="one"), stop(0)])
    other = write_run(tmp_path / "other", [boot(run_id="other"), stop(0)])

    assert one == other


def test_another_decision_makes_another_head(tmp_path: Path) -> None:
    """A head is that of its decided parts: one digit elsewhere, another head."""
    one = write_run(tmp_path / "one", [boot(), stop(0)])
    other = write_run(tmp_path / "other", [boot(), stop(0, exit_code=3)])

    assert one != other


def test_the_chain_is_the_documented_hash() -> None:
    """The head is SHA-256 over the head before and the decided bytes; the aside's over its own, the head, its bytes."""
    after = chained(START, decided=b"decided", aside=b"aside")

    assert "9e802823e44831f0ca6a287b6b447ed20d40c0c76b0728d8436d47eb4330f494" == after.head.hex()
    assert "b240d4b348ae083acef26bd168a9653d2538260a1e822314ce90560c77aa1b99" == after.aside.hex()


def test_the_bytes_are_those_of_the_book(tmp_path: Path) -> None:
    """The file header, the first frame and the head file, read by the offsets that docs/journal.md gives."""
    raw = small_run(tmp_path / "run").read_bytes()
    mark = (tmp_path / "run" / HEAD_NAME).read_bytes()[:4096]
    length, crc = struct.unpack_from("<II", raw, 92)
    seq, decided, aside, head, aside_hash = msgspec.msgpack.decode(raw[100 : 100 + length])

    assert (b"\x89ILJ\r\n\x1a\n", 1, 0, 1, 0, bytes(64)) == struct.unpack_from("<8sHHIQ64s", raw)
    assert struct.unpack_from("<I", raw, 88) == (zlib.crc32(raw[:88]),)
    assert (0, "BOOT", crc) == (seq, msgspec.msgpack.decode(decided)["type"], zlib.crc32(raw[100 : 100 + length]))
    assert hashlib.sha256(bytes(32) + decided).digest() == head
    assert hashlib.sha256(bytes(32) + head + aside).digest() == aside_hash
    assert (b"\x89ILH\r\n\x1a\n", 1, 0, 1, 3, len(raw)) == struct.unpack_from("<8sHHIQ8xQ", mark)
    assert struct.unpack_from("<I", mark, 4092) == (zlib.crc32(mark[:4092]),)


def test_a_run_folder_that_holds_a_journal_is_refused(tmp_path: Path) -> None:
    """No journal is opened twice: a second one in the same folder is an error, and the first stays as it is."""
    write_run(tmp_path / "run", [boot()])
    before = (tmp_path / "run" / "0001-boot.ilj").read_bytes()

    with pytest.raises(JournalError, match="cannot be begun"):
        FileJournal.create(tmp_path / "run")
    assert before == (tmp_path / "run" / "0001-boot.ilj").read_bytes()


def test_a_run_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """A link could lead anywhere, so no journal begins behind one."""
    (tmp_path / "real").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "real")

    with pytest.raises(JournalError, match="cannot be begun"):
        FileJournal.create(tmp_path / "run")


def test_a_folder_without_a_parent_is_told_in_a_sentence(tmp_path: Path) -> None:
    """Where the journal cannot be made, the error says that nothing was started."""
    with pytest.raises(JournalError, match="Nothing was started and nothing was sent"):
        FileJournal.create(tmp_path / "absent" / "run")


def test_one_write_a_record_and_no_sync_before_it_is_asked_for(tmp_path: Path) -> None:
    """An append is one write and nothing else; the loop decides when to sync."""
    writes: list[int] = []
    syncs: list[int] = []

    def counted_write(fd: int, payload: bytes) -> int:
        writes.append(fd)
        return os.write(fd, payload)

    def counted_sync(fd: int) -> None:
        syncs.append(fd)
        os.fdatasync(fd)

    with FileJournal.create(tmp_path / "run", disk=Disk(write=counted_write, sync=counted_sync)) as journal:
        begun = (len(writes), len(syncs))
        for pair in (boot(), stop(0)):
            journal.append(*pair)
        appended = (len(writes) - begun[0], len(syncs) - begun[1])
        journal.sync()
        journal.sync()

    assert ((2, 0), 2) == (appended, len(syncs) - begun[1])


def test_records_are_durable_only_after_a_sync(tmp_path: Path) -> None:
    """`synced_records` counts what a sync has covered."""
    with FileJournal.create(tmp_path / "run") as journal:
        journal.append(*boot())
        before = journal.synced_records
        journal.sync()
        after = journal.synced_records

    assert (0, 1) == (before, after)


def test_the_head_file_is_written_after_the_records_are_durable(tmp_path: Path) -> None:
    """The order of a sync: the records, then the head file, then the head file's own sync."""
    calls: list[str] = []
    names: dict[int, str] = {}

    def name_of(fd: int) -> str:
        return names.setdefault(fd, Path(f"/proc/self/fd/{fd}").readlink().name)

    def told_write_at(fd: int, payload: bytes, offset: int) -> int:
        calls.append(f"write {name_of(fd)}")
        return os.pwrite(fd, payload, offset)

    def told_sync(fd: int) -> None:
        calls.append(f"sync {name_of(fd)}")
        os.fdatasync(fd)

    with FileJournal.create(tmp_path / "run", disk=Disk(write_at=told_write_at, sync=told_sync)) as journal:
        calls.clear()
        names.clear()
        journal.append(*boot())
        journal.sync()

    assert ["sync 0001-boot.ilj", "write HEAD", "sync HEAD"] == calls


def test_an_old_file_is_durable_before_a_new_one_begins(tmp_path: Path) -> None:
    """A change of date syncs first, so that a tear can only ever be in the last file."""
    with FileJournal.create(tmp_path / "run") as journal:
        journal.append(*boot())
        journal.append(*cycle(1))
        synced = journal.synced_records

    assert 1 == synced


def test_a_short_write_is_completed(tmp_path: Path) -> None:
    """A disk that takes seven bytes at a time still gets whole frames."""
    disk = Disk(write=lambda fd, payload: os.write(fd, payload[:7]))
    with FileJournal.create(tmp_path / "run", disk=disk) as journal:
        for pair in whole_run():
            journal.append(*pair)
        journal.sync()
    records, ending = read(tmp_path / "run")

    assert (6, EndingKind.WHOLE) == (len(records), ending.kind)


def failing(errors: list[OSError]) -> Callable[[int], None]:
    """Return a sync that raises what is put into `errors`, once, and works before and after."""

    def sync(fd: int) -> None:
        if errors:
            raise errors.pop()
        os.fdatasync(fd)

    return sync


def test_a_failed_sync_is_terminal_though_the_disk_would_work_again(tmp_path: Path) -> None:
    """After one failed sync each append and sync raises: pages that failed are marked clean, a retry would lie."""
    errors: list[OSError] = []
    with FileJournal.create(tmp_path / "run", disk=Disk(sync=failing(errors))) as journal:
        journal.append(*boot())
        errors.append(OSError(5, "Input/output error"))
        with pytest.raises(JournalError, match="could not be made durable"):
            journal.sync()
        with pytest.raises(JournalError, match="takes no more records"):
            journal.sync()
        with pytest.raises(JournalError, match="takes no more records"):
            journal.append(*stop(0))
        synced = journal.synced_records

    assert (0, []) == (synced, errors)


@pytest.mark.parametrize("written", [0, 100])
def test_a_head_file_that_cannot_be_written_is_terminal(tmp_path: Path, written: int) -> None:
    """A sync whose word does not reach the head file is no sync."""
    with FileJournal.create(tmp_path / "run", disk=Disk(write_at=lambda *_: written)) as journal:
        journal.append(*boot())
        with pytest.raises(JournalError, match="HEAD took"):
            journal.sync()
        with pytest.raises(JournalError, match="takes no more records"):
            journal.append(*stop(0))
        synced = journal.synced_records

    assert 0 == synced


def test_a_failed_write_is_terminal(tmp_path: Path) -> None:
    """After one failed write nothing is appended any more, and the reader leaves the torn part out."""
    budget = [10**6]

    def write(fd: int, payload: bytes) -> int:
        taken = os.write(fd, payload[: budget[0]])
        budget[0] -= taken
        return taken

    with FileJournal.create(tmp_path / "run", disk=Disk(write=write)) as journal:
        journal.append(*boot())
        journal.sync()
        budget[0] = 50
        with pytest.raises(JournalError, match="the disk took 50 of"):
            journal.append(*stop(0))
        budget[0] = 10**6
        with pytest.raises(JournalError, match="takes no more records"):
            journal.append(*stop(0))
    records, ending = read(tmp_path / "run")

    assert (1, EndingKind.TORN, 50) == (len(records), ending.kind, ending.torn_bytes)


def test_a_file_size_limit_is_terminal_and_told(tmp_path: Path) -> None:
    """The real thing: a limit of the system gives a short write and then an error, and the journal is dead."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with FileJournal.create(tmp_path / "run") as journal:
        journal.append(*boot())
        journal.sync()
        size = (tmp_path / "run" / "0001-boot.ilj").stat().st_size
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
            with pytest.raises(JournalError, match="File too large"):
                journal.append(*stop(0))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        with pytest.raises(JournalError, match="takes no more records"):
            journal.sync()
    records, ending = read(tmp_path / "run")

    assert (1, EndingKind.TORN, 50) == (len(records), ending.kind, ending.torn_bytes)


def test_a_file_that_cannot_be_begun_is_terminal(tmp_path: Path) -> None:
    """A change of date whose file exists already ends the journal rather than write into another's."""
    with FileJournal.create(tmp_path / "run") as journal:
        journal.append(*boot())
        (tmp_path / "run" / file_name(2, MONDAY)).write_bytes(b"")
        with pytest.raises(JournalError, match=f"the file for {MONDAY} could not be begun"):
            journal.append(*cycle(1))
        with pytest.raises(JournalError, match="takes no more records"):
            journal.append(*cycle(1))


def test_a_record_that_has_no_bytes_is_refused_before_it_is_written(tmp_path: Path) -> None:
    """A number beyond 64 bits is refused whole; the file keeps what it had."""
    decided, aside = stop(2**70)
    with FileJournal.create(tmp_path / "run") as journal:
        journal.append(*boot())
        with pytest.raises(JournalError, match="cannot be put into bytes"):
            journal.append(decided, aside)
    records, ending = read(tmp_path / "run")

    assert (1, EndingKind.WHOLE) == (len(records), ending.kind)


def test_a_frame_has_a_longest_length_and_one_byte_more_is_refused() -> None:
    """A payload of exactly the limit is packed; the next byte is not."""
    room = FRAME_BYTES_MAX - len(pack_frame(Frame(seq=0, decided=bytes(2**20), aside=b"", chain=START))) + 2**20 + 8
    longest = pack_frame(Frame(seq=0, decided=bytes(room), aside=b"", chain=START))

    assert FRAME_BYTES_MAX + PREFIX_BYTES == len(longest)
    with pytest.raises(ValueError, match="the most is 67,108,864"):
        pack_frame(Frame(seq=0, decided=bytes(room + 1), aside=b"", chain=START))


def test_a_trading_date_that_is_none_never_makes_a_file_name() -> None:
    """A date cannot lead out of the folder."""
    with pytest.raises(InvariantError, match="YYYY-MM-DD"):
        file_name(2, "../../etc")


def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    """Close is final, and closing twice is harmless."""
    journal = FileJournal.create(tmp_path / "run")
    journal.close()
    journal.close()

    with pytest.raises(JournalError, match="it was closed"):
        journal.append(*boot())


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.journal_factory import boot, cycle
from interlock.shell.journal import FileJournal

journal = FileJournal.create(Path(sys.argv[1]))
journal.append(*boot())
journal.sync()
for number in range(1, 10**6):
    journal.append(*cycle(number))
    if number % 7 == 0:
        journal.sync()
        print(journal.synced_records, flush=True)
"""


def test_a_killed_process_leaves_all_that_it_synced(tmp_path: Path) -> None:
    """SIGKILL in the middle of a run: the journal is read back as a prefix that holds every record that was synced."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "run"), str(TESTS)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    told = [int(child.stdout.readline()) for _ in range(5)]
    child.send_signal(signal.SIGKILL)
    told += [int(line) for line in child.stdout.read().split("\n")[:-1]]
    child.stdout.close()
    child.wait()
    records, ending = read(tmp_path / "run")

    assert (True, -signal.SIGKILL) == (ending.is_trusted, child.returncode)
    assert list(range(len(records))) == [record.seq for record in records]
    assert len(records) >= told[-1]
