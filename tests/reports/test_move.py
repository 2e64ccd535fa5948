"""The page of a run in which the service moves from one region to another."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest
from page import Page, written
from sample_move import STEPS
from sample_run import Sample

from reports.words import LANGS, Lang, Words, catalogue

pytestmark = pytest.mark.takes(15)


@pytest.fixture(scope="module")
def pages(moved: Sample) -> Mapping[Lang, Page]:
    return {lang: written(moved.run, lang) for lang in LANGS}


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_has_the_regions_and_the_runbooks(
    moved: Sample, pages: Mapping[Lang, Page], lang: Lang
) -> None:
    page = pages[lang]
    assert page.unclosed == []
    assert not re.search(r"\{[a-z_]+\}", page.text)
    assert page.having("section", id="regions")
    assert page.having("section", id="runbooks")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert (moved.run.path / "figures" / "regions.svg").exists()
    for name, en, ja, *_, proof in STEPS:
        told = (name, ja if lang == "ja" else en, proof)
        assert [text for text in told if text not in page.text] == []


def test_what_each_step_came_to_is_said_in_words_beside_its_times(pages: Mapping[Lang, Page]) -> None:
    page = pages["en"]
    table = page.text[page.text.index("Runbooks") :]
    rows = re.findall(r"24\.0–25\.2|70\.1–82\.4|not reached|not performed again", table)
    assert set(rows) == {"24.0–25.2", "70.1–82.4", "not reached", "not performed again"}
    assert "Began at 24.0 s. Took 17.3 s; planned: at most 130 s." in page.text
    assert "未着手" in pages["ja"].text
    assert "17.3 秒（予定は最長 130 秒）" in pages["ja"].text


@pytest.mark.parametrize("lang", LANGS)
def test_every_measured_number_stands_on_the_page(
    moved: Sample, pages: Mapping[Lang, Page], lang: Lang
) -> None:
    verdict = json.loads((moved.run.path / "verdict.json").read_text())
    measured = [
        (check, key, value)
        for check, finding in verdict["checks"].items()
        for key, value in {**finding["measured"], **finding["expected"]}.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    assert {"replication", "backups", "recovery"} <= {check for check, _, _ in measured}
    assert [row for row in measured if json.dumps(row[2]) not in pages[lang].values] == []


def test_every_quantity_has_a_name_and_every_check_a_title(moved: Sample) -> None:
    verdict = json.loads((moved.run.path / "verdict.json").read_text())
    words = Words("ja")
    for check, finding in verdict["checks"].items():
        assert f"check.{check}" in catalogue(), check
        for key in {**finding["measured"], **finding["expected"]}:
            assert f"measure.{key}" in catalogue() or f"measure.{check}.{key}" in catalogue(), (check, key)
    for row in verdict["checks"]["recovery"]["detail"]["parts"]:
        parts = [key.removesuffix("_s") for key in row if key.endswith("_s") and key != "rto_s"]
        assert [part for part in parts if words.value("part", part) == part] == []


def test_where_nothing_was_rehearsed_there_is_no_debrief(pages: Mapping[Lang, Page]) -> None:
    for page in pages.values():
        assert not page.having("section", id="rehearsal")


@pytest.mark.parametrize(
    "missing",
    ["databases.arrow", "replication.arrow", "backups/observed.jsonl", "topology.yml", "events.jsonl", "verdict.json"],
)  # fmt: skip
def test_a_report_comes_whatever_is_missing(own_move: Sample, missing: str) -> None:
    (own_move.run.path / missing).unlink()
    assert written(own_move.run).unclosed == []


def test_a_report_comes_whatever_the_events_say(own_move: Sample) -> None:
    path = own_move.run.path / "events.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row["kind"].startswith(("runbook.", "step.", "alarm.")):
            row.update(
                title="<b>", steps=[None, {"step": 7, "within_s": "x"}], arguments=[], outcome=None, lag_s="x"
            )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    page = written(own_move.run)
    assert page.unclosed == []
    assert page.having("section", id="runbooks")
