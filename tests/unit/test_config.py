"""The configuration: what is taken, in which unit, and what decisions know of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.config_texts import CSV, FULL, LEAN, PAPER, SMALLEST, paper, sim, written

from interlock.config import decision_keys, default_config, load_config, resolve_mode, strategy_folder
from interlock.config_risk import RiskConfig
from interlock.config_types import (
    ColumnsConfig,
    CsvSourceConfig,
    DirtConfig,
    GapScan,
    LeanSourceConfig,
    MovingAverageCrossScan,
    RelativeVolumeScan,
    SimulatedSourceConfig,
)
from interlock.model.errors import ConfigError
from interlock.model.mode import LIVE_REFUSAL, Mode, TradingState
from interlock.model.units import SECOND_NS
from interlock.policy import limits_for
from interlock.shell.reasons import early_words

DOCS = Path(__file__).parents[2] / "docs"


def test_every_key_of_a_full_file_is_read_in_its_unit(tmp_path: Path) -> None:
    """Money is micros, sizes are shares, spans are nanoseconds, parts are basis points."""
    config = sim(tmp_path, FULL)

    assert (
        RiskConfig(
            symbols=("SPY", "IBM"),
            max_order_qty=200,
            max_order_notional_micros=10_000_000_000,
            max_position_notional_micros=20_000_000_000,
            max_gross_notional_micros=60_000_000_000,
            price_collar_bps=300,
            max_quote_age_ns=90 * SECOND_NS,
            max_order_rate=(10, SECOND_NS),
            exit_collar_bps=1_000,
            duplicate_window_ns=5 * SECOND_NS,
            tick_size_px=10_000,
            lot_size_qty=100,
        )
        == config.risk
    )
    assert (SECOND_NS // 2, 20, TradingState.ACTIVE) == (config.run.interval_ns, config.run.cycles, config.run.start)
    assert ("demo-1", 100_000_000_000) == (config.account.name, config.account.cash_micros)
    assert ("SPY", "IBM", "BRK.B") == config.universe.symbols
    dirt = DirtConfig(missing_bps=50, stale_bps=100, crossed_bps=2, halted_bps=0)
    assert SimulatedSourceConfig(seed=7, step_ns=2 * SECOND_NS, regime="volatile", dirt=dirt) == config.source
    scans = (
        MovingAverageCrossScan(window=20),
        GapScan(move_bps_min=150),
        RelativeVolumeScan(window=30, multiple_x100=250),
    )
    assert scans == config.scans
    assert {"qty": 10, "is_eager": True, "note": "so be it"} == config.strategies[0].settings
    assert (3_500, 350_000) == (config.paper.fee_per_share_micros, config.paper.fee_minimum_micros)


def test_what_is_not_written_is_not_allowed(tmp_path: Path) -> None:
    """The smallest file has no policy, no known cash, no strategy, and starts HALTED."""
    config = sim(tmp_path, SMALLEST)

    assert (None, None, (), TradingState.HALTED) == (
        config.risk,
        config.account.cash_micros,
        config.strategies,
        config.run.start,
    )
    assert (SECOND_NS, 0, "demo") == (config.run.interval_ns, config.run.cycles, config.account.name)
    assert (5_000, 1_000_000) == (config.paper.fee_per_share_micros, config.paper.fee_minimum_micros)


def test_an_empty_risk_section_sets_no_limit(tmp_path: Path) -> None:
    """Each limit that nobody wrote stays None and no symbol is allowed."""
    assert RiskConfig() == sim(tmp_path, SMALLEST + "[risk]\n").risk


def test_recorded_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """Where the command was typed does not matter."""
    lean, csv = sim(tmp_path, LEAN).source, sim(tmp_path, CSV).source

    assert isinstance(lean, LeanSourceConfig)
    assert isinstance(csv, CsvSourceConfig)
    assert (str(tmp_path / "data/lean"), str(tmp_path / "bars.csv")) == (lean.path, csv.path)
    assert ("2013-10-07", "2013-10-11") == (str(lean.first_day), str(lean.last_day))
    assert ColumnsConfig(time="Date", symbol="Ticker", close="Close") == csv.columns
    assert {"time": "Date", "symbol": "Ticker", "close": "Close"} == csv.columns.named()


def test_a_recording_of_one_day_is_taken(tmp_path: Path) -> None:
    """The first day may be the last."""
    source = sim(tmp_path, LEAN.replace("2013-10-11", "2013-10-07")).source

    assert isinstance(source, LeanSourceConfig)
    assert source.first_day == source.last_day


def test_a_config_knows_its_file_and_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strategies may live beside the file, however its path was typed."""
    written(tmp_path, SMALLEST)
    monkeypatch.chdir(tmp_path)
    config = load_config("run.toml")

    assert (str(tmp_path / "run.toml"), str(tmp_path)) == (config.path, strategy_folder(config))


