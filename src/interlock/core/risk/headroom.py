"""What is already spoken for: the worst case of all open orders, by symbol and for the account.

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
from interlock.model.orders import OrderClass, Side
from interlock.model.signals import OrderIntent

#: The most approvals that are remembered; once they are this many, their windows are full.
RECENT_MAX = 10_000


class Approval(msgspec.Struct, frozen=True):
    """One approval of the recent past, as the duplicate and rate controls remember it."""

    at_ns: int
    strategy_id: str
    symbol: str
    side: Side
    order_qty: int
    limit_px: int


class SymbolUse(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol's position and open quantities, in shares; `open_px` is the highest price among its open orders."""

    position_qty: int = 0
    open_buy_qty: int = 0
    open_sell_qty: int = 0
    open_px: int = 0
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
            in_doubt=self.in_doubt or in_doubt,
        )


_UNUSED = SymbolUse()


class Headroom(msgspec.Struct, frozen=True, kw_only=True):
    """The account's worst case, while one cycle is judged.

    Attributes:
        uses: by symbol.
        own_open_qty: shares of open orders by (strategy, symbol, side, class).
        own_position_qty: signed shares by (strategy, symbol).
        free_micros: cash less what all open buys and their fees may still take.
        recent: approvals of the recent past, this cycle's included.
    """

    uses: Mapping[str, SymbolUse]
    own_open_qty: Mapping[tuple[str, str, Side, OrderClass], int]
    own_position_qty: Mapping[tuple[str, str], int]
    free_micros: int
    recent: tuple[Approval, ...]

    def use(self, symbol: str) -> SymbolUse:
        """Return the use of a symbol, empty where there is none."""
        return self.uses.get(symbol, _UNUSED)

    def gross_micros(self, price_of: Callable[[str], int], *, but: str) -> int | None:
        """Return the worst-case value of all symbols but one, or None where a price is unknown.

        Args:
            price_of: last confirmed price of a symbol in micros, 0 where there is none.
            but: the symbol that is left out.
        """
        total_micros = 0
        for symbol, use in self.uses.items():
            worst_qty = use.worst_qty()
            if symbol == but or worst_qty == 0:
                continue
            px = max(price_of(symbol), use.open_px)
            if px <= 0:
                return None
            total_micros += worst_qty * px
        return total_micros

    def reserve(self, intent: OrderIntent, *, at_ns: int, fees: FeePlan) -> Headroom:
        """Return the headroom that counts an approved intent from this instant on."""
        use = self.use(intent.symbol).with_order(
            side=intent.side, leaves_qty=intent.order_qty, limit_px=intent.limit_px
        )
        key = (intent.strategy_id, intent.symbol, intent.side, intent.order_class)
        paid_micros = intent.order_qty * intent.limit_px if intent.side is Side.BUY else 0
        approval = Approval(at_ns, intent.strategy_id, intent.symbol, intent.side, intent.order_qty, intent.limit_px)
        return Headroom(
            uses={**self.uses, intent.symbol: use},
            own_open_qty={**self.own_open_qty, key: self.own_open_qty.get(key, 0) + intent.order_qty},
            own_position_qty=self.own_position_qty,
            free_micros=self.free_micros - paid_micros - fees.total(intent.order_qty),
            recent=(*self.recent, approval),
        )


def make_headroom(*, portfolio: Portfolio, blotter: Blotter, recent: tuple[Approval, ...], fees: FeePlan) -> Headroom:
    """Return the worst case of the state before this cycle's first decision."""
    uses: dict[str, SymbolUse] = {}
    own_open_qty: dict[tuple[str, str, Side, OrderClass], int] = {}
    own_position_qty: dict[tuple[str, str], int] = {}
    free_micros = portfolio.account.cash_micros
    for position in portfolio.positions.values():
        held_qty = uses.get(position.symbol, _UNUSED).position_qty + position.qty
        uses[position.symbol] = SymbolUse(position_qty=held_qty)
        own_position_qty[position.strategy_id, position.symbol] = position.qty
    for order in blotter.open_orders.values():
        uses[order.symbol] = uses.get(order.symbol, _UNUSED).with_order(
            side=order.side, leaves_qty=order.leaves_qty, limit_px=order.limit_px, in_doubt=order.in_doubt
        )
        key = (order.strategy_id, order.symbol, order.side, order.order_class)
        own_open_qty[key] = own_open_qty.get(key, 0) + order.leaves_qty
        if order.side is Side.BUY:
            free_micros -= order.leaves_qty * order.limit_px
        # What is left of the fee: the whole order's fee, less what its fills have paid.
        free_micros -= max(0, fees.total(order.order_qty) - order.fee_micros)
    return Headroom(
        uses=uses,
        own_open_qty=own_open_qty,
        own_position_qty=own_position_qty,
        free_micros=free_micros,
        recent=recent,
    )
