"""`fail` / `repair`: a storage enclosure fails, with the volumes of all its nodes, and is repaired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from harness.failure import Failure
from harness.faults import Effect, Stage
from harness.faults.looking import answering, each
from harness.rundir import Json
from harness.runtime import Enclosures, NodeFailed
from topology.map import Node

HEALTHY_WITHIN_S: Final = 60.0
#: A disk that gives no answer at all for so long is no disk.
WRITTEN_WITHIN_S: Final = 5.0
#: What a write to a volume comes to, in the system's own words, by how its enclosure failed.
REFUSALS: Final[Mapping[Failure, str]] = {Failure.BROKEN: "EIO", Failure.READ_ONLY: "EROFS"}
WRITTEN, DOWN = "written", "down"
#: Run on a node: writes a file to the folder that it is given, syncs it, and prints what that came to.
WRITE: Final = """\
import errno, os, sys
path = os.path.join(sys.argv[1], ".written-to-prove-it")
try:
    with open(path, "w") as file:
        file.write("x" * 4096)
        file.flush()
        os.fsync(file.fileno())
    os.unlink(path)
    print("written")
except OSError as error:
    print(errno.errorcode.get(error.errno, error.errno))
"""


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

    def inject(self, stage: Stage) -> None:
        runtime = _capable(stage)
        self._alive = [node for node in self.nodes if stage.runtime.alive(node)]
        with ThreadPoolExecutor(max_workers=len(self.enclosures)) as pool:
            list(pool.map(lambda name: runtime.fail_enclosure(name, self.how), self.enclosures))

    def verify(self, stage: Stage) -> Effect:
        """Every node that runs tries to write to its own volumes. One that does not run was taken by the failure."""
        words = _written(stage, self.nodes)
        told = _told(words)
        if not self._alive:
            return Effect(False, f"no node was up that could see it: {told}")
        seen = {words[node.name] for node in self._alive}
        return Effect(seen <= {REFUSALS.get(self.how), DOWN}, told)

    def undo(self, stage: Stage) -> None:
        runtime = _capable(stage)
        with ThreadPoolExecutor(max_workers=len(self.enclosures)) as pool:
            list(pool.map(runtime.repair_enclosure, self.enclosures))

    def verify_undone(self, stage: Stage) -> Effect:
        healthy = answering(stage, self._alive, HEALTHY_WITHIN_S)
        words = _written(stage, self._alive)
        return Effect(healthy.proven and set(words.values()) <= {WRITTEN}, f"{healthy.proof}; {_told(words)}")


def _capable(stage: Stage) -> Enclosures:
    assert isinstance(stage.runtime, Enclosures)
    return stage.runtime


def _written(stage: Stage, nodes: Sequence[Node]) -> dict[str, str]:
    """By node, what a write to its volumes comes to: the first refusal, or WRITTEN; DOWN where it does not run."""
    words = each(lambda node: _write(stage, node), nodes)
    return {node.name: word for node, word in zip(nodes, words, strict=True)}


def _write(stage: Stage, node: Node) -> str:
    word = WRITTEN
    for volume in node.volumes:
        if not stage.runtime.alive(node):
            return DOWN
        try:
            done = stage.runtime.exec(node, ["python", "-c", WRITE, volume.target], WRITTEN_WITHIN_S)
        except TimeoutError:
            return "no answer"
        except NodeFailed:
            return DOWN
        word = done.stdout.decode(errors="replace").strip()
        if word != WRITTEN:
            return word or DOWN
    return word


def _told(words: Mapping[str, str]) -> str:
    """As a proof says it: `a write on database-a: EIO (Input/output error)`."""
    return ", ".join(
        f"{node} is down" if word == DOWN else f"a write on {node}: {word}" for node, word in words.items()
    )
