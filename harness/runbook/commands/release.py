"""`release`: what a move left behind on the databases is let go and erased.

Slots that hold back log for nobody that exists any more; data directories put aside when a node was made anew.
Slots of the nodes that are there are never touched, whether or not they are in use at the moment.
"""

from __future__ import annotations

from typing import Final

from harness.runbook.commands.command import Command
from harness.runbook.databases import DATABASE
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Scene
from topology.map import Node

#: What Patroni puts aside: postgresql.failed, postgresql_2026-…; never the directory in use.
_ASIDE: Final = ("find", "/mnt/data", "-mindepth", "1", "-maxdepth", "1", "-name", "postgresql?*")
_SLOTS: Final = "SELECT slot_name FROM pg_replication_slots WHERE NOT active AND slot_type = 'physical'"


def release(scene: Scene, arguments: Arguments) -> str:
    dropped: list[str] = []
    erased: list[str] = []
    for node in scene.nodes(str(arguments["region"]), DATABASE):
        for slot in slots_of_nobody(scene, node):
            scene.query(node, f"SELECT pg_drop_replication_slot('{slot}')")
            dropped.append(f"{node.name}: {slot}")
        for path in put_aside(scene, node):
            scene.program(node, ["rm", "-rf", "--", path])
            erased.append(f"{node.name}: {path}")
    scene.run.record("released", slots=dropped, paths=erased)
    return f"{len(dropped)} slots of nobody were dropped, {len(erased)} directories put aside were erased"


def slots_of_nobody(scene: Scene, node: Node) -> list[str]:
    """Slots that nobody uses and that carry the name of no node. Raises OSError, psycopg.Error."""
    known = {each.name.replace("-", "_") for each in scene.stage.topology}
    names = [str(name) for (name,) in scene.query(node, _SLOTS)]
    return [name for name in names if not any(name.startswith(each) for each in known)]


def put_aside(scene: Scene, node: Node) -> list[str]:
    return scene.program(node, _ASIDE).decode().split()


RELEASE: Final = Command(
    "release",
    "what a move left behind on the databases is let go and erased",
    (Argument("region", Kind.REGION, "whose databases"),),
    release,
)
