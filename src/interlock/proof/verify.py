"""Verify a run by its journal alone: bytes, chains, sequence, orders, sums, and what the gate promised.

Floor 3 (proof). It may never import what it judges (`core`, the loop, the gate), and never write.
On the trip: none; `interlock verify` and the drills ask here.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from interlock.model.journal import SCHEMA_VERSION, Boot, BootAside, Cycle, Outputs, Record, SeenMarket, Stop
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass
from interlock.model.risk import Check, Decision, Verdict
from interlock.model.units import plain
from interlock.proof.recount import Recount
from interlock.proof.verify_gate import GateRecount
from interlock.shell.journal_format import HASH_BYTES, HEAD_NAME, Frame, parse_file_name
from interlock.shell.journal_reader import EndingKind, JournalReader, decode

#: How many problems are listed; a reader of a hundred sentences has understood.
PROBLEMS_MAX = 100
#: From this version of the shapes on a record holds what the gate's own controls did.
GATE_SCHEMA_VERSION = 2
_ENDINGS = ("blocked", "not_sent", "rejected", "cancelled", "filled", "expired", "working", "in_doubt")


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found; as JSON it is the answer of `interlock verify --json`.

    Attributes:
        ok: True if there is no problem.
        run_id: as the run gave it, or the name of its folder where no BOOT can be read.
        records: how many whole records were read.
        head: SHA-256 over their decided parts, recomputed here, hexadecimal.
        problems: what does not hold, a sentence each.
        notes: what a person should know though all holds, such as a torn tail or a missing STOP.
    """

    ok: bool
    run_id: str
    records: int
    head: str
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def verify_run(run_dir: Path) -> VerifyReport:
    """Verify one run.

    Args:
        run_dir: the run's folder.

    Returns:
        What was found. A killed run is verified as far as it goes; a torn tail is told and is no problem.

    Raises:
        JournalError: the folder or a file cannot be read at all.
    """
    reader = JournalReader(run_dir)
    audit = _Audit(plain(run_dir.name))
    chain = _Chain()
    problems: list[str] = []
    found = 0
    for problem in _all_problems(reader, chain, audit):
        found += 1
        if found <= PROBLEMS_MAX:
            problems.append(plain(problem))
    if found > PROBLEMS_MAX:
        problems.append(f"{found - PROBLEMS_MAX:,} more problems were found and are not listed.")
    return VerifyReport(
        ok=found == 0,
        run_id=audit.run_id,
        records=chain.records,
        head=chain.head.hex(),
        problems=tuple(problems),
        notes=tuple(plain(note) for note in _notes(reader, audit)),
    )


def _all_problems(reader: JournalReader, chain: _Chain, audit: _Audit) -> Iterator[str]:
    """Yield what is wrong, in the order of the journal, and stop at the first record that cannot be read."""
    for frame in reader.frames():
        where = f"Record {frame.seq} ({reader.file}, byte {reader.offset:,}): "
        yield from (f"{where}{problem}." for problem in chain.link(frame))
        try:
            record = decode(frame)
        except ValueError as error:
            yield f"{where}it is not of a form that this build reads ({error}); nothing after it was looked at."
            return
        encoded = (msgspec.msgpack.encode(record.decided), msgspec.msgpack.encode(record.aside))
        if encoded != (frame.decided, frame.aside):
            yield f"{where}it holds more, or in another form, than a record of this build."
        file_date = parse_file_name(reader.file)[1]
        yield from (f"{where}{problem}." for problem in audit.take(record, file_date=file_date))
    ending = reader.ending
    if not ending.is_trusted:
        yield (
            f"The journal is {ending.kind} from record {ending.seq} on ({ending.file or HEAD_NAME}, "
            f"byte {ending.offset:,}): {ending.reason}."
        )
    if chain.records == 0:
        yield "There is no whole record, so there is nothing to verify."


def _notes(reader: JournalReader, audit: _Audit) -> Iterator[str]:
    ending = reader.ending
    yield from (f"{note}." for note in ending.notes)
    if ending.kind is EndingKind.TORN:
        yield f"The tail is torn: {ending.reason}."
    if not audit.is_stopped:
        yield "No STOP closes the run: it was killed, or it still runs. It was verified as far as it goes."


