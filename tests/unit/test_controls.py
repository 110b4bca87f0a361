"""The table of controls: every line of the gate and of the watch, with the limits that hold and whose they are."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from tests.explain_factory import decided_with
from tests.journal_factory import boot, cycle, stop, write_run
from tests.spoken import Start, spoken

from interlock.core.risk.keys import KEYS
from interlock.core.risk.table import CONTROLS
from interlock.core.watch import WATCHES
from interlock.model.errors import ConfigError
from interlock.model.journal import Boot, GateOutputs, LimitInForce
from interlock.proof.controls import (
    BESIDE,
    GROUPS,
    ControlLine,
    Controls,
    controls_of_file,
    controls_of_home,
    controls_of_run,
)
from interlock.proof.controls_text import text_of
from interlock.shell.first_words import FIRST_SCHEMA

REPO = Path(__file__).resolve().parents[2]
FIRST = REPO / "examples" / "first.toml"
PROMISED = {"row", "code", "name", "scope", "applies_to", "action", "limit", "source"}
MORE = {"required_for", "phase", "unit", "key", "covered"}
_OWN = """
[account]
name = "demo"
cash = "$100,000"
[universe]
symbols = ["SPY", "IBM"]
[source]
kind = "simulated"
seed = 7
[[strategy]]
use = "interlock.examples:RoundTrip"
name = "cross"
settings = { qty = 1 }
[risk]
profile = "starter"
symbols = ["SPY"]
restricted = ["IBM"]
[risk.strategy.cross]
max_order_qty = "50 shares"
max_strategy_rate = "2 / 10 s"
[risk.symbol.SPY]
max_order_qty = "20 shares"
"""


def written(folder: Path, text: str) -> str:
    """Write a configuration, and return its path."""
    path = folder / "c.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def line_of(controls: Controls, code: str) -> ControlLine:
    """Return one line."""
    (found,) = [one for one in controls.lines if one.code == code]
    return found


def test_every_control_and_every_watch_has_its_line_in_order() -> None:
    """The groups are the table, in its order, and the watches follow."""
    lines = controls_of_file(str(FIRST)).lines

    assert CONTROLS == tuple(control for _, group in GROUPS for control in group)
    assert [one.code for one in (*CONTROLS, *WATCHES)] == [line.code for line in lines]


def test_every_limit_there_is_is_shown() -> None:
    """No limit can be in force that the table does not show, and nothing is named beside a line that is none."""
    own = {control.key for control in CONTROLS} | {watch.key for watch in WATCHES}
    beside = {key for keys in BESIDE.values() for key in keys}

    assert set(KEYS) == (own | beside) - {""}
    assert set() == set(BESIDE) - {line.code for line in controls_of_file(str(FIRST)).lines}


def test_json_is_a_list_of_lines_with_the_promised_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line has every promised key; limits are whole numbers in their unit, null where there is none."""
    code, out, err = spoken(capsys, "controls", str(FIRST), "--json")
    lines = json.loads(out[0])

    assert (0, "", 1, len(CONTROLS) + len(WATCHES)) == (code, err, len(out), len(lines))
    assert [] == [line["code"] for line in lines if not PROMISED | MORE <= line.keys()]
    assert {"int", "NoneType"} == {type(line["limit"]).__name__ for line in lines}
    assert {"pre-trade", "at-trade"} == {line["phase"] for line in lines}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ORDER_QTY_MAX", (100, "profile starter", "max_order_qty", "hard block", ("ENTRY",))),
        ("ORDER_NOTIONAL_MAX", (2_000_000_000, "profile starter", "max_order_notional", "hard block", ("ENTRY",))),
        ("ORDER_NOTIONAL_LARGE", (1_000_000_000, "default", "soft_order_notional", "soft block", ("ENTRY",))),
        ("ORDER_RATE_MAX", (2, "profile starter", "max_order_rate", "throttle", ("ENTRY",))),
        ("POSITION_STALE", (60_000_000_000, "default", "max_position_age", "hard block", ("ENTRY", "EXIT"))),
        ("SHORT_SALE", (None, "rule", "", "hard block", ("ENTRY",))),
        ("DAILY_LOSS", (500_000_000, "profile starter", "max_daily_loss", "latch REDUCING", ("ENTRY",))),
        ("DAILY_LOSS_HARD", (625_000_000, "profile starter", "max_daily_loss", "latch REDUCING", ("ENTRY",))),
    ],
)
def test_a_line_says_what_holds_and_whom_it_stops(
    tmp_path: Path, code: str, expected: tuple[int | None, str, str, str, tuple[str, ...]]
) -> None:
    """Limit, source, key, action and classes are those of the table and of the file; a harder watch has its own."""
    one = line_of(controls_of_file(written(tmp_path, _OWN)), code)

    assert expected == (one.limit, one.source, one.key, one.action, one.required_for)


def test_limits_of_one_strategy_or_symbol_stand_below_the_accounts(tmp_path: Path) -> None:
    """The scopes that have a limit of their own are named with it, a rate with its own span."""
    text = text_of(controls_of_file(written(tmp_path, _OWN)))

    for words in (
        "The profile is starter, sized by the account's cash.",
        "Symbols that may be traded: SPY.",
        "Symbols that may not be entered: IBM.",
        "    strategy cross: 50 shares (config)",
        "    symbol SPY: 20 shares (config)",
        "    strategy cross: 2 in 10 s (config)",
        "STRATEGY_RATE_MAX       10 in 5 s   max_strategy_rate ",
    ):
        assert words in text


