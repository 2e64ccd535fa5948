"""The receiver's FTP side: the agency logs in, stores files, and can do nothing else.

"226 Transfer complete" is said only when the file is on disk for good.
"""

from __future__ import annotations

import logging
import threading
from typing import Any, Final

from pyftpdlib.authorizers import AuthenticationFailed, DummyAuthorizer
from pyftpdlib.filesystems import AbstractedFS, FilesystemError
from pyftpdlib.handlers import DTPHandler, FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from topology.service.spool import Incoming, Spool

log: Final = logging.getLogger("feed")

CONNECTIONS: Final = 64
PASSIVE_PORTS: Final = range(2122, 2200)
#: Enter folders, store files; not list, not read, not delete.
PERMISSIONS: Final = "ew"


class _Authorizer(DummyAuthorizer):  # type: ignore[misc]
    """One user, or, without a password, anybody who can reach this port: only the agency can."""

    def __init__(self, home: str, user: str, password: str) -> None:
        super().__init__()
        self._user, self._password = user, password
        for name in (user, "anonymous"):
            self.user_table[name] = {
                "pwd": "",
                "home": home,
                "perm": PERMISSIONS,
                "operms": {},
                "msg_login": "Welcome.",
                "msg_quit": "Goodbye.",
            }

    def validate_authentication(self, username: str, password: str, handler: FTPHandler) -> None:
        if self._password and (username, password) != (self._user, self._password):
            raise AuthenticationFailed


class _Transfer(DTPHandler):  # type: ignore[misc]
    """A file that arrives. It is kept before the channel answers, so the answer says what became of it."""

    transfer_finished: bool
    file_obj: Any
    _ended = False

    def handle_read(self) -> None:
        """Only an orderly end is one: pyftpdlib alone would take a connection that was reset for a whole file."""
        try:
            chunk = self.socket.recv(self.ac_in_buffer_size)
            self.tot_bytes_received += len(chunk)
            if chunk:
                self.file_obj.write(chunk)
        except BlockingIOError:
            return
        except OSError as error:
            self._refuse(error.strerror)
        else:
            if not chunk:
                self._ended = True
                self.handle_close()

    handle_read_event = handle_read

    def handle_close(self) -> None:
        if self.receive and not self._ended:
            self._refuse("the connection broke")
        else:
            super().handle_close()

    def close(self) -> None:
        if not self._closed and self.transfer_finished and isinstance(self.file_obj, Incoming):
            try:
                self.file_obj.keep()
            except OSError as error:
                log.exception("a telegram could not be stored")
                self.transfer_finished = False
                self._resp = (f"452 {error.strerror}; send it again.", log.warning)
        channel = self.cmd_channel
        if not self._closed and not self._resp and channel._in_dtp_queue is not None:
            # Reset before it was accepted: pyftpdlib alone would never answer.
            self.file_obj, _command = channel._in_dtp_queue
            channel._in_dtp_queue = None
            self._resp = ("426 the connection broke; send it again.", log.warning)
        super().close()

    def _refuse(self, why: str | None) -> None:
        if not self._closed:
            self._resp = (f"426 {why}; send it again.", log.warning)
            self.close()


class _Files(AbstractedFS):  # type: ignore[misc]
    """No files to see; each one stored is a telegram, whatever it is called."""

    def open(self, filename: str, mode: str) -> Incoming:
        if mode != "wb":
            raise FilesystemError("a telegram is sent whole")
        spool: Spool = self.cmd_channel.spool
        return spool.open(filename)


class FtpServer:
    """Serves in a thread of its own."""

    def __init__(self, host: str, port: int, spool: Spool, user: str, password: str, home: str) -> None:
        """Raises OSError when the port is taken."""

        class Channel(FTPHandler):  # type: ignore[misc]
            authorizer = _Authorizer(home, user, password)
            abstracted_fs = _Files
            dtp_handler = _Transfer
            passive_ports = PASSIVE_PORTS if port else None
            banner = "safety-confirmation feed"
            use_sendfile = False
            timeout = 300
            auth_failed_timeout = 1

        Channel.spool = spool
        self._server = FTPServer((host, port), Channel, ioloop=IOLoop())
        self._server.max_cons = CONNECTIONS
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="ftp", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.address[1])

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def __enter__(self) -> FtpServer:
        logging.getLogger("pyftpdlib").setLevel(logging.WARNING)
        self._thread.start()
        return self

    def __exit__(self, *_error: Any) -> None:
        self._stop.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self._stop.is_set():
            self._server.ioloop.loop(timeout=0.2, blocking=False)
        self._server.close_all()
