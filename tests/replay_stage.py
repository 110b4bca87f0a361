"""Runs to live again: small ones, made in this process, and records that were changed afterwards."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.scenario.stage import WIDE
from tests.spoken import spoken

from interlock.model.journal import Decided, Record
from interlock.proof.replay import Divergence, ReplayReport
from interlock.shell.journal import FileJournal
from interlock.shell.journal_reader import JournalReader

#: A number for the name of each planted module, so that Python never takes one for another.
NUMBERS = itertools.count()
STRATEGY = """
from interlock.examples import buy
from interlock.model.orders import TimeInForce
from interlock.model.signals import Proposal


class Own:
    def propose(self, view):
        symbol = view.universe[view.cycle % len(view.universe)]
        px = view.quote(symbol).ask_px
        wish = buy(symbol, qty=5, limit_px=px, time_in_force=TimeInForce.IOC, because="it is its turn")
        return Proposal(wishes=(wish,), because="it buys in turn")
"""


class Made(NamedTuple):
    """A run that was made for a test: its folder, its configuration, and the file of its strategy."""

    run_dir: Path
    config: Path
    module: Path


def config_of(*, source: str, strategy: str) -> str:
    """Return a configuration whose limits block what is not on its allow-list, and little else."""
    return (
        '[run]\ninterval = "0 s"\nstart = "ACTIVE"\n[account]\nname = "replayed"\ncash = "$1,000,000"\n'
        f'[universe]\nsymbols = ["SPY", "IBM", "AIG", "BAC"]\n[source]\n{source}\n'
        f'[[scan]]\nkind = "moving_average_cross"\nwindow = 5\n[[strategy]]\n{strategy}\n'
        f'[risk]\nsymbols = ["SPY", "IBM", "BAC"]{WIDE}'
    )


SIMULATED = 'kind = "simulated"\nseed = 7\nregime = "volatile"'


def run(
    capsys: pytest.CaptureFixture[str], folder: Path, *, text: str = STRATEGY, source: str = SIMULATED, cycles: int = 12
) -> Made:
    """Run a strategy of one's own for some cycles."""
    module = folder / f"replayed_{next(NUMBERS)}.py"
    module.write_text(text, encoding="utf-8")
    config = folder / "own.toml"
    config.write_text(config_of(source=source, strategy=f'use = "{module.stem}:Own"\nname = "own"'), encoding="utf-8")
    home = folder / f"home-{module.stem}"
    code, _, err = spoken(capsys, "run", str(config), "--cycles", str(cycles), "--log", "quiet", "--home", str(home))
    assert (0, "") == (code, err)
    forget(module)
    return Made(next((home / "runs").iterdir()), config, module)


def forget(module: Path) -> None:
    """Let Python read a module anew, as a process of its own would."""
    sys.modules.pop(module.stem, None)
    for compiled in module.parent.glob(f"__pycache__/{module.stem}.*"):
        compiled.unlink()


def rewritten(run_dir: Path, change: Callable[[Record], Decided]) -> Path:
    """Write a record anew, whole and with right hashes, but with some of its decided parts changed."""
    reader = JournalReader(run_dir)
    target = run_dir.with_name(f"{run_dir.name}-changed")
    target.mkdir()
    with FileJournal.create(target) as journal:
        for record in reader.records():
            journal.append(change(record), record.aside)
        journal.sync()
    return target


def diverged(report: ReplayReport) -> Divergence:
    """Return where a replay differed."""
    assert report.divergence is not None
    assert report.identical is False
    return report.divergence
