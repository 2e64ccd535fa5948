"""What every runtime promises, written once and run against each."""

from __future__ import annotations

import errno
import http.client
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from harness.runtime import Cuts, NodeFailed, Pauses, Runtime
from tests.runtime.conftest import STOPS_WITHIN_S
from topology.map import Map, Node

pytestmark = [pytest.mark.fabric, pytest.mark.takes(15)]

ANSWERS_WITHIN_S = 10.0
#: After one more try: 2 s, 3 s before Linux 6.5. With the kernel's own setting it would take a minute or two.
GIVES_UP_WITHIN_S = 10.0
SILENCE_S = 0.4


def ask(runtime: Runtime, source: Node, target: Node, timeout_s: float = SILENCE_S) -> str:
    """What the target answers to the source. Raises OSError as any client would see it."""
    with runtime.inside(source):
        connection = http.client.HTTPConnection(str(target.address), 8000, timeout=timeout_s)
        connection.connect()
    connection.request("GET", "/")
    return connection.getresponse().read().decode()


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.02)
    pytest.fail(f"not within {ANSWERS_WITHIN_S} s: {what}")


@pytest.fixture
def nodes(runtime: Runtime, small_map: Map) -> tuple[Node, Node, Node]:
    """a1 and a2 share a zone, b1 is elsewhere; all answer."""
    a1, a2, b1 = small_map.nodes["a1"], small_map.nodes["a2"], small_map.nodes["b1"]
    for target in (a1, a2, b1):
        eventually(lambda target=target: ask(runtime, a1, target) == target.name, f"{target.name} answers")  # type: ignore[misc]
    return a1, a2, b1


def test_nodes_reach_each_other_by_name_within_and_between_zones(
    runtime: Runtime, nodes: tuple[Node, Node, Node]
) -> None:
    a1, a2, b1 = nodes
    for target in (a2, b1):
        script = f"import urllib.request as u; print(u.urlopen('http://{target.name}:8000').read().decode())"
        assert runtime.exec(a1, ["python", "-c", script], 10).stdout.decode().strip() == target.name


def test_exec_runs_with_the_nodes_environment_and_gives_all_it_printed(
    runtime: Runtime, nodes: tuple[Node, Node, Node]
) -> None:
    a1, *_ = nodes
    script = "import os, sys; print(os.environ['COLOUR'], os.environ['NODE'], sys.stdin.read()); sys.exit(3)"
    done = runtime.exec(a1, ["python", "-c", script], 10, stdin=b"given")
    assert (done.status, done.stdout.decode().strip()) == (3, "blue a1 given")


def test_exec_that_does_not_end_is_a_timeout_that_names_the_node(
    runtime: Runtime, nodes: tuple[Node, Node, Node]
) -> None:
    with pytest.raises(TimeoutError, match="a1"):
        runtime.exec(nodes[0], ["sleep", "30"], 0.2)


def test_a_killed_node_is_silent_and_comes_back_on_its_old_volume(
    runtime: Runtime, nodes: tuple[Node, Node, Node]
) -> None:
    a1, _, b1 = nodes
    runtime.exec(b1, ["sh", "-c", "echo kept > /mnt/data/file; echo gone > /mnt/tmp/file"], 5)
    runtime.kill(b1)
    assert not runtime.alive(b1)
    with pytest.raises(TimeoutError):  # silence, not a refusal: power loss says no goodbye
        ask(runtime, a1, b1)
    runtime.start(b1)
    eventually(lambda: ask(runtime, a1, b1) == "b1", "b1 answers again")
    assert runtime.exec(b1, ["cat", "/mnt/data/file"], 5).stdout == b"kept\n"
    assert runtime.exec(b1, ["cat", "/mnt/tmp/file"], 5).status != 0


def test_power_goes_from_all_at_once(runtime: Runtime, nodes: tuple[Node, Node, Node]) -> None:
    """However long it takes to end them one after the other, the instant is that of the silence."""
    began_ns = time.monotonic_ns()
    with ThreadPoolExecutor(len(nodes)) as pool:
        silent_ns = list(pool.map(runtime.kill, nodes))
    assert began_ns < min(silent_ns) <= max(silent_ns) < began_ns + 250_000_000


def test_the_silence_of_a_killed_node_lasts(runtime: Runtime, nodes: tuple[Node, Node, Node]) -> None:
    a1, a2, _ = nodes
    runtime.kill(a2)
    with pytest.raises(
        TimeoutError
    ):  # not "no route to host", as where somebody asks in vain who has its address
        ask(runtime, a1, a2, timeout_s=4.5)


def test_a_nodes_network_is_set_as_the_map_says(runtime: Runtime, nodes: tuple[Node, Node, Node]) -> None:
    """Who dials a silent node gives up when the kernel of its own network is told to, and not after minutes."""
    a1, a2, _ = nodes
    runtime.kill(a2)
    script = f"""import socket, time
began = time.monotonic()
try:
    socket.create_connection(("{a2.address}", 8000))
except OSError as error:
    print(error.errno, time.monotonic() - began)"""
    said = runtime.exec(a1, ["python", "-c", script], GIVES_UP_WITHIN_S).stdout.split()
    assert int(said[0]) == errno.ETIMEDOUT
    assert float(said[1]) < GIVES_UP_WITHIN_S


