"""What a day knows beforehand: sealed once, part of the digest where it is given, and no part of it where it is not."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from interlock.model.errors import InvariantError
from interlock.model.market import (
    Column,
    MarketSnapshot,
    Reference,
    SymbolReference,
    make_reference,
    make_snapshot,
)

UNIVERSE = ("SPY", "IBM")
COLUMNS = ("close_px", "adv_qty", "band_low_px", "band_high_px")


def column(*numbers: int) -> Column:
    """Return numbers as a column."""
    return np.array(numbers, dtype=np.int64)


def reference(**changes: Column) -> Reference:
    """Return what a day knows of two symbols, with changed columns."""
    columns = {name: column(10 * place, 10 * place + 1) for place, name in enumerate(COLUMNS, start=1)}
    return make_reference(**{**columns, **changes})


def snapshot(known: Reference | None = None) -> MarketSnapshot:
    """Return a snapshot of two symbols."""
    numbers = {
        name: column(place, place)
        for place, name in enumerate(("bid_px", "ask_px", "last_px", "bid_qty", "ask_qty", "volume", "event_ns"))
    }
    flags = np.ones(2, dtype=np.bool_)
    return make_snapshot(
        seq=1,
        as_of_ns=9,
        trading_date="2013-10-07",
        universe=UNIVERSE,
        present=flags,
        halted=flags,
        reference=known,
        **numbers,
    )


def test_digest_without_a_reference_is_that_of_the_other_columns_alone() -> None:
    """A snapshot of a source that gives no reference has the digest that it had before there was such a thing."""
    seen = hashlib.sha256(b"1 9 2013-10-07 SPY IBM\n")
    for place in range(7):
        seen.update(column(place, place).tobytes())
    seen.update(b"\x01" * 4)

    assert seen.hexdigest() == snapshot().digest


@pytest.mark.parametrize("name", COLUMNS)
def test_digest_changes_with_each_column_of_the_reference(name: str) -> None:
    """One micro or one share more in any column is another snapshot, and the same columns are the same one."""
    moved = reference(**{name: getattr(reference(), name) + column(0, 1)})

    assert snapshot(reference()).digest == snapshot(reference()).digest
    assert 3 == len({snapshot().digest, snapshot(reference()).digest, snapshot(moved).digest})


def test_reference_of_zeros_is_given_and_counts() -> None:
    """A source that provides a reference and knows nothing yet is another thing than one that provides none."""
    zeros = reference(**dict.fromkeys(COLUMNS, column(0, 0)))

    assert (True, False) == (snapshot(zeros).reference.is_given, snapshot().reference.is_given)
    assert snapshot().digest != snapshot(zeros).digest


def test_columns_of_a_reference_cannot_be_written_to() -> None:
    """Neither a write, nor the flag that allows it, nor the array that it was made from reaches what was sealed."""
    closes = column(10, 11)
    known = reference(close_px=closes)
    closes[0] = 1

    assert [10, 11] == known.close_px.tolist()
    for held in (snapshot(known).reference, snapshot().reference):
        for name in COLUMNS:
            with pytest.raises(ValueError, match="read-only"):
                getattr(held, name)[0] = 1
            with pytest.raises(ValueError, match="cannot set WRITEABLE"):
                getattr(held, name).setflags(write=True)


def test_snapshots_of_a_day_share_one_reference() -> None:
    """It is sealed when it is made; a snapshot takes the object as it is."""
    known = reference()

    assert known is snapshot(known).reference


def test_reference_of_a_symbol_is_its_row() -> None:
    """One symbol's numbers come back as plain Python values, and are 0 where none were given."""
    row = snapshot(reference()).reference_of(1)

    assert SymbolReference(close_px=11, adv_qty=21, band_low_px=31, band_high_px=41) == row
    assert int is type(row.close_px)
    assert SymbolReference(close_px=0, adv_qty=0, band_low_px=0, band_high_px=0) == snapshot().reference_of(1)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"adv_qty": column(1)}, "a column has one entry a symbol"),
        ({"close_px": np.zeros(2)}, "a column of numbers holds int64"),
        ({"band_low_px": column(0, -1)}, "no number of a reference is below zero"),
    ],
    ids=["shape", "type", "sign"],
)
def test_reference_that_cannot_be_is_refused(changes: dict[str, Column], told: str) -> None:
    """Shape, type and sign of each column are checked when it is made."""
    with pytest.raises(InvariantError, match=told):
        reference(**changes)


def test_reference_of_another_universe_is_refused() -> None:
    """A reference has one entry for each symbol of the snapshot that it comes with."""
    one = make_reference(close_px=column(1), adv_qty=column(1), band_low_px=column(1), band_high_px=column(1))

    with pytest.raises(InvariantError, match="a reference has one entry a symbol"):
        snapshot(one)
