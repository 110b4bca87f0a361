"""The story: what a record says, in sentences that a newcomer can read aloud.

Floor 2 (the world), and pure all the same: lines are a function of the record and of the run's first record,
so that a run told again from its journal says the same words. On the trip: TELL.
"""

from __future__ import annotations

import msgspec

from interlock.core.words import number
from interlock.model.journal import (
    SCHEMA_VERSION,
    Boot,
    BootAside,
    Command,
    Cycle,
    CycleAside,
    Outputs,
    Record,
    SeenMarket,
    Stop,
    StopAside,
)
from interlock.model.market import DataFault
from interlock.model.mode import MODE_WORDS, Mode
from interlock.model.orders import ExecReport
from interlock.model.risk import Decision, Latch, Verdict
from interlock.model.signals import Idea, ScanResult
from interlock.model.units import duration, money, plain
from interlock.shell.lines import Level, Line, Stage
from interlock.shell.phrases import (
    counted,
    holdings_words,
    intent_words,
    quote_words,
    report_words,
    scope_words,
    shaped_words,
)
from interlock.shell.reasons import explain_block, limit_words, session_words, written_name

#: The code of the latch of a strategy that failed.
STRATEGY_FAULT = "STRATEGY_FAULT"
#: Candidates that one SCAN line names.
NAMED_MAX = 3
#: Symbols of the universe that the boot names.
WATCHED_MAX = 8


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What the lines of a run need from its first record; and from the last cycle, the market's time."""

    mode: Mode
    source_words: str
    at_ns: int
    schema_version: int = SCHEMA_VERSION


def setting_of(record: Record) -> Setting:
    """Return the setting that a BOOT record gives."""
    decided, aside = record.decided, record.aside
    mode = decided.mode if isinstance(decided, Boot) else Mode.SIM
    words = aside.source_words if isinstance(aside, BootAside) else ""
    version = decided.schema_version if isinstance(decided, Boot) else SCHEMA_VERSION
    return Setting(mode=mode, source_words=plain(words), at_ns=0, schema_version=version)


def following(setting: Setting, record: Record) -> Setting:
    """Return the setting for the record after this one."""
    decided = record.decided
    if isinstance(decided, Cycle) and decided.inputs.market is not None:
        return msgspec.structs.replace(setting, at_ns=decided.inputs.market.as_of_ns)
    return setting


