"""What is already spoken for: the worst case of all open orders, by symbol, strategy and group, and for the account.

Floor 1 (decisions). Made anew each cycle from the state, and folded with each approval of that cycle, so that
limits hold for every subset of fills and for all orders of one cycle together. Nothing here survives a cycle.
On the trip: RISK reads it for each intent, in a fixed order, and reserves what it approves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from interlock.core.blotter import Blotter
from interlock.core.fees import FeePlan
from interlock.core.portfolio import Portfolio
from interlock.model.orders import Order, OrderClass, OrdStatus, Side
from interlock.model.signals import OrderIntent

#: Prices of a cycle: the last confirmed price of a symbol in micros, 0 where there is none.
PriceOf = Callable[[str], int]


class SymbolUse(msgspec.Struct, frozen=True, kw_only=True):
    """A position and what is open in its symbol, in shares; `open_px` is the highest price among its open orders."""

    position_qty: int = 0
    open_buy_qty: int = 0
    open_sell_qty: int = 0
    open_px: int = 0
    orders: int = 0
    in_doubt: bool = False

    def worst_qty(self, *, more_buy_qty: int = 0, more_sell_qty: int = 0) -> int:
        """Return the largest absolute position that some subset of fills can make.

        Source: FIA (2024) 1.2, maximum intraday position with working orders; buys are never netted
        against sells.
        """
        longest = self.position_qty + self.open_buy_qty + more_buy_qty
        shortest = self.position_qty - self.open_sell_qty - more_sell_qty
        return max(abs(longest), abs(shortest))

    def with_order(self, *, side: Side, leaves_qty: int, limit_px: int, in_doubt: bool = False) -> SymbolUse:
        """Return the use with one more open order."""
        is_buy = side is Side.BUY
        return SymbolUse(
            position_qty=self.position_qty,
            open_buy_qty=self.open_buy_qty + (leaves_qty if is_buy else 0),
            open_sell_qty=self.open_sell_qty + (0 if is_buy else leaves_qty),
            open_px=max(self.open_px, limit_px),
            orders=self.orders + 1,
            in_doubt=self.in_doubt or in_doubt,
        )

    def with_position(self, qty: int) -> SymbolUse:
        """Return the use with more signed shares held."""
        return msgspec.structs.replace(self, position_qty=self.position_qty + qty)


UNUSED = SymbolUse()


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over all symbols, in micros at the prices of this cycle.

    Attributes:
        gross_micros: worst case of each symbol, added up.
        long_micros: value of all positions if every open buy fills and no sell does.
        short_micros: the same if every open sell fills and no buy does.
        unexecuted_micros: value of all open orders, each at its own limit.
        orders: how many are open.
    """

    gross_micros: int = 0
    long_micros: int = 0
    short_micros: int = 0
    unexecuted_micros: int = 0
    orders: int = 0


