"""Write docs/configuration.md from the types of the configuration, so that the book cannot say anything else.

Run `uv run python docs/generate_configuration.py` after a change of the types; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import NODEFAULT, inspect

from interlock.config import SimConfig
from interlock.core.risk.facts import Control
from interlock.core.risk.keys import KEYS, NEITHER, LimitKey
from interlock.core.risk.table import CONTROLS
from interlock.core.watch import WATCHES, Watch
from interlock.core.words import number
from interlock.model.mode import LIVE_REFUSAL, MODE_WORDS
from interlock.model.units import percent
from interlock.policy import PROFILES
from interlock.proof.controls import BESIDE
from interlock.shell.default_words import default_words
from interlock.tomlfields import Key, how_to_write, keys_of, members_of, struct_spec

PAGE = Path(__file__).with_name("configuration.md")

OPENING = """\
<!-- Written by docs/generate_configuration.py from the types. Change those, and run it again. -->

# Configuration

One TOML file says what a run is. It is read strictly, before anything starts: a key that is not on this page is
refused, and the nearest right one is named; a value of the wrong kind is refused with the file, the line and the field.
Nothing is guessed. A limit that nobody wrote has the default that stands on this page, and the journal says so; the few
that have no default block every entry until somebody writes them.

A limit that could never bind, because another one is always reached before it, is refused too, with the reason. Only
what was written is compared with what was written, a named profile included. Where a default is reached before a
written limit, the first lines of the run say it.

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

[session]
exchange = "24/7"

[risk]
symbols = ["SPY", "IBM"]
restricted = ["AIG"]
max_order_qty = "200 shares"
max_order_notional = "$5,000"
max_position_notional = "$10,000"
max_gross_notional = "$40,000"
price_collar = "3 %"
max_order_rate = "5 / s"

[risk.groups]
finance = ["AIG", "BAC"]

[risk.strategy.cross]
max_order_qty = "50 shares"

[risk.symbol.IBM]
max_position_notional = "$5,000"
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


LIMITS = """\
Of a limit that is written more than once, for the account, for one strategy and for one symbol, the strictest holds;
where none is stricter, that of the strategy or the symbol holds. A limit itself is allowed, and one unit more is not.
What disables, such as a loss, does so as soon as it is reached.

| key | left out, it is | stricter is | it may be written for one |
|---|---|---|---|
"""


def code(text: str) -> str:
    """Return text as code."""
    return f"`{text}`"


def limits_of(one: Key) -> tuple[LimitKey, ...]:
    """Return the limits that a key of `[risk]` writes: one, both numbers of a rate, or none where it is no limit."""
    named = tuple(limit for limit in KEYS.values() if limit.written == one.name and limit.name != "cash_micros")
    return named if one.field in (*KEYS, "max_order_rate", "max_strategy_rate") else ()


def left_out(limits: tuple[LimitKey, ...]) -> str:
    """Return what a limit is where nobody wrote it."""
    words = " in ".join(default_words(limit) for limit in limits)
    return words or "nothing: every entry is blocked"


def when_left_out(one: Key) -> str:
    """Return what a setting is when nobody writes it."""
    limits = limits_of(one)
    if limits:
        return f"Left out, it is {left_out(limits)}."
    if one.is_required:
        return "It must be written."
    if one.default is None:
        return "Left out, it is not set."
    if one.default in ((), "") or one.default is NODEFAULT:
        return "Left out, there is none."
    if isinstance(one.default, int | str):
        shown = one.unit.show(one.default) if isinstance(one.default, int) and one.unit is not None else one.default
        return f"Left out, it is {code(str(shown))}."
    return "Left out, each of its keys is as below."


def readers(one: Key) -> str:
    """Return which controls and watches read a limit, as a sentence with links, or ""."""
    names = {limit.name for limit in limits_of(one)}
    lines: tuple[Control | Watch, ...] = (*CONTROLS, *WATCHES)
    codes = [str(line.code) for line in lines if names & {line.key, *BESIDE.get(str(line.code), ())}]
    links = [f"[{code(name)}](reason-codes.md#{name.lower()})" for name in codes]
    return f" It is read by {', '.join(links)}." if links else ""


def setting(one: Key, *, section: str, level: int) -> list[str]:
    """Return the lines of one setting, and of the settings inside it."""
    inner = [member for member in members_of(one.spec) if isinstance(member, inspect.StructType)]
    how = "a table with the keys below" if inner else how_to_write(one.spec, one.unit, form=one.form)
    lines = [
        f"{'#' * level} {code(f'{section} {one.name}')}",
        "",
        f"{one.words} Write {how}. {when_left_out(one)}{readers(one)} In the program it is {code(one.field)}.",
        "",
    ]
    if isinstance(one.spec, inspect.DictType) and isinstance(one.spec.value_type, inspect.StructType):
        named = ", ".join(code(key.name) for key in keys_of(one.spec.value_type))
        lines += [f"Each may hold these keys, written as they are under {code(section)}: {named}.", ""]
    if section == "[risk]" and one.name == "profile":
        lines += profiles()
    for member in inner:
        for key in keys_of(member):
            lines += setting(key, section=f"{section.removesuffix(']')}.{one.name}]", level=level + 1)
    return lines


def profiles() -> list[str]:
    """Return the table of the named profiles."""
    names = list(PROFILES)
    lines = [f"| key | {' | '.join(code(name) for name in names)} |", f"|---|{'---|' * len(names)}"]
    for key in KEYS.values():
        cells = [profiled(key, PROFILES[name]) for name in names]
        if key.name != "order_window_ns" and any(key.name in PROFILES[name] for name in names):
            lines.append(f"| {code(key.written)} | {' | '.join(cells)} |")
    return [*lines, ""]


def profiled(key: LimitKey, profile: Mapping[str, int]) -> str:
    """Return a number of a profile as a person says it, a rate with its window."""
    if key.name not in profile:
        return "its default"
    value = profile[key.name]
    window = f" in {number(profile['order_window_ns'], 'ns')}" if key.name == "max_order_count" else ""
    return f"{percent(value)} of the cash" if key.unit == "micros" else f"{number(value, key.unit)}{window}"


def limit_table(kind: inspect.StructType) -> list[str]:
    """Return the table of all limits, in the order of the page."""
    lines: list[str] = []
    for one in keys_of(kind):
        limits = limits_of(one)
        if limits:
            stricter = "-" if limits[0].stricter == NEITHER else limits[0].stricter
            scopes = " or ".join(limits[0].scopes) or "-"
            link = f"[{code(one.name)}](#risk-{one.name})"
            lines.append(f"| {link} | {left_out(limits)} | {stricter} | {scopes} |")
    return [LIMITS + "\n".join(lines), ""]


def kinds_of(one: Key) -> tuple[inspect.StructType, ...]:
    """Return the type of a section, or each of them if its `kind` chooses."""
    spec = one.spec.item_type if isinstance(one.spec, inspect.VarTupleType) else one.spec
    return tuple(member for member in members_of(spec) if isinstance(member, inspect.StructType))


def section(one: Key) -> list[str]:
    """Return the lines of one section."""
    name = f"[[{one.name}]]" if isinstance(one.spec, inspect.VarTupleType) else f"[{one.name}]"
    lines = [f"## {code(name)}", "", f"{one.words}{' It must be written.' if one.is_required else ''}", ""]
    kinds = kinds_of(one)
    if name == "[risk]":
        lines += limit_table(kinds[0])
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
