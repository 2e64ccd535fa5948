"""Our SMTP client and server, with each other and with what others wrote."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from topology.world.smtp_in import SIZE_LIMIT, SmtpIn
from topology.world.smtp_out import Letter, Reply, SmtpSession

CONTENT = b"Message-ID: <1@x>\r\n\r\n.leading dot\r\n.\r\nlast\r\n"


@dataclass
class Shelf:
    """A postbox that the test opens and shuts. `late`: nothing is durable before `settle`."""

    late: bool = False
    taken: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    pending: list[asyncio.Future[str]] = field(default_factory=list)

    def refusal(self, address: str) -> str | None:
        if address.startswith("busy"):
            return "451 4.2.1 Later"
        return None if address.endswith("@docomo.example") else "550 5.1.2 No such domain here"

    def accept(self, recipients: Sequence[str], content: bytes) -> asyncio.Future[str]:
        self.taken.append((tuple(recipients), content))
        self.pending.append(asyncio.get_running_loop().create_future())
        if not self.late:
            self.settle()
        return self.pending[-1]

    def settle(self) -> None:
        """Last first: the answers must come in order all the same."""
        for number, future in reversed(list(enumerate(self.pending))):
            if not future.done():
                future.set_result(f"250 2.0.0 Stored as {number}")


@asynccontextmanager
async def serving(protocol: Callable[[], asyncio.BaseProtocol]) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def calling(port: int, timeout_s: float = 10) -> AsyncIterator[SmtpSession]:
    session = await SmtpSession.open("127.0.0.1", port, name="east", connect_s=10, timeout_s=timeout_s)
    yield session
    session.close()


def run(story: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


def letter(to: str, content: bytes = CONTENT) -> Letter:
    return Letter("anpi@anpi.example", to, content)


def test_many_mails_share_a_round_trip_and_each_gets_its_own_answer() -> None:
    async def story() -> None:
        shelf = Shelf()
        async with serving(lambda: SmtpIn(shelf, "mail")) as port, calling(port) as session:
            replies = await session.send(
                [
                    letter("p1@docomo.example"),
                    letter("p2@elsewhere.example"),
                    letter("busy@docomo.example"),
                    letter("p3@docomo.example", CONTENT * 100),
                ]
            )
        assert [reply and (reply.code, reply.taken, reply.final) for reply in replies] == [
            (250, True, True),
            (550, False, True),
            (451, False, False),
            (250, True, True),
        ]
        assert shelf.taken == [(("p1@docomo.example",), CONTENT), (("p3@docomo.example",), CONTENT * 100)]

    run(story())


@pytest.mark.parametrize(
    ("reply", "throttles"),
    [
        (Reply(450, "4.7.1 Too many mails at once, try again later"), True),
        (Reply(421, "4.3.2 Closing the connection"), True),
        (Reply(451, "4.2.1 Later"), False),
        (Reply(452, "4.3.1 Insufficient system storage"), False),
        (Reply(550, "5.7.1 Refused"), False),
        (Reply(250, "2.0.0 Stored"), False),
    ],
)
def test_who_throttles_has_nothing_against_the_mail(reply: Reply, throttles: bool) -> None:
    assert reply.throttles == throttles


def test_answers_keep_their_order_whatever_is_durable_first() -> None:
    async def story() -> None:
        shelf = Shelf(late=True)
        async with serving(lambda: SmtpIn(shelf, "mail")) as port, calling(port) as session:
            sending = asyncio.create_task(session.send([letter(f"p{n}@docomo.example") for n in range(50)]))
            while len(shelf.taken) < 50:  # all fifty are in before any is durable
                await asyncio.sleep(0.001)
            shelf.settle()
            assert [str(reply) for reply in await sending] == [f"250 2.0.0 Stored as {n}" for n in range(50)]

    run(story())


@pytest.mark.parametrize("last_words", [b"", b"250 OK\r\n250", b"nonsense\r\n"])
def test_nobody_knows_what_a_server_has_that_dies(last_words: bytes) -> None:
    """It takes two mails, and breaks off in the middle of its answer to the second."""

    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        await reader.readline()
        writer.write(b"250-mail\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
        for _ in range(2):
            await reader.readuntil(CONTENT)
        writer.write(b"250 OK\r\n250 OK\r\n250 Stored\r\n" + last_words)
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(die, "127.0.0.1", 0)
        async with server, calling(server.sockets[0].getsockname()[1]) as session:
            replies = await session.send([letter("p1@docomo.example"), letter("p2@docomo.example")])
            assert replies == [Reply(250, "Stored"), None]
            assert session.broken
            assert await session.send([letter("p3@docomo.example")]) == [None]

    run(story())


def test_a_silent_server_is_given_up() -> None:
    async def story() -> None:
        async with serving(lambda: SmtpIn(Shelf(late=True), "mail")) as port, calling(port, 0.1) as session:
            assert await session.send([letter("p1@docomo.example")]) == [None]
            assert session.broken

    run(story())


def test_a_server_without_extensions_gets_one_mail_at_a_time() -> None:
    """aiosmtpd as it comes."""
    kept = []

    class Handler:
        async def handle_RCPT(  # noqa: N802
            self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
        ) -> str:
            if address.startswith("nobody"):
                return "550 5.1.1 Nobody"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            kept.append((envelope.rcpt_tos[0], envelope.original_content))
            return "451 4.0.0 Later" if envelope.rcpt_tos[0].startswith("busy") else "250 Kept"

    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with (
            serving(lambda: SMTP(Handler(), hostname="mail", loop=loop)) as port,
            calling(port) as session,
        ):
            to = ["p1@a.example", "nobody@a.example", "busy@a.example", "p2@a.example"]
            replies = await session.send([letter(address) for address in to])
        assert [reply and reply.code for reply in replies] == [250, 550, 451, 250]
        assert kept == [(address, CONTENT) for address in to if not address.startswith("nobody")]

    run(story())


def test_a_server_that_is_not_there_is_an_error() -> None:
    async def story() -> None:
        async with serving(asyncio.Protocol) as port:
            pass
        with pytest.raises((OSError, aiosmtplib.SMTPException)):
            async with calling(port):
                pass

    run(story())


def by_smtplib(use: Callable[[smtplib.SMTP], None]) -> Shelf:
    """Let Python's own client talk to our server."""
    shelf = Shelf()

    def talk(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="other", timeout=10) as client:
            use(client)

    async def story() -> None:
        async with serving(lambda: SmtpIn(shelf, "mail")) as port:
            await asyncio.to_thread(talk, port)

    run(story())
    return shelf


