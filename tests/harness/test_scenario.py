from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness import library, scenario
from harness.blackout import Blackout
from harness.duration import Duration
from harness.failing import Failing
from harness.failure import Failure
from harness.filtering import Filtering
from harness.keeping import Keeping
from harness.load.visits import Visits
from harness.scenario import Drill, Scenario, Step
from harness.selector import Selector
from harness.targets import Domains, Link, Publication, Target
from tests.refusals import refusal, swapped
from topology import map as topology_map
from topology.document import BadInput
from topology.map import Map

CHECKS: Mapping[str, Mapping[str, str]] = {
    "answers": {"lost": "count", "rpo": "duration"},
    "recovery": {"write": "duration"},
    "broadcast": {"exactly": "how-often"},
    "mail": {"lost": "count", "all_out_within": "drill-duration"},
    "host": {"busy": "ratio"},
}

EVENTS = """\
quake:
  title: {en: a quake, ja: 地震}
  kind: VXSE51
  occurs: 2026-01-15T14:46:40+09:00
  areas: {"350": "7", "360": "5+"}
"""

WHOLE = """\
name: whole
title: {en: Everything, ja: 全部}
why: One of each.
drill: {event: quake, companies: 4, people: 50, curve: everyone-2019, clock: 60, tls: 20%}
timeline:
  - {at: 0s, publish: quake}
  - {at: 10s, lose: {zone: singapore.a}}
  - {at: 12s, hang: {node: web-b1}, for: 2s}
  - {at: 20s, restore: {zone: singapore.a}}
ends: 1min
expect:
  answers: {lost: 0, rpo: 500ms}
  broadcast: {exactly: once}
  mail: {all_out_within: 30min}
  host: {busy: 95%}
regions: [singapore]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "events.yaml").write_text(EVENTS)
    return tmp_path


def read(folder: Path, text: str, *changes: str) -> Scenario:
    path = folder / "s.yaml"
    path.write_text(text)
    return scenario.read(path, CHECKS, changes)


def complaint(folder: Path, text: str, *changes: str) -> str:
    return refusal(lambda: read(folder, text, *changes))


def swap(old: str, new: str) -> str:
    return swapped(WHOLE, old, new)


def step(folder: Path, entry: str) -> Step:
    timeline = WHOLE.index("timeline:")
    text = WHOLE[:timeline] + f"timeline:\n  - {entry}\nends: 1min\n"
    return read(folder, text).timeline[0]


def test_a_whole_scenario(folder: Path) -> None:
    found = read(folder, WHOLE)
    assert (found.name, found.title.ja, found.why.ja) == ("whole", "全部", "One of each.")
    assert found.drill == Drill("quake", ("350", "360"), 4, 50, "everyone-2019", 60.0, tls=0.2)
    assert found.ends == Duration(60_000)
    assert [(one.at.s, one.word, str(one.target)) for one in found.timeline] == [
        (0, "publish", "quake"),
        (10, "lose", "singapore.a"),
        (12, "hang", "web-b1"),
        (20, "restore", "singapore.a"),
    ]
    assert found.timeline[2].lasts == Duration(2000)
    assert found.expect == {
        "answers": {"lost": 0, "rpo": 0.5},
        "broadcast": {"exactly": "once"},
        "mail": {"all_out_within": 1800.0},
        "host": {"busy": 0.95},
    }


@pytest.mark.parametrize(
    ("entry", "target"),
    [
        ("{at: 1s, lose: {role: database, is: primary}}", Selector(role="database", standing="primary")),
        ("{at: 1s, cut: {between: [singapore.a, singapore.b]}}", Domains(("singapore.a",), ("singapore.b",))),
        (
            "{at: 1s, cut: {from: agency, to: [feed-a, feed-b], oneway: true}}",
            Domains(("agency",), ("feed-a", "feed-b"), oneway=True),
        ),
        (
            "{at: 1s, degrade: {link: docomo, latency: 300ms, jitter: 50ms, bandwidth: 32KB/s, refused: 30%}}",
            Link("docomo", {"latency": 0.3, "jitter": 0.05, "bandwidth": 32.0, "refused": 0.3}),
        ),
        (
            "{at: 1s, degrade: {link: au, silence: 0.5, resets: 0}}",
            Link("au", {"silence": 0.5, "resets": 0.0}),
        ),
        ("{at: 1s, ease: {link: docomo}}", Link("docomo")),
        ("{at: 1s, stale: {share: 30%, keeps: 2min}}", Keeping(0.3, 120.0)),
        ("{at: 1s, stale: {carrier: au, share: 1, keeps: 60s}}", Keeping(1.0, 60.0, "au")),
        ("{at: 1s, fail: {enclosure: shelf}}", Failing(Selector(enclosure="shelf"))),
        (
            "{at: 1s, fail: {role: database, is: primary, how: read-only}}",
            Failing(Selector(role="database", standing="primary"), Failure.READ_ONLY),
        ),
        ("{at: 1s, repair: {enclosure: shelf}}", Failing(Selector(enclosure="shelf"))),
        (
            "{at: 1s, blackout: {supply: hokkaido, important: 20%, others_last: 6h}}",
            Blackout("hokkaido", 0.2, 21600.0),
        ),
        ("{at: 1s, relight: {supply: hokkaido}}", Blackout("hokkaido")),
        ("{at: 1s, misfilter: {carrier: au, senders: .co.jp}}", Filtering("au", ".co.jp")),
        ("{at: 1s, unfilter: {carrier: au}}", Filtering("au")),
        ("{at: 1s, fresh: {}}", Keeping()),
        ("{at: 1s, fresh: {carrier: au}}", Keeping(carrier="au")),
        ("{at: 1s, publish: quake}", Publication("quake")),
        ("{at: 1s, publish: {event: quake, info: cancelled}}", Publication("quake", "取消")),
        (
            "{at: 1s, publish: {event: quake, info: 訂正, status: training}}",
            Publication("quake", "訂正", "訓練"),
        ),
    ],
)
def test_targets(folder: Path, entry: str, target: Target) -> None:
    assert step(folder, entry).target == target


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # words
        (
            "drill:",
            "dril:",
            's.yaml:4:1: found "dril", expected one of name, title, why, drill, timeline, ends, expect, regions, '
            "systems, with; did",
        ),
        (
            "restore:",
            "resotre:",
            's.yaml:9:15: found "resotre", expected one of lose, hang, cut, degrade,',
        ),
        ("restore:", "resotre:", 'did you mean "restore"?'),
        (
            "for: 2s",
            "fro: 2s",
            's.yaml:8:37: found "fro", expected one verb in an entry, at and for; did you mean "for"?',
        ),
        (
            "{at: 0s, publish: quake}",
            "{at: 0s}",
            "s.yaml:6:5: found an entry without a verb, expected one of lose",
        ),
        ("{at: 0s, publish: quake}", "lose", 's.yaml:6:5: found "lose", expected an entry such as'),
        (
            "{zone: singapore.a}}\n  - {at: 12s",
            "{zoen: x}}\n  - {at: 12s",
            'found "zoen", expected one of node, zone,',
        ),
        ("curve: everyone-2019", "curve: everyone-2018", 'did you mean "everyone-2019"?'),
        (
            "event: quake",
            "event: quacke",
            's.yaml:4:16: found "quacke", expected quake; did you mean "quake"?',
        ),
        (
            "publish: quake",
            "publish: quaek",
            's.yaml:6:23: found "quaek", expected an event: quake; did you mean "quake"?',
        ),
        ("why: One of each.\n", "", 's.yaml:1:1: found no "why", expected one sentence'),
        ("name: whole", "name: ../whole", 's.yaml:1:7: found "../whole", expected a name of small letters'),
        ("ja: 全部", "jp: 全部", 's.yaml:2:25: found "jp", expected one of en, ja'),
        # times
        (
            "at: 10s",
            "at: 10",
            "s.yaml:7:10: found 10, expected a duration with its unit: 500ms, 30s, 30min or 12h; did",
        ),
        (
            "at: 10s",
            "at: 10m",
            's.yaml:7:10: found "10m", expected a duration with its unit: 500ms, 30s, 30min or 12h; did',
        ),
        ("at: 10s", "at: -10s", 's.yaml:7:10: found "-10s", expected a duration: 500ms'),
        ("at: 10s, ", "", 's.yaml:7:5: found no "at", expected when, such as 30s'),
        ("at: 20s", "at: 11s", "found restore at 11s, expected entries in order: 12s or later"),
        ("ends: 1min", "ends: 15s", "found restore at 20s, expected a time before the timeline ends at 15s"),
        (
            "for: 2s",
            "for: 2min",
            "found hang at 12s for 2min, expected an end before the timeline ends at 1min",
        ),
        (
            "for: 2s",
            "for: 120s",
            "found hang at 12s for 120s, expected an end before the timeline ends at 1min",
        ),
        ("for: 2s", "for: 0s", 's.yaml:8:42: found "0s", expected a duration above 0s'),
        (
            "publish: quake}",
            "publish: quake, for: 2s}",
            's.yaml:6:30: found "for", expected a verb that can be taken',
        ),
        # the drill
        (
            "people: 50",
            "people: 3",
            "found 3, expected at least one person for each company, a whole number of at least 4",
        ),
        ("people: 50", "people: many", 'found "many", expected at least one person'),
        ("companies: 4", "companies: 0", "found 0, expected a number of companies of at least 1"),
        ("clock: 60", "clock: 0", "found 0, expected a number above 0"),
        ("people: 50", "people: 1000001", "found 1000001, expected at most 1,000,000: each takes"),
        (
            "people: 50",
            "people: 1000000000000",
            "found 1000000000000, expected at most 1,000,000: each takes",
        ),
        ("companies: 4", "companies: 900001", "found 900001, expected at most 900,000: the numbers after it"),
        ("clock: 60", "clock: 6001", "found 6001, expected at most 6,000: beyond it"),
        ("clock: 60", "clock: 6000.1", "found 6000.1, expected at most 6,000: beyond it"),
        ("clock: 60", "clock: 60s", 'found "60s", expected drill seconds to a real second'),
        ("tls: 20%", "tls: 120%", 'found "120%", expected a share from 0 to 1, or 0% to 100%'),
        ("tls: 20%", "tls: 1.2", "found 1.2, expected a share from 0 to 1"),
        ("tls: 20%", "tls: 20s", 'found "20s", expected a share from 0 to 1, or 0% to 100%'),
        # expectations
        ("answers:", "answer:", 's.yaml:12:3: found "answer", expected a check: one of answers, recovery'),
        ("lost: 0", "loss: 0", 's.yaml:12:13: found "loss", expected one of lost, rpo; did you mean "lost"?'),
        ("lost: 0", "lost: 0s", 's.yaml:12:19: found "0s", expected a whole number of at least 0'),
        ("rpo: 500ms", "rpo: 0.5", "s.yaml:12:27: found 0.5, expected a duration with its unit"),
        ("busy: 95%", "busy: high", 's.yaml:15:16: found "high", expected a share such as 0.3 or 30%'),
        ("exactly: once", "exactly: [once]", "s.yaml:13:24: found a list, expected one of once, never"),
        ("exactly: once", "exactly: twice", 's.yaml:13:24: found "twice", expected one of once, never'),
        ("exactly: once", "exactly: onec", 'expected one of once, never; did you mean "once"?'),
        (
            "{exactly: once}",
            "once",
            's.yaml:13:14: found "once", expected what broadcast should find: exactly',
        ),
        ("ends: 1min", "ends: 0s", 's.yaml:10:7: found "0s", expected a time above 0s'),
    ],
)
def test_what_is_wrong_is_said_with_its_place(folder: Path, old: str, new: str, message: str) -> None:
    assert message in complaint(folder, swap(old, new))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{at: 1s, cut: {between: [singapore.a]}}", "found 1 domains, expected {between: [here, there]} or"),
        ("{at: 1s, cut: {between: [a, b], to: c}}", "found 2 domains"),
        ("{at: 1s, cut: {from: a}}", 'found no "to", expected {between'),
        ("{at: 1s, cut: {from: a, to: []}}", "found a list, expected at least one zone, region or node"),
        ("{at: 1s, cut: {from: a, to: b, oneway: 1}}", "found 1, expected true or false"),
        ("{at: 1s, stale: {share: 30%}}", 'found no "keeps", expected how long they keep answers'),
        ("{at: 1s, stale: {share: 0, keeps: 10s}}", "expected a share above 0"),
        ("{at: 1s, stale: {share: 130%, keeps: 10s}}", 'found "130%", expected a share'),
        ("{at: 1s, stale: {share: 0.3, keeps: 0s}}", "expected longer than 0s"),
        ("{at: 1s, fresh: {share: 0.3}}", 'found "share", expected carrier'),
        ("{at: 1s, degrade: {link: docomo}}", "found a mapping, expected at least one of latency, jitter"),
        ("{at: 1s, degrade: {latency: 1s}}", 'found no "link", expected link: the carrier'),
        (
            "{at: 1s, degrade: {link: docomo, jitter: 1s}}",
            'found "jitter", expected a latency that it varies',
        ),
        ("{at: 1s, degrade: {link: docomo, latency: 100}}", 'did you mean "100ms"?'),
        (
            "{at: 1s, degrade: {link: docomo, bandwidth: 32}}",
            'expected a rate such as 32KB/s; did you mean "32KB/s"?',
        ),
        ("{at: 1s, degrade: {link: docomo, bandwith: 32KB/s}}", 'did you mean "bandwidth"?'),
        ("{at: 1s, ease: {link: docomo, latency: 1s}}", 'found "latency", expected link'),
        ("{at: 1s, publish: {event: quake, info: canceled}}", 'did you mean "cancelled"?'),
        ("{at: 1s, publish: [quake]}", "found a list, expected an event"),
        ("{at: 1s, lose: {node: a}, hang: {node: b}}", 'found "hang", expected one verb in an entry'),
    ],
)
def test_what_is_no_target(folder: Path, entry: str, message: str) -> None:
    assert message in refusal(lambda: step(folder, entry))


def test_a_drill_is_about_what_is_published(folder: Path) -> None:
    (folder / "events.yaml").write_text(EVENTS + EVENTS.replace("quake:", "wave:"))
    message = 's.yaml:4:16: found "wave", expected an event that the timeline publishes: quake'
    assert message in complaint(folder, swap("event: quake", "event: wave"))
    silent = swap("event: quake", "event: wave").replace("  - {at: 0s, publish: quake}\n", "")
    assert read(folder, silent).drill.event == "wave", (
        "where nothing is published there is nothing to contradict"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "s.yaml:1:1: found nothing, expected a mapping: a scenario"),
        ("- a\n", "s.yaml:1:1: found a list, expected a mapping: a scenario"),
        ("name: [", "found text that is not YAML"),
        ("name: x\nname: y", 's.yaml:2:1: found "name" again'),
    ],
)
def test_files_that_hold_no_scenario(folder: Path, text: str, message: str) -> None:
    assert message in complaint(folder, text)


def test_settings_change_the_scenario_and_are_held_to_the_same_rules(folder: Path) -> None:
    found = read(
        folder, WHOLE, "drill.people=2000", "timeline.1.at=5s", "expect.recovery.write=10s", "ends=2min"
    )
    assert found.drill.people == 2000
    assert found.timeline[1].at == Duration(5000)
    assert found.expect["recovery"] == {"write": 10.0}
    assert found.ends == Duration(120_000)
    assert isinstance(found.written, dict)
    assert found.written["ends"] == "2min"
    assert complaint(folder, WHOLE, "drill.people=3").startswith(
        "--set drill.people=3: found 3, expected at least one"
    )
    assert complaint(folder, WHOLE, "drill.poeple=3").startswith(
        '--set drill.poeple=3: found "poeple", expected one of'
    )
    assert complaint(folder, WHOLE, "drill.event=[x").startswith("--set drill.event=[x")


def test_events_come_with_the_harness_where_none_stand_beside(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE.replace("quake", "kanto-shindo7"))
    assert found.drill.event == "kanto-shindo7"
    assert "350" in found.drill.areas


def test_a_scenario_says_which_regions_stand(folder: Path, replica: Map) -> None:
    assert read(folder, WHOLE).standing(replica) == replica
    assert read(folder, swap("regions: [singapore]\n", "")).standing(replica) == replica.only(
        replica.service_regions
    )
    with pytest.raises(BadInput, match=r's\.yaml:16:11: found "singapor".*did you mean "singapore"'):
        read(folder, swap("regions: [singapore]", "regions: [singapor]")).standing(replica)
    assert "at least one region" in complaint(folder, swap("regions: [singapore]", "regions: []"))


def test_a_scenario_says_which_systems_of_the_world_stand(folder: Path) -> None:
    asking = read(folder, swap("regions: [singapore]", "systems: [maps]"))
    assert asking.variables == {"CLOCK_SCALE": "60", "COMPOSE_PROFILES": "maps"}
    whole = topology_map.read(library.TOPOLOGY, variables=asking.variables)
    assert "maps-msf" in asking.standing(whole).nodes
    with pytest.raises(BadInput, match=r's\.yaml:16:11: found "map".*did you mean "maps"'):
        read(folder, swap("regions: [singapore]", "systems: [map]")).standing(whole)


VISITS = "{every: 3h, at_once: 8, for: 40min, then: 2, affected: 40%}"


def test_a_drill_says_how_often_people_visit_besides(folder: Path) -> None:
    drill = read(folder, swap("tls: 20%", f"tls: 20%, visits: {VISITS}")).drill
    assert drill.visits == Visits(180.0, 8.0, 40.0, 2.0, 0.4, ("350",)), "360 was shaken with 5+ only"
    assert read(folder, WHOLE).drill.visits is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("every: 3h", "every: 0h", "a time above 0s"),
        ("at_once: 8", "at_once: -1", "a number, 0 or more"),
        (", affected: 40%", "", 'no "affected"'),
        ("affected: 40%", "affected: 140%", "a share"),
    ],
)
def test_what_is_wrong_with_visits(folder: Path, old: str, new: str, message: str) -> None:
    assert message in complaint(folder, swap("tls: 20%", f"tls: 20%, visits: {swapped(VISITS, old, new)}"))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("blackout: {supply: hokkaido, important: 20%, others_last: 72h}", "above 0h and below 72h"),
        ("blackout: {supply: hokkaido, important: 20%}", 'no "others_last"'),
        ("blackout: {supply: hokkaido, important: 120%, others_last: 6h}", "a share"),
        ("relight: {supply: hokkaido, important: 20%}", "expected supply"),
        ("misfilter: {carrier: au}", 'no "senders"'),
        ("unfilter: {carrier: au, senders: .jp}", "expected carrier"),
    ],
)
def test_what_is_wrong_with_a_fault_of_the_world(folder: Path, entry: str, message: str) -> None:
    text = swap("- {at: 10s, lose: {zone: singapore.a}}", f"- {{at: 10s, {entry}}}")
    assert message in complaint(folder, text)


def test_a_scenario_says_which_defects_are_laid_over_the_topology(folder: Path) -> None:
    assert read(folder, WHOLE).defects == ()
    found = read(folder, WHOLE + "with: [one, two.yml]\n").defects
    assert [each.as_text() for each in found] == ["one", "two.yml"]
    assert "at least one defect" in complaint(folder, WHOLE + "with: []\n")
    assert "a list of defects" in complaint(folder, WHOLE + "with: one\n")
