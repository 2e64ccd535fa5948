from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load import http1
from harness.load.http1 import MalformedError, Reader


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[low:high] for low, high in pairwise(at)]


def chunked(body: bytes, sizes: list[int]) -> bytes:
    encoded, rest = b"", body
    for size in sizes:
        part, rest = rest[:size], rest[size:]
        if part:
            encoded += b"%x\r\n%b\r\n" % (len(part), part)
    if rest:
        encoded += b"%X;note=1\r\n%b\r\n" % (len(rest), rest)
    return encoded + b"0\r\n\r\n"


def read(parts: list[bytes]) -> Reader:
    reader = Reader()
    for part in parts:
        if part and reader.feed(part):
            break
    return reader


@given(body=st.binary(max_size=200), cuts=st.lists(st.integers(0, 1000), max_size=6))
def test_a_reply_of_known_length_is_the_same_however_it_is_cut(body: bytes, cuts: list[int]) -> None:
    reply = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    reader = read(pieces(reply, cuts))
    assert reader.complete
    assert reader.reply == http1.Reply(200, body)


@given(
    body=st.binary(max_size=200),
    sizes=st.lists(st.integers(1, 50), max_size=5),
    cuts=st.lists(st.integers(0, 1000), max_size=6),
)
def test_a_chunked_reply_is_the_same_however_it_is_cut(
    body: bytes, sizes: list[int], cuts: list[int]
) -> None:
    reply = b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, sizes)
    reader = read(pieces(reply, cuts))
    assert reader.complete
    assert reader.reply == http1.Reply(503, body)


def test_a_reply_without_length_ends_with_the_connection() -> None:
    reader = read([b"HTTP/1.0 200 OK\r\n\r\nall of"])
    assert not reader.complete
    assert not reader.feed(b" it")
    assert reader.end()
    assert reader.reply.body == b"all of it"


def test_a_connection_that_ends_too_soon_makes_no_reply() -> None:
    for begun in (b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour"):
        reader = read([begun])
        assert not reader.end()


def test_a_stream_is_taken_as_it_comes() -> None:
    reader = Reader()
    reader.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab\ncd\r\n")
    assert reader.take() == b"ab\ncd"
    assert reader.take() == b""
    reader.feed(b"1\r\n\n\r\n")
    assert reader.take() == b"\n"
    assert not reader.complete


@pytest.mark.parametrize("data", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"x" * 70_000])
def test_what_is_not_http_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Reader().feed(data)


def test_the_answer_form_is_sent_as_a_browser_sends_it() -> None:
    request = http1.answer("t0k3n", "anpi.example", 7, "help", "no", version=3)
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /a/t0k3n HTTP/1.1"
    assert b"Host: anpi.example" in lines
    assert b"Content-Length: %d" % len(body) in lines
    assert body == b"version=3&status=help&come=no&comment=7"


@pytest.mark.parametrize(
    ("page", "value"),
    [
        (b'<p id="current" data-status="safe" data-come="yes" data-comment="7">', 7),
        (b'<p class="x" data-comment="12" id="current" data-status="safe">', 12),
        (b'<p id="current" data-status="">', 0),
        (b'<p id="current" data-status="safe" data-come="no" data-comment="">', 0),
        (b'<p data-comment="7">no such page</p>', None),
        (b"", None),
    ],
)
def test_the_value_is_read_from_the_page(page: bytes, value: int | None) -> None:
    assert http1.seen_value(page) == value


@pytest.mark.parametrize(
    ("page", "version"),
    [
        (b'<form method="post"><input type="hidden" name="version" value="0"></form>', 0),
        (b'<form method="post"><input type="hidden" name="version" value="12"></form>', 12),
        (b'<input type="radio" name="status" value="3">', None),
        (b"", None),
    ],
)
def test_what_the_form_would_replace_is_read_from_the_page(page: bytes, version: int | None) -> None:
    assert http1.seen_version(page) == version
