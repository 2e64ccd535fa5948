"""The target of `blackout`: which area of power supply, and what batteries its base stations have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness import quantities
from harness.rundir import Json
from topology.document import BadInput, Value, nearest, one_of
from topology.map import Map, Node
from topology.world.radio.coverage import IMPORTANT_S, supplies

#: The node that knows of power and signal.
ROLE: Final = "base-stations"
_EXPECTED: Final = "{supply: …, important: 20%, others_last: 6h}"


@dataclass(frozen=True)
class Blackout:
    """`important` is the share of sites that last 72 h; the others last `others_s` drill seconds at most."""

    supply: str
    important: float = 0.0
    others_s: float = 0.0

    def data(self) -> Mapping[str, Json]:
        return {"supply": self.supply, "important": self.important, "others_s": self.others_s}

    def __str__(self) -> str:
        if not self.others_s:
            return self.supply
        return (
            f"{self.supply} ({self.important:.0%} of the sites last 72 h, others {self.others_s / 3600:g} h)"
        )


def read(value: Value, *, undoing: bool = False) -> Blackout:
    """As it was written; what takes it back names the area alone. Raises BadInput."""
    fields = value.as_fields("{supply: …}" if undoing else _EXPECTED)
    fields.only("supply", *(() if undoing else ("important", "others_last")))
    supply = fields.need("supply", "an area of power supply").as_text("an area of power supply")
    if undoing:
        return Blackout(supply)
    important = quantities.share(fields.need("important", "the share of important sites"))
    others = fields.need("others_last", "how long the other sites last, on the drill clock")
    lasts = quantities.duration(others)
    if not 0 < lasts.s < IMPORTANT_S:
        raise others.bad("a time above 0h and below 72h, which important sites last")
    return Blackout(supply, important, lasts.s)


def from_data(value: Value) -> Blackout:
    """From what `data` gave. Raises BadInput."""
    fields = value.as_fields(_EXPECTED)
    return Blackout(
        fields.need("supply", "an area").as_text(),
        fields.need("important", "a share").as_number(),
        fields.need("others_s", "seconds").as_number(),
    )


def check(target: Blackout, topology: Map, source: Value) -> None:
    """Raises BadInput for an area that the topology's base stations do not know."""
    node = stations(topology)
    if node is None:
        found = f"blackout of {target.supply}"
        raise BadInput(source.place, found, "a topology with base stations: systems: [radio]")
    known = supplies(node.environment.get("SUPPLIES", ""))
    if target.supply not in known:
        place = source.as_fields().need("supply", "an area")
        raise place.bad(f"an area of power supply: {one_of(known)}", nearest(target.supply, known))


def stations(topology: Map) -> Node | None:
    return next(iter(topology.with_role(ROLE)), None)
