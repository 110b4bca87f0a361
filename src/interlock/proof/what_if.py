"""What would have been different under other limits: the same market, judged again and traded on paper anew.

Floor 3 (proof). It sends nothing and writes nothing, and it judges by limits that nobody has to keep afterwards.
It stands after the trip: `interlock replay --with-config` asks here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from interlock.config import load_config
from interlock.core.step import Gathered, Stepped, step
from interlock.core.words import number
from interlock.model.errors import ExitCode, JournalError
from interlock.model.journal import Boot, BootAside, Command, Cycle, Holdings
from interlock.model.orders import ExecReport, OrderClass, Side
from interlock.model.risk import Approved, Decision, Verdict
from interlock.model.units import money, plain
from interlock.proof.relive import Life, with_limits
from interlock.proof.replay import replay_pass
from interlock.shell.journal_reader import JournalReader
from interlock.shell.paper import PaperGateway
from interlock.shell.phrases import intent_words
from interlock.shell.reasons import explain_block
from interlock.shell.strategy_watch import StrategyWatch

#: How many flips are listed one by one; the others are counted.
FLIPS_MAX = 1_000
#: How the ids of the desk's own reports begin; what it kept back on the day it keeps back again.
_DESK_PREFIX = "DESK-"

_Place = tuple[str, str, Side, OrderClass, int]


class LimitChange(msgspec.Struct, frozen=True, kw_only=True):
    """One limit that is not what it was; None is "not written". `scope` is "" for the account's own."""

    key: str
    scope: str
    then: int | None
    now: int | None
    unit: str


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """One wish that was decided the other way: `now` is the new verdict, `because` the reasons of the block."""

    cycle: int
    then_id: str
    now_id: str
    now: Verdict
    wish: str
    because: str


