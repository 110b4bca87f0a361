"""The narrator: four forms of one story, on a stream, in colour only where somebody watches."""

from __future__ import annotations

import io

import msgspec
import pytest
from tests.journal_factory import boot, cycle, decision, stop, whole_run

from interlock.model.journal import Record
from interlock.model.mode import Mode, TradingState
from interlock.model.risk import Latch
from interlock.shell.lines import Level, rendered
from interlock.shell.narrator import LOG_FORMS, ConsoleNarrator, forms_of, one_line
from interlock.shell.story import following, setting_of, story

RECORDS = [Record(seq=seq, decided=decided, aside=aside) for seq, (decided, aside) in enumerate(whole_run())]
SETTING = setting_of(RECORDS[0])


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def record(pair: tuple[object, object]) -> Record:
    """Return one record."""
    return Record(seq=0, decided=pair[0], aside=pair[1])  # type: ignore[arg-type]


def told(form: str, stream: io.StringIO | None = None) -> str:
    """Return what a narrator prints of a whole run."""
    out = stream if stream is not None else io.StringIO()
    narrator = ConsoleNarrator(form=form, stream=out)
    for each in RECORDS:
        narrator.tell(each)
    return out.getvalue()


def words() -> list[str]:
    """Return the story of the run, line by line."""
    setting, lines = SETTING, []
    for each in RECORDS:
        lines += [rendered(line) for line in story(each, setting)]
        setting = following(setting, each)
    return lines


def test_the_story_is_told_as_it_stands() -> None:
    """What is printed is what the story says, line for line."""
    assert words() == told("story").splitlines()


@pytest.mark.parametrize("form", LOG_FORMS)
def test_told_twice_it_is_the_same(form: str) -> None:
    """The same records give the same words in every form, so that `tell` can tell yesterday's."""
    assert told(form) == told(form) != ""


def test_a_line_form_is_one_line_a_cycle() -> None:
    """Each cycle is one line with its counts; the first and the last record are told in full."""
    lines = [line.split(" LINE | ") for line in told("line").splitlines() if " LINE | " in line]

    assert ["000001 SIM  2013-10-07T13:30:01Z", "000002 SIM  2013-10-07T13:30:02Z"] == [at for at, _ in lines[:2]]
    assert [
        "1/1 quotes, 0 candidates, 1 wish, 1 approved, 0 blocked, 0 reports, 1 working, state ACTIVE.",
        "1/1 quotes, 0 candidates, 1 wish, 0 approved, 1 blocked, 2 reports, 1 working, state ACTIVE.",
        "1/1 quotes, 0 candidates, 0 wishes, 0 approved, 0 blocked, 1 report, 0 working, state ACTIVE.",
        "1/1 quotes, 0 candidates, 0 wishes, 0 approved, 0 blocked, 0 reports, 0 working, state ACTIVE.",
    ] == [counts for _, counts in lines]


def test_a_line_has_the_prefix_of_the_story() -> None:
    """In every mode a cycle's one line stands in the columns of its story."""
    for mode in Mode:
        setting = msgspec.structs.replace(SETTING, mode=mode)
        first = rendered(story(RECORDS[1], setting)[0])

        assert first.split(" SEE ")[0] == one_line(RECORDS[1], setting).split(" LINE ")[0]


def test_no_other_record_has_a_line() -> None:
    """A record that is no cycle is not squeezed into one line."""
    assert ("", "") == (one_line(RECORDS[0], SETTING), one_line(RECORDS[-1], SETTING))


def test_a_line_is_as_bad_as_the_worst_of_its_cycle() -> None:
    """A cycle with a block wants a look, also as one line."""
    levels = [forms_of(each, SETTING, form="line")[0][0] for each in RECORDS[1:3]]

    assert [Level.INFO, Level.WARNING] == levels


def test_quiet_keeps_what_wants_a_look() -> None:
    """Of a whole run only the block is left."""
    (line,) = told("quiet").splitlines()

    assert "RISK | Blocked " in line


def test_json_is_one_object_a_line_with_the_storys_words() -> None:
    """Machines read the same sentences, with their parts apart."""
    lines = [msgspec.json.decode(line) for line in told("json").splitlines()]

    assert len(words()) == len(lines)
    assert {"cycle", "mode", "at_ns", "stage", "level", "text", "keys"} == set(lines[0])
    assert all(line["text"] in full for line, full in zip(lines, words(), strict=True))


def test_colour_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file gets no escape codes; a terminal gets them, unless NO_COLOR is set."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = told("story", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")

    assert ("\x1b[" in coloured, "\x1b[33m" in told("story", Terminal()), "\x1b" in told("story")) == (
        True, False, False,
    )  # fmt: skip


def test_a_narrator_that_starts_in_the_middle_still_speaks() -> None:
    """Without a first record it knows no mode, and takes the safest."""
    out = io.StringIO()
    ConsoleNarrator(form="story", stream=out).tell(record(cycle(7, decisions=(decision("000007-001"),))))

    assert out.getvalue().startswith("000007 SIM  ")


def test_standard_output_is_where_it_speaks_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Results go to stdout, and nothing to stderr."""
    narrator = ConsoleNarrator(form="story")
    narrator.tell(record(boot()))
    narrator.tell(record(stop(1)))
    printed = capsys.readouterr()

    assert ("", True) == (printed.err, printed.out.endswith("exit=0\n"))


def test_a_letter_that_the_stream_has_not_is_spelled_out() -> None:
    """A strategy's reason in a foreign script ends no run, whatever the terminal can show."""
    raised = Latch(
        latch_id="L1",
        scope="account",
        code="CYCLE_BROKE",
        level=TradingState.HALTED,
        text="it is gr\u00f6\u00dfer \u2013 so far",
        raised_by="interlock",
        at_ns=1,
    )
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii") as stream:
        ConsoleNarrator(form="story", stream=stream).tell(record(cycle(1, latches_raised=(raised,))))
        told_ascii = raw.getvalue()

    assert b"it is gr\\xf6\\xdfer \\u2013 so far" in told_ascii


def test_a_stream_that_other_code_closed_makes_it_mute() -> None:
    """Then the run stops by itself, and no error of the stream breaks a cycle."""
    stream = io.StringIO()
    narrator = ConsoleNarrator(form="story", stream=stream)
    stream.close()
    narrator.tell(record(boot()))

    assert narrator.is_mute
