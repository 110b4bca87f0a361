"""Explain one decision, one order or one cycle from the record: why it came, what was sent, and how it ended.

Floor 3 (proof). It reads one run's journal, prints nothing and never guesses: what is not on the record is said to be
unknown. It stands after the trip, and walks it once more from the market to the books.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from interlock.core.blotter import EMPTY, Blotter, fold_report
from interlock.core.judging import pending_order
from interlock.core.words import number
from interlock.model.errors import ConfigError, JournalError
from interlock.model.journal import Cycle, GateOutputs, Record
from interlock.model.market import DataFault
from interlock.model.orders import Cancel, ExecType, Order
from interlock.model.risk import Decision, Verdict
from interlock.model.signals import Candidate, OrderIntent
from interlock.model.units import plain
from interlock.proof.explain_checks import changes_of, explained_checks
from interlock.proof.explain_endings import ending_of, headline_of, not_whole_notes, sent_words
from interlock.proof.explained import (
    Consequence,
    CycleExplained,
    DecisionExplained,
    Moment,
    ReportExplained,
    WishLine,
)
from interlock.proof.run_record import RunRecord, cancels_of, left_after, opening, reports_of
from interlock.shell.phrases import intent_words, report_words
from interlock.shell.reasons import explain_block, written_name

_DECISION_ID = re.compile(r"(?:PAPER-)?((\d{6,12})-\d{3,6})")
_CYCLE_ID = re.compile(r"\d{1,12}")


class _Followed(msgspec.Struct, frozen=True, kw_only=True):
    """One order as far as the record tells: what came back, which cancels were asked for, and what it is now."""

    order: Order
    reports: tuple[ReportExplained, ...]
    cancels: tuple[tuple[int, Cancel], ...]


def explain(run_dir: Path, word: str) -> DecisionExplained | CycleExplained:
    """Explain a decision or order by its id, or a cycle by its number.

    Args:
        run_dir: the run's folder.
        word: such as `000036-001`, `PAPER-000036-001` or `36`.

    Raises:
        ConfigError: it is neither, or the run has no such decision or cycle.
        JournalError: the record cannot be trusted where it is needed.
    """
    decision = _DECISION_ID.fullmatch(word)
    if decision is not None:
        return explain_decision(RunRecord(run_dir), decision_id=decision[1], cycle=int(decision[2]))
    if _CYCLE_ID.fullmatch(word) is None:
        message = (
            f"{plain(word)!r} is neither the id of a decision or an order, such as 000036-001, nor the number of a "
            "cycle, such as 36. The story shows both; tell it again with: interlock tell last"
        )
        raise ConfigError(message)
    return explain_cycle(RunRecord(run_dir), cycle=int(word))


def explain_decision(run: RunRecord, *, decision_id: str, cycle: int) -> DecisionExplained:
    """Explain one decision of a run, and what became of its order.

    Raises:
        ConfigError: the run has no such decision.
        JournalError: the record cannot be trusted where it is needed.
    """
    record = run.cycle(cycle)
    decided = cycle_of(record)
    decision = _found(decided, decision_id)
    intent, moment = decision.intent, run.moment(record)
    followed = _follow(run, record, decision)
    reports, order = followed.reports, followed.order
    verdict = decision.verdict
    ending, ending_words = ending_of(run, decision=decision, order=order)
    before_qty = _position_qty(record, intent)
    return DecisionExplained(
        headline=headline_of(decision, ending=ending),
        moment=moment,
        quote=decision.quote,
        quote_age_ns=moment.as_of_ns - decision.quote.event_ns if decision.quote.present else 0,
        faults=faults_of(decided, intent.symbol),
        cause=_cause(decided, intent),
        scans=decided.outputs.scans,
        idea=tuple(idea for idea in decided.outputs.ideas if idea.strategy_id == intent.strategy_id),
        intent=intent,
        verdict=verdict,
        trading_state=decided.outputs.state_after,
        checks=explained_checks(decision, not_covered=run.boot.not_covered, schema_version=run.boot.schema_version),
        sent_words=sent_words(run, decision=decision, reports=reports),
        cancels=followed.cancels,
        reports=reports,
        consequence=_consequence(order, reports=reports, before_qty=before_qty),
        ending=ending,
        ending_words=ending_words,
        changes=changes_of(decision, schema_version=run.boot.schema_version),
        notes=not_whole_notes(run, is_open=verdict is Verdict.APPROVED and order.ord_status.is_open),
    )


def explain_cycle(run: RunRecord, *, cycle: int) -> CycleExplained:
    """Explain one cycle of a run.

    Raises:
        ConfigError: the run has no such cycle.
        JournalError: the record cannot be trusted where it is needed.
    """
    record = run.cycle(cycle)
    decided = cycle_of(record)
    outputs = decided.outputs
    wishes = wish_lines(outputs.decisions, schema_version=run.boot.schema_version)
    approved = sum(1 for wish in wishes if wish.verdict is Verdict.APPROVED)
    market = () if decided.inputs.market is None else (decided.inputs.market,)
    seen = f"saw {market[0].present:,} of {market[0].symbols:,} quotes" if market else "looked at no new market"
    return CycleExplained(
        headline=(
            f"Cycle {cycle:,} {seen}, booked {_counted(len(decided.inputs.reports), 'report')}, judged "
            f"{_counted(len(wishes), 'wish', 'wishes')} and approved {approved}."
        ),
        moment=run.moment(record),
        market=market,
        booked=tuple(_booked_words(record)),
        trips=tuple(trip.text for trip in decided.inputs.trips),
        answers=outputs.answers,
        gate_said=tuple(_gate_words(outputs.of_gate)),
        leaves=outputs.of_gate.leaves,
        latches_raised=outputs.latches_raised,
        latches_cleared=outputs.latches_cleared,
        scans=outputs.scans,
        ideas=outputs.ideas,
        wishes=wishes,
        cancels=outputs.cancels,
        state_before=outputs.state_before,
        state_after=outputs.state_after,
        holdings=outputs.holdings,
        notes=(),
    )


def wish_lines(decisions: tuple[Decision, ...], *, schema_version: int) -> tuple[WishLine, ...]:
    """Return each decision in one line: what was wished, and why it was blocked or approved."""
    lines: list[WishLine] = []
    for decision in decisions:
        words = f"{intent_words(decision.intent)}, wished by {decision.intent.strategy_id}: "
        if decision.verdict is Verdict.APPROVED:
            words += f"approved, because {decision.intent.because}"
        else:
            words += f"blocked, for {explain_block(decision.failed(), schema_version=schema_version)[0]}"
        lines.append(WishLine(decision_id=decision.decision_id, verdict=decision.verdict, words=words))
    return tuple(lines)


def _found(decided: Cycle, decision_id: str) -> Decision:
    for decision in decided.outputs.decisions:
        if decision.decision_id == decision_id:
            return decision
    had = ", ".join(decision.decision_id for decision in decided.outputs.decisions) or "none"
    message = (
        f"Cycle {decided.cycle:,} made no decision {decision_id}; it made: {had}. "
        f"See all of the cycle with: interlock explain {decided.cycle}"
    )
    raise ConfigError(message)


def _cause(decided: Cycle, intent: OrderIntent) -> tuple[Candidate, ...]:
    """Return the candidate that an intent names as its cause, if there is one."""
    return tuple(
        candidate
        for result in decided.outputs.scans
        for candidate in result.candidates
        if candidate.symbol == intent.symbol and f"{candidate.scanner}#{candidate.rank}" == intent.cause
    )[:1]


def _follow(run: RunRecord, record: Record, decision: Decision) -> _Followed:
    """Follow an approved order through the rest of the record; a blocked one has no rest."""
    decided = cycle_of(record)
    market = decided.inputs.market
    state = opening(run.boot)
    if market is not None:
        state = msgspec.structs.replace(state, as_of_ns=market.as_of_ns, trading_date=market.trading_date)
    order = pending_order(decision, state)
    if decision.verdict is Verdict.BLOCKED:
        return _Followed(order=order, reports=(), cancels=())
    blotter, reports, cancels = EMPTY.put(order), list[ReportExplained](), list[tuple[int, Cancel]]()
    for later in run.index.records_holding(order.cl_ord_id, record.seq):
        moment = run.moment(later)
        for cancel in cancels_of(later):
            if cancel.cl_ord_id == order.cl_ord_id:
                cancels.append((moment.cycle, cancel))
        blotter = _fold_into(reports, blotter=blotter, later=later, moment=moment, intent=decision.intent)
    order = blotter.find(order.cl_ord_id) or order
    return _Followed(order=order, reports=tuple(reports), cancels=tuple(cancels))


def _fold_into(
    reports: list[ReportExplained], *, blotter: Blotter, later: Record, moment: Moment, intent: OrderIntent
) -> Blotter:
    """Fold one record's words on the order, and note each."""
    for report, effect, text in reports_of(later):
        if report.cl_ord_id != intent.intent_id:
            continue
        blotter, folded = fold_report(blotter, report)
        reports.append(
            ReportExplained(
                cycle=moment.cycle,
                as_of_ns=moment.as_of_ns or report.event_ns,
                report=report,
                effect=effect,
                before=() if folded.before is None else (folded.before.ord_status,),
                after=() if folded.after is None else (folded.after.ord_status,),
                position_qty=_position_qty(later, intent),
                cash_micros=left_after(later).cash_micros,
                words=report_words(report)[0] if effect == "folded" else f"{text}.",
            )
        )
    return blotter


