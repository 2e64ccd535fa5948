from __future__ import annotations

import pytest

from harness import targets
from harness.selector import Selector
from harness.targets import Domains, Link, Publication, Target
from harness.verbs import VERBS
from topology.document import dump, parse
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
