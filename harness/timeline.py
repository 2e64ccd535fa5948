"""Playing a plan's timeline: each entry at its time, each fault proven, each undone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from harness.faults import Effect, Fault, GivesWay, Passing, Stage
from harness.faults.build import NobodyThere, build
from harness.plan import Entry, Plan
from harness.runbook.beside import Performances
from harness.rundir import RunDir
from harness.runtime import NodeFailed
from harness.toxiproxy import ToxiproxyError
from topology.map import Node

PUBLISH_WITHIN_S: Final = 15.0
AGENCY: Final = "agency"
#: What an event of the run tells of a telegram.
TOLD: Final = ("event_id", "info", "status", "serial")

Say = Callable[[str], None]
#: Tells whoever watches over the nodes that these are to be down (False) or up (True) from now on.
Expect = Callable[[Sequence[Node], bool], None]


@dataclass
class Timeline:
    """Plays entries. What is injected and not yet undone is in `active`; `heal` takes all of it back."""

    stage: Stage
    run: RunDir
    plan: Plan
    say: Say
    expect: Expect
    active: dict[str, Passing] = field(default_factory=dict)
    runbooks: Performances = field(init=False)
    _giving_way: dict[str, GivesWay] = field(default_factory=dict)
    _looks: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=8))
    _looking: list[Future[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runbooks = Performances(self.stage, self.run, self.say, self.expect)

    def play(self, wait_until: Callable[[float], bool]) -> None:
        """All entries in order. `wait_until(at_s)` returns False when the run was interrupted."""
        for entry in self.plan.timeline:
            if not wait_until(entry.at_s):
                return
            self._fire(entry)

    def heal(self) -> None:
        """Undo what is still in force, newest first, and wait until every look from outside has ended."""
        for fault in reversed(list(self.active)):
            self._undo(fault)
        self.settle()

    def settle(self) -> None:
        """Wait until every look from outside has ended."""
        for look in self._looking:
            look.result()
        self._looking.clear()

    def close(self) -> None:
        self.runbooks.stop()
        self._looks.shutdown(wait=True, cancel_futures=True)

    def _fire(self, entry: Entry) -> None:
        if entry.verb == "publish":
            self._publish(entry)
        elif entry.runbook is not None:
            self.say(f"{entry.at_s:g} s: {entry.verb} {entry.target}")
            self.runbooks.begin(entry.id, entry.runbook)
        elif entry.undoes is not None:
            self._end(entry.undoes)
        else:
            self._inject(entry)

    def _inject(self, entry: Entry) -> None:
        self.say(f"{entry.at_s:g} s: {entry.verb} {entry.target}")
        try:
            fault = build(entry.verb, entry.aim, self.stage)
        except NobodyThere as nobody:
            self.run.record("fault.injecting", fault=entry.id, verb=entry.verb, target=entry.target, nodes=[])
            self.run.record("fault.proven", fault=entry.id, effect="unproven", proof=str(nobody))
            return
        nodes = [node.name for node in fault.nodes]
        # On disk before anything happens: whatever ends the harness, it is known how to take it back.
        self.run.record_undo(fault=entry.id, undo=fault.undoing)
        self.run.record("fault.injecting", fault=entry.id, verb=entry.verb, target=entry.target, nodes=nodes)
        if isinstance(fault, Passing):
            self.active[entry.id] = fault
            self.expect(fault.nodes, False)
        try:
            since_ns = fault.inject(self.stage)
        except (NodeFailed, OSError, ToxiproxyError) as error:
            self.run.record("fault.proven", fault=entry.id, effect="unproven", proof=f"not injected: {error}")
            return
        self.run.record_at(since_ns or time.monotonic_ns(), "fault.injected", fault=entry.id)
        self._replace(fault)
        self._looking.append(self._looks.submit(self._prove, entry.id, fault))

    def _prove(self, name: str, fault: Fault) -> None:
        effect = _looked(lambda: fault.verify(self.stage))
        if isinstance(fault, Passing) and name not in self.active and not effect.proven:
            effect = Effect(False, f"it was undone before it could be seen; {effect.proof}")
        self.run.record(
            "fault.proven", fault=name, effect="proven" if effect.proven else "unproven", proof=effect.proof
        )

    def _end(self, name: str) -> None:
        """Undo it as planned. What is followed at once stays in force until the other is in its place."""
        fault = self.active.get(name)
        if isinstance(fault, GivesWay) and fault.followed:
            self._giving_way[name] = fault
        else:
            self._undo(name)

    def _replace(self, fault: Fault) -> None:
        """End what this fault takes the place of."""
        for name, before in list(self._giving_way.items()):
            if before.gives_way_to(fault):
                del self._giving_way[name]
                self._undo(name, partial(before.give_way, to=fault))

    def _undo(self, name: str, undo: Callable[[Stage], None] | None = None) -> None:
        fault = self.active.pop(name, None)
        if fault is None:  # it was never injected, and that is recorded
            return
        self.run.record("fault.undoing", fault=name)
        self.say(f"undoing {name}")
        try:
            (undo or fault.undo)(self.stage)
        except (NodeFailed, OSError, ToxiproxyError) as error:
            self.run.record("fault.undone.seen", fault=name, verified=False, proof=f"not undone: {error}")
            return
        self.expect(fault.nodes, True)
        self.run.record("fault.undone", fault=name)
        self._looking.append(self._looks.submit(self._prove_undone, name, fault))

    def _prove_undone(self, name: str, fault: Passing) -> None:
        effect = _looked(lambda: fault.verify_undone(self.stage))
        self.run.record("fault.undone.seen", fault=name, verified=effect.proven, proof=effect.proof)

    def _publish(self, entry: Entry) -> None:
        """Hand the telegram to the agency, which pushes it to the service's receivers by itself."""
        (agency,) = self.stage.topology.with_role(AGENCY)
        text = json.dumps(dict(entry.telegram), ensure_ascii=False).encode()
        done = self.stage.runtime.exec(
            agency, ["python", "-m", "topology", "publish"], PUBLISH_WITHIN_S, text
        )
        if done.status != 0:
            raise NodeFailed(
                agency.name, "it did not take the telegram", done.stderr.decode().splitlines()[-5:]
            )
        told = {name: entry.telegram[name] for name in TOLD}
        self.run.record("published", what=entry.target, telegram=entry.telegram["kind"], **told)
        self.say(f"{entry.at_s:g} s: publish {entry.target}")


def _looked(look: Callable[[], Effect]) -> Effect:
    """A look that breaks has seen nothing, and says so."""
    started_s = time.monotonic()
    try:
        return look()
    except (OSError, NodeFailed, ToxiproxyError) as error:
        return Effect(False, f"the look failed after {time.monotonic() - started_s:.1f} s: {error}")
