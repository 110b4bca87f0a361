"""A strategy of the corpus: it asks for one share in turn, whatever it is shown."""

from __future__ import annotations

from interlock.core.strategy import View
from interlock.examples import buy
from interlock.model.orders import TimeInForce
from interlock.model.signals import Proposal

_DEAR_PX = 100_000_000


class Insistent:
    """Wishes for one share of the symbol whose turn it is, also where it has no quote to go by."""

    def propose(self, view: View) -> Proposal:
        """Return one entry, always."""
        symbol = view.universe[view.cycle % len(view.universe)]
        quote = view.quote(symbol)
        px = quote.ask_px if quote.present else _DEAR_PX
        wish = buy(symbol, qty=1, limit_px=px, time_in_force=TimeInForce.IOC, because="it insists on it")
        return Proposal(wishes=(wish,), because="it insists")
