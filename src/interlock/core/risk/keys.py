"""The keys of all limits: what each is called, its unit, its default, and which way is stricter.

Floor 1 (decisions). Pure values. A default is sized from the account's cash, or from a limit that stands before it.
On the trip: read once at boot, when limits are made, and where a person tightens one.

Source: the defaults of the control catalogue in the book. No regulator sets a number for any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from interlock.model.units import BPS_PER_ONE, MICROS_PER_DOLLAR, SECOND_NS

#: What a default is made from: the limits before it, the account's cash (None: not written), length of a bar.
Default = Callable[[Mapping[str, int | None], int | None, int], int | None]

MINUTE_NS = 60 * SECOND_NS
#: A quote of a source without bars may be this old, and the newest of all quotes this.
QUOTE_AGE_NS_DEFAULT = 2 * SECOND_NS
FEED_AGE_NS_DEFAULT = 5 * SECOND_NS
#: Which value of a limit lets less through.
LESS, MORE, NEITHER = "less", "more", "neither"


class LimitKey(msgspec.Struct, frozen=True):
    """One limit that there is.

    Attributes:
        name: in here, with its unit at the end.
        written: in a configuration.
        unit: of its value (`qty`, `micros`, `bps`, `ns`, `px`, `count`, `x100`).
        default: what holds where nobody wrote it; None is "nothing holds, so entries are blocked".
        stricter: whether `less` or `more` lets less through; `neither` for a rule of the instrument.
        scopes: where it may be written besides the account: for one `strategy`, for one `symbol`.
    """

    name: str
    written: str
    unit: str
    default: Default
    stricter: str = LESS
    scopes: tuple[str, ...] = ()

    def is_stricter(self, value: int, *, than: int) -> bool:
        """Return True if `value` lets less through."""
        return value < than if self.stricter == LESS else value > than and self.stricter == MORE


def _none(values: Mapping[str, int | None], cash_micros: int | None, bar_ns: int) -> int | None:
    """Return nothing: the limit has no default."""
    del values, cash_micros, bar_ns
    return None


def _is(value: int) -> Default:
    """Return a default that is always the same."""
    return lambda _values, _cash_micros, _bar_ns: value


def _part_of_cash(bps: int) -> Default:
    """Return a default that is a part of the account's cash."""
    return lambda _values, cash_micros, _bar_ns: None if cash_micros is None else cash_micros * bps // BPS_PER_ONE


def _part_of(name: str, numerator: int, denominator: int) -> Default:
    """Return a default that is a multiple of a limit that stands before it in the table."""

    def _made(values: Mapping[str, int | None], cash_micros: int | None, bar_ns: int) -> int | None:
        del cash_micros, bar_ns
        value = values[name]
        return None if value is None else value * numerator // denominator

    return _made


