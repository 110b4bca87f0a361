"""The simulated market: what it shows, that it is the same again, and what its dirt does."""

from __future__ import annotations

import hashlib
import itertools

import msgspec
import numpy as np
import pytest

from interlock.model.errors import DataError
from interlock.model.market import FaultCode, MarketSnapshot, Provides
from interlock.model.units import SECOND_NS
from interlock.shell.sources.dates import TIME_NS_MAX
from interlock.shell.sources.drawn import PhiloxWords
from interlock.shell.sources.simulated import SIM_START_NS, TICK_PX, Regime, SimulatedSource

UNIVERSE = ("SPY", "IBM", "AIG", "BAC")
PINNED = {
    Regime.CALM: "fba7de79a2b07b52",
    Regime.TRENDING: "badfe283a6c8458d",
    Regime.VOLATILE: "204a9511405e9fb2",
    Regime.GAP: "e74e3652f5812324",
}


def market(seed: int = 7, regime: str = "calm", symbols: tuple[str, ...] = UNIVERSE, **dirt: int) -> SimulatedSource:
    """Return a market of one-second steps."""
    return SimulatedSource(universe=symbols, seed=seed, step_ns=SECOND_NS, regime=regime, **dirt)


def shown(source: SimulatedSource, steps: int) -> list[MarketSnapshot]:
    """Return the next snapshots."""
    return [source.next() for _ in range(steps)]


def test_same_seed_gives_the_same_market() -> None:
    """A seed is a market: two sources of one seed agree to the last bit."""
    one, other = shown(market(), 50), shown(market(), 50)

    assert [snapshot.digest for snapshot in one] == [snapshot.digest for snapshot in other]


@pytest.mark.parametrize("regime", list(Regime), ids=str)
def test_another_seed_gives_another_market(regime: Regime) -> None:
    """Another seed is another market in every regime."""
    one, other = shown(market(seed=7, regime=regime), 20), shown(market(seed=8, regime=regime), 20)

    assert not {snapshot.digest for snapshot in one} & {snapshot.digest for snapshot in other}


@pytest.mark.parametrize("regime", list(Regime), ids=str)
def test_seed_seven_shows_the_market_it_always_showed(regime: Regime) -> None:
    """The bits of version 1 are pinned for each regime, dirt included: other bits are another SIMULATOR_VERSION."""
    seen = hashlib.sha256()
    for snapshot in shown(market(regime=regime, missing_bps=100, stale_bps=100, crossed_bps=100, halted_bps=100), 500):
        for ix in range(len(UNIVERSE)):
            seen.update(f"{msgspec.structs.astuple(snapshot.quote(ix))}\n".encode())

    assert PINNED[regime] == seen.hexdigest()[:16]


def test_first_snapshot_is_one_step_after_the_start() -> None:
    """Snapshot k is as of start + k steps, and its date is the exchange's."""
    first, second = shown(market(), 2)

    assert (1, SIM_START_NS + SECOND_NS, "2013-10-07") == (first.seq, first.as_of_ns, first.trading_date)
    assert (2, SIM_START_NS + 2 * SECOND_NS) == (second.seq, second.as_of_ns)


def test_trading_date_turns_at_midnight_in_new_york() -> None:
    """The date is New York's, not UTC's."""
    midnight_ns = SIM_START_NS + (13 * 3600 + 30 * 60) * SECOND_NS
    source = SimulatedSource(universe=("SPY",), seed=7, step_ns=SECOND_NS, start_ns=midnight_ns - 2 * SECOND_NS)

    assert ["2013-10-07", "2013-10-08", "2013-10-08"] == [snapshot.trading_date for snapshot in shown(source, 3)]


def test_words_of_a_step_depend_on_seed_and_step_alone() -> None:
    """Whatever was drawn before, a step's words are those of a generator made for that step."""
    words = PhiloxWords(seed=7, stream=1)
    words.of_step(1, 9)
    alone = np.random.Philox(key=7, counter=[0, 5, 1, 0]).random_raw(6)

    assert alone.tolist() == words.of_step(5, 6).tolist()
    assert words.of_step(6, 6).tolist() != words.of_step(5, 6).tolist()


