"""The shelf of the corpus: real journals as they were written once, and beside each what is said of it.

An entry is a folder:

    journal/        the run's folder: HEAD, the journal files, the side file if there is one. Never written again.
    entry.json      what the run is, its head, its schema and decision versions. Never written again.
    <name>.toml     its configuration, and beside it the strategy and the recorded data that it names
    story.txt       what `tell` says of it
    verify.json     what `verify` says of it
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import NamedTuple

import msgspec

from interlock.model.journal import DECISION_VERSION, SCHEMA_VERSION, Boot, BootAside, Record
from interlock.proof.tell import tell_run
from interlock.proof.verify import verify_run
from interlock.shell.journal_reader import JournalReader

CORPUS = Path(__file__).resolve().parent
#: Where in an entry the run's own folder is.
JOURNAL = "journal"


class About(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an entry says of itself, from the day on which it was made.

    Attributes:
        what: what happens in the run, a sentence.
        head: SHA-256 over the decided parts, hexadecimal.
        schema_version: as on its first record.
        decision_version: as on its first record.
    """

    what: str
    head: str
    schema_version: int
    decision_version: int


class Entry(NamedTuple):
    """One folder of the corpus."""

    folder: Path

    @property
    def journal(self) -> Path:
        """Return the run's folder."""
        return self.folder / JOURNAL

    @property
    def story(self) -> Path:
        """Return the file with what `tell` said."""
        return self.folder / "story.txt"

    @property
    def verified(self) -> Path:
        """Return the file with what `verify` said."""
        return self.folder / "verify.json"

    @property
    def about(self) -> About:
        """Return what it says of itself."""
        return msgspec.json.decode((self.folder / "entry.json").read_bytes(), type=About)

    @property
    def boot(self) -> tuple[Boot, BootAside]:
        """Return both parts of its first record."""
        first = self.records[0]
        assert isinstance(first.decided, Boot)
        assert isinstance(first.aside, BootAside)
        return first.decided, first.aside

    @property
    def records(self) -> list[Record]:
        """Return all of its records."""
        return list(JournalReader(self.journal).records())


def entries() -> list[Entry]:
    """Return the entries that have been made, in the order of their names."""
    return [Entry(path.parent) for path in sorted(CORPUS.glob(f"*/{JOURNAL}"))]


def stored_name(name: str, *, schema: int = SCHEMA_VERSION, decision: int = DECISION_VERSION) -> str:
    """Return under which name a play is stored that was played under some versions.

    Examples:
        >>> stored_name("first", schema=1, decision=1), stored_name("first", schema=1, decision=2)
        ('first', 'first_s1_d2')
    """
    return name if (schema, decision) == (1, 1) else f"{name}_s{schema}_d{decision}"


def told(run_dir: Path) -> str:
    """Return what `interlock tell` says of a run."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        tell_run(run_dir, None)
    return said.getvalue()


def verified(run_dir: Path) -> str:
    """Return what `interlock verify --json` says of a run, one field a line."""
    return msgspec.json.format(msgspec.json.encode(verify_run(run_dir)), indent=2).decode() + "\n"


def renew(entry: Entry) -> bool:
    """Store again what this build says of an entry; return True if that is something else than before."""
    before = [path.read_text(encoding="utf-8") if path.exists() else "" for path in (entry.story, entry.verified)]
    now = [told(entry.journal), verified(entry.journal)]
    entry.story.write_text(now[0], encoding="utf-8")
    entry.verified.write_text(now[1], encoding="utf-8")
    return before != now
