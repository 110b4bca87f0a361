"""The exchange's sessions: our table against the package that knows many, known days, and what is refused."""

from __future__ import annotations

import runpy
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from interlock.core.sessions import ALWAYS_OPEN, ENDLESS, Calendar, Place, make_calendar, place_of
from interlock.model.errors import ConfigError, DataError, InvariantError
from interlock.model.units import SECOND_NS
from interlock.shell import calendars
from interlock.shell.calendars import FIRST, LAST, XNYS_SHA256, load_calendar

REPO = Path(__file__).resolve().parents[2]
TABLE = REPO / "src/interlock/shell/sources/xnys.csv"
HOUR_NS = 3600 * SECOND_NS
NEEDS = "needs the package exchange_calendars, of the extra `calendars`: uv sync --group full --all-extras"
CLOSED = Place(is_open=False, since_open_ns=0, until_close_ns=0, sessions_left=0, date="")


@pytest.fixture(scope="module")
def xnys() -> Calendar:
    """Return the sessions of New York."""
    return load_calendar("XNYS")


@pytest.fixture
def package() -> ModuleType:
    """Return the package, or skip where it is absent."""
    module: ModuleType = pytest.importorskip("exchange_calendars", reason=NEEDS)
    return module


def instant_ns(text: str) -> int:
    """Return an instant of UTC, written as `YYYY-MM-DD HH:MM` with or without seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


def utc(at_ns: int) -> str:
    """Write an instant as `HH:MM` of UTC."""
    return datetime.fromtimestamp(at_ns // SECOND_NS, tz=UTC).strftime("%H:%M")


def hours(calendar: Calendar, day: str) -> str:
    """Return the opening and the close of a day in UTC, or `closed`."""
    if day not in calendar.dates:
        return "closed"
    ix = calendar.dates.index(day)
    return f"{utc(int(calendar.open_ns[ix]))}-{utc(int(calendar.close_ns[ix]))}"


def three(*, break_ns: list[int] | None = None, resume_ns: list[int] | None = None) -> Calendar:
    """Return three sessions of an hour, at 10, 20 and 30 hours."""
    open_ns = np.array([10, 20, 30], dtype=np.int64) * HOUR_NS
    return make_calendar(
        name="TEST",
        sha256="",
        dates=("1970-01-01", "1970-01-02", "1970-01-03"),
        open_ns=open_ns,
        close_ns=open_ns + HOUR_NS,
        break_ns=np.array(break_ns or [], dtype=np.int64),
        resume_ns=np.array(resume_ns or [], dtype=np.int64),
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_table_is_what_the_package_knows_session_by_session(xnys: Calendar, package: ModuleType) -> None:
    """Every date, opening and close of the committed table is that of the package, and none is left over."""
    known = package.get_calendar("XNYS", start=FIRST, end=LAST)
    dates = tuple(known.sessions.strftime("%Y-%m-%d"))

    expected = list(zip(dates, known.opens_nanos.tolist(), known.closes_nanos.tolist(), strict=True))

    assert expected == list(zip(xnys.dates, xnys.open_ns.tolist(), xnys.close_ns.tolist(), strict=True))


def test_table_is_what_its_generator_writes(package: ModuleType) -> None:
    """The committed file is the generator's, to the byte, so that nobody has mended it by hand."""
    assert package.__name__ == "exchange_calendars"

    script = runpy.run_path(str(REPO / "docs" / "generate_sessions.py"))

    assert script["rendered"]() == TABLE.read_bytes().decode()


