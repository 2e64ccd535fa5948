"""`restore-answers`: what was erased by mistake comes back from the backups of a region.

Where nothing is missing it is refused, so that no runbook tells the people of a trouble that they never had.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

from harness.duration import Duration
from harness.runbook.commands.command import Command
from harness.runbook.commands.restore import OUT_OF_REACH, keeper
from harness.runbook.journal import PROVEN
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs import answers
from harness.runbook.scene import TROUBLE, Refused, Scene
from harness.runtime import NodeFailed

WITHIN_S: Final = 120.0
PROGRAM: Final = ("python", "-m", "topology", "restore-answers")


def restore(scene: Scene, arguments: Arguments) -> str:
    """Without `before`, to just before the mistake that is found in the log.

    Raises Refused where nothing is missing or nothing can be restored, NodeFailed until the mistake itself, or the
    instant, is in the archive.
    """
    node = keeper(scene, str(arguments["from"]))
    before = _instant(scene, str(arguments["before"])) if "before" in arguments else None
    if before is None and _complete(scene):
        return _nothing(scene, "no answer is missing")
    words = [f"--before={before.isoformat()}"] if before else []
    done = scene.stage.runtime.exec(node, [*PROGRAM, *words], WITHIN_S)
    if done.status != 0:
        said = done.stderr.decode(errors="replace").splitlines()[-1:]
        if before is not None and done.status == OUT_OF_REACH:
            raise Refused(f"{node.name}: {' '.join(said)}")
        raise NodeFailed(node.name, "it did not restore the answers", said)
    report = json.loads(done.stdout)
    if not report["rows"]:
        return _nothing(scene, f"of what was there before {report['mistake']} no answer is missing")
    scene.run.record("answers.restored", node=node.name, **report)
    return (
        f"{report['rows']} rows came back in {report['seconds']:.1f} s, {report['answers']} of them answered, "
        f"up to the last commit before {report['mistake']}"
    )


def _nothing(scene: Scene, why: str) -> str:
    """Where rows came back in a performance that did not come to its end, it goes on. Raises Refused where none did."""
    for event in reversed(scene.run.events("answers.restored", "runbook.ended")):
        if event.kind == "answers.restored":
            return f"{why} any more"
        if event.data.get("outcome") == PROVEN:
            break
    raise Refused(why)


def _instant(scene: Scene, text: str) -> datetime:
    """Raises Refused for what lies ahead, and for a time of a timeline where none was begun."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        clock = scene.run.clock
        if not clock.start_ns:
            raise Refused(f"{text} is a time of a timeline, and none is played; say an instant") from None
        at = clock.wall(clock.start_ns + Duration.parse(text).ms * 1_000_000)
    if at > datetime.now(UTC):
        raise Refused(f"{at.isoformat()} lies ahead: there is nothing of it yet")
    return at


def _complete(scene: Scene) -> bool:
    try:
        return answers.complete(scene, {}).proven
    except TROUBLE:
        return False  # the table may be what is missing


RESTORE: Final = Command(
    "restore-answers",
    "answers that were erased come back, up to the last commit before the mistake",
    (
        Argument("from", Kind.REGION, "the region whose backups are used"),
        Argument("before", Kind.INSTANT, "when the mistake was made; else it is looked for", needed=False),
    ),
    restore,
)
