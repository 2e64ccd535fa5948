"""`misfilter` / `unfilter`: a carrier's filter takes wanted mail for spam, after its 250."""

from __future__ import annotations

import http.client
import smtplib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from harness.faults import Effect, Stage
from harness.faults.asking import ask, tell
from harness.faults.mailing import domain, sender
from harness.rundir import Json
from topology.map import Node

PATH = "/filter"


@dataclass(frozen=True)
class Misfilter:
    """`node` is the carrier's mail exchanger, `senders` what the domains of the senders have in them."""

    node: Node
    senders: str

    @property
    def nodes(self) -> Sequence[Node]:
        return (self.node,)

    @property
    def undoing(self) -> dict[str, Json]:
        return {"verb": "unfilter", "nodes": [self.node.name]}

    def inject(self, stage: Stage) -> None:
        tell(stage, self.node, "PUT", PATH, {"senders": self.senders})

    def undo(self, stage: Stage) -> None:
        """What the filter took stays where it is: gone, or in quarantine."""
        tell(stage, self.node, "DELETE", PATH)

    def verify(self, stage: Stage) -> Effect:
        return self._see(stage, passes=False)

    def verify_undone(self, stage: Stage) -> Effect:
        return self._see(stage, passes=True)

    def _see(self, stage: Stage, *, passes: bool) -> Effect:
        try:
            there, proof = passed(stage, self.node, f"observer@probe{self.senders}")
        except (OSError, smtplib.SMTPException, http.client.HTTPException) as error:
            return Effect(False, f"{self.node.name}: {error or type(error).__name__}")
        return Effect(there == passes, proof)


def passed(stage: Stage, node: Node, author: str) -> tuple[bool, str]:
    """Whether a mail of ours is in its mailbox once it has been acknowledged, and what was seen.

    Raises OSError, SMTPException or HTTPException.
    """
    name = f"probe-filter-{time.monotonic_ns()}"
    mailbox = f"{name}@{domain(node)}"
    content = f"From: {author}\r\nMessage-ID: <{name}@observer>\r\n\r\nprobe\r\n"
    with sender(stage, node) as session:
        session.sendmail(author, [mailbox], content.encode())
    there = bool(ask(stage, node, "GET", f"/mailboxes/{mailbox}").json)
    words = "is in its mailbox" if there else "is in no mailbox"
    return there, f"{node.name}: a mail from {author.rpartition('@')[2]} was acknowledged and {words}"
