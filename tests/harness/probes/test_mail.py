"""How the probes' mails reach the provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from aiohttp import web

from harness.probes.door import Door
from harness.probes.mail import Submission

CARRIERS = ("docomo", "au", "softbank")


class Site:
    """A provider's site that takes everything, or says that its disk does not."""

    def __init__(self, status: int) -> None:
        self._status = status
        self.requests: list[list[str]] = []

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[Door]:
        app = web.Application()
        app.add_routes([web.post("/v3/mail/send", self._send)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield Door(name, "127.0.0.1", runner.addresses[0][1])
        finally:
            await runner.cleanup()

    async def _send(self, request: web.Request) -> web.Response:
        self.requests.append([message["to"] for message in orjson.loads(await request.read())["messages"]])
        return web.Response(status=self._status)


async def together(submission: Submission, turn: int) -> list[tuple[str, str]]:
    asked = await asyncio.gather(*(submission.submit(f"{carrier}-{turn}@x", carrier) for carrier in CARRIERS))
    return [(each.outcome, each.endpoint) for each in asked]


def test_what_all_carriers_hand_over_at_one_instant_goes_in_one_request() -> None:
    site = Site(202)

    async def play() -> None:
        async with site.open("east") as door:
            submission = Submission([door], "anpi.example")
            for turn in range(2):
                assert await together(submission, turn) == [("ok", "east")] * 3

    asyncio.run(play())
    assert site.requests == [list(CARRIERS)] * 2


def test_the_site_that_took_the_last_ones_is_asked_first() -> None:
    broken, sound = Site(503), Site(202)

    async def play() -> None:
        async with broken.open("east") as east, sound.open("west") as west:
            submission = Submission([east, west], "anpi.example")
            for turn in range(3):
                # East may have taken them all the same: only their arrival says what became of them.
                assert await together(submission, turn) == [("ok", "west")] * 3

    asyncio.run(play())
    assert (len(broken.requests), len(sound.requests)) == (1, 3)


def test_what_no_site_took_failed_for_every_carrier() -> None:
    broken = Site(503)

    async def play() -> None:
        async with broken.open("east") as east:
            assert await together(Submission([east], "anpi.example"), 0) == [("info", "east")] * 3

    asyncio.run(play())
