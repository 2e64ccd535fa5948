"""The alarm that replication lags: raised while there is still time, before more is lost than was promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from harness.beside import Beside
from harness.rundir import Json, RunDir
from topology.map import Map

LOOK_EVERY_S: Final = 0.5
#: The promise: any failure can be restored to 5 minutes before it (OPS, SEC), in seconds of the drill clock.
PROMISED_S: Final = 300.0
#: Raised at half of it, so that somebody can still act. A setting.
RAISED_AT: Final = 0.5


class LagAlarm(Beside):
    """While its context lasts, records `alarm.raised` and `alarm.over` for each database that falls behind.

    `latest` gives the probes' latest line: `lag_s` by database node, in real seconds, null where it is not known. Only
    nodes of other regions than the primary's can fall behind: within a region every commit waits for the standby.
    """

    def __init__(
        self, run: RunDir, topology: Map, scale: float, latest: Callable[[], Mapping[str, Json]]
    ) -> None:
        super().__init__("lag alarm")
        self._run, self._latest = run, latest
        self._least_s = PROMISED_S * RAISED_AT / scale
        self._regions = {node.name: node.region for node in topology}
        self._raised: set[str] = set()

    def _work(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            lags = self._latest().get("lag_s")
            for node, lag_s in lags.items() if isinstance(lags, Mapping) else ():
                if isinstance(lag_s, int | float):
                    self._told(str(node), float(lag_s))

    def _told(self, node: str, lag_s: float) -> None:
        behind = lag_s >= self._least_s
        if behind != (node in self._raised):
            (self._raised.add if behind else self._raised.discard)(node)
            kind = "alarm.raised" if behind else "alarm.over"
            region = self._regions.get(node, "")
            self._run.record(kind, alarm="replication", node=node, region=region, lag_s=round(lag_s, 3))
