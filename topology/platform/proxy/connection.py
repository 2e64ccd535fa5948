"""A client, the server it came for, and a link each way between them.

    client ◄──────────── downstream link ◄──────────── server
      └──────────────►   upstream link   ──────────────►┘

When one side closes, its link carries that to the other side's socket, which then closes whole, both ways; that ends
the link back. So there are no half-closed connections, as upstream has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol, cast

from topology.platform.proxy.active import ActiveToxic, Direction
from topology.platform.proxy.dial import Dialler
from topology.platform.proxy.endpoint import Endpoint
from topology.platform.proxy.engine import Engine
from topology.platform.proxy.flow import Sink, Source
from topology.platform.proxy.link import Link
from topology.platform.proxy.meter import Label, MeteredSink, MeteredSource

#: A client that has closed while its server is still being dialled gets this much longer. Upstream dials on, and may
#: hand over a request minutes after its sender has given up, which no network would do.
_LEFT_S: Final = 1.0


class Owner(Protocol):
    """The proxy, as its connections see it."""

    upstream: str

    def toxics(self, direction: Direction) -> Sequence[ActiveToxic]: ...
    def label(self, direction: Direction) -> Label: ...
    def opened(self, connection: Connection) -> None: ...
    def dialled(self, failure: OSError | None) -> None:
        """The server was reached, or was not."""

    def closed(self, connection: Connection) -> None: ...


class Connection:
    """One client's connection, from its being accepted until both its sockets are closed."""

    __slots__ = (
        "_dialler",
        "_dialling",
        "_engine",
        "_given_up",
        "_leaving",
        "_open",
        "_owner",
        "client",
        "downstream",
        "server",
        "upstream",
    )

    def __init__(self, engine: Engine, dialler: Dialler, owner: Owner) -> None:
        self._engine = engine
        self._dialler = dialler
        self._owner = owner
        self._dialling: asyncio.Task[None] | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._given_up = False
        self._open: list[Endpoint] = []
        self.client = Endpoint(self)
        self.server = Endpoint(self)
        self.upstream: Link | None = None
        self.downstream: Link | None = None

    def link(self, direction: Direction) -> Link | None:
        """None while the server is still being dialled."""
        return self.upstream if direction is Direction.UPSTREAM else self.downstream

    def abort(self) -> None:
        """Close both sides now, whatever is on its way."""
        self._give_up()
        for endpoint in self._open:
            endpoint.transport.abort()

    # -- called by the endpoints -------------------------------------------------------------------------------

    def opened(self, endpoint: Endpoint) -> None:
        if self._given_up:  # too late: the dialling that is being cancelled closes it
            return
        self._open.append(endpoint)
        if endpoint is self.client:
            self._dialling = self._engine.loop.create_task(self._dial())
            self._owner.opened(self)
        else:
            endpoint.keep_alive()
            self._join()

    def left(self) -> None:
        """The client has closed before there was a server."""
        self._leaving = self._engine.loop.call_later(_LEFT_S, self._give_up)

    def closed(self, endpoint: Endpoint) -> None:
        self._open.remove(endpoint)
        self._give_up()
        if not self._open:
            self._owner.closed(self)

    # ----------------------------------------------------------------------------------------------------------

    def _give_up(self) -> None:
        """Dial no more; nothing once there is a server."""
        if self.upstream is None and self._dialling is not None:
            self._given_up = True
            self._dialling.cancel()

    async def _dial(self) -> None:
        try:
            await self._dialler.dial(self._owner.upstream, lambda: cast(asyncio.Protocol, self.server))
            self._owner.dialled(None)
        except OSError as failure:
            self._owner.dialled(failure)
            self._refuse()
        except asyncio.CancelledError:
            self._refuse()
        finally:
            self._dialling = None
            if self._leaving is not None:
                self._leaving.cancel()

    def _refuse(self) -> None:
        """Close the client: rudely when it has sent something, as a kernel does with what nobody has read."""
        if self.client.early:
            self.client.reset_on_close()
        self.client.transport.abort()

    def _join(self) -> None:
        self.upstream = self._between(self.client, self.server, Direction.UPSTREAM)
        self.downstream = self._between(self.server, self.client, Direction.DOWNSTREAM)
        self.client.inbound = self.server.outbound = self.upstream
        self.server.inbound = self.client.outbound = self.downstream
        self.client.resume()
        for data in self.client.early:
            self.client.data_received(data)
        self.client.early.clear()
        if self.client.gone:
            self.upstream.end()

    def _between(self, source: Source, sink: Sink, direction: Direction) -> Link:
        meter = self._engine.meter
        if meter is not None:
            label = self._owner.label(direction)
            source = MeteredSource(source, meter.received, label)
            sink = MeteredSink(sink, meter.sent, label)
        return Link(self._engine, source, sink, self._owner.toxics(direction))
