"""The loader of strategies: an object, or a sentence that says whose it is to mend."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock.core.strategy import Strategy
from interlock.examples import CrossFollower
from interlock.model.errors import ConfigError
from interlock.shell.strategies import load_strategy

MODULE = "planted_strategies"
TEXT = """
import sys


class Fine:
    def __init__(self, *, qty=1):
        self.qty = qty

    def propose(self, view):
        return None


class Raises:
    def __init__(self):
        raise ValueError("no \\x1b[2Jluck")


class Exits:
    def __init__(self):
        sys.exit(3)


class Silent:
    pass


not_a_class = 7
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Give a folder with a module beside the configuration, and forget both afterwards."""
    (tmp_path / f"{MODULE}.py").write_text(TEXT, encoding="utf-8")
    (tmp_path / "planted_broken.py").write_text("import no_such_thing_at_all", encoding="utf-8")
    (tmp_path / "planted_half.py").write_text("def (", encoding="utf-8")
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in (MODULE, "planted_broken", "planted_half"):
        sys.modules.pop(name, None)


def load(use: str, folder: Path, **settings: object) -> Strategy:
    """Load a strategy as a configuration would."""
    return load_strategy(use, name="mine", settings=settings, folder=str(folder), path="run.toml")


def test_an_installed_strategy_is_built_with_its_settings() -> None:
    """A class of an installed module is built once, by keyword."""
    built = load_strategy("interlock.examples:CrossFollower", name="a", settings={"qty": 3}, folder="", path="")

    assert isinstance(built, CrossFollower)


def test_a_strategy_may_live_beside_the_configuration(folder: Path) -> None:
    """The folder of the configuration is looked at, once."""
    built = [load(f"{MODULE}:Fine", folder, qty=7) for _ in range(2)]

    assert [7, 7] == [vars(each)["qty"] for each in built]
    assert 1 == sys.path.count(str(folder))


@pytest.mark.parametrize(
    ("use", "settings", "told"),
    [
        ("no_such_module_anywhere:A", {}, "there is no module 'no_such_module_anywhere' beside the configuration"),
        (f"{MODULE}:Missing", {}, f"the module '{MODULE}' has no class 'Missing'."),
        (f"{MODULE}:Fine", {"price": 1}, "it cannot be built with the settings that are written (price): "),
        (f"{MODULE}:Raises", {}, "loading it raised ValueError: no ?[2Jluck. Mend it in the strategy's own code."),
        (f"{MODULE}:Exits", {}, "loading it raised SystemExit: 3. Mend it"),
        (f"{MODULE}:Silent", {}, "Silent has no method propose(view), so it is no strategy."),
        (f"{MODULE}:not_a_class", {}, "loading it raised TypeError: 'int' object is not callable. Mend it"),
        ("planted_broken:A", {}, "loading it raised ModuleNotFoundError: No module named 'no_such_thing_at_all'."),
        ("planted_half:A", {}, "loading it raised SyntaxError: "),
    ],
)
def test_what_cannot_be_loaded_is_a_sentence(use: str, settings: dict[str, object], told: str, folder: Path) -> None:
    """The file, the strategy and the reason are named, and nothing was started."""
    with pytest.raises(ConfigError) as refused:
        load(use, folder, **settings)
    words = str(refused.value)

    assert words.startswith(f"run.toml, [[strategy]] mine, use = '{use}': {told}")
    assert words.endswith("Nothing was started.")


def test_the_built_in_configuration_has_a_name_of_its_own() -> None:
    """Without a file the sentence does not point at one."""
    with pytest.raises(ConfigError, match="^the built-in configuration, "):
        load_strategy("no_such_module_anywhere:A", name="a", settings={}, folder="", path="")
