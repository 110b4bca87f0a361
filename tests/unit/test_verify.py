"""Verification: a right run passes, and each thing that a journal could say wrongly is found and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.journal_factory import (
    MONDAY,
    OPENING_MICROS,
    TUESDAY,
    Pair,
    account,
    boot,
    carried,
    cycle,
    decision,
    holdings,
    positions,
    tally,
    whole_run,
    write_run,
)

from interlock.model.journal import Answer, Cycle, Decided, GateOutputs, Outputs, Stop
from interlock.model.mode import TradingState
from interlock.model.orders import (
    Cancel,
    OrdStatus,
)
from interlock.model.risk import Latch
from interlock.proof.verify import PROBLEMS_MAX, VerifyReport, verify_run

ONE = "000001-001"
PX = 170_000_000
Change = Callable[[Decided], Decided]


def verified(run_dir: Path, pairs: list[Pair]) -> VerifyReport:
    """Write a run and verify it."""
    write_run(run_dir, pairs)
    return verify_run(run_dir)


def latch(latch_id: str = "L1") -> Latch:
    """Return a latch on the account."""
    return Latch(
        latch_id=latch_id,
        scope="account",
        code="HUMAN_HALT",
        level=TradingState.HALTED,
        text="halted",
        raised_by="human:ada",
        at_ns=0,
    )


def replaced(**fields: object) -> Change:
    """Return the change of some fields of a record."""
    return lambda decided: msgspec.structs.replace(decided, **fields)


def decided_otherwise(**fields: object) -> Change:
    """Return the change of some fields of a cycle's outputs."""

    def change(decided: Decided) -> Decided:
        assert isinstance(decided, Cycle)
        return msgspec.structs.replace(decided, outputs=msgspec.structs.replace(decided.outputs, **fields))

    return change


def seen_otherwise(**fields: object) -> Change:
    """Return the change of some fields of a cycle's market."""

    def change(decided: Decided) -> Decided:
        assert isinstance(decided, Cycle)
        market = msgspec.structs.replace(decided.inputs.market, **fields)
        return msgspec.structs.replace(decided, inputs=msgspec.structs.replace(decided.inputs, market=market))

    return change


def booked_otherwise(ix: int, **fields: object) -> Change:
    """Return the change of some fields of one booking of a cycle."""

    def change(decided: Decided) -> Decided:
        assert isinstance(decided, Cycle)
        bookings = list(decided.outputs.bookings)
        bookings[ix] = msgspec.structs.replace(bookings[ix], **fields)
        return decided_otherwise(bookings=tuple(bookings))(decided)

    return change


def unseen(decided: Decided) -> Decided:
    """Return the cycle as if it had looked at no market."""
    assert isinstance(decided, Cycle)
    return msgspec.structs.replace(decided, inputs=msgspec.structs.replace(decided.inputs, market=None))


def check_otherwise(**fields: object) -> Change:
    """Return the change of some fields of the one check of a cycle's decision."""

    def change(decided: Decided) -> Decided:
        assert isinstance(decided, Cycle)
        (judged,) = decided.outputs.decisions
        checks = (msgspec.structs.replace(judged.checks[0], **fields),)
        return decided_otherwise(decisions=(msgspec.structs.replace(judged, checks=checks),))(decided)

    return change


def test_a_right_run_passes_without_a_note(tmp_path: Path) -> None:
    """A whole run: records, head and run id are told, and nothing else."""
    head = write_run(tmp_path / "run", whole_run())

    assert VerifyReport(ok=True, run_id="run-1", records=6, head=head, problems=(), notes=()) == verify_run(
        tmp_path / "run"
    )


def test_the_answer_as_json_has_the_words_of_the_contract(tmp_path: Path) -> None:
    """The JSON form begins with ok, run_id, records, head."""
    found = msgspec.to_builtins(verified(tmp_path / "run", whole_run()))

    assert ["ok", "run_id", "records", "head", "problems", "notes"] == list(found)