def _at_least_a_bar_and_a_half(least_ns: int) -> Default:
    """Return a span that follows the source: one and a half of its bars, and at least so long."""
    return lambda _values, _cash_micros, bar_ns: max(least_ns, bar_ns * 3 // 2)


def _at_least_bars(least_ns: int, bars: int) -> Default:
    """Return a window that holds so many bars of the source, and is at least so long: one bar alone shows no move."""
    return lambda _values, _cash_micros, bar_ns: max(least_ns, bar_ns * bars)


def _cash(values: Mapping[str, int | None], cash_micros: int | None, bar_ns: int) -> int | None:
    """Return the account's cash."""
    del values, bar_ns
    return cash_micros


_BOTH = ("strategy", "symbol")
_OF_ONE = ("strategy",)
_K = LimitKey
_TABLE = (
    _K("cash_micros", "cash", "micros", _cash, NEITHER),
    # The order itself.
    _K("max_order_qty", "max_order_qty", "qty", _none, LESS, _BOTH),
    _K("max_order_notional_micros", "max_order_notional", "micros", _none, LESS, _BOTH),
    _K(
        "soft_order_notional_micros", "soft_order_notional", "micros",
        _part_of("max_order_notional_micros", 1, 2), LESS, _BOTH,
    ),
    _K("min_order_notional_micros", "min_order_notional", "micros", _is(MICROS_PER_DOLLAR), MORE, _BOTH),
    _K("price_collar_bps", "price_collar", "bps", _none, LESS, _BOTH),
    _K("soft_collar_bps", "soft_collar", "bps", _part_of("price_collar_bps", 1, 2), LESS, _BOTH),
    _K("max_collar_ticks", "max_collar_ticks", "count", _is(1_000), LESS, _BOTH),
    _K("close_collar_bps", "close_collar", "bps", _is(1_000), LESS, _BOTH),
    _K("market_bound_bps", "market_bound", "bps", _is(50), LESS, _BOTH),
    _K("exit_collar_bps", "exit_collar", "bps", _is(1_000), NEITHER, _BOTH),
    _K("tick_size_px", "tick_size", "px", _is(10_000), NEITHER, ("symbol",)),
    _K("lot_size_qty", "lot_size", "qty", _is(1), NEITHER, ("symbol",)),
    # The market.
    _K("max_quote_age_ns", "max_quote_age", "ns", _at_least_a_bar_and_a_half(QUOTE_AGE_NS_DEFAULT), LESS, _BOTH),
    _K("max_feed_age_ns", "max_feed_age", "ns", _at_least_a_bar_and_a_half(FEED_AGE_NS_DEFAULT)),
    _K("max_feed_faults", "max_feed_faults", "count", _is(10)),
    _K("max_jump_bps", "max_jump", "bps", _is(300)),
    _K("jump_quotes", "jump_quotes", "count", _is(3), MORE),
    _K("max_spread_bps", "max_spread", "bps", _is(200), LESS, _BOTH),
    _K("soft_spread_bps", "soft_spread", "bps", _part_of("max_spread_bps", 3, 5), LESS, _BOTH),
    _K("pause_move_bps", "pause_move", "bps", _is(200)),
    _K("pause_window_ns", "pause_window", "ns", _at_least_bars(10 * SECOND_NS, 3), NEITHER),
    _K("pause_for_ns", "pause_for", "ns", _is(MINUTE_NS), MORE),
    _K("halt_move_bps", "halt_move", "bps", _is(500)),
    _K("halt_window_ns", "halt_window", "ns", _at_least_bars(5 * MINUTE_NS, 5), NEITHER),
    _K("warm_up_quotes", "warm_up_quotes", "count", _is(10), MORE, _BOTH),
    _K("open_guard_ns", "open_guard", "ns", _is(5 * MINUTE_NS), MORE, _BOTH),
    _K("close_guard_ns", "close_guard", "ns", _is(5 * MINUTE_NS), MORE, _BOTH),
    _K("min_sessions_left", "min_sessions_left", "count", _is(10), MORE),
    _K("max_adv_bps", "max_adv", "bps", _is(100), LESS, _BOTH),
    _K("max_volume_bps", "max_volume", "bps", _is(1_000), LESS, _BOTH),
    # What strategies do.
    _K("duplicate_window_ns", "duplicate_window", "ns", _is(10 * SECOND_NS), MORE),
    _K("max_order_count", "max_order_rate", "count", _is(10)),
    _K("order_window_ns", "max_order_rate", "ns", _is(SECOND_NS), MORE),
    _K("max_strategy_count", "max_strategy_rate", "count", _is(10), LESS, _OF_ONE),
    _K("strategy_window_ns", "max_strategy_rate", "ns", _is(5 * SECOND_NS), MORE, _OF_ONE),
    _K("max_throttles", "max_throttles", "count", _is(3)),
    _K("max_count_minute", "max_count_minute", "count", _is(120), LESS, _OF_ONE),
    _K("max_count_hour", "max_count_hour", "count", _is(7_200), LESS, _OF_ONE),
    _K("max_count_day", "max_count_day", "count", _is(50_000)),
    _K("max_entries_day", "max_entries_day", "count", _is(5_000)),
    _K(
        "max_value_minute_micros", "max_value_minute", "micros",
        _part_of("max_order_notional_micros", 5, 1), LESS, _OF_ONE,
    ),
    _K("max_value_hour_micros", "max_value_hour", "micros", _part_of_cash(10_000), LESS, _OF_ONE),
    _K("max_value_day_micros", "max_value_day", "micros", _part_of_cash(20_000)),
    _K("max_reentries", "max_reentries", "count", _is(20)),
    _K("max_repeats", "max_repeats", "count", _is(5)),
    _K("repeat_window_ns", "repeat_window", "ns", _is(10 * MINUTE_NS), MORE),
    _K("max_order_to_trade", "max_order_to_trade", "count", _is(20)),
    _K("order_to_trade_messages", "order_to_trade_messages", "count", _is(50)),
    _K("max_rejects_in_row", "max_rejects_in_row", "count", _is(3)),
    _K("max_rejects", "max_rejects", "count", _is(10)),
    _K("reject_window_ns", "reject_window", "ns", _is(5 * MINUTE_NS), MORE),
    _K("max_slippage_x100", "max_slippage", "x100", _is(300)),
    _K("slippage_fills", "slippage_fills", "count", _is(5)),
    _K("ack_timeout_ns", "ack_timeout", "ns", _is(5 * SECOND_NS)),
    _K("max_position_age_ns", "max_position_age", "ns", _is(MINUTE_NS)),
    # What may be held.
    _K("max_position_notional_micros", "max_position_notional", "micros", _none, LESS, _BOTH),
    _K("max_gross_notional_micros", "max_gross_notional", "micros", _none),
    _K("max_net_notional_micros", "max_net_notional", "micros", _part_of_cash(10_000)),
    _K("max_leverage_x100", "max_leverage", "x100", _is(100)),
    _K("max_concentration_bps", "max_concentration", "bps", _is(2_000), LESS, _BOTH),
    _K(
        "soft_concentration_bps", "soft_concentration", "bps",
        _part_of("max_concentration_bps", 3, 4), LESS, _BOTH,
    ),
    _K("max_group_bps", "max_group", "bps", _is(4_000)),
    _K("max_open_orders", "max_open_orders", "count", _is(20)),
    _K("max_symbol_orders", "max_symbol_orders", "count", _is(5), LESS, _BOTH),
    _K("max_unexecuted_micros", "max_unexecuted", "micros", _part_of_cash(2_500)),
    _K("max_capital_micros", "max_capital", "micros", _part_of_cash(5_000)),
    _K("max_strategy_capital_micros", "max_strategy_capital", "micros", _part_of_cash(1_000), LESS, _OF_ONE),
    _K("cash_buffer_micros", "cash_buffer", "micros", _part_of_cash(2_000), MORE),
    # What may be lost.
    _K("max_strategy_loss_micros", "max_strategy_loss", "micros", _part_of_cash(100), LESS, _OF_ONE),
    _K("max_daily_loss_micros", "max_daily_loss", "micros", _part_of_cash(200)),
    _K("max_strategy_drawdown_bps", "max_strategy_drawdown", "bps", _is(500), LESS, _OF_ONE),
    _K("max_drawdown_bps", "max_drawdown", "bps", _is(800)),
)  # fmt: skip
#: Every limit by its name, in the order in which defaults are made.
KEYS: Mapping[str, LimitKey] = MappingProxyType({key.name: key for key in _TABLE})
#: What a default is sized from, where that is another limit and not the account's cash.
SIZED_FROM: Mapping[str, str] = MappingProxyType(
    {
        "soft_order_notional_micros": "max_order_notional_micros",
        "max_value_minute_micros": "max_order_notional_micros",
        "soft_collar_bps": "price_collar_bps",
        "soft_spread_bps": "max_spread_bps",
        "soft_concentration_bps": "max_concentration_bps",
    }
)
#: Keys without a default: unwritten, they block entries.
NO_DEFAULT = tuple(key.name for key in _TABLE if key.default is _none)
