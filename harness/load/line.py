"""One handset's connection to the service, through its carrier's link, on gevent's sockets."""

from __future__ import annotations

import functools
import ssl
from typing import Final, NoReturn

import gevent
import gevent.socket
import gevent.ssl

from harness.load.access import Entrance
from harness.load.http1 import MalformedError, NotSentError, Reader, Reply, UnansweredError
from harness.load.network import Block

_PIECE: Final = 65_536


@functools.cache
def _context() -> gevent.ssl.SSLContext:
    """One for all: making one is dear. The replica's certificate is its own, so it is not verified."""
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Line:
    """Holds at most one connection, kept for as long as the same entrance answers. Closed by its context.

    `block` is what let the handset in, where it had to attach first; `form` is the version of the answer on the form
    that the screen shows, None while it shows none.
    """

    def __init__(self, host: str, *, secure: bool, try_s: float) -> None:
        self._host = host
        self._secure = secure
        self._try_s = try_s
        self._socket: gevent.socket.socket | None = None
        self._entrance: Entrance | None = None
        self.block: Block | None = None
        self.form: int | None = None

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def exchange(self, entrance: Entrance, request: bytes) -> Reply:
        """Send a request by an entrance and wait for the reply, `try_s` in all.

        Raises NotSentError or UnansweredError; either way the connection is gone.
        """
        sent = False
        try:
            with gevent.Timeout(self._try_s):
                wire = self._connected(entrance)
                sent = True
                wire.sendall(request)
                return self._reply(wire)
        except gevent.Timeout:
            self._fail(sent, "timeout")
        except ConnectionRefusedError:
            self._fail(sent, "refused")
        except (ConnectionResetError, BrokenPipeError):
            self._fail(sent, "reset")
        except EOFError:
            self._fail(sent, "closed")
        except MalformedError:
            self._fail(sent, "malformed")
        except OSError as error:  # unreachable, TLS that fails, …
            self._fail(sent, (error.strerror or type(error).__name__).lower())
        except gevent.GreenletExit:
            self.close()
            raise

    def _fail(self, sent: bool, why: str) -> NoReturn:
        self.close()
        raise (UnansweredError if sent else NotSentError)(why) from None

    def _connected(self, entrance: Entrance) -> gevent.socket.socket:
        if self._socket is not None and self._entrance == entrance:
            return self._socket
        self.close()
        wire = gevent.socket.socket(gevent.socket.AF_INET, gevent.socket.SOCK_STREAM)
        self._socket, self._entrance = wire, entrance
        wire.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
        wire.connect((entrance.host, entrance.https if self._secure else entrance.http))
        if self._secure:
            wire = self._socket = _context().wrap_socket(wire, server_hostname=self._host)
        return wire

    def _reply(self, wire: gevent.socket.socket) -> Reply:
        reader = Reader()
        while True:
            piece = wire.recv(_PIECE)
            if not piece:
                if reader.end():
                    self.close()
                    return reader.reply
                raise EOFError
            if reader.feed(piece):
                return reader.reply
