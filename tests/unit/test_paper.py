"""The paper gateway: no fill that a real market could not have given, and a word for everything."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from tests.core_factory import ASK_PX, BID_PX, FEES, MID_PX, SYMBOLS, approved, order, quote, snapshot
from tests.journal_factory import START_NS, TUESDAY

from interlock.model.errors import InvariantError
from interlock.model.market import Quote
from interlock.model.mode import Mode
from interlock.model.orders import ExecReport, ExecType, Order, OrdStatus, Side, TimeInForce
from interlock.model.units import SECOND_NS
from interlock.shell.paper import FILL_MODEL, PaperGateway

IOC = TimeInForce.IOC


class Market:
    """A paper gateway, and the seconds that pass in it."""

    def __init__(self, *, mode: Mode = Mode.SIM) -> None:
        self.gateway = PaperGateway(mode=mode, fees=FEES, universe=SYMBOLS)
        self.mode = mode
        self.now_s = 0
        self.see()

    def submit(self, *ids: str, **changes: object) -> None:
        """Send orders to buy ten at the ask, or whatever has changed."""
        for cl_ord_id in ids or ("000001-001",):
            self.gateway.submit(approved(cl_ord_id, mode=self.mode, **changes))

    def see(self, *, trading_date: str = "2013-10-07", **changes: object) -> tuple[ExecReport, ...]:
        """Let a second pass in which SPY's quote is new unless it says otherwise, and return what was reported."""
        self.now_s += 1
        at_ns = START_NS + self.now_s * SECOND_NS
        row: Iterable[Quote] = (
            quote(symbol, **{"event_ns": at_ns, **(changes if symbol == "SPY" else {})}) for symbol in SYMBOLS
        )
        self.gateway.observe(snapshot(self.now_s, *row, trading_date=trading_date, as_of_ns=at_ns))
        return self.gateway.drain()


def told(reports: tuple[ExecReport, ...]) -> list[tuple[ExecType, int, int, int]]:
    """Return the kind, the shares, the sum and the rest of each report."""
    return [(each.exec_type, each.last_qty, each.cum_qty, each.leaves_qty) for each in reports]


def sent(**changes: object) -> Market:
    """Return a market in which one order was just sent and acknowledged."""
    market = Market()
    market.submit(**changes)
    assert [(ExecType.NEW, 0, 0, changes.get("order_qty", 10))] == told(market.gateway.drain())
    return market


def test_an_order_is_acknowledged_at_once_with_an_id_of_the_paper_market() -> None:
    """The id of the venue says that it is paper."""
    market = Market()
    market.submit()
    (taken,) = market.gateway.drain()

    assert (ExecType.NEW, "PAPER-000001-001", "PAPER-000001-001-1") == (
        taken.exec_type, taken.order_id, taken.exec_id,
    )  # fmt: skip
    assert (("000001-001",), ()) == (market.gateway.open_orders(), market.gateway.drain())


def test_nothing_fills_on_the_snapshot_it_was_sent_on() -> None:
    """A marketable order waits for the next snapshot."""
    market = sent()

    assert () == market.gateway.drain()
    assert [(ExecType.TRADE, 10, 10, 0)] == told(market.see())
    assert () == market.gateway.open_orders()


@pytest.mark.parametrize(("event_s", "fills"), [(0, False), (1, False), (2, True)])
def test_only_a_quote_newer_than_the_send_fills(event_s: int, fills: bool) -> None:  # noqa: FBT001
    """A quote that is carried forward is what the strategy saw already."""
    market = sent()

    assert fills is bool(market.see(event_ns=START_NS + event_s * SECOND_NS))


@pytest.mark.parametrize(
    ("side", "limit_px", "paid"),
    [
        (Side.BUY, ASK_PX, ASK_PX),
        (Side.BUY, ASK_PX + 1_000_000, ASK_PX),
        (Side.BUY, ASK_PX - 10_000, 0),
        (Side.SELL, BID_PX, BID_PX),
        (Side.SELL, BID_PX - 1_000_000, BID_PX),
        (Side.SELL, BID_PX + 10_000, 0),
    ],
)
def test_a_fill_is_never_better_than_the_touch(side: Side, limit_px: int, paid: int) -> None:
    """A buy pays the ask and a sale gets the bid, and only where the limit reaches it."""
    gateway = PaperGateway(mode=Mode.PAPER, fees=FEES, universe=SYMBOLS)
    gateway.restore([order(side=side, limit_px=limit_px)])
    gateway.observe(snapshot(2))

    assert ([(paid, FILL_MODEL)] if paid else []) == [(each.last_px, each.text) for each in gateway.drain()]


