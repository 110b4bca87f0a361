"""Limits: the strictest of account, strategy and symbol holds and says whose it is, and nothing comes from nowhere."""

from __future__ import annotations

import pytest
from tests.core_factory import exit_facts, facts, intent, limits, wish
from tests.gate_factory import BY_CODE, check, failed
from tests.journal_factory import OPENING_MICROS

from interlock.core.risk.engine import judge
from interlock.core.risk.keys import KEYS, LESS, MORE, NEITHER, NO_DEFAULT
from interlock.core.risk.limits import Limits, limits_of, loosened, make_limits, tightened
from interlock.model.journal import LimitInForce
from interlock.model.risk import ReasonCode
from interlock.model.units import SECOND_NS

R = ReasonCode
DOLLAR = 1_000_000
CASH = 50_000 * DOLLAR
#: What the catalogue says of an account of $50,000 that wrote an order's size and nothing else.
SIZED = {
    "cash_micros": 50_000 * DOLLAR,
    "soft_order_notional_micros": 1_250 * DOLLAR,
    "max_value_minute_micros": 12_500 * DOLLAR,
    "max_value_hour_micros": 50_000 * DOLLAR,
    "max_value_day_micros": 100_000 * DOLLAR,
    "max_net_notional_micros": 50_000 * DOLLAR,
    "max_unexecuted_micros": 12_500 * DOLLAR,
    "max_capital_micros": 25_000 * DOLLAR,
    "max_strategy_capital_micros": 5_000 * DOLLAR,
    "cash_buffer_micros": 10_000 * DOLLAR,
    "max_strategy_loss_micros": 500 * DOLLAR,
    "max_daily_loss_micros": 1_000 * DOLLAR,
}
#: Defaults that no cash moves, by the unit's own number.
FIXED = {
    "min_order_notional_micros": DOLLAR, "close_collar_bps": 1_000, "exit_collar_bps": 1_000, "market_bound_bps": 50,
    "max_quote_age_ns": 2 * SECOND_NS, "max_feed_age_ns": 5 * SECOND_NS, "max_spread_bps": 200, "soft_spread_bps": 120,
    "max_jump_bps": 300, "jump_quotes": 3, "pause_move_bps": 200, "halt_move_bps": 500, "warm_up_quotes": 10,
    "open_guard_ns": 300 * SECOND_NS, "close_guard_ns": 300 * SECOND_NS, "max_adv_bps": 100, "max_volume_bps": 1_000,
    "duplicate_window_ns": 10 * SECOND_NS, "max_order_count": 10, "max_strategy_count": 10, "max_open_orders": 20,
    "max_symbol_orders": 5, "max_leverage_x100": 100, "max_concentration_bps": 2_000, "soft_concentration_bps": 1_500,
    "max_group_bps": 4_000, "max_drawdown_bps": 800, "max_strategy_drawdown_bps": 500, "tick_size_px": 10_000,
    "lot_size_qty": 1,
}  # fmt: skip
SCOPED = [(name, scope) for name, key in KEYS.items() if key.stricter != NEITHER for scope in key.scopes]


def made(
    *, cash: int | None = CASH, bar_ns: int = 0, own: dict[tuple[str, str], int] | None = None, **written: int
) -> Limits:
    """Return the limits of a policy that writes this and nothing else."""
    return make_limits(has_policy=True, symbols=("SPY",), written=written, cash_micros=cash, bar_ns=bar_ns, own=own)


def held(limits_in_force: Limits, key: str, *, strategy_id: str = "cross", symbol: str = "SPY") -> tuple[object, ...]:
    """Return what holds of a limit for a strategy in a symbol: value, source, scope."""
    limit = limits_in_force.of(strategy_id=strategy_id, symbol=symbol)[key]
    return limit.value, limit.source, limit.scope


def one(key: str, value: int | None, scope: str = "") -> LimitInForce:
    """Return a limit."""
    return LimitInForce(key=key, value=value, unit=KEYS[key].unit, source="config", scope=scope)