class _Chain:
    """Both chains, hashed again from the bytes."""

    def __init__(self) -> None:
        self.records = 0
        self.head = bytes(HASH_BYTES)
        self._aside = bytes(HASH_BYTES)

    def link(self, frame: Frame) -> Iterator[str]:
        """Add one record; yield where it does not follow."""
        if frame.seq != self.records:
            yield f"it stands where record {self.records} must be"
        self.records += 1
        self.head = hashlib.sha256(self.head + frame.decided).digest()
        self._aside = hashlib.sha256(self._aside + self.head + frame.aside).digest()
        if frame.chain.head != self.head:
            yield "its decided part does not follow from what came before (head hash)"
        if frame.chain.aside != self._aside:
            yield "its aside does not follow from what came before (aside hash)"


class _Audit:
    """Takes the records of one run in order, and says what does not hold."""

    def __init__(self, run_name: str) -> None:
        self.run_id = run_name
        self.is_stopped = False
        self._is_booted = False
        self._recount: Recount | None = None
        self._cycle = 0
        self._state = TradingState.HALTED
        self._market_seq = 0
        self._as_of_ns = 0
        self._latches: tuple[str, ...] = ()
        self._gate: GateRecount | None = None

    def take(self, record: Record, *, file_date: str) -> Iterator[str]:
        """Yield what is wrong with the next record."""
        decided = record.decided
        if self.is_stopped:
            yield "it comes after the STOP, which is the last record of a run"
        if isinstance(decided, Boot):
            if isinstance(record.aside, BootAside):
                self.run_id = plain(record.aside.run_id)
            yield from self._boot(decided, is_first=record.seq == 0)
        elif self._recount is None:
            yield "it comes before a BOOT, which is the first record of a run"
        elif isinstance(decided, Cycle):
            yield from self._take_cycle(decided, self._recount, file_date=file_date)
        else:
            self.is_stopped = True
            yield from self._stop(decided, self._recount)

    def _boot(self, boot: Boot, *, is_first: bool) -> Iterator[str]:
        if not is_first or self._recount is not None:
            yield "it is a second BOOT; a run has one, and it is the first record"
            return
        self._recount = Recount(boot.carried)
        # The gate's own record began with the second version of the shapes; an older one holds nothing of it.
        self._gate = GateRecount(boot) if boot.schema_version >= GATE_SCHEMA_VERSION else None
        self._cycle = boot.carried.cycle
        self._state = boot.start
        self._latches = tuple(latch.latch_id for latch in boot.carried.latches)
        if not 1 <= boot.schema_version <= SCHEMA_VERSION:
            yield f"its schema is version {boot.schema_version}, and this build knows 1 to {SCHEMA_VERSION}"
        yield from self._recount.account(boot.carried.account)
        carried = boot.carried
        carries = (carried.previous_head, carried.positions, carried.orders, carried.left, carried.leaves)
        if boot.mode is Mode.SIM and carries != ("", (), (), (), ()):
            yield "a SIM run starts afresh, and this one carries positions, orders, leaves or a head"

    def _take_cycle(self, cycle: Cycle, recount: Recount, *, file_date: str) -> Iterator[str]:
        inputs, outputs = cycle.inputs, cycle.outputs
        if cycle.cycle != self._cycle + 1:
            yield f"it is cycle {cycle.cycle}, where cycle {self._cycle + 1} must be"
        self._cycle = cycle.cycle
        if inputs.market is not None:
            yield from self._market(inputs.market, file_date=file_date)
        elif outputs.decisions:
            yield "it decides without having looked at a market"
        if len(outputs.bookings) != len(inputs.reports):
            yield f"it books {len(outputs.bookings)} of {len(inputs.reports)} reports"
        for report, booking in zip(inputs.reports, outputs.bookings, strict=False):
            yield from recount.report(report, booking)
        yield from self._states(outputs)
        yield from _wishes(outputs)
        for number, decision in enumerate(outputs.decisions, start=1):
            yield from _decision(decision, expected_id=f"{cycle.cycle:06d}-{number:03d}", outputs=outputs)
            if decision.verdict is Verdict.APPROVED:
                recount.approve(decision)
            else:
                recount.block()
        strangers = [cancel.cl_ord_id for cancel in outputs.cancels if cancel.cl_ord_id not in recount.orders]
        if strangers:
            yield f"it cancels what was never ordered: {', '.join(strangers)}"
        yield from recount.holdings(outputs.holdings)
        if self._gate is not None:
            yield from self._gate.take(cycle)

    def _market(self, market: SeenMarket, *, file_date: str) -> Iterator[str]:
        if market.seq <= self._market_seq or market.as_of_ns < self._as_of_ns:
            yield f"its market (number {market.seq}) is not later than the one before (number {self._market_seq})"
        self._market_seq, self._as_of_ns = market.seq, market.as_of_ns
        if market.trading_date != file_date:
            yield f"it is of {market.trading_date} and lies in a file of {file_date or 'the boot'}"

    def _states(self, outputs: Outputs) -> Iterator[str]:
        """Yield where a trading state rose, or a latch went, without a person who was obeyed."""
        is_resumed = any(answer.kind == "resume" and answer.granted for answer in outputs.answers)
        before, after = outputs.state_before, outputs.state_after
        if before.level > self._state.level:
            yield f"the trading state rose from {self._state} to {before} between two cycles"
        if after.level > before.level and not is_resumed:
            yield f"the trading state rose from {before} to {after}, and nobody was obeyed who asked for it"
        if outputs.latches_cleared and not is_resumed:
            yield f"the latches {', '.join(outputs.latches_cleared)} went, and nobody was obeyed who cleared them"
        strangers = [latch_id for latch_id in outputs.latches_cleared if latch_id not in self._latches]
        if strangers:
            yield f"the latches {', '.join(strangers)} went, and they did not stand"
        raised = tuple(latch.latch_id for latch in outputs.latches_raised)
        kept = tuple(latch_id for latch_id in self._latches if latch_id not in outputs.latches_cleared)
        self._latches = kept + raised
        if len({*self._latches}) != len(self._latches):
            yield f"a latch of one name stands more than once ({', '.join(self._latches)})"
        self._state = after

    def _stop(self, stop: Stop, recount: Recount) -> Iterator[str]:
        if stop.cycle != self._cycle:
            yield f"it names cycle {stop.cycle} as the last, and that was {self._cycle}"
        if len(stop.bookings) != len(stop.reports):
            yield f"it books {len(stop.bookings)} of {len(stop.reports)} reports"
        for report, booking in zip(stop.reports, stop.bookings, strict=False):
            yield from recount.report(report, booking)
        if stop.state.level > self._state.level:
            yield f"the trading state rose from {self._state} to {stop.state} at the stop"
        yield from recount.holdings(stop.holdings)
        yield from _counts(dict(stop.counts), recount.counts())
        yield from _left(stop, recount)
        yield from _closing(stop, recount, latches=self._latches)


