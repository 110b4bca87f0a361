"""Three trivial strategies, to read and to start from. None of them is meant to make money.

Floor: above the core. They know the model and the view, and nothing else.
On the trip: IDEA asks them; what they answer is a wish, and the gate decides.
"""

from __future__ import annotations

from interlock.core.strategy import View
from interlock.model.orders import OrderClass, OrdType, Side, TimeInForce
from interlock.model.signals import Proposal, Wish


def buy(symbol: str, *, qty: int, limit_px: int, time_in_force: TimeInForce, because: str) -> Wish:
    """Return a wish to enter: buy `qty` shares at `limit_px` micros or better."""
    return Wish(
        symbol=symbol,
        side=Side.BUY,
        order_qty=qty,
        ord_type=OrdType.LIMIT,
        limit_px=limit_px,
        stop_px=0,
        time_in_force=time_in_force,
        order_class=OrderClass.ENTRY,
        because=because,
    )


def leave(symbol: str, *, qty: int, limit_px: int, because: str) -> Wish:
    """Return a wish to exit: sell `qty` shares at `limit_px` micros or better, now or not at all."""
    return Wish(
        symbol=symbol,
        side=Side.SELL,
        order_qty=qty,
        ord_type=OrdType.LIMIT,
        limit_px=limit_px,
        stop_px=0,
        time_in_force=TimeInForce.IOC,
        order_class=OrderClass.EXIT,
        because=because,
    )


class Watcher:
    """Looks and never wishes."""

    def propose(self, view: View) -> Proposal:
        """Return nothing, and say what was seen."""
        return Proposal(wishes=(), because=f"it only watches; it saw {len(view.candidates)} candidates")


class CrossFollower:
    """Buys `qty` shares where a mid crosses above its average, sells them where it crosses below."""

    def __init__(self, *, qty: int) -> None:
        """Take the number of shares to buy at a time."""
        self._qty = qty

    def propose(self, view: View) -> Proposal:
        """Return one wish for each candidate of the moving-average scanner that calls for one."""
        wishes: list[Wish] = []
        for candidate in view.candidates:
            if candidate.scanner != "moving_average_cross":
                continue
            quote = view.quote(candidate.symbol)
            held = view.position(candidate.symbol)
            if candidate.side is Side.BUY and held == 0 and not view.working(candidate.symbol):
                wishes.append(
                    buy(
                        candidate.symbol,
                        qty=self._qty,
                        limit_px=quote.ask_px,
                        time_in_force=TimeInForce.DAY,
                        because=candidate.because,
                    )
                )
            if candidate.side is Side.SELL and held > 0:
                wishes.append(leave(candidate.symbol, qty=held, limit_px=quote.bid_px, because=candidate.because))
        if wishes:
            return Proposal(wishes=tuple(wishes), because="a mid crossed its average")
        return Proposal(wishes=(), because="no crossing that it could act on")


class RoundTrip:
    """Buys `qty` shares of each symbol in turn, holds them for `hold` cycles, sells them, and begins again."""

    def __init__(self, *, qty: int, hold: int = 5) -> None:
        """Take the number of shares and of cycles."""
        self._qty = qty
        self._hold = hold
        self._held_since: dict[str, int] = {}

    def propose(self, view: View) -> Proposal:
        """Return an exit for what was held long enough, else an entry into the symbol whose turn it is."""
        wishes: list[Wish] = []
        for symbol in view.universe:
            held = view.position(symbol)
            if held <= 0:
                self._held_since.pop(symbol, None)
                continue
            since = self._held_since.setdefault(symbol, view.cycle)
            quote = view.quote(symbol)
            if view.cycle - since >= self._hold and quote.present and not view.working(symbol):
                because = f"it was held for {view.cycle - since} cycles"
                wishes.append(leave(symbol, qty=held, limit_px=quote.bid_px, because=because))
        turn = view.universe[view.cycle % len(view.universe)]
        quote = view.quote(turn)
        if view.position(turn) == 0 and not view.working(turn) and quote.present:
            wishes.append(
                buy(
                    turn,
                    qty=self._qty,
                    limit_px=quote.ask_px,
                    time_in_force=TimeInForce.DAY,
                    because=f"it is {turn}'s turn",
                )
            )
        if wishes:
            return Proposal(wishes=tuple(wishes), because="it buys in turn and sells what it held long enough")
        return Proposal(wishes=(), because=f"it is {turn}'s turn, and {turn} is held, working or not quoted")
