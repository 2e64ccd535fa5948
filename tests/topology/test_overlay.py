from __future__ import annotations

import pytest

from topology.document import BadInput, Fields, Plain, parse
from topology.overlay import layered


def laid(over: str, base: str) -> Plain:
    files: list[Fields] = [parse(text, f"{n}.yml").as_fields() for n, text in enumerate((base, over))]
    return layered(files).content


def service(over: str, base: str) -> Plain:
    whole = laid(f"services: {{web: {{{over}}}}}", f"services: {{web: {{{base}}}}}")
    assert isinstance(whole, dict)
    services = whole["services"]
    assert isinstance(services, dict)
    return services["web"]


def test_mappings_are_merged_key_by_key() -> None:
    assert laid("x-a: {b: {d: 9}, e: 4}", "x-a: {b: {c: 1, d: 2}}") == {
        "x-a": {"b": {"c": 1, "d": 9}, "e": 4}
    }


def test_environment_merges_in_either_form() -> None:
    merged = service("environment: [B=9, C]", "environment: {A: 1, B: 2}")
    assert merged == {"environment": {"A": 1, "B": "9", "C": None}}


def test_a_command_is_replaced() -> None:
    assert service("command: [b]", "command: [a, -x]") == {"command": ["b"]}
    assert service("command: b", "command: [a, -x]") == {"command": "b"}


def test_lists_are_joined() -> None:
    assert service("dns: [2]", "dns: [1]") == {"dns": [1, 2]}
    assert service("depends_on: [b]", "depends_on: [a]") == {"depends_on": {"a": None, "b": None}}


def test_what_is_mounted_is_one_for_each_place() -> None:
    merged = service("volumes: [new:/data:ro]", "volumes: [old:/data, other:/logs]")
    assert merged == {"volumes": ["other:/logs", "new:/data:ro"]}
    merged = service("configs: [{source: b, target: /x}]", "configs: [{source: a, target: /x}]")
    assert merged == {"configs": [{"source": "b", "target": "/x"}]}


def test_reset_takes_away_and_override_replaces() -> None:
    assert service("dns: !reset []", "dns: [1], image: x") == {"image": "x"}
    assert service("environment: !override {B: 2}", "environment: {A: 1}") == {"environment": {"B": 2}}


def test_nothing_laid_over_something_changes_nothing() -> None:
    assert laid("services: {web: }", "services: {web: {image: x}}") == {"services": {"web": {"image": "x"}}}


def test_values_keep_the_place_they_come_from() -> None:
    files = [parse(text, f"{n}.yml").as_fields() for n, text in enumerate(("a: 1\nb: 1", "b: 2"))]
    whole = layered(files)
    assert str(whole.need("a", "").place) == "0.yml:1:4"
    assert str(whole.need("b", "").place) == "1.yml:1:4"


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BadInput, match=r"^1.yml:1:6: found a list, expected a mapping, as in 0.yml:1:6$"):
        laid("x-a: [1]", "x-a: {b: 1}")
