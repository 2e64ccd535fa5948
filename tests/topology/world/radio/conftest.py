from __future__ import annotations

from tests.topology.world.conftest import start

__all__ = ["start"]
