"""The side file: whole snapshots, kept and given back."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.spoken import spoken

from interlock.model.errors import ConfigError, JournalError
from interlock.model.market import MarketSnapshot, make_reference, make_snapshot
from interlock.proof.replay import replay_pass
from interlock.proof.verify import verify_run
from interlock.shell.side_file import SIDE_FILE, SideFile, side_snapshots
from interlock.shell.sources.simulated import SIM_START_NS, SimulatedSource

UNIVERSE = ("SPY", "IBM")
NEEDS = "needs the extra `data`: uv sync --group full --all-extras"
FIELDS = (
    *("seq", "as_of_ns", "trading_date", "universe"),
    *("bid_px", "ask_px", "last_px", "bid_qty", "ask_qty", "volume", "event_ns"),
    *("present", "halted"),
)


@pytest.fixture(autouse=True)
def _needs_arrow() -> None:
    """Skip where the extra is not installed."""
    pytest.importorskip("pyarrow", reason=NEEDS)


def seen(count: int) -> list[MarketSnapshot]:
    """Return the first snapshots of a simulated market."""
    source = SimulatedSource(universe=UNIVERSE, seed=7, step_ns=10**9, start_ns=SIM_START_NS, missing_bps=3_000)
    return [source.next() for _ in range(count)]


def kept(run_dir: Path, snapshots: list[MarketSnapshot]) -> Path:
    """Keep some snapshots in a run's folder and return the file."""
    side = SideFile(run_dir, UNIVERSE)
    for snapshot in snapshots:
        side.write(snapshot)
    side.sync()
    side.close()
    return run_dir / SIDE_FILE


def test_what_was_kept_comes_back_with_the_same_digests(tmp_path: Path) -> None:
    """Every column and flag survives, so the digest that is made anew is the one of the day."""
    snapshots = seen(5)
    kept(tmp_path, snapshots)

    assert [one.digest for one in snapshots] == [one.digest for one in side_snapshots(tmp_path)]


def bare(snapshot: MarketSnapshot) -> MarketSnapshot:
    """Return the snapshot as a source without a reference shows it."""
    return make_snapshot(**{name: getattr(snapshot, name) for name in FIELDS}, faults=snapshot.faults)


def as_it_was(run_dir: Path, snapshots: list[MarketSnapshot]) -> None:
    """Keep some snapshots as side files were written before there was a reference: none of its columns, no word."""
    pyarrow = pytest.importorskip("pyarrow", reason=NEEDS)
    pytest.importorskip("pyarrow.ipc", reason=NEEDS)
    numbers, flags = FIELDS[4:11], FIELDS[11:]
    fields = [(name, pyarrow.int64()) for name in numbers] + [(name, pyarrow.bool_()) for name in flags]
    schema = pyarrow.schema(fields, metadata={"universe": "\n".join(UNIVERSE)})
    with pyarrow.ipc.new_stream(run_dir / SIDE_FILE, schema) as stream:
        for one in snapshots:
            said = {name: str(getattr(one, name)) for name in ("seq", "as_of_ns", "trading_date", "digest")}
            batch = pyarrow.record_batch([getattr(one, name) for name in (*numbers, *flags)], schema=schema)
            stream.write_batch(batch, custom_metadata=said)


def told(snapshot: MarketSnapshot) -> tuple[str, bool, list[bytes]]:
    """Return a snapshot's digest, whether a reference was given, and the bytes of the reference's columns."""
    known = snapshot.reference
    columns = (known.close_px, known.adv_qty, known.band_low_px, known.band_high_px)
    return snapshot.digest, known.is_given, [column.tobytes() for column in columns]


