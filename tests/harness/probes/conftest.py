from __future__ import annotations

from tests.harness.load.world import certificate, peers, run_program, world

__all__ = ["certificate", "peers", "run_program", "world"]
