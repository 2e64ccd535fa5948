"""When a run has come to rest: no mail is on its way, and every standby has caught up."""

from __future__ import annotations

import time
from typing import Final

from harness.faults import Stage
from harness.faults.looking import told
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
        mailers = self._at.topology.with_role("mailer")
        pending_of = {node.name: number for node in mailers if (number := self._pending(node)) >= 0}
        if not pending_of:
            return "no mailer can tell how much it has to hand over"
        for name, pending in pending_of.items():
            if pending:
                return f"{name}: {pending} batches not handed over"
        for node in self._at.topology.with_role("mail-provider"):
            if queued := self._number(node, 8000, "queue", "queued"):
                return f"{node.name}: {queued} mails queued"
        for node in self._at.topology.with_role("hosted-smtp"):
            if queued := self._number(node, 8000, "queue", "queued"):
                return f"{node.name}: {queued} mails not delivered"
        return ""

    def _pending(self, node: Node) -> int:
        """-1 also where the database of its region takes no writes: then it has no word in this."""
        return self._number(node, 8000, "pending", "pending")

    def _number(self, node: Node, port: int, path: str, key: str) -> int:
        """A number that a node tells of itself; -1 when it does not answer."""
        try:
            return int(told(self._at, node, port, path, TIMEOUT_S)[key])
        except (OSError, ValueError, KeyError):
            return -1
