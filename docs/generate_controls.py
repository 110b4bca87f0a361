"""Write docs/controls.md, the catalogue of controls on one page, from the tables of controls and watches.

Run `uv run python docs/generate_controls.py` after a change of a table; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from interlock.core.people import LEAVE_NS
from interlock.core.risk.keys import KEYS
from interlock.core.watch import WATCHES
from interlock.model.units import duration
from interlock.proof.controls import AT_TRADE, GROUPS, LATCH, PRE_TRADE, WATCH_GROUP
from interlock.proof.latch_words import OTHER_LATCHES
from interlock.shell.default_words import default_words

PAGE = Path(__file__).with_name("controls.md")

OPENING = f"""\
<!-- Written by docs/generate_controls.py from the tables of controls and watches. Change those, not this. -->

# Controls

Every control that this build has, in the order in which it is evaluated. The rows are those of the catalogue of
controls that the gate is built from: the field's standard controls, numbered from 1 to 54. What each one looks at, and
a sentence that it says, stands under its [code](reason-codes.md); what may be written stands under its key in the
[configuration](configuration.md). `interlock controls` prints the limits of a file, or of a run as they are now.

## What a control does

hard block
: The order is not sent. Nobody can let it through; another wish, another state of the market or another configuration
  can pass.

soft block
: The order is not sent, unless a named human lets this one through with `interlock allow`: once, with a reason, bound
  to the strategy, the symbol, the side and the size, for {duration(LEAVE_NS)} of market time. It helps only where
  nothing but soft blocks stand in the way.

throttle
: The order is not sent, and the answer says from when on one would pass. Nothing is kept and sent later. A strategy
  that is throttled too often is latched.

latch
: Something that happened passed a limit. The account, the strategy or the symbol may enter nothing until a named human
  has cleared exactly this latch. Exits go on, and nothing is sold by it. A latch outlives the process and the day.

The phase says when: **pre-trade** controls look at a wish before anything is sent, **at-trade** ones at what happened,
once a cycle, whether anything is wished or not.
"""
MISSING = """\
## Rows that are not built yet

| row | control | where it will live |
|---|---|---|
"""
#: Rows of the catalogue without a control or a watch: what they are, and where they will live or live now.
UNBUILT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "21": ("Account and venue entitlement", "the gateway of a broker, at connect and at each order"),
        "36": ("Parent and child bound of an execution algorithm", "where orders are sliced; nothing slices one yet"),
        "37": ("Order ageing (longest time working)", "the watch, which will ask the desk for the cancel"),
        "38": (
            "Self-match prevention",
            "the gate; today one strategy a symbol (`SYMBOL_TAKEN`) leaves nobody to match",
        ),
        "42": (
            "Reconciliation of positions, cash and orders",
            "the gateway of a broker; paper is folded and recounted",
        ),
        "43": ("Cancel on disconnect", "the gateway of a broker"),
        "44": ("Dead-man's switch and heartbeat", "a watchdog process beside the runtime, and the broker's own"),
        "49": ("Two-person rule", "the permit of a LIVE start"),
        "51": ("Freeze certificate match", "the LIVE start, and an hourly look"),
        "53": ("Real-time alerting", "a process that reads the journal; today the story tells"),
    }
)
#: Rows that are built in part, or elsewhere than in the tables.
ELSEWHERE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "45": (
            "Clock drift and jump",
            "the host's bounds, `CLOCK_JUMP` and `PROCESS_PAUSED`; no time server is asked",
        ),
        "46": (
            "Journal and resource headroom",
            "no record, no send; the host's bounds, `DISK_LOW` and `MEMORY_HIGH`",
        ),
        "48": ("Human authorisation (permit)", "`MODE_FORBIDS` refuses LIVE; the permit itself comes with LIVE"),
        "52": (
            "Limit-change control",
            "`interlock tighten` while it runs; what is looser needs a new start and is told",
        ),
    }
)


def line(*cells: str) -> str:
    """Return one line of a table."""
    return f"| {' | '.join(cells)} |"


def coded(code: str) -> str:
    """Return a code as a link to its entry."""
    return f"[`{code}`](reason-codes.md#{code.lower()})"


def limit_cells(key: str) -> tuple[str, str]:
    """Return the key of a limit, and what it is where nobody wrote it; a rule has neither."""
    if not key:
        return "-", "a rule"
    written = KEYS[key].written
    # A rate is two numbers under one key.
    default = " in ".join(default_words(one) for one in KEYS.values() if one.written == written)
    return f"[`{written}`](configuration.md#risk-{written})", default or "none: entries are blocked"


def controls() -> list[str]:
    """Return a table for each group of controls, and one for the watches."""
    heads = ("code", "row", "name", "scope", "action", "phase", "limit", "default", "needs")
    top = [line(*heads), f"|{'---|' * len(heads)}"]
    lines: list[str] = []
    for heading, group in GROUPS:
        lines += [f"### {heading}", "", *top]
        for one in group:
            needs = " and ".join(sorted(one.needs)).replace("_", " ") or "-"
            cells = (coded(one.code.value), one.row, one.name, one.scope, one.action, PRE_TRADE)
            lines.append(line(*cells, *limit_cells(one.key), needs))
        lines.append("")
    lines += [f"### {WATCH_GROUP}", "", *top]
    for watch in WATCHES:
        cells = (coded(watch.code), watch.row, watch.name, watch.scope, LATCH, AT_TRADE)
        lines.append(line(*cells, *limit_cells(watch.key), "-"))
    return [*lines, ""]


def rendered() -> str:
    """Return the whole page."""
    named = ", ".join(coded(code) for code in OTHER_LATCHES)
    lines = [OPENING, "## The table", "", *controls()]
    lines += ["## Latches without a limit of the configuration", "", f"{named}.", ""]
    lines += [MISSING + "\n".join(line(row, *words) for row, words in UNBUILT.items()), ""]
    lines += ["## Rows that are built in part, or elsewhere", "", "| row | control | where it is |", "|---|---|---|"]
    lines += [line(row, *words) for row, words in ELSEWHERE.items()]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
