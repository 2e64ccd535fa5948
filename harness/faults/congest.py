"""`degrade` with a profile: one stage of a congestion, on the access links and at the mail of several carriers."""

from __future__ import annotations

import math
import smtplib
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from harness.faults import Effect, Fault, Stage
from harness.faults.asking import tell
from harness.faults.degrade import Degrade
from harness.faults.mailing import PATIENCE_S, domain, sender
from harness.load.access import HTTP_PORT
from harness.rundir import Json
from topology.map import Node

#: Mails whose notices are waited for, to measure the share of them that comes at once.
TRIES: Final = 80
#: Fewer of them say nothing of a share.
LEAST_TRIES: Final = 20
#: From one refusal of a receiver that throttles to the next try.
ASK_AGAIN_S: Final = 0.02
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
        mailbox = f"probe-push-{time.monotonic_ns()}@{domain(self.node)}"
        sent = self._send(stage, mailbox)
        if sent < LEAST_TRIES:
            return Effect(False, f"{self.node.name}: it took only {sent} mails to see their notices")
        rang = self._rings(stage, mailbox, sent) / sent
        # A notice that is late by less than what counts as at once is heard as well.
        late_heard = self.late * min(1.0, AT_ONCE_S / self.within_s) if self.within_s else 0.0
        want = 1 - self.late - self.lost + late_heard if restricted else 1.0
        slack = 3 * math.sqrt(want * (1 - want) / sent) + 0.05
        proof = f"{self.node.name}: {rang:.0%} of {sent} notices at once, {want:.0%} wanted"
        return Effect(abs(rang - want) <= slack, proof)

    def _send(self, stage: Stage, mailbox: str) -> int:
        """How many of our mails got in: one that throttles is asked again for as long as there is time."""
        sent, until_s = 0, time.monotonic() + PATIENCE_S
        with sender(stage, self.node) as session:
            while sent < TRIES and time.monotonic() < until_s:
                content = f"Message-ID: <{mailbox.partition('@')[0]}-{sent}@observer>\r\n\r\nprobe\r\n"
                try:
                    session.sendmail("observer@anpi.example", [mailbox], content.encode())
                    sent += 1
                except smtplib.SMTPRecipientsRefused:
                    time.sleep(ASK_AGAIN_S)
        return sent

    def _rings(self, stage: Stage, mailbox: str, most: int) -> int:
        """How many notices of a mailbox come in time, of `most` that may come."""
        with stage.runtime.inside(stage.observer):
            stream = socket.create_connection((str(self.node.address), HTTP_PORT), timeout=PATIENCE_S)
        heard, until_s = b"", time.monotonic() + AT_ONCE_S
        with stream:
            stream.sendall(f"GET /notices?to={mailbox} HTTP/1.1\r\nHost: {self.node.name}\r\n\r\n".encode())
            while (left_s := until_s - time.monotonic()) > 0 and heard.count(b'{"seq":') < most:
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
        mailbox = f"probe-intake@{domain(self.node)}"
        with sender(stage, self.node) as session:
            session.ehlo()
            session.mail("observer@anpi.example")
            off = sum(session.rcpt(mailbox)[0] == 450 for _ in range(tries))
        proof = f"{self.node.name}: {off} of {tries} mails at once were put off"
        return Effect((off > 0) == restricted, proof)


@dataclass
class Congest:
    """One stage of a profile. `followed`: another stage of it takes its place, if the run goes on so long."""

    profile: str
    links: tuple[Degrade, ...]
    mails: tuple[Push | Intake, ...]
    followed: bool
    _gave_way: bool = field(default=False, init=False)

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
        _at_once(
            [
                *(partial(link.inject, stage) for link in self.links),
                *(partial(mail.restrict, stage) for mail in self.mails),
            ]
        )

    def undo(self, stage: Stage) -> None:
        _at_once(
            [
                *(partial(link.undo, stage) for link in self.links),
                *(partial(mail.lift, stage) for mail in self.mails),
            ]
        )

    def gives_way_to(self, other: Fault) -> bool:
        return isinstance(other, Congest) and other.profile == self.profile

    def give_way(self, stage: Stage, to: Fault) -> None:
        """What the next stage has, too, goes on: late notices stay late."""
        assert isinstance(to, Congest)
        self._gave_way = True
        kept = {link.link.name: link.effects for link in to.links}
        lifting: list[Callable[[], None]] = []
        for link in self.links:
            still = kept.get(link.link.name, {})
            lifted = {name: value for name, value in link.effects.items() if name not in still}
            if lifted:
                lifting.append(partial(replace(link, effects=lifted).undo, stage))
        for mail in self.mails:
            if not any(type(other) is type(mail) and other.node == mail.node for other in to.mails):
                lifting.append(partial(mail.lift, stage))
        _at_once(lifting)

    def verify(self, stage: Stage) -> Effect:
        """Measure at every carrier at once what its people get."""
        links = [partial(link.verify, stage) for link in self.links]
        return _together([*links, *(partial(mail.prove, stage, restricted=True) for mail in self.mails)])

    def verify_undone(self, stage: Stage) -> Effect:
        if self._gave_way:
            return Effect(True, "the next stage took its place, and proves itself")
        links = [partial(link.verify_undone, stage) for link in self.links]
        return _together([*links, *(partial(mail.prove, stage, restricted=False) for mail in self.mails)])


def _at_once(calls: Sequence[Callable[[], None]]) -> None:
    """All of them at the same time: the carriers must not be restricted one after the other."""
    with ThreadPoolExecutor(max_workers=max(1, len(calls))) as pool:
        list(pool.map(lambda call: call(), calls))


def _together(looks: Sequence[Callable[[], Effect]]) -> Effect:
    """All looks at the same time; proven when each is."""
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        seen = list(pool.map(lambda look: look(), looks))
    return Effect(all(effect.proven for effect in seen), "; ".join(effect.proof for effect in seen))
