"""How the replica's people get to the service, by its own topology."""

from __future__ import annotations

from harness.load import access
from topology.map import Map


def test_every_entrance_leads_to_the_balancer_that_the_name_may_lead_to(replica: Map) -> None:
    balancers = {str(node.address) for node in replica.with_role("balancer")}
    for one in access.of(replica):
        assert {entrance.to for entrance in one.entrances} == balancers
        assert {entrance.host for entrance in one.entrances} == {
            str(replica.nodes[replica.carriers[one.carrier].link].address)
        }


def test_a_carriers_people_share_the_caches_of_their_own_resolver(replica: Map) -> None:
    for one in access.of(replica):
        resolver = replica.nodes[replica.carriers[one.carrier].resolver or ""]
        assert resolver.carrier == one.carrier
        assert one.resolvers == tuple((str(resolver.address), 5301 + number) for number in range(10))


def test_the_names_are_those_of_all_regions_and_their_balancers(replica: Map) -> None:
    (dns,) = replica.with_role("dns")
    singapore, *others = dns.environment["REGIONS"].split(";")
    assert singapore == "singapore=" + ",".join(node.name for node in replica.with_role("balancer"))
    assert [other.partition("=")[0] for other in others] == ["tokyo", "virginia"]