def test_a_node_finds_its_configuration(runtime: Runtime, nodes: tuple[Node, Node, Node]) -> None:
    a1, *_ = nodes
    (file,) = a1.configs
    assert runtime.exec(a1, ["cat", file.target], 5).stdout.decode() == file.content


def test_kill_takes_every_process_of_the_node(runtime: Runtime, nodes: tuple[Node, Node, Node]) -> None:
    a1, *_ = nodes
    runtime.exec(a1, ["sh", "-c", "setsid sleep 987 >/dev/null 2>&1 &"], 5)
    runtime.kill(a1)
    runtime.start(a1)
    eventually(lambda: ask(runtime, a1, a1) == "a1", "a1 answers again")
    assert b"987" not in runtime.exec(a1, ["sh", "-c", "cat /proc/*/cmdline"], 5).stdout.replace(b"cat", b"")


def test_start_stop_and_kill_are_idempotent(runtime: Runtime, nodes: tuple[Node, Node, Node]) -> None:
    a1, *_ = nodes
    runtime.start(a1)
    runtime.stop(a1)
    assert runtime.log(a1)[-1] == "goodbye"  # it was asked to end, not made to
    runtime.stop(a1)
    assert not runtime.alive(a1)
    runtime.kill(a1)
    runtime.kill(a1)
    runtime.start(a1)
    assert runtime.alive(a1)


def test_a_node_that_does_not_hear_that_it_should_stop_is_ended_all_the_same(
    runtime: Runtime, nodes: tuple[Node, Node, Node]
) -> None:
    a1, *_ = nodes
    deaf = replace(a1, command=("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"))
    runtime.kill(a1)
    runtime.start(deaf)
    eventually(lambda: runtime.log(a1)[-1] == "deaf", "it is deaf")
    began_s = time.monotonic()
    runtime.stop(deaf)
    assert time.monotonic() - began_s >= STOPS_WITHIN_S
    assert not runtime.alive(deaf)


def test_what_a_node_printed_can_be_read_and_a_dead_node_is_named(
    runtime: Runtime, nodes: tuple[Node, Node, Node]
) -> None:
    a1, *_ = nodes
    assert runtime.log(a1)[-1] == "serving"
    runtime.kill(a1)
    with pytest.raises(NodeFailed, match=r"a1: .*\n +serving"):
        runtime.exec(a1, ["true"], 1)


def test_a_paused_node_keeps_its_connections_and_answers_nothing(
    runtime: Runtime, nodes: tuple[Node, Node, Node]
) -> None:
    a1, _, b1 = nodes
    assert isinstance(runtime, Pauses)
    runtime.pause(b1)
    assert runtime.alive(b1)
    with pytest.raises(TimeoutError):
        ask(runtime, a1, b1)
    runtime.resume(b1)
    assert ask(runtime, a1, b1, 5) == "b1"


@pytest.mark.parametrize("target_name", ["a2", "b1"])
def test_a_cut_is_silent_within_and_between_zones_and_is_joined_again(
    runtime: Runtime, nodes: tuple[Node, Node, Node], small_map: Map, target_name: str
) -> None:
    a1, target = nodes[0], small_map.nodes[target_name]
    assert isinstance(runtime, Cuts)
    runtime.cut([a1], [target])
    runtime.cut([target], [a1])
    for one, other in ((a1, target), (target, a1)):
        with pytest.raises(TimeoutError):
            ask(runtime, one, other)
    runtime.join([a1], [target])
    runtime.join([target], [a1])
    assert ask(runtime, a1, target, 5) == target.name


def test_a_cut_stops_an_established_connection_too(runtime: Runtime, nodes: tuple[Node, Node, Node]) -> None:
    a1, _, b1 = nodes
    assert isinstance(runtime, Cuts)
    with runtime.inside(a1):
        connection = http.client.HTTPConnection(str(b1.address), 8000, timeout=SILENCE_S)
        connection.connect()
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"b1"
    runtime.cut([b1], [a1])
    connection.request("GET", "/")
    with pytest.raises(TimeoutError):
        connection.getresponse()


def test_overlapping_cuts_are_joined_one_by_one(runtime: Runtime, nodes: tuple[Node, Node, Node]) -> None:
    a1, a2, b1 = nodes
    assert isinstance(runtime, Cuts)
    runtime.cut([a1, a2], [b1])
    runtime.cut([a1], [b1])
    runtime.join([a1, a2], [b1])
    assert ask(runtime, a2, b1, 5) == "b1"
    with pytest.raises(TimeoutError):
        ask(runtime, a1, b1)
    runtime.join([a1], [b1])
    assert ask(runtime, a1, b1, 5) == "b1"


def test_nothing_outside_the_topology_can_be_reached(
    runtime: Runtime, nodes: tuple[Node, Node, Node]
) -> None:
    script = "import socket; socket.create_connection(('192.0.2.1', 80), 2)"
    done = runtime.exec(nodes[0], ["python", "-c", script], 10)
    assert b"Network is unreachable" in done.stderr


def test_a_program_that_cannot_start_is_seen_dead_with_its_log(runtime: Runtime, small_map: Map) -> None:
    a1 = small_map.nodes["a1"]
    runtime.kill(a1)
    runtime.start(replace(a1, command=("python", "-c", "raise SystemExit('no port for me')")))
    eventually(lambda: not runtime.alive(a1), "a1 ended")
    assert runtime.log(a1)[-1] == "no port for me"
