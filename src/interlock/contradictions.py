"""Contradictions: which of the written limits can never bind or cannot stand together, with the reason.

Floor 2 (shell), though it touches nothing. It refuses only what a person wrote, and changes nothing.
On the trip: before it; `config` asks here what to refuse, and says the file, the line and the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from interlock.config_risk import RiskConfig
from interlock.core.risk.keys import KEYS
from interlock.core.words import number
from interlock.model.units import BPS_PER_ONE, duration
from interlock.policy import expanded, written

#: Pairs of limits of which the first can never bind where it is larger than the second: the second is always reached
#: before it. No shorts are sold and a symbol has one strategy, so a position is inside its strategy's capital.
_NEVER_BINDS = (
    ("max_order_notional_micros", "max_position_notional_micros"),
    ("max_order_notional_micros", "max_unexecuted_micros"),
    ("max_order_notional_micros", "max_value_minute_micros"),
    ("max_order_notional_micros", "max_value_hour_micros"),
    ("max_order_notional_micros", "max_value_day_micros"),
    ("max_order_notional_micros", "max_gross_notional_micros"),
    ("max_order_notional_micros", "max_strategy_capital_micros"),
    ("max_order_notional_micros", "max_capital_micros"),
    ("max_position_notional_micros", "max_gross_notional_micros"),
    ("max_position_notional_micros", "max_strategy_capital_micros"),
    ("max_position_notional_micros", "max_capital_micros"),
    ("max_strategy_capital_micros", "max_gross_notional_micros"),
    ("max_strategy_capital_micros", "max_capital_micros"),
    ("max_gross_notional_micros", "max_capital_micros"),
    ("max_symbol_orders", "max_open_orders"),
    ("max_entries_day", "max_count_day"),
    ("max_value_minute_micros", "max_value_hour_micros"),
    ("max_value_minute_micros", "max_value_day_micros"),
    ("max_value_hour_micros", "max_value_day_micros"),
    ("max_count_minute", "max_count_hour"),
    ("max_count_minute", "max_count_day"),
    ("max_count_hour", "max_count_day"),
    ("max_concentration_bps", "max_group_bps"),
    ("pause_move_bps", "halt_move_bps"),
    ("max_strategy_loss_micros", "max_daily_loss_micros"),
    ("max_strategy_drawdown_bps", "max_drawdown_bps"),
)
#: The least, and the most that leaves no room for it where it is larger.
_NO_ROOM = (
    ("min_order_notional_micros", "max_order_notional_micros"),
    ("min_order_notional_micros", "max_position_notional_micros"),
)
#: Soft limits, and the hard one that each stands before.
SOFT_LIMITS = (
    ("soft_order_notional_micros", "max_order_notional_micros"),
    ("soft_collar_bps", "price_collar_bps"),
    ("soft_spread_bps", "max_spread_bps"),
    ("soft_concentration_bps", "max_concentration_bps"),
)


class Contradiction(msgspec.Struct, frozen=True):
    """Something in `[risk]` that cannot stand: the keys that lead to it, and the sentence."""

    at: tuple[str | int, ...]
    words: str


def contradictions(
    risk: RiskConfig, *, cash_micros: int | None, universe: tuple[str, ...], strategies: tuple[str, ...]
) -> Iterator[Contradiction]:
    """Yield everything in `[risk]` that cannot bind or cannot hold, with the reason.

    Only what was written is compared with what was written, a named profile included: a default never makes a file
    wrong. Where a default binds before a written limit, the boot says so.
    """
    if risk.profile is not None and cash_micros is None:
        yield Contradiction(
            ("profile",), "a profile is sized by the account's cash, and none is written; write cash under [account]"
        )
    yield from _lists(risk, universe=universe)
    yield from _unknown_scopes(risk, universe=universe, strategies=strategies)
    named = expanded(risk.profile, cash_micros=cash_micros) if risk.profile and cash_micros is not None else {}
    account = _Written(values=written(risk), above=named, profile=risk.profile or "", cash_micros=cash_micros)
    yield from _inside(account, at=())
    yield from _buffered(account)
    sections = [("strategy", name, written(section)) for name, section in risk.strategy.items()]
    sections += [("symbol", symbol, written(section)) for symbol, section in risk.symbol.items()]
    for kind, name, own in sections:
        scoped = _Written(values=own, above=account.all, profile="", cash_micros=cash_micros)
        yield from _inside(scoped, at=(kind, name))
        yield from _outranked(own, account.all, at=(kind, name))


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    """What one section writes, and what holds beside it: the numbers of the profile, or the account's own."""

    values: Mapping[str, int]
    above: Mapping[str, int]
    profile: str
    cash_micros: int | None

    @property
    def all(self) -> dict[str, int]:
        """Return what holds: of an account, what is written outranks its profile."""
        return {**self.above, **self.values}

    def other(self, name: str) -> int | None:
        """Return the limit that another is compared with; where it is itself outranked, that is refused too."""
        return self.all.get(name)

    def named(self, name: str) -> str:
        """Return how a limit is called: where the profile brings it, nobody finds its line."""
        of_profile = f" of the profile {self.profile}" if self.profile and name not in self.values else ""
        return f"{KEYS[name].written}{of_profile}"


