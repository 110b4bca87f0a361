"""Read one TOML file whole, and say of every mistake in it the file, the line and the field.

Floor 2 (shell): it reads one file. It never writes, never goes on after a mistake, and never echoes a
control character of what it read. On the trip: before it; `interlock.config` reads its settings from here.
"""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, cast

import msgspec

from interlock.model.errors import ConfigError
from interlock.model.units import plain

#: The largest configuration file that is read; beyond it the file is a mistake.
FILE_BYTES_MAX = 1 << 20
#: The longest piece of the file that a message repeats.
SHOWN_CHARACTERS_MAX = 60

#: Where a value stands in the file: keys of tables, and positions in arrays from 0.
At = tuple[str | int, ...]

_INTEGER_SHOWN_MAX = 10**38
_NOTHING_STARTED = "Nothing was started"

_TOKEN = re.compile(
    r"""
      (?P<text> \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | \"(?:\\.|[^\"\\\n])*\" | '[^'\n]*' )
    | (?P<skip> \#[^\n]* | [ \t\r\ufeff]+ )
    | (?P<end>  \n )
    | (?P<bare> [A-Za-z0-9_+:\-]+ )
    | (?P<mark> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TWICE = ("overwrite", "twice", "immutable", "duplicate")


class Token(msgspec.Struct, frozen=True):
    """One piece of the text: its kind (`text`, `bare`, `mark` or `end`), its characters, and its line from 1."""

    kind: str
    word: str
    line: int


class TomlFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file that is valid TOML: its path as it was given, its text, and its top table."""

    path: str
    text: str
    table: dict[str, object]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a file, with the place where it stands."""

    file: TomlFile
    at: At
    value: object

    def child(self, part: str | int, value: object) -> Entry:
        """Return the entry of a key or an item inside this one."""
        return Entry(file=self.file, at=(*self.at, part), value=value)

    @property
    def table(self) -> dict[str, object] | None:
        """Return the value if it is a table, else None."""
        return cast("dict[str, object]", self.value) if isinstance(self.value, dict) else None

    @property
    def items(self) -> list[object] | None:
        """Return the value if it is a list, else None."""
        return cast("list[object]", self.value) if isinstance(self.value, list) else None

    def refuse(self, words: str) -> NoReturn:
        """Say of which file, line and field this entry is, and then `words`: what is wrong and what to write.

        The line is that of the nearest thing that is written: of a missing key, the line of its section.

        Raises:
            ConfigError: always.
        """
        line = line_of(self.file.text, self.at)
        place = [plain(self.file.path)]
        if line is not None:
            place.append(f"line {line}")
        if self.at:
            place.append(field_name(self.file.table, self.at))
        refuse(", ".join(place), words)


def refuse(place: str, words: str) -> NoReturn:
    """Say where, what is wrong and what to write, and that nothing was started (once, if `words` say it already).

    Raises:
        ConfigError: always; what was caught before it says nothing more to a person, so it is left out.
    """
    ending = "" if _NOTHING_STARTED in words else f". {_NOTHING_STARTED}."
    message = f"{place}: {plain(words)}{ending}"
    raise ConfigError(message) from None


def clipped(text: str) -> str:
    """Return outside text as it may be shown: without control characters, and not too long.

    Examples:
        >>> clipped("x" * 70)[-5:]
        'xx...'
    """
    safe = plain(text)
    return safe if len(safe) <= SHOWN_CHARACTERS_MAX else f"{safe[: SHOWN_CHARACTERS_MAX - 3]}..."


def shown(value: object) -> str:
    """Return a value of a file as its writer would know it again.

    Examples:
        >>> shown(True), shown("3 %"), shown({"a": 1})
        ('true', '"3 %"', 'a table')
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{clipped(value)}"'
        case int():
            # Python refuses to write out an integer of thousands of digits; a hexadecimal one can have them.
            return str(value) if abs(value) < _INTEGER_SHOWN_MAX else "a number of more than 38 digits"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return clipped(str(value))


def read_toml(path: str | Path) -> TomlFile:
    """Read a TOML file.

    Args:
        path: the file; it must be a plain file of at most `FILE_BYTES_MAX` bytes in UTF-8.

    Returns:
        Its text and its values.

    Raises:
        ConfigError: it is missing, no plain file, unreadable, too large, not UTF-8 or not TOML.
    """
    name = plain(str(path))
    text = _decoded(_bytes_of(path, name=name), name=name)
    try:
        table = tomllib.loads(text)
    except RecursionError:
        refuse(name, "lists or tables are nested too deeply; no setting needs more than two levels")
    except ValueError as error:
        _refuse_syntax(text, name=name, complaint=str(error))
    return TomlFile(path=str(path), text=text, table=table)


def _bytes_of(path: str | Path, *, name: str) -> bytes:
    """Return the content of a plain file that is not too large."""
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            refuse(name, "it is a folder; name the configuration file in it")
        if not stat.S_ISREG(status.st_mode):
            refuse(name, "it is no plain file; a configuration is read from a plain file only")
        with Path(path).open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        refuse(name, "there is no such file; check the path, or leave it out to see what is safe")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        refuse(name, f"it cannot be read ({reason}); check the path and who may read it")
    except ValueError:
        refuse(name, "this is no path of a file; check how it is written")
    if len(content) > FILE_BYTES_MAX:
        refuse(name, f"it is larger than {FILE_BYTES_MAX:,} bytes, so it is no configuration")
    return content


def _decoded(content: bytes, *, name: str) -> str:
    """Return the text of a file; a byte order mark at its start is left out."""
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        refuse(f"{name}, line {line}", "there is a byte that is not UTF-8; save the file as UTF-8")


def _refuse_syntax(text: str, *, name: str, complaint: str) -> NoReturn:
    """Say what tomllib complained of, with its line."""
    found = _POSITION.search(complaint)
    what = clipped(complaint[: found.start()] if found else complaint)
    if found is None:
        place = name
    elif found[1] is None:
        place = f"{name}, line {max(1, len(text.splitlines()))}"
    else:
        place = f"{name}, line {found[1]}, column {found[2]}"
    if any(word in what.lower() for word in _TWICE):
        refuse(place, f"a key or a section is written twice ({what}); keep one of them")
    refuse(place, f'it is not valid TOML ({what}); write key = value, text in quotes such as "90 s"')


def is_section(value: object) -> bool:
    """Return True for what is written under [brackets] or [[double brackets]]."""
    if isinstance(value, list):
        rows = cast("list[object]", value)
        return rows != [] and all(isinstance(row, dict) for row in rows)
    return isinstance(value, dict)


def field_name(table: dict[str, object], at: At) -> str:
    """Return a place as a person writes it.

    Examples:
        >>> field_name({"scan": [{}, {}]}, ("scan", 1, "window"))
        '[[scan]] 2, window'
        >>> field_name({"source": {}}, ("source", "dirt", "missing"))
        '[source.dirt] missing'
        >>> field_name({"mode": "x"}, ("mode",))
        'mode'
    """
    head, *rest = at
    value = table.get(str(head), {})
    items = "".join(f", item {part + 1}" for part in rest[1:] if isinstance(part, int))
    keys = [clipped(part) for part in rest if isinstance(part, str)]
    if not is_section(value):
        return clipped(str(head))
    if isinstance(value, list):
        number = f" {rest[0] + 1}" if rest and isinstance(rest[0], int) else ""
        field = f", {'.'.join(keys)}" if keys else ""
        return f"[[{clipped(str(head))}]]{number}{field}{items}"
    section = ".".join([clipped(str(head)), *keys[:-1]])
    return f"[{section}] {keys[-1]}{items}" if keys else f"[{section}]"


def line_of(text: str, at: At) -> int | None:
    """Return the line, from 1, on which a place of valid TOML is written.

    A place that is not written gets the line of the nearest thing around it that is; None if there is none.
    """
    lines: dict[At, int] = {}
    for written, line in _places(text):
        lines.setdefault(written, line)
    for length in range(len(at), 0, -1):
        if at[:length] in lines:
            return lines[at[:length]]
    return None


def _tokens(text: str) -> Iterator[Token]:
    """Yield the pieces of the text that matter for finding keys."""
    line = 1
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "skip"
        if kind != "skip":
            yield Token(kind, found[0], line)
        line += found[0].count("\n")


def _statements(text: str) -> Iterator[list[Token]]:
    """Yield the tokens of each header and of each `key = value`, which may span lines inside brackets."""
    statement: list[Token] = []
    depth = 0
    for token in _tokens(text):
        if token.kind != "end":
            statement.append(token)
            depth += (token.kind == "mark") * ((token.word in "[{") - (token.word in "]}"))
        elif depth == 0 and statement:
            yield statement
            statement = []
    if statement:
        yield statement


def _places(text: str) -> Iterator[tuple[At, int]]:
    """Yield every table, key and item of the text with its line."""
    section: At = ()
    counts: dict[At, int] = {}
    for statement in _statements(text):
        first = statement[0]
        if first.kind == "mark" and first.word == "[":
            section = ()
            for key in _keys(statement):
                section = (*_with_item(section, counts), key)
                yield section, first.line
            if len(statement) > 1 and statement[1].word == "[":
                counts[section] = counts.get(section, -1) + 1
            section = _with_item(section, counts)
            yield section, first.line
        else:
            yield from _value_places(statement, section)


def _with_item(at: At, counts: dict[At, int]) -> At:
    """Return the path of the array's last table, if `at` is an array of tables."""
    return (*at, counts[at]) if at in counts else at


def _keys(tokens: list[Token]) -> tuple[str, ...]:
    """Return the parts of a dotted key among these tokens, without their quotes."""
    return tuple(
        str(tomllib.loads(f"key = {token.word}")["key"]) if token.kind == "text" else token.word
        for token in tokens
        if token.kind in {"text", "bare"}
    )


def _value_places(statement: list[Token], section: At) -> Iterator[tuple[At, int]]:
    """Yield the keys and items of one `key = value`, inline tables and lists included."""
    # Each open bracket keeps the path inside it and whether it is a list; `parts` gathers a key up to its "=".
    brackets: list[tuple[At, bool]] = [(section, False)]
    value_at: At = section
    parts: list[Token] = []
    for token in statement:
        mark = token.word if token.kind == "mark" else ""
        inside, is_list = brackets[-1]
        if mark == "=":
            for key in _keys(parts):
                inside = (*inside, key)
                yield inside, parts[0].line
            value_at = inside
        elif mark in {"[", "{"}:
            brackets.append(((*value_at, 0), True) if mark == "[" else (value_at, False))
            value_at = brackets[-1][0]
        elif mark in {"]", "}"}:
            brackets.pop()
            value_at = brackets[-1][0]
        elif mark == "," and is_list:
            value_at = (*inside[:-1], int(inside[-1]) + 1)
            brackets[-1] = (value_at, True)
        elif mark != ",":
            parts.append(token)
            yield value_at, token.line
            continue
        parts = []
