"""The policy: what the written limits, a named profile and a canary become.

Floor 2 (shell), though it touches nothing. It sizes a profile from the account's cash alone, invents no number that
nobody can look up.
On the trip: before it; `wiring` makes the limits in force here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from interlock.config_risk import RiskConfig, StrategyRiskConfig, SymbolRiskConfig
from interlock.core.risk.keys import KEYS, LESS
from interlock.core.risk.limits import Limits, limits_of, make_limits
from interlock.model.journal import LimitInForce
from interlock.model.units import BPS_PER_ONE, SECOND_NS

#: Named limits: in basis points of the cash for money, else the number itself; the rest has the table's defaults.
#: What a default would be reached before is written out here, so that every number of a profile can bind.
PROFILES: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "starter": {
            "max_order_qty": 100,
            "max_order_notional_micros": 200,
            "max_position_notional_micros": 500,
            "max_gross_notional_micros": 2_000,
            "max_capital_micros": 2_000,
            "max_strategy_capital_micros": 2_000,
            "price_collar_bps": 200,
            "max_daily_loss_micros": 50,
            "max_strategy_loss_micros": 25,
            "max_order_count": 2,
            "order_window_ns": SECOND_NS,
        },
        "small": {
            "max_order_qty": 500,
            "max_order_notional_micros": 500,
            "max_position_notional_micros": 1_000,
            "max_gross_notional_micros": 5_000,
            "max_capital_micros": 5_000,
            "max_strategy_capital_micros": 5_000,
            "price_collar_bps": 300,
            "max_daily_loss_micros": 100,
            "max_strategy_loss_micros": 50,
            "max_order_count": 5,
            "order_window_ns": SECOND_NS,
        },
        # The default cash_buffer keeps a fifth of the cash, and fees take some: all of the rest is never reached.
        "paper": {
            "max_order_qty": 1_000,
            "max_order_notional_micros": 1_000,
            "max_position_notional_micros": 2_000,
            "max_gross_notional_micros": 7_500,
            "max_capital_micros": 7_500,
            "max_strategy_capital_micros": 7_500,
            "price_collar_bps": 300,
            "max_order_count": 10,
            "order_window_ns": SECOND_NS,
        },
    }
)
CANARY_ENTRIES_DAY = 10
CANARY_PART = 10


def limits_for(risk: RiskConfig | None, *, cash_micros: int | None, bar_ns: int) -> Limits:
    """Return the limits in force of a configuration.

    Args:
        risk: its section, None where there is none.
        cash_micros: the account's cash, None where it is not written.
        bar_ns: length of the source's bars or steps.
    """
    if risk is None:
        return make_limits(has_policy=False, symbols=(), written={}, cash_micros=cash_micros, bar_ns=bar_ns)
    name = risk.profile or ""
    limits = make_limits(
        has_policy=True,
        symbols=risk.symbols,
        written=written(risk),
        cash_micros=cash_micros,
        bar_ns=bar_ns,
        own=own_limits(risk),
        restricted=risk.restricted,
        groups={symbol: group for group, symbols in risk.groups.items() for symbol in symbols},
        profile=expanded(name, cash_micros=cash_micros) if name and cash_micros is not None else None,
        profile_name=name,
    )
    return _canary(limits) if risk.deployment == "canary" else limits


def written(section: RiskConfig | StrategyRiskConfig | SymbolRiskConfig) -> dict[str, int]:
    """Return the limits that one section writes, by their names in the program."""
    fields = msgspec.structs.asdict(section)
    found: dict[str, int] = {name: value for name, value in fields.items() if name in KEYS and type(value) is int}
    for field, count, window in (
        ("max_order_rate", "max_order_count", "order_window_ns"),
        ("max_strategy_rate", "max_strategy_count", "strategy_window_ns"),
    ):
        rate: tuple[int, int] | None = fields.get(field)
        if rate is not None:
            found[count], found[window] = rate
    return found


def own_limits(risk: RiskConfig) -> dict[tuple[str, str], int]:
    """Return the limits of single strategies and symbols, by (scope, key)."""
    found: dict[tuple[str, str], int] = {}
    for name, section in risk.strategy.items():
        found |= {(f"strategy:{name}", key): value for key, value in written(section).items()}
    for symbol, own in risk.symbol.items():
        found |= {(f"symbol:{symbol}", key): value for key, value in written(own).items()}
    return found


def expanded(profile: str, *, cash_micros: int) -> dict[str, int]:
    """Return the numbers of a named profile for an account of this cash.

    Examples:
        >>> expanded("starter", cash_micros=10_000 * 10**6)["max_order_notional_micros"]
        200000000
    """
    return {
        name: cash_micros * value // BPS_PER_ONE if KEYS[name].unit == "micros" else value
        for name, value in PROFILES[profile].items()
    }


def _canary(limits: Limits) -> Limits:
    """Return the limits of a first deployment: one lot an order, few entries, a tenth of every amount of money.

    Source: RTS 6 article 8, controlled deployment (row 50 of the control catalogue).
    """
    # A canary trades one symbol; the lot of another would be a larger order of this one.
    lots = [limits.own.get((f"symbol:{symbol}", "lot_size_qty")) for symbol in sorted(limits.symbols)]
    lot_qty = next((lot.value for lot in lots if lot is not None), limits.value("lot_size_qty"))
    in_force = {name: _canary_of(limit, lot_qty or 1) for name, limit in limits.in_force.items()}
    own = {place: _canary_of(limit, lot_qty or 1) for place, limit in limits.own.items()}
    # The strictest of all that hold is found anew, or a strategy's own limits would bring the full ones back.
    resolved = limits_of((*in_force.values(), *own.values())).resolved
    return msgspec.structs.replace(limits, in_force=in_force, own=own, resolved=resolved)


def _canary_of(limit: LimitInForce, lot_qty: int) -> LimitInForce:
    """Return one limit as a canary has it."""
    key, value = KEYS[limit.key], limit.value
    if value is None:
        return limit
    if key.unit == "micros" and key.stricter == LESS:
        value //= CANARY_PART
    elif limit.key == "max_order_qty":
        value = min(value, lot_qty)
    elif limit.key == "max_entries_day":
        value = min(value, CANARY_ENTRIES_DAY)
    return (
        limit if value == limit.value else msgspec.structs.replace(limit, value=value, source=f"{limit.source} canary")
    )
