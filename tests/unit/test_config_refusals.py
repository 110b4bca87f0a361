"""What a configuration may not say, and how a refusal reads: file, line, field, what is wrong, what to write."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config_texts import BASES, CSV, FULL, LEAN, PAPER, SIMULATED, SMALLEST, UNIVERSE, refusal, said

from interlock.config import SCANS_MAX
from interlock.model.mode import LIVE_REFUSAL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            PAPER + '[run]\nstart = "ACTIVE"\n',
            (
                "line 8, [run] start: PAPER has no start: it begins HALTED and a human raises it with interlock "
                "resume; take it out"
            ),
        ),
        (
            PAPER + '[run]\ninterval = "2 s"\n',
            (
                "line 8, [run] interval: PAPER draws its market at wall-clock pace, so the interval must be the step "
                "of [source], which is 1 s; write the same in both, or take interval out"
            ),
        ),
        (
            'mode = "PAPER"\n' + LEAN,
            (
                'line 6, [source] kind: recorded data runs in SIM only; write mode = "SIM", or kind = "simulated" to '
                "practise on paper"
            ),
        ),
    ],
)
def test_paper_refuses_what_only_sim_may_have(tmp_path: Path, text: str, expected: str) -> None:
    """Each refusal says what to write."""
    assert expected == said(tmp_path, text)


@pytest.mark.parametrize("word", ['"Live "', '"paper1"', '"1"', "1", "true", '""', '"sim"', "[]", "0x" + "f" * 9_000])
def test_a_mode_that_is_not_exactly_one_of_three_words_is_refused(tmp_path: Path, word: str) -> None:
    """There is no nearly."""
    assert "line 1, mode: The mode" in refusal(tmp_path, f"mode = {word}\n{SMALLEST}")


def test_live_is_refused_whatever_else_the_file_says(tmp_path: Path) -> None:
    """LIVE is answered first, in the one sentence that says why."""
    assert (
        f"line 2, mode: {LIVE_REFUSAL}" == refusal(tmp_path, '\nmode = "LIVE"\nnonsense = 1\n').partition("toml, ")[2]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SMALLEST + "[risk]\nmax_order_qty = 200\n", "200 is a bare number without a unit; write whole shares"),
        (SMALLEST + "[risk]\nmax_order_qty = true\n", "true is no such value; write whole shares"),
        (SMALLEST + '[risk]\nprice_collar = "101 %"\n', '"101 %" is out of bounds; write per cent or basis points, at'),
        (SMALLEST + '[risk]\ntick_size = "$0"\n', '"$0" is out of bounds; write dollars, more than $0.00'),
        (SMALLEST + '[risk]\nlot_size = "0 shares"\n', '"0 shares" is out of bounds'),
        (SMALLEST + '[risk]\nmax_daily_loss = "$0"\n', '"$0" is out of bounds; write dollars, more than $0.00'),
        (SMALLEST + '[risk]\nmax_drawdown = "0 %"\n', '"0 %" is out of bounds'),
        (SMALLEST + "[risk]\nmax_rejects = 0\n", "0 cannot be used here; write a whole number, more than 0"),
        (SMALLEST + '[risk]\nmax_order_rate = "10/s"\n', 'write a count and a unit of time, such as "10 / s"'),
        (SMALLEST + '[risk]\nmax_quote_age = "٣ s"\n', "is no such value; write a span of time"),
        (SMALLEST + f'[risk]\nmax_quote_age = "{"9" * 5_000} s"\n', "is no such value; write a span of time"),
        (
            SMALLEST + '[risk]\nprofile = "starter"\n',
            "[risk] profile: a profile is sized by the account's cash, and none is written; write cash under [account]",
        ),
        (SMALLEST + '[account]\ncash = "$1.0000001"\n', "it has more decimals than its unit can hold"),
        (
            SMALLEST + '[account]\nname = "demo"\n',
            '[account] cash: it is missing; write dollars in quotes, such as "$10',
        ),
        (SMALLEST + '[account]\nname = "../up"\ncash = "$1"\n', '"../up" cannot be used here; write small letters'),
        (SMALLEST + '[account]\nname = "demo x"\ncash = "$1"\n', '"demo x" cannot be used here; write small letters'),
        (SMALLEST + "[run]\ncycles = true\n", "true cannot be used here; write a whole number"),
        (SMALLEST + "[run]\ncycles = 0x" + "f" * 9_000 + "\n", "a number of more than 38 digits cannot be used here"),
        (SMALLEST + '[run]\nstart = "active"\n', 'write one of "HALTED", "REDUCING", "ACTIVE"'),
        (SMALLEST + 'step = "0 s"\n', '"0 s" is out of bounds; write a span of time, more than 0 s'),
        (SMALLEST + 'regime = "wild"\n', 'write one of "calm", "gap", "trending", "volatile"'),
        (
            UNIVERSE + '[source]\nkind = "simulated"\nseed = -1\n',
            "-1 cannot be used here; write a whole number, at least 0",
        ),
        (UNIVERSE + '[source]\nkind = "simulated"\n', "[source] seed: it is missing"),
        (UNIVERSE + "[source]\nseed = 7\n", '[source] kind: it is missing; write one of "simulated", "lean"'),
        (UNIVERSE + '[source]\nkind = "sim"\n', '"sim" is not known here; write one of "simulated", "lean"'),
        (UNIVERSE, '[source]: it is missing; write [source] with kind = "simulated" and seed = 7 under it'),
        (SIMULATED, '[universe]: it is missing; write [universe] with symbols = ["SPY", "IBM"] under it'),
        (SIMULATED + "[universe]\nsymbols = []\n", "The universe is empty"),
        (SIMULATED + '[universe]\nsymbols = ["A", "B", "A"]\n', 'symbols, item 3: "A" is named before'),
        (
            SIMULATED + '[universe]\nsymbols = ["A", "b"]\n',
            'symbols, item 2: "b" cannot be used here; write symbols in cap',
        ),
        (LEAN.replace("2013-10-11", "2013-10-06"), "[source] to: 2013-10-06 is before from, 2013-10-07; swap them"),
        (LEAN.replace("2013-10-11", '"2013-10-11"'), "write a date without quotes, such as 2013-10-07"),
        (LEAN.replace("2013-10-11", "2013-10-11T00:00:00"), "write a date without quotes, such as 2013-10-07"),
        (CSV.replace("America/New_York", "America"), '"America" is no time zone'),
        (CSV.replace("America/New_York", "../etc"), '"../etc" is no time zone'),
        (CSV.replace('bar = "1 min"\n', ""), "[source] bar: it is missing; write how long a bar is"),
        (CSV.replace("close", "open"), '[source.columns] close: rows = "bars" needs this column'),
        (CSV.replace('"bars"', '"quotes"'), '[source.columns] bid: rows = "quotes" needs this column'),
        (
            CSV.replace('"bars"', '"quotes"').replace("close =", 'bid = "b", ask ='),
            '[source] bar: it is for rows = "bars" only; take it out',
        ),
        (SMALLEST + '[scan]\nkind = "gap"\nmin_move = "1 %"\n', "write it as a section in double brackets"),
        (SIMULATED + f"[universe]\nsymbols = [{'1, ' * 20_001}]\n", "it has 20,001 items and the most is 20,000"),
        ("scan = 3\n" + SMALLEST, "line 1, scan: 3 cannot be used here; write it as a section in double brackets"),
        (
            "run = 3\n" + SMALLEST,
            "line 1, run: 3 stands where a section belongs; write it once, as a section in single",
        ),
        (LEAN.replace('"data/lean"', '""'), '[source] path: "" cannot be used here; write a path in quotes'),
        (CSV.replace('"Date"', "1"), "[source.columns] time: 1 cannot be used here; write text in quotes"),
        (SMALLEST + "[[risk]]\n", "[[risk]]: a list stands where a section belongs; write it once"),
        (
            SMALLEST + '[[scan]]\nkind = "moving_average_cross"\nwindow = 1\n',
            "[[scan]] 1, window: 1 cannot be used here",
        ),
        (SMALLEST + '[[scan]]\nkind = "relative_volume"\nwindow = 9\nmin_ratio = "2.5"\n', 'such as "2.5 x"'),
        (
            SMALLEST + '[[scan]]\nkind = "gap"\nmin_move = "1 %"\n' * (SCANS_MAX + 1),
            "there are 17 of them and the most is 16",
        ),
        (
            FULL.replace("qty = 10", "qty = 1.5"),
            "[[strategy]] 1, settings.qty: 1.5 cannot be used here; write a whole numb",
        ),
        (FULL.replace("qty = 10", "Qty = 10"), 'settings.Qty: "Qty" cannot be a name here; write small'),
        (FULL.replace("so be it", "\\u001b[2J"), '"?[2J" holds control characters or is too long'),
        (FULL.replace("examples:Cross", "examples.Cross"), 'write "module:Class", such as'),
    ],
)
def test_a_wrong_value_is_refused_and_what_to_write_is_said(tmp_path: Path, text: str, expected: str) -> None:
    """The sentence names the value as it was written and shows a right one."""
    message = refusal(tmp_path, text)

    assert expected in message
    assert message.endswith("Nothing was started.")


def test_two_strategies_of_one_name_are_refused(tmp_path: Path) -> None:
    """An order must lead back to one strategy."""
    strategy = '[[strategy]]\nuse = "a:B"\nname = "x"\n'

    assert 'line 11, [[strategy]] 2, name: "x" is the name of another strategy; give each its own' == said(
        tmp_path, SMALLEST + strategy + strategy
    )


@pytest.mark.parametrize(
    ("text", "place", "nearest"),
    [
        (
            SMALLEST + '[risk]\nmax_ordr_qty = "1 shares"\n',
            "line 7, [risk] max_ordr_qty: there is no such key",
            "max_order_qty",
        ),
        (SMALLEST + "[rsik]\n", "line 6, [rsik]: there is no such section", "risk"),
        (SMALLEST + "[[strategies]]\n", "line 6, [[strategies]]: there is no such section", "strategy"),
        ("mod = 1\n" + SMALLEST, "line 1, mod: there is no such key", "mode"),
        (SMALLEST + 'dirt = { mising = "1 %" }\n', "line 6, [source.dirt] mising: there is no such key", "missing"),
        (SMALLEST + "[source.dirt]\nhalt = 1\n", "line 7, [source.dirt] halt: there is no such key", "halted"),
        (SMALLEST + 'regim = "calm"\n', "line 6, [source] regim: there is no such key", "regime"),
        (SMALLEST + '[run]\n"in\\u001bterval" = 1\n', "line 7, [run] in?terval: there is no such key", "interval"),
    ],
)
def test_an_unknown_key_is_refused_and_the_nearest_right_one_is_named(
    tmp_path: Path, text: str, place: str, nearest: str
) -> None:
    """A misspelt limit is never a limit that is silently absent."""
    assert said(tmp_path, text).startswith(f"{place}; the nearest right one is {nearest} (known here: ")


@pytest.mark.parametrize(
    ("base", "line"),
    [
        (base, line)
        for base in range(len(BASES))
        for line, text in enumerate(BASES[base].splitlines(), 1)
        if " = " in text
    ],
)
def test_every_key_that_is_wrong_is_refused_with_its_own_line(tmp_path: Path, base: int, line: int) -> None:
    """File, line and field are those of the mistake, for every key that there is."""
    lines = BASES[base].splitlines()
    name = lines[line - 1].partition(" = ")[0]
    lines[line - 1] = f"{name} = [[1]]"
    message = refusal(tmp_path, "\n".join(lines))

    assert f"{tmp_path}/run.toml, line {line}, " in message
    assert f"{name}:" in message.replace(", item 1:", ":")
