from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.platform.proxy.body import first_value
from topology.platform.proxy.errors import ApiError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=VALUES, space=st.text(" \n\t\r"), rest=st.text())
def test_a_value_is_read_whatever_follows_it(value: object, space: str, rest: str) -> None:
    text = f"{space}{json.dumps(value)} {rest}"
    assert json.dumps(first_value(text.encode("utf-8", "replace"))).replace('"', "") == json.dumps(
        value
    ).replace('"', "")


def complaint_of(text: str) -> str | None:
    try:
        first_value(text.encode())
    except ApiError as error:
        return error.message
    return None


@given(value=VALUES, place=st.integers(0, 100), junk=st.sampled_from([*'{}[]:,"\\x0.-eEtfn\n\x01', ""]))
def test_a_damaged_text_is_complained_of_or_still_json(value: object, place: int, junk: str) -> None:
    text = json.dumps(value)
    place %= len(text)
    damaged = text[:place] + junk + text[place + 1 :]
    complaint = complaint_of(damaged)
    assert complaint is None or re.fullmatch(
        "bad request body: (.*EOF|invalid character '.+' .+)", complaint, re.DOTALL
    )


def test_a_text_nested_without_end_is_refused() -> None:
    with pytest.raises(ApiError, match="exceeded max depth"):
        first_value(b"[" * 100_000)
