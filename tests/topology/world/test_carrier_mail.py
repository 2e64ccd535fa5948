from __future__ import annotations

import smtplib
import socket
import threading
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.topology.world.conftest import Start
from tests.topology.world.program import Program, until
from topology.world.mail import Mail


@pytest.fixture
def mortal(start: Start) -> Program:
    """A carrier's mail that a test may kill."""
    return start("world.carrier_mail", ZONE="world.docomo", NODE="docomo-mail")


def deliver(carrier: Program, *to: str) -> None:
    """One mail to each, by another client than ours. Raises smtplib.SMTPException for what is not acknowledged."""
    with smtplib.SMTP("127.0.0.1", carrier.smtp_port, local_hostname="east", timeout=10) as client:
        for name in to:
            address = name if "@" in name else f"{name}@docomo.example"
            mail = Mail(
                f"{name}@x", address, "anpi@anpi.example", "安否確認", f"https://anpi.example/a/{name}\n", {}
            )
            client.sendmail("anpi@anpi.example", [address], mail.compose())


def last(carrier: Program) -> int:
    """The number of the last mail."""
    return int(carrier.get("/mailboxes")["messages"])


def hear(carrier: Program, count: int, after: int = 0, to: str = "") -> list[str]:
    """The ids of the next notices."""
    return [notice["id"] for notice in islice(filter(None, carrier.notices(after, to)), count)]


def of(rows: list[dict[str, Any]], *names: str) -> list[tuple[str, str]]:
    """Whose rows, and how they ended, in order."""
    return [(row["id"], row["result"]) for row in rows if row["id"].removesuffix("@x") in names]


def test_a_mail_lies_in_its_mailbox_and_is_noted_as_stored(carrier: Program) -> None:
    before = carrier.get("/mailboxes")
    deliver(carrier, "ann", "bob", "ann@DOCOMO.example")
    first, second = carrier.get("/mailboxes/ann@docomo.example")
    assert [first["seq"], first["id"], first["to"]] == [before["messages"] + 1, "ann@x", "ann@docomo.example"]
    assert [first["subject"], first["text"]] == ["安否確認", "https://anpi.example/a/ann\n"]
    assert first["at_ns"] < second["at_ns"]
    after = {"mailboxes": before["mailboxes"] + 2, "messages": before["messages"] + 3}
    assert carrier.get("/mailboxes") == after
    assert carrier.get("/mailboxes/nobody@docomo.example") == []
    until(lambda: len(carrier.journal("stored")) == after["messages"], "the record")
    stored = carrier.journal("stored")[-3:]
    assert of(stored, "ann", "bob") == [("ann@x", "ok"), ("bob@x", "ok")]
    assert (stored[0]["to"], stored[0]["at_ns"]) == ("ann@docomo.example", first["at_ns"])


def test_another_carriers_domain_is_refused(carrier: Program) -> None:
    before = last(carrier)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        deliver(carrier, "p1@au.example")
    assert refused.value.recipients["p1@au.example"][0] == 550
    assert last(carrier) == before


def test_a_handset_hears_what_came_before_and_what_comes(carrier: Program) -> None:
    before = last(carrier)
    deliver(carrier, "old1", "old2")
    heard = filter(None, carrier.notices(before))
    assert [notice["id"] for notice in islice(heard, 2)] == ["old1@x", "old2@x"]
    deliver(carrier, "new")
    notice = next(heard)
    assert [notice["seq"], notice["to"], notice["id"]] == [before + 3, "new@docomo.example", "new@x"]
    assert [notice["subject"], notice["text"]] == ["安否確認", "https://anpi.example/a/new\n"]


def test_a_notice_is_noted_once_however_many_listen_also_after_a_power_loss(mortal: Program) -> None:
    deliver(mortal, "a", "b", "c")
    assert hear(mortal, 1, to="b@docomo.example") == ["b@x"]
    until(lambda: len(mortal.journal("noticed")) == 1, "the first handset's notice")
    mortal.kill()
    mortal.start()
    deliver(mortal, "d")
    assert hear(mortal, 2, after=2) == ["c@x", "d@x"]
    assert hear(mortal, 4) == ["a@x", "b@x", "c@x", "d@x"]
    until(lambda: len(mortal.journal("noticed")) == 4, "the others")
    assert [row["id"] for row in mortal.journal("noticed")] == ["b@x", "c@x", "d@x", "a@x"]
    stored = {row["id"]: row["at_ns"] for row in mortal.journal("stored")}
    assert all(row["at_ns"] > stored[row["id"]] for row in mortal.journal("noticed"))


