"""Runs of one scenario in two runtimes are set side by side; what cannot be compared is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from page import Page
from sample_run import Sample

from harness.rundir import RunDir
from harness.rundir.verdict import Verdict
from reports import parity
from reports.parity import Agreement
from reports.words import LANGS, Lang, Words
from tests.commands import harness

Make = Callable[..., RunDir]


@pytest.fixture
def make(sample: Sample, tmp_path: Path) -> Make:
    """A judged run of a lost zone, in some runtime, with some verdict and RTO of writes."""
    made = []

    def one(
        runtime: str, verdict: str = "pass", write_s: float | None = 12.0, ends_s: float = 110.0
    ) -> RunDir:
        run = RunDir(tmp_path / "az-loss" / f"20260311T0546{len(made):02}-7")
        run.path.mkdir(parents=True)
        made.append(run)
        for name in ("events.jsonl", "plan.yaml", "verdict.json"):
            shutil.copy(sample.run.path / name, run.path)
        judged = json.loads((run.path / "verdict.json").read_text())
        judged |= {"runtime": runtime, "verdict": verdict}
        judged["checks"]["recovery"]["measured"]["write_rto_s"] = write_s
        run.write("verdict.json", json.dumps(judged))
        run.write("plan.yaml", yaml.safe_dump({**run.plan, "ends_s": ends_s}, allow_unicode=True))
        return run

    return one


def table(*runs: RunDir) -> parity.Parity:
    told = [parity.read(run) for run in runs]
    return parity.compare([each for each in told if each is not None])


def test_the_same_verdict_is_parity_whatever_the_times(make: Make) -> None:
    compared = table(make("docker", write_s=31.5), make("local", write_s=21.25))
    assert compared.runtimes == ("local", "docker")
    assert [row.agreement for row in compared.rows] == [Agreement.SAME]
    assert compared.verdict is Verdict.PASS
    assert [row.sides[name].rto_s["write"] for row in compared.rows for name in ("local", "docker")] == [
        (21.25,),
        (31.5,),
    ]


def test_another_verdict_fails(make: Make) -> None:
    compared = table(make("local"), make("docker", "fail"))
    assert [row.agreement for row in compared.rows] == [Agreement.DIFFERS]
    assert compared.verdict is Verdict.FAIL


def test_of_several_runs_the_worst_verdict_counts_and_all_times_are_shown(make: Make) -> None:
    runs = make("local", write_s=20.0), make("local", write_s=24.5), make("docker", "unknown", write_s=22.0)
    compared = table(*runs, make("docker", write_s=None))
    (row,) = compared.rows
    assert row.sides["docker"].verdict is Verdict.UNKNOWN
    assert row.agreement is Agreement.DIFFERS
    words = Words("en")
    assert parity.seconds(words, row.sides["local"], "write") == "20\u202fs to 24.5\u202fs"
    assert parity.seconds(words, row.sides["docker"], "write") == "not back"


@pytest.mark.parametrize("other", [("local", "pass", 12.0, 110.0), ("docker", "pass", 12.0, 60.0)])
def test_what_was_played_once_or_not_alike_proves_nothing(
    make: Make, other: tuple[str, str, float, float]
) -> None:
    compared = table(make("local"), make(*other))
    alone = other[0] == "local"
    assert [row.agreement for row in compared.rows] == [Agreement.ALONE if alone else Agreement.UNLIKE]
    assert compared.verdict is Verdict.UNKNOWN


def test_nothing_compared_proves_nothing() -> None:
    assert parity.compare([]).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_is_whole_and_says_what_the_lines_say(make: Make, lang: Lang) -> None:
    compared = table(make("local", write_s=21.25), make("docker", write_s=31.5))
    read = Page(parity.page(compared, lang))
    assert read.unclosed == []
    words = Words(lang)
    for said in ("az-loss", words("agreement.same"), "local", "docker", words.value("write_rto_s", 31.5)):
        assert said in read.text
        assert said in "\n".join(parity.lines(compared, lang))


def test_the_command_tells_the_verdict_and_writes_the_table(make: Make, tmp_path: Path) -> None:
    make("local")
    make("docker", "fail")
    ran = harness("parity", "az-loss", runs=tmp_path)
    assert (ran.status, ran.stdout.splitlines()[0]) == (1, "az-loss: VERDICTS DIFFER")
    assert (tmp_path / "parity.html").exists()


def test_a_run_without_a_verdict_is_bad_input_and_named(make: Make, tmp_path: Path) -> None:
    judged, not_judged = make("local"), make("docker")
    (not_judged.path / "verdict.json").unlink()
    ran = harness("parity", judged.name, not_judged.name, runs=tmp_path)
    assert ran.status == 2
    assert f"harness check {not_judged.name}" in ran.stderr
