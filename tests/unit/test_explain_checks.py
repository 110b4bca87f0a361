"""Checks in words: what was read, what had to be, whose limit it was, and which limit came nearest."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.explain_factory import LEAVE, ONE, check, told
from tests.journal_factory import boot, cycle, decision, write_run

from interlock.core.risk.table import CONTROLS
from interlock.model.journal import Boot
from interlock.model.orders import OrderClass, OrdType
from interlock.model.risk import Check, ReasonCode
from interlock.model.units import INTEGER_MAX
from interlock.proof.explain_text import text_of
from interlock.proof.explained import DecisionExplained
from interlock.shell.first_words import FIRST_SCHEMA

NO = {"passed": False, "note": "so it was"}


def judged(run_dir: Path, *checks: Check, schema_version: int = 0, **changes: object) -> DecisionExplained:
    """Return the explanation of a decision with these checks, by a record of this build or of an older one."""
    first, aside = boot()
    assert isinstance(first, Boot)
    if schema_version:
        first = msgspec.structs.replace(first, schema_version=schema_version)
    approved = all(one.passed or not one.required for one in checks)
    wished = msgspec.structs.replace(decision(ONE, approved=approved), checks=checks)
    intent = msgspec.structs.replace(wished.intent, **changes)
    write_run(run_dir, [(first, aside), cycle(1, decisions=(msgspec.structs.replace(wished, intent=intent),))])
    return told(run_dir, ONE)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (check("LATCHED", "flag", 1, 1, source="rule"), ("yes", "no latch on it")),
        (check("LATCHED", "flag", 0, None, source="rule", **NO), ("no", "no latch on it")),
        (check("TRADING_STATE", "flag", 1, 1, source="rule"), ("yes", "ACTIVE")),
        (check("SYMBOL_NOT_ALLOWED", "flag", 0, None, source="rule", **NO), ("no", "on the allow-list")),
        (
            check("EQUITY_UNKNOWN", "flag", None, None, passed=False, note="CHECK_RAISED X"),
            ("unknown", "a known equity"),
        ),
        (check("TICK_SIZE", "px", None, 10_000, source="default"), ("yes", "in steps of $0.01")),
        (check("ORDER_DUPLICATE", "ns", None, 10 * 10**9, **NO), ("no", "not again in 10 s")),
        (check("ORDER_DUPLICATE", "ns", None, None, source="none", **NO), ("no", "not written")),
        (check("ORDER_QTY_MAX", "qty", 10, None, source="none", **NO), ("10 shares", "not written")),
        (check("PRICE_COLLAR", "bps", None, 300, **NO), ("unknown", "at most 3 %")),
        (check("LEVERAGE_MAX", "x100", 175, 150, **NO), ("1.75 x", "at most 1.50 x")),
        (check("CASH_INSUFFICIENT", "micros", 7 * 10**6, 9 * 10**6, **NO), ("$7.00", "at least $9.00")),
        (check("CLOSE_GUARD", "ns", INTEGER_MAX, 10**9), ("no end", "at least 1 s")),
    ],
)
def test_each_reading_has_its_words(tmp_path: Path, one: Check, words: tuple[str, str]) -> None:
    """A rule is yes or no and says what must be; a measure has two numbers, and a least is called one."""
    found = judged(tmp_path, one).checks[0]

    assert words == (found.observed_words, found.limit_words)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (check("LATCHED", "count", 1, 0, source="rule"), ("1", "none")),
        (check("LATCHED", "count", 0, 0, source="rule"), ("none", "none")),
        (check("TRADING_STATE", "flag", 0, 2, source="rule"), ("HALTED", "at least ACTIVE")),
        (check("SYMBOL_NOT_ALLOWED", "flag", 0, 1, source="rule"), ("no", "on the allow-list")),
        (check("SYMBOL_NOT_ALLOWED", "flag", None, 1, source="rule"), ("unknown", "on the allow-list")),
        (check("TICK_SIZE", "px", 170_010_000, 10_000, source="default"), ("$170.01", "in steps of $0.01")),
        (check("ORDER_QTY_MAX", "qty", 10, None, source="none"), ("10 shares", "not written")),
        (check("MARKET_CROSSED", "px", 5_000_000, None, source="rule"), ("$5.00", "-")),
        (check("CASH_INSUFFICIENT", "micros", 7 * 10**6, 9 * 10**6), ("$7.00", "at most $9.00")),
    ],
)
def test_each_reading_of_the_first_version_keeps_its_words(tmp_path: Path, one: Check, words: tuple[str, str]) -> None:
    """A record of the first version is explained as its numbers were meant then."""
    found = judged(tmp_path, one, schema_version=FIRST_SCHEMA).checks[0]

    assert words == (found.observed_words, found.limit_words)


@pytest.mark.parametrize("code", [control.code for control in CONTROLS if control.rule is not None])
def test_every_rule_says_what_must_be(tmp_path: Path, code: ReasonCode) -> None:
    """No rule of the table is explained without words of its own."""
    found = judged(tmp_path, check(code, "flag", 1, 1, source="rule")).checks[0]

    assert "yes" == found.observed_words
    assert False is (found.limit_words in ("", "yes", "1", "at most 1"))


def test_an_exit_needs_less_of_the_trading_state(tmp_path: Path) -> None:
    """What must be is told for the class of the order."""
    one = check("TRADING_STATE", "flag", 1, 1, source="rule")
    found = judged(tmp_path, one, order_class=OrderClass.EXIT)

    assert "at least REDUCING" == found.checks[0].limit_words


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("config", "config: max_order_qty"),
        ("profile starter", "profile starter: max_order_qty"),
        ("tightened", "tightened: max_order_qty"),
        ("config strategy:cross", "config: max_order_qty (strategy cross)"),
        ("config symbol:SPY", "config: max_order_qty (symbol SPY)"),
        ("default", "default: max_order_qty"),
    ],
)
def test_a_limit_says_whose_it_is(tmp_path: Path, source: str, words: str) -> None:
    """The source of a limit, its key as it is written, and the scope whose own limit it is."""
    assert f"  {words}  " in text_of(judged(tmp_path, check("ORDER_QTY_MAX", "qty", 10, 200, source=source)))


@pytest.mark.parametrize(
    ("near", "words"),
    [
        (check("ORDER_QTY_MAX", "qty", 150, 200), "ORDER_QTY_MAX: 150 shares of 200 shares (75 % of it)."),
        (
            check("CASH_INSUFFICIENT", "micros", 10 * 10**6, 9 * 10**6),
            "CASH_INSUFFICIENT: $10.00, at least $9.00 had to be there (90 %).",
        ),
    ],
)
def test_the_limit_that_came_nearest_is_measured_the_right_way_round(tmp_path: Path, near: Check, words: str) -> None:
    """A least that is nearly gone is near; one of which plenty is there is far, however small its limit."""
    far = (check("ORDER_NOTIONAL_MIN", "micros", 900 * 10**6, 10**6), check("SPREAD_MAX", "bps", 1, 200))

    assert f"The limit that came nearest is {words}" == judged(tmp_path, *far, near).changes[-1]


def test_what_is_always_reached_or_no_measure_is_not_called_near(tmp_path: Path) -> None:
    """The bound of a wish for market, a rule with a number and a recorded check of another class say nothing."""
    checks = (
        check("MARKET_UNBOUNDED", "bps", 50, 50),
        check("TICK_SIZE", "px", None, 10_000),
        check("PRICE_COLLAR", "bps", 290, 300, required=False),
    )

    assert ("Any one of its 2 required checks, had it failed, would have blocked it.",) == judged(
        tmp_path, *checks
    ).changes


def test_a_leave_is_named_and_never_called_near(tmp_path: Path) -> None:
    """What a human let through is told with their words, and with what would have blocked it."""
    left = check(
        "ORDER_NOTIONAL_LARGE",
        "micros",
        20,
        10,
        source="leave",
        soft=True,
        note="human:ann allowed it once: she looked",
    )
    found = judged(tmp_path, left)
    text = text_of(found)

    assert "ALLOWED  ORDER_NOTIONAL_LARGE" in text
    assert "human:ann allowed it once: she looked" in text
    assert "a human past: soft_order_notional" in text
    assert "Without that leave it would have been blocked by ORDER_NOTIONAL_LARGE." == found.changes[-1]


def test_a_block_of_soft_controls_alone_says_how_it_could_pass(tmp_path: Path) -> None:
    """Only where nothing hard stood in the way, a human's leave is offered."""
    soft = check("ORDER_NOTIONAL_LARGE", "micros", 20, 10, soft=True, passed=False)
    alone = judged(tmp_path / "alone", soft)
    both = judged(tmp_path / "both", soft, check("ORDER_QTY_MAX", "qty", 9, 5, passed=False))

    assert f"interlock allow {LEAVE.decision_id} --reason ..." in alone.changes[-1]
    assert "Large order value (soft)" in text_of(alone)
    assert [] == [words for words in both.changes if "interlock allow" in words]


