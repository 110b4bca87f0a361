"""What a strategy is, what it may see, and how its answer is taken: as a wish, and with suspicion.

Floor 1 (decisions). A strategy reads its view and answers; it cannot send, cancel, or change anything.
On the trip: IDEA calls each strategy once a cycle and records the call, also when the answer is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from interlock.model.market import MarketSnapshot, Quote
from interlock.model.orders import Order, OrderClass, OrdType, Side, TimeInForce
from interlock.model.signals import Candidate, Idea, OrderIntent, Proposal, Wish
from interlock.model.units import INTEGER_MAX, plain

#: The most wishes that one strategy may have in one cycle; an answer with more is refused whole.
WISHES_MAX = 1_000
#: The longest reason that is kept.
REASON_CHARACTERS_MAX = 300

_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
#: Half a character: Python keeps it in a string, and no record can be written with it.
_SURROGATE = re.compile("[\ud800-\udfff]")


class View(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All that a strategy may see in one cycle: the market, the candidates, and what is its own."""

    strategy_id: str
    cycle: int
    snapshot: MarketSnapshot
    index: Mapping[str, int]
    candidates: tuple[Candidate, ...]
    positions: Mapping[str, int]
    orders: tuple[Order, ...]

    @property
    def as_of_ns(self) -> int:
        """Return the instant of the market, ns UTC; it is the only time there is."""
        return self.snapshot.as_of_ns

    @property
    def trading_date(self) -> str:
        """Return the exchange's date, `YYYY-MM-DD`."""
        return self.snapshot.trading_date

    @property
    def universe(self) -> tuple[str, ...]:
        """Return the symbols that there are."""
        return self.snapshot.universe

    def quote(self, symbol: str) -> Quote:
        """Return the last known quote of a symbol of the universe; check `present` before using a number.

        Raises:
            KeyError: the symbol is not in the universe.
        """
        return self.snapshot.quote(self.index[symbol])

    def position(self, symbol: str) -> int:
        """Return the signed shares that this strategy holds of a symbol."""
        return self.positions.get(symbol, 0)

    def working(self, symbol: str) -> tuple[Order, ...]:
        """Return this strategy's open orders in a symbol."""
        return tuple(order for order in self.orders if order.symbol == symbol)


class Strategy(Protocol):
    """The one method of a strategy. `Class(**settings)` builds it once, before the run."""

    def propose(self, view: View) -> Proposal:
        """Return the wishes of this cycle, or none, and in both cases why."""
        ...


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What one call gave: its record, and the wishes that are well formed enough to be judged."""

    idea: Idea
    wishes: tuple[Wish, ...]


def ask(strategy: Strategy, view: View) -> Asked:
    """Call a strategy and take its answer apart; whatever goes wrong becomes a recorded fault."""
    try:
        answer: object = strategy.propose(view)
    except KeyboardInterrupt:
        # A person, who will not wait any longer for this call.
        raise
    except BaseException as error:  # noqa: BLE001 - foreign code: whatever it raises is told, and trips a latch
        return _fault(view, f"it raised {type(error).__name__}: {_shown(error, str)}{_place(error)}")
    # Exactly these types: a subclass may compute its fields, and say another number the second time it is read.
    if type(answer) is not Proposal:
        return _fault(view, f"it answered {type(answer).__name__}, not a Proposal")
    if type(answer.wishes) is not tuple or len(answer.wishes) > WISHES_MAX:
        return _fault(view, f"its wishes are not a tuple of at most {WISHES_MAX:,}")
    for wish in answer.wishes:
        wrong = malformed(wish)
        if wrong:
            return _fault(view, f"it wished for nonsense: {wrong}")
    because = _reason(answer.because)
    if not because:
        return _fault(view, "it gave no reason for its answer")
    idea = Idea(strategy_id=view.strategy_id, wishes=len(answer.wishes), because=because, fault="")
    return Asked(idea=idea, wishes=answer.wishes)


def malformed(wish: object) -> str:
    """Return what keeps `wish` from being judged at all, or "" where it can be.

    Only the shape is looked at here (types, whole numbers that fit, a reason); whether the values make
    sense is the gate's to say.
    """
    if type(wish) is not Wish:
        return f"a {type(wish).__name__} is not a Wish"
    for name in ("order_qty", "limit_px", "stop_px"):
        value: object = getattr(wish, name)
        # bool is an int to Python and a mistake to a person.
        if type(value) is not int or not -INTEGER_MAX <= value <= INTEGER_MAX:
            return f"{name} is {_short(value)}, not a whole number that fits"
    kinds = (("side", Side), ("ord_type", OrdType), ("time_in_force", TimeInForce), ("order_class", OrderClass))
    for name, kind in kinds:
        if not isinstance(getattr(wish, name), kind):
            return f"{name} is {_short(getattr(wish, name))}, not a {kind.__name__}"
    if not isinstance(wish.symbol, str) or not wish.symbol or not _reason(wish.because):
        return "a wish needs a symbol and a reason"
    return ""


def named(wish: Wish, *, strategy_id: str, intent_id: str, cause: str) -> OrderIntent:
    """Return the wish as an intent: who wishes it, for which candidate, and under which id it is known for ever."""
    return OrderIntent(
        intent_id=intent_id,
        cause=cause,
        strategy_id=strategy_id,
        symbol=_told(wish.symbol),
        side=wish.side,
        order_qty=wish.order_qty,
        ord_type=wish.ord_type,
        limit_px=wish.limit_px,
        stop_px=wish.stop_px,
        time_in_force=wish.time_in_force,
        order_class=wish.order_class,
        because=_reason(wish.because),
    )


def _reason(words: object) -> str:
    return _told(words.strip()) if isinstance(words, str) else ""


def _told(words: str) -> str:
    """Return foreign words as the record and the story can hold them."""
    return _SURROGATE.sub("?", plain(words))[:REASON_CHARACTERS_MAX]


def _shown(value: object, words_of: Callable[[object], str]) -> str:
    """Return `str` or `repr` of a foreign object, which may itself raise."""
    try:
        return words_of(value)
    except Exception:  # noqa: BLE001 - foreign code
        return "(it cannot be shown)"


def _short(value: object) -> str:
    return f"{type(value).__name__} {_ADDRESS.sub('0x...', plain(_shown(value, repr)))[:40]}"


def _place(error: BaseException) -> str:
    """Return where in the strategy's file it went wrong: the innermost frame, by file name only."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        place = f" (in {trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return place


def _fault(view: View, text: str) -> Asked:
    """Record a failed call. Memory addresses are blanked: they would change the head from run to run."""
    told = _told(_ADDRESS.sub("0x...", text))
    idea = Idea(strategy_id=view.strategy_id, wishes=0, because="its answer cannot be used", fault=told)
    return Asked(idea=idea, wishes=())
