"""Configurations that scenarios write, and small programs that play the part of a hostile machine around `main`."""

from __future__ import annotations

import sys

from tests.scenario.stage import CONFIGS, WIDE, Room

#: Limits that stand in no scenario's way.
_RISK = f"""
[risk]
symbols = ["SPY", "IBM", "AIG", "BAC"]
{WIDE}"""


def written(  # noqa: PLR0913 - the parts of a configuration that scenarios vary
    room: Room, *, strategy: str, settings: str, mode: str = "SIM", step: str = "1 s", interval: str = ""
) -> str:
    """Write a configuration into a room, with the scenarios' own strategies beside it, and return its path.

    Args:
        room: where to.
        strategy: a class of `configs/idle_hands.py`.
        settings: what it is built with, as TOML.
        mode: SIM or PAPER; a SIM run starts ACTIVE.
        step: the market time of one cycle.
        interval: the pace, "" for what the mode gives.
    """
    (room.path / "idle_hands.py").write_text((CONFIGS / "idle_hands.py").read_text(encoding="utf-8"), encoding="utf-8")
    path = room.path / f"{strategy.lower()}-{mode.lower()}.toml"
    pace = f'interval = "{interval}"\n' if interval else ""
    start = 'start = "ACTIVE"\n' if mode == "SIM" else ""
    path.write_text(
        f'mode = "{mode}"\n[run]\n{pace}{start}[account]\nname = "stage"\ncash = "$1,000,000"\n'
        f'[universe]\nsymbols = ["SPY", "IBM", "AIG", "BAC"]\n'
        f'[source]\nkind = "simulated"\nseed = 7\nstep = "{step}"\n'
        f'[[strategy]]\nuse = "idle_hands:{strategy}"\nname = "idle"\nsettings = {settings}\n{_RISK}',
        encoding="utf-8",
    )
    return str(path)


def around_main(before: str, after: str = "") -> tuple[str, ...]:
    """Return how to start Interlock's command line in a Python of its own, with code before and after it."""
    lines = (
        "import os, sys",
        before,
        "from interlock.cli import main",
        "code = main(sys.argv[1:])",
        after,
        "sys.exit(code)",
    )
    return (sys.executable, "-c", "\n".join(lines))
