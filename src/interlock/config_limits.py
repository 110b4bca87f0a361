"""The limits that `[risk]` may hold, as types: the name of each, its unit, and what it means.

Floor 2 (shell), though it touches nothing. It holds no number: the defaults are in the table of `core.risk.keys`.
On the trip: before it; the sections of `interlock.config_risk` are built from these.
"""

from __future__ import annotations

from typing import Annotated

from interlock.config_units import (
    MONEY,
    PART,
    RATE,
    SHARES,
    SPAN,
    TIMES,
    Natural,
    Part,
    Positive,
    PositivePart,
)
from interlock.tomlfields import key

MaxOrderQty = Annotated[Natural | None, key("max_order_qty", "The most shares of one order.", unit=SHARES)]
MaxOrderNotionalMicros = Annotated[
    Natural | None, key("max_order_notional", "The most money in one order.", unit=MONEY)
]
SoftOrderNotionalMicros = Annotated[
    Natural | None,
    key(
        "soft_order_notional",
        "The money in one order above which a human must allow it.",
        unit=MONEY,
    ),
]
MinOrderNotionalMicros = Annotated[
    Natural | None, key("min_order_notional", "The least money in one order.", unit=MONEY)
]
PriceCollarBps = Annotated[
    Part | None, key("price_collar", "How far an entry's price may be from the market.", unit=PART)
]
SoftCollarBps = Annotated[
    Part | None,
    key(
        "soft_collar",
        "How far from the market an entry's price must be allowed by a human.",
        unit=PART,
    ),
]
MaxCollarTicks = Annotated[
    Natural | None, key("max_collar_ticks", "How many ticks an entry's price may be from the market.")
]
CloseCollarBps = Annotated[
    Part | None, key("close_collar", "How far an entry's price may be from the previous close.", unit=PART)
]
MarketBoundBps = Annotated[
    Part | None, key("market_bound", "How far beyond the touch a wish for market is bounded.", unit=PART)
]
ExitCollarBps = Annotated[
    Part | None, key("exit_collar", "How far an exit's price may be from the last confirmed price.", unit=PART)
]
TickSizePx = Annotated[Positive | None, key("tick_size", "The step that prices of orders stand on.", unit=MONEY)]
LotSizeQty = Annotated[Positive | None, key("lot_size", "The step that sizes of orders stand on.", unit=SHARES)]
MaxQuoteAgeNs = Annotated[Natural | None, key("max_quote_age", "How old the quote of a decision may be.", unit=SPAN)]
MaxFeedAgeNs = Annotated[
    Natural | None, key("max_feed_age", "How old the newest quote of all symbols may be.", unit=SPAN)
]
MaxFeedFaults = Annotated[Natural | None, key("max_feed_faults", "How many bad rows a minute may have.")]
MaxJumpBps = Annotated[
    Part | None, key("max_jump", "How far a price may jump before other quotes must confirm it.", unit=PART)
]
JumpQuotes = Annotated[Natural | None, key("jump_quotes", "How many quotes confirm a jump.")]
MaxSpreadBps = Annotated[Part | None, key("max_spread", "How wide the spread may be.", unit=PART)]
SoftSpreadBps = Annotated[
    Part | None,
    key(
        "soft_spread",
        "How wide the spread may be before a human must allow an entry.",
        unit=PART,
    ),
]
PauseMoveBps = Annotated[
    Part | None, key("pause_move", "How far a price may move in pause_window before the symbol pauses.", unit=PART)
]
PauseWindowNs = Annotated[Natural | None, key("pause_window", "Over how long a fast move is looked for.", unit=SPAN)]
PauseForNs = Annotated[Natural | None, key("pause_for", "How long a symbol pauses after a fast move.", unit=SPAN)]
HaltMoveBps = Annotated[
    Part | None, key("halt_move", "How far a price may move in halt_window before the symbol is latched.", unit=PART)
]
HaltWindowNs = Annotated[Natural | None, key("halt_window", "Over how long a halting move is looked for.", unit=SPAN)]
WarmUpQuotes = Annotated[
    Natural | None, key("warm_up_quotes", "How many fresh quotes in a row a symbol needs before an entry.")
]
OpenGuardNs = Annotated[Natural | None, key("open_guard", "How long after the open no entry is sent.", unit=SPAN)]
CloseGuardNs = Annotated[Natural | None, key("close_guard", "How long before the close no entry is sent.", unit=SPAN)]
MinSessionsLeft = Annotated[Natural | None, key("min_sessions_left", "How many sessions the calendar must still know.")]
MaxAdvBps = Annotated[
    Part | None, key("max_adv", "The part of a mean day's volume above which a human must allow an entry.", unit=PART)
]
MaxVolumeBps = Annotated[
    Part | None,
    key("max_volume", "The part of five minutes' volume above which a human must allow an entry.", unit=PART),
]
DuplicateWindowNs = Annotated[
    Natural | None, key("duplicate_window", "How long the same order counts as a duplicate.", unit=SPAN)
]
MaxOrderRate = Annotated[
    tuple[int, int] | None, key("max_order_rate", "How many orders the account may send in how long.", unit=RATE)
]
MaxStrategyRate = Annotated[
    tuple[int, int] | None, key("max_strategy_rate", "How many orders one strategy may send in how long.", unit=RATE)
]
MaxThrottles = Annotated[
    Natural | None, key("max_throttles", "How often in a minute its rate may block a strategy before it is latched.")
]
MaxCountMinute = Annotated[
    Natural | None, key("max_count_minute", "How many orders a strategy may try in a minute, blocked ones included.")
]
MaxCountHour = Annotated[
    Natural | None, key("max_count_hour", "How many orders a strategy may try in an hour, blocked ones included.")
]
MaxCountDay = Annotated[
    Natural | None, key("max_count_day", "How many orders the account may try in a day, blocked ones included.")
]
MaxEntriesDay = Annotated[Natural | None, key("max_entries_day", "How many entries may be approved in a day.")]
MaxValueMinuteMicros = Annotated[
    Natural | None,
    key("max_value_minute", "The money that a strategy may try in a minute.", unit=MONEY),
]
MaxValueHourMicros = Annotated[
    Natural | None,
    key("max_value_hour", "The money that a strategy may try in an hour.", unit=MONEY),
]
MaxValueDayMicros = Annotated[
    Natural | None, key("max_value_day", "The money that the account may try in a day.", unit=MONEY)
]
MaxReentries = Annotated[
    Positive | None, key("max_reentries", "How often a day a strategy may enter a symbol again before it is disabled.")
]
MaxRepeats = Annotated[
    Positive | None,
    key("max_repeats", "How often the same order may be approved in repeat_window before the strategy is disabled."),
]
RepeatWindowNs = Annotated[
    Natural | None, key("repeat_window", "How long the same order counts as a repeat.", unit=SPAN)
]
MaxOrderToTrade = Annotated[
    Natural | None, key("max_order_to_trade", "How many messages a strategy may send for each execution of the day.")
]
OrderToTradeMessages = Annotated[
    Natural | None, key("order_to_trade_messages", "From how many messages on that is looked at.")
]
MaxRejectsInRow = Annotated[
    Positive | None, key("max_rejects_in_row", "At how many rejections in a row a strategy is disabled.")
]
MaxRejects = Annotated[
    Positive | None, key("max_rejects", "At how many rejections in reject_window a strategy is disabled.")
]
RejectWindowNs = Annotated[Natural | None, key("reject_window", "How long a rejection counts.", unit=SPAN)]
MaxSlippageX100 = Annotated[
    Positive | None,
    key("max_slippage", "How many times half the spread a fill may be from its arrival price.", unit=TIMES),
]
SlippageFills = Annotated[
    Positive | None, key("slippage_fills", "At how many such fills in a row a strategy is disabled.")
]
AckTimeoutNs = Annotated[
    Natural | None, key("ack_timeout", "How long an order may go unanswered before it is in doubt.", unit=SPAN)
]
MaxPositionAgeNs = Annotated[
    Natural | None, key("max_position_age", "How long ago the gateway may have told what it did.", unit=SPAN)
]
MaxPositionNotionalMicros = Annotated[
    Natural | None, key("max_position_notional", "The most money in one symbol, open orders included.", unit=MONEY)
]
MaxGrossNotionalMicros = Annotated[
    Natural | None, key("max_gross_notional", "The most money in all symbols, open orders included.", unit=MONEY)
]
MaxNetNotionalMicros = Annotated[
    Natural | None,
    key("max_net_notional", "The most money, long less short, open orders included.", unit=MONEY),
]
MaxLeverageX100 = Annotated[
    Positive | None,
    key("max_leverage", "How many times its equity the account may hold, open orders included.", unit=TIMES),
]
MaxConcentrationBps = Annotated[
    Part | None,
    key("max_concentration", "The most of the account's cash in one symbol, open orders included.", unit=PART),
]
SoftConcentrationBps = Annotated[
    Part | None,
    key(
        "soft_concentration",
        "The part of the cash in one symbol above which a human must allow it.",
        unit=PART,
    ),
]
MaxGroupBps = Annotated[
    Part | None,
    key("max_group", "The most of the account's cash in one group of symbols, open orders included.", unit=PART),
]
MaxOpenOrders = Annotated[Natural | None, key("max_open_orders", "How many orders the account may have open.")]
MaxSymbolOrders = Annotated[Natural | None, key("max_symbol_orders", "How many orders one symbol may have open.")]
MaxUnexecutedMicros = Annotated[
    Natural | None,
    key("max_unexecuted", "The most money in orders that have not filled.", unit=MONEY),
]
MaxCapitalMicros = Annotated[
    Natural | None,
    key("max_capital", "The most capital that the account may use, open orders included.", unit=MONEY),
]
MaxStrategyCapitalMicros = Annotated[
    Natural | None,
    key(
        "max_strategy_capital",
        "The most capital that one strategy may use, open orders included.",
        unit=MONEY,
    ),
]
CashBufferMicros = Annotated[Natural | None, key("cash_buffer", "The cash that no order may touch.", unit=MONEY)]
MaxStrategyLossMicros = Annotated[
    Positive | None, key("max_strategy_loss", "What a strategy may lose in a day.", unit=MONEY)
]
MaxDailyLossMicros = Annotated[
    Positive | None, key("max_daily_loss", "What the account may lose in a day.", unit=MONEY)
]
MaxStrategyDrawdownBps = Annotated[
    PositivePart | None, key("max_strategy_drawdown", "How far a strategy may stand below its peak.", unit=PART)
]
MaxDrawdownBps = Annotated[
    PositivePart | None, key("max_drawdown", "How far the account may stand below its peak.", unit=PART)
]
