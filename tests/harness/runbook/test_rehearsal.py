"""A runbook in a person's hands: real nodes, a real terminal, and what is left of those who go away."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.output.vt100 import Vt100_Output

from harness.runbook import reading
from harness.runbook.journal import performances
from harness.runbook.model import Runbook
from harness.runbook.rehearsal import NAME, Rehearsal
from harness.runbook.scene import Scene
from harness.terminal.prompt import Terminal
from tests import terminal
from topology.document import parse

pytestmark = [pytest.mark.fabric, pytest.mark.takes(15)]

BOOK = """\
name: book
title: {en: A book, ja: 本}
why: To see.
roles: {lead: {en: Lead, ja: 指揮}, speaker: {en: Speaker, ja: 広報}}
steps:
  - name: declare
    title: {en: Declare it lost, ja: 宣言}
    role: lead
    do: {declare: {region: here}}
    proof: {unreachable: {region: here}}
    within: 2s
  - name: told
    title: {en: Tell users, ja: 知らせる}
    role: speaker
    do: {notice: {ja: 報, en: told}}
    proof: {notice-shown: {ja: 報, en: told}}
    within: 5s
    hold: true
  - name: start
    title: {en: Start it, ja: 起動}
    do: {start: {region: here}}
    proof: {healthy: {region: here}}
    within: 20s
