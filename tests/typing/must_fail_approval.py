"""What no type checker may let through: making, changing or replacing an approval.

Floor: outside the house. Never run: `tests/test_typing.py` wants one error on each line marked `refused`.
"""

from __future__ import annotations

import dataclasses

import msgspec

from interlock.model.risk import Approved, Blocked, Decision, RiskDecision
from interlock.model.signals import OrderIntent
from interlock.ports import Gateway


def build_without_a_key() -> Approved:
    return Approved()  # refused


def build_with_any_key(decision: Decision) -> Approved:
    return Approved(key=decision)  # refused


def build_from_a_decision(decision: Decision) -> Approved:
    return Approved(decision)  # refused


def call_a_decision_an_approval(decision: Decision) -> Approved:
    return decision  # refused


def call_a_block_an_approval(blocked: Blocked) -> Approved:
    return blocked  # refused


def change_the_intent(approved: Approved, intent: OrderIntent) -> None:
    approved.intent = intent  # refused


def change_the_decision(approved: Approved, decision: Decision) -> None:
    approved.decision = decision  # refused


def copy_with_a_changed_field(approved: Approved, decision: Decision) -> object:
    return msgspec.structs.replace(approved, decision=decision)  # refused


def copy_as_a_dataclass(approved: Approved, decision: Decision) -> object:
    return dataclasses.replace(approved, decision=decision)  # refused


def submit_a_decision(gateway: Gateway, decision: Decision) -> None:
    gateway.submit(decision)  # refused


def submit_an_intent(gateway: Gateway, intent: OrderIntent) -> None:
    gateway.submit(intent)  # refused


def submit_a_block(gateway: Gateway, blocked: Blocked) -> None:
    gateway.submit(blocked)  # refused


def submit_whatever_the_gate_said(gateway: Gateway, answer: RiskDecision) -> None:
    gateway.submit(answer)  # refused


def submit_nothing(gateway: Gateway) -> None:
    gateway.submit(None)  # refused


# Last in the file: after it mypy takes the rest of a module for unreachable.
class Forged(Approved):  # refused
    """An approval that nobody gave."""
