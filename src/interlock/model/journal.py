"""What the journal holds: one BOOT record, one record a cycle, one STOP record.

Floor 0 (words). Every record has a decided part (what decisions read or are) and an aside (paths,
pids, pace, versions). The decided part alone makes the head, so the same seed and decision keys give
the same head on any machine; both parts together make the story, so that it can be told again.
On the trip: WRITE appends one of these before anything is sent.
"""

from __future__ import annotations

import msgspec

from interlock.model.conduct import Counters, DayRoll, Standing
from interlock.model.market import DataFault, Quote
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import Cancel, ExecReport, Order, OrdStatus, Position
from interlock.model.risk import Decision, Latch, Leave
from interlock.model.signals import Idea, ScanResult

#: Version of the shapes in this file; every older version verifies and tells.
SCHEMA_VERSION = 2
#: Version of the rules that decide; replay is promised within one decision version.
DECISION_VERSION = 2


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a human asked of a running process, as an input of the next cycle.

    Attributes:
        kind: `stop`, `halt`, `resume`, `allow` or `tighten`.
        by: the person, `human:<user>`.
        via: how it arrived: `SIGINT`, `control socket`, `HALT.d`, `--cycles`, `end of data`, ...
        reason: their words, control characters stripped.
        latch_id: for `resume`: the latch to clear, or "" to raise the state.
        state_no: for `resume`: the number of the state that they saw.
        about: for `allow`: the id of the blocked decision; for `tighten`: the key of the limit.
        new_value: for `tighten`: the new value, in the unit of its key.
    """

    kind: str
    by: str
    via: str
    reason: str
    latch_id: str
    state_no: int
    about: str = ""
    new_value: int = 0


class HostTrip(msgspec.Struct, frozen=True, kw_only=True):
    """A bound of the host that was passed, such as a cycle over 4 s; the raw reading stays aside."""

    code: str
    text: str


class LimitInForce(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One limit as it rules this run: key, value (None = not written), unit and where it comes from.

    `scope` is "" for the account, or `strategy:<name>` or `symbol:<symbol>` for a limit of one of them.
    """

    key: str
    value: int | None
    unit: str
    source: str
    scope: str = ""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Cash and the sums that it re-adds from, in micros: cash = opening - bought + sold - fees."""

    opening_micros: int
    cash_micros: int
    bought_micros: int
    sold_micros: int
    fees_micros: int


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's test of itself: how many synthetic violations it refused, and the codes of those that it missed."""

    refused: int
    missed: tuple[str, ...]


class Carried(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one run hands to the next: SIM carries uncleared latches only, PAPER carries all of it.

    `previous_head` is the head of the run that it was carried from, "" for none (and in SIM). `cycle` is the
    number of its last cycle (0 in SIM): the next run counts on from it, so that no order id comes twice.
    `left` are positions that are closed: what they realised counts on. `limits` are those that held at the end,
    `confirmed` the last confirmed price of each symbol that is held or worked.
    """

    previous_head: str
    cycle: int
    account: Account
    positions: tuple[Position, ...]
    orders: tuple[Order, ...]
    latches: tuple[Latch, ...]
    left: tuple[Position, ...] = ()
    limits: tuple[LimitInForce, ...] = ()
    counters: Counters = Counters()
    standings: tuple[Standing, ...] = ()
    leaves: tuple[Leave, ...] = ()
    confirmed: tuple[tuple[str, int], ...] = ()


class SeenMarket(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle's snapshot as the journal keeps it: its digest, and the few quotes that the story shows."""

    seq: int
    as_of_ns: int
    trading_date: str
    digest: str
    symbols: int
    present: int
    shown: tuple[Quote, ...]
    faults: tuple[DataFault, ...]


class Inputs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that one cycle's decisions read.

    `market` is None in the cycle that stops a run: it looks at no new market. `is_told` is False where the gateway did
    not answer, which is not the same as nothing to report.
    """

    market: SeenMarket | None
    reports: tuple[ExecReport, ...]
    commands: tuple[Command, ...]
    trips: tuple[HostTrip, ...]
    is_told: bool = True


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What one report did to one order: `effect` is `folded`, `ignored` or `halt`."""

    cl_ord_id: str
    before: OrdStatus | None
    after: OrdStatus | None
    effect: str
    text: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one command: granted or not, and the sentence that says so."""

    kind: str
    granted: bool
    text: str


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What the account has after a cycle: positions, cash in micros, counts of open and in-doubt orders."""

    positions: tuple[Position, ...]
    cash_micros: int
    open_orders: int
    in_doubt: int


class GateOutputs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the gate's own controls had to say in one cycle, beside its decisions.

    Attributes:
        standings: those that changed.
        day_roll: the new trading date, None in a cycle that begins none.
        proof: the gate's test of itself, None in a cycle without one.
        leaves: the one-time leaves that stand after the cycle.
        tightened: the limits that a person made stricter.
        warnings: what came near a limit without passing it.
    """

    standings: tuple[Standing, ...] = ()
    day_roll: DayRoll | None = None
    proof: Proof | None = None
    leaves: tuple[Leave, ...] = ()
    tightened: tuple[LimitInForce, ...] = ()
    warnings: tuple[str, ...] = ()


_NO_GATE = GateOutputs()


class Outputs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that one cycle decided, and the state that it left; `gate` is None where it had nothing to say."""

    bookings: tuple[Booking, ...]
    scans: tuple[ScanResult, ...]
    ideas: tuple[Idea, ...]
    decisions: tuple[Decision, ...]
    cancels: tuple[Cancel, ...]
    answers: tuple[Answer, ...]
    latches_raised: tuple[Latch, ...]
    latches_cleared: tuple[str, ...]
    state_before: TradingState
    state_after: TradingState
    state_no: int
    stopping: bool
    holdings: Holdings
    gate: GateOutputs | None = None

    @property
    def of_gate(self) -> GateOutputs:
        """Return what the gate's own controls had to say, which may be nothing."""
        return _NO_GATE if self.gate is None else self.gate


class Boot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="BOOT"):
    """The decided part of the first record: what this run is, and what it starts from.

    `next_latch_no` is the number of the first latch that this run would raise. A home that never had a latch gives 1,
    which is not written, so that such a home has the same head as any other.
    """

    schema_version: int
    decision_version: int
    mode: Mode
    start: TradingState
    config: str
    has_policy: bool
    allowed: tuple[str, ...]
    limits: tuple[LimitInForce, ...]
    origin_kind: str
    origin_identity: tuple[tuple[str, str], ...]
    provides: tuple[str, ...]
    not_covered: tuple[str, ...]
    universe: tuple[str, ...]
    strategies: tuple[str, ...]
    carried: Carried
    next_latch_no: int = 1
    profile: str = ""
    restricted: tuple[str, ...] = ()
    calendar: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[str, str], ...] = ()


