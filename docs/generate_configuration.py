"""Write docs/configuration.md from the types of the configuration, so that the book cannot say anything else.

Run `uv run python docs/generate_configuration.py` after a change of the types; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import NODEFAULT, inspect

from interlock.config import SimConfig
from interlock.model.mode import LIVE_REFUSAL, MODE_WORDS
from interlock.tomlfields import Key, how_to_write, keys_of, members_of, struct_spec

PAGE = Path(__file__).with_name("configuration.md")

OPENING = """\
<!-- Written by docs/generate_configuration.py from the types. Change those, and run it again. -->

# Configuration

One TOML file says what a run is. It is read strictly, before anything starts: a key that is not on this page is
refused, and the nearest right one is named; a value of the wrong kind is refused with the file, the line and the field.
Nothing is guessed, and no limit is filled in that nobody wrote.

An amount is text with its unit: `"$10,000"`, `"200 shares"`, `"90 s"`, `"3 %"`. A bare number is taken only where a
number has no unit, such as `seed = 7`. Paths are relative to the file.

This is a whole configuration:

```toml
mode = "SIM"

[run]
interval = "1 s"
cycles = 0
start = "ACTIVE"

[account]
name = "demo"
cash = "$100,000"

[universe]
symbols = ["SPY", "IBM", "AIG", "BAC"]

[source]
kind = "simulated"
seed = 7
step = "1 s"

[[scan]]
kind = "moving_average_cross"
window = 20

[[strategy]]
use = "interlock.examples:CrossFollower"
name = "cross"
settings = { qty = 10 }

[risk]
symbols = ["SPY", "IBM"]
max_order_qty = "200 shares"
max_order_notional = "$10,000"
max_position_notional = "$20,000"
max_gross_notional = "$60,000"
price_collar = "3 %"
max_quote_age = "90 s"
max_order_rate = "10 / s"
```
"""

MODE = """\
## `mode`

How dangerous the run may be: exactly `"SIM"`, `"PAPER"` or `"LIVE"`, in capitals. Left out, it is `"SIM"`.
The command line must agree: a PAPER configuration runs only with `--mode paper`, and `--mode paper` only with a PAPER
configuration.

{words}

LIVE is refused in this build: {refusal}

A PAPER configuration differs in three things. It has no `start`: it begins `HALTED`, and a human raises it. Its source
is the simulated market. Its `interval` is the `step` of its source; left out, it is set to that.
"""


def code(text: str) -> str:
    """Return text as code."""
    return f"`{text}`"


def when_left_out(one: Key) -> str:
    """Return what a setting is when nobody writes it."""
    if one.is_required:
        return "It must be written."
    if one.default is None:
        return "Left out, it is not set."
    if one.default in ((), "") or one.default is NODEFAULT:
        return "Left out, there is none."
    if isinstance(one.default, int) and one.unit is not None:
        return f"Left out, it is {code(one.unit.show(one.default))}."
    if isinstance(one.default, int | str):
        return f"Left out, it is {code(str(one.default))}."
    return "Left out, each of its keys is as below."


def setting(one: Key, *, section: str, level: int) -> list[str]:
    """Return the lines of one setting, and of the settings inside it."""
    inner = [member for member in members_of(one.spec) if isinstance(member, inspect.StructType)]
    how = "a table with the keys below" if inner else how_to_write(one.spec, one.unit, form=one.form)
    lines = [
        f"{'#' * level} {code(f'{section} {one.name}')}",
        "",
        f"{one.words} Write {how}. {when_left_out(one)} In the program it is {code(one.field)}.",
        "",
    ]
    for member in inner:
        for key in keys_of(member):
            lines += setting(key, section=f"{section.removesuffix(']')}.{one.name}]", level=level + 1)
    return lines


def kinds_of(one: Key) -> tuple[inspect.StructType, ...]:
    """Return the type of a section, or each of them if its `kind` chooses."""
    spec = one.spec.item_type if isinstance(one.spec, inspect.VarTupleType) else one.spec
    return tuple(member for member in members_of(spec) if isinstance(member, inspect.StructType))


def section(one: Key) -> list[str]:
    """Return the lines of one section."""
    name = f"[[{one.name}]]" if isinstance(one.spec, inspect.VarTupleType) else f"[{one.name}]"
    lines = [f"## {code(name)}", "", f"{one.words}{' It must be written.' if one.is_required else ''}", ""]
    kinds = kinds_of(one)
    if kinds[0].tag_field is not None:
        words = ", ".join(code(f'"{kind.tag}"') for kind in kinds)
        lines += [f"### {code(f'{name} kind')}", "", f"Which one it is: one of {words}. It must be written.", ""]
    for kind in kinds:
        level = 3
        if kind.tag is not None:
            doc = (kind.cls.__doc__ or "").strip().splitlines()[0]
            heading = code(f'{name} kind = "{kind.tag}"')
            lines += [f"### {heading}", "", doc, ""]
            level = 4
        for key in keys_of(kind):
            lines += setting(key, section=name, level=level)
    return lines


def rendered() -> str:
    """Return the whole page."""
    words = "\n".join(f"- {text}" for text in MODE_WORDS.values())
    lines = [OPENING, MODE.format(words=words, refusal=LIVE_REFUSAL)]
    for one in keys_of(struct_spec(SimConfig)):
        lines += section(one)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
