"""Congestion acts on real connections, notices and mails; it is lifted over time, and then it is over."""

from __future__ import annotations

import http.client
import json
import smtplib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.congestion import Restriction
from harness.faults import Stage
from harness.faults.build import build
from harness.faults.congest import Congest
from harness.faults.looking import connect
from harness.faults.mailing import SMTP_PORT
from harness.plan import Entry, Plan
from harness.rundir import Event, RunDir
from harness.scenario import Drill
from harness.timeline import Timeline
from tests import small
from tests.standing import standing
from topology.map import Title

pytestmark = [pytest.mark.fabric, pytest.mark.takes(20)]

LATE_AND_LOST = {"notices_late": 0.6, "notices_lost": 0.3, "notices_within": 60.0}
#: What a profile may do to a carrier at a stage, in real seconds.
EFFECTS: Mapping[str, Mapping[str, float]] = {
    "refused and slow": {"refused": 0.3, "latency": 0.15},
    "thin": {"bandwidth": 20},
    "silent": {"silence": 0.4},
    "late and lost notices": LATE_AND_LOST,
    "few mails": {"mails_per_s": 5.0},
    "all at once": {"refused": 0.3, **LATE_AND_LOST, "mails_per_s": 200.0},
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The small topology with an access link and its carrier's mail, looked at from a2."""
    with standing(small.with_mail(), "a2", tmp_path_factory.mktemp("runs"), "congestion") as stage:
        yield stage


def stage_of(stage: Stage, effects: Mapping[str, float], *, followed: bool = False) -> Congest:
    fault = build("degrade", Restriction("crowded", 0.0, {"one": effects}, followed), stage)
    assert isinstance(fault, Congest)
    return fault


def ask(stage: Stage, path: str) -> Any:
    """What the carrier's mail answers."""
    mail = stage.topology.nodes["mail"]
    connection = http.client.HTTPConnection(str(mail.address), 8000)
    connection.sock = connect(stage, stage.observer, mail, 8000)
    connection.request("GET", path)
    return json.loads(connection.getresponse().read())


def deliver(stage: Stage, mailbox: str, count: int) -> None:
    with stage.runtime.inside(stage.observer):
        sender = smtplib.SMTP(
            str(stage.topology.nodes["mail"].address), SMTP_PORT, local_hostname="a2", timeout=5
        )
    with sender:
        for number in range(count):
            content = f"Message-ID: <{mailbox}-{number}@x>\r\n\r\nhello\r\n".encode()
            sender.sendmail("a@b.example", [f"{mailbox}@one.example"], content)


def noticed(stage: Stage, mailbox: str) -> Mapping[str, int]:
    """How many notices of a mailbox came to what, as the carrier's mail wrote it down."""
    done = stage.runtime.exec(stage.topology.nodes["mail"], ["cat", "/mnt/data/journal/noticed.jsonl"], 5)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return Counter(row["result"] for row in rows if row["to"] == f"{mailbox}@one.example")


@pytest.mark.parametrize("name", EFFECTS)
def test_a_stage_is_proven_only_while_it_lasts(name: str, stage: Stage) -> None:
    made = stage_of(stage, EFFECTS[name])
    assert not made.verify(stage).proven, "nothing was injected yet"
    made.inject(stage)
    try:
        effect = made.verify(stage)
        assert not made.verify_undone(stage).proven, "it was not undone yet"
    finally:
        made.undo(stage)
    assert effect.proven, effect.proof
    undone = made.verify_undone(stage)
    assert undone.proven, undone.proof
    assert not made.verify(stage).proven, "it was undone"


def test_a_restriction_is_lifted_step_by_step(stage: Stage) -> None:
    """Each stage is what it says, in the place of the one before it, and the last leaves nothing behind."""
    heavy = stage_of(stage, {"refused": 0.7, "latency": 0.1, "notices_lost": 1.0}, followed=True)
    light = stage_of(stage, {"refused": 0.2, "notices_lost": 1.0}, followed=True)
    last = stage_of(stage, {"notices_lost": 0.5})
    proofs = []
    heavy.inject(stage)
    try:
        proofs.append(heavy.verify(stage))
        light.inject(stage)
        heavy.give_way(stage, light)
        proofs.append(light.verify(stage))
        assert not heavy.verify(stage).proven, "it is lighter now"
        last.inject(stage)
        light.give_way(stage, last)
        proofs.append(last.verify(stage))
        link = stage_of(stage, {"refused": 0.2}).verify_undone(stage)
        assert link.proven, f"connections are free again: {link.proof}"
    finally:
        for each in (last, light, heavy):
            each.undo(stage)
    assert [effect.proven for effect in proofs] == [True] * 3, proofs
    assert last.verify_undone(stage).proven


def test_late_notices_stay_late_when_only_another_restriction_is_lifted(stage: Stage) -> None:
    late = {"notices_late": 1.0, "notices_within": 3600.0}
    first = stage_of(stage, {"refused": 0.5, **late}, followed=True)
    second = stage_of(stage, late)
    mail = stage.topology.nodes["mail"]
    first.inject(stage)
    try:
        with connect(stage, stage.observer, mail, 8000, timeout_s=5) as stream:
            stream.sendall(b"GET /notices?to=held@one.example HTTP/1.1\r\nHost: mail\r\n\r\n")
            deliver(stage, "held", 5)
            second.inject(stage)
            first.give_way(stage, second)
            heard = b""
            while heard.count(b"\r\n\n") < 2:  # two empty lines: it has looked twice, a second apart
                heard += stream.recv(65536)
            assert b"seq" not in heard
            second.undo(stage)
            while heard.count(b'{"seq":') < 5:
                heard += stream.recv(65536)
    finally:
        second.undo(stage)
        first.undo(stage)


def played(stage: Stage, run: RunDir, *, stopped_before: str = "") -> Mapping[str, list[Event]]:
    """The events of two stages that follow one another, by fault. Each is looked at before the next begins."""
    heavy = Restriction("crowded", 0.0, {"one": {"refused": 0.7, "notices_lost": 1.0}}, followed=True)
    light = Restriction("crowded", 1.0, {"one": {"refused": 0.3}})
    entries = (
        Entry("1-degrade", 0.0, "degrade", heavy),
        Entry("2-ease", 1.0, "ease", heavy, undoes="1-degrade"),
        Entry("3-degrade", 1.0, "degrade", light),
        Entry("4-ease", 2.0, "ease", light, undoes="3-degrade"),
    )
    title = Title("crowded", "混雑")
    drill = Drill("e", 1, 1, "everyone-2019", 60.0, (), 0.0, 0.0)
    plan = Plan("s", title, title, drill, entries, 3.0, {}, 1, "", (), {}, {})
    timeline = Timeline(stage, run, plan, lambda _: None, lambda *_: None)
    left = [entry.id for entry in entries]

    def wait_until(_: float) -> bool:
        timeline.settle()
        return left.pop(0) != stopped_before

    timeline.play(wait_until)
    timeline.heal()
    timeline.close()
    found: dict[str, list[Event]] = {}
    for event in run.events():
        found.setdefault(str(event.data["fault"]), []).append(event)
    return found


def test_on_the_timeline_a_stage_ends_when_the_next_is_in_its_place(stage: Stage, tmp_path: Path) -> None:
    events = played(stage, RunDir.create(tmp_path, "s", 1))
    first, second = ({event.kind: event for event in events[name]} for name in ("1-degrade", "3-degrade"))
    assert second["fault.injected"].at_ns < first["fault.undoing"].at_ns
    for seen in (first, second):
        assert seen["fault.proven"].data["effect"] == "proven", seen
        assert seen["fault.undone.seen"].data["verified"], seen


def test_a_run_that_is_stopped_between_two_stages_leaves_none(stage: Stage, tmp_path: Path) -> None:
    events = played(stage, RunDir.create(tmp_path, "s", 1), stopped_before="3-degrade")
    assert list(events) == ["1-degrade"]
    (seen,) = (event for event in events["1-degrade"] if event.kind == "fault.undone.seen")
    assert seen.data["verified"]
    assert "connections answered" in str(seen.data["proof"]), "it was looked at"
    clear = stage_of(stage, {"refused": 0.7, "notices_lost": 1.0}).verify_undone(stage)
    assert clear.proven, clear.proof


def test_whose_notice_is_lost_finds_the_mail_by_hand(stage: Stage) -> None:
    lost = stage_of(stage, {"notices_lost": 1.0})
    mail = stage.topology.nodes["mail"]
    lost.inject(stage)
    try:
        with connect(stage, stage.observer, mail, 8000, timeout_s=5) as stream:
            stream.sendall(b"GET /notices?to=silent@one.example HTTP/1.1\r\nHost: mail\r\n\r\n")
            deliver(stage, "silent", 3)
            heard = b""
            while heard.count(b"\r\n\n") < 2:
                heard += stream.recv(65536)
        assert b"seq" not in heard, "no handset rang"
        assert len(ask(stage, "/mailboxes/silent@one.example")) == 3
    finally:
        lost.undo(stage)
    assert noticed(stage, "silent") == {"lost": 3}
