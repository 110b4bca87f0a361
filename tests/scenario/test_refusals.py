"""Bad input at the command line: one sentence that names file, line and field, exit 2, and nothing was started."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

import msgspec
import pytest
from tests.scenario.stage import FIRST, PAPER, Ended, Room, opened_room, together

TEXT = FIRST.read_text(encoding="utf-8")
STRATEGIES = """
class Raising:
    def __init__(self):
        raise RuntimeError("no luck\\x1b[2J today")

class Mute:
    pass

class Quiet:
    def __init__(self, *, qty):
        self.qty = qty
    def propose(self, view):
        raise NotImplementedError
"""
LEAN = 'kind = "lean"\npath = "lean"\nresolution = "minute"\nfrom = 2013-10-07\nto = 2013-10-07\n'
COLUMNS = '{ time = "when", symbol = "name", bid = "bid", ask = "ask" }'
CSV = f'kind = "csv"\npath = "rows.csv"\nrows = "quotes"\ncolumns = {COLUMNS}\n'


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake: what is written in the place of what, what is typed, and the words that must name it."""

    old: str = ""
    new: str = ""
    words: tuple[str, ...] = ()
    names: tuple[str, ...]
    file: str = "bad.toml"
    means: str = "Nothing was started"


CASES = {
    "missing file": Case(file="nowhere.toml", names=("nowhere.toml",)),
    "no TOML": Case(old='mode = "SIM"', new='mode = "SIM', names=("bad.toml", "line 4")),
    "unknown key": Case(
        old="max_order_qty",
        new="max_order_quantity",
        names=("bad.toml", "line ", "max_order_quantity", "max_order_qty"),
    ),
    "unknown section": Case(old="[account]", new="[acount]", names=("bad.toml", "line 10", "acount", "account")),
    "wrong type": Case(old="seed = 7", new='seed = "seven"', names=("bad.toml", "line 19", "seed")),
    "wrong unit": Case(
        old='price_collar = "3 %"', new='price_collar = "3 s"', names=("bad.toml", "line ", "price_collar", "per cent")
    ),
    "money without dollars": Case(old='cash = "$', new='cash = "', names=("bad.toml", "line 12", "cash", "dollars")),
    "seed is negative": Case(words=("--seed", "-1"), names=("--seed", "-1")),
    "interval is no span": Case(words=("--interval", "soon"), names=("--interval", "soon")),
    "log is no form": Case(words=("--log", "shouting"), names=("--log", "shouting")),
    "option is unknown": Case(words=("--force",), names=("--force",)),
    "zip cannot be read": Case(
        old=TEXT[TEXT.index('kind = "sim') : TEXT.index("[[scan]]")],
        new=LEAN,
        names=("spy", "20131007_quote.zip", "zip"),
        means="no market to run on without it",
    ),
    "columns are wrong": Case(
        old=TEXT[TEXT.index('kind = "sim') : TEXT.index("[[scan]]")], new=CSV, names=("rows.csv", "when")
    ),
    "module is missing": Case(
        old="interlock.examples:CrossFollower", new="nowhere_to_be:Found", names=("bad.toml", "cross", "nowhere_to_be")
    ),
    "class is missing": Case(
        old="interlock.examples:CrossFollower", new="interlock.examples:Nobody", names=("bad.toml", "cross", "Nobody")
    ),
    "constructor raises": Case(
        old='interlock.examples:CrossFollower"\nname = "cross"\nsettings = { qty = 50 }',
        new='bad_strategies:Raising"\nname = "cross"',
        names=("bad.toml", "cross", "RuntimeError", "no luck?[2J today"),
    ),
    "class is no strategy": Case(
        old='interlock.examples:CrossFollower"\nname = "cross"\nsettings = { qty = 50 }',
        new='bad_strategies:Mute"\nname = "cross"',
        names=("bad.toml", "cross", "propose"),
    ),
    "settings are wrong": Case(old="{ qty = 50 }", new="{ quantity = 50 }", names=("bad.toml", "cross", "quantity")),
    "LIVE in the file": Case(
        old='mode = "SIM"', new='mode = "LIVE"', names=("bad.toml", "line 4", "LIVE needs a broker")
    ),
    "LIVE typed": Case(words=("--mode", "live"), names=("LIVE needs a broker gateway and a permit",)),
    "PAPER typed only": Case(words=("--mode", "paper"), names=("--mode paper", "SIM", 'mode = "PAPER"')),
    "PAPER written only": Case(old=TEXT, new=PAPER.read_text(encoding="utf-8"), names=("both keys", "--mode paper")),
    "PAPER with a start": Case(old='mode = "SIM"', new='mode = "PAPER"', names=("bad.toml", "line 8", "start")),
    "mode absent, PAPER typed": Case(old='mode = "SIM" ', words=("--mode", "paper"), names=("--mode paper",)),
    **{
        f"mode {word!r} written": Case(
            old='mode = "SIM"', new=f'mode = "{word}"', names=("bad.toml", "line 4", "is not a mode")
        )
        for word in ("paper1", "Live ", "1", "true", "", "sim", "LIVE1")
    },
    **{
        f"mode {word} bare": Case(
            old='mode = "SIM"', new=f"mode = {word}", names=("bad.toml", "line 4", "is not a mode")
        )
        for word in ("1", "true")
    },
    **{
        f"mode {word!r} typed": Case(words=("--mode", word), names=("--mode", "is not a mode"))
        for word in ("paper1", "Live ", "1", "true", "", "SIM")
    },
}


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one mistake: how the process ended, and the run folders that it left."""

    ended: Ended
    left: list[str]


def refused(case: Case) -> Refused:
    """Play one mistake in a room of its own."""
    with opened_room() as room:
        assert case.old in TEXT
        (room.path / "bad.toml").write_text(TEXT.replace(case.old, case.new, 1), encoding="utf-8")
        (room.path / "bad_strategies.py").write_text(STRATEGIES, encoding="utf-8")
        (room.path / "rows.csv").write_text("time,name,bid,ask\n2013-10-07T14:30:00,SPY,1.00,1.01\n", encoding="utf-8")
        plant_bad_zip(room)
        ended = room.play("run", str(room.path / case.file), "--cycles", "1", *case.words, cwd=room.path)
        return Refused(ended=ended, left=[folder.name for folder in room.run_dirs])


def plant_bad_zip(room: Room) -> None:
    """Write a LEAN folder whose first quote file is a zip that was cut."""
    for symbol in ("spy", "ibm", "aig", "bac"):
        folder = room.path / "lean" / "equity" / "usa" / "minute" / symbol
        folder.mkdir(parents=True)
        for kind in ("quote", "trade"):
            with zipfile.ZipFile(folder / f"20131007_{kind}.zip", "w") as packed:
                row = "34200000,1,1,1,1,1,2,2,2,2,1\n" if kind == "quote" else "34200000,1,1,1,1,1\n"
                packed.writestr(f"20131007_{symbol}_minute_{kind}.csv", row * 50)
    cut = room.path / "lean" / "equity" / "usa" / "minute" / "spy" / "20131007_quote.zip"
    cut.write_bytes(cut.read_bytes()[:-30])


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, Refused]]:
    """Play all mistakes, a few at a time."""
    return dict(zip(CASES, together(refused, CASES.values()), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_mistake_is_refused_in_a_sentence(outcomes: dict[str, Refused], name: str) -> None:
    """Exit 2, nothing on standard output, one sentence that names what is wrong and where, and nothing was started."""
    ended = outcomes[name].ended

    assert (2, "", []) == (ended.code, ended.out, outcomes[name].left), ended.err
    assert [] == [word for word in CASES[name].names if word not in ended.err], ended.err
    assert (1, 0) == (ended.err.count("\n"), ended.err.count("Traceback")), ended.err
    assert CASES[name].means in ended.err
    assert "\x1b" not in ended.err


def test_mistakes_are_all_different_from_what_is_right(room: Room) -> None:
    """The text in which the mistakes are planted runs as it stands, so that it is the mistake that is refused."""
    (room.path / "good.toml").write_text(TEXT, encoding="utf-8")

    assert 0 == room.play("run", str(room.path / "good.toml"), "--cycles", "1").code
