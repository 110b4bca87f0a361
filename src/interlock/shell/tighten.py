"""How a human makes a limit stricter while a run goes on; what would let more through needs a new start.

Floor 2 (shell). It reads the words with the units of the configuration, and the running process decides. It never
writes into a file. It stands beside the trip.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import NoReturn

import msgspec

from interlock.config_risk import RiskConfig
from interlock.config_units import MONEY
from interlock.core.risk.keys import KEYS, NEITHER, LimitKey
from interlock.core.words import number
from interlock.model.errors import ConfigError, ExitCode, HomeError
from interlock.model.units import plain
from interlock.shell.asking import asked, running
from interlock.shell.control_client import run_dir_of
from interlock.shell.control_words import Request
from interlock.shell.limits_then import limits_now
from interlock.shell.live import ProcessMark, human
from interlock.shell.operate import Mouth
from interlock.shell.status import Status
from interlock.tomlfields import MEASURE_CHARACTERS_MAX, Key, bounds_in_words, keys_of, members_of, struct_spec

_WHOLE = re.compile(r"\d{1,16}")
_NOTHING = "Nothing was tightened."


class Tightening(msgspec.Struct, frozen=True, kw_only=True):
    """What a person typed: the limit, its new value, and of a rate the span over which it counts (0: no rate)."""

    limit: LimitKey
    new_value: int
    window_key: str
    window_ns: int


def read_tightening(name: str, value: str) -> Tightening:
    """Read a limit and its new value, each as a configuration writes it.

    Args:
        name: such as `max_order_qty`.
        value: such as `100 shares`.

    Raises:
        ConfigError: there is no such limit, it cannot be made stricter, or the value is none of its kind.

    Examples:
        >>> read_tightening("max_order_notional", "$5,000").new_value
        5000000000
    """
    parts = [limit for limit in KEYS.values() if limit.written == name and limit.name != "cash_micros"]
    written = [one for one in keys_of(struct_spec(RiskConfig)) if one.name == name]
    if not parts or not written:
        _refuse_name(name)
    limit = parts[0]
    if limit.stricter == NEITHER:
        message = (
            f"{name} has no stricter side, so it cannot be tightened: write it in the file, and start anew. {_NOTHING}"
        )
        raise ConfigError(message)
    measure = _measure(written[0], value)
    if isinstance(measure, tuple):
        return Tightening(limit=limit, new_value=measure[0], window_key=parts[1].name, window_ns=measure[1])
    return Tightening(limit=limit, new_value=measure, window_key="", window_ns=0)


def tighten(home: Path, wish: Tightening, *, mouth: Mouth) -> ExitCode:
    """Ask the process of a home to make one of its limits stricter.

    Returns:
        CLEAN if it is, REFUSED if not.

    Raises:
        HomeError: nothing runs there, it does not answer, or its rate counts over another span.
        JournalError: the limits in force cannot be read.
    """
    name = wish.limit.written
    at_rest = f"To tighten {name}, change the file: it holds from the next start. {_NOTHING}"
    mark = running(home, at_rest=at_rest)
    if wish.window_key:
        _check_window(mark, wish)
    request = Request(word="tighten", by=human(os.getuid()), about=wish.limit.name, new_value=wish.new_value)

    def after(status: Status) -> tuple[str, ...]:
        now = [limit for limit in status.tightened if limit.key == wish.limit.name]
        return tuple(
            f"{name} is {number(limit.value, limit.unit)} from now on, until this run ends. Change the file too, or "
            "the next start is looser again."
            for limit in now
        )

    return asked(mark, request, mouth=mouth, otherwise="Nothing was tightened", after=after)


def _check_window(mark: ProcessMark, wish: Tightening) -> None:
    """Refuse a rate over another span than the one in force: which of two such rates is stricter, nobody can say."""
    for limit in limits_now(run_dir_of(mark)):
        if limit.key == wish.window_key and not limit.scope and limit.value != wish.window_ns:
            message = (
                f"{wish.limit.written} counts over {number(limit.value, 'ns')} in this run, and "
                f"{number(wish.window_ns, 'ns')} was typed. Only the count can be tightened: type it over the same "
                f"span. {_NOTHING}"
            )
            raise HomeError(message)


def _refuse_name(name: str) -> NoReturn:
    known = sorted({limit.written for limit in KEYS.values() if limit.stricter != NEITHER})
    nearest = difflib.get_close_matches(name[:MEASURE_CHARACTERS_MAX], known, n=1, cutoff=0.0)[0]
    words = f"There is no limit {plain(name)!r}; the nearest one is {nearest}."
    message = f"{words} See them all with: interlock controls. {_NOTHING}"
    raise ConfigError(message)


def _measure(one: Key, text: str) -> int | tuple[int, int]:
    """Read a value by the unit of its key, inside the bounds of its key."""
    unit = one.unit
    kind = "a whole number" if unit is None else f"{unit.name}, such as {unit.example}"
    is_short = len(text) <= MEASURE_CHARACTERS_MAX and text.isascii()
    try:
        # What is not of the form of its key is left as text, which no limit can be.
        measure = unit.parse(text) if unit is not None and is_short else _whole(text)
        read = msgspec.convert({one.field: measure}, RiskConfig)
    except ValueError as error:  # what msgspec finds out of bounds is one too
        bounds = "".join(bounds_in_words(member, unit) for member in members_of(one.spec))
        hint = " In a shell, put it in single quotes: it reads a $ itself." if unit is MONEY else ""
        message = f"{one.name} cannot be {plain(text)!r}: write {kind}{bounds}.{hint} {_NOTHING}"
        raise ConfigError(message) from error
    kept: int | tuple[int, int] = getattr(read, one.field)
    return kept


def _whole(text: str) -> int | str:
    return int(text) if _WHOLE.fullmatch(text) is not None else text
