"""Defaults in words: what a limit is where nobody wrote it, found by asking the table itself.

Floor 2 (the world), and pure. It holds no number of its own.
It stands beside the trip: the book and whoever lists limits ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from interlock.core.risk.keys import KEYS, NO_DEFAULT, LimitKey
from interlock.core.words import number
from interlock.model.units import BPS_PER_ONE, MICROS_PER_DOLLAR, SECOND_NS, percent

#: What a default is asked with: a cash, a limit and a length of bars that come back in what it answers.
_CASH_MICROS = BPS_PER_ONE * MICROS_PER_DOLLAR
_LIMIT = 60 * BPS_PER_ONE
_BAR_NS = 86_400 * SECOND_NS
_NOTHING: Mapping[str, int | None] = MappingProxyType(dict.fromkeys(KEYS))
_PARTS = MappingProxyType(
    {
        Fraction(1, 2): "half of",
        Fraction(3, 5): "three fifths of",
        Fraction(3, 4): "three quarters of",
        Fraction(5): "five times",
    }
)


def default_words(key: LimitKey) -> str:
    """Return what a limit is where nobody wrote it; "" where nothing is, so that every entry is blocked.

    Examples:
        >>> default_words(KEYS["soft_order_notional_micros"]), default_words(KEYS["max_daily_loss_micros"])
        ('half of max_order_notional', '2 % of the cash')
        >>> default_words(KEYS["max_open_orders"]), default_words(KEYS["max_order_qty"])
        ('20', '')
        >>> default_words(KEYS["max_quote_age_ns"])
        '2 s, or one and a half bars or steps of the source where that is longer'
    """
    if key.name in NO_DEFAULT:
        return ""
    fixed = key.default(_NOTHING, None, 0)
    if fixed is not None:
        bars = key.default(_NOTHING, None, _BAR_NS)
        longer = ", or one and a half bars or steps of the source where that is longer"
        return number(fixed, key.unit) + ("" if bars == fixed else longer)
    of_cash = key.default(_NOTHING, _CASH_MICROS, 0)
    return _of_limit(key) if of_cash is None else _of_cash(of_cash)


def _of_cash(part_micros: int) -> str:
    """Return a part of the cash in words."""
    bps = part_micros * BPS_PER_ONE // _CASH_MICROS
    if bps == BPS_PER_ONE:
        return "the cash"
    return "twice the cash" if bps == 2 * BPS_PER_ONE else f"{percent(bps)} of the cash"


def _of_limit(key: LimitKey) -> str:
    """Return a part or a multiple of another limit in words."""
    for name, other in KEYS.items():
        value = key.default({**_NOTHING, name: _LIMIT}, None, 0)
        if value is not None:
            part = Fraction(value, _LIMIT)
            return f"{_PARTS.get(part, f'{part} of')} {other.written}"
    return ""
