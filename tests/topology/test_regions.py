"""A map of some of the service's regions: what is left out, and what goes with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.refusals import refusal, swapped
from topology import map as topology
from topology.document import BadInput
from topology.flat import flatten
from topology.map import Entrance, Link, Map

REGIONS = """\
name: small
x-topology:
  regions:
    near:
      title: {en: Near, ja: 近}
      zones: {a: {title: {en: A, ja: 甲}, subnet: 10.1.1.0/24}}
    far:
      title: {en: Far, ja: 遠}
      zones: {b: {title: {en: B, ja: 乙}, subnet: 10.1.2.0/24}}
    world:
      title: {en: World, ja: 世界}
      outside: true
      zones: {w: {title: {en: W, ja: 外}, subnet: 10.1.9.0/24}}
  links:
    - {between: [near, far], node: wan, round_trip: 70ms}
  carriers:
    one:
      title: {en: one, ja: 一}
      share: 1
      link: link
      mail: link
      entrances: {n: {http: 8001, https: 8401, to: near-1}, f: {http: 8002, https: 8402, to: far-1}}
services:
  near-1: {<<: &node {image: node}, networks: {fabric: {ipv4_address: 10.1.1.11}}, labels: &near {topology.role: web, topology.zone: near.a, topology.health: 1/x}}
  far-1: {<<: *node, networks: {fabric: {ipv4_address: 10.1.2.11}}, labels: {<<: *near, topology.zone: far.b}}
  wan: {<<: *node, networks: {fabric: {ipv4_address: 10.1.9.12}}, labels: {<<: *near, topology.zone: world.w}}
  link:
    <<: *node
    environment: {ALL: "near-1:80,far-1:80", TEXT: "near-1, far away", FAR: far-1}
    depends_on: [near-1, far-1]
    networks: {fabric: {ipv4_address: 10.1.9.11}}
    labels: {<<: *near, topology.zone: world.w, topology.carrier: one}
networks: {fabric: {}}
"""  # noqa: E501 - as short as anchors make it


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    path = tmp_path / "compose.yml"
    path.write_text(REGIONS)
    return path


@pytest.fixture
def whole(compose: Path) -> Map:
    return topology.read(compose)


def test_the_whole_has_every_region_and_the_links_between_them(whole: Map) -> None:
    assert whole.service_regions == ("near", "far")
    assert whole.links == (Link(("near", "far"), "wan", 0.07),)
    assert whole.only(["far", "near"]) == whole


def test_what_leads_to_a_region_that_is_left_out_goes_with_it(whole: Map) -> None:
    near = whole.only(["near"])
    assert list(near.nodes) == ["near-1", "link"]  # the link to nowhere is gone, too
    assert list(near.regions) == ["near", "world"]
    assert near.links == ()
    assert near.carriers["one"].entrances == (Entrance("n", 8001, 8401, "near-1"),)
    assert near.nodes["link"].depends_on == ("near-1",)
    assert near.nodes["link"].environment == {"ALL": "near-1:80", "TEXT": "near-1, far away", "FAR": ""}


@pytest.mark.parametrize(("names", "found"), [(["fra"], '"fra"'), (["world"], '"world"'), ([], "none")])
def test_a_region_that_the_service_has_not_is_refused(whole: Map, names: list[str], found: str) -> None:
    with pytest.raises(BadInput, match=found):
        whole.only(names)


def test_a_run_keeps_which_regions_stood(compose: Path, whole: Map, tmp_path: Path) -> None:
    flat = tmp_path / "topology.yml"
    flat.write_text(flatten(compose, only=["near"]))
    assert topology.read(flat) == whole.only(["near"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("between: [near, far]", "between: [near, world]", 'found "world", expected one of near, far'),
        ("between: [near, far]", "between: [near, near]", "expected two regions"),
        ("round_trip: 70ms", "round_trip: 70", "expected a round trip such as 70ms"),
        ("node: wan", "node: van", 'did you mean "wan"?'),
        ("to: far-1", "to: far-2", 'did you mean "far-1"?'),
        (
            "  links:",
            "  only: [fra]\n  links:",
            'found "fra", expected one of near, far; did you mean "far"?',
        ),
        ("  links:", "  only: []\n  links:", "expected at least one region"),
    ],
)
def test_slips_are_told_with_their_place(compose: Path, old: str, new: str, message: str) -> None:
    compose.write_text(swapped(REGIONS, old, new))
    said = refusal(lambda: topology.read(compose))
    assert re.match(r"compose\.yml:\d+:\d+: ", said)
    assert message in said
