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
from harness.probes.attempts import FILE, Record
from harness.probes.intrusions import COOKIE, SALT, TURNS, Intrusions, Target
from harness.probes.isolation import IsolationConfig
from harness.probes.lanes import BEHIND_S, Lane, Timetable
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
        record = Record(tmp_path / FILE, marks, {"a, http": "singapore"})
        entrance = Entrance("a", "127.0.0.1", port, port)
        lane = Lane(entrance, Intrusions(TARGET, 1), asyncio.Lock(), record, tls=False)
        for _ in range(turns):
            await lane.turn(10)
        lane.close()
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
    assert rows[0]["regions"] == {"a, http": "singapore"}
    (counts,) = (row for row in rows if row["what"] == "counts")
    assert counts["ways"] == {"a, http": {outcome: count for outcome, count in total.items() if count}}
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
    entrances = (Entrance("a", "10.0.0.1", 8001, 8401),)
    config = IsolationConfig(tmp_path, entrances, {"a": "singapore"}, TARGET, MARK, 1)
    assert IsolationConfig.from_json(config.to_json()) == config


# -- the timetable ----------------------------------------------------------------------------------------------------

RATE = 200.0


def abreast(
    tmp_path: Path, *servers: Callable[..., Awaitable[None]], seconds: float
) -> dict[str, Counter[str]]:
    """A lane to each of these servers, on one timetable; what came of it, by server."""

    async def go() -> None:
        record = Record(tmp_path / FILE, [MARK.encode()], {})
        intrusions, signing_in, timetable = Intrusions(TARGET, 1), asyncio.Lock(), Timetable(RATE)
        listening = [await asyncio.start_server(serve, "127.0.0.1", 0) for serve in servers]
        lanes = [
            Lane(
                Entrance(str(number), "127.0.0.1", port := server.sockets[0].getsockname()[1], port),
                intrusions, signing_in, record, tls=False,
            )
            for number, server in enumerate(listening)
        ]  # fmt: skip
        tasks = [asyncio.create_task(lane.go(timetable)) for lane in lanes]
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not done
        for lane in lanes:
            lane.close()
        record.close()
        for server in listening:
            server.close()
            await server.wait_closed()

    asyncio.run(go())
    rows = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    (counts,) = (row for row in rows if row["what"] == "counts")
    ways = counts["ways"]
    return {str(number): Counter(ways.get(f"{number}, http", {})) for number in range(len(servers))}


async def holds(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuses what asks for a database after a while, as a region does that stands by; one request after another."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await reader.readexactly(int(dict(each.partition(": ")[::2] for each in head.split("\r\n")[1:])
                                         .get("Content-Length", 0)))  # fmt: skip
            if " /a/" in head or "broadcast" in head:
                await asyncio.sleep(0.4)
            writer.write(b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
    writer.close()


async def breaks_off(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As the link does to a region that is gone."""
    writer.close()


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


def test_what_one_lane_leaves_the_others_do(tmp_path: Path) -> None:
    counts = abreast(tmp_path, _answering(careful), breaks_off, says_nothing, seconds=4.0)
    answered = sum(counts["0"].values())
    assert 0.75 * 4 * RATE < answered <= (4 + BEHIND_S) * RATE
    assert counts["1"]["unanswered"] <= 5  # a rest of a second after each
    assert counts["1"]["refused"] == counts["2"]["refused"] == 0


def test_what_is_held_up_is_waited_for(tmp_path: Path) -> None:
    counts = abreast(tmp_path, _answering(careful), holds, seconds=4.0)
    assert counts["1"]["refused"] >= 10
    assert counts["1"]["unanswered"] == 0
    assert sum(counts["0"].values()) > 0.7 * 4 * RATE
