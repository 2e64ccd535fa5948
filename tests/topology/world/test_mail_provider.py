from __future__ import annotations

import threading
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from harness.failure import Failure
from harness.runtime.enclosures.filesystems import FileSystems
from tests.topology.world.conftest import Start
from tests.topology.world.program import Program, message, request, until
from topology.world.relay import BATCH, SESSIONS, Exchanger, routes

SEND = "/v3/mail/send"


def mailbox(carrier: Program, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = carrier.get(f"/mailboxes/{name}@docomo.example")
    return found


def results(provider: Program, *ids: object) -> list[tuple[str, str]]:
    """How mails ended, in order."""
    return [(row["id"], row["result"]) for row in provider.journal("relayed") if row["id"] in ids]


def test_a_mail_reaches_its_mailbox_with_its_text_and_is_noted_on_the_way(
    provider: Program, carrier: Program
) -> None:
    mails = [message(n, f"way{n % 2}@docomo.example") for n in range(5)]
    assert provider.ask(SEND, request(*mails)) == (202, {"accepted": 5})
    until(lambda: len(mailbox(carrier, "way0") + mailbox(carrier, "way1")) == 5, "the mails")
    first = mailbox(carrier, "way0")[0]
    assert [first["id"], first["subject"], first["text"]] == [
        mails[0]["id"],
        mails[0]["subject"],
        mails[0]["text"],
    ]
    until(lambda: len(results(provider, *(mail["id"] for mail in mails))) == 5, "the record")
    assert {result for _, result in results(provider, *(mail["id"] for mail in mails))} == {"ok"}
    submitted = {row["id"]: row for row in provider.journal("submitted")}
    assert submitted[mails[0]["id"]]["to"] == "way0@docomo.example"
    assert submitted[mails[0]["id"]]["at_ns"] < first["at_ns"]
    assert provider.get("/queue") == {"queued": 0}


def test_an_id_that_came_before_is_accepted_and_not_sent_twice(provider: Program, carrier: Program) -> None:
    again = message(100, "again@docomo.example")
    answers = []

    def submit() -> None:
        answers.append(provider.ask(SEND, request(again, message(101, "again@docomo.example"), again)))

    askers = [threading.Thread(target=submit) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert answers == [(202, {"accepted": 3})] * 4
    until(lambda: provider.get("/queue") == {"queued": 0}, "an empty queue")
    assert len(mailbox(carrier, "again")) == 2


def test_a_mail_for_nowhere_bounces(provider: Program) -> None:
    nowhere, nonsense = message(200, "p1@nowhere.example"), message(201, "not an address")
    assert provider.ask(SEND, request(nowhere, nonsense))[0] == 202
    until(lambda: len(results(provider, nowhere["id"], nonsense["id"])) == 2, "the bounces")
    assert results(provider, nowhere["id"]) == [(nowhere["id"], "bounced")]
    assert provider.get("/queue") == {"queued": 0}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "unexpected end of data"),
        (b"[]", 'expected an object {"messages": [...]}'),
        (b'{"messages": {}}', 'expected an object {"messages": [...]}'),
        (b'{"messages": [3]}', "messages[0]: expected an object, found int"),
        (request(message(1), {**message(2), "text": 7}), "messages[1].text: expected text, found int"),
    ],
)
def test_a_request_that_is_wrong_is_refused_whole(provider: Program, body: bytes, problem: str) -> None:
    before = len(provider.journal("submitted"))
    status, said = provider.ask(SEND, body)
    assert status == 400
    assert problem in said["error"]
    assert len(provider.journal("submitted")) == before


def test_a_carrier_that_is_gone_gets_its_mails_when_it_is_back(start: Start) -> None:
    carrier = start("world.carrier_mail", ZONE="world.docomo")
    route = f"docomo.example=127.0.0.1:{carrier.smtp_port}"
    provider = start("world.mail_provider", MAIL_ROUTES=route)
    carrier.kill()
    assert provider.ask(SEND, request(*(message(n, "p@docomo.example") for n in range(150))))[0] == 202
    until(lambda: any("cannot be reached" in line for line in provider.said), "the trouble in the log")
    assert provider.get("/queue") == {"queued": 150}
    carrier.start()
    until(lambda: provider.get("/queue") == {"queued": 0}, "the mails")
    ids = [mail["id"] for mail in mailbox(carrier, "p")]
    assert sorted(ids) == sorted(str(message(n)["id"]) for n in range(150))
    assert not any("@docomo" in line for line in provider.said), "an address in the log"


def test_a_carrier_whose_disk_is_full_is_asked_again_later(start: Start, small_disk: Path) -> None:
    carrier = start("world.carrier_mail", data=small_disk, ZONE="world.docomo")
    provider = start("world.mail_provider", MAIL_ROUTES=f"docomo.example=127.0.0.1:{carrier.smtp_port}")
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (200 << 10))
    mails = [message(n, "p@docomo.example", text="x" * 2000) for n in range(40)]
    assert provider.ask(SEND, request(*mails))[0] == 202
    until(lambda: any(row["result"] == "deferred" for row in provider.journal("relayed")), "a deferral")
    filler.unlink()
    until(lambda: provider.get("/queue") == {"queued": 0}, "the mails")
    assert Counter(mail["id"] for mail in mailbox(carrier, "p")) == Counter(str(mail["id"]) for mail in mails)


