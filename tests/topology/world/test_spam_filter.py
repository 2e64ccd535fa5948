"""A carrier's filter of spam: what a pattern takes is destroyed after the 250, or kept until it is released."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.failure import Failure
from harness.runtime.enclosures.filesystems import FileSystems
from tests.topology.world.conftest import Start
from tests.topology.world.program import Program, message, request, until
from topology.world.mail import Mail, sender_domain
from topology.world.spam_filter import Pattern

SEND = "/v3/mail/send"


def apply(carrier: Program, senders: object = ".example") -> tuple[int, Any]:
    return carrier.ask("/filter", json.dumps({"senders": senders}).encode(), "PUT")


def withdraw(carrier: Program) -> None:
    assert carrier.ask("/filter", method="DELETE")[0] == 200


def release(carrier: Program) -> int:
    status, told = carrier.ask("/filter/release", b"", "POST")
    assert status == 200
    return int(told["released"])


def ways(start: Start, data: Path, **environment: str) -> tuple[Program, Program]:
    """docomo's mail with its filter, and a provider that knows the way there."""
    carrier = start("world.carrier_mail", data=data, ZONE="world.docomo", **environment)
    route = f"docomo.example=127.0.0.1:{carrier.smtp_port}"
    return carrier, start("world.mail_provider", MAIL_ROUTES=route, NODE="mail-provider-east")


def send(provider: Program, *numbers: int, **fields: object) -> None:
    """Returns when the carrier has said 250 to all of them."""
    mails = [message(number, "p@docomo.example", **fields) for number in numbers]
    assert provider.ask(SEND, request(*mails))[0] == 202
    until(lambda: provider.get("/queue") == {"queued": 0}, "an empty queue")


def numbers(carrier: Program) -> list[int]:
    """Of the mails in the mailbox, in the order in which they came."""
    return [int(mail["id"].split(".")[1]) for mail in carrier.get("/mailboxes/p@docomo.example")]


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("anpi@Anpi.example", "anpi.example"),
        ("安否確認 <anpi@anpi.example>", "anpi.example"),
        ("nobody", ""),
    ],
)
def test_the_domain_of_a_sender(sender: str, domain: str) -> None:
    content = Mail("1@x", "p@docomo.example", sender, "安否確認 a@b.example", "From: c@d.example\n", {})
    assert sender_domain(content.compose()) == domain


@pytest.mark.parametrize("row", [[], {}, {"senders": ""}, {"senders": " "}, {"senders": 3}])
def test_a_pattern_that_is_none_is_refused(carrier: Program, row: object) -> None:
    with pytest.raises(ValueError, match="senders: expected a part of a domain"):
        Pattern.parse(row)
    assert carrier.ask("/filter", json.dumps(row).encode(), "PUT")[0] == 400
    assert carrier.get("/filter")["senders"] is None


def test_a_filter_that_destroys_says_250_and_nothing_is_left(start: Start, tmp_path: Path) -> None:
    carrier, provider = ways(start, tmp_path / "carrier", SPAM="destroy")
    send(provider, 1)
    assert apply(carrier, ".EXAMPLE")[0] == 200
    send(provider, 2, 3)
    send(provider, 4, **{"from": "someone@elsewhere.test"})
    told = {"takes": "destroy", "senders": ".example", "passed": 1, "taken": 2, "held": 0}
    assert carrier.get("/filter") == told
    withdraw(carrier)
    send(provider, 5)
    assert numbers(carrier) == [1, 4, 5]
    assert release(carrier) == 0
    assert numbers(carrier) == [1, 4, 5], "nobody can bring them back"
    results = [row["result"] for row in provider.journal("relayed")]
    assert results == ["ok"] * 5, "to the provider all is well"
    kept = b"".join(file.read_bytes() for file in (tmp_path / "carrier").rglob("*") if file.is_file())
    assert str(message(2)["id"]).encode() not in kept


def test_what_is_in_quarantine_is_released_once_also_after_a_power_loss(start: Start, tmp_path: Path) -> None:
    carrier, provider = ways(start, tmp_path / "carrier")
    apply(carrier)
    send(provider, 1, 2, 3)
    assert (numbers(carrier), carrier.get("/filter")["held"]) == ([], 3)
    carrier.kill()
    carrier.start()
    assert carrier.get("/filter") == {
        "takes": "quarantine",
        "senders": None,
        "passed": 0,
        "taken": 0,
        "held": 3,
    }
    send(provider, 4)
    assert release(carrier) == 3
    assert numbers(carrier) == [4, 1, 2, 3]
    until(lambda: len(carrier.journal("released")) == 3, "the record")
    carrier.kill()
    carrier.start()
    assert release(carrier) == 0
    assert numbers(carrier) == [4, 1, 2, 3]
    first = carrier.get("/mailboxes/p@docomo.example")[1]
    assert (first["subject"], first["text"]) == (message(1)["subject"], message(1)["text"])


def test_quarantine_is_on_disk_before_the_250(start: Start, enclosure: FileSystems) -> None:
    carrier, provider = ways(start, enclosure.folder("disk", "data"))
    apply(carrier)
    enclosure.fail("disk", Failure.READ_ONLY)
    assert provider.ask(SEND, request(message(1, "p@docomo.example")))[0] == 202
    until(lambda: bool(provider.journal("relayed")), "an answer")
    assert provider.journal("relayed")[0]["result"] == "deferred"
    assert carrier.get("/filter")["held"] == 0
