"""Replay: a run lived again comes out the same, and where the record, the code or the data changed, that is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.replay_stage import STRATEGY, Made, diverged, rewritten, run
from tests.spoken import spoken

from interlock.model.errors import ExitCode
from interlock.model.journal import Boot, BootAside, Cycle, Decided, Record, Stop
from interlock.model.risk import Decision, Verdict
from interlock.proof.causes import Cause, file_words
from interlock.proof.difference import NOTHING, SHOWN_CHARACTERS_MAX, first_difference, shown
from interlock.proof.replay import ReplayReport, other_circumstances, replay_pass
from interlock.shell.journal import FileJournal
from interlock.shell.journal_reader import JournalReader

pytestmark = pytest.mark.usefixtures("path_of_modules")


def first_decision(run_dir: Path) -> tuple[int, Decision]:
    """Return the record and the decision of the first cycle that decided anything."""
    for record in JournalReader(run_dir).records():
        if isinstance(record.decided, Cycle) and record.decided.outputs.decisions:
            return record.seq, record.decided.outputs.decisions[0]
    pytest.fail("the run decided nothing")


def with_decision(change: Callable[[Decision], Decision]) -> Callable[[Record], Decided]:
    """Return how to change the first decision of each cycle."""

    def changed(record: Record) -> Decided:
        decided = record.decided
        if not isinstance(decided, Cycle) or not decided.outputs.decisions:
            return decided
        first, *others = decided.outputs.decisions
        outputs = msgspec.structs.replace(decided.outputs, decisions=(change(first), *others))
        return msgspec.structs.replace(decided, outputs=outputs)

    return changed


def test_run_comes_out_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A run with a strategy of its own is identical, with as many records and the head of its journal."""
    made = run(capsys, tmp_path)
    reader = JournalReader(made.run_dir)
    count = sum(1 for _ in reader.frames())

    assert ReplayReport(identical=True, records=count, head=reader.head, divergence=None) == replay_pass(made.run_dir)


