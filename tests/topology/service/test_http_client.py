"""Asking another node: an answer, or why there is none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.topology.service.postgres import free_port
from tests.topology.service.provider import Provider
from topology.service.http_client import Answer, NoAnswer, Unreached, ask
from topology.service.settings import Address


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


def post(port: int, within_s: float = 2.0) -> Answer:
    return asyncio.run(ask(Address("127.0.0.1", port), "/", b'{"messages": []}', within_s=within_s))


def test_an_answer_is_its_status_and_its_body(provider: Provider) -> None:
    answer = post(provider.port)

    assert (answer.status, answer.json()) == (202, {"accepted": 0})


def test_who_is_not_there_certainly_took_nothing() -> None:
    with pytest.raises(Unreached):
        post(free_port())


@pytest.mark.parametrize("mode", ["cut", "silent"])
def test_who_says_nothing_may_have_taken_it_and_is_not_waited_for(provider: Provider, mode: str) -> None:
    provider.mode = mode
    began_s = time.monotonic()
    with pytest.raises(NoAnswer):
        post(provider.port, within_s=0.3)

    assert time.monotonic() - began_s < 1


@pytest.mark.parametrize(
    "reply",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", b"\x00\xff\r\n\r\n", b"HTTP/1.1 x\r\n\r\n"],
)
def test_half_an_answer_is_none(reply: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()

    async def ask_it() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1")
        async with server:
            port = server.sockets[0].getsockname()[1]
            await ask(Address("127.0.0.1", port), "/")

    with pytest.raises(NoAnswer):
        asyncio.run(ask_it())
