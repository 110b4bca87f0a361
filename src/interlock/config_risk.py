"""The `[risk]` section of a configuration, as types: every limit that may be written, and for whom.

Floor 2 (shell), though it touches nothing. It may never give a limit a value that nobody wrote.
On the trip: before it; `interlock.config` reads a file into these, and the reference in the book is written from them.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from interlock.config_limits import (
    AckTimeoutNs,
    CashBufferMicros,
    CloseCollarBps,
    CloseGuardNs,
    DuplicateWindowNs,
    ExitCollarBps,
    HaltMoveBps,
    HaltWindowNs,
    JumpQuotes,
    LotSizeQty,
    MarketBoundBps,
    MaxAdvBps,
    MaxCapitalMicros,
    MaxCollarTicks,
    MaxConcentrationBps,
    MaxCountDay,
    MaxCountHour,
    MaxCountMinute,
    MaxDailyLossMicros,
    MaxDrawdownBps,
    MaxEntriesDay,
    MaxFeedAgeNs,
    MaxFeedFaults,
    MaxGrossNotionalMicros,
    MaxGroupBps,
    MaxJumpBps,
    MaxLeverageX100,
    MaxNetNotionalMicros,
    MaxOpenOrders,
    MaxOrderNotionalMicros,
    MaxOrderQty,
    MaxOrderRate,
    MaxOrderToTrade,
    MaxPositionAgeNs,
    MaxPositionNotionalMicros,
    MaxQuoteAgeNs,
    MaxReentries,
    MaxRejects,
    MaxRejectsInRow,
    MaxRepeats,
    MaxSlippageX100,
    MaxSpreadBps,
    MaxStrategyCapitalMicros,
    MaxStrategyDrawdownBps,
    MaxStrategyLossMicros,
    MaxStrategyRate,
    MaxSymbolOrders,
    MaxThrottles,
    MaxUnexecutedMicros,
    MaxValueDayMicros,
    MaxValueHourMicros,
    MaxValueMinuteMicros,
    MaxVolumeBps,
    MinOrderNotionalMicros,
    MinSessionsLeft,
    OpenGuardNs,
    OrderToTradeMessages,
    PauseForNs,
    PauseMoveBps,
    PauseWindowNs,
    PriceCollarBps,
    RejectWindowNs,
    RepeatWindowNs,
    SlippageFills,
    SoftCollarBps,
    SoftConcentrationBps,
    SoftOrderNotionalMicros,
    SoftSpreadBps,
    TickSizePx,
    WarmUpQuotes,
)
from interlock.config_units import (
    GROUP_FORM,
    GROUP_NAMES,
    STRATEGY_FORM,
    STRATEGY_NAMES,
    SYMBOL_FORM,
    SYMBOL_NAMES,
    SYMBOLS_FORM,
    StrategyName,
    Symbol,
)
from interlock.tomlfields import key

GroupName = Annotated[str, Meta(pattern=r"[a-z][a-z0-9_]{0,39}")]


class StrategyRiskConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one strategy; where the account's are stricter, those hold."""

    max_order_qty: MaxOrderQty = None
    max_order_notional_micros: MaxOrderNotionalMicros = None
    soft_order_notional_micros: SoftOrderNotionalMicros = None
    min_order_notional_micros: MinOrderNotionalMicros = None
    price_collar_bps: PriceCollarBps = None
    soft_collar_bps: SoftCollarBps = None
    max_collar_ticks: MaxCollarTicks = None
    close_collar_bps: CloseCollarBps = None
    market_bound_bps: MarketBoundBps = None
    exit_collar_bps: ExitCollarBps = None
    max_quote_age_ns: MaxQuoteAgeNs = None
    max_spread_bps: MaxSpreadBps = None
    soft_spread_bps: SoftSpreadBps = None
    warm_up_quotes: WarmUpQuotes = None
    open_guard_ns: OpenGuardNs = None
    close_guard_ns: CloseGuardNs = None
    max_adv_bps: MaxAdvBps = None
    max_volume_bps: MaxVolumeBps = None
    max_strategy_rate: MaxStrategyRate = None
    max_count_minute: MaxCountMinute = None
    max_count_hour: MaxCountHour = None
    max_value_minute_micros: MaxValueMinuteMicros = None
    max_value_hour_micros: MaxValueHourMicros = None
    max_position_notional_micros: MaxPositionNotionalMicros = None
    max_concentration_bps: MaxConcentrationBps = None
    soft_concentration_bps: SoftConcentrationBps = None
    max_symbol_orders: MaxSymbolOrders = None
    max_strategy_capital_micros: MaxStrategyCapitalMicros = None
    max_strategy_loss_micros: MaxStrategyLossMicros = None
    max_strategy_drawdown_bps: MaxStrategyDrawdownBps = None


class SymbolRiskConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one symbol; where the account's are stricter, those hold."""

    max_order_qty: MaxOrderQty = None
    max_order_notional_micros: MaxOrderNotionalMicros = None
    soft_order_notional_micros: SoftOrderNotionalMicros = None
    min_order_notional_micros: MinOrderNotionalMicros = None
    price_collar_bps: PriceCollarBps = None
    soft_collar_bps: SoftCollarBps = None
    max_collar_ticks: MaxCollarTicks = None
    close_collar_bps: CloseCollarBps = None
    market_bound_bps: MarketBoundBps = None
    exit_collar_bps: ExitCollarBps = None
    tick_size_px: TickSizePx = None
    lot_size_qty: LotSizeQty = None
    max_quote_age_ns: MaxQuoteAgeNs = None
    max_spread_bps: MaxSpreadBps = None
    soft_spread_bps: SoftSpreadBps = None
    warm_up_quotes: WarmUpQuotes = None
    open_guard_ns: OpenGuardNs = None
    close_guard_ns: CloseGuardNs = None
    max_adv_bps: MaxAdvBps = None
    max_volume_bps: MaxVolumeBps = None
    max_position_notional_micros: MaxPositionNotionalMicros = None
    max_concentration_bps: MaxConcentrationBps = None
    soft_concentration_bps: SoftConcentrationBps = None
    max_symbol_orders: MaxSymbolOrders = None


class RiskConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that a human wrote; None is "not written", which the gate never reads as "no limit"."""

    profile: Annotated[
        Literal["starter", "small", "paper"] | None,
        key("profile", "Named limits, sized by the account's cash alone; what is written beside it outranks it."),
    ] = None
    deployment: Annotated[
        Literal["full", "canary"],
        key("deployment", "canary: one symbol, one lot an order, ten entries a day, a tenth of every amount of money."),
    ] = "full"
    symbols: Annotated[
        tuple[Symbol, ...], key("symbols", "The symbols that may be traded; none written is none.", form=SYMBOLS_FORM)
    ] = ()
    restricted: Annotated[
        tuple[Symbol, ...],
        key("restricted", "Symbols that may not be entered, whatever else is written.", form=SYMBOLS_FORM),
    ] = ()
    groups: Annotated[
        dict[GroupName, tuple[Symbol, ...]],
        key(
            "groups",
            "Symbols that move together, for max_group; a symbol is in one group.",
            form=GROUP_FORM,
            names=GROUP_NAMES,
            values=SYMBOLS_FORM,
        ),
    ] = {}
    strategy: Annotated[
        dict[StrategyName, StrategyRiskConfig],
        key(
            "strategy",
            "Limits of one strategy, by its name. Of its own and the account's the strictest holds; of two rates, the "
            "lower count and the longer window.",
            form=STRATEGY_FORM,
            names=STRATEGY_NAMES,
        ),
    ] = {}
    symbol: Annotated[
        dict[Symbol, SymbolRiskConfig],
        key(
            "symbol",
            "Limits of one symbol. Of its own and the account's the strictest holds; of tick and lot, its own.",
            form=SYMBOL_FORM,
            names=SYMBOL_NAMES,
        ),
    ] = {}
    max_order_qty: MaxOrderQty = None
    max_order_notional_micros: MaxOrderNotionalMicros = None
    soft_order_notional_micros: SoftOrderNotionalMicros = None
    min_order_notional_micros: MinOrderNotionalMicros = None
    price_collar_bps: PriceCollarBps = None
    soft_collar_bps: SoftCollarBps = None
    max_collar_ticks: MaxCollarTicks = None
    close_collar_bps: CloseCollarBps = None
    market_bound_bps: MarketBoundBps = None
    exit_collar_bps: ExitCollarBps = None
    tick_size_px: TickSizePx = None
    lot_size_qty: LotSizeQty = None
    max_quote_age_ns: MaxQuoteAgeNs = None
    max_feed_age_ns: MaxFeedAgeNs = None
    max_feed_faults: MaxFeedFaults = None
    max_jump_bps: MaxJumpBps = None
    jump_quotes: JumpQuotes = None
    max_spread_bps: MaxSpreadBps = None
    soft_spread_bps: SoftSpreadBps = None
    pause_move_bps: PauseMoveBps = None
    pause_window_ns: PauseWindowNs = None
    pause_for_ns: PauseForNs = None
    halt_move_bps: HaltMoveBps = None
    halt_window_ns: HaltWindowNs = None
    warm_up_quotes: WarmUpQuotes = None
    open_guard_ns: OpenGuardNs = None
    close_guard_ns: CloseGuardNs = None
    min_sessions_left: MinSessionsLeft = None
    max_adv_bps: MaxAdvBps = None
    max_volume_bps: MaxVolumeBps = None
    duplicate_window_ns: DuplicateWindowNs = None
    max_order_rate: MaxOrderRate = None
    max_strategy_rate: MaxStrategyRate = None
    max_throttles: MaxThrottles = None
    max_count_minute: MaxCountMinute = None
    max_count_hour: MaxCountHour = None
    max_count_day: MaxCountDay = None
    max_entries_day: MaxEntriesDay = None
    max_value_minute_micros: MaxValueMinuteMicros = None
    max_value_hour_micros: MaxValueHourMicros = None
    max_value_day_micros: MaxValueDayMicros = None
    max_reentries: MaxReentries = None
    max_repeats: MaxRepeats = None
    repeat_window_ns: RepeatWindowNs = None
    max_order_to_trade: MaxOrderToTrade = None
    order_to_trade_messages: OrderToTradeMessages = None
    max_rejects_in_row: MaxRejectsInRow = None
    max_rejects: MaxRejects = None
    reject_window_ns: RejectWindowNs = None
    max_slippage_x100: MaxSlippageX100 = None
    slippage_fills: SlippageFills = None
    ack_timeout_ns: AckTimeoutNs = None
    max_position_age_ns: MaxPositionAgeNs = None
    max_position_notional_micros: MaxPositionNotionalMicros = None
    max_gross_notional_micros: MaxGrossNotionalMicros = None
    max_net_notional_micros: MaxNetNotionalMicros = None
    max_leverage_x100: MaxLeverageX100 = None
    max_concentration_bps: MaxConcentrationBps = None
    soft_concentration_bps: SoftConcentrationBps = None
    max_group_bps: MaxGroupBps = None
    max_open_orders: MaxOpenOrders = None
    max_symbol_orders: MaxSymbolOrders = None
    max_unexecuted_micros: MaxUnexecutedMicros = None
    max_capital_micros: MaxCapitalMicros = None
    max_strategy_capital_micros: MaxStrategyCapitalMicros = None
    cash_buffer_micros: CashBufferMicros = None
    max_strategy_loss_micros: MaxStrategyLossMicros = None
    max_daily_loss_micros: MaxDailyLossMicros = None
    max_strategy_drawdown_bps: MaxStrategyDrawdownBps = None
    max_drawdown_bps: MaxDrawdownBps = None
