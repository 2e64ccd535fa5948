"""Congestion profiles: read, staged, refused where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import congestion, library, scenario
from harness.congestion import Congestion, Looks, Profile, Restriction
from harness.schedule import Entry, schedule
from harness.targets import from_data
from harness.verbs import VERBS
from tests.refusals import refusal, swapped
from topology.document import dump, parse
from topology.map import Map

PROFILE = """\
name: crowded
title: {en: crowded, ja: 混雑}
why: Because.
by_hand: {after: 5min, every: 2min, looks: 4}
carriers:
  docomo:
    voice: {demand: 50, blocked: [{after: 0min, share: 90%}, {after: 60min, share: 50%}]}
    packets:
      - {after: 0min, connections: {served: 70%, refused: 30%}, latency: 200ms}
      - {after: 10min, notices: {at_once: 40%, late: 50%, lost: 10%, within: 30min}}
      - {after: 20min}
  au:
    packets:
      - {after: 5min, bandwidth: 32KB/s, mails: 600/min}
      - {after: 10min}
"""
SCENARIO = """\
name: s
title: {en: S, ja: S}
why: Because.
drill: {event: kanto-shindo7, companies: 1, people: 1, curve: everyone-2019, clock: 60}
timeline:
  - {at: 2s, degrade: {profile: crowded}}
