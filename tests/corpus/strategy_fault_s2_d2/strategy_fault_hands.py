"""A strategy of the corpus: it raises, answers nonsense, and is well again."""

from __future__ import annotations

from interlock.core.strategy import View
from interlock.examples import buy
from interlock.model.orders import TimeInForce
from interlock.model.signals import Proposal


class Unwell:
    """Buys ten shares of the symbol whose turn it is, except in the cycles in which it fails."""

    def propose(self, view: View) -> Proposal:
        """Return one entry.

        Raises:
            RuntimeError: in cycle 5.
        """
        if view.cycle == 5:
            message = "it lost its mind"
            raise RuntimeError(message)
        symbol = "NONE" if view.cycle == 8 else view.universe[view.cycle % len(view.universe)]
        qty = -10 if view.cycle == 10 else 10
        px = view.quote(view.universe[view.cycle % len(view.universe)]).ask_px
        wish = buy(symbol, qty=qty, limit_px=px, time_in_force=TimeInForce.DAY, because="it is its turn")
        return Proposal(wishes=(wish,), because="it buys in turn")
