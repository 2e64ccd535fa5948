from __future__ import annotations

from pathlib import Path

import pytest

from harness import scenario
from harness.schedule import Entry, schedule
from topology.document import BadInput
from topology.map import Map

HEAD = """\
name: s
title: {en: S, ja: S}
why: Because.
drill: {event: kanto-shindo7, companies: 1, people: 1, curve: everyone-2019, clock: 60}
ends: 60s
timeline:
"""
FIRST = HEAD.count("\n") + 1  # the line of the first entry


def scheduled(folder: Path, topology: Map, *entries: str) -> tuple[Entry, ...]:
    path = folder / "s.yaml"
    path.write_text(HEAD + "".join(f"  - {{{entry}}}\n" for entry in entries))
    return schedule(scenario.read(path, {}), topology)


@pytest.mark.parametrize(
    ("entries", "timeline"),
    [
        (
            ["at: 1s, lose: {zone: singapore.a}", "at: 9s, restore: {zone: singapore.a}"],
            ["1-lose 1 singapore.a", "2-restore 9 singapore.a undoes 1-lose"],
        ),
        (
            ["at: 1s, hang: {role: balancer}, for: 2s", "at: 2s, lose: {node: web-a1}"],
            [
                "1-hang 1 balancer",
                "2-lose 2 web-a1",
                "3-resume 3 balancer undoes 1-hang",
            ],
        ),
        # What repairs an enclosure need not say how it failed.
        (
            [
                "at: 1s, fail: {enclosure: au-storage, how: offline}",
                "at: 3s, repair: {enclosure: au-storage}",
            ],
            ["1-fail 1 au-storage (offline)", "2-repair 3 au-storage (offline) undoes 1-fail"],
        ),
        # What corrects a filter need not say whose mail it took.
        (
            ["at: 1s, misfilter: {carrier: au, senders: .Co.jp}", "at: 3s, unfilter: {carrier: au}"],
            ["1-misfilter 1 .co.jp at au", "2-unfilter 3 .co.jp at au undoes 1-misfilter"],
        ),
        # What ends at an instant has ended before something else begins then.
        (
            ["at: 1s, hang: {node: web-a1}, for: 2s", "at: 3s, hang: {node: web-a1}, for: 2s"],
            [
                "1-hang 1 web-a1",
                "2-resume 3 web-a1 undoes 1-hang",
                "3-hang 3 web-a1",
                "4-resume 5 web-a1 undoes 3-hang",
            ],
        ),
        (
            [
                "at: 1s, degrade: {link: docomo, latency: 1s}",
                "at: 2s, degrade: {link: au, latency: 1s}",
                "at: 3s, ease: {link: docomo}",
            ],
            [
                "1-degrade 1 the link of docomo (latency 1)",
                "2-degrade 2 the link of au (latency 1)",
                "3-ease 3 the link of docomo (latency 1) undoes 1-degrade",
            ],
        ),
        (
            [
                "at: 1s, cut: {between: [singapore.a, singapore.b], oneway: true}",
                "at: 2s, cut: {between: [singapore.b, singapore.a], oneway: true}",
            ],
            [
                "1-cut 1 singapore.a from singapore.b, one way",
                "2-cut 2 singapore.b from singapore.a, one way",
            ],
        ),
        # Losing what hangs is possible; so is losing a node of which another fault holds only the link.
        (
            [
                "at: 1s, hang: {node: web-a1}",
                "at: 2s, lose: {node: web-a1}",
                "at: 3s, cut: {between: [web-a1, web-b1]}",
            ],
            ["1-hang 1 web-a1", "2-lose 2 web-a1", "3-cut 3 web-a1 from web-b1"],
        ),
    ],
)
def test_the_exact_timeline(tmp_path: Path, replica: Map, entries: list[str], timeline: list[str]) -> None:
    found = scheduled(tmp_path, replica, *entries)
    told = [
        f"{one.id} {one.at_s:g} {one.target}" + (f" undoes {one.undoes}" if one.undoes else "")
        for one in found
    ]
    assert told == timeline


