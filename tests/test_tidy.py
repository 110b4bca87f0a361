"""The house style as a test: each rule reads the whole tree, and each rule is shown something that it must catch."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tidy_rules import (
    FILE_LINES_MAX,
    FUNCTION_LINES_MAX,
    Rule,
    Source,
    broad_except_has_named_places,
    clocks_and_chance_have_one_place,
    features_are_the_same_everywhere,
    files_are_short,
    functions_are_short,
    init_files_are_empty,
    modules_do_no_work,
    modules_hold_no_state,
    modules_open_with_their_floor,
    more_than_two_arguments_have_names,
    names_are_plain,
    package_has_no_assert,
    pure_rooms_import_what_is_listed,
    sets_are_not_iterated,
    source,
    structs_are_frozen_and_classes_are_flat,
)

REPO = Path(__file__).resolve().parents[1]
MODEL, CORE, SHELL = "src/interlock/model/planted.py", "src/interlock/core/planted.py", "src/interlock/shell/planted.py"
LONG = "\n".join(["def f():", *["    x = 1"] * FUNCTION_LINES_MAX])

#: One rule a line, with snippets that it must catch, all at the given path. A rule that cannot fail is a defect.
RULES: tuple[tuple[Rule, str, tuple[str, ...]], ...] = (
    (functions_are_short, CORE, (LONG,)),
    (files_are_short, CORE, ("x = 1\n" * (FILE_LINES_MAX + 1),)),
    (names_are_plain, CORE, ("def f(data): ...", "loss_pct = 1", "class RiskManager: ...", "self.msg = ''")),
    (modules_open_with_their_floor, CORE, ("", '"""Core.\n\nFloor 2 (world).\n"""')),
    (package_has_no_assert, SHELL, ("assert True",)),
    (
        broad_except_has_named_places,
        SHELL,
        (
            "try: f()\nexcept Exception: ...",
            "try: f()\nexcept: ...",
            "try: f()\nexcept (OSError, BaseException): ...",
            "with suppress(Exception): ...",
        ),
    ),
    (modules_hold_no_state, SHELL, ("seen = []", "seen: set[str] = set()", "A = {}\ndef f(): A['x'] = 1")),
    (modules_hold_no_state, SHELL, ("A = []\ndef f(): A.append(1)", "def f():\n    global a\n    a = 1")),
    (modules_do_no_work, SHELL, ("configure()",)),
    (
        sets_are_not_iterated,
        CORE,
        (
            "for x in {1, 2}: ...",
            "a = set(b)\nc = [x for x in a]",
            "def f(a: frozenset[str]): return ', '.join(a)",
            "def f(a: set[str]): return tuple(a)",
            "x = hash('a')",
        ),
    ),
    (pure_rooms_import_what_is_listed, MODEL, ("import os", "from pathlib import Path", "import pyarrow.csv")),
    (clocks_and_chance_have_one_place, SHELL, ("import time", "from uuid import uuid4", "a = datetime.now()")),
    (clocks_and_chance_have_one_place, SHELL, ("g = np.random.default_rng()", "a = date.today()")),
    (features_are_the_same_everywhere, CORE, ("a = b @ c", "a = np.exp(b)", "a = b.mean()")),
    (
        structs_are_frozen_and_classes_are_flat,
        CORE,
        ("class A(msgspec.Struct): ...", "class A(Struct, frozen=False): ...", "class A(Order): ..."),
    ),
    (more_than_two_arguments_have_names, CORE, ("def f(a, b, c): ...", "class A:\n    def f(self, a, b, c): ...")),
    (init_files_are_empty, "src/interlock/core/__init__.py", ("x = 1",)),
)
PLANTED = [(rule, path, text) for rule, path, snippets in RULES for text in snippets]
HONEST = '''"""Words.

Floor 1 (decisions).
"""

_TABLE = {"a": 1}


class Fill(msgspec.Struct, frozen=True):
    """A fill."""

    last_px: int


def names(symbols: frozenset[str], *, now_ns: int, qty: int) -> list[str]:
    """Return them in order."""
    try:
        return sorted(symbol.lower() for symbol in symbols)
    except ValueError:
        return [name for name in _TABLE]
'''


def tree() -> list[Source]:
    """Return every Python file of the project."""
    rooms = (REPO / room for room in ("src", "tests", "benchmarks", "examples", "docs"))
    paths = sorted(path for room in rooms for path in room.rglob("*.py") if "_build" not in path.parts)
    return [source(path.relative_to(REPO).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


@pytest.mark.parametrize("rule", dict.fromkeys(rule for rule, _, _ in RULES), ids=lambda rule: rule.__name__)
def test_tree_keeps_the_rule(rule: Rule) -> None:
    """No file of the project breaks the rule."""
    found = [f"{file.path}:{fault}" for file in tree() for fault in rule(file)]

    assert [] == found, "\n".join(found)


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_rule_catches_what_is_planted(rule: Rule, path: str, text: str) -> None:
    """A snippet that breaks the rule is caught once."""
    assert 1 == len(list(rule(source(path, text))))


@pytest.mark.parametrize("rule", dict.fromkeys(rule for rule, _, _ in RULES), ids=lambda rule: rule.__name__)
def test_rule_lets_honest_code_pass(rule: Rule) -> None:
    """An honest file breaks no rule, so a rule does not fire at everything."""
    assert [] == list(rule(source(CORE, HONEST)))
