"""The desk: the turnstile between a decision and the gateway.

Floor 2 (the world). It admits what this cycle minted, each approval once, after its record is durable, within
two seconds, in the gateway's own mode, and only while no stop or halt was seen. It never retries anything.
On the trip: SEND, after WRITE.
"""

from __future__ import annotations

import msgspec

from interlock.model.errors import GatewayDown, OutcomeUnknown, invariant
from interlock.model.journal import HostTrip
from interlock.model.mode import Mode
from interlock.model.orders import Cancel, ExecReport, ExecType
from interlock.model.risk import Approved
from interlock.model.units import SECOND_NS, duration
from interlock.ports import Clock, Control, Gateway, Journal

#: An approval lives this long on the boot clock, from the moment of its decision.
APPROVAL_NS_MAX = 2 * SECOND_NS


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk has to say about its own acts: they are inputs of the next cycle."""

    reports: tuple[ExecReport, ...]
    trips: tuple[HostTrip, ...]


class Desk:
    """Redeems approvals at a gateway, and sends cancels, which nothing here can block."""

    def __init__(self, *, mode: Mode, gateway: Gateway, journal: Journal, control: Control, clock: Clock) -> None:
        """Join the desk to a gateway of the same mode."""
        invariant(gateway.mode is mode, "the gateway serves the mode of the process", mode=mode, gateway=gateway.mode)
        self._mode = mode
        self._gateway = gateway
        self._journal = journal
        self._control = control
        self._clock = clock
        self._last_redeemed = (0, 0)

    def act(
        self,
        *,
        approvals: tuple[Approved, ...],
        cancels: tuple[Cancel, ...],
        record_seq: int,
        decided_boot_ns: int,
    ) -> Sent:
        """Send the cancels, then each approval once.

        Args:
            approvals: what this cycle minted.
            cancels: orders to cancel; these go first, and always.
            record_seq: the record that holds the decisions; it must be durable.
            decided_boot_ns: when they were made, on the boot clock.

        Returns:
            What was not sent, and what may have been.

        Raises:
            InvariantError: an approval without a durable record, of another mode, or presented twice.
        """
        trips: list[HostTrip] = []
        reports: list[ExecReport] = []
        for cancel in cancels:
            try:
                self._gateway.cancel(cancel.cl_ord_id)
            except GatewayDown as error:
                text = f"the gateway is down: {error}"
                reports.append(_word(cancel.cl_ord_id, ExecType.CANCEL_REJECT, record_seq=record_seq, text=text))
                trips.append(HostTrip(code="GATEWAY_DOWN", text=f"a cancel could not be sent: {error}"))
        for approved in approvals:
            reports.extend(self._send(approved, record_seq=record_seq, decided_boot_ns=decided_boot_ns))
        return Sent(reports=tuple(reports), trips=tuple(trips))

    def _send(self, approved: Approved, *, record_seq: int, decided_boot_ns: int) -> tuple[ExecReport, ...]:
        """Pass one approval through the turnstile; return a report only if it did not get through cleanly."""
        invariant(isinstance(approved, Approved), "only an approval is sent", got=type(approved).__name__)
        invariant(approved.mode is self._mode, "an approval is for the mode of the process", mode=approved.mode)
        durable = self._journal.synced_records
        invariant(durable > record_seq, "the decision is durable before it is sent", durable=durable, seq=record_seq)
        self._redeem(approved)
        age_ns = self._clock.boot_ns() - decided_boot_ns
        if self._control.stop_seen:
            exec_type, text = ExecType.NOT_SENT, "a stop or halt was seen before it was sent"
        elif not 0 <= age_ns <= APPROVAL_NS_MAX:
            exec_type = ExecType.NOT_SENT
            text = f"the approval was {duration(age_ns)} old, the limit is {duration(APPROVAL_NS_MAX)}"
        else:
            try:
                self._gateway.submit(approved)
            except GatewayDown as error:
                exec_type, text = ExecType.NOT_SENT, f"the gateway is down: {error}"
            except OutcomeUnknown as error:
                exec_type, text = ExecType.IN_DOUBT, f"its outcome is unknown: {error}"
            else:
                return ()
        return (_word(approved.cl_ord_id, exec_type, record_seq=record_seq, text=text),)

    def _redeem(self, approved: Approved) -> None:
        """Strike an approval off before anything else is tried: ids only grow, so none comes back in a later cycle."""
        cycle, _, number = approved.cl_ord_id.partition("-")
        redeemed = (int(cycle), int(number))
        invariant(redeemed > self._last_redeemed, "an approval is redeemed once", cl_ord_id=approved.cl_ord_id)
        self._last_redeemed = redeemed


def _word(cl_ord_id: str, exec_type: ExecType, *, record_seq: int, text: str) -> ExecReport:
    """Return the desk's own word about an order; it carries no fill and no venue's id.

    The record's number makes its id a new one each time: a second refusal of a cancel is news, not an echo.
    """
    return ExecReport(
        exec_id=f"DESK-{record_seq}-{cl_ord_id}-{exec_type}",
        cl_ord_id=cl_ord_id,
        order_id="",
        exec_type=exec_type,
        last_qty=0,
        last_px=0,
        cum_qty=0,
        leaves_qty=0,
        fee_micros=0,
        event_ns=0,
        text=text,
    )
