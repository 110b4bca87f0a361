"""Recovery: what a run left, from its own record, and what the next start makes of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from tests.core_factory import (
    ASK_PX,
    SYMBOLS,
    command,
    fill,
    gathered,
    latch,
    limits,
    order,
    rules,
    state,
    stepped,
    wish,
)
from tests.journal_factory import OPENING_MICROS, boot, whole_run, write_run
from tests.journal_factory import cycle as cycle_of

from interlock.core.recover import recover
from interlock.core.state import Tally, counts_of, holdings_of, nothing_carried, opening_state, to_carry
from interlock.core.step import step
from interlock.model.errors import JournalError
from interlock.model.journal import Boot, Carried, Cycle
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import Cancel, OrderClass, OrdStatus, Position, Side
from interlock.shell.home import RUNS_FOLDER
from interlock.shell.recovery import recovered, remember_run

EMPTY_HANDED = nothing_carried(OPENING_MICROS, ())


def boot_of(handed_over: Carried = EMPTY_HANDED) -> Boot:
    """Return the first record of a run."""
    decided, _ = boot(handed_over=handed_over)
    assert isinstance(decided, Boot)
    return msgspec.structs.replace(decided, universe=SYMBOLS, limits=limits().everywhere())


def test_a_run_of_no_cycles_leaves_what_it_was_given() -> None:
    """A process that was killed right after its first record changed nothing."""
    handed = msgspec.structs.replace(EMPTY_HANDED, orders=(order(),), latches=(latch(),), cycle=7)

    left = msgspec.structs.replace(handed, previous_head="h", limits=limits().everywhere())
    assert left == recover(boot_of(handed), [], head="h")


def test_an_approval_without_a_word_comes_back_as_pending() -> None:
    """The synced approval is the attempt itself: it is never taken for unsent."""
    lived = stepped(state(), wish())
    record = Cycle(cycle=1, inputs=lived.inputs, outputs=lived.outputs)
    (left,) = recover(boot_of(), [record], head="").orders

    assert (OrdStatus.PENDING_NEW, "000001-001", False) == (left.ord_status, left.cl_ord_id, left.in_doubt)


def test_a_cancel_that_was_asked_for_comes_back_as_asked_for() -> None:
    """The flag of a cancel is part of what was written."""
    handed = msgspec.structs.replace(EMPTY_HANDED, orders=(order(),), latches=(latch(),))
    lived = stepped(state(orders=(order(),), latches=(latch(),)))
    record = Cycle(cycle=1, inputs=lived.inputs, outputs=lived.outputs)

    assert [True] == [left.cancel_pending for left in recover(boot_of(handed), [record], head="").orders]


def test_the_cycle_that_stopped_comes_back_without_a_market() -> None:
    """A run that was killed between its stop and its last record keeps its time, its cancels and its count."""
    handed = msgspec.structs.replace(EMPTY_HANDED, orders=(order(),))
    asked = gathered(commands=(command("stop"),))
    lived = step(state(orders=(order(),)), rules=rules(), strategies={}, gathered=asked)
    record = Cycle(cycle=1, inputs=lived.inputs, outputs=lived.outputs)
    left = recover(boot_of(handed), [record], head="h")

    assert to_carry(lived.state, head="h") == left
    assert [True] == [each.cancel_pending for each in left.orders]


def test_a_cancel_of_an_order_that_is_not_open_changes_nothing() -> None:
    """A cancel on the record whose order is gone, in a record of another version, is no reason to fail."""
    decided, _ = cycle_of(1)
    assert isinstance(decided, Cycle)
    cancel = Cancel(cl_ord_id="000009-009", because="it was asked for")
    odd = msgspec.structs.replace(decided, outputs=msgspec.structs.replace(decided.outputs, cancels=(cancel,)))

    assert () == recover(boot_of(), [odd], head="").orders


def test_latches_come_back_as_they_were_written_and_not_as_the_folds_would_number_them() -> None:
    """A run that began at latch L5 keeps its own numbers."""
    before = msgspec.structs.replace(state(orders=(order(),)), next_latch_no=5)
    lived = stepped(before, reports=(fill(11, cum=11),))
    handed = msgspec.structs.replace(EMPTY_HANDED, orders=(order(),))
    record = Cycle(cycle=1, inputs=lived.inputs, outputs=lived.outputs)

    assert ["L5"] == [each.latch_id for each in recover(boot_of(handed), [record], head="").latches]


def test_a_cleared_latch_does_not_come_back() -> None:
    """What a person cleared is gone for the next run too."""
    handed = msgspec.structs.replace(EMPTY_HANDED, latches=(latch("L1"), latch("L2", code="OTHER")))
    decided, _ = cycle_of(1, latches_cleared=("L1",))
    assert isinstance(decided, Cycle)

    assert ["L2"] == [each.latch_id for each in recover(boot_of(handed), [decided], head="").latches]


def test_a_flat_position_is_carried_as_left() -> None:
    """What is held is carried as held, and what was left is remembered for what it realised."""
    carried = to_carry(state(held={"SPY": 10, "IBM": 0}), head="h")

    assert (["SPY"], "h", 0) == ([p.symbol for p in carried.positions], carried.previous_head, carried.cycle)
    assert ["IBM"] == [p.symbol for p in carried.left]


@pytest.mark.parametrize(
    ("scope", "level", "after"),
    [("account", "REDUCING", "REDUCING"), ("account", "HALTED", "HALTED"), ("symbol:SPY", "HALTED", "ACTIVE")],
)
def test_a_carried_latch_of_the_account_lowers_the_start(scope: str, level: str, after: str) -> None:
    """A run never starts higher than a standing latch allows."""
    stands = msgspec.structs.replace(latch(scope=scope), level=TradingState(level))

    assert after == state(latches=(stands,)).trading_state


def test_the_opening_state_counts_on_and_knows_what_was_carried() -> None:
    """Orders, positions and the number of the last cycle come over, and carried orders are accounted for."""
    ended = order("000002-001", ord_status=OrdStatus.CANCELED)
    held = Position(strategy_id="cross", symbol="SPY", qty=3, cost_micros=1, realized_micros=2)
    handed = msgspec.structs.replace(EMPTY_HANDED, cycle=41, orders=(order(), ended), positions=(held,))
    opened = opening_state(
        handed, start=TradingState.HALTED, universe=SYMBOLS, limits=limits(), scanners=(), next_latch_no=3
    )

    assert (41, 1, 3, [0, 0, 0]) == (
        opened.cycle,
        opened.tally.carried,
        opened.next_latch_no,
        opened.confirmed_px.tolist(),
    )
    assert (3, ["000001-001"]) == (opened.portfolio.qty("cross", "SPY"), list(opened.blotter.open_orders))


def test_holdings_and_counts_tell_what_is_open_and_what_is_in_doubt() -> None:
    """A person's first question is answered from the state."""
    sale = order("000001-002", side=Side.SELL, order_class=OrderClass.EXIT, in_doubt=True)
    lived = state(orders=(order(), sale), held={"SPY": 10, "IBM": 0})
    told = holdings_of(lived)

    assert (["SPY"], OPENING_MICROS, 2, 1) == (
        [p.symbol for p in told.positions], told.cash_micros, told.open_orders, told.in_doubt,
    )  # fmt: skip
    assert {"carried": 2, "working": 1, "in_doubt": 1} == {name: n for name, n in counts_of(lived) if n}


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (OrdStatus.NOT_SENT, "not_sent"),
        (OrdStatus.REJECTED, "rejected"),
        (OrdStatus.CANCELED, "cancelled"),
        (OrdStatus.FILLED, "filled"),
        (OrdStatus.EXPIRED, "expired"),
    ],
)
def test_each_end_is_counted_by_its_name(status: OrdStatus, name: str) -> None:
    """An order that ends is counted once, as it ended."""
    assert Tally(**{name: 1}) == Tally().ended(status)


