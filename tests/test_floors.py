"""The floors of the house: every import contract holds, and each one catches the import that it is for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
CONTRACTS = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
NAME_OF = {contract["id"]: contract["name"] for contract in CONTRACTS}
RUN = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"

#: What is planted: the contract that must break, the file, the line that is added to it.
PLANTED = (
    ("house", "attic.py", '"""A file without a floor."""'),
    ("house", "ports.py", "import interlock.examples"),
    ("house", "core/scan.py", "import interlock.shell.clocks"),
    ("house", "model/units.py", "import interlock.core.fees"),
    ("words", "model/market.py", "import interlock.model.orders"),
    ("words", "model/units.py", "import interlock.model.risk"),
    ("core", "core/blotter.py", "import interlock.core.scan"),
    ("core", "core/scan.py", "import interlock.core.step"),
    ("core", "core/conduct.py", "import interlock.core.watch"),
    ("gate", "core/risk/headroom.py", "import interlock.core.risk.limits"),
    ("gate", "core/risk/limits.py", "import interlock.core.risk.order_controls"),
    ("gate", "core/risk/facts.py", "import interlock.core.risk.table"),
    ("gate", "core/risk/engine.py", "import interlock.core.risk.proof_test"),
    ("purity", "model/market.py", "import time"),
    ("purity", "core/blotter.py", "from datetime import datetime"),
    ("purity", "core/risk/market_controls.py", "import os.path"),
    ("purity", "core/sessions.py", "import zoneinfo"),
    ("purity", "core/step.py", "import numpy.linalg, random"),
    ("purity", "examples.py", "import logging"),
    ("purity", "shell/story.py", "import os"),
    ("purity", "shell/paper.py", "import random"),
    ("network", "shell/desk.py", "import asyncio.streams"),
    ("network", "loop.py", "from socket import create_connection"),
    ("mint", "core/step.py", "import interlock.core.risk.decision"),
    ("mint", "shell/desk.py", "from interlock.core.risk.decision import decide"),
    ("joining", "cli_read.py", "import interlock.assemble"),
)


def lint(source: Path) -> tuple[int, dict[str, str]]:
    """Run the project's contracts over the package in `source`; return the exit code and each contract's word."""
    environment = os.environ | {"PYTHONPATH": str(source), "NO_COLOR": "1", "COLUMNS": "400", "TERM": "dumb"}
    told = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=source.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    words = re.findall(r"^(.+?) (KEPT|BROKEN)\b", told.stdout, flags=re.MULTILINE)
    assert words, told.stdout + told.stderr
    return told.returncode, {name.strip(): word for name, word in words}


def broken(source: Path) -> set[str]:
    """Return the names of the contracts that the package in `source` breaks; the run must fail for them."""
    code, words = lint(source)
    assert code == 1, words
    return {name for name, word in words.items() if word == "BROKEN"}


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """Return the `src` of a copy of the project in which an import may be planted."""
    shutil.copytree(REPO / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "pyproject.toml", tmp_path / "pyproject.toml")
    yield tmp_path / "src"
    shutil.rmtree(tmp_path / "src")


def test_every_contract_holds() -> None:
    """The house stands: no contract is broken, and none was left out of the run."""
    assert (0, dict.fromkeys(NAME_OF.values(), "KEPT")) == lint(REPO / "src")


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED)
def test_planted_import_breaks_its_contract_and_no_other(copy: Path, contract: str, file: str, line: str) -> None:
    """A forbidden import, planted in a copy, breaks the contract that is there for it (and at most closes a ring)."""
    planted = copy / "interlock" / file
    text = planted.read_text(encoding="utf-8") if planted.exists() else ""
    planted.write_text(f"{text}\n{line}\n", encoding="utf-8")

    assert {NAME_OF[contract]} == broken(copy) - {NAME_OF["rings"]}


def test_a_ring_inside_one_room_breaks_the_ring_contract(copy: Path) -> None:
    """Two parts of the core that import each other are caught, though their floor allows either import."""
    for one, other in (("blotter", "portfolio"), ("portfolio", "blotter")):
        with (copy / "interlock" / "core" / f"{one}.py").open("a", encoding="utf-8") as part:
            part.write(f"\nimport interlock.core.{other}\n")

    assert {NAME_OF["rings"]} == broken(copy)


def test_every_contract_has_a_planted_import() -> None:
    """A contract without a negative control is a wish: each one is broken by a test of this file."""
    assert set(NAME_OF) == {contract for contract, _, _ in PLANTED} | {"rings"}
