"""`names-lead-to`: what the name server tells everybody who asks."""

from __future__ import annotations

from typing import Final

from harness.faults import Effect
from harness.runbook.commands.names import ROLE
from harness.runbook.lookup import AUTHORITATIVE_PORT, look_up
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Scene


def lead_to(scene: Scene, arguments: Arguments) -> Effect:
    """Every address that it gives is one of the region's."""
    region = str(arguments["region"])
    nodes = {str(node.address): node for node in scene.stage.topology}
    found = look_up(scene, scene.the(ROLE), AUTHORITATIVE_PORT)
    names = [nodes[address].name if address in nodes else address for address in found]
    good = all(address in nodes and nodes[address].region == region for address in found)
    return Effect(good, f"the name leads to {', '.join(names)}")


NAMES: Final = Proof(
    "names-lead-to",
    "the name server answers with the region's balancers",
    (Argument("region", Kind.REGION, "where the names are to lead"),),
    lead_to,
)