class Headroom(msgspec.Struct, frozen=True, kw_only=True):
    """The account's worst case, while one cycle is judged.

    Attributes:
        uses: by symbol.
        own: by (strategy, symbol).
        owners: by symbol, the strategies that hold it or work an order in it, in the order in which they came.
        entries: shares of open entries by (strategy, symbol, side).
        totals: sums over all symbols.
        by_strategy: worst case of each strategy's symbols, in micros.
        by_group: worst case of each group's symbols, in micros.
        unpriced: symbols that are held or worked and have no price at all: then nobody knows a total.
        free_micros: cash less what all open buys and their fees may still take.
        price_of: the prices of this cycle.
        groups: symbol to the name of its group.
    """

    uses: Mapping[str, SymbolUse]
    own: Mapping[tuple[str, str], SymbolUse]
    owners: Mapping[str, tuple[str, ...]]
    entries: Mapping[tuple[str, str, Side], int]
    totals: Totals
    by_strategy: Mapping[str, int]
    by_group: Mapping[str, int]
    unpriced: Mapping[str, bool]
    free_micros: int
    price_of: PriceOf
    groups: Mapping[str, str]

    def use(self, symbol: str) -> SymbolUse:
        """Return the use of a symbol, empty where there is none."""
        return self.uses.get(symbol, UNUSED)

    def own_use(self, strategy_id: str, symbol: str) -> SymbolUse:
        """Return what one strategy holds and works in a symbol."""
        return self.own.get((strategy_id, symbol), UNUSED)

    def px(self, symbol: str, use: SymbolUse) -> int:
        """Return the price at which a use counts: the last confirmed one, or a dearer open order's; 0 for none."""
        return max(self.price_of(symbol), use.open_px)

    def is_priced_but(self, symbol: str) -> bool:
        """Return True if every other symbol that is held or worked has a price."""
        return not self.unpriced or (len(self.unpriced) == 1 and symbol in self.unpriced)

    def reserve(self, intent: OrderIntent, *, fees: FeePlan) -> Headroom:
        """Return the headroom that counts an approved intent from this instant on."""
        return self.with_open(
            _Open(
                strategy_id=intent.strategy_id,
                symbol=intent.symbol,
                side=intent.side,
                leaves_qty=intent.order_qty,
                limit_px=intent.limit_px,
                is_entry=intent.order_class is OrderClass.ENTRY,
                in_doubt=False,
                fee_micros=fees.total(intent.order_qty),
            )
        )

    def with_open(self, order: _Open) -> Headroom:
        """Return the headroom with one more open order, every sum moved by what it changes."""
        symbol, strategy_id = order.symbol, order.strategy_id
        before, own_before = self.use(symbol), self.own_use(strategy_id, symbol)
        use, own = order.over(before), order.over(own_before)
        px_before, px = self.px(symbol, before), self.px(symbol, use)
        own_px_before, own_px = self.px(symbol, own_before), self.px(symbol, own)
        more_gross = use.worst_qty() * px - before.worst_qty() * px_before
        more_own = own.worst_qty() * own_px - own_before.worst_qty() * own_px_before
        value_micros = order.leaves_qty * order.limit_px
        totals = self.totals
        group = self.groups.get(symbol, "")
        key = (strategy_id, symbol, order.side)
        owners = self.owners.get(symbol, ())
        paid_micros = value_micros if order.side is Side.BUY else 0
        return Headroom(
            uses={**self.uses, symbol: use},
            own={**self.own, (strategy_id, symbol): own},
            owners=self.owners if strategy_id in owners else {**self.owners, symbol: (*owners, strategy_id)},
            entries={**self.entries, key: self.entries.get(key, 0) + order.leaves_qty}
            if order.is_entry
            else self.entries,
            totals=Totals(
                gross_micros=totals.gross_micros + more_gross,
                long_micros=totals.long_micros + _long(use) * px - _long(before) * px_before,
                short_micros=totals.short_micros + _short(use) * px - _short(before) * px_before,
                unexecuted_micros=totals.unexecuted_micros + value_micros,
                orders=totals.orders + 1,
            ),
            by_strategy={**self.by_strategy, strategy_id: self.by_strategy.get(strategy_id, 0) + more_own},
            by_group={**self.by_group, group: self.by_group.get(group, 0) + more_gross} if group else self.by_group,
            unpriced=self.unpriced if px > 0 else {**self.unpriced, symbol: True},
            free_micros=self.free_micros - paid_micros - order.fee_micros,
            price_of=self.price_of,
            groups=self.groups,
        )


class _Open(msgspec.Struct, frozen=True, kw_only=True):
    """One open order, as far as it takes headroom; `fee_micros` is what it may still cost."""

    strategy_id: str
    symbol: str
    side: Side
    leaves_qty: int
    limit_px: int
    is_entry: bool
    in_doubt: bool
    fee_micros: int

    def over(self, use: SymbolUse) -> SymbolUse:
        """Return a use with this order in it."""
        return use.with_order(
            side=self.side, leaves_qty=self.leaves_qty, limit_px=self.limit_px, in_doubt=self.in_doubt
        )


