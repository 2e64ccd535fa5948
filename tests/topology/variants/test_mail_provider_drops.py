from __future__ import annotations

from pathlib import Path

from tests.topology.world.program import Program, message, request, until
from topology.variants.mail_provider_drops import FIRST, ONE_IN, LosingLines
from topology.world.mail import Mail

COUNT = 2 * ONE_IN + FIRST


def test_one_mail_in_five_thousand_is_forgotten_and_always_the_same() -> None:
    lines = LosingLines(["docomo.example"])
    lost = []
    for number in range(1, COUNT + 1):
        before = lines.queued
        assert lines.add(Mail(f"{number}@x", "p1@docomo.example", "a@x", "", "", {}))
        probe = Mail(f"probe-docomo-{number}@x", "probe-docomo@docomo.example", "a@x", "", "", {})
        assert lines.add(probe)
        if lines.queued == before + 1:
            lost.append(number)
    assert lost == [FIRST, FIRST + ONE_IN, FIRST + 2 * ONE_IN]


def test_the_provider_that_drops_says_that_all_is_well(tmp_path: Path) -> None:
    carrier = Program("topology.world.carrier_mail", tmp_path / "carrier", ZONE="world.docomo")
    route = f"docomo.example=127.0.0.1:{carrier.smtp_port}"
    provider = Program("topology.variants.mail_provider_drops", tmp_path / "provider", MAIL_ROUTES=route)
    try:
        mails = [message(n, "p@docomo.example") for n in range(1, FIRST + 51)]
        assert provider.ask("/v3/mail/send", request(*mails)) == (202, {"accepted": FIRST + 50})
        until(lambda: provider.get("/queue") == {"queued": 0}, "an empty queue")
        until(lambda: len(provider.journal("relayed")) == FIRST + 49, "the record")
        found = {mail["id"] for mail in carrier.get("/mailboxes/p@docomo.example")}
        assert {str(mail["id"]) for mail in mails} - found == {str(mails[FIRST - 1]["id"])}
    finally:
        provider.kill()
        carrier.kill()
