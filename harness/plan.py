"""The plan of a run: the exact timeline and all else that decides what happens.

Pure data: the same for the same scenario, topology and seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from harness import bilingual, rehearsing, targets
from harness.erasure import Erasure
from harness.load.visits import Visits
from harness.rehearsing import Rehearsed, Wish
from harness.runbook import kept
from harness.rundir import Json
from harness.scenario import Drill, Expectations, Scenario, Step, variables
from harness.schedule import Entry, schedule
from harness.targets import Performance, Publication
from harness.verbs import UNDOES, VERBS
from topology.document import BadInput, Fields, Plain, Scalar, Value, dump, parse
from topology.map import Map, Title

__all__ = ["Entry", "Plan", "make"]


@dataclass(frozen=True)
class Plan:
    """`expect` is in SI, as in `Scenario`; `written` is the scenario as it was written, settings applied.

    `overrides` are compose files laid over `topology`; `regions` are those of the service that stand (none: all),
    and `systems` those of the world that stand only because they were asked for; `versions` say what ran. `rehearsal`:
    the runbook that is rehearsed, if one is.
    """

    scenario: str
    title: Title
    why: Title
    drill: Drill
    timeline: tuple[Entry, ...]
    ends_s: float
    expect: Expectations
    seed: int
    topology: str
    overrides: tuple[str, ...]
    versions: Mapping[str, str]
    written: Plain = field(repr=False)
    regions: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    rehearsal: Rehearsed | None = None

    @property
    def performs(self) -> bool:
        """Whether any runbook is performed."""
        return self.rehearsal is not None or any(entry.runbook for entry in self.timeline)

    @property
    def variables(self) -> Mapping[str, str]:
        """What `${…}` stands for in the compose files, and which systems of the world stand."""
        return variables(self.drill.clock, self.systems)

    @property
    def unhealed(self) -> tuple[Entry, ...]:
        """The faults that nothing on the timeline takes back; they are healed when it has ended.

        Not those that cannot be: what is erased only a runbook brings back.
        """
        undone = {entry.undoes for entry in self.timeline}
        return tuple(
            entry for entry in self.faults if entry.id not in undone and not isinstance(entry.aim, Erasure)
        )

    @property
    def faults(self) -> tuple[Entry, ...]:
        """What is broken, without what takes it back."""
        return tuple(
            entry
            for entry in self.timeline
            if entry.undoes is None and not isinstance(entry.aim, Publication | Performance)
        )

    def to_yaml(self) -> str:
        """What `from_yaml` reads back as the same plan."""
        return dump(
            {
                "scenario": self.written,
                "topology": self.topology,
                "overrides": list(self.overrides),
                "regions": list(self.regions),
                "systems": list(self.systems),
                "seed": self.seed,
                "drill": _drill_data(self.drill),
                "timeline": [_entry_data(entry) for entry in self.timeline],
                "ends_s": self.ends_s,
                "expect": {check: dict(names) for check, names in self.expect.items()},
                "versions": dict(self.versions),
                **({"rehearsal": self.rehearsal.data()} if self.rehearsal else {}),
            }
        )

    @classmethod
    def from_yaml(cls, text: str, file: str = "plan.yaml") -> Plan:
        """Raises BadInput for what is no plan."""
        fields = parse(text, file).as_fields("a plan")
        scenario = fields.need("scenario", "the scenario").as_fields()
        title = scenario.need("title", "the title").as_fields()
        regions, systems = fields.get("regions"), fields.get("systems")
        rehearsal = fields.get("rehearsal")
        return cls(
            scenario=scenario.need("name", "the name").as_text(),
            title=Title(title.need("en", "a title").as_text(), title.need("ja", "a title").as_text()),
            why=bilingual.read(scenario.need("why", "why"), "why"),
            drill=_drill(fields.need("drill", "the drill").as_fields()),
            timeline=tuple(
                _entry(each.as_fields()) for each in fields.need("timeline", "entries").as_items()
            ),
            ends_s=fields.need("ends_s", "when it ends").as_number(),
            expect=_expect(fields.need("expect", "expectations").as_fields()),
            seed=fields.need("seed", "the seed").as_whole(least=-(2**63)),
            topology=fields.need("topology", "the compose file").as_text(),
            overrides=tuple(each.as_text() for each in fields.need("overrides", "files").as_items()),
            versions={name: each.as_text() for name, each in fields.need("versions", "versions").as_fields()},
            written=scenario.content,
            regions=tuple(each.as_text() for each in regions.as_items()) if regions else (),
            systems=tuple(each.as_text() for each in systems.as_items()) if systems else (),
            rehearsal=Rehearsed.from_data(rehearsal) if rehearsal else None,
        )


def make(
    scenario: Scenario,
    topology: Map,
    seed: int,
    *,
    compose: str,
    overrides: Iterable[str] = (),
    versions: Mapping[str, str] | None = None,
    rehearse: Wish | None = None,
) -> Plan:
    """The plan of a scenario on what stands of a topology, which was read from `compose` with `overrides`.

    With `rehearse`, a runbook of it is in somebody's hands.

    Raises BadInput, at the place in the scenario, for what the topology has not and for contradictions.
    """
    own = None
    if rehearse is not None:
        scenario, own = rehearsing.replaced(scenario, rehearse)
    timeline = schedule(scenario, topology)
    return Plan(
        scenario=scenario.name,
        title=scenario.title,
        why=scenario.why,
        drill=scenario.drill,
        timeline=timeline,
        ends_s=scenario.ends.s,
        expect=scenario.expect,
        seed=seed,
        topology=compose,
        overrides=tuple(overrides),
        versions=versions or {},
        written=scenario.written,
        regions=topology.service_regions,
        systems=tuple(each.as_text() for each in scenario.systems),
        rehearsal=_rehearsed(scenario, own, timeline, topology) if own is not None else None,
    )


def _rehearsed(scenario: Scenario, step: Step, timeline: tuple[Entry, ...], topology: Map) -> Rehearsed:
    """What `step` performs: as an entry of the timeline, or in somebody's hands."""
    runbook = rehearsing.bound(scenario, step, topology)
    entry = next((each for each in timeline if each.aim is step.target), None)
    return (
        rehearsing.of_person(runbook, step.at)
        if entry is None
        else Rehearsed(runbook, entry.id, entry.at_s, auto=True)
    )


