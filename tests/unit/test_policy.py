"""The policy: what a profile becomes, that each of its numbers can bind, and what a canary makes of all limits."""

from __future__ import annotations

import msgspec
import pytest
from tests.core_factory import facts, headroom, intent, quote, wish

from interlock.config_risk import RiskConfig, StrategyRiskConfig, SymbolRiskConfig
from interlock.contradictions import contradictions
from interlock.core.risk.engine import judge
from interlock.core.risk.facts import Facts
from interlock.core.risk.limits import Limits
from interlock.core.tape import SymbolTape
from interlock.model.market import SymbolReference
from interlock.model.units import MICROS_PER_DOLLAR, SECOND_NS
from interlock.policy import PROFILES, expanded, limits_for, written
from interlock.shell.reasons import early_words

CASH = [1_000, 25_000, 100_000, 250_000]
EVERY = pytest.mark.parametrize(
    ("profile", "cash"), [(profile, cash) for profile in PROFILES for cash in CASH], ids=str
)
TICK = 10_000


def policy(profile: str, cash: int, **changes: object) -> Limits:
    """Return the limits of a bare profile for so many dollars of cash, with these changes."""
    risk = msgspec.convert({"profile": profile, "symbols": ["SPY"]}, RiskConfig)
    return limits_for(msgspec.structs.replace(risk, **changes), cash_micros=cash * MICROS_PER_DOLLAR, bar_ns=SECOND_NS)


def hard_blocks(limits: Limits, *, value_micros: int, held_here: int = 0, held_elsewhere: int = 0) -> list[str]:
    """Return the codes by which an order is blocked for good, in a symbol that costs a thousandth of the cash.

    Args:
        limits: of the account.
        value_micros: of the order, at its own limit price.
        held_here: value of the same strategy's position in the symbol.
        held_elsewhere: value of its position in another one.
    """
    given = facts_about(limits, value_micros=value_micros, held_here=held_here, held_elsewhere=held_elsewhere)
    return [check.code.value for check in judge(given).decision.failed() if not check.soft]


