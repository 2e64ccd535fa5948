"""`passes-on` and `serves-itself`: where a region's balancers send those who come, asked of Envoy itself."""

from __future__ import annotations

from typing import Final

from harness.faults import Effect
from harness.runbook.commands.drain import named, there, ways_between
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Scene
from topology.map import Node

ADMIN_PORT: Final = 9901


def passed_on(scene: Scene, arguments: Arguments) -> Effect:
    """Every balancer of the region that is up sends people to the other region, and nowhere else."""
    source, target = str(arguments["from"]), str(arguments["to"])
    ways = {_address(scene, way) for way in ways_between(scene, source, target)}
    balancers = there(scene, source)
    wrong = [node.name for node in balancers if _serving(scene, node) != ways]
    if wrong:
        return Effect(False, f"{', '.join(wrong)} does not yet pass on to {target}")
    return Effect(True, f"{named(balancers)} passes everybody on to {target}")


def serves_itself(scene: Scene, arguments: Arguments) -> Effect:
    """Every balancer of the region that is up sends people to web nodes of the region, and nowhere else."""
    region = str(arguments["region"])
    own = {str(node.address) for node in scene.nodes(region, "web")}
    balancers = there(scene, region)
    serving = {node.name: {host for host, _ in _serving(scene, node)} for node in balancers}
    wrong = [name for name, hosts in serving.items() if not hosts or hosts - own]
    if wrong:
        return Effect(False, f"{', '.join(wrong)} does not serve with the web nodes of {region} alone")
    return Effect(True, f"{named(balancers)} serves with the web nodes of {region}")


def _serving(scene: Scene, balancer: Node) -> set[tuple[str, int]]:
    """Where Envoy is told to send people."""
    status = scene.ask(balancer, "GET", "/clusters?format=json", port=ADMIN_PORT).json
    hosts = next(one for one in status["cluster_statuses"] if one["name"] == "web").get("host_statuses", [])
    sockets = [
        host["address"]["socket_address"]
        for host in hosts
        if host["health_status"].get("eds_health_status") != "UNHEALTHY"
    ]
    return {(socket["address"], int(socket["port_value"])) for socket in sockets}


def _address(scene: Scene, way: str) -> tuple[str, int]:
    host, _, port = way.partition(":")
    return str(scene.stage.topology.nodes[host].address), int(port)


PASSED_ON: Final = Proof(
    "passes-on",
    "every balancer of the region sends people to the other one",
    (
        Argument("from", Kind.REGION, "the region that is left"),
        Argument("to", Kind.REGION, "the region that serves"),
    ),
    passed_on,
)
SERVING: Final = Proof(
    "serves-itself",
    "every balancer of the region sends people to the region's own web nodes",
    (Argument("region", Kind.REGION, "whose balancers"),),
    serves_itself,
)
