"""The performances of runbooks, from events as their journal writes them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sample_move import STEPS

from reports.names import Names
from reports.reading import Record
from reports.runbooks import Performance, performances
from reports.words import Words


@pytest.fixture(scope="module")
def record(moved_record: Record) -> Record:
    return moved_record


def told(record: Record, lang: str = "en") -> list[Performance]:
    words = Words(lang)  # type: ignore[arg-type]
    return performances(record, Names(record, words), words)


def without(record: Record, *kinds: str) -> Record:
    kept = [e for e in record.events if e.kind not in kinds or e.data.get("performance") != "3-run"]
    return replace(record, events=kept)


def test_every_step_is_told_with_its_times_and_its_proof(record: Record) -> None:
    move = told(record)[0]
    assert (move.title, move.outcome, move.tone) == (
        "A region is lost, another one takes over",
        "proven",
        "pass",
    )
    assert move.arguments == "from: Singapore, to: Tokyo"
    assert [(step.name, step.within_s, step.from_s, step.until_s, step.said) for step in move.steps] == [
        (name, planned, pytest.approx(begun_s), pytest.approx(proven_s), proof)
        for name, _, _, planned, begun_s, proven_s, _, proof in STEPS
    ]
    assert [step.depth for step in move.steps] == [0, 0, 1, 1, 0, 0]
    assert move.steps[2].took_s == pytest.approx(5.1)


def test_titles_are_in_the_language_of_the_page(record: Record) -> None:
    move = told(record, "ja")[0]
    assert move.title == "リージョン喪失時の切り替え"
    assert [step.title for step in move.steps] == [ja for _, _, ja, *_ in STEPS]
    assert "シンガポール" in move.arguments


def test_a_failure_stops_it_and_what_was_passed_over_is_told(record: Record) -> None:
    back = told(record)[1]
    assert [(step.outcome, step.tone) for step in back.steps] == [
        ("earlier", "none"),
        ("failed", "fail"),
        ("unreached", "none"),
    ]
    assert "database-a refuses a write" in back.steps[1].said
    assert back.steps[1].took_s == pytest.approx(12.3)
    assert "database-a refuses a write" in back.why


@pytest.mark.parametrize(
    ("kinds", "outcomes"),
    [
        (("step.failed",), ("failed", "interrupted")),
        (("runbook.ended",), ("cut", "failed")),
        (("step.failed", "runbook.ended"), ("cut", "cut")),
        (("step.started", "step.failed"), ("failed", "unreached")),
    ],
)
def test_what_was_cut_off_says_so(record: Record, kinds: tuple[str, ...], outcomes: tuple[str, str]) -> None:
    back = told(without(record, *kinds))[1]
    assert (back.outcome, back.steps[1].outcome) == outcomes


def test_a_step_that_broke_is_unknown(record: Record) -> None:
    events = [
        replace(e, data={**e.data, "outcome": "unknown"}) if e.kind == "runbook.ended" else e
        for e in record.events
    ]
    assert told(replace(record, events=events))[1].steps[1].outcome == "unknown"