def _long(use: SymbolUse) -> int:
    return use.position_qty + use.open_buy_qty


def _short(use: SymbolUse) -> int:
    return use.position_qty - use.open_sell_qty


def make_headroom(  # noqa: PLR0913 - what a worst case is made of
    *,
    portfolio: Portfolio,
    blotter: Blotter,
    fees: FeePlan,
    price_of: PriceOf,
    groups: Mapping[str, str],
    unanswered_before_ns: int,
) -> Headroom:
    """Return the worst case of the state before this cycle's first decision.

    Args:
        portfolio: cash and positions.
        blotter: open orders.
        fees: what a trade costs.
        price_of: the prices of this cycle.
        groups: symbol to the name of its group.
        unanswered_before_ns: an order that was approved before this instant and that nobody answered is in doubt.
    """
    uses: dict[str, SymbolUse] = {}
    own: dict[tuple[str, str], SymbolUse] = {}
    owners: dict[str, tuple[str, ...]] = {}
    for position in portfolio.positions.values():
        if position.qty == 0:
            continue
        uses[position.symbol] = uses.get(position.symbol, UNUSED).with_position(position.qty)
        own[position.strategy_id, position.symbol] = SymbolUse(position_qty=position.qty)
        owners[position.symbol] = (*owners.get(position.symbol, ()), position.strategy_id)
    headroom = _of_positions(
        uses, own, owners, cash_micros=portfolio.account.cash_micros, price_of=price_of, groups=groups
    )
    for order in blotter.open_orders.values():
        headroom = headroom.with_open(_of(order, fees, unanswered_before_ns))
    return headroom


def is_in_doubt(order: Order, unanswered_before_ns: int) -> bool:
    """Return True if nobody knows what became of an order: its send failed, or no word on it came in time.

    Source: row 41 of the control catalogue.
    """
    is_unanswered = order.ord_status is OrdStatus.PENDING_NEW and order.approved_ns < unanswered_before_ns
    return order.in_doubt or is_unanswered


def _of(order: Order, fees: FeePlan, unanswered_before_ns: int) -> _Open:
    return _Open(
        strategy_id=order.strategy_id,
        symbol=order.symbol,
        side=order.side,
        leaves_qty=order.leaves_qty,
        limit_px=order.limit_px,
        is_entry=order.order_class is OrderClass.ENTRY,
        in_doubt=is_in_doubt(order, unanswered_before_ns),
        # What is left of the fee: the whole order's fee, less what its fills have paid.
        fee_micros=max(0, fees.total(order.order_qty) - order.fee_micros),
    )


def _of_positions(  # noqa: PLR0913 - what is known before the first order is counted
    uses: Mapping[str, SymbolUse],
    own: Mapping[tuple[str, str], SymbolUse],
    owners: Mapping[str, tuple[str, ...]],
    *,
    cash_micros: int,
    price_of: PriceOf,
    groups: Mapping[str, str],
) -> Headroom:
    """Return the headroom of an account without open orders."""
    gross_micros = net_micros = 0
    by_group: dict[str, int] = {}
    for symbol, use in uses.items():
        px = price_of(symbol)
        gross_micros += abs(use.position_qty) * px
        net_micros += use.position_qty * px
        group = groups.get(symbol, "")
        if group:
            by_group[group] = by_group.get(group, 0) + abs(use.position_qty) * px
    by_strategy: dict[str, int] = {}
    for (strategy_id, symbol), use in own.items():
        by_strategy[strategy_id] = by_strategy.get(strategy_id, 0) + abs(use.position_qty) * price_of(symbol)
    return Headroom(
        uses=uses,
        own=own,
        owners=owners,
        entries={},
        totals=Totals(gross_micros=gross_micros, long_micros=net_micros, short_micros=net_micros),
        by_strategy=by_strategy,
        by_group=by_group,
        unpriced={symbol: True for symbol, use in uses.items() if price_of(symbol) <= 0 and use.position_qty != 0},
        free_micros=cash_micros,
        price_of=price_of,
        groups=groups,
    )
