"""What no type checker may let through: changed values, words for modes, half a market source.

Floor: outside the house. Never run: `tests/test_typing.py` wants one error on each line marked `refused`.
"""

from __future__ import annotations

from interlock.model.errors import invariant
from interlock.model.market import MarketSnapshot, Origin, Quote
from interlock.model.mode import Mode, TradingState, lower
from interlock.model.orders import Order, Position
from interlock.model.risk import Check
from interlock.model.signals import OrderIntent, Wish
from interlock.ports import MarketSource


def change_an_order(order: Order) -> None:
    order.cum_qty = 0  # refused


def change_a_position(position: Position) -> None:
    position.qty = 0  # refused


def change_a_check(check: Check) -> None:
    check.passed = True  # refused


def change_a_quote(quote: Quote) -> None:
    quote.present = True  # refused


def change_an_intent(intent: OrderIntent) -> None:
    intent.order_qty += 1  # refused


def wish_with_a_default() -> Wish:
    return Wish(symbol="IBM")  # refused


def word_for_a_mode() -> Mode:
    return "SIM"  # refused


def word_for_a_state(state: TradingState) -> TradingState:
    return lower(state, "ACTIVE")  # refused


def positional_facts(cash_micros: int) -> None:
    invariant(True, "cash re-adds", cash_micros)  # refused


class SilentSource:
    """A source that does not say what it provides."""

    @property
    def origin(self) -> Origin:
        return Origin(kind="silent", identity=(), words="", where="")

    @property
    def universe(self) -> tuple[str, ...]:
        return ()

    def next(self) -> MarketSnapshot | None:
        return None


silent: MarketSource = SilentSource()  # refused
