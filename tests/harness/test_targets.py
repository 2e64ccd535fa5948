from __future__ import annotations

import pytest

from harness import targets
from harness.blackout import Blackout
from harness.erasure import Erasure
from harness.failing import Failing
from harness.failure import Failure
from harness.filtering import Filtering
from harness.keeping import Keeping
from harness.selector import Selector
from harness.targets import Domains, Link, Publication, Target
from harness.verbs import VERBS
from topology.document import BadInput, dump, parse
from topology.map import Map


@pytest.mark.parametrize(
    ("verb", "target"),
    [
        ("lose", Selector(zone="singapore.a", role="web")),
        ("hang", Selector(role="database", standing="standby")),
        ("cut", Domains(("a",), ("b", "c"), oneway=True)),
        ("cut", Domains(("a",), ("b",))),
        ("degrade", Link("au", {"latency": 0.25, "refused": 0.3})),
        ("degrade", Link("au")),
        ("stale", Keeping(0.3, 120.0)),
        ("stale", Keeping(0.5, 60.0, "au")),
        ("fail", Failing(Selector(enclosure="tokyo-a-archive"), Failure.OFFLINE)),
        ("fail", Failing(Selector(role="database", standing="primary"))),
        ("blackout", Blackout("hokkaido", 0.2, 21600.0)),
        ("misfilter", Filtering("softbank", ".co.jp")),
        ("erase", Erasure(company=3)),
        ("erase", Erasure(everybody=True)),
        ("erase", Erasure(table="answers")),
        ("erase", Erasure(archive="backup-t")),
        ("publish", Publication("quake", "取消", "訓練")),
        ("publish", Publication("quake")),
    ],
)
def test_a_target_survives_being_written_down(verb: str, target: Target) -> None:
    written = parse(dump({"aim": dict(target.data())}), "plan.yaml").as_fields()
    assert targets.from_data(VERBS[verb], written.need("aim", "")) == target


def test_a_domain_is_zones_regions_and_nodes(replica: Map) -> None:
    here, there = Domains(("singapore.c", "agency"), ("singapore.a",)).nodes(replica)
    assert [node.name for node in here] == ["consensus-c", "agency"]
    assert {node.zone for node in there} == {"singapore.a"}
    region, _ = Domains(("singapore",), ("agency",)).nodes(replica)
    assert len(region) == 19


def test_a_cut_between_regions_takes_the_wide_area_link_with_it(whole: Map) -> None:
    here, there = Domains(("singapore",), ("tokyo",)).nodes(whole)
    assert {node.region for node in here} == {"singapore"}
    assert [node.name for node in there if node.region == "world"] == ["wan-singapore-tokyo"]
    _, there = Domains(("singapore", "tokyo"), ("virginia",)).nodes(whole)
    links = [node.name for node in there if node.region == "world"]
    assert links == ["wan-singapore-virginia", "wan-tokyo-virginia"]


def test_a_zone_that_is_cut_off_leaves_the_link_to_the_others(whole: Map) -> None:
    for names in (("singapore.a",), ("tokyo",)), (("tokyo",), ("singapore.a",)):
        sides = Domains(*names).nodes(whole)
        (side,) = [side for side in sides if "wan-singapore-tokyo" in {node.name for node in side}]
        assert {node.region for node in side} == {"tokyo", "world"}


def test_a_cut_of_anything_else_leaves_the_links_alone(whole: Map) -> None:
    for names in (("singapore.a",), ("singapore.b",)), (("tokyo",), ("agency",)):
        nodes = [node for side in Domains(*names).nodes(whole) for node in side]
        assert not [node for node in nodes if node.role == "wide-area-link"]


def test_a_wide_area_link_can_be_degraded_by_its_name(whole: Map) -> None:
    source = parse("{link: wan-singapore-tokyo, latency: 20ms}", "s.yaml")
    target = targets.read(VERBS["degrade"], source)
    targets.check(target, whole, {}, source)
    near = parse("{link: wan-singapore-tokio, latency: 20ms}", "s.yaml")
    with pytest.raises(
        BadInput, match=r'a carrier or a wide-area link: one of docomo, .*; did you mean "wan-'
    ):
        targets.check(targets.read(VERBS["degrade"], near), whole, {}, near)


@pytest.mark.parametrize(
    ("failing", "enclosures", "words"),
    [
        (Failing(Selector(enclosure="tokyo-a-archive")), ["tokyo-a-archive"], "tokyo-a-archive"),
        (
            Failing(Selector(role="database", zone="singapore.b"), Failure.READ_ONLY),
            ["singapore-b-storage"],
            "the enclosure of database in singapore.b (read-only)",
        ),
        (
            Failing(Selector(region="tokyo")),
            ["tokyo-a-storage", "tokyo-a-archive"],
            "the enclosure of tokyo",
        ),
    ],
)
def test_enclosures_are_named_or_are_those_of_nodes(
    whole: Map, failing: Failing, enclosures: list[str], words: str
) -> None:
    assert list(failing.enclosures(whole)) == enclosures
    assert str(failing) == words
