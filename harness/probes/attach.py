"""Whether handsets are let in, as themselves: a session by the block that serves their area now, and the service's name
from it.
"""

from __future__ import annotations

import asyncio
from typing import Final

from harness.load import http1
from harness.load.access import Access
from harness.load.http1 import NotSentError, UnansweredError
from harness.load.names import NoAddressError
from harness.load.network import Block, Network, Steered
from harness.probes.board import Probe
from harness.probes.conversation import Connection, exchange
from harness.probes.directory import look_up
from harness.probes.door import DEADLINE_S, Asked
from harness.rundir.history import MISTAKEN

FOLLOW_EVERY_S: Final = 0.2
#: Synthetic subscribers, one for each area from here on.
FIRST_SUBSCRIBER: Final = 900_000_000


class Steering:
    """What the network says of its areas."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.now = network.at_first()

    async def follow(self) -> None:
        """Until cancelled. What cannot be asked stays as it was."""
        host, port = self.network.steering
        connection = Connection(host, port)
        try:
            while True:
                try:
                    reply = await connection.ask(http1.get("/areas", host), DEADLINE_S)
                    self.now = Steered.read(reply.body)
                except (NotSentError, UnansweredError, ValueError, KeyError, TypeError):
                    pass
                await asyncio.sleep(FOLLOW_EVERY_S)
        finally:
            connection.close()


class Attach(Probe):
    """The users whose home is the block of that number, one area after the other."""

    capability = "attach"

    def __init__(self, process: int, access: Access, steering: Steering, number: int, host: str) -> None:
        self.process, self.number, self.steering = process, number, steering
        self.vantage = access.blocks[number].name
        self._access, self._host = access, host

    async def ask(self, turn: int) -> tuple[int, Asked]:
        areas = self.steering.now.areas
        area = self.number * areas.each + turn % areas.each
        block = self.steering.network.block(areas.serving[area])
        try:
            async with asyncio.timeout(DEADLINE_S):
                return area, await self._attach(block, FIRST_SUBSCRIBER + area)
        except TimeoutError:
            return area, Asked("fail", block.name, detail="timeout")

    async def _attach(self, block: Block, subscriber: int) -> Asked:
        request = self.steering.network.ask_for_session(block, subscriber, close=True)
        try:
            reply = await exchange(block.host, block.http, request, DEADLINE_S)
            if reply.status != 201:
                return Asked("fail", block.name, detail=f"http {reply.status}")
            taken_for = self.steering.network.taken_for(reply.body)
            if taken_for not in (None, subscriber):
                return Asked("fail", block.name, detail=MISTAKEN)
            await look_up(self._host, self._access, block.resolver)
        except (NotSentError, UnansweredError, NoAddressError) as error:
            return Asked("fail", block.name, detail=str(error))
        return Asked("ok", block.name)
