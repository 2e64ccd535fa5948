from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topology.platform.proxy.wire import dump, float32_text


@given(number=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_32_bit_number_is_written_so_that_it_reads_back(number: float) -> None:
    assert struct.unpack("f", struct.pack("f", float(float32_text(number))))[0] == number


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (1.0, "1"),
        (0.5, "0.5"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1e-6, "0.000001"),
    ],
)
def test_a_32_bit_number_is_written_as_go_writes_it(number: float, text: str) -> None:
    assert float32_text(struct.unpack("f", struct.pack("f", number))[0]) == text


def test_text_is_safe_in_html() -> None:
    assert dump("<&>\u2028é") == '"\\u003c\\u0026\\u003e\\u2028é"'
