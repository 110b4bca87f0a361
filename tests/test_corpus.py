"""The corpus: small journals of real runs that every build verifies, tells and, under the rules of the day, replays."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.corpus.make import STAGE
from tests.corpus.plays import PLAYS
from tests.corpus.shelf import CORPUS, Entry, entries, renew, stored_name, told, verified
from tests.scenario.stage import approved_of, codes_of, cycles_of, decisions_of, ledger, reports_of

from interlock.model.journal import DECISION_VERSION, SCHEMA_VERSION, Stop
from interlock.model.market import FaultCode
from interlock.model.orders import ExecType, OrderClass
from interlock.model.risk import Verdict
from interlock.proof.replay import replay_pass
from interlock.proof.verify import verify_run
from interlock.shell.journal_format import HEAD_NAME
from interlock.shell.journal_reader import EndingKind, JournalReader
from interlock.shell.side_file import SIDE_FILE, side_snapshots
from interlock.shell.strategy_guard import CODE_PREFIX

ENTRIES = entries()
#: The entries of which a replay is promised: replay is promised within one decision version.
OF_THESE_RULES = [entry for entry in ENTRIES if entry.about.decision_version == DECISION_VERSION]
#: Each decision of today lists some seventy checks, so a record of it is three times as long as one of version 1.
BYTES_MAX = 320_000
CYCLES_MAX = 60
EACH = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.folder.name)
#: The versions of which there are entries, schema and decision.
EDITIONS = sorted({(entry.about.schema_version, entry.about.decision_version) for entry in ENTRIES})
OF_EACH_EDITION = pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: f"s{edition[0]}_d{edition[1]}")
TODAY = (SCHEMA_VERSION, DECISION_VERSION)


def named(name: str, edition: tuple[int, int] = TODAY) -> Entry:
    """Return the entry of a play, as it was played under some versions."""
    return Entry(CORPUS / stored_name(name, schema=edition[0], decision=edition[1]))


def renewal(entry: Entry) -> str:
    """Say what to do where the words of this build are not the stored ones."""
    name = entry.folder.name
    return (
        f"This build says something else of the journal {name} than what is stored beside it. If that is a fault, mend "
        f"it. If it is meant: just corpus renew {name}, then read the change in git diff and commit it with your own."
    )


@EACH
def test_stored_journal_verifies_as_it_did(entry: Entry) -> None:
    """What `verify` says is what is stored, the head is that of the day, and all is well."""
    now = verified(entry.journal)

    assert entry.verified.read_text(encoding="utf-8") == now, renewal(entry)
    assert (True, entry.about.head) == (json.loads(now)["ok"], json.loads(now)["head"])


@EACH
def test_stored_journal_is_told_in_the_stored_words(entry: Entry) -> None:
    """What `tell` says is what is stored, byte for byte."""
    assert entry.story.read_bytes() == told(entry.journal).encode(), renewal(entry)


@pytest.mark.parametrize("entry", OF_THESE_RULES, ids=lambda entry: entry.folder.name)
def test_stored_journal_is_lived_again(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within one decision version every record comes out as it was, from what lies in the entry."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    report = replay_pass(entry.journal, files=entry.folder)

    assert "" == ("" if report.divergence is None else report.divergence.text)
    assert (len(entry.records), entry.about.head) == (report.records, report.head)


def test_strategy_that_is_not_in_its_entry_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry without its strategy cannot be lived again, so what is lived again is what lies there."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "killed_hands", raising=False)
    found = replay_pass(named("killed").journal, files=tmp_path).divergence

    assert found is not None
    assert "there is no module 'killed_hands' beside the configuration" in found.text


def test_file_of_data_that_changed_in_its_entry_is_named(tmp_path: Path) -> None:
    """A recorded market is read from the entry, and one changed byte of it is found."""
    rows = (named("bad_rows").folder / "rows.csv").read_bytes()
    (tmp_path / "rows.csv").write_bytes(rows.replace(b"179.90", b"179.91"))
    found = replay_pass(named("bad_rows").journal, files=tmp_path).divergence

    assert found is not None
    assert ("data", "origin_identity[rows.csv]") == (found.cause, found.field)


def flipped(run_dir: Path) -> None:
    """Flip one bit in the middle of the first file."""
    first = min(run_dir.glob("*.ilj"))
    raw = bytearray(first.read_bytes())
    raw[len(raw) // 2] ^= 1
    first.write_bytes(raw)


def shortened(run_dir: Path) -> None:
    """Take the second half of the last file away, of which most was durable."""
    last = max(run_dir.glob("*.ilj"))
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])


def beheaded(run_dir: Path) -> None:
    """Take the head file away."""
    (run_dir / HEAD_NAME).unlink()


@pytest.mark.parametrize("damage", [flipped, shortened, beheaded])
@EACH
def test_damaged_copy_is_not_ok(entry: Entry, damage: Callable[[Path], None], tmp_path: Path) -> None:
    """A copy of a stored journal with one bit flipped, its tail lost or its head file gone does not verify."""
    copy = tmp_path / "copy"
    shutil.copytree(entry.journal, copy)
    whole = verify_run(copy).ok
    damage(copy)

    assert (True, False) == (whole, verify_run(copy).ok)


@EACH
def test_stored_versions_are_known_and_those_of_the_record(entry: Entry) -> None:
    """Each entry is of a schema that this build knows, and its versions are those of its first record."""
    boot, _ = entry.boot
    about = entry.about

    assert 1 <= about.schema_version <= SCHEMA_VERSION
    assert (about.schema_version, about.decision_version) == (boot.schema_version, boot.decision_version)


def test_each_play_is_stored_under_the_versions_of_this_build() -> None:
    """A build with a new schema or decision version brings runs of its own, so that replay is never tried on none."""
    missing = [name for play in PLAYS for name in play.names if not named(name).journal.is_dir()]

    assert [] == missing, "The versions of this build have no run of these. Play them: just corpus new"


@EACH
def test_strategy_of_an_entry_is_the_one_that_ran(entry: Entry) -> None:
    """The code beside a journal is byte for byte the code that its first record names."""
    _, aside = entry.boot
    ran = {name.removeprefix(CODE_PREFIX): sha256 for name, sha256 in aside.versions if name.endswith(".py")}

    assert ran == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in entry.folder.glob("*.py")}


@EACH
def test_entry_is_small(entry: Entry) -> None:
    """A stored journal has few cycles and few bytes, as every clone carries it."""
    size = sum(path.stat().st_size for path in entry.journal.iterdir())

    assert size <= BYTES_MAX
    assert len(entry.records) <= CYCLES_MAX


@EACH
def test_entry_names_no_place_but_the_stage(entry: Entry) -> None:
    """Every path on a first record is one of the stage, so an entry says nothing of anybody's machine."""
    _, aside = entry.boot
    paths = [path for path in (aside.home, aside.config_path, aside.source_where) if path.startswith("/")]

    assert [] == [path for path in paths if not path.startswith(f"{STAGE}/")]