def test_every_limit_is_in_force_or_said_to_be_missing() -> None:
    """Each key has an entry whatever was written; it has a value or the source `none`, never one without the other."""
    for limits_in_force in (made(), made(cash=None), make_limits(
        has_policy=False, symbols=(), written={}, cash_micros=None, bar_ns=0
    )):  # fmt: skip
        assert tuple(KEYS) == tuple(limits_in_force.in_force)
        assert [(each.value is None) for each in limits_in_force.in_force.values()] == [
            each.source == "none" for each in limits_in_force.in_force.values()
        ]


def test_defaults_are_sized_from_the_cash() -> None:
    """Money that nobody wrote is a part of the account's cash, or of the largest order."""
    limits_in_force = made(max_order_notional_micros=2_500 * DOLLAR)

    assert SIZED == {name: limits_in_force.value(name) for name in SIZED}


def test_twice_the_cash_makes_each_part_of_it_twice_as_large() -> None:
    """No other number moves with it."""
    small, large = made(), made(cash=2 * CASH)
    moved = {name for name in KEYS if small.value(name) != large.value(name)}

    assert moved == {name for name in SIZED if name not in ("soft_order_notional_micros", "max_value_minute_micros")}
    assert all(2 * (small.value(name) or 0) == large.value(name) for name in moved)


def test_the_other_defaults_are_those_of_the_catalogue() -> None:
    """What is not money does not follow the cash."""
    assert FIXED == {name: made().value(name) for name in FIXED}


@pytest.mark.parametrize(("bar_ns", "quote_s", "feed_s"), [(0, 2, 5), (SECOND_NS, 2, 5), (60 * SECOND_NS, 90, 90)])
def test_ages_follow_the_bars_of_a_source(bar_ns: int, quote_s: int, feed_s: int) -> None:
    """A quote may be one and a half bars old, and at least what a source of single quotes may have."""
    limits_in_force = made(bar_ns=bar_ns)

    assert (quote_s * SECOND_NS, feed_s * SECOND_NS) == (
        limits_in_force.value("max_quote_age_ns"), limits_in_force.value("max_feed_age_ns"),
    )  # fmt: skip


def test_sizes_have_no_default() -> None:
    """How large an order, a position and the account may be, and how far a price may be, nobody can guess."""
    assert {
        "max_order_qty", "max_order_notional_micros", "price_collar_bps", "max_position_notional_micros",
        "max_gross_notional_micros",
    } == set(NO_DEFAULT)  # fmt: skip
    assert [("none", None)] * 5 == [(made().in_force[name].source, made().value(name)) for name in NO_DEFAULT]


@pytest.mark.parametrize("key", [name for name in SIZED if any(control.key == name for control in BY_CODE.values())])
def test_without_cash_what_is_sized_by_it_blocks(key: str) -> None:
    """An account whose cash nobody wrote has no part of it, so its controls say no, and exits go."""
    unsized = make_limits(
        has_policy=True,
        symbols=("SPY",),
        written={name: limits().value(name) or 0 for name in ("max_order_qty", "price_collar_bps")},
        cash_micros=None,
        bar_ns=0,
    )
    codes = {code for code, control in BY_CODE.items() if control.key == key}

    assert (None, "none") == (unsized.value(key), unsized.in_force[key].source)
    assert codes <= set(failed(judge(facts(limits=unsized))))
    assert () == failed(judge(exit_facts(limits=unsized)))


def test_what_is_written_outranks_a_profile_and_a_profile_outranks_a_default() -> None:
    """Each says where it comes from."""
    profile = {"max_order_qty": 7, "max_open_orders": 3}
    found = make_limits(
        has_policy=True, symbols=(), written={"max_order_qty": 9}, cash_micros=CASH, bar_ns=0, profile=profile,
        profile_name="starter",
    )  # fmt: skip

    assert [(9, "config", ""), (3, "profile starter", ""), (5, "default", ""), (CASH, "config", "")] == [
        held(found, key) for key in ("max_order_qty", "max_open_orders", "max_symbol_orders", "cash_micros")
    ]


