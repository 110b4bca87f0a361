"""The watch over a strategy while it is lived again: whoever reaches for time, chance or the world is named.

Floor 2 (the world). It changes nothing that a strategy may see; it refuses what is not the same twice, and remembers
who asked for it. It guards against mistakes, and not against hostile code. On the trip: beside it; replay and drills
put it around each call of a strategy, a run does not.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Final, Self

import msgspec

from interlock.core.strategy import Strategy, View
from interlock.model.errors import InterlockError
from interlock.model.signals import Proposal
from interlock.model.units import plain

#: Functions of C that are refused, by module; those of Python end in one of these.
REFUSED: Final = (
    ("time", "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns"),
    ("time", "thread_time thread_time_ns clock_gettime clock_gettime_ns localtime ctime"),
    ("datetime", "datetime.now datetime.utcnow datetime.today date.today"),
    ("random", "random getrandbits"),
    ("os", "urandom getrandom getpid times open stat listdir scandir"),
    ("builtins", "open input"),
    ("_thread", "start_new_thread start_joinable_thread"),
)
#: Beginnings of audit events that are refused: whatever the road, it ends in one of these.
REFUSED_EVENTS: Final = (
    "open",
    "socket.",
    "subprocess.",
    "os.",
    "sqlite3.",
    "urllib.",
    "shutil.",
    "tempfile.",
    "glob.",
)
#: Loading a module reads files, a warning shows its line, and a line of a log is stamped: none of it reaches a wish.
_LET_THROUGH: Final = frozenset(
    {"importlib", "_frozen_importlib", "_frozen_importlib_external", "linecache", "logging"}
)
#: How many calls outside of a reach are looked at for one that is let through.
_FRAMES_MAX: Final = 40


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Who reached for what, and when."""

    strategy_id: str
    function: str
    cycle: int

    @property
    def words(self) -> str:
        """Return it as a sentence."""
        return (
            f"Strategy {self.strategy_id} reached for {self.function} in cycle {self.cycle}. It is not the same twice, "
            "so no replay can give the same wishes: let the strategy take what it needs from its view "
            "(view.as_of_ns is the time) or from its settings."
        )


class StrategyWatch:
    """Refuses what is not the same twice while a strategy's call goes on; outside of one it is inert.

    Three nets: a profile hook sees every call of a function of C, however it was bound; an audit hook sees files,
    sockets and processes on every road; the module-wide generator of numpy, which neither sees, is replaced.
    """

    def __init__(self) -> None:
        """Learn the functions; nothing is watched before the first call."""
        self._refused = _functions()
        self._inside: tuple[str, int] | None = None
        self._reaches: list[Reach] = []
        self._replaced: list[tuple[str, object]] = []

    def __enter__(self) -> Self:
        """Put the nets up."""
        # An audit hook cannot be taken away again: it looks at `_inside` first, and after the last call that is None.
        sys.addaudithook(self._audited)
        chance = importlib.import_module("numpy.random")
        shared = getattr(importlib.import_module("numpy.random.mtrand"), "_rand", None)
        for name, function in tuple(vars(chance).items()):
            if shared is not None and getattr(function, "__self__", None) is shared:
                self._replaced.append((name, function))
                setattr(chance, name, self._guarded(f"numpy.random.{name}", function))
        return self

    def __exit__(self, *_: object) -> None:
        """Take the nets down."""
        chance = importlib.import_module("numpy.random")
        for name, function in self._replaced:
            setattr(chance, name, function)
        self._replaced.clear()

    @property
    def reaches(self) -> tuple[Reach, ...]:
        """Return every reach so far, in order."""
        return tuple(self._reaches)

    def over(self, strategies: Mapping[str, Strategy]) -> dict[str, Strategy]:
        """Return the strategies, each call of which is watched."""
        return {name: WatchedStrategy(strategy, watch=self, name=name) for name, strategy in strategies.items()}

    @contextmanager
    def during(self, strategy_id: str, cycle: int) -> Generator[None]:
        """Watch while this context is open."""
        before = sys.getprofile()
        self._inside = (strategy_id, cycle)
        sys.setprofile(self._called)
        try:
            yield
        finally:
            sys.setprofile(before)
            self._inside = None

    def _called(self, frame: FrameType, event: str, function: object) -> None:
        if event != "c_call":
            return
        name = self._refused.get(function, "")
        if name and not _is_let_through(frame):
            self._refuse(name)

    def _audited(self, event: str, _: tuple[object, ...]) -> None:
        if self._inside is None or not event.startswith(REFUSED_EVENTS):
            return
        here = inspect.currentframe()
        if not _is_let_through(None if here is None else here.f_back):
            self._refuse(event)

    def _guarded(self, name: str, function: Callable[..., object]) -> Callable[..., object]:
        def guarded(*args: object, **settings: object) -> object:
            if self._inside is not None:
                self._refuse(name)
            return function(*args, **settings)

        return guarded

    def _refuse(self, function: str) -> None:
        """Remember who reached for what, and raise the sentence into the strategy's own call."""
        strategy_id, cycle = self._inside or ("", 0)
        # What is raised may be caught there, and a second reach would say nothing new: the first is kept.
        reach = Reach(strategy_id=plain(strategy_id), function=plain(function), cycle=cycle)
        if not self._reaches:
            self._reaches.append(reach)
        raise InterlockError(reach.words)


class WatchedStrategy:
    """A strategy each call of which is watched."""

    def __init__(self, strategy: Strategy, *, watch: StrategyWatch, name: str) -> None:
        """Take the strategy, the watch and the name by which it is told."""
        self._strategy = strategy
        self._watch = watch
        self._name = name

    def propose(self, view: View) -> Proposal:
        """Return what the strategy answers."""
        with self._watch.during(self._name, view.cycle):
            return self._strategy.propose(view)


def _functions() -> dict[object, str]:
    """Return every function that is refused, with its dotted name."""
    found: dict[object, str] = {}
    for module_name, names in REFUSED:
        module = importlib.import_module(module_name)
        for name in names.split():
            function: object = module
            for part in name.split("."):
                function = getattr(function, part, None)
            if function is not None:
                found[function] = f"{module_name}.{name}"
    return found


def _is_let_through(frame: FrameType | None) -> bool:
    """Return True if a call comes from loading a module, from showing a warning or from writing a log."""
    for _ in range(_FRAMES_MAX):
        if frame is None:
            return False
        name = frame.f_globals.get("__name__", "")
        if name == __name__:
            # Here the strategy's own call begins: what is around it is ours.
            return False
        if isinstance(name, str) and name.partition(".")[0] in _LET_THROUGH:
            return True
        frame = frame.f_back
    return False