ends: 60s
"""
#: (what is changed in the profile, into what, what is said)
WRONG = [
    ("  au:\n", "  ua:\n", 'crowded.yaml:12:3: found "ua", expected a carrier of the topology, one of'),
    (
        "refused: 30%}",
        "refused: 40%}",
        "crowded.yaml:9:36: found shares that add up to 1.1, expected shares that add up to 1",
    ),
    (
        "lost: 10%,",
        "lost: 5%,",
        "crowded.yaml:10:33: found shares that add up to 0.95, expected shares that add up to 1",
    ),
    ("lost: 10%, within: 30min", "lost: 10%", 'crowded.yaml:10:33: found no "within", expected how long'),
    (
        "{after: 10min, notices",
        "{after: 0min, notices",
        'crowded.yaml:10:17: found "0min", expected a time after 0min',
    ),
    (
        "refused: 30%",
        "refusd: 30%",
        'crowded.yaml:9:50: found "refusd", expected one of served, refused, silence; did',
    ),
    (
        "mails: 600/min",
        "mails: 600",
        "crowded.yaml:14:49: found 600, expected a number a minute such as 300/min; did",
    ),
    (
        "name: crowded",
        "name: crowd",
        'crowded.yaml:1:7: found "crowd", expected the name of its file, "crowded"',
    ),
    ("looks: 4", "looks: 0", "crowded.yaml:4:44: found 0, expected a number of looks of at least 1"),
]


def write(folder: Path, profile: str = PROFILE, text: str = SCENARIO) -> Path:
    (folder / "congestion").mkdir(exist_ok=True)
    (folder / "congestion" / "crowded.yaml").write_text(profile)
    path = folder / "s.yaml"
    path.write_text(text)
    return path


def scheduled(path: Path, replica: Map) -> tuple[Entry, ...]:
    return schedule(scenario.read(path, {}), replica)


def profile(folder: Path, replica: Map) -> Profile:
    write(folder)
    source = parse("{profile: crowded}", "s.yaml").as_fields().need("profile", "")
    return congestion.read(source, congestion.written(folder / "congestion"), replica)


def test_every_change_begins_a_stage_in_drill_time(tmp_path: Path, replica: Map) -> None:
    stages = profile(tmp_path, replica).stages(clock=60)
    assert [at.s / 60 for at, _ in stages] == [0, 5, 10, 20]
    first, second, third, last = (restriction for _, restriction in stages)
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.carriers == {"docomo": {"refused": 0.3, "latency": 0.2}}
    assert second.carriers == {**first.carriers, "au": {"bandwidth": 32.0, "mails_per_s": 600.0}}
    assert third.carriers == {"docomo": {"notices_late": 0.5, "notices_lost": 0.1, "notices_within": 30.0}}
    assert [first.followed, second.followed, third.followed, last] == [True, True, False, None]
    assert first.looks == Looks(5, 2, 4)
    assert first.voice == {"docomo": ((0.0, 0.9), (3600.0, 0.5))}


def test_a_profile_becomes_faults_that_take_each_others_place(tmp_path: Path, replica: Map) -> None:
    entries = scheduled(write(tmp_path), replica)
    told = [(entry.at_s, entry.verb, entry.undoes) for entry in entries]
    assert told == [
        (2.0, "degrade", None),
        (7.0, "ease", "1-degrade"),
        (7.0, "degrade", None),
        (12.0, "ease", "3-degrade"),
        (12.0, "degrade", None),
        (22.0, "ease", "5-degrade"),
    ]


def test_what_is_not_over_when_the_timeline_ends_is_healed_then(tmp_path: Path, replica: Map) -> None:
    entries = scheduled(write(tmp_path, text=swapped(SCENARIO, "ends: 60s", "ends: 10s")), replica)
    assert [(entry.at_s, entry.verb) for entry in entries] == [
        (2.0, "degrade"),
        (7.0, "ease"),
        (7.0, "degrade"),
    ]


def test_a_link_that_a_profile_degrades_cannot_be_degraded_again(tmp_path: Path, replica: Map) -> None:
    text = swapped(SCENARIO, "ends:", "  - {at: 3s, degrade: {link: docomo, latency: 1s}}\nends:")
    said = refusal(lambda: scheduled(write(tmp_path, text=text), replica))
    assert "expected a target that is no longer under degrade crowded" in said


@pytest.mark.parametrize(("old", "new", "said"), WRONG, ids=[new.strip() for _, new, _ in WRONG])
def test_what_is_wrong_with_a_profile(tmp_path: Path, replica: Map, old: str, new: str, said: str) -> None:
    path = write(tmp_path, swapped(PROFILE, old, new))
    found = refusal(lambda: scheduled(path, replica))
    assert found.startswith(said), found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{profile: crowded}",
            "{profile: crowdet}",
            's.yaml:6:33: found "crowdet", expected a congestion profile: one',
        ),
        (
            "{profile: crowded}",
            "{profile: crowded, latency: 1s}",
            's.yaml:6:42: found "latency", expected profile',
        ),
        (
            "{profile: crowded}}",
            "{profile: crowded}, for: 5s}",
            's.yaml:6:43: found "for", expected a verb alone',
        ),
        ("degrade: {profile", "ease: {profile", 's.yaml:6:21: found "profile", expected link'),
    ],
)
def test_what_is_wrong_in_a_scenario(tmp_path: Path, replica: Map, old: str, new: str, said: str) -> None:
    path = write(tmp_path, text=swapped(SCENARIO, old, new))
    found = refusal(lambda: scheduled(path, replica))
    assert found.startswith(said), found


def test_a_stage_survives_being_written_down(tmp_path: Path, replica: Map) -> None:
    for _, restriction in profile(tmp_path, replica).stages(clock=30):
        if restriction is not None:
            written = parse(dump({"aim": dict(restriction.data())}), "plan.yaml").as_fields()
            assert from_data(VERBS["degrade"], written.need("aim", "")) == restriction


@pytest.mark.parametrize("name", sorted(path.stem for path in congestion.SUPPLIED.glob("*.yaml")))
def test_the_profiles_that_come_with_the_harness(name: str, replica: Map) -> None:
    source = parse(f"{{profile: {name}}}", "s.yaml").as_fields().need("profile", "")
    stages = congestion.read(source, congestion.written(congestion.SUPPLIED), replica).stages(clock=60)
    assert isinstance(stages[0][1], Restriction)
    assert stages[-1][1] is None, "all is lifted in the end"


def test_the_restrictions_of_2011_are_those_of_the_documents(replica: Map) -> None:
    source = parse("{profile: tohoku-2011}", "s.yaml").as_fields().need("profile", "")
    stages = congestion.read(source, congestion.written(congestion.SUPPLIED), replica).stages(clock=60)
    first = stages[0][1]
    assert first is not None
    assert {name: steps[0][1] for name, steps in first.voice.items()} == {
        "docomo": 0.9,
        "au": 0.95,
        "softbank": 0.7,
    }
    assert {name: effects.get("refused", 0.0) for name, effects in first.carriers.items()} == {
        "docomo": 0.3,
        "au": 0.0,
        "softbank": 0.0,
    }


def test_the_guide_knows_profiles() -> None:
    guide = (library.SCENARIOS / "README.md").read_text()
    assert "`{profile: tohoku-2011}`" in guide
    assert str(Congestion("tohoku-2011")) == "tohoku-2011"