@pytest.mark.parametrize(("key", "scope"), SCOPED)
def test_the_stricter_of_the_accounts_and_an_own_limit_holds(key: str, scope: str) -> None:
    """For every key that may be written for one: a stricter one holds there and only there, a looser one nowhere."""
    name = {"strategy": "strategy:cross", "symbol": "symbol:SPY"}[scope]
    step = -1 if KEYS[key].stricter == LESS else 1
    stricter, looser = (made(**{key: 1_000}, own={(name, key): 1_000 + side * step}) for side in (1, -1))

    assert (1_000 + step, "config", name) == held(stricter, key)
    assert (1_000, "config", "") == held(looser, key)
    assert (1_000, "config", "") == held(stricter, key, strategy_id="other", symbol="IBM")


@pytest.mark.parametrize("value", [1, 100, 1_000, 50_000])
@pytest.mark.parametrize("key", ["tick_size_px", "lot_size_qty"])
def test_a_rule_of_the_instrument_is_the_symbols_own(key: str, value: int) -> None:
    """A tick or a lot is no limit: what is written for the symbol holds there, be it finer or coarser."""
    found = made(**{key: 1_000}, own={("symbol:SPY", key): value})

    assert [(value, "config", "symbol:SPY"), (1_000, "config", "")] == [
        held(found, key), held(found, key, symbol="IBM"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("account", "strategy", "symbol", "expected"),
    [
        (9, 7, 5, (5, "config", "symbol:SPY")),
        (9, 5, 7, (5, "config", "strategy:cross")),
        (5, 7, 9, (5, "config", "")),
        (9, 9, 9, (9, "config", "")),
        (9, 5, 5, (5, "config", "strategy:cross")),
    ],
)
def test_the_strictest_of_three_holds(account: int, strategy: int, symbol: int, expected: tuple[object, ...]) -> None:
    """Of two that let the same through, the wider one's is named."""
    own = {("strategy:cross", "max_order_qty"): strategy, ("symbol:SPY", "max_order_qty"): symbol}

    assert expected == held(made(max_order_qty=account, own=own), "max_order_qty")


@pytest.mark.parametrize(
    ("strategy_id", "symbol", "value"),
    [("cross", "SPY", 3), ("cross", "IBM", 4), ("other", "SPY", 3), ("other", "IBM", 9), ("", "", 9), ("cross", "", 4)],
)
def test_each_pair_has_its_own(strategy_id: str, symbol: str, value: int) -> None:
    """A strategy's limit holds in each symbol, a symbol's for each strategy, and neither reaches further."""
    own = {("strategy:cross", "max_order_qty"): 4, ("symbol:SPY", "max_order_qty"): 3}
    found = made(max_order_qty=9, own=own)

    assert value == held(found, "max_order_qty", strategy_id=strategy_id, symbol=symbol)[0]


def test_the_gate_judges_by_the_strictest_and_says_whose_it_is() -> None:
    """The record of a block names the scope of the limit that it was blocked by."""
    found = limits(own={("strategy:cross", "max_order_qty"): 9, ("symbol:IBM", "max_order_qty"): 10})
    blocked, passed = judge(facts(limits=found)), judge(facts(limits=found, intent=intent(wish("IBM", order_qty=9))))

    assert (R.ORDER_QTY_MAX,) == failed(blocked)
    assert ("config strategy:cross", "config strategy:cross") == (
        check(blocked, R.ORDER_QTY_MAX).source, check(passed, R.ORDER_QTY_MAX).source,
    )  # fmt: skip
    assert "config" == check(judge(facts()), R.ORDER_QTY_MAX).source


def test_an_own_limit_holds_where_the_account_has_none() -> None:
    """What was written for one strategy is written; every other one still has nothing, and is blocked."""
    found = made(own={("strategy:cross", "max_order_qty"): 10})

    assert [(10, "config", "strategy:cross"), (None, "none", "")] == [
        held(found, "max_order_qty", strategy_id=name) for name in ("cross", "other")
    ]


@pytest.mark.parametrize("key", [name for name, key in KEYS.items() if key.stricter in (LESS, MORE)])
def test_a_person_can_tighten_and_never_loosen(key: str) -> None:
    """One unit stricter is taken at once and says so; the same value and a looser one are refused."""
    before = limits(**{key: 1_000})
    step = -1 if KEYS[key].stricter == LESS else 1
    after = tightened(before, name=key, value=1_000 + step)
    assert after is not None

    assert (1_000 + step, "tightened", "") == held(after, key)
    assert [None, None] == [tightened(before, name=key, value=value) for value in (1_000, 1_000 - step)]
    assert (1_000, "config", "") == held(before, key)


@pytest.mark.parametrize("key", [name for name, key in KEYS.items() if key.stricter == NEITHER])
@pytest.mark.parametrize("value", [0, 1, 10**15])
def test_a_rule_that_is_neither_cannot_be_tightened(key: str, value: int) -> None:
    """Cash, ticks, lots and the windows of a move are facts, and no person makes them stricter."""
    assert None is tightened(limits(), name=key, value=value)


def test_a_limit_that_nobody_wrote_cannot_be_tightened() -> None:
    """It lets nothing through as it is, and a number would let something through."""
    assert None is tightened(limits(max_order_qty=None), name="max_order_qty", value=1)


def test_tightening_the_accounts_limit_reaches_those_that_have_their_own() -> None:
    """A strategy whose own limit was the strictest is held by the account's from then on, and a stricter own stays."""
    before = limits(max_order_qty=9, own={("strategy:cross", "max_order_qty"): 7, ("symbol:IBM", "max_order_qty"): 2})
    after = tightened(before, name="max_order_qty", value=5)
    assert after is not None

    assert [(5, "tightened", ""), (2, "config", "symbol:IBM")] == [
        held(after, "max_order_qty"), held(after, "max_order_qty", symbol="IBM"),
    ]  # fmt: skip


@pytest.mark.parametrize("key", [name for name, key in KEYS.items() if key.stricter in (LESS, MORE)])
def test_what_lets_more_through_is_found(key: str) -> None:
    """Between two starts: a looser value is told, with what it was; the same and a stricter one are not."""
    step = 1 if KEYS[key].stricter == LESS else -1
    was, looser, stricter = (one(key, value) for value in (1_000, 1_000 + step, 1_000 - step))

    assert ((was, looser),) == loosened((was,), (looser,))
    assert () == loosened((was,), (was,)) + loosened((was,), (stricter,))


def test_writing_a_limit_that_was_not_written_lets_more_through() -> None:
    """Nothing passed before, and something does now; taking a limit away blocks, and is no loosening."""
    none, some = one("max_order_qty", None), one("max_order_qty", 1)

    assert (((none, some),), ()) == (loosened((none,), (some,)), loosened((some,), (none,)))


def test_taking_an_own_limit_away_lets_more_through_where_the_accounts_is_looser() -> None:
    """What holds instead is the account's own."""
    account, own = one("max_order_qty", 9), one("max_order_qty", 5, "strategy:cross")
    tight = one("max_order_qty", 4)

    assert ((own, account),) == loosened((account, own), (account,))
    assert () == loosened((account, own), (tight,))


def test_an_own_limit_where_the_account_had_none_lets_more_through_and_a_stricter_one_does_not() -> None:
    """What no limit let through, the strategy's own now does; beside an account's limit an own one is only stricter."""
    none, account = one("max_order_qty", None), one("max_order_qty", 9)
    own = one("max_order_qty", 5, "strategy:cross")
    before = one("max_order_qty", None, "strategy:cross")

    assert ((before, own),) == loosened((none,), (none, own))
    assert () == loosened((account,), (account, own))


def test_limits_come_back_from_a_record_as_they_were() -> None:
    """What a run wrote down of its limits resolves to the same, for the account and for each of its scopes."""
    own = {("strategy:cross", "max_order_qty"): 4, ("symbol:SPY", "tick_size_px"): 50_000}
    before = made(max_order_qty=9, own=own)
    after = limits_of(before.everywhere())

    assert (before.in_force, before.own, before.resolved) == (after.in_force, after.own, after.resolved)
    assert OPENING_MICROS == limits_of(limits().everywhere()).value("cash_micros")
