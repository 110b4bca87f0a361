"""A strategy of the corpus: awake in its first cycles, and then quiet."""

from __future__ import annotations

from interlock.core.strategy import View
from interlock.examples import buy
from interlock.model.orders import TimeInForce
from interlock.model.signals import Proposal, Wish

#: The last cycle in which it wishes for anything.
_AWAKE_CYCLES = 4


class BrieflyAwake:
    """Buys ten shares of the symbol whose turn it is, and stops after a few cycles."""

    def propose(self, view: View) -> Proposal:
        """Return one entry, or nothing once it sleeps."""
        wishes: list[Wish] = []
        if view.cycle <= _AWAKE_CYCLES:
            symbol = view.universe[view.cycle % len(view.universe)]
            px = view.quote(symbol).ask_px
            wishes.append(buy(symbol, qty=10, limit_px=px, time_in_force=TimeInForce.IOC, because="it is its turn"))
        return Proposal(wishes=tuple(wishes), because="it is awake" if wishes else "it sleeps")
