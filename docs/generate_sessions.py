"""Write the table of the sessions of the New York Stock Exchange from the package exchange-calendars.

Run `uv run python docs/generate_sessions.py` with the extra `calendars`, read what changed with your own eyes, and
put the SHA-256 that it prints into `XNYS_SHA256` of src/interlock/shell/calendars.py; a test compares the two.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import exchange_calendars
from exchange_calendars import ExchangeCalendar

TABLE = Path(__file__).resolve().parents[1] / "src/interlock/shell/sources/xnys.csv"
NEW_YORK = ZoneInfo("America/New_York")
#: Since 1985-09-30 the regular hours have been the same; the table begins in a year that is whole.
FIRST, LAST = date(1990, 1, 1), date(2028, 12, 31)
REGULAR = ("09:30", "16:00")
SATURDAY = 5

OPENING = """\
# The sessions of the New York Stock Exchange (XNYS). Written by docs/generate_sessions.py; nothing is changed by hand.
# Every Monday to Friday from the first date to the last is a session with the regular hours, in New York time, but
# for the days below: "closed" has no session, "hours" has these. The program checks the SHA-256 of this file.
row,date,weekday,opens,closes
"""


def calendar() -> ExchangeCalendar:
    """Return what the package knows of the exchange."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what the package asks of pandas is its own affair
        return exchange_calendars.get_calendar("XNYS", start=FIRST.isoformat(), end=LAST.isoformat())


def hours_of(known: ExchangeCalendar) -> dict[date, tuple[str, str]]:
    """Return the opening and the close of each session in New York time, `HH:MM`."""
    table = known.schedule
    opens, closes = (table[name].dt.tz_convert(NEW_YORK).dt.strftime("%H:%M") for name in ("open", "close"))
    days = (day.date() for day in known.sessions)
    return {day: (opened, closed) for day, opened, closed in zip(days, opens, closes, strict=True)}


def rows(hours: dict[date, tuple[str, str]]) -> Iterator[str]:
    """Yield the lines of the table."""
    first, last = min(hours), max(hours)
    yield f"first,{first},{first:%a},,"
    yield f"last,{last},{last:%a},,"
    yield f"regular,,Mon-Fri,{','.join(REGULAR)}"
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        found = hours.get(day)
        if found is None and day.weekday() < SATURDAY:
            yield f"closed,{day},{day:%a},,"
        elif found is not None and (found != REGULAR or day.weekday() >= SATURDAY):
            yield f"hours,{day},{day:%a},{','.join(found)}"


def rendered() -> str:
    """Return the whole table."""
    return OPENING + "\n".join(rows(hours_of(calendar()))) + "\n"


if __name__ == "__main__":
    text = rendered()
    TABLE.write_bytes(text.encode())
    print(f"{TABLE.name}: {hashlib.sha256(text.encode()).hexdigest()}")
