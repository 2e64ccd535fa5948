"""`blackout` / `relight`: an area of power supply has no power, and its base stations run on batteries."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.blackout import Blackout
from harness.faults import Effect, Stage
from harness.faults.asking import tell
from harness.rundir import Json
from topology.map import Node
from topology.world.radio.coverage import covers

#: Places at which it is looked whether there is a signal, evenly over all.
PLACES = 200


@dataclass(frozen=True)
class Darken:
    """`node` is where the base stations are."""

    node: Node
    target: Blackout

    @property
    def nodes(self) -> Sequence[Node]:
        return (self.node,)

    @property
    def undoing(self) -> dict[str, Json]:
        return {"verb": "relight", "supply": self.target.supply, "nodes": [self.node.name]}

    def inject(self, stage: Stage) -> None:
        asked: dict[str, Json] = {
            "dark": self.target.supply,
            "important": self.target.important,
            "others_s": self.target.others_s,
        }
        tell(stage, self.node, "PUT", "/supply", asked)

    def undo(self, stage: Stage) -> None:
        tell(stage, self.node, "PUT", "/supply", {"lit": self.target.supply})

    def verify(self, stage: Stage) -> Effect:
        """No power, and a signal where the batteries last and nowhere else."""
        try:
            told = supply(stage, self.node, self.target.supply)
            seen = signal(stage, self.node, told["areas"])
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            return Effect(False, f"the base stations do not answer: {error}")
        if told["dark_s"] is None:
            return Effect(False, f"{self.target.supply} has power")
        proof = (
            f"{self.target.supply} without power for {told['dark_s'] / 60:.0f} drill minutes, {told['lasting']:.0%} of "
            f"the sites on batteries, a signal at {seen:.0%} of the places"
        )
        return Effect(seen >= told["lasting"] - 0.02, proof)

    def verify_undone(self, stage: Stage) -> Effect:
        try:
            told = supply(stage, self.node, self.target.supply)
            seen = signal(stage, self.node, told["areas"])
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            return Effect(False, f"the base stations do not answer: {error}")
        return Effect(told["dark_s"] is None and seen == 1.0, f"a signal at {seen:.0%} of the places")


def supply(stage: Stage, node: Node, name: str) -> dict[str, Any]:
    """What the base stations tell of an area of supply. Raises OSError, ValueError or KeyError."""
    found: dict[str, Any] = json.loads(tell(stage, node, "GET", "/supply").body)[name]
    return found


def signal(stage: Stage, node: Node, areas: Sequence[str]) -> float:
    """The share of the places in these areas at which there is a signal now. Raises OSError or ValueError."""
    told = json.loads(tell(stage, node, "GET", "/signal").body)
    places = [(number + 0.5) / PLACES for number in range(PLACES)]
    seen = [covers(told.get(area, [(0.0, 1.0)]), place) for area in areas for place in places]
    return sum(seen) / len(seen)
