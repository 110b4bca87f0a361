"""Read the tables of a TOML file into frozen types, strictly: the type alone says what may be written.

Floor 2 (shell), though it touches nothing: it turns entries of a file into values. It never guesses a unit, never
lets an unknown key pass and never takes a bare number for an amount. On the trip: before it, when a run is set up.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Callable
from typing import NoReturn, TypeVar, cast

import msgspec
from msgspec import inspect

from interlock.tomlfile import Entry, is_section, shown

T = TypeVar("T", bound=msgspec.Struct)

#: The longest text that is read as an amount with a unit.
MEASURE_CHARACTERS_MAX = 40
#: The longest text and the longest list that a configuration may hold.
TEXT_CHARACTERS_MAX = 4_096
ITEMS_MAX = 20_000


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of amount is written: always as text with its unit.

    Attributes:
        name: what it is, in words.
        example: how it is written, quotes included.
        parse: the text to the whole number that the program keeps; ValueError, in words, if it is none.
        show: the whole number back to a person.
    """

    name: str
    example: str
    parse: Callable[[str], object]
    show: Callable[[int], str]


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key that a table may hold: its name in the file, its field in the type, and what may be written.

    `names` and `values` say, for a table of free names, what a name in it is and what stands behind one.
    """

    name: str
    field: str
    words: str
    unit: Unit | None
    form: str
    names: str
    values: str
    spec: inspect.Type
    is_required: bool
    default: object


def key(  # noqa: PLR0913 - all that the file and the reference say of a key
    name: str, words: str, *, unit: Unit | None = None, form: str = "", names: str = "", values: str = ""
) -> msgspec.Meta:
    """Return what makes a field of a type a key of the file.

    Args:
        name: the key as it is written in the file.
        words: what it means; one sentence for the reference.
        unit: how its amounts are written, or None for a value without a unit.
        form: which text is taken, in words, where a pattern alone would not tell a person.
        names: of a table of free names: what a name in it is, as the end of "write ...".
        values: of a table of free names: what stands behind one, as the end of "write ...".
    """
    extra: dict[str, object] = {"key": name, "unit": unit, "form": form, "names": names, "values": values}
    return msgspec.Meta(description=words, extra=extra)


def struct_spec(kind: type[msgspec.Struct]) -> inspect.StructType:
    """Return the description of a type from which tables are read and the reference is written."""
    spec = inspect.type_info(kind)
    if not isinstance(spec, inspect.StructType):  # pragma: no cover - msgspec describes a Struct as a StructType
        raise TypeError(kind)
    return spec


def keys_of(spec: inspect.StructType) -> tuple[Key, ...]:
    """Return the keys that a table of this type may hold, in the order of its fields; other fields are not keys."""
    found: list[Key] = []
    for field in spec.fields:
        if not isinstance(field.type, inspect.Metadata):
            continue
        extra = cast("dict[str, object]", field.type.extra or {})
        schema = cast("dict[str, object]", field.type.extra_json_schema or {})
        unit = extra["unit"]
        found.append(
            Key(
                name=str(extra["key"]),
                field=field.name,
                words=str(schema["description"]),
                unit=unit if isinstance(unit, Unit) else None,
                form=str(extra["form"]),
                names=str(extra["names"]),
                values=str(extra["values"]),
                spec=field.type.type,
                is_required=field.required,
                default=field.default,
            )
        )
    return tuple(found)


def members_of(spec: inspect.Type) -> tuple[inspect.Type, ...]:
    """Return the alternatives of a type; "not written" (None) is none of them."""
    members = spec.types if isinstance(spec, inspect.UnionType) else (spec,)
    return tuple(member for member in members if not isinstance(member, inspect.NoneType))


def how_to_write(  # noqa: PLR0911 - one line a type
    spec: inspect.Type, unit: Unit | None = None, *, form: str = ""
) -> str:
    """Return what a person writes for a value of this type, as the end of "write ..."."""
    if unit is not None:
        return f"{unit.name} in quotes, such as {unit.example}"
    if form:
        return form
    members = members_of(spec)
    match members[0] if len(members) == 1 else None:
        case inspect.IntType():
            return f"a whole number{bounds_in_words(members[0])}"
        case inspect.LiteralType() | inspect.EnumType() as words:
            return _one_of(_words_of(words))
        case inspect.VarTupleType():
            return "it as a section in double brackets, [[like_this]]"
        case inspect.DateType():
            return "a date without quotes, such as 2013-10-07"
        case inspect.StructType():
            return "it once, as a section in single brackets, [like_this]"
        case inspect.StrType():
            return "text in quotes"
        case _:
            return "a whole number, true, false, or text in quotes"


def _words_of(spec: inspect.LiteralType | inspect.EnumType) -> list[str]:
    """Return the words of which one may be written."""
    values = spec.values if isinstance(spec, inspect.LiteralType) else [member.value for member in spec.cls]
    return [str(value) for value in values]


def _one_of(words: list[str]) -> str:
    """Return the words that may be written, in quotes."""
    quoted = ", ".join(f'"{word}"' for word in words)
    return quoted if len(words) == 1 else f"one of {quoted}"


def bounds_in_words(spec: inspect.Type, unit: Unit | None = None) -> str:
    """Return the bounds of a whole number as ", at least ... and at most ...", or nothing."""
    if not isinstance(spec, inspect.IntType):
        return ""
    show = str if unit is None else unit.show
    named = (("more than", spec.gt), ("at least", spec.ge), ("at most", spec.le))
    said = [f"{words} {show(int(bound))}" for words, bound in named if bound is not None]
    return f", {' and '.join(said)}" if said else ""


def read_struct(kind: type[T], entry: Entry) -> T:
    """Read one table into its type.

    Raises:
        ConfigError: as `read_table`.
    """
    return kind(**read_table(struct_spec(kind), entry))


def read_table(spec: inspect.StructType, entry: Entry) -> dict[str, object]:
    """Read one table.

    Args:
        spec: the type that says which keys there are.
        entry: the table.

    Returns:
        Field names and values of what is written; a field that has a default and is not written is left out.

    Raises:
        ConfigError: no table, an unknown key (the nearest right one is named), a missing key, or a wrong value.
    """
    table = entry.table
    if table is None:
        entry.refuse(f"{shown(entry.value)} stands where a section belongs; write {how_to_write(spec)}")
    keys = {one.name: one for one in keys_of(spec)}
    known = [*([str(spec.tag_field)] if spec.tag_field is not None else []), *keys]
    for name, value in table.items():
        if name not in known:
            refuse_key(entry.child(name, value), known)
    values: dict[str, object] = {}
    for one in keys.values():
        if one.name in table:
            values[one.field] = read_value(one, entry.child(one.name, table[one.name]))
        elif one.is_required:
            how = how_to_write(one.spec, one.unit, form=one.form)
            entry.child(one.name, None).refuse(f"it is missing; write {how}")
    return values


def refuse_key(entry: Entry, known: list[str]) -> NoReturn:
    """Refuse a key that means nothing here, and name the nearest one that does."""
    written = str(entry.at[-1])
    what = f"there is no such {'section' if len(entry.at) == 1 and is_section(entry.value) else 'key'}"
    nearest = difflib.get_close_matches(written[:MEASURE_CHARACTERS_MAX], known, n=1, cutoff=0.0)[0]
    # A table inside a table of limits is most likely half of a name that has a dot in it.
    dotted = "; a name with a dot in it stands in quotes" if len(entry.at) > 2 and is_section(entry.value) else ""  # noqa: PLR2004
    entry.refuse(f"{what}; the nearest right one is {nearest}{dotted} (known here: {', '.join(known)})")


def read_value(one: Key, entry: Entry) -> object:
    """Read the value of one key.

    Raises:
        ConfigError: it is not what the key's type and unit take.
    """
    if one.unit is not None:
        return _measured(one, entry)
    if isinstance(one.spec, inspect.DictType):
        return _mapping(one, one.spec, entry)
    return _value(one.spec, entry, form=one.form)


def _measured(one: Key, entry: Entry) -> object:
    """Read an amount with its unit."""
    unit, text = one.unit, entry.value
    if unit is None or not isinstance(text, str):
        is_number = isinstance(text, int | float) and not isinstance(text, bool)
        what = "is a bare number without a unit" if is_number else "is no such value"
        entry.refuse(f"{shown(text)} {what}; write {how_to_write(one.spec, unit)}")
    if len(text) > MEASURE_CHARACTERS_MAX or not text.isascii():
        entry.refuse(f"{shown(text)} is no such value; write {how_to_write(one.spec, unit)}")
    try:
        measure = unit.parse(text)
    except ValueError as error:
        entry.refuse(f"{shown(text)} cannot be used: {error}")
    for member in members_of(one.spec):
        if isinstance(measure, int) and isinstance(member, inspect.IntType) and not _is_inside(member, measure):
            entry.refuse(f"{shown(text)} is out of bounds; write {unit.name}{bounds_in_words(member, unit)}")
    return measure


def _is_inside(spec: inspect.IntType, number: int) -> bool:
    """Return True if a whole number is inside the bounds of its type."""
    above = (spec.gt is None or number > spec.gt) and (spec.ge is None or number >= spec.ge)
    return above and (spec.le is None or number <= spec.le)


def _value(spec: inspect.Type, entry: Entry, *, form: str = "") -> object:  # noqa: RET503 - it ends in a refusal
    """Read a value without a unit."""
    members, value = members_of(spec), entry.value
    tagged = [member for member in members if isinstance(member, inspect.StructType)]
    if tagged:
        return _struct(tagged, entry)
    for member in members:
        if isinstance(member, inspect.VarTupleType) and entry.items is not None:
            return _items(member.item_type, entry, items=entry.items, form=form)
        if _fits(member, value):
            return member.cls(value) if isinstance(member, inspect.EnumType) else value
    if isinstance(value, str) and not (value.isprintable() and len(value) <= TEXT_CHARACTERS_MAX):
        entry.refuse(f"{shown(value)} holds control characters or is too long; write plain text")
    entry.refuse(f"{shown(value)} cannot be used here; write {how_to_write(spec, form=form)}")


def _fits(spec: inspect.Type, value: object) -> bool:
    """Return True if a single value is exactly of this type; true is no number, and a date has no time."""
    match spec:
        case inspect.IntType():
            return type(value) is int and _is_inside(spec, value)
        case inspect.BoolType():
            return type(value) is bool
        case inspect.StrType():
            return isinstance(value, str) and _is_text(spec, value)
        case inspect.DateType():
            return type(value) is dt.date
        case inspect.LiteralType() | inspect.EnumType():
            return isinstance(value, str) and value in _words_of(spec)
        case _:
            return False


def _is_text(spec: inspect.StrType, text: str) -> bool:
    """Return True for a text without control characters that has the form of its type."""
    if len(text) > TEXT_CHARACTERS_MAX or not text.isprintable():
        return False
    return spec.pattern is None or re.fullmatch(spec.pattern, text) is not None


def _items(item_spec: inspect.Type, entry: Entry, *, items: list[object], form: str) -> tuple[object, ...]:
    """Read each item of a list."""
    if len(items) > ITEMS_MAX:
        entry.refuse(f"it has {len(items):,} items and the most is {ITEMS_MAX:,}; write fewer")
    return tuple(_value(item_spec, entry.child(ix, item), form=form) for ix, item in enumerate(items))


def _mapping(one: Key, spec: inspect.DictType, entry: Entry) -> dict[str, object]:
    """Read a table of free names."""
    if entry.table is None:
        entry.refuse(f"{shown(entry.value)} cannot be used here; write {how_to_write(spec, form=one.form)}")
    read: dict[str, object] = {}
    for name, value in entry.table.items():
        inner = entry.child(name, value)
        if not _fits(spec.key_type, name):
            inner.refuse(f"{shown(name)} cannot be a name here; write {one.names}")
        read[name] = _value(spec.value_type, inner, form=one.values)
    return read


def _struct(kinds: list[inspect.StructType], entry: Entry) -> object:
    """Read a table into the one type there is, or into the one that its tag names."""
    table, tag_field = entry.table, kinds[0].tag_field
    if table is None or tag_field is None:
        return kinds[0].cls(**read_table(kinds[0], entry))
    tags = {str(kind.tag): kind for kind in kinds}
    how = f"write {_one_of(list(tags))}"
    if tag_field not in table:
        entry.child(tag_field, None).refuse(f"it is missing; {how}")
    tag = table[tag_field]
    if not isinstance(tag, str) or tag not in tags:
        entry.child(tag_field, tag).refuse(f"{shown(tag)} is not known here; {how}")
    return tags[tag].cls(**read_table(tags[tag], entry))
