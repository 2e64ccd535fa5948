"""`areas-served` and `block-unharmed`: whether handsets are let in where they were moved to, and at what cost."""

from __future__ import annotations

from typing import Final

from harness.faults import Effect
from harness.load.access import HTTP_PORT
from harness.load.network import Network
from harness.runbook.commands import areas
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Scene

#: Subscribers of nobody, one for each area from here on.
FIRST_SUBSCRIBER: Final = 910_000_000


def served(scene: Scene, arguments: Arguments) -> Effect:
    """A handset of each of these areas asks for a session, and gets it."""
    block, home = str(arguments["block"]), str(arguments["of"])
    moved = areas.read(scene).areas.served(block, home)
    wanted = int(str(arguments["areas"]))
    if len(moved) < wanted:
        return Effect(False, f"{block} serves {len(moved)} areas of {home}, {wanted} wanted")
    network = _network(scene, block)
    if network is None:
        return Effect(False, f"{block} is no block of a carrier's")
    for area in moved:
        body = network.session(FIRST_SUBSCRIBER + area)
        reply = scene.ask(scene.stage.topology.nodes[block], "POST", "/sessions", body)
        if reply.status != 201:
            return Effect(False, f"a handset of area {area} is not let in: http {reply.status}")
    return Effect(True, f"handsets of {len(moved)} areas of {home} are let in by {block}")


def unharmed(scene: Scene, arguments: Arguments) -> Effect:
    """By the block's own account of the last seconds."""
    block, most_s = str(arguments["block"]), float(str(arguments["p95"]))
    state = scene.ask(scene.stage.topology.nodes[block], "GET", "/state").json
    p95_s = state["p95_s"]
    if p95_s is None:
        return Effect(False, f"{block} has let nobody in of late")
    said = (
        f"{block} lets handsets in within {p95_s * 1000:.0f} ms (95th percentile), {state['waiting']} waiting"
    )
    return Effect(p95_s <= most_s, said)


def _network(scene: Scene, block: str) -> Network | None:
    for carrier in scene.stage.topology.carriers.values():
        if carrier.access is not None and block in carrier.access.blocks:
            return Network.of(scene.stage.topology, carrier.access, HTTP_PORT)
    return None


SERVED: Final = Proof(
    "areas-served",
    "handsets of the areas that were moved to a block are let in there",
    (
        Argument("block", Kind.NODE, "the block that was widened"),
        Argument("of", Kind.NODE, "the block whose areas they are"),
        Argument("areas", Kind.COUNT, "how many of them"),
    ),
    served,
)
UNHARMED: Final = Proof(
    "block-unharmed",
    "a block lets its handsets in as fast as it should",
    (
        Argument("block", Kind.NODE, "which block"),
        Argument("p95", Kind.DURATION, "how long that takes at most, at the 95th percentile"),
    ),
    unharmed,
)