class _Writer:
    """Collects the lines of one record."""

    def __init__(self, setting: Setting, *, cycle: int, at_ns: int) -> None:
        self.lines: list[Line] = []
        self.schema_version = setting.schema_version
        self._setting = setting
        self._cycle = cycle
        self._at_ns = at_ns

    def say(
        self, stage: Stage, text: str, *, level: Level = Level.INFO, keys: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.lines.append(
            Line(
                cycle=self._cycle,
                mode=self._setting.mode,
                at_ns=self._at_ns,
                stage=stage,
                level=level,
                text=plain(text),
                keys=tuple((key, plain(value)) for key, value in keys),
            )
        )


def story(record: Record, setting: Setting) -> tuple[Line, ...]:
    """Return the lines of one record, in the order of the trip."""
    decided, aside = record.decided, record.aside
    if isinstance(decided, Boot) and isinstance(aside, BootAside):
        return _boot(decided, aside, setting)
    if isinstance(decided, Cycle) and isinstance(aside, CycleAside):
        return _cycle(decided, aside, setting)
    if isinstance(decided, Stop) and isinstance(aside, StopAside):
        return _stop(decided, aside, setting)
    return ()


def _boot(decided: Boot, aside: BootAside, setting: Setting) -> tuple[Line, ...]:
    out = _Writer(setting, cycle=decided.carried.cycle, at_ns=0)
    out.say(Stage.BOOT, f"{MODE_WORDS[decided.mode]}")
    out.say(Stage.BOOT, f"This run is {aside.run_id}; its record is kept in {aside.home}.")
    for words in aside.found:
        out.say(Stage.BOOT, words, level=Level.WARNING)
    out.say(Stage.BOOT, f"The data: {aside.source_words}.", keys=(("source", decided.origin_kind),))
    more = " and more" if len(decided.universe) > WATCHED_MAX else ""
    names = ", ".join(decided.universe[:WATCHED_MAX]) + more
    out.say(Stage.BOOT, f"It watches {counted(len(decided.universe), 'symbol')}: {names}.")
    asked = ", ".join(decided.strategies) or "none, so nothing will be wished for"
    out.say(Stage.BOOT, f"Strategies: {asked}.")
    for text in (*limit_words(decided), *session_words(decided)):
        out.say(Stage.BOOT, text)
    if decided.not_covered:
        covered = ", ".join(decided.not_covered)
        out.say(Stage.BOOT, f"NOT COVERED, for this source does not tell it: {covered}.", level=Level.WARNING)
    for latch in decided.carried.latches:
        out.say(
            Stage.BOOT,
            f"Latch {latch.latch_id} still stands on {scope_words(latch.scope)}: {latch.text}.",
            level=Level.WARNING,
            keys=(("", latch.code),),
        )
    out.say(Stage.BOOT, f"The trading state is {decided.start}: {_STATE_WORDS[decided.start.value]}")
    carried = holdings_words_of(decided)
    if carried:
        out.say(Stage.BOOT, carried)
    return tuple(out.lines)


_STATE_WORDS = {
    "HALTED": "strategies send nothing until a human resumes.",
    "REDUCING": "strategies may only leave positions.",
    "ACTIVE": "strategies may send what the gate approves.",
}


def holdings_words_of(decided: Boot) -> str:
    """Return what was carried from the run before, or "" where nothing was."""
    carried = decided.carried
    if not carried.positions and not carried.orders:
        return ""
    held = ", ".join(f"{position.qty} {position.symbol}" for position in carried.positions) or "nothing"
    cash = money(carried.account.cash_micros)
    return f"Carried from the run before: {held}; {counted(len(carried.orders), 'open order')}; cash {cash}."


def _cycle(decided: Cycle, aside: CycleAside, setting: Setting) -> tuple[Line, ...]:
    market = decided.inputs.market
    out = _Writer(setting, cycle=decided.cycle, at_ns=setting.at_ns if market is None else market.as_of_ns)
    if market is not None:
        _say_market(out, market)
    for report, booking in zip(decided.inputs.reports, decided.outputs.bookings, strict=True):
        _say_report(out, report, effect=booking.effect, text=booking.text)
    for trip in decided.inputs.trips:
        out.say(Stage.FAIL, f"Trading halts: {trip.text}.", level=Level.ERROR, keys=(("", trip.code),))
    for command, answer in zip(decided.inputs.commands, decided.outputs.answers, strict=True):
        _say_command(out, command, text=answer.text, granted=answer.granted)
    _say_checks_of_the_gate(out, decided.outputs)
    _say_latches(out, decided.outputs, of_strategies=False)
    for result in decided.outputs.scans:
        _say_scan(out, result)
    for idea in decided.outputs.ideas:
        _say_idea(out, idea)
    _say_latches(out, decided.outputs, of_strategies=True)
    for decision in decided.outputs.decisions:
        _say_decision(out, decision)
    _say_sends(out, decided.outputs)
    _say_rest(out, decided.outputs, aside)
    return tuple(out.lines)


def _say_market(out: _Writer, market: SeenMarket) -> None:
    shown = ", ".join(quote_words(quote) for quote in market.shown)
    more = f" and {market.symbols - len(market.shown):,} more" if market.symbols > len(market.shown) else ""
    out.say(Stage.SEE, f"Saw {market.present:,} of {market.symbols:,} quotes: {shown}{more}.")
    for fault in market.faults:
        _say_fault(out, fault)


def _say_fault(out: _Writer, fault: DataFault) -> None:
    # A row that does not say whose it is makes every symbol doubtful; the sources name it with a star.
    whose = "every symbol is unknown until its" if fault.symbol == "*" else f"{fault.symbol} is unknown until its"
    text = f"Data fault: {fault.text}; {whose} next good row."
    out.say(Stage.SEE, text, level=Level.WARNING, keys=(("", fault.code), ("symbol", fault.symbol)))


def _say_report(out: _Writer, report: ExecReport, *, effect: str, text: str) -> None:
    keys = (("order", report.cl_ord_id), ("exec", report.exec_id))
    if effect == "halt":
        out.say(Stage.FAIL, f"The gateway contradicts our record: {text}.", level=Level.ERROR, keys=keys)
        return
    if effect == "ignored":
        out.say(Stage.BOOK, f"Ignored a report: {text}.", keys=keys)
        return
    words, is_usual = report_words(report)
    out.say(Stage.BOOK, words, level=Level.INFO if is_usual else Level.WARNING, keys=keys)


def _say_command(out: _Writer, command: Command, *, text: str, granted: bool) -> None:
    stage = {"stop": Stage.STOP, "allow": Stage.RISK, "tighten": Stage.RISK}.get(command.kind, Stage.HALT)
    level = Level.INFO if command.kind == "stop" and granted else Level.WARNING
    out.say(stage, text, level=level, keys=(("by", command.by), ("via", command.via)))


def _say_checks_of_the_gate(out: _Writer, outputs: Outputs) -> None:
    """Say that a new date began, that the gate proved itself, what became stricter, and what came near a limit."""
    if outputs.of_gate.day_roll is not None:
        text = (
            f"The trading date {outputs.of_gate.day_roll.trading_date} begins: the losses of the day count from here."
        )
        out.say(Stage.BOOK, text, keys=(("", "DAY_ROLL"),))
    proof = outputs.of_gate.proof
    if proof is not None and not proof.missed:
        out.say(Stage.RISK, f"The gate proved itself: it refused all {proof.refused} violations that it was given.")
    for limit in outputs.of_gate.tightened:
        out.say(Stage.RISK, f"{written_name(limit.key)} is {number(limit.value, limit.unit)} from now on.")
    for words in outputs.of_gate.warnings:
        out.say(Stage.RISK, f"{words}.", level=Level.WARNING)


def _say_latches(out: _Writer, outputs: Outputs, *, of_strategies: bool) -> None:
    """Say what tripped; a strategy's latch follows its answer, every other one tripped before it was asked."""
    for latch in outputs.latches_raised:
        if (latch.code == STRATEGY_FAULT) is of_strategies:
            _say_latch(out, latch)


def _say_latch(out: _Writer, latch: Latch) -> None:
    text = (
        f"Latch {latch.latch_id} tripped on {scope_words(latch.scope)}: {latch.text}. "
        "Entries stay blocked there until a human clears it: interlock resume."
    )
    if latch.clears:
        text += f" Who may: {latch.clears}."
    out.say(Stage.HALT, text, level=Level.ERROR, keys=(("", latch.code), ("latch", latch.latch_id)))


def _say_scan(out: _Writer, result: ScanResult) -> None:
    if not result.candidates:
        out.say(Stage.SCAN, f"No candidate: {result.because}.", keys=(("scanner", result.scanner),))
        return
    named = "; ".join(
        f"{candidate.rank}. {candidate.symbol}, for {candidate.because}" for candidate in result.candidates[:NAMED_MAX]
    )
    more = len(result.candidates) - NAMED_MAX
    tail = f"; and {more} more" if more > 0 else ""
    out.say(Stage.SCAN, f"Worth a look: {named}{tail}.", keys=(("scanner", result.scanner),))


def _say_idea(out: _Writer, idea: Idea) -> None:
    keys = (("strategy", idea.strategy_id),)
    if idea.fault:
        out.say(Stage.FAIL, f"Strategy {idea.strategy_id} failed: {idea.fault}.", level=Level.ERROR, keys=keys)
    elif idea.wishes == 0:
        out.say(Stage.IDEA, f"Strategy {idea.strategy_id} wishes for nothing: {idea.because}.", keys=keys)
    else:
        count = counted(idea.wishes, "order")
        out.say(Stage.IDEA, f"Strategy {idea.strategy_id} wishes for {count}: {idea.because}.", keys=keys)


def _say_decision(out: _Writer, decision: Decision) -> None:
    intent = decision.intent
    required = [check for check in decision.checks if check.required]
    keys = (("decision", decision.decision_id),)
    if decision.verdict is Verdict.APPROVED:
        left = [check for check in decision.checks if check.source == "leave"]
        text = f"Approved {intent_words(intent)}, because {intent.because}: all {len(required)} checks passed"
        text += f", {' and '.join(check.code for check in left)} for {left[0].note}." if left else "."
        out.say(Stage.RISK, f"{text}{shaped_words(intent)}", keys=keys)
        return
    failed = decision.failed()
    reasons, remedy = explain_block(failed, schema_version=out.schema_version)
    text = (
        f"Blocked {intent_words(intent)}: {reasons}; {counted(len(required) - len(failed), 'check')} passed. {remedy}"
    )
    if decision.is_soft_block:
        text += f" A human may let it pass once: interlock allow {decision.decision_id} --reason ..."
    codes = ",".join(check.code for check in failed)
    out.say(Stage.RISK, text, level=Level.WARNING, keys=(("", codes), *keys))


def _say_sends(out: _Writer, outputs: Outputs) -> None:
    for cancel in outputs.cancels:
        text = f"Asking the gateway to cancel order {cancel.cl_ord_id}, because {cancel.because}."
        out.say(Stage.SEND, text, keys=(("order", cancel.cl_ord_id),))
    for decision in outputs.decisions:
        if decision.verdict is Verdict.APPROVED:
            tif = decision.intent.time_in_force
            handed = f"Handing {intent_words(decision.intent)} ({tif}) to the paper market"
            text = f"{handed}; its answer comes with the next cycle."
            out.say(Stage.SEND, text, keys=(("order", decision.decision_id),))


def _say_rest(out: _Writer, outputs: Outputs, aside: CycleAside) -> None:
    if aside.late_ns > 0:
        count = f"{aside.late_count} late so far" if aside.late_count > 1 else "the first in this run"
        text = f"This cycle began {duration(aside.late_ns)} late, {count}; none is doubled."
        out.say(Stage.REST, text, level=Level.WARNING, keys=(("late", str(aside.late_count)),))
    if outputs.state_before is not outputs.state_after:
        out.say(
            Stage.HALT,
            f"The trading state went from {outputs.state_before} to {outputs.state_after}.",
            level=Level.WARNING,
        )
    if not outputs.stopping:
        out.say(Stage.REST, f"{holdings_words(outputs.holdings)} The state is {outputs.state_after}.")


def _stop(decided: Stop, aside: StopAside, setting: Setting) -> tuple[Line, ...]:
    out = _Writer(setting, cycle=decided.cycle, at_ns=setting.at_ns)
    for report, booking in zip(decided.reports, decided.bookings, strict=True):
        _say_report(out, report, effect=booking.effect, text=booking.text)
    out.say(Stage.STOP, f"Stopped: {decided.reason}.")
    counts = dict(decided.counts)
    ends = ", ".join(
        f"{counts[name]:,} {name.replace('_', ' ')}"
        for name in counts
        if name not in ("intents", "carried") and counts[name]
    )
    total = counts["intents"] + counts["carried"]
    carried = ", and every order carried over" if counts["carried"] else ""
    accounted = f"{total:,} in all: {ends}" if total else "there was none"
    out.say(Stage.STOP, f"Every wish is accounted for{carried}: {accounted}.")
    _say_left(out, decided)
    out.say(Stage.STOP, f"{holdings_words(decided.holdings)} The trading state is {decided.state}.")
    late = f", {counted(aside.late_count, 'cycle')} late" if aside.late_count else ""
    out.say(
        Stage.STOP,
        f"The record is closed at cycle {decided.cycle:,}, after {duration(aside.took_ns)}{late}.",
        keys=(("exit", str(decided.exit_code)),),
    )
    return tuple(out.lines)


def _say_left(out: _Writer, decided: Stop) -> None:
    if decided.working:
        text = f"Orders are left working: {', '.join(decided.working)}."
        out.say(Stage.STOP, text, level=Level.ERROR)
    if decided.in_doubt:
        text = f"Orders are in doubt, nobody knows what became of them: {', '.join(decided.in_doubt)}."
        out.say(Stage.STOP, text, level=Level.ERROR)
    for latch in decided.closing.latches:
        text = f"Latch {latch.latch_id} stands on {scope_words(latch.scope)}: {latch.text}."
        out.say(Stage.STOP, text, level=Level.WARNING, keys=(("", latch.code),))
