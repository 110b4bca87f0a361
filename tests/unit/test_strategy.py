"""A strategy's answer is taken with suspicion: whatever it is, it becomes a record and never an accident."""

from __future__ import annotations

import math
from asyncio import CancelledError
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from tests.core_factory import ASK_PX, MID_PX, SYMBOLS, Does, Says, order, rules, snapshot, state, wish

from interlock.core.step import _view
from interlock.core.strategy import REASON_CHARACTERS_MAX, WISHES_MAX, View, ask, malformed, named
from interlock.model.orders import OrderClass, OrdType, Side, TimeInForce
from interlock.model.signals import Idea, Proposal, Wish
from interlock.model.units import INTEGER_MAX


class Unshowable:
    """A value that cannot be shown, and an error that cannot be told."""

    def __repr__(self) -> str:
        raise OSError

    def __str__(self) -> str:
        raise OSError


class UntoldError(Exception):
    """An error without words."""

    def __str__(self) -> str:
        raise OSError


class OwnWish(Wish, frozen=True, kw_only=True):
    """A wish of a type of its own, which could compute what it wishes for."""


class OwnProposal(Proposal, frozen=True, kw_only=True):
    """An answer of a type of its own."""


class OwnTuple(tuple[Wish, ...]):
    """A tuple of a type of its own."""

    __slots__ = ()


def view() -> View:
    """Return the view of a strategy that holds ten SPY and works an order in IBM."""
    lived = state(held={"SPY": 10}, orders=(order(symbol="IBM"), order("000001-002", strategy_id="other")))
    return _view(lived, rules(), "cross", snapshot=snapshot(), candidates=())


def idea_of(function: Callable[[View], object]) -> Idea:
    """Return the record of a strategy that answers with what a function makes."""
    asked = ask(Does(function), view())
    assert asked.wishes == ()
    return asked.idea


def raising(error: BaseException) -> Callable[[View], object]:
    """Return a strategy's function that raises."""

    def propose(_: View) -> object:
        raise error

    return propose


def test_a_good_answer_is_taken_as_it_is() -> None:
    """Wishes and their reason are recorded, and nothing is wrong."""
    asked = ask(Says(wish(), wish("IBM")), view())

    assert (wish(), wish("IBM")) == asked.wishes
    assert Idea(strategy_id="cross", wishes=2, because="it was told to", fault="") == asked.idea


def test_wishing_for_nothing_is_a_record_too() -> None:
    """No wish with a reason is a good answer."""
    assert Idea(strategy_id="cross", wishes=0, because="it was told to", fault="") == ask(Says(), view()).idea


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no price"), "it raised ValueError: no price (in test_strategy.py, line "),
        (SystemExit(3), "it raised SystemExit: 3 (in"),
        (CancelledError("a future was dropped"), "it raised CancelledError: a future was dropped (in"),
        (GeneratorExit(), "it raised GeneratorExit:"),
        (RecursionError(), "it raised RecursionError:"),
        (UntoldError(), "it raised UntoldError: (it cannot be shown)"),
        (KeyError("\x1b[2JIBM\n"), "it raised KeyError: '\\x1b[2JIBM\\n'"),
        (ValueError("half \ud800 and \x1b[2J"), "it raised ValueError: half ? and ?[2J"),
        (ValueError(object()), "it raised ValueError: <object object at 0x...>"),
    ],
)
def test_what_it_raises_is_recorded(error: BaseException, told: str) -> None:
    """An error, an exit and an error that cannot be told become one plain sentence that the record can hold."""
    fault = idea_of(raising(error)).fault

    assert fault.startswith(told)
    assert msgspec.json.encode(fault)


def test_an_interrupt_of_a_person_is_not_swallowed() -> None:
    """A strategy cannot take Ctrl+C for its own error."""
    with pytest.raises(KeyboardInterrupt):
        ask(Does(raising(KeyboardInterrupt())), view())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "it answered NoneType, not a Proposal"),
        ((wish(),), "it answered tuple, not a Proposal"),
        (Proposal(wishes=[wish()], because="list"), "its wishes are not a tuple of at most 1,000"),  # type: ignore[arg-type]
        (Proposal(wishes=(wish(),) * (WISHES_MAX + 1), because="many"), "its wishes are not a tuple of at most 1,000"),
        (Proposal(wishes=(), because=""), "it gave no reason for its answer"),
        (Proposal(wishes=(), because=" \t "), "it gave no reason for its answer"),
        (Proposal(wishes=(), because=None), "it gave no reason for its answer"),  # type: ignore[arg-type]
        (Proposal(wishes=(None,), because="x"), "it wished for nonsense: a NoneType is not a Wish"),  # type: ignore[arg-type]
    ],
)
def test_an_answer_that_is_none_is_a_fault(answer: object, told: str) -> None:
    """What is no proposal, too much or unexplained is refused whole, and said."""
    assert told == idea_of(lambda _: answer).fault


