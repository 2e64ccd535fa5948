"""A scenario as it was written: the drill, the timeline, what is expected. Read without a topology."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

from harness import bilingual, congestion, events, limits, quantities, settings, targets
from harness.congestion import Congestion
from harness.duration import Duration
from harness.events import Event
from harness.load.curves import CURVES
from harness.load.visits import Visits
from harness.runbook import reading as runbooks
from harness.runbook.reading import Written
from harness.targets import Performance, Publication, Target
from harness.verbs import UNDOES, VERBS, Verb
from topology.document import BadInput, Fields, Plain, Value, load, nearest, one_of
from topology.map import Map, Title, asked_for

#: What each check can be expected to find: check -> name -> count, duration, drill-duration, ratio or how-often.
Checks: TypeAlias = Mapping[str, Mapping[str, str]]
Expectations: TypeAlias = Mapping[str, Mapping[str, float | str]]

#: Where an earthquake is felt so, people have other things to do. A setting.
AFFECTED: Final = ("6-", "6+", "7")
WHY: Final = "one sentence: what it is for"
_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Drill:
    """Who takes part, and how fast time goes.

    `areas` are where the event is felt, and where people live. `clock` is drill seconds to a real second.
    `again` of the people answer more than once, `tls` of them use https: settings, not figures. `visits`: how often
    they visit besides.
    """

    event: str
    areas: tuple[str, ...]
    companies: int
    people: int
    curve: str
    clock: float
    again: float = 0.15
    tls: float = 0.1
    visits: Visits | None = None


@dataclass(frozen=True)
class Step:
    """One entry of the timeline.

    `undoing`: the verb is the one that takes `verb` back, aimed at the same target. `lasts`: it is taken
    back by itself after that time. `source` is where the target was written.
    """

    at: Duration
    verb: Verb
    undoing: bool
    target: Target
    lasts: Duration | None
    source: Value = field(compare=False, repr=False)

    @property
    def word(self) -> str:
        """The verb as it was written."""
        return self.verb.undone_by or self.verb.name if self.undoing else self.verb.name


@dataclass(frozen=True)
class Scenario:
    """`expect` is in SI: durations in seconds (drill-durations in drill seconds), ratios from 0 to 1.

    `events` are those that can be published. `written` is the scenario as plain data, settings applied. `regions` are
    those of the service that stand, as they were written; none written: all. `systems` of the world are asked for, as
    they were written. `defects` are laid over the topology, as they were written. `runbooks` are those that can be
    performed, and `profiles` the congestion that can be caused, as they were written.
    """

    name: str
    title: Title
    why: Title
    drill: Drill
    timeline: tuple[Step, ...]
    ends: Duration
    expect: Expectations
    events: Mapping[str, Event]
    written: Plain
    regions: tuple[Value, ...] = field(default=(), compare=False, repr=False)
    systems: tuple[Value, ...] = field(default=(), compare=False, repr=False)
    defects: tuple[Value, ...] = field(default=(), compare=False, repr=False)
    runbooks: Written = field(default_factory=dict, compare=False, repr=False)
    profiles: congestion.Written = field(default_factory=dict, compare=False, repr=False)

    @property
    def variables(self) -> Mapping[str, str]:
        """What `${…}` stands for in the compose files, and which systems of the world stand."""
        return variables(self.drill.clock, [each.as_text("a system") for each in self.systems])

    def standing(self, topology: Map) -> Map:
        """What of a topology, read with `variables`, this scenario plays on.

        Raises BadInput for a region or a system that it has not.
        """
        for each in self.systems:
            each.as_word(topology.systems)
        regions = [each.as_word(topology.service_regions) for each in self.regions]
        return topology.only(regions or topology.service_regions)


def variables(clock: float, systems: Iterable[str]) -> Mapping[str, str]:
    """With which a topology is read for a drill."""
    return {"CLOCK_SCALE": f"{clock:g}", **asked_for(systems)}


def read(path: Path, checks: Checks, changes: Iterable[str] = ()) -> Scenario:
    """The scenario in a file; what it can publish is in events.yaml beside it or comes with the harness.

    The runbooks that it can perform come with the harness; those in runbooks/ beside it go before them.
    `changes` are `path=value`, as after `--set`. Raises BadInput, with the place, for anything that is
    missing, misspelt or impossible whatever the topology; `plan.make` says the rest.
    """
    fields = settings.apply(load(path, "a scenario"), changes)
    beside = path.parent / events.FILE
    known = events.read(beside if beside.exists() else events.SUPPLIED)
    made = _scenario(fields, checks, known)
    if any(isinstance(step.target, Congestion) for step in made.timeline):
        profiles = congestion.written(congestion.SUPPLIED, path.parent / congestion.FOLDER)
        made = replace(made, profiles=profiles)
    if any(isinstance(step.target, Performance) for step in made.timeline):
        return replace(made, runbooks=runbooks.written(runbooks.SUPPLIED, path.parent / runbooks.FOLDER))
    return made


def _scenario(fields: Fields, checks: Checks, known: Mapping[str, Event]) -> Scenario:
    fields.only("name", "title", "why", "drill", "timeline", "ends", "expect", "regions", "systems", "with")
    name = fields.need("name", "the scenario's name")
    if not _NAME.fullmatch(name.as_text("a name")):
        raise name.bad("a name of small letters, digits and hyphens")
    title = fields.need("title", "title: {en: …, ja: …}").as_fields("title: {en: …, ja: …}")
    title.only("en", "ja")
    en, ja = title.need("en", "the English title"), title.need("ja", "the Japanese title")
    ends = quantities.duration(end := fields.need("ends", "when the timeline ends, such as 110s"))
    if not ends.ms:
        raise end.bad("a time above 0s")
    steps = fields.need("timeline", "a list of entries such as {at: 0s, publish: …}").as_items()
    drill = _drill(fields.need("drill", "the drill: event, companies, people, curve, clock"), known)
    timeline = _timeline((_step(step) for step in steps), ends, known)
    _published(drill, timeline, fields)
    return Scenario(
        name=name.as_text(),
        title=Title(en.as_text(), ja.as_text()),
        why=bilingual.read(fields.need("why", WHY), WHY),
        drill=drill,
        timeline=timeline,
        ends=ends,
        expect=_expectations(fields.get("expect"), checks),
        events=known,
        written=fields.content,
        regions=_names(fields.get("regions"), "region", "no regions: for all of them"),
        systems=_names(
            fields.get("systems"), "system", "no systems: for none of those that must be asked for"
        ),
        defects=_names(fields.get("with"), "defect", "no with: for none"),
    )


def _names(value: Value | None, what: str, without: str) -> tuple[Value, ...]:
    if value is None:
        return ()
    names = value.as_items(f"a list of {what}s")
    if not names.values:
        raise value.bad(f"at least one {what}, or {without}")
    return names.values


def _drill(value: Value, known: Mapping[str, Event]) -> Drill:
    fields = value.as_fields("{event: …, companies: …, people: …, curve: …, clock: …}")
    fields.only("event", "companies", "people", "curve", "clock", "again", "tls", "visits")
    event = known[fields.need("event", "the event that the drill is about").as_word(known)]
    firms, people = fields.need("companies", "how many companies"), fields.need("people", "how many people")
    companies = firms.as_whole("a number of companies", least=1)
    limits.COMPANIES.hold(firms, companies)
    many = people.as_whole("at least one person for each company, a whole number", least=companies)
    limits.PEOPLE.hold(people, many)
    clock = fields.need("clock", "drill seconds to a real second")
    if clock.as_number("drill seconds to a real second") <= 0:
        raise clock.bad("a number above 0")
    limits.CLOCK.hold(clock, clock.as_number())
    visits = fields.get("visits")
    shares = {name: quantities.share(part) for name in ("again", "tls") if (part := fields.get(name))}
    return Drill(
        event=event.name,
        areas=tuple(event.areas),
        companies=companies,
        people=many,
        curve=fields.need("curve", "when people answer").as_word(CURVES),
        clock=clock.as_number(),
        visits=_visits(visits, event) if visits is not None else None,
        **shares,
    )


def _visits(value: Value, event: Event) -> Visits:
    fields = value.as_fields("{every: 3h, at_once: 8, for: 1h, then: 2, affected: 40%}")
    fields.only("every", "at_once", "for", "then", "affected")
    every = quantities.duration(
        usual := fields.need("every", "how often somebody visits as usual, such as 3h")
    )
    if not every.ms:
        raise usual.bad("a time above 0s")
    times = {}
    for name in ("at_once", "then"):
        many = fields.need(name, "how many times as often")
        times[name] = many.as_number("how many times as often")
        if times[name] < 0:
            raise many.bad("a number, 0 or more")
    return Visits(
        every.s / 60,
        times["at_once"],
        quantities.duration(fields.need("for", "how long the first rush lasts, drill time")).s / 60,
        times["then"],
        quantities.share(fields.need("affected", "the affected area, in shares of its usual")),
        tuple(area for area, intensity in event.areas.items() if intensity in AFFECTED),
    )


def _timeline(steps: Iterable[Step], ends: Duration, known: Mapping[str, Event]) -> tuple[Step, ...]:
    checked: list[Step] = []
    for step in steps:
        place, found = step.source.place, f"{step.word} at {step.at}"
        if checked and step.at < checked[-1].at:
            raise BadInput(place, found, f"entries in order: {checked[-1].at} or later")
        if step.at > ends:
            raise BadInput(place, found, f"a time before the timeline ends at {ends}")
        if step.lasts and step.at + step.lasts > ends:
            raise BadInput(place, f"{found} for {step.lasts}", f"an end before the timeline ends at {ends}")
        if isinstance(step.target, Publication) and step.target.event not in known:
            raise step.source.bad(f"an event: {one_of(known)}", nearest(step.target.event, known))
        checked.append(step)
    return tuple(checked)


def _published(drill: Drill, timeline: Iterable[Step], written: Fields) -> None:
    """Raises BadInput for a drill about an event that is never published, while others are."""
    told = dict.fromkeys(step.target.event for step in timeline if isinstance(step.target, Publication))
    if told and drill.event not in told:
        event = written.need("drill", "the drill").as_fields().need("event", "the event")
        raise event.bad(f"an event that the timeline publishes: {one_of(told)}", nearest(drill.event, told))


def _step(value: Value) -> Step:
    words = [*VERBS, *UNDOES]
    fields = value.as_fields("an entry such as {at: 30s, lose: {zone: …}}")
    found = [key for key in fields.values if key not in ("at", "for")]
    if not found:
        raise BadInput(fields.place, "an entry without a verb", one_of(words))
    word, *more = found
    if word not in words:
        raise fields.bad_key(word, one_of(words), nearest(word, [*words, "at", "for"]))
    if more:
        raise fields.bad_key(more[0], "one verb in an entry, at and for", nearest(more[0], ["at", "for"]))
    undoing = word in UNDOES
    verb = UNDOES[word] if undoing else VERBS[word]
    source = fields.need(word, f"what to {word}")
    target = targets.read(verb, source, undoing=undoing)
    if "for" in fields and isinstance(target, Congestion):
        raise fields.bad_key("for", "a verb alone: the profile says when its restrictions are lifted")
    return Step(
        at=quantities.duration(fields.need("at", "when, such as 30s")),
        verb=verb,
        undoing=undoing,
        target=target,
        lasts=_lasts(fields, verb, undoing),
        source=source,
    )


def _lasts(fields: Fields, verb: Verb, undoing: bool) -> Duration | None:
    if "for" not in fields:
        return None
    value = fields.need("for", "how long it lasts, such as 2s")
    if undoing or not verb.undone_by:
        raise fields.bad_key("for", "a verb that can be taken back")
    lasts = quantities.duration(value)
    if not lasts.ms:
        raise value.bad("a duration above 0s")
    return lasts


def _expectations(value: Value | None, checks: Checks) -> Expectations:
    expect: dict[str, dict[str, float | str]] = {}
    if value is None:
        return expect
    for check, inner in value.as_fields("expectations by check"):
        if check not in checks:
            raise value.as_fields().bad_key(check, f"a check: {one_of(checks)}", nearest(check, checks))
        units = checks[check]
        fields = inner.as_fields(f"what {check} should find: {one_of(units)}")
        fields.only(*units)
        expect[check] = {
            name: _expected(fields.need(name, units[name]), units[name]) for name in fields.values
        }
    return expect


def _expected(value: Value, unit: str) -> float | str:
    """In SI."""
    match unit:
        case "count":
            return value.as_whole()
        case "duration" | "drill-duration":
            return quantities.duration(value).s
        case "ratio":
            return quantities.share(value)
        case "how-often":
            return quantities.how_often(value)
    raise ValueError(f"an expectation in {unit}, which nobody can write")
