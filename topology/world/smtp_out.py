"""SMTP out: aiosmtplib opens the session; where the server lets us, many mails then share each round trip.

    MAIL RCPT BDAT LAST | MAIL RCPT BDAT LAST | …   written at once (PIPELINING, RFC 2920, and CHUNKING, RFC 3030)
    250  250  250       | 250  550  503       | …   answers in the same order, three a mail

aiosmtplib itself waits for each answer before the next command, four round trips a mail. It is what is used with
servers that do not offer both extensions.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import aiosmtplib

COMMANDS = 3
"""Answers that a mail gets: to MAIL, to RCPT, to its content."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes over the wire: the envelope's two addresses, and the mail with CRLF line ends."""

    sender: str
    recipient: str
    content: bytes

    def pipelined(self) -> bytes:
        size = len(self.content)
        commands = (
            f"MAIL FROM:<{self.sender}> BODY=8BITMIME\r\nRCPT TO:<{self.recipient}>\r\nBDAT {size} LAST\r\n"
        )
        return commands.encode("ascii") + self.content


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said last about a mail."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"

    @property
    def taken(self) -> bool:
        return self.code < 400

    @property
    def throttles(self) -> bool:
        """The receiver has nothing against this mail, but against so many at once (RFC 3463: X.7.X is its policy)."""
        return 400 <= self.code < 500 and (self.code == 421 or self.text.startswith("4.7."))

    @property
    def final(self) -> bool:
        """False for a refusal that may be different later."""
        return self.taken or self.code >= 500


class SmtpSession:
    """One connection to a mail exchanger, to be used by one task. `close` it, whatever happens."""

    def __init__(self, client: aiosmtplib.SMTP, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._answers: _Answers | None = None

    @classmethod
    async def open(
        cls, host: str, port: int, *, name: str, connect_s: float, timeout_s: float
    ) -> SmtpSession:
        """Connect and say EHLO as `name`. Raises OSError or aiosmtplib.SMTPException.

        `timeout_s`: real seconds without any answer after which a server counts as gone.
        """
        client = aiosmtplib.SMTP(
            hostname=host, port=port, local_hostname=name, timeout=connect_s, use_tls=False, start_tls=False
        )
        session = cls(client, timeout_s)
        try:
            await client.connect()
            await client.ehlo()
        except BaseException:
            client.close()
            raise
        if client.supports_extension("pipelining") and client.supports_extension("chunking"):
            session._answers = _Answers.take_over(client)
        return session

    async def send(self, letters: Sequence[Letter]) -> list[Reply | None]:
        """Send the mails, and give what the server said to each, in their order.

        None: the connection broke before it said anything, so that nobody can know whether it has the mail.
        """
        if self._answers is not None:
            return await self._answers.send(letters, self._timeout_s)
        replies: list[Reply | None] = []
        for letter in letters:
            reply = await self._send_by_steps(letter)
            replies.append(reply)
            if reply is None:
                break
        return replies + [None] * (len(letters) - len(replies))

    @property
    def broken(self) -> bool:
        return self._answers.broken if self._answers is not None else not self._client.is_connected

    def close(self) -> None:
        """Hang up. Says QUIT, and does not wait for the answer."""
        if self._answers is not None:
            self._answers.close()
        self._client.close()

    async def _send_by_steps(self, letter: Letter) -> Reply | None:
        try:
            _, said = await self._client.sendmail(
                letter.sender, [letter.recipient], letter.content, timeout=self._timeout_s
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            return Reply(refusal.code, refusal.message)
        except aiosmtplib.SMTPResponseException as error:
            return Reply(error.code, error.message)
        except (aiosmtplib.SMTPException, OSError):
            self._client.close()
            return None
        return Reply(250, said)


class _Answers(asyncio.Protocol):
    """Reads a server's answers, any number of them on their way."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._rest = b""
        self._said: deque[Reply] = deque()
        self._news = asyncio.Event()
        self.broken = False

    @classmethod
    def take_over(cls, client: aiosmtplib.SMTP) -> _Answers:
        """Take the connection over from the library, after its EHLO."""
        assert client.protocol is not None
        transport = cast(asyncio.Transport, client.protocol.transport)
        answers = cls(transport)
        transport.set_protocol(answers)
        return answers

    async def send(self, letters: Sequence[Letter], timeout_s: float) -> list[Reply | None]:
        if self.broken:
            return [None] * len(letters)
        self._transport.write(b"".join(letter.pipelined() for letter in letters))
        replies: list[Reply | None] = []
        while len(replies) < len(letters):
            while len(self._said) >= COMMANDS:
                three = [self._said.popleft() for _ in range(COMMANDS)]
                replies.append(next((reply for reply in three if not reply.taken), three[-1]))
            if len(replies) == len(letters):
                break
            if self.broken or not await self._more(timeout_s):
                self.broken = True
                self._transport.abort()
                replies += [None] * (len(letters) - len(replies))
        return replies

    async def _more(self, timeout_s: float) -> bool:
        self._news.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        if not self.broken:
            self._transport.write(b"QUIT\r\n")
            self._transport.close()

    # -- what the connection says ------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        for line in lines:
            if line[3:4] == b"-":
                continue
            if not line[:3].isdigit():
                self.broken = True
                break
            self._said.append(Reply(int(line[:3]), line[4:].decode("utf-8", "replace")))
        self._news.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.broken = True
        self._news.set()