def test_a_type_of_its_own_is_refused_for_it_may_say_another_number_when_read_again() -> None:
    """A subclass of an answer, of its tuple or of a wish is no answer, however right it looks."""
    own = OwnWish(**{name: getattr(wish(), name) for name in Wish.__struct_fields__})
    answers = (
        OwnProposal(wishes=(), because="x"),
        Proposal(wishes=OwnTuple((wish(),)), because="x"),
        Proposal(wishes=(own,), because="x"),
    )

    assert [
        "it answered OwnProposal, not a Proposal",
        "its wishes are not a tuple of at most 1,000",
        "it wished for nonsense: a OwnWish is not a Wish",
    ] == [idea_of(lambda _, answer=answer: answer).fault for answer in answers]  # type: ignore[misc]


def test_as_many_wishes_as_there_may_be_are_taken() -> None:
    """The limit itself is inside."""
    assert WISHES_MAX == ask(Says(*(wish(),) * WISHES_MAX), view()).idea.wishes


@pytest.mark.parametrize("name", ["order_qty", "limit_px", "stop_px"])
@pytest.mark.parametrize(
    "value",
    [
        1.0,
        math.nan,
        math.inf,
        True,
        None,
        "10",
        np.int64(10),
        Unshowable(),
        INTEGER_MAX + 1,
        -INTEGER_MAX - 1,
        10**400,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_whole_number_is_nonsense(name: str, value: object) -> None:
    """A float, a flag, a text, nothing and a number without measure are refused by name."""
    wrong = malformed(msgspec.structs.replace(wish(), **{name: value}))

    assert wrong.startswith(f"{name} is {type(value).__name__} ")
    assert wrong.endswith(", not a whole number that fits")


@pytest.mark.parametrize("value", [0, -1, INTEGER_MAX, -INTEGER_MAX])
def test_whether_a_whole_number_makes_sense_is_the_gates_to_say(value: int) -> None:
    """Zero, a negative and the largest number there is are well formed."""
    assert "" == malformed(wish(order_qty=value, limit_px=value, stop_px=value))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("side", Side), ("ord_type", OrdType), ("time_in_force", TimeInForce), ("order_class", OrderClass)],
)
@pytest.mark.parametrize("value", ["BUY", None, Side])
def test_a_word_that_is_no_enum_is_nonsense(name: str, kind: type, value: object) -> None:
    """The text of an enum is not the enum."""
    assert f"not a {kind.__name__}" in malformed(msgspec.structs.replace(wish(), **{name: value}))


@pytest.mark.parametrize("changes", [{"symbol": ""}, {"symbol": 7}, {"because": ""}, {"because": None}])
def test_a_wish_needs_a_symbol_and_a_reason(changes: dict[str, object]) -> None:
    """A wish without one of them is nonsense."""
    assert "a wish needs a symbol and a reason" == malformed(msgspec.structs.replace(wish(), **changes))


def test_outside_words_are_plain_and_short_in_an_intent() -> None:
    """Control characters, half characters and endless texts do not get into an intent."""
    odd = wish("IBM\x1b[2J", because="\u202eup \ud800" + "x" * 1_000)
    made = named(odd, strategy_id="cross", intent_id="000001-001", cause="")

    assert ("IBM?[2J", REASON_CHARACTERS_MAX) == (made.symbol, len(made.because))
    assert made.because.startswith("?up ?xxx")
    assert msgspec.json.encode(made)


def test_a_view_shows_what_is_the_strategys_own() -> None:
    """Market, clock and universe are everybody's; positions and orders are its own only."""
    seen = view()

    assert (SYMBOLS, snapshot().as_of_ns, "2013-10-07") == (seen.universe, seen.as_of_ns, seen.trading_date)
    assert (10, 0, ("000001-001",)) == (
        seen.position("SPY"), seen.position("IBM"), tuple(each.cl_ord_id for each in seen.working("IBM")),
    )  # fmt: skip
    assert ((), ASK_PX, MID_PX) == (seen.working("SPY"), seen.quote("IBM").ask_px, seen.quote("AIG").mid_px)
    with pytest.raises(KeyError):
        seen.quote("XYZ")
