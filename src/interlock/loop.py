"""The loop: gather, decide, write, act, tell, rest. Once a cycle, in this order, and nothing else.

Floor: above the shell, below the proof. It decides nothing: it carries what `step` decided to the journal, and
only from there to the desk. Cycles never overlap, and a late one is counted, never doubled.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Protocol

import msgspec

from interlock.core.book import fold_reports
from interlock.core.closing import BROKE, broken, closing_record, cycle_record
from interlock.core.state import Rules, State, holdings_of
from interlock.core.step import Gathered, Stepped, step
from interlock.core.strategy import Strategy
from interlock.model.errors import ExitCode, GatewayDown, InterlockError, InvariantError, JournalError
from interlock.model.journal import (
    Answer,
    Boot,
    BootAside,
    Command,
    CycleAside,
    HostTrip,
    StopAside,
)
from interlock.model.market import MarketSnapshot
from interlock.model.mode import Mode
from interlock.model.orders import Cancel, ExecReport, OrderClass
from interlock.model.risk import Approved
from interlock.model.units import SECOND_NS, duration
from interlock.ports import Clock, Control, Gateway, Host, Journal, LatchLog, MarketSource, Narrator, Recorder
from interlock.shell.phrases import holdings_words

#: A cycle that takes longer than this halts the account.
CYCLE_NS_MAX = 4 * SECOND_NS
#: Quiet cycles are made durable together, at least this often.
SYNC_NS_MAX = SECOND_NS
#: A cycle that starts later than this after its time is late.
LATE_NS_MIN = 20_000_000


class Acts(Protocol):
    """What the loop asks of the desk."""

    def act(
        self, *, approvals: tuple[Approved, ...], cancels: tuple[Cancel, ...], record_seq: int, decided_boot_ns: int
    ) -> Happened:
        """Send cancels and approvals; return what did not go as planned."""
        ...


class Happened(Protocol):
    """What the desk says of its own acts."""

    @property
    def reports(self) -> tuple[ExecReport, ...]:
        """Return reports on sends that did not happen, or may have."""
        ...

    @property
    def trips(self) -> tuple[HostTrip, ...]:
        """Return bounds that were passed."""
        ...


class Parts(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything that one run is joined from; `assemble` is the only place that makes one."""

    mode: Mode
    source: MarketSource
    gateway: Gateway
    desk: Acts
    journal: Journal
    recorder: Recorder
    latch_log: LatchLog
    narrator: Narrator
    control: Control
    clock: Clock
    host: Host
    rules: Rules
    strategies: Mapping[str, Strategy]
    interval_ns: int
    cycles: int


