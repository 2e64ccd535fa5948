"""The page as a whole: what stands on it, in both languages, of whole runs and of what a kill leaves."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from page import Page
from sample_evidence import company_name
from sample_run import Sample

from harness.rundir import RunDir
from reports import run as report
from reports.words import LANGS, Lang

EVERYTHING = (
    "plan.yaml",
    "topology.yml",
    "clock.json",
    "events.jsonl",
    "undo.jsonl",
    "host.jsonl",
    "history",
    "probes",
    "databases.arrow",
    "final",
    "mail",
    "verdict.json",
)


def written(run: RunDir, lang: Lang = "en") -> Page:
    return Page(report.write(run, lang).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pages(sample: Sample) -> Mapping[Lang, Page]:
    """The sample's report in both languages."""
    return {lang: written(sample.run, lang) for lang in LANGS}


def rewrite_verdict(run: RunDir, **changes: object) -> None:
    verdict = json.loads((run.path / "verdict.json").read_text()) | changes
    (run.path / "verdict.json").write_text(json.dumps(verdict))


@pytest.mark.parametrize("lang", LANGS)
def test_every_measured_number_stands_on_the_page(
    sample: Sample, pages: Mapping[Lang, Page], lang: Lang
) -> None:
    page = pages[lang]
    verdict = json.loads((sample.run.path / "verdict.json").read_text())
    measured = [
        (check, key, value)
        for check, finding in verdict["checks"].items()
        for key, value in {**finding["measured"], **finding["expected"]}.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    assert len(measured) > 60
    assert [row for row in measured if json.dumps(row[2]) not in page.values] == []


def test_the_verdict_is_worded_and_reasoned(sample: Sample, pages: Mapping[Lang, Page]) -> None:
    page = pages["en"]
    verdict = json.loads((sample.run.path / "verdict.json").read_text())
    assert verdict["verdict"] == "pass"
    assert page.having("div", class_="card banner pass")
    assert "PASS" in page.text
    assert verdict["why"] in page.text
    for finding in verdict["checks"].values():
        assert finding["why"] in page.text


@pytest.mark.parametrize(
    ("verdict", "word"), [("fail", "FAIL"), ("unknown", "UNKNOWN"), ("nonsense", "UNKNOWN")]
)
def test_other_verdicts_look_different(own_run: RunDir, verdict: str, word: str) -> None:
    rewrite_verdict(own_run, verdict=verdict, why="The write RTO was 45 s, expected at most 30 s.")
    page = written(own_run)
    assert page.having("div", class_=f"card banner {word.lower()}")
    assert "The write RTO was 45 s" in page.text
    assert not page.having("div", class_="card banner pass")


def test_what_missed_its_expectation_is_marked_and_named_in_both_languages(own_run: RunDir) -> None:
    verdict = json.loads((own_run.path / "verdict.json").read_text())
    verdict["verdict"] = verdict["checks"]["recovery"]["verdict"] = "fail"
    verdict["checks"]["recovery"]["expected"]["write_rto_s"] = 5.0
    verdict["checks"]["recovery"]["why"] = "RTO of write: 12.2 s, expected at most 5 s."
    (own_run.path / "verdict.json").write_text(json.dumps(verdict))
    assert "not as expected" in written(own_run).text
    page = written(own_run, "ja")
    assert "復旧：RTO（回答） 12.19\u202f秒（期待 5\u202f秒）。" in page.text
    assert "RTO of write: 12.2 s" in page.text  # the check's own words stay


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_is_well_formed_and_stands_alone(pages: Mapping[Lang, Page], lang: Lang) -> None:
    page = pages[lang]
    assert page.unclosed == []
    assert page.having("html")[0]["lang"] == lang
    assert not page.having("script")
    for _, attributes in page.tags:
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_same_record_gives_the_same_bytes(own_run: RunDir) -> None:
    first = report.write(own_run).read_bytes()
    figures = {path.name: path.read_bytes() for path in (own_run.path / "figures").iterdir()}
    assert report.write(own_run).read_bytes() == first
    assert {path.name: path.read_bytes() for path in (own_run.path / "figures").iterdir()} == figures


def test_the_figures_are_files_too(own_run: RunDir) -> None:
    report.write(own_run)
    names = {path.name for path in (own_run.path / "figures").iterdir()}
    assert names == {"timeline.png", "timeline.svg", "recovery.svg", "responses.svg", "host.svg"}


def test_hostile_names_stay_text(own_run: RunDir) -> None:
    evil = company_name(2)
    assert evil in written(own_run).text  # a company's
    plan = (own_run.path / "plan.yaml").read_text(encoding="utf-8")
    hostile = "</style><img src=x onerror=alert(1)> $x^2$ \\u202e"
    (own_run.path / "plan.yaml").write_text(plan.replace("Loss of zone A", hostile), encoding="utf-8")
    events = (own_run.path / "events.jsonl").read_text(encoding="utf-8")
    target = json.dumps("<b>a & b</b> $\\frac{")[1:-1]
    (own_run.path / "events.jsonl").write_text(events.replace("zone singapore.a", target), encoding="utf-8")
    page = written(own_run)
    assert not page.having("script")
    assert not page.having("img")
    assert hostile in page.text
    assert "<b>a & b</b> $\\frac{" in page.text


def test_how_to_see_it_again(sample: Sample, pages: Mapping[Lang, Page]) -> None:
    page = pages["en"]
    assert "harness run az-loss --runtime local --seed 7" in page.text
    assert "patroni" in page.text
    assert "4.1.5" in page.text
    assert sample.run.name in page.text


def test_defects_are_part_of_the_command(own_run: RunDir) -> None:
    plan = (own_run.path / "plan.yaml").read_text(encoding="utf-8")
    told = plan.replace("overrides: []", "overrides: [scenarios/defects/early-ack.yml]")
    (own_run.path / "plan.yaml").write_text(told, encoding="utf-8")
    assert "harness run az-loss --with early-ack --runtime local" in written(own_run).text


def test_events_and_undo_journal_are_told(sample: Sample, pages: Mapping[Lang, Page]) -> None:
    page = pages["en"]
    for event in sample.run.events():
        assert event.kind in page.text
    assert "restore" in page.text
    assert "refuse connections; 8 of 8 nodes" in page.text


# -- runs that were cut short -------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", EVERYTHING)
def test_a_report_comes_whatever_is_missing(own_run: RunDir, missing: str) -> None:
    path = own_run.path / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = written(own_run)
    assert page.unclosed == []
    assert "az-loss" in page.text


def test_a_report_comes_though_everything_is_torn(own_run: RunDir, torn: Callable[[str], None]) -> None:
    for path in sorted(own_run.path.rglob("*")):
        if path.is_file():
            torn(str(path.relative_to(own_run.path)))
    page = written(own_run)
    assert page.unclosed == []
    assert "topology.yml: cannot be read" in page.text


def test_a_report_comes_though_everything_is_garbage(own_run: RunDir) -> None:
    for path in own_run.path.rglob("*"):
        if path.is_file():
            path.write_bytes(b"\x00\xff\xfe garbage")
    assert written(own_run).unclosed == []


def test_a_report_comes_whatever_the_verdict_looks_like(own_run: RunDir) -> None:
    effects = [None, {}, {"rto_s": "x"}, {"kind": "fault", "rto_s": None, "capability": "<b>", "vantage": 7}]
    checks = {
        "answers": None,
        "mail": {"measured": [], "expected": 3, "evidence": {}, "detail": []},
        "recovery": {"detail": {"effects": effects, "parts": {}}},
        "responses": {"detail": {"all": {"median_drill_min": "x"}, "companies": {"1": {}, "2": 3}}},
    }
    (own_run.path / "verdict.json").write_text(json.dumps({"verdict": 7, "checks": checks, "faults": {}}))
    page = written(own_run)
    assert page.unclosed == []
    assert "UNKNOWN" in page.text


@pytest.mark.parametrize("lang", LANGS)
def test_an_empty_run_directory_gives_a_report(tmp_path: Path, lang: Lang) -> None:
    (tmp_path / "calm" / "20260311T054600-1").mkdir(parents=True)
    page = written(RunDir(tmp_path / "calm" / "20260311T054600-1"), lang)
    assert page.having("div", class_="card banner none")
    assert page.unclosed == []
    assert "events.jsonl" in page.text


def test_a_killed_run_says_so(own_run: RunDir) -> None:
    """Killed at 40 s: no verdict, nothing read back, no end, a torn last line."""
    for gone in ("verdict.json", "databases.arrow"):
        (own_run.path / gone).unlink()
    for gone in ("final", "mail"):
        shutil.rmtree(own_run.path / gone)
    lines = (own_run.path / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    until = next(number for number, line in enumerate(lines) if "fault.undoing" in line)
    (own_run.path / "events.jsonl").write_text("".join(lines[:until]) + lines[until][:20], encoding="utf-8")
    page = written(own_run)
    assert "NO VERDICT YET" in page.text
    assert "The run was cut short." in page.text
    assert "power lost: zone singapore.a" in page.text
    assert "not taken back in this record" in page.text
    assert "verdict.json: is not there" in page.text


def test_an_interrupted_run_says_why(own_run: RunDir) -> None:
    with (own_run.path / "events.jsonl").open("a") as file:
        at_ns = own_run.events()[-1].at_ns
        file.write(json.dumps({"at_ns": at_ns, "kind": "run.interrupted", "why": "Ctrl-C"}) + "\n")
    assert "It was interrupted (Ctrl-C)" in written(own_run).text


def test_a_node_that_died_is_told_with_its_last_words(own_run: RunDir) -> None:
    with (own_run.path / "events.jsonl").open("a") as file:
        at_ns = own_run.clock.start_ns + 50_000_000_000
        row = {"at_ns": at_ns, "kind": "node.died", "node": "mailer-b", "log": ["FATAL: <out> of memory"]}
        file.write(json.dumps(row) + "\n")
    page = written(own_run)
    assert "mailer-b died by itself at +50.00 s" in page.text
    assert "FATAL: <out> of memory" in page.text


# -- cost ---------------------------------------------------------------------------------------------------------


def test_it_takes_little(own_run: RunDir) -> None:
    """Processor seconds, so that a busy machine does not decide; about 3 on a machine of 2025, all imports included."""
    imports = "import sys, pathlib, harness.rundir, reports.run"
    program = f"{imports}; reports.run.write(harness.rundir.RunDir(pathlib.Path(sys.argv[1])))"
    before_s = _children_s()
    subprocess.run([sys.executable, "-c", program, str(own_run.path)], check=True, timeout=120)
    assert _children_s() - before_s < 10


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_importing_it_does_not_load_matplotlib() -> None:
    program = "import sys; import reports.run; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_no_word_is_left_to_fill_in(pages: Mapping[Lang, Page]) -> None:
    for page in pages.values():
        assert not re.search(r"\{[a-z_]+\}", page.text)
