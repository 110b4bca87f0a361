"""What must hold in a home after any death: counted from the journals and the witness alone.

Nothing here trusts the sums of the program: they are added up again from approvals and reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.core_factory import SYMBOLS
from tests.durability.life import Place
from tests.scenario.stage import approved_of, boot_of, ledger, promised, reports_of

from interlock.core.fees import FeePlan
from interlock.model.errors import InterlockError
from interlock.model.journal import Carried, Cycle, Record, Stop
from interlock.model.mode import Mode
from interlock.model.orders import ExecType, OrdStatus
from interlock.proof.verify import verify_run
from interlock.shell.home import prepare_home
from interlock.shell.journal_reader import JournalReader
from interlock.shell.latch_log import read_latches
from interlock.shell.paper import PaperGateway
from interlock.shell.recovery import Found, recovered

_CASH_MICROS = 1_000_000_000_000


class Seen(NamedTuple):
    """One run as its journal holds it: all records that can be read, and how many of them were promised."""

    run_dir: Path
    records: list[Record]
    promised: int


def seen(run_dir: Path) -> Seen:
    """Read a run; what cannot be trusted is left out."""
    reader = JournalReader(run_dir)
    return Seen(run_dir, list(reader.records()), promised(run_dir))


def found_by_the_next_start(place: Place) -> Found:
    """Return what the next PAPER start would carry."""
    prepare_home(place.home)
    book = read_latches(place.home)
    return recovered(
        place.home,
        mode=Mode.PAPER,
        latches=book.standing,
        next_latch_no=book.next_latch_no,
        cash_micros=_CASH_MICROS,
    )


def faults(place: Place) -> list[str]:
    """Return what does not hold in a home whose last process has died."""
    runs = [seen(run_dir) for run_dir in place.run_dirs]
    try:
        found = found_by_the_next_start(place)
    except InterlockError as error:
        return [f"the next start is refused: {error}"]
    begun = [run for run in runs if run.records]
    told = [*_twice(place, runs), *_sent_before_durable(place, runs), *_latches(place, runs, found.carried)]
    if begun:
        told += [*_partition(begun[-1], found.carried), *_verified(begun)]
    else:
        told += [f"nothing is on record, and the witness saw {words}" for words in place.told() if words[0] != "HIT"]
    return told


def _twice(place: Place, runs: list[Seen]) -> Iterator[str]:
    """Yield each order id that was sent twice, or approved twice."""
    sent = Counter(words[1] for words in place.told() if words[0] == "SEND")
    approved = Counter(decision.decision_id for run in runs for decision in approved_of(run.records))
    for kind, counted in (("sent", sent), ("approved", approved)):
        yield from (f"{name} was {kind} {times} times" for name, times in counted.items() if times > 1)


def _sent_before_durable(place: Place, runs: list[Seen]) -> Iterator[str]:
    """Yield each order that was sent although its approval is not among the records that were made durable."""
    durable = {
        decision.decision_id
        for run in runs
        for decision in approved_of([record for record in run.records if record.seq < run.promised])
    }
    for words in place.told():
        if words[0] == "SEND" and words[1] not in durable:
            yield f"{words[1]} was sent and its approval was not durable"


def _latches(place: Place, runs: list[Seen], carried: Carried) -> Iterator[str]:
    """Yield each latch that stood and was never cleared on the record, and each that nobody raised."""
    cycles = [record.decided for run in runs for record in run.records if isinstance(record.decided, Cycle)]
    raised = {latch.latch_id for cycle in cycles for latch in cycle.outputs.latches_raised}
    raised.update(latch.latch_id for run in runs for latch in _closing_latches(run.records))
    witnessed = {words[1] for words in place.told() if words[0] == "LATCH"}
    cleared = {latch_id for cycle in cycles for latch_id in cycle.outputs.latches_cleared}
    standing = {latch.latch_id for latch in carried.latches}
    yield from (
        f"latch {name} stood, nobody cleared it, and it is gone"
        for name in sorted((raised | witnessed) - cleared - standing)
    )
    yield from (f"latch {name} stands, and nobody raised it" for name in sorted(standing - raised - witnessed))


def _closing_latches(records: list[Record]) -> list:
    return [latch for record in records if isinstance(record.decided, Stop) for latch in record.decided.closing.latches]


def _partition(run: Seen, carried: Carried) -> Iterator[str]:
    """Yield where the last run's orders, cash and shares are not carried as its approvals and reports say."""
    own = ledger(run.records)
    positions = {(held.strategy_id, held.symbol): held.qty for held in carried.positions}
    orders = {order.cl_ord_id: order.leaves_qty for order in carried.orders}
    if (own.cash_micros, own.held, own.working) != (carried.account.cash_micros, positions, orders):
        yield f"counted {own[:3]}, carried {(carried.account.cash_micros, positions, orders)}"
    heard = {report.cl_ord_id for report in reports_of(run.records)}
    heard.update(order.cl_ord_id for order in boot_of(run.records).carried.orders if order.exec_ids)
    wordless = {name for name in own.working if name not in heard}
    pending = {order.cl_ord_id for order in carried.orders if order.ord_status is OrdStatus.PENDING_NEW}
    if wordless != pending:
        yield f"without a word are {sorted(wordless)}, and carried as pending are {sorted(pending)}"
    if closed_as_not_held(carried) != sorted(wordless):
        yield f"without a word are {sorted(wordless)}, and the paper market closes {closed_as_not_held(carried)}"


def closed_as_not_held(carried: Carried) -> list[str]:
    """Return the orders that the paper market says it never held, when it takes over what is carried."""
    gateway = PaperGateway(
        mode=Mode.PAPER, fees=FeePlan(per_share_micros=5_000, minimum_micros=1_000_000), universe=SYMBOLS
    )
    gateway.restore(carried.orders)
    reports = gateway.drain()
    return sorted(report.cl_ord_id for report in reports if report.exec_type is ExecType.NOT_HELD)


def _verified(runs: list[Seen]) -> Iterator[str]:
    """Yield what `verify` finds wrong with the last run; each run before it was the last one once."""
    report = verify_run(runs[-1].run_dir)
    yield from report.problems
    if report.records != len(runs[-1].records):
        yield f"verify counts {report.records} records, and {len(runs[-1].records)} are there"
