"""Loosening: what a new start lets through that the last one did not, told, and in PAPER typed out by a human.

Floor 2 (the world). It reads what a person types and nothing else; it never loosens anything by itself.
On the trip: before it, after recovery and before the first record.

Source: row 52 of the control catalogue (limit-change control). Tightening takes one word to a running process;
loosening takes a new start, a list of what is looser, and a phrase that is typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from interlock.core.risk.keys import KEYS
from interlock.core.risk.limits import loosened
from interlock.core.watch import WATCHES
from interlock.core.words import number
from interlock.model.errors import ConfigError
from interlock.model.journal import Boot, LimitInForce
from interlock.model.mode import Mode
from interlock.model.risk import Latch

#: How many of them SIM tells one by one; PAPER tells all.
TOLD_MAX = 6
_SPACES = re.compile(r"\s+")


class Loosening(msgspec.Struct, frozen=True, kw_only=True):
    """What a start lets through that the last one did not.

    Attributes:
        words: one sentence each, to be told.
        keys: the limits, as they are written.
        undoes: latches that stand and that a looser limit would undo.
    """

    words: tuple[str, ...]
    keys: tuple[str, ...]
    undoes: tuple[Latch, ...]

    @property
    def phrase(self) -> str:
        """Return what a human types to take it: how many, and which."""
        return f"LOOSEN {len(self.keys)}: {' '.join(self.keys)}"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What one start is judged by, as far as it can be looser than another; `limits` is empty where there was none.

    `groups` are (symbol, name of its group); `exchange` is whose sessions hold, "" where a record does not say.
    """

    limits: tuple[LimitInForce, ...] = ()
    allowed: tuple[str, ...] = ()
    restricted: tuple[str, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    exchange: str = ""


def policy_of(boot: Boot, *, limits: tuple[LimitInForce, ...]) -> Policy:
    """Return what a recorded run was judged by at its end."""
    return Policy(
        limits=limits or boot.limits,
        allowed=boot.allowed,
        restricted=boot.restricted,
        groups=boot.groups,
        exchange=dict(boot.calendar).get("name", ""),
    )


def loosening_of(before: Policy, after: Policy, *, latches: tuple[Latch, ...]) -> Loosening:
    """Return what is looser than last time.

    Args:
        before: what held at the end of the last run.
        after: what this start brings.
        latches: those that stand.
    """
    if not before.limits:
        return Loosening(words=(), keys=(), undoes=())
    found = loosened(before.limits, after.limits)
    told: list[tuple[str, str]] = []
    for old, new in found:
        key = KEYS[old.key]
        where = f" of the {old.scope.replace(':', ' ')}" if old.scope else ""
        told.append((key.written, f"{key.written}{where} was {_value(old)} and is {_value(new)}"))
    told += _lists(before, after)
    loose = {old.key for old, _ in found}
    codes = {watch.code for watch in WATCHES if watch.key in loose}
    return Loosening(
        words=tuple(words for _, words in told),
        keys=tuple(dict.fromkeys(key for key, _ in told)),
        undoes=tuple(latch for latch in latches if latch.code in codes),
    )


def _lists(before: Policy, after: Policy) -> list[tuple[str, str]]:
    """Return (key, sentence) for what the lists of symbols, the groups and the sessions let through now."""
    told: list[tuple[str, str]] = []
    more = [symbol for symbol in after.allowed if symbol not in before.allowed]
    freed = [symbol for symbol in before.restricted if symbol not in after.restricted]
    grouped = [symbol for symbol, group in before.groups if (symbol, group) not in after.groups]
    if more:
        told.append(("symbols", f"{', '.join(more)} may be traded, and might not before"))
    if freed:
        told.append(("restricted", f"{', '.join(freed)} may be entered, and might not before"))
    if grouped:
        told.append(("groups", f"{', '.join(grouped)} counted in a group, and no longer in that one"))
    if before.exchange and before.exchange != after.exchange:
        told.append(("exchange", f"the sessions were those of {before.exchange} and are those of {after.exchange}"))
    return told


def _value(limit: LimitInForce) -> str:
    return "not written" if limit.value is None else number(limit.value, limit.unit)


def take_loosening(
    found: Loosening, *, mode: Mode, is_terminal: bool, read_line: Callable[[str], str]
) -> tuple[str, ...]:
    """Tell what is looser, and take it only if it may be taken.

    In SIM the written configuration is the human's leave, and what is looser is told. In PAPER a human types the
    phrase; a start without a terminal, or with another phrase, is refused.

    Args:
        found: what is looser.
        mode: the mode of the start.
        is_terminal: True if a person can be asked.
        read_line: asks, and returns what was typed.

    Returns:
        Sentences for the boot.

    Raises:
        ConfigError: it undoes a latch that stands, or no human took it.
    """
    if not found.words:
        return ()
    listed = "; ".join(found.words)
    if found.undoes:
        latch = found.undoes[0]
        message = (
            f"This configuration is looser than the last run's: {listed}. Latch {latch.latch_id} {latch.code} stands, "
            "and a looser limit would undo it. Nothing was started. Clear the latch first with interlock resume, or "
            "write the old limit again."
        )
        raise ConfigError(message)
    told = f"Looser than last time: {listed}."
    if mode is Mode.SIM:
        more = len(found.words) - TOLD_MAX
        rest = f"; and {more} more" if more > 0 else ""
        return (f"Looser than last time: {'; '.join(found.words[:TOLD_MAX])}{rest}.",)
    if not is_terminal:
        message = (
            f"This configuration is looser than the last run's: {listed}. A human has to take that at a terminal, and "
            "there is none. Nothing was started. Start it from a terminal, or write the old limits again."
        )
        raise ConfigError(message)
    typed = read_line(f"{told}\nTo take this, type exactly:  {found.phrase}\n> ")
    if _SPACES.sub(" ", typed.strip()) != found.phrase:
        message = (
            f"What was typed is not {found.phrase!r}, so the looser limits were not taken. Nothing was started. "
            "Type the phrase exactly, or write the old limits again."
        )
        raise ConfigError(message)
    return (f"{told} A human at the terminal took it by typing the phrase.",)
