"""What an explanation says, as values: the text and the JSON are both made of these, and of nothing else.

Floor 3 (proof). It may never read a file or decide anything. It stands after the trip.
"""

from __future__ import annotations

import msgspec

from interlock.model.journal import Answer, Holdings, SeenMarket
from interlock.model.market import DataFault, Quote
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import Cancel, ExecReport, Order, OrdStatus, Position
from interlock.model.risk import Check, Latch, Leave, Verdict
from interlock.model.signals import Candidate, Idea, OrderIntent, ScanResult


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Where on the record something stands: the run, the cycle, its market time and the wall clock of the machine.

    `as_of_ns` is 0 where the run had seen no market yet; `wall_ns` is 0 where the record does not say.
    """

    run_id: str
    mode: Mode
    cycle: int
    as_of_ns: int
    wall_ns: int
    snapshot_digest: str


class CheckExplained(msgspec.Struct, frozen=True, kw_only=True):
    """One check: the control's name, the reading as the record has it, and both numbers in words.

    `covered` is False where the source does not tell what the control would need. `limit_name` is the key that
    holds the limit, "" where it is a rule. `words` say why it failed, or what there is beside the numbers.
    """

    name: str
    check: Check
    covered: bool
    observed_words: str
    limit_words: str
    limit_name: str
    words: str


class ReportExplained(msgspec.Struct, frozen=True, kw_only=True):
    """One word about the order: when it was booked, what it said, what it did, and what was held after that cycle.

    `before` and `after` are tuples of one status, empty where the order was not known. `position_qty` is what
    the strategy held of the symbol, and `cash_micros` what the account had, at the end of the cycle that booked it.
    """

    cycle: int
    as_of_ns: int
    report: ExecReport
    effect: str
    before: tuple[OrdStatus, ...]
    after: tuple[OrdStatus, ...]
    position_qty: int
    cash_micros: int
    words: str


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """What one order did: shares, what they cost or brought, fees, and the change of cash, all by its own fills.

    `position_before_qty` is what the strategy held of the symbol when the order was decided.
    """

    filled_qty: int
    value_micros: int
    fee_micros: int
    cash_change_micros: int
    position_before_qty: int
    position_after_qty: int


class DecisionExplained(msgspec.Struct, frozen=True, kw_only=True, tag="decision", tag_field="kind"):
    """Everything that the record holds about one wish, from the quote to the end of its order.

    `scans` are the scanners' words of the cycle; `cause` is the candidate that the wish came from, empty where
    none was shown. `sent_words`, `ending_words` and `changes` are sentences.
    """

    headline: str
    moment: Moment
    quote: Quote
    quote_age_ns: int
    faults: tuple[DataFault, ...]
    cause: tuple[Candidate, ...]
    scans: tuple[ScanResult, ...]
    idea: tuple[Idea, ...]
    intent: OrderIntent
    verdict: Verdict
    trading_state: TradingState
    checks: tuple[CheckExplained, ...]
    sent_words: str
    cancels: tuple[tuple[int, Cancel], ...]
    reports: tuple[ReportExplained, ...]
    consequence: Consequence
    ending: str
    ending_words: str
    changes: tuple[str, ...]
    notes: tuple[str, ...]


class WishLine(msgspec.Struct, frozen=True, kw_only=True):
    """One decision in one line; ask for it by its id to read all of it."""

    decision_id: str
    verdict: Verdict
    words: str


class CycleExplained(msgspec.Struct, frozen=True, kw_only=True, tag="cycle", tag_field="kind"):
    """Everything that one cycle saw, heard, decided and left. `market` is empty where it looked at none.

    `gate_said` are sentences of the gate's own controls, `leaves` the one-time leaves that stood after it.
    """

    headline: str
    moment: Moment
    market: tuple[SeenMarket, ...]
    booked: tuple[str, ...]
    trips: tuple[str, ...]
    answers: tuple[Answer, ...]
    gate_said: tuple[str, ...]
    leaves: tuple[Leave, ...]
    latches_raised: tuple[Latch, ...]
    latches_cleared: tuple[str, ...]
    scans: tuple[ScanResult, ...]
    ideas: tuple[Idea, ...]
    wishes: tuple[WishLine, ...]
    cancels: tuple[Cancel, ...]
    state_before: TradingState
    state_after: TradingState
    holdings: Holdings
    notes: tuple[str, ...]


class ScanSaid(msgspec.Struct, frozen=True, kw_only=True):
    """What one scanner said of one symbol: the candidate, or (empty) the words on why it is none."""

    scanner: str
    named: tuple[Candidate, ...]
    words: str


class InstantExplained(msgspec.Struct, frozen=True, kw_only=True, tag="instant", tag_field="kind"):
    """What was, and what was not, with one symbol at one instant.

    Attributes:
        headline: what there was, in one sentence.
        moment: the cycle in force: the last one that had seen a market no later than the instant.
        symbol: the symbol.
        at_ns: the instant that was asked for.
        behind_ns: how much older that cycle's market is than the instant.
        quote: the symbol's quote, empty where the record of the cycle does not keep it.
        quote_age_ns: its age in that cycle, 0 where there is none.
        quote_words: a sentence on the quote.
        faults: what was wrong with the symbol's data in that cycle.
        scans: each scanner on the symbol.
        ideas: each strategy's words in that cycle.
        wishes: what was wished for the symbol.
        in_the_way: what would have blocked an entry in the symbol, as far as the record of the cycle tells.
        positions: what strategies held of the symbol.
        orders: orders of the symbol that worked or were in doubt.
        trading_state: as the cycle left it.
        latches: those that stood.
        holdings: what the account had.
        notes: what the record cannot tell.
    """

    headline: str
    moment: Moment
    symbol: str
    at_ns: int
    behind_ns: int
    quote: tuple[Quote, ...]
    quote_age_ns: int
    quote_words: str
    faults: tuple[DataFault, ...]
    scans: tuple[ScanSaid, ...]
    ideas: tuple[Idea, ...]
    wishes: tuple[WishLine, ...]
    in_the_way: tuple[str, ...]
    positions: tuple[Position, ...]
    orders: tuple[Order, ...]
    trading_state: TradingState
    latches: tuple[Latch, ...]
    holdings: Holdings
    notes: tuple[str, ...]


Explanation = DecisionExplained | CycleExplained | InstantExplained