def _consequence(order: Order, *, reports: tuple[ReportExplained, ...], before_qty: int) -> Consequence:
    return Consequence(
        filled_qty=order.cum_qty,
        value_micros=order.cost_micros,
        fee_micros=order.fee_micros,
        cash_change_micros=-order.side.sign * order.cost_micros - order.fee_micros,
        position_before_qty=before_qty,
        position_after_qty=next(
            (one.position_qty for one in reversed(reports) if one.report.exec_type is ExecType.TRADE), before_qty
        ),
    )


def _position_qty(record: Record, intent: OrderIntent) -> int:
    """Return what the strategy held of the symbol after a record."""
    return sum(
        position.qty
        for position in left_after(record).positions
        if (position.strategy_id, position.symbol) == (intent.strategy_id, intent.symbol)
    )


def faults_of(decided: Cycle, symbol: str) -> tuple[DataFault, ...]:
    """Return what was wrong with the data of one symbol in a cycle."""
    market = decided.inputs.market
    return () if market is None else tuple(fault for fault in market.faults if fault.symbol == symbol)


def _booked_words(record: Record) -> Iterator[str]:
    for report, effect, text in reports_of(record):
        yield report_words(report)[0] if effect == "folded" else f"{effect}: {text}."


def _gate_words(said: GateOutputs) -> Iterator[str]:
    """Yield what the gate's own controls had to say, beside its decisions."""
    if said.day_roll is not None:
        yield f"The trading date {said.day_roll.trading_date} began: the losses of the day count from here."
    if said.proof is not None:
        missed = f", and let these through: {', '.join(said.proof.missed)}" if said.proof.missed else ""
        yield f"The gate proved itself on violations of its own making: it refused {said.proof.refused}{missed}."
    for limit in said.tightened:
        yield f"{written_name(limit.key)} was tightened to {number(limit.value, limit.unit)}."
    yield from (f"{words}." for words in said.warnings)


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def cycle_of(record: Record) -> Cycle:
    """Return the decided part of a record that must be a cycle's."""
    if not isinstance(record.decided, Cycle):
        message = f"Record {record.seq:,} is not the record of a cycle, so the journal is not what it should be."
        raise JournalError(message)
    return record.decided
