"""`signal`: at how many places of an area of power supply there is a signal."""

from __future__ import annotations

from typing import Final

from harness.blackout import ROLE
from harness.faults import Effect, darken
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Scene


def seen(scene: Scene, arguments: Arguments) -> Effect:
    supply, least = str(arguments["supply"]), float(str(arguments["at_least"]))
    node = scene.the(ROLE)
    try:
        share = darken.signal(scene.stage, node, darken.supply(scene.stage, node, supply)["areas"])
    except KeyError:
        return Effect(False, f"there is no area of power supply called {supply}")
    return Effect(share >= least, f"a signal at {share:.0%} of the places in {supply}")


SIGNAL: Final = Proof(
    "signal",
    "there is a signal at so many places of an area of power supply",
    (
        Argument("supply", Kind.TEXT, "the area of power supply"),
        Argument("at_least", Kind.SHARE, "the share of its places"),
    ),
    seen,
)