"""


@pytest.fixture
def book(scene: Scene) -> Runbook:
    known = {"book": parse(BOOK, "book.yaml").as_fields()}
    return reading.bind(parse("book", "test"), {}, known, scene.stage.topology)


@dataclass
class Sitting:
    """Somebody at a terminal of their own; `gone` is what they were said to have left for."""

    scene: Scene
    book: Runbook
    patience_s: float = 60.0
    gone: list[str] = field(default_factory=list)
    screen: terminal.Terminal = field(default_factory=terminal.Terminal)

    def __post_init__(self) -> None:
        keys = Vt100Input(os.fdopen(os.dup(self.screen.slave), "r"))
        output = Vt100_Output.from_pty(os.fdopen(self.screen.slave, "w"), term="xterm-256color")
        who = {"lead": "Sato"}
        self.person = Terminal(60.0, (0.0,), who, "Suzuki", self.patience_s, keys, output)
        self.rehearsal = Rehearsal(self.book, self.scene, self.person.say, self.person.by)
        self.person.sit_down(self.rehearsal, self.gone.append)
        self.screen.shows("choose a step")

    def kinds(self, *beginnings: str) -> list[str]:
        return [
            " ".join([event.kind, *(str(event.data[key]) for key in ("hold", "step") if key in event.data)])
            for event in self.scene.run.events()
            if event.kind.startswith(beginnings)
        ]


@pytest.fixture
def sit(scene: Scene, book: Runbook) -> Iterator[Callable[..., Sitting]]:
    sittings: list[Sitting] = []

    def down(**more: float) -> Sitting:
        sittings.append(Sitting(scene, book, **more))
        return sittings[-1]

    yield down
    for each in sittings:
        each.person.leave("the test is over")


def lose(scene: Scene) -> None:
    for node in scene.nodes("here"):
        scene.stage.runtime.kill(node)


def test_a_runbook_that_is_followed_ends_by_itself(scene: Scene, sit: Callable[..., Sitting]) -> None:
    lose(scene)
    sitting = sit()
    for word in ("1", "told", "start"):
        sitting.screen.types(word)
        number = [step.name for step in sitting.book.steps].index({"1": "declare"}.get(word, word)) + 1
        sitting.screen.until(
            lambda count=number: len(sitting.kinds("step.proven")) == count,  # type: ignore[misc]
            f"{word} is proven",
        )
    sitting.screen.until(sitting.person.done, "the end")
    assert sitting.rehearsal.proven
    assert sitting.gone == []
    assert sitting.kinds("hold", "rehearsal", "runbook") == [
        "rehearsal.opened",
        "runbook.started",
        "runbook.ended ",
        "rehearsal.ended",
    ]
    done = {(e.data["step"], e.data["role"], e.data["by"]) for e in scene.run.events("step.started")}
    assert done == {("declare", "lead", "Sato"), ("told", "speaker", "Suzuki"), ("start", "", "Suzuki")}


def test_a_hold_point_stands_out_and_skipping_it_is_recorded_not_refused(
    scene: Scene, sit: Callable[..., Sitting]
) -> None:
    lose(scene)
    sitting = sit()
    alarming = {("white", "red", True)}
    for shown in (" HOLD ", "2 told "):  # in the list of steps, and in the panel below
        sitting.screen.until(lambda word=shown: sitting.screen.colours(word) == alarming, shown)  # type: ignore[misc]
    sitting.screen.types("start")
    sitting.screen.shows("skipped: told is not begun, and start begins")
    sitting.screen.until(lambda: "step.proven start" in sitting.kinds("step"), "start is proven")
    (skipped,) = scene.run.events("hold.skipped")
    assert {**skipped.data} == {
        "performance": NAME,
        "runbook": "book",
        "hold": "told",
        "state": "not begun",
        "step": "start",
        "by": "Suzuki",
    }
    sitting.screen.types("told")
    sitting.screen.until(lambda: "step.proven told" in sitting.kinds("step"), "told is proven")
    assert performances(scene.run.path)[-1].skipped == []
    sitting.screen.types("end")
    sitting.screen.until(sitting.person.done, "the end")
    (ended,) = scene.run.events("runbook.ended")
    assert (ended.data["outcome"], ended.data["why"]) == ("failed", "ended though not proven: declare")
    assert sitting.gone == []


def test_a_word_that_is_no_step_is_answered_with_the_nearest(sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.screen.types("strat")
    sitting.screen.shows('no step "strat"; did you mean "start"?')
    assert sitting.kinds("runbook", "step") == []


def test_a_step_that_fails_can_be_tried_again(scene: Scene, sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.screen.types("declare")  # it still answers
    sitting.screen.shows("declare: failed: not proven within 2s: still answering")
    lose(scene)
    sitting.screen.types("declare")
    sitting.screen.until(lambda: "step.proven declare" in sitting.kinds("step"), "declare is proven")
    assert len(sitting.kinds("step.started")) == 2


def test_whoever_walks_away_is_missed(scene: Scene, sit: Callable[..., Sitting]) -> None:
    sitting = sit(patience_s=2.0)
    sitting.screen.types("told")
    sitting.screen.until(sitting.person.done, "nobody is there any more")
    assert sitting.gone == ["the rehearsal was abandoned: nobody touched a key for 2 s"]
    (abandoned,) = scene.run.events("rehearsal.abandoned")
    assert abandoned.data["why"] == "nobody touched a key for 2 s"
    (ended,) = scene.run.events("runbook.ended")
    assert (ended.data["outcome"], ended.data["step"]) == ("interrupted", "declare")


@pytest.mark.parametrize(("keys", "why"), [(b"\x03", "Ctrl-C"), (b"\x04", "the terminal was closed")])
def test_who_gives_up_is_heard(scene: Scene, sit: Callable[..., Sitting], keys: bytes, why: str) -> None:
    sitting = sit()
    sitting.screen.until(lambda: "step>" in sitting.screen.text, "the prompt, which has the keys")
    sitting.screen.presses(keys)
    sitting.screen.until(sitting.person.done, "they are gone")
    assert sitting.gone == [f"the rehearsal was abandoned: {why}"]
    assert [event.data["why"] for event in scene.run.events("rehearsal.abandoned")] == [why]


def test_a_terminal_that_is_closed_stops_what_is_under_way(scene: Scene, sit: Callable[..., Sitting]) -> None:
    sitting = sit()
    sitting.screen.types("declare")
    sitting.screen.until(lambda: sitting.kinds("step.done") != [], "declare is under way")
    sitting.screen.close()
    sitting.screen.until(sitting.person.done, "they are gone")
    assert sitting.gone == ["the rehearsal was abandoned: the terminal was closed"]
    assert sitting.kinds("step")[-1] in ("step.stopped declare", "step.failed declare")