def test_answer_as_json_has_the_promised_names(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`--json` says `identical`, `records`, `head` and `divergence`, which is null where there is none."""
    made = run(capsys, tmp_path)
    code, out, err = spoken(capsys, "replay", str(made.run_dir), "--one-pass", "--json")
    answer = json.loads(out[0])

    assert (0, "", 1) == (code, err, len(out))
    assert ["identical", "records", "head", "divergence"] == list(answer)
    assert (True, None) == (answer["identical"], answer["divergence"])


def test_second_pass_runs_in_a_process_of_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without `--one-pass` the run is lived twice, and the answer says so."""
    made = run(capsys, tmp_path)
    code, out, err = spoken(capsys, "replay", str(made.run_dir))

    assert (0, "") == (code, err)
    assert "lived again twice, the second time under another hash seed, time zone and locale" in out[0]


def test_second_pass_is_under_other_circumstances() -> None:
    """Whatever this process has, the second pass has another hash seed, time zone and locale."""
    once = other_circumstances({})
    again = other_circumstances(once)

    assert ["LC_ALL", "PYTHONHASHSEED", "TZ"] == sorted(once)
    assert [] == [name for name in once if once[name] == again[name]]


def test_changed_observation_is_named_with_its_path(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A number in a check that was changed on the record is found by cycle, record, field and both values."""
    made = run(capsys, tmp_path)
    seq, decision = first_decision(made.run_dir)
    number = next(n for n, check in enumerate(decision.checks) if check.observed is not None)
    observed = decision.checks[number].observed

    def change(decision: Decision) -> Decision:
        checks = list(decision.checks)
        checks[number] = msgspec.structs.replace(checks[number], observed=424_242)
        return msgspec.structs.replace(decision, checks=tuple(checks))

    found = diverged(replay_pass(rewritten(made.run_dir, with_decision(change))))

    assert (seq, f"outputs.decisions[0].checks[{number}].observed") == (found.record, found.field)
    assert ("424242", str(observed)) == (found.recorded, found.replayed)
    assert Cause.RECORD is found.cause


def test_changed_verdict_is_no_strategys_fault(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A verdict that was turned over on the record is laid at the record, as all that made it is unchanged."""
    made = run(capsys, tmp_path)

    def change(decision: Decision) -> Decision:
        other = Verdict.BLOCKED if decision.verdict is Verdict.APPROVED else Verdict.APPROVED
        return msgspec.structs.replace(decision, verdict=other)

    found = diverged(replay_pass(rewritten(made.run_dir, with_decision(change))))

    assert ("outputs.decisions[0].verdict", Cause.RECORD) == (found.field, found.cause)


def test_changed_limit_on_the_first_record_is_laid_at_the_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A limit that is not what the recorded configuration gives is found before the first cycle."""
    made = run(capsys, tmp_path)

    def change(record: Record) -> Decided:
        if not isinstance(record.decided, Boot):
            return record.decided
        limits = list(record.decided.limits)
        limits[1] = msgspec.structs.replace(limits[1], value=1)
        return msgspec.structs.replace(record.decided, limits=tuple(limits))

    report = replay_pass(rewritten(made.run_dir, change))
    found = diverged(report)

    assert (0, 0, "limits[1].value", "1", Cause.CONFIG) == (
        report.records,
        found.record,
        found.field,
        found.recorded,
        found.cause,
    )


def test_changed_limit_in_the_configuration_shows_in_the_limits(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A configuration that was changed on the record gives other limits than those beside it."""
    made = run(capsys, tmp_path)

    def change(record: Record) -> Decided:
        if not isinstance(record.decided, Boot):
            return record.decided
        config = record.decided.config.replace('"max_order_qty":1000', '"max_order_qty":1001')
        assert config != record.decided.config
        return msgspec.structs.replace(record.decided, config=config)

    found = diverged(replay_pass(rewritten(made.run_dir, change)))

    assert ("limits[1].value", "1000", "1001", Cause.CONFIG) == (
        found.field,
        found.recorded,
        found.replayed,
        found.cause,
    )


@pytest.mark.parametrize(
    ("changes", "field", "cause"),
    [
        ({"decision_version": 99}, "decision_version", Cause.CODE),
        ({"config": "{}"}, "", Cause.RECORD),
        ({"config": '{"mode":"SIM","universe":7}'}, "", Cause.RECORD),
    ],
)
def test_first_record_of_another_build_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changes: dict[str, object], field: str, cause: Cause
) -> None:
    """Rules of another version, and a configuration that cannot be read, are named and never lived past."""
    made = run(capsys, tmp_path)

    def change(record: Record) -> Decided:
        decided = record.decided
        return msgspec.structs.replace(decided, **changes) if isinstance(decided, Boot) else decided

    found = diverged(replay_pass(rewritten(made.run_dir, change)))

    assert (0, field, cause) == (found.record, found.field, found.cause)


def test_changed_market_is_laid_at_the_simulator(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A digest that the seed does not draw is named before any decision is looked at."""
    made = run(capsys, tmp_path)

    def change(record: Record) -> Decided:
        decided = record.decided
        if not isinstance(decided, Cycle) or decided.cycle != 4 or decided.inputs.market is None:
            return decided
        market = msgspec.structs.replace(decided.inputs.market, digest="0" * 64)
        return msgspec.structs.replace(decided, inputs=msgspec.structs.replace(decided.inputs, market=market))

    found = diverged(replay_pass(rewritten(made.run_dir, change)))

    assert (4, "inputs.market.digest", "0" * 64, Cause.SIMULATOR) == (
        found.cycle,
        found.field,
        found.recorded,
        found.cause,
    )


def test_last_record_is_lived_again_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A count that was changed in the STOP is found there."""
    made = run(capsys, tmp_path)

    def change(record: Record) -> Decided:
        if not isinstance(record.decided, Stop):
            return record.decided
        (name, count), *others = record.decided.counts
        return msgspec.structs.replace(record.decided, counts=((name, count + 1), *others))

    found = diverged(replay_pass(rewritten(made.run_dir, change)))

    assert "counts[0][1]" == found.field


def test_lost_report_cannot_be_lived_past(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A report that was taken out of the inputs leaves bookings that nothing explains."""
    made = run(capsys, tmp_path)

    def change(record: Record) -> Decided:
        decided = record.decided
        if not isinstance(decided, Cycle):
            return decided
        return msgspec.structs.replace(decided, inputs=msgspec.structs.replace(decided.inputs, reports=()))

    found = diverged(replay_pass(rewritten(made.run_dir, change)))

    assert ("outputs.bookings[0]", NOTHING) == (found.field, found.replayed)


def test_killed_run_is_lived_as_far_as_it_goes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A journal without a STOP, and with a torn tail, comes out the same up to its last whole record."""
    made = run(capsys, tmp_path)
    whole = replay_pass(made.run_dir).records
    target = made.run_dir.with_name("killed")
    target.mkdir()
    records = list(JournalReader(made.run_dir).records())
    with FileJournal.create(target) as journal:
        for record in records[:-2]:
            journal.append(record.decided, record.aside)
        journal.sync()
        journal.append(records[-2].decided, records[-2].aside)
    last = max(target.glob("*.ilj"))
    last.write_bytes(last.read_bytes()[:-5])
    report = replay_pass(target)

    assert (True, whole - 2) == (report.identical, report.records)


def test_damaged_journal_is_told_and_no_match(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A journal that cannot be trusted to its end is never called identical."""
    made = run(capsys, tmp_path)
    last = max(made.run_dir.glob("*.ilj"))
    content = bytearray(last.read_bytes())
    content[len(content) // 2] ^= 1
    last.write_bytes(content)
    found = diverged(replay_pass(made.run_dir))

    assert (Cause.RECORD, True) == (found.cause, "cannot be read on" in found.text)


def csv_run(capsys: pytest.CaptureFixture[str], folder: Path) -> tuple[Made, Path]:
    """Run over a small file of quotes."""
    rows = [
        f"2013-10-07T14:{minute:02d}:00Z,{symbol},{100 + minute}.00,{100 + minute}.02"
        for minute in range(10)
        for symbol in ("SPY", "IBM", "AIG", "BAC")
    ]
    quotes = folder / "quotes.csv"
    quotes.write_text("\n".join(["time,symbol,bid,ask", *rows, ""]), encoding="utf-8")
    source = (
        'kind = "csv"\npath = "quotes.csv"\nrows = "quotes"\n'
        'columns = { time = "time", symbol = "symbol", bid = "bid", ask = "ask" }'
    )
    return run(capsys, folder, source=source, cycles=0), quotes


def test_recorded_market_comes_again_from_its_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A run over a file is identical as long as the file is."""
    made, _ = csv_run(capsys, tmp_path)

    assert True is replay_pass(made.run_dir).identical


def test_changed_file_is_named_before_it_is_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file with other content is the likely cause, by its name, although its length is the same."""
    made, quotes = csv_run(capsys, tmp_path)
    quotes.write_text(quotes.read_text(encoding="utf-8").replace("109.02", "109.03"), encoding="utf-8")
    found = diverged(replay_pass(made.run_dir))

    assert ("origin_identity[quotes.csv]", Cause.DATA) == (found.field, found.cause)
    assert "the file quotes.csv was changed: it is as long as it was" in found.text


def test_file_that_is_gone_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without its file no run can be lived again, and the sentence says which."""
    made, quotes = csv_run(capsys, tmp_path)
    quotes.unlink()
    found = diverged(replay_pass(made.run_dir))

    assert (Cause.DATA, True) == (found.cause, "quotes.csv does not exist" in found.text)


@pytest.mark.parametrize(
    ("then", "now", "words"),
    [
        ("5:ab", "", "the file a is gone"),
        ("", "5:ab", "the file a is new"),
        ("5:ab", "7:cd", "the file a was changed: it was 5 bytes long and is 7"),
    ],
)
def test_words_for_a_file(then: str, now: str, words: str) -> None:
    """Gone, new and changed are three things."""
    assert words == file_words("a", then=then, now=now)


def test_divergence_ends_with_7_and_names_what_changed_since(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The command line exits 7; where versions differ as well, they are named with both values."""
    made = run(capsys, tmp_path)

    def change(record: Record) -> Decided:
        decided = record.decided
        if isinstance(decided, Cycle) and decided.cycle == 2:
            outputs = msgspec.structs.replace(decided.outputs, state_no=9)
            return msgspec.structs.replace(decided, outputs=outputs)
        return decided

    changed = older(rewritten(made.run_dir, change))
    code, out, err = spoken(capsys, "replay", str(changed), "--one-pass")

    assert (ExitCode.FOUND, "") == (code, err)
    assert "NOT IDENTICAL" in out[0]
    assert "outputs.state_no" in out[1]
    assert "numpy from 1.0" in out[1]
    assert "Likely cause: dependency" in out[1]


def older(run_dir: Path) -> Path:
    """Write a record anew as if it had been made with another numpy."""
    target = run_dir.with_name(f"{run_dir.name}-older")
    target.mkdir()
    with FileJournal.create(target) as journal:
        for record in JournalReader(run_dir).records():
            aside = record.aside
            if isinstance(aside, BootAside):
                versions = tuple((name, "1.0" if name == "numpy" else word) for name, word in aside.versions)
                aside = msgspec.structs.replace(aside, versions=versions)
            journal.append(record.decided, aside)
        journal.sync()
    return target


def test_latches_of_the_home_do_not_disturb(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A run that raises the fifth latch of its home raises the fifth again, as its first record says which is next."""
    made = run(capsys, tmp_path, text=STRATEGY.replace("qty=5", "qty=view.cycle if view.cycle < 3 else None"))

    def change(record: Record) -> Decided:
        decided = record.decided
        if isinstance(decided, Boot):
            return msgspec.structs.replace(decided, next_latch_no=5)
        return decided

    found = diverged(replay_pass(rewritten(made.run_dir, change)))

    assert True is replay_pass(made.run_dir).identical
    assert ("outputs.latches_raised[0].latch_id", "L1", "L5") == (found.field, found.recorded, found.replayed)


class Pair(msgspec.Struct, frozen=True):
    """Something to compare."""

    checks: tuple[int, ...]
    verdict: str


def test_difference_is_found_where_it_is() -> None:
    """The first difference is named by its path; a longer list differs at its first item too many."""
    same = first_difference(Pair((1, 2), "no"), Pair((1, 2), "no"))
    longer = first_difference(Pair((1,), "no"), Pair((1, 2), "no"))

    assert "" == same.field
    assert ("checks[1]", NOTHING, "2") == (longer.field, longer.recorded, longer.replayed)
    assert "checks[0]" == first_difference(Pair((1,), "no"), Pair((3,), "yes")).field


def test_long_values_are_cut() -> None:
    """A value is shown as one line of a bounded length, without control characters."""
    assert SHOWN_CHARACTERS_MAX + 3 == len(shown("x" * 5_000))
    assert "a?b" == shown("a\x1bb")
