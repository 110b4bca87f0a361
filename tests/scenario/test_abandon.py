"""A strategy that never answers can still be left: a second Ctrl+C breaks into it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.scenario.stage import WIDE

from interlock.proof.verify import verify_run

_STRATEGY = """
from interlock.examples import buy
from interlock.model.orders import TimeInForce
from interlock.model.signals import Proposal


class Stuck:
    def propose(self, view):
        if view.position("SPY") > 0:
            print("STUCK", flush=True)
            while True:
                pass
        limit_px = view.quote("SPY").ask_px + 100_000
        wish = buy("SPY", qty=100, limit_px=limit_px, time_in_force=TimeInForce.DAY, because="it holds none")
        return Proposal(wishes=(wish,), because="it still answers")
"""
_CONFIG = """
[run]
interval = "0 s"
start = "ACTIVE"

[account]
cash = "$1,000,000"

[universe]
symbols = ["SPY"]

[source]
kind = "simulated"
seed = 7

[[strategy]]
use = "stuck:Stuck"
name = "stuck"

[risk]
symbols = ["SPY"]
"""


def test_second_interrupt_leaves_a_strategy_that_never_answers(tmp_path: Path) -> None:
    """A second Ctrl+C, two seconds after the first, closes the record, and no fill of the broken cycle is lost."""
    (tmp_path / "stuck.py").write_text(_STRATEGY, encoding="utf-8")
    (tmp_path / "stuck.toml").write_text(_CONFIG + WIDE, encoding="utf-8")
    command = [sys.executable, "-m", "interlock", "run", "stuck.toml", "--home", str(tmp_path / "home")]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = ""
        while not told.endswith("STUCK\n"):
            told += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stderr.readline()
        process.stderr.readline()
        # The process is stuck in its strategy; only time makes a repeat a second wish.
        time.sleep(2.1)
        process.send_signal(signal.SIGINT)
        told += process.stdout.read()
        code = process.wait(timeout=10)

    (run_dir,) = (tmp_path / "home" / "runs").iterdir()
    assert 0 == code
    assert "Stopped: a person gave up waiting for the cycle in progress." in told
    assert "You hold 100 SPY, UNPROTECTED; no order works" in told
    assert verify_run(run_dir).ok