def test_table_names_each_day_with_its_weekday() -> None:
    """What a person reads beside a date is true, and every such day is a weekday."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines if line.startswith(("first", "last", "closed", "hours"))]

    expected = [date.fromisoformat(row[1]).strftime("%a") for row in rows]

    assert expected == [row[2] for row in rows]
    assert {"Sat", "Sun"}.isdisjoint(expected)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("1990-01-01", "closed"),  # New Year, before the first session
        ("1990-01-02", "14:30-21:00"),
        ("1992-12-24", "14:30-19:00"),  # half days ended at 14:00 then
        ("2001-09-10", "13:30-20:00"),
        ("2001-09-11", "closed"),
        ("2001-09-12", "closed"),
        ("2001-09-13", "closed"),
        ("2001-09-14", "closed"),
        ("2001-09-17", "13:30-20:00"),
        ("2012-10-29", "closed"),  # Hurricane Sandy
        ("2012-10-30", "closed"),
        ("2012-10-31", "13:30-20:00"),
        ("2013-03-08", "14:30-21:00"),
        ("2013-03-10", "closed"),  # the Sunday on which the clocks go forward
        ("2013-03-11", "13:30-20:00"),
        ("2013-11-01", "13:30-20:00"),
        ("2013-11-04", "14:30-21:00"),  # the clocks went back
        ("2013-11-28", "closed"),  # Thanksgiving
        ("2013-11-29", "14:30-18:00"),
        ("2018-12-05", "closed"),  # a day of mourning
        ("2024-07-03", "13:30-17:00"),
        ("2024-07-04", "closed"),
        ("2024-11-28", "closed"),
        ("2025-01-09", "closed"),  # a day of mourning
        ("2026-07-03", "closed"),  # Independence Day falls on a Saturday
        ("2028-11-24", "14:30-18:00"),
        ("2028-12-29", "14:30-21:00"),
    ],
)
def test_known_day_has_its_known_hours(xnys: Calendar, day: str, expected: str) -> None:
    """A day that people remember is as they remember it."""
    assert expected == hours(xnys, day)


def test_identity_says_which_table_and_what_it_spans(xnys: Calendar) -> None:
    """The journal can name the sessions by exchange, table, first and last date, and count."""
    expected = {"name": "XNYS", "sha256": XNYS_SHA256, "first": "1990-01-02", "last": "2028-12-29", "sessions": "9820"}

    assert expected == dict(xnys.identity)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2013-10-07 13:29:59", False),
        ("2013-10-07 13:30:00", True),
        ("2013-10-07 19:59:59", True),
        ("2013-10-07 20:00:00", False),
        ("2013-10-12 15:00:00", False),
        ("2013-11-29 17:59:59", True),
        ("2013-11-29 18:00:00", False),
    ],
)
def test_opening_is_inside_and_close_is_outside(xnys: Calendar, at: str, *, is_open: bool) -> None:
    """At 09:30:00 it is open, and at 16:00:00 sharp it is closed, as at 13:00:00 of a half day."""
    assert is_open == place_of(xnys, instant_ns(at)).is_open


def test_place_counts_from_the_opening_and_to_the_close(xnys: Calendar) -> None:
    """A nanosecond is a nanosecond, on both sides."""
    at_ns = instant_ns("2013-10-07 14:30") + 1

    place = place_of(xnys, at_ns)

    assert (HOUR_NS + 1, 5 * HOUR_NS + HOUR_NS // 2 - 1) == (place.since_open_ns, place.until_close_ns)
    assert "2013-10-07" == place.date


def test_last_nanosecond_of_a_session_is_open(xnys: Calendar) -> None:
    """One nanosecond before the close there is one left."""
    place = place_of(xnys, instant_ns("2013-10-07 20:00") - 1)

    assert (True, 1) == (place.is_open, place.until_close_ns)


def test_before_the_table_it_is_closed_and_all_sessions_are_left(xnys: Calendar) -> None:
    """An instant before the first session has every session before it."""
    place = place_of(xnys, instant_ns("1989-12-29 15:00"))

    assert (False, 9820, "") == (place.is_open, place.sessions_left, place.date)


@pytest.mark.parametrize("at", ["2028-12-29 21:00:00", "2029-01-02 15:00:00", "2262-01-01 00:00:00"])
def test_after_the_table_it_is_closed_and_none_is_left(xnys: Calendar, at: str) -> None:
    """What the table does not know is closed, however much it looks like a session."""
    assert CLOSED == place_of(xnys, instant_ns(at))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2028-12-13 15:00", 11),
        ("2028-12-13 21:00", 11),
        ("2028-12-14 14:29:59", 11),
        ("2028-12-14 14:30", 10),
        ("2028-12-15 14:30", 9),
        ("2028-12-28 23:00", 1),
        ("2028-12-29 14:30", 0),
    ],
)
def test_sessions_left_are_those_that_begin_later(xnys: Calendar, at: str, expected: int) -> None:
    """The session that has begun is no longer left, and a holiday counts for nothing."""
    assert expected == place_of(xnys, instant_ns(at)).sessions_left


def test_market_that_never_closes_is_always_open() -> None:
    """24/7 is open at any instant, far from an opening and a close, and never runs out."""
    place = place_of(load_calendar("24/7"), 0)

    assert (True, ENDLESS, ENDLESS, ENDLESS) == (
        place.is_open,
        place.since_open_ns,
        place.until_close_ns,
        place.sessions_left,
    )
    assert ALWAYS_OPEN is load_calendar("24/7")


def test_calendar_without_sessions_is_closed() -> None:
    """Only its name makes a calendar never close: an empty table is no leave to trade."""
    none = np.array([], dtype=np.int64)

    empty = make_calendar(name="XNYS", sha256="", dates=(), open_ns=none, close_ns=none)

    assert CLOSED == place_of(empty, 0)


def test_pause_at_noon_is_closed() -> None:
    """A pause is outside from its first instant, and its end is inside, in the session that paused."""
    paused = three(
        break_ns=[10 * HOUR_NS + 5, 21 * HOUR_NS, 31 * HOUR_NS],
        resume_ns=[10 * HOUR_NS + 9, 21 * HOUR_NS, 31 * HOUR_NS],
    )

    found = [place_of(paused, 10 * HOUR_NS + after_ns).is_open for after_ns in (4, 5, 8, 9)]

    assert [True, False, False, True] == found
    assert place_of(paused, 20 * HOUR_NS + 5).is_open


def test_columns_cannot_be_written_to() -> None:
    """Nobody who holds a calendar can move an opening."""
    with pytest.raises(ValueError, match="WRITEABLE"):
        three().open_ns.setflags(write=True)


@pytest.mark.parametrize(
    ("dates", "open_ns", "close_ns", "why"),
    [
        (("1970-01-02", "1970-01-01"), [10, 20], [11, 21], "ascend"),
        (("1970-01-01", "1970-01-01"), [10, 20], [11, 21], "ascend"),
        (("1970-01-01", "1970-01-02"), [10, 20], [11], "one entry"),
        (("1970-01-01",), [10, 20], [11, 21], "one entry"),
        (("1970-01-01", "1970-01-02"), [10, 20], [21, 22], "before the next"),
        (("1970-01-01",), [10], [10], "a minute"),
        (("1970-01-01",), [10], [9], "a minute"),
        (("1970-01-01",), [10], [36], "25 hours"),
    ],
)
def test_senseless_sessions_are_refused(
    dates: tuple[str, ...], open_ns: list[int], close_ns: list[int], why: str
) -> None:
    """Sessions out of order, of no length, or over each other make no calendar."""
    columns = (np.array(hours, dtype=np.int64) * HOUR_NS for hours in (open_ns, close_ns))
    opens, closes = columns

    with pytest.raises(InvariantError, match=why):
        make_calendar(name="TEST", sha256="", dates=dates, open_ns=opens, close_ns=closes)


def test_pause_outside_its_session_is_refused() -> None:
    """A pause that ends after the close is a mistake in the table."""
    with pytest.raises(InvariantError, match="pause"):
        three(break_ns=[10 * HOUR_NS] * 3, resume_ns=[12 * HOUR_NS] * 3)


def test_changed_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One holiday less, and nothing starts: the sentence says what happened, what it means and what to do."""
    content = TABLE.read_bytes()
    changed = content.replace(b"closed,2013-11-28,Thu,,\n", b"")
    assert len(changed) < len(content)
    monkeypatch.setattr(calendars, "_xnys_content", lambda: changed)

    with pytest.raises(DataError, match=r"xnys.csv, is not the one .* nothing was started\. Install Interlock again"):
        load_calendar("XNYS")


