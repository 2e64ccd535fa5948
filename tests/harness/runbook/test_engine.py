"""Performing runbooks on real nodes: what is proven, what stops one, and where it goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from harness.runbook import reading
from harness.runbook.commands import COMMANDS
from harness.runbook.engine import Outcome, Performance
from harness.runbook.journal import FAILED, INTERRUPTED, PROVEN, UNKNOWN, left_off, performances
from harness.runbook.model import Arguments, Runbook
from harness.runbook.scene import Scene
from topology.document import parse

pytestmark = [pytest.mark.fabric, pytest.mark.takes(15)]

NOTICE = "{ja: 報, en: told}"
STEPS = {
    "declare": "do: {declare: {region: here}}, proof: {unreachable: {region: here}}, within: 2s",
    "look": "proof: {healthy: {region: there}}, within: 2s",
    "start": "do: {start: {region: here}}, proof: {healthy: {region: here}}, within: 20s",
    "notice": f"do: {{notice: {NOTICE}}}, proof: {{notice-shown: {NOTICE}}}, within: 5s",
    "elsewhere": "proof: {notice-shown: {ja: 別, en: other}}, within: 1s",
    "patience": "proof: {notice-shown: {ja: 別, en: other}}, within: 60s",
    "fence": "do: {fence: {region: here}}, proof: {takes-no-write: {region: here}}, within: 1s",
    "rebuild": "do: {rebuild: {region: here}}, proof: {healthy: {region: here}}, within: 20s",
    "erase": "do: {rebuild: {region: there}}, proof: {healthy: {region: here}}, within: 5s",
}


def book(scene: Scene, *names: str) -> Runbook:
    steps = "".join(
        f"  - {{name: {name}, title: {{en: {name}, ja: {name}}}, {STEPS[name]}}}\n" for name in names
    )
    text = f"name: book\ntitle: {{en: book, ja: 本}}\nwhy: To see.\nsteps:\n{steps}"
    known = {"book": parse(text, "book.yaml").as_fields()}
    return reading.bind(parse("book", "test"), {}, known, scene.stage.topology)


def perform(scene: Scene, runbook: Runbook, first: str | None = None, name: str = "1-run") -> Outcome:
    return Performance(name, runbook, scene, print).perform(first)


def kinds(scene: Scene) -> list[str]:
    return [
        f"{event.kind} {event.data.get('step', '')}".strip()
        for event in scene.run.events()
        if event.kind.startswith(("runbook.", "step."))
    ]


def lose(scene: Scene, region: str) -> None:
    for node in scene.nodes(region):
        scene.stage.runtime.kill(node)


def test_every_step_is_carried_out_and_proven_in_order(scene: Scene) -> None:
    lose(scene, "here")
    outcome = perform(scene, book(scene, "declare", "look", "start", "notice"))
    assert outcome == Outcome(PROVEN)
    assert kinds(scene) == [
        "runbook.started",
        *(
            f"step.{what} {step}"
            for step in ("declare", "look", "start", "notice")
            for what in ("started", "done", "proven")
        ),
        "runbook.ended",
    ]
    proven = [event.data for event in scene.run.events("step.proven")]
    assert "2 of 2 nodes do not answer" in str(proven[0]["proof"])
    assert "healthy" in str(proven[2]["proof"])


def test_a_failed_proof_stops_it_and_says_why(scene: Scene) -> None:
    outcome = perform(scene, book(scene, "declare", "notice"))
    assert (outcome.result, outcome.step) == (FAILED, "declare")
    assert "still answering: a1" in outcome.why
    assert "step.started notice" not in kinds(scene)
    (failed,) = scene.run.events("step.failed")
    assert failed.data["why"] == outcome.why


def test_it_goes_on_where_it_stopped(scene: Scene) -> None:
    runbook = book(scene, "look", "declare", "start")
    assert perform(scene, runbook).step == "declare"
    assert left_off(scene.run.path, runbook) == "declare"
    lose(scene, "here")
    assert perform(scene, runbook, "declare", "2-run").result == PROVEN
    assert left_off(scene.run.path, runbook) is None
    assert kinds(scene).count("step.started look") == 1


def test_performing_it_again_changes_nothing_more(scene: Scene) -> None:
    runbook = book(scene, "notice", "start")
    assert perform(scene, runbook).result == PROVEN
    page = scene.the("status-page")
    posted = scene.ask(page, "GET", "/notices").json
    assert perform(scene, runbook, name="2-run").result == PROVEN
    assert scene.ask(page, "GET", "/notices").json == posted


def test_a_node_that_is_missing_is_named(scene: Scene) -> None:
    outcome = perform(scene, book(scene, "fence"))
    assert outcome.result == FAILED
    assert "fence: the topology has no such node" in outcome.why


def test_nodes_that_hold_nothing_are_made_anew(scene: Scene) -> None:
    assert perform(scene, book(scene, "rebuild")).result == PROVEN
    rebuilt = [node for event in scene.run.events("nodes.rebuilt") for node in event.data["nodes"]]
    assert rebuilt == ["a1", "a2"]


def test_a_command_that_is_refused_stops_it_at_once(scene: Scene) -> None:
    outcome = perform(scene, book(scene, "erase"))
    assert outcome.result == FAILED
    assert outcome.why == "rebuild was refused: what b1 keeps on its volume would be lost"


def test_an_error_of_the_harness_is_no_failure_of_the_service(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(_scene: Scene, _arguments: Arguments) -> str:
        raise ZeroDivisionError("a slip of ours")

    monkeypatch.setitem(COMMANDS, "declare", replace(COMMANDS["declare"], act=act))
    outcome = perform(scene, book(scene, "declare"))
    assert outcome == Outcome(UNKNOWN, "declare", "declare broke: ZeroDivisionError: a slip of ours")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_asked_to_stop_it_stops_and_tells_where(scene: Scene) -> None:
    runbook = book(scene, "look", "patience")
    performance = Performance("1-run", runbook, scene, print)
    thread = threading.Thread(target=performance.perform)
    thread.start()
    until(lambda: "step.done patience" in kinds(scene))
    performance.asked.set()
    thread.join(5)
    assert performance.outcome is not None
    assert (performance.outcome.result, performance.outcome.step) == (INTERRUPTED, "patience")
    assert left_off(scene.run.path, runbook) == "patience"


def test_what_was_cut_off_is_known_from_the_disk(scene: Scene) -> None:
    """The harness is killed while a step is under way: its lines end there."""
    runbook = book(scene, "look", "elsewhere")
    perform(scene, runbook)
    path = scene.run.path / "runbooks.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    cut = next(n for n, line in enumerate(lines) if b"step.done" in line and b"elsewhere" in line)
    path.write_bytes(b"".join(lines[: cut + 1]) + lines[cut + 1][:20])
    (one,) = performances(scene.run.path)
    assert (one.reached, one.outcome, one.next) == ("elsewhere", "", "elsewhere")


def test_whoever_watches_hears_something_all_the_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.runbook.engine.SPEAK_EVERY_S", 0.2)
    said: list[float] = []
    runbook = book(scene, "elsewhere")
    Performance("1-run", runbook, scene, lambda _: said.append(time.monotonic())).perform()
    assert len(said) >= 4
    assert max(b - a for a, b in pairwise(said)) < 1.0
