"""The exchange's sessions: whether it is open at an instant, how far in, and how many sessions are still known.

Floor 1 (decisions). Pure: it reads no clock, no file and no zone; a calendar is handed in whole, in UTC.
It never guesses beyond its table: before the first session and after the last, the exchange is closed.
On the trip: asked once a cycle, after BOOK; the gate reads the answer.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np

from interlock.model.errors import invariant
from interlock.model.market import Column
from interlock.model.units import INTEGER_MAX, SECOND_NS

#: The name of the calendar that never closes.
NEVER_CLOSES = "24/7"
#: What stands for "without end" where a calendar never closes: the age of its session, and what is left of it.
ENDLESS = INTEGER_MAX
#: A session shorter or longer than this was not read in nanoseconds, or not read right.
SESSION_NS_MIN, SESSION_NS_MAX = 60 * SECOND_NS, 25 * 3600 * SECOND_NS

_NONE: Column = np.frombuffer(b"", dtype=np.int64)


class Calendar(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The sessions of one exchange, one entry each, in order; `make_calendar` checks and seals them.

    Attributes:
        name: of the exchange, by its market identifier ("XNYS"), or "24/7".
        sha256: of the table that it was read from, hexadecimal; "" for "24/7".
        dates: the exchange's date of each session, `YYYY-MM-DD`, ascending.
        open_ns: int64[N], UTC, the first instant of each session.
        close_ns: int64[N], UTC, the first instant after each session.
        break_ns: int64[N], UTC, when its pause begins (`close_ns` where a session has none), or int64[0] if none has.
        resume_ns: int64[N], UTC, the first instant after its pause; in the same form as `break_ns`.
    """

    name: str
    sha256: str
    dates: tuple[str, ...]
    open_ns: Column
    close_ns: Column
    break_ns: Column = _NONE
    resume_ns: Column = _NONE

    @property
    def identity(self) -> tuple[tuple[str, str], ...]:
        """Return what makes the sessions the same again, for the journal: name, table, and what it spans."""
        first, last = (self.dates[0], self.dates[-1]) if self.dates else ("", "")
        spans = (("first", first), ("last", last), ("sessions", str(len(self.dates))))
        return (("name", self.name), ("sha256", self.sha256), *spans)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an instant lies among the sessions.

    Attributes:
        is_open: True from the opening on, and no longer at the close.
        since_open_ns: since the session began; 0 while it is closed.
        until_close_ns: until the session ends; 0 while it is closed.
        sessions_left: sessions that begin after the instant, of those that the table knows.
        date: the exchange's date of the session, `YYYY-MM-DD`; "" while it is closed, and for "24/7".
    """

    is_open: bool
    since_open_ns: int
    until_close_ns: int
    sessions_left: int
    date: str


#: The calendar that never closes: it has no sessions, so its name alone says that it is always open.
ALWAYS_OPEN = Calendar(name=NEVER_CLOSES, sha256="", dates=(), open_ns=_NONE, close_ns=_NONE)

_ALWAYS = Place(is_open=True, since_open_ns=ENDLESS, until_close_ns=ENDLESS, sessions_left=ENDLESS, date="")


def make_calendar(  # noqa: PLR0913 - one argument a column, all by keyword
    *,
    name: str,
    sha256: str,
    dates: tuple[str, ...],
    open_ns: Column,
    close_ns: Column,
    break_ns: Column = _NONE,
    resume_ns: Column = _NONE,
) -> Calendar:
    """Check the sessions of an exchange, and keep them in bytes that nothing can write to.

    Args:
        name: of the exchange; not "24/7", which is `ALWAYS_OPEN`.
        sha256: of the table that they were read from, hexadecimal.
        dates: `YYYY-MM-DD` of each session.
        open_ns: int64[N], UTC.
        close_ns: int64[N], UTC.
        break_ns: int64[N], UTC, or left out where no session has a pause.
        resume_ns: int64[N], UTC, or left out likewise.

    Returns:
        The calendar.

    Raises:
        InvariantError: sessions that are out of order, overlap, or have no sane length.
    """
    invariant(name != NEVER_CLOSES, "the calendar that never closes has no sessions", name=name)
    ascending = all(earlier < later for earlier, later in pairwise(dates))
    invariant(ascending, "the dates of the sessions ascend", name=name)
    opens, closes = (_sealed(column, sessions=len(dates)) for column in (open_ns, close_ns))
    length_ns = closes - opens
    is_sane = bool(np.all((length_ns >= SESSION_NS_MIN) & (length_ns <= SESSION_NS_MAX)))
    invariant(is_sane, "a session lasts from a minute to 25 hours", name=name)
    invariant(bool(np.all(closes[:-1] <= opens[1:])), "a session ends before the next begins", name=name)
    breaks, resumes = break_ns, resume_ns
    if break_ns.size or resume_ns.size:
        breaks, resumes = (_sealed(column, sessions=len(dates)) for column in (break_ns, resume_ns))
        is_inside = bool(np.all((opens <= breaks) & (breaks <= resumes) & (resumes <= closes)))
        invariant(is_inside, "the pause of a session lies inside it", name=name)
    return Calendar(
        name=name,
        sha256=sha256,
        dates=dates,
        open_ns=opens,
        close_ns=closes,
        break_ns=breaks,
        resume_ns=resumes,
    )


def _sealed(column: Column, *, sessions: int) -> Column:
    """Return a column in bytes that nothing can write to."""
    invariant(column.shape == (sessions,), "a column has one entry a session", shape=column.shape)
    invariant(column.dtype == np.int64, "a column of instants holds int64", dtype=column.dtype)
    return np.frombuffer(column.tobytes(), dtype=np.int64)


def place_of(calendar: Calendar, as_of_ns: int) -> Place:
    """Return where an instant lies among the sessions.

    The opening is inside and the close outside: at 16:00:00 sharp the exchange is closed.

    Args:
        calendar: the sessions.
        as_of_ns: UTC, nanoseconds since 1970.

    Returns:
        The place; outside the table the exchange is closed, and after its last session none is left.
    """
    if calendar.name == NEVER_CLOSES:
        return _ALWAYS
    begun = int(calendar.open_ns.searchsorted(as_of_ns, side="right"))
    sessions_left = len(calendar.dates) - begun
    ix = begun - 1
    if ix < 0 or as_of_ns >= int(calendar.close_ns[ix]) or _pauses(calendar, ix=ix, as_of_ns=as_of_ns):
        return Place(is_open=False, since_open_ns=0, until_close_ns=0, sessions_left=sessions_left, date="")
    return Place(
        is_open=True,
        since_open_ns=as_of_ns - int(calendar.open_ns[ix]),
        until_close_ns=int(calendar.close_ns[ix]) - as_of_ns,
        sessions_left=sessions_left,
        date=calendar.dates[ix],
    )


def _pauses(calendar: Calendar, *, ix: int, as_of_ns: int) -> bool:
    """Return True if the session at `ix` pauses at the instant, as some exchanges do at noon."""
    return bool(calendar.break_ns.size) and int(calendar.break_ns[ix]) <= as_of_ns < int(calendar.resume_ns[ix])
