"""Make new entries of the corpus, or renew the words that are stored beside the old ones.

    python -m tests.corpus.make new [NAME ...]     play these entries of PLAYS, or all that this build's versions lack
    python -m tests.corpus.make renew [NAME ...]   store what this build tells and verifies of these folders, or of all

A journal that is stored is evidence of the build that wrote it. It is never made again; a build of another schema or
decision version makes its own, beside it, from the same configuration, strategy and data, or from those that were put
into the new entry's folder before.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from tests.corpus.plays import PLAYS, Play
from tests.corpus.shelf import CORPUS, About, Entry, entries, renew, stored_name
from tests.scenario.stage import Room

from interlock.proof.verify import verify_run
from interlock.shell.journal_format import HEAD_NAME
from interlock.shell.side_file import SIDE_FILE

#: Where entries are played: the record names it, so it is the same on every machine. It must not be there yet.
STAGE = Path("/tmp/interlock-corpus")  # noqa: S108 - made with mode 0700, or refused
#: What an entry holds before it is played.
_SOURCES = ("*.toml", "*.py", "*.csv")


def main(words: Sequence[str]) -> int:
    """Do what a line of words says."""
    known = {name: play for play in PLAYS for name in play.names}
    match words:
        case ["new", *names] if known.keys() >= set(names):
            lacking = [name for name in known if not Entry(CORPUS / stored_name(name)).journal.exists()]
            for play in dict.fromkeys(known[name] for name in names or lacking):
                make(play)
            return 0
        case ["renew", *names]:
            chosen = [entry for entry in entries() if not names or entry.folder.name in names]
            for entry in chosen:
                print(f"{entry.folder.name}: {'renewed; read the change' if renew(entry) else 'as it was'}")
            return 0 if chosen else 2
        case _:
            print(f"{__doc__}\nTo make: {', '.join(known)}", file=sys.stderr)
            return 2


def make(play: Play) -> None:
    """Play a play and store its runs; none that is stored already is touched."""
    targets = [Entry(CORPUS / stored_name(name)) for name in play.names]
    stored = [target.folder.name for target in targets if target.journal.exists()]
    if stored:
        message = f"{', '.join(stored)} is stored already, and a stored journal is never made anew. Nothing was played."
        raise SystemExit(message)
    if STAGE.exists():
        message = f"{STAGE} is there already, from another start or another user. Take it away. Nothing was played."
        raise SystemExit(message)
    STAGE.mkdir(mode=0o700)
    try:
        room = Room(STAGE / play.names[0])
        room.path.mkdir()
        sources = sources_of(play)
        for path in sources:
            shutil.copyfile(path, room.path / path.name)
        play.act(room, ("run", *(str(path) for path in room.path.glob("*.toml"))))
        for target, what, run_dir in zip(targets, play.whats, room.run_dirs, strict=True):
            store(target, what, run_dir=run_dir, sources=sources)
    finally:
        shutil.rmtree(STAGE, ignore_errors=True)


def sources_of(play: Play) -> list[Path]:
    """Return what a play is played from: what lies in the folder of its first entry already, and else of the oldest.

    Rules of another version may ask for another configuration: it is put there before it is played.
    """
    name = play.names[0]
    folders = (CORPUS / name, CORPUS / stored_name(name))
    found = {path.name: path for folder in folders for pattern in _SOURCES for path in folder.glob(pattern)}
    return [found[each] for each in sorted(found)]


def store(target: Entry, what: str, *, run_dir: Path, sources: Sequence[Path]) -> None:
    """Copy a run and what it was made from into an entry, with the words that this build has for it."""
    target.journal.mkdir(parents=True)
    for path in sources:
        if path.parent != target.folder:
            shutil.copyfile(path, target.folder / path.name)
    for path in sorted(run_dir.iterdir()):
        if path.name in (HEAD_NAME, SIDE_FILE) or path.suffix == ".ilj":
            shutil.copyfile(path, target.journal / path.name)
    boot, _ = target.boot
    about = About(
        what=what,
        head=verify_run(target.journal).head,
        schema_version=boot.schema_version,
        decision_version=boot.decision_version,
    )
    (target.folder / "entry.json").write_bytes(msgspec.json.format(msgspec.json.encode(about), indent=2) + b"\n")
    renew(target)
    print(f"{target.folder.name}: made")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
