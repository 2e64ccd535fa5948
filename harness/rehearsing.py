"""A scenario whose runbook is rehearsed: what its timeline would have performed, somebody does instead. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.duration import Duration
from harness.runbook import kept
from harness.runbook import reading as runbooks
from harness.runbook.model import Runbook
from harness.runbook.reading import Written
from harness.runbook.rehearsal import NAME
from harness.rundir import Json
from harness.scenario import Scenario, Step
from harness.targets import Performance, Publication
from harness.verbs import VERBS
from topology.document import Fields, Value
from topology.map import Map


@dataclass(frozen=True)
class Wish:
    """What somebody wants to rehearse. `runbook`, and what its parameters are `given`, as they were written; one that
    is not given is what the scenario's own timeline gives. `auto`: the harness follows it by itself.
    """

    runbook: Value
    given: Mapping[str, Value]
    known: Written
    auto: bool


@dataclass(frozen=True)
class Rehearsed:
    """The runbook that is rehearsed. `performance` is what events call it; `at_s`: when it is to begin, in real seconds
    of the timeline. Nobody holds a person to it, but the time until their first step counts from there.
    """

    runbook: Runbook
    performance: str
    at_s: float
    auto: bool

    def data(self) -> dict[str, Json]:
        return {**vars(self), "runbook": self.runbook.data()}

    @classmethod
    def from_data(cls, value: Value) -> Rehearsed:
        """What `data` gave. Raises BadInput."""
        fields = value.as_fields("a rehearsal")
        return cls(
            kept.from_data(fields.need("runbook", "a runbook")),
            fields.need("performance", "a name").as_text(),
            fields.need("at_s", "a time").as_number(),
            fields.need("auto", "whether by itself").content is True,
        )


def replaced(scenario: Scenario, wish: Wish) -> tuple[Scenario, Step]:
    """The scenario without what the rehearsal takes the place of, and the step that performs the runbook instead.

    That is the scenario's own performance of the same runbook; where it has none, all its runbooks, and the rehearsal
    is to begin with the first fault. With `auto` the step is in the timeline.
    """
    name = wish.runbook.as_text("a runbook")
    performed = [step for step in scenario.timeline if isinstance(step.target, Performance)]
    own = next((step for step in performed if _runbook(step) == name), None)
    gone = [own] if own is not None else performed
    given = {**_given(own), **wish.given}
    values = {"runbook": wish.runbook, **given}
    source = Fields(values, {key: each.place for key, each in values.items()}, wish.runbook.place)
    arguments = {key: each.as_text() for key, each in given.items()}
    at = own.at if own is not None else _first_fault(scenario)
    step = Step(at, VERBS["run"], False, Performance(name, arguments), None, source)
    kept = [each for each in scenario.timeline if not any(each is one for one in gone)]
    timeline = sorted([*kept, step], key=lambda each: each.at) if wish.auto else kept
    return replace(scenario, timeline=tuple(timeline), runbooks={**scenario.runbooks, **wish.known}), step


def bound(scenario: Scenario, step: Step, topology: Map) -> Runbook:
    """The runbook of a step that performs one. Raises BadInput, at its place."""
    source = step.source.as_fields()
    given = {key: value for key, value in source if key != "runbook"}
    return runbooks.bind(source.need("runbook", "a runbook"), given, scenario.runbooks, topology)


def of_person(runbook: Runbook, at: Duration) -> Rehearsed:
    return Rehearsed(runbook, NAME, at.s, auto=False)


def _runbook(step: Step) -> str:
    return step.target.runbook if isinstance(step.target, Performance) else ""


def _given(step: Step | None) -> Mapping[str, Value]:
    """What a step of the timeline gives its runbook."""
    source = step.source if step is not None else None
    return {key: value for key, value in source if key != "runbook"} if isinstance(source, Fields) else {}


def _first_fault(scenario: Scenario) -> Duration:
    faults = [step.at for step in scenario.timeline if not isinstance(step.target, Performance | Publication)]
    return min(faults, default=Duration(0))
