"""What the types must let through: the honest use of the words and the doors.

Floor: outside the house. Checked by mypy and basedpyright, never run.
"""

from __future__ import annotations

from typing import assert_never

from interlock.model.errors import ConfigError, InterlockError
from interlock.model.market import MarketSnapshot, Origin, Provides
from interlock.model.mode import Mode, TradingState, lower
from interlock.model.risk import Approved, Blocked, RiskDecision
from interlock.ports import Gateway, MarketSource


class QuietSource:
    """A source that has nothing to show, and says so."""

    @property
    def origin(self) -> Origin:
        """Return where it comes from."""
        return Origin(kind="quiet", identity=(), words="nothing", where="")

    @property
    def provides(self) -> frozenset[Provides]:
        """Return what it can tell."""
        return frozenset({Provides.QUOTES})

    @property
    def universe(self) -> tuple[str, ...]:
        """Return its symbols."""
        return ("IBM",)

    def next(self) -> MarketSnapshot | None:
        """Return no snapshot."""
        return None


def take_source(source: MarketSource) -> tuple[str, ...]:
    """Read a source through its door."""
    return source.universe


def send_what_was_approved(gateway: Gateway, decision: RiskDecision) -> str:
    """Send an approval, and tell a block; there is no third answer."""
    if isinstance(decision, Approved):
        if gateway.mode is decision.mode:
            gateway.submit(decision)
        return decision.cl_ord_id
    if isinstance(decision, Blocked):
        return ", ".join(check.note for check in decision.decision.failed())
    assert_never(decision)


def safer(state: TradingState) -> TradingState:
    """Lower a state."""
    return lower(state, TradingState.REDUCING)


def told(fault: InterlockError) -> str:
    """Tell an error to a person."""
    return f"{fault} (exit {fault.exit_code})"


quiet_universe: tuple[str, ...] = take_source(QuietSource())
paper: Mode = Mode.PAPER
sentence: str = told(ConfigError("The file first.toml has no table [source]."))
