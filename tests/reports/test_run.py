"""The page as a whole: what stands on it, in both languages."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from page import Page
from sample_evidence import company_name
from sample_run import Sample

from harness.rundir import RunDir
from reports import run as report
from reports.words import LANGS, Lang

pytestmark = pytest.mark.takes(6)


@dataclass(frozen=True)
class Drawn:
    """A report's bytes and those of its figures, by name."""

    page: bytes
    figures: Mapping[str, bytes]


def drawn(run: RunDir) -> Drawn:
    """What lies in the run directory."""
    figures = {path.name: path.read_bytes() for path in (run.path / "figures").iterdir()}
    return Drawn((run.path / "report.html").read_bytes(), figures)


@pytest.fixture(scope="module")
def both(sample: Sample) -> Mapping[Lang, Drawn]:
    """The sample's report in both languages."""
    made = {}
    for lang in LANGS:
        report.write(sample.run, lang)
        made[lang] = drawn(sample.run)
    return made


@pytest.fixture(scope="module")
def pages(both: Mapping[Lang, Drawn]) -> Mapping[Lang, Page]:
    return {lang: Page(made.page.decode()) for lang, made in both.items()}


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
    assert "not as expected" not in page.text


def test_what_was_expected_says_whether_it_is_a_most_or_a_least(pages: Mapping[Lang, Page]) -> None:
    assert "expected at most 30\u202fs" in pages["en"].text
    assert "期待 30\u202f秒以下" in pages["ja"].text
    assert "at most 0" not in pages["en"].text


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


def test_the_figures_are_files_too(both: Mapping[Lang, Drawn]) -> None:
    for made in both.values():
        assert set(made.figures) == {
            "timeline.png", "timeline.svg", "recovery.svg", "mail.svg", "responses.svg", "host.svg"
        }  # fmt: skip


def test_a_companys_hostile_name_stays_text(pages: Mapping[Lang, Page]) -> None:
    assert company_name(2) in pages["en"].text
    for page in pages.values():
        assert not page.having("script")
        assert not page.having("img")


def test_the_mails_have_a_section(both: Mapping[Lang, Drawn], pages: Mapping[Lang, Page]) -> None:
    page = pages["en"]
    assert page.having("section", id="mail")
    for word in ("The mails, leg by leg", "au.example", "mail-provider-east: submitted"):
        assert word in page.text
    assert "mail.svg" in both["en"].figures


def test_a_run_in_one_region_tells_of_no_other_and_of_no_runbook(pages: Mapping[Lang, Page]) -> None:
    for page in pages.values():
        assert not page.having("section", id="regions")
        assert not page.having("section", id="runbooks")
        assert "replication.arrow" not in page.text


def test_how_to_see_it_again(sample: Sample, pages: Mapping[Lang, Page]) -> None:
    page = pages["en"]
    assert "harness run az-loss --runtime local --seed 7" in page.text
    assert "patroni" in page.text
    assert "4.1.5" in page.text
    assert sample.run.name in page.text
    assert "--with" not in page.text


def test_events_and_undo_journal_are_told(sample: Sample, pages: Mapping[Lang, Page]) -> None:
    page = pages["en"]
    for event in sample.run.events():
        assert event.kind in page.text
    assert "restore" in page.text
    assert "refuse connections; 8 of 8 nodes" in page.text


# -- cost ---------------------------------------------------------------------------------------------------------


def test_another_process_draws_the_same_bytes_and_takes_little(
    both: Mapping[Lang, Drawn], own_run: RunDir
) -> None:
    """Processor seconds, so that a busy machine does not decide; about 3 on a machine of 2025, all imports included."""
    shutil.rmtree(own_run.path / "figures")
    imports = "import sys, pathlib, harness.rundir, reports.run"
    program = f"{imports}; reports.run.write(harness.rundir.RunDir(pathlib.Path(sys.argv[1])))"
    before_s = _children_s()
    subprocess.run([sys.executable, "-c", program, str(own_run.path)], check=True, timeout=120)
    assert _children_s() - before_s < 10
    assert drawn(own_run) == both["en"]


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
