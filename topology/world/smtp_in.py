"""SMTP in: aiosmtpd, with the two extensions that make many mails on one connection cheap.

PIPELINING (RFC 2920) and CHUNKING (RFC 3030): a sender writes MAIL, RCPT and BDAT of many mails at once. Commands are
worked off without waiting for the disk, and the answers leave in order when the mails they stand for are stored:

    BDAT ── accept ── (journal, one fdatasync for many) ── 250
    MAIL ──────────── 250 waits behind it
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from collections.abc import Sequence
from typing import Protocol, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

SIZE_LIMIT = 1 << 20
"""Octets of one mail, as EHLO announces it."""

_BUFFER = 1 << 17
_DISCARD = 1 << 16
_AHEAD = 1000
_PLAIN_PATH = re.compile(r"<([^\s<>@\"]+@[A-Za-z0-9.-]+)>(.*)")

# aiosmtpd prints every command, with the addresses in it.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


class Postbox(Protocol):
    """Where mails go."""

    def refusal(self, address: str) -> str | None:
        """Why nothing can be delivered to this address, as a reply; None if it can."""
        ...

    def accept(self, recipients: Sequence[str], content: bytes) -> asyncio.Future[str]:
        """Take a mail for these addresses.

        The future gives the reply once the mail is durable, or was refused; it never fails.
        """
        ...


class Hooks:
    """What aiosmtpd asks us."""

    def __init__(self, postbox: Postbox) -> None:
        self._postbox = postbox

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-CHUNKING", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self._postbox.refusal(address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        # A sender that hangs up ends this task, and must not take the postbox's future with it.
        return await asyncio.shield(self._postbox.accept(envelope.rcpt_tos, envelope.original_content or b""))

    async def handle_exception(self, error: Exception) -> str:
        print(f"smtp: {type(error).__name__} in a session", flush=True)
        return "451 4.3.0 Local error in processing"


class SmtpIn(SMTP):
    """One connection of a sender."""

    line_length_limit = _BUFFER

    def __init__(self, postbox: Postbox, hostname: str) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            Hooks(postbox), hostname=hostname, ident="ESMTP", data_size_limit=SIZE_LIMIT, loop=loop
        )
        self._postbox = postbox
        self._chunks: list[bytes] = []
        self._replies: deque[bytes | asyncio.Future[str]] = deque()
        self._flushing = False

    # -- answers, in order -------------------------------------------------------------------------------------

    async def push(self, status: str | bytes) -> None:
        self._replies.append(status if isinstance(status, bytes) else status.encode("ascii", "replace"))
        self._flush_soon()

    def _promise(self, reply: asyncio.Future[str]) -> None:
        self._replies.append(reply)
        reply.add_done_callback(self._flush_soon)

    def _flush_soon(self, _: object = None) -> None:
        if not self._flushing:
            self._flushing = True
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        ready = []
        while self._replies:
            reply = self._replies[0]
            if isinstance(reply, asyncio.Future):
                if not reply.done():
                    break
                reply = reply.result().encode("ascii", "replace")
            ready += [reply, b"\r\n"]
            self._replies.popleft()
        if ready and self.transport is not None:
            cast(asyncio.WriteTransport, self.transport).write(b"".join(ready))

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        if promised := [reply for reply in self._replies if isinstance(reply, asyncio.Future)]:
            await asyncio.wait(promised)
        self._replies.append(b"221 2.0.0 Bye")
        self._flush()
        if self.transport is not None:
            self.transport.close()

    # -- mails in chunks ---------------------------------------------------------------------------------------

    async def smtp_BDAT(self, arg: str | None) -> None:  # noqa: N802
        size, _, last = (arg or "").partition(" ")
        if not size.isascii() or not size.isdigit() or last.upper() not in ("", "LAST"):
            await self.push("501 Syntax: BDAT size [LAST]")
            return
        recipients = self.envelope.rcpt_tos if self.envelope else []
        held = sum(map(len, self._chunks)) + int(size)
        if held > SIZE_LIMIT:
            await self._refuse_chunk(int(size), "552 5.3.4 Message too big")
        elif not recipients:
            await self._refuse_chunk(int(size), "503 5.5.1 Need RCPT command")
        else:
            self._chunks.append(await self._reader.readexactly(int(size)))
            if not last:
                await self.push(f"250 2.0.0 {size} octets received")
                return
            reply = self._postbox.accept(recipients, b"".join(self._chunks))
            self._promise(reply)
            self._set_post_data_state()
            if len(self._replies) > _AHEAD:
                await asyncio.wait([reply])

    async def _refuse_chunk(self, size: int, reply: str) -> None:
        """The octets are on their way whatever we think of them (RFC 3030 section 2), so read them first."""
        while size > 0:
            size -= len(await self._reader.readexactly(min(size, _DISCARD)))
        self._set_post_data_state()
        await self.push(reply)

    # -- aiosmtpd's own parts, made cheaper or safer -----------------------------------------------------------

    def _set_post_data_state(self) -> None:
        super()._set_post_data_state()  # type: ignore[no-untyped-call]
        self._chunks = []

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """The full grammar of RFC 5322 costs more than all the rest of a mail; nearly no address needs it."""
        match = _PLAIN_PATH.fullmatch(arg)
        return (match[1], match[2]) if match else super()._getaddr(arg)