def test_telegrams_are_numbered_by_event(tmp_path: Path, replica: Map) -> None:
    found = scheduled(
        tmp_path,
        replica,
        "at: 0s, publish: kanto-shindo7",
        "at: 1s, publish: kanto-training",
        "at: 2s, publish: {event: kanto-shindo7, info: cancelled}",
    )
    told = [(one.telegram["event_id"], one.telegram["serial"], one.telegram["info"]) for one in found]
    assert told == [
        ("20260115144640", 1, "発表"),
        ("20260115151020", 1, "発表"),
        ("20260115144640", 2, "取消"),
    ]
    assert found[1].telegram["status"] == "訓練"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        # what the service or the drill has not
        (
            ["at: 1s, erase: {answers: {company: 2}}"],
            "s.yaml:7:21: found erase the answers of company 2, expected a company from 1 to 1",
        ),
        (
            ["at: 1s, erase: {answers: al}"],
            's.yaml:7:31: found "al", expected all; did you mean "all"?',
        ),
        (
            ["at: 1s, erase: {table: answrs}"],
            's.yaml:7:29: found "answrs", expected a table of the service: one of companies, ',
        ),
        # what the topology has not
        (
            ["at: 1s, misfilter: {carrier: ua, senders: .jp}"],
            's.yaml:7:35: found "ua", expected a carrier: ',
        ),
        (
            ["at: 1s, lose: {zone: singapor.a}"],
            's.yaml:7:27: found "singapor.a", expected a zone that stands here: one of ',
        ),
        (
            ["at: 1s, lose: {role: web, zone: singapore.c}"],
            "found a selector that matches nothing: web in singapore.c",
        ),
        (["at: 1s, cut: {between: [singapore.a, osaka]}"], 'found "osaka", expected a zone, region or node'),
        (
            ["at: 1s, cut: {from: web-a9, to: agency}"],
            's.yaml:7:26: found "web-a9", expected a zone, region or node: one of ',
        ),
        (["at: 1s, cut: {between: [singapore, web-a1]}"], "found web-a1 on both sides, expected two domains"),
        (
            ["at: 1s, degrade: {link: dokomo, latency: 1s}"],
            'found "dokomo", expected a carrier or a wide-area link: one of docomo, au, softbank',
        ),
        (
            ["at: 1s, fail: {enclosure: au-storag}"],
            's.yaml:7:32: found "au-storag", expected an enclosure that stands here: one of ',
        ),
        (
            ["at: 1s, fail: {role: web}"],
            "s.yaml:7:20: found web: nodes that sit on no storage enclosure, expected an enclosure: singapore-a-",
        ),
        (
            ["at: 1s, fail: {enclosure: au-storage, how: slowly}"],
            's.yaml:7:49: found "slowly", expected one of broken, read-only, offline',
        ),
        (["at: 1s, fail: {how: offline}"], "s.yaml:7:20: found a mapping, expected an enclosure such as"),
        # undoing what was never done
        (
            ["at: 1s, restore: {zone: singapore.a}", "at: 2s, lose: {zone: singapore.a}"],
            "s.yaml:7:23: found restore singapore.a at 1s, expected a lose of the same target before it",
        ),
        (
            ["at: 1s, lose: {zone: singapore.a}", "at: 2s, restore: {zone: singapore.b}"],
            "s.yaml:8:23: found restore singapore.b at 2s, expected a lose of the same target before it; "
            "at 2s there is lose singapore.a",
        ),
        (
            [
                "at: 1s, lose: {node: web-a1}",
                "at: 2s, restore: {node: web-a1}",
                "at: 3s, restore: {node: web-a1}",
            ],
            "s.yaml:9:23: found restore web-a1 at 3s",
        ),
        (["at: 1s, hang: {node: web-a1}", "at: 2s, restore: {node: web-a1}"], "found restore web-a1 at 2s"),
        (
            ["at: 1s, hang: {node: web-a1}, for: 5s", "at: 2s, resume: {node: web-a1}"],
            "found resume web-a1, expected nothing: it ends by itself at 6s (",
        ),
        # the same thing twice
        (
            ["at: 1s, lose: {zone: singapore.a}", "at: 2s, lose: {node: web-a1}"],
            "s.yaml:8:20: found lose web-a1 at 2s, expected a target that is no longer under lose singapore.a (",
        ),
        (
            ["at: 1s, lose: {role: database, is: primary}", "at: 2s, lose: {role: database, is: primary}"],
            "found lose database that is primary at 2s",
        ),
        (
            ["at: 1s, cut: {between: [singapore.a, singapore.b]}", "at: 2s, cut: {from: web-b1, to: web-a1}"],
            "found cut web-b1 from web-a1 at 2s",
        ),
        (
            ["at: 1s, degrade: {link: au, latency: 1s}", "at: 2s, degrade: {link: au, refused: 10%}"],
            "found degrade the link of au (refused 0.1) at 2s",
        ),
        (
            ["at: 1s, fail: {enclosure: au-storage}", "at: 2s, fail: {node: au-mail, how: offline}"],
            "found fail the enclosure of au-mail (offline) at 2s, expected a target that is no longer under fail au-st",
        ),
        (["at: 1s, lose: {zone: singapore.a}", "at: 2s, hang: {node: web-a1}"], "found hang web-a1 at 2s"),
        # telegrams about nothing
        (
            ["at: 1s, publish: {event: kanto-shindo7, info: cancelled}"],
            "found publish kanto-shindo7 取消 at 1s, expected a telegram about kanto-shindo7 before it",
        ),
    ],
)
def test_what_contradicts_itself_or_the_topology(
    tmp_path: Path, replica: Map, entries: list[str], message: str
) -> None:
    assert FIRST == 7
    with pytest.raises(BadInput) as caught:
        scheduled(tmp_path, replica, *entries)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
