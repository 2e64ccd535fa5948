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

    def close(self) -> None:
        if (
            not self._closed
            and self.receive
            and self.transfer_finished
            and isinstance(self.file_obj, Incoming)
        ):
            try:
                self.file_obj.keep()
            except OSError as error:
                log.exception("a telegram could not be stored")
                self.transfer_finished = False
                self._resp = (f"452 {error.strerror or 'not stored'}; send it again.", log.warning)
        super().close()


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
            self._server.serve_forever(timeout=0.2, blocking=False, handle_exit=False)
        self._server.close_all()
