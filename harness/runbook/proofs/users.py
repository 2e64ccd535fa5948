"""`users-served`: users at every carrier, by their resolver and their access link, are served again and again.

A server that is well says nothing of its users. So nobody asks the servers here: somebody at each carrier looks the
service's name up, opens their page and answers, as often in a row as the step wants.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from harness.faults import Effect
from harness.faults.asking import PATIENCE_S
from harness.faults.looking import connect
from harness.load import http1
from harness.load.http1 import MalformedError, Reader
from harness.runbook import confirmers
from harness.runbook.confirmers import Confirmer
from harness.runbook.lookup import RESOLVER, RESOLVER_PORT, look_up
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import Scene, brief
from harness.rundir.history import Operation, Writer
from topology.map import Carrier, Entrance, Node

HOST: Final = "anpi.example"
#: Resolvers keep several caches, one for each of these ports; a user's is the person's number modulo this.
CACHES: Final = 10
LARGEST: Final = 65_536


def served(scene: Scene, arguments: Arguments) -> Effect:
    times = arguments["times"]
    assert isinstance(times, int)
    people = confirmers.read(scene.run)
    carriers = list(scene.stage.topology.carriers.values())
    if not people or not carriers:
        return Effect(False, "nobody was enrolled who could confirm it")
    with (
        confirmers.notes(scene.run, scene.stage.topology) as notes,
        ThreadPoolExecutor(max_workers=len(carriers)) as pool,
    ):
        visits = [_Visits(scene, one, people[one.name], notes) for one in carriers]
        told = list(pool.map(lambda one: one.make(times), visits))
    wrong = [f"{one.name}: {why}" for one, why in zip(carriers, told, strict=True) if why]
    if wrong:
        return Effect(False, "; ".join(wrong))
    names = ", ".join(one.name for one in carriers)
    return Effect(True, f"a page and an answer, {times} times in a row each, at {names}")


@dataclass(frozen=True)
class _Visits:
    """Those of one carrier's people, who take turns. Each visit is recorded like any user's."""

    scene: Scene
    carrier: Carrier
    people: Sequence[Confirmer]
    notes: Writer

    def make(self, times: int) -> str:
        """Why somebody was not served; empty if all were."""
        for turn in range(times):
            person = self.people[turn % len(self.people)]
            try:
                entrance = self._way(person, turn)
            except OSError as error:
                return brief(error)
            if why := self.serve(entrance, person):
                return why
        return ""

    def serve(self, entrance: Entrance, person: Confirmer) -> str:
        """A page, an answer, and the page again: why one of them went wrong, or nothing."""
        value = max(1, (time.monotonic_ns() - self.scene.run.clock.anchor_ns) // 1_000_000)
        version = 0
        for kind, number in (("look", 0), ("answer", value), ("look", value)):
            why, version = self._visit(entrance, person, kind, number, version)
            if why:
                return f"{kind} at {entrance.name}: {why}"
        return ""

    def _way(self, person: Confirmer, turn: int) -> Entrance:
        """The entrance that the name leads to at this moment; without a resolver, all of them in turn."""
        topology = self.scene.stage.topology
        resolvers = [node for node in topology.with_role(RESOLVER) if node.carrier == self.carrier.name]
        if not resolvers:
            return self.carrier.entrances[turn % len(self.carrier.entrances)]
        addresses = look_up(self.scene, resolvers[0], RESOLVER_PORT + person.person % CACHES)
        ways: Mapping[str, Entrance] = {
            str(topology.nodes[entrance.to].address): entrance
            for entrance in self.carrier.entrances
            if entrance.to
        }
        address = addresses[turn % len(addresses)]
        if address not in ways:
            raise OSError(f"no entrance leads to {address}")
        return ways[address]

    def _visit(
        self, entrance: Entrance, person: Confirmer, kind: str, value: int, version: int
    ) -> tuple[str, int]:
        """One request of who saw that version of the page: why it was not served, or nothing; what they saw now."""
        if kind == "look":
            request = http1.get(f"/a/{person.token}", HOST, close=True)
        else:
            request = http1.answer(person.token, HOST, value, version=version, close=True)
        began_ns = time.monotonic_ns()
        outcome, why = "ok", ""
        shown: int | None = value
        try:
            link = self.scene.stage.topology.nodes[self.carrier.link]
            status, body = _exchange(self.scene, link, entrance.http, request)
            version = http1.seen_version(body) or 0
            if kind == "look":
                shown = http1.seen_value(body)
            if status != 200 or shown is None:
                outcome, why = ("fail" if kind == "look" else "info"), f"http {status}"
            elif shown < value:
                why = f"it shows {shown} after {value} was acknowledged"
        except (OSError, MalformedError) as error:
            outcome, why = "info", brief(error)
        self.notes.add(
            Operation(
                process=person.person,
                kind=kind,
                key=person.person,
                value=shown or 0,
                intended_ns=began_ns,
                invoked_ns=began_ns,
                completed_ns=time.monotonic_ns(),
                outcome=outcome,
                vantage=self.carrier.name,
                endpoint=entrance.name,
                detail=None if outcome == "ok" else why,
            )
        )
        return why, version


def served_through(scene: Scene, arguments: Arguments) -> Effect:
    """Somebody who comes straight to the region's balancers, as those do who still know its addresses, is served."""
    times = arguments["times"]
    assert isinstance(times, int)
    people = [one for each in confirmers.read(scene.run).values() for one in each]
    balancers = scene.nodes(str(arguments["region"]), "balancer")
    doors = [
        (carrier, entrance)
        for carrier in scene.stage.topology.carriers.values()
        for entrance in carrier.entrances
        if entrance.to in [node.name for node in balancers]
    ]
    if not people or not doors:
        return Effect(False, "nobody was enrolled, or no entrance leads there")
    with confirmers.notes(scene.run, scene.stage.topology) as notes:
        for turn in range(times):
            for carrier, entrance in doors:
                one = _Visits(scene, carrier, people, notes)
                if why := one.serve(entrance, people[turn % len(people)]):
                    return Effect(False, f"{carrier.name}: {why}")
    told = ", ".join(sorted({entrance.to for _, entrance in doors}))
    return Effect(True, f"a page and an answer, {times} times in a row at each carrier, by way of {told}")


def _exchange(scene: Scene, link: Node, port: int, request: bytes) -> tuple[int, bytes]:
    """Raises OSError or MalformedError."""
    reader = Reader()
    with connect(scene.stage, scene.stage.observer, link, port, PATIENCE_S) as connection:
        connection.settimeout(PATIENCE_S)
        connection.sendall(request)
        while not reader.complete:
            piece = connection.recv(LARGEST)
            if not piece:
                if not reader.end():
                    raise OSError("closed")
                break
            reader.feed(piece)
    return reader.reply.status, reader.reply.body


USERS: Final = Proof(
    "users-served",
    "at every carrier a page and an answer succeed so many times in a row",
    (Argument("times", Kind.COUNT, "how many times in a row"),),
    served,
)
THROUGH: Final = Proof(
    "served-through",
    "who comes straight to a region's balancers is served so many times in a row",
    (
        Argument("region", Kind.REGION, "whose balancers"),
        Argument("times", Kind.COUNT, "how many times in a row"),
    ),
    served_through,
)