@pytest.mark.parametrize("regime", list(Regime), ids=str)
def test_quotes_are_whole_ticks_with_the_bid_below_the_ask(regime: Regime) -> None:
    """A clean market is never crossed or locked, and every price is a whole tick above $5 and below $2,000."""
    symbols = tuple(f"S{number}" for number in range(40))
    for snapshot in shown(market(regime=regime, symbols=symbols), 1_500):
        prices = np.concatenate([snapshot.bid_px, snapshot.ask_px])
        assert bool((snapshot.bid_px < snapshot.ask_px).all())
        assert bool((prices % TICK_PX == 0).all())
        assert bool((prices > 5_000_000).all())
        assert bool((prices < 2_000_000_000).all())


def test_sizes_and_volume_are_lots() -> None:
    """Displayed sizes are 100 to 1,500 shares; a step trades at most 1,600, and often nothing."""
    snapshots = shown(market(symbols=tuple(f"S{number}" for number in range(40))), 200)
    sizes = {int(size) for snapshot in snapshots for size in (*snapshot.bid_qty, *snapshot.ask_qty)}
    volumes = {int(volume) for snapshot in snapshots for volume in snapshot.volume}

    assert set(range(100, 1_501, 100)) == sizes
    assert set(range(0, 1_601, 100)) == volumes


def test_last_price_is_the_bid_the_ask_or_unchanged() -> None:
    """A step with volume traded at the touch; a step without leaves the last price alone."""
    last_px = 0
    seen = set[str]()
    for snapshot in shown(market(symbols=("SPY",)), 300):
        quote = snapshot.quote(0)
        traded_at = {quote.bid_px: "bid", quote.ask_px: "ask"}.get(quote.last_px, "nowhere")
        seen.add(traded_at if quote.volume > 0 else "unchanged" if quote.last_px == last_px else "moved")
        last_px = quote.last_px

    assert {"bid", "ask", "unchanged"} == seen