def facts_about(limits: Limits, *, value_micros: int, held_here: int, held_elsewhere: int) -> Facts:
    """Return facts about such an order; everything that is not about money passes."""
    cash_micros = limits.value("cash_micros") or 0
    px = cash_micros // 1_000
    held = {("cross", "SPY"): held_here // px, ("cross", "IBM"): held_elsewhere // px}
    free_micros = cash_micros - held_here - held_elsewhere
    return facts(
        limits=limits,
        intent=intent(wish(order_qty=value_micros // px, limit_px=px)),
        quote=quote(bid_px=px - TICK, ask_px=px),
        reference=SymbolReference(close_px=px, adv_qty=10**6, band_low_px=px // 2, band_high_px=2 * px),
        tape=SymbolTape(confirmed_px=px, is_confirmed=True, quotes=100, volume=10**6),
        headroom=headroom(held=held, price_of=lambda _: px, free_micros=free_micros),
        equity_micros=cash_micros,
    )


@EVERY
def test_an_order_of_half_the_size_of_a_profile_is_approved(profile: str, cash: int) -> None:
    """Each profile can be traded as it stands, for a small account and for a large one: no default is in the way."""
    limits = policy(profile, cash)
    half_micros = (limits.value("max_order_notional_micros") or 0) // 2
    given = facts_about(limits, value_micros=half_micros, held_here=0, held_elsewhere=0)

    assert () == judge(given).decision.failed()


@EVERY
@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("max_order_notional_micros", "ORDER_NOTIONAL_MAX"),
        ("max_position_notional_micros", "POSITION_NOTIONAL_MAX"),
        ("max_gross_notional_micros", "GROSS_NOTIONAL_MAX"),
        ("max_capital_micros", "CAPITAL_MAX"),
        ("max_strategy_capital_micros", "STRATEGY_CAPITAL_MAX"),
    ],
)
def test_every_amount_of_a_profile_can_be_reached_and_then_blocks(profile: str, cash: int, key: str, code: str) -> None:
    """An order up to the very limit is not blocked for good, and one share more is, by this limit."""
    limits = policy(profile, cash)
    share = cash * 1_000
    most, order = limits.value(key) or 0, limits.value("max_order_notional_micros") or 0
    here = most - order if key == "max_position_notional_micros" else 0
    elsewhere = most - order if code.endswith(("GROSS_NOTIONAL_MAX", "CAPITAL_MAX")) else 0

    assert [] == hard_blocks(limits, value_micros=order, held_here=here, held_elsewhere=elsewhere)
    # What is held is one share more, but for the order's own limit.
    beyond = hard_blocks(
        limits,
        value_micros=order + share * (code == "ORDER_NOTIONAL_MAX"),
        held_here=here + share * (key == "max_position_notional_micros"),
        held_elsewhere=elsewhere + share * (elsewhere > 0),
    )
    assert code in beyond


@EVERY
def test_the_boot_has_nothing_to_say_of_a_bare_profile(profile: str, cash: int) -> None:
    """No number of it is reached after a default, so no sentence has to warn of one."""
    assert () == early_words(policy(profile, cash).in_force)


@EVERY
def test_a_profile_and_the_defaults_beside_it_do_not_contradict_each_other(profile: str, cash: int) -> None:
    """Written out whole, every number of it would be taken."""
    limits = policy(profile, cash)
    values = {name: limits.value(name) for name in RiskConfig.__struct_fields__ if name in limits.in_force}
    rates = {
        "max_order_rate": (limits.value("max_order_count"), limits.value("order_window_ns")),
        "max_strategy_rate": (limits.value("max_strategy_count"), limits.value("strategy_window_ns")),
    }
    whole = msgspec.structs.replace(RiskConfig(), **values, **rates, symbols=("SPY",), groups={"blue": ("SPY",)})

    found = contradictions(
        whole, cash_micros=limits.value("cash_micros"), universe=("SPY", "IBM"), strategies=("cross",)
    )
    assert [] == list(found)


@EVERY
def test_a_profile_is_sized_by_the_cash_and_says_so(profile: str, cash: int) -> None:
    """Money is a part of the cash, the rest is the same for all, and each number is stamped with the profile."""
    limits = policy(profile, cash)
    numbers = expanded(profile, cash_micros=cash * MICROS_PER_DOLLAR)

    assert numbers.keys() == PROFILES[profile].keys()
    assert numbers == {name: limits.value(name) for name in numbers}
    assert {f"profile {profile}"} == {limits.in_force[name].source for name in numbers}
    assert cash * MICROS_PER_DOLLAR * PROFILES[profile]["max_order_notional_micros"] // 10_000 == limits.value(
        "max_order_notional_micros"
    )


def test_what_is_written_outranks_the_profile_and_keeps_its_own_source() -> None:
    """One number is the person's, all others stay the profile's."""
    limits = policy("starter", 100_000, max_order_qty=7)

    assert (7, "config") == (limits.value("max_order_qty"), limits.in_force["max_order_qty"].source)
    assert "profile starter" == limits.in_force["price_collar_bps"].source
    assert "default" == limits.in_force["max_spread_bps"].source


def test_the_profiles_grow_from_starter_to_paper() -> None:
    """Whoever goes up a profile never finds an order or an account smaller."""
    orders = [PROFILES[name]["max_order_notional_micros"] for name in ("starter", "small", "paper")]
    gross = [PROFILES[name]["max_gross_notional_micros"] for name in ("starter", "small", "paper")]

    assert ([200, 500, 1_000], [2_000, 5_000, 7_500]) == (orders, gross)


def test_without_a_section_there_is_no_policy_and_no_symbol() -> None:
    """The defaults stand for exits alone."""
    limits = limits_for(None, cash_micros=None, bar_ns=SECOND_NS)

    assert (False, frozenset(), None) == (limits.has_policy, limits.symbols, limits.value("max_order_qty"))


def test_a_canary_has_a_tenth_of_every_amount_one_lot_and_ten_entries() -> None:
    """What is not money stays, and each number says that the canary made it."""
    full, canary = policy("small", 100_000), policy("small", 100_000, deployment="canary")
    tenths = {
        name: (full.value(name), canary.value(name)) for name in full.in_force if full.value(name) != canary.value(name)
    }

    assert {"max_order_qty": (500, 1), "max_entries_day": (5_000, 10)} == {
        name: tenths.pop(name) for name in ("max_order_qty", "max_entries_day")
    }
    assert {"soft_order_notional_micros", "max_daily_loss_micros", "max_capital_micros"} <= tenths.keys()
    assert {} == {name: pair for name, pair in tenths.items() if pair[0] is None or pair[0] // 10 != pair[1]}
    assert {"micros"} == {full.in_force[name].unit for name in tenths}
    assert ("profile small canary", "default canary") == (
        canary.in_force["max_order_notional_micros"].source,
        canary.in_force["max_entries_day"].source,
    )


def test_a_canary_never_lets_more_through() -> None:
    """The buffer and the least order are not made smaller, nor is a limit that is stricter already."""
    written_limits = {"max_order_qty": 1, "lot_size_qty": 10, "max_entries_day": 3, "cash_buffer_micros": 10**9}
    canary = policy("small", 100_000, deployment="canary", **written_limits)

    assert written_limits == {name: canary.value(name) for name in written_limits}
    assert MICROS_PER_DOLLAR == canary.value("min_order_notional_micros")


def test_the_limits_of_one_are_a_canary_too() -> None:
    """A strategy's and a symbol's own limits are made smaller with the account's, and the strictest of all holds."""
    canary = policy(
        "small",
        100_000,
        deployment="canary",
        strategy={"cross": StrategyRiskConfig(max_order_notional_micros=4_000 * MICROS_PER_DOLLAR)},
        symbol={"SPY": SymbolRiskConfig(max_order_qty=400, lot_size_qty=10)},
    )
    held = canary.of(strategy_id="cross", symbol="SPY")

    assert {"max_order_notional_micros": 400 * MICROS_PER_DOLLAR, "max_order_qty": 10, "max_entries_day": 10} == {
        name: held[name].value for name in ("max_order_notional_micros", "max_order_qty", "max_entries_day")
    }
    assert [400 * MICROS_PER_DOLLAR, 10, 10] == [limit.value for limit in canary.everywhere() if limit.scope]
    assert canary.value("max_capital_micros") == held["max_capital_micros"].value


def test_both_numbers_of_a_rate_are_written() -> None:
    """A count without its window would be another limit."""
    section = StrategyRiskConfig(max_strategy_rate=(3, SECOND_NS), max_count_minute=9)

    assert {"max_strategy_count": 3, "strategy_window_ns": SECOND_NS, "max_count_minute": 9} == written(section)
