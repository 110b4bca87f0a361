"""The locks on an approval: the object itself, and the turnstile that lets each through once."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import msgspec
import pytest
from tests.core_factory import approved, facts

from interlock.core.risk.engine import judge
from interlock.model.errors import GatewayDown, GatewayError, InvariantError, OutcomeUnknown
from interlock.model.market import MarketSnapshot
from interlock.model.mode import Mode
from interlock.model.orders import Cancel, ExecReport, ExecType
from interlock.model.risk import Approved, Blocked
from interlock.model.units import SECOND_NS
from interlock.shell.desk import APPROVAL_NS_MAX, Desk, Sent

DECIDED_NS = 100 * SECOND_NS
SEQ = 3


class World:
    """A gateway, a journal, a control and a clock in one, which do as they are told and remember what was asked."""

    def __init__(self, *, mode: Mode = Mode.SIM) -> None:
        self.mode = mode
        self.synced_records = SEQ + 1
        self.head = ""
        self.stop_seen = False
        self.now_ns = DECIDED_NS
        self.submitted: list[str] = []
        self.canceled: list[str] = []
        self.failures: dict[str, GatewayError] = {}
        self.after_submit: Callable[[], None] = lambda: None

    def boot_ns(self) -> int:
        """Return the clock."""
        return self.now_ns

    def wall_ns(self) -> int:
        """Return the clock."""
        return self.now_ns

    def submit(self, asked: Approved) -> None:
        """Remember a send, and fail as told."""
        self.submitted.append(asked.cl_ord_id)
        self.after_submit()
        if asked.cl_ord_id in self.failures:
            raise self.failures[asked.cl_ord_id]

    def cancel(self, cl_ord_id: str) -> None:
        """Remember a cancel, and fail as told."""
        self.canceled.append(cl_ord_id)
        if cl_ord_id in self.failures:
            raise self.failures[cl_ord_id]

    def observe(self, snapshot: MarketSnapshot) -> None:
        """Ignore the market."""

    def drain(self) -> tuple[()]:
        """Return nothing."""
        return ()

    def open_orders(self) -> tuple[str, ...]:
        """Return none."""
        return ()

    def close(self) -> None:
        """End nothing."""

    def append(self, decided: object, aside: object) -> None:
        """Write nothing."""

    def sync(self) -> None:
        """Make nothing durable."""

    def rest(self, until_boot_ns: int) -> None:
        """Wait for nothing."""


def desk_of(world: World, *, mode: Mode = Mode.SIM) -> Desk:
    """Return a desk in a world."""
    return Desk(mode=mode, gateway=world, journal=world, control=world, clock=world)  # type: ignore[arg-type]


def act(desk: Desk, *approvals: Approved, cancels: tuple[str, ...] = (), seq: int = SEQ) -> Sent:
    """Let the desk act on what one cycle decided."""
    asked = tuple(Cancel(cl_ord_id=cl_ord_id, because="a test") for cl_ord_id in cancels)
    return desk.act(approvals=approvals, cancels=asked, record_seq=seq, decided_boot_ns=DECIDED_NS)


def words(reports: tuple[ExecReport, ...]) -> list[tuple[str, ExecType, str]]:
    """Return what the desk said about which order."""
    return [(report.cl_ord_id, report.exec_type, report.text) for report in reports]


def test_an_approval_cannot_be_built() -> None:
    """No caller has a key, and none is needed to be refused."""
    for arguments in ({}, {"key": "any"}, {"key": approved()}):
        with pytest.raises((InvariantError, TypeError)):
            Approved(**arguments)


def test_an_approval_cannot_be_copied() -> None:
    """There is one of each."""
    for copied in (copy.copy, copy.deepcopy):
        with pytest.raises(InvariantError, match="only the gate makes an approval"):
            copied(approved())


def test_an_approval_cannot_be_copied_inside_something_else() -> None:
    """A deep copy of what holds an approval is refused too."""
    with pytest.raises(InvariantError, match="only the gate makes an approval"):
        copy.deepcopy([approved()])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_approval_cannot_be_pickled(protocol: int) -> None:
    """An approval does not leave its process, by any protocol."""
    with pytest.raises(InvariantError, match="only the gate makes an approval"):
        pickle.dumps(approved(), protocol=protocol)


@pytest.mark.parametrize("name", ["_decision", "_mode", "decision", "mode", "intent", "anything"])
def test_an_approval_cannot_be_changed(name: str) -> None:
    """Neither what it holds nor anything new can be set or removed."""
    asked = approved()
    with pytest.raises(InvariantError, match="only the gate makes an approval"):
        setattr(asked, name, None)
    with pytest.raises(InvariantError, match="only the gate makes an approval"):
        delattr(asked, name)

    assert "000001-001" == asked.decision.decision_id


def test_an_approval_cannot_be_subclassed() -> None:
    """A subclass could be built, so there is none."""
    with pytest.raises(InvariantError, match="only the gate makes an approval"):
        type("Forged", (Approved,), {})


@pytest.mark.parametrize("codec", [msgspec.msgpack, msgspec.json])
def test_an_approval_is_neither_encoded_nor_decoded(codec: object) -> None:
    """No bytes become an approval, its own record's least of all, and it becomes no bytes."""
    written = codec.encode(approved().decision)  # type: ignore[attr-defined]

    with pytest.raises((msgspec.ValidationError, TypeError)):
        codec.decode(written, type=Approved)  # type: ignore[attr-defined]
    with pytest.raises((TypeError, InvariantError)):
        codec.encode(approved())  # type: ignore[attr-defined]
    with pytest.raises((msgspec.ValidationError, TypeError)):
        msgspec.convert(approved().decision, Approved, from_attributes=True)