def stop_of(entry: Entry) -> Stop | None:
    """Return the last record of an entry, None where no STOP closes it."""
    last = entry.records[-1].decided
    return last if isinstance(last, Stop) else None


def latches_of(entry: Entry) -> list[str]:
    """Return the codes of the latches that were raised in an entry."""
    return [latch.code for cycle in cycles_of(entry.records) for latch in cycle.outputs.latches_raised]


@OF_EACH_EDITION
def test_corpus_holds_each_way_to_end(edition: tuple[int, int]) -> None:
    """A clean end, a latched one, a killed run and a torn tail are there."""
    names = ("first", "sigterm", "latched", "overrun", "killed", "torn_tail")
    stops = {name: stop_of(named(name, edition)) for name in names}
    reader = JournalReader(named("torn_tail", edition).journal)
    list(reader.records())

    assert [0, 0, 3, 3, -1, -1] == [-1 if stop is None else stop.exit_code for stop in stops.values()]
    assert EndingKind.TORN is reader.ending.kind


def kinds_of(entry: Entry) -> list[str]:
    """Return what people asked for in an entry, in order."""
    return [command.kind for cycle in cycles_of(entry.records) for command in cycle.inputs.commands]


@OF_EACH_EDITION
def test_corpus_holds_what_people_and_machines_do(edition: tuple[int, int]) -> None:
    """A halt that was cleared, entries cancelled by a stop, a failing strategy and a slow machine are there."""
    cancelled = [report.exec_type for report in reports_of(named("sigterm", edition).records[-1:])]

    assert [ExecType.CANCELED] * 4 == cancelled
    assert ["halt", "resume", "resume", "stop"] == kinds_of(named("human_halt", edition))
    assert (["STRATEGY_FAULT"], ["CYCLE_OVERRUN"]) == (
        latches_of(named("strategy_fault", edition)),
        latches_of(named("overrun", edition)),
    )


@OF_EACH_EDITION
def test_corpus_holds_every_kind_of_bad_market(edition: tuple[int, int]) -> None:
    """Bad rows of every kind are there, and orders blocked for a missing, stale, crossed and halted quote."""
    markets = [cycle.inputs.market for cycle in cycles_of(named("bad_rows", edition).records)]
    faults = {fault.code for market in markets if market for fault in market.faults}
    decisions = decisions_of(named("dirty_market", edition).records)
    blocked = {code for decision in decisions for code in codes_of(decision)}

    assert set() == {code for code in FaultCode if code.value.startswith("ROW_")} - faults
    assert set() == {"QUOTE_MISSING", "DATA_STALE", "MARKET_CROSSED", "SYMBOL_HALTED"} - blocked


