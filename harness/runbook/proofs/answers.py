"""`answers-complete`: everyone who was asked has a place for an answer, asked of the database that takes writes."""

from __future__ import annotations

from typing import Final

from harness.faults import Effect
from harness.runbook.databases import DATABASE, progress
from harness.runbook.model import Arguments
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Scene

SERVICE: Final = "anpi"
#: A broadcast knows how many people it asked; each has one row from then on.
_SHORT: Final = """
SELECT count(*)::int, coalesce(sum(b.people - a.rows), 0)::int, coalesce(sum(b.people), 0)::int
FROM broadcasts b CROSS JOIN LATERAL (SELECT count(*) AS rows FROM answers a WHERE a.broadcast = b.broadcast) a
"""


def complete(scene: Scene, _arguments: Arguments) -> Effect:
    primaries = [one.node for one in progress(scene, scene.nodes(None, DATABASE)) if not one.standby]
    if len(primaries) != 1:
        return Effect(False, f"not exactly one database takes writes: {primaries or 'none'}")
    ((broadcasts, missing, people),) = scene.query(scene.stage.topology.nodes[primaries[0]], _SHORT, SERVICE)
    if missing:
        return Effect(False, f"{missing} of {people} people who were asked have no row")
    return Effect(True, f"all {people} people of {broadcasts} broadcasts have their row")


COMPLETE: Final = Proof("answers-complete", "everyone who was asked has a place for an answer", (), complete)
