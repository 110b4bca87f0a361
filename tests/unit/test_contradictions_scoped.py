"""Contradictions between the limits of one strategy or symbol, of the account, and of a named profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config_texts import LIMITED, said, sim

OUTRANKED = "the strictest holds, so leave it out or write a stricter one"


@pytest.mark.parametrize(
    ("account", "own", "edge", "expected"),
    [
        (
            'max_order_qty = "100 shares"\n[risk.symbol.SPY]\n',
            'max_order_qty = "101 shares"\n',
            'max_order_qty = "100 shares"\n',
            (
                "line 15, [risk.symbol.SPY] max_order_qty: at 101 shares it can never bind: the account's own "
                f"max_order_qty is stricter, 100 shares; {OUTRANKED}"
            ),
        ),
        (
            'open_guard = "10 min"\n[risk.strategy.cross]\n',
            'open_guard = "599 s"\n',
            'open_guard = "600 s"\n',
            (
                "line 15, [risk.strategy.cross] open_guard: at 599 s it can never bind: the account's own open_guard "
                f"is stricter, 600 s; {OUTRANKED}"
            ),
        ),
        (
            'max_strategy_rate = "5 / 5 s"\n[risk.strategy.cross]\n',
            'max_strategy_rate = "6 / 5 s"\n',
            'max_strategy_rate = "5 / 5 s"\n',
            (
                "line 15, [risk.strategy.cross] max_strategy_rate: at 6 / 5 s it can never bind: the account's own "
                f"max_strategy_rate is stricter, 5 / 5 s; {OUTRANKED}"
            ),
        ),
        (
            'max_order_rate = "2 / s"\n[risk.strategy.cross]\n',
            'max_strategy_rate = "3 / s"\n',
            'max_strategy_rate = "2 / s"\n',
            (
                "line 15, [risk.strategy.cross] max_strategy_rate: at 3 / 1 s it can never bind: max_order_rate of "
                "2 / 1 s lets at most 2 through; write no more than that"
            ),
        ),
        (
            'max_position_notional = "$5,000"\n[risk.symbol.SPY]\n',
            'max_order_notional = "$5,001"\n',
            'max_order_notional = "$5,000"\n',
            (
                "line 15, [risk.symbol.SPY] max_order_notional: at $5,001.00 it can never bind: max_position_notional "
                "is reached at $5,000.00; write no more than that"
            ),
        ),
        (
            'max_order_notional = "$5,000"\n[risk.symbol.SPY]\n',
            'soft_order_notional = "$5,000"\n',
            'soft_order_notional = "$4,999"\n',
            (
                "line 15, [risk.symbol.SPY] soft_order_notional: at $5,000.00 nobody would ever be asked: "
                "max_order_notional blocks what is above $5,000.00; write less than that"
            ),
        ),
        (
            'max_concentration = "5 %"\n[risk.symbol.SPY]\n',
            'max_position_notional = "$5,001"\n',
            'max_position_notional = "$5,000"\n',
            (
                "line 15, [risk.symbol.SPY] max_position_notional: at $5,001.00 it can never bind: max_concentration "
                "of 5 % is $5,000.00 of this cash; write no more than that"
            ),
        ),
        (
            '[risk.symbol.SPY]\nmax_position_notional = "$5,000"\n',
            'max_order_notional = "$5,001"\n',
            'max_order_notional = "$5,000"\n',
            (
                "line 15, [risk.symbol.SPY] max_order_notional: at $5,001.00 it can never bind: max_position_notional "
                "is reached at $5,000.00; write no more than that"
            ),
        ),
    ],
    ids=["qty", "guard", "rate", "account's rate", "position", "soft", "concentration", "its own"],
)
def test_a_limit_of_one_that_cannot_bind_is_refused_and_one_at_the_edge_is_taken(
    tmp_path: Path, account: str, own: str, edge: str, expected: str
) -> None:
    """What the account wrote and what the section wrote are compared, and the line is the section's own."""
    assert sim(tmp_path, LIMITED + account + edge).risk is not None
    assert expected == said(tmp_path, LIMITED + account + own)


@pytest.mark.parametrize(
    "text",
    [
        'max_strategy_rate = "5 / 5 s"\n[risk.strategy.cross]\nmax_strategy_rate = "6 / 10 s"\n',
        'max_strategy_rate = "5 / 5 s"\n[risk.strategy.cross]\nmax_strategy_rate = "4 / s"\n',
        '[risk.symbol.SPY]\nmax_order_qty = "9,000 shares"\nmax_order_notional = "$90,000"\n',
        'tick_size = "$0.01"\n[risk.symbol.SPY]\ntick_size = "$0.05"\n',
        'max_order_notional = "$9,000"\n[risk.symbol.SPY]\nmax_position_notional = "$5,000"\n',
    ],
    ids=["longer window", "lower count", "no account limit", "tick", "a stricter position"],
)
def test_a_limit_of_one_that_lets_less_through_somewhere_is_taken(tmp_path: Path, text: str) -> None:
    """A rate binds by its count or by its window, a tick is a symbol's own, and a default is compared with nothing."""
    assert sim(tmp_path, LIMITED + text).risk is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'max_order_notional = "$5,001"\n',
            (
                "line 14, [risk] max_order_notional: at $5,001.00 it can never bind: max_position_notional of the "
                "profile starter is reached at $5,000.00; write no more than that"
            ),
        ),
        (
            'soft_collar = "2 %"\n',
            (
                "line 14, [risk] soft_collar: at 2 % nobody would ever be asked: price_collar of the profile starter "
                "blocks what is above 2 %; write less than that"
            ),
        ),
        (
            'max_strategy_rate = "11 / 5 s"\n',
            (
                "line 14, [risk] max_strategy_rate: at 11 / 5 s it can never bind: max_order_rate of the profile "
                "starter of 2 / 1 s lets at most 10 through; write no more than that"
            ),
        ),
        (
            '[risk.symbol.SPY]\nmax_order_notional = "$2,001"\n',
            (
                "line 15, [risk.symbol.SPY] max_order_notional: at $2,001.00 it can never bind: the account's own "
                f"max_order_notional is stricter, $2,000.00; {OUTRANKED}"
            ),
        ),
    ],
    ids=["pair", "soft", "rate", "scoped"],
)
def test_what_a_profile_is_always_reached_before_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """A profile is written too, and the sentence says that the number is the profile's."""
    assert expected == said(tmp_path, LIMITED + 'profile = "starter"\n' + text)


@pytest.mark.parametrize(
    "text",
    [
        'max_order_notional = "$5,000"\n',
        'max_position_notional = "$1,000"\n',
        'max_order_notional = "$9,000"\nmax_position_notional = "$9,000"\n',
    ],
    ids=["edge", "tighter", "both"],
)
def test_what_outranks_a_profile_and_can_bind_is_taken(tmp_path: Path, text: str) -> None:
    """A person may tighten one number of a profile, or write both of a pair."""
    assert sim(tmp_path, LIMITED + 'profile = "starter"\n' + text).risk is not None
