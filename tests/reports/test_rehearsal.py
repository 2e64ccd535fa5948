"""The debrief of a rehearsal, as the report has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from harness.rundir import Json
from reports import rehearsal
from reports.names import Names
from reports.reading import Record
from reports.rehearsal import Debrief
from reports.run import page
from reports.words import Words

pytestmark = pytest.mark.takes(5)

FENCE: Json = {"step": "fence", "title": {"en": "Fence it off", "ja": "書き込みを禁じる"}, "by": ["Sato"]}
PROMOTE: Json = {"step": "promote", "title": {"en": "Promote", "ja": "昇格する"}, "by": ["Suzuki"]}
COST: Json = {
    "failed": 132, "unknown": 0, "people": 97, "answers_lost": 4, "mails_late": 0, "mails_lost": None,
}  # fmt: skip


def rehearsed(record: Record, *deviations: Json, first_notice_s: float | None = 570.0) -> Record:
    finding: Json = {
        "verdict": "fail",
        "why": "Hold points skipped: 1, expected at most 0.",
        "measured": {"steps": 2, "proven": 2, "skipped": 1, "late": 0, "first_notice_s": first_notice_s},
        "expected": {"skipped": 0},
        "evidence": [],
        "detail": {
            "runbook": "region-move",
            "auto": False,
            "within_s": 1800.0,
            "steps": [FENCE, PROMOTE],
            "deviations": list(deviations),
        },
    }
    assert record.verdict is not None
    checks = record.verdict["checks"]
    assert isinstance(checks, dict)
    return replace(record, verdict={**record.verdict, "checks": {**checks, "rehearsal": finding}})


def skipped(ended: bool = True) -> Json:
    return {
        "what": "skipped", "step": "fence", "behind": "promote", "from_s": 13.0, "until_s": 22.0, "ended": ended,
        "cost": COST,
    }  # fmt: skip


def debrief(record: Record, lang: Literal["en", "ja"] = "en") -> Debrief:
    words = Words(lang)
    found = rehearsal.debrief(record, Names(record, words), words)
    assert found is not None
    return found


def test_where_nothing_was_rehearsed_there_is_no_section(moved_record: Record) -> None:
    assert rehearsal.debrief(moved_record, Names(moved_record, Words("en")), Words("en")) is None


def test_a_skipped_hold_point_is_told_with_its_cost(moved_record: Record) -> None:
    found = debrief(rehearsed(moved_record, skipped()))
    (row,) = found.deviations
    assert row.said == "Hold point skipped: “Fence it off” was not proven when “Promote” began; proven later"
    assert (row.tone, row.from_s, row.until_s) == ("fail", 13.0, 22.0)
    assert [cost.text for cost in row.costs] == ["132", "0", "97", "4", "0", "—"]
    assert found.who == "The runbook was in the hands of: Sato, Suzuki."
    assert found.notice_tone == "pass"


def test_it_is_told_in_japanese(moved_record: Record) -> None:
    record = rehearsed(moved_record, skipped(ended=False), first_notice_s=2280.0)
    found = debrief(record, "ja")
    assert found.deviations[0].said == (
        "要確認の手順を省略：「書き込みを禁じる」の確認前に「昇格する」を開始（最後まで未確認）"
    )
    assert found.notice == "第一報は障害から 38.0 分後（訓練時間）。期限の 30 分を超過。"
    html = page(record, Words("ja"))
    assert 'id="rehearsal"' in html
    assert "失われた受付済み回答" in html


@pytest.mark.parametrize("what", ["late", "not proven", "out of order"])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_deviation_has_its_sentence(moved_record: Record, what: str, lang: Literal["en", "ja"]) -> None:
    row = skipped()
    assert isinstance(row, dict)
    (found,) = debrief(rehearsed(moved_record, {**row, "what": what}), lang).deviations
    assert "Fence it off" in found.said or "書き込みを禁じる" in found.said
    assert found.tone == "unknown"


def test_a_runbook_that_was_followed_says_so(moved_record: Record) -> None:
    assert "It was followed" in page(rehearsed(moved_record), Words("en"))
