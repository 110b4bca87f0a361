"""One run as an explanation reads it: its first record, its cycles by number, and the orders that were open.

Floor 3 (proof). It reads one run's journal and never writes. It stands after the trip.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from interlock.core.blotter import EMPTY, fold_report
from interlock.core.judging import pending_order
from interlock.core.risk.limits import limits_of
from interlock.core.state import State, opening_state
from interlock.model.errors import ConfigError, JournalError
from interlock.model.journal import Boot, BootAside, Cycle, CycleAside, Holdings, Record, Stop
from interlock.model.orders import Cancel, ExecReport, Order
from interlock.model.risk import Latch, Verdict
from interlock.model.units import plain
from interlock.proof.explained import Moment
from interlock.shell.index import JournalIndex, state_past

#: How far before a cycle the approvals of its open orders are looked for, before all of the run is read.
_LOOK_BACK_RECORDS = (500, 5_000, 50_000)


class RunRecord:
    """The record of one run, opened for questions."""

    def __init__(self, run_dir: Path) -> None:
        """Read the first record.

        Raises:
            JournalError: it cannot be read.
        """
        self.index = JournalIndex(run_dir)
        first = self.index.record(0)
        if not isinstance(first.decided, Boot) or not isinstance(first.aside, BootAside):
            message = (
                f"The journal in {plain(str(run_dir))} does not begin with its first record; see interlock verify."
            )
            raise JournalError(message)
        self.boot = first.decided
        self.aside = first.aside
        self.run_id = plain(first.aside.run_id)
        self.records = self.index.number_where(lambda _: False)
        last = self.index.record(self.records - 1).decided
        self.stop: tuple[Stop, ...] = (last,) if isinstance(last, Stop) else ()
        self.first_cycle = self.boot.carried.cycle + 1
        self.last_cycle = last.cycle if isinstance(last, Cycle | Stop) else self.boot.carried.cycle

    def number_of(self, cycle: int) -> int:
        """Return the number of the record of a cycle; every cycle leaves exactly one."""
        return cycle - self.boot.carried.cycle

    def cycle(self, cycle: int) -> Record:
        """Return the record of one cycle.

        Raises:
            ConfigError: the run has no such cycle.
            JournalError: it cannot be trusted.
        """
        if not self.first_cycle <= cycle <= self.last_cycle:
            raise ConfigError(self._no_such_cycle(cycle))
        record = self.index.record(self.number_of(cycle))
        if not isinstance(record.decided, Cycle) or record.decided.cycle != cycle:
            message = (
                f"Record {record.seq:,} of the run {self.run_id} is not that of cycle {cycle:,}, so the journal is not "
                f"what it should be. See: interlock verify {self.run_id}"
            )
            raise JournalError(message)
        return record

    def moment(self, record: Record) -> Moment:
        """Return where a record stands."""
        decided, aside = record.decided, record.aside
        market = decided.inputs.market if isinstance(decided, Cycle) else None
        return Moment(
            run_id=self.run_id,
            mode=self.boot.mode,
            cycle=decided.cycle if isinstance(decided, Cycle | Stop) else 0,
            as_of_ns=0 if market is None else market.as_of_ns,
            wall_ns=aside.wall_ns if isinstance(aside, CycleAside) else 0,
            snapshot_digest="" if market is None else market.digest,
        )

    def open_orders(self, cycle: Cycle) -> tuple[Order, ...]:
        """Return the orders that were open, or in doubt, at the end of a cycle.

        They are looked for backwards until as many are found as the cycle says; so a long run is rarely read whole.
        """
        count, number = cycle.outputs.holdings.open_orders, self.number_of(cycle.cycle)
        if count == 0:
            return ()
        for back in (*_LOOK_BACK_RECORDS, number):
            start = max(1, number - back)
            found = self._open_at_end(start, number)
            if len(found) == count:
                return found
        message = (
            f"Cycle {cycle.cycle:,} of the run {self.run_id} says that {count} orders were open, and the record "
            f"shows others. See: interlock verify {self.run_id}"
        )
        raise JournalError(message)

    def _open_at_end(self, start: int, number: int) -> tuple[Order, ...]:
        state = opening(self.boot)
        if start > 1:
            state = msgspec.structs.replace(state, blotter=EMPTY)
        for record in self.index.records_from(start):
            if record.seq > number or not isinstance(record.decided, Cycle):
                break
            state = after_record(state, record.decided).state
        return tuple(state.blotter.open_orders.values())

    def latches_at(self, cycle: Cycle) -> tuple[Latch, ...]:
        """Return the latches that stood at the end of a cycle; only records that changed the state are read."""
        standing, state_no, number = self.boot.carried.latches, 0, 0
        last = self.number_of(cycle.cycle)
        while state_no < cycle.outputs.state_no:
            number = self.index.number_where(state_past(state_no))
            if number > last:
                break
            decided = self.index.record(number).decided
            if not isinstance(decided, Cycle):
                break
            kept = tuple(latch for latch in standing if latch.latch_id not in decided.outputs.latches_cleared)
            standing = (*kept, *decided.outputs.latches_raised)
            state_no = decided.outputs.state_no
        return standing

    def _no_such_cycle(self, cycle: int) -> str:
        if cycle < self.first_cycle and self.aside.previous_run and self.boot.carried.cycle:
            before = plain(self.aside.previous_run)
            return (
                f"The run {self.run_id} begins with cycle {self.first_cycle:,}; cycle {cycle:,} belongs to a run "
                f"before it. Ask that one: interlock explain {before} {cycle}"
            )
        if self.last_cycle < self.first_cycle:
            return f"The run {self.run_id} ended before its first cycle, so there is nothing to explain."
        return (
            f"The run {self.run_id} has no cycle {cycle:,}: it has cycles {self.first_cycle:,} to {self.last_cycle:,}. "
            "See the runs with: interlock runs"
        )


def opening(boot: Boot) -> State:
    """Return the state before the first cycle: the orders that were carried into the run, and nothing more."""
    return opening_state(
        boot.carried,
        start=boot.start,
        universe=boot.universe,
        limits=limits_of(boot.limits),
        scanners=(),
        next_latch_no=boot.next_latch_no,
    )


class Lived(msgspec.Struct, frozen=True, kw_only=True):
    """The state with one more record's orders, and the closed ones that it no longer keeps, oldest first."""

    state: State
    forgotten: tuple[Order, ...]


