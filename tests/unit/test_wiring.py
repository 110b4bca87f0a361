"""Wiring: what a configuration becomes, and what of it stands on the first record."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config_texts import SCOPED, SMALLEST, sim, written
from tests.journal_factory import boot

from interlock.config import PaperConfig, SimConfig, load_config
from interlock.core.state import nothing_carried
from interlock.model.errors import ConfigError
from interlock.model.journal import Boot, BootAside
from interlock.model.mode import Mode
from interlock.model.units import MICROS_PER_DOLLAR, SECOND_NS
from interlock.shell.reasons import limit_words
from interlock.shell.sources.simulated import SIM_START_NS
from interlock.wiring import Wired, boot_of, exchange_of, opened, recorded_config, wired

LEAN_DATA = '[universe]\nsymbols = ["SPY"]\n[source]\nkind = "lean"\npath = "x"\nresolution = "minute"\n'


def made(config: SimConfig | PaperConfig) -> Wired:
    """Return what a configuration names."""
    return wired(config, Mode.SIM, start_ns=SIM_START_NS)


def booted(config: SimConfig | PaperConfig) -> Boot:
    """Return the decided part of the first record."""
    whole = made(config)
    carried = nothing_carried(config.account.cash_micros or 0, ())
    return boot_of(whole, opened(whole, carried, next_latch_no=1), carried=carried)


def test_the_first_record_holds_the_profile_and_every_number_of_it(tmp_path: Path) -> None:
    """Whoever reads the journal sees what the profile was made into, and what outranked it."""
    boot = booted(sim(tmp_path, SCOPED))
    account = {limit.key: limit for limit in boot.limits if not limit.scope}

    assert ("starter", ("IBM",), ("BRK.B", "SPY")) == (boot.profile, boot.restricted, boot.allowed)
    assert (2_000 * MICROS_PER_DOLLAR, "profile starter") == (
        account["max_order_notional_micros"].value,
        account["max_order_notional_micros"].source,
    )
    assert (500 * MICROS_PER_DOLLAR, "config") == (
        account["max_daily_loss_micros"].value,
        account["max_daily_loss_micros"].source,
    )


def test_the_first_record_holds_the_limits_of_one_with_their_scope(tmp_path: Path) -> None:
    """Each strategy's and each symbol's own numbers, both halves of a rate among them."""
    own = {(limit.scope, limit.key): limit.value for limit in booted(sim(tmp_path, SCOPED)).limits if limit.scope}

    assert {
        ("strategy:cross", "max_order_qty"): 10,
        ("strategy:cross", "max_strategy_count"): 1,
        ("strategy:cross", "strategy_window_ns"): 5 * SECOND_NS,
        ("symbol:SPY", "open_guard_ns"): 600 * SECOND_NS,
        ("symbol:SPY", "lot_size_qty"): 10,
        ("symbol:BRK.B", "tick_size_px"): 50_000,
        ("symbol:BRK.B", "warm_up_quotes"): 20,
    } == own


def test_the_boot_says_the_profile_with_its_numbers(tmp_path: Path) -> None:
    """A person reads which numbers hold and where they come from, the limits of one and the restricted list too."""
    told = " ".join(limit_words(booted(sim(tmp_path, SCOPED))))

    assert "max_order_notional $2,000.00 (profile starter)" in told
    assert "max_order_rate 2 in 1 s (profile starter)" in told
    assert "max_daily_loss $500.00; and " in told
    assert "The profile starter is sized by the cash." in told
    assert "Symbols that may not be entered: IBM." in told
    assert (
        "Where they are stricter, these hold: max_order_qty 10 shares for the strategy cross, max_strategy_rate 1 in 5 "
        "s for the strategy cross, lot_size 10 shares for the symbol SPY, open_guard 600 s for the symbol SPY, "
        "tick_size $0.05 for the symbol BRK.B, warm_up_quotes 20 for the symbol BRK.B."
    ) in told
    assert "is never reached" not in told


def test_the_strictest_limits_hold_for_each_pair(tmp_path: Path) -> None:
    """The gate reads the account's, the strategy's and the symbol's own as one."""
    limits = made(sim(tmp_path, SCOPED)).rules.limits
    held = {
        symbol: (mine["max_order_qty"].value, mine["open_guard_ns"].value, mine["tick_size_px"].value)
        for symbol in ("SPY", "BRK.B")
        for mine in (limits.of(strategy_id="cross", symbol=symbol),)
    }

    assert {"SPY": (10, 600 * SECOND_NS, 10_000), "BRK.B": (10, 300 * SECOND_NS, 50_000)} == held


def test_a_symbol_leads_to_its_group(tmp_path: Path) -> None:
    """Groups are turned round, for the gate asks by symbol."""
    groups = made(sim(tmp_path, SCOPED)).rules.limits.groups

    assert {"SPY": "blue", "IBM": "blue", "BRK.B": "other"} == groups


def test_a_file_without_a_profile_has_none_on_its_record(tmp_path: Path) -> None:
    """Nothing is said of a profile that nobody named, and a file without a policy has neither."""
    limited = booted(sim(tmp_path, SMALLEST + "[risk]\n"))
    bare = booted(sim(tmp_path, SMALLEST))

    assert (True, "", ()) == (limited.has_policy, limited.profile, limited.restricted)
    assert (False, "", ()) == (bare.has_policy, bare.profile, bare.restricted)


def test_the_configuration_on_a_record_is_read_back_whole(tmp_path: Path) -> None:
    """Sections of strategies, symbols, groups and sessions come back as they were written."""
    config = sim(tmp_path, SCOPED)
    _, aside = boot()
    assert isinstance(aside, BootAside)
    back = recorded_config(booted(config), aside)

    assert (config.risk, config.session) == (back.risk, back.session)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SMALLEST, "24/7"),
        (SMALLEST + '[session]\nexchange = "XNYS"\n', "XNYS"),
        (LEAN_DATA + "from = 2013-10-07\nto = 2013-10-07\n", "XNYS"),
        (LEAN_DATA + 'from = 2013-10-07\nto = 2013-10-07\n[session]\nexchange = "24/7"\n', "24/7"),
    ],
    ids=["made up", "made up, written", "recorded", "recorded, written"],
)
def test_the_sessions_are_as_written_and_else_those_of_the_source(tmp_path: Path, text: str, expected: str) -> None:
    """A made-up market never closes, and recorded data is New York's."""
    assert expected == exchange_of(sim(tmp_path, text))


def test_an_exchange_that_nobody_knows_is_refused_with_its_file_and_field(tmp_path: Path) -> None:
    """A name that looks like one and is none: nothing is started."""
    path = written(tmp_path, SMALLEST + '[session]\nexchange = "X_NO"\n')
    with pytest.raises(ConfigError) as caught:
        made(load_config(path))

    assert str(caught.value).startswith(f"{path}, [session] exchange: ")
    assert "'X_NO'" in str(caught.value)
    assert "Nothing was started." in str(caught.value)


def test_a_quote_may_be_one_and_a_half_steps_old(tmp_path: Path) -> None:
    """The default follows the source, so that a slow one does not block everything."""
    slow = made(sim(tmp_path, SMALLEST + 'step = "60 s"\n')).rules.limits

    assert 90 * SECOND_NS == slow.value("max_quote_age_ns")
