"""How the account and its strategies stand: profit on a conservative mark, its peak, and where the day began.

Floor 1 (decisions). Pure. A mark that is unknown makes the profit unknown, never zero; then nothing new is risked,
and nothing is sold for it either.
On the trip: after BOOK, once a cycle; the watch reads it, and so does RISK.

Source: row 40 of the control catalogue. Profit is equity less what was paid in, so a deposit or a withdrawal moves
neither a loss nor a peak.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from interlock.core.portfolio import Portfolio
from interlock.core.tape import Tape
from interlock.model.conduct import DayRoll, Standing
from interlock.model.orders import Position

ACCOUNT = "account"


def mark_micros(position: Position, *, bid_px: int, ask_px: int) -> int | None:
    """Return what a position would bring: longs at the bid, shorts at the ask; None where that price is unknown."""
    px = bid_px if position.qty > 0 else ask_px
    if position.qty == 0:
        return 0
    return position.qty * px if px > 0 else None


def profits(
    portfolio: Portfolio, tape: Tape, *, index: Mapping[str, int], strategies: tuple[str, ...]
) -> dict[str, int | None]:
    """Return the profit of the account and of each strategy, in micros, None where a mark is unknown.

    Args:
        portfolio: cash and positions.
        tape: the confirmed quotes.
        index: position of each symbol in the universe.
        strategies: those of the configuration; one that only holds something is counted too.
    """
    found: dict[str, int | None] = dict.fromkeys((f"strategy:{name}" for name in strategies), 0)
    marked: int | None = 0
    for position in portfolio.positions.values():
        ix = index.get(position.symbol)
        value = (
            mark_micros(position, bid_px=int(tape.mark_bid_px[ix]), ask_px=int(tape.mark_ask_px[ix]))
            if ix is not None and position.qty != 0
            else 0
            if position.qty == 0
            else None
        )
        marked = None if marked is None or value is None else marked + value
        scope = f"strategy:{position.strategy_id}"
        before = found.get(scope, 0)
        # The cost of a short is what was received for it.
        cost = position.cost_micros if position.qty > 0 else -position.cost_micros
        gained = None if value is None else position.realized_micros - position.fees_micros + value - cost
        found[scope] = None if before is None or gained is None else before + gained
    account = portfolio.account
    found[ACCOUNT] = None if marked is None else account.cash_micros + marked - account.opening_micros
    return found


def exposure_micros(portfolio: Portfolio, tape: Tape, *, index: Mapping[str, int]) -> int:
    """Return the gross value of all positions at the last confirmed mids, in micros."""
    total = 0
    for position in portfolio.positions.values():
        ix = index.get(position.symbol)
        if position.qty != 0 and ix is not None:
            total += abs(position.qty) * int(tape.confirmed_px[ix])
    return total


def fold_standings(
    before: Mapping[str, Standing], now: Mapping[str, int | None], *, is_new_date: bool
) -> dict[str, Standing]:
    """Return the standings after a cycle.

    Args:
        before: by scope.
        now: profit by scope; an unknown one leaves the standing as it was.
        is_new_date: True in the first cycle of a trading date: losses count from the profit before it.
    """
    after = dict(before)
    for scope, profit in now.items():
        held = before.get(scope)
        if held is None:
            if profit is not None:
                after[scope] = Standing(
                    scope=scope, profit_micros=profit, opening_micros=profit, peak_micros=max(0, profit)
                )
            continue
        opening = held.profit_micros if is_new_date else held.opening_micros
        known = held.profit_micros if profit is None else profit
        after[scope] = Standing(
            scope=scope,
            profit_micros=known,
            opening_micros=opening,
            peak_micros=max(held.peak_micros, known),
        )
    return after


def rolled(trading_date: str, standings: Mapping[str, Standing]) -> DayRoll:
    """Return the record of a new trading date."""
    return DayRoll(trading_date=trading_date, standings=tuple(standings.values()))


def rebased(standings: Mapping[str, Standing], scope: str) -> dict[str, Standing]:
    """Return the standings after a human cleared a drawdown: its peak is where the scope stands now."""
    held = standings.get(scope)
    if held is None:
        return dict(standings)
    return {**standings, scope: msgspec.structs.replace(held, peak_micros=held.profit_micros)}


def loss_of(standing: Standing) -> int:
    """Return the loss of the trading date in micros, 0 where there is none."""
    return max(0, standing.opening_micros - standing.profit_micros)


def drawdown_bps(standing: Standing, *, base_micros: int) -> int | None:
    """Return how far a scope stands below its peak, in basis points of what it then had, rounded up."""
    had = base_micros + standing.peak_micros
    return None if had <= 0 else -(-(standing.peak_micros - standing.profit_micros) * 10_000 // had)
