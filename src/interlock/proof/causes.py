"""Why a run, lived again, is likely not the same: from the field that differs, and from what changed since.

Floor 3 (proof). Pure: it reads values and names a cause; it is a likely one, and says so. On the trip: none.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from interlock.model.journal import Boot, Cycle, Stop
from interlock.proof.difference import number_in
from interlock.shell.strategy_guard import CODE_PREFIX

_OWN_CODE = f"{CODE_PREFIX}interlock"


class Cause(StrEnum):
    """What most likely made the difference."""

    DATA = "data"
    SIMULATOR = "simulator"
    STRATEGY = "strategy"
    CONFIG = "config"
    CODE = "code"
    PYTHON = "python"
    DEPENDENCY = "dependency"
    RECORD = "record"


class Likely(msgspec.Struct, frozen=True, kw_only=True):
    """The likely cause, and the sentences that say so."""

    cause: Cause
    words: str


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was made with: the kind of its source, and what changed since (name, then, now)."""

    kind: str
    changes: tuple[tuple[str, str, str], ...]

    @property
    def strategy_files(self) -> tuple[str, ...]:
        """Return the files of its strategies that changed."""
        names = [name for name, _, _ in self.changes if name.startswith(CODE_PREFIX) and name != _OWN_CODE]
        return tuple(name.removeprefix(CODE_PREFIX) for name in names)

    @property
    def cause(self) -> Cause:
        """Return the first of Interlock, Python and the packages that changed; RECORD where none did."""
        names = [name for name, _, _ in self.changes]
        if "interlock" in names or _OWN_CODE in names:
            return Cause.CODE
        if "python" in names:
            return Cause.PYTHON
        return Cause.DEPENDENCY if any(not name.startswith(CODE_PREFIX) for name in names) else Cause.RECORD

    @property
    def words(self) -> str:
        """Return what changed as a sentence, or that nothing did."""
        told = [_change_words(name, then, now) for name, then, now in self.changes]
        return f"Since then changed: {', '.join(told)}." if told else "Versions and code are those of the run."


def likely_cause(recorded: Boot | Cycle | Stop, field: str, *, made: Made) -> Likely:
    """Return why a field of a record is likely not the same.

    Args:
        recorded: the record.
        field: the path in it that differs first.
        made: what the run was made with.
    """
    if field.startswith(("inputs.market", "origin_")):
        return _market(made)
    if field in ("schema_version", "decision_version"):
        words = "The run was made by another version of the rules, and the same decisions are promised within one only."
        return Likely(cause=Cause.CODE, words=f"{words} {made.words}")
    strategy_id = _strategy_of(recorded, field)
    if strategy_id:
        return _strategy(strategy_id, made)
    if isinstance(recorded, Boot) or field.endswith((".limit", ".source")):
        words = "What it was judged by is not what the configuration on its first record gives."
        cause = Cause.CONFIG if made.cause is Cause.RECORD else made.cause
        return Likely(cause=cause, words=f"{words} {made.words}")
    if made.cause is Cause.RECORD:
        words = (
            "The same inputs, code and configuration gave something else: the record was changed, or Interlock is not "
            "deterministic here, which is a bug; please report it."
        )
        return Likely(cause=Cause.RECORD, words=f"{words} {made.words}")
    return Likely(cause=made.cause, words=made.words)


def file_words(name: str, *, then: str, now: str) -> str:
    """Return what became of one file, from its content words (`length:SHA-256`) of then and of now."""
    if not now:
        return f"the file {name} is gone"
    if not then:
        return f"the file {name} is new"
    length_then, length_now = then.partition(":")[0], now.partition(":")[0]
    if length_then == length_now:
        return f"the file {name} was changed: it is as long as it was, {length_now} bytes, and holds something else"
    return f"the file {name} was changed: it was {length_then} bytes long and is {length_now}"


def _market(made: Made) -> Likely:
    if made.kind == "simulated":
        return Likely(cause=Cause.SIMULATOR, words=f"The simulated market drew something else. {made.words}")
    return Likely(
        cause=Cause.DATA, words=f"The files are the same, and what is read from them is something else. {made.words}"
    )


def _strategy(strategy_id: str, made: Made) -> Likely:
    if made.strategy_files:
        words = (
            f"Strategy {strategy_id} answered something else: its code changed since, {', '.join(made.strategy_files)}."
        )
    else:
        words = (
            f"Strategy {strategy_id} answered something else and its code is the same, so it is not deterministic: it "
            "takes something from outside of its view, such as the time, chance, a file or the order of a set."
        )
    return Likely(cause=Cause.STRATEGY, words=f"{words} {made.words}")


def _strategy_of(recorded: Boot | Cycle | Stop, field: str) -> str:
    """Return whose answer a field is part of, or "" if it is nobody's."""
    if not isinstance(recorded, Cycle):
        return ""
    number = number_in(field)
    outputs = recorded.outputs
    if field.startswith("outputs.ideas") and outputs.ideas:
        return outputs.ideas[min(number, len(outputs.ideas) - 1)].strategy_id
    is_wish = field.startswith("outputs.decisions[") and (".intent" in field or field.endswith("]"))
    if is_wish and 0 <= number < len(outputs.decisions):
        return outputs.decisions[number].intent.strategy_id
    return outputs.ideas[-1].strategy_id if is_wish and outputs.ideas else ""


def _change_words(name: str, then: str, now: str) -> str:
    if name.startswith(CODE_PREFIX):
        return f"the code of {name.removeprefix(CODE_PREFIX)}"
    return f"{name} from {then} to {now}"
