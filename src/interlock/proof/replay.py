"""Live a run again from its record, and say whether it is the same, byte for byte, and if not, where and why.

Floor 3 (proof). It sends nothing and writes to no run. It stands after the trip: `interlock replay` asks here.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from interlock.model.errors import ConfigError, DataError, ExitCode, InterlockError, JournalError
from interlock.model.journal import Boot, BootAside, Cycle, Record, Stop
from interlock.model.market import Origin
from interlock.model.units import plain
from interlock.proof.causes import Cause, Likely, Made, file_words, likely_cause
from interlock.proof.difference import NOTHING, Difference, first_difference, shown
from interlock.proof.relive import NO_HEAD, Life
from interlock.shell.journal_format import Frame
from interlock.shell.journal_reader import JournalReader, decode
from interlock.shell.strategy_watch import Reach, StrategyWatch

#: How much longer than the first the second pass may take before it is given up.
SECOND_PASS_SECONDS_MAX = 3_600


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """The first place where the run, lived again, is not what was recorded.

    Attributes:
        cycle: number of the cycle, or that of the carried state for the first record.
        record: number of the record, from 0.
        field: path in its decided part, such as `outputs.decisions[0].checks[3].observed`; "" for none.
        recorded: the value on the record.
        replayed: the value that came out now.
        cause: the likely one: `data`, `simulator`, `strategy`, `config`, `code`, `python`, `dependency`, `record`.
        text: all of it as sentences.
    """

    cycle: int
    record: int
    field: str
    recorded: str
    replayed: str
    cause: Cause
    text: str


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay found; as JSON it is the answer of `interlock replay --json`.

    Attributes:
        identical: True if every record came out as it was.
        records: how many records came out as they were.
        head: SHA-256 over their decided parts as they came out now, hexadecimal.
        divergence: the first place where one did not, None if all did.
    """

    identical: bool
    records: int
    head: str
    divergence: Divergence | None


def replay_run(run_dir: Path, *, environ: Mapping[str, str]) -> ReplayReport:
    """Live a run again twice: here, and in a process of its own with another hash seed, time zone and locale.

    Args:
        run_dir: the run's folder.
        environ: the environment of this process.

    Returns:
        What the first pass found, or, where that is nothing, what the second did.

    Raises:
        InterlockError: nothing can be compared: no record, no strategy, no data.
    """
    changes = other_circumstances(environ)
    words = (sys.executable, "-P", "-m", "interlock", "replay", str(run_dir.resolve()), "--one-pass", "--json")
    with subprocess.Popen(  # noqa: S603 - our own words
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environ, **changes},
    ) as second:
        try:
            here = replay_pass(run_dir)
            if not here.identical:
                return here
            out, err = second.communicate(timeout=SECOND_PASS_SECONDS_MAX)
        except subprocess.TimeoutExpired as error:
            message = (
                f"The second pass of the replay did not end within {SECOND_PASS_SECONDS_MAX:,} s of the first, which "
                "found no difference: a strategy hangs under another hash seed, time zone or locale."
            )
            raise ConfigError(message) from error
        finally:
            second.kill()
    try:
        there = msgspec.json.decode(out, type=ReplayReport)
    except msgspec.MsgspecError as error:
        why = plain(err.decode(errors="replace").strip().splitlines()[-1][:300]) if err.strip() else "it said nothing"
        message = f"The second pass of the replay ended without an answer: {why}. The first found no difference."
        raise JournalError(message) from error
    return _compared(here, there, changes)


