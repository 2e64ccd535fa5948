"""`cut` / `join`: the network between two domains, silently, both ways or one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.faults import Effect, Stage
from harness.faults.looking import answer, each
from harness.rundir import Json
from harness.runtime import Cuts
from topology.map import Node


@dataclass(frozen=True)
class Cut:
    """No packet of a source reaches a target; unless `oneway`, none of a target reaches a source either."""

    sources: Sequence[Node]
    targets: Sequence[Node]
    oneway: bool = False

    @property
    def nodes(self) -> Sequence[Node]:
        return (*self.sources, *self.targets)

    @property
    def undoing(self) -> dict[str, Json]:
        sources = [node.name for node in self.sources]
        return {"verb": "join", "from": sources, "to": [n.name for n in self.targets], "oneway": self.oneway}

    def inject(self, stage: Stage) -> None:
        assert isinstance(stage.runtime, Cuts)
        stage.runtime.cut(self.sources, self.targets)
        if not self.oneway:
            stage.runtime.cut(self.targets, self.sources)

    def undo(self, stage: Stage) -> None:
        assert isinstance(stage.runtime, Cuts)
        stage.runtime.join(self.sources, self.targets)
        if not self.oneway:
            stage.runtime.join(self.targets, self.sources)

    def verify(self, stage: Stage) -> Effect:
        seen = self._look(stage)
        through = [pair for pair, word in seen.items() if word.startswith("http")]
        if through:
            return Effect(False, f"still through: {through}")
        return Effect(True, f"none of {len(seen)} connections tried gets an answer")

    def verify_undone(self, stage: Stage) -> Effect:
        seen = self._look(stage)
        blocked = {pair: word for pair, word in seen.items() if word == "silent"}
        return Effect(not blocked, f"{len(seen) - len(blocked)} of {len(seen)} connections tried get through")

    def _look(self, stage: Stage) -> dict[str, str]:
        """Each target asked by one source, and by each source one target: the whole border, not every pair.

        An answer needs both directions, so it stays away under a one-way cut too.
        """
        pairs = [(self.sources[0], target) for target in self.targets]
        pairs += [(source, self.targets[0]) for source in self.sources[1:]]
        pairs = [(a, b) for a, b in pairs if stage.runtime.alive(a) and stage.runtime.alive(b)]
        seen = each(lambda pair: answer(stage, *pair), pairs)
        return {f"{a.name} to {b.name}": word for (a, b), word in zip(pairs, seen, strict=True)}