WRONG: list[tuple[str, int, Change, str]] = [
    ("cash", 2, decided_otherwise(holdings=holdings(qty=4, cash=1, open_orders=1)), "re-adds to"),
    (
        "position",
        4,
        decided_otherwise(holdings=holdings(qty=9, cash=OPENING_MICROS - 10 * PX - 10_000)),
        "the fills add up to 10",
    ),
    (
        "open orders",
        4,
        decided_otherwise(holdings=holdings(qty=10, cash=OPENING_MICROS - 10 * PX - 10_000, open_orders=1)),
        "0 with 0 in doubt are counted",
    ),
    ("status after", 3, booked_otherwise(0, after=OrdStatus.PARTIALLY_FILLED), "by the table it is"),
    ("status before", 2, booked_otherwise(1, before=OrdStatus.PENDING_NEW), "by the table it is"),
    ("effect", 2, booked_otherwise(0, effect="ignored"), "by the table it is"),
    ("booked for another", 2, booked_otherwise(0, cl_ord_id="000009-001"), "was booked for 000009-001"),
    ("open but unknown", 2, booked_otherwise(0, before=None, after=None), "as if 000001-001, which is open"),
    ("a booking too few", 3, decided_otherwise(bookings=()), "it books 0 of 1 reports"),
    ("a check that failed", 1, check_otherwise(passed=False), "000001-001 is APPROVED; of 1 required"),
    ("no required check", 1, check_otherwise(required=False), "000001-001 is APPROVED; of 0 required"),
    ("blocked for nothing", 2, check_otherwise(passed=True), "000002-001 is BLOCKED"),
    ("an intent without a wish", 1, decided_otherwise(ideas=()), "wished 0 times and the gate decided 1"),
    ("a wish without a decision", 2, decided_otherwise(decisions=()), "wished 1 times and the gate decided 0"),
    ("a name out of order", 1, decided_otherwise(decisions=(decision("000001-002"),)), "both must be 000001-001"),
    (
        "an entry while halted",
        1,
        decided_otherwise(state_before=TradingState.HALTED, state_after=TradingState.HALTED),
        "approved while trading is HALTED",
    ),
    ("an order of nothing", 1, decided_otherwise(decisions=(decision(ONE, qty=0),)), "approved for 0 shares"),
    ("a cycle twice", 3, replaced(cycle=2), "it is cycle 2, where cycle 3 must be"),
    ("a market twice", 4, seen_otherwise(seq=3), "its market (number 3) is not later"),
    ("a market of before", 4, seen_otherwise(as_of_ns=1), "is not later"),
    ("a stranger's cancel", 4, decided_otherwise(cancels=(Cancel(cl_ord_id="x", because=""),)), "never ordered: x"),
    ("a latch gone", 4, decided_otherwise(latches_cleared=("L1",)), "nobody was obeyed who cleared them"),
    ("a latch that never was", 4, decided_otherwise(latches_cleared=("L1",)), "they did not stand"),
    ("a latch not carried", 4, decided_otherwise(latches_raised=(latch(),)), "stood and are not carried"),
    ("a latch twice", 4, decided_otherwise(latches_raised=(latch(), latch())), "more than once (L1, L1)"),
    ("a rise at the stop", 4, decided_otherwise(state_after=TradingState.HALTED), "from HALTED to ACTIVE at the stop"),
    ("a decision without a market", 1, unseen, "it decides without having looked at a market"),
    ("counts", 5, replaced(counts=tally(intents=2, filled=2)), "0 are written as blocked, and 1 are counted"),
    ("counts that do not add", 5, replaced(counts=tally(intents=2, filled=1)), "2 intents and carried orders are"),
    ("the last cycle", 5, replaced(cycle=3), "it names cycle 3 as the last, and that was 4"),
    ("doubt", 5, replaced(in_doubt=(ONE,)), "in doubt are written 000001-001, and counted none"),
    ("left in silence", 5, replaced(working=("PAPER-9",)), "the exit code is 0, and orders were left: PAPER-9"),
    ("closing cash", 5, replaced(closing=carried(positions=positions(10), last_cycle=4)), "the account is written as"),
    (
        "closing position",
        5,
        replaced(closing=carried(money=account(bought=10 * PX, fees=10_000), last_cycle=4)),
        "is written as 0 shares",
    ),
    (
        "closing cycle",
        5,
        replaced(closing=carried(money=account(bought=10 * PX, fees=10_000), positions=positions(10))),
        "the carried state is of cycle 0",
    ),
    ("a schema of tomorrow", 0, replaced(schema_version=99), "its schema is version 99"),
    ("an account that does not add", 0, replaced(carried=msgspec.structs.replace(
        carried(), account=msgspec.structs.replace(account(), cash_micros=1))), "the account is written as"),
    ("SIM that carries", 0, replaced(carried=carried(positions=positions(1))), "a SIM run starts afresh"),
]  # fmt: skip


@pytest.mark.parametrize(("seq", "change", "told"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_a_record_says_wrongly_is_found(tmp_path: Path, seq: int, change: Change, told: str) -> None:
    """One record of a right run is changed before it is written: bytes and chains are right, the content is not."""
    pairs = whole_run()
    decided, aside = pairs[seq]
    pairs[seq] = (change(decided), aside)
    found = verified(tmp_path / "run", pairs)

    assert (False, True) == (found.ok, any(told in problem for problem in found.problems)), found.problems


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ([1, 2, 3, 4, 5], "comes before a BOOT"),
        ([0, 0, 1, 2, 3, 4, 5], "a second BOOT"),
        ([0, 1, 2, 3, 4, 5, 5], "it comes after the STOP"),
        ([0, 1, 3, 4, 5], "it is cycle 3, where cycle 2 must be"),
        ([0, 1, 2, 4, 3, 5], "where cycle 3 must be"),
    ],
    ids=["no BOOT", "two BOOTs", "two STOPs", "a cycle missing", "cycles swapped"],
)
def test_a_wrong_sequence_is_found(tmp_path: Path, order: list[int], told: str) -> None:
    """A run is one BOOT, cycles counted from 1, and at most one STOP, last."""
    pairs = whole_run()
    found = verified(tmp_path / "run", [pairs[each] for each in order])

    assert (False, True) == (found.ok, any(told in problem for problem in found.problems)), found.problems


