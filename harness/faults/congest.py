"""`degrade` with a profile: one stage of a congestion, on the access links and at the mail of several carriers."""

from __future__ import annotations

import math
import smtplib
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from harness.faults import Effect, Stage
from harness.faults.asking import tell
from harness.faults.degrade import Degrade
from harness.load.access import HTTP_PORT
from harness.rundir import Json
from topology.map import Node

SMTP_PORT: Final = 2525
PATIENCE_S: Final = 3.0
#: Mails whose notices are waited for, to measure the share of them that comes at once.
TRIES: Final = 80
#: A notice that comes within this comes at once.
AT_ONCE_S: Final = 1.5


@dataclass(frozen=True)
class Push:
    """What becomes of the notices at a carrier's mail: shares, and how late a late one is at most, real seconds."""

    node: Node
    late: float
    lost: float
    within_s: float

    def restrict(self, stage: Stage) -> None:
        body: dict[str, Json] = {"late": self.late, "lost": self.lost, "within_s": self.within_s}
        tell(stage, self.node, "PUT", "/push", body, timeout_s=PATIENCE_S)

    def lift(self, stage: Stage) -> None:
        tell(stage, self.node, "DELETE", "/push", timeout_s=PATIENCE_S)

    def prove(self, stage: Stage, *, restricted: bool) -> Effect:
        """Mail handsets of our own, and count for how many of the mails one rings at once."""
        mailbox = f"probe-push-{time.monotonic_ns()}@{_domain(self.node)}"
        with stage.runtime.inside(stage.observer):
            sender = smtplib.SMTP(
                str(self.node.address), SMTP_PORT, local_hostname="observer", timeout=PATIENCE_S
            )
        with sender:
            for number in range(TRIES):
                content = (
                    f"Message-ID: <{mailbox.partition('@')[0]}-{number}@observer>\r\n\r\nprobe\r\n".encode()
                )
                sender.sendmail("observer@anpi.example", [mailbox], content)
        rang = self._rings(stage, mailbox) / TRIES
        # A notice that is late by less than what counts as at once is heard as well.
        late_heard = self.late * min(1.0, AT_ONCE_S / self.within_s) if self.within_s else 0.0
        want = 1 - self.late - self.lost + late_heard if restricted else 1.0
        slack = 3 * math.sqrt(want * (1 - want) / TRIES) + 0.05
        proof = f"{self.node.name}: {rang:.0%} of {TRIES} notices at once, {want:.0%} wanted"
        return Effect(abs(rang - want) <= slack, proof)

    def _rings(self, stage: Stage, mailbox: str) -> int:
        """How many notices of a mailbox come in time."""
        with stage.runtime.inside(stage.observer):
            stream = socket.create_connection((str(self.node.address), HTTP_PORT), timeout=PATIENCE_S)
        heard, until_s = b"", time.monotonic() + AT_ONCE_S
        with stream:
            stream.sendall(f"GET /notices?to={mailbox} HTTP/1.1\r\nHost: {self.node.name}\r\n\r\n".encode())
            while (left_s := until_s - time.monotonic()) > 0 and heard.count(b'{"seq":') < TRIES:
                stream.settimeout(left_s)
                try:
                    piece = stream.recv(65536)
                except TimeoutError:
                    break
                if not piece:
                    break
                heard += piece
        return heard.count(b'{"seq":')


@dataclass(frozen=True)
class Intake:
    """A carrier's mail exchanger takes `per_s` mails a real second and puts the others off."""

    node: Node
    per_s: float

    def restrict(self, stage: Stage) -> None:
        tell(stage, self.node, "PUT", "/throttle", {"per_s": self.per_s}, timeout_s=PATIENCE_S)

    def lift(self, stage: Stage) -> None:
        tell(stage, self.node, "DELETE", "/throttle", timeout_s=PATIENCE_S)

    def prove(self, stage: Stage, *, restricted: bool) -> Effect:
        """Ask for more at once than it takes in two seconds. What is asked for is never sent."""
        tries = max(40, round(2 * self.per_s) + 20)
        mailbox = f"probe-intake@{_domain(self.node)}"
        with stage.runtime.inside(stage.observer):
            sender = smtplib.SMTP(
                str(self.node.address), SMTP_PORT, local_hostname="observer", timeout=PATIENCE_S
            )
        with sender:
            sender.ehlo()
            sender.mail("observer@anpi.example")
            off = sum(sender.rcpt(mailbox)[0] == 450 for _ in range(tries))
        proof = f"{self.node.name}: {off} of {tries} mails at once were put off"
        return Effect((off > 0) == restricted, proof)


def _domain(node: Node) -> str:
    """Of the mailboxes at a carrier's mail node."""
    return node.environment.get("MAIL_DOMAIN") or f"{node.zone.rpartition('.')[2]}.example"


@dataclass(frozen=True)
class Congest:
    """`followed`: at its end another stage takes its place at once, so that there is no moment without restriction."""

    links: tuple[Degrade, ...]
    mails: tuple[Push | Intake, ...]
    followed: bool

    @property
    def nodes(self) -> Sequence[Node]:
        touched = [*(link.link for link in self.links), *(mail.node for mail in self.mails)]
        return tuple({node.name: node for node in touched}.values())

    @property
    def undoing(self) -> dict[str, Json]:
        return {
            "verb": "ease",
            "nodes": [node.name for node in self.nodes],
            "links": [link.undoing for link in self.links],
            "mails": sorted({mail.node.name for mail in self.mails}),
        }

    def inject(self, stage: Stage) -> None:
        for link in self.links:
            link.inject(stage)
        for mail in self.mails:
            mail.restrict(stage)

    def undo(self, stage: Stage) -> None:
        for link in self.links:
            link.undo(stage)
        for mail in self.mails:
            mail.lift(stage)

    def verify(self, stage: Stage) -> Effect:
        """Measure at every carrier at once what its people get."""
        links = [partial(link.verify, stage) for link in self.links]
        return _together([*links, *(partial(mail.prove, stage, restricted=True) for mail in self.mails)])

    def verify_undone(self, stage: Stage) -> Effect:
        if self.followed:
            return Effect(True, "the next stage took its place, and proves itself")
        links = [partial(link.verify_undone, stage) for link in self.links]
        return _together([*links, *(partial(mail.prove, stage, restricted=False) for mail in self.mails)])


def _together(looks: Sequence[Callable[[], Effect]]) -> Effect:
    """All looks at the same time; proven when each is."""
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        seen = list(pool.map(lambda look: look(), looks))
    return Effect(all(effect.proven for effect in seen), "; ".join(effect.proof for effect in seen))
