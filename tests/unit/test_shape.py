"""Shape: a wish for market is bounded, an oversized exit is cut, both are told, and nothing is made larger."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core_factory import ASK_PX, BID_PX, facts, intent, leaving, limits, quote, state, stepped, wish
from tests.gate_factory import check, failed

from interlock.core.risk.engine import judge
from interlock.core.risk.shape import shaped
from interlock.model.market import Quote
from interlock.model.orders import OrderClass, OrdType, Side
from interlock.model.risk import ReasonCode
from interlock.model.signals import OrderIntent, Wish

R = ReasonCode
CENT = 10_000


def made(wished: Wish, *, market: Quote | None = None, **written: int | None) -> OrderIntent:
    """Return what a wish becomes in a market under written limits."""
    return shaped(intent(wished), quote=market or quote(), limits=limits(**written).in_force)


def at_market(side: Side = Side.BUY, **changes: object) -> Wish:
    """Return a wish for market."""
    return wish(side=side, ord_type=OrdType.MARKET, limit_px=0, **changes)


@pytest.mark.parametrize(
    ("side", "bound_bps", "limit_px"),
    [
        (Side.BUY, 50, 100_510_000),
        (Side.BUY, 0, ASK_PX),
        (Side.BUY, 1, 100_020_000),
        (Side.SELL, 50, 99_500_000),
        (Side.SELL, 0, BID_PX),
        (Side.SELL, 1, 99_990_000),
    ],
)
def test_a_wish_for_market_becomes_a_bounded_limit(side: Side, bound_bps: int, limit_px: int) -> None:
    """At most the bound beyond the touch, on a tick, rounded towards the market; and it says so."""
    found = made(at_market(side), market_bound_bps=bound_bps)

    assert (OrdType.LIMIT, limit_px, bound_bps) == (found.ord_type, found.limit_px, found.bound_bps)


def test_a_wish_that_names_its_limit_is_left_alone() -> None:
    """Also where it is far beyond the bound: a collar is for that."""
    named = wish(limit_px=2 * ASK_PX)

    assert intent(named) == made(named)


@pytest.mark.parametrize(
    "market",
    [
        quote(present=False),
        quote(bid_px=0),
        quote(ask_px=0),
        quote(bid_px=-1),
        quote(bid_px=ASK_PX + 1),
    ],
    ids=["absent", "no bid", "no ask", "a negative bid", "crossed"],
)
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_without_a_whole_quote_a_wish_for_market_stays_one_and_is_blocked(side: Side, market: Quote) -> None:
    """Nothing bounds its price, so it is not sent."""
    found = made(at_market(side), market=market)

    assert intent(at_market(side)) == found
    assert R.MARKET_UNBOUNDED in failed(judge(facts(intent=found, quote=market)))


@pytest.mark.parametrize("key", ["market_bound_bps", "tick_size_px"])
def test_without_a_bound_or_a_tick_a_wish_for_market_is_blocked(key: str) -> None:
    """What nobody wrote bounds nothing."""
    found = made(at_market(), **{key: None})

    assert OrdType.MARKET is found.ord_type
    assert R.MARKET_UNBOUNDED in failed(judge(facts(intent=found, limits=limits(**{key: None}))))


def test_a_bounded_wish_is_judged_at_its_bound_and_approved_as_a_limit() -> None:
    """Lived through: the order that goes out is the limit, and the record says how far it was set."""
    found = stepped(state(), at_market())
    (approval,) = found.approvals
    sent = approval.intent

    assert (OrdType.LIMIT, 100_510_000, 50) == (sent.ord_type, sent.limit_px, sent.bound_bps)
    assert (50, 50) == (
        check(approval, R.MARKET_UNBOUNDED).observed, check(approval, R.MARKET_UNBOUNDED).limit,
    )  # fmt: skip
    assert 100_510_000 == found.state.blotter.open_orders[approval.cl_ord_id].limit_px


def test_a_bound_beyond_the_collar_is_blocked_by_the_collar() -> None:
    """Being bounded is no leave to pay anything: the collar judges the price that came out."""
    found = made(at_market(), market_bound_bps=400)

    assert (R.PRICE_COLLAR, R.PRICE_COLLAR_WIDE) == failed(
        judge(facts(intent=found, limits=limits(market_bound_bps=400)))
    )


def test_an_own_bound_of_the_symbol_counts() -> None:
    """Lived through: the strictest of account, strategy and symbol bounds the wish."""
    own = limits(own={("symbol:SPY", "market_bound_bps"): 10})
    (approval,) = stepped(state(in_force=own), at_market()).approvals

    assert (10, 100_110_000) == (approval.intent.bound_bps, approval.intent.limit_px)


@pytest.mark.parametrize(
    ("qty", "written", "kept"),
    [
        (100, {"max_order_qty": 100}, 100),
        (101, {"max_order_qty": 100}, 100),
        (1_000, {"max_order_notional_micros": 7 * ASK_PX}, 7),
        (1_000, {"max_order_notional_micros": 7 * ASK_PX - 1}, 6),
        (1_000, {"max_order_qty": 50, "max_order_notional_micros": 7 * ASK_PX}, 7),
        (1_000, {"max_order_qty": 5, "max_order_notional_micros": 7 * ASK_PX}, 5),
        (1_000, {"max_order_qty": 99, "lot_size_qty": 10}, 90),
        (105, {"max_order_qty": 105, "lot_size_qty": 10}, 105),
        (1_000, {"max_order_qty": 9, "lot_size_qty": 10}, 1_000),
        (1_000, {"max_order_qty": 0}, 1_000),
        (1_000, {"max_order_notional_micros": ASK_PX - 1}, 1_000),
        (1_000, {"max_order_qty": None, "max_order_notional_micros": None}, 1_000),
    ],
)
def test_an_exit_is_cut_to_the_largest_order_in_whole_lots(qty: int, written: dict[str, int | None], kept: int) -> None:
    """It keeps what was wished for beside it; where not one lot is inside, it is left as it is."""
    found = made(leaving(order_qty=qty), **written)

    assert (kept, 0 if kept == qty else qty) == (found.order_qty, found.wished_qty)


@pytest.mark.parametrize("order_class", [OrderClass.ENTRY, OrderClass.PROTECTIVE])
def test_only_an_exit_is_cut(order_class: OrderClass) -> None:
    """Everything else is blocked by what it is too large for."""
    large = wish(order_qty=1_000, order_class=order_class)

    assert intent(large) == made(large, max_order_qty=1, max_order_notional_micros=1)


@pytest.mark.parametrize("qty", [0, -5])
def test_nonsense_is_not_cut_into_sense(qty: int) -> None:
    """A quantity that is none stays what it is, and is blocked."""
    wrong = leaving(order_qty=qty)

    assert intent(wrong) == made(wrong, max_order_qty=-10)


def test_an_exit_below_the_ask_is_cut_at_the_ask() -> None:
    """Its value counts at the dearer of limit and ask, as the gate counts it; without a quote, at its limit."""
    low = leaving(order_qty=1_000, limit_px=ASK_PX // 2)
    largest = {"max_order_notional_micros": 10 * ASK_PX}

    assert (10, 20) == (
        made(low, **largest).order_qty,
        made(low, market=quote(present=False), **largest).order_qty,
    )


@settings(max_examples=300)
@given(
    side=st.sampled_from([Side.BUY, Side.SELL]),
    ord_type=st.sampled_from([OrdType.LIMIT, OrdType.MARKET]),
    order_class=st.sampled_from(OrderClass),
    qty=st.integers(-3, 10**6),
    px=st.integers(0, 10**9),
    bid_px=st.integers(-2, 10**9),
    spread_px=st.integers(-5, 10**7),
    written=st.fixed_dictionaries(
        {
            "max_order_qty": st.none() | st.integers(0, 10**6),
            "max_order_notional_micros": st.none() | st.integers(0, 10**14),
            "market_bound_bps": st.none() | st.integers(0, 10_000),
            "tick_size_px": st.none() | st.sampled_from([1, 5, CENT, 50_000]),
            "lot_size_qty": st.none() | st.sampled_from([1, 10, 100]),
        }
    ),
)
def test_nothing_is_made_larger_dearer_or_into_something_else(  # noqa: PLR0913 - all that a wish is made of
    *,
    side: Side,
    ord_type: OrdType,
    order_class: OrderClass,
    qty: int,
    px: int,
    bid_px: int,
    spread_px: int,
    written: dict[str, int | None],
) -> None:
    """Whatever is wished: size only falls, a named price stays, a bound is never passed, the rest is as it was."""
    wished = intent(wish(side=side, ord_type=ord_type, order_class=order_class, order_qty=qty, limit_px=px))
    market = quote(bid_px=bid_px, ask_px=bid_px + spread_px)
    found = shaped(wished, quote=market, limits=limits(**written).in_force)
    same = {"ord_type": ord_type, "limit_px": px, "order_qty": qty, "wished_qty": 0, "bound_bps": 0}

    assert wished == msgspec.structs.replace(found, **same)
    assert found.order_qty == qty or 0 < found.order_qty < qty == found.wished_qty
    if ord_type is OrdType.LIMIT or found.ord_type is OrdType.MARKET:
        assert px == found.limit_px
        return
    bound_bps, tick_px = written["market_bound_bps"], written["tick_size_px"]
    assert bound_bps == found.bound_bps
    assert tick_px is not None
    assert 0 == found.limit_px % tick_px
    at_touch = market.bid_px // tick_px * tick_px if side is Side.SELL else -(-market.ask_px // tick_px) * tick_px
    if order_class is OrderClass.EXIT and found.limit_px == at_touch:
        return
    if side is Side.BUY:
        assert found.limit_px * 10_000 <= market.ask_px * (10_000 + found.bound_bps)
    else:
        assert found.limit_px * 10_000 >= market.bid_px * (10_000 - found.bound_bps)
