"""The sections of the policy and of the sessions: what they take, and how a mistake in them is told."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.config_texts import FULL, SCOPED, SMALLEST, said, sim

from interlock.config_risk import RiskConfig, StrategyRiskConfig, SymbolRiskConfig
from interlock.core.risk.keys import KEYS
from interlock.model.units import MICROS_PER_DOLLAR, SECOND_NS
from interlock.tomlfields import keys_of, struct_spec

SYMBOLS_FORM = 'write symbols in capitals, such as ["SPY", "IBM"]; each holds A-Z, 0-9, . and -, at most 15'


def test_every_section_of_the_policy_is_read(tmp_path: Path) -> None:
    """Profile, deployment, lists, groups and the limits of one strategy and one symbol, each in its own unit."""
    config = sim(tmp_path, SCOPED)

    assert (
        RiskConfig(
            profile="starter",
            deployment="full",
            symbols=("SPY", "BRK.B"),
            restricted=("IBM",),
            max_group_bps=4_000,
            max_daily_loss_micros=500 * MICROS_PER_DOLLAR,
            max_strategy_rate=(2, 5 * SECOND_NS),
            groups={"blue": ("SPY", "IBM"), "other": ("BRK.B",)},
            strategy={"cross": StrategyRiskConfig(max_order_qty=10, max_strategy_rate=(1, 5 * SECOND_NS))},
            symbol={
                "SPY": SymbolRiskConfig(open_guard_ns=600 * SECOND_NS, lot_size_qty=10),
                "BRK.B": SymbolRiskConfig(tick_size_px=50_000, warm_up_quotes=20),
            },
        )
        == config.risk
    )
    assert "XNYS" == config.session.exchange


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[risk.symbol.IBM]\nmax_order_qty = 5\n", "line 7, [risk.symbol.IBM] max_order_qty: 5 is a bare number"),
        ("[risk]\nsymbol.IBM.max_order_qty = 5\n", "line 7, [risk.symbol.IBM] max_order_qty: 5 is a bare number"),
        (
            '[risk.symbol]\nIBM = { max_order_qty = "5 lots" }\n',
            'line 7, [risk.symbol.IBM] max_order_qty: "5 lots" cannot be used: write whole shares, such as',
        ),
        (
            '[risk.symbol.IBM]\nmax_ordr_qty = "5 shares"\n',
            "line 7, [risk.symbol.IBM] max_ordr_qty: there is no such key; the nearest right one is max_order_qty",
        ),
        (
            "[risk.strategy.cross]\nmax_open_order = 3\n",
            "line 7, [risk.strategy.cross] max_open_order: there is no such key; the nearest right one is max_",
        ),
        ('[risk.strategy.cross]\ntick_size = "$1"\n', "line 7, [risk.strategy.cross] tick_size: there is no such key"),
        (
            '[risk.strategy.cross]\nopen_guard = "5"\n',
            'line 7, [risk.strategy.cross] open_guard: "5" cannot be used: write a span of time with its unit',
        ),
        ('[risk.symbol."BRK.B"]\nmax_spread = "x"\n', 'line 7, [risk.symbol.BRK.B] max_spread: "x" cannot be used'),
        ("[risk.symbol.IBM]\n\nmax_spread = 3\n", "line 8, [risk.symbol.IBM] max_spread: 3 is a bare number"),
    ],
)
def test_a_mistake_in_a_section_of_one_names_that_section_and_its_line(
    tmp_path: Path, text: str, expected: str
) -> None:
    """However the section is written, file, line and field are those of the mistake."""
    assert said(tmp_path, SMALLEST + text).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[risk.symbol.ibm]\n",
            (
                'line 6, [risk.symbol] ibm: "ibm" cannot be a name here; write a symbol in capitals: A-Z, 0-9, . and '
                '-, at most 15; one with a dot in quotes, [risk.symbol."BRK.B"]'
            ),
        ),
        (
            "[risk.strategy.Cross]\n",
            (
                'line 6, [risk.strategy] Cross: "Cross" cannot be a name here; write the name of a strategy: small '
                "letters, digits, _ and -, at most 24"
            ),
        ),
        (
            '[risk.groups]\n"Big Banks" = ["IBM"]\n',
            (
                'line 7, [risk.groups] Big Banks: "Big Banks" cannot be a name here; write the name of a group: small '
                "letters, digits and _, a letter first, at most 40"
            ),
        ),
        (
            "[risk]\nstrategy = 3\n",
            (
                "line 7, [risk] strategy: 3 cannot be used here; write a section for each strategy, such as "
                "[risk.strategy.cross]"
            ),
        ),
        (
            "[[risk.symbol]]\n",
            (
                "line 6, [risk] symbol: a list cannot be used here; write a section for each symbol, such as "
                "[risk.symbol.IBM]"
            ),
        ),
        (
            "[risk]\ngroups = true\n",
            (
                "line 7, [risk] groups: true cannot be used here; write names of groups with their symbols, such as "
                '{ banks = ["BAC", "AIG"] }'
            ),
        ),
        ('[risk.groups]\nbanks = "IBM"\n', f'line 7, [risk.groups] banks: "IBM" cannot be used here; {SYMBOLS_FORM}'),
        (
            '[risk.groups]\nbanks = ["SPY", "ibm"]\n',
            f'line 7, [risk.groups] banks, item 2: "ibm" cannot be used here; {SYMBOLS_FORM}',
        ),
        (
            '[risk]\nrestricted = ["ibm"]\n',
            f'line 7, [risk] restricted, item 1: "ibm" cannot be used here; {SYMBOLS_FORM}',
        ),
        (
            '[risk]\ndeployment = "Canary"\n',
            'line 7, [risk] deployment: "Canary" cannot be used here; write one of "canary", "full"',
        ),
        (
            '[risk]\nprofile = "big"\n',
            'line 7, [risk] profile: "big" cannot be used here; write one of "paper", "small", "starter"',
        ),
        (
            '[session]\nexchange = "xnys"\n',
            (
                'line 7, [session] exchange: "xnys" cannot be used here; write the market identifier of an exchange, '
                'such as "XNYS", or "24/7"'
            ),
        ),
        (
            '[session]\nexchnge = "XNYS"\n',
            (
                "line 7, [session] exchnge: there is no such key; the nearest right one is exchange (known here: "
                "exchange)"
            ),
        ),
    ],
)
def test_a_name_or_a_word_that_does_not_fit_is_refused_in_words_of_what_it_names(
    tmp_path: Path, text: str, expected: str
) -> None:
    """A strategy, a symbol, a group and an exchange are each told how they are written."""
    assert expected == said(tmp_path, SMALLEST + text)


def test_half_of_a_name_with_a_dot_is_told_to_stand_in_quotes(tmp_path: Path) -> None:
    """[risk.symbol.BRK.B] is a table B in a table BRK, and that is what a person sees too late."""
    sentence = said(tmp_path, SMALLEST + '[risk.symbol.BRK.B]\nmax_order_qty = "5 shares"\n')

    assert sentence.startswith("line 6, [risk.symbol.BRK] B: there is no such key; ")
    assert "a name with a dot in it stands in quotes (known here: " in sentence


def test_every_limit_can_be_written_and_nothing_else() -> None:
    """The account's section has each key of the table but the cash, which is the account's."""
    known = {key.written for key in KEYS.values()} - {"cash"}
    sections = {"profile", "deployment", "symbols", "restricted", "groups", "strategy", "symbol"}

    assert known | sections == {one.name for one in keys_of(struct_spec(RiskConfig))}


@pytest.mark.parametrize(
    ("kind", "scope"), [(StrategyRiskConfig, "strategy"), (SymbolRiskConfig, "symbol")], ids=["strategy", "symbol"]
)
def test_a_section_of_one_has_exactly_the_limits_that_hold_for_one(kind: type[msgspec.Struct], scope: str) -> None:
    """What the table of keys says of a scope is what may be written in it."""
    expected = {key.written for key in KEYS.values() if scope in key.scopes}

    assert expected == {one.name for one in keys_of(struct_spec(kind))}


def test_every_limit_is_written_in_the_unit_that_the_table_says() -> None:
    """A key that ends in micros takes dollars, one that ends in ns a span, one without a unit a bare number."""
    units = {"micros": "dollars", "px": "dollars", "qty": "whole shares", "ns": "a span of time", "x100": "a multiple"}
    units |= {"bps": "per cent or basis points", "count": ""}
    written = {one.field: "" if one.unit is None else one.unit.name for one in keys_of(struct_spec(RiskConfig))}

    assert {} == {
        name: written[name] for name, key in KEYS.items() if name in written and written[name] != units[key.unit]
    }


def test_a_full_file_with_the_sections_left_out_has_none(tmp_path: Path) -> None:
    """Nothing is restricted, grouped or scoped that nobody wrote, and the deployment is the full one."""
    risk = sim(tmp_path, FULL).risk

    assert risk is not None
    assert (None, "full", (), {}, {}, {}) == (
        risk.profile,
        risk.deployment,
        risk.restricted,
        risk.groups,
        risk.strategy,
        risk.symbol,
    )
