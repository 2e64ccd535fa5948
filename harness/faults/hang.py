"""`hang` / `resume`: nodes freeze: they keep their connections and answer nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from harness.faults import Effect, Stage
from harness.faults.looking import answer, answering, each
from harness.rundir import Json
from harness.runtime import Pauses
from topology.map import Node

HEALTHY_WITHIN_S: Final = 30.0


@dataclass(frozen=True)
class Hang:
    nodes: Sequence[Node]

    @property
    def undoing(self) -> dict[str, Json]:
        return {"verb": "resume", "nodes": [node.name for node in self.nodes]}

    def inject(self, stage: Stage) -> None:
        assert isinstance(stage.runtime, Pauses)
        with ThreadPoolExecutor(max_workers=len(self.nodes)) as pool:
            list(pool.map(stage.runtime.pause, self.nodes))

    def verify(self, stage: Stage) -> Effect:
        seen = each(lambda node: answer(stage, stage.observer, node), self.nodes)
        words = {node.name: word for node, word in zip(self.nodes, seen, strict=True)}
        alive = [node.name for node in self.nodes if stage.runtime.alive(node)]
        silent = all(word == "silent" for word in words.values())
        return Effect(silent and len(alive) == len(self.nodes), f"running and asked for an answer: {words}")

    def undo(self, stage: Stage) -> None:
        assert isinstance(stage.runtime, Pauses)
        with ThreadPoolExecutor(max_workers=len(self.nodes)) as pool:
            list(pool.map(stage.runtime.resume, self.nodes))

    def verify_undone(self, stage: Stage) -> Effect:
        return answering(stage, self.nodes, HEALTHY_WITHIN_S)
