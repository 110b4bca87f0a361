"""A strategy of the corpus: its orders rest."""

from __future__ import annotations

from interlock.core.strategy import View
from interlock.examples import buy
from interlock.model.orders import TimeInForce
from interlock.model.signals import Proposal, Wish

_TICK_PX = 10_000


class Patient:
    """Keeps one buy order in each symbol, a tenth below the ask, so that it never fills."""

    def propose(self, view: View) -> Proposal:
        """Return an entry for each symbol in which nothing rests."""
        wishes: list[Wish] = []
        for symbol in view.universe:
            quote = view.quote(symbol)
            if quote.present and not view.working(symbol):
                px = quote.ask_px * 9 // 10 // _TICK_PX * _TICK_PX
                wishes.append(buy(symbol, qty=100, limit_px=px, time_in_force=TimeInForce.DAY, because="it can wait"))
        return Proposal(wishes=tuple(wishes), because="its orders rest")
