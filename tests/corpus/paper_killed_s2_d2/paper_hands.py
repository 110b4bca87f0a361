"""A strategy of the corpus: it buys every symbol and sells what it holds in every third cycle."""

from __future__ import annotations

from interlock.core.strategy import View
from interlock.examples import buy, leave
from interlock.model.orders import TimeInForce
from interlock.model.signals import Proposal, Wish

_TICK_PX = 10_000


class Restless:
    """Buys each symbol at the ask, or a tenth below it, and sells at the bid what it holds."""

    def __init__(self, *, qty: int, resting: str = "") -> None:
        """Take the size of an order, and a symbol whose orders rest far below the market ("" for none)."""
        self._qty = qty
        self._resting = resting

    def propose(self, view: View) -> Proposal:
        """Return a wish for each symbol in which nothing works."""
        wishes: list[Wish] = []
        for symbol in view.universe:
            quote = view.quote(symbol)
            held = view.position(symbol)
            if not quote.present or view.working(symbol):
                continue
            if held > 0 and view.cycle % 3 == 0:
                wishes.append(leave(symbol, qty=held, limit_px=quote.bid_px, because="it holds some"))
            elif held == 0:
                px = quote.ask_px * 9 // 10 // _TICK_PX * _TICK_PX if symbol == self._resting else quote.ask_px
                day = TimeInForce.DAY
                wishes.append(buy(symbol, qty=self._qty, limit_px=px, time_in_force=day, because="it holds none"))
        return Proposal(wishes=tuple(wishes), because="it is restless")
