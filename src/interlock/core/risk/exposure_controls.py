"""The controls of exposure: what could be held and owed if every subset of open orders filled, and what could be lost.

Floor 1 (decisions). One function and one line of the table each; a function reads facts, and never acts.
On the trip: RISK evaluates the lines in the order of the table.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from interlock.core.risk.facts import (
    SOFT,
    UNPRICED,
    Control,
    Facts,
    bps_of,
    changed,
    is_buy,
    value_of,
    with_order,
)
from interlock.core.risk.headroom import SymbolUse
from interlock.model.market import Provides
from interlock.model.orders import Side
from interlock.model.risk import ReasonCode
from interlock.model.units import shares

_QUOTES = frozenset({Provides.QUOTES})
_NO_CASH = "no cash is written under [account]"


def worst_micros(facts: Facts) -> int | str:
    """Pass if the symbol's worst case, all open orders filled, is inside the largest position."""
    return facts.sized.worst


def _before_micros(facts: Facts) -> int:
    """Return what the intent's symbol counts in the totals so far."""
    use = facts.headroom.use(facts.intent.symbol)
    return use.worst_qty() * facts.headroom.px(facts.intent.symbol, use)


def no_short(facts: Facts) -> Literal[True] | str:
    """Pass if no subset of fills leaves the account short: shorts are off."""
    if is_buy(facts):
        return True
    use = facts.headroom.use(facts.intent.symbol)
    short_qty = facts.intent.order_qty + use.open_sell_qty - use.position_qty
    return short_qty <= 0 or f"it could leave the account short by {shares(short_qty)}; shorts are off"


def open_orders(facts: Facts) -> int | str:
    """Pass if the account's open orders, this one and those in doubt included, are inside the limit."""
    return facts.headroom.totals.orders + 1


def symbol_orders(facts: Facts) -> int | str:
    """Pass if the symbol's open orders, this one and those in doubt included, are inside the limit."""
    return facts.headroom.use(facts.intent.symbol).orders + 1


def unexecuted(facts: Facts) -> int | str:
    """Pass if the value of all orders that have not filled yet, this one included, is inside the limit."""
    return facts.headroom.totals.unexecuted_micros + facts.intent.order_qty * facts.intent.limit_px


def concentration(facts: Facts) -> int | str:
    """Pass if the symbol's worst case is inside its part of the account's cash, in basis points, rounded up."""
    worst, cash = facts.sized.worst, value_of(facts, "cash_micros")
    if isinstance(worst, str):
        return worst
    return bps_of(worst, cash) if cash is not None and cash > 0 else _NO_CASH


def group(facts: Facts) -> int | str:
    """Pass if the worst cases of the symbol's group together are inside their part of the account's cash."""
    name, cash = facts.headroom.groups.get(facts.intent.symbol, ""), value_of(facts, "cash_micros")
    if not name:
        return 0
    worst = facts.sized.worst
    if isinstance(worst, str):
        return worst
    if cash is None or cash <= 0:
        return _NO_CASH
    if not facts.headroom.is_priced_but(facts.intent.symbol):
        return UNPRICED
    return bps_of(facts.headroom.by_group.get(name, 0) - _before_micros(facts) + worst, cash)


def gross(facts: Facts) -> int | str:
    """Pass if the worst cases of all symbols together are inside the account's limit."""
    return facts.sized.gross


def net(facts: Facts) -> int | str:
    """Pass if neither all buys filling nor all sells filling takes the account's net value beyond the limit."""
    px = facts.sized.px
    if isinstance(px, str):
        return px
    if not facts.headroom.is_priced_but(facts.intent.symbol):
        return UNPRICED
    symbol, totals = facts.intent.symbol, facts.headroom.totals
    use = facts.headroom.use(symbol)
    before_px, px = facts.headroom.px(symbol, use), max(px, use.open_px)
    longest, shortest = use.position_qty + use.open_buy_qty, use.position_qty - use.open_sell_qty
    buy_qty, sell_qty = (facts.intent.order_qty, 0) if is_buy(facts) else (0, facts.intent.order_qty)
    long_micros = totals.long_micros - longest * before_px + (longest + buy_qty) * px
    short_micros = totals.short_micros - shortest * before_px + (shortest - sell_qty) * px
    return max(abs(long_micros), abs(short_micros))


