"""An explanation as text: from the market down to the books, in sentences and small tables that can be read aloud.

Floor 3 (proof), and pure: words from values, nothing that the values do not hold. It stands after the trip.
"""

from __future__ import annotations

import msgspec

from interlock.core.words import number
from interlock.model.market import DataFault, Quote
from interlock.model.risk import Verdict
from interlock.model.signals import Candidate, Feature, Idea, OrderIntent, ScanResult
from interlock.model.units import duration, money, plain, shares, utc
from interlock.proof.explain_checks import LEAVE
from interlock.proof.explain_endings import cash_words
from interlock.proof.explained import (
    CheckExplained,
    CycleExplained,
    DecisionExplained,
    Explanation,
    InstantExplained,
    Moment,
    ReportExplained,
    ScanSaid,
    WishLine,
)
from interlock.shell.phrases import holdings_words, quote_words, shaped_words
from interlock.shell.status import leave_words

#: Candidates that the text names of one scanner; the JSON holds all.
NAMED_MAX = 8

_SOURCES = {"config": "config", "default": "default", "rule": "rule", "none": "nobody", LEAVE: "a human past"}


class Section(msgspec.Struct, frozen=True):
    """One step of the trip: its stage word, its heading and its lines."""

    stage: str
    heading: str
    lines: tuple[str, ...]


def text_of(explanation: Explanation) -> str:
    """Return an explanation as text, without control characters, ended by a newline."""
    if isinstance(explanation, DecisionExplained):
        sections = _decision(explanation)
    elif isinstance(explanation, CycleExplained):
        sections = _cycle(explanation)
    else:
        sections = _instant(explanation)
    lines = [explanation.headline, _moment(explanation.moment)]
    for section in sections:
        if section.lines:
            lines += ["", f"{section.stage:<4} | {section.heading}", *(f"       {line}" for line in section.lines)]
    lines += [f"Read this too: {note}" for note in explanation.notes]
    return "".join(f"{plain(line).rstrip()}\n" for line in lines)


def _moment(moment: Moment) -> str:
    market = f"market time {utc(moment.as_of_ns)}" if moment.as_of_ns else "no market seen"
    wall = f"; the clock of the machine showed {utc(moment.wall_ns)}" if moment.wall_ns else ""
    return f"Run {moment.run_id} ({moment.mode}), cycle {moment.cycle:,}, {market}{wall}."


def _decision(one: DecisionExplained) -> tuple[Section, ...]:
    required = [check for check in one.checks if check.check.required]
    passed = sum(1 for check in required if check.check.passed)
    recorded = len(one.checks) - len(required)
    judged = f"{passed} of {len(required)} required checks passed"
    judged += f"; {recorded} more are only recorded for this class of order" if recorded else ""
    idea = tuple(f"In this cycle it said of all it wished: {idea.because}." for idea in one.idea)
    return (
        Section("SEE", "What the market showed", (*_quote(one.quote, one.quote_age_ns), *_faults(one.faults))),
        Section("SCAN", "What made it worth a look", _cause(one)),
        Section(
            "IDEA",
            "What the strategy wished, and why",
            (f"Strategy {one.intent.strategy_id} wished it because {one.intent.because}.", *idea, *_shaped(one.intent)),
        ),
        Section("RISK", f"What the gate checked: {judged}", tuple(_check_lines(one.checks))),
        Section("SEND", "What was sent", (one.sent_words, *_cancels(one))),
        Section("BOOK", "What came back", _reports(one.reports)),
        Section("BOOK", "What it did to the position and the cash", _consequence(one)),
        Section("STOP", f"How it ended: {one.ending}", (one.ending_words,)),
        Section("WHY", "What would have changed it", one.changes),
    )


def _shaped(intent: OrderIntent) -> tuple[str, ...]:
    """Return what was made of a wish before it was judged, where anything was."""
    words = shaped_words(intent).strip()
    return (words,) if words else ()


def _quote(quote: Quote, age_ns: int) -> tuple[str, ...]:
    if not quote.present:
        return (f"There was no quote of {quote.symbol}: none had come yet, or the last row of data was at fault.",)
    halted = " The venue had halted it." if quote.halted else ""
    last = f", last {money(quote.last_px)}" if quote.last_px else ""
    volume = f", {shares(quote.volume)} traded just before" if quote.volume else ""
    return (
        (
            f"{quote.symbol}: bid {money(quote.bid_px)} for {shares(quote.bid_qty)}, "
            f"ask {money(quote.ask_px)} for {shares(quote.ask_qty)}{last}{volume}.{halted}"
        ),
        f"The quote was {duration(age_ns)} old: it was made at {utc(quote.event_ns)}.",
    )


def _faults(faults: tuple[DataFault, ...]) -> tuple[str, ...]:
    return tuple(f"Data fault {fault.code}: {fault.text}." for fault in faults)


