from __future__ import annotations

import pytest

from harness import selector
from harness.selector import Selector
from topology.document import BadInput, parse
from topology.map import Map, Node


def read(text: str) -> Selector:
    return selector.read(parse(text, "s.yaml"))


def nobody(node: Node) -> str:
    raise AssertionError(f"{node.name} was asked")


def names(nodes: tuple[Node, ...]) -> list[str]:
    return [node.name for node in nodes]


@pytest.mark.parametrize(
    ("written", "nodes"),
    [
        ("{node: web-a1}", ["web-a1"]),
        ("{role: balancer}", ["balancer-a", "balancer-b"]),
        ("{role: web, zone: singapore.a}", ["web-a1", "web-a2"]),
        ("{zone: singapore.c}", ["consensus-c"]),
        ("{enclosure: singapore-b-storage}", ["database-b"]),
        ("{region: singapore, role: consensus}", ["consensus-a", "consensus-b", "consensus-c"]),
    ],
)
def test_words_narrow_each_other_and_need_no_questions(replica: Map, written: str, nodes: list[str]) -> None:
    assert names(read(written).resolve(replica, nobody)) == nodes


@pytest.mark.parametrize("primary", ["database-a", "database-b"])
def test_what_a_node_is_now_is_asked_when_the_fault_fires(replica: Map, primary: str) -> None:
    wanted = read("{role: database, is: primary}")
    assert names(wanted.candidates(replica)) == ["database-a", "database-b"]
    standing = {"database-a": "standby", "database-b": "standby", primary: "primary"}
    assert names(wanted.resolve(replica, lambda node: standing[node.name])) == [primary]
    assert wanted.resolve(replica, lambda node: "") == ()


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        (Selector(zone="singapore.a"), "singapore.a"),
        (Selector(node="web-a1"), "web-a1"),
        (Selector(role="web", zone="singapore.a"), "web in singapore.a"),
        (Selector(enclosure="tokyo-a-archive"), "tokyo-a-archive"),
        (Selector(role="database", standing="primary"), "database that is primary"),
    ],
)
def test_a_selector_in_words(selector: Selector, words: str) -> None:
    assert str(selector) == words


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{}", "s.yaml:1:1: found a mapping, expected a selector such as"),
        ("web-a1", 's.yaml:1:1: found "web-a1", expected a selector such as'),
        (
            "{zon: a}",
            's.yaml:1:2: found "zon", expected one of node, zone, region, role, enclosure, is; did you mean "zone"?',
        ),
        ("{role: x, is: leader}", 's.yaml:1:15: found "leader", expected one of primary, standby'),
        ("{is: primary}", "s.yaml:1:1: found a mapping, expected a selector such as"),
        ("{zone: }", 's.yaml:1:2: found nothing for "zone", expected a zone'),
        ("{zone: [a]}", "s.yaml:1:8: found a list, expected a zone"),
    ],
)
def test_what_is_no_selector(written: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(written)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "{node: web-a9}",
            's.yaml:1:8: found "web-a9", expected a node that stands here: one of consensus-a, database-a, ',
        ),
        (
            "{zone: singapor.a}",
            'found "singapor.a", expected a zone that stands here: one of singapore.a, singapore.b, singapore.c, ',
        ),
        ("{role: databse}", ', …; did you mean "database"?'),
        (
            "{region: tokio}",
            'found "tokio", expected a region that stands here: one of singapore, world',
        ),
        (
            "{enclosure: singapore-a-storag}",
            'found "singapore-a-storag", expected an enclosure that stands here: one of singapore-a-storage, ',
        ),
        (
            "{role: web, zone: singapore.c}",
            "s.yaml:1:1: found a selector that matches nothing: web in singapore.c, expected at least one node",
        ),
        (
            "{role: web, is: primary}",
            "a selector that matches nothing: web that is primary, expected a selector with a node of role database",
        ),
    ],
)
def test_what_the_topology_has_not(replica: Map, written: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        selector.check(read(written), replica, parse(written, "s.yaml"))
    assert message in str(caught.value)
