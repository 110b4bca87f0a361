"""What a line of words says, for the tests of the command line."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.cli import main

#: What `tests.fake_run` owns while it lives.
FIRST_LINE = "You hold 200 IBM ($36,240.00), UNPROTECTED"
Start = Callable[[Path, str], "subprocess.Popen[str]"]


def spoken(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str], str]:
    """Return exit code, the lines of stdout, and stderr of a line of words."""
    code = main(words)
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err