def test_the_desk_takes_a_gateway_of_its_own_mode_only() -> None:
    """A desk for SIM and a gateway for PAPER are not joined."""
    with pytest.raises(InvariantError, match="the gateway serves the mode of the process"):
        desk_of(World(mode=Mode.PAPER))


def test_an_approval_is_sent_and_nothing_is_said() -> None:
    """What goes through cleanly is the gateway's to report."""
    world = World()

    assert Sent(reports=(), trips=()) == act(desk_of(world), approved(), approved("000001-002"))
    assert ["000001-001", "000001-002"] == world.submitted


@pytest.mark.parametrize("forged", ["decision", "blocked", "none", "hollow"])
def test_only_an_approval_is_sent(forged: str) -> None:
    """The record of an approval, a block, nothing and an approval without a decision are all refused."""
    blocked = judge(facts(mode=Mode.LIVE))
    assert isinstance(blocked, Blocked)
    hollow = object.__new__(Approved)
    world = World()
    given = {"decision": approved().decision, "blocked": blocked, "none": None, "hollow": hollow}[forged]
    with pytest.raises((InvariantError, AttributeError)):
        act(desk_of(world), given)  # type: ignore[arg-type]

    assert [] == world.submitted


def test_an_approval_is_not_sent_twice_in_a_cycle() -> None:
    """The second time is a broken invariant, not a second order."""
    world, asked = World(), approved()
    with pytest.raises(InvariantError, match="an approval is redeemed once"):
        act(desk_of(world), asked, asked)

    assert ["000001-001"] == world.submitted


@pytest.mark.parametrize("first", ["sent", "stopped", "late", "down", "unknown"])
def test_an_approval_is_not_sent_in_a_later_cycle(first: str) -> None:
    """Whatever became of it, an approval that was presented once never comes back, not even where it was not sent."""
    world, asked = World(), approved()
    desk = desk_of(world)
    world.stop_seen = first == "stopped"
    world.now_ns += 3 * SECOND_NS if first == "late" else 0
    world.failures = {"down": {"000001-001": GatewayDown("x")}, "unknown": {"000001-001": OutcomeUnknown("x")}}.get(
        first, {}
    )
    act(desk, asked)
    world.submitted, world.failures, world.stop_seen, world.now_ns = [], {}, False, DECIDED_NS
    with pytest.raises(InvariantError, match="an approval is redeemed once"):
        act(desk, asked)

    assert [] == world.submitted


def test_an_older_approval_is_not_sent_after_a_younger_one() -> None:
    """Ids only grow at the turnstile, so what an earlier cycle left lying cannot follow."""
    world = World()
    desk = desk_of(world)
    act(desk, approved("000002-001"))
    with pytest.raises(InvariantError, match="an approval is redeemed once"):
        act(desk, approved("000001-009"))

    assert ["000002-001"] == world.submitted


