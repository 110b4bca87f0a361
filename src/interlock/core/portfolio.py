"""The portfolio: cash and positions as a fold over fills, in integers.

Floor 1 (decisions). Pure. On the trip: BOOK folds each fill here, once, right after the blotter.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from interlock.model.errors import invariant
from interlock.model.journal import Account
from interlock.model.orders import ExecReport, Order, Position


class Portfolio(msgspec.Struct, frozen=True, kw_only=True):
    """Cash with the sums that it re-adds from, and positions by (strategy, symbol)."""

    account: Account
    positions: Mapping[tuple[str, str], Position]

    def qty(self, strategy_id: str, symbol: str) -> int:
        """Return the signed shares that a strategy holds of a symbol."""
        position = self.positions.get((strategy_id, symbol))
        return 0 if position is None else position.qty

    def account_qty(self, symbol: str) -> int:
        """Return the signed shares that the whole account holds of a symbol."""
        return sum(position.qty for position in self.positions.values() if position.symbol == symbol)


def opened(cash_micros: int) -> Portfolio:
    """Return the portfolio of an account that holds cash only."""
    account = Account(
        opening_micros=cash_micros, cash_micros=cash_micros, bought_micros=0, sold_micros=0, fees_micros=0
    )
    return Portfolio(account=account, positions={})


def fold_fill(portfolio: Portfolio, *, order: Order, report: ExecReport) -> Portfolio:
    """Return the portfolio after one fill.

    The cost of shares that leave goes in proportion, rounded down to a micro; the rounding stays in the
    cost of the shares that remain and is gone when the last one leaves. Fees are taken from the account's cash; the
    position remembers its own, so that a strategy's profit is known.
    """
    value_micros = report.last_qty * report.last_px
    bought = value_micros if order.side.sign > 0 else 0
    sold = value_micros - bought
    before = portfolio.account
    account = Account(
        opening_micros=before.opening_micros,
        cash_micros=before.cash_micros - bought + sold - report.fee_micros,
        bought_micros=before.bought_micros + bought,
        sold_micros=before.sold_micros + sold,
        fees_micros=before.fees_micros + report.fee_micros,
    )
    key = (order.strategy_id, order.symbol)
    held = portfolio.positions.get(key) or Position(
        strategy_id=order.strategy_id, symbol=order.symbol, qty=0, cost_micros=0, realized_micros=0
    )
    positions = dict(portfolio.positions)
    moved = _moved(held, qty=report.last_qty * order.side.sign, px=report.last_px)
    positions[key] = msgspec.structs.replace(moved, fees_micros=held.fees_micros + report.fee_micros)
    return Portfolio(account=account, positions=positions)


def _moved(held: Position, *, qty: int, px: int) -> Position:
    """Return the position after `qty` signed shares at `px` micros: what closes realises, what opens costs."""
    closing_qty = min(abs(qty), abs(held.qty)) if held.qty * qty < 0 else 0
    direction = 1 if qty > 0 else -1
    released = held.cost_micros * closing_qty // abs(held.qty) if closing_qty else 0
    # A sale realises proceeds less cost; buying back a short realises cost less price. `cost_micros` of a
    # short is what was received for it, so both are the same formula with the sign of the trade.
    realized = -direction * (closing_qty * px - released)
    opening_qty = abs(qty) - closing_qty
    return Position(
        strategy_id=held.strategy_id,
        symbol=held.symbol,
        qty=held.qty + qty,
        cost_micros=held.cost_micros - released + opening_qty * px,
        realized_micros=held.realized_micros + realized,
    )


def check_identities(portfolio: Portfolio) -> None:
    """Check that cash re-adds, to the micro.

    Raises:
        InvariantError: it does not.
    """
    account = portfolio.account
    expected = account.opening_micros - account.bought_micros + account.sold_micros - account.fees_micros
    invariant(account.cash_micros == expected, "cash re-adds", cash=account.cash_micros, expected=expected)
