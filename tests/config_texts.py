"""Configurations that tests read, and how they read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.config import PaperConfig, SimConfig, load_config
from interlock.model.errors import ConfigError

UNIVERSE = '[universe]\nsymbols = ["SPY", "IBM"]\n'
SIMULATED = '[source]\nkind = "simulated"\nseed = 7\n'
SMALLEST = UNIVERSE + SIMULATED

FULL = """\
mode = "SIM"

[run]
interval = "0.5 s"
cycles = 20
start = "ACTIVE"

[account]
name = "demo-1"
cash = "$100,000"

[universe]
symbols = ["SPY", "IBM", "BRK.B"]

[source]
kind = "simulated"
seed = 7
step = "2 s"
regime = "volatile"
dirt = { missing = "0.5 %", stale = "1 %", crossed = "2 bps", halted = "0 %" }

[[scan]]
kind = "moving_average_cross"
window = 20

[[scan]]
kind = "gap"
min_move = "1.5 %"

[[scan]]
kind = "relative_volume"
window = 30
min_ratio = "2.5 x"

[[strategy]]
use = "interlock.examples:CrossFollower"
name = "cross"
settings = { qty = 10, is_eager = true, note = "so be it" }

[risk]
symbols = ["SPY", "IBM"]
max_order_qty = "200 shares"
max_order_notional = "$10,000"
max_position_notional = "$20,000"
max_gross_notional = "$60,000"
price_collar = "3 %"
max_quote_age = "90 s"
max_order_rate = "10 / s"
exit_collar = "10 %"
duplicate_window = "5 s"
tick_size = "$0.01"
lot_size = "100 shares"

[paper]
fee_per_share = "$0.0035"
fee_minimum = "$0.35"
"""

LEAN = """\
[universe]
symbols = ["SPY"]

[source]
kind = "lean"
path = "data/lean"
resolution = "minute"
from = 2013-10-07
to = 2013-10-11
"""

CSV = """\
[universe]
symbols = ["SPY"]

[source]
kind = "csv"
path = "bars.csv"
rows = "bars"
zone = "America/New_York"
bar = "1 min"
columns = { time = "Date", symbol = "Ticker", close = "Close" }
time_unit = "ms"
"""

PAPER = 'mode = "PAPER"\n' + SMALLEST

SCOPED = """\
[account]
cash = "$100,000"

[universe]
symbols = ["SPY", "IBM", "BRK.B"]

[source]
kind = "simulated"
seed = 7

[session]
exchange = "XNYS"

[[strategy]]
use = "interlock.examples:CrossFollower"
name = "cross"
settings = { qty = 10 }

[risk]
profile = "starter"
deployment = "full"
symbols = ["SPY", "BRK.B"]
restricted = ["IBM"]
max_group = "40 %"
max_daily_loss = "$500"
max_strategy_rate = "2 / 5 s"

[risk.groups]
blue = ["SPY", "IBM"]
other = ["BRK.B"]

[risk.strategy.cross]
max_order_qty = "10 shares"
max_strategy_rate = "1 / 5 s"

[risk.symbol.SPY]
open_guard = "10 min"
lot_size = "10 shares"

[risk.symbol."BRK.B"]
tick_size = "$0.05"
warm_up_quotes = 20
"""

#: Twelve lines, the last of them inside `[risk]`: what is written after it begins on line 13.
LIMITED = """\
[account]
cash = "$100,000"
[universe]
symbols = ["SPY", "IBM", "AIG"]
[source]
kind = "simulated"
seed = 7
[[strategy]]
use = "interlock.examples:CrossFollower"
name = "cross"
[risk]
symbols = ["SPY"]
"""

BASES = (FULL, SCOPED, LEAN, CSV, CSV.replace('"csv"', '"parquet"'), PAPER + '[run]\ninterval = "1 s"\ncycles = 3\n')


def written(tmp_path: Path, text: str) -> Path:
    """Write a configuration file."""
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def sim(tmp_path: Path, text: str) -> SimConfig:
    """Load what must be a SIM configuration."""
    config = load_config(written(tmp_path, text))
    assert isinstance(config, SimConfig)
    return config


def paper(tmp_path: Path, text: str) -> PaperConfig:
    """Load what must be a PAPER configuration."""
    config = load_config(written(tmp_path, text))
    assert isinstance(config, PaperConfig)
    return config


def refusal(tmp_path: Path, text: str) -> str:
    """Return the sentence with which a configuration is refused, without the folder of the test."""
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text))
    return str(caught.value)


def said(tmp_path: Path, text: str) -> str:
    """Return a refusal from the line on, without its last sentence."""
    return refusal(tmp_path, text).partition("run.toml, ")[2].removesuffix(". Nothing was started.")
