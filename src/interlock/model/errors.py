"""The errors of Interlock, as one tree, and the invariant that is always on.

Floor 0 (words). It may never import a higher floor, and it never prints.

::

    InterlockError                what happened, what it means, what to do
    +-- ConfigError               a file or a command that cannot be obeyed      (exit 2)
    +-- HomeError                 a home that is locked, foreign or unsafe       (exit 2)
    +-- PermitError               real money without a human's leave             (exit 2)
    +-- DataError                 market data that cannot be read at all         (exit 2)
    +-- GatewayError              the last hop before a market
    |   +-- GatewayDown           nothing was sent, and nothing can be
    |   +-- OutcomeUnknown        something may have been sent: in doubt, never resent
    +-- JournalError              the record cannot be written or trusted        (exit 5)
    +-- InvariantError            a sentence that must always hold does not      (exit 6)

A block is not an error: the gate's "no" is a value (`interlock.model.risk.Blocked`).
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended; the first true one of 6, 5, 4, 3, 2, 7, 0 wins."""

    CLEAN = 0
    REFUSED = 2
    LATCHED = 3
    ORDERS_LEFT = 4
    JOURNAL = 5
    INVARIANT = 6
    FOUND = 7


class InterlockError(Exception):
    """Base of every error that Interlock raises on purpose.

    Its text is a sentence to a person: what happened, where, what it means, what to do.
    """

    exit_code = ExitCode.REFUSED


class ConfigError(InterlockError):
    """A configuration file or a command line that cannot be obeyed."""


class HomeError(InterlockError):
    """A home that another process holds, that belongs to someone else, or that others can read."""


class PermitError(InterlockError):
    """An act on real money without a human's permit."""


class DataError(InterlockError):
    """Market data that cannot be read at all (a bad row is a data fault, not an error)."""


class GatewayError(InterlockError):
    """The last hop before a market failed."""

    exit_code = ExitCode.ORDERS_LEFT


class GatewayDown(GatewayError):
    """The gateway is gone and nothing was sent."""


class OutcomeUnknown(GatewayError):
    """A send began and its outcome is unknown: the order is in doubt and is never resent."""


class JournalError(InterlockError):
    """The journal cannot be written, or what is on disk cannot be trusted."""

    exit_code = ExitCode.JOURNAL


class InvariantError(InterlockError):
    """Something that must always hold does not; Interlock stops rather than go on."""

    exit_code = ExitCode.INVARIANT


def invariant(condition: bool, must_hold: str, **facts: object) -> None:  # noqa: FBT001
    """Raise `InvariantError` unless `condition` is true; never compiled away.

    Args:
        condition: what must be true.
        must_hold: the sentence that holds when it is.
        facts: values that show a reader why it does not.

    Raises:
        InvariantError: the sentence, followed by the facts.

    Examples:
        >>> invariant(True, "one and one make two")
        >>> invariant(False, "cash re-adds", cash=3, expected=4)
        Traceback (most recent call last):
        interlock.model.errors.InvariantError: Broken invariant: cash re-adds (cash=3 expected=4)
    """
    if condition:
        return
    shown = " ".join(f"{name}={value}" for name, value in facts.items())
    message = f"Broken invariant: {must_hold} ({shown})" if shown else f"Broken invariant: {must_hold}"
    raise InvariantError(message)
