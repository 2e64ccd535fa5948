"""The name server and a resolver as real programs on loopback, in front of balancers that come and go."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import pytest

from tests.name_programs import (
    FAR,
    HERE,
    PATIENCE_S,
    THERE,
    TTL_S,
    Balancers,
    Program,
    healthy_names,
    hold,
    name_server,
    resolver_of,
    until,
)

pytestmark = pytest.mark.takes(25)


@pytest.fixture(scope="module")
def balancers() -> Iterator[Balancers]:
    made = Balancers()
    yield made
    made.close()


@pytest.fixture(scope="module")
def standing(
    balancers: Balancers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Program, Program]]:
    """A name server and a resolver for all tests that leave them alive."""
    with (
        name_server(balancers, tmp_path_factory.mktemp("names")) as names,
        resolver_of(names) as resolver,
    ):
        yield names, resolver


@pytest.fixture
def names(standing: tuple[Program, Program], balancers: Balancers) -> Program:
    """With everything healthy, and the name in Singapore."""
    names, _ = standing
    balancers.status.update(dict.fromkeys(balancers.status, 200))
    assert names.http_ask("PUT", "/active", {"region": "singapore"})[0] == 200
    until(lambda: healthy_names(names) == 3, "all balancers are healthy")
    return names


@pytest.fixture
def resolver(standing: tuple[Program, Program], names: Program) -> Program:
    """With Singapore fresh in its caches."""
    _, resolver = standing
    assert resolver.http_ask("DELETE", "/keeping")[0] == 200
    for cache in range(10):
        until(lambda cache=cache: resolver.addresses(cache) == {HERE, THERE}, "the present answer")  # type: ignore[misc]
    return resolver


@pytest.fixture
def ending(balancers: Balancers, tmp_path: Path) -> Iterator[Program]:
    """A name server that a test may end."""
    with name_server(balancers, tmp_path) as names:
        until(lambda: names.look_up().rcode() == dns.rcode.NOERROR, "an answer")
        yield names


def test_a_balancer_that_serves_nobody_is_not_given_out(names: Program, balancers: Balancers) -> None:
    assert names.addresses() == {HERE, THERE}
    balancers.status[HERE] = 503
    until(lambda: names.addresses() == {THERE}, "only the healthy one is given out", 4)
    balancers.status[THERE] = 503
    until(lambda: names.addresses() == {HERE, THERE}, "all are given out when none is healthy", 4)
    _, told = names.http_ask("GET", "/answers")
    assert "none is healthy" in told["why"]
    assert told["regions"]["singapore"][0]["said"] == "http 503"
    balancers.status[HERE] = 200
    until(lambda: names.addresses() == {HERE}, "the one that came back", 4)


def test_the_name_moves_at_once_and_stays_there(
    ending: Program, balancers: Balancers, tmp_path: Path
) -> None:
    assert ending.http_ask("PUT", "/active", {"region": "tokyo"}) == (200, {"region": "tokyo"})
    assert ending.addresses() == {FAR}
    hold(ending)
    with name_server(balancers, tmp_path) as again:
        assert again.http_ask("GET", "/active") == (200, {"region": "tokyo"})
        until(lambda: again.addresses() == {FAR}, "the same answer")


@pytest.mark.parametrize(
    ("asked", "status", "why"),
    [
        ({"region": "osaka"}, 409, "there is no region 'osaka', only singapore, tokyo, virginia"),
        ({"region": "virginia"}, 409, "no balancer of virginia has an address"),
        ({"regoin": "tokyo"}, 400, 'expected {"region": name}'),
        ("tokyo", 400, 'expected {"region": name}'),
        ({"region": ["tokyo"]}, 400, 'expected {"region": name}'),
    ],
)
def test_the_name_is_not_led_nowhere(names: Program, asked: object, status: int, why: str) -> None:
    assert names.http_ask("PUT", "/active", asked) == (status, {"why": why})
    assert names.addresses() == {HERE, THERE}


def test_tcp_says_the_same(names: Program) -> None:
    query = dns.message.make_query("anpi.example", "A")
    reply = dns.query.tcp(query, "127.0.0.1", timeout=PATIENCE_S, port=names.dns[0])
    assert len(reply.answer[0]) == 2


@pytest.mark.parametrize("role", ["names", "resolver"])
def test_hostile_packets_hold_nobody_up(role: str, request: pytest.FixtureRequest) -> None:
    program: Program = request.getfixturevalue(role)
    whole = dns.message.make_query("anpi.example", "A").to_wire()
    hostile = [
        b"",
        b"\0",
        whole[:11],
        whole[:-1],
        b"\xff" * 600,
        whole[:12] + b"\xc0\x0c\0\1\0\1",
        os.urandom(512),
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth, ExitStack() as stack:
        for packet in hostile * 20:
            mouth.sendto(packet, ("127.0.0.1", program.dns[0]))
        for talk in (b"\xff\xff", b"\0\0", b"\0\5hello", b"\0"):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", program.dns[0])))
            line.sendall(talk)
        started_s = time.monotonic()
        assert program.addresses() == {HERE, THERE}
        assert time.monotonic() - started_s < 1.0


def test_a_resolver_answers_from_memory_until_the_ttl_has_passed(names: Program, resolver: Program) -> None:
    until(lambda: resolver.told_s(0) == TTL_S, "a fresh answer")
    names.http_ask("PUT", "/active", {"region": "tokyo"})
    moved_s = time.monotonic()
    assert resolver.addresses(0) == {HERE, THERE}
    assert 1 <= resolver.told_s(0) <= TTL_S
    until(lambda: resolver.addresses(0) == {FAR}, "the new answer", TTL_S + 2)
    assert time.monotonic() - moved_s < TTL_S + 0.5


def test_each_cache_is_its_own(resolver: Program) -> None:
    resolver.look_up("nobody.anpi.example", cache=3)
    _, caches = resolver.http_ask("GET", "/caches")
    holding = [n for n, each in enumerate(caches) if any("nobody" in held["name"] for held in each["holds"])]
    assert holding == [3]


def test_what_is_in_memory_is_served_within_a_millisecond(resolver: Program) -> None:
    resolver.look_up()
    took_s = []
    for _ in range(200):
        started_s = time.perf_counter()
        resolver.look_up()
        took_s.append(time.perf_counter() - started_s)
    assert sorted(took_s)[20] < 0.002, "with what this client needs itself, where nobody else holds it up"


def test_a_share_of_the_caches_keeps_answers(names: Program, resolver: Program) -> None:
    assert resolver.http_ask("PUT", "/keeping", {"share": 0.3, "keeps_s": 60}) == (
        200,
        {"share": 0.3, "keeps_s": 60.0},
    )
    names.http_ask("PUT", "/active", {"region": "tokyo"})
    until(lambda: resolver.addresses(9) == {FAR}, "the new answer", TTL_S + 2)
    assert [resolver.addresses(cache) == {FAR} for cache in range(10)] == [False] * 3 + [True] * 7
    assert 55 < resolver.told_s(0) <= 60
    _, caches = resolver.http_ask("GET", "/caches")
    assert [each["keeps_s"] for each in caches] == [60.0] * 3 + [0.0] * 7
    assert set(caches[0]["holds"][0]["answer"]) == {HERE, THERE}
    assert resolver.http_ask("DELETE", "/keeping")[0] == 200
    assert resolver.addresses(0) == {FAR}


@pytest.mark.parametrize(
    "asked",
    [
        {"share": 1.5, "keeps_s": 60},
        {"share": 0.1},
        {"share": "x", "keeps_s": 1},
        [],
        {"share": 1, "keeps_s": -1},
    ],
)
def test_a_keeping_that_makes_no_sense_is_refused(resolver: Program, asked: object) -> None:
    assert resolver.http_ask("PUT", "/keeping", asked)[0] == 400
    assert resolver.http_ask("GET", "/keeping")[1]["share"] == 0.0


def test_without_a_name_server_what_is_known_lasts_until_it_ends(ending: Program) -> None:
    with resolver_of(ending) as resolver:
        resolver.look_up()
        assert resolver.look_up("www.anpi.example").rcode() == dns.rcode.NXDOMAIN
        hold(ending)
        assert resolver.addresses() == {HERE, THERE}
        assert resolver.look_up("www.anpi.example").rcode() == dns.rcode.NXDOMAIN, "a no is known too"
        until(lambda: resolver.look_up().rcode() == dns.rcode.SERVFAIL, "the answer has ended", TTL_S + 3)
        started_s = time.monotonic()
        assert resolver.look_up().rcode() == dns.rcode.SERVFAIL
        assert time.monotonic() - started_s < 0.3, "a failure is remembered for a moment"


def test_an_ended_answer_is_given_where_that_is_wanted(ending: Program) -> None:
    with resolver_of(ending, SERVE_STALE_S="60") as resolver:
        resolver.look_up()
        hold(ending)
        until(lambda: resolver.told_s() == 30, "an answer that has ended", TTL_S + 3)
        assert resolver.addresses() == {HERE, THERE}


def test_other_domains_are_nobodys(resolver: Program) -> None:
    assert resolver.look_up("example.org").rcode() == dns.rcode.SERVFAIL


def test_both_go_when_told_to(ending: Program) -> None:
    with resolver_of(ending) as resolver:
        for program in (resolver, ending):
            program.process.terminate()
            assert program.process.wait(PATIENCE_S) == 0


def test_a_name_server_without_regions_says_what_it_needs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "topology", "dns"],
        env={**os.environ, "PORT": "0", "DNS_PORT": "0", "DATA": str(tmp_path), "REGIONS": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert "REGIONS" in done.stdout
