"""The limits that the tests of the core are judged by: generous ones, of which a test changes what it is about."""

from __future__ import annotations

import msgspec
from tests.journal_factory import OPENING_MICROS

from interlock.core.risk.limits import Limits, make_limits
from interlock.model.journal import LimitInForce

SYMBOLS = ("SPY", "IBM", "AIG")
GENEROUS = {
    "max_order_qty": 10_000,
    "max_order_notional_micros": 10**12,
    "max_position_notional_micros": 10**12,
    "max_gross_notional_micros": 10**12,
    "price_collar_bps": 300,
    "soft_order_notional_micros": 10**12,
    "soft_collar_bps": 300,
    "max_order_count": 1_000,
    "max_strategy_count": 1_000,
    "max_count_minute": 10**6,
    "max_count_hour": 10**6,
    "max_count_day": 10**6,
    "max_entries_day": 10**6,
    "max_value_minute_micros": 10**15,
    "max_value_hour_micros": 10**15,
    "max_value_day_micros": 10**15,
    "max_net_notional_micros": 10**12,
    "max_leverage_x100": 10**6,
    "max_concentration_bps": 10_000,
    "soft_concentration_bps": 10_000,
    "max_group_bps": 10_000,
    "max_open_orders": 1_000,
    "max_symbol_orders": 1_000,
    "max_unexecuted_micros": 10**12,
    "max_capital_micros": 10**12,
    "max_strategy_capital_micros": 10**12,
    "cash_buffer_micros": 0,
    "max_adv_bps": 10_000,
    "max_volume_bps": 10_000,
    "warm_up_quotes": 0,
    "max_reentries": 10**6,
    "max_repeats": 10**6,
    "max_rejects_in_row": 10**6,
    "max_rejects": 10**6,
    "max_order_to_trade": 10**6,
    "max_daily_loss_micros": 10**12,
    "max_strategy_loss_micros": 10**12,
    "max_drawdown_bps": 10_000,
    "max_strategy_drawdown_bps": 10_000,
    "max_jump_bps": 10_000,
    "max_spread_bps": 10_000,
    "soft_spread_bps": 10_000,
    "pause_move_bps": 10_000,
    "halt_move_bps": 10_000,
}


def limits(  # noqa: PLR0913 - what a policy is made of
    *,
    has_policy: bool = True,
    symbols: tuple[str, ...] = SYMBOLS,
    cash: int | None = OPENING_MICROS,
    own: dict[tuple[str, str], int] | None = None,
    restricted: tuple[str, ...] = (),
    groups: dict[str, str] | None = None,
    **written: int | None,
) -> Limits:
    """Return generous limits with some of them changed; None takes a limit away, whatever its default."""
    numbers = {key: value for key, value in {**GENEROUS, **written}.items() if value is not None}
    made = make_limits(
        has_policy=has_policy,
        symbols=symbols,
        written=numbers,
        cash_micros=cash,
        bar_ns=0,
        own=own,
        restricted=restricted,
        groups=groups,
    )
    missing = {
        key: LimitInForce(key=key, value=None, unit="count", source="none")
        for key, value in written.items()
        if value is None
    }
    return msgspec.structs.replace(made, in_force={**made.in_force, **missing})