def killed_run(home: Path, *, mode: str) -> Path:
    """Write the record of a run that was killed after an approval and a fill, and return its folder."""
    first = stepped(state(), wish())
    second = stepped(first.state, reports=(fill(4, cum=4, fee_micros=7),))
    name = f"20131007T143000Z-{mode}-abcd"
    records = [boot(run_id=name, handed_over=EMPTY_HANDED)]
    for number, lived in enumerate((first, second), start=1):
        _, aside = cycle_of(number)
        records.append((Cycle(cycle=number, inputs=lived.inputs, outputs=lived.outputs), aside))
    run_dir = home / RUNS_FOLDER / name
    run_dir.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    write_run(run_dir, records)
    return run_dir


def test_paper_carries_all_of_a_killed_run(home: Path) -> None:
    """Position, cash, open order and the head of the record come over, and the start says what it found."""
    run_dir = killed_run(home, mode="paper")
    found = recovered(home, mode=Mode.PAPER, latches=(), next_latch_no=1, cash_micros=1)
    (left,) = found.carried.orders

    assert (2, 4, 4) == (found.carried.cycle, left.cum_qty, found.carried.positions[0].qty)
    assert OPENING_MICROS - 4 * ASK_PX - 7 == found.carried.account.cash_micros
    assert (found.previous_head, run_dir.name) == (found.carried.previous_head, found.previous_run)
    assert found.words[0].startswith(f"The run before, {run_dir.name}, did not stop by itself")


def test_sim_carries_nothing_of_a_killed_run_but_says_so(home: Path) -> None:
    """SIM starts afresh, with the cash that is written and the latches that stand."""
    killed_run(home, mode="sim")
    found = recovered(home, mode=Mode.SIM, latches=(latch(),), next_latch_no=2, cash_micros=5)

    assert nothing_carried(5, (latch(),)) == found.carried
    assert "SIM starts afresh: nothing of it is carried over but latches." == found.words[-1]


