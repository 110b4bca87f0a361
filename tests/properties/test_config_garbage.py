"""Whatever is written, a configuration is taken whole or refused in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config_texts import BASES, written

from interlock.config import decision_keys, load_config
from interlock.model.errors import ConfigError
from interlock.model.units import plain

texts = st.one_of(st.text(max_size=30), st.from_regex(r"\A\$?[0-9,.]{1,8} ?(s|%|bps|x|shares|/ s)?\Z"))
literals = st.recursive(
    st.one_of(
        texts.map(lambda text: json.dumps(text, ensure_ascii=False)),
        st.integers().map(str),
        st.integers(min_value=0).map(hex),
        st.floats().map(str),
        st.sampled_from(["true", "false", "2013-10-07", "07:32:00", "2013-10-07T07:32:00Z", "''", '"""\n"""']),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(texts.map(json.dumps), inner, max_size=3).map(
            lambda table: f"{{{', '.join(f'{name} = {value}' for name, value in table.items())}}}"
        ),
    ),
    max_leaves=5,
)


@given(base=st.sampled_from(BASES), position=st.integers(min_value=0), literal=literals | st.text(max_size=20))
def test_garbage_in_any_key_is_a_sentence_and_never_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, base: str, position: int, literal: str
) -> None:
    """Whatever stands behind a key, the file is taken whole or refused in words."""
    lines = base.splitlines()
    places = [ix for ix, line in enumerate(lines) if " = " in line]
    ix = places[position % len(places)]
    lines[ix] = f"{lines[ix].partition(' = ')[0]} = {literal}"
    path = written(tmp_path_factory.getbasetemp(), "\n".join(lines))
    try:
        said_back = decision_keys(load_config(path))
    except ConfigError as error:
        said_back = str(error)

    assert "" != said_back
    assert plain(said_back) == said_back or said_back.startswith("{")
