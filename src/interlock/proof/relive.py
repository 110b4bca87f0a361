"""A run lived again: everything that its first record names is made anew, and its recorded inputs go through `step`.

Floor 3 (proof). It sends nothing and writes nothing; the market comes from the source, which makes it again, and what
the venue, people and the host said comes from the record. On the trip: none; `replay` and `what_if` live runs here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from interlock.config_risk import RiskConfig
from interlock.core.closing import BROKE, broken, closing_record, cycle_record
from interlock.core.step import Gathered, step
from interlock.model.errors import ExitCode
from interlock.model.journal import Boot, BootAside, Cycle, Inputs, Stop
from interlock.model.market import MarketSnapshot
from interlock.shell.sources.kept import kept_source
from interlock.shell.strategy_guard import code_files
from interlock.shell.strategy_watch import StrategyWatch
from interlock.wiring import (
    Wired,
    boot_of,
    opened,
    recorded_config,
    recorded_start_ns,
    rules_of,
    versions_of,
    wired,
)

#: What the head of a record that holds nothing is.
NO_HEAD = bytes(hashlib.sha256().digest_size)


class Life:
    """One run, lived again from its first record on."""

    def __init__(self, boot: Boot, aside: BootAside, *, run_dir: Path, watch: StrategyWatch) -> None:
        """Make everything that the first record names; each call of a strategy is watched.

        Where the run kept its snapshots whole, those are seen, and the source is not needed any more.

        Raises:
            ConfigError: a strategy cannot be loaded any more.
            DataError: the source cannot be read any more.
            JournalError: the configuration on the record cannot be read.
        """
        config = recorded_config(boot, aside)
        kept = kept_source(run_dir, boot)
        self._is_kept = kept is not None
        made = wired(config, boot.mode, start_ns=recorded_start_ns(boot), kept=kept)
        self.made: Wired = msgspec.structs.replace(made, strategies=watch.over(made.strategies))
        self.state = opened(self.made, boot.carried, next_latch_no=boot.next_latch_no)
        files = code_files(tuple(written.use for written in config.strategies), folder=config.folder)
        self.versions = versions_of(files)
        self._carried = boot.carried

    def boot(self) -> Boot:
        """Return the first record of a run that starts here and now from the same configuration."""
        return boot_of(self.made, self.state, carried=self._carried)

    def snapshot(self, inputs: Inputs) -> MarketSnapshot | None:
        """Return the snapshot of a cycle, made again; None for a cycle that looked at no market, or after the last.

        Raises:
            DataError: the source cannot be read on.
        """
        if inputs.market is None:
            return None
        snapshot = self.made.source.next()
        if snapshot is None or not self._is_kept:
            return snapshot
        # What was dropped on the way to a snapshot is on the record, not in the side file.
        return msgspec.structs.replace(snapshot, faults=inputs.market.faults)

    def cycle(self, inputs: Inputs, snapshot: MarketSnapshot | None) -> Cycle:
        """Live one cycle over its recorded inputs, and return its record.

        Raises:
            InvariantError: the inputs cannot be folded into the state that was reached.
        """
        gathered = Gathered(
            snapshot=snapshot,
            reports=inputs.reports,
            commands=inputs.commands,
            trips=inputs.trips,
            is_told=inputs.is_told,
        )
        stepped = step(self.state, rules=self.made.rules, strategies=self.made.strategies, gathered=gathered)
        self.state = stepped.state
        return cycle_record(stepped)

    def stop(self, recorded: Stop, *, head: bytes) -> Stop:
        """Live the end of the run over its last reports, and return its record.

        What works at the gateway, the reason, and that a cycle broke come from outside of the decisions, and are
        taken from the record.

        Raises:
            InvariantError: the last reports cannot be folded into the state that was reached.
        """
        has_broken = recorded.exit_code == ExitCode.INVARIANT and recorded.reason.startswith(BROKE)
        state = broken(self.state, recorded.reason) if has_broken else self.state
        self.state, stop = closing_record(
            state,
            reports=recorded.reports,
            at_gateway=recorded.working,
            reason=recorded.reason,
            at_least=ExitCode.INVARIANT if has_broken else ExitCode.CLEAN,
            head=head.hex(),
        )
        return stop


def with_limits(made: Wired, risk: RiskConfig | None) -> Wired:
    """Return the same parts, judged by another risk section."""
    config = msgspec.structs.replace(made.config, risk=risk)
    return msgspec.structs.replace(made, config=config, rules=rules_of(config, made.mode, source=made.source))
