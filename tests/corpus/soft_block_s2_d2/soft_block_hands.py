"""A strategy of the corpus: it asks for the same until it has it."""

from __future__ import annotations

from interlock.core.strategy import View
from interlock.examples import buy
from interlock.model.orders import TimeInForce
from interlock.model.signals import Proposal

#: Above every ask of the run, so that each wish is worth the same, and a leave for one is good for the next.
_DEAR_PX = 131_000_000


class Asking:
    """Wishes for 100 IBM as long as it holds none and none is ordered."""

    def propose(self, view: View) -> Proposal:
        """Return one entry, or nothing where it has what it wants."""
        if view.position("IBM") > 0 or view.working("IBM"):
            return Proposal(wishes=(), because="it has what it asked for")
        wish = buy("IBM", qty=100, limit_px=_DEAR_PX, time_in_force=TimeInForce.DAY, because="it asks for it again")
        return Proposal(wishes=(wish,), because="it asks")
