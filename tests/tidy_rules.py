"""The rules of the house, each a function from one file to what is wrong in it; `test_tidy.py` runs them.

What the rules mean and why they are there is in CONTRIBUTING.md. A ratchet only shrinks: a file may leave
`LONGER_FILES`, none may enter it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

FUNCTION_LINES_MAX = 40
FILE_LINES_MAX = 400
POSITIONAL_MAX = 2

#: Files that are longer than a file may be, with the length that they may not exceed.
LONGER_FILES: dict[str, int] = {}
#: Where `except Exception` turns whatever was raised into a no, a recorded fault, a halt or a sentence.
BROAD_EXCEPT = tuple(
    f"src/interlock/{name}.py" for name in ("core/risk/engine", "core/strategy", "shell/strategies", "loop", "cli")
)
#: The files that may read a clock or draw by chance.
CLOCK_FILES = ("src/interlock/shell/clocks.py",)
#: All that the pure rooms may import; what is not written here is refused.
PURE_IMPORTS = (
    "__future__ abc bisect collections collections.abc dataclasses enum functools hashlib heapq itertools math "
    "operator re string struct textwrap types typing msgspec numpy numpy.typing"
).split()
CLOCK_MODULES = frozenset({"time", "random", "secrets", "uuid"})
CLOCK_CALLS = frozenset("datetime.now datetime.utcnow datetime.today date.today os.urandom random.default_rng".split())
BANNED_WHOLE = frozenset("data info handle process util utils helper helpers manager".split())
BANNED_WORDS = frozenset(
    "manager helper helpers util utils pct ratio amount timestamp cfg ctx msg idx num tmp val ret resp req buf cnt "
    "sym amt mgr curr".split()
)
BANNED_ENDINGS = ("Manager", "Helper", "Helpers", "Utils", "Info")
BASES = frozenset("Protocol Struct StrEnum IntEnum Enum Exception NamedTuple TypedDict Generic".split())
#: A value that must read like another and be told from it: by its name, and what it is like.
LIKENESSES = {"ProbeIntent": frozenset({"OrderIntent"})}
MUTABLE_CALLS = frozenset("list dict set bytearray defaultdict deque Counter OrderedDict".split())
MUTATORS = frozenset("append add update pop popitem clear extend insert remove discard setdefault sort".split())
SET_TYPES = frozenset({"set", "frozenset", "AbstractSet", "Set"})
ORDER_FREE = frozenset("sorted len min max any all set frozenset isinstance".split())
UNSTABLE = frozenset("exp exp2 expm1 log log2 log10 log1p pow power dot matmul einsum std var mean average".split())


class Source(NamedTuple):
    """One file: its path from the top of the project, its text, its tree."""

    path: str
    text: str
    tree: ast.Module


Rule = Callable[[Source], Iterator[str]]


def source(path: str, text: str) -> Source:
    """Return `text` as if it were the file at `path`."""
    return Source(path, text, ast.parse(text))


def in_package(path: str) -> bool:
    """Return True for the files of the package itself."""
    return path.startswith("src/interlock/")


def is_pure(path: str) -> bool:
    """Return True for the rooms that import no clock, no input or output and no chance."""
    return path.startswith(("src/interlock/model/", "src/interlock/core/", "src/interlock/examples"))


def name_of(node: ast.AST | None) -> str:
    """Return the last name of an expression such as `msgspec.Struct`, or ""."""
    if isinstance(node, ast.Subscript | ast.Call):
        return name_of(node.value if isinstance(node, ast.Subscript) else node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method."""
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def functions_are_short(file: Source) -> Iterator[str]:
    """A function fits in 40 lines without its docstring."""
    for found in functions(file.tree):
        words = ast.get_docstring(found, clean=False)
        lines = (found.end_lineno or 0) - found.lineno + 1 - (words.count("\n") + 1 if words else 0)
        if lines > FUNCTION_LINES_MAX:
            yield f"{found.lineno}: {found.name} has {lines} lines; cut it at a name"


def files_are_short(file: Source) -> Iterator[str]:
    """A file fits in 400 lines, and an exception only shrinks."""
    lines, limit = file.text.count("\n"), LONGER_FILES.get(file.path, FILE_LINES_MAX)
    if lines > limit:
        yield f"1: {lines} lines, the limit is {limit}; give a part of it a file of its own"
    if file.path in LONGER_FILES and lines <= FILE_LINES_MAX:
        yield "1: short enough now; take it out of LONGER_FILES"


