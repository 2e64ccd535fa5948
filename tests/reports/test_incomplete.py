"""The page of a run of which something is missing, torn or nonsense: what a kill leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from page import written

from harness.rundir import RunDir
from reports.words import LANGS, Lang

pytestmark = pytest.mark.takes(25)

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


def test_an_unknown_verdict_looks_different(own_run: RunDir) -> None:
    verdict = json.loads((own_run.path / "verdict.json").read_text())
    changed = verdict | {"verdict": "unknown", "why": "Nothing was read back."}
    (own_run.path / "verdict.json").write_text(json.dumps(changed))
    page = written(own_run)
    assert page.having("div", class_="card banner unknown")
    assert "Nothing was read back." in page.text
    assert not page.having("div", class_="card banner pass")
