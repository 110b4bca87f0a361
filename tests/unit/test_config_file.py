"""Whether the file on the disk still says what runs: the same, another, or not known, and what differs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.journal_factory import boot, cycle, write_run

from interlock.config import decision_keys, load_config
from interlock.model.journal import Boot, BootAside
from interlock.shell.config_file import compared

_FILE = """
[account]
name = "demo"
cash = "$100,000"
[universe]
symbols = ["SPY", "IBM"]
[source]
kind = "simulated"
seed = 7
[[scan]]
kind = "moving_average_cross"
window = 5
[risk]
symbols = ["SPY"]
max_order_notional = "$900"
max_order_rate = "5 / s"
"""


def ran(folder: Path, text: str = _FILE, *, decision_version: int = 0) -> Path:
    """Write a file and the first record of a run that it started, and return the run's folder."""
    path = folder / "c.toml"
    path.write_text(text, encoding="utf-8")
    first, aside = boot()
    assert isinstance(first, Boot)
    assert isinstance(aside, BootAside)
    first = msgspec.structs.replace(first, config=decision_keys(load_config(path)))
    if decision_version:
        first = msgspec.structs.replace(first, decision_version=decision_version)
    write_run(folder / "run", [(first, msgspec.structs.replace(aside, config_path=str(path)))])
    return folder / "run"


def test_a_file_that_was_not_touched_says_what_runs(tmp_path: Path) -> None:
    """What decides is compared; a comment and the pace decide nothing."""
    run_dir = ran(tmp_path)
    (tmp_path / "c.toml").write_text(_FILE.replace("[account]", '[run]\ninterval = "9 s"\n# a word\n[account]'))

    assert ("same", ()) == (compared(run_dir).state, compared(run_dir).differs)


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        ("$900", "$901", ("risk.max_order_notional",)),
        ("5 / s", "5 / min", ("risk.max_order_rate",)),
        ('symbols = ["SPY"]', 'symbols = ["IBM"]', ("risk.symbols",)),
        ("window = 5", "window = 6", ("scan",)),
        ("$100,000", "$200,000", ("account.cash",)),
        ("seed = 7", "seed = 8", ("source.seed",)),
        ("[account]", 'mode = "PAPER"\n[account]', ("mode",)),
    ],
)
def test_what_differs_is_named_as_it_is_written(
    tmp_path: Path, before: str, after: str, differs: tuple[str, ...]
) -> None:
    """Each key that decides and does not say the same is named, and when it will hold."""
    run_dir = ran(tmp_path)
    (tmp_path / "c.toml").write_text(_FILE.replace(before, after, 1))
    found = compared(run_dir)

    assert ("differs", differs) == (found.state, found.differs)
    assert f"differs from what runs, in {', '.join(differs)}" in found.words
    assert ("--seed" in found.words) == (differs == ("source.seed",))
    assert found.words.endswith("It holds from the next start.")


def test_a_long_list_is_counted(tmp_path: Path) -> None:
    """The sentence stays one; the list has all."""
    run_dir = ran(tmp_path)
    counts = "max_open_orders max_symbol_orders max_entries_day max_rejects max_repeats warm_up_quotes max_reentries"
    (tmp_path / "c.toml").write_text(_FILE + "".join(f"{name} = 1\n" for name in counts.split()))
    found = compared(run_dir)

    assert (7, True) == (len(found.differs), " and 1 more. It holds" in found.words)


@pytest.mark.parametrize("text", [None, "[risk", 'mode = "LIVE"\n'])
def test_a_file_that_cannot_be_read_is_unknown(tmp_path: Path, text: str | None) -> None:
    """Gone, broken or refused: nobody says that it is the same."""
    run_dir = ran(tmp_path)
    path = tmp_path / "c.toml"
    path.unlink() if text is None else path.write_text(text)

    assert "unknown" == compared(run_dir).state
    assert "The file cannot be read now, so whether it still says what runs is not known: " in compared(run_dir).words


def test_a_run_without_a_file_a_foreign_one_and_a_damaged_one_are_not_compared(tmp_path: Path) -> None:
    """What cannot be compared is said, and asking raises nothing."""
    write_run(tmp_path / "built-in", [boot()])
    write_run(tmp_path / "damaged", [cycle(1)])

    assert "built-in" == compared(tmp_path / "built-in").state
    assert "unknown" == compared(tmp_path / "damaged").state
    assert "Another version of Interlock started it" in compared(ran(tmp_path, decision_version=1)).words