def _cause(one: DecisionExplained) -> tuple[str, ...]:
    if one.cause:
        return tuple(line for candidate in one.cause for line in _candidate(candidate))
    said = tuple(f"Scanner {result.scanner}: {_scan_words(result)}." for result in one.scans)
    return (f"No scanner had named {one.intent.symbol} in this cycle: the strategy wished it by itself.", *said)


def _candidate(candidate: Candidate) -> tuple[str, ...]:
    features = ", ".join(_feature(feature) for feature in candidate.features)
    return (
        (
            f"Scanner {candidate.scanner} ranked {candidate.symbol} number {candidate.rank} to {candidate.side}, "
            f"for {candidate.because}."
        ),
        f"Features: {features or 'none'}.",
    )


def _feature(feature: Feature) -> str:
    """Return a feature by its name without its unit, and its value with it."""
    name = feature.name.removesuffix(f"_{feature.unit}").replace("_", " ")
    if feature.unit == "x100":
        return f"{name} {feature.value // 100}.{feature.value % 100:02d} times"
    return f"{name} {number(feature.value, feature.unit)}"


def _scan_words(result: ScanResult) -> str:
    if not result.candidates:
        return f"no candidate: {result.because}"
    named = "; ".join(f"{one.rank}. {one.symbol}, for {one.because}" for one in result.candidates[:NAMED_MAX])
    more = len(result.candidates) - NAMED_MAX
    return f"{named}; and {more} more" if more > 0 else named


def _check_lines(checks: tuple[CheckExplained, ...]) -> list[str]:
    """Return the table of checks: those that blocked first, then the table's own order."""
    ordered = [one for one in checks if _blocks(one)] + [one for one in checks if not _blocks(one)]
    rows = [_check_row(one) for one in ordered]
    widths = [max(len(row[column]) for row in [_HEADLINE, *rows]) for column in range(len(_HEADLINE))]
    lines = [_row(_HEADLINE, widths)]
    for one, row in zip(ordered, rows, strict=True):
        lines.append(_row(row, widths))
        if one.words and not (one.check.passed and one.covered and one.check.source != LEAVE):
            lines.append(f"        {one.words}")
    return lines


_HEADLINE = ("", "CHECK", "READ", "MUST BE", "LIMIT FROM", "WHAT IT IS")


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))


def _blocks(one: CheckExplained) -> bool:
    return one.check.required and not one.check.passed


def _check_row(one: CheckExplained) -> tuple[str, ...]:
    check = one.check
    mark = "NOT COVERED" if not one.covered else "FAILED" if not check.passed else "passed"
    mark = "ALLOWED" if check.source == LEAVE else mark
    name = f"{one.name} (soft)" if check.soft else one.name
    name = name if check.required else f"{name} (only recorded)"
    return mark, check.code.value, one.observed_words, one.limit_words, _limit_from(one), name


def _limit_from(one: CheckExplained) -> str:
    """Return where a limit comes from, its key, and whose own it is where it is not the account's."""
    source, _, scope = one.check.source.rpartition(" ")
    if ":" not in scope:
        source, scope = one.check.source, ""
    words = _SOURCES.get(source, source) + (f": {one.limit_name}" if one.limit_name else "")
    return f"{words} ({scope.replace(':', ' ')})" if scope else words


def _cancels(one: DecisionExplained) -> tuple[str, ...]:
    return tuple(
        f"Cycle {cycle:,} asked the gateway to cancel it, because {cancel.because}." for cycle, cancel in one.cancels
    )


def _reports(reports: tuple[ReportExplained, ...]) -> tuple[str, ...]:
    return tuple(f"cycle {one.cycle:,} at {utc(one.as_of_ns)}: {one.words} {_effect(one)}" for one in reports)


def _effect(one: ReportExplained) -> str:
    if one.effect == "folded" and one.before == one.after:
        return f"It stayed {'/'.join(one.after)}."
    if one.effect == "folded":
        return f"It went from {'/'.join(one.before)} to {'/'.join(one.after)}."
    if one.effect == "ignored":
        return "It was ignored: it changes nothing."
    return "It contradicts our record, so trading was halted."


def _consequence(one: DecisionExplained) -> tuple[str, ...]:
    if one.verdict is Verdict.BLOCKED:
        return ("Nothing: position and cash stayed as they were.",)
    sums, intent = one.consequence, one.intent
    if not sums.filled_qty:
        return ("Nothing: no share was traded by it, so position and cash stayed as they were.",)
    verb = "Bought" if intent.side.sign > 0 else "Sold"
    return (
        (
            f"{verb} {shares(sums.filled_qty)} of {intent.symbol} for {money(sums.value_micros)}, "
            f"fees {money(sums.fee_micros)}: cash {cash_words(sums.cash_change_micros)}."
        ),
        (
            f"Strategy {intent.strategy_id} held {sums.position_before_qty:,} {intent.symbol} when it was decided, and "
            f"{sums.position_after_qty:,} after its last fill (its other orders counted)."
        ),
    )


