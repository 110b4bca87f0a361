"""The first difference between two records, by the path of its field.

Floor 3 (proof). Pure: it compares values, and says nothing of why they differ. On the trip: none; `replay` asks here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, cast

import msgspec

from interlock.model.units import plain

#: The longest value that is shown.
SHOWN_CHARACTERS_MAX = 300
#: What stands where one of two lists has ended.
NOTHING = "(nothing)"
#: Fields that cause what stands beside them, so they are looked at first.
_FIRST = ("inputs", "config", "intent", "quote", "checks")
Plain: TypeAlias = "Mapping[str, Plain] | Sequence[Plain] | str | int | float | bool | None"
_NUMBER = re.compile(r"\[(\d+)\]")


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where two records differ first: the path of the field, and both values as a person reads them.

    The path is that of the record's decided part, such as `outputs.decisions[0].checks[3].observed`.
    """

    field: str
    recorded: str
    replayed: str


def first_difference(recorded: msgspec.Struct, replayed: msgspec.Struct) -> Difference:
    """Return the first difference, in the order in which a cycle goes; one without a field where there is none."""
    one, other = (cast("Plain", msgspec.to_builtins(record)) for record in (recorded, replayed))
    found = _differences(one, other, "")
    return next(found, Difference(field="", recorded="", replayed=""))


def shown(value: object) -> str:
    """Return a value as one short line."""
    text = plain(value if isinstance(value, str) else msgspec.json.encode(value).decode())
    return text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]}..."


def number_in(field: str) -> int:
    """Return the first number in a path, such as 2 of `outputs.ideas[2].because`; -1 where there is none.

    Examples:
        >>> number_in("outputs.ideas[2].because"), number_in("limits")
        (2, -1)
    """
    found = _NUMBER.search(field)
    return int(found[1]) if found is not None else -1


def _differences(recorded: Plain, replayed: Plain, path: str) -> Iterator[Difference]:
    if isinstance(recorded, Mapping) and isinstance(replayed, Mapping):
        yield from _of_fields(recorded, replayed, path)
    elif _is_list(recorded) and _is_list(replayed):
        yield from _of_items(cast("Sequence[Plain]", recorded), cast("Sequence[Plain]", replayed), path)
    elif type(recorded) is not type(replayed) or recorded != replayed:
        yield Difference(field=path, recorded=shown(recorded), replayed=shown(replayed))


def _is_list(value: Plain) -> bool:
    return isinstance(value, list | tuple)


def _of_fields(recorded: Mapping[str, Plain], replayed: Mapping[str, Plain], path: str) -> Iterator[Difference]:
    names = list(dict.fromkeys([*recorded, *replayed]))
    first = [name for name in names if name in _FIRST]
    for name in [*first, *(name for name in names if name not in _FIRST)]:
        inner = f"{path}.{name}" if path else name
        yield from _differences(recorded.get(name, NOTHING), replayed.get(name, NOTHING), inner)


def _of_items(recorded: Sequence[Plain], replayed: Sequence[Plain], path: str) -> Iterator[Difference]:
    for number in range(max(len(recorded), len(replayed))):
        one = recorded[number] if number < len(recorded) else NOTHING
        other = replayed[number] if number < len(replayed) else NOTHING
        yield from _differences(one, other, f"{path}[{number}]")
