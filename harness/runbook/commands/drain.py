"""`drain` and `serve`: whoever comes to a region is passed on to another, through the wide-area link; or no more.

Until the other region's databases take writes its web nodes hold what comes, for a few seconds; see `service.holding`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from harness.runbook.commands.command import Command
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Refused, Scene, at_once
from topology.map import Node

ROLE: Final = "balancer"
PROGRAM: Final = ("python", "-m", "topology", "pass-on")


def drain(scene: Scene, arguments: Arguments) -> str:
    """First the other region's balancers serve their own web nodes, so that nothing goes round in a circle."""
    source, target = str(arguments["from"]), str(arguments["to"])
    ways = list(ways_between(scene, source, target))
    if not ways:
        raise Refused(f"no wide-area link leads from {source} to a balancer of {target}")
    at_once(lambda node: scene.program(node, PROGRAM), scene.nodes(target, ROLE))
    drained = there(scene, source)
    at_once(lambda node: scene.program(node, [*PROGRAM, *ways]), drained)
    return f"{named(drained)} passes everybody on to {target}"


def serve(scene: Scene, arguments: Arguments) -> str:
    region = str(arguments["region"])
    serving = there(scene, region)
    at_once(lambda node: scene.program(node, PROGRAM), serving)
    return f"{named(serving)} serves with the web nodes of {region}"


def there(scene: Scene, region: str) -> list[Node]:
    """The region's balancers that are up; nobody can come by one that is not."""
    return [node for node in scene.nodes(region, ROLE) if scene.stage.runtime.alive(node)]


def named(balancers: Sequence[Node]) -> str:
    """As the beginning of a sentence on each of them."""
    return ", ".join(node.name for node in balancers) or "no balancer"


def ways_between(scene: Scene, source: str, target: str) -> Iterator[str]:
    """Where the target's balancers are reached from the source, as `host:port`, by the configuration of the link."""
    upstreams = {f"{node.name}:8080" for node in scene.nodes(target, ROLE)}
    topology = scene.stage.topology
    for link in topology.links:
        if set(link.between) != {source, target}:
            continue
        for config in topology.nodes[link.node].configs:
            for proxy in json.loads(config.content):
                if proxy["upstream"] in upstreams:
                    yield f"{link.node}:{proxy['listen'].rpartition(':')[2]}"


DRAIN: Final = Command(
    "drain",
    "who still comes to a region is passed on to another",
    (
        Argument("from", Kind.REGION, "the region that is left"),
        Argument("to", Kind.REGION, "the region that serves"),
    ),
    drain,
)
SERVE: Final = Command(
    "serve",
    "a region's balancers pass nobody on any more",
    (Argument("region", Kind.REGION, "the region that serves"),),
    serve,
)