def _lists(risk: RiskConfig, *, universe: tuple[str, ...]) -> Iterator[Contradiction]:
    """Yield what cannot stand among the lists of symbols."""
    for name, symbols in (("symbols", risk.symbols), ("restricted", risk.restricted)):
        for ix, symbol in enumerate(symbols):
            if symbol in symbols[:ix]:
                yield Contradiction((name, ix), f'"{symbol}" is named before; write each symbol once')
    for ix, symbol in enumerate(risk.restricted):
        if symbol in risk.symbols:
            words = f'"{symbol}" is also among the symbols that may be traded; take it out of one of them'
            yield Contradiction(("restricted", ix), words)
    yield from _groups(risk, universe=universe)
    if risk.deployment == "canary" and len(risk.symbols) != 1:
        yield Contradiction(
            ("deployment",), f"a canary trades one symbol, and {len(risk.symbols)} are allowed; write one under symbols"
        )


def _groups(risk: RiskConfig, *, universe: tuple[str, ...]) -> Iterator[Contradiction]:
    """Yield what cannot stand among the groups of symbols."""
    grouped: dict[str, str] = {}
    for group, symbols in risk.groups.items():
        if not symbols:
            yield Contradiction(("groups", group), "there is no symbol in it, so it never binds; take it out")
        for ix, symbol in enumerate(symbols):
            if symbol not in universe:
                words = f'"{symbol}" is not in the universe, so its group never binds; take it out'
                yield Contradiction(("groups", group, ix), words)
            if symbol in grouped:
                words = f'"{symbol}" is in the group {grouped[symbol]} already; a symbol is in one group, once'
                yield Contradiction(("groups", group, ix), words)
            grouped[symbol] = group
    if risk.max_group_bps is not None and not risk.groups:
        words = "it can never bind: no group is written; write [risk.groups], or take it out"
        yield Contradiction(("max_group",), words)


def _unknown_scopes(
    risk: RiskConfig, *, universe: tuple[str, ...], strategies: tuple[str, ...]
) -> Iterator[Contradiction]:
    """Yield limits of a strategy or a symbol that the run does not have."""
    for name in risk.strategy:
        if name not in strategies:
            yield Contradiction(("strategy", name), "no [[strategy]] has this name, so its limits can never bind")
    for symbol in risk.symbol:
        if symbol not in universe:
            yield Contradiction(("symbol", symbol), "it is not in the universe, so its limits can never bind")


def _inside(section: _Written, *, at: tuple[str, ...]) -> Iterator[Contradiction]:
    """Yield what can never bind among the limits of one section and those beside it."""
    values = section.values
    for first, second in _NEVER_BINDS:
        other = section.other(second)
        if first in values and other is not None and values[first] > other:
            yield _contradiction(
                at, first, f"it can never bind: {section.named(second)} is reached at {_shown(second, other)}", values
            )
    for soft, hard in SOFT_LIMITS:
        other = section.other(hard)
        if soft in values and other is not None and values[soft] >= other:
            words = f"nobody would ever be asked: {section.named(hard)} blocks what is above {_shown(hard, other)}"
            yield Contradiction(
                (*at, KEYS[soft].written), f"at {_shown(soft, values[soft])} {words}; write less than that"
            )
    for least, most in _NO_ROOM:
        other = section.other(most)
        if least in values and other is not None and values[least] > other:
            words = f"no order can pass: {section.named(most)} is {_shown(most, other)}"
            yield _contradiction(at, least, words, values)
    yield from _concentrated(section, at=at)
    yield from _rated(section, at=at)


