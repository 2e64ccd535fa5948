"""The report of a replay, from two recorded runs."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from page import Page
from sample_run import Sample

from harness.checks import CHECKS
from harness.cli import FAIL, PASS
from harness.commands.replay import conclude
from harness.commands.report import command
from harness.incidents import reading
from harness.incidents.model import FILE, VARIANTS, Incident
from harness.incidents.replayed import RUNS, Replay
from harness.rundir import Json, RunDir
from reports import incident as report
from reports.figures import users
from reports.words import Words
from tests.refusals import refusal, swapped
from topology.document import parse

pytestmark = pytest.mark.takes(6)

OUTAGE = """\
name: zone-1999
title: {en: The outage of 1999, ja: 1999年の障害}
why: {en: A zone was lost., ja: ゾーンが失われた。}
began: 1999-12-31T23:50:00+09:00
sources: {DOC: {en: minutes, ja: 議事録}}
figures: [{what: {en: users, ja: 利用者}, value: "1,234", source: DOC}]
official:
  - {after: 0min, what: {en: power was lost, ja: 停電}, source: DOC, ours: {fault: lose}}
  - {after: 20min, what: {en: people wondered, ja: 問い合わせ}, source: DOC}
  - {after: 50min, what: {en: power came back, ja: 復電}, source: DOC, ours: {undone: lose}}
  - after: 70min
    what: {en: all was well, ja: 復旧}
    source: DOC
    ours: {undone: lose}
    apart: {en: nobody looked before, ja: 確認が遅れた}
  - {after: 2h, what: {en: nothing of ours, ja: 該当なし}, source: DOC, ours: {step: nobody-does-this}}
countermeasures: [{name: two-zones, title: {en: Two zones, ja: 二重化}, source: DOC}]
loses: [mail]
differences:
  - {what: {en: mails lost, ja: 失われたメール}, measured: mail.lost, as-happened: {least: 1}, by: [two-zones]}
