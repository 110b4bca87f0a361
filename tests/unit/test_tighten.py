"""The words after `tighten` and `allow`: read as a configuration is read, and refused before anybody is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.spoken import spoken

from interlock.core.risk.keys import KEYS, NEITHER
from interlock.model.errors import ConfigError, HomeError
from interlock.shell.allow import allow
from interlock.shell.home import open_home, prepare_home
from interlock.shell.operate import Mouth
from interlock.shell.tighten import read_tightening, tighten

_SILENT = Mouth(say=lambda _: None, warn=lambda _: None)
#: A value of each unit, as it is written.
_WRITTEN = {
    "qty": "3 shares",
    "micros": "$3",
    "bps": "3 bps",
    "ns": "3 s",
    "x100": "3 x",
    "count": "3",
}


@pytest.mark.parametrize(
    ("name", "value", "about", "number"),
    [
        ("max_order_qty", "100 shares", "max_order_qty", 100),
        ("max_order_notional", "$5,000", "max_order_notional_micros", 5_000 * 10**6),
        ("price_collar", "1 %", "price_collar_bps", 100),
        ("max_quote_age", "1.5 s", "max_quote_age_ns", 1_500_000_000),
        ("max_leverage", "0.5 x", "max_leverage_x100", 50),
        ("max_open_orders", "3", "max_open_orders", 3),
        ("max_order_rate", "5 / s", "max_order_count", 5),
    ],
)
def test_value_is_read_with_the_unit_of_its_key(name: str, value: str, about: str, number: int) -> None:
    """Each kind of limit is typed as it is written."""
    found = read_tightening(name, value)

    assert (about, number) == (found.limit.name, found.new_value)


def test_rate_keeps_the_span_over_which_it_counts() -> None:
    """Both halves of a rate are read."""
    found = read_tightening("max_strategy_rate", "5 / 10 s")

    assert (5, "strategy_window_ns", 10 * 10**9) == (found.new_value, found.window_key, found.window_ns)


@pytest.mark.parametrize("name", sorted({key.written for key in KEYS.values() if key.stricter != NEITHER}))
def test_every_limit_that_has_a_stricter_side_can_be_typed(name: str) -> None:
    """None of the table's limits is out of reach."""
    keys = [key for key in KEYS.values() if key.written == name]
    value = "3 / s" if len(keys) > 1 else _WRITTEN[keys[0].unit]

    assert keys[0].name == read_tightening(name, value).limit.name


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("max_order_qyt", "5 shares", "the nearest one is max_order_qty"),
        ("max_order_notional_micros", "5", "There is no limit 'max_order_notional_micros'"),
        ("cash", "$5", "There is no limit 'cash'"),
        ("symbols", "SPY", "There is no limit 'symbols'"),
        ("profile", "starter", "There is no limit 'profile'"),
        ("", "5", "There is no limit ''"),
        ("x\x1b[2J", "5", "There is no limit 'x?[2J'"),
        ("tick_size", "$0.05", "tick_size has no stricter side"),
        ("max_order_qty", "5", "write whole shares, such as"),
        ("max_order_qty", "-5 shares", "write whole shares, such as"),
        ("max_order_notional", ",000", "In a shell, put it in single quotes"),
        ("max_open_orders", "$5", "write a whole number"),
        ("max_open_orders", "5.0", "write a whole number"),
        ("max_open_orders", "9" * 17, "write a whole number"),
        ("price_collar", "101 %", "at most 100 %"),
        ("max_leverage", "0 x", "more than 0.00 x"),
        ("max_order_rate", "5", "a count and a unit of time"),
        ("max_order_qty", "1" * 60 + " shares", "write whole shares"),
    ],
)
def test_what_is_no_limit_or_no_value_of_it_is_refused(name: str, value: str, sentence: str) -> None:
    """The refusal says what is known, how it is written and which bounds it has, and that nothing was done."""
    with pytest.raises(ConfigError) as refused:
        read_tightening(name, value)

    assert sentence in str(refused.value)
    assert str(refused.value).endswith("Nothing was tightened.")


def test_nothing_running_is_told_with_what_to_do_instead(home: Path) -> None:
    """At rest no limit is in force: the file is what holds from the next start."""
    prepare_home(home)
    with pytest.raises(HomeError, match="Nothing runs in .*change the file: it holds from the next start"):
        tighten(home, read_tightening("max_order_qty", "5 shares"), mouth=_SILENT)
    with pytest.raises(HomeError, match="Nothing runs in .*nothing was allowed"):
        allow(home, "000001-001", reason="it is right", mouth=_SILENT)


def test_process_that_only_starts_cannot_be_asked(home: Path) -> None:
    """It holds the home and has no run yet."""
    with open_home(home, wall_ns=1), pytest.raises(HomeError, match="is only starting and cannot be asked yet"):
        allow(home, "000001-001", reason="it is right", mouth=_SILENT)


@pytest.mark.parametrize("decision", ["", "1", "PAPER-000001-001", "000001-001\n", "000001-1", "L1", "x" * 99])
def test_what_is_no_decision_is_not_allowed(home: Path, decision: str) -> None:
    """Only the id of one decision is taken."""
    with pytest.raises(ConfigError, match="is not the id of a decision, such as 000036-001"):
        allow(home, decision, reason="it is right", mouth=_SILENT)


@pytest.mark.parametrize("reason", ["", "   "])
def test_leave_without_a_reason_is_refused(home: Path, reason: str) -> None:
    """What is recorded is who and why."""
    with pytest.raises(ConfigError, match="A leave needs a reason"):
        allow(home, "000001-001", reason=reason, mouth=_SILENT)


@pytest.mark.parametrize(
    "words",
    [("allow",), ("allow", "000001-001"), ("tighten",), ("tighten", "max_order_qty"), ("tighten", "nothing", "5")],
)
def test_words_that_are_missing_end_with_2(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    """A reason, a key and a value have to be typed."""
    code, out, err = spoken(capsys, *words)

    assert (2, [], True) == (code, out, err.startswith("interlock: "))
