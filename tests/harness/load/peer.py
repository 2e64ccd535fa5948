"""The other side of the wire for the load and the probes: the service's entrances, or a carrier's mail and the rest.

`python peer.py entrances PORT_A PORT_B TLS_A TLS_B CERTIFICATE` serves answer pages and the login.
`python peer.py mail PORT` serves one carrier's mail node, a mail provider and a feed, all on one port.
Both hold everything in memory and speak as the real ones do. Stopped by SIGSTOP, they hang as a hung node does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import sys
import time
from collections import Counter
from pathlib import Path

import uvloop
from aiohttp import web

PAGE = (
    '<html><body>{pad}<p id="current" data-status="{status}" data-come="{come}" data-comment="{comment}"></p>'
    '<form method="post"><input type="hidden" name="version" value="{version}"></form></html>'
)


class Service:
    """Answer pages. `shown_ns` and `answers` are there for the tests to ask about."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, str]] = {}
        self.versions: Counter[str] = Counter()
        self.closed = False

    def page(self, token: str, status: int = 200) -> web.Response:
        given = self.answers.get(token, {})
        fields = {name: given.get(name, "") for name in ("status", "come", "comment")}
        text = PAGE.format(pad="あ" * 700, version=self.versions[token], **fields)
        return web.Response(text=text, status=status, content_type="text/html")

    async def show(self, request: web.Request) -> web.Response:
        if self.closed:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
        return self.page(request.match_info["token"])

    async def take(self, request: web.Request) -> web.Response:
        if self.closed:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
        form = await request.post()
        token = request.match_info["token"]
        given = {name: str(form[name]) for name in ("status", "come", "comment")}
        if given != self.answers.get(token):
            if int(str(form["version"])) != self.versions[token]:
                return self.page(token, 409)
            self.answers[token] = given
            self.versions[token] += 1
        return self.page(token)

    async def sign_in(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form["password"] != "right":
            raise web.HTTPUnauthorized
        raise web.HTTPSeeOther("/admin")

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response({token: given["comment"] for token, given in self.answers.items()})

    async def overwrite(self, request: web.Request) -> web.Response:
        """Set an answer as nobody does now: as a stale standby would, or one that was sent and never waited for."""
        self.versions[request.match_info["token"]] += 1
        self.answers[request.match_info["token"]]["comment"] = await request.text()
        return web.Response()

    async def reset(self, request: web.Request) -> web.Response:
        self.answers.clear()
        self.versions.clear()
        self.closed = False
        return web.Response()

    async def close(self, request: web.Request) -> web.Response:
        self.closed = await request.text() == "closed"
        return web.Response()

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/a/{token}", self.show),
                web.post("/a/{token}", self.take),
                web.post("/login", self.sign_in),
                web.get("/state", self.state),
                web.post("/overwrite/{token}", self.overwrite),
                web.post("/doors", self.close),
                web.post("/reset", self.reset),
            ]
        )
        return app


class Mail:
    """A carrier's mail node; what is handed to the provider API arrives at once. `noticed=0` mails get no notice."""

    def __init__(self) -> None:
        self.mails: list[dict[str, object]] = []
        self.noticed: list[dict[str, object]] = []
        self.more = asyncio.Condition()

    async def arrive(self, mails: list[dict[str, object]], notice: bool) -> None:
        async with self.more:
            for mail in mails:
                row = {**mail, "seq": len(self.mails) + 1, "at_ns": time.monotonic_ns()}
                self.mails.append(row)
                if notice:
                    self.noticed.append(row)
            self.more.notify_all()

    async def send(self, request: web.Request) -> web.Response:
        messages = (await request.json())["messages"]
        await self.arrive(messages, request.query.get("noticed", "1") == "1")
        return web.json_response({"accepted": len(messages)}, status=202)

    async def notices(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        sent, to = 0, request.query.get("to")
        with contextlib.suppress(ConnectionError):  # the handset is gone
            while True:
                lines = "".join(
                    json.dumps(row) + "\n" for row in self.noticed[sent:] if to in (None, row["to"])
                )
                sent = len(self.noticed)
                await response.write(lines.encode() or b"\n")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.more_than(sent), 1.0)
        return response

    async def more_than(self, sent: int) -> None:
        async with self.more:
            await self.more.wait_for(lambda: len(self.noticed) > sent)

    async def mailbox(self, request: web.Request) -> web.Response:
        address = request.match_info["address"]
        return web.json_response([mail for mail in self.mails if mail["to"] == address])

    async def reset(self, request: web.Request) -> web.Response:
        self.mails.clear()
        self.noticed.clear()
        return web.Response()

    async def telegrams(self, request: web.Request) -> web.Response:
        return web.json_response({"telegrams": [], "last": int(request.query["after"])})

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/v3/mail/send", self.send),
                web.get("/notices", self.notices),
                web.get("/mailboxes/{address}", self.mailbox),
                web.get("/telegrams", self.telegrams),
                web.post("/reset", self.reset),
            ]
        )
        return app


async def serve(app: web.Application, ports: list[int], secure: list[int], certificate: str) -> None:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    for port in ports:
        await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, str(Path(certificate).with_suffix(".key")))
        for port in secure:
            await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


async def main() -> None:
    if sys.argv[1] == "entrances":
        a, b, tls_a, tls_b = map(int, sys.argv[2:6])
        await serve(Service().app(), [a, b], [tls_a, tls_b], sys.argv[6])
    else:
        await serve(Mail().app(), [int(sys.argv[2])], [], "")


uvloop.run(main())
