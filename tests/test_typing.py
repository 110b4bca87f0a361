"""The locks that the types hold: each wrong line is refused by two type checkers, and the honest file passes."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
TYPING = REPO / "tests" / "typing"
WRONG = tuple(sorted(TYPING.glob("must_fail_*.py")))
MARK = re.compile(r"# refused$")

Lines = frozenset[tuple[str, int]]


def marked_lines() -> Lines:
    """Return (file name, line number) of every line that must be refused."""
    return frozenset(
        (path.name, number)
        for path in WRONG
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MARK.search(line)
    )


def need(package: str) -> None:
    """Skip where a type checker is not installed."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}: run `uv sync --group full --all-extras`, then `uv run pytest` again")


def mypy_errors(*paths: Path, cache: Path) -> Lines:
    """Return the lines in which mypy, with the project's own rules, finds an error."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--no-pretty", "--cache-dir", str(cache)]
    told = subprocess.run(
        [*command, *map(str, paths)], cwd=REPO, capture_output=True, text=True, check=False, timeout=120
    )
    assert told.returncode in {0, 1}, told.stdout + told.stderr
    found = re.findall(r"^(\S+?):(\d+): error: ", told.stdout, flags=re.MULTILINE)
    return frozenset((Path(name).name, int(number)) for name, number in found)


def pyright_errors(*paths: Path, room: Path) -> Lines:
    """Return the lines in which basedpyright, with the project's own rules, finds an error."""
    rules = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["basedpyright"]
    rules |= {"include": [str(path) for path in paths], "exclude": [], "extraPaths": [str(REPO / "src")]}
    (room / "pyrightconfig.json").write_text(json.dumps(rules), encoding="utf-8")
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(room)]
    told = subprocess.run(command, cwd=room, capture_output=True, text=True, check=False, timeout=120)
    answer = json.loads(told.stdout)
    assert len(paths) == answer["summary"]["filesAnalyzed"], told.stdout
    return frozenset(
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1)
        for found in answer["generalDiagnostics"]
        if found["severity"] == "error"
    )


def test_mypy_refuses_every_marked_line_and_no_other(tmp_path: Path) -> None:
    """Each line marked as wrong is an error to mypy, and no unmarked line is."""
    need("mypy")

    assert marked_lines() == mypy_errors(*WRONG, cache=tmp_path)


def test_pyright_refuses_every_marked_line_and_no_other(tmp_path: Path) -> None:
    """Each line marked as wrong is an error to basedpyright, and no unmarked line is."""
    need("basedpyright")

    assert marked_lines() == pyright_errors(*WRONG, room=tmp_path)


def test_mypy_accepts_the_honest_file(tmp_path: Path) -> None:
    """The honest use of the words and the doors is no error to mypy."""
    need("mypy")

    assert frozenset() == mypy_errors(TYPING / "must_pass.py", cache=tmp_path)


def test_pyright_accepts_the_honest_file(tmp_path: Path) -> None:
    """The honest use of the words and the doors is no error to basedpyright."""
    need("basedpyright")

    assert frozenset() == pyright_errors(TYPING / "must_pass.py", room=tmp_path)


def test_each_wrong_file_marks_what_it_is_for() -> None:
    """No must-fail file is empty, so the two comparisons above compare something."""
    counted = {path.name: sum(name == path.name for name, _ in marked_lines()) for path in WRONG}

    assert {"must_fail_approval.py": 15, "must_fail_words.py": 10} == counted
