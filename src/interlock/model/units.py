"""Units: what a number means, how a person writes it, and how it is read back to them.

Floor 0 (words). Money, time and size are integers; a unit ends the name.

======== =====================================================================
suffix   meaning
======== =====================================================================
``ns``   nanoseconds; a `TimeNs` counts them since 1970-01-01T00:00:00Z (UTC)
``px``   price of one share in micros
``micros`` 1e-6 of the quote currency (US dollars)
``qty``  whole shares
``bps``  hundredths of one per cent
``ix``   position of a symbol in the universe
======== =====================================================================
"""

from __future__ import annotations

import re
from typing import NewType

import numpy as np

TimeNs = NewType("TimeNs", int)
Micros = NewType("Micros", int)
Shares = NewType("Shares", int)
Bps = NewType("Bps", int)
SymbolIx = NewType("SymbolIx", int)

SECOND_NS = 1_000_000_000
MICROS_PER_DOLLAR = 1_000_000
BPS_PER_ONE = 10_000
#: No price, size or amount of a person's account comes near this; beyond it a number is a mistake.
INTEGER_MAX = 2**53

_DURATION_NS = {"ms": 10**6, "s": SECOND_NS, "min": 60 * SECOND_NS, "h": 3600 * SECOND_NS, "d": 86_400 * SECOND_NS}
_NUMBER = r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?"
_MONEY = re.compile(rf"\${_NUMBER}")
_SHARES = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+) shares?")
_DURATION = re.compile(rf"{_NUMBER} (ms|s|min|h|d)")
_PERCENT = re.compile(rf"{_NUMBER} %")
_BPS = re.compile(r"([0-9]+) bps")
_RATE = re.compile(r"([0-9]+) / (?:([0-9]+) )?(s|min|h)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def _scaled(whole: str, fraction: str | None, scale: int) -> int:
    """Return `whole.fraction * scale` exactly, or raise ValueError if that is no whole number."""
    digits = fraction or ""
    numerator = int(whole.replace(",", "") + digits) * scale
    quotient, remainder = divmod(numerator, int(10 ** len(digits)))
    if remainder != 0:
        message = "it has more decimals than its unit can hold"
        raise ValueError(message)
    if quotient > INTEGER_MAX:
        message = "it is larger than any amount that Interlock keeps"
        raise ValueError(message)
    return quotient


def parse_money(text: str) -> Micros:
    """Read an amount such as `$100,000` or `$0.005` as micros.

    Raises:
        ValueError: in words, when the text is not an amount of dollars.

    Examples:
        >>> parse_money("$181.20")
        181200000
    """
    found = _MONEY.fullmatch(text)
    if found is None:
        message = 'write an amount of dollars, such as "$10,000" or "$0.005"'
        raise ValueError(message)
    return Micros(_scaled(found[1], found[2], MICROS_PER_DOLLAR))


def parse_shares(text: str) -> Shares:
    """Read a size such as `200 shares`.

    Examples:
        >>> parse_shares("1,000 shares")
        1000
    """
    found = _SHARES.fullmatch(text)
    if found is None:
        message = 'write whole shares, such as "200 shares"'
        raise ValueError(message)
    return Shares(_scaled(found[1], None, 1))


def parse_duration(text: str) -> int:
    """Read a span of time such as `90 s` or `0.5 s` as nanoseconds; units: ms, s, min, h, d.

    Examples:
        >>> parse_duration("1.5 s")
        1500000000
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        message = 'write a span of time with its unit (ms, s, min, h, d), such as "90 s"'
        raise ValueError(message)
    return _scaled(found[1], found[2], _DURATION_NS[found[3]])


def parse_bps(text: str) -> Bps:
    """Read a share of a whole such as `3 %`, `0.5 %` or `50 bps` as basis points.

    Examples:
        >>> parse_bps("3 %"), parse_bps("50 bps")
        (300, 50)
    """
    in_bps = _BPS.fullmatch(text)
    if in_bps is not None:
        return Bps(_scaled(in_bps[1], None, 1))
    found = _PERCENT.fullmatch(text)
    if found is None:
        message = 'write per cent or basis points, such as "3 %" or "50 bps"'
        raise ValueError(message)
    return Bps(_scaled(found[1], found[2], 100))


def parse_rate(text: str) -> tuple[int, int]:
    """Read a rate such as `10 / s` or `10 / 5 s` as (count, window in nanoseconds).

    Examples:
        >>> parse_rate("10 / s"), parse_rate("10 / 5 s")
        ((10, 1000000000), (10, 5000000000))
    """
    found = _RATE.fullmatch(text)
    if found is None:
        message = 'write a count and a unit of time, such as "10 / s" or "60 / min"'
        raise ValueError(message)
    window_ns = _scaled(found[2] or "1", None, _DURATION_NS[found[3]])
    if window_ns <= 0:
        message = 'write a span above zero, such as "10 / s"'
        raise ValueError(message)
    return _scaled(found[1], None, 1), window_ns


def money(micros: int) -> str:
    """Write micros as dollars: at least two decimals, more only where they are needed.

    Examples:
        >>> money(181_200_000), money(-5_000), money(36_240_000_000)
        ('$181.20', '-$0.005', '$36,240.00')
    """
    sign = "-" if micros < 0 else ""
    dollars, rest = divmod(abs(micros), MICROS_PER_DOLLAR)
    decimals = f"{rest:06d}"
    return f"{sign}${dollars:,}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def shares(qty: int) -> str:
    """Write a size with its unit.

    Examples:
        >>> shares(1), shares(1200)
        ('1 share', '1,200 shares')
    """
    return f"{qty:,} share" if abs(qty) == 1 else f"{qty:,} shares"


def duration(ns: int) -> str:
    """Write nanoseconds as seconds, or as milliseconds below one second.

    Examples:
        >>> duration(121 * SECOND_NS), duration(1_500_000_000), duration(40_000_000)
        ('121 s', '1.5 s', '40 ms')
    """
    if abs(ns) >= SECOND_NS or ns == 0:
        tenths = (ns + SECOND_NS // 20) // (SECOND_NS // 10)
        return f"{tenths // 10:,} s" if tenths % 10 == 0 else f"{tenths / 10:,.1f} s"
    return f"{ns // 10**6} ms"


def percent(bps: int) -> str:
    """Write basis points as per cent.

    Examples:
        >>> percent(300), percent(-25)
        ('3 %', '-0.25 %')
    """
    sign = "-" if bps < 0 else ""
    whole, rest = divmod(abs(bps), 100)
    return f"{sign}{whole:,} %" if rest == 0 else f"{sign}{whole:,}.{rest:02d} %"


def utc(time_ns: int) -> str:
    """Write a `TimeNs` as UTC to the second.

    Examples:
        >>> utc(1_381_156_200 * SECOND_NS)
        '2013-10-07T14:30:00Z'
    """
    return f"{np.datetime_as_string(np.datetime64(time_ns // SECOND_NS, 's'))}Z"


def plain(text: str) -> str:
    r"""Return `text` without control or direction characters, so that no outside word can fake a screen.

    Source: OWASP terminal injection; the C0, C1, zero-width and bidirectional controls of Unicode.

    Examples:
        >>> plain("IBM\x1b[2J\nOK")
        'IBM?[2J?OK'
    """
    return _CONTROL.sub("?", text)
