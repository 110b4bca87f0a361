"""What other limits would have changed: flips both ways, the worst of both paths, and what cannot be compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.replay_stage import STRATEGY, Made, forget, run
from tests.spoken import spoken

from interlock.model.errors import ConfigError, JournalError
from interlock.model.journal import Cycle
from interlock.model.risk import Verdict
from interlock.proof.what_if import WhatIf, what_if
from interlock.shell.journal_reader import JournalReader

pytestmark = pytest.mark.usefixtures("path_of_modules")


def limited(made: Made, *changes: tuple[str, str]) -> Path:
    """Return a configuration like that of a run, with some of its text changed."""
    text = made.config.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path = made.config.with_name("other.toml")
    path.write_text(text, encoding="utf-8")
    return path


def judged_again(made: Made, *changes: tuple[str, str]) -> WhatIf:
    """Return what other limits would have changed."""
    try:
        return what_if(made.run_dir, config_path=str(limited(made, *changes)))
    finally:
        forget(made.module)


ALLOW = ('symbols = ["SPY", "IBM", "BAC"]', 'symbols = ["AIG"]')


def test_same_limits_flip_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Under its own limits a run is what it was: no flip, and the same worst exposure and loss."""
    found = judged_again(run(capsys, tmp_path, cycles=40))

    assert (0, (), 0, 0) == (found.flip_count, found.limits, found.only_then, found.only_now)
    assert found.before == found.after
    assert 0 < found.before.gross_micros


def test_flips_are_told_both_ways_with_their_reason(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What was approved and would be blocked, and what was blocked and would be approved, each with the block."""
    found = judged_again(run(capsys, tmp_path), ALLOW)
    ways = {flip.now: flip.because for flip in found.flips}

    assert {Verdict.APPROVED, Verdict.BLOCKED} == set(ways)
    assert "AIG is not on the allow-list" == ways[Verdict.APPROVED]
    assert "is not on the allow-list" in ways[Verdict.BLOCKED]
    assert (("BAC", "IBM", "SPY"), ("AIG",)) == (found.symbols_then, found.symbols_now)


def test_tighter_limit_is_named_with_both_values(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A limit of four shares blocks all of five, so nothing is held and nothing is lost."""
    found = judged_again(run(capsys, tmp_path), ('"1,000 shares"', '"4 shares"'))

    assert [("max_order_qty", 1_000, 4)] == [(one.key, one.then, one.now) for one in found.limits]
    assert (0, 0, 0) == (found.after.gross_micros, found.after.position_micros, found.after.loss_micros)
    assert 0 < found.before.position_micros <= found.before.gross_micros


def test_limit_of_one_symbol_is_told_as_its_own_and_binds_there_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A limit that only IBM has is none of the account's: it is new by its scope, and blocks the wishes for IBM."""
    own = ("[risk]", '[risk.symbol.IBM]\nmax_order_qty = "4 shares"\n[risk]')
    made = run(capsys, tmp_path)
    found = judged_again(made, own)
    path = limited(made, own)
    told = spoken(capsys, "replay", str(made.run_dir), "--with-config", str(path))[1]
    forget(made.module)

    assert [("symbol:IBM", "max_order_qty", None, 4)] == [
        (one.scope, one.key, one.then, one.now) for one in found.limits
    ]
    assert {Verdict.BLOCKED} == {flip.now for flip in found.flips}
    assert [] == [flip.wish for flip in found.flips if "IBM" not in flip.wish]
    assert "Limits that differ: max_order_qty of symbol IBM from not written to 4 shares." in told


def test_worst_is_what_the_record_adds_up_to(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Gross, position and loss of the recorded path are those of its holdings at the mids of its quotes."""
    made = run(capsys, tmp_path, cycles=40)
    gross: list[int] = []
    largest: list[int] = []
    equity: list[int] = []
    for record in JournalReader(made.run_dir).records():
        if isinstance(record.decided, Cycle) and record.decided.inputs.market is not None:
            px = {quote.symbol: quote.mid_px for quote in record.decided.inputs.market.shown}
            held = record.decided.outputs.holdings
            worth = [each.qty * px[each.symbol] for each in held.positions]
            gross.append(sum(worth))
            largest.append(max(worth, default=0))
            equity.append(held.cash_micros + sum(worth))
    before = judged_again(made).before

    assert (max(gross), max(largest), equity[0] - min(equity)) == (
        before.gross_micros,
        before.position_micros,
        before.loss_micros,
    )


def test_story_of_other_limits_says_what_it_cannot_know(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The answer ends with 0 and says that after the first flip the strategies are on another path."""
    made = run(capsys, tmp_path)
    path = limited(made, ALLOW)
    code, out, err = spoken(capsys, "replay", str(made.run_dir), "--with-config", str(path))
    forget(made.module)
    told = "\n".join(out)

    assert (0, "") == (code, err)
    assert "After the first flip, in cycle 1, fills differ" in told
    assert "Worst then: gross $" in told
    assert 0 == spoken(capsys, "replay", str(made.run_dir), "--with-config", str(path), "--json")[0]


def test_other_limits_need_a_run_that_comes_out_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A run that differs under its own limits cannot be compared, and a file that is not there is refused."""
    made = run(capsys, tmp_path)
    path = limited(made)
    made.module.write_text(STRATEGY.replace("qty=5", "qty=6"), encoding="utf-8")

    with pytest.raises(JournalError, match="cannot be compared"):
        what_if(made.run_dir, config_path=str(path))
    with pytest.raises(ConfigError, match="nowhere.toml"):
        what_if(made.run_dir, config_path=str(tmp_path / "nowhere.toml"))
