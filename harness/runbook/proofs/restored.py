"""`restored` and `copied`: what a backup gave back, and whether a region's databases have all of it."""

from __future__ import annotations

from typing import Final

from harness.faults import Effect
from harness.runbook.commands.restore import keeper
from harness.runbook.databases import DATABASE, Progress, progress
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Refused, Scene


def restored(scene: Scene, arguments: Arguments) -> Effect:
    """What the region's backup node gave back answers queries, and is a standby: nobody can write to it."""
    served = _served(scene, str(arguments["region"]))
    if isinstance(served, str):
        return Effect(False, served)
    if not served.standby:
        return Effect(False, f"{served.node} serves a copy that takes writes")
    age = "nothing" if served.behind_s is None else f"a commit of {served.behind_s:.1f} s ago"
    return Effect(True, f"{served.node} serves a standby whose last is {age}")


def copied(scene: Scene, arguments: Arguments) -> Effect:
    """Every database of the one region is a standby that has all of what the other's backup node gave back."""
    served = _served(scene, str(arguments["from"]))
    if isinstance(served, str):
        return Effect(False, served)
    nodes = scene.nodes(str(arguments["to"]), DATABASE)
    seen = progress(scene, nodes)
    if not nodes or len(seen) < len(nodes):
        return Effect(False, f"{len(seen)} of {len(nodes)} databases answer")
    missing = {one.node: served.replayed - one.replayed for one in seen}
    said = ", ".join(f"{node} lacks {max(0, left)} bytes of it" for node, left in missing.items())
    return Effect(all(one.standby for one in seen) and max(missing.values()) <= 0, said)


def _served(scene: Scene, region: str) -> Progress | str:
    """How far the copy has come that the region's backup node serves; in words, why there is none."""
    try:
        node = keeper(scene, region)
    except Refused as refused:
        return str(refused)
    seen = progress(scene, [node])
    return seen[0] if seen else f"{node.name} serves no copy"


RESTORED: Final = Proof(
    "restored",
    "the region's backup node serves what it kept, as a standby",
    (Argument("region", Kind.REGION, "whose backup node"),),
    restored,
)
COPIED: Final = Proof(
    "copied",
    "every database of a region has all of what a backup node serves",
    (
        Argument("from", Kind.REGION, "the region whose backups are used"),
        Argument("to", Kind.REGION, "the region whose databases are made of them"),
    ),
    copied,
)