def _wishes(outputs: Outputs) -> Iterator[str]:
    """Yield where a strategy's wishes and the gate's decisions are not one for one."""
    wished: Counter[str] = Counter()
    for idea in outputs.ideas:
        wished[idea.strategy_id] += idea.wishes
    decided = Counter(decision.intent.strategy_id for decision in outputs.decisions)
    for name in sorted(wished.keys() | decided.keys()):
        if wished[name] != decided[name]:
            yield f"strategy {name} wished {wished[name]} times and the gate decided {decided[name]} times"


def _decision(decision: Decision, *, expected_id: str, outputs: Outputs) -> Iterator[str]:
    """Yield where a decision breaks what the gate promises."""
    name = decision.decision_id
    if (name, decision.intent.intent_id) != (expected_id, expected_id):
        yield f"a decision is named {name} for the intent {decision.intent.intent_id}, and both must be {expected_id}"
    required = [check for check in decision.checks if check.required]
    may_pass = bool(required) and all(check.passed for check in required)
    if (decision.verdict is Verdict.APPROVED) != may_pass:
        failed = ", ".join(check.code for check in decision.failed()) or "none"
        yield f"{name} is {decision.verdict}; of {len(required)} required checks, these failed: {failed}"
    for check in decision.checks if any(one.soft for one in decision.checks) else ():
        if check.passed and check.observed is not None and check.limit is not None and not _is_inside(check):
            yield f"{name} passed {check.code} with {check.observed}, and its limit is {check.limit}"
    if decision.verdict is not Verdict.APPROVED:
        return
    if decision.intent.order_qty <= 0:
        yield f"{name} is approved for {decision.intent.order_qty} shares"
    highest = max(outputs.state_before, outputs.state_after, key=lambda state: state.level)
    needed = TradingState.ACTIVE if decision.intent.order_class is OrderClass.ENTRY else TradingState.REDUCING
    if highest.level < needed.level:
        yield f"{name} ({decision.intent.order_class}) is approved while trading is {highest}"