def test_what_nobody_wrote_is_called_so(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """Where no run was ever started, the built-in configuration is shown, and said to be that."""
    code, out, _ = spoken(capsys, "controls", "--home", str(home))
    (line,) = [one.split() for one in out if one.startswith("ORDER_QTY_MAX ")]

    assert (0, f"No run was ever started in {home}, so these are the limits of the built-in configuration.") == (
        code,
        out[0],
    )
    assert "There is no risk policy, so no entry is allowed: write a [risk] section." == out[1]
    assert ["ORDER_QTY_MAX", "not", "written", "max_order_qty", "none", "order", "entries"] == line


def test_no_home_at_all_is_the_built_in_configuration(tmp_path: Path) -> None:
    """A machine on which nothing ever ran shows the table all the same."""
    environ = {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)}

    assert "No run was ever started, so these are" in controls_of_home(None, environ).words


def test_several_live_homes_are_listed_and_refused(
    capsys: pytest.CaptureFixture[str], home: Path, start: Start
) -> None:
    """Whose limits are meant has to be clear."""
    start(home, "obedient")
    start(home.with_name("other"), "obedient")
    code, out, err = spoken(capsys, "controls")

    assert (2, [], True) == (code, out, str(home) in err)


def test_a_living_run_shows_its_own_limits(capsys: pytest.CaptureFixture[str], home: Path, start: Start) -> None:
    """With no file named, the run that lives is meant, and what its record lacks is not written."""
    start(home, "obedient")
    out = spoken(capsys, "controls")[1]
    lines = {
        one["code"]: (one["limit"], one["source"]) for one in json.loads(spoken(capsys, "controls", "--json")[1][0])
    }

    assert True is out[0].startswith("The limits that hold in the run ")
    assert [(200, "config"), (None, "none")] == [lines[code] for code in ("ORDER_QTY_MAX", "ORDER_NOTIONAL_MAX")]


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_limit_that_was_tightened_shows_in_a_run_that_ended(tmp_path: Path, is_closed: bool) -> None:  # noqa: FBT001
    """Whether a STOP closed it or it was killed, what held at its end is what is shown."""
    stricter = [LimitInForce(key="max_order_qty", value=qty, unit="qty", source="tightened") for qty in (90, 40)]
    cycles = [
        decided_with(cycle(1), state_no=1),
        decided_with(cycle(2), state_no=2, gate=GateOutputs(tightened=(stricter[0],))),
        decided_with(cycle(3), state_no=3),
        decided_with(cycle(4), state_no=4, gate=GateOutputs(tightened=(stricter[1],))),
        decided_with(cycle(5), state_no=4),
    ]
    write_run(tmp_path, [boot(), *cycles, *([stop(5)] if is_closed else [])])
    found = line_of(controls_of_run(tmp_path, is_living=False), "ORDER_QTY_MAX")

    assert (40, "tightened") == (found.limit, found.source)


def test_what_the_source_does_not_tell_is_not_covered(tmp_path: Path) -> None:
    """A control without its input is marked in the text and in the JSON; a word that nobody knows is passed over."""
    first, aside = boot()
    assert isinstance(first, Boot)
    write_run(tmp_path, [(msgspec.structs.replace(first, provides=("quotes", "tea_leaves")), aside)])
    found = controls_of_run(tmp_path, is_living=False)

    assert {"SYMBOL_HALTED", "PRICE_BANDS", "CLOSE_COLLAR", "PARTICIPATION_DAY", "PARTICIPATION_NOW"} == {
        one.code for one in found.lines if not one.covered
    }
    assert "    NOT COVERED: the source does not tell daily volume, so it cannot speak" in text_of(found)


def test_a_run_of_another_version_says_so(tmp_path: Path) -> None:
    """What it did not have is not called a choice of its owner."""
    first, aside = boot()
    assert isinstance(first, Boot)
    old = msgspec.structs.replace(first, schema_version=FIRST_SCHEMA, decision_version=1)
    write_run(tmp_path, [(old, aside)])

    assert "Another version of Interlock made this run" in text_of(controls_of_run(tmp_path, is_living=False))


@pytest.mark.parametrize("name", ["first", "paper"])
def test_the_text_fits_a_terminal_and_names_every_line_once(name: str) -> None:
    """No line is wider than 100 columns, and every code begins exactly one."""
    controls = controls_of_file(str(REPO / "examples" / f"{name}.toml"))
    lines = text_of(controls).split("\n")

    assert [] == [line for line in lines if len(line) > 100 or line != line.rstrip()]
    assert [one.code for one in controls.lines] == [
        word for word in (line.split(" ")[0] for line in lines) if word in {one.code for one in controls.lines}
    ]


def test_a_file_that_cannot_be_read_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The refusal is the one that a start would give."""
    path = written(tmp_path, "[risk]\nmax_order_qty = 5\n")
    code, out, _ = spoken(capsys, "controls", path)

    assert (2, []) == (code, out)
    with pytest.raises(ConfigError):
        controls_of_file(path)


def test_asking_starts_nothing(tmp_path: Path) -> None:
    """No home is made, and no strategy is loaded: one that does not exist changes nothing."""
    path = written(tmp_path, _OWN.replace("interlock.examples:RoundTrip", "no_such_module:Nobody"))
    before = sorted(tmp_path.iterdir())

    assert 100 == line_of(controls_of_file(path), "ORDER_QTY_MAX").limit
    assert before == sorted(tmp_path.iterdir())
