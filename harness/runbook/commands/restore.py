"""`restore-cluster`: a region's backup node gives back what it keeps, as a standby that others can copy."""

from __future__ import annotations

import json
import time
from typing import Final

from harness.runbook.commands.command import Command
from harness.runbook.databases import progress
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import DATABASE_PORT, Refused, Scene
from harness.runtime import NodeFailed
from topology.map import Node

ROLE: Final = "backup"
WITHIN_S: Final = 300.0
#: In memory: what is kept is sealed, and must not lie beside its seal in plain text.
INTO: Final = "/mnt/tmp/restored-{at}"
PROGRAM: Final = ("python", "-m", "topology", "restore", "--standby", "--detach", f"--serve={DATABASE_PORT}")
#: The program's exit status where there is nothing that could be restored.
OUT_OF_REACH: Final = 2


def keeper(scene: Scene, region: str) -> Node:
    """Raises Refused for a region without a backup node."""
    found = scene.nodes(region, ROLE)
    if not found:
        raise Refused(f"{region} has no backup node")
    return found[0]


def restore(scene: Scene, arguments: Arguments) -> str:
    """Raises Refused where nothing can be restored, NodeFailed while the copy does not serve."""
    node = keeper(scene, str(arguments["from"]))
    if progress(scene, [node]):
        return f"{node.name} serves what it kept already"
    into = INTO.format(at=time.monotonic_ns())
    done = scene.stage.runtime.exec(node, [*PROGRAM, f"--into={into}"], WITHIN_S)
    if done.status != 0:
        said = done.stderr.decode(errors="replace").splitlines()[-1:]
        if done.status == OUT_OF_REACH:
            raise Refused(f"{node.name}: {' '.join(said)}")
        raise NodeFailed(node.name, "it did not restore the cluster", said)
    report = json.loads(done.stdout)
    scene.run.record("cluster.restored", node=node.name, **report)
    return (
        f"{node.name} serves what it kept, up to {report['reached']} at least: "
        f"generation {report['generation']} and {report['segments']} segments of log"
    )


RESTORE: Final = Command(
    "restore-cluster",
    "a backup node serves what it kept, as a standby that others can copy",
    (Argument("from", Kind.REGION, "the region whose backups are used"),),
    restore,
)
