"""The house style of tests and of plain text: what a test says of itself, and what no committed file may hold."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]

#: Tests of real processes, which wait for one with a deadline.
SLEEPING_TESTS = tuple(f"tests/scenario/test_{name}.py" for name in ("abandon", "kill", "signals"))
MOCKS = frozenset({"mock", "unittest.mock", "pytest_mock"})

# The words are put together here, so that this file does not hold what it looks for.
FORBIDDEN_TEXT = {
    "a registry's address": re.compile(r"\b(?:pypi|python" + r"hosted|anaconda|crates)\." + r"(?:org|io)\b"),
    "an index option": re.compile(r"--(?:extra-)?index-" + r"url\b|\bindex" + r"-url ?="),
    "a path of one machine": re.compile(r"(?<![\w.])/(?:work|root)" + r"/"),
    "work that is only promised": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b"),
}
PLANTED_TEXT = (
    ("a registry's address", "https://" + "py" + "pi.org/simple"),
    ("a registry's address", "files.python" + "hosted.org"),
    ("an index option", "pip install --index" + "-url x"),
    ("a path of one machine", 'open("/wo' + 'rk/main")'),
    ("work that is only promised", "# TO" + "DO: later"),
)


def committed() -> Iterator[tuple[str, str]]:
    """Yield path and text of every file that is committed, or would be."""
    command = ["git", "-c", f"safe.directory={REPO}", "ls-files", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False, timeout=30)
    if told.returncode != 0:
        pytest.skip("needs a git checkout (this is an archive): the rule is about committed files")
    for name in told.stdout.splitlines():
        path = REPO / name
        if path.is_file():
            yield name, path.read_bytes().decode("utf-8", errors="replace")


def forbidden(kind: str, text: str) -> Iterator[str]:
    """Yield the numbers of the lines that hold what is forbidden."""
    yield from (str(n) for n, line in enumerate(text.splitlines(), start=1) if FORBIDDEN_TEXT[kind].search(line))


def sentence_faults(text: str) -> Iterator[str]:
    """Yield each test that does not say in one sentence what holds."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            words = " ".join((ast.get_docstring(node) or "").split())
            if not words.endswith((".", "!", "?")) or re.search(r"[.!?] [A-Z]", words):
                yield f"{node.lineno}: {node.name} needs a docstring of one sentence"


def waiting_faults(text: str) -> Iterator[str]:
    """Yield each sleep and each mock."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "sleep":
            yield f"{node.lineno}: sleeps; wait for what happens, or add the file to SLEEPING_TESTS"
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
        if MOCKS.intersection(modules):
            yield f"{node.lineno}: a mock; write a fake that keeps the Protocol"


def files_of_tests() -> list[Path]:
    """Return every test file."""
    return sorted((REPO / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("kind", FORBIDDEN_TEXT)
def test_no_committed_file_holds(kind: str) -> None:
    """No committed file names a registry, a path of one machine, or work that is only promised."""
    found = [f"{name}:{line}" for name, text in committed() for line in forbidden(kind, text)]

    assert [] == found, "\n".join(found)


@pytest.mark.parametrize(("kind", "text"), PLANTED_TEXT)
def test_forbidden_text_is_caught(kind: str, text: str) -> None:
    """Each kind of forbidden text is seen where it is planted."""
    assert ["2"] == list(forbidden(kind, f"one\n{text}\nthree"))


def test_every_test_says_what_holds() -> None:
    """Each test has a docstring of one sentence."""
    found = [f"{path.name}:{fault}" for path in files_of_tests() for fault in sentence_faults(path.read_text("utf-8"))]

    assert [] == found, "\n".join(found)


def test_no_test_sleeps_or_mocks() -> None:
    """Tests wait for events and use fakes."""
    files = [path for path in files_of_tests() if path.relative_to(REPO).as_posix() not in SLEEPING_TESTS]

    found = [f"{path.name}:{fault}" for path in files for fault in waiting_faults(path.read_text("utf-8"))]

    assert [] == found, "\n".join(found)


@pytest.mark.parametrize("text", ["def test_a(): ...", 'def test_a(): "No stop"', 'def test_a(): "One. Two."'])
def test_a_test_without_a_sentence_is_caught(text: str) -> None:
    """A missing docstring, half a sentence and two sentences are each caught."""
    assert 1 == len(list(sentence_faults(text)))


@pytest.mark.parametrize(
    "text", ["time.sleep(1)", "sleep(1)", "import unittest.mock", "from unittest.mock import Mock"]
)
def test_a_sleep_and_a_mock_are_caught(text: str) -> None:
    """A sleep and a mock are each caught."""
    assert 1 == len(list(waiting_faults(text)))


def test_honest_tests_pass() -> None:
    """A test with one sentence and no sleep is left alone."""
    text = 'def test_a():\n    """A stop is a stop, e.g. at $1.50."""\n    assert 1 == wait()'

    assert [] == [*sentence_faults(text), *waiting_faults(text)]
