"""A delivery provider's HTTP side on loopback, that a test can make behave badly."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Provider:
    """`mode`: take (202), refuse (400), fail (500), full (503), silent (takes it, says nothing), cut (hangs up)."""

    def __init__(self, port: int = 0) -> None:
        self.mode = "take"
        self.taken: list[dict[str, Any]] = []
        self.asked = 0
        self._lock = threading.Lock()
        self._released = threading.Event()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                provider.receive(self, body["messages"])

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def ids(self) -> list[str]:
        with self._lock:
            return [str(message["id"]) for message in self.taken]

    def receive(self, handler: BaseHTTPRequestHandler, messages: list[dict[str, Any]]) -> None:
        mode = self.mode
        with self._lock:
            self.asked += 1
            if mode in ("take", "silent"):
                self.taken += messages
        if mode == "silent":
            self._released.wait(20)
        if mode in ("silent", "cut"):
            handler.close_connection = True
            return
        handler.send_response({"take": 202, "refuse": 400, "fail": 500, "full": 503}[mode])
        handler.end_headers()
        handler.wfile.write(json.dumps({"accepted": len(messages)}).encode())

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
