"""`fence` and `promote`: which region may write. The fence register holds one region or nobody, never two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.runbook.commands.command import Command
from harness.runbook.databases import DATABASE, try_writes
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import TROUBLE, Refused, Scene, brief

ROLE: Final = "fence"
PATH: Final = "/writable"


@dataclass(frozen=True)
class Writable:
    """What the register says: the region that may write, None for nobody; `epoch` grows with every change."""

    region: str | None
    epoch: int


def read(scene: Scene) -> Writable:
    """Raises OSError when the register gives no answer."""
    reply = scene.ask(scene.the(ROLE), "GET", PATH)
    if reply.status != 200:
        raise OSError(f"the fence says http {reply.status}: {reply.text}")
    return Writable(reply.json["region"], int(reply.json["epoch"]))


def write(scene: Scene, was: Writable, region: str | None) -> None:
    """Change the register from what it was. Raises Refused with the register's own reason."""
    reply = scene.ask(scene.the(ROLE), "PUT", PATH, {"region": region, "epoch": was.epoch + 1})
    if reply.status == 409 and read(scene).region == region:
        return  # an answer got lost on the way: it was done the first time
    if reply.status == 409:
        raise Refused(f"the fence register refuses it: {reply.text}")
    if reply.status >= 300:
        raise OSError(f"the fence says http {reply.status}: {reply.text}")


def told(scene: Scene) -> str:
    """What the register says, for people; empty where the topology has none."""
    if not scene.stage.topology.with_role(ROLE):
        return ""
    try:
        now = read(scene)
    except TROUBLE as error:
        return f"the register gives no answer: {brief(error)}"
    return f"{now.region or 'nobody'} may write, epoch {now.epoch}"


def fence(scene: Scene, arguments: Arguments) -> str:
    region = str(arguments["region"])
    was = read(scene)
    if was.region is None:
        return f"nobody may write already, epoch {was.epoch}"
    if was.region != region:
        raise Refused(f"{was.region} may write at the moment, not {region}")
    write(scene, was, None)
    return f"{region} may not write any more, epoch {was.epoch + 1}"


def promote(scene: Scene, arguments: Arguments) -> str:
    region = str(arguments["to"])
    was = read(scene)
    if was.region == region:
        return f"{region} may write already, epoch {was.epoch}"
    if was.region is not None:
        raise Refused(f"{was.region} may still write: fence it first")
    others = [node for node in scene.nodes(None, DATABASE) if node.region != region]
    if taking := [written.node for written in try_writes(scene, others) if written.taken]:
        raise Refused(f"the old primary still takes writes: {', '.join(taking)}")
    write(scene, was, region)
    return f"{region} may write, epoch {was.epoch + 1}"


FENCE: Final = Command(
    "fence",
    "nobody may write any more",
    (Argument("region", Kind.REGION, "the region that may write until now"),),
    fence,
)
PROMOTE: Final = Command(
    "promote",
    "a region's databases become the ones that take writes; refused while another still takes any",
    (Argument("to", Kind.REGION, "the region that is to write"),),
    promote,
)
