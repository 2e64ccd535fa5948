from __future__ import annotations

import pytest

from topology.platform.dns_health import Balancer, choose


def checked(*said: str) -> Balancer:
    balancer = Balancer("balancer-a", "10.0.0.1")
    for word in said:
        balancer.note(word)
    return balancer


@pytest.mark.parametrize(
    ("said", "healthy"),
    [
        (["ok"], False),
        (["ok", "ok"], True),
        (["ok", "refused", "ok"], False),
        (["ok", "ok", "silent"], True),
        (["ok", "ok", "silent", "ok", "silent"], True),
        (["ok", "ok", "silent", "http 503"], False),
        (["ok", "ok", "silent", "silent", "ok"], False),
        (["ok", "ok", "silent", "silent", "ok", "ok"], True),
    ],
)
def test_two_in_a_row_decide(said: list[str], healthy: bool) -> None:
    assert checked(*said).healthy is healthy
    assert checked(*said).said == said[-1]


def test_the_healthy_ones_are_given_out() -> None:
    well, ill = checked("ok", "ok"), Balancer("balancer-b", "10.0.0.2")
    assert choose([well, ill]).addresses == ("10.0.0.1",)
    assert choose([well, ill]).why == "healthy: balancer-a"


def test_all_are_given_out_when_none_is_healthy() -> None:
    choice = choose([Balancer("one", "10.0.0.1"), Balancer("two", "10.0.0.2"), Balancer("three")])
    assert choice.addresses == ("10.0.0.1", "10.0.0.2")
    assert "none is healthy" in choice.why


def test_a_region_that_is_not_there_has_no_address() -> None:
    assert choose([Balancer("balancer-t")]).addresses == ()
