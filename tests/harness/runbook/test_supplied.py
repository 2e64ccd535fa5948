"""The runbooks that come with the harness."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from harness.runbook import reading
from harness.runbook.schema import schema
from topology.document import Fields, Place, Scalar, load, parse
from topology.map import Map

FILES = sorted(reading.SUPPLIED.glob("*.yaml"))


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def test_the_published_schema_is_up_to_date() -> None:
    published = json.loads((reading.SUPPLIED / "schema.json").read_text())
    assert published == schema(), "python -m harness.runbook.schema > scenarios/runbooks/schema.json"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_follow_the_schema(validator: Draft202012Validator, path: Path) -> None:
    validator.validate(load(path).content)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_can_be_performed_on_the_replica(everything: Map, path: Path) -> None:
    parameters = load(path).get("parameters") or Fields({}, {}, Place(""))
    assert isinstance(parameters, Fields)
    regions, nodes = iter(everything.service_regions * 2), iter(everything.nodes)
    example = {
        "region": lambda: next(regions),
        "node": lambda: next(nodes),
        "number": lambda: 7,
        "text": lambda: "1",
        "instant": lambda: "59s",
    }
    given = {}
    for name, kind in parameters:
        value = example.get(kind.as_text(), lambda: 7)()
        given[name] = Scalar(str(value), value, kind.place)
    runbook = reading.bind(parse(path.stem, "test"), given, reading.written(reading.SUPPLIED), everything)
    assert runbook.steps


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fence: {region", "fnce: {region"),
        ("takes-no-write", "takes-no-writes"),
        ("within: 10s", "within: 10"),
        ("proof: {replayed", "prof: {replayed"),
    ],
)
def test_the_schema_finds_slips(validator: Draft202012Validator, old: str, new: str) -> None:
    text = (reading.SUPPLIED / "region-move.yaml").read_text()
    assert old in text
    with pytest.raises(ValidationError):
        validator.validate(parse(text.replace(old, new), "changed").content)