@pytest.mark.parametrize(
    "quoted",
    [
        {"present": False},
        {"halted": True},
        {"bid_px": ASK_PX + 1},
        {"bid_px": 0},
        {"event_ns": START_NS + SECOND_NS},
    ],
    ids=["absent", "halted", "crossed", "one-sided", "stale"],
)
def test_an_unsound_quote_fills_nothing_and_an_ioc_waits_for_a_sound_one(quoted: dict[str, object]) -> None:
    """An immediate order is judged on its first sound quote, and not by one that says nothing."""
    market = sent(time_in_force=IOC)

    assert () == market.see(**quoted)
    assert [(ExecType.TRADE, 10, 10, 0)] == told(market.see())


def test_an_ioc_fills_in_part_and_the_rest_is_over() -> None:
    """What is displayed is taken, what is left expires, both by the same quote."""
    market = sent(time_in_force=IOC)

    assert [(ExecType.TRADE, 4, 4, 6), (ExecType.EXPIRED, 0, 4, 0)] == told(market.see(ask_qty=4))
    assert () == market.gateway.open_orders()


@pytest.mark.parametrize("quoted", [{"ask_qty": 0}, {"ask_px": ASK_PX + 1}])
def test_an_ioc_that_does_not_reach_is_over_at_once(quoted: dict[str, object]) -> None:
    """It is judged once, also where it gets nothing."""
    assert [(ExecType.EXPIRED, 0, 0, 0)] == told(sent(time_in_force=IOC).see(**quoted))


def test_displayed_size_is_consumed_once_in_send_order() -> None:
    """The first order sent takes first; the next takes what it left, and the last nothing."""
    market = Market()
    market.submit("000001-001", "000001-002", "000001-003")
    market.gateway.drain()
    reports = market.see(ask_qty=14)

    assert [("000001-001", 10), ("000001-002", 4)] == [(each.cl_ord_id, each.last_qty) for each in reports]


def test_a_carried_forward_quote_does_not_refill() -> None:
    """What was taken from a quote stays taken until there is a new one."""
    market = sent()
    made_ns = START_NS + 2 * SECOND_NS
    fills = [market.see(ask_qty=4, event_ns=made_ns), market.see(ask_qty=4, event_ns=made_ns), market.see(ask_qty=4)]

    assert [[(ExecType.TRADE, 4, 4, 6)], [], [(ExecType.TRADE, 4, 8, 2)]] == [told(each) for each in fills]


def test_the_two_sides_are_consumed_apart() -> None:
    """Buying takes nothing from the bid, and one symbol nothing from another."""
    market = Market()
    market.gateway.restore([order("000000-001", side=Side.SELL, limit_px=BID_PX)])
    market.submit("000001-001")
    market.submit("000001-002", symbol="IBM")
    market.gateway.drain()

    assert [10, 10, 10] == [each.last_qty for each in market.see(ask_qty=10, bid_qty=10)]


def test_a_day_order_ends_with_its_trading_date() -> None:
    """On the next date it expires before anything can fill it."""
    market = sent(limit_px=BID_PX)

    assert [(ExecType.EXPIRED, 0, 0, 0)] == told(market.see(trading_date=TUESDAY))
    assert () == market.see(trading_date=TUESDAY, ask_px=BID_PX, bid_px=BID_PX)


@pytest.mark.parametrize("parts", [(10,), (4, 6), (1, 1, 8), (150, 150), (1,) * 7])
def test_fees_of_parts_add_up_to_the_fee_of_the_whole(parts: tuple[int, ...]) -> None:
    """The minimum is paid once an order, however many parts it fills in."""
    market = sent(order_qty=sum(parts))
    fees = [report.fee_micros for part in parts for report in market.see(ask_qty=part)]

    assert (len(parts), FEES.total(sum(parts))) == (len(fees), sum(fees))
    assert min(fees) >= 0


def test_a_cancel_ends_what_rests() -> None:
    """What filled stays filled, and the rest is gone."""
    market = sent()
    market.see(ask_qty=4)
    market.gateway.cancel("000001-001")

    assert [(ExecType.CANCELED, 0, 4, 0)] == told(market.gateway.drain())
    assert () == market.see()


@pytest.mark.parametrize("cl_ord_id", ["000001-001", "000009-009"])
def test_a_cancel_that_comes_too_late_says_so(cl_ord_id: str) -> None:
    """An order that filled, or that never was, cannot be canceled."""
    market = sent()
    market.see()
    market.gateway.cancel(cl_ord_id)
    (late,) = market.gateway.drain()

    assert (cl_ord_id, ExecType.CANCEL_REJECT, "too late: it does not rest here") == (
        late.cl_ord_id, late.exec_type, late.text,
    )  # fmt: skip


@pytest.mark.parametrize("again", ["000001-002", "000001-001", "000000-999"])
def test_an_id_is_taken_once(again: str) -> None:
    """The same id, and one older than the last, are refused."""
    market = Market()
    market.submit("000001-002")
    with pytest.raises(InvariantError, match="an order id is used once"):
        market.submit(again)


