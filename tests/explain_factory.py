"""What the tests of explanations share: a latch, a candidate, and cycles with other parts."""

from __future__ import annotations

from pathlib import Path

import msgspec
from tests.journal_factory import START_NS, Pair, booking, boot, cycle, decision, holdings

from interlock.model.journal import Cycle, Outputs
from interlock.model.mode import TradingState
from interlock.model.orders import ExecReport, OrdStatus, Side
from interlock.model.risk import Check, Latch, Leave, ReasonCode
from interlock.model.signals import Candidate, Feature
from interlock.proof.explain import explain
from interlock.proof.explained import DecisionExplained

ONE = "000001-001"
SECOND_NS = 1_000_000_000
NEW, FILLED, CANCELED = OrdStatus.NEW, OrdStatus.FILLED, OrdStatus.CANCELED
PENDING = OrdStatus.PENDING_NEW
LATCH = Latch(
    latch_id="L1",
    scope="symbol:SPY",
    code="LATE_FILL",
    level=TradingState.HALTED,
    text="a late fill came",
    raised_by="interlock",
    at_ns=START_NS,
)
LEAVE = Leave(
    decision_id=ONE,
    strategy_id="cross",
    symbol="SPY",
    side=Side.BUY,
    order_qty=10,
    codes=(ReasonCode.ORDER_NOTIONAL_LARGE,),
    observed=(1_700_100_000,),
    expires_ns=START_NS,
    by="human:ann",
    reason="she looked",
)
CANDIDATE = Candidate(
    symbol="SPY",
    scanner="gap",
    rank=1,
    score=9,
    side=Side.BUY,
    features=(Feature("mid_px", 170_000_000, "px"), Feature("relative_x100", 205, "x100")),
    because="it gapped up",
)


def told(run_dir: Path, word: str) -> DecisionExplained:
    """Return the explanation of a decision."""
    found = explain(run_dir, word)
    assert isinstance(found, DecisionExplained)
    return found


def check(code: str, unit: str, observed: int | None, limit: int | None, **changes: object) -> Check:
    """Return a check that passed, with a limit from the configuration, unless told otherwise."""
    made = Check(
        code=ReasonCode(code),
        passed=True,
        required=True,
        observed=observed,
        limit=limit,
        unit=unit,
        source="config",
        note="",
    )
    return msgspec.structs.replace(made, **changes)


def decided_with(pair: Pair, **changes: object) -> Pair:
    """Return a cycle whose outputs have other parts."""
    decided, aside = pair
    assert isinstance(decided, Cycle)
    outputs: Outputs = msgspec.structs.replace(decided.outputs, **changes)
    return msgspec.structs.replace(decided, outputs=outputs), aside


def seen_with(pair: Pair, **changes: object) -> Pair:
    """Return a cycle that saw another market."""
    decided, aside = pair
    assert isinstance(decided, Cycle)
    market = msgspec.structs.replace(decided.inputs.market, **changes)  # type: ignore[type-var]
    return msgspec.structs.replace(decided, inputs=msgspec.structs.replace(decided.inputs, market=market)), aside


def booked(number: int, *pairs: tuple[ExecReport, OrdStatus | None, OrdStatus | None, str]) -> Pair:
    """Return a cycle that booked reports, each with the status before and after and its effect."""
    return cycle(
        number,
        reports=tuple(one for one, _, _, _ in pairs),
        bookings=tuple(booking(one.cl_ord_id, before, after, effect=effect) for one, before, after, effect in pairs),
    )


def begun(*later: Pair) -> list[Pair]:
    """Return a run whose first cycle approves an order, and what came later."""
    return [boot(), cycle(1, decisions=(decision(ONE),), left=holdings(open_orders=1)), *later]
