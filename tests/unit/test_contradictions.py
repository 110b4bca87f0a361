"""Contradictions: a limit that can never bind is refused with its line and its reason, and one at the edge is taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config_texts import LIMITED, said, sim

#: For each pair of which the first can never bind above the second: both keys, the value at the edge, and one above it.
PAIRS = [
    ("max_order_notional", "max_position_notional", "$20,000", "$20,000.01"),
    ("max_order_notional", "max_unexecuted", "$20,000", "$20,000.01"),
    ("max_order_notional", "max_value_minute", "$20,000", "$20,000.01"),
    ("max_order_notional", "max_value_hour", "$20,000", "$20,000.01"),
    ("max_order_notional", "max_value_day", "$20,000", "$20,000.01"),
    ("max_order_notional", "max_gross_notional", "$20,000", "$20,000.01"),
    ("max_order_notional", "max_strategy_capital", "$20,000", "$20,000.01"),
    ("max_order_notional", "max_capital", "$20,000", "$20,000.01"),
    ("max_position_notional", "max_gross_notional", "$20,000", "$20,000.01"),
    ("max_position_notional", "max_strategy_capital", "$20,000", "$20,000.01"),
    ("max_position_notional", "max_capital", "$20,000", "$20,000.01"),
    ("max_strategy_capital", "max_gross_notional", "$20,000", "$20,000.01"),
    ("max_strategy_capital", "max_capital", "$20,000", "$20,000.01"),
    ("max_gross_notional", "max_capital", "$20,000", "$20,000.01"),
    ("max_symbol_orders", "max_open_orders", 5, 6),
    ("max_entries_day", "max_count_day", 5, 6),
    ("max_value_minute", "max_value_hour", "$20,000", "$20,000.01"),
    ("max_value_minute", "max_value_day", "$20,000", "$20,000.01"),
    ("max_value_hour", "max_value_day", "$20,000", "$20,000.01"),
    ("max_count_minute", "max_count_hour", 5, 6),
    ("max_count_minute", "max_count_day", 5, 6),
    ("max_count_hour", "max_count_day", 5, 6),
    ("pause_move", "halt_move", "2 %", "2.01 %"),
    ("max_strategy_loss", "max_daily_loss", "$20,000", "$20,000.01"),
    ("max_strategy_drawdown", "max_drawdown", "2 %", "2.01 %"),
]
SOFT = [
    ("soft_order_notional", "max_order_notional", "$19,999.99", "$20,000"),
    ("soft_collar", "price_collar", "1.99 %", "2 %"),
    ("soft_spread", "max_spread", "1.99 %", "2 %"),
    ("soft_concentration", "max_concentration", "1.99 %", "2 %"),
]


def line(key: str, value: object) -> str:
    """Return a line of a file."""
    return f"{key} = {value}\n" if isinstance(value, int) else f'{key} = "{value}"\n'


@pytest.mark.parametrize(("first", "second", "edge", "above"), PAIRS, ids=str)
def test_a_limit_that_another_is_always_reached_before_is_refused_above_it_and_taken_at_it(
    tmp_path: Path, first: str, second: str, edge: object, above: object
) -> None:
    """The refusal stands at the line of the one that can never bind, and names the other; equal is allowed."""
    beside = line(second, edge)
    sentence = said(tmp_path, LIMITED + beside + line(first, above))

    assert sim(tmp_path, LIMITED + beside + line(first, edge)).risk is not None
    assert sentence.startswith(f"line 14, [risk] {first}: at ")
    assert f" it can never bind: {second} is reached at " in sentence
    assert sentence.endswith("; write no more than that")


@pytest.mark.parametrize(("soft", "hard", "below", "edge"), SOFT, ids=str)
def test_a_soft_limit_must_stand_below_the_hard_one(
    tmp_path: Path, soft: str, hard: str, below: str, edge: str
) -> None:
    """At the hard limit nobody would ever be asked: what is above it is blocked for good."""
    beside = line(hard, edge)
    sentence = said(tmp_path, LIMITED + line(soft, edge) + beside)

    assert sim(tmp_path, LIMITED + line(soft, below) + beside).risk is not None
    assert sentence.startswith(f"line 13, [risk] {soft}: at ")
    assert f" nobody would ever be asked: {hard} blocks what is above " in sentence


def test_a_refusal_of_a_pair_is_one_whole_sentence(tmp_path: Path) -> None:
    """File, line, field, the number, what stands in its way with its number, and what to write."""
    text = 'max_order_notional = "$30,000"\nmax_position_notional = "$20,000"\n'

    assert (
        "line 13, [risk] max_order_notional: at $30,000.00 it can never bind: max_position_notional is reached at "
        "$20,000.00; write no more than that"
    ) == said(tmp_path, LIMITED + text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'max_position_notional = "$20,000.01"\nmax_concentration = "20 %"\n',
            (
                "line 13, [risk] max_position_notional: at $20,000.01 it can never bind: max_concentration of 20 % is "
                "$20,000.00 of this cash; write no more than that"
            ),
        ),
        (
            'max_order_notional = "$20,000.01"\nmax_concentration = "20 %"\n',
            (
                "line 13, [risk] max_order_notional: at $20,000.01 it can never bind: max_concentration of 20 % is "
                "$20,000.00 of this cash; write no more than that"
            ),
        ),
        (
            'min_order_notional = "$20.01"\nmax_order_notional = "$20"\n',
            (
                "line 13, [risk] min_order_notional: at $20.01 no order can pass: max_order_notional is $20.00; write "
                "no more than that"
            ),
        ),
        (
            'min_order_notional = "$20.01"\nmax_position_notional = "$20"\n',
            (
                "line 13, [risk] min_order_notional: at $20.01 no order can pass: max_position_notional is $20.00; "
                "write no more than that"
            ),
        ),
        (
            'cash_buffer = "$100,000"\n',
            (
                "line 13, [risk] cash_buffer: at $100,000.00 no order can pass: it is all of the cash, $100,000.00; "
                "write less than that"
            ),
        ),
        (
            'max_group = "40 %"\n',
            ("line 13, [risk] max_group: it can never bind: no group is written; write [risk.groups], or take it out"),
        ),
        (
            'max_order_rate = "10 / s"\nmax_strategy_rate = "51 / 5 s"\n',
            (
                "line 14, [risk] max_strategy_rate: at 51 / 5 s it can never bind: max_order_rate of 10 / 1 s lets at "
                "most 50 through; write no more than that"
            ),
        ),
        (
            'max_concentration = "40.01 %"\nmax_group = "40 %"\n[risk.groups]\nblue = ["SPY"]\n',
            (
                "line 13, [risk] max_concentration: at 40.01 % it can never bind: max_group is reached at 40 %; write "
                "no more than that"
            ),
        ),
    ],
)
def test_what_cannot_bind_for_another_reason_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """A part of the cash, a least that is above the most, a buffer, a group that is not there, and a rate."""
    assert expected == said(tmp_path, LIMITED + text)


@pytest.mark.parametrize(
    "text",
    [
        'max_position_notional = "$20,000"\nmax_order_notional = "$20,000"\nmax_concentration = "20 %"\n',
        'min_order_notional = "$20"\nmax_order_notional = "$20"\nmax_position_notional = "$20"\n',
        'cash_buffer = "$99,999.99"\n',
        'max_order_rate = "10 / s"\nmax_strategy_rate = "50 / 5 s"\n',
        'max_order_rate = "10 / min"\nmax_strategy_rate = "10 / s"\n',
        'max_concentration = "40 %"\nmax_group = "40 %"\n[risk.groups]\nblue = ["SPY"]\n',
        'max_position_notional = "$90,000"\nmax_order_notional = "$90,000"\nmax_entries_day = 40000\n',
        'soft_order_notional = "$90,000"\nmax_strategy_loss = "$50,000"\nmax_concentration = "90 %"\n',
    ],
    ids=["concentration", "least", "buffer", "rate", "slower rate", "group", "money", "other"],
)
def test_what_can_just_bind_is_taken_and_a_default_makes_no_file_wrong(tmp_path: Path, text: str) -> None:
    """At the edge nothing is refused, and what nobody wrote is compared with nothing."""
    assert sim(tmp_path, LIMITED + text).risk is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'restricted = ["AIG", "SPY"]\n',
            (
                'line 13, [risk] restricted, item 2: "SPY" is also among the symbols that may be traded; take it out '
                "of one of them"
            ),
        ),
        (
            'restricted = [\n"AIG",\n"IBM",\n"AIG"]\n',
            'line 16, [risk] restricted, item 3: "AIG" is named before; write each symbol once',
        ),
        (
            '[risk.groups]\nblue = ["IBM",\n"SPI"]\n',
            (
                'line 15, [risk.groups] blue, item 2: "SPI" is not in the universe, so its group never binds; take it '
                "out"
            ),
        ),
        (
            '[risk.groups]\nblue = ["IBM"]\nred = ["SPY", "IBM"]\n',
            ('line 15, [risk.groups] red, item 2: "IBM" is in the group blue already; a symbol is in one group, once'),
        ),
        (
            '[risk.groups]\nblue = ["IBM", "IBM"]\n',
            ('line 14, [risk.groups] blue, item 2: "IBM" is in the group blue already; a symbol is in one group, once'),
        ),
        (
            "[risk.groups]\nblue = []\n",
            "line 14, [risk.groups] blue: there is no symbol in it, so it never binds; take it out",
        ),
        (
            '[risk.strategy.crozz]\nmax_order_qty = "1 shares"\n',
            "line 13, [risk.strategy] crozz: no [[strategy]] has this name, so its limits can never bind",
        ),
        (
            '[risk.symbol.SPI]\nmax_order_qty = "1 shares"\n',
            "line 13, [risk.symbol] SPI: it is not in the universe, so its limits can never bind",
        ),
    ],
)
def test_lists_groups_and_sections_of_what_is_not_there_are_refused(tmp_path: Path, text: str, expected: str) -> None:
    """The line is that of the very item."""
    assert expected == said(tmp_path, LIMITED + text)


@pytest.mark.parametrize(("symbols", "count"), [('["SPY", "IBM"]', 2), ("[]", 0)])
def test_a_canary_trades_exactly_one_symbol(tmp_path: Path, symbols: str, count: int) -> None:
    """Several are refused, none is refused, and one is taken."""
    canary = 'deployment = "canary"\n'
    sentence = said(tmp_path, LIMITED.replace('symbols = ["SPY"]\n', f"symbols = {symbols}\n") + canary)

    assert sim(tmp_path, LIMITED + canary).risk is not None
    assert (
        f"line 13, [risk] deployment: a canary trades one symbol, and {count} are allowed; write one under symbols"
    ) == sentence


def test_a_profile_without_cash_is_refused(tmp_path: Path) -> None:
    """Its numbers are sized by the cash alone."""
    without = LIMITED.replace('[account]\ncash = "$100,000"\n', "")

    assert (
        "line 11, [risk] profile: a profile is sized by the account's cash, and none is written; write cash under "
        "[account]"
    ) == said(tmp_path, without + 'profile = "starter"\n')
