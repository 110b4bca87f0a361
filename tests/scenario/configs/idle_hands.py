"""Strategies for the scenarios: orders that rest, orders without end, one symbol all the time, one that is slow."""

from __future__ import annotations

import time

from interlock.core.strategy import View
from interlock.examples import buy, leave
from interlock.model.orders import TimeInForce
from interlock.model.signals import Proposal, Wish

_TICK_PX = 10_000


class Patient:
    """Keeps one buy order resting in each symbol, far below the market, so that it never fills."""

    def __init__(self, *, qty: int, below_bps: int = 1_000) -> None:
        """Take the size of an order, and how far below the ask it rests."""
        self._qty = qty
        self._below_bps = below_bps

    def propose(self, view: View) -> Proposal:
        """Return an entry for each symbol in which nothing rests."""
        wishes: list[Wish] = []
        for symbol in view.universe:
            quote = view.quote(symbol)
            if quote.present and not view.working(symbol):
                limit_px = quote.ask_px * (10_000 - self._below_bps) // 10_000 // _TICK_PX * _TICK_PX
                wishes.append(
                    buy(symbol, qty=self._qty, limit_px=limit_px, time_in_force=TimeInForce.DAY, because="it can wait")
                )
        return Proposal(wishes=tuple(wishes), because="its orders rest")


class Restless:
    """Buys every symbol at the ask, or a part below it, and sells at the bid what it holds, cycle for cycle."""

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
            px = quote.ask_px * 9 // 10 // _TICK_PX * _TICK_PX if symbol == self._resting else quote.ask_px
            if held > 0 and view.cycle % 3 == 0:
                wishes.append(leave(symbol, qty=held, limit_px=quote.bid_px, because="it holds some"))
            elif held == 0:
                wishes.append(
                    buy(symbol, qty=self._qty, limit_px=px, time_in_force=TimeInForce.DAY, because="it holds none")
                )
        return Proposal(wishes=tuple(wishes), because="it is restless")


class Insistent:
    """Wishes for one symbol in every cycle, whether it is quoted or not."""

    def __init__(self, *, symbol: str, limit_cents: int) -> None:
        """Take the symbol, and a limit in cents."""
        self._symbol = symbol
        self._limit_px = limit_cents * _TICK_PX

    def propose(self, view: View) -> Proposal:
        """Return one entry, always."""
        del view
        wish = buy(
            self._symbol, qty=1, limit_px=self._limit_px, time_in_force=TimeInForce.IOC, because="it insists on it"
        )
        return Proposal(wishes=(wish,), because="it insists")


class Slow:
    """Thinks for too long in its second cycle, and wishes for one share of the first symbol in every cycle."""

    def __init__(self, *, milliseconds: int) -> None:
        """Take how long it thinks."""
        self._seconds = milliseconds / 1_000

    def propose(self, view: View) -> Proposal:
        """Return one entry, after a while."""
        if view.cycle == 2:
            time.sleep(self._seconds)
        symbol = view.universe[0]
        wish = buy(
            symbol,
            qty=1 + view.cycle,
            limit_px=view.quote(symbol).ask_px,
            time_in_force=TimeInForce.IOC,
            because="it came to a conclusion",
        )
        return Proposal(wishes=(wish,), because="it thought")
