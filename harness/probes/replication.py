"""How far behind a database is, as data: what would be lost if the primary died now."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from harness.probes.databases import TROUBLE, Beats, Session, newest_beat, rounds
from harness.probes.door import Door

#: No multiple of the writes' own period: always looking just before or just after one would show no lag, or all of it.
LOOK_EVERY_S: Final = 0.43


class Follower:
    """Looks again and again for the newest of the observers' writes that one database shows.

    `lag_s` is how much older that is than the newest one acknowledged by any primary: as long as there is no newer one,
    it does not grow, for nothing more can be lost. None while the database does not answer, or nothing was written.
    """

    def __init__(
        self,
        door: Door,
        region: str,
        password: str,
        add: Callable[[tuple[object, ...]], None],
        beats: Beats,
    ) -> None:
        self.node, self._region = door.name, region
        self.lag_s: float | None = None
        self._session = Session(door, password)
        self._add, self._beats = add, beats

    async def watch(self) -> None:
        """Add one row a round until cancelled."""
        async for _ in rounds(LOOK_EVERY_S):
            acknowledged_ns = self._beats.acknowledged_ns  # before the look: what came meanwhile is no lag
            try:
                shown_ns = await newest_beat(self._session)
            except TROUBLE:
                shown_ns = 0
            known = acknowledged_ns and shown_ns
            self.lag_s = max(0.0, (acknowledged_ns - shown_ns) / 1e9) if known else None
            self._add((time.monotonic_ns(), self.node, self._region, acknowledged_ns, shown_ns))
