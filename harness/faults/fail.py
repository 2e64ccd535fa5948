"""`fail` / `repair`: a storage enclosure fails, with the volumes of all its nodes, and is repaired."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from harness.failure import FAILING_SHARE, SLOWER_S, Failure
from harness.faults import Effect, Stage
from harness.faults.looking import answering
from harness.faults.writing import Written, write
from harness.rundir import Json
from harness.runtime import Enclosures
from topology.map import Node

HEALTHY_WITHIN_S: Final = 60.0
#: What a write to a volume comes to, in the system's own words, by how its enclosure failed.
REFUSALS: Final[Mapping[Failure, str]] = {Failure.BROKEN: "EIO", Failure.READ_ONLY: "EROFS"}
#: How many writes it takes to see it, where one is not enough.
TRIES: Final[Mapping[Failure, int]] = {Failure.SLOW: 3, Failure.INTERMITTENT: 100}
#: Of these a try makes so many, and any of them may fail or be slow: it writes, and syncs.
CALLS: Final = 2


@dataclass
class Fail:
    """`nodes` are all that sit on the enclosures."""

    enclosures: Sequence[str]
    how: Failure
    nodes: Sequence[Node]
    _alive: Sequence[Node] = field(default=(), init=False)

    @property
    def undoing(self) -> dict[str, Json]:
        nodes = [node.name for node in self.nodes]
        return {"verb": "repair", "enclosures": [*self.enclosures], "nodes": [*nodes]}

    def inject(self, stage: Stage) -> int | None:
        runtime = _capable(stage)
        self._alive = [node for node in self.nodes if stage.runtime.alive(node)]
        with ThreadPoolExecutor(max_workers=len(self.enclosures)) as pool:
            silent_ns = list(pool.map(lambda name: runtime.fail_enclosure(name, self.how), self.enclosures))
        return max((at_ns for at_ns in silent_ns if at_ns is not None), default=None)

    def verify(self, stage: Stage) -> Effect:
        """Every node that runs tries to write to its own volumes. One that does not run was taken by the failure."""
        seen = write(stage, self.nodes, TRIES.get(self.how, 1))
        told = _told(seen)
        if not self._alive:
            return Effect(False, f"no node was up that could see it: {told}")
        return Effect(all(self._shows(seen[node.name]) for node in self._alive), told)

    def _shows(self, seen: Written) -> bool:
        if seen.down:
            return self.how is not Failure.SLOW
        match self.how:
            case Failure.SLOW:
                return seen.well and seen.median_s >= CALLS * SLOWER_S
            case Failure.INTERMITTENT:
                want = 1 - (1 - FAILING_SHARE) ** CALLS
                slack = 3 * math.sqrt(want * (1 - want) / seen.tries) + 0.05
                return 0 < seen.share("EIO") < 1 and abs(seen.share("EIO") - want) <= slack
            case _:
                return seen.share(REFUSALS.get(self.how, "")) == 1 and self.how in REFUSALS

    def undo(self, stage: Stage) -> None:
        runtime = _capable(stage)
        with ThreadPoolExecutor(max_workers=len(self.enclosures)) as pool:
            list(pool.map(runtime.repair_enclosure, self.enclosures))

    def verify_undone(self, stage: Stage) -> Effect:
        healthy = answering(stage, self._alive, HEALTHY_WITHIN_S)
        seen = write(stage, self._alive, TRIES.get(self.how, 1))
        well = all(mended(self.how, written) for written in seen.values())
        return Effect(healthy.proven and well, f"{healthy.proof}; {_told(seen)}")


def mended(how: Failure, seen: Written) -> bool:
    """Whether a volume is as before. How long a write takes tells of slowness alone: a busy disk may take a second."""
    return seen.well and (how is not Failure.SLOW or seen.median_s < CALLS * SLOWER_S)


def _capable(stage: Stage) -> Enclosures:
    assert isinstance(stage.runtime, Enclosures)
    return stage.runtime


def _told(seen: Mapping[str, Written]) -> str:
    """As a proof says it."""
    return ", ".join(written.told(node) for node, written in seen.items())