def test_a_run_that_closed_itself_hands_over_its_closing_words(home: Path) -> None:
    """After a clean stop nothing is folded again and nothing is told: the STOP record is what is carried."""
    run_dir = home / RUNS_FOLDER / "20131007T143000Z-paper-abcd"
    run_dir.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    _, *others = whole_run()
    write_run(run_dir, [boot(run_id=run_dir.name), *others])
    found = recovered(home, mode=Mode.PAPER, latches=(), next_latch_no=1, cash_micros=5)

    assert ([10], 4, ()) == ([p.qty for p in found.carried.positions], found.carried.cycle, found.words)


def test_another_modes_run_is_not_ones_own(home: Path) -> None:
    """A PAPER start does not look at a SIM run."""
    killed_run(home, mode="sim")
    found = recovered(home, mode=Mode.PAPER, latches=(), next_latch_no=1, cash_micros=5)

    assert (nothing_carried(5, ()), "", ()) == (found.carried, found.previous_run, found.words)


def test_a_latch_that_a_crash_kept_out_of_the_log_still_stands(home: Path) -> None:
    """What the record raised and the home's log never heard of is found, told and carried, in SIM too."""
    lived = stepped(state(orders=(order(),)), reports=(fill(11, cum=11),))
    _, aside = cycle_of(1)
    handed = msgspec.structs.replace(EMPTY_HANDED, orders=(order(),))
    run_dir = home / RUNS_FOLDER / "20131007T143000Z-sim-abcd"
    run_dir.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    opening = boot(run_id=run_dir.name, handed_over=handed)
    write_run(run_dir, [opening, (Cycle(cycle=1, inputs=lived.inputs, outputs=lived.outputs), aside)])
    found = recovered(home, mode=Mode.SIM, latches=(), next_latch_no=1, cash_micros=5)
    logged = recovered(home, mode=Mode.SIM, latches=(), next_latch_no=2, cash_micros=5)

    assert (["ORDER_OVERFILL"], found.unlogged) == (
        [each.code for each in found.carried.latches],
        found.carried.latches,
    )
    assert ((), ()) == (logged.unlogged, logged.carried.latches)


@pytest.mark.parametrize("mode", [Mode.SIM, Mode.PAPER])
def test_a_damaged_record_stops_paper_and_not_sim(home: Path, mode: Mode) -> None:
    """Nobody knows what a PAPER account holds then; SIM holds nothing, and says that it could not read it."""
    run_dir = killed_run(home, mode=mode.value.lower())
    (first, *_) = sorted(run_dir.glob("*.ilj"))
    damaged = bytearray(first.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    first.write_bytes(bytes(damaged))
    if mode is Mode.PAPER:
        with pytest.raises(JournalError):
            recovered(home, mode=mode, latches=(), next_latch_no=1, cash_micros=5)
        return
    found = recovered(home, mode=mode, latches=(), next_latch_no=1, cash_micros=5)

    assert any("cannot be trusted; look at it with interlock verify" in words for words in found.words)


@pytest.mark.parametrize("mode", [Mode.SIM, Mode.PAPER])
def test_record_of_another_run_is_not_this_account(home: Path, mode: Mode) -> None:
    """A run folder that was brought from elsewhere under another name carries nothing into this account."""
    run_dir = killed_run(home, mode=mode.value.lower())
    run_dir.rename(run_dir.with_name(run_dir.name.replace("abcd", "beef")))

    if mode is Mode.SIM:
        found = recovered(home, mode=mode, latches=(), next_latch_no=1, cash_micros=5)
        assert (5, ()) == (found.carried.account.cash_micros, found.carried.positions)
    else:
        with pytest.raises(JournalError, match="brought here from another home"):
            recovered(home, mode=mode, latches=(), next_latch_no=1, cash_micros=5)


def test_latch_that_a_run_of_another_mode_could_not_log_still_stands(home: Path) -> None:
    """A home has one set of latches: what SIM raised and a crash kept out of the log holds PAPER too."""
    lived = stepped(state(orders=(order(),)), reports=(fill(11, cum=11),))
    _, aside = cycle_of(1)
    run_dir = home / RUNS_FOLDER / "20131007T143000Z-sim-abcd"
    run_dir.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    opening = boot(run_id=run_dir.name, handed_over=msgspec.structs.replace(EMPTY_HANDED, orders=(order(),)))
    write_run(run_dir, [opening, (Cycle(cycle=1, inputs=lived.inputs, outputs=lived.outputs), aside)])
    found = recovered(home, mode=Mode.PAPER, latches=(), next_latch_no=1, cash_micros=5)

    assert (["ORDER_OVERFILL"], found.unlogged) == ([latch.code for latch in found.unlogged], found.carried.latches)


def test_paper_account_whose_last_run_was_taken_away_does_not_begin_afresh(home: Path) -> None:
    """Missing is not empty: without the run that it lived in, nobody knows what the account holds."""
    run_dir = killed_run(home, mode="paper")
    remember_run(home, run_dir.name)
    before = recovered(home, mode=Mode.PAPER, latches=(), next_latch_no=1, cash_micros=5).previous_run
    shutil.rmtree(run_dir)

    assert run_dir.name == before
    with pytest.raises(JournalError, match="nobody knows what the account holds"):
        recovered(home, mode=Mode.PAPER, latches=(), next_latch_no=1, cash_micros=5)
