from __future__ import annotations

import pytest

from harness import settings
from topology.document import BadInput, Plain, parse


def applied(text: str, *changes: str) -> Plain:
    return settings.apply(parse(text, "x.yaml").as_fields(), changes).content


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ("a=2", {"a": 2, "b": [{"c": 1}, 5]}),
        ("a=", {"a": None, "b": [{"c": 1}, 5]}),
        ("a=x=y", {"a": "x=y", "b": [{"c": 1}, 5]}),
        ("b.0.c=2", {"a": 1, "b": [{"c": 2}, 5]}),
        ("b.1={d: [1, 2]}", {"a": 1, "b": [{"c": 1}, {"d": [1, 2]}]}),
        ("n.e.w=1", {"a": 1, "b": [{"c": 1}, 5], "n": {"e": {"w": 1}}}),
    ],
)
def test_a_path_is_set(change: str, result: Plain) -> None:
    assert applied("a: 1\nb: [{c: 1}, 5]", change) == result


def test_later_settings_win() -> None:
    assert applied("a: 1", "a=2", "a=3") == {"a": 3}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("a", '--set a: found "a", expected path=value, such as drill.people=2000'),
        ("=1", '--set =1: found "=1", expected path=value'),
        ("a..b=1", "expected path=value"),
        ("a.b=1", '--set a.b=1: found "b", expected a path that ends before it: x.yaml:1:4 holds no keys'),
        ("b.2=1", '--set b.2=1: found "2", expected the number of an item, 0 to 1'),
        ("b.x=1", 'found "x", expected the number of an item, 0 to 1'),
        ("a=[1", "--set a=[1:1:3: found text that is not YAML"),
    ],
)
def test_what_cannot_be_set(change: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        applied("a: 1\nb: [{c: 1}, 5]", change)
    assert message in str(caught.value)


def test_what_was_set_says_so_when_it_is_refused() -> None:
    fields = settings.apply(parse("a: {b: 1}", "x.yaml").as_fields(), ["a.b=[{c: 1}]", "a.d=2"])
    inner = fields.need("a", "").as_fields()
    assert str(inner.place) == "x.yaml:1:4"
    assert str(inner.keys["d"]) == "--set a.d=2"
    assert str(settings.apply(fields, ["a.b="]).need("a", "").as_fields().keys["b"]) == "--set a.b="
    (item,) = inner.need("b", "").as_items()
    assert str(item.as_fields().keys["c"]) == "--set a.b=[{c: 1}]"
