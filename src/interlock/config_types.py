"""The sections of a configuration, as types: what may be written, in which unit, and what it means.

Floor 2 (shell), though it touches nothing. It may never give a limit a value that nobody wrote.
On the trip: before it; `interlock.config` reads a file into these, and the reference in the book is written from them.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from interlock.config_units import (
    MONEY,
    PART,
    SPAN,
    SYMBOLS_FORM,
    TIMES,
    AccountName,
    CycleCount,
    Exchange,
    Natural,
    Part,
    Positive,
    Setting,
    SettingName,
    StrategyClass,
    StrategyName,
    Symbol,
    Text,
    Window,
)
from interlock.model.mode import TradingState
from interlock.model.units import SECOND_NS
from interlock.tomlfields import key

#: The largest seed: what a signed 64-bit integer holds.
SEED_MAX = 2**63 - 1
#: The name of an account that nobody named.
ACCOUNT_DEFAULT = "demo"

IntervalKey = Annotated[
    Natural,
    key("interval", 'The pace: how long the wall clock rests between cycles; "0 s" is as fast as it can.', unit=SPAN),
]
CyclesKey = Annotated[CycleCount, key("cycles", "How many cycles to run; 0 is until stopped.")]


class RunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The pace and the length of a run."""

    interval_ns: IntervalKey = SECOND_NS
    cycles: CyclesKey = 0


class SimRunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The pace and the length of a SIM run, and the state that it starts in."""

    interval_ns: IntervalKey = SECOND_NS
    cycles: CyclesKey = 0
    start: Annotated[
        TradingState,
        key("start", "The trading state to start in. SIM only: here, and only here, the file is the human's leave."),
    ] = TradingState.HALTED


class AccountConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Whose home it is, and the cash that it starts from; `cash_micros` is None only where none is written."""

    name: Annotated[
        AccountName,
        key(
            "name",
            "The account; its home is the folder of this name.",
            form="small letters, digits, . _ and -, a letter or digit first, at most 32",
        ),
    ] = ACCOUNT_DEFAULT
    cash_micros: Annotated[
        Natural | None,
        key(
            "cash",
            "The cash that the account starts from. Without an account no cash is known, and entries are blocked.",
            unit=MONEY,
        ),
    ]


class UniverseConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The symbols that are seen, in the order of the columns."""

    symbols: Annotated[tuple[Symbol, ...], key("symbols", "The symbols that are seen; each once.", form=SYMBOLS_FORM)]


class DirtConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How often a simulated symbol misbehaves, in basis points per symbol and step."""

    missing_bps: Annotated[Part, key("missing", "How often the quote goes missing.", unit=PART)] = 0
    stale_bps: Annotated[Part, key("stale", "How often the quote stops moving.", unit=PART)] = 0
    crossed_bps: Annotated[Part, key("crossed", "How often the bid stands above the ask.", unit=PART)] = 0
    halted_bps: Annotated[Part, key("halted", "How often the venue halts the symbol.", unit=PART)] = 0


class SimulatedSourceConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="simulated"):
    """A made-up market: the same seed and step give the same prices, on any machine."""

    seed: Annotated[Annotated[int, Meta(ge=0, le=SEED_MAX)], key("seed", "What every price is drawn from.")]
    step_ns: Annotated[Positive, key("step", "How much market time one cycle is.", unit=SPAN)] = SECOND_NS
    regime: Annotated[
        Literal["calm", "trending", "volatile", "gap"], key("regime", "How the made-up prices behave.")
    ] = "calm"
    dirt: Annotated[DirtConfig, key("dirt", "Faults to draw into the market, so that they can be seen.")] = DirtConfig()


class LeanSourceConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="lean"):
    """Recorded minutes from a LEAN data folder."""

    path: Annotated[
        Text,
        key("path", "The LEAN data folder, seen from this file; it holds equity/usa/minute.", form="a path in quotes"),
    ]
    resolution: Annotated[Literal["minute"], key("resolution", "How fine the recording is.")]
    first_day: Annotated[dt.date, key("from", "The first day, as the exchange dates it.")]
    last_day: Annotated[dt.date, key("to", "The last day; it is replayed too.")]


class ColumnsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What the columns of a file are called; `""` where the file has none."""

    time: Annotated[Text, key("time", "The column of the time: of a quote its own, of a bar its start.")]
    symbol: Annotated[Text, key("symbol", "The column of the symbol.")]
    bid: Annotated[Text, key("bid", "The column of the bid price; quotes need it.")] = ""
    ask: Annotated[Text, key("ask", "The column of the ask price; quotes need it.")] = ""
    bid_size: Annotated[Text, key("bid_size", "The column of the shares bid for.")] = ""
    ask_size: Annotated[Text, key("ask_size", "The column of the shares offered.")] = ""
    open: Annotated[Text, key("open", "The column of a bar's first price.")] = ""
    high: Annotated[Text, key("high", "The column of a bar's highest price.")] = ""
    low: Annotated[Text, key("low", "The column of a bar's lowest price.")] = ""
    close: Annotated[Text, key("close", "The column of a bar's last price; bars need it.")] = ""
    volume: Annotated[Text, key("volume", "The column of the shares traded.")] = ""

    def named(self) -> dict[str, str]:
        """Return our names of the columns that are written, with the file's names."""
        return {field: column for field in self.__struct_fields__ if (column := str(getattr(self, field)))}


RowsKey = Annotated[Literal["quotes", "bars"], key("rows", "What one row of the file is.")]
RowsPathKey = Annotated[Text, key("path", "The file, seen from this one.", form="a path in quotes")]
ZoneKey = Annotated[
    Text, key("zone", "The IANA time zone of times without an offset.", form='a zone such as "America/New_York"')
]
BarKey = Annotated[
    Positive | None, key("bar", "How long a bar is; it is stamped with its start and seen once complete.", unit=SPAN)
]
ColumnsKey = Annotated[ColumnsConfig, key("columns", "Our names of the columns, and the file's.")]
TimeUnitKey = Annotated[
    Literal["iso", "s", "ms", "us", "ns"],
    key("time_unit", "How times are written: as ISO text, or counted since 1970 UTC."),
]


class CsvSourceConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="csv"):
    """Recorded quotes or bars from one CSV file; `bar_ns` is None for quotes."""

    path: RowsPathKey
    rows: RowsKey
    zone: ZoneKey = "UTC"
    bar_ns: BarKey = None
    columns: ColumnsKey
    time_unit: TimeUnitKey = "iso"


class ParquetSourceConfig(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="parquet"):
    """Recorded quotes or bars from one Parquet file (extra `data`); `bar_ns` is None for quotes."""

    path: RowsPathKey
    rows: RowsKey
    zone: ZoneKey = "UTC"
    bar_ns: BarKey = None
    columns: ColumnsKey
    time_unit: TimeUnitKey = "iso"


SourceConfig = SimulatedSourceConfig | LeanSourceConfig | CsvSourceConfig | ParquetSourceConfig


class MovingAverageCrossScan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="moving_average_cross"):
    """Finds symbols whose price crosses its own average."""

    window: Annotated[Window, key("window", "How many snapshots the average spans.")]


class GapScan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="gap"):
    """Finds symbols that jump from one quote to the next."""

    move_bps_min: Annotated[Positive, key("min_move", "The smallest jump that counts.", unit=PART)]


class RelativeVolumeScan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="relative_volume"):
    """Finds symbols that trade much more than they did."""

    window: Annotated[Window, key("window", "How many snapshots the usual volume is the mean of.")]
    multiple_x100: Annotated[Positive, key("min_ratio", "How many times the usual volume counts.", unit=TIMES)]


ScanConfig = MovingAverageCrossScan | GapScan | RelativeVolumeScan


class StrategyConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy: where its class is, what it is called here, and what it is built with."""

    use: Annotated[
        StrategyClass,
        key(
            "use",
            "The strategy's class; its module may live beside this file.",
            form='"module:Class", such as "my_ideas:Follower"',
        ),
    ]
    name: Annotated[
        StrategyName,
        key("name", "What the strategy is called in this run.", form="small letters, digits, _ and -, at most 24"),
    ]
    settings: Annotated[
        dict[SettingName, Setting],
        key(
            "settings",
            "What the class is built with. Whole numbers, true, false or text: decisions use no fractions.",
            form="whole numbers, true, false or text, such as { qty = 10 }",
            names="small letters, digits and _, a letter first, at most 40",
            values="a whole number, true, false, or text in quotes",
        ),
    ] = {}


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Whose sessions hold; None is the source's own: a made-up market never closes, a recorded one is XNYS."""

    exchange: Annotated[
        Exchange | None,
        key(
            "exchange",
            'Whose sessions hold: "XNYS", "24/7", or another by the extra `calendars`. Not written: a made-up market '
            "never closes, and recorded data is XNYS.",
            form='the market identifier of an exchange, such as "XNYS", or "24/7"',
        ),
    ] = None


class PaperFeesConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a trade costs on paper."""

    fee_per_share_micros: Annotated[Natural, key("fee_per_share", "The fee of one share.", unit=MONEY)] = 5_000
    fee_minimum_micros: Annotated[Natural, key("fee_minimum", "The least fee of an order.", unit=MONEY)] = 1_000_000
