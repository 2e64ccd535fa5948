from __future__ import annotations

import pytest

from topology.document import BadInput, Plain, parse
from topology.interpolation import interpolate

VARIABLES = {"SET": "yes", "EMPTY": "", "NUMBER": "7"}


def replaced(text: str) -> Plain:
    return interpolate(parse(text, "x.yml"), VARIABLES).content


@pytest.mark.parametrize(
    ("written", "meaning"),
    [
        ("$SET", "yes"),
        ("${SET}", "yes"),
        ("a${SET}b$SET", "ayesbyes"),
        ("${SET:-no}", "yes"),
        ("${EMPTY:-no}", "no"),
        ("${EMPTY-no}", ""),
        ("${UNSET:-no}", "no"),
        ("${UNSET-}", ""),
        ("${UNSET:-${SET}}", "yes"),
        ("${UNSET:-${OTHER:-deep}}", "deep"),
        ("${SET:+instead}", "instead"),
        ("${EMPTY:+instead}", ""),
        ("${EMPTY+instead}", "instead"),
        ("${SET:?must be set}", "yes"),
        ("$$SET and $$", "$SET and $"),
        ("no variables", "no variables"),
    ],
)
def test_variables_as_compose_knows_them(written: str, meaning: str) -> None:
    assert replaced(f"'{written}'") == meaning


def test_a_plain_word_is_understood_after_it_is_replaced() -> None:
    assert replaced("{a: $NUMBER, b: '$NUMBER', c: [x, $NUMBER]}") == {"a": 7, "b": "7", "c": ["x", 7]}


def test_keys_are_left_alone() -> None:
    assert replaced("{$SET: 1}") == {"$SET": 1}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "${UNSET}",
            'found the variable UNSET, which is not set, in "${UNSET}", expected its value or a default',
        ),
        ("${NUMBR}", 'did you mean "NUMBER"?'),
        ("${UNSET:?the key of the kingdom}", "expected the key of the kingdom"),
        ("${SET", "expected a } for every ${"),
        ("$1", "expected a variable's name after $, or $$ for a dollar sign"),
        ("$", "expected a variable's name"),
        ("${SET!x}", "expected one of :-, -, :?, ?, :+, + after ${SET"),
    ],
)
def test_variables_that_cannot_be_replaced(written: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        replaced(f"a: '{written}'")
    assert str(caught.value).startswith("x.yml:1:4: ")
    assert message in str(caught.value)