def test_a_control_that_is_not_covered_is_called_so(tmp_path: Path) -> None:
    """A check without its input is NOT COVERED and not passed, also where the record has it as passed."""
    note = "NOT COVERED: the source does not tell status"
    found = judged(tmp_path, check("SYMBOL_HALTED", "flag", None, None, source="rule", note=note))

    assert [(False, "unknown")] == [(one.covered, one.observed_words) for one in found.checks]
    assert "NOT COVERED  SYMBOL_HALTED" in text_of(found)
    assert note in text_of(found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"wished_qty": 900}, "It was cut from 900 shares to the largest order; the rest must be wished for again."),
        ({"bound_bps": 50}, "It was a wish for market; its price is bounded 0.50 % beyond the touch."),
    ],
)
def test_what_was_made_of_a_wish_is_told_under_it(tmp_path: Path, changes: dict[str, int], words: str) -> None:
    """A cut exit and a bounded price are changes that a person has to see."""
    assert f"       {words}\n" in text_of(judged(tmp_path, check("ORDER_QTY_MAX", "qty", 10, 10), **changes))


def test_a_wish_for_market_that_nothing_bounds_has_no_price(tmp_path: Path) -> None:
    """Without a quote it stays a wish for market, and no price of nought is made up for it."""
    blocked = check("MARKET_UNBOUNDED", "bps", None, 50, **NO)
    found = judged(tmp_path, blocked, ord_type=OrdType.MARKET, limit_px=0)

    assert "BUY 10 SPY at the market (ENTRY, MARKET, " in found.headline
