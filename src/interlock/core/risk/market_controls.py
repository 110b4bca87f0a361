"""The controls of the market: sessions, quotes, the feed, halts, pauses, and the volume there is.

Floor 1 (decisions). One function and one line of the table each; a function reads facts, and never acts.
On the trip: RISK evaluates the lines in the order of the table.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from interlock.core.risk.facts import NO_QUOTE, SOFT, Control, Facts, bps_of, changed, is_buy, value_of
from interlock.model.market import Provides
from interlock.model.risk import ReasonCode
from interlock.model.units import BPS_PER_ONE, duration, money, utc

_QUOTES = frozenset({Provides.QUOTES})


def market_open(facts: Facts) -> Literal[True] | str:
    """Pass inside a regular session of the exchange."""
    return facts.place.is_open or f"{facts.exchange} is closed at {utc(facts.as_of_ns)}"


def since_open(facts: Facts) -> int | str:
    """Pass if the session is old enough: the first minutes after the open are left alone."""
    return facts.place.since_open_ns if facts.place.is_open else "the exchange is closed"


def until_close(facts: Facts) -> int | str:
    """Pass if the session lasts long enough: the last minutes before the close are left alone."""
    return facts.place.until_close_ns if facts.place.is_open else "the exchange is closed"


def sessions_left(facts: Facts) -> int | str:
    """Pass if the table of sessions goes on for long enough, so that it cannot run out unseen."""
    return facts.place.sessions_left


def warmed_up(facts: Facts) -> int | str:
    """Pass if the symbol had so many fresh quotes in a row, since the start and since its last fault."""
    return facts.tape.quotes


def quote_present(facts: Facts) -> Literal[True] | str:
    """Pass if there is a quote with both sides and a size on both."""
    quote = facts.quote
    if not quote.present:
        return NO_QUOTE
    whole = quote.bid_px > 0 and quote.ask_px > 0 and quote.bid_qty > 0 and quote.ask_qty > 0
    return whole or "the quote lacks a price or a size"


def quote_age(facts: Facts) -> int | str:
    """Pass if the quote is at most as old as the limit, in market time."""
    if not facts.quote.present:
        return NO_QUOTE
    age_ns = facts.as_of_ns - facts.quote.event_ns
    return age_ns if age_ns >= 0 else "the quote is stamped with a time that has not come yet"


def feed_age(facts: Facts) -> int | str:
    """Pass if the newest quote of all symbols is at most as old as the limit: else the feed has stopped."""
    if facts.feed_ns <= 0:
        return "the feed has never told a quote"
    age_ns = facts.as_of_ns - facts.feed_ns
    return age_ns if age_ns >= 0 else "the feed's time went back"


def feed_faults(facts: Facts) -> int | str:
    """Pass if the feed had at most so many bad rows in the last minute."""
    return facts.feed_faults


def data_confirmed(facts: Facts) -> Literal[True] | str:
    """Pass if the price did not jump, or enough quotes after the jump have confirmed it."""
    if facts.tape.is_split:
        return "the price opened the day at the ratio of a split, and this source tells of no splits"
    if not facts.tape.is_confirmed:
        return "the price jumped, and too few quotes have confirmed it"
    # Also of a quote that the tape did not judge, because its stamp is none that is newer: it must be near.
    confirmed_px, jump_bps = facts.tape.confirmed_px, value_of(facts, "max_jump_bps")
    if confirmed_px <= 0 or jump_bps is None:
        return "no quote of it has been confirmed"
    near = abs(facts.quote.mid_px - confirmed_px) * BPS_PER_ONE <= jump_bps * confirmed_px
    return near or "the quote is far from the last confirmed price, and nothing has confirmed it"


def market_uncrossed(facts: Facts) -> Literal[True] | str:
    """Pass if bid is below ask, or equal to it and the order would not take it (locked: passive only)."""
    quote = facts.quote
    if not quote.present:
        return NO_QUOTE
    takes = facts.intent.limit_px >= quote.ask_px if is_buy(facts) else facts.intent.limit_px <= quote.bid_px
    inside = quote.bid_px < quote.ask_px or (quote.bid_px == quote.ask_px and not takes)
    return inside or f"bid and ask are crossed or locked (bid {money(quote.bid_px)}, ask {money(quote.ask_px)})"


def spread(facts: Facts) -> int | str:
    """Pass if the spread is inside the limit, in basis points of the mid, rounded up."""
    quote = facts.quote
    twice_mid_px = quote.bid_px + quote.ask_px
    if not quote.present or twice_mid_px <= 0:
        return NO_QUOTE
    return max(0, bps_of(2 * (quote.ask_px - quote.bid_px), twice_mid_px))


def not_halted(facts: Facts) -> Literal[True] | str:
    """Pass if the venue has not halted the symbol."""
    return not facts.quote.halted or "the venue has halted it"


def inside_bands(facts: Facts) -> Literal[True] | str:
    """Pass if the published price bands hold the price, and the market is in no limit state at one of them.

    Source: the limit up - limit down plan: a bid at the upper band, or an ask at the lower one, is a limit state.
    Bands are consumed as published, never computed.
    """
    low_px, high_px = facts.reference.band_low_px, facts.reference.band_high_px
    if not (0 < low_px <= high_px):
        return "no price bands are published for it"
    if facts.quote.bid_px >= high_px or facts.quote.ask_px <= low_px:
        return f"it is in a limit state (bands {money(low_px)} to {money(high_px)})"
    inside = low_px <= facts.intent.limit_px <= high_px
    return inside or f"the price is outside the bands {money(low_px)} to {money(high_px)}"


def not_paused(facts: Facts) -> Literal[True] | str:
    """Pass if no fast move of the price pauses the symbol."""
    left_ns = facts.tape.paused_until_ns - facts.as_of_ns
    return left_ns <= 0 or (
        f"its price moved too fast; it can pass in {duration(left_ns)}, from {utc(facts.tape.paused_until_ns)} on"
    )


def share_of_day(facts: Facts) -> int | str:
    """Pass if the order is a small part of the mean volume of a day."""
    adv_qty = facts.reference.adv_qty
    return bps_of(facts.intent.order_qty, adv_qty) if adv_qty > 0 else "its mean daily volume is not known"


def share_of_now(facts: Facts) -> int | str:
    """Pass if the order is a small part of what traded in the last five minutes."""
    return bps_of(facts.intent.order_qty, facts.tape.volume) if facts.tape.volume > 0 else "nothing of it traded lately"


def _quoted(facts: Facts, **parts: object) -> Facts:
    return changed(facts, quote=msgspec.structs.replace(facts.quote, **parts))


def _outside_bands(facts: Facts) -> Facts:
    px = facts.intent.limit_px
    return changed(facts, reference=msgspec.structs.replace(facts.reference, band_low_px=px + 1, band_high_px=px + 1))


C, R = Control, ReasonCode
#: When the exchange trades.
SESSION: tuple[Control, ...] = (
    C(
        code=R.MARKET_CLOSED, row="17", name="Trading session", scope="symbol", unit="flag",
        says="{note}", remedy="wait for the session, or name another exchange under [session]",
        rule=market_open,
        violate=lambda facts: changed(facts, place=msgspec.structs.replace(facts.place, is_open=False)),
    ),
    C(
        code=R.OPEN_GUARD, row="17", name="Opening guard", scope="symbol", unit="ns", key="open_guard_ns",
        is_least=True,
        says="the session is {observed} old, the least is {limit}", remedy="wait until the opening guard is over",
        measure=since_open,
    ),
    C(
        code=R.CLOSE_GUARD, row="17", name="Closing guard", scope="symbol", unit="ns", key="close_guard_ns",
        is_least=True,
        says="the session lasts {observed} more, the least is {limit}", remedy="wait for the next session",
        measure=until_close,
    ),
    C(
        code=R.CALENDAR_ENDING, row="17", name="Calendar coverage", scope="account", unit="count",
        key="min_sessions_left", is_least=True,
        says="the table of sessions knows {observed} more of them, the least is {limit}",
        remedy="use a version with a longer table of sessions",
        measure=sessions_left,
    ),
    C(
        code=R.WARMING_UP, row="17", name="Warm-up", scope="symbol", unit="count", key="warm_up_quotes", is_least=True,
        says="it had {observed} of {limit} fresh quotes in a row", remedy="wait for more quotes",
        measure=warmed_up,
    ),
)  # fmt: skip
#: Whether the market can be believed.
DATA: tuple[Control, ...] = (
    C(
        code=R.QUOTE_MISSING, row="10", name="Market data present", scope="symbol", unit="flag", needs=_QUOTES,
        says="{note}", remedy="wait for a quote with both sides",
        rule=quote_present, violate=lambda facts: _quoted(facts, present=False),
    ),
    C(
        code=R.DATA_STALE, row="10", name="Market data staleness", scope="symbol", unit="ns", key="max_quote_age_ns",
        needs=_QUOTES,
        says="the quote is {observed} old, the limit is {limit}",
        remedy="wait for a fresh quote, or write a larger max_quote_age under [risk]",
        measure=quote_age,
    ),
    C(
        code=R.FEED_STALE, row="10", name="Feed heartbeat", scope="account", unit="ns", key="max_feed_age_ns",
        needs=_QUOTES,
        says="the newest quote of all symbols is {observed} old, the limit is {limit}",
        remedy="wait until the feed speaks again",
        measure=feed_age,
    ),
    C(
        code=R.FEED_FAULTS, row="14", name="Feed integrity", scope="account", unit="count", key="max_feed_faults",
        says="the feed had {observed} bad rows in a minute, the limit is {limit}",
        remedy="wait until the feed is sound",
        measure=feed_faults,
    ),
    C(
        code=R.DATA_UNCONFIRMED, row="11", name="Market data reasonability", scope="symbol", unit="flag",
        says="{note}", remedy="wait until more quotes have confirmed the price",
        rule=data_confirmed,
        violate=lambda facts: changed(facts, tape=msgspec.structs.replace(facts.tape, is_confirmed=False)),
    ),
    C(
        code=R.MARKET_CROSSED, row="12", name="Crossed or locked market", scope="symbol", unit="flag", needs=_QUOTES,
        says="{note}", remedy="wait until bid is below ask",
        rule=market_uncrossed, violate=lambda facts: _quoted(facts, bid_px=facts.quote.ask_px + 1),
    ),
    C(
        code=R.SPREAD_MAX, row="13", name="Spread width", scope="symbol", unit="bps", key="max_spread_bps",
        needs=_QUOTES,
        says="the spread is {observed} of the mid, the limit is {limit}", remedy="wait for a narrower spread",
        measure=spread,
    ),
    C(
        code=R.SPREAD_WIDE, row="13", name="Wide spread", scope="symbol", unit="bps", key="soft_spread_bps",
        needs=_QUOTES, action=SOFT,
        says="the spread is {observed} of the mid, and above {limit} a human must allow it",
        remedy="wait for a narrower spread",
        measure=spread,
    ),
    C(
        code=R.SYMBOL_HALTED, row="18", name="Trading halt", scope="symbol", unit="flag",
        needs=frozenset({Provides.STATUS}),
        says="{note}", remedy="wait until the venue trades it again",
        rule=not_halted, violate=lambda facts: _quoted(facts, halted=True),
    ),
    C(
        code=R.PRICE_BANDS, row="18", name="Limit up - limit down bands", scope="symbol", unit="flag",
        needs=frozenset({Provides.BANDS}),
        says="{note}", remedy="wish for a price inside the bands, or wait until the limit state is over",
        rule=inside_bands, violate=_outside_bands,
    ),
    C(
        code=R.VOLATILITY_PAUSE, row="15", name="Volatility pause (velocity logic)", scope="symbol", unit="flag",
        says="{note}", remedy="wait until the pause is over",
        rule=not_paused,
        violate=lambda facts: changed(
            facts, tape=msgspec.structs.replace(facts.tape, paused_until_ns=facts.as_of_ns + 1)
        ),
    ),
)  # fmt: skip
#: Whether the market is large enough.
VOLUME: tuple[Control, ...] = (
    C(
        code=R.PARTICIPATION_DAY, row="31", name="Participation in a day's volume", scope="symbol", unit="bps",
        key="max_adv_bps", needs=frozenset({Provides.DAILY_VOLUME}), action=SOFT,
        says="it is {observed} of the mean daily volume, and above {limit} a human must allow it",
        remedy="wish for less",
        measure=share_of_day,
    ),
    C(
        code=R.PARTICIPATION_NOW, row="31", name="Participation in the last five minutes", scope="symbol", unit="bps",
        key="max_volume_bps", needs=frozenset({Provides.VOLUME}), action=SOFT,
        says="it is {observed} of what traded in five minutes, and above {limit} a human must allow it",
        remedy="wish for less, or wait for more volume",
        measure=share_of_now,
    ),
)  # fmt: skip
