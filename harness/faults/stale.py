"""`stale` / `fresh`: a share of the carriers' resolvers keeps answers, however short a time their owner gives them."""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from harness.faults import Effect, Stage
from harness.faults.asking import PATIENCE_S, tell
from harness.faults.looking import each
from harness.load.access import resolvers
from harness.rundir import Json
from topology.map import Node

DNS_PORT: Final = 53
PATH: Final = "/keeping"
#: An answer that is about to end does not show that it was kept; the next one does.
SEEN_WITHIN_S: Final = 3.0
LOOK_EVERY_S: Final = 0.2


@dataclass(frozen=True)
class Stale:
    """`nodes` are the resolvers, `owner` the name server whose answers they keep."""

    nodes: Sequence[Node]
    owner: Node
    share: float
    keeps_s: float

    @property
    def undoing(self) -> dict[str, Json]:
        return {"verb": "fresh", "nodes": [node.name for node in self.nodes]}

    def inject(self, stage: Stage) -> None:
        for node in self.nodes:
            tell(stage, node, "PUT", PATH, {"share": self.share, "keeps_s": self.keeps_s})

    def undo(self, stage: Stage) -> None:
        for node in self.nodes:
            tell(stage, node, "DELETE", PATH)

    def verify(self, stage: Stage) -> Effect:
        """Ask every cache as users do, and for how long they may believe the answer."""
        return self._see(stage, self.share, self.keeps_s)

    def verify_undone(self, stage: Stage) -> Effect:
        environment = self.nodes[0].environment
        share, keeps_s = (float(environment.get(name, "0")) for name in ("KEEPING", "KEEPS_S"))
        return self._see(stage, share, keeps_s)

    def _see(self, stage: Stage, share: float, keeps_s: float) -> Effect:
        """Proven when that share of the caches, and no more, holds answers for longer than their owner gives them."""
        try:
            for node in self.nodes:
                told = tell(stage, node, "GET", PATH).json
                if (told["share"], told["keeps_s"]) != (share, keeps_s):
                    return Effect(False, f"{node.name} keeps answers as {told}")
            owner_s = self._owner_s(stage)
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            return Effect(False, f"no answer about what is kept: {error}")
        deadline_s = time.monotonic() + SEEN_WITHIN_S
        while True:
            seen = self._look(stage, share, keeps_s, owner_s)
            if seen.proven or time.monotonic() > deadline_s:
                return seen
            time.sleep(LOOK_EVERY_S)

    def _owner_s(self, stage: Stage) -> int:
        """For how long the name server lets its answers be believed; as it is set up, when it does not answer."""
        told_s = self._told_s(stage, (str(self.owner.address), DNS_PORT))
        return told_s if told_s is not None else int(self.owner.environment.get("TTL_S", "10"))

    def _look(self, stage: Stage, share: float, keeps_s: float, owner_s: int) -> Effect:
        caches = [cache for node in self.nodes for cache in resolvers(node)]
        told = each(lambda cache: str(self._told_s(stage, cache)), caches)
        answers = [int(one) for one in told if one != "None"]
        keeping = [one for one in answers if one > owner_s]
        wanted = sum(round(share * len(resolvers(node))) for node in self.nodes)
        proof = (
            f"{len(keeping)} of {len(caches)} caches hold an answer for more than the {owner_s} s that it is good for, "
            f"{max(answers, default=0)} s at most; {wanted} wanted, for {keeps_s:g} s"
        )
        if silent := len(caches) - len(answers):
            return Effect(False, f"{silent} caches give no answer; {proof}")
        expected = wanted if keeps_s > owner_s else 0
        return Effect(len(keeping) == expected and max(answers) <= max(keeps_s, owner_s), proof)

    def _told_s(self, stage: Stage, at: tuple[str, int]) -> int | None:
        """For how many seconds an answer from there may be believed; None without one."""
        query = dns.message.make_query(self.owner.environment["DOMAIN"], dns.rdatatype.A)
        try:
            with stage.runtime.inside(stage.observer):
                reply = dns.query.udp(query, at[0], timeout=PATIENCE_S, port=at[1])
        except (OSError, dns.exception.DNSException):
            return None
        return reply.answer[0].ttl if reply.answer else None