@OF_EACH_EDITION
def test_corpus_holds_an_account_that_is_carried_on(edition: tuple[int, int]) -> None:
    """The second PAPER run begins where the killed one ended: at its head, with its cash, shares and open orders."""
    killed, carried = named("paper_killed", edition), named("paper_carried", edition).boot[0].carried
    own = ledger(killed.records)

    assert killed.about.head == carried.previous_head
    assert (3, True) == (len(own.held), len(own.working) > 0)
    assert (own.cash_micros, own.held, own.working) == (
        carried.account.cash_micros,
        {(position.strategy_id, position.symbol): position.qty for position in carried.positions},
        {order.cl_ord_id: order.leaves_qty for order in carried.orders},
    )


def test_corpus_holds_a_soft_block_and_what_a_human_let_through() -> None:
    """A wish that only a soft control blocked is there, and the same one after a leave, which is used up by it."""
    alone = {tuple(codes_of(one)) for one in decisions_of(named("soft_block").records)}
    entry = named("allowed")
    passed = [check for one in approved_of(entry.records) for check in one.checks if check.source == "leave"]
    leaves = [len(cycle.outputs.of_gate.leaves) for cycle in cycles_of(entry.records)]

    assert {("ORDER_NOTIONAL_LARGE",)} == alone
    assert (["allow", "stop"], 1) == (kinds_of(entry), len(approved_of(entry.records)))
    assert ["ORDER_NOTIONAL_LARGE"] == [check.code.value for check in passed]
    assert "it was looked at, and is meant so" in passed[0].note
    assert 0 == leaves[-1]


def test_corpus_holds_a_limit_that_was_made_stricter() -> None:
    """A person tightens a limit in the midst of a run: what passed before is blocked by it, and by nothing else."""
    entry = named("tightened")
    cycles = cycles_of(entry.records)
    (at,) = [ix for ix, cycle in enumerate(cycles) if cycle.outputs.of_gate.tightened]
    entries = [
        (ix >= at, codes_of(decision))
        for ix, cycle in enumerate(cycles)
        for decision in cycle.outputs.decisions
        if decision.intent.order_class is OrderClass.ENTRY
    ]

    assert [("max_order_qty", 50)] == [(limit.key, limit.value) for limit in cycles[at].outputs.of_gate.tightened]
    assert {(False, ()), (True, ("ORDER_QTY_MAX",))} == {(is_after, tuple(codes)) for is_after, codes in entries}


def test_corpus_holds_a_day_that_lost_too_much() -> None:
    """A warning at half of the limit, the latches of account and strategy, then exits alone, and the harder latches."""
    entry = named("daily_loss")
    cycles = cycles_of(entry.records)
    (warned, *_) = [ix for ix, cycle in enumerate(cycles) if cycle.outputs.of_gate.warnings]
    (tripped, *_) = [ix for ix, cycle in enumerate(cycles) if cycle.outputs.latches_raised]
    after = {
        (decision.intent.order_class, decision.verdict)
        for cycle in cycles[tripped:]
        for decision in cycle.outputs.decisions
    }

    assert ["DAILY_LOSS", "STRATEGY_LOSS", "DAILY_LOSS_HARD", "STRATEGY_LOSS_HARD"] == latches_of(entry)
    assert warned < tripped
    assert {(OrderClass.ENTRY, Verdict.BLOCKED), (OrderClass.EXIT, Verdict.APPROVED)} == after


@OF_EACH_EDITION
def test_side_file_of_the_corpus_holds_every_snapshot(edition: tuple[int, int]) -> None:
    """The snapshots of the side file have the digests that the journal names, in order."""
    pytest.importorskip("pyarrow", reason="needs the extra `data`: uv sync --group full --all-extras")
    entry = named("recorded_market", edition)
    seen = [cycle.inputs.market.digest for cycle in cycles_of(entry.records) if cycle.inputs.market]

    assert (entry.journal / SIDE_FILE).is_file()
    assert seen == [snapshot.digest for snapshot in side_snapshots(entry.journal)]


def test_renewal_stores_the_words_and_leaves_the_journal_alone(tmp_path: Path) -> None:
    """A renewal writes again what is told and verified, says that it changed, and touches nothing else."""
    entry = Entry(tmp_path / "copy")
    shutil.copytree(named("sigterm").folder, entry.folder)
    entry.story.write_text("another story\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in (entry.folder / "entry.json", *sorted(entry.journal.iterdir()))}
    answers = (renew(entry), renew(entry))

    assert (True, False) == answers
    assert named("sigterm").story.read_bytes() == entry.story.read_bytes()
    assert before == {path: path.read_bytes() for path in before}
