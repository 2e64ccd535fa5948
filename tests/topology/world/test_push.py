"""Notices that are late or lost, and a receiver that throttles: settings of a carrier's mail."""

from __future__ import annotations

import json
import smtplib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.topology.world.conftest import Start
from tests.topology.world.program import Program, message, request, until
from topology.world.push import Push
from topology.world.relay import Pace

pytestmark = pytest.mark.takes(12)


@pytest.fixture
def own(start: Start) -> Program:
    return start("world.carrier_mail", ZONE="world.docomo", NODE="docomo-mail")


def call(carrier: Program, method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    address = f"http://127.0.0.1:{carrier._environment['PORT']}{path}"
    with urllib.request.urlopen(urllib.request.Request(address, data, method=method), timeout=5) as reply:
        return json.loads(reply.read())


def deliver(carrier: Program, count: int, first: int = 0) -> None:
    with smtplib.SMTP("127.0.0.1", carrier.smtp_port, local_hostname="east", timeout=10) as client:
        for number in range(first, first + count):
            content = f"Message-ID: <{number}@x>\r\n\r\nhello\r\n".encode()
            client.sendmail("a@b.example", [f"p{number}@docomo.example"], content)


def ids(rows: list[dict[str, Any]], result: str) -> set[str]:
    return {row["id"] for row in rows if row["result"] == result}


@given(st.floats(0, 1), st.floats(0, 1), st.text(min_size=1))
def test_the_fate_of_a_notice(lost: float, of_the_others: float, mail: str) -> None:
    push = Push(late=(1 - lost) * of_the_others, lost=lost, within_s=9.0)
    wait_s = push.wait_s(mail)
    assert wait_s is None or 0 <= wait_s < 9
    assert push.wait_s(mail) == wait_s
    assert Push().wait_s(mail) == 0.0
    assert Push(lost=1.0).wait_s(mail) is None


def test_shares_are_kept_by_many() -> None:
    push = Push(late=0.5, lost=0.2, within_s=60.0)
    waits = [push.wait_s(f"1.{n}.7@anpi.example") for n in range(20_000)]
    assert sum(wait is None for wait in waits) == pytest.approx(4000, abs=300)
    late = [wait for wait in waits if wait]
    assert len(late) == pytest.approx(10_000, abs=300)
    assert sum(late) / len(late) == pytest.approx(30, abs=1)


def test_lost_notices_do_not_ring_and_the_mails_are_in_the_mailbox(own: Program) -> None:
    call(own, "PUT", "/push", {"lost": 1.0})
    deliver(own, 3)
    heard = own.notices()
    assert next(heard) is None
    assert len(own.get("/mailboxes/p1@docomo.example")) == 1
    until(lambda: ids(own.journal("noticed"), "lost") == {"0@x", "1@x", "2@x"}, "the record of what was lost")
    assert ids(own.journal("noticed"), "ok") == set()


def test_late_notices_come_out_of_order_and_at_the_end_of_the_restriction(own: Program) -> None:
    call(own, "PUT", "/push", {"late": 1.0, "within_s": 3600.0})
    heard = own.notices()
    deliver(own, 20)
    assert next(heard) is None, "nothing rings for as long as that lasts"
    call(own, "DELETE", "/push")
    found: list[str] = []
    for notice in heard:
        if notice:
            found.append(notice["id"])
        if len(found) == 20:
            break
    assert sorted(found) == sorted(f"{n}@x" for n in range(20))
    assert found != sorted(found, key=lambda name: int(name.removesuffix("@x")))
    until(lambda: len(ids(own.journal("noticed"), "ok")) == 20, "the record")


@pytest.mark.parametrize(
    "body", [[], {"late": -1}, {"late": "x"}, {"late": 0.7, "lost": 0.4}, {"late": True}]
)
def test_a_restriction_that_is_none_is_refused(carrier: Program, body: object) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(carrier, "PUT", "/push", body)
    assert refused.value.code == 400
    assert call(carrier, "GET", "/push") == {"late": 0.0, "lost": 0.0, "within_s": 0.0}


def test_a_throttled_burst_is_put_off_and_all_of_it_comes_in_time(start: Start, own: Program) -> None:
    route = f"docomo.example=127.0.0.1:{own.smtp_port}"
    provider = start("world.mail_provider", MAIL_ROUTES=route, NODE="mail-provider-east")
    call(own, "PUT", "/throttle", {"per_s": 40})
    assert provider.ask("/v3/mail/send", request(*(message(n) for n in range(100))))[0] == 202
    until(lambda: provider.get("/queue") == {"queued": 0}, "an empty queue")
    until(lambda: len(ids(provider.journal("relayed"), "ok")) == 100, "the record")
    assert ids(provider.journal("relayed"), "deferred")
    assert own.get("/mailboxes")["messages"] == 100


def test_a_receiver_that_throttles_is_kept_busy_and_not_besieged(start: Start, own: Program) -> None:
    """Of 300 mails 60 a second get in: all within 5 s of the receiver's time, and with fewer refusals than mails."""
    route = f"docomo.example=127.0.0.1:{own.smtp_port}"
    provider = start("world.mail_provider", MAIL_ROUTES=route, NODE="mail-provider-east", CLOCK_SCALE="60")
    call(own, "PUT", "/throttle", {"per_s": 60})
    assert provider.ask("/v3/mail/send", request(*(message(n) for n in range(300))))[0] == 202
    until(lambda: provider.get("/queue") == {"queued": 0}, "an empty queue")
    rows = provider.journal("relayed")
    assert len([row for row in rows if row["result"] == "deferred"]) < 300
    stored = sorted(row["at_ns"] for row in own.journal("stored"))
    assert len(stored) == 300
    assert (stored[-1] - stored[0]) / 1e9 < 1.6 * (300 - 60) / 60


@given(st.sampled_from([1, 3, 10, 60, 200]), st.integers(1, 6))
def test_sessions_with_one_receiver_find_out_what_it_takes(per_s: int, sessions: int) -> None:
    """A second at a time: whoever was put off pauses for one, the others go on. None of what it takes is left over."""
    paces, taken = [Pace() for _ in range(sessions)], 0
    for _ in range(40):
        left, going = per_s, list(paces)
        while going:
            pace = going.pop(0)
            brought, got = pace.most, min(pace.most, left)
            left, taken = left - got, taken + got
            pace.learn(got, brought - got)
            if got == brought:
                going.append(pace)
    assert taken == 40 * per_s
    assert sum(pace.most for pace in paces) <= max(2 * per_s, 0) + 2 * sessions


@pytest.mark.parametrize(
    ("module", "waits"), [("world.mail_provider", False), ("variants.mail_provider_one_queue", True)]
)
def test_only_one_queue_for_all_makes_others_wait_for_who_throttles(
    start: Start, own: Program, tmp_path: Path, module: str, waits: bool
) -> None:
    free = start("world.carrier_mail", data=tmp_path / "free", ZONE="world.free", NODE="free-mail")
    routes = f"docomo.example=127.0.0.1:{own.smtp_port},free.example=127.0.0.1:{free.smtp_port}"
    provider = start(module, MAIL_ROUTES=routes, NODE="mail-provider-east", CLOCK_SCALE="60")
    call(free, "PUT", "/throttle", {"per_s": 0.001})
    burst = [message(n, f"p{n}@free.example") for n in range(200)]
    provider.ask("/v3/mail/send", request(*burst))

    def put_off() -> int:
        return sum(row["result"] == "deferred" for row in provider.journal("relayed"))

    until(lambda: put_off() >= 120, "what both sessions brought is put off")
    provider.ask("/v3/mail/send", request(message(1000)))
    if waits:
        call(free, "PUT", "/throttle", {"per_s": 10_000})
        until(lambda: own.get("/mailboxes")["messages"] == 1, "the mail for the other carrier")
        relayed = provider.journal("relayed")
        done = [row["id"] for row in relayed if row["result"] == "ok"]
        assert "1.1000.7@anpi.example" in done[2:], "it waited for those that were put off"
    else:
        until(lambda: own.get("/mailboxes")["messages"] == 1, "the mail for the other carrier")
        assert len(ids(provider.journal("relayed"), "ok")) <= 3
