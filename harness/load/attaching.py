"""Handsets attach to their carrier's access network, on gevent: for every visit, and to stay reachable.

A handset that its block does not let in either turns by itself to the block that serves its area by now, every few
seconds until it is let in; or it waits until its owner starts it anew. The network says which. One that hears nothing
at all looks for its network all the time: when a link comes back that was cut, all of them come at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from random import Random
from typing import Final

import gevent

from harness.load import http1
from harness.load.access import Access, Entrance
from harness.load.air import Air
from harness.load.http1 import NotSentError, UnansweredError
from harness.load.line import Line
from harness.load.network import RADIO, Block, NotAttachedError, NothingHeardError, Steered
from harness.load.residents import Resident
from harness.rundir.history import MISTAKEN, Operation

#: Settings, in real seconds: how old may be what is known of the areas; how long a handset waits for its block, how
#: often it shows that it is still there, how soon it comes again when it was not let in, and when it heard nothing.
STEERED_EVERY_S: Final = 0.5
TRY_S: Final = 4.0
SHOWN_EVERY_S: Final = (20.0, 40.0)
AGAIN_S: Final = (4.0, 8.0)
SEARCHING_S: Final = (0.5, 1.5)
#: Where handsets do not come again by themselves, people start them anew after so many attempts in vain. A setting.
STARTED_ANEW_AFTER: Final = 5


class Attaching:
    """What every handset knows of the blocks. `record` is given every session whose owner was taken for another."""

    def __init__(
        self,
        everyone: Iterable[Access],
        seed: int,
        air: Air | None = None,
        record: Callable[[Operation], None] = lambda _: None,
    ) -> None:
        self._air = air
        self._record = record
        self._steered = {one.carrier: one.network.at_first() for one in everyone if one.network is not None}
        self._random = Random(f"handsets {seed}")

    def attach(self, resident: Resident, attempt: int = 1) -> Block | None:
        """The block that lets a handset in; None where it need not attach. Raises NotAttachedError."""
        if self._air is not None and not self._air.reaches(resident):
            raise NotAttachedError(RADIO, "no signal")
        network = resident.access.network
        if network is None:
            return None
        block, invoked_ns = network.block(self._chosen(resident, attempt)), time.monotonic_ns()
        door = Entrance(block.name, block.host, block.http, 0)
        with Line(block.host, secure=False, try_s=TRY_S) as line:
            try:
                reply = line.exchange(door, network.ask_for_session(block, resident.number))
            except (NotSentError, UnansweredError) as error:
                raise NothingHeardError(block.name, f"attach: {error}") from None
        if reply.status != 201:
            raise NotAttachedError(block.name, f"attach: http {reply.status}")
        taken_for = network.taken_for(reply.body)
        if taken_for is not None and taken_for != resident.number:
            self._note(resident, block, taken_for, invoked_ns)
        return block

    def _note(self, resident: Resident, block: Block, taken_for: int, invoked_ns: int) -> None:
        self._record(
            Operation(
                process=resident.number,
                kind="attach",
                key=resident.number,
                value=taken_for,
                intended_ns=invoked_ns,
                invoked_ns=invoked_ns,
                completed_ns=time.monotonic_ns(),
                outcome="fail",
                vantage=resident.access.carrier,
                endpoint=block.name,
                detail=MISTAKEN,
            )
        )

    def follow(self, access: Access) -> None:
        """Know which block serves which area, until killed. What cannot be asked stays as it was."""
        network = access.network
        assert network is not None
        host, port = network.steering
        with Line(host, secure=False, try_s=TRY_S) as line:
            while True:
                try:
                    reply = line.exchange(Entrance("steering", host, port, 0), http1.get("/areas", host))
                    self._steered[access.carrier] = Steered.read(reply.body)
                except (NotSentError, UnansweredError, ValueError, KeyError, TypeError):
                    pass
                gevent.sleep(STEERED_EVERY_S)

    def stay(self, resident: Resident, pause: Callable[[float], object] = gevent.sleep) -> None:
        """A handset that stays attached, until killed."""
        pause(self._random.uniform(0, SHOWN_EVERY_S[1]))
        while True:
            try:
                self.attach(resident)
                wait_s = self._random.uniform(*SHOWN_EVERY_S)
            except NothingHeardError:
                wait_s = self._random.uniform(*SEARCHING_S)
            except NotAttachedError:
                by_hand = self._steered[resident.access.carrier].by_hand
                wait_s = self._random.uniform(*(SHOWN_EVERY_S if by_hand else AGAIN_S))
            pause(wait_s)

    def _chosen(self, resident: Resident, attempt: int) -> str:
        steered = self._steered[resident.access.carrier]
        anew = attempt % STARTED_ANEW_AFTER == 0
        if not steered.by_hand or anew or not resident.block:
            resident.block = steered.areas.serving[steered.area(resident.number)]
        return resident.block
