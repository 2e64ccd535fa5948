"""Performing on a replica that stays up: over its socket, from another process's point of view."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness.runbook import desk, progress
from harness.runbook.desk import Desk, Request
from harness.runbook.journal import performances
from harness.runbook.scene import Scene
from harness.rundir import Json

pytestmark = pytest.mark.fabric

BOOK = """\
name: book
title: {en: book, ja: 本}
why: To see.
parameters: {en: text}
steps:
  - {name: post, title: {en: p, ja: 出}, do: {notice: &words {ja: 報, en: $en}},
     proof: {notice-shown: *words}, within: 5s, hold: true}
  - {name: wait, title: {en: w, ja: 待}, proof: {notice-shown: {ja: 完, en: $en is over}}, within: 30s}
"""


@pytest.fixture
def runs(tmp_path: Path, scene: Scene) -> Iterator[Path]:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "book.yaml").write_text(BOOK)
    with Desk(tmp_path, scene):
        yield tmp_path


class Client:
    """One `harness perform`."""

    def __init__(self, runs: Path, settings: Sequence[str] = ("en=told",), first: str | None = None) -> None:
        request = Request("book", str(runs / "runbooks"), tuple(settings), first, False, "somebody")
        self.connection = desk.ask(runs, request)
        self.rows: list[dict[str, Json]] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        with self.connection.makefile() as lines:
            self.rows.extend(map(json.loads, lines))

    def says(self, text: str) -> None:
        """Wait until it has been said."""
        deadline = time.monotonic() + 10
        while not any(text in str(row) for row in self.rows):
            assert time.monotonic() < deadline, self.rows
            time.sleep(0.01)

    def end(self) -> dict[str, Json]:
        self._thread.join(20)
        self.connection.close()
        return self.rows[-1]


def finish(scene: Scene, en: str) -> None:
    scene.ask(scene.the("status-page"), "POST", "/notices", {"ja": "完", "en": f"{en} is over"})


def test_what_happens_is_heard_as_it_happens(runs: Path, scene: Scene) -> None:
    client = Client(runs)
    client.says("from its first step, 2 steps")
    client.says("proven after")
    finish(scene, "told")
    assert client.end()["end"] == "proven"


def test_one_runbook_at_a_time(runs: Path) -> None:
    first = Client(runs, ["en=first"])
    first.says("wait: w")
    second = Client(runs, ["en=second"])
    assert second.end() == {"refused": "state", "why": "a runbook is being performed: book (en first)"}
    first.connection.sendall(b"stop\n")
    assert first.end()["end"] == "interrupted"


def test_a_client_that_vanishes_stops_it_and_status_tells_where(runs: Path, scene: Scene) -> None:
    client = Client(runs, ["en=vanished"])
    client.says("wait: w")
    assert any(
        "is being performed, step 2 of 2, wait" in line for line in progress.told(scene.run.path, stands=True)
    )
    client.connection.shutdown(2)
    deadline = time.monotonic() + 5
    while performances(scene.run.path)[-1].outcome != "interrupted":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    lines = "\n".join(progress.told(scene.run.path, stands=True))
    assert "book (en vanished): was interrupted at step 2 of 2, wait" in lines
    assert "proven: post" in lines
    assert "`harness perform book --set en=vanished` goes on at wait" in lines
    again = Client(runs, ["en=vanished"])
    again.says("from wait on")
    finish(scene, "vanished")
    assert again.end()["end"] == "proven"
    assert not progress.unfinished(scene.run.path)


def test_beginning_behind_a_hold_point_is_recorded_and_not_refused(runs: Path, scene: Scene) -> None:
    client = Client(runs, ["en=behind"], "wait")
    client.says("hold point skipped: post is not proven; that is recorded")
    finish(scene, "behind")
    assert client.end()["end"] == "proven"
    (skipped,) = scene.run.events("hold.skipped")
    assert (skipped.data["hold"], skipped.data["step"], skipped.data["by"]) == ("post", "wait", "somebody")
    told = "\n".join(progress.told(scene.run.path, stands=True))
    assert "hold points that were skipped and never proven: post" in told
    assert "every step is proven, but for those passed over: post" in told


def test_a_step_that_was_passed_over_is_not_called_proven(runs: Path, scene: Scene) -> None:
    client = Client(runs, ["en=passed"], "wait")
    client.says("wait: w")
    client.connection.sendall(b"stop\n")
    assert client.end()["end"] == "interrupted"
    told = "\n".join(progress.told(scene.run.path, stands=True))
    assert "  proven: none\n  passed over: post" in told
    assert "`harness perform book --set en=passed` goes on at wait" in told


def test_what_was_proven_before_is_not_skipped(runs: Path, scene: Scene) -> None:
    stopped = Client(runs, ["en=before"])
    stopped.says("wait: w")
    stopped.connection.sendall(b"stop\n")
    assert stopped.end()["end"] == "interrupted"
    again = Client(runs, ["en=before"], "wait")
    finish(scene, "before")
    assert again.end()["end"] == "proven"
    assert scene.run.events("hold.skipped") == []


def test_bad_input_is_told_and_nothing_is_done(runs: Path, scene: Scene) -> None:
    before = performances(scene.run.path)
    refused = Client(runs, ["ne=told"]).end()
    assert refused["refused"] == "input"
    assert 'did you mean "en"?' in str(refused["why"])
    refused = Client(runs, first="wiat").end()
    assert 'did you mean "wait"?' in str(refused["why"])
    assert performances(scene.run.path) == before


def test_nobody_takes_requests_when_nothing_is_up(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No such file|refused"):
        desk.ask(tmp_path, Request("book", "", (), None, False, "somebody"))


def test_taking_it_down_stops_what_is_under_way(tmp_path: Path, scene: Scene) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "book.yaml").write_text(BOOK)
    with Desk(tmp_path, scene):
        client = Client(tmp_path, ["en=down"])
        client.says("wait: w")
    assert client.end()["end"] == "interrupted"
    assert "interrupted at step 2 of 2" in "\n".join(progress.told(scene.run.path, stands=False))


def test_what_stopped_before_another_was_performed_to_its_end_is_history(runs: Path, scene: Scene) -> None:
    stopped = Client(runs, ["en=stopped"])
    stopped.says("wait: w")
    stopped.connection.sendall(b"stop\n")
    assert stopped.end()["end"] == "interrupted"
    assert progress.unfinished(scene.run.path)
    other = Client(runs, ["en=other"])
    other.says("wait: w")
    finish(scene, "other")
    assert other.end()["end"] == "proven"
    assert not progress.unfinished(scene.run.path)
    assert "book (en stopped): was interrupted" in "\n".join(progress.told(scene.run.path, stands=True))