def after_record(state: State, decided: Cycle | Stop) -> Lived:
    """Return the state with one more record's orders: reports folded, approvals put in, cancels marked."""
    if isinstance(decided, Stop):
        return _after_reports(state, decided.reports)
    market = decided.inputs.market
    if market is not None:
        state = msgspec.structs.replace(state, as_of_ns=market.as_of_ns, trading_date=market.trading_date)
    lived = _after_reports(state, decided.inputs.reports)
    blotter = lived.state.blotter
    for decision in decided.outputs.decisions:
        if decision.verdict is Verdict.APPROVED:
            blotter = blotter.put(pending_order(decision, state))
    for cancel in decided.outputs.cancels:
        order = blotter.open_orders.get(cancel.cl_ord_id)
        if order is not None:
            blotter = blotter.put(msgspec.structs.replace(order, cancel_pending=True))
    after = msgspec.structs.replace(state, cycle=decided.cycle, blotter=blotter)
    return Lived(state=after, forgotten=lived.forgotten)


def _after_reports(state: State, reports: tuple[ExecReport, ...]) -> Lived:
    blotter, forgotten = state.blotter, list[Order]()
    for report in reports:
        before = blotter.closed_orders
        blotter, _ = fold_report(blotter, report)
        for cl_ord_id, order in before.items():
            if blotter.find(cl_ord_id) is not None:
                break
            forgotten.append(order)
    return Lived(state=msgspec.structs.replace(state, blotter=blotter), forgotten=tuple(forgotten))


def reports_of(record: Record) -> Iterator[tuple[ExecReport, str, str]]:
    """Yield what a record booked: each report, its effect, and the words on it."""
    decided = record.decided
    if isinstance(decided, Cycle):
        pairs = zip(decided.inputs.reports, decided.outputs.bookings, strict=True)
        yield from ((report, booking.effect, booking.text) for report, booking in pairs)
    elif isinstance(decided, Stop):
        yield from (
            (report, booking.effect, booking.text)
            for report, booking in zip(decided.reports, decided.bookings, strict=True)
        )


def cancels_of(record: Record) -> tuple[Cancel, ...]:
    """Return the cancels that a record asked for."""
    return record.decided.outputs.cancels if isinstance(record.decided, Cycle) else ()


def left_after(record: Record) -> Holdings:
    """Return what the account had after a cycle or a stop."""
    decided = record.decided
    if isinstance(decided, Cycle):
        return decided.outputs.holdings
    if isinstance(decided, Stop):
        return decided.holdings
    message = f"Record {record.seq} has no holdings: it is the first of its run."
    raise JournalError(message)
