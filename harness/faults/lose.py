"""`lose` / `restore`: power goes from a node, a zone, a region, and comes back."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from harness import wide_area
from harness.faults import Effect, Stage
from harness.faults.looking import answering, unreachable
from harness.rundir import Json
from topology.map import Node

HEALTHY_WITHIN_S: Final = 60.0


@dataclass(frozen=True)
class Lose:
    nodes: Sequence[Node]

    @property
    def undoing(self) -> dict[str, Json]:
        return {"verb": "restore", "nodes": [node.name for node in self.nodes]}

    def inject(self, stage: Stage) -> int:
        with ThreadPoolExecutor(max_workers=len(self.nodes)) as pool:
            return max(pool.map(stage.runtime.kill, self.nodes))

    def verify(self, stage: Stage) -> Effect:
        living = [node.name for node in self.nodes if stage.runtime.alive(node)]
        return Effect(False, f"still running: {living}") if living else unreachable(stage, self.nodes)

    def undo(self, stage: Stage) -> None:
        with ThreadPoolExecutor(max_workers=len(self.nodes)) as pool:
            list(pool.map(stage.runtime.start, self.nodes))
        wide = {link.node for link in stage.topology.links}
        if links := [node for node in self.nodes if node.name in wide]:
            answering(stage, links, HEALTHY_WITHIN_S)
            wide_area.lengthen(stage, [node.name for node in links])

    def verify_undone(self, stage: Stage) -> Effect:
        return answering(stage, self.nodes, HEALTHY_WITHIN_S)