def test_a_full_disk_refuses_a_request_whole(start: Start, small_disk: Path) -> None:
    provider = start("world.mail_provider", data=small_disk, MAIL_ROUTES="docomo.example=127.0.0.1:1")
    large = [message(n, text="x" * 3000) for n in range(100)]
    status, said = provider.ask(SEND, request(*large))
    assert (status, said) == (503, {"error": "disk: No space left on device"})
    assert provider.get("/queue") == {"queued": 0}
    assert provider.ask(SEND, request(*large[:2])) == (202, {"accepted": 2})
    assert provider.get("/queue") == {"queued": 2}


@pytest.mark.parametrize("how", [Failure.BROKEN, Failure.READ_ONLY])
def test_when_its_storage_fails_it_takes_nothing_and_relays_no_more_than_was_on_its_way(
    start: Start, enclosure: FileSystems, how: Failure
) -> None:
    """What is accepted is there after the repair; only what could not be recorded comes once more.

    A session sends its next batch when it is recorded what became of the one before.
    """
    on_its_way = SESSIONS * BATCH
    carrier = start("world.carrier_mail", ZONE="world.docomo")
    route = f"docomo.example=127.0.0.1:{carrier.smtp_port}"
    provider = start("world.mail_provider", data=enclosure.folder("disk", "data"), MAIL_ROUTES=route)
    carrier.kill()
    mails = [message(n, "p@docomo.example") for n in range(1000)]
    assert provider.ask(SEND, request(*mails))[0] == 202

    enclosure.fail("disk", how)
    assert provider.ask(SEND, request(message(1000, "p@docomo.example")))[0] == 503
    assert provider.ask("/health")[0] == 503
    carrier.start()
    until(lambda: any("nothing is relayed" in line for line in provider.said), "a halt")
    sent = carrier.get("/mailboxes")["messages"]
    assert 0 < sent <= on_its_way

    provider.kill()
    enclosure.repair("disk")
    provider.start()
    until(lambda: provider.get("/queue") == {"queued": 0}, "the mails")
    stored = Counter(mail["id"] for mail in mailbox(carrier, "p"))
    assert set(stored) == {str(mail["id"]) for mail in mails}
    assert stored.total() - len(stored) <= on_its_way


@pytest.mark.parametrize("after", [3, 12])
def test_a_power_loss_in_a_burst_loses_nothing_that_was_accepted(
    start: Start, carrier: Program, after: int
) -> None:
    """Killed with mails at every stage: some accepted, some at the carrier, some recorded."""
    provider = start("world.mail_provider", MAIL_ROUTES=f"docomo.example=127.0.0.1:{carrier.smtp_port}")
    box, accepted = f"burst{after}", list[str]()

    def submit() -> None:
        for batch in range(10_000):
            mails = [message(1000 * batch + n, f"{box}@docomo.example") for n in range(20)]
            assert provider.ask(SEND, request(*mails))[0] == 202
            accepted.extend(str(mail["id"]) for mail in mails)

    def submit_until_it_dies() -> None:
        with pytest.raises((OSError, HTTPException)):
            submit()

    submitter = threading.Thread(target=submit_until_it_dies)
    submitter.start()
    until(lambda: len(accepted) >= 20 * after, "a burst under way")
    provider.kill()
    submitter.join()
    provider.start()
    until(lambda: provider.get("/queue") == {"queued": 0}, "an empty queue")
    found = Counter(mail["id"] for mail in mailbox(carrier, box))
    assert set(accepted) <= set(found)
    assert max(found.values()) <= 2, "once more, and no more than that"
    assert Counter(row["id"] for row in provider.journal("submitted")) == Counter(set(found))
    assert provider.ask(SEND, request(message(0, f"{box}@docomo.example")))[0] == 202
    assert provider.get("/queue") == {"queued": 0}, "accepted before the power loss, and not sent again"


def test_an_orderly_stop_sends_nothing_twice(start: Start, carrier: Program) -> None:
    provider = start("world.mail_provider", MAIL_ROUTES=f"docomo.example=127.0.0.1:{carrier.smtp_port}")
    mails = [message(n, "orderly@docomo.example") for n in range(1500)]
    assert provider.ask(SEND, request(*mails))[0] == 202
    assert provider.stop() < 5
    provider.start()
    until(lambda: provider.get("/queue") == {"queued": 0}, "an empty queue")
    assert Counter(mail["id"] for mail in mailbox(carrier, "orderly")) == Counter(str(m["id"]) for m in mails)


def test_routes_that_are_none_are_named() -> None:
    assert routes("a.example=host-a:2525, B.example=host-b:25") == {
        "a.example": Exchanger("a.example", "host-a", 2525),
        "b.example": Exchanger("b.example", "host-b", 25),
    }
    with pytest.raises(ValueError, match=r"expected domain=host:port, found 'a\.example'"):
        routes("a.example")