class BootAside(msgspec.Struct, frozen=True, kw_only=True, tag="BOOT"):
    """The aside of the first record: this machine, this process, and what recovery found.

    `versions` names what the run was made with: Interlock, Python and the packages by their versions, and every file
    of code that can change a decision (`code <name>`) by its SHA-256.
    """

    run_id: str
    previous_run: str
    previous_head: str
    started_wall_ns: int
    pid: int
    home: str
    config_path: str
    source_words: str
    source_where: str
    interval_ns: int
    cycles: int
    log_form: str
    sync_words: str
    versions: tuple[tuple[str, str], ...]
    found: tuple[str, ...]


class Cycle(msgspec.Struct, frozen=True, kw_only=True, tag="CYCLE"):
    """The decided part of one cycle."""

    cycle: int
    inputs: Inputs
    outputs: Outputs


class CycleAside(msgspec.Struct, frozen=True, kw_only=True, tag="CYCLE"):
    """The aside of one cycle: wall clock, how long the one before took, and how late this one began."""

    wall_ns: int
    previous_took_ns: int
    late_ns: int
    late_count: int


class Stop(msgspec.Struct, frozen=True, kw_only=True, tag="STOP"):
    """The decided part of the last record: the final reports, what is left, and the account for every intent.

    Attributes:
        cycle: number of the last cycle.
        reports: what the gateway still said after the last cancels went out.
        bookings: what they did.
        reason: why the run ended, a sentence.
        exit_code: the code of the process.
        working: ids of orders that still work at the gateway.
        in_doubt: ids of orders whose state nobody knows.
        counts: `intents` of this run and orders `carried` into it, and by how each ended: `blocked`, `not_sent`,
            `rejected`, `cancelled`, `filled`, `expired`, `working`, `in_doubt`; the first two add up to the rest.
        closing: the state to carry.
    """

    cycle: int
    reports: tuple[ExecReport, ...]
    bookings: tuple[Booking, ...]
    reason: str
    exit_code: int
    working: tuple[str, ...]
    in_doubt: tuple[str, ...]
    counts: tuple[tuple[str, int], ...]
    state: TradingState
    closing: Carried
    holdings: Holdings


class StopAside(msgspec.Struct, frozen=True, kw_only=True, tag="STOP"):
    """The aside of the last record."""

    wall_ns: int
    late_count: int
    took_ns: int


Decided = Boot | Cycle | Stop
Aside = BootAside | CycleAside | StopAside


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a journal; `seq` counts from 0, which is the BOOT record."""

    seq: int
    decided: Decided
    aside: Aside
