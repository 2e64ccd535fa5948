"""`released`: nothing of a move is left on the databases."""

from __future__ import annotations

from typing import Final

from harness.faults import Effect
from harness.runbook.commands.release import put_aside, slots_of_nobody
from harness.runbook.databases import DATABASE
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Scene


def released(scene: Scene, arguments: Arguments) -> Effect:
    nodes = scene.nodes(str(arguments["region"]), DATABASE)
    left = [
        f"{node.name}: {what}"
        for node in nodes
        for what in (*slots_of_nobody(scene, node), *put_aside(scene, node))
    ]
    return Effect(not left, ", ".join(left) or f"nothing is left behind on {len(nodes)} databases")


RELEASED: Final = Proof(
    "released",
    "no slot holds back log for nobody, and nothing that was put aside is still there",
    (Argument("region", Kind.REGION, "whose databases"),),
    released,
)
