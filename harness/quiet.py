"""When a run has come to rest: no mail is on its way, and every standby has caught up."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Final

from harness.faults import Stage
from topology.map import Node

LOOK_EVERY_S: Final = 1.0
TIMEOUT_S: Final = 2.0


class Quiet:
    """Asks at most once a second."""

    def __init__(self, at: Stage) -> None:
        self._at = at
        self._asked_s = 0.0
        self.why = "not asked yet"

    def __call__(self) -> bool:
        """Whether it is quiet; `why` then says what is still going on."""
        if time.monotonic() - self._asked_s < LOOK_EVERY_S:
            return False
        self._asked_s = time.monotonic()
        self.why = self._noise()
        return not self.why

    def _noise(self) -> str:
        for node in self._at.topology.with_role("mailer"):
            if pending := self._number(node, 8000, "pending", "pending"):
                return f"{node.name}: {pending} batches not handed over"
            break
        for node in self._at.topology.with_role("mail-provider"):
            if queued := self._number(node, 8000, "queue", "queued"):
                return f"{node.name}: {queued} mails queued"
        return ""

    def _number(self, node: Node, port: int, path: str, key: str) -> int:
        """A number that a node tells of itself; -1 when it does not answer."""
        try:
            with (
                self._at.runtime.inside(self._at.observer),
                urllib.request.urlopen(f"http://{node.address}:{port}/{path}", timeout=TIMEOUT_S) as reply,
            ):
                return int(json.load(reply)[key])
        except (OSError, ValueError, KeyError):
            return -1