"""


@pytest.fixture
def outage() -> Incident:
    return reading.parse(parse(OUTAGE, FILE).as_fields(), CHECKS, Path("zone-1999"))


@pytest.fixture
def replay(sample: Sample, outage: Incident, tmp_path: Path) -> Replay:
    """The same recorded run, twice."""
    runs = {}
    for variant in VARIANTS:
        shutil.copytree(sample.run.path, tmp_path / variant / "1")
        runs[variant] = RunDir(tmp_path / variant / "1")
    return Replay.create(tmp_path, outage, 1, runs)


def test_official_moments_stand_beside_ours(replay: Replay) -> None:
    judged = replay.judgements()
    english = Words("en")
    beside = {
        each.what: each
        for each in (report._beside(replay, judged, moment, english) for moment in replay.incident.official)
    }
    assert (beside["power was lost"].at, beside["power was lost"].ours) == (
        "1999-12-31 23:50",
        ("0:00", "0:00"),
    )
    back = beside["power came back"]
    assert (back.at, back.after) == ("2000-01-01 00:40", "0:50")
    # Fifty real seconds in the sample, and a moment for it to take effect.
    assert all(ours.startswith("0:50") for ours in back.ours)
    assert beside["people wondered"].ours == ("", "")
    assert beside["nothing of ours"].ours == ("—", "—")
    explained = {what: (each.by, each.why) for what, each in beside.items()}
    assert explained["power was lost"] == explained["power came back"] == ("", "")
    assert explained["all was well"][0].startswith("-0:19")
    assert explained["all was well"][1] == "nobody looked before"
    # What nothing stands beside is as unexplained as what comes at another time, or never.
    assert explained["people wondered"] == ("", "not explained")
    assert explained["nothing of ours"] == ("It never came.", "not explained")
    page = Page(report.write(replay).read_text())
    assert page.unclosed == []
    for said in ("power was lost", "2000-01-01 00:40", *back.ours, "nobody looked before", "not explained"):
        assert said in page.text


def test_a_second_of_each_run_stands_for_what_its_own_clock_says(replay: Replay) -> None:
    english = Words("en")
    assert report._scales(replay, english) == "a second of the replay is 1 min"
    clock = replay.runs["with-countermeasures"].path / "clock.json"
    clock.write_text(json.dumps(json.loads(clock.read_text()) | {"scale": 240.0}))
    replay = Replay.read(replay.path)
    assert report._scales(replay, english) == (
        "a second is 1 min as it happened; a second is 4 min with the countermeasures"
    )
    assert report._scales(replay, english) in report.page(replay, english)


@pytest.mark.parametrize(
    ("began", "told"), [("began: 1999-12-31\n", "1999-12-31"), ("", "not on record")], ids=["day", "nothing"]
)
def test_what_is_not_on_record_of_the_time_is_not_told(
    sample: Sample, tmp_path: Path, began: str, told: str
) -> None:
    text = swapped(OUTAGE, "began: 1999-12-31T23:50:00+09:00\n", began)
    vague = reading.parse(parse(text, FILE).as_fields(), CHECKS, Path("zone-1999"))
    english = Words("en")
    assert report._began(vague.began, english) == told
    replay = Replay.create(tmp_path, vague, 1, dict.fromkeys(VARIANTS, sample.run))
    beside = report._beside(replay, replay.judgements(), vague.official[2], english)
    assert (beside.at, beside.after) == ("", "0:50")
    assert f"<strong>{told}</strong>" in report.page(replay, english)


def test_the_page_is_the_same_from_what_lies_on_the_disk_and_in_both_languages(replay: Replay) -> None:
    english = report.write(replay).read_text()
    assert report.write(Replay.read(replay.path)).read_text() == english
    japanese = report.write(replay, "ja").read_text()
    assert "1999年の障害" in japanese
    assert "The outage of 1999" in english
    for said in ("二重化", "1,234", "議事録"):
        assert said in japanese
    assert Page(japanese).unclosed == []


def test_links_lead_to_the_runs_own_reports(replay: Replay) -> None:
    page = Page(report.write(replay).read_text())
    links = [found["href"] for found in page.having("a")]
    assert [(replay.path / str(link)).resolve().parent for link in links] == [
        replay.runs[variant].path.resolve() for variant in VARIANTS
    ]


def test_a_replay_whose_runs_are_gone_says_so(replay: Replay) -> None:
    shutil.rmtree(replay.runs["as-happened"].path)
    assert "no run directory" in refusal(lambda: Replay.read(replay.path))
    (replay.path / RUNS).write_text(json.dumps({"as-happened": "x"}))
    assert "nothing that can be read" in refusal(lambda: Replay.read(replay.path))


def test_what_was_lost_is_named_with_when_on_the_clock_of_the_timelines(replay: Replay) -> None:
    run = replay.runs["as-happened"]
    judged(run, mail={"lost": 2})
    verdict = json.loads((run.path / "verdict.json").read_text())
    fault_s = min(fault["at_s"] for fault in verdict["faults"])
    rows = [
        ("lost before stored", fault_s + 60),
        ("lost before stored", fault_s + 90.5),
        ("late", fault_s + 999),
    ]
    verdict["checks"]["mail"]["evidence"] = [
        {"what": what, "id": f"mail-{number}", "last_s": at_s} for number, (what, at_s) in enumerate(rows)
    ]
    (run.path / "verdict.json").write_text(json.dumps(verdict))
    text = Page(report.write(replay).read_text()).text
    assert "Mail (2), seen last from 1:00 to 1:30:30 after the first fault" in text
    assert "mail-0" in text
    assert "mail-1" in text
    assert "mail-2" not in text  # it was late, and not lost
    assert "DOC minutes" in text


def test_an_incident_that_is_none_of_mail_shows_what_users_could_do(replay: Replay) -> None:
    text = swapped(OUTAGE, "loses: [mail]", "loses: [recovery]")
    outage = reading.parse(parse(text, FILE).as_fields(), CHECKS, Path("zone-1999"))
    english = Words("en")
    assert "Mails that were missing" in report.page(replay, english)
    other = dataclasses.replace(replay, incident=outage)
    page = Page(report.page(other, english))
    assert "What users could do" in page.text
    assert "Mails that were missing" not in page.text
    seen = report._users("as it happened", replay.runs["as-happened"], english)
    # Drill hours after the fault: writes came back 11.4 real seconds after it, of which each is a minute.
    lane = next(lane for lane in seen.lanes if (lane.group, lane.label) == ("write", "docomo"))
    (down,) = [span for span in lane.spans if span.state == "down"]
    assert down.from_s == pytest.approx(0.0, abs=0.02)
    assert down.until_s == pytest.approx(11.4 / 60, abs=0.02)
    assert seen.marks[0] == 0.0
    assert users.draw([seen.only({"nothing"})], english, replay.path) is None


@pytest.mark.parametrize(
    ("row", "tells"),
    [
        ({"what": "lost before stored", "id": "1"}, True),
        ({"what": "late", "id": "1"}, False),
        ({"block": "maps-msf", "hit": True, "cut_off_s": 84.0}, True),
        ({"block": "maps-msf", "hit": True, "cut_off_s": None}, True),
        ({"block": "maps-msb", "hit": False, "cut_off_s": 0.0}, False),
    ],
)
def test_only_what_was_lost_is_named(row: dict[str, Json], tells: bool) -> None:
    assert report._tells_of_a_loss(row) is tells


def judged(run: RunDir, **failed: dict[str, int]) -> None:
    """The run's verdict as if all had passed but these checks, which measured this."""
    verdict = json.loads((run.path / "verdict.json").read_text())
    for name, finding in verdict["checks"].items():
        finding["verdict"] = "fail" if name in failed else "pass"
        finding["measured"] |= failed.get(name, {})
    for fault in verdict["faults"]:
        fault["effect"] = "proven"
    verdict["verdict"] = "fail" if failed else "pass"
    (run.path / "verdict.json").write_text(json.dumps(verdict))


def test_a_replay_is_concluded_with_a_comparison_a_report_and_an_exit_status(
    replay: Replay, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = (replay.runs[variant] for variant in VARIANTS)
    judged(before, mail={"lost": 3})
    judged(after)
    assert conclude(replay, as_json=True, lang="en") == PASS
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((replay.path / "comparison.json").read_text())
    assert (told["verdict"], told["differences"][0]["as-happened"]) == ("pass", 3)
    assert (replay.path / "report.html").is_file()
    judged(before)  # it lost nothing: that is not the outage on record
    assert conclude(replay, as_json=False, lang="ja") == FAIL
    assert "mail did not fail, and should have" in capsys.readouterr().out
    judged(before, mail={"lost": 3})
    judged(after, answers={"lost": 1})
    assert conclude(replay, as_json=False, lang="en") == FAIL


def test_a_replays_report_can_be_written_again_by_its_folder(replay: Replay) -> None:
    again = CliRunner().invoke(command, [str(replay.path), "--lang", "ja"], obj=replay.path.parent)
    assert again.exit_code == 0, again.output
    assert "1999年の障害" in (replay.path / "report.html").read_text()
