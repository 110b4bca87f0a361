"""Watching: how the state stands after BOOK, and the latches of the watches that it trips.

Floor 1 (decisions). Pure. It lowers and never raises.
On the trip: after BOOK, before strategies are asked.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from interlock.core.book import raise_latch
from interlock.core.conduct import on_date
from interlock.core.standing import exposure_micros, fold_standings, loss_of, profits, rolled
from interlock.core.state import Rules, State
from interlock.core.watch import ALL_READS, CONDUCT, MARKET, STANDING, WARN_X100, Trip, Watched, trips
from interlock.core.words import number
from interlock.model.conduct import DayRoll, Standing
from interlock.model.mode import TradingState
from interlock.model.units import money

#: More symbols than this that trip in one cycle are a matter of the market, and latch the account.
SYMBOL_LATCHES_MAX = 20


def stand(state: State, rules: Rules) -> tuple[State, DayRoll | None, tuple[str, ...]]:
    """Fold how the account and its strategies stand; a new trading date rolls the day, once.

    Returns:
        The state, the record of a new date (None where there is none), and warnings of losses that came near.
    """
    now = profits(state.portfolio, state.tape, index=rules.index, strategies=rules.strategies)
    # A date never begins twice: a clock that went back must not begin the losses of a day anew.
    is_new = state.trading_date > state.counters.trading_date
    standings = fold_standings(state.standings, now, is_new_date=is_new)
    after = msgspec.structs.replace(state, standings=standings, counters=on_date(state.counters, state.trading_date))
    roll = rolled(state.trading_date, standings) if is_new else None
    if state.trading_date < state.counters.trading_date:
        text = (
            f"the market's date {state.trading_date} is before {state.counters.trading_date}, which has begun already"
        )
        after = raise_latch(after, scope="account", code="DATE_BACK", level=TradingState.REDUCING, text=text)
    return after, roll, _warnings(state, standings)


def _warnings(state: State, after: Mapping[str, Standing]) -> tuple[str, ...]:
    """Return a sentence for every loss that passed half of its limit in this cycle."""
    found: list[str] = []
    for scope, standing in after.items():
        name = scope.removeprefix("strategy:")
        key = "max_daily_loss_micros" if scope == "account" else "max_strategy_loss_micros"
        limit = state.limits.of(strategy_id="" if scope == "account" else name, symbol="")[key].value
        before = state.standings.get(scope)
        was = 0 if before is None else loss_of(before)
        loss = loss_of(standing)
        if limit is not None and limit > 0 and was * 100 < limit * WARN_X100 <= loss * 100:
            who = "The account" if scope == "account" else f"Strategy {name}"
            found.append(f"{who} lost {money(loss)} today, which is half or more of its daily limit of {money(limit)}")
    return tuple(found)


def watched(state: State) -> Watched:
    """Return what the watches read of a state."""
    return Watched(
        as_of_ns=state.as_of_ns,
        limits=state.limits,
        counters=state.counters,
        standings=state.standings,
        tape=state.tape,
        base_micros=state.portfolio.account.opening_micros,
        gross_micros=exposure_micros(
            state.portfolio, state.tape, index={symbol: ix for ix, symbol in enumerate(state.tape.universe)}
        )
        if state.portfolio.positions
        else 0,
    )


def fold_watches(state: State, *, before: State) -> State:
    """Latch the scope of every watch that is passed; one that stands already is not raised again.

    Args:
        state: after BOOK.
        before: what the last cycle left. What a watch follows from and that has not changed since was looked at then:
            windows of time only lose, so nothing new can trip by waiting.
    """
    of_symbols: list[Trip] = []
    for trip in trips(watched(state), reads=_changed(state, before)):
        if trip.watch.scope != "symbol":
            state = _latched(state, trip)
        elif _is_ours(state, trip.scope.removeprefix("symbol:")):
            of_symbols.append(trip)
    if len(of_symbols) > SYMBOL_LATCHES_MAX:
        return _market_wide(state, of_symbols)
    for trip in of_symbols:
        state = _latched(state, trip)
    return state


def _latched(state: State, trip: Trip) -> State:
    return raise_latch(
        state,
        scope=trip.scope,
        code=trip.watch.code,
        level=TradingState.REDUCING,
        text=trip_words(trip),
        clears=trip.watch.clears,
    )


def _is_ours(state: State, symbol: str) -> bool:
    """Return True for a symbol that may be traded, or that is held or worked: no other needs a latch."""
    if symbol in state.limits.symbols:
        return True
    held = any(position.symbol == symbol and position.qty != 0 for position in state.portfolio.positions.values())
    return held or any(order.symbol == symbol for order in state.blotter.open_orders.values())


def _market_wide(state: State, tripped: list[Trip]) -> State:
    """Latch the account where many symbols trip at once: that is the market, and one latch holds for all."""
    named = ", ".join(trip.scope.removeprefix("symbol:") for trip in tripped[:SYMBOL_LATCHES_MAX])
    text = f"{len(tripped):,} symbols tripped at once, {named} and others: {trip_words(tripped[0])}"
    return raise_latch(state, scope="account", code="MARKET_WIDE", level=TradingState.REDUCING, text=text)


def _changed(state: State, before: State) -> tuple[str, ...]:
    """Return what has changed of what the watches follow from; in the first cycle of a run that is everything."""
    if before.tape.seq == 0 or state.limits is not before.limits:
        return ALL_READS
    # What RISK counted in the last cycle is in `before` already, and no watch has looked at it yet.
    reads = [CONDUCT]
    if state.standings != before.standings or state.trading_date != before.trading_date:
        reads.append(STANDING)
    tape = state.tape
    if state.portfolio.positions or tape.faults or tape.split.any() or tape.halted_by_move.any():
        reads.append(MARKET)
    return tuple(reads)


def trip_words(trip: Trip) -> str:
    """Return why a watch tripped, with its numbers."""
    unit = trip.watch.unit
    return trip.watch.says.format(observed=number(trip.observed, unit), limit=number(trip.limit, unit))


def standing_trip(state: State, *, code: str, scope: str) -> str:
    """Return why a watch would trip now, or "" where it would not: then its latch may be cleared."""
    for trip in trips(watched(state)):
        if trip.watch.code == code and trip.scope == scope:
            return trip_words(trip)
    return ""
