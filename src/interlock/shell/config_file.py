"""Whether the configuration file on the disk still says what runs.

Floor 2 (shell). It reads one file and one record, and it never changes what runs: a file holds from the next start.
It stands beside the trip: `status` asks here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec

from interlock.config import decision_keys, load_config
from interlock.core.risk.keys import KEYS
from interlock.model.errors import InterlockError
from interlock.model.journal import DECISION_VERSION
from interlock.model.units import plain
from interlock.shell.limits_then import first_record
from interlock.shell.status import FileCompared

#: How many keys a sentence names; the JSON has all.
_NAMED_MAX = 6
_SECTIONS = {"scans": "scan", "strategies": "strategy"}
_SEED = "source.seed"


def compared(run_dir: Path) -> FileCompared:
    """Compare the file of a run, as it is now, with what the run was started with; what cannot be read is unknown."""
    try:
        boot, aside = first_record(run_dir)
    except InterlockError as error:
        return FileCompared(state="unknown", words=f"Whether the file says what runs is not known: {error}")
    path = plain(aside.config_path)
    if not path:
        return FileCompared(state="built-in", words="It runs the built-in configuration.")
    if boot.decision_version != DECISION_VERSION:
        words = f"Another version of Interlock started it, so {path} cannot be compared with what runs."
        return FileCompared(state="unknown", path=path, words=words)
    try:
        written = decision_keys(load_config(aside.config_path))
    except InterlockError as error:
        words = f"The file cannot be read now, so whether it still says what runs is not known: {error}"
        return FileCompared(state="unknown", path=path, words=words)
    if written == boot.config:
        return FileCompared(state="same", path=path, words=f"The file {path} says what runs.")
    then, now = (msgspec.json.decode(text, type=dict[str, object]) for text in (boot.config, written))
    found = tuple(dict.fromkeys(_differences(then, now)))
    named = ", ".join(found[:_NAMED_MAX])
    more = f" and {len(found) - _NAMED_MAX} more" if len(found) > _NAMED_MAX else ""
    typed = " (the seed may have been typed with --seed)" if _SEED in found else ""
    words = f"The file {path} differs from what runs, in {named}{more}{typed}. It holds from the next start."
    return FileCompared(state="differs", path=path, differs=found, words=words)


def _differences(then: object, now: object, at: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the keys that differ, as they are written."""
    if isinstance(then, dict) and isinstance(now, dict):
        before, after = cast("dict[str, object]", then), cast("dict[str, object]", now)
        for name in dict.fromkeys((*before, *after)):
            yield from _differences(before.get(name), after.get(name), (*at, name))
    elif then != now:
        parts = (KEYS[part].written if part in KEYS else _SECTIONS.get(part, part) for part in at)
        yield ".".join(parts)
