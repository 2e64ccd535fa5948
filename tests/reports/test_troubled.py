"""The page of a run in which much went wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping

import pytest
from page import Page, written
from sample_run import Sample

from harness.rundir import RunDir
from reports.words import LANGS, Lang

pytestmark = pytest.mark.takes(6)

HOSTILE_TITLE = "</style><img src=x onerror=alert(1)> $x^2$ \\u202e"
HOSTILE_TARGET = "<b>a & b</b> $\\frac{"


@pytest.fixture(scope="module")
def troubled(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Lang, Page]:
    """Its report: hostile names, a defect, an expectation that was missed, a node that died, and then Ctrl-C."""
    run = RunDir(
        shutil.copytree(sample.run.path, tmp_path_factory.mktemp("runs") / "az-loss" / sample.run.name)
    )
    plan = (run.path / "plan.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("Loss of zone A", HOSTILE_TITLE),
        ("overrides: []", "overrides: [scenarios/defects/early-ack.yml]"),
    ):
        assert old in plan
        plan = plan.replace(old, new)
    (run.path / "plan.yaml").write_text(plan, encoding="utf-8")
    verdict = json.loads((run.path / "verdict.json").read_text())
    verdict["verdict"] = verdict["checks"]["recovery"]["verdict"] = "fail"
    verdict["why"] = "The write RTO was 12.2 s, expected at most 5 s."
    verdict["checks"]["recovery"]["expected"]["write_rto_s"] = 5.0
    verdict["checks"]["recovery"]["why"] = "RTO of write: 12.2 s, expected at most 5 s."
    (run.path / "verdict.json").write_text(json.dumps(verdict))
    last_ns = run.events()[-1].at_ns
    events = (run.path / "events.jsonl").read_text(encoding="utf-8")
    events = events.replace("zone singapore.a", json.dumps(HOSTILE_TARGET)[1:-1])
    for at_ns, event in (
        (
            run.clock.start_ns + 50_000_000_000,
            {"kind": "node.died", "node": "mailer-b", "log": ["FATAL: <out> of memory"]},
        ),
        (last_ns, {"kind": "run.interrupted", "why": "Ctrl-C"}),
    ):
        events += json.dumps({"at_ns": at_ns, **event}) + "\n"
    (run.path / "events.jsonl").write_text(events, encoding="utf-8")
    return {lang: written(run, lang) for lang in LANGS}


def test_a_failed_verdict_looks_different(troubled: Mapping[Lang, Page]) -> None:
    for page in troubled.values():
        assert page.having("div", class_="card banner fail")
        assert not page.having("div", class_="card banner pass")
    assert "FAIL" in troubled["en"].text
    assert "The write RTO was 12.2 s" in troubled["en"].text


def test_what_missed_its_expectation_is_marked_and_named_in_both_languages(
    troubled: Mapping[Lang, Page],
) -> None:
    assert "not as expected" in troubled["en"].text
    assert "復旧：RTO（回答） 12.19\u202f秒（期待 5\u202f秒）。" in troubled["ja"].text
    assert "RTO of write: 12.2 s" in troubled["ja"].text  # the check's own words stay


@pytest.mark.parametrize("lang", LANGS)
def test_hostile_names_stay_text(troubled: Mapping[Lang, Page], lang: Lang) -> None:
    page = troubled[lang]
    assert page.unclosed == []
    assert not page.having("script")
    assert not page.having("img")
    assert HOSTILE_TARGET in page.text


def test_a_hostile_title_stays_text(troubled: Mapping[Lang, Page]) -> None:
    assert HOSTILE_TITLE in troubled["en"].text


def test_defects_are_part_of_the_command(troubled: Mapping[Lang, Page]) -> None:
    assert "harness run az-loss --with early-ack --runtime local" in troubled["en"].text


def test_an_interrupted_run_says_why(troubled: Mapping[Lang, Page]) -> None:
    assert "It was interrupted (Ctrl-C)" in troubled["en"].text


def test_a_node_that_died_is_told_with_its_last_words(troubled: Mapping[Lang, Page]) -> None:
    assert "mailer-b died by itself at +50.00 s" in troubled["en"].text
    assert "FATAL: <out> of memory" in troubled["en"].text
