"""Which balancers may be given out: each is asked once a second for what users need."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

CHECK_EVERY_S: Final = 1.0
CHECK_TIMEOUT_S: Final = 1.0
#: Two of a kind in a row, so that neither one lost packet nor one lucky answer moves anybody.
FAILURES_UNTIL_DOWN: Final = 2
SUCCESSES_UNTIL_UP: Final = 2
#: A name that does not resolve is looked up again after this.
FIND_EVERY_S: Final = 5.0


@dataclass
class Balancer:
    """`address` is None while its name does not resolve, as in a region that is left out. `said`: by the last check."""

    name: str
    address: str | None = None
    healthy: bool = False
    said: str = "not asked yet"
    _against: int = 0  # checks in a row that speak against `healthy`

    def note(self, said: str) -> None:
        """Take in one check: `ok`, or what came instead."""
        self.said = said
        if (said == "ok") == self.healthy:
            self._against = 0
            return
        self._against += 1
        if self._against >= (FAILURES_UNTIL_DOWN if self.healthy else SUCCESSES_UNTIL_UP):
            self.healthy, self._against = not self.healthy, 0


@dataclass(frozen=True)
class Choice:
    """The addresses that are given out for a region, and why these."""

    addresses: tuple[str, ...]
    why: str


def choose(balancers: Iterable[Balancer]) -> Choice:
    """Those that are healthy; if none is, all: one that seems dead may live, no address at all serves nobody."""
    known = [(one, one.address) for one in balancers if one.address is not None]
    healthy = [(one, address) for one, address in known if one.healthy]
    why = ", ".join(one.name for one, _ in healthy or known)
    if healthy:
        return Choice(tuple(address for _, address in healthy), f"healthy: {why}")
    if known:
        return Choice(tuple(address for _, address in known), f"none is healthy, so all: {why}")
    return Choice((), "no balancer of the region has an address")


class Checks:
    """Asks every balancer of every region, also those that nobody is sent to: before a move that must be known."""

    def __init__(self, regions: Mapping[str, Sequence[str]], port: int) -> None:
        self.regions = {region: [Balancer(name) for name in names] for region, names in regions.items()}
        self._port = port

    async def run(self, heard: Callable[[], None]) -> None:
        """Check once a second until cancelled; `heard` is called after each round."""
        await asyncio.gather(self._check(heard), *(_find(one) for one in self._balancers))

    @property
    def _balancers(self) -> list[Balancer]:
        return [one for each in self.regions.values() for one in each]

    async def _check(self, heard: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            await asyncio.gather(*(self._ask(one) for one in self._balancers))
            heard()
            due_s = max(due_s + CHECK_EVERY_S, loop.time())
            await asyncio.sleep(due_s - loop.time())

    async def _ask(self, balancer: Balancer) -> None:
        if balancer.address is not None:
            balancer.note(await ask(balancer.address, self._port))


async def _find(balancer: Balancer) -> None:
    """Until the name resolves. Beside the checks: asking for a name that nobody has may take many seconds."""
    loop = asyncio.get_running_loop()
    while balancer.address is None:
        with suppress(OSError):
            found = await loop.getaddrinfo(
                balancer.name, None, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
            balancer.address = str(found[0][4][0])
            return
        await asyncio.sleep(FIND_EVERY_S)


async def ask(address: str, port: int) -> str:
    """`ok`, or what came instead.

    Through the balancer a web node says of itself that it can do its work, which includes a database that it can
    read. A balancer that runs with nothing behind it gives no page to anybody.
    """
    request = b"GET /health HTTP/1.1\r\nHost: anpi.example\r\nUser-Agent: names\r\nConnection: close\r\n\r\n"
    outgoing: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            incoming, outgoing = await asyncio.open_connection(address, port)
            outgoing.write(request)
            status = (await incoming.readline()).split(b" ")[1:2]
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "refused"
    except (OSError, ValueError) as error:  # ValueError: a line without an end
        return str(error) or type(error).__name__
    finally:
        if outgoing is not None:
            outgoing.close()
    if status == [b"200"]:
        return "ok"
    return f"http {status[0].decode(errors='replace')}" if status else "closed"
