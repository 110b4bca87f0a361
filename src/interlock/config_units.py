"""The units and the names of a configuration: how each is written, read, and shown again.

Floor 2 (shell), though it touches nothing. A bare number is never an amount.
On the trip: before it; the types of the sections are built from these.
"""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from interlock.model.units import (
    INTEGER_MAX,
    duration,
    money,
    parse_bps,
    parse_duration,
    parse_money,
    parse_rate,
    parse_shares,
    percent,
    shares,
)
from interlock.tomlfields import Unit

#: The longest window of a scanner, in snapshots.
WINDOW_MAX = 1_000
#: The most cycles that a run may be asked for.
CYCLES_MAX = 10**12

_TIMES = re.compile(r"(\d{1,6})(?:\.(\d{1,2}))? x")


def parse_times(text: str) -> int:
    """Read a multiple such as `2.5 x` in hundredths.

    Raises:
        ValueError: in words, when the text is no such multiple.

    Examples:
        >>> parse_times("2.5 x"), parse_times("3 x")
        (250, 300)
    """
    found = _TIMES.fullmatch(text)
    if found is None:
        message = 'write a multiple with at most two decimals, such as "2.5 x"'
        raise ValueError(message)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def times(multiple_x100: int) -> str:
    """Write hundredths as a multiple.

    Examples:
        >>> times(250)
        '2.50 x'
    """
    return f"{multiple_x100 // 100}.{multiple_x100 % 100:02d} x"


MONEY = Unit(name="dollars", example='"$10,000"', parse=parse_money, show=money)
SHARES = Unit(name="whole shares", example='"200 shares"', parse=parse_shares, show=shares)
SPAN = Unit(name="a span of time", example='"90 s"', parse=parse_duration, show=duration)
PART = Unit(name="per cent or basis points", example='"3 %"', parse=parse_bps, show=percent)
RATE = Unit(name="a count and a unit of time", example='"10 / s"', parse=parse_rate, show=str)
TIMES = Unit(name="a multiple", example='"2.5 x"', parse=parse_times, show=times)

CycleCount = Annotated[int, Meta(ge=0, le=CYCLES_MAX)]
Natural = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(gt=0)]
Part = Annotated[int, Meta(ge=0, le=10_000)]
PositivePart = Annotated[int, Meta(gt=0, le=10_000)]
Window = Annotated[int, Meta(ge=2, le=WINDOW_MAX)]
Symbol = Annotated[str, Meta(pattern=r"[A-Z0-9][A-Z0-9.\-]{0,14}")]
AccountName = Annotated[str, Meta(pattern=r"[a-z0-9][a-z0-9._-]{0,31}")]
StrategyName = Annotated[str, Meta(pattern=r"[a-z0-9_-]{1,24}")]
StrategyClass = Annotated[
    str, Meta(pattern=r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*")
]
SettingName = Annotated[str, Meta(pattern=r"[a-z][a-z0-9_]{0,39}")]
Setting = Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)] | bool | str
Text = Annotated[str, Meta(pattern=r".+")]

SYMBOLS_FORM = 'symbols in capitals, such as ["SPY", "IBM"]; each holds A-Z, 0-9, . and -, at most 15'
GROUP_FORM = 'names of groups with their symbols, such as { banks = ["BAC", "AIG"] }'
GROUP_NAMES = "the name of a group: small letters, digits and _, a letter first, at most 40"
STRATEGY_FORM = "a section for each strategy, such as [risk.strategy.cross]"
STRATEGY_NAMES = "the name of a strategy: small letters, digits, _ and -, at most 24"
SYMBOL_FORM = "a section for each symbol, such as [risk.symbol.IBM]"
SYMBOL_NAMES = 'a symbol in capitals: A-Z, 0-9, . and -, at most 15; one with a dot in quotes, [risk.symbol."BRK.B"]'
Exchange = Annotated[str, Meta(pattern=r"[A-Z0-9][A-Z0-9/_]{0,15}")]