class Loop:
    """One run, from its BOOT record to its STOP record."""

    def __init__(self, parts: Parts, state: State) -> None:
        """Take the parts and the state to start from."""
        self._parts = parts
        self._state = state
        self._first_cycle = state.cycle
        self._pending_reports: tuple[ExecReport, ...] = ()
        self._pending_trips: tuple[HostTrip, ...] = ()
        self._due_boot_ns = parts.clock.boot_ns()
        self._synced_boot_ns = self._due_boot_ns
        self._began_boot_ns = self._due_boot_ns
        self._took_ns = 0
        self._late_count = 0
        self._stop_reason = ""
        self._answers: tuple[Answer, ...] = ()

    @property
    def state(self) -> State:
        """Return the state after the last cycle."""
        return self._state

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Return what became of the commands of the last cycle that had any."""
        return self._answers

    def prices(self) -> dict[str, int]:
        """Return the last confirmed price of each symbol in micros, 0 where there was never one."""
        return dict(zip(self._parts.rules.universe, self._state.confirmed_px.tolist(), strict=True))

    def boot(self, decided: Boot, aside: BootAside) -> None:
        """Write and tell the first record, before anything else happens."""
        record = self._parts.journal.append(decided, aside)
        self._parts.journal.sync()
        self._parts.narrator.tell(record)

    def run(self) -> ExitCode:
        """Run cycles until one of them stops the run, then account for everything.

        Returns:
            How it ended.

        Raises:
            JournalError: the record failed; nothing was sent after that but the cancels of entries.
            Exception: whatever broke a cycle, after entries were cancelled and the run was closed.
        """
        try:
            while not self._stop_reason:
                self._run_cycle()
                if not self._stop_reason:
                    self._rest()
        except JournalError as error:
            message = f"{error} {self._last_words()}"
            raise JournalError(message) from error
        except KeyboardInterrupt:
            # A second Ctrl+C: the cycle in progress is given up, what it had not written down did not happen.
            self._stop_reason = "a person gave up waiting for the cycle in progress"
            self._cancel_entries()
        except Exception as error:
            self._fail(error)
            if isinstance(error, InterlockError):
                # The code of the process is the one on the record, whatever kind of error broke the cycle.
                raise InvariantError(str(error)) from error
            raise
        return self._stop()

    def _fail(self, error: Exception) -> None:
        """Halt the account, take back what adds risk, and close the record of a run that a fault has broken."""
        said = str(error) if isinstance(error, InterlockError) else type(error).__name__
        text = f"{BROKE}{said}"
        # Cancels wait for no disk, and the latch may stand already, from a cycle that broke in an earlier run.
        self._cancel_entries()
        before, self._state = self._state, broken(self._state, text)
        for latch in self._state.latches[len(before.latches) :]:
            self._parts.latch_log.raised(latch)
        self._stop_reason = text
        self._stop(at_least=ExitCode.INVARIANT)

    def _last_words(self) -> str:
        """Take back what adds risk after the record has failed, and say what is known, unknown and held.

        Sending has ended for good: what cannot be written down is not done. Cancels only reduce, so they go out.
        """
        asked = self._cancel_entries()
        state, _ = fold_reports(self._state, (*self._pending_reports, *self._parts.gateway.drain()))
        self._state = state
        at_gateway = self._parts.gateway.open_orders()
        unsure = [order.cl_ord_id for order in state.blotter.open_orders.values() if order.cl_ord_id not in at_gateway]
        return (
            f"Cancels asked for without a record: {len(asked)} ({', '.join(asked) or 'none'}). "
            f"Still at the gateway: {', '.join(at_gateway) or 'none'}. "
            f"Approved and without a word on what became of it: {', '.join(unsure) or 'none'}. "
            f"{holdings_words(holdings_of(state))}"
        )

    def _cancel_entries(self) -> tuple[str, ...]:
        """Ask for the cancel of every open entry, and return their ids."""
        asked = tuple(
            order.cl_ord_id
            for order in self._state.blotter.open_orders.values()
            if order.order_class is OrderClass.ENTRY
        )
        for cl_ord_id in asked:
            # One that cannot be sent must not keep back the others; what is left is counted at the gateway.
            with contextlib.suppress(GatewayDown):
                self._parts.gateway.cancel(cl_ord_id)
        return asked

    def _run_cycle(self) -> None:
        parts = self._parts
        began = parts.clock.boot_ns()
        late_ns = self._lateness(began)

        gathered = self._gather()
        stepped = step(self._state, rules=parts.rules, strategies=parts.strategies, gathered=gathered)
        decided_boot_ns = _decided_at(began, parts.clock.boot_ns())

        aside = CycleAside(
            wall_ns=parts.clock.wall_ns(),
            previous_took_ns=self._took_ns,
            late_ns=late_ns,
            late_count=self._late_count,
        )
        record = parts.journal.append(cycle_record(stepped), aside)
        self._state, self._pending_reports = stepped.state, ()
        self._answers = stepped.outputs.answers or self._answers
        self._sync_if_needed(stepped)
        self._remember_latches(stepped)

        happened = parts.desk.act(
            approvals=stepped.approvals,
            cancels=stepped.outputs.cancels,
            record_seq=record.seq,
            decided_boot_ns=decided_boot_ns,
        )
        self._pending_reports = happened.reports
        self._took_ns = parts.clock.boot_ns() - began
        self._pending_trips = (*happened.trips, *_overrun(self._took_ns))

        parts.narrator.tell(record)
        self._stop_reason = _reason_to_stop(gathered.commands)

    def _gather(self) -> Gathered:
        """Gather one cycle's inputs; a stop that has already been seen leaves the market alone."""
        parts = self._parts
        commands = parts.control.drain()
        if parts.narrator.is_mute:
            commands = (*commands, _own_stop("a closed output", "nobody can read the story any more"))
        if self._cycles_done():
            commands = (*commands, _own_stop("the cycles that were asked for", f"{parts.cycles} cycles are done"))
        snapshot: MarketSnapshot | None = None
        if not _reason_to_stop(commands):
            snapshot = parts.source.next()
            if snapshot is None:
                commands = (*commands, _own_stop("the end of the data", "the source has no more data"))
            else:
                parts.recorder.write(snapshot)
                parts.gateway.observe(snapshot)
        trips = (*self._pending_trips, *parts.host.trips())
        # Until the state has folded them, the reports are kept: a cycle that breaks must not lose a fill.
        is_told = True
        try:
            self._pending_reports = (*self._pending_reports, *parts.gateway.drain())
        except GatewayDown as error:
            # What works there is not known any more, and that is not the same as nothing.
            is_told = False
            trips = (*trips, HostTrip(code="GATEWAY_DOWN", text=f"the gateway does not answer: {error}"))
        return Gathered(
            snapshot=snapshot,
            reports=self._pending_reports,
            commands=commands,
            trips=trips,
            is_told=is_told,
        )

    def _cycles_done(self) -> bool:
        return 0 < self._parts.cycles <= self._state.cycle - self._first_cycle

    def _sync_if_needed(self, stepped: Stepped) -> None:
        """Make the record durable before any act, for every word with a person, and at least once a second."""
        parts = self._parts
        outputs = stepped.outputs
        matters = bool(stepped.approvals or outputs.cancels or outputs.answers or outputs.latches_raised)
        now = parts.clock.boot_ns()
        if matters or now - self._synced_boot_ns >= SYNC_NS_MAX:
            parts.recorder.sync()
            parts.journal.sync()
            self._synced_boot_ns = now

    def _remember_latches(self, stepped: Stepped) -> None:
        for latch in stepped.outputs.latches_raised:
            self._parts.latch_log.raised(latch)
        for latch_id in stepped.outputs.latches_cleared:
            clearing = [command for command in stepped.inputs.commands if command.latch_id == latch_id]
            by = clearing[0].by if clearing else "unknown"
            self._parts.latch_log.cleared(latch_id, by=by, why="resume")

    def _lateness(self, began: int) -> int:
        """Count a cycle that began after its time, and set when the next one is due: never two for one."""
        interval_ns = self._parts.interval_ns
        late_ns = began - self._due_boot_ns if interval_ns > 0 else 0
        if late_ns < max(LATE_NS_MIN, interval_ns // 10):
            self._due_boot_ns += interval_ns
            return 0
        self._late_count += 1
        self._due_boot_ns = began + interval_ns
        return late_ns

    def _rest(self) -> None:
        if self._parts.interval_ns > 0 and not self._cycles_done():
            self._parts.control.rest(self._due_boot_ns)

    def _stop(self, *, at_least: ExitCode = ExitCode.CLEAN) -> ExitCode:
        """Account for everything that is left, write it, and tell it."""
        parts = self._parts
        parts.gateway.close()
        # Until the record holds them, the reports are kept: last words must not lose a fill.
        self._pending_reports = (*self._pending_reports, *parts.gateway.drain())
        state, decided = closing_record(
            self._state,
            reports=self._pending_reports,
            at_gateway=parts.gateway.open_orders(),
            reason=self._stop_reason,
            at_least=at_least,
            head=parts.journal.head,
        )
        now = parts.clock.boot_ns()
        aside = StopAside(wall_ns=parts.clock.wall_ns(), late_count=self._late_count, took_ns=now - self._began_boot_ns)
        try:
            record = parts.journal.append(decided, aside)
            parts.recorder.sync()
            parts.journal.sync()
        except JournalError as error:
            message = f"{error} {self._last_words()}"
            raise JournalError(message) from error
        new_latches = [latch for latch in state.latches if latch not in self._state.latches]
        for latch in new_latches:
            parts.latch_log.raised(latch)
        self._state = state
        parts.narrator.tell(record)
        return ExitCode(decided.exit_code)


def _own_stop(via: str, reason: str) -> Command:
    return Command(kind="stop", by="interlock", via=via, reason=reason, latch_id="", state_no=0)


def _reason_to_stop(commands: tuple[Command, ...]) -> str:
    """Return why a run stops, from the first command that stops it, or "" if none does."""
    for command in commands:
        if command.kind == "stop":
            return command.reason or f"{command.by} asked by {command.via}"
    return ""


def _decided_at(began: int, now: int) -> int:
    """Return from when approvals age: a cycle that ran over saw its market too long ago to send anything."""
    return began if now - began > CYCLE_NS_MAX else now


def _overrun(took_ns: int) -> tuple[HostTrip, ...]:
    if took_ns <= CYCLE_NS_MAX:
        return ()
    text = f"a cycle took {duration(took_ns)}, the limit is {duration(CYCLE_NS_MAX)}"
    return (HostTrip(code="CYCLE_OVERRUN", text=text),)
