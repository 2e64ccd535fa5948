"""`start` and `rebuild`: nodes are brought up, or thrown away and made anew."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from harness.faults.looking import answering
from harness.runbook.commands.command import Command
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Refused, Scene
from topology.map import Node

HEALTHY_WITHIN_S: Final = 30.0


def roles(arguments: Arguments) -> list[str]:
    given = arguments.get("roles")
    return [str(role) for role in given] if isinstance(given, list) else []


def start(scene: Scene, arguments: Arguments) -> str:
    nodes = scene.nodes(str(arguments["region"]), *roles(arguments))
    asleep = bring_up(scene, nodes)
    names = ", ".join(node.name for node in asleep) or "none had to be"
    return f"{len(asleep)} of {len(nodes)} nodes were started ({names})"


def bring_up(scene: Scene, nodes: Sequence[Node]) -> list[Node]:
    """Start those that are down; which they were."""
    down = [node for node in nodes if not scene.stage.runtime.alive(node)]
    if down:
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(scene.stage.runtime.start, down))
    return down


def rebuild(scene: Scene, arguments: Arguments) -> str:
    """One zone after the other, so that the rest can serve meanwhile. Raises Refused for nodes that hold anything."""
    nodes = scene.nodes(str(arguments["region"]), *roles(arguments))
    keeping = [node.name for node in nodes if node.volumes]
    if keeping:
        raise Refused(f"what {', '.join(keeping)} keeps on its volume would be lost")
    for zone in sorted({node.zone for node in nodes}):
        group = [node for node in nodes if node.zone == zone]
        for half in (group[::2], group[1::2]):
            _anew(scene, half)
    return f"{len(nodes)} nodes were thrown away and made anew"


def _anew(scene: Scene, nodes: Sequence[Node]) -> None:
    if not nodes:
        return
    scene.expect(nodes, False)
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(scene.stage.runtime.stop, nodes))
        list(pool.map(scene.stage.runtime.start, nodes))
    scene.expect(nodes, True)
    effect = answering(scene.stage, nodes, HEALTHY_WITHIN_S)
    if not effect.proven:
        raise OSError(effect.proof)
    scene.run.record("nodes.rebuilt", nodes=[node.name for node in nodes])


_OF: Final = (
    Argument("region", Kind.REGION, "where"),
    Argument("roles", Kind.ROLES, "which of its nodes; all of them if none is named", needed=False),
)
START: Final = Command("start", "nodes that are down are brought up", _OF, start)
REBUILD: Final = Command("rebuild", "nodes that hold nothing are thrown away and made anew", _OF, rebuild)