def test_the_built_in_configuration_wishes_and_has_no_policy() -> None:
    """What runs without a file is ACTIVE, has a strategy, and nothing allows its orders."""
    config = default_config()

    assert (TradingState.ACTIVE, None, 1, 100_000_000_000) == (
        config.run.start,
        config.risk,
        len(config.strategies),
        config.account.cash_micros,
    )
    assert ("interlock.examples:RoundTrip", {"qty": 10}) == (config.strategies[0].use, config.strategies[0].settings)


def test_a_paper_config_has_no_start_and_takes_its_pace_from_its_step(tmp_path: Path) -> None:
    """The market of PAPER is drawn at wall-clock pace."""
    config = paper(tmp_path, PAPER + 'step = "3 s"\n')

    assert 3 * SECOND_NS == config.run.interval_ns
    assert not hasattr(config.run, "start")


@pytest.mark.parametrize(
    ("config_mode", "command", "expected"),
    [(Mode.SIM, None, Mode.SIM), (Mode.SIM, "sim", Mode.SIM), (Mode.PAPER, "paper", Mode.PAPER)],
)
def test_a_mode_is_resolved_where_both_keys_agree(config_mode: Mode, command: str | None, expected: Mode) -> None:
    """SIM needs no word; PAPER needs it twice."""
    assert expected is resolve_mode(config_mode, command)


@pytest.mark.parametrize(
    ("config_mode", "command", "expected"),
    [
        (Mode.PAPER, None, "PAPER needs both keys: type --mode paper as well. Nothing was started."),
        (Mode.SIM, "paper", 'Write mode = "PAPER" at the top of the file, or type --mode sim. Nothing was started.'),
        (Mode.PAPER, "sim", 'Write mode = "SIM" at the top of the file, or type --mode paper. Nothing was started.'),
        (Mode.SIM, "live", LIVE_REFUSAL),
        (Mode.PAPER, "live", LIVE_REFUSAL),
        (Mode.LIVE, None, LIVE_REFUSAL),
        (Mode.LIVE, "live", LIVE_REFUSAL),
        (Mode.SIM, "PAPER", "Type exactly one of sim, paper, live. Nothing was started."),
    ],
)
def test_modes_that_do_not_agree_are_refused(config_mode: Mode, command: str | None, expected: str) -> None:
    """What to type is said, and LIVE is always answered with its refusal."""
    with pytest.raises(ConfigError) as caught:
        resolve_mode(config_mode, command)

    assert str(caught.value).endswith(expected)


def test_decision_keys_do_not_know_pace_length_account_or_place(tmp_path: Path) -> None:
    """The same decisions on any machine, in any folder, at any pace."""
    (tmp_path / "other").mkdir()
    other = FULL.replace("0.5 s", "9 s").replace("cycles = 20", "cycles = 0").replace("demo-1", "elsewhere")

    assert decision_keys(sim(tmp_path, FULL)) == decision_keys(sim(tmp_path / "other", other))
    moved = LEAN.replace("data/lean", "/srv/lean")
    assert decision_keys(sim(tmp_path, LEAN)) == decision_keys(sim(tmp_path / "other", moved))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"ACTIVE"', '"HALTED"'),
        ('"$100,000"', '"$100,001"'),
        ('"SPY", "IBM", "BRK.B"', '"IBM", "SPY", "BRK.B"'),
        ("seed = 7", "seed = 8"),
        ('step = "2 s"', 'step = "3 s"'),
        ('"volatile"', '"calm"'),
        ("2 bps", "3 bps"),
        ("window = 20", "window = 21"),
        ("qty = 10", "qty = 11"),
        ('name = "cross"', 'name = "crossed"'),
        ('"200 shares"', '"201 shares"'),
        ("[paper]", '[session]\nexchange = "XNYS"\n[paper]'),
        ("[paper]", '[risk.symbol.IBM]\nmax_order_qty = "100 shares"\n[paper]'),
        ('"$0.35"', '"$0.36"'),
    ],
)
def test_decision_keys_know_everything_that_decides(tmp_path: Path, old: str, new: str) -> None:
    """A change of what decisions read is a change of the keys."""
    assert decision_keys(sim(tmp_path, FULL)) != decision_keys(sim(tmp_path, FULL.replace(old, new)))


def test_decision_keys_are_canonical(tmp_path: Path) -> None:
    """Keys are sorted, nothing is padded, and the order of settings does not matter."""
    keys = decision_keys(sim(tmp_path, FULL))
    turned = FULL.replace("qty = 10, is_eager = true", "is_eager = true, qty = 10")

    assert json.dumps(json.loads(keys), sort_keys=True, separators=(",", ":")) == keys
    assert keys == decision_keys(sim(tmp_path, turned))
    assert '"mode":"PAPER"' in decision_keys(paper(tmp_path, PAPER))


def test_the_example_in_the_reference_loads(tmp_path: Path) -> None:
    """What the book shows is what the program takes, and no default is reached before what it writes."""
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    config = sim(tmp_path, example)
    limits = limits_for(config.risk, cash_micros=config.account.cash_micros, bar_ns=SECOND_NS)

    assert "cross" == config.strategies[0].name
    assert () == early_words(limits.in_force)
