"""A carrier's filter of spam: what it goes by is withdrawn, and what it took wrongly is released."""

from __future__ import annotations

from typing import Final

from harness.faults.asking import tell
from harness.faults.misfilter import PATH
from harness.runbook.commands.command import Command
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Refused, Scene
from topology.map import Node

RELEASED_WITHIN_S: Final = 20.0


def exchanger(scene: Scene, arguments: Arguments) -> Node:
    """The mail exchanger of the carrier that is meant. Raises Refused for one that there is not."""
    topology, name = scene.stage.topology, str(arguments["carrier"])
    if name not in topology.carriers:
        raise Refused(f"there is no carrier called {name}")
    return topology.nodes[topology.carriers[name].mail]


def withdraw(scene: Scene, arguments: Arguments) -> str:
    node = exchanger(scene, arguments)
    tell(scene.stage, node, "DELETE", PATH)
    scene.run.record("filter.withdrawn", node=node.name)
    return f"{node.name} takes nothing for spam any more"


def release(scene: Scene, arguments: Arguments) -> str:
    node = exchanger(scene, arguments)
    reply = tell(scene.stage, node, "POST", f"{PATH}/release", timeout_s=RELEASED_WITHIN_S)
    released = int(reply.json["released"])
    scene.run.record("quarantine.released", node=node.name, released=released)
    return f"{released} mails were released into their mailboxes at {node.name}"


CARRIER: Final = Argument("carrier", Kind.TEXT, "whose filter it is")
WITHDRAW: Final = Command(
    "withdraw-filter", "a carrier's filter takes nothing for spam any more", (CARRIER,), withdraw
)
RELEASE: Final = Command(
    "release-quarantine",
    "what a carrier's filter keeps in quarantine goes into its mailboxes",
    (CARRIER,),
    release,
)
