"""The feed receiver and its API: what was acknowledged is never lost, and is numbered once."""

from __future__ import annotations

import ftplib
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.topology.service.conftest import exported
from tests.topology.service.node import Node, until
from tests.topology.service.postgres import Postgres, free_port
from tests.topology.service.telegrams import quake

pytestmark = pytest.mark.takes(8)

Start = Callable[..., Node]


def start_feed(start: Start, *databases: Postgres, **given: str) -> tuple[Node, int]:
    """A receiver that is up, and its FTP port."""
    port = free_port()
    return start("feed", *databases, FTP_PORT=str(port), **given).until_healthy(), port


def connected(port: int) -> ftplib.FTP:
    """Not logged in yet."""
    ftp = ftplib.FTP(timeout=15)  # noqa: S321 -- what the agency speaks
    ftp.connect("127.0.0.1", port)
    return ftp


def send(port: int, *bodies: bytes) -> None:
    """As the agency does. Returns when all are acknowledged; raises ftplib.Error for one that is not."""
    with connected(port) as ftp:
        ftp.login()
        for i, body in enumerate(bodies):
            assert ftp.storbinary(f"STOR telegram-{i}.xml", io.BytesIO(body)).startswith("226")


def telegrams(api: Node, after: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(api.ask("GET", f"/telegrams?after={after}").body)["telegrams"]
    return found


def test_a_telegram_that_both_receivers_got_is_given_out_once(empty: Postgres, start: Start) -> None:
    (_, a), (_, b) = start_feed(start, empty), start_feed(start, empty)
    api = start("feed-api", empty).until_healthy()
    bodies = [quake(f"2026031114460{i}", {"350": "6+"}) for i in range(8)]

    with ThreadPoolExecutor() as agency:
        list(agency.map(lambda port: send(port, *bodies), (a, b)))
    until(lambda: len(telegrams(api)) >= 8, 5, "the telegrams are given out")

    found = telegrams(api)
    assert [row["number"] for row in found] == list(range(1, 9))
    assert sorted(row["event"] for row in found) == [f"2026031114460{i}" for i in range(8)]
    first = found[0]
    assert (first["kind"], first["info"], first["status"]) == ("VXSE51", "発表", "通常")
    assert (first["areas"], first["tsunami"], first["special"]) == ({"350": "6+"}, False, False)
    assert [row["number"] for row in telegrams(api, after=6)] == [7, 8]


def test_no_number_appears_below_one_already_seen(empty: Postgres, start: Start) -> None:
    ports = [start_feed(start, empty)[1] for _ in range(2)]
    api = start("feed-api", empty).until_healthy()
    seen: list[int] = []

    def look() -> bool:
        new = [row["number"] for row in telegrams(api, after=seen[-1] if seen else 0)]
        assert new == list(range(len(seen) + 1, len(seen) + 1 + len(new)))
        seen.extend(new)
        return len(seen) == 40

    with ThreadPoolExecutor() as agency:
        for half, port in enumerate(ports):
            agency.submit(send, port, *[quake(f"{half}{i:02d}", {"350": "7"}) for i in range(20)])
        until(look, 8, "all are seen")


def test_an_acknowledged_telegram_survives_the_loss_of_the_database_and_a_kill(
    mortal: Postgres, start: Start, tmp_path: Path
) -> None:
    feed, port = start_feed(start, mortal, DATA=str(tmp_path / "disk"))
    mortal.kill()

    send(port, quake("20260311144640", {"350": "7"}))
    feed.kill()
    mortal.start()
    start_feed(start, mortal, DATA=str(tmp_path / "disk"))

    until(lambda: len(exported(mortal, "telegrams")) == 1, 5, "the telegram is stored")


def test_what_is_no_telegram_is_noted_and_holds_nothing_up(empty: Postgres, start: Start) -> None:
    _, port = start_feed(start, empty)
    api = start("feed-api", empty).until_healthy()

    send(port, b"", b"not XML", b"<Weather/>", b"\x00\xff" * 500, b"not XML", quake("1", {"350": "7"}))

    until(lambda: len(telegrams(api)) == 1, 5, "the telegram after them is given out")
    problems = [str(row["problem"]) for row in exported(empty, "telegrams") if row["problem"]]
    assert len(problems) == 4
    assert any("root is Weather" in problem for problem in problems)


def test_an_upload_that_breaks_off_is_not_acknowledged(empty: Postgres, start: Start) -> None:
    feed, port = start_feed(start, empty)
    with connected(port) as ftp:
        ftp.login()
        data = ftp.transfercmd("STOR broken.xml")
        data.sendall(quake("1", {"350": "7"})[:300])
        data.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: reset, as a line that breaks
        data.close()
        with pytest.raises(ftplib.Error):
            ftp.voidresp()
    send(port, quake("2", {"350": "7"}))

    until(lambda: bool(exported(empty, "telegrams")), 5, "the next one is stored")
    assert [row["event"] for row in exported(empty, "telegrams")] == ["2"]
    assert feed.healthy()


def test_the_agency_can_do_nothing_but_store(empty: Postgres, start: Start) -> None:
    _, port = start_feed(start, empty)
    send(port, quake("1", {"350": "7"}))
    with connected(port) as ftp:
        ftp.login()
        for command in ("LIST", "RETR telegram-0.xml", "DELE telegram-0.xml", "MKD folder"):
            with pytest.raises(ftplib.error_perm):
                ftp.voidcmd(command)


def test_what_is_larger_than_any_telegram_is_refused(empty: Postgres, start: Start) -> None:
    feed, port = start_feed(start, empty)
    ftp = connected(port)
    ftp.login()
    # The receiver ends the connection half-way, so the sender may see that before the reason.
    with pytest.raises((ftplib.Error, OSError)):
        ftp.storbinary("STOR huge.xml", io.BytesIO(b"<" * 5_000_000))
    ftp.close()

    assert feed.healthy()


def test_with_a_password_only_the_agency_gets_in(empty: Postgres, start: Start) -> None:
    _, port = start_feed(start, empty, FEED_PASSWORD="known to both")
    with connected(port) as ftp:
        with pytest.raises(ftplib.error_perm):
            ftp.login()
        with pytest.raises(ftplib.error_perm):
            ftp.login("agency", "guess")
        ftp.login("agency", "known to both")


@pytest.mark.parametrize("after", ["x", "-1", "", "9" * 30, "1;DROP TABLE telegrams"])
def test_a_bad_question_is_refused(empty: Postgres, start: Start, after: str) -> None:
    api = start("feed-api", empty).until_healthy()

    assert api.ask("GET", f"/telegrams?after={after.replace(' ', '%20')}").status == 400


def test_without_a_database_the_api_says_so(mortal: Postgres, start: Start) -> None:
    api = start("feed-api", mortal).until_healthy()
    mortal.kill()

    until(lambda: api.ask("GET", "/telegrams").status == 503, 3, "it says so")
