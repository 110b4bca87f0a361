"""Scanners, each against a slow and simple twin that keeps the whole past, one symbol at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core_factory import quote, snapshot

from interlock.core.scan import (
    CANDIDATES_MAX,
    Gap,
    MovingAverageCross,
    RelativeVolume,
    Scanner,
    prices_of,
    ranked,
)
from interlock.model.market import Quote
from interlock.model.orders import Side
from interlock.model.signals import Feature, ScanResult

Found = list[tuple[str, Side, int]]
Past = list[Quote]

#: Few prices and volumes, so that ties, exact bounds and returns to the average are common.
quotes = st.builds(
    lambda present, halted, px, wide, volume: quote(
        present=present, halted=halted, bid_px=px, ask_px=px + wide, last_px=px, volume=volume
    ),
    st.sampled_from([True] * 19 + [False]),
    st.sampled_from([False] * 19 + [True]),
    st.integers(1, 4).map(lambda px: px * 100),
    st.sampled_from([0] * 18 + [200, -2]),
    st.integers(0, 5),
)
histories = st.integers(1, 3).flatmap(
    lambda symbols: st.lists(st.lists(quotes, min_size=symbols, max_size=symbols), min_size=1, max_size=12)
)


def is_usable(seen: Quote) -> bool:
    """Return True if a mid price may be read."""
    return seen.present and not seen.halted and 0 < seen.bid_px <= seen.ask_px


def found_by(scanner: Scanner, rows: list[list[Quote]]) -> list[ScanResult]:
    """Return what a scanner finds in each snapshot of a history."""
    results: list[ScanResult] = []
    for seq, row in enumerate(rows, start=1):
        named = [Quote(**{**_fields(each), "symbol": f"S{ix}"}) for ix, each in enumerate(row)]
        seen = snapshot(seq, *named)
        scanner, result = scanner.advance(seen, prices_of(seen))
        results.append(result)
    return results


def _fields(seen: Quote) -> dict[str, object]:
    return {name: getattr(seen, name) for name in Quote.__struct_fields__}


def expected(rows: list[list[Quote]], twin: Callable[[Past], tuple[Side, int] | None]) -> list[Found]:
    """Return what the twin finds, ranked: by score, and ties in the order of the universe."""
    results: list[Found] = []
    for end in range(1, len(rows) + 1):
        found: Found = []
        for ix in range(len(rows[0])):
            answer = twin([row[ix] for row in rows[:end]])
            if answer is not None:
                found.append((f"S{ix}", *answer))
        results.append(sorted(found, key=lambda each: -each[2]))
    return results


def shown(results: list[ScanResult]) -> list[Found]:
    """Return symbol, side and score of each candidate."""
    return [[(each.symbol, each.side, each.score) for each in result.candidates] for result in results]


def side_of_average(past: Past, window: int) -> int:
    """Return the side of the average on which the last mid is, or was last, while quotes were whole; 0 if unknown."""
    if len(past) < window or not all(is_usable(each) for each in past[-window:]):
        return 0
    total = sum(each.mid_px for each in past[-window:])
    difference = past[-1].mid_px * window - total
    if difference == 0:
        return side_of_average(past[:-1], window)
    return 1 if difference > 0 else -1


def average_twin(window: int) -> Callable[[Past], tuple[Side, int] | None]:
    """Return the twin of the moving average."""

    def twin(past: Past) -> tuple[Side, int] | None:
        now, before = side_of_average(past, window), side_of_average(past[:-1], window)
        if now * before >= 0:
            return None
        average_px = sum(each.mid_px for each in past[-window:]) // window
        return (Side.BUY if now > 0 else Side.SELL), abs(past[-1].mid_px - average_px) * 10_000 // average_px

    return twin


def gap_twin(move_bps_min: int) -> Callable[[Past], tuple[Side, int] | None]:
    """Return the twin of the gap."""

    def twin(past: Past) -> tuple[Side, int] | None:
        usable = [each.mid_px for each in past if is_usable(each)]
        if not is_usable(past[-1]) or len(usable) < 2:
            return None
        move = usable[-1] - usable[-2]
        if abs(move) * 10_000 < move_bps_min * usable[-2]:
            return None
        return (Side.BUY if move > 0 else Side.SELL), abs(move) * 10_000 // usable[-2]

    return twin


def volume_twin(window: int, multiple_x100: int) -> Callable[[Past], tuple[Side, int] | None]:
    """Return the twin of the relative volume."""

    def twin(past: Past) -> tuple[Side, int] | None:
        now, before = past[-1], [each.volume for each in past[-window - 1 : -1]]
        if len(before) < window or not is_usable(now) or now.volume == 0 or sum(before) == 0:
            return None
        relative_x100 = now.volume * window * 100 // sum(before)
        if now.volume * window * 100 < sum(before) * multiple_x100:
            return None
        return (Side.BUY if now.last_px >= now.mid_px else Side.SELL), relative_x100

    return twin


@given(histories, st.integers(2, 4))
def test_moving_average_is_its_twin(rows: list[list[Quote]], window: int) -> None:
    """A ring of columns finds what the whole past says, over absent, halted and crossed quotes."""
    scanner = MovingAverageCross.start(window=window, symbols=len(rows[0]))

    assert expected(rows, average_twin(window)) == shown(found_by(scanner, rows))


@given(histories, st.sampled_from([1, 1_000, 2_000, 5_000, 10_000]))
def test_gap_is_its_twin(rows: list[list[Quote]], move_bps_min: int) -> None:
    """A jump is measured from the last usable quote, however long ago that was."""
    scanner = Gap.start(move_bps_min=move_bps_min, symbols=len(rows[0]))

    assert expected(rows, gap_twin(move_bps_min)) == shown(found_by(scanner, rows))


@given(histories, st.integers(2, 4), st.sampled_from([50, 100, 150, 200]))
def test_relative_volume_is_its_twin(rows: list[list[Quote]], window: int, multiple_x100: int) -> None:
    """A volume is compared with those before it, never with itself."""
    scanner = RelativeVolume.start(window=window, multiple_x100=multiple_x100, symbols=len(rows[0]))

    assert expected(rows, volume_twin(window, multiple_x100)) == shown(found_by(scanner, rows))


def prices(*mids: int) -> list[list[Quote]]:
    """Return the history of one symbol by its mids."""
    return [[quote(bid_px=mid, ask_px=mid)] for mid in mids]


def test_a_crossing_needs_a_side_to_come_from() -> None:
    """The first full window has no side before it, so it is no crossing; the next change of sides is one."""
    results = found_by(MovingAverageCross.start(window=2, symbols=1), prices(100, 90, 120, 80))

    assert [[], [], [("S0", Side.BUY, 1428)], [("S0", Side.SELL, 2000)]] == shown(results)
    assert "its mid $0.00008 crossed below its average $0.0001" == results[3].candidates[0].because
    assert (Feature("mid_px", 80, "px"), Feature("average_px", 100, "px"), Feature("distance_bps", 2000, "bps")) == (
        results[3].candidates[0].features
    )


def test_the_average_itself_is_no_side() -> None:
    """A mid that rests on its average in between still crosses when it goes on to the other side."""
    results = found_by(MovingAverageCross.start(window=2, symbols=1), prices(100, 200, 200, 200, 100))

    assert [[], [], [], [], [("S0", Side.SELL, 3333)]] == shown(results)


def test_a_scanner_says_why_it_found_nothing() -> None:
    """Each silent scanner says what it looked for."""
    row = prices(100)
    said = [
        found_by(scanner, row)[0].because
        for scanner in (
            MovingAverageCross.start(window=2, symbols=1),
            Gap.start(move_bps_min=150, symbols=1),
            RelativeVolume.start(window=3, multiple_x100=250, symbols=1),
        )
    ]

    assert [
        "no symbol crossed its average of 2 snapshots; 0 of 1 have enough of them",
        "no mid moved by 1.50 % or more since its last quote",
        "it has seen 0 of the 3 snapshots that it compares with",
    ] == said


def test_a_full_ring_of_volumes_says_what_was_not_reached() -> None:
    """Once it has enough to compare with, it says the bound."""
    scanner = RelativeVolume.start(window=2, multiple_x100=250, symbols=1)

    assert "no volume reached 2.5 times its mean of 2 snapshots" == found_by(scanner, prices(1, 1, 1))[2].because


def test_a_gap_tells_its_size_and_its_way() -> None:
    """The sentence of a candidate has the numbers that earned its rank."""
    up, down = found_by(Gap.start(move_bps_min=1_000, symbols=1), prices(1_000_000, 1_100_000, 990_000))[1:]

    assert ["its mid jumped 10 % up to $1.10", "its mid jumped 10 % down to $0.99"] == [
        result.candidates[0].because for result in (up, down)
    ]


def test_a_heavy_volume_tells_how_heavy() -> None:
    """Volume is told in shares and as a multiple of its mean."""
    rows = [[quote(volume=volume)] for volume in (10, 30, 3_050)]
    (heavy,) = found_by(RelativeVolume.start(window=2, multiple_x100=200, symbols=1), rows)[2].candidates

    assert "3,050 shares traded, 152.5 times its mean" == heavy.because
    assert (Feature("volume_qty", 3_050, "qty"), Feature("mean_qty", 20, "qty")) == heavy.features[:2]


@pytest.mark.parametrize("count", [CANDIDATES_MAX, CANDIDATES_MAX + 1])
def test_candidates_are_ranked_bounded_and_counted(count: int) -> None:
    """The best are kept, ranks count from one, and what was left out is said."""
    rows = [[quote(bid_px=100, ask_px=100)] * count, [quote(bid_px=px, ask_px=px) for px in range(200, 200 + count)]]
    result = found_by(Gap.start(move_bps_min=1, symbols=count), rows)[1]
    best = [f"S{count - 1 - place}" for place in range(CANDIDATES_MAX)]

    assert best == [candidate.symbol for candidate in result.candidates]
    assert list(range(1, CANDIDATES_MAX + 1)) == [candidate.rank for candidate in result.candidates]
    assert (f"{count} found" + (", the best 20 kept" if count > CANDIDATES_MAX else "")) == result.because


def test_ties_keep_the_order_of_the_universe() -> None:
    """Equal scores are ranked as the universe is written, so that no run depends on chance."""
    jumps = [110 + ix % 2 for ix in range(300)]
    rows = [[quote(bid_px=100, ask_px=100)] * 300, [quote(bid_px=px, ask_px=px) for px in jumps]]
    result = found_by(Gap.start(move_bps_min=1, symbols=300), rows)[1]

    assert [f"S{2 * ix + 1}" for ix in range(CANDIDATES_MAX)] == [candidate.symbol for candidate in result.candidates]


def test_no_candidate_is_a_reason() -> None:
    """Without candidates the result is its reason."""
    assert ScanResult(scanner="x", candidates=(), because="why") == ranked("x", [], of=0, because="why")


def test_a_scanner_leaves_the_one_before_it_alone() -> None:
    """Advancing twice from the same scanner gives the same answer twice."""
    scanner = MovingAverageCross.start(window=2, symbols=1)
    for seq, mid in enumerate((100, 90), start=1):
        seen = snapshot(seq, quote(bid_px=mid, ask_px=mid))
        scanner, _ = scanner.advance(seen, prices_of(seen))
    seen = snapshot(3, quote(bid_px=120, ask_px=120))

    assert scanner.advance(seen, prices_of(seen))[1] == scanner.advance(seen, prices_of(seen))[1]