def test_a_killed_run_verifies_as_far_as_it_goes_and_says_so(tmp_path: Path) -> None:
    """Without a STOP all is well as far as it goes, and a note tells it."""
    found = verified(tmp_path / "run", whole_run()[:-1])

    assert (True, 5, True) == (found.ok, found.records, found.notes[0].startswith("No STOP closes the run"))


def test_a_torn_tail_is_told_and_no_problem(tmp_path: Path) -> None:
    """What no sync had promised may be torn; a person hears of it."""
    write_run(tmp_path / "run", whole_run()[:-1], sync_after=2)
    path = max((tmp_path / "run").glob("*.ilj"))
    path.write_bytes(path.read_bytes()[:-1])
    found = verify_run(tmp_path / "run")

    assert (True, 4, True) == (found.ok, found.records, found.notes[0].startswith("The tail is torn"))


def test_a_damaged_run_does_not_pass(tmp_path: Path) -> None:
    """One bit in the middle: the file, the byte and the reason are told."""
    write_run(tmp_path / "run", whole_run())
    path = tmp_path / "run" / f"0002-{MONDAY}.ilj"
    raw = bytearray(path.read_bytes())
    raw[500] ^= 1
    path.write_bytes(raw)
    found = verify_run(tmp_path / "run")

    assert (False, 1) == (found.ok, found.records)
    assert f"The journal is damaged from record 1 on (0002-{MONDAY}.ilj, byte " in found.problems[0]


def test_an_empty_run_does_not_pass(tmp_path: Path) -> None:
    """Nothing is not the same as nothing wrong."""
    (tmp_path / "run").mkdir()
    found = verify_run(tmp_path / "run")

    assert (False, "run", 0) == (found.ok, found.run_id, found.records)


def test_a_record_with_a_field_too_many_is_found(tmp_path: Path) -> None:
    """A field that no decoder asks for is still in the head, so it must not be there."""
    pairs = whole_run()
    stop_record = pairs[-1][0]
    extra = {**msgspec.to_builtins(stop_record), "more": 1}
    pairs[-1] = (extra, pairs[-1][1])  # type: ignore[assignment]
    found = verified(tmp_path / "run", pairs)

    assert ["it holds more, or in another form, than a record of this build"] == [
        problem.split(": ")[1].rstrip(".") for problem in found.problems
    ]


def test_the_list_of_problems_has_an_end(tmp_path: Path) -> None:
    """A run that is wrong in every cycle gives a hundred sentences and a count."""
    wrong = [cycle(number, left=holdings(cash=1)) for number in range(1, PROBLEMS_MAX + 6)]
    found = verified(tmp_path / "run", [boot(), *wrong])

    assert (PROBLEMS_MAX + 1, "5 more problems were found and are not listed.") == (
        len(found.problems),
        found.problems[-1],
    )


def test_a_state_that_rises_needs_a_person_who_was_obeyed(tmp_path: Path) -> None:
    """HALTED to ACTIVE with a granted resume passes; without one it does not, nor between two cycles."""
    halted, active = TradingState.HALTED, TradingState.ACTIVE
    granted = (Answer(kind="resume", granted=True, text=""),)
    first = cycle(1, state_before=halted, state_after=halted)
    results = [
        verified(tmp_path / str(case), [boot(), first, second]).ok
        for case, second in enumerate(
            [
                cycle(2, state_before=halted, state_after=active, answers=granted),
                cycle(2, state_before=halted, state_after=active),
                cycle(2, state_before=active, state_after=active),
            ]
        )
    ]

    assert [True, False, False] == results


def test_a_cycle_in_the_file_of_another_date_is_found(tmp_path: Path) -> None:
    """The date in a file's name is that of the cycles in it."""
    write_run(tmp_path / "run", whole_run())
    (tmp_path / "run" / f"0003-{TUESDAY}.ilj").rename(tmp_path / "run" / "0003-2013-10-09.ilj")
    found = verify_run(tmp_path / "run")

    assert any(f"it is of {TUESDAY} and lies in a file of 2013-10-09" in problem for problem in found.problems)


def test_the_outputs_of_a_cycle_have_no_part_that_nobody_looks_at() -> None:
    """A new field of the outputs or of the STOP must be thought about here."""
    looked_at = {"bookings", "ideas", "decisions", "cancels", "answers", "latches_raised", "latches_cleared"}
    looked_at |= {"state_before", "state_after", "holdings"}
    looked_at |= {"gate"}
    told_only = {"scans", "state_no", "stopping"}
    of_stop = {
        "cycle",
        "reports",
        "bookings",
        "exit_code",
        "working",
        "in_doubt",
        "counts",
        "state",
        "closing",
        "holdings",
    }

    assert looked_at | told_only == set(Outputs.__struct_fields__)
    of_gate = {"standings", "day_roll", "proof", "leaves", "tightened"}

    assert of_gate | {"warnings"} == set(GateOutputs.__struct_fields__)
    assert of_stop | {"reason"} == set(Stop.__struct_fields__)
