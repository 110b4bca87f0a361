"""What the gate's own record must hold: leaves that a human gave, limits that only tighten, days that roll once.

Floor 3 (proof). It may never import the code that decided: only the words of the model are shared, so that one
mistake cannot be made twice. On the trip: none; `verify` asks here.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from interlock.model.conduct import Standing
from interlock.model.journal import Boot, Cycle, Outputs
from interlock.model.orders import Side
from interlock.model.risk import Decision, Leave, Verdict

ACCOUNT = "account"
#: Limits of which the larger one lets less through; of every other one it is the smaller.
LARGER_IS_STRICTER = frozenset(
    {
        "min_order_notional_micros", "jump_quotes", "pause_for_ns", "warm_up_quotes", "open_guard_ns", "close_guard_ns",
        "min_sessions_left", "duplicate_window_ns", "order_window_ns", "strategy_window_ns", "repeat_window_ns",
        "reject_window_ns", "cash_buffer_micros",
    }
)  # fmt: skip
#: Blocks that are remembered, because a human may allow one of them later.
BLOCKS_KEPT = 500


class GateRecount:
    """Follows what people let through and what the day began with, cycle by cycle."""

    def __init__(self, boot: Boot) -> None:
        """Begin with what the run before handed over."""
        self._leaves = {leave.decision_id: leave for leave in boot.carried.leaves}
        self._standings = {standing.scope: standing for standing in boot.carried.standings}
        self._date = boot.carried.counters.trading_date
        self._blocks: dict[str, Decision] = {}
        self._limits = {(limit.scope, limit.key): limit.value for limit in boot.limits}

    def take(self, cycle: Cycle) -> Iterator[str]:
        """Yield what does not fit in the next cycle."""
        outputs = cycle.outputs
        yield from self._leaves_of(cycle)
        yield from self._tightened(outputs)
        yield from self._standings_of(cycle)
        proof = outputs.of_gate.proof
        approved = any(decision.verdict is Verdict.APPROVED for decision in outputs.decisions)
        if proof is not None and proof.missed and approved:
            yield f"the gate missed {', '.join(proof.missed)} in its test of itself, and went on approving"

    def _leaves_of(self, cycle: Cycle) -> Iterator[str]:
        """Yield leaves that nobody gave, and orders that passed by a leave that was not theirs or was used before."""
        outputs = cycle.outputs
        granted = {
            command.about
            for command, answer in zip(cycle.inputs.commands, outputs.answers, strict=False)
            if command.kind == "allow" and answer.granted and command.by.startswith("human:")
        }
        left = {leave.decision_id: leave for leave in outputs.of_gate.leaves}
        for leave in left.values():
            if self._leaves.get(leave.decision_id) != leave and (
                leave.decision_id not in granted or not leave.by.startswith("human:")
            ):
                yield f"the leave for {leave.decision_id} is not one that a human gave in this cycle"
        # What was given and used in one cycle stands at the end of none: the block that it answered says what it was.
        usable = {name: _Bound.of_leave(leave) for name, leave in self._leaves.items() if name not in left}
        usable |= {
            name: _Bound.of_block(self._blocks[name]) for name in granted if name in self._blocks and name not in left
        }
        for decision in outputs.decisions:
            if not _codes_by_leave(decision):
                self._remember(decision)
                continue
            fits = [name for name, bound in usable.items() if bound.fits(decision)]
            if fits:
                del usable[fits[0]]
            else:
                yield f"{decision.decision_id} passed by a leave, and none that fits it was given or is used up by it"
        self._leaves = left

    def _remember(self, decision: Decision) -> None:
        if decision.is_soft_block:
            self._blocks[decision.decision_id] = decision
            if len(self._blocks) > BLOCKS_KEPT:
                del self._blocks[next(iter(self._blocks))]

    def _tightened(self, outputs: Outputs) -> Iterator[str]:
        """Yield limits that moved without a person, or that moved to let more through."""
        asked = any(answer.kind == "tighten" and answer.granted for answer in outputs.answers)
        for limit in outputs.of_gate.tightened:
            before = self._limits.get((limit.scope, limit.key))
            if not asked:
                yield f"the limit {limit.key} was changed, and nobody was obeyed who asked for it"
            stricter = (
                limit.value is not None
                and before is not None
                and (limit.value > before if limit.key in LARGER_IS_STRICTER else limit.value < before)
            )
            if not stricter:
                yield f"the limit {limit.key} is written as tightened from {before} to {limit.value}"
            self._limits[limit.scope, limit.key] = limit.value

    def _standings_of(self, cycle: Cycle) -> Iterator[str]:
        """Yield a day that rolled twice or not at all, and a standing whose day was begun anew within it."""
        outputs, market = cycle.outputs, cycle.inputs.market
        date = self._date if market is None else market.trading_date
        roll = outputs.of_gate.day_roll
        rolled = roll is not None
        if roll is not None and (roll.trading_date != date or date <= self._date):
            yield f"the day rolls to {roll.trading_date}, where the date was {self._date or 'none'} and is {date}"
        if not rolled and date > self._date:
            yield f"the trading date went from {self._date or 'none'} to {date}, and the day did not roll"
        self._date = max(self._date, date)
        for standing in outputs.of_gate.standings:
            yield from _standing(standing, self._standings.get(standing.scope), rolled=rolled)
            self._standings[standing.scope] = standing


def _standing(now: Standing, before: Standing | None, *, rolled: bool) -> Iterator[str]:
    if now.peak_micros < now.profit_micros:
        yield f"{now.scope} stands above its own peak"
    if before is None:
        return
    expected = before.profit_micros if rolled else before.opening_micros
    if now.opening_micros != expected:
        yield f"the day of {now.scope} began at {expected} micros of profit, and is written as {now.opening_micros}"


def _codes_by_leave(decision: Decision) -> tuple[str, ...]:
    if decision.verdict is not Verdict.APPROVED:
        return ()
    return tuple(check.code.value for check in decision.checks if check.source == "leave")


class _Bound(msgspec.Struct, frozen=True):
    """What a leave is bound to: whose order, in what, on which side, of how many shares, past what and how far."""

    strategy_id: str
    symbol: str
    side: Side
    order_qty: int
    most: dict[str, int]

    @classmethod
    def of_leave(cls, leave: Leave) -> _Bound:
        """Return the bound of a leave that stood."""
        most = {code.value: observed for code, observed in zip(leave.codes, leave.observed, strict=False)}
        return cls(leave.strategy_id, leave.symbol, leave.side, leave.order_qty, most)

    @classmethod
    def of_block(cls, decision: Decision) -> _Bound:
        """Return the bound of a leave that was given for a block."""
        intent = decision.intent
        most = {check.code.value: check.observed or 0 for check in decision.failed()}
        return cls(intent.strategy_id, intent.symbol, intent.side, intent.order_qty, most)

    def fits(self, decision: Decision) -> bool:
        """Return True if it is for this very order, and for all that the order passed by it."""
        intent = decision.intent
        bound = (self.strategy_id, self.symbol, self.side) == (intent.strategy_id, intent.symbol, intent.side)
        passed = {check.code.value: check.observed or 0 for check in decision.checks if check.source == "leave"}
        inside = all(code in self.most and observed <= self.most[code] for code, observed in passed.items())
        return bound and intent.order_qty <= self.order_qty and inside