class Worst(msgspec.Struct, frozen=True, kw_only=True):
    """The worst that a path saw: gross and largest position, and the deepest loss from its start, in micros at mids."""

    gross_micros: int
    position_micros: int
    position_symbol: str
    loss_micros: int
    end_micros: int


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `replay --with-config`; `only_then` and `only_now` count wishes that one path alone had."""

    run_id: str
    cycles: int
    limits: tuple[LimitChange, ...]
    symbols_then: tuple[str, ...]
    symbols_now: tuple[str, ...]
    flips: tuple[Flip, ...]
    flip_count: int
    first_flip_cycle: int
    only_then: int
    only_now: int
    before: Worst
    after: Worst


def what_if(run_dir: Path, *, config_path: str) -> WhatIf:
    """Live a run again under the risk section of another file.

    Args:
        run_dir: the run's folder.
        config_path: the file; nothing of it is read into the run but [risk].

    Raises:
        ConfigError: the file cannot be read.
        JournalError: the run, as it was, does not come out the same, so nothing can be compared.
    """
    risk = load_config(config_path).risk
    first = replay_pass(run_dir)
    if first.divergence is not None:
        why = "The run cannot be compared, for it does not come out the same under its own limits: "
        message = f"{why}{first.divergence.text}"
        raise JournalError(message)
    reader = JournalReader(run_dir)
    records = reader.records()
    opening = next(records)
    if not isinstance(opening.decided, Boot) or not isinstance(opening.aside, BootAside):
        message = f"The record of {plain(run_dir.name)} does not begin with a BOOT. See: interlock verify"
        raise JournalError(message)
    with StrategyWatch() as watch:
        life = Life(opening.decided, opening.aside, run_dir=run_dir, watch=watch)
        life.made = with_limits(life.made, risk)
        # Limits are state, for a person may tighten one: the other path begins under the other ones.
        life.state = msgspec.structs.replace(life.state, limits=life.made.rules.limits)
        other = _Other(life, opening.decided)
        for record in records:
            if isinstance(record.decided, Cycle):
                other.take(record.decided)
    return other.answer(opening.aside.run_id, opening.decided)


def answer(run_dir: Path, *, config_path: str, as_json: bool, say: Callable[[str], None]) -> ExitCode:
    """Say what other limits would have changed; it is an answer and no check, so it ends with 0."""
    found = what_if(run_dir, config_path=config_path)
    if as_json:
        say(msgspec.json.encode(found).decode())
        return ExitCode.CLEAN
    for line in _lines(found, config_path):
        say(plain(line))
    return ExitCode.CLEAN


class _Other:
    """The other path: cycle by cycle beside the recorded one."""

    def __init__(self, life: Life, boot: Boot) -> None:
        self._life = life
        self._gateway = PaperGateway(mode=boot.mode, fees=life.made.rules.fees, universe=life.made.source.universe)
        self._gateway.restore(boot.carried.orders)
        self._waiting: tuple[Approved, ...] = ()
        self._before = _Marks()
        self._after = _Marks()
        self._flips: list[Flip] = []
        self._flip_count = 0
        self._first_flip_cycle = 0
        self._only = Counter[str]()
        self._cycles = 0

    def take(self, recorded: Cycle) -> None:
        """Live one cycle under the other limits, and compare."""
        refused = self._hand_over(recorded)
        snapshot = self._life.snapshot(recorded.inputs)
        if snapshot is not None:
            self._gateway.observe(snapshot)
        gathered = Gathered(
            snapshot=snapshot,
            reports=(*refused, *self._gateway.drain()),
            commands=self._commands(recorded),
            trips=recorded.inputs.trips,
        )
        made = self._life.made
        stepped = step(self._life.state, rules=made.rules, strategies=made.strategies, gathered=gathered)
        self._life.state = stepped.state
        for cancel in stepped.outputs.cancels:
            self._gateway.cancel(cancel.cl_ord_id)
        self._waiting = stepped.approvals
        self._mark(recorded, stepped)
        self._compare(recorded, stepped)
        self._cycles += 1

    def _hand_over(self, recorded: Cycle) -> tuple[ExecReport, ...]:
        """Hand what was approved to the market, but for what the desk kept back on the day, which it says again."""
        kept = {
            report.cl_ord_id: report for report in recorded.inputs.reports if report.exec_id.startswith(_DESK_PREFIX)
        }
        for approved in self._waiting:
            if approved.cl_ord_id not in kept:
                self._gateway.submit(approved)
        return tuple(kept[approved.cl_ord_id] for approved in self._waiting if approved.cl_ord_id in kept)

    def _commands(self, recorded: Cycle) -> tuple[Command, ...]:
        """Return what people said; a resume that was granted names the number that the state has on this path."""
        state_no = self._life.state.state_no
        granted = [answer.granted for answer in recorded.outputs.answers]
        return tuple(
            msgspec.structs.replace(command, state_no=state_no) if command.kind == "resume" and is_granted else command
            for command, is_granted in zip(recorded.inputs.commands, granted, strict=True)
        )

    def _mark(self, recorded: Cycle, stepped: Stepped) -> None:
        px = dict(zip(self._life.made.rules.universe, stepped.state.confirmed_px.tolist(), strict=True))
        self._before.take(recorded.outputs.holdings, px)
        self._after.take(stepped.outputs.holdings, px)

    def _compare(self, recorded: Cycle, stepped: Stepped) -> None:
        then, now = _by_place(recorded.outputs.decisions), _by_place(stepped.outputs.decisions)
        self._only["then"] += sum(1 for place in then if place not in now)
        self._only["now"] += sum(1 for place in now if place not in then)
        for place, before in then.items():
            after = now.get(place)
            if after is None or after.verdict is before.verdict:
                continue
            self._flip_count += 1
            self._first_flip_cycle = self._first_flip_cycle or recorded.cycle
            if len(self._flips) < FLIPS_MAX:
                self._flips.append(_flip(recorded.cycle, before, after))

    def answer(self, run_id: str, boot: Boot) -> WhatIf:
        """Return what was found."""
        return WhatIf(
            run_id=plain(run_id),
            cycles=self._cycles,
            limits=_changes(boot, self._life),
            symbols_then=boot.allowed,
            symbols_now=tuple(sorted(self._life.made.rules.limits.symbols)),
            flips=tuple(self._flips),
            flip_count=self._flip_count,
            first_flip_cycle=self._first_flip_cycle,
            only_then=self._only["then"],
            only_now=self._only["now"],
            before=self._before.worst(),
            after=self._after.worst(),
        )


class _Marks:
    """The worst that one path saw, at the mids of the recorded market."""

    def __init__(self) -> None:
        self._start_micros: list[int] = []
        self._gross_micros = 0
        self._position = (0, "")
        self._lowest_micros = 0
        self._end_micros = 0

    def take(self, held: Holdings, px: Mapping[str, int]) -> None:
        """Look at one cycle; a position without a price counts at what it cost."""
        worth = {
            (each.strategy_id, each.symbol): each.qty * px[each.symbol] if px.get(each.symbol, 0) else each.cost_micros
            for each in held.positions
        }
        equity_micros = held.cash_micros + sum(worth.values())
        if not self._start_micros:
            self._start_micros.append(equity_micros)
        change_micros = equity_micros - self._start_micros[0]
        self._end_micros = change_micros
        self._lowest_micros = min(self._lowest_micros, change_micros)
        self._gross_micros = max(self._gross_micros, sum(abs(value) for value in worth.values()))
        for (_, symbol), value in worth.items():
            self._position = max(self._position, (abs(value), symbol))

    def worst(self) -> Worst:
        """Return it."""
        return Worst(
            gross_micros=self._gross_micros,
            position_micros=self._position[0],
            position_symbol=self._position[1],
            loss_micros=-self._lowest_micros,
            end_micros=self._end_micros,
        )


def _by_place(decisions: tuple[Decision, ...]) -> dict[_Place, Decision]:
    """Return the decisions of a cycle by who wished what, so that both paths can be laid beside each other."""
    seen: Counter[tuple[str, str, Side, OrderClass]] = Counter()
    found: dict[_Place, Decision] = {}
    for decision in decisions:
        intent = decision.intent
        place = (intent.strategy_id, intent.symbol, intent.side, intent.order_class)
        found[(*place, seen[place])] = decision
        seen[place] += 1
    return found


def _flip(cycle: int, before: Decision, after: Decision) -> Flip:
    blocked = before if before.verdict is Verdict.BLOCKED else after
    return Flip(
        cycle=cycle,
        then_id=before.decision_id,
        now_id=after.decision_id,
        now=after.verdict,
        wish=plain(intent_words(after.intent)),
        because=plain(explain_block(blocked.failed())[0]),
    )


def _changes(boot: Boot, life: Life) -> tuple[LimitChange, ...]:
    then = {(limit.scope, limit.key): limit for limit in boot.limits}
    now = {(limit.scope, limit.key): limit for limit in life.made.rules.limits.everywhere()}
    found: list[LimitChange] = []
    for place, limit in {**now, **then}.items():
        was, is_now = (each[place].value if place in each else None for each in (then, now))
        if was != is_now:
            found.append(LimitChange(key=limit.key, scope=limit.scope, then=was, now=is_now, unit=limit.unit))
    return tuple(found)


def _lines(found: WhatIf, config_path: str) -> Iterator[str]:
    yield (
        f"Run {found.run_id}, {found.cycles:,} cycles, judged again by [risk] of {config_path}; nothing else of that "
        "file counts."
    )
    yield f"Limits that differ: {', '.join(map(_change_words, found.limits)) or 'none by their numbers'}."
    if found.symbols_then != found.symbols_now:
        yield f"The allow-list was {_listed(found.symbols_then)} and is {_listed(found.symbols_now)}."
    yield f"Decisions that flip: {found.flip_count:,}."
    for flip in found.flips:
        was = "blocked then" if flip.now is Verdict.APPROVED else "approved then"
        yield f"  cycle {flip.cycle}: {flip.wish}: {was}, {flip.now.lower()} now; the block: {flip.because}"
    if found.flip_count > len(found.flips):
        yield f"  and {found.flip_count - len(found.flips):,} more"
    if found.flip_count > 0:
        yield (
            f"After the first flip, in cycle {found.first_flip_cycle}, fills differ, so later wishes are those of the "
            f"strategies on the new path: {found.only_then:,} wishes were made only then, {found.only_now:,} only now."
        )
    for name, worst in (("then", found.before), ("now", found.after)):
        yield (
            f"Worst {name:>4}: gross {money(worst.gross_micros)}, largest position {money(worst.position_micros)}"
            f"{f' in {worst.position_symbol}' if worst.position_symbol else ''}, "
            f"deepest loss {money(worst.loss_micros)}, at the end {money(worst.end_micros)}."
        )


def _listed(symbols: tuple[str, ...]) -> str:
    return ", ".join(symbols) or "empty"


def _change_words(change: LimitChange) -> str:
    then, now = ("not written" if value is None else number(value, change.unit) for value in (change.then, change.now))
    whose = f" of {change.scope.replace(':', ' ')}" if change.scope else ""
    return f"{change.key}{whose} from {then} to {now}"