def test_a_silent_stream_has_a_heartbeat_even_if_others_get_mail(carrier: Program) -> None:
    heard = carrier.notices(to="quiet@docomo.example")
    stop = threading.Event()

    def others() -> None:
        while not stop.is_set():
            deliver(carrier, "busy")

    busy = threading.Thread(target=others)
    busy.start()
    try:
        assert next(heard) is None
    finally:
        stop.set()
        busy.join()


def test_a_stream_from_no_number_is_refused(carrier: Program) -> None:
    assert carrier.ask("/notices?after=x") == (400, "after: expected the number of a notice, found 'x'\n")


@pytest.mark.parametrize("after", [20, 60])
def test_a_power_loss_in_a_burst_loses_nothing_that_was_acknowledged(mortal: Program, after: int) -> None:
    acknowledged: list[str] = []

    def burst(first: int) -> None:
        with smtplib.SMTP("127.0.0.1", mortal.smtp_port, local_hostname="east", timeout=10) as client:
            for number in range(first, first + 100_000):
                content = f"Message-ID: <{number}@x>\r\n\r\nhello\r\n".encode()
                client.sendmail("a@b.example", [f"p{number % 7}@docomo.example"], content)
                acknowledged.append(f"{number}@x")

    def until_it_dies(first: int) -> None:
        with pytest.raises((OSError, smtplib.SMTPException)):
            burst(first)

    senders = [threading.Thread(target=until_it_dies, args=(first,)) for first in (0, 200_000, 400_000)]
    for sender in senders:
        sender.start()
    until(lambda: len(acknowledged) >= after, "a burst under way")
    mortal.kill()
    for sender in senders:
        sender.join()
    mortal.start()
    boxes = [mortal.get(f"/mailboxes/p{n}@docomo.example") for n in range(7)]
    found = [mail["id"] for box in boxes for mail in box]
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found)) == mortal.get("/mailboxes")["messages"]
    assert sorted(row["id"] for row in mortal.journal("stored")) == sorted(found)


def test_the_record_of_what_is_stored_is_mended_after_a_crash(mortal: Program) -> None:
    deliver(mortal, "a", "b", "c")
    mortal.kill()
    record = mortal.data / "journal" / "stored.jsonl"
    whole = record.read_bytes()
    record.write_bytes(whole[: len(whole) // 2])
    mortal.start()
    deliver(mortal, "d")
    until(lambda: len(mortal.journal("stored")) == 4, "the mended record")
    assert record.read_bytes().startswith(whole)


def test_a_full_disk_puts_the_sender_off_and_nothing_is_lost(start: Start, small_disk: Path) -> None:
    carrier = start("world.carrier_mail", data=small_disk, ZONE="world.docomo")
    filler = small_disk / "filler"
    deliver(carrier, "before")
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(b"x" * (1 << 20))
    with pytest.raises(smtplib.SMTPDataError) as refused:
        deliver(carrier, *(f"p{n}" for n in range(200)))
    assert refused.value.smtp_code == 452
    assert carrier.ask("/health") == (503, "disk: No space left on device\n")
    stored = last(carrier)
    filler.unlink()
    deliver(carrier, "after")
    assert carrier.ask("/health") == (200, "ok\n")
    assert last(carrier) == stored + 1
    until(lambda: len(carrier.journal("stored")) == stored + 1, "the record of what is stored")
    assert of(carrier.journal("stored"), "before", "after") == [("before@x", "ok"), ("after@x", "ok")]


def test_a_sender_that_does_not_wait_for_the_answer_does_no_harm(carrier: Program) -> None:
    """It hangs up while its mail is on the way to the disk."""
    mail = b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<rude@docomo.example>\r\nDATA\r\n\r\nhello\r\n.\r\nQUIT\r\n"
    for end in (len(mail), mail.index(b"QUIT"), mail.index(b"hello")):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", carrier.smtp_port)) as rude:
                rude.sendall(mail[:end])
    deliver(carrier, "polite")
    assert carrier.get("/mailboxes/polite@docomo.example")
    assert carrier.said == []


def test_it_stops_in_time_with_a_handset_listening(mortal: Program) -> None:
    heard = mortal.notices()
    assert next(heard) is None
    assert mortal.stop() < 4
    assert set(heard) <= {None}