def _cycle(one: CycleExplained) -> tuple[Section, ...]:
    latches = [f"{latch.latch_id} tripped on {latch.scope}: {latch.text}." for latch in one.latches_raised]
    latches += [f"{latch_id} was cleared." for latch_id in one.latches_cleared]
    scans = tuple(f"{result.scanner}: {_scan_words(result)}." for result in one.scans)
    cancels = tuple(f"Asked to cancel {cancel.cl_ord_id}, because {cancel.because}." for cancel in one.cancels)
    state = f"The trading state was {one.state_after}."
    if one.state_before is not one.state_after:
        state = f"The trading state went from {one.state_before} to {one.state_after}."
    return (
        Section("SEE", "What the market showed", _seen(one)),
        Section("BOOK", "What was booked first", one.booked),
        Section("HALT", "What people and this machine said", (*one.trips, *(answer.text for answer in one.answers))),
        Section("HALT", "Latches", tuple(latches)),
        Section("RISK", "What the gate's own controls said", (*one.gate_said, *map(leave_words, one.leaves))),
        Section("SCAN", "What the scanners found", scans),
        Section("IDEA", "What the strategies said", tuple(_idea(idea) for idea in one.ideas)),
        Section("RISK", "What the gate decided", _wishes(one.wishes, one.moment.run_id)),
        Section("SEND", "What was taken back", cancels),
        Section("REST", "What was left", (holdings_words(one.holdings), state)),
    )


def _seen(one: CycleExplained) -> tuple[str, ...]:
    lines: list[str] = []
    for market in one.market:
        lines += [quote_words(quote) for quote in market.shown]
        more = market.symbols - len(market.shown)
        lines += [f"and {more:,} more symbols, of which the record keeps the digest"] if more else []
        lines += [f"Data fault of {fault.symbol}, {fault.code}: {fault.text}." for fault in market.faults]
    return tuple(lines)


def _wishes(wishes: tuple[WishLine, ...], run_id: str) -> tuple[str, ...]:
    if not wishes:
        return ("Nothing was wished, so there was nothing to judge.",)
    lines = tuple(f"{wish.decision_id}  {wish.words}." for wish in wishes)
    return (*lines, f"To see every check of one: interlock explain {run_id} {wishes[0].decision_id}")


def _idea(idea: Idea) -> str:
    if idea.fault:
        return f"{idea.strategy_id} FAILED: {idea.fault}."
    wished = "nothing" if idea.wishes == 0 else "1 order" if idea.wishes == 1 else f"{idea.wishes} orders"
    return f"{idea.strategy_id} wished for {wished}: {idea.because}."


def _instant(one: InstantExplained) -> tuple[Section, ...]:
    behind = f"Its market is {duration(one.behind_ns)} older than the instant; nothing newer had come."
    quote = tuple(line for quote in one.quote for line in _quote(quote, one.quote_age_ns)) or (one.quote_words,)
    scans = tuple(line for said in one.scans for line in _said(said)) or ("No scanner is configured.",)
    stands = tuple(f"Latch {one.latch_id} {one.code} stood on {one.scope}: {one.text}." for one in one.latches)
    clear = "Nothing that holds for every entry; its own side, size, price and owner are judged when it is wished."
    return (
        Section("SEE", "What the market showed", (*((behind,) if one.behind_ns else ()), *quote, *_faults(one.faults))),
        Section("SCAN", f"What the scanners said of {one.symbol}", scans),
        Section("IDEA", "What the strategies said", tuple(_idea(idea) for idea in one.ideas) or ("None was asked.",)),
        Section("RISK", f"What was wished for {one.symbol}", _wishes(one.wishes, one.moment.run_id)),
        Section("REST", f"What was held and worked of {one.symbol}", _held(one)),
        Section("HALT", f"The trading state was {one.trading_state}", stands or ("No latch stood.",)),
        Section("WHY", f"What would have blocked an entry in {one.symbol}", one.in_the_way or (clear,)),
    )


def _said(said: ScanSaid) -> tuple[str, ...]:
    lines = tuple(line for candidate in said.named for line in _candidate(candidate))
    return lines or (f"Scanner {said.scanner}: {said.words}.",)


def _held(one: InstantExplained) -> tuple[str, ...]:
    held = tuple(f"Strategy {position.strategy_id} held {shares(position.qty)}." for position in one.positions)
    worked = tuple(
        f"Order {order.cl_ord_id} of {order.strategy_id} worked: {order.side} {order.order_qty:,} at "
        f"{money(order.limit_px)}, {order.ord_status}, {shares(order.cum_qty)} filled"
        f"{', IN DOUBT' if order.in_doubt else ''}."
        for order in one.orders
    )
    return (*(held or ("No share was held.",)), *(worked or ("No order worked.",)), holdings_words(one.holdings))
