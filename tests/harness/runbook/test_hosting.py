"""Hosted mail on real nodes: an enclosure fails, and its runbooks bring everything back. See `harness.hosting`."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import hosting
from harness.failure import Failure
from harness.faults import Stage
from harness.load import population
from harness.runbook import reading
from harness.runbook.commands.hosting import firewalls
from harness.runbook.engine import Performance
from harness.runbook.journal import PROVEN
from harness.runbook.proofs import PROOFS
from harness.runbook.scene import Scene
from harness.rundir import Clock
from harness.runtime import Enclosures
from tests.standing import standing
from tests.topology.world.program import until
from topology import map as topology
from topology.document import parse
from topology.map import Map
from topology.world.mail import Mail

pytestmark = [pytest.mark.fabric, pytest.mark.takes(60)]

ROOT = Path(__file__).parents[3]
INCIDENT = ROOT / "scenarios" / "incidents" / "canon-mj-2020-04-30"
ENCLOSURE = "hosting-enclosure-13"
OUTSIDE = ("observers", "status-page")


def hosted(*overrides: str) -> Map:
    """Hosted mail, who looks at it, and a status page; nothing else of the replica."""
    variables = {"CLOCK_SCALE": "1800", **topology.asked_for(["hosted-mail"])}
    read = topology.read(
        ROOT / "docker-compose.multi-region.yml", [INCIDENT / name for name in overrides], variables
    )
    nodes = {
        node.name: replace(node, depends_on=())
        for node in read
        if node.zone == "world.hosting" or node.role in OUTSIDE
    }
    return replace(read, nodes=nodes, carriers={}, links=())


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """As the incident's overrides that a test names have it, its users enrolled."""
    made = hosted("lookup-discards.yml", *request.param)
    with standing(made, "observers", tmp_path, "hosting") as stage:
        run = stage.runtime._run  # type: ignore[attr-defined]
        run.clock = Clock.now(1800.0)
        people = population.generate(
            seed=1, companies=2, people=6, carriers={"docomo": 1.0}, areas=("350",), hosts={"hosting": 1.0}
        )
        hosting.enrol(stage, run, people)
        yield Scene(stage, run)


def send(stage: Stage, *mails: tuple[str, int]) -> None:
    """(id, person), through the firewall, from where the observers are. Raises SMTPException or OSError."""
    (firewall,) = stage.topology.with_role(hosting.FIREWALL)
    with (
        stage.runtime.inside(stage.observer),
        smtplib.SMTP(str(firewall.address), 2525, local_hostname="observer", timeout=5) as client,
    ):
        for name, person in mails:
            to = f"p{person}@hosting.example"
            mail = Mail(f"{name}@x", to, "anpi@anpi.example", "安否確認", "text\n", {})
            client.sendmail("anpi@anpi.example", [to], mail.compose())


def lose(stage: Stage) -> None:
    """The enclosure stops, with every machine on it, none of which comes back by itself."""
    assert isinstance(stage.runtime, Enclosures)
    stage.runtime.fail_enclosure(ENCLOSURE, Failure.OFFLINE)
    for node in stage.topology.on_enclosure(ENCLOSURE):
        stage.runtime.kill(node)


def repair(stage: Stage) -> None:
    assert isinstance(stage.runtime, Enclosures)
    stage.runtime.repair_enclosure(ENCLOSURE)


def perform(scene: Scene, name: str) -> None:
    known = reading.written(reading.SUPPLIED, INCIDENT / reading.FOLDER)
    runbook = reading.bind(parse(name, "test"), {}, known, scene.stage.topology)
    said: list[str] = []
    outcome = Performance(f"1-{name}", runbook, scene, said.append).perform()
    assert outcome.result == PROVEN, "\n".join(said)


def over(scene: Scene) -> set[str]:
    """The mails that SMTP in is done with, whatever became of them.

    One that lies in its mailbox and is not yet among them is delivered once more after a power loss, for once more is
    better than never.
    """
    (node,) = scene.stage.topology.with_role("hosted-smtp")
    return {json.loads(line)["id"] for line in scene.ask(node, "GET", "/over").body.splitlines()}


def seen(scene: Scene, proof: str) -> bool:
    return PROOFS[proof].see(scene, {}).proven


@pytest.mark.parametrize("scene", [("one-authentication.yml",)], indirect=True)
def test_mailboxes_first_loses_what_the_archive_brings_back_once(scene: Scene) -> None:
    stage = scene.stage
    send(stage, ("1", 1), ("2", 2))
    until(lambda: over(scene) == {"1@x", "2@x"}, "both mails to be noted as delivered")
    assert seen(scene, "archive-delivered")
    lose(stage)
    with pytest.raises((OSError, smtplib.SMTPException)):
        send(stage, ("3", 3))
    repair(stage)
    perform(scene, "mailboxes-first")
    send(stage, ("4", 4), ("5", 5))  # accepted, and gone
    until(lambda: {"4@x", "5@x"} <= over(scene), "both mails to have found no user")
    perform(scene, "authentication-after")
    send(stage, ("6", 6))
    assert not seen(scene, "archive-delivered")
    perform(scene, "redeliver-archive")
    first, again = (event.data for event in scene.run.events("archive.redelivered"))
    assert (first["archived"], first["redelivered"], again["redelivered"]) == (5, 2, 0)
    assert seen(scene, "archive-delivered")


@pytest.mark.parametrize("scene", [()], indirect=True)
def test_authentication_first_loses_nothing(scene: Scene) -> None:
    stage = scene.stage
    send(stage, ("1", 1), ("2", 2))
    until(lambda: over(scene) == {"1@x", "2@x"}, "both mails to be noted as delivered")
    assert seen(scene, "firewall-open")
    assert seen(scene, "users-verified")
    lose(stage)
    repair(stage)
    perform(scene, "hosted-mail-recovery")
    assert not seen(scene, "firewall-cut")
    send(stage, ("3", 3))
    assert len(firewalls(scene)) == 1
    perform(scene, "redeliver-archive")
    assert all(event.data["redelivered"] == 0 for event in scene.run.events("archive.redelivered"))
