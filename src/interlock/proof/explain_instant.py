"""Explain what was, and what was not, with one symbol at one instant: also when nothing happened.

Floor 3 (proof). It reads one run's journal, prints nothing, and says what the record does not hold instead of guessing
it: of each snapshot the record keeps a digest and a few quotes. It stands after the trip.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from interlock.model.errors import ConfigError
from interlock.model.journal import Cycle, LimitInForce, Record
from interlock.model.market import Quote
from interlock.model.mode import TradingState
from interlock.model.risk import Latch
from interlock.model.signals import ScanResult
from interlock.model.units import SECOND_NS, duration, plain, utc
from interlock.proof.explain import cycle_of, faults_of, wish_lines
from interlock.proof.explained import InstantExplained, ScanSaid
from interlock.proof.run_record import RunRecord
from interlock.shell.index import seen_after
from interlock.shell.limits_then import limits_then
from interlock.shell.sources.dates import TIME_NS_MAX

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?")
#: Symbols that a refusal names.
_NAMED_MAX = 12


def instant_ns(text: str) -> int:
    """Read an instant such as `2013-10-07T14:30-04:00` as nanoseconds since 1970, UTC.

    Raises:
        ConfigError: it is no time, or has no zone: a local time would be somebody's guess.

    Examples:
        >>> instant_ns("2013-10-07T14:30-04:00") == instant_ns("2013-10-07T18:30:00Z")
        True
    """
    found = _ISO.fullmatch(text)
    if found is None:
        raise ConfigError(_no_time(text))
    if not found[3]:
        message = (
            f"--at {plain(text)} has no time zone, and a local time is another instant elsewhere. Add the offset, such "
            f"as {plain(text)}-04:00 for New York in summer, or Z for UTC."
        )
        raise ConfigError(message)
    fraction_ns = int((found[2] or ".0")[1:].ljust(9, "0"))
    try:
        at = datetime.fromisoformat(text.replace(found[2] or " ", "" if found[2] else "T", 1).replace(" ", "T"))
        seconds = int((at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    except (ValueError, OverflowError) as error:
        raise ConfigError(_no_time(text)) from error
    at_ns = seconds * SECOND_NS + fraction_ns
    if not 0 <= at_ns <= TIME_NS_MAX:
        raise ConfigError(_no_time(text))
    return at_ns


def explain_instant(run_dir: Path, symbol: str, *, at_ns: int) -> InstantExplained:
    """Explain what was with a symbol in the cycle that was in force at an instant.

    Args:
        run_dir: the run's folder.
        symbol: one of the run's universe.
        at_ns: the instant, market time, ns since 1970 UTC.

    Raises:
        ConfigError: the run did not watch the symbol, or had seen no market yet, or none any more.
        JournalError: the record cannot be trusted where it is needed.
    """
    run = RunRecord(run_dir)
    _check_symbol(run, symbol)
    record = _in_force(run, at_ns)
    decided, moment = cycle_of(record), run.moment(record)
    outputs = decided.outputs
    quote, kept = _quote_of(decided, symbol)
    age_ns = moment.as_of_ns - quote[0].event_ns if quote and quote[0].present else 0
    faults = faults_of(decided, symbol)
    wishes = wish_lines(
        tuple(one for one in outputs.decisions if one.intent.symbol == symbol),
        schema_version=run.boot.schema_version,
    )
    latches = run.latches_at(decided)
    return InstantExplained(
        headline=f"{symbol} at {utc(at_ns)}, in cycle {decided.cycle:,}: {_what_was(decided, symbol)}",
        moment=moment,
        symbol=symbol,
        at_ns=at_ns,
        behind_ns=at_ns - moment.as_of_ns,
        quote=quote,
        quote_age_ns=age_ns,
        quote_words=_quote_words(quote, age_ns=age_ns, symbol=symbol),
        faults=faults,
        scans=tuple(_scan_said(result, symbol) for result in outputs.scans),
        ideas=outputs.ideas,
        wishes=wishes,
        in_the_way=_in_the_way(run, decided, symbol=symbol, quote=quote, age_ns=age_ns, latches=latches),
        positions=tuple(one for one in outputs.holdings.positions if one.symbol == symbol),
        orders=tuple(one for one in run.open_orders(decided) if one.symbol == symbol),
        trading_state=outputs.state_after,
        latches=latches,
        holdings=outputs.holdings,
        notes=() if kept else (_not_kept(run, symbol),),
    )


def _no_time(text: str) -> str:
    return (
        f"--at {plain(text)!r} is not an instant. Write date, time and zone, such as 2013-10-07T14:30-04:00 or "
        "2013-10-07T18:30:00Z."
    )


def _check_symbol(run: RunRecord, symbol: str) -> None:
    if symbol in run.boot.universe:
        return
    watched = run.boot.universe
    more = f" and {len(watched) - _NAMED_MAX:,} more" if len(watched) > _NAMED_MAX else ""
    message = (
        f"The run {run.run_id} did not watch {plain(symbol)!r}: its universe is "
        f"{', '.join(plain(one) for one in watched[:_NAMED_MAX])}{more}."
    )
    raise ConfigError(message)


def _in_force(run: RunRecord, at_ns: int) -> Record:
    """Return the last cycle whose market is no later than the instant.

    Raises:
        ConfigError: the instant is before the first or after the last market that the run saw.
    """
    number = run.index.number_where(seen_after(at_ns)) - 1
    markets = run.index.number_where(seen_after(TIME_NS_MAX)) - 1
    if markets < 1:
        message = f"The run {run.run_id} ended before it had seen a market, so there is nothing to explain."
        raise ConfigError(message)
    first_ns, last_ns = (run.moment(run.index.record(one)).as_of_ns for one in (1, markets))
    if number < 1 or (number == markets and at_ns > last_ns):
        side = "before the first" if number < 1 else "after the last"
        message = (
            f"{utc(at_ns)} is {side} market that the run {run.run_id} saw: it saw markets from {utc(first_ns)} to "
            f"{utc(last_ns)}. Ask for an instant in between, or another run with --run."
        )
        raise ConfigError(message)
    return run.index.record(number)


def _quote_of(decided: Cycle, symbol: str) -> tuple[tuple[Quote, ...], bool]:
    """Return the symbol's quote as the cycle's record keeps it, and whether it does."""
    market = decided.inputs.market
    shown = () if market is None else market.shown
    kept = [one.quote for one in decided.outputs.decisions] + list(shown)
    found = tuple(quote for quote in kept if quote.symbol == symbol)[:1]
    return found, bool(found)


def _quote_words(quote: tuple[Quote, ...], *, age_ns: int, symbol: str) -> str:
    if not quote:
        return f"Whether there was a quote of {symbol} is not in the record of this cycle."
    if not quote[0].present:
        return f"There was no quote of {symbol}: none had come yet, or the last row of data was at fault."
    return f"There was a quote of {symbol}, {duration(age_ns)} old."


def _not_kept(run: RunRecord, symbol: str) -> str:
    return (
        f"The record keeps a digest of each snapshot, the quotes of its first symbols and those of decisions; that of "
        f"{symbol} is not among them. The run can make it again: interlock replay {run.run_id}"
    )


def _scan_said(result: ScanResult, symbol: str) -> ScanSaid:
    named = tuple(one for one in result.candidates if one.symbol == symbol)
    if named:
        return ScanSaid(scanner=result.scanner, named=named, words="")
    if not result.candidates:
        return ScanSaid(scanner=result.scanner, named=(), words=f"it found no candidate at all: {result.because}")
    others = ", ".join(one.symbol for one in result.candidates[:_NAMED_MAX])
    return ScanSaid(scanner=result.scanner, named=(), words=f"it did not name {symbol}; it named {others}")


def _what_was(decided: Cycle, symbol: str) -> str:
    wishes = [one for one in decided.outputs.decisions if one.intent.symbol == symbol]
    if not wishes:
        return "no strategy wished for it, so nothing was judged and nothing was sent."
    verdicts = ", ".join(f"{one.decision_id} {one.verdict.value}" for one in wishes)
    return f"it was wished for: {verdicts}."


def _in_the_way(  # noqa: PLR0913 - what stands in the way has these sides
    run: RunRecord,
    decided: Cycle,
    *,
    symbol: str,
    quote: tuple[Quote, ...],
    age_ns: int,
    latches: tuple[Latch, ...],
) -> tuple[str, ...]:
    """Return what would have blocked an entry in the symbol, whatever its size, as far as this cycle tells."""
    found: list[str] = []
    if not run.boot.has_policy:
        found.append("No risk policy is written, so no entry is allowed in anything: write a [risk] section.")
    elif symbol not in run.boot.allowed:
        found.append(f"{symbol} is not on the allow-list: add it to symbols under [risk].")
    if symbol in run.boot.restricted:
        found.append(f"{symbol} is on the restricted list: take it out of restricted under [risk], with a new start.")
    state = decided.outputs.state_after
    if state is not TradingState.ACTIVE:
        found.append(
            f"The trading state was {state}, and an entry needs ACTIVE: a human raises it with interlock resume."
        )
    scopes = ("account", f"symbol:{symbol}")
    found += [f"Latch {one.latch_id} {one.code} stood on {one.scope}." for one in latches if one.scope in scopes]
    if quote and not quote[0].present:
        found.append(f"There was no quote of {symbol}, and an entry needs a fresh one.")
    oldest_ns = _oldest_ns(limits_then(run.index, run.boot, last=run.number_of(decided.cycle)), symbol)
    if age_ns > oldest_ns > 0:
        found.append(f"The quote was {duration(age_ns)} old, and max_quote_age is {duration(oldest_ns)}.")
    if quote and quote[0].halted:
        found.append(f"The venue had halted {symbol}.")
    return tuple(found)


def _oldest_ns(limits: tuple[LimitInForce, ...], symbol: str) -> int:
    """Return how old a quote of the symbol could be, the strictest that held for it; 0 where nobody wrote it."""
    scopes = ("", f"symbol:{symbol}")
    return min((one.value or 0 for one in limits if one.key == "max_quote_age_ns" and one.scope in scopes), default=0)