#: Controls whose limit is the least that must be there.
_LEAST = frozenset(
    {"OPEN_GUARD", "CLOSE_GUARD", "CALENDAR_ENDING", "WARMING_UP", "ORDER_NOTIONAL_MIN", "CASH_INSUFFICIENT"}
)


def _is_inside(check: Check) -> bool:
    """Return True if a number that passed is inside its limit, or a human let it pass."""
    if check.source == "leave" or check.observed is None or check.limit is None:
        return check.source == "leave"
    least = check.code.value in _LEAST
    return check.observed >= check.limit if least else check.observed <= check.limit


def _counts(said: dict[str, int], counted: dict[str, int]) -> Iterator[str]:
    """Yield where the account for every intent is not the one that was counted."""
    whole = said.get("intents", 0) + said.get("carried", 0)
    parts = sum(said.get(name, 0) for name in _ENDINGS)
    if whole != parts:
        yield f"{whole} intents and carried orders are written, and {parts} are accounted for"
    for name in sorted(said.keys() | counted.keys()):
        if said.get(name, 0) != counted.get(name, 0):
            yield f"{said.get(name, 0)} are written as {name}, and {counted.get(name, 0)} are counted"


def _left(stop: Stop, recount: Recount) -> Iterator[str]:
    """Yield where the orders that were left are not all named, or the exit code passes over them."""
    in_doubt = recount.in_doubt_ids()
    if tuple(sorted(stop.in_doubt)) != in_doubt:
        yield f"in doubt are written {_listed(stop.in_doubt)}, and counted {_listed(in_doubt)}"
    unnamed = [name for name in recount.open_ids() if name not in stop.working and name not in stop.in_doubt]
    if unnamed:
        yield f"the open orders {_listed(unnamed)} are not named at the stop"
    bare = [name for name in stop.working if not _is_protection(recount, name)]
    if stop.exit_code == 0 and (in_doubt or bare):
        yield f"the exit code is 0, and orders were left: {_listed((*bare, *in_doubt))}"


def _is_protection(recount: Recount, name: str) -> bool:
    order = recount.orders.get(name)
    return order is not None and order.order_class is OrderClass.PROTECTIVE


def _closing(stop: Stop, recount: Recount, *, latches: tuple[str, ...]) -> Iterator[str]:
    """Yield where the state to carry is not the state that was reached."""
    closing = stop.closing
    if closing.cycle != stop.cycle:
        yield f"the carried state is of cycle {closing.cycle}, and the run ended at {stop.cycle}"
    yield from recount.account(closing.account)
    yield from recount.held(closing.positions)
    carried = tuple(sorted(order.cl_ord_id for order in closing.orders))
    if carried != recount.open_ids():
        yield f"the orders {_listed(carried)} are carried, and {_listed(recount.open_ids())} are open"
    for order in closing.orders:
        counted = recount.orders.get(order.cl_ord_id)
        if counted is not None and (counted.ord_status, counted.cum_qty) != (order.ord_status, order.cum_qty):
            yield f"order {order.cl_ord_id} is carried as {order.ord_status} with {order.cum_qty} filled"
    standing = [latch.latch_id for latch in closing.latches]
    lost = [latch_id for latch_id in latches if latch_id not in standing]
    if lost:
        yield f"the latches {_listed(lost)} stood and are not carried"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
