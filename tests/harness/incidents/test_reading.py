from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from harness import library
from harness.checks import CHECKS as ALL_CHECKS
from harness.duration import Duration
from harness.incidents import reading
from harness.incidents.model import FILE, VARIANTS, Bounds, Mark
from harness.incidents.schema import schema
from harness.rundir import Json
from tests.harness.incidents.outage import CHECKS, WHOLE, read
from tests.refusals import refusal, swapped
from topology.document import BadInput, load, parse
from topology.map import Title


def test_what_is_on_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    incident = read(tmp_path)
    assert incident.title == Title("The mail of 1999", "1999年のメール")
    assert incident.began is not None
    assert incident.began.isoformat() == "1999-12-31T23:59:00+09:00"
    assert [moment.after for moment in incident.official] == [
        Duration(0),
        Duration(38 * 60_000),
        Duration(7_200_000),
    ]
    assert [moment.ours for moment in incident.official] == [
        Mark("fault", "fail"),
        Mark("step", "first-notice"),
        Mark("measured", "mail.restored_drill_s"),
    ]
    vanished, restored = incident.differences
    assert (vanished.check, vanished.measured) == ("mail", "vanished")
    assert vanished.bounds == {"as-happened": Bounds(least=1), "with-countermeasures": Bounds(most=0)}
    assert (restored.times, restored.by) == (10, ("two-disks",))


@pytest.mark.parametrize(
    ("written", "began"),
    [("began: 1999-12-31\n", date(1999, 12, 31)), ("", None)],
    ids=["only the day", "not even the day"],
)
def test_when_it_began_is_as_exact_as_it_is_on_record(
    tmp_path: Path, written: str, began: date | None
) -> None:
    text = swapped(WHOLE, "began: 1999-12-31T23:59:00+09:00\n", written)
    Draft202012Validator(schema(CHECKS)).validate(parse(text, FILE).content)
    found = read(tmp_path, text).began
    assert found == began
    assert not isinstance(found, datetime)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "name: mail-1999",
            "name: mail-1998",
            '1:7: found "mail-1998", expected the name of its folder, "mail-1999"',
        ),
        ("began: 1999-12-31T23:59:00+09:00", "began: 1999-12-31T23:59:00", "4:8: found"),
        ("began: 1999-12-31T23:59:00+09:00", "began: noon", "4:8: found"),
        ("began: 1999-12-31T23:59:00+09:00", "began: 1999-12-32", "4:8: found"),
        (
            "source: DOC}\nofficial",
            "source: DOX}\nofficial",
            'found "DOX", expected DOC',
        ),
        ("after: 38min", "after: 38", "10:13: found 38"),
        ("after: 2h", "after: 2min", '11:13: found "2min", expected moments in order: 38min or later'),
        ("ours: {fault: fail}", "ours: {fault: fial}", 'did you mean "fail"?'),
        ("ours: {fault: fail}", "ours: {fault: fail, step: a}", "expected one of {fault: …}"),
        (
            "ours: {measured: mail.restored_drill_s}",
            "ours: {measured: mail.lost}",
            "expected a quantity in seconds",
        ),
        ("loses: [mail]", "loses: [mial]", '14:9: found "mial", expected one of answers, recovery, mail'),
        ("loses: [mail]", "loses: []", "14:8: found a list, expected at least one check"),
        ("measured: mail.vanished", "measured: vanished", "expected what a check measures"),
        ("measured: mail.vanished", "measured: mial.vanished", 'did you mean "mail.vanished"?'),
        ("times: 10", "times: 1", "21:89: found 1, expected a number above 1"),
        ("times: 10, by: [two-disks]", "times: 10, by: [two-disk]", 'did you mean "two-disks"?'),
        ("times: 10, ", "", "found a difference that any two runs would have"),
        ("{least: 1}", "{least: 2, most: 1}", "expected a least that is not above the most"),
        ("{least: 1}", "{}", "expected {least: …}, {most: …} or both"),
        ("why: {en: Mail was lost., ja: メールが失われた。}\n", "", 'found no "why"'),
        ("figures:", "figurse:", 'did you mean "figures"?'),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    complaint = refusal(lambda: read(tmp_path, swapped(WHOLE, old, new)))
    assert complaint.startswith(f"{FILE}:")
    assert says in complaint


def test_an_incident_without_one_of_its_scenarios_is_refused(tmp_path: Path) -> None:
    incident = read(tmp_path)
    incident.scenario("with-countermeasures").unlink()
    complaint = refusal(lambda: reading.read(incident.folder, CHECKS))
    assert complaint.startswith("with-countermeasures.yaml: found no such file")


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("loses: [mail]", "loses: [mail, answers]", True),
        ("loses: [mail]", "loses: [mial]", False),
        ("after: 38min", "after: 38", False),
        ("times: 10", "times: 1", False),
        ("times: 10, ", "", False),
        ("measured: mail.vanished", "measured: vanished", False),
        ("ours: {fault: fail}", "ours: {fault: fail, step: a}", False),
        ("figures:", "figurse:", False),
        ("ours: {fault: fail}", "ours: {fault: fail}, apart: {en: Why., ja: 理由}", True),
        ("ours: {fault: fail}", "apart: {en: Why.}", False),
    ],
)
def test_the_schema_allows_what_the_reader_allows(tmp_path: Path, old: str, new: str, allowed: bool) -> None:
    text = swapped(WHOLE, old, new)
    validator = Draft202012Validator(schema(CHECKS))
    if allowed:
        validator.validate(parse(text, FILE).content)
        read(tmp_path, text)
        return
    with pytest.raises(ValidationError):
        validator.validate(parse(text, FILE).content)
    with pytest.raises(BadInput):
        read(tmp_path, text)


def test_the_published_schema_is_up_to_date() -> None:
    published: Json = json.loads((library.INCIDENTS / "schema.json").read_text())
    assert published == schema(ALL_CHECKS), (
        "python -m harness.incidents.schema > scenarios/incidents/schema.json"
    )


@pytest.mark.parametrize("folder", library.incidents(), ids=lambda folder: folder.name)
def test_the_supplied_incidents_follow_it(folder: Path) -> None:
    Draft202012Validator(schema(ALL_CHECKS)).validate(load(folder / FILE).content)
    incident = reading.read(folder, ALL_CHECKS)
    silent = [moment.what.en for moment in incident.official if moment.ours is None and moment.apart is None]
    assert silent == [], "nothing of ours stands beside them, and nothing says why"
    assert [library.scenario(f"{folder.name}/{variant}") for variant in VARIANTS] == [
        incident.scenario(variant) for variant in VARIANTS
    ]
