"""Calendars: the sessions of an exchange by its name, from our own table or from a package that knows many.

Floor 2 (shell). It never reads a clock, never fetches anything, and never takes a table that was changed.
On the trip: before it; the calendar is read once, at the start, and `interlock.core.sessions` answers from it.
"""

from __future__ import annotations

import hashlib
import importlib
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from importlib import resources
from typing import Protocol, cast

import msgspec
import numpy as np

from interlock.core.sessions import ALWAYS_OPEN, NEVER_CLOSES, Calendar, make_calendar
from interlock.model.errors import ConfigError, DataError, InvariantError
from interlock.model.market import Column
from interlock.model.units import SECOND_NS, plain
from interlock.shell.sources.dates import NEW_YORK, zone_named

#: The New York Stock Exchange, whose table comes with Interlock.
XNYS = "XNYS"
#: What docs/generate_sessions.py printed when it wrote the table.
XNYS_SHA256 = "208ee29f14a70f48a838467dda859728f48bd991b838f99e7bb1b2d4a379cb9d"
#: The span that is asked of the package; fixed, so that a calendar is the same on every day on which it is read.
FIRST, LAST = "1990-01-01", "2028-12-31"

_XNYS_ROOM, _XNYS_FILE = "interlock.shell.sources", "xnys.csv"
_SATURDAY = 5


class _Bound(Protocol):
    """What is used of a date of pandas."""

    def strftime(self, form: str) -> str: ...


class _Dates(Protocol):
    """What is used of an index of dates of pandas."""

    def strftime(self, form: str) -> list[str]: ...


class _Known(Protocol):
    """What is used of a calendar of the package; a session without a pause has the smallest int64 in its place."""

    sessions: _Dates
    opens_nanos: Column
    closes_nanos: Column
    break_starts_nanos: Column
    break_ends_nanos: Column

    def bound_min(self) -> _Bound | None: ...

    def bound_max(self) -> _Bound | None: ...


class _Package(Protocol):
    """What is used of exchange_calendars."""

    def resolve_alias(self, name: str) -> str: ...

    def get_calendar(self, name: str, *, start: str | None = None, end: str | None = None) -> _Known: ...


class _Library(msgspec.Struct, frozen=True):
    """The package, what it raises for a name that it does not know, and what where it cannot make the sessions."""

    package: _Package
    unknown: type[Exception]
    errors: tuple[type[Exception], ...]


def load_calendar(name: str) -> Calendar:
    """Return the sessions of an exchange.

    Args:
        name: "XNYS", "24/7", or what the package exchange-calendars calls an exchange ("XLON").

    Returns:
        The calendar, by the market identifier of the exchange.

    Raises:
        ConfigError: the name needs the extra `calendars`, or no such exchange is known, or its sessions are not.
        DataError: our own table is not the one that this version came with, or the machine does not know New York.

    Source: market identifiers are those of ISO 10383.
    """
    if name == NEVER_CLOSES:
        return ALWAYS_OPEN
    if name == XNYS:
        return _xnys()
    return _from_package(name)


def _xnys() -> Calendar:
    """Return the sessions of New York from the table that comes with Interlock."""
    content = _xnys_content()
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != XNYS_SHA256:
        message = (
            f"The table of the New York sessions, {_XNYS_FILE}, is not the one that this version came with (SHA-256 "
            f"{sha256[:12]}..., expected {XNYS_SHA256[:12]}...). When the exchange is open cannot be told from it, so "
            "nothing was started. Install Interlock again; a new table is made by docs/generate_sessions.py."
        )
        raise DataError(message)
    zone = zone_named(NEW_YORK)
    found = list(_sessions(content.decode()))
    # The clocks are changed on Sunday nights, so a session lasts as long as its wall times say.
    opens = [int(opens.replace(tzinfo=zone).timestamp()) for opens, _ in found]
    open_ns = np.array(opens, dtype=np.int64) * SECOND_NS
    length_ns = np.array([(closes - opens).seconds for opens, closes in found], dtype=np.int64) * SECOND_NS
    dates = tuple(str(opens.date()) for opens, _ in found)
    return make_calendar(name=XNYS, sha256=sha256, dates=dates, open_ns=open_ns, close_ns=open_ns + length_ns)


def _xnys_content() -> bytes:
    try:
        return resources.files(_XNYS_ROOM).joinpath(_XNYS_FILE).read_bytes()
    except OSError as error:
        message = (
            f"The table of the New York sessions, {_XNYS_FILE}, cannot be read ({plain(error.strerror or str(error))})."
            " When the exchange is open cannot be told without it, so nothing was started. Install Interlock again."
        )
        raise DataError(message) from None


