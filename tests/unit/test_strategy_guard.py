"""The guard over strategies: what their source says of itself, and what they may not reach for while lived again."""

from __future__ import annotations

import ast
import datetime as dt
import io
import logging
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.core_factory import snapshot

import interlock.examples
from interlock.core.strategy import View, ask
from interlock.model.errors import InterlockError
from interlock.model.signals import Proposal
from interlock.shell.strategy_guard import CodeFile, code_files, findings_in, own_code_sha256, warnings_of
from interlock.shell.strategy_watch import StrategyWatch, WatchedStrategy


def names(text: str) -> list[str]:
    """Return what a source text is warned about."""
    return [finding.name for finding in findings_in(ast.parse(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import time", ["time"]),
        ("from time import time as now", ["time"]),
        ("import datetime as dt\nx = dt.datetime.now()", ["datetime.datetime.now"]),
        ("from datetime import datetime\nx = datetime.today()", ["datetime.datetime.today"]),
        ("from datetime import date as d\nx = d.today", ["datetime.date.today"]),
        ("import random", ["random"]),
        ("from secrets import token_hex", ["secrets"]),
        ("import uuid", ["uuid"]),
        ("import os\nx = os.urandom(3)", ["os"]),
        ("x = open('a')", ["open"]),
        ("from pathlib import Path", ["pathlib"]),
        ("import io", ["io"]),
        ("import socket", ["socket"]),
        ("import urllib.request", ["urllib"]),
        ("import requests", ["requests"]),
        ("import subprocess", ["subprocess"]),
        ("import threading", ["threading"]),
        ("import asyncio", ["asyncio"]),
        ("import numpy as np\nx = np.random.rand()", ["numpy.random"]),
        ("from numpy import random", ["numpy.random"]),
        ("from numpy.random import default_rng", ["numpy.random"]),
        ("x = hash('a')", ["hash"]),
    ],
)
def test_source_that_reaches_outside_is_found(text: str, expected: list[str]) -> None:
    """Each reach is found under the name by which it was imported, and told once."""
    assert expected == names(text)


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nx = np.array([1])",
        "from datetime import datetime, timedelta\nx = datetime(2013, 1, 1) + timedelta(1)",
        "import math, itertools, collections",
        "class A:\n    def open(self): ...\n    def f(self): self.open(); self.time = 1; self.random.now()",
        "def f(view): return view.time.now()",
    ],
)
def test_source_that_stays_inside_is_not_warned_about(text: str) -> None:
    """Arithmetic, dates that are written down, and names that only sound alike are left alone."""
    assert [] == names(text)


def test_examples_are_not_warned_about() -> None:
    """The three example strategies give no warning, and are told by their content."""
    uses = tuple(f"{interlock.examples.__name__}:{name}" for name in ("Watcher", "RoundTrip", "CrossFollower"))
    files = code_files(uses, folder="")

    assert ["interlock.examples"] == [file.name for file in files]
    assert () == warnings_of(files)
    assert 64 == len(files[0].sha256)