def test_nothing_is_sent_before_its_record_is_durable() -> None:
    """One record short is not durable."""
    world = World()
    world.synced_records = SEQ
    with pytest.raises(InvariantError, match="the decision is durable before it is sent"):
        act(desk_of(world), approved())

    assert [] == world.submitted


@pytest.mark.parametrize(
    ("age_ns", "sent"), [(0, True), (APPROVAL_NS_MAX, True), (APPROVAL_NS_MAX + 1, False), (-1, False)]
)
def test_an_approval_lives_two_seconds(age_ns: int, sent: bool) -> None:  # noqa: FBT001
    """Up to its age it is sent; beyond, and from the future, it is not, and that is said."""
    world = World()
    world.now_ns = DECIDED_NS + age_ns
    told = act(desk_of(world), approved()).reports

    assert (["000001-001"] if sent else []) == world.submitted
    assert ([] if sent else [ExecType.NOT_SENT]) == [report.exec_type for report in told]


def test_the_age_is_read_again_for_each_approval() -> None:
    """A send that takes long makes the next approval too old."""
    world = World()
    world.after_submit = lambda: setattr(world, "now_ns", DECIDED_NS + APPROVAL_NS_MAX + 1)
    told = act(desk_of(world), approved(), approved("000001-002"))

    assert ["000001-001"] == world.submitted
    assert [("000001-002", ExecType.NOT_SENT, "the approval was 2 s old, the limit is 2 s")] == words(told.reports)


def test_nothing_is_sent_once_a_stop_is_seen() -> None:
    """A stop in the midst of sending keeps back all that is left."""
    world = World()
    world.after_submit = lambda: setattr(world, "stop_seen", True)
    told = act(desk_of(world), approved(), approved("000001-002"), approved("000001-003"))

    assert ["000001-001"] == world.submitted
    assert [
        (cl_ord_id, ExecType.NOT_SENT, "a stop or halt was seen before it was sent")
        for cl_ord_id in ("000001-002", "000001-003")
    ] == words(told.reports)


def test_an_approval_of_another_mode_is_refused() -> None:
    """What was approved for PAPER is not sent in SIM."""
    world = World()
    with pytest.raises(InvariantError, match="an approval is for the mode of the process"):
        act(desk_of(world), approved(mode=Mode.PAPER))

    assert [] == world.submitted


def test_a_gateway_that_is_down_means_not_sent() -> None:
    """Where nothing was sent the order ends, and the next is tried."""
    world = World()
    world.failures = {"000001-001": GatewayDown("no route")}
    told = act(desk_of(world), approved(), approved("000001-002"))

    assert ["000001-001", "000001-002"] == world.submitted
    assert [("000001-001", ExecType.NOT_SENT, "the gateway is down: no route")] == words(told.reports)


def test_an_unknown_outcome_is_in_doubt_and_never_sent_again() -> None:
    """What may have been sent is in doubt; there is one attempt."""
    world = World()
    world.failures = {"000001-001": OutcomeUnknown("silence")}
    told = act(desk_of(world), approved())

    assert ["000001-001"] == world.submitted
    assert [("000001-001", ExecType.IN_DOUBT, "its outcome is unknown: silence")] == words(told.reports)


def test_cancels_go_first_and_always() -> None:
    """Neither a stop, nor a record that is not durable, nor a gateway that was down for one holds back a cancel."""
    world = World()
    world.stop_seen, world.synced_records = True, 0
    world.failures = {"a": GatewayDown("no route")}
    told = act(desk_of(world), cancels=("a", "b"))

    assert ["a", "b"] == world.canceled
    assert [("a", ExecType.CANCEL_REJECT, "the gateway is down: no route")] == words(told.reports)
    assert ["GATEWAY_DOWN"] == [trip.code for trip in told.trips]


def test_cancels_go_out_before_an_approval_that_is_refused() -> None:
    """A broken invariant of a send does not keep a cancel back."""
    world = World()
    with pytest.raises(InvariantError):
        act(desk_of(world), approved(mode=Mode.PAPER), cancels=("a",))

    assert ["a"] == world.canceled


def test_a_second_refusal_of_a_cancel_is_news() -> None:
    """Each word of the desk has an id of its own, so that none is taken for an echo and folded away."""
    world = World()
    world.failures = {"a": GatewayDown("no route")}
    desk = desk_of(world)
    ids = [act(desk, cancels=("a",), seq=seq).reports[0].exec_id for seq in (3, 4)]

    assert 2 == len(set(ids))