def _sessions(text: str) -> Iterator[tuple[datetime, datetime]]:
    """Yield each session of a table: its opening and its close, as the exchange's clock shows them."""
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")][1:]
    dates = {kind: date.fromisoformat(day) for kind, day, *_ in rows if kind in {"first", "last"}}
    regular = next(_hours(opens, closes) for kind, _, _, opens, closes in rows if kind == "regular")
    other = {
        date.fromisoformat(day): _hours(opens, closes) if kind == "hours" else None
        for kind, day, _, opens, closes in rows
        if kind in {"closed", "hours"}
    }
    for number in range((dates["last"] - dates["first"]).days + 1):
        day = dates["first"] + timedelta(days=number)
        hours = other.get(day, regular if day.weekday() < _SATURDAY else None)
        if hours is not None:
            yield datetime.combine(day, hours[0]), datetime.combine(day, hours[1])


def _hours(opens: str, closes: str) -> tuple[time, time]:
    """Read two times of the table, `HH:MM`."""
    return time.fromisoformat(opens), time.fromisoformat(closes)


def _from_package(name: str) -> Calendar:
    """Return the sessions of an exchange that the package knows, within the span that is asked of it."""
    library = _library(name)
    with warnings.catch_warnings():
        # The package asks pandas for what a later pandas will answer otherwise; it is held to a lock, and is not ours.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            canonical = library.package.resolve_alias(name)
            if canonical in {XNYS, NEVER_CLOSES}:
                return load_calendar(canonical)
            return _made(canonical, known=_spanned(canonical, package=library.package))
        except library.unknown:
            message = (
                f"No exchange is known by the name {plain(name)!r}. Nothing was started. Write its market identifier "
                'in capitals, such as exchange = "XNYS" or "XLON", or "24/7" for a market that never closes.'
            )
            raise ConfigError(message) from None
        except library.errors as error:
            message = (
                f"The sessions of {plain(name)!r} cannot be made: the package exchange-calendars says "
                f"{plain(str(error))[:160]!r}. When it is open is not known, so nothing was started. Write another "
                'exchange, such as exchange = "XNYS", or install a version of the package that can.'
            )
            raise ConfigError(message) from None


def _library(name: str) -> _Library:
    """Return the package, or say how to get it.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        package = importlib.import_module("exchange_calendars")
        errors = importlib.import_module("exchange_calendars.errors")
    except ImportError:
        message = (
            f"The sessions of {plain(name)!r} need the extra `calendars`, which is not installed: run "
            '`uv sync --extra calendars` or `pip install "interlock[calendars]"`, or write a known exchange: '
            'exchange = "XNYS" or "24/7" needs no extra. Nothing was started.'
        )
        raise ConfigError(message) from None
    unknown = cast("type[Exception]", errors.InvalidCalendarName)
    general = cast("type[Exception]", errors.CalendarError)
    errors_of_sessions = (general, ValueError, NotImplementedError, InvariantError)
    return _Library(cast("_Package", package), unknown, errors_of_sessions)


def _spanned(name: str, *, package: _Package) -> _Known:
    """Return a calendar of the package over our span, cut to what it knows."""
    known = package.get_calendar(name)
    earliest, latest = known.bound_min(), known.bound_max()
    start = FIRST if earliest is None else max(FIRST, earliest.strftime("%Y-%m-%d"))
    end = LAST if latest is None else min(LAST, latest.strftime("%Y-%m-%d"))
    return package.get_calendar(name, start=start, end=end)


def _made(name: str, *, known: _Known) -> Calendar:
    """Return our calendar from one of the package; its SHA-256 is over one line a session."""
    dates = tuple(known.sessions.strftime("%Y-%m-%d"))
    opens, closes = known.opens_nanos, known.closes_nanos
    has_pause = known.break_starts_nanos >= opens
    breaks = np.where(has_pause, known.break_starts_nanos, closes)
    resumes = np.where(has_pause, known.break_ends_nanos, closes)
    columns = zip(dates, opens.tolist(), breaks.tolist(), resumes.tolist(), closes.tolist(), strict=True)
    text = "".join(f"{' '.join(map(str, row))}\n" for row in columns)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    if not has_pause.any():
        return make_calendar(name=name, sha256=sha256, dates=dates, open_ns=opens, close_ns=closes)
    return make_calendar(
        name=name,
        sha256=sha256,
        dates=dates,
        open_ns=opens,
        close_ns=closes,
        break_ns=breaks,
        resume_ns=resumes,
    )
