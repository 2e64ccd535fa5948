"""A carrier's filter that takes wanted mail for spam, on a real node; what withdraws it, and what it gives back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.faults import Stage
from harness.faults.build import build
from harness.faults.mailing import sender
from harness.faults.misfilter import Misfilter
from harness.filtering import Filtering
from harness.runbook import reading
from harness.runbook.commands import spam as commands
from harness.runbook.engine import Performance
from harness.runbook.journal import FAILED, PROVEN
from harness.runbook.parameters import told
from harness.runbook.proofs import spam as proofs
from harness.runbook.scene import Refused, Scene
from harness.rundir import Clock, RunDir
from tests.small import two_regions, with_mail
from tests.standing import standing
from topology.document import Place, Scalar
from topology.map import Map

pytestmark = [pytest.mark.fabric, pytest.mark.takes(20)]

ONE = {"carrier": "one"}


def mail() -> Map:
    """A carrier's mail, and a status page on which people are told."""
    made = with_mail()
    page = next(node for node in two_regions() if node.role == "status-page")
    page = replace(page, zone=made.nodes["mail"].zone, address=made.nodes["mail"].address + 5, enclosure=None)
    return replace(made, nodes={**made.nodes, page.name: page})


@pytest.fixture(scope="module", params=["destroy", "quarantine"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = mail()
    exchanger = made.nodes["mail"]
    exchanger = replace(exchanger, environment={**exchanger.environment, "SPAM": request.param})
    made = replace(made, nodes={**made.nodes, "mail": exchanger})
    with standing(made, "a2", tmp_path_factory.mktemp("runs"), "filter") as stage:
        yield stage


@pytest.fixture
def scene(stage: Stage, tmp_path: Path) -> Scene:
    run = RunDir.create(tmp_path, "filter", 1)
    run.clock = Clock.now(1.0)
    return Scene(stage, run)


@pytest.fixture
def wrong(stage: Stage) -> Iterator[Misfilter]:
    """The filter takes every sender in .example for spam."""
    fault = build("misfilter", Filtering("one", ".example"), stage)
    assert isinstance(fault, Misfilter)
    assert not fault.verify(stage).proven, "mail passes"
    fault.inject(stage)
    yield fault
    fault.undo(stage)
    assert fault.verify_undone(stage).proven


def keeps(stage: Stage) -> bool:
    return stage.topology.nodes["mail"].environment["SPAM"] == "quarantine"


def deliver(stage: Stage, mailbox: str, count: int) -> None:
    with sender(stage, stage.topology.nodes["mail"]) as session:
        for number in range(count):
            content = f"From: anpi@anpi.example\r\nMessage-ID: <{mailbox}-{number}@x>\r\n\r\nhello\r\n"
            session.sendmail("anpi@anpi.example", [f"{mailbox}@one.example"], content.encode())


def box(scene: Scene, mailbox: str) -> list[Any]:
    mail = scene.stage.topology.nodes["mail"]
    found: list[Any] = scene.ask(mail, "GET", f"/mailboxes/{mailbox}@one.example").json
    return found


def test_a_wrong_pattern_is_seen_by_a_mail_that_was_acknowledged_and_is_nowhere(
    stage: Stage, wrong: Misfilter
) -> None:
    seen = wrong.verify(stage)
    assert (seen.proven, seen.proof) == (
        True,
        "mail: a mail from probe.example was acknowledged and is in no mailbox",
    )
    assert not wrong.verify_undone(stage).proven
    assert wrong.undoing == {"verb": "unfilter", "nodes": ["mail"]}
    other = Misfilter(wrong.node, ".test")
    assert not other.verify(stage).proven, "nobody else's mail is taken"


def test_withdrawing_it_lets_mail_pass_and_brings_nothing_back(scene: Scene, wrong: Misfilter) -> None:
    deliver(scene.stage, "withdrawn", 2)
    assert not proofs.see_passing(scene, ONE).proven
    commands.withdraw(scene, ONE)
    assert proofs.see_passing(scene, ONE).proven
    assert wrong.verify_undone(scene.stage).proven
    assert box(scene, "withdrawn") == []
    commands.release(scene, ONE)
    assert len(box(scene, "withdrawn")) == (2 if keeps(scene.stage) else 0)
    commands.release(scene, ONE)
    assert len(box(scene, "withdrawn")) == (2 if keeps(scene.stage) else 0), "none twice"
    assert proofs.see_empty(scene, ONE).proven


def test_a_few_mails_say_nothing_of_how_much_a_filter_takes(scene: Scene, wrong: Misfilter) -> None:
    asked = {**ONE, "at_least": 0.5}
    deliver(scene.stage, "few", proofs.LEAST_MAILS - 1)
    assert "too few to say" in proofs.see_taken(scene, asked).proof
    deliver(scene.stage, "few", 1)
    seen = proofs.see_taken(scene, asked)
    assert (seen.proven, seen.proof) == (True, "mail took 100% of 20 mails for spam")
    commands.withdraw(scene, ONE)
    deliver(scene.stage, "few", proofs.LEAST_MAILS)
    assert not proofs.see_taken(scene, asked).proven, "it takes nothing any more"


@pytest.mark.usefixtures("wrong")
def test_the_runbook_brings_every_mail_back_where_it_was_kept(scene: Scene) -> None:
    deliver(scene.stage, "all", 30)
    place = Place("test")

    def perform(number: int) -> str:
        runbook = reading.bind(
            Scalar("filter-recovery", "filter-recovery", place),
            told(["carrier=one"]),
            reading.written(reading.SUPPLIED),
            scene.stage.topology,
        )
        said: list[str] = []
        return Performance(f"{number}-filter", runbook, scene, said.append).perform().result

    assert perform(1) == PROVEN
    assert len(box(scene, "all")) == (30 if keeps(scene.stage) else 0)
    (released,) = scene.run.events("quarantine.released")
    assert (int(str(released.data["released"])) >= 30) == keeps(scene.stage)
    assert perform(2) == FAILED, "there is nothing to notice any more"
    assert len(box(scene, "all")) == (30 if keeps(scene.stage) else 0)


def test_a_carrier_that_there_is_not_is_refused(scene: Scene) -> None:
    with pytest.raises(Refused, match="there is no carrier called two"):
        commands.withdraw(scene, {"carrier": "two"})
    assert proofs.see_empty(scene, {"carrier": "two"}).proof == "there is no carrier called two"
