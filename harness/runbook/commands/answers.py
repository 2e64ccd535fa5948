"""`restore-answers`: what was erased by mistake comes back from the backups of a region."""

from __future__ import annotations

import json
from typing import Final

from harness.runbook.commands.command import Command
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs import answers
from harness.runbook.scene import TROUBLE, Refused, Scene
from harness.runtime import NodeFailed

ROLE: Final = "backup"
WITHIN_S: Final = 120.0
PROGRAM: Final = ("python", "-m", "topology", "restore-answers")


def restore(scene: Scene, arguments: Arguments) -> str:
    """Raises Refused where nothing can be restored, NodeFailed until the mistake itself is in the archive."""
    if _complete(scene):
        return "no answer is missing"
    region = str(arguments["from"])
    keepers = scene.nodes(region, ROLE)
    if not keepers:
        raise Refused(f"{region} has no backup node")
    done = scene.stage.runtime.exec(keepers[0], [*PROGRAM], WITHIN_S)
    if done.status != 0:
        said = done.stderr.decode(errors="replace").splitlines()[-1:]
        raise NodeFailed(keepers[0].name, "it did not restore the answers", said)
    report = json.loads(done.stdout)
    scene.run.record("answers.restored", node=keepers[0].name, **report)
    return (
        f"{report['rows']} rows came back in {report['seconds']:.1f} s, {report['answers']} of them answered, "
        f"up to the last commit before {report['mistake']}"
    )


def _complete(scene: Scene) -> bool:
    try:
        return answers.complete(scene, {}).proven
    except TROUBLE:
        return False  # the table may be what is missing


RESTORE: Final = Command(
    "restore-answers",
    "answers that were erased come back, up to the last commit before the mistake",
    (Argument("from", Kind.REGION, "the region whose backups are used"),),
    restore,
)
