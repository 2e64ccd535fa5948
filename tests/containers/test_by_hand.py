"""`docker compose up --wait` and `down -v`, as a person does it. Measured on two cores: 37 s."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests import engine
from tests.commands import harness
from tests.containers.composed import IMAGE, Project, docker

REPLICA = Project("replica-by-hand")
HEALTHY_WITHIN_S = 75.0
#: As far as two starts of the very same differ on a busy machine.
LIKE = 1.1

pytestmark = [pytest.mark.drill, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def by_harness_s(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long the harness takes to bring the whole replica up in containers, and down again after that."""
    engine.need()
    runs = tmp_path_factory.mktemp("runs")
    began_s = time.monotonic()
    up = harness("up", "--runtime", "docker", runs=runs)
    lasted_s = time.monotonic() - began_s
    down = harness("down", runs=runs)
    assert (up.status, down.status) == (0, 0), up.stderr
    return lasted_s


@pytest.fixture(scope="module")
def took_s(by_harness_s: float) -> Iterator[float]:
    """The replica, brought up by hand: how long that took. One after the other: they have the same addresses."""
    with REPLICA.up() as lasted_s:
        yield lasted_s


def test_the_whole_replica_is_healthy_in_time(took_s: float) -> None:
    assert {each["Health"] for each in REPLICA.containers()} == {"healthy"}
    assert took_s <= HEALTHY_WITHIN_S


def test_the_harness_is_no_slower_at_it(by_harness_s: float, took_s: float) -> None:
    print(f"healthy by the harness after {by_harness_s:.1f} s, by hand after {took_s:.1f} s")
    assert by_harness_s <= HEALTHY_WITHIN_S
    assert by_harness_s <= took_s * LIKE


@pytest.mark.parametrize(("inside", "scheme"), [("8080", "http"), ("8443", "https")])
def test_the_service_is_seen_on_a_port_of_this_machine(took_s: float, inside: str, scheme: str) -> None:
    published = REPLICA.compose("port", "door", inside).stdout.strip()
    assert published.startswith("127.0.0.1:")
    look = (
        "import ssl, sys, urllib.request as r;"
        "print(r.urlopen(sys.argv[1], timeout=20, context=ssl._create_unverified_context()).read().decode())"
    )
    # From the engine's own network: tests stand in one of their own.
    page = docker(
        *("run", "--rm", "--network", "host", IMAGE, "python", "-c", look, f"{scheme}://{published}/")
    )
    assert page.returncode == 0, page.stderr
    assert "<button>ログイン</button>" in page.stdout


def test_a_node_is_nobody_special_and_cannot_write_beside_its_own(took_s: float) -> None:
    seen = REPLICA.compose(
        *("exec", "database-a", "sh", "-c"),
        "id -u; grep CapEff /proc/self/status; touch /opt/x /etc/x; touch /mnt/data/x /mnt/tmp/x && rm /mnt/data/x",
    )
    assert seen.stdout.split() == ["1000", "CapEff:", "0000000000000000"]
    assert seen.stderr.count("Read-only file system") == 2
    assert seen.returncode == 0


def test_load_and_probes_can_stand_on_a_node(took_s: float) -> None:
    for node, program in (("citizens", "harness.load"), ("observers", "harness.probes")):
        told = REPLICA.compose(
            "exec", node, "python", "-c", f"import {program}.__main__ as it; print(it.__name__)"
        )
        assert told.stdout.strip() == f"{program}.__main__", told.stderr


#: An address for documentation (RFC 5737), that leads out wherever something does; and where engines have this machine.
OUTSIDE = ("192.0.2.1", "10.77.0.1")


@pytest.mark.parametrize("address", OUTSIDE)
def test_nothing_of_the_world_outside_can_be_reached_from_a_node(took_s: float, address: str) -> None:
    dial = "import socket, sys; socket.create_connection((sys.argv[1], 443), timeout=20)"
    tried = REPLICA.compose("exec", "web-a1", "python", "-c", dial, address)
    # There is nobody who would take it further: not a firewall that says no, nor one that says nothing.
    assert tried.stderr.splitlines()[-1] in (
        "OSError: [Errno 113] No route to host",
        "OSError: [Errno 101] Network is unreachable",
    )