def test_another_client_delivers_with_data() -> None:
    def use(client: smtplib.SMTP) -> None:
        client.ehlo()
        assert client.has_extn("pipelining")
        assert client.has_extn("chunking")
        refused = client.sendmail(
            "a@b.example", ["p1@docomo.example", "p2@docomo.example", "p@c.example"], CONTENT
        )
        assert refused == {"p@c.example": (550, b"5.1.2 No such domain here")}

    assert by_smtplib(use).taken == [(("p1@docomo.example", "p2@docomo.example"), CONTENT)]


def test_a_mail_may_come_in_several_chunks() -> None:
    def use(client: smtplib.SMTP) -> None:
        client.ehlo()
        client.mail("a@b.example")
        client.rcpt("p1@docomo.example")
        client.send(b"BDAT 5\r\nhello")
        assert client.getreply()[0] == 250
        client.send(b"BDAT 6 LAST\r\n world")
        assert client.getreply()[0] == 250

    assert by_smtplib(use).taken == [(("p1@docomo.example",), b"hello world")]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"BDAT\r\n", 501),
        (b"BDAT five LAST\r\n", 501),
        (b"BDAT -1 LAST\r\n", 501),
        (b"BDAT 5 FIRST\r\n", 501),
        (b"BDAT %d LAST\r\n%s" % (SIZE_LIMIT + 1, b"x" * (SIZE_LIMIT + 1)), 552),
        (b"NONSENSE\r\n", 500),
        (b"x" * 5000 + b"\r\n", 500),
        (b"RCPT TO:<p1@docomo.example> NOSUCH=1\r\n", 555),
    ],
)
def test_nonsense_is_refused_and_the_connection_goes_on(command: bytes, code: int) -> None:
    def use(client: smtplib.SMTP) -> None:
        client.ehlo()
        client.mail("a@b.example")
        client.rcpt("p1@docomo.example")
        client.send(command)
        assert client.getreply()[0] == code
        client.rset()
        client.sendmail("a@b.example", ["p2@docomo.example"], CONTENT)

    assert by_smtplib(use).taken == [(("p2@docomo.example",), CONTENT)]


def test_chunks_without_a_recipient_are_read_and_refused() -> None:
    def use(client: smtplib.SMTP) -> None:
        client.ehlo()
        client.send(b"BDAT 4 LAST\r\nQUITNOOP\r\n")
        assert client.getreply()[0] == 503
        assert client.getreply()[0] == 250

    assert by_smtplib(use).taken == []
