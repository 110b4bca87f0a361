"""A skip is honest: where everything is installed, only a named reason may skip a test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("reason", "skips", "code"),
    [
        ("needs mypy: run `uv sync`", "named", 1),
        ("needs mypy: run `uv sync`", "", 0),
        ("needs the market data of ../shared/data/lean", "named", 0),
        ("needs the privilege to make a network namespace", "named", 0),
    ],
)
def test_skip_fails_the_run_unless_its_reason_is_named(tmp_path: Path, reason: str, skips: str, code: int) -> None:
    """With INTERLOCK_SKIPS=named a run fails for a skip, unless it is for ../shared or for a privilege."""
    shutil.copy(REPO / "tests" / "conftest.py", tmp_path / "conftest.py")
    (tmp_path / "test_one.py").write_text(
        f"import pytest\n\n\ndef test_one() -> None:\n    pytest.skip({reason!r})\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]

    told = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"INTERLOCK_SKIPS": skips, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert code == told.returncode, told.stdout