def planted(folder: Path) -> tuple[CodeFile, ...]:
    """Write a strategy that imports from its own folder in every way, and return its files."""
    (folder / "rooms").mkdir(exist_ok=True)
    for name, text in {
        "guarded_main.py": "import guarded_one\nfrom rooms.deep import x\nimport json\n",
        "guarded_one.py": "import time\nfrom guarded_two import *\n",
        "guarded_two.py": "y = 2\n",
        "rooms/__init__.py": "",
        "rooms/deep.py": "from . import beside\nx = open\n",
        "rooms/beside.py": "import random\n",
        "unrelated.py": "import socket\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return code_files(("guarded_main:A", "guarded_main:B"), folder=str(folder))


def test_files_that_a_strategy_imports_from_its_folder_are_read(tmp_path: Path) -> None:
    """What it imports from beside the configuration is read, on any level; what only lies there is not."""
    files = planted(tmp_path)

    assert [
        "guarded_main.py",
        "guarded_one.py",
        "guarded_two.py",
        "rooms/__init__.py",
        "rooms/beside.py",
        "rooms/deep.py",
    ] == [file.name for file in files]
    assert ["guarded_one.py", "rooms/beside.py"] == [file.name for file in files if file.findings]


def test_warning_names_file_line_and_what_it_reaches_for(tmp_path: Path) -> None:
    """The sentence names the file, the line, the word and what it is."""
    sentences = warnings_of(planted(tmp_path))

    assert 2 == len(sentences)
    assert "The strategy file guarded_one.py reaches" in sentences[0]
    assert "line 1 time (the time)" in sentences[0]


def test_content_of_a_file_tells_it_from_its_change(tmp_path: Path) -> None:
    """A changed file has another SHA-256, and the others keep theirs."""
    before = {file.name: file.sha256 for file in planted(tmp_path)}
    (tmp_path / "guarded_two.py").write_text("y = 3\n", encoding="utf-8")
    after = {file.name: file.sha256 for file in code_files(("guarded_main:A",), folder=str(tmp_path))}

    assert ["guarded_two.py"] == [name for name in before if before[name] != after[name]]


def test_own_code_is_told_by_its_content() -> None:
    """Interlock's own code has one SHA-256, the same twice."""
    assert own_code_sha256() == own_code_sha256()
    assert 64 == len(own_code_sha256())


NOTHING = Proposal(wishes=(), because="it wishes for nothing")
SEEDED = random.Random(7)


class Reaching:
    """Does one thing in each call, and may swallow what that raises."""

    def __init__(self, reach: Callable[[], object], *, swallows: bool = False) -> None:
        """Take the thing."""
        self._reach = reach
        self._swallows = swallows

    def propose(self, view: View) -> Proposal:
        """Do it."""
        del view
        try:
            self._reach()
        except InterlockError:
            if not self._swallows:
                raise
        return NOTHING


def view_of(cycle: int) -> View:
    """Return a view of nothing in particular."""
    market = snapshot()
    index = {symbol: ix for ix, symbol in enumerate(market.universe)}
    return View(strategy_id="s", cycle=cycle, snapshot=market, index=index, candidates=(), positions={}, orders=())


def reached(reach: Callable[[], object], *, swallows: bool = False) -> tuple[list[str], str]:
    """Return what a strategy was caught at, and the fault that its record shows."""
    with StrategyWatch() as watch:
        strategy = watch.over({"s": Reaching(reach, swallows=swallows)})["s"]
        asked = ask(strategy, view_of(12))
    return [reach.function for reach in watch.reaches], asked.idea.fault


REACHES: dict[str, Callable[[], object]] = {
    "time.time": time.time,
    "time.time_ns": time.time_ns,
    "time.monotonic": time.monotonic,
    "time.perf_counter": time.perf_counter,
    "datetime.datetime.now": lambda: dt.datetime.now(tz=dt.UTC),
    "datetime.date.today": dt.date.today,
    "random.random": random.random,
    "random.getrandbits": lambda: random.choice("ab"),
    "os.urandom": uuid.uuid4,
    "builtins.open": lambda: open(__file__),  # noqa: SIM115, PTH123 - it is refused
    "open": lambda: io.FileIO(__file__),
    "os.listdir": lambda: os.listdir("."),  # noqa: PTH208 - what is refused
    "os.stat": lambda: Path("/").exists(),
    "socket.__new__": socket.socket,
    "subprocess.Popen": lambda: subprocess.run("true", check=False),
    "numpy.random.rand": lambda: np.random.rand(2),  # noqa: NPY002 - what is refused
    "numpy.random.normal": lambda: np.random.normal(0, 1),  # noqa: NPY002 - what is refused
    "_thread.start_new_thread": lambda: threading.Thread(target=print).start(),
}


@pytest.mark.parametrize("name", REACHES)
def test_reach_of_a_strategy_is_refused_and_named(name: str) -> None:
    """The strategy's call fails with a sentence that names strategy, function and cycle."""
    functions, fault = reached(REACHES[name])

    assert name.startswith("_thread") or [name] == functions
    assert 1 == len(functions)
    assert f"Strategy s reached for {functions[0]} in cycle 12." in fault


def test_function_that_was_bound_before_is_refused_too() -> None:
    """A clock that a strategy kept in itself, or in a default, is the same clock."""
    clock = time.time

    def default(now: Callable[[], float] = time.time) -> float:
        return now()

    assert ["time.time"] == reached(clock)[0]
    assert ["time.time"] == reached(default)[0]


def test_reach_that_is_swallowed_is_still_told() -> None:
    """A strategy that catches the sentence answers as if nothing were, and is named all the same."""
    assert (["time.time"], "") == reached(time.time, swallows=True)


@pytest.mark.parametrize(
    "reach",
    [
        SEEDED.random,
        lambda: random.Random(7).randint(1, 6),
        lambda: np.random.default_rng(7).integers(6),
        lambda: logging.getLogger("interlock.test").warning("a line of a log"),
        lambda: dt.datetime.fromtimestamp(1, tz=dt.UTC),
        lambda: time.gmtime(1),
        lambda: __import__("colorsys"),
        lambda: sorted({3, 1, 2}),
        lambda: np.argsort(np.array([3, 1, 2])),
    ],
)
def test_what_is_the_same_twice_is_no_reach(reach: Callable[[], object]) -> None:
    """Seeded chance, arithmetic on dates, lines of a log and the loading of a module are let through."""
    sys.modules.pop("colorsys", None)

    assert ([], "") == reached(reach)


def test_watch_is_inert_outside_of_a_call() -> None:
    """Before, between and after the calls every function does what it always does."""
    with StrategyWatch() as watch:
        strategy = WatchedStrategy(Reaching(lambda: None), watch=watch, name="s")
        time.time()
        strategy.propose(view_of(1))
        np.random.rand()  # noqa: NPY002 - it is let through here
        Path(__file__).read_bytes()
        random.random()
    time.time()
    np.random.rand()  # noqa: NPY002 - it is let through here

    assert () == watch.reaches
    assert "guarded" not in np.random.rand.__name__


def test_hook_of_another_is_put_back() -> None:
    """A profile hook that was there before a call is there after it."""

    def hook(*_: object) -> None:
        return None

    sys.setprofile(hook)
    try:
        reached(time.time)
        found = sys.getprofile()
    finally:
        sys.setprofile(None)

    assert hook is found