def other_circumstances(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process in which nothing that decides may come out otherwise."""
    return {
        "PYTHONHASHSEED": "2" if environ.get("PYTHONHASHSEED") == "1" else "1",
        "TZ": "UTC" if environ.get("TZ") == "Pacific/Kiritimati" else "Pacific/Kiritimati",
        "LC_ALL": "C.UTF-8" if environ.get("LC_ALL") == "C" else "C",
    }


def replay_pass(run_dir: Path, *, files: Path | None = None) -> ReplayReport:
    """Live a run again once, in this process.

    Args:
        run_dir: the run's folder.
        files: where its strategies and recorded data lie now, under the names that they had; None: where they lay.

    Raises:
        InterlockError: nothing can be compared: no record, no strategy, no data.
    """
    reader = JournalReader(run_dir)
    with StrategyWatch() as watch:
        comparison = _Comparison(run_dir, watch, files=files)
        for frame in reader.frames():
            divergence = comparison.take(frame)
            if divergence is not None:
                return comparison.report(divergence)
    ending = reader.ending
    if not ending.is_trusted or comparison.records == 0:
        return comparison.report(comparison.untrusted(ending.reason or "it holds no record"))
    return comparison.report(None)


def answer(
    run_dir: Path, *, is_once: bool, as_json: bool, environ: Mapping[str, str], say: Callable[[str], None]
) -> ExitCode:
    """Live a run again and say what came of it.

    Args:
        run_dir: the run's folder.
        is_once: leave the second pass out.
        as_json: say it as one JSON object.
        environ: the environment of this process.
        say: takes each line.

    Returns:
        0 where every record came out as it was, else 7.
    """
    report = replay_pass(run_dir) if is_once else replay_run(run_dir, environ=environ)
    if as_json:
        say(msgspec.json.encode(report).decode())
    elif report.divergence is None:
        how = "once" if is_once else "twice, the second time under another hash seed, time zone and locale"
        say(f"IDENTICAL: run {plain(run_dir.name)}, {report.records:,} records lived again {how}, head {report.head}")
    else:
        say(f"NOT IDENTICAL: run {plain(run_dir.name)}, {report.records:,} records came out as they were.")
        say(f"  {report.divergence.text}")
    return ExitCode.CLEAN if report.identical else ExitCode.FOUND


class _Comparison:
    """Takes the frames of one run in order, and compares each with what comes out now."""

    def __init__(self, run_dir: Path, watch: StrategyWatch, *, files: Path | None) -> None:
        self.records = 0
        self._run_dir = run_dir
        self._files = files
        self._head = NO_HEAD
        self._watch = watch
        self._life: Life | None = None
        self._made = Made(kind="", changes=())
        self._cycle_no = 0

    def report(self, divergence: Divergence | None) -> ReplayReport:
        return ReplayReport(
            identical=divergence is None, records=self.records, head=self._head.hex(), divergence=divergence
        )

    def take(self, frame: Frame) -> Divergence | None:
        """Live one record again; return where it differs, or None."""
        try:
            record = decode(frame)
        except ValueError as error:
            return self.untrusted(f"it is not of a form that this build reads ({error})")
        decided = record.decided
        if isinstance(decided, Boot):
            return self._boot(frame, decided, record)
        if self._life is None:
            return self.untrusted("the first is not a BOOT, so nobody knows how the run was made")
        try:
            if isinstance(decided, Cycle):
                return self._cycle(frame, decided, life=self._life)
            return self._compare(frame, decided, self._life.stop(decided, head=self._head))
        except InterlockError as error:
            field = "inputs.market" if isinstance(error, DataError) else "outputs"
            return self._differs(frame, decided, Difference(field=field, recorded="a record", replayed=str(error)))

    def untrusted(self, why: str) -> Divergence:
        """Return that the next record is none that can be lived again."""
        difference = Difference(field="", recorded="a record", replayed="none that can be trusted")
        words = f"The record itself cannot be read on: {why}. See: interlock verify"
        return self._diverged(self.records, self._cycle_no, difference, likely=Likely(cause=Cause.RECORD, words=words))

    def _boot(self, frame: Frame, boot: Boot, record: Record) -> Divergence | None:
        if self._life is not None or not isinstance(record.aside, BootAside):
            return self.untrusted("it is a second BOOT, and a run has one")
        try:
            self._life = life = Life(boot, _moved(record.aside, self._files), run_dir=self._run_dir, watch=self._watch)
        except DataError as error:
            return self._unmade(boot, Cause.DATA, str(error))
        except ConfigError as error:
            return self._unmade(boot, Cause.STRATEGY, str(error))
        except JournalError as error:
            return self.untrusted(str(error))
        then, now = dict(record.aside.versions), dict(life.versions)
        changes = tuple(
            (name, then.get(name, NOTHING), now.get(name, NOTHING))
            for name in dict.fromkeys([*then, *now])
            if then.get(name) != now.get(name)
        )
        self._made = Made(kind=boot.origin_kind, changes=changes)
        origin = life.made.source.origin
        if boot.origin_kind != "simulated" and origin.identity != boot.origin_identity:
            return self._other_files(boot, origin)
        return self._compare(frame, boot, life.boot())

    def _unmade(self, boot: Boot, cause: Cause, why: str) -> Divergence:
        """Say what the run was made with and is not there any more."""
        field = "origin_identity" if cause is Cause.DATA else "strategies"
        recorded = shown(boot.origin_identity if cause is Cause.DATA else boot.strategies)
        difference = Difference(field=field, recorded=recorded, replayed=NOTHING)
        return self._diverged(0, boot.carried.cycle, difference, likely=Likely(cause=cause, words=plain(why)))

    def _other_files(self, boot: Boot, origin: Origin) -> Divergence:
        """Name the first file that is gone, new or changed."""
        then, now = dict(boot.origin_identity), dict(origin.identity)
        name = next(each for each in dict.fromkeys([*then, *now]) if then.get(each) != now.get(each))
        difference = Difference(
            field=f"origin_identity[{name}]", recorded=then.get(name, NOTHING), replayed=now.get(name, NOTHING)
        )
        words = f"In {plain(origin.where)}, {plain(file_words(name, then=then.get(name, ''), now=now.get(name, '')))}."
        return self._diverged(0, boot.carried.cycle, difference, likely=Likely(cause=Cause.DATA, words=words))

    def _cycle(self, frame: Frame, cycle: Cycle, *, life: Life) -> Divergence | None:
        market = cycle.inputs.market
        snapshot = life.snapshot(cycle.inputs)
        digest = "the source has no more data" if snapshot is None else snapshot.digest
        if market is not None and market.digest != digest:
            difference = Difference(field="inputs.market.digest", recorded=market.digest, replayed=digest)
            return self._differs(frame, cycle, difference)
        lived = life.cycle(cycle.inputs, snapshot)
        if self._watch.reaches:
            return self._reached(frame, cycle, self._watch.reaches[0])
        return self._compare(frame, cycle, lived)

    def _reached(self, frame: Frame, cycle: Cycle, reach: Reach) -> Divergence:
        names = [idea.strategy_id for idea in cycle.outputs.ideas]
        number = names.index(reach.strategy_id) if reach.strategy_id in names else 0
        because = cycle.outputs.ideas[number].because if names else NOTHING
        difference = Difference(
            field=f"outputs.ideas[{number}]", recorded=shown(because), replayed=f"it reached for {reach.function}"
        )
        return self._diverged(
            frame.seq, cycle.cycle, difference, likely=Likely(cause=Cause.STRATEGY, words=reach.words)
        )

    def _compare(self, frame: Frame, recorded: Boot | Cycle | Stop, lived: Boot | Cycle | Stop) -> Divergence | None:
        encoded = msgspec.msgpack.encode(lived)
        if encoded != frame.decided:
            return self._differs(frame, recorded, first_difference(recorded, lived))
        self.records += 1
        self._cycle_no = _cycle_of(recorded)
        self._head = hashlib.sha256(self._head + encoded).digest()
        return None

    def _differs(self, frame: Frame, recorded: Boot | Cycle | Stop, difference: Difference) -> Divergence:
        likely = likely_cause(recorded, difference.field, made=self._made)
        return self._diverged(frame.seq, _cycle_of(recorded), difference, likely=likely)

    def _diverged(self, seq: int, cycle: int, difference: Difference, *, likely: Likely) -> Divergence:
        where = f" in {difference.field}" if difference.field else ""
        text = (
            f"Record {seq} (cycle {cycle}) is the first that differs{where}: recorded {difference.recorded!r}, "
            f"replayed {difference.replayed!r}. Likely cause: {likely.cause}. {likely.words}"
        )
        return Divergence(
            cycle=cycle,
            record=seq,
            field=difference.field,
            recorded=difference.recorded,
            replayed=difference.replayed,
            cause=likely.cause,
            text=plain(text),
        )


def _moved(aside: BootAside, files: Path | None) -> BootAside:
    """Return the aside of a run whose configuration, strategies and data lie in another folder now.

    Paths decide nothing, so nothing that is compared can change with them; other content is found by its hash.
    """
    if files is None:
        return aside
    return msgspec.structs.replace(
        aside,
        config_path=str(files / Path(aside.config_path).name) if aside.config_path else "",
        source_where=str(files / Path(aside.source_where).name),
    )


def _cycle_of(decided: Boot | Cycle | Stop) -> int:
    return decided.carried.cycle if isinstance(decided, Boot) else decided.cycle


def _compared(here: ReplayReport, there: ReplayReport, changes: Mapping[str, str]) -> ReplayReport:
    """Return what two passes found together."""
    told = " ".join(f"{name}={value}" for name, value in changes.items())
    found = there.divergence
    if found is not None:
        text = f"Only the second pass differs, under {told}: what decides depends on it. {found.text}"
        return msgspec.structs.replace(there, divergence=msgspec.structs.replace(found, text=text))
    if (here.records, here.head) != (there.records, there.head):
        message = (
            f"Two passes of the replay read different records, {here.records:,} and {there.records:,}, so the run is "
            "alive. Replay it once it has ended."
        )
        raise ConfigError(message)
    return here
