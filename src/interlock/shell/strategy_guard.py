"""What a strategy's source says of itself: its files by content, and where it reaches for time, chance or the world.

Floor 2 (the world). It reads source code and runs none of it; it only warns, for such code may still be deterministic.
On the trip: before it, at boot. A replay compares the content and then watches the calls (`strategy_watch`).
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from interlock.model.units import plain

#: How the versions on a first record name a file of code.
CODE_PREFIX = "code "
#: The most files of one folder that are read for the strategies of a run.
FILES_MAX = 200
#: The most words that one file is warned about one by one.
FINDINGS_MAX = 8

#: What is not the same twice, by its dotted name: a module stands for all that is in it.
REACHES = {
    "time": "the time",
    "datetime.datetime.now": "the time",
    "datetime.datetime.utcnow": "the time",
    "datetime.datetime.today": "the time",
    "datetime.date.today": "the time",
    "random": "chance",
    "secrets": "chance",
    "uuid": "chance",
    "numpy.random": "chance",
    "os": "this machine",
    "platform": "this machine",
    "locale": "this machine",
    "open": "files",
    "input": "a person",
    "io": "files",
    "pathlib": "files",
    "shelve": "files",
    "sqlite3": "files",
    "tempfile": "files",
    "socket": "the network",
    "ssl": "the network",
    "http": "the network",
    "urllib": "the network",
    "urllib3": "the network",
    "requests": "the network",
    "httpx": "the network",
    "aiohttp": "the network",
    "subprocess": "other processes",
    "multiprocessing": "other processes",
    "concurrent": "threads",
    "threading": "threads",
    "asyncio": "threads",
    "hash": "an order that differs from process to process",
    "id": "an order that differs from process to process",
}
_BUILTINS = frozenset({"open", "input", "hash", "id"})


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One reach: the line, the dotted name, and what it reaches for."""

    line: int
    name: str
    reaches: str


class CodeFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a strategy's code: its name in its folder, its SHA-256, and what was found in it."""

    name: str
    sha256: str
    findings: tuple[Finding, ...]


def code_files(uses: tuple[str, ...], *, folder: str) -> tuple[CodeFile, ...]:
    """Return the files that the strategies of a run are made of, each once, in the order of their names.

    Args:
        uses: `module:Class` of each strategy; each is loaded by now.
        folder: where modules may live beside the configuration, "" for nowhere. What a strategy imports from there is
            read too; what it imports from elsewhere is not.
    """
    room = Path(folder) if folder else None
    found: dict[str, CodeFile] = {}
    waiting = [use.partition(":")[0] for use in uses]
    seen: set[str] = set()
    while waiting and len(found) < FILES_MAX:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        path = _path_of(module, room)
        if path is None:
            continue
        content, tree = _read(path)
        name = path.relative_to(room).as_posix() if room is not None and path.is_relative_to(room) else module
        found[name] = CodeFile(
            name=plain(name), sha256=hashlib.sha256(content).hexdigest(), findings=tuple(findings_in(tree))
        )
        if room is not None:
            waiting.extend(name for name in _imported(tree, module) if _in_room(name, room) is not None)
    return tuple(found[name] for name in sorted(found))


def own_code_sha256() -> str:
    """Return the SHA-256 over all of Interlock's own code, by which a replay sees that the program changed."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def warnings_of(files: tuple[CodeFile, ...]) -> tuple[str, ...]:
    """Return one sentence for each file that reaches for what is not the same twice."""
    sentences: list[str] = []
    for file in files:
        if not file.findings:
            continue
        shown = ", ".join(f"line {one.line} {one.name} ({one.reaches})" for one in file.findings[:FINDINGS_MAX])
        more = len(file.findings) - FINDINGS_MAX
        tail = f", and {more} more" if more > 0 else ""
        sentences.append(
            f"The strategy file {file.name} reaches for what is not the same twice: {shown}{tail}. "
            "What a strategy wishes must follow from what it is shown, or no replay can live the run again; "
            "try it with: interlock replay last"
        )
    return tuple(sentences)


def findings_in(tree: ast.AST) -> Iterator[Finding]:
    """Yield each reach of a file once, at its first line."""
    aliases = _aliases(tree)
    first: dict[str, Finding] = {}
    for node in ast.walk(tree):
        for name in _names(node, aliases):
            reach = _reach(name)
            line = getattr(node, "lineno", 0)
            if reach and (reach not in first or line < first[reach].line):
                first[reach] = Finding(line=line, name=reach, reaches=REACHES[reach])
    yield from sorted(first.values(), key=lambda one: (one.line, one.name))


def _reach(name: str) -> str:
    """Return the entry of the table that a dotted name falls under, or ""."""
    parts = name.split(".")
    prefixes = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return next((prefix for prefix in prefixes if prefix in REACHES), "")


def _names(node: ast.AST, aliases: dict[str, str]) -> Iterator[str]:
    """Yield the dotted names that one node imports, reads or calls."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Attribute):
        yield _dotted(node, aliases)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _BUILTINS:
        yield aliases.get(node.func.id, node.func.id)


def _dotted(node: ast.expr, aliases: dict[str, str]) -> str:
    """Return `a.b.c` of an attribute, its first name as it was imported; "" for what was not imported."""
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value, aliases)
        return f"{before}.{node.attr}" if before else ""
    return aliases.get(node.id, "") if isinstance(node, ast.Name) else ""


def _aliases(tree: ast.AST) -> dict[str, str]:
    """Return what each name of a file that was imported stands for."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return found


def _imported(tree: ast.AST, module: str) -> Iterator[str]:
    """Yield every module that a file may import, relative ones resolved against its own name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*package, *([node.module] if node.module else [])])
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _path_of(module: str, room: Path | None) -> Path | None:
    """Return the file of a module: in the user's folder, else where it was loaded from."""
    inside = None if room is None else _in_room(module, room)
    if inside is not None:
        return inside
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file) if isinstance(file, str) and file.endswith(".py") else None


def _in_room(module: str, room: Path) -> Path | None:
    stem = room.joinpath(*module.split("."))
    for path in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py"):
        if path.is_file():
            return path
    return None


def _read(path: Path) -> tuple[bytes, ast.AST]:
    """Return the content and the tree of a file; one that cannot be read or parsed is empty here."""
    try:
        content = path.read_bytes()
        return content, ast.parse(content)
    except (OSError, SyntaxError, ValueError):
        return b"", ast.Module(body=[], type_ignores=[])
