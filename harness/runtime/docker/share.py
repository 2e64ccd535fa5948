"""Which share of the processors containers have beside the harness, its load and its probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

TOP: Final = "/"


def parent(info: Mapping[str, Any]) -> str:
    """The control group below which containers are put; empty: where the engine puts them. `info` is the engine's.

    An engine that makes control groups itself puts all containers into one, which has as much as one session beside
    it: sixty nodes as much as the load that asks them. At the top each has a share of its own, as sessions have, and as
    the nodes of the local runtime.
    """
    return TOP if info.get("CgroupDriver") == "cgroupfs" else ""
