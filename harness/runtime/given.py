"""What every node is given, wherever it lives."""

from __future__ import annotations

from collections.abc import Mapping

from topology.map import Node


def environment(node: Node) -> Mapping[str, str]:
    """Who it is and where its scratch space is, and what the compose file says."""
    own = {
        "NODE": node.name,
        "ZONE": node.zone,
        "HOME": "/mnt/tmp",
        "TMPDIR": "/mnt/tmp",
        "PYTHONUNBUFFERED": "1",
    }
    return {**own, **node.environment}