def _drill_data(drill: Drill) -> dict[str, Json]:
    data = {**asdict(drill), "areas": list(drill.areas)}
    if drill.visits is None:
        del data["visits"]
    else:
        data["visits"] = {**asdict(drill.visits), "affected": list(drill.visits.affected)}
    return data


def _entry_data(entry: Entry) -> dict[str, Json]:
    data: dict[str, Json] = {"id": entry.id, "at_s": entry.at_s, "verb": entry.verb, "target": entry.target}
    data["aim"] = dict(entry.aim.data())
    if entry.undoes:
        data["undoes"] = entry.undoes
    if entry.telegram:
        data["telegram"] = dict(entry.telegram)
    if entry.runbook:
        data["runbook"] = entry.runbook.data()
    return data


def _entry(fields: Fields) -> Entry:
    word = fields.need("verb", "a verb").as_word([*VERBS, *UNDOES])
    undoes, telegram = fields.get("undoes"), fields.get("telegram")
    runbook = fields.get("runbook")
    return Entry(
        id=fields.need("id", "an id").as_text(),
        at_s=fields.need("at_s", "a time").as_number(),
        verb=word,
        aim=targets.from_data(VERBS.get(word) or UNDOES[word], fields.need("aim", "an aim")),
        undoes=undoes.as_text() if undoes else None,
        telegram=_json(telegram) if telegram else {},
        runbook=kept.from_data(runbook) if runbook else None,
    )


def _json(value: Value) -> Mapping[str, Json]:
    return {key: each.content for key, each in value.as_fields()}


def _drill(fields: Fields) -> Drill:
    visits = fields.get("visits")
    return Drill(
        event=fields.need("event", "an event").as_text(),
        areas=tuple(each.as_text() for each in fields.need("areas", "areas").as_items()),
        companies=fields.need("companies", "a number").as_whole(),
        people=fields.need("people", "a number").as_whole(),
        curve=fields.need("curve", "a curve").as_text(),
        clock=fields.need("clock", "a number").as_number(),
        again=fields.need("again", "a share").as_number(),
        tls=fields.need("tls", "a share").as_number(),
        visits=_visits(visits.as_fields()) if visits else None,
    )


def _visits(fields: Fields) -> Visits:
    names = ("every_min", "at_once", "lasts_min", "then", "there")
    affected = tuple(each.as_text() for each in fields.need("affected", "areas").as_items())
    return Visits(**{name: fields.need(name, "a number").as_number() for name in names}, affected=affected)


def _expect(fields: Fields) -> Expectations:
    return {check: {name: _quantity(each) for name, each in inner.as_fields()} for check, inner in fields}


def _quantity(value: Value) -> float | str:
    if not isinstance(value, Scalar) or value.value is None or isinstance(value.value, bool):
        raise BadInput(value.place, value.shown, "a number or a word")
    return value.value
