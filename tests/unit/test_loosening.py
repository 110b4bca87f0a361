"""Loosening: what is looser is told, in PAPER typed out by a human, and never taken over a latch that it would undo."""

from __future__ import annotations

import msgspec
import pytest
from tests.core_factory import latch, limits

from interlock.core.risk.limits import Limits
from interlock.model.errors import ConfigError
from interlock.model.mode import Mode
from interlock.model.risk import Latch
from interlock.shell.loosening import TOLD_MAX, Loosening, Policy, loosening_of, take_loosening

OLD = limits(max_order_qty=100, max_order_count=5, duplicate_window_ns=10)


def compared(new: Limits, *, latches: tuple[Latch, ...] = (), old: Limits = OLD) -> Loosening:
    """Return what is looser than the old limits."""
    return loosening_of(policy(old), policy(new), latches=latches)


def policy(held: Limits, *, exchange: str = "XNYS") -> Policy:
    """Return what a start with these limits is judged by."""
    return Policy(
        limits=held.everywhere(),
        allowed=tuple(sorted(held.symbols)),
        restricted=tuple(sorted(held.restricted)),
        groups=tuple(sorted(held.groups.items())),
        exchange=exchange,
    )


def taken(found: Loosening, *, mode: Mode = Mode.PAPER, typed: str = "", is_terminal: bool = True) -> tuple[str, ...]:
    """Return what a start says of it, where a person types this."""
    return take_loosening(found, mode=mode, is_terminal=is_terminal, read_line=lambda _: typed)


def test_the_same_limits_and_tighter_ones_ask_for_nothing() -> None:
    """Nothing is looser where nothing lets more through, whichever way a limit looks."""
    tighter = limits(max_order_qty=99, max_order_count=4, duplicate_window_ns=11)

    assert ((), ()) == (compared(OLD).words, compared(tighter).words)
    assert () == taken(compared(tighter))


def test_each_looser_limit_is_named_with_both_values() -> None:
    """A larger most, a smaller least and a limit that nobody had written are all looser."""
    old = limits(max_order_qty=100, duplicate_window_ns=10 * 10**9, price_collar_bps=None)
    new = limits(max_order_qty=101, duplicate_window_ns=9 * 10**9, price_collar_bps=200)
    found = compared(new, old=old)

    assert ("max_order_qty", "price_collar", "duplicate_window") == found.keys
    assert "max_order_qty was 100 shares and is 101 shares" in found.words
    assert "price_collar was not written and is 2 %" in found.words
    assert "duplicate_window was 10 s and is 9 s" in found.words


def test_a_limit_of_one_symbol_that_is_gone_counts_as_the_accounts_own() -> None:
    """Taking a stricter limit of a symbol out lets more through, and is named with its scope."""
    old = limits(max_order_qty=100, own={("symbol:SPY", "max_order_qty"): 10})
    found = compared(limits(max_order_qty=100), old=old)

    assert ("max_order_qty of the symbol SPY was 10 shares and is 100 shares",) == found.words


def test_symbols_that_are_new_or_no_longer_restricted_are_looser() -> None:
    """The lists of symbols are limits too."""
    old = limits(symbols=("SPY",), restricted=("IBM",))
    found = compared(limits(symbols=("SPY", "AIG")), old=old)

    assert ("symbols", "restricted") == found.keys
    assert ("AIG may be traded, and might not before", "IBM may be entered, and might not before") == found.words


def test_sim_tells_it_and_goes_on() -> None:
    """In SIM the written file is the human's leave; a long list is counted, not told whole."""
    many = Loosening(words=tuple(f"word {number}" for number in range(TOLD_MAX + 2)), keys=("a",), undoes=())

    assert ("Looser than last time: max_order_qty was 100 shares and is 101 shares.",) == taken(
        compared(limits(max_order_qty=101, max_order_count=5, duplicate_window_ns=10)), mode=Mode.SIM, is_terminal=False
    )
    assert taken(many, mode=Mode.SIM)[0].endswith("; word 5; and 2 more.")


def test_paper_takes_it_for_the_exact_phrase_only() -> None:
    """The phrase says how many and which; spaces may differ, nothing else."""
    found = compared(limits(max_order_qty=101, max_order_count=6, duplicate_window_ns=10))

    assert "LOOSEN 2: max_order_qty max_order_rate" == found.phrase
    assert "took it by typing the phrase" in taken(found, typed="  LOOSEN 2:  max_order_qty   max_order_rate\n")[0]
    for typed in ("", "yes", "LOOSEN 2: max_order_qty", "loosen 2: max_order_qty max_order_rate"):
        with pytest.raises(ConfigError, match="so the looser limits were not taken. Nothing was started"):
            taken(found, typed=typed)


def test_paper_without_a_terminal_is_refused() -> None:
    """A service that starts by itself cannot loosen anything."""
    found = compared(limits(max_order_qty=101, max_order_count=5, duplicate_window_ns=10))

    with pytest.raises(ConfigError, match="A human has to take that at a terminal, and there is none"):
        taken(found, typed=found.phrase, is_terminal=False)


@pytest.mark.parametrize("mode", [Mode.SIM, Mode.PAPER])
def test_a_looser_limit_never_undoes_a_latch_that_stands(mode: Mode) -> None:
    """On a day whose loss latch stands, the loss limit is not raised, phrase or no phrase."""
    tripped = msgspec.structs.replace(latch(), code="DAILY_LOSS")
    old = limits(max_daily_loss_micros=10**9)
    found = compared(limits(max_daily_loss_micros=2 * 10**9), old=old, latches=(tripped,))

    with pytest.raises(ConfigError, match="Latch L1 DAILY_LOSS stands, and a looser limit would undo it"):
        taken(found, mode=mode, typed=found.phrase)


def test_a_latch_of_another_limit_does_not_stand_in_the_way() -> None:
    """Only the latch that the looser limit would undo refuses it."""
    tripped = msgspec.structs.replace(latch(), code="REENTRIES")
    found = compared(limits(max_order_qty=101, max_order_count=5, duplicate_window_ns=10), latches=(tripped,))

    assert () == found.undoes
    assert taken(found, typed=found.phrase)


def test_a_first_start_has_nothing_to_be_looser_than() -> None:
    """Without a run before nothing is compared."""
    found = loosening_of(Policy(), policy(OLD), latches=())

    assert ((), ()) == (found.words, found.keys)


def test_what_has_no_stricter_way_is_named_with_every_change() -> None:
    """Cash sizes limits, a window hides moves and a tick lets odd prices through: each change of them is told."""
    old, new = limits(), limits(cash=10**13, pause_window_ns=1, tick_size_px=1)

    assert {"cash", "pause_window", "tick_size"} <= set(compared(new, old=old).keys)
    assert {"cash", "pause_window", "tick_size"} <= set(compared(old, old=new).keys)


def test_groups_that_are_gone_and_other_sessions_are_looser() -> None:
    """A symbol that leaves its group, and an exchange that never closes, let more through."""
    grouped, free = limits(groups={"SPY": "all"}), limits()
    found = loosening_of(policy(grouped), policy(free, exchange="24/7"), latches=())

    assert ("groups", "exchange") == found.keys
    assert "the sessions were those of XNYS and are those of 24/7" in found.words
