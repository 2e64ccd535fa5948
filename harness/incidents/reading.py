"""Reading incident.yaml. Every complaint is a BadInput with the place.

name: canon-mj-2020-04-30          # its folder's
title: {en: …, ja: …}
why: {en: …, ja: …}
began: 2020-04-30T14:07:00+09:00   # 2020-04-30 where the time of day is not on record; left out where nothing is
sources: {MIC: {en: …, ja: …}}     # the documents that `source` names below
figures:                           # in words
  - {what: {…}, value: {…}, source: MIC}
official:                          # in order, in the world's own time; `ours` is what stands beside it in a replay
  - {after: 38min, what: {…}, source: MIC, ours: {step: first-notice}, apart: {…}}   # why ours comes at another time
countermeasures:
  - {name: authentication-first, title: {…}, source: MIC}
loses: [mail]                      # the checks that must fail as it happened
differences:
  - what: {…}
    measured: mail.vanished
    as-happened: {least: 1}
    with-countermeasures: {most: 0}
    by: [authentication-first]
  - {what: {…}, measured: mail.restored_drill_s, times: 10, by: [authentication-first]}
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final

from harness import bilingual, quantities
from harness.incidents.model import (
    FILE,
    VARIANTS,
    Bounds,
    Countermeasure,
    Difference,
    Figure,
    Incident,
    Mark,
    Moment,
)
from harness.verbs import VERBS
from topology.document import BadInput, Fields, Place, Value, load, nearest, one_of
from topology.map import Title

#: What of a run can stand beside a moment on record: kind -> what its name says.
MARKS: Final = {
    "fault": "a verb: when the first fault of it took effect",
    "undone": "a verb: when the first fault of it was taken back",
    "step": "a step of a runbook: when it was proven, the last time",
    "measured": "check.quantity: a time from the first fault on, such as mail.restored_drill_s",
}
KEYS: Final = (
    "name",
    "title",
    "why",
    "began",
    "sources",
    "figures",
    "official",
    "countermeasures",
    "loses",
    "differences",
)
BEGAN: Final = (
    "when it began, with its zone, such as 2020-04-30T14:07:00+09:00, or on which day, such as 2020-04-30"
)
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def read(folder: Path, checks: Collection[str]) -> Incident:
    """The incident in a folder; `checks` are the names of those that there are. Raises BadInput."""
    path = folder / FILE
    incident = parse(load(path, "an incident"), checks, folder)
    for variant in VARIANTS:
        if not incident.scenario(variant).is_file():
            raise BadInput(
                Place(str(incident.scenario(variant))), "no such file", f"the incident's scenario {variant}"
            )
    return incident


def parse(fields: Fields, checks: Collection[str], folder: Path) -> Incident:
    """What the file of that folder says. Raises BadInput."""
    fields.only(*KEYS)
    name = fields.need("name", "the incident's name")
    if name.as_text("a name") != folder.name or not NAME.fullmatch(folder.name):
        raise name.bad(f'the name of its folder, "{folder.name}", of small letters, digits and hyphens')
    sources = fields.need("sources", "the documents, by a short name").as_fields("documents by a short name")
    documents = {key: bilingual.read(value, "what the document is") for key, value in sources}
    countermeasures = tuple(
        _countermeasure(value, documents)
        for value in fields.need("countermeasures", "what was done afterwards").as_items()
    )
    loses = fields.need("loses", "the checks that must fail as it happened").as_items("a list of checks")
    if not loses.values:
        raise loses.bad("at least one check: what loses nothing is no outage")
    figures = fields.get("figures")
    began = fields.get("began")
    differences = fields.need("differences", "in what the two variants must differ").as_items()
    if not differences.values:
        raise differences.bad("at least one difference")
    return Incident(
        name=folder.name,
        title=_both(fields, "title", "the title"),
        why=_both(fields, "why", "one sentence: what it is for"),
        began=_began(began) if began else None,
        sources=documents,
        figures=tuple(_figure(value, documents) for value in figures.as_items()) if figures else (),
        official=_official(fields.need("official", "the official timeline"), documents, checks),
        countermeasures=countermeasures,
        loses=tuple(value.as_word(checks) for value in loses),
        differences=tuple(
            _difference(value, checks, [one.name for one in countermeasures]) for value in differences
        ),
        written=fields.content,
        folder=folder,
    )


def _both(fields: Fields, key: str, expected: str) -> Title:
    return bilingual.read(fields.need(key, f"{expected}: {{en: …, ja: …}}"), expected)


def _began(value: Value) -> date:
    written = value.as_text(BEGAN)
    try:
        if DAY.fullmatch(written):
            return date.fromisoformat(written)
        began = datetime.fromisoformat(written)
    except ValueError:
        raise value.bad(BEGAN) from None
    if began.tzinfo is None:
        raise value.bad(BEGAN)
    return began


def _source(fields: Fields, documents: Mapping[str, Title]) -> str:
    return fields.need("source", "the document that it stands in").as_word(documents)


def _figure(value: Value, documents: Mapping[str, Title]) -> Figure:
    fields = value.as_fields("{what: …, value: …, source: …}")
    fields.only("what", "value", "source")
    return Figure(
        _both(fields, "what", "what it is"),
        _both(fields, "value", "the figure in words"),
        _source(fields, documents),
    )


def _countermeasure(value: Value, documents: Mapping[str, Title]) -> Countermeasure:
    fields = value.as_fields("{name: …, title: …, source: …}")
    fields.only("name", "title", "source")
    name = fields.need("name", "the countermeasure's name")
    if not NAME.fullmatch(name.as_text("a name")):
        raise name.bad("a name of small letters, digits and hyphens")
    return Countermeasure(name.as_text(), _both(fields, "title", "what was done"), _source(fields, documents))


def _official(value: Value, documents: Mapping[str, Title], checks: Collection[str]) -> tuple[Moment, ...]:
    moments: list[Moment] = []
    for entry in value.as_items("a list of {after: …, what: …, source: …}"):
        fields = entry.as_fields("{after: …, what: …, source: …}")
        fields.only("after", "what", "source", "ours", "apart")
        written = fields.need("after", "how long after it began")
        after = quantities.duration(written, "min")
        if moments and after < moments[-1].after:
            raise written.bad(f"moments in order: {moments[-1].after} or later")
        ours, apart = fields.get("ours"), fields.get("apart")
        moments.append(
            Moment(
                after,
                _both(fields, "what", "what happened"),
                _source(fields, documents),
                _mark(ours, checks) if ours else None,
                bilingual.read(apart, "why ours is apart from it") if apart else None,
            )
        )
    if not moments:
        raise value.bad("at least one moment")
    return tuple(moments)


def _mark(value: Value, checks: Collection[str]) -> Mark:
    expected = "one of " + ", ".join(f"{{{kind}: …}}" for kind in MARKS)
    fields = value.as_fields(expected)
    fields.only(*MARKS)
    if len(fields.values) != 1:
        raise fields.bad(expected)
    kind = next(iter(fields.values))
    named = fields.need(kind, MARKS[kind])
    if kind in ("fault", "undone"):
        return Mark(kind, named.as_word(VERBS))
    if kind == "measured":
        check, name = _measured(named, checks)
        if not name.endswith("_s"):
            raise named.bad("a quantity in seconds: its name ends in _s or _drill_s")
        return Mark(kind, f"{check}.{name}")
    return Mark(kind, named.as_text(MARKS[kind]))


def _measured(value: Value, checks: Collection[str]) -> tuple[str, str]:
    """`mail.vanished` -> the check and what it measures."""
    expected = "what a check measures, such as mail.vanished"
    check, dot, name = value.as_text(expected).partition(".")
    if not dot or not name:
        raise value.bad(expected)
    if check not in checks:
        near = nearest(check, checks)
        raise value.bad(f"a check: {one_of(checks)}", f"{near}.{name}" if near else None)
    return check, name


def _difference(value: Value, checks: Collection[str], known: list[str]) -> Difference:
    fields = value.as_fields("{what: …, measured: …, as-happened: …, with-countermeasures: …, by: …}")
    fields.only("what", "measured", *VARIANTS, "times", "by")
    check, measured = _measured(fields.need("measured", "what is compared, such as mail.vanished"), checks)
    bounds = {variant: _bounds(inner) for variant in VARIANTS if (inner := fields.get(variant)) is not None}
    times = fields.get("times")
    if times is not None and times.as_number("how many times") <= 1:
        raise times.bad("a number above 1")
    if not bounds and times is None:
        expected = f"what must differ: {one_of([*VARIANTS, 'times'])}"
        raise BadInput(fields.place, "a difference that any two runs would have", expected)
    by = fields.need("by", "the countermeasures that make the difference").as_items(
        "a list of countermeasures"
    )
    return Difference(
        _both(fields, "what", "what differs"),
        check,
        measured,
        bounds,
        times.as_number() if times is not None else None,
        tuple(each.as_word(known) for each in by),
    )


def _bounds(value: Value) -> Bounds:
    fields = value.as_fields("{least: …, most: …}")
    fields.only("least", "most")
    if not fields.values:
        raise fields.bad("{least: …}, {most: …} or both")
    found = {key: fields.need(key, "a number").as_number() for key in fields.values}
    if found.get("least", -math.inf) > found.get("most", math.inf):
        raise fields.bad("a least that is not above the most")
    return Bounds(**found)
