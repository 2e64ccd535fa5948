"""One socket of a connection: the event loop's protocol, a link's source, and the other link's sink."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final, Protocol, cast

from topology.platform.proxy.address import keep_alive
from topology.platform.proxy.link import Link
from topology.platform.proxy.toxics.toxic import Chunk

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # struct linger: on, for no time
#: Bytes of a client that may come while its server is still being dialled.
_EARLY_BYTES: Final = 65536


class Holder(Protocol):
    """The connection, as its sockets see it."""

    def opened(self, endpoint: Endpoint) -> None: ...
    def left(self) -> None:
        """The other side has closed before there was a link to say so."""

    def closed(self, endpoint: Endpoint) -> None: ...


class Endpoint:
    """Reads go to whatever `deliver` was given last; until then they wait in `early`."""

    __slots__ = (
        "_closing",
        "_full",
        "_holder",
        "data_received",
        "early",
        "gone",
        "inbound",
        "lost",
        "outbound",
        "transport",
        "write",
    )
    transport: asyncio.Transport
    write: Callable[[bytes], None]

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._closing = False
        self._full = False
        self.early: list[bytes] = []
        self.gone = False  # nothing more will come from here
        self.lost = False  # nor can anything go there
        self.inbound: Link | None = None  # what reads from here
        self.outbound: Link | None = None  # what writes to here
        self.data_received: Callable[[bytes], None] = self._wait

    # -- as the event loop's protocol --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.write = transport.write
        self._holder.opened(self)

    def eof_received(self) -> bool:
        self.gone = True
        if self.inbound is not None:
            self.inbound.end()
        else:
            self._holder.left()
        return True  # it stays open for what is on its way to it

    def connection_lost(self, _: Exception | None) -> None:
        self.gone = self.lost = self._closing = True
        if self.inbound is not None:
            self.inbound.end()
        if self.outbound is not None:
            self.outbound.drop()
        self._holder.closed(self)

    def pause_writing(self) -> None:
        if not self._full and self.outbound is not None:
            self._full = True
            self.outbound.hold()

    def resume_writing(self) -> None:
        if self._full and self.outbound is not None:
            self._full = False
            self.outbound.release()
        if self._closing:
            self.transport.close()

    # -- as a source -------------------------------------------------------------------------------------------

    def deliver(self, receive: Callable[[bytes], None]) -> None:
        self.data_received = receive
        if not self.lost:  # the transport keeps the method itself, and has to be shown the new one
            self.transport.set_protocol(cast(asyncio.BaseProtocol, self))

    def pause(self) -> None:
        self.transport.pause_reading()

    def resume(self) -> None:
        if not self.gone:
            self.transport.resume_reading()

    def _wait(self, data: bytes) -> None:
        self.early.append(data)
        if sum(map(len, self.early)) >= _EARLY_BYTES:
            self.transport.pause_reading()

    # -- as a sink ---------------------------------------------------------------------------------------------

    def feed(self, chunk: Chunk) -> None:
        if not self._closing:
            self.write(chunk.data)

    def end(self) -> None:
        if self._closing:
            return
        self._closing = True
        if self.transport.get_write_buffer_size() == 0:
            self.transport.close()
        else:
            self.transport.set_write_buffer_limits(high=0)  # `resume_writing` is called when all is written

    def keep_alive(self) -> None:
        number = self.transport.get_extra_info("socket").fileno()
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=number)  # for all options at once
        keep_alive(sock)
        sock.detach()

    def reset_on_close(self) -> None:
        if not self.transport.is_closing():
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
