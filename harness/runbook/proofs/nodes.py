"""`unreachable` and `healthy`: whether nodes answer those who stand where users do."""

from __future__ import annotations

from typing import Final

from harness.faults import Effect
from harness.faults.looking import answering, unreachable
from harness.runbook.commands.nodes import roles
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Scene


def see_unreachable(scene: Scene, arguments: Arguments) -> Effect:
    return unreachable(scene.stage, scene.nodes(str(arguments["region"]), *roles(arguments)))


def see_healthy(scene: Scene, arguments: Arguments) -> Effect:
    nodes = scene.nodes(str(arguments["region"]), *roles(arguments))
    return answering(scene.stage, nodes, 0.0) if nodes else Effect(False, "there is no such node")


_OF: Final = (
    Argument("region", Kind.REGION, "where"),
    Argument("roles", Kind.ROLES, "which of its nodes; all of them if none is named", needed=False),
)
UNREACHABLE: Final = Proof("unreachable", "none of the nodes answers", _OF, see_unreachable)
HEALTHY: Final = Proof("healthy", "every one of the nodes says that it is healthy", _OF, see_healthy)
