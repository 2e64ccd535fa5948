"""What the timeline writes down of a fault."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from harness import timeline
from harness.faults import Effect, Stage
from harness.plan import Entry, Plan
from harness.rundir import Json, RunDir
from harness.scenario import Drill
from topology.map import Node, Title

TAKES_S = 0.05


class Slow:
    """In force at once, though its injection takes a while."""

    nodes: Sequence[Node] = ()
    undoing: dict[str, Json] = {"verb": None, "why": "nothing happened"}  # noqa: RUF012 - never changed

    def inject(self, _: Stage) -> int:
        began_ns = time.monotonic_ns()
        time.sleep(TAKES_S)
        return began_ns

    def verify(self, _: Stage) -> Effect:
        return Effect(True, "seen")


def test_a_fault_is_in_force_when_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "build", lambda *_: Slow())
    run = RunDir.create(tmp_path, "s", 1)
    title, drill = Title("slow", "遅い"), Drill("e", 1, 1, "everyone-2019", 60.0, (), 0.0, 0.0)
    entries = (Entry("1-lose", 0.0, "lose", "a node"),)
    plan = Plan("s", title, title, drill, entries, 1.0, {}, 1, "", (), {}, {})
    played = timeline.Timeline(cast("Stage", None), run, plan, lambda _: None, lambda *_: None)
    played.play(lambda _: True)
    played.settle()
    played.close()
    at_ns = {event.kind: event.at_ns for event in run.events()}
    assert at_ns["fault.injected"] - at_ns["fault.injecting"] < TAKES_S * 1e9 / 2
    assert at_ns["fault.proven"] - at_ns["fault.injected"] >= TAKES_S * 1e9
