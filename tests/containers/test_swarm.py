"""The stack of `harness stack`, really deployed: two engines on this machine share Singapore by its zones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.containers.composed import IMAGE
from tests.containers.played import played
from tests.containers.stacked import FABRIC, OVER_THERE, Deployed, deployed, zone

pytestmark = [pytest.mark.drill, pytest.mark.nightly, pytest.mark.timeout(900), pytest.mark.takes(130)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("swarm"), "singapore") as stack:
        yield stack


def test_all_of_singapore_is_healthy(stack: Deployed) -> None:
    print(f"{len(stack.containers)} services on two engines, healthy after {stack.took_s:.1f} s")
    assert set(stack.containers) == set(stack.services)


def test_every_node_is_on_the_engine_of_its_zone(stack: Deployed) -> None:
    here, there = stack.engines
    for name, service in stack.services.items():
        assert stack.containers[name][0] == (there if zone(service) in OVER_THERE else here), name
    assert {each for each, _ in stack.containers.values()} == {here, there}


def test_the_databases_follow_each_other_from_engine_to_engine(stack: Deployed) -> None:
    ask = "import urllib.request as r; print(r.urlopen('http://database-a:8008/cluster', timeout=10).read().decode())"
    members = yaml.safe_load(stack.inside("database-b", "python", "-c", ask))["members"]
    assert {each["name"] for each in members} == {"database-a", "database-b"}
    assert sorted(each["role"] for each in members) == ["leader", "sync_standby"]


def test_whoever_joins_the_network_on_any_engine_reaches_the_service(stack: Deployed) -> None:
    """As people do: through their carrier's link, which leads to the balancers of both zones."""
    look = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=20).read().decode())"
    for each in stack.engines:
        for port in (8001, 8002):
            run = ("run", "--rm", "--network", FABRIC, IMAGE)
            page = each.docker(*run, "python", "-c", look, f"http://docomo-link:{port}/")
            assert "<button>ログイン</button>" in page


def test_people_are_played_by_workers_on_both_engines(stack: Deployed) -> None:
    """Each worker in a container on an engine of its own, and their master on one of them."""
    people, workers = played(stack)
    first = [set(rows[(rows.kind == "answer") & (rows.outcome == "ok")].key) for rows in workers]
    assert all(first), "each of them had answers acknowledged"
    assert [each % 2 for each in first[0]] == [0] * len(first[0])
    assert [each % 2 for each in first[1]] == [1] * len(first[1])
    answered = first[0] | first[1]
    assert answered == people, f"{len(answered)} of {len(people)} answered"


def test_nodes_are_nobody_special(stack: Deployed) -> None:
    status = stack.inside("web-b1", "cat", "/proc/1/status")
    said = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert said["Uid"].split() == ["1000"] * 4
    assert (int(said["CapEff"], 16), int(said["CapBnd"], 16), said["NoNewPrivs"]) == (0, 0, "1")


def test_nothing_is_published(stack: Deployed) -> None:
    for each in stack.engines:
        assert "->" not in each.docker("ps", "--format", "{{.Ports}}")
