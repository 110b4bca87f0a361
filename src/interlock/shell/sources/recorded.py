"""From rows to snapshots: one snapshot for each distinct time that the rows of a universe speak of.

Floor 2 (shell). It never invents a quote: what no row said is not shown, and a dropped row makes its
symbol unknown until the next good quote.
On the trip: under SEE; file sources put their rows in order of time, and this walk shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from operator import attrgetter

import numpy as np

from interlock.model.errors import invariant
from interlock.model.market import Column, DataFault, Flags, MarketSnapshot, Reference, make_snapshot
from interlock.shell.sources.dates import ExchangeDays
from interlock.shell.sources.rows import EVERY_SYMBOL, FaultRow, QuoteRow, Row, TradeRow

#: The most faults that one snapshot tells one by one; the last of them counts the others.
FAULTS_MAX = 200

#: What a trading date (`YYYY-MM-DD`) knows beforehand; None where the source does not give it.
ReferenceOn = Callable[[str], Reference | None]


def nothing_beforehand(trading_date: str) -> None:
    """Give no reference for any date: the files of most sources hold none."""
    del trading_date


class SnapshotWalk:
    """Merge streams of rows and show each distinct time as one snapshot.

    A quote is carried forward with its own time, the last price too; the volume is of one time alone.

    Args:
        universe: the symbols, in the order that `ix` of a row speaks of.
        streams: rows, each stream with `at_ns` never going back.
        days: the days of the exchange.
        reference_on: what a date knows beforehand; asked once for each date.

    Raises:
        DataError: a stream cannot be read at all.
    """

    def __init__(
        self,
        *,
        universe: tuple[str, ...],
        streams: Iterable[Iterator[Row]],
        days: ExchangeDays,
        reference_on: ReferenceOn = nothing_beforehand,
    ) -> None:
        self._universe = universe
        self._rows: Iterator[Row] = merge(*streams, key=attrgetter("at_ns"))
        self._days = days
        self._reference_on = reference_on
        self._trading_date = ""
        self._reference: Reference | None = None
        self._ahead = next(self._rows, None)
        self._seq = 0
        self._as_of_ns = 0
        self._bid_px = self._zeros()
        self._ask_px = self._zeros()
        self._last_px = self._zeros()
        self._bid_qty = self._zeros()
        self._ask_qty = self._zeros()
        self._volume = self._zeros()
        self._event_ns = self._zeros()
        self._present = np.zeros(len(universe), dtype=np.bool_)
        self._doubted = np.zeros(len(universe), dtype=np.bool_)
        self._told: list[DataFault] = []
        self._untold = 0

    def _zeros(self) -> Column:
        return np.zeros(len(self._universe), dtype=np.int64)

    def next(self) -> MarketSnapshot | None:
        """Return the snapshot of the next time that a row speaks of, or None when there are no more rows.

        Raises:
            DataError: a file cannot be read on.
        """
        if self._ahead is None:
            return None
        self._volume = self._zeros()
        self._doubted[:] = False
        self._told = []
        self._untold = 0
        as_of_ns = self._gather()
        invariant(as_of_ns > self._as_of_ns, "market time goes forward", as_of_ns=as_of_ns, before=self._as_of_ns)
        self._as_of_ns = as_of_ns
        self._seq += 1
        # A fault outranks a good row of the same time: which of the two is true, nobody knows.
        self._drop_quotes(self._doubted)
        if self._untold > 0:
            last = self._told[-1]
            text = f"{last.text} (and {self._untold:,} more rows were dropped after this one)"
            self._told[-1] = DataFault(symbol=last.symbol, code=last.code, text=text)
        return self._snapshot()

    def _gather(self) -> int:
        """Take in the faults that wait for a snapshot and every row of the next time; return that time."""
        as_of_ns = 0
        waited_ns = 0
        while self._ahead is not None and as_of_ns in (0, self._ahead.at_ns):
            row = self._ahead
            if isinstance(row, FaultRow):
                self._take_fault(row)
                waited_ns = row.at_ns
                as_of_ns = row.at_ns if row.is_timed else as_of_ns
            else:
                self._take(row)
                as_of_ns = row.at_ns
            self._ahead = next(self._rows, None)
        # Faults that no row comes after are still shown, in a last snapshot of their own.
        return as_of_ns if as_of_ns > 0 else max(waited_ns, self._as_of_ns + 1)

    def _take(self, row: QuoteRow | TradeRow) -> None:
        if isinstance(row, QuoteRow):
            self._bid_px[row.ix] = row.bid_px
            self._ask_px[row.ix] = row.ask_px
            self._bid_qty[row.ix] = row.bid_qty
            self._ask_qty[row.ix] = row.ask_qty
            self._event_ns[row.ix] = row.at_ns
            self._present[row.ix] = True
        else:
            self._last_px[row.ix] = row.last_px
            self._volume[row.ix] = row.volume

    def _take_fault(self, fault: FaultRow) -> None:
        whose = np.zeros(len(self._universe), dtype=np.bool_)
        whose[slice(None) if fault.ix == EVERY_SYMBOL else fault.ix] = True
        self._drop_quotes(whose)
        if fault.is_timed:
            self._doubted |= whose
        symbol = "*" if fault.ix == EVERY_SYMBOL else self._universe[fault.ix]
        if len(self._told) < FAULTS_MAX:
            self._told.append(DataFault(symbol=symbol, code=fault.code, text=fault.text))
        else:
            self._untold += 1

    def _drop_quotes(self, whose: Flags) -> None:
        """Make symbols unknown; their numbers go too, so that nobody can use one by mistake."""
        self._present[whose] = False
        for column in (self._bid_px, self._ask_px, self._bid_qty, self._ask_qty):
            column[whose] = 0

    def _snapshot(self) -> MarketSnapshot:
        trading_date = self._days.date_of(self._as_of_ns)
        if trading_date != self._trading_date:
            self._trading_date, self._reference = trading_date, self._reference_on(trading_date)
        return make_snapshot(
            seq=self._seq,
            as_of_ns=self._as_of_ns,
            trading_date=trading_date,
            universe=self._universe,
            bid_px=self._bid_px.copy(),
            ask_px=self._ask_px.copy(),
            last_px=self._last_px.copy(),
            bid_qty=self._bid_qty.copy(),
            ask_qty=self._ask_qty.copy(),
            volume=self._volume,
            event_ns=self._event_ns.copy(),
            present=self._present.copy(),
            halted=np.zeros(len(self._universe), dtype=np.bool_),
            faults=tuple(self._told),
            reference=self._reference,
        )