def test_an_id_that_was_restored_is_not_taken_again() -> None:
    """A restart does not make an id new."""
    market = Market(mode=Mode.PAPER)
    market.gateway.restore([order("000001-002")])
    with pytest.raises(InvariantError, match="an order id is used once"):
        market.submit("000001-002")


@pytest.mark.parametrize("given", ["decision", "none"])
def test_only_an_approval_is_taken(given: str) -> None:
    """At the last hop too, a record is no leave to send."""
    gateway = Market().gateway
    with pytest.raises(InvariantError, match="a gateway takes approvals only"):
        gateway.submit({"decision": approved().decision, "none": None}[given])  # type: ignore[arg-type]


def test_an_approval_of_another_mode_is_refused_at_the_last_hop() -> None:
    """The gateway checks the mode itself, and serves neither LIVE nor anything approved for it."""
    with pytest.raises(InvariantError, match="an order is approved for the gateway's own mode"):
        Market().gateway.submit(approved(mode=Mode.PAPER))
    with pytest.raises(InvariantError, match="the paper gateway serves SIM or PAPER"):
        PaperGateway(mode=Mode.LIVE, fees=FEES, universe=SYMBOLS)


def restored(*orders: Order) -> PaperGateway:
    """Return a PAPER gateway after a restart."""
    gateway = PaperGateway(mode=Mode.PAPER, fees=FEES, universe=SYMBOLS)
    gateway.restore(orders)
    return gateway


def test_what_worked_before_a_restart_goes_on() -> None:
    """A part that was filled, its fee and the numbers of its reports are counted on from."""
    part = order(ord_status=OrdStatus.PARTIALLY_FILLED, cum_qty=4, fee_micros=1_000_000, exec_ids=("a", "b"))
    gateway = restored(part)
    gateway.observe(snapshot(2))
    (filled,) = gateway.drain()

    assert (6, 10, 0, 0) == (filled.last_qty, filled.cum_qty, filled.leaves_qty, filled.fee_micros)
    assert "PAPER-000001-001-3" == filled.exec_id


def test_what_was_never_acknowledged_was_never_held() -> None:
    """An approval without a word from this market comes back as NOT_HELD, and rests nowhere."""
    gateway = restored(order(ord_status=OrdStatus.PENDING_NEW))

    assert [(ExecType.NOT_HELD, 0, 0, 0)] == told(gateway.drain())
    assert () == gateway.open_orders()


def test_a_cancel_that_a_restart_overtook_holds() -> None:
    """An order whose cancel is on the record does not come back to life."""
    gateway = restored(order(cancel_pending=True, cum_qty=4, ord_status=OrdStatus.PARTIALLY_FILLED))

    assert [(ExecType.CANCELED, 0, 4, 0)] == told(gateway.drain())
    assert () == gateway.open_orders()


def test_an_order_of_a_symbol_that_left_the_universe_waits_and_expires() -> None:
    """Without a quote nothing fills, and the date still ends it."""
    gateway = restored(order(symbol="XYZ"))
    gateway.observe(snapshot(2))
    before = gateway.drain()
    gateway.observe(snapshot(3, trading_date=TUESDAY))

    assert ([], [(ExecType.EXPIRED, 0, 0, 0)]) == (told(before), told(gateway.drain()))


@pytest.mark.parametrize(("mode", "left"), [(Mode.SIM, ()), (Mode.PAPER, ("000001-001",))])
def test_the_simulated_market_ends_with_the_run_and_paper_does_not(mode: Mode, left: tuple[str, ...]) -> None:
    """SIM's close expires what is left; PAPER's orders go on in the next run."""
    market = Market(mode=mode)
    market.submit()
    market.gateway.drain()
    market.gateway.close()

    assert (left, not left) == (market.gateway.open_orders(), bool(market.gateway.drain()))


def test_every_report_of_an_order_has_an_id_of_its_own() -> None:
    """Acknowledgement, parts and end never share an id, so each folds once."""
    market = Market()
    market.submit(order_qty=30)
    reports = (*market.gateway.drain(), *market.see(ask_qty=10), *market.see(ask_qty=10))
    market.gateway.cancel("000001-001")
    ids = [each.exec_id for each in (*reports, *market.gateway.drain())]

    assert [f"PAPER-000001-001-{number}" for number in (1, 2, 3, 4)] == ids


def test_a_locked_market_fills() -> None:
    """Bid equal to ask is a market; only bid above ask is none."""
    market = sent()

    assert [(ExecType.TRADE, 10, 10, 0)] == told(market.see(bid_px=MID_PX, ask_px=MID_PX))


def test_reports_carry_the_markets_time() -> None:
    """A report happened when the market that made it was seen."""
    market = sent()
    (filled,) = market.see()

    assert (START_NS + 2 * SECOND_NS, "000001-001") == (filled.event_ns, filled.cl_ord_id)
    assert filled == msgspec.json.decode(msgspec.json.encode(filled), type=ExecReport)