def test_missing_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation is a sentence, not a traceback."""
    monkeypatch.setattr(calendars, "_XNYS_FILE", "absent.csv")

    with pytest.raises(DataError, match=r"absent.csv, cannot be read \(No such file or directory\)"):
        load_calendar("XNYS")


def test_other_exchange_comes_from_the_package(package: ModuleType) -> None:
    """London opens at 08:00 of its own clock, over the same span, and names its table by a hash."""
    assert package.__name__ == "exchange_calendars"

    london = load_calendar("XLON")

    assert ("08:00-16:30", "07:00-15:30") == (hours(london, "2024-01-15"), hours(london, "2024-07-15"))
    assert ("XLON", 64, "2028-12-29") == (london.name, len(london.sha256), london.dates[-1])


@pytest.mark.usefixtures("package")
def test_same_exchange_has_the_same_table_each_time() -> None:
    """A calendar of the package does not depend on the day on which it is read."""
    assert load_calendar("XLON").identity == load_calendar("XLON").identity


@pytest.mark.usefixtures("package")
def test_exchange_with_a_pause_is_closed_at_noon() -> None:
    """Hong Kong rests from 12:00 to 13:00 of its own clock."""
    hong_kong = load_calendar("XHKG")

    found = [place_of(hong_kong, instant_ns(f"2024-01-15 {at}")).is_open for at in ("03:59", "04:00", "04:59", "05:00")]

    assert [True, False, False, True] == found


@pytest.mark.usefixtures("package")
def test_exchange_that_is_known_for_a_shorter_time_is_read_for_that_time() -> None:
    """The span is cut to what the package knows, never stretched by a guess."""
    assert "2026-12-31" == load_calendar("XSES").dates[-1]


@pytest.mark.usefixtures("package")
def test_other_name_of_new_york_is_our_table(xnys: Calendar) -> None:
    """NYSE is XNYS, by the same table."""
    assert xnys.identity == load_calendar("NYSE").identity


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("name", ["XXXX", "xnys", "", "../xnys", "XNYS\x1b[2J"])
def test_unknown_exchange_is_refused(name: str) -> None:
    """A name that nobody knows starts nothing, and cannot fake a screen."""
    with pytest.raises(ConfigError, match=r"No exchange is known by the name [^\x1b]*Nothing was started"):
        load_calendar(name)


class PackageThatCannot:
    """A package that knows a name and cannot make its sessions."""

    def resolve_alias(self, name: str) -> str:
        """Know every name."""
        return name

    def get_calendar(self, name: str) -> object:
        """Break."""
        message = f"special dates of {name} are not sessions"
        raise ValueError(message)


class ErrorsOfThePackage:
    """The errors of a package."""

    InvalidCalendarName = KeyError
    CalendarError = LookupError


def test_sessions_that_cannot_be_made_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong inside the package is a sentence with its own words in it."""
    monkeypatch.setitem(sys.modules, "exchange_calendars", PackageThatCannot())  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "exchange_calendars.errors", ErrorsOfThePackage())  # type: ignore[arg-type]

    with pytest.raises(ConfigError, match=r"'XTAE' cannot be made: .*special dates of XTAE.*nothing was started"):
        load_calendar("XTAE")


def test_absent_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs an absent extra says so in one sentence, and says what needs none."""
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)

    with pytest.raises(ConfigError, match=r"'XLON' need.*uv sync --extra calendars.*Nothing was started"):
        load_calendar("XLON")


def test_new_york_needs_no_package(monkeypatch: pytest.MonkeyPatch, xnys: Calendar) -> None:
    """The table that comes with Interlock is read where nothing else is installed."""
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)

    assert xnys.identity == load_calendar("XNYS").identity
