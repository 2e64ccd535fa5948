"""Domains that an operator suspends at the mail provider."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.topology.world.conftest import Start
from tests.topology.world.program import Program, message, request, until
from topology.world.relay import SUSPENDED
from topology.world.suspension import Suspension

SEND = "/v3/mail/send"


def ended(provider: Program, result: str) -> list[dict[str, Any]]:
    return [row for row in provider.journal("relayed") if row["result"] == result]


def change(provider: Program, method: str, domain: str) -> tuple[int, Any]:
    return provider.ask(f"/suspended/{domain}", method=method)


def throttle(carrier: Program) -> None:
    assert carrier.ask("/throttle", b'{"per_s": 0.001}', "PUT")[0] == 200


def test_what_is_suspended_stays_so_after_a_restart(tmp_path: Path) -> None:
    first = Suspension(tmp_path, ["a.example", "b.example"])
    assert first.domains == []
    first.change("b.example", suspended=True)
    first.change("a.example", suspended=True)
    first.change("a.example", suspended=True)
    first.change("b.example", suspended=False)
    second = Suspension(tmp_path, ["a.example", "b.example"])
    assert second.domains == ["a.example"]
    assert "a.example" in second
    assert "b.example" not in second


def test_a_domain_that_no_mail_goes_to_cannot_be_suspended(tmp_path: Path, provider: Program) -> None:
    with pytest.raises(KeyError):
        Suspension(tmp_path, ["a.example"]).change("c.example", suspended=True)
    assert change(provider, "PUT", "au.example") == (404, "no mail goes to au.example\n")
    assert provider.get("/suspended") == {"domains": []}


def test_a_disk_that_refuses_suspends_nothing(tmp_path: Path) -> None:
    suspension = Suspension(tmp_path / "gone", ["a.example"])
    with pytest.raises(OSError, match="No such file"):
        suspension.change("a.example", suspended=True)
    assert suspension.domains == []


@pytest.mark.parametrize("module", ["world.mail_provider", "variants.mail_provider_one_queue"])
def test_suspending_a_receiver_that_throttles_clears_the_queue_and_its_mails_bounce(
    start: Start, tmp_path: Path, module: str
) -> None:
    own = start("world.carrier_mail", data=tmp_path / "docomo", ZONE="world.docomo")
    free = start("world.carrier_mail", data=tmp_path / "free", ZONE="world.free")
    routes = f"docomo.example=127.0.0.1:{own.smtp_port},free.example=127.0.0.1:{free.smtp_port}"
    provider = start(module, MAIL_ROUTES=routes, NODE="mail-provider-east", CLOCK_SCALE="60")
    throttle(free)
    burst = [message(n, f"p{n}@free.example") for n in range(200)]
    assert provider.ask(SEND, request(*burst, message(1000)))[0] == 202
    until(lambda: len(ended(provider, "deferred")) >= 100, "what both sessions brought is put off")
    assert provider.get("/queue")["queued"] >= 190
    assert change(provider, "PUT", "FREE.example") == (200, {"domains": ["free.example"]})
    until(lambda: provider.get("/queue") == {"queued": 0}, "an empty queue")
    until(lambda: own.get("/mailboxes")["messages"] == 1, "the mail for the other carrier")
    taken = free.get("/mailboxes")["messages"]
    until(lambda: len(ended(provider, "bounced")) == 200 - taken, "a record of every one that was given up")
    assert {row["reply"] for row in ended(provider, "bounced")} == {SUSPENDED}


def test_mail_is_relayed_again_when_it_is_suspended_no_longer_and_what_bounced_does_not_come(
    start: Start,
) -> None:
    carrier = start("world.carrier_mail", ZONE="world.docomo")
    provider = start("world.mail_provider", MAIL_ROUTES=f"docomo.example=127.0.0.1:{carrier.smtp_port}")
    assert change(provider, "PUT", "docomo.example")[0] == 200
    assert provider.ask(SEND, request(message(1)))[0] == 202
    until(lambda: len(ended(provider, "bounced")) == 1, "a record of what was given up")
    provider.kill()
    provider.start()
    assert provider.get("/suspended") == {"domains": ["docomo.example"]}
    assert provider.ask(SEND, request(message(2)))[0] == 202
    until(lambda: len(ended(provider, "bounced")) == 2, "it is still suspended")
    assert change(provider, "DELETE", "docomo.example") == (200, {"domains": []})
    assert provider.ask(SEND, request(message(3)))[0] == 202
    until(lambda: provider.get("/queue") == {"queued": 0}, "an empty queue")
    until(lambda: carrier.get("/mailboxes")["messages"] == 1, "the mail")
    (mail,) = carrier.get("/mailboxes/p3@docomo.example")
    assert mail["id"] == message(3)["id"]
