"""The mail provider on real nodes: a receiver that throttles is suspended, by hand and by the runbook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import library
from harness.faults import Stage
from harness.faults.asking import tell
from harness.runbook import reading
from harness.runbook.commands import mail as commands
from harness.runbook.engine import Performance
from harness.runbook.journal import PROVEN
from harness.runbook.proofs import mail as proofs
from harness.runbook.scene import Refused, Scene
from harness.rundir import Clock, RunDir
from tests.standing import standing
from tests.topology.world.program import message, until
from topology import map as topology_map
from topology.document import Place, Scalar
from topology.map import Map

pytestmark = [pytest.mark.fabric, pytest.mark.takes(30)]

SITES = ("mail-provider-east", "mail-provider-west")
DOMAIN = "softbank.example"
WAITING = 40


def mail() -> Map:
    """Both sites of the provider, two carriers' mail, and who looks."""
    whole = topology_map.read(library.TOPOLOGY)
    names = (*SITES, "softbank-mail", "docomo-mail", "observers")
    nodes = {name: replace(whole.nodes[name], depends_on=()) for name in names}
    on = {node.enclosure for node in nodes.values()}
    enclosures = {name: each for name, each in whole.enclosures.items() if name in on}
    return replace(whole, nodes=nodes, carriers={}, links=(), enclosures=enclosures)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with standing(mail(), "observers", tmp_path_factory.mktemp("runs"), "mail") as stage:
        yield stage


@pytest.fixture
def scene(stage: Stage, tmp_path: Path) -> Scene:
    """Nothing is suspended, and nobody throttles."""
    run = RunDir.create(tmp_path, "mail", 1)
    run.clock = Clock.now(1.0)
    scene = Scene(stage, run)
    commands.resume(scene, {"domain": DOMAIN})
    tell(stage, stage.topology.nodes["softbank-mail"], "DELETE", "/throttle")
    return scene


def queue(scene: Scene, first: int) -> None:
    """Mails at both sites for a receiver that takes none of them."""
    softbank = scene.stage.topology.nodes["softbank-mail"]
    tell(scene.stage, softbank, "PUT", "/throttle", {"per_s": 0.001})
    for place, site in enumerate(SITES):
        numbers = range(first + place * WAITING, first + (place + 1) * WAITING)
        body = {"messages": [message(number, f"p{number}@{DOMAIN}") for number in numbers]}
        reply = scene.ask(scene.stage.topology.nodes[site], "POST", "/v3/mail/send", body)
        assert reply.status == 202, reply.text


def test_every_site_is_told_and_says_so(scene: Scene) -> None:
    assert not proofs.see_suspended(scene, {"domain": DOMAIN}).proven
    told = f"nothing is relayed to {DOMAIN} any more by {', '.join(SITES)}"
    assert commands.suspend(scene, {"domain": DOMAIN}) == told
    assert commands.suspend(scene, {"domain": DOMAIN}) == told
    assert proofs.see_suspended(scene, {"domain": DOMAIN}).proven
    assert not proofs.see_suspended(scene, {"domain": "docomo.example"}).proven
    commands.resume(scene, {"domain": DOMAIN})
    assert not proofs.see_suspended(scene, {"domain": DOMAIN}).proven


def test_one_site_that_goes_on_is_no_proof(scene: Scene) -> None:
    commands.suspend(scene, {"domain": DOMAIN})
    tell(scene.stage, scene.stage.topology.nodes[SITES[1]], "DELETE", f"/suspended/{DOMAIN}")
    seen = proofs.see_suspended(scene, {"domain": DOMAIN})
    assert (seen.proven, seen.proof) == (False, f"{SITES[1]} relays to {DOMAIN}")


def test_a_domain_that_no_mail_goes_to_is_refused(scene: Scene) -> None:
    with pytest.raises(Refused, match=r"no mail goes to nowhere\.example"):
        commands.suspend(scene, {"domain": "nowhere.example"})


def test_the_runbook_clears_the_queue(scene: Scene) -> None:
    queue(scene, 0)
    until(lambda: not proofs.see_backlog(scene, {"most": 2 * WAITING - 10}).proven, "mails that wait")
    place = Place("test")
    runbook = reading.bind(
        Scalar("suspend-mail-domain", "suspend-mail-domain", place),
        {"domain": Scalar(DOMAIN, DOMAIN, place)},
        reading.written(reading.SUPPLIED),
        scene.stage.topology,
    )
    said: list[str] = []
    outcome = Performance("1-suspend", runbook, scene, said.append).perform()
    assert outcome.result == PROVEN, "\n".join(said)
    assert proofs.see_backlog(scene, {"most": 1}).proven
    assert [event.data["domain"] for event in scene.run.events("mail.suspended")] == [DOMAIN]
