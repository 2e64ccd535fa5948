from __future__ import annotations

from tests.harness.load.world import peers, run_program, world

__all__ = ["peers", "run_program", "world"]
