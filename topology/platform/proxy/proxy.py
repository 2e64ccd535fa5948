"""One proxy: an address that is listened on, a server behind it, and the toxics in between."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from topology.platform.proxy import address
from topology.platform.proxy.active import ActiveToxic, Direction
from topology.platform.proxy.connection import Connection
from topology.platform.proxy.dial import Dialler
from topology.platform.proxy.engine import Engine
from topology.platform.proxy.meter import Label

_LOG = logging.getLogger("toxiproxy")
_BACKLOG = 4096


@dataclass(frozen=True)
class ProxySpec:
    """What a proxy is asked to be."""

    name: str
    listen: str
    upstream: str
    enabled: bool = True


class Proxy:
    """`listen` is what was asked for until the proxy is started, then what it listens on."""

    def __init__(self, engine: Engine, dialler: Dialler, spec: ProxySpec) -> None:
        self.name = spec.name
        self.listen = spec.listen
        self.upstream = spec.upstream
        self._engine = engine
        self._dialler = dialler
        self._server: asyncio.Server | None = None
        self._toxics: dict[Direction, list[ActiveToxic]] = {direction: [] for direction in Direction}
        self._connections: set[Connection] = set()
        self._failed_dials = 0

    @property
    def enabled(self) -> bool:
        return self._server is not None

    # -- listening ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen, unless it does already. Raises AddressError saying why it cannot."""
        if self._server is not None:
            return
        listener = await address.listen(self.listen)
        self._server = await self._engine.loop.create_server(
            lambda: cast(asyncio.Protocol, Connection(self._engine, self._dialler, self).client),
            sock=listener,
            backlog=_BACKLOG,
        )
        self.listen = address.bound_to(listener)
        _LOG.info("%s: started on %s for %s", self.name, self.listen, self.upstream)

    def stop(self) -> None:
        """Listen no more, and close every connection at once. The port is free when this returns."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in tuple(self._connections):
            connection.abort()
        _LOG.info("%s: stopped", self.name)

    async def update(self, spec: ProxySpec) -> None:
        """Raises AddressError; what was changed until then stays changed, as in upstream."""
        if await self.differs(spec):
            self.stop()
            self.listen, self.upstream = spec.listen, spec.upstream
        if spec.enabled and not self.enabled:
            await self.start()
        elif not spec.enabled:
            self.stop()

    async def differs(self, spec: ProxySpec) -> bool:
        """Whether that is another way, from or to elsewhere. Raises AddressError."""
        return str(await address.resolve(spec.listen)) != self.listen or spec.upstream != self.upstream

    # -- toxics ------------------------------------------------------------------------------------------------

    def toxics(self, direction: Direction) -> Sequence[ActiveToxic]:
        return self._toxics[direction]

    def all_toxics(self) -> list[ActiveToxic]:
        """In the API's order: upstream's first, each in the order they were added."""
        return [toxic for direction in Direction for toxic in self._toxics[direction]]

    def toxic(self, name: str) -> ActiveToxic | None:
        return next((toxic for toxic in self.all_toxics() if toxic.name == name), None)

    def add_toxic(self, active: ActiveToxic) -> None:
        """Put it behind those of its direction, on live connections too. Its name is not in use."""
        self._toxics[active.direction].append(active)
        for connection in tuple(self._connections):
            if (link := connection.link(active.direction)) is not None:
                link.add(active)

    def update_toxic(self, active: ActiveToxic) -> None:
        """Give the toxic of this name new settings, on live connections too."""
        toxics = self._toxics[active.direction]
        toxics[[toxic.name for toxic in toxics].index(active.name)] = active
        for connection in tuple(self._connections):
            if (link := connection.link(active.direction)) is not None:
                link.update(active)

    def remove_toxic(self, active: ActiveToxic) -> None:
        self._toxics[active.direction].remove(active)
        for connection in tuple(self._connections):
            if (link := connection.link(active.direction)) is not None:
                link.remove(active.name)

    # -- connections -------------------------------------------------------------------------------------------

    def label(self, direction: Direction) -> Label:
        return Label(direction.value, self.listen, self.name, self.upstream)

    def opened(self, connection: Connection) -> None:
        self._connections.add(connection)
        if self._server is None:  # stopped between the kernel's accepting it and now
            connection.abort()

    def dialled(self, failure: OSError | None) -> None:
        """Say so when the server is out of reach, and when it is back; not for every client in between."""
        if failure is None and self._failed_dials:
            _LOG.info("%s: reached %s again, after %d failed", self.name, self.upstream, self._failed_dials)
            self._failed_dials = 0
        elif failure is not None:
            self._failed_dials += 1
            if self._failed_dials == 1:
                _LOG.warning("%s: cannot reach %s: %s", self.name, self.upstream, failure)

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
