"""The limits in force: what the configuration wrote, what the table gives by default, and what nobody wrote.

Floor 1 (decisions). Pure. A limit without a value is not "no limit": its control blocks.
On the trip: made once at boot and journaled; RISK reads them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from interlock.model.journal import LimitInForce
from interlock.model.units import SECOND_NS

#: Keys that have no default: unwritten, they block entries.
NO_DEFAULT = (
    ("max_order_qty", "qty"),
    ("max_order_notional_micros", "micros"),
    ("max_position_notional_micros", "micros"),
    ("max_gross_notional_micros", "micros"),
    ("price_collar_bps", "bps"),
)
#: A quote of a source without bars may be this old.
QUOTE_AGE_NS_DEFAULT = 2 * SECOND_NS
ORDER_RATE_DEFAULT = 10
EXIT_COLLAR_BPS_DEFAULT = 1_000
DUPLICATE_WINDOW_NS_DEFAULT = 10 * SECOND_NS
TICK_PX_DEFAULT = 10_000
LOT_QTY_DEFAULT = 1


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Every limit by key, the allow-list, and whether there is a policy at all."""

    has_policy: bool
    symbols: frozenset[str]
    in_force: Mapping[str, LimitInForce]

    def value(self, key: str) -> int | None:
        """Return the value of a limit, None where nobody wrote one."""
        limit = self.in_force.get(key)
        return None if limit is None else limit.value

    def source(self, key: str) -> str:
        """Return where a limit comes from: `config`, `default`, or `none`."""
        limit = self.in_force.get(key)
        return "none" if limit is None else limit.source


def make_limits(
    *,
    has_policy: bool,
    symbols: tuple[str, ...],
    written: Mapping[str, int],
    cash_micros: int | None,
    bar_ns: int,
) -> Limits:
    """Expand what was written to every limit there is, each stamped with its source.

    Args:
        has_policy: False where the configuration has no `[risk]`.
        symbols: the allow-list.
        written: key to value, of the keys that were written.
        cash_micros: the account's cash, None where it is not written.
        bar_ns: length of the source's bars or steps, 0 for single quotes; a quote may be one and a half
            of them old by default, but at least `QUOTE_AGE_NS_DEFAULT`.

    Returns:
        The limits. The defaults stand without a policy too, for an exit is judged by them; entries then block,
        for `POLICY_MISSING` reads `has_policy`.
    """
    keys: list[LimitInForce] = []
    for key, unit in NO_DEFAULT:
        value = written.get(key)
        keys.append(LimitInForce(key=key, value=value, unit=unit, source="none" if value is None else "config"))
    defaults = (
        ("max_quote_age_ns", "ns", max(QUOTE_AGE_NS_DEFAULT, bar_ns * 3 // 2)),
        ("max_order_count", "count", ORDER_RATE_DEFAULT),
        ("order_window_ns", "ns", SECOND_NS),
        ("exit_collar_bps", "bps", EXIT_COLLAR_BPS_DEFAULT),
        ("duplicate_window_ns", "ns", DUPLICATE_WINDOW_NS_DEFAULT),
        ("tick_size_px", "px", TICK_PX_DEFAULT),
        ("lot_size_qty", "qty", LOT_QTY_DEFAULT),
    )
    for key, unit, default in defaults:
        source = "config" if key in written else "default"
        keys.append(LimitInForce(key=key, value=written.get(key, default), unit=unit, source=source))
    source = "none" if cash_micros is None else "config"
    keys.append(LimitInForce(key="cash_micros", value=cash_micros, unit="micros", source=source))
    return Limits(has_policy=has_policy, symbols=frozenset(symbols), in_force={limit.key: limit for limit in keys})
