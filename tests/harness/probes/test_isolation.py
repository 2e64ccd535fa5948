"""The observers who ask for another company's data, against services that keep it and services that do not."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from itsdangerous import BadSignature, URLSafeTimedSerializer

from harness import canaries
from harness.load.access import Entrance
from harness.probes.intrusions import COOKIE, SALT, TURNS, Intrusions, Target
from harness.probes.isolation import FILE, IsolationConfig, Lane, Record
from harness.probes.replies import Answered

MARK = canaries.mark(3)
OWN, OTHER, KEY = 1, 2, "key of the tests"
SIGNER = URLSafeTimedSerializer(KEY, salt=SALT)
TARGET = Target(OWN, OTHER, "admin", "secret", (7, 8, 9), "0123456789abcdef" * 2, KEY, "anpi.example")

#: Head and body of a reply, from the request's path, cookie and body.
Serve = Callable[[str, str, str], tuple[int, str, str]]
REFUSED = (303, "Location: /login\r\n", "")


def careful(path: str, cookie: str, body: str) -> tuple[int, str, str]:
    """As the service does it."""
    if path == "/login":
        right = f"company={OWN}&user=admin&password=secret" == body
        session = f"Location: /admin\r\nSet-Cookie: {COOKIE}={SIGNER.dumps(OWN)}; HttpOnly\r\n"
        return (303, session, "") if right else (401, "", "no")
    page, _, query = path.partition("?")
    if page not in ("/admin", "/admin/unconfirmed", "/admin/answers.csv"):
        return 404, "", "nothing"
    try:
        if SIGNER.loads(cookie.partition(f"{COOKIE}=")[2].partition(";")[0], max_age=12 * 3600) != OWN:
            return REFUSED
    except BadSignature:
        return REFUSED
    asked = dict(pair.partition("=")[::2] for pair in query.split("&"))
    if asked.get("company", str(OWN)) != str(OWN) or asked.get("broadcast", "11") != "11":
        return 403, "", "no"
    return 200, "", "Company 1"


def shows_other(path: str, cookie: str, body: str) -> tuple[int, str, str]:
    status, head, text = careful(path, cookie, body)
    return (200, "", f"tally of {canaries.name_mark(MARK)}") if status == 403 else (status, head, text)


def believes_expired(path: str, cookie: str, body: str) -> tuple[int, str, str]:
    with suppress(BadSignature):
        if SIGNER.loads(cookie.partition(f"{COOKIE}=")[2].partition(";")[0]) == OTHER:
            return 200, "", "a page without any name"
    return careful(path, cookie, body)


def shows_any_broadcast(path: str, cookie: str, body: str) -> tuple[int, str, str]:
    status, head, text = careful(path, cookie, body)
    return (200, "", "41 of 60 answered") if status == 403 and "broadcast" in path else (status, head, text)


def hangs_up(path: str, cookie: str, body: str) -> tuple[int, str, str]:
    if path != "/login":
        raise ConnectionResetError
    return careful(path, cookie, body)


def ask(tmp_path: Path, serve: Serve, turns: int = 60) -> tuple[Counter[str], list[dict[str, object]]]:
    """So many turns of one lane against a service; the totals, and what was written down."""

    async def one() -> Counter[str]:
        server = await asyncio.start_server(_answering(serve), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        marks = [canaries.name_mark(MARK).encode(), canaries.address_mark(MARK).encode()]
        record = Record(tmp_path / FILE, marks)
        entrance = Entrance("a", "127.0.0.1", port, port)
        lane = Lane(entrance, Intrusions(TARGET, 1), record, tls=False)
        for _ in range(turns):
            await lane.turn()
        record.close()
        server.close()
        return record.total

    total = asyncio.run(one())
    return total, [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]


def _answering(
    serve: Serve,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.partition(": ")[::2] for line in head.split("\r\n")[1:])
                body = (await reader.readexactly(int(fields.get("Content-Length", 0)))).decode()
                status, more, text = serve(head.split(" ")[1], fields.get("Cookie", ""), body)
                length = f"Content-Length: {len(text)}\r\n"
                writer.write(f"HTTP/1.1 {status} X\r\n{more}{length}\r\n{text}".encode())
        writer.close()

    return answer


def test_a_service_that_keeps_it_refuses_every_kind(tmp_path: Path) -> None:
    total, rows = ask(tmp_path, careful)
    assert total["leaked"] == 0
    assert total["refused"] > 500
    (counts,) = (row for row in rows if row["what"] == "counts")
    assert {name.partition(".")[0] for name in counts if "." in name} == set(TURNS)
    assert {row["broadcast"] for row in rows if row["what"] == "granted"} <= {11}


@pytest.mark.parametrize(
    ("serve", "kinds", "why"),
    [
        (shows_other, {"company", "broadcast"}, "is in the reply"),
        (believes_expired, {"expired"}, "it was not refused"),
    ],
)
def test_what_leaks_is_told_in_full(tmp_path: Path, serve: Serve, kinds: set[str], why: str) -> None:
    _, rows = ask(tmp_path, serve)
    leaks = [row for row in rows if row["what"] == "leak"]
    assert {str(leak["kind"]) for leak in leaks} >= kinds
    assert all(why in str(leak["why"]) and leak["request"] and leak["reply"] for leak in leaks)


def test_a_broadcast_that_is_shown_is_left_to_be_judged(tmp_path: Path) -> None:
    total, rows = ask(tmp_path, shows_any_broadcast)
    assert total["leaked"] == 0
    assert len({row["broadcast"] for row in rows if row["what"] == "granted"}) > 10


def test_a_connection_that_ends_is_no_refusal(tmp_path: Path) -> None:
    total, _ = ask(tmp_path, hangs_up, 5)
    assert (total["refused"], total["leaked"]) == (0, 0)
    assert total["unanswered"] == 50


@pytest.mark.parametrize(
    ("status", "head", "refused"),
    [
        (403, b"", True),
        (503, b"", True),
        (303, b"\r\nLocation: /login", True),
        (303, b"\r\nlocation: http://anpi.example/login?again=1", True),
        (303, b"\r\nLocation: /admin", False),
        (302, b"", False),
        (200, b"", False),
    ],
)
def test_a_refusal_is_an_error_or_the_way_to_the_login(status: int, head: bytes, refused: bool) -> None:
    assert Answered(status, b"HTTP/1.1 x" + head + b"\r\n\r\n", b"").refused is refused


def test_the_same_seed_asks_the_same() -> None:
    first, second, other = Intrusions(TARGET, 1), Intrusions(TARGET, 1), Intrusions(TARGET, 2)
    lines = [[next(one).line for _ in range(300)] for one in (first, second, other)]
    assert lines[0] == lines[1] != lines[2]


def test_the_settings_travel_unchanged(tmp_path: Path) -> None:
    config = IsolationConfig(tmp_path, (Entrance("a", "10.0.0.1", 8001, 8401),), TARGET, MARK, 1)
    assert IsolationConfig.from_json(config.to_json()) == config