def stored_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the word of everything that a file gives a name to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def names_are_plain(file: Source) -> Iterator[str]:
    """Names say what a thing is; a unit ends the name; no abbreviations but px, qty, ns, bps, ix."""
    if not in_package(file.path):
        return
    for line, name in [(1, Path(file.path).stem), *stored_names(file.tree)]:
        words = frozenset(name.lower().strip("_").split("_"))
        if name.strip("_") in BANNED_WHOLE or words & BANNED_WORDS or name.endswith(BANNED_ENDINGS):
            yield f"{line}: `{name}` hides its meaning or its unit; use the field's noun, with a unit at its end"


def modules_open_with_their_floor(file: Source) -> Iterator[str]:
    """A module opens with a docstring that names its floor."""
    if not in_package(file.path) or file.path.endswith("__init__.py"):
        return
    room = file.path.removeprefix("src/interlock/").split("/")[0]
    floor = {"model": "Floor 0", "core": "Floor 1", "shell": "Floor 2", "proof": "Floor 3"}.get(room, "Floor")
    if floor not in (ast.get_docstring(file.tree) or ""):
        yield f"1: the module's docstring does not say `{floor}`"


def package_has_no_assert(file: Source) -> Iterator[str]:
    """`python -O` removes an assert; the package calls `invariant`."""
    if in_package(file.path):
        yield from (
            f"{node.lineno}: use invariant(...)" for node in ast.walk(file.tree) if isinstance(node, ast.Assert)
        )


def broad_except_has_named_places(file: Source) -> Iterator[str]:
    """`except Exception` appears in the named places only."""
    if not in_package(file.path) or file.path in BROAD_EXCEPT:
        return
    for node in ast.walk(file.tree):
        kinds: list[ast.expr] = []
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type or ast.Name("Exception")]
        elif isinstance(node, ast.Call) and name_of(node.func) == "suppress":
            kinds = node.args
        if {"Exception", "BaseException"} & {name_of(kind) for kind in kinds}:
            yield f"{getattr(node, 'lineno', 1)}: name the error, and mend it or raise it with facts"


def is_mutable(value: ast.expr | None) -> bool:
    """Return True for a display, a comprehension or a call that makes something that can change."""
    made = isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)
    return made or (isinstance(value, ast.Call) and name_of(value.func) in MUTABLE_CALLS)


def tables_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of what a module makes that can change."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and is_mutable(node.value):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield node.lineno, name_of(target)


def modules_hold_no_state(file: Source) -> Iterator[str]:
    """A table at module level is in capitals and nothing in its file changes it; nothing else there can change."""
    if not in_package(file.path):
        return
    tables = {name: line for line, name in tables_of(file.tree)}
    yield from (f"{line}: `{name}` is mutable state of a module" for name, line in tables.items() if not name.isupper())
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Global):
            yield f"{node.lineno}: `global` is mutable state of a module"
            continue
        stored = isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load)
        called = isinstance(node, ast.Attribute) and node.attr in MUTATORS
        if (stored or called) and name_of(node.value) in tables:
            yield f"{node.lineno}: changes the table `{name_of(node.value)}`"