def _shown(name: str, value: int) -> str:
    return number(value, KEYS[name].unit)


def _contradiction(at: tuple[str, ...], name: str, words: str, values: Mapping[str, int]) -> Contradiction:
    return Contradiction((*at, KEYS[name].written), f"at {_shown(name, values[name])} {words}; write no more than that")


def _concentrated(section: _Written, *, at: tuple[str, ...]) -> Iterator[Contradiction]:
    """Yield a position limit that the concentration never lets a symbol reach, or an order that is above it."""
    part_bps = section.other("max_concentration_bps")
    if part_bps is None or section.cash_micros is None:
        return
    most_micros = section.cash_micros * part_bps // BPS_PER_ONE
    of_cash = f"of {number(part_bps, 'bps')} is {number(most_micros, 'micros')} of this cash"
    for name in ("max_position_notional_micros", "max_order_notional_micros"):
        if section.values.get(name, 0) > most_micros:
            words = f"it can never bind: {section.named('max_concentration_bps')} {of_cash}"
            yield _contradiction(at, name, words, section.values)


def _rated(section: _Written, *, at: tuple[str, ...]) -> Iterator[Contradiction]:
    """Yield a strategy's rate that the account's own lets nobody reach.

    Source: a span of `n` windows holds at most `n` times the count of one.
    """
    count, window_ns = section.values.get("max_strategy_count"), section.values.get("strategy_window_ns")
    most, each_ns = section.other("max_order_count"), section.other("order_window_ns")
    if count is None or window_ns is None or most is None or each_ns is None:
        return
    reached = most * -(-window_ns // each_ns)
    if count > reached:
        words = f"{section.named('max_order_count')} of {_rate(most, each_ns)} lets at most {reached:,} through"
        yield Contradiction(
            (*at, "max_strategy_rate"),
            f"at {_rate(count, window_ns)} it can never bind: {words}; write no more than that",
        )


def _rate(count: int, window_ns: int) -> str:
    return f"{count:,} / {duration(window_ns)}"


def _buffered(account: _Written) -> Iterator[Contradiction]:
    """Yield a buffer that leaves nothing of the cash."""
    buffer_micros, cash_micros = account.values.get("cash_buffer_micros"), account.cash_micros
    if buffer_micros is not None and cash_micros is not None and buffer_micros >= cash_micros:
        words = f"no order can pass: it is all of the cash, {number(cash_micros, 'micros')}; write less than that"
        yield Contradiction(("cash_buffer",), f"at {number(buffer_micros, 'micros')} {words}")


def _outranked(own: Mapping[str, int], account: Mapping[str, int], *, at: tuple[str, ...]) -> Iterator[Contradiction]:
    """Yield limits of one strategy or symbol that the account's own are stricter than."""
    rate = ("max_strategy_count", "strategy_window_ns")
    for name, value in own.items():
        key = KEYS[name]
        if name not in rate and name in account and key.is_stricter(account[name], than=value):
            yield Contradiction(
                (*at, key.written),
                f"at {_shown(name, value)} it can never bind: the account's own {key.written} is stricter, "
                f"{_shown(name, account[name])}; the strictest holds, so leave it out or write a stricter one",
            )
    # The two numbers of a rate are one limit: it is outranked only where neither of them lets less through.
    mine, above = [tuple(values[name] for name in rate if name in values) for values in (own, account)]
    if len(mine) == len(above) == len(rate) and mine != above and mine[0] >= above[0] and mine[1] <= above[1]:
        yield Contradiction(
            (*at, "max_strategy_rate"),
            f"at {_rate(*mine)} it can never bind: the account's own max_strategy_rate is stricter, {_rate(*above)}; "
            "the strictest holds, so leave it out or write a stricter one",
        )
