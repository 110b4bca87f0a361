"""The table of controls as text: one line a control, in columns, at most as wide as a terminal.

Floor 3 (proof), and pure: words from values. It stands beside the trip.
"""

from __future__ import annotations

from itertools import groupby

from interlock.core.words import number
from interlock.model.orders import OrderClass
from interlock.proof.controls import AT_TRADE, ControlLine, Controls, OwnLimit

_HEADLINE = ("CONTROL", "LIMIT", "KEY", "FROM", "SCOPE", "STOPS")
_CLASSES = {
    (OrderClass.ENTRY,): "entries",
    (OrderClass.EXIT,): "exits",
    (OrderClass.ENTRY, OrderClass.EXIT): "entries, exits",
    tuple(OrderClass): "every order",
}
_ACTIONS = {"hard block": "", "soft block": ", soft", "throttle": ", throttle"}
_INDENT = "    "
_WIDTH_MAX = 100
_LEGEND = (
    "Every control before a trade is read and recorded for every order, unless only exits have it; STOPS says whom it",
    "can block. `soft`: a human may let that order through once (interlock allow). `throttle`: it says when the order",
    "can pass. A watch looks at what happened, and latches its scope: entries wait there for a human, exits go on.",
)


def text_of(controls: Controls) -> str:
    """Return the table as text, without control characters in what it adds itself."""
    lines = [controls.words, *_lists(controls), *_profile(controls), *controls.notes]
    cells = [_cells(one) for one in controls.lines]
    widths = [max(len(row[column]) for row in (_HEADLINE, *cells)) for column in range(len(_HEADLINE))]
    rows = zip(controls.lines, cells, strict=True)
    phase = ""
    for (group, is_in), members in groupby(rows, key=lambda row: (row[0].group, row[0].phase)):
        lines += ["", f"{group} ({is_in})"] if is_in == phase else ["", _row(_HEADLINE, widths), f"{group} ({is_in})"]
        phase = is_in
        for one, cell in members:
            lines += [_row(cell, widths), *_more(one)]
    return "\n".join((*lines, "", *_wrapped(" ".join(_LEGEND), "")))


def _lists(controls: Controls) -> tuple[str, ...]:
    if not controls.has_policy:
        return ("There is no risk policy, so no entry is allowed: write a [risk] section.",)
    words = _wrapped(f"Symbols that may be traded: {', '.join(controls.allowed) or 'none'}.", "")
    if controls.restricted:
        words += _wrapped(f"Symbols that may not be entered: {', '.join(controls.restricted)}.", "")
    return words


def _profile(controls: Controls) -> tuple[str, ...]:
    """Return which profile the column FROM means, where there is one."""
    sources = [one.source.split(" ") for one in controls.lines if one.source.startswith("profile ")]
    return tuple(dict.fromkeys(f"The profile is {words[1]}, sized by the account's cash." for words in sources))


def _cells(one: ControlLine) -> tuple[str, ...]:
    return one.code, _limit_cell(one), one.key, _source(one.source), one.scope, _stops(one)


def _limit_cell(one: ControlLine) -> str:
    """Return the limit in as few letters as it takes: whole dollars without cents, a rate with its span."""
    if not one.key:
        return "-"
    if one.limit is None:
        return "not written"
    limit = number(one.limit, one.unit).removesuffix(".00")
    return f"{'>= ' if one.is_least else ''}{limit}{_in_window(one, scope='')}"


def _in_window(one: ControlLine, *, scope: str) -> str:
    """Return over which span a rate counts, "" for a limit that is no rate."""
    windows = [other for other in one.beside if _is_window(one, other) and other.scope == scope]
    return f" in {number(windows[0].limit, windows[0].unit)}" if windows else ""


def _is_window(one: ControlLine, other: OwnLimit) -> bool:
    """Return True if a limit is the second half of a rate: both have one key."""
    return other.key == one.key and other.unit == "ns"


def _source(source: str) -> str:
    """Return where a limit comes from in one word; whose profile it is stands in the file."""
    if source.endswith(" canary"):
        return "canary"
    return "profile" if source.startswith("profile ") else source


def _stops(one: ControlLine) -> str:
    if one.phase == AT_TRADE:
        return "entries, latch"
    return _CLASSES[one.required_for] + _ACTIONS[one.action]


def _more(one: ControlLine) -> tuple[str, ...]:
    """Return the lines below a control: other limits it reads, those of single scopes, and what it cannot see."""
    found: list[str] = []
    beside = [_limit(other) for other in one.beside if not _is_window(one, other)]
    if beside:
        found.append(f"with {', '.join(beside)}")
    for other in one.own:
        limit = f"{_number(other)}{_in_window(one, scope=other.scope)}"
        found.append(f"{other.scope.replace(':', ' ')}: {limit} ({other.source})")
    if one.clears and one.phase == AT_TRADE and not one.clears.startswith("any "):
        found.append(f"cleared by {one.clears}")
    if not one.covered:
        told = " and ".join(one.needs).replace("_", " ")
        found.append(f"NOT COVERED: the source does not tell {told}, so it cannot speak")
    return tuple(line for words in found for line in _wrapped(words, _INDENT))


def _limit(other: OwnLimit) -> str:
    whose = f" for {other.scope.replace(':', ' ')}" if other.scope else ""
    return f"{other.key} {_number(other)}{whose} ({other.source})"


def _number(other: OwnLimit) -> str:
    return "not written" if other.limit is None else number(other.limit, other.unit)


def _row(cells: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _wrapped(text: str, indent: str) -> tuple[str, ...]:
    """Return a sentence in lines that fit a terminal; a word is never broken."""
    lines = [indent]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > _WIDTH_MAX:
            lines.append(indent)
        lines[-1] += word if lines[-1] == indent else f" {word}"
    return tuple(lines)