def test_regimes_move_as_they_are_called() -> None:
    """Volatile moves further a step than calm, gap now and then by per cents, and a trend goes further in the end."""
    symbols = tuple(f"S{number}" for number in range(50))
    mids = {
        regime: np.array([snapshot.bid_px for snapshot in shown(market(regime=regime, symbols=symbols), 300)])
        for regime in Regime
    }
    steps = {regime: np.abs(np.diff(mid, axis=0)) for regime, mid in mids.items()}
    travelled = {regime: np.abs(mid[-1] - mid[0]).sum() for regime, mid in mids.items()}

    assert bool(steps[Regime.VOLATILE].sum() > 3 * steps[Regime.CALM].sum())
    assert bool(steps[Regime.CALM].max() <= 3 * TICK_PX)
    assert bool((steps[Regime.GAP] * 100 // mids[Regime.GAP][:-1]).max() >= 4)
    assert bool(travelled[Regime.TRENDING] > 3 * travelled[Regime.CALM])


def test_price_beyond_double_its_start_only_comes_back() -> None:
    """The bounds pull: from beyond them every move goes back towards the start."""
    source = market(symbols=("SPY",))
    source._mid_ticks = source._ceiling_ticks + 1
    above = source._kept_in_bounds(np.array([3])).tolist()
    source._mid_ticks = source._floor_ticks - 1

    assert ([-3], [3]) == (above, source._kept_in_bounds(np.array([-3])).tolist())


def test_clean_market_has_no_faults_and_fresh_quotes() -> None:
    """Without dirt every quote is of its step, present, and not halted."""
    for snapshot in shown(market(), 50):
        assert () == snapshot.faults
        assert {snapshot.as_of_ns} == set(snapshot.event_ns.tolist())
        assert bool(snapshot.present.all())
        assert not bool(snapshot.halted.any())


def test_missing_quote_is_told_while_it_lasts() -> None:
    """Each missing quote is a fault in its step, shows no number, and comes back."""
    snapshots = shown(market(missing_bps=300), 300)
    told = [(fault.symbol, fault.code) for snapshot in snapshots for fault in snapshot.faults]
    absent = [
        (snapshot.universe[ix], FaultCode.QUOTE_MISSING)
        for snapshot in snapshots
        for ix in np.flatnonzero(~snapshot.present).tolist()
    ]

    assert told == absent
    assert len(told) > 20
    assert {0} == {int(s.bid_px[ix]) for s in snapshots for ix in np.flatnonzero(~s.present)}
    assert bool(snapshots[-1].present.any())


def test_stale_quote_keeps_its_own_time_and_prices() -> None:
    """A stale quote stops: same prices, same sizes, same event time, while the market goes on."""
    before, stale = next(
        (one, other)
        for snapshots in [shown(market(stale_bps=300), 300)]
        for one, other in itertools.pairwise(snapshots)
        if one.event_ns[0] == one.as_of_ns and other.event_ns[0] < other.as_of_ns
    )

    assert msgspec.structs.replace(before.quote(0), volume=0) == stale.quote(0)
    assert bool(stale.present[0])


def test_crossed_quote_shows_the_true_quote_the_wrong_way_round() -> None:
    """Crossed dirt is shown, not dropped, so that the gate has something to refuse."""
    dirty, clean = shown(market(crossed_bps=300), 300), shown(market(), 300)
    crossed = [(d, c) for d, c in zip(dirty, clean, strict=True) if d.bid_px[0] > d.ask_px[0]]

    assert len(crossed) > 5
    assert all((int(c.ask_px[0]), int(c.bid_px[0])) == (int(d.bid_px[0]), int(d.ask_px[0])) for d, c in crossed)


def test_halted_symbol_keeps_its_quote_and_says_so() -> None:
    """A halt lasts some steps, its quote stays, and nothing trades."""
    snapshots = shown(market(halted_bps=300), 300)
    halted = [snapshot for snapshot in snapshots if snapshot.halted[0]]

    assert 10 < len(halted) < 200
    assert {0} == {int(snapshot.volume[0]) for snapshot in halted}
    assert all(snapshot.event_ns[0] < snapshot.as_of_ns for snapshot in halted)


def test_dirt_changes_what_is_shown_and_not_the_market() -> None:
    """Where nothing is wrong, a dirty market shows what the clean one of the same seed shows."""
    dirty, clean = shown(market(missing_bps=200, stale_bps=200), 200), shown(market(), 200)
    fresh = [(d, c) for d, c in zip(dirty, clean, strict=True) if d.event_ns[0] == d.as_of_ns and d.present[0]]

    assert len(fresh) > 50
    assert all(int(d.bid_px[0]) == int(c.bid_px[0]) for d, c in fresh)


def test_dirt_from_the_first_step_leaves_a_symbol_absent_and_not_invented() -> None:
    """A market that is stale from its first step never had a quote, so it shows none."""
    first = market(stale_bps=10_000).next()

    assert [False] * 4 == first.present.tolist()
    assert [0] * 4 == first.event_ns.tolist()


def test_origin_names_seed_version_and_settings() -> None:
    """The identity holds everything that the market follows from, and the words are for a newcomer."""
    origin = market(halted_bps=5).origin

    assert ("simulated", ("seed", "7"), ("simulator", "1")) == (origin.kind, *origin.identity[:2])
    assert {"regime": "calm", "halted_bps": "5"}.items() <= dict(origin.identity).items()
    assert "a made-up calm market drawn from seed 7, with dirt on purpose; no real prices" == origin.words


def test_source_says_what_it_provides() -> None:
    """The simulated market can tell everything but price bands, for the symbols that it was given."""
    source = market()

    assert (frozenset(Provides) - {Provides.BANDS}, UNIVERSE) == (source.provides, source.universe)


def test_first_date_knows_the_start_as_its_previous_close() -> None:
    """Before the first step nothing traded, so the close before is where the market starts."""
    source = market()
    starts = (source._mid_ticks * TICK_PX).tolist()
    first, later = shown(source, 60)[::59]

    assert starts == first.reference.close_px.tolist() == later.reference.close_px.tolist()
    assert not first.reference.band_low_px.any()
    assert not first.reference.band_high_px.any()


@pytest.mark.parametrize("dirt", [{}, {"missing_bps": 10_000}], ids=["clean", "dirty"])
def test_next_date_knows_the_middle_of_the_last_step_before_it(dirt: dict[str, int]) -> None:
    """At midnight in New York the close becomes the true middle of the step before, rounded down to a tick."""
    at_ns = SIM_START_NS + (13 * 3600 + 30 * 60 - 20) * SECOND_NS
    source, clean = (
        SimulatedSource(universe=UNIVERSE, seed=7, step_ns=SECOND_NS, start_ns=at_ns, regime="volatile", **soil)
        for soil in (dirt, {})
    )
    snapshots, true = shown(source, 30), shown(clean, 30)
    last = next(one for one, other in itertools.pairwise(true) if one.trading_date != other.trading_date)
    closes = [(int(px) // TICK_PX) * TICK_PX for px in (last.bid_px + last.ask_px) // 2]
    references = {id(snapshot.reference): snapshot.reference for snapshot in snapshots}

    assert ("2013-10-07", 19) == (last.trading_date, last.seq)
    assert [closes] * 11 == [snapshot.reference.close_px.tolist() for snapshot in snapshots[19:]]
    assert closes != snapshots[18].reference.close_px.tolist()
    assert 2 == len(references)


def test_daily_volume_follows_from_seed_and_symbol_and_stays() -> None:
    """It is whole hundreds between 1 and 20 million shares, whatever else is in the universe."""
    symbols = tuple(f"S{number}" for number in range(200))
    many = market(symbols=symbols).next()
    alone = market(symbols=("S7",)).next()
    other = market(seed=8, symbols=symbols).next()
    volumes = many.reference.adv_qty.tolist()

    assert volumes[7] == alone.reference_of(0).adv_qty
    assert volumes != other.reference.adv_qty.tolist()
    assert {0} == {volume % 100 for volume in volumes}
    assert 1_000_000 <= min(volumes) < 2_000_000
    assert 19_000_000 < max(volumes) <= 20_000_000


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"regime": "wild"}, "calm, trending, volatile, gap"),
        ({"seed": -1}, "The seed -1"),
        ({"seed": 2**64}, "is not between 0"),
        ({"step_ns": 0}, "stand still"),
        ({"start_ns": -1}, "between 1970 and 2262"),
        ({"stale_bps": 10_001}, "stale_bps of the simulated market is 10001"),
        ({"missing_bps": -1}, "missing_bps of the simulated market is -1"),
        ({"universe": ()}, "universe is empty"),
        ({"universe": ("SPY", "SPY")}, "more than once"),
    ],
    ids=str,
)
def test_argument_that_makes_no_market_is_refused_in_a_sentence(wrong: dict[str, object], words: str) -> None:
    """Every refusal names what is wrong."""
    arguments: dict[str, object] = {"universe": UNIVERSE, "seed": 7, "step_ns": SECOND_NS} | wrong

    with pytest.raises(DataError, match=words):
        SimulatedSource(**arguments)  # type: ignore[arg-type]


def test_clock_past_the_year_2262_stops_in_a_sentence() -> None:
    """The last instant that a column holds is shown; the one after it is an error in words."""
    source = SimulatedSource(universe=("SPY",), seed=7, step_ns=5, start_ns=TIME_NS_MAX - 5)
    source.next()

    with pytest.raises(DataError, match="2262 after 1 steps"):
        source.next()