def test_reference_comes_back_byte_for_byte_and_so_does_its_absence(tmp_path: Path) -> None:
    """What a day knew beforehand is kept with each snapshot; one without it comes back without it."""
    px = np.array([7, 8], dtype=np.int64)
    banded = make_reference(close_px=px, adv_qty=px * 2, band_low_px=px * 3, band_high_px=px * 4)
    first, second, third = seen(3)
    fields = {name: getattr(third, name) for name in FIELDS}
    snapshots = [first, bare(second), make_snapshot(**fields, reference=banded)]
    kept(tmp_path, snapshots)
    found = [told(one) for one in side_snapshots(tmp_path)]

    assert [told(one) for one in snapshots] == found
    assert [True, False, True] == [is_given for _, is_given, _ in found]


def test_file_from_before_there_was_a_reference_is_read(tmp_path: Path) -> None:
    """Its snapshots come back with the digests of their day, and without a reference."""
    snapshots = [bare(one) for one in seen(3)]
    as_it_was(tmp_path, snapshots)
    found = [told(one) for one in side_snapshots(tmp_path)]

    assert [told(one) for one in snapshots] == found
    assert {False} == {is_given for _, is_given, _ in found}


def test_snapshot_that_lost_its_reference_is_refused(tmp_path: Path) -> None:
    """A file that keeps no reference under a digest with one does not pass for the snapshot of the day."""
    as_it_was(tmp_path, seen(1))

    with pytest.raises(JournalError, match="does not have the digest that it was kept under"):
        list(side_snapshots(tmp_path))


def test_last_batch_that_was_never_finished_ends_the_walk(tmp_path: Path) -> None:
    """After a crash the durable snapshots are there, and the torn one is not guessed."""
    path = kept(tmp_path, seen(3))
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])

    assert 2 == len(list(side_snapshots(tmp_path)))


def test_snapshot_that_changed_on_the_disk_is_refused(tmp_path: Path) -> None:
    """No flipped bit gives back other numbers: it is refused, or the walk ends before it."""
    snapshots = seen(2)
    path = kept(tmp_path, snapshots)
    whole = path.read_bytes()
    digests = [one.digest for one in snapshots]
    wrong = []
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found = [one.digest for one in side_snapshots(tmp_path)]
        except JournalError:
            continue
        if found != digests[: len(found)]:
            wrong.append(place)

    assert [] == wrong


def test_missing_extra_is_named_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow the start is refused with the words that install it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ConfigError, match="uv sync --extra data"):
        SideFile(tmp_path, UNIVERSE)
    assert not builtins.any(tmp_path.iterdir())


def test_run_that_kept_its_market_is_lived_again_without_its_source(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What was kept stands in for a market that cannot be made again; a damaged copy of it is found."""
    data = tmp_path / "quotes.csv"
    rows = "".join(f"2013-10-07T14:30:{second:02d}Z,SPY,100.{second:02d},100.{second + 2:02d}\n" for second in range(9))
    data.write_text(f"when,what,bid,ask\n{rows}2013-10-07T14:30:09Z,SPY,-1,1\n", encoding="utf-8")
    config = tmp_path / "kept.toml"
    config.write_text(_CONFIG, encoding="utf-8")
    words = ("run", str(config), "--interval", "0", "--record-data", "--home", str(tmp_path / "home"))
    assert 0 == spoken(capsys, *words)[0]
    (run_dir,) = (tmp_path / "home" / "runs").iterdir()
    data.unlink()
    again = replay_pass(run_dir)
    path = run_dir / SIDE_FILE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    assert (True, verify_run(run_dir).head) == (again.identical, again.head)
    assert False is replay_pass(run_dir).identical


_CONFIG = """
[run]
start = "ACTIVE"

[universe]
symbols = ["SPY"]

[source]
kind = "csv"
path = "quotes.csv"
rows = "quotes"
columns = { time = "when", symbol = "what", bid = "bid", ask = "ask" }

[[scan]]
kind = "gap"
min_move = "0.01 %"

[[strategy]]
use = "interlock.examples:RoundTrip"
name = "turns"
settings = { qty = 10 }
"""
