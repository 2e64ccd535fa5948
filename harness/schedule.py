"""From steps to the exact timeline: what happens when, and what takes it back. Pure.

Entries that contradict each other are refused here.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from harness import congestion, targets
from harness.blackout import Blackout
from harness.congestion import Congestion, Restriction
from harness.duration import Duration
from harness.erasure import Erasure
from harness.events import Event
from harness.failing import Failing
from harness.filtering import Filtering
from harness.keeping import Keeping
from harness.runbook import reading as runbooks
from harness.runbook.model import Runbook
from harness.rundir import Json
from harness.scenario import Scenario, Step
from harness.selector import Selector
from harness.targets import Domains, Link, Performance, Publication, Target
from topology.document import BadInput, Fields, Value
from topology.map import Map

#: A node that is without power cannot also hang.
_NOT_DURING: Final = {"hang": "lose"}


@dataclass(frozen=True)
class Entry:
    """One thing that happens, `at_s` real seconds after the timeline began.

    `undoes` is the id of the fault that it takes back; `telegram` is what `publish` sends, as the arguments
    of the telegram builder; `runbook` is what `run` performs.
    """

    id: str
    at_s: float
    verb: str
    aim: Target
    undoes: str | None = None
    telegram: Mapping[str, Json] = field(default_factory=dict)
    runbook: Runbook | None = None

    @property
    def target(self) -> str:
        """The aim in words."""
        return str(self.aim)


def schedule(scenario: Scenario, topology: Map) -> tuple[Entry, ...]:
    """The entries in the order in which they fire, each fault at most once with what takes it back.

    Raises BadInput for targets that the topology has not, and for entries that contradict each other.
    """
    for step in scenario.timeline:
        targets.check(step.target, topology, scenario.events, step.source)
        _check_company(step, scenario.drill.companies)
    steps = [stage for step in scenario.timeline for stage in _stages(step, scenario, topology)]
    steps.sort(key=lambda step: step.at)
    return _Scheduler(scenario.events, scenario.runbooks, topology).run(steps)


def _stages(step: Step, scenario: Scenario, topology: Map) -> Iterable[Step]:
    """A congestion profile as one step for each of its stages, in real time, as far as the timeline goes."""
    if not isinstance(step.target, Congestion):
        yield step
        return
    clock = scenario.drill.clock
    source = step.source.as_fields().need("profile", "a congestion profile")
    stages = congestion.read(source, scenario.profiles, topology).stages(clock)
    times = [step.at + Duration.of(at.s / clock) for at, _ in stages]
    for (_, restriction), at, until in zip(stages, times, [*times[1:], None], strict=True):
        if restriction is not None and at <= scenario.ends:
            lasts = Duration(until.ms - at.ms) if until is not None and until <= scenario.ends else None
            yield replace(step, at=at, target=restriction, lasts=lasts)


@dataclass(frozen=True)
class _Open:
    """A fault that is in force: its id, its step, and what it touches as far as that is known beforehand."""

    id: str
    step: Step
    touches: frozenset[object]


@dataclass
class _Scheduler:
    events: Mapping[str, Event]
    runbooks: runbooks.Written
    topology: Map
    entries: list[Entry] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    due: list[tuple[Duration, str]] = field(default_factory=list)  # a heap: when, which fault
    telegrams: Counter[str] = field(default_factory=Counter)

    def run(self, steps: Iterable[Step]) -> tuple[Entry, ...]:
        for step in steps:
            self._take_back_until(step.at)
            if isinstance(step.target, Publication):
                self._publish(step, step.target)
            elif isinstance(step.target, Performance):
                self._add(step.at, step.word, step.target, runbook=self._bound(step.source))
            elif step.undoing:
                self._undo(step)
            else:
                self._inject(step)
        self._take_back_until(None)
        return tuple(self.entries)

    def _take_back_until(self, at: Duration | None) -> None:
        """What ends by itself until then; at the same instant it ends before anything new begins."""
        while self.due and (at is None or self.due[0][0] <= at):
            when, name = heapq.heappop(self.due)
            fault = next(fault for fault in self.open if fault.id == name)
            self._close(fault, when, fault.step.verb.undone_by or "")

    def _inject(self, step: Step) -> None:
        touches = _touches(step.target, self.topology)
        self._refuse_contradiction(step, touches)
        entry = self._add(step.at, step.word, step.target)
        if step.verb.undone_by is None:
            return  # done and over: nothing that could be taken back, or stand in another's way
        self.open.append(_Open(entry.id, step, touches))
        if step.lasts:
            heapq.heappush(self.due, (step.at + step.lasts, entry.id))

    def _refuse_contradiction(self, step: Step, touches: frozenset[object]) -> None:
        for fault in self.open:
            verb = fault.step.verb
            if verb is not step.verb and _NOT_DURING.get(step.verb.name) != verb.name:
                continue
            if touches & fault.touches or (verb is step.verb and step.target == fault.step.target):
                found = f"{step.word} {step.target} at {step.at}"
                under = f"{verb.name} {fault.step.target} ({fault.step.source.place})"
                raise BadInput(step.source.place, found, f"a target that is no longer under {under}")

    def _undo(self, step: Step) -> None:
        for fault in self.open:
            if fault.step.verb is step.verb and _same(step.target, fault.step.target):
                if fault.step.lasts:
                    until = fault.step.at + fault.step.lasts
                    expected = f"nothing: it ends by itself at {until} ({fault.step.source.place})"
                    raise BadInput(step.source.place, f"{step.word} {step.target}", expected)
                return self._close(fault, step.at, step.word)
        running = [str(fault.step.target) for fault in self.open if fault.step.verb is step.verb]
        expected = f"a {step.verb.name} of the same target before it"
        if running:
            expected += f"; at {step.at} there is {step.verb.name} {', '.join(running)}"
        raise BadInput(step.source.place, f"{step.word} {step.target} at {step.at}", expected)

    def _close(self, fault: _Open, at: Duration, word: str) -> None:
        self.open.remove(fault)
        self._add(at, word, fault.step.target, undoes=fault.id)

    def _publish(self, step: Step, target: Publication) -> None:
        issued = self.telegrams[target.event]
        if target.info in ("訂正", "取消") and not issued:
            found = f"{step.word} {target} at {step.at}"
            raise BadInput(step.source.place, found, f"a telegram about {target.event} before it")
        self.telegrams[target.event] += 1
        telegram = self.events[target.event].telegram(issued + 1, target.info, target.status)
        self._add(step.at, step.word, target, telegram=telegram)

    def _bound(self, source: Value) -> Runbook:
        """The runbook that was written at `source`, with what its parameters are given there."""
        if not isinstance(source, Fields):
            return runbooks.bind(source, {}, self.runbooks, self.topology)
        given = {key: value for key, value in source if key != "runbook"}
        return runbooks.bind(source.need("runbook", "a runbook"), given, self.runbooks, self.topology)

    def _add(
        self,
        at: Duration,
        verb: str,
        aim: Target,
        undoes: str | None = None,
        telegram: Mapping[str, Json] | None = None,
        runbook: Runbook | None = None,
    ) -> Entry:
        entry = Entry(f"{len(self.entries) + 1}-{verb}", at.s, verb, aim, undoes, telegram or {}, runbook)
        self.entries.append(entry)
        return entry


def _check_company(step: Step, companies: int) -> None:
    """Raises BadInput for the answers of a company that does not take part."""
    company = step.target.company if isinstance(step.target, Erasure) else None
    if company is not None and company > companies:
        found = f"{step.word} {step.target}"
        raise BadInput(step.source.place, found, f"a company from 1 to {companies}, as the drill has them")


def _touches(target: Target, topology: Map) -> frozenset[object]:
    """What can be said beforehand of what a target touches: nodes, pairs of nodes, a carrier, enclosures."""
    match target:
        case Selector(standing=None):
            return frozenset(node.name for node in target.candidates(topology))
        case Domains():
            here, there = ([node.name for node in side] for side in target.nodes(topology))
            pairs = {(a, b) for a in here for b in there}
            return frozenset(pairs if target.oneway else pairs | {(b, a) for a, b in pairs})
        case Link():
            return frozenset({target.carrier})
        case Restriction():
            return frozenset(target.carriers)
        case Keeping():
            return frozenset(target.carriers(topology))
        case Blackout():
            return frozenset({target.supply})
        case Filtering():
            return frozenset({target.carrier})
        case Failing(selector=Selector(standing=None)):
            return frozenset(target.enclosures(topology))
    return frozenset()


def _same(undoing: Target, fault: Target) -> bool:
    """Whether the undoing names what the fault was aimed at; a link is named without what was done to it, and an
    enclosure without how it failed.
    """
    if isinstance(undoing, Link) and isinstance(fault, Link):
        return undoing.carrier == fault.carrier
    if isinstance(undoing, Keeping) and isinstance(fault, Keeping):
        return undoing.carrier == fault.carrier
    if isinstance(undoing, Blackout) and isinstance(fault, Blackout):
        return undoing.supply == fault.supply
    if isinstance(undoing, Filtering) and isinstance(fault, Filtering):
        return undoing.carrier == fault.carrier
    if isinstance(undoing, Failing) and isinstance(fault, Failing):
        return undoing.selector == fault.selector
    return undoing == fault