def leverage(facts: Facts) -> int | str:
    """Pass if the worst gross value is inside so many hundredths of the account's equity, rounded up."""
    total = facts.sized.gross
    if isinstance(total, str):
        return total
    equity = facts.equity_micros
    if equity is None or equity <= 0:
        return "the account's equity is unknown, or there is none"
    return -(-total * 100 // equity)


def strategy_capital(facts: Facts) -> int | str:
    """Pass if the worst cases of the strategy's own symbols together are inside its part of the capital."""
    px = facts.sized.px
    if isinstance(px, str):
        return px
    strategy_id, symbol = facts.intent.strategy_id, facts.intent.symbol
    own = facts.headroom.own_use(strategy_id, symbol)
    before = own.worst_qty() * facts.headroom.px(symbol, own)
    here = with_order(facts, own) * max(px, own.open_px)
    if not facts.headroom.is_priced_but(symbol):
        return UNPRICED
    return facts.headroom.by_strategy.get(strategy_id, 0) - before + here


def cash_needed(facts: Facts) -> int | str:
    """Return what the order may cost: its value if it buys, and its fees."""
    intent = facts.intent
    needed_micros = facts.fees.total(intent.order_qty)
    return needed_micros + intent.order_qty * intent.limit_px if is_buy(facts) else needed_micros


def cash_left(facts: Facts) -> int | str:
    """Pass if cash less all open buys, fees and this order leaves the buffer; sales not yet filled add nothing."""
    needed = cash_needed(facts)
    if value_of(facts, "cash_micros") is None:
        return _NO_CASH
    return needed if isinstance(needed, str) else facts.headroom.free_micros - needed


def equity_known(facts: Facts) -> Literal[True] | str:
    """Pass if the account's equity is known and above zero: no mark is missing, so losses are counted."""
    equity = facts.equity_micros
    return (equity is not None and equity > 0) or "the account's equity is unknown, or there is none left"


def _short_of(facts: Facts) -> Facts:
    use = SymbolUse(position_qty=facts.intent.order_qty - 1)
    headroom = msgspec.structs.replace(facts.headroom, uses={**facts.headroom.uses, facts.intent.symbol: use})
    return changed(facts, intent=msgspec.structs.replace(facts.intent, side=Side.SELL), headroom=headroom)


C, R = Control, ReasonCode
#: What could be held, and what is left of the cash.
EXPOSURE: tuple[Control, ...] = (
    C(
        code=R.SHORT_SALE, row="19", name="Short sale", scope="symbol", unit="flag",
        says="{note}", remedy="sell only what is held",
        rule=no_short, violate=_short_of,
    ),
    C(
        code=R.OPEN_ORDERS_MAX, row="27", name="Maximum open orders", scope="account", unit="count",
        key="max_open_orders",
        says="it would be open order {observed} of the account, the limit is {limit}",
        remedy="wait until an order has ended",
        measure=open_orders,
    ),
    C(
        code=R.SYMBOL_ORDERS_MAX, row="27", name="Maximum open orders of a symbol", scope="symbol", unit="count",
        key="max_symbol_orders",
        says="it would be open order {observed} of the symbol, the limit is {limit}",
        remedy="wait until an order has ended",
        measure=symbol_orders,
    ),
    C(
        code=R.UNEXECUTED_MAX, row="28", name="Value of unexecuted orders", scope="account", unit="micros",
        key="max_unexecuted_micros",
        says="{observed} would be ordered and not filled, the limit is {limit}",
        remedy="wait until an order has ended, or wish for less",
        measure=unexecuted,
    ),
    C(
        code=R.POSITION_NOTIONAL_MAX, row="22", name="Maximum position, working orders included", scope="symbol",
        unit="micros", key="max_position_notional_micros", needs=_QUOTES,
        says="the position could reach {observed}, the limit is {limit}",
        remedy="wish for less, or write a larger max_position_notional under [risk]",
        measure=worst_micros,
    ),
    C(
        code=R.CONCENTRATION_MAX, row="26", name="Concentration", scope="symbol", unit="bps",
        key="max_concentration_bps", needs=_QUOTES,
        says="the position could reach {observed} of the account's cash, the limit is {limit}",
        remedy="wish for less, or write a larger max_concentration under [risk]",
        measure=concentration,
    ),
    C(
        code=R.CONCENTRATION_LARGE, row="26", name="Large concentration", scope="symbol", unit="bps",
        key="soft_concentration_bps", needs=_QUOTES, action=SOFT,
        says="the position could reach {observed} of the account's cash, and above {limit} a human must allow it",
        remedy="wish for less, or write a larger soft_concentration under [risk]",
        measure=concentration,
    ),
    C(
        code=R.GROUP_MAX, row="26", name="Concentration of a group", scope="group", unit="bps", key="max_group_bps",
        needs=_QUOTES,
        says="the group could reach {observed} of the account's cash, the limit is {limit}",
        remedy="wish for less, or write a larger max_group under [risk]",
        measure=group,
    ),
    C(
        code=R.GROSS_NOTIONAL_MAX, row="23", name="Gross exposure", scope="account", unit="micros",
        key="max_gross_notional_micros", needs=_QUOTES,
        says="the account could reach {observed} gross, the limit is {limit}",
        remedy="wish for less, or write a larger max_gross_notional under [risk]",
        measure=gross,
    ),
    C(
        code=R.NET_NOTIONAL_MAX, row="24", name="Net exposure", scope="account", unit="micros",
        key="max_net_notional_micros", needs=_QUOTES,
        says="the account could reach {observed} net, the limit is {limit}",
        remedy="wish for less, or write a larger max_net_notional under [risk]",
        measure=net,
    ),
    C(
        code=R.LEVERAGE_MAX, row="25", name="Leverage", scope="account", unit="x100", key="max_leverage_x100",
        needs=_QUOTES,
        says="the account could reach {observed} its equity, the limit is {limit}",
        remedy="wish for less, or write a larger max_leverage under [risk]",
        measure=leverage,
    ),
    C(
        code=R.CAPITAL_MAX, row="29", name="Capital threshold", scope="account", unit="micros",
        key="max_capital_micros", needs=_QUOTES,
        says="the account could use {observed} of capital, the limit is {limit}",
        remedy="wish for less, or write a larger max_capital under [risk]",
        measure=gross,
    ),
    C(
        code=R.STRATEGY_CAPITAL_MAX, row="29", name="Capital threshold of a strategy", scope="strategy", unit="micros",
        key="max_strategy_capital_micros", needs=_QUOTES,
        says="the strategy could use {observed} of capital, the limit is {limit}",
        remedy="wish for less, or write a larger max_strategy_capital under [risk]",
        measure=strategy_capital,
    ),
    C(
        code=R.CASH_INSUFFICIENT, row="20", name="Buying power", scope="account", unit="micros",
        key="cash_buffer_micros", is_least=True,
        says="it would leave {observed} free, the least is {limit}",
        remedy="wish for less, or write a smaller cash_buffer under [risk]",
        measure=cash_left,
    ),
    C(
        code=R.EQUITY_UNKNOWN, row="40", name="Equity known", scope="account", unit="flag",
        says="{note}", remedy="wait until every position has a price again",
        rule=equity_known, violate=lambda facts: changed(facts, equity_micros=None),
    ),
)  # fmt: skip
