from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from harness import library, scenario, settings
from harness.checks import CHECKS
from harness.rundir import Json
from harness.schema import schema
from topology.document import BadInput, load

CHECKED = {name: check.EXPECTS for name, check in CHECKS.items()}
PUBLISHED = library.SCENARIOS / "schema.json"


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(schema(CHECKED))


def test_the_published_schema_is_up_to_date() -> None:
    published: Json = json.loads(PUBLISHED.read_text())
    assert published == schema(CHECKED), "python -m harness.schema > scenarios/schema.json"


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema(CHECKED))


@pytest.mark.parametrize("path", [*library.scenarios(), *library.controls()], ids=lambda path: path.stem)
def test_the_supplied_scenarios_follow_it(validator: Draft202012Validator, path: Path) -> None:
    validator.validate(load(path).content)


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ("timeline.1={at: 1s, cut: {between: [a, [b, c]]}}", True),
        (
            "timeline.1={at: 1s, degrade: {link: au, latency: 1s, refused: 30%, silence: 0.1, bandwidth: 8KB/s}}",
            True,
        ),
        ("timeline.1={at: 1s, hang: {role: database, is: standby}, for: 2s}", True),
        ("timeline.1={at: 1s, publish: {event: kanto-shindo7, info: cancelled}}", True),
        ("timeline.1={at: 1s, fail: {enclosure: a, how: read-only}, for: 2s}", True),
        ("timeline.1={at: 1s, fail: {role: database, is: primary}}", True),
        ("timeline.1={at: 1s, fail: {how: offline}}", False),
        ("timeline.1={at: 1s, fail: {enclosure: a, how: slowly}}", False),
        ("timeline.1={at: 1s, cut: {between: [a]}}", False),
        ("timeline.1={at: 1s, cut: {from: a}}", False),
        ("timeline.1={at: 1s, degrade: {latency: 1s}}", False),
        ("timeline.1={at: 1s, lose: {}}", False),
        ("timeline.1={at: 1s}", False),
        ("timeline.1={at: 1s, lose: {node: a}, hang: {node: b}}", False),
        ("timeline.1={lose: {node: a}}", False),
        ("timeline.1={at: 10, lose: {node: a}}", False),
        ("timeline.1={at: 10m, lose: {node: a}}", False),
        ("drill.peple=3", False),
        ("drill.people=0", False),
        ("expect.answers.loss=0", False),
        ("expect.answers.lost=0s", False),
        ("name=A b", False),
        ("with=[unfenced-return, mine.yml]", True),
        ("with=[]", False),
        ("with=unfenced-return", False),
    ],
)
def test_it_allows_what_the_reader_allows(
    validator: Draft202012Validator, change: str, allowed: bool
) -> None:
    changed = settings.apply(load(library.scenario("calm")), [*_two_entries(), change])
    if allowed:
        validator.validate(changed.content)
    else:
        with pytest.raises(ValidationError):
            validator.validate(changed.content)
    assert _readable(change) is allowed


def _two_entries() -> list[str]:
    return ["timeline=[{at: 0s, publish: kanto-shindo7}, {at: 1s, publish: kanto-training}]"]


def _readable(change: str) -> bool:
    try:
        scenario.read(library.scenario("calm"), CHECKED, [*_two_entries(), change])
    except BadInput:
        return False
    return True
