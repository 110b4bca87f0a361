"""The words of the model: how numbers are read, and what is refused at their doors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.core_factory import quote, snapshot

from interlock.model.errors import ConfigError, DataError, InvariantError
from interlock.model.market import UNIVERSE_MAX, MarketSnapshot, checked_universe, make_snapshot
from interlock.model.mode import (
    LIVE_REFUSAL,
    MODE_WORDS,
    Mode,
    TradingState,
    lower,
    mode_from_command,
    mode_from_config,
)
from interlock.model.units import (
    INTEGER_MAX,
    duration,
    money,
    parse_bps,
    parse_duration,
    parse_money,
    parse_rate,
    parse_shares,
    percent,
    plain,
)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_money, "$0", 0),
        (parse_money, "$1,234,567.89", 1_234_567_890_000),
        (parse_money, "$0.000001", 1),
        (parse_shares, "1 share", 1),
        (parse_shares, "10,000 shares", 10_000),
        (parse_duration, "0 s", 0),
        (parse_duration, "250 ms", 250_000_000),
        (parse_duration, "2 min", 120_000_000_000),
        (parse_bps, "12.34 %", 1_234),
        (parse_bps, "7 bps", 7),
        (parse_rate, "60 / min", (60, 60_000_000_000)),
    ],
)
def test_a_value_with_its_unit_is_read(parse: Callable[[str], object], text: str, value: object) -> None:
    """What a person writes is read exactly."""
    assert value == parse(text)


@pytest.mark.parametrize(
    ("parse", "texts", "told"),
    [
        (parse_money, ("100", "$", "$1,00", "-$1", "$1.2.3", "USD 1", "$1e3", " $1"), "write an amount of dollars"),
        (parse_money, ("$0.0000001",), "it has more decimals than its unit can hold"),
        (parse_money, (f"${INTEGER_MAX}",), "it is larger than any amount that Interlock keeps"),
        (parse_shares, ("1", "1.5 shares", "-1 shares", "shares"), "write whole shares"),
        (parse_duration, ("1", "1 sec", "s", "-1 s", "1s"), "write a span of time with its unit"),
        (parse_bps, ("3", "3%", "-3 %", "3.5 bps"), "write per cent or basis points"),
        (parse_bps, ("0.001 %",), "it has more decimals than its unit can hold"),
        (parse_rate, ("10", "10/s", "1.5 / s", "10 / ms"), "write a count and a unit of time"),
    ],
)
def test_anything_else_is_refused_in_words(parse: Callable[[str], object], texts: tuple[str, ...], told: str) -> None:
    """A bare number, another unit and a sign are refused with an example."""
    for text in texts:
        with pytest.raises(ValueError, match=told):
            parse(text)


def test_numbers_are_read_back_with_their_sign_and_unit() -> None:
    """What is printed is what a person would write."""
    assert ("-$1,234.50", "$0.00", "$0.000001") == (money(-1_234_500_000), money(0), money(1))
    assert ("0 s", "-5 ms", "90 s", "-0.05 %") == (duration(0), duration(-5_000_000), duration(90 * 10**9), percent(-5))


@pytest.mark.parametrize("odd", ["\x00", "\x1b", "\x7f", "\x9b", "\u200b", "\u202e", "\u2066", "\ufeff", "\r", "\n"])
def test_no_control_character_is_plain(odd: str) -> None:
    """Whatever moves a cursor or turns the direction of text becomes a question mark."""
    assert "a?b" == plain(f"a{odd}b")


@pytest.mark.parametrize("word", ["live", "sim", "paper"])
def test_a_mode_on_the_command_line_is_one_of_three_words(word: str) -> None:
    """Three words are modes, and the three modes have words of their own."""
    assert word.upper() == mode_from_command(word)
    assert MODE_WORDS[mode_from_command(word)].startswith(f"{word.upper()}: ")


@pytest.mark.parametrize("odd", ["paper1", "Live ", "1", "true", "", "SIM", "Sim", "sim\n"])
def test_no_other_word_is_a_mode_on_the_command_line(odd: str) -> None:
    """Nearly right is refused, and nothing is started."""
    with pytest.raises(ConfigError, match="is not a mode. Type exactly one of sim, paper, live. Nothing was started"):
        mode_from_command(odd)


@pytest.mark.parametrize("odd", ["paper1", "Live ", "1", 1, True, "", None, "sim", "SIM ", ["SIM"]])
def test_no_other_value_is_a_mode_in_a_file(odd: object) -> None:
    """A mode is exactly one of three words, and no value that looks like one."""
    with pytest.raises(ConfigError, match="Nothing was started"):
        mode_from_config(odd)


def test_live_says_what_it_lacks() -> None:
    """The refusal names both missing things."""
    assert LIVE_REFUSAL.startswith("LIVE needs a broker gateway and a permit; this build has neither.")
    assert Mode.LIVE is mode_from_config("LIVE")


@pytest.mark.parametrize("one", TradingState)
@pytest.mark.parametrize("other", TradingState)
def test_the_lower_of_two_states_is_the_safer(one: TradingState, other: TradingState) -> None:
    """HALTED is below REDUCING, which is below ACTIVE."""
    order = list(TradingState)

    assert order[min(order.index(one), order.index(other))] is lower(one, other)


@pytest.mark.parametrize(
    ("symbols", "told"),
    [
        ((), "The universe is empty"),
        (tuple(str(number) for number in range(UNIVERSE_MAX + 1)), "has 20,001 symbols and the most is 20,000"),
        (("SPY", "IBM", "SPY"), "names SPY more than once"),
    ],
)
def test_a_universe_has_some_symbols_not_too_many_each_once(symbols: tuple[str, ...], told: str) -> None:
    """What can be no universe is refused in a sentence."""
    with pytest.raises(DataError, match=told):
        checked_universe(symbols)


def test_a_universe_that_can_be_one_is_returned() -> None:
    """The order of the symbols is kept."""
    assert ("SPY", "IBM") == checked_universe(("SPY", "IBM"))


def remade(**changes: object) -> MarketSnapshot:
    """Return a snapshot made anew with changed columns."""
    seen = snapshot()
    fields = {
        name: np.array(value) if isinstance(value := getattr(seen, name), np.ndarray) else value
        for name in MarketSnapshot.__struct_fields__
        if name != "digest"
    }
    return make_snapshot(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"bid_px": np.zeros(2, dtype=np.int64)}, "a column has one entry a symbol"),
        ({"volume": np.zeros(3, dtype=np.int32)}, "a column of numbers holds int64"),
        ({"ask_px": np.zeros(3)}, "a column of numbers holds int64"),
        ({"present": np.zeros(3, dtype=np.int64)}, "a column of flags holds bool"),
        ({"halted": np.zeros(4, dtype=np.bool_)}, "a column has one entry a symbol"),
        ({"as_of_ns": 1}, "no event is later than its snapshot"),
    ],
)
def test_a_snapshot_that_cannot_be_is_refused(changes: dict[str, object], told: str) -> None:
    """Shape, type and time of each column are checked at the door."""
    with pytest.raises(InvariantError, match=told):
        remade(**changes)


def test_a_snapshot_is_sealed_and_its_columns_are_read_only() -> None:
    """The same columns have the same digest, one micro another; nobody can write to them."""
    moved = snapshot().bid_px + np.array([1, 0, 0])

    assert snapshot().digest == remade().digest != remade(bid_px=moved).digest
    with pytest.raises(ValueError, match="read-only"):
        remade().bid_px[0] = 1


def test_a_snapshot_of_no_symbols_has_no_events() -> None:
    """An empty universe is refused elsewhere, and breaks nothing here."""
    none, flags = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    columns = dict.fromkeys(("bid_px", "ask_px", "last_px", "bid_qty", "ask_qty", "volume", "event_ns"), none)

    assert () == remade(universe=(), present=flags, halted=flags, **columns).universe


def test_a_quote_of_a_snapshot_is_its_row() -> None:
    """One symbol's numbers come back as plain Python values."""
    at_ns = snapshot().as_of_ns

    assert quote("IBM", event_ns=at_ns) == snapshot().quote(1)
    assert (int, bool) == (type(snapshot().quote(1).bid_px), type(snapshot().quote(1).present))
