"""Watching over the nodes: one that ends by itself is an event of the run, never a crash of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from harness.beside import Beside
from harness.faults import Stage
from harness.interruption import Interruption
from harness.rundir import RunDir
from harness.runtime import Breaks
from topology.map import Node

LOOK_EVERY_S: Final = 0.5


class Vigil(Beside):
    """While its context lasts, records `node.died` for each node that is down though no fault took it.

    When what the nodes live on breaks, it records `runtime.broke` and interrupts the run: there is nothing left to see.
    """

    def __init__(self, at: Stage, run: RunDir, interruption: Interruption) -> None:
        super().__init__("vigil")
        self._at, self._run, self._interruption = at, run, interruption
        self._excused = Counter(node.name for node in at.topology if node.later)
        self._reported: set[str] = set()

    def expect(self, nodes: Sequence[Node], up: bool) -> None:
        """From now on these nodes are to be up, or may be down. Calls for several faults add up."""
        for node in nodes:
            self._excused[node.name] += -1 if up else 1

    def _work(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            if isinstance(self._at.runtime, Breaks) and (why := self._at.runtime.broken()):
                self._run.record("runtime.broke", why=why)
                self._interruption.ask(why)
                return
            for node in self._at.topology:
                if self._excused[node.name] <= 0 and not self._at.runtime.alive(node):
                    self._report(node)

    def _report(self, node: Node) -> None:
        if node.name not in self._reported:
            self._reported.add(node.name)
            self._run.record("node.died", node=node.name, log=self._at.runtime.log(node))
