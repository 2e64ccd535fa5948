from __future__ import annotations

from tests.topology.world.conftest import enclosure, start

__all__ = ["enclosure", "start"]