def modules_do_no_work(file: Source) -> Iterator[str]:
    """Importing a module does nothing but name things."""
    if in_package(file.path):
        calls = [node for node in file.tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
        yield from (f"{node.lineno}: work at import time" for node in calls)


def makes_set(node: ast.AST | None, known: frozenset[str]) -> bool:
    """Return True if an expression is a set, as far as one file can tell."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return makes_set(node.left, known) or makes_set(node.right, known)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in {"set", "frozenset"}
    if isinstance(node, ast.Name | ast.Attribute):
        return name_of(node) in known
    return isinstance(node, ast.Set | ast.SetComp)


def known_sets(tree: ast.Module) -> frozenset[str]:
    """Return the names that a file assigns a set to, or annotates as one."""
    known: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and makes_set(node.value, frozenset()):
            known.update(name_of(target) for target in node.targets)
        elif isinstance(node, ast.AnnAssign | ast.arg) and name_of(node.annotation) in SET_TYPES:
            known.add(node.arg if isinstance(node, ast.arg) else name_of(node.target))
    return frozenset(known)


def sets_are_not_iterated(file: Source) -> Iterator[str]:
    """The order of a set depends on the hash seed: model and core ask a set, or sort it, and never walk it."""
    if not is_pure(file.path):
        return
    known = known_sets(file.tree)
    calls = [node for node in ast.walk(file.tree) if isinstance(node, ast.Call)]
    free = {id(word) for call in calls if name_of(call.func) in ORDER_FREE for word in call.args}
    for node in ast.walk(file.tree):
        walked: list[ast.expr] = []
        if isinstance(node, ast.For | ast.Starred):
            walked = [node.iter if isinstance(node, ast.For) else node.value]
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) and id(node) not in free:
            walked = [part.iter for part in node.generators]
        elif isinstance(node, ast.Call) and name_of(node.func) in {"hash", "id"} and isinstance(node.func, ast.Name):
            yield f"{node.lineno}: {node.func.id}() differs from process to process"
        elif isinstance(node, ast.Call) and name_of(node.func) not in ORDER_FREE and isinstance(node.func, ast.Name):
            walked = node.args if name_of(node.func) in {"list", "tuple", "iter", "enumerate", "sum", "map"} else []
        elif isinstance(node, ast.Call) and name_of(node.func) == "join":
            walked = node.args
        if any(makes_set(each, known) for each in walked):
            yield f"{node.lineno}: walks a set; sort it first"


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and the module of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or "."


def pure_rooms_import_what_is_listed(file: Source) -> Iterator[str]:
    """Model, core and examples import numpy, msgspec and a short list of the standard library."""
    if is_pure(file.path):
        for line, module in imported(file.tree):
            if module not in PURE_IMPORTS and module.split(".")[0] != "interlock":
                yield f"{line}: `{module}` is not on the list of what a pure room may import"


def clocks_and_chance_have_one_place(file: Source) -> Iterator[str]:
    """No file of the package but the named ones reads a clock or draws by chance."""
    if not in_package(file.path) or file.path in CLOCK_FILES:
        return
    yield from (f"{line}: `{module}`" for line, module in imported(file.tree) if module in CLOCK_MODULES)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Attribute) and f"{name_of(node.value)}.{node.attr}" in CLOCK_CALLS:
            yield f"{node.lineno}: `{name_of(node.value)}.{node.attr}`; take now_ns as an argument"


def features_are_the_same_everywhere(file: Source) -> Iterator[str]:
    """Model, core and the simulator use no function whose last bits differ between machines."""
    if not is_pure(file.path) and "simulated" not in file.path:
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            yield f"{node.lineno}: `@` adds in an order that depends on the machine"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in UNSTABLE:
            yield f"{node.lineno}: `{node.func.attr}` changes bits between machines"


def structs_are_frozen_and_classes_are_flat(file: Source) -> Iterator[str]:
    """Values are frozen Structs; nothing inherits but Protocols, errors, enums and Structs."""
    if not in_package(file.path):
        return
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        bases = {name_of(base) for base in node.bases} - LIKENESSES.get(node.name, frozenset())
        if not all(base in BASES or base.endswith("Error") for base in bases):
            yield f"{node.lineno}: {node.name} inherits from {', '.join(sorted(bases))}"
        frozen = any(word.arg == "frozen" and getattr(word.value, "value", None) is True for word in node.keywords)
        if "Struct" in bases and not frozen:
            yield f"{node.lineno}: the Struct {node.name} is not frozen"


def more_than_two_arguments_have_names(file: Source) -> Iterator[str]:
    """A public function with more than two arguments takes them by name."""
    if in_package(file.path):
        for found in functions(file.tree):
            words = [
                word.arg for word in [*found.args.posonlyargs, *found.args.args] if word.arg not in {"self", "cls"}
            ]
            if len(words) > POSITIONAL_MAX and not found.name.startswith("_"):
                yield f"{found.lineno}: {found.name} takes {', '.join(words)} by position"


def init_files_are_empty(file: Source) -> Iterator[str]:
    """An `__init__.py` is empty, but the top one."""
    if file.path.endswith("__init__.py") and file.path != "src/interlock/__init__.py" and file.text:
        yield "1: not empty"
