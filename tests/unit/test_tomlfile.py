"""The file of a configuration: how it is read at all, and how a place in it is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config_texts import SMALLEST, refusal, sim

from interlock.config import load_config
from interlock.model.errors import ConfigError
from interlock.tomlfile import FILE_BYTES_MAX, line_of


def test_a_line_is_found_through_comments_strings_and_brackets() -> None:
    """What looks like a key inside text, a comment or a list is none."""
    text = (
        '# a = 1\n[one] # [two]\nx = """\ny = 1 """ # "\n"y" = [ "],", # ]\n  { z = 1, w.v = 2 },\n  3 ]\n'
        "[[many]]\n[[many]]\n[many.in]\nlast = '''\n'''\n'k.k' = 2013-10-07 07:32:00\n"
    )

    assert (2, 3, 5, 6, 6, 7) == (
        line_of(text, ("one",)),
        line_of(text, ("one", "x")),
        line_of(text, ("one", "y", 0)),
        line_of(text, ("one", "y", 1, "z")),
        line_of(text, ("one", "y", 1, "w", "v")),
        line_of(text, ("one", "y", 2)),
    )
    assert (8, 9, 10, 13, 10, None) == (
        line_of(text, ("many", 0)),
        line_of(text, ("many", 1)),
        line_of(text, ("many", 1, "in")),
        line_of(text, ("many", 1, "in", "k.k")),
        line_of(text, ("many", 1, "in", "absent")),
        line_of(text, ("absent",)),
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"x = $1", "line 1, column 5: it is not valid TOML (Invalid value)"),
        (b"\n\nx = [1,\n", "line 3: it is not valid TOML (Invalid value)"),
        (b"a = 1\na = 2\n", "line 2, column 6: a key or a section is written twice"),
        (b"[a]\n[a]\n", "line 2, column 3: a key or a section is written twice"),
        (b"a = 1\nb = '\xff'\n", "line 2: there is a byte that is not UTF-8; save the file as UTF-8"),
        (b"x = 2013-02-30\n", "line 1, column 5: it is not valid TOML (Invalid date or datetime)"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_its_line(tmp_path: Path, content: bytes, expected: str) -> None:
    """A person is shown where to look."""
    path = tmp_path / "run.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).partition("run.toml, ")[2].startswith(expected)


@pytest.mark.parametrize("content", ["x = " + "9" * 5_000, "x = " + "[" * 20_000, "x = " + "{a=" * 20_000])
def test_a_file_that_no_parser_can_hold_is_refused(tmp_path: Path, content: str) -> None:
    """Numbers and nesting without end are a sentence too."""
    assert "run.toml" in refusal(tmp_path, content)


def test_a_path_that_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    """Missing, a folder, a device, impossible, too large: each has its sentence."""
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (FILE_BYTES_MAX + 1))
    messages: list[str] = []
    for path in (tmp_path / "none.toml", tmp_path, "/dev/zero", "a\0b", "x" * 300, large):
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        messages.append(str(caught.value).partition(": ")[2].partition(";")[0].partition(",")[0])

    assert [
        "there is no such file",
        "it is a folder",
        "it is no plain file",
        "this is no path of a file",
        "it cannot be read (File name too long)",
        "it is larger than 1",
    ] == messages


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    """The bound itself is inside."""
    padding = "#" * (FILE_BYTES_MAX - len(SMALLEST) - 1)

    assert ("SPY", "IBM") == sim(tmp_path, f"{SMALLEST}{padding}\n").universe.symbols


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Some editors write one, and it means nothing."""
    assert ("SPY", "IBM") == sim(tmp_path, "\ufeff" + SMALLEST).universe.symbols
