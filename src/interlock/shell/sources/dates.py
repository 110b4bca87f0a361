"""Exchange days: which trading date an instant has, and which instant a local clock means.

Floor 2 (shell). It never reads a clock: every instant and every local time is handed in.
On the trip: SEE asks it once a snapshot; the answer is kept for a whole day and costs nothing.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from interlock.model.errors import DataError, invariant
from interlock.model.units import SECOND_NS, plain

#: The zone of the exchanges that the simulator and LEAN's US equities speak of.
NEW_YORK = "America/New_York"
#: 9999-12-30T00:00:00Z is more than int64 nanoseconds can hold; the columns end in the year 2262.
TIME_NS_MAX = 2**63 - 1


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone with this name.

    Raises:
        DataError: there is no such zone on this machine.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = (
            f"The time zone {plain(name)!r} is not known on this machine, so no local time can be read. Write a name "
            f'such as "{NEW_YORK}"; if that is what stands there, install the package tzdata. Nothing was started.'
        )
        raise DataError(message) from None


class ExchangeDays:
    """The days of one exchange: `ExchangeDays("America/New_York")`.

    Examples:
        >>> days = ExchangeDays("America/New_York")
        >>> days.date_of(1_381_156_200 * 1_000_000_000)
        '2013-10-07'
    """

    def __init__(self, zone_name: str) -> None:
        self._zone = zone_named(zone_name)
        self._date = ""
        self._from_ns = 0
        self._until_ns = 0

    def date_of(self, at_ns: int) -> str:
        """Return the exchange's date of an instant, `YYYY-MM-DD`.

        Args:
            at_ns: UTC, nanoseconds since 1970.
        """
        if not self._from_ns <= at_ns < self._until_ns:
            self._turn_page(at_ns)
        return self._date

    def _turn_page(self, at_ns: int) -> None:
        invariant(0 <= at_ns <= TIME_NS_MAX, "an instant lies between 1970 and 2262", at_ns=at_ns)
        today = datetime.fromtimestamp(at_ns // SECOND_NS, tz=self._zone).date()
        self._date = today.isoformat()
        self._from_ns = self.midnight_ns(today)
        self._until_ns = self.midnight_ns(today + timedelta(days=1))

    def midnight_ns(self, day: date) -> int:
        """Return the instant at which a day begins on the exchange, UTC, nanoseconds since 1970."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return int(midnight.timestamp()) * SECOND_NS

    def instant_ns(self, wall: datetime) -> int:
        """Return the instant at which the exchange's clock shows `wall`.

        Args:
            wall: a local time without a zone, in whole seconds.

        Returns:
            UTC, nanoseconds since 1970.

        Raises:
            ValueError: in words, when the clock shows it twice or never, as on the days on which it is changed.
        """
        earlier = wall.replace(tzinfo=self._zone, fold=0)
        later = wall.replace(tzinfo=self._zone, fold=1)
        if earlier.utcoffset() != later.utcoffset():
            message = "the clocks are changed at that local time, so it is shown twice or never"
            raise ValueError(message)
        return int(earlier.timestamp()) * SECOND_NS


def iso_ns(at_ns: int) -> str:
    """Write nanoseconds since 1970 as an ISO time without a zone, all nine decimals kept.

    Examples:
        >>> iso_ns(1_381_156_200_000_000_001)
        '2013-10-07T14:30:00.000000001'
    """
    return str(np.datetime_as_string(np.datetime64(at_ns, "ns")))
