"""Our program itself: its flags, its configuration file, its end, and what it costs to start."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.topology.platform.proxy.stage import (
    DEADLINE_S,
    OURS,
    UPSTREAM,
    Connect,
    Toxiproxy,
    Upstream,
    free_port,
    is_cut,
    receive,
    running,
    wait_until,
)

VERSION = "toxiproxy-server version 2.12.0\n"


def test_it_tells_its_version() -> None:
    told = subprocess.run([*OURS, "-version"], capture_output=True, text=True, check=True, timeout=DEADLINE_S)
    assert told.stdout == VERSION


def test_upstreams_server_is_of_the_version_that_ours_takes_the_place_of() -> None:
    """Where it is on PATH, all conformance tests are run against it, too."""
    if shutil.which(UPSTREAM) is None:
        pytest.skip(
            f"ours alone is tested; for both, put {UPSTREAM} 2.12.0 on PATH: github.com/Shopify/toxiproxy"
        )
    told = subprocess.run(
        [UPSTREAM, "-version"], capture_output=True, text=True, check=True, timeout=DEADLINE_S
    )
    assert told.stdout == VERSION


@pytest.mark.parametrize("flag", [["-nonsense"], ["-seed=x"], ["-proxy-metrics=maybe"]])
def test_a_wrong_flag_is_refused(flag: list[str]) -> None:
    told = subprocess.run([*OURS, *flag], capture_output=True, text=True, check=False, timeout=DEADLINE_S)
    assert told.returncode == 2
    assert "usage:" in told.stderr


def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [*OURS, "-host=127.0.0.1", f"-port={port}"]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE_S)
    assert told.returncode == 1
    assert f"listen tcp 127.0.0.1:{port}: bind: address already in use" in told.stderr


def test_proxies_are_made_from_a_file(tmp_path: Path) -> None:
    config = tmp_path / "entrances.json"
    config.write_text(json.dumps([{"name": "a", "listen": "127.0.0.1:0", "upstream": "x:1"}]))
    with running("ours", f"-config={config}") as server:
        assert server.call("GET", "/proxies/a").json["enabled"] is True


@pytest.mark.parametrize("text", ["[", "{}", '[{"name":"a"}]', None])
def test_a_file_that_is_none_stops_nothing(tmp_path: Path, text: str | None) -> None:
    config = tmp_path / "entrances.json"
    if text is not None:
        config.write_text(text)
    with running("ours", "-config", str(config)) as server:
        assert server.call("GET", "/proxies").text == "{}"


def test_it_ends_when_asked_and_cuts_what_is_open(connect: Connect, upstream: Upstream) -> None:
    with running("ours") as server:
        pair = connect(server.proxy_to(upstream.address))
        server.process.terminate()
        assert is_cut(pair.client)
        assert is_cut(pair.served)
        assert server.process.wait(DEADLINE_S) == 0


def test_starting_is_cheap() -> None:
    """Thirty nodes start at once on two cores. Measured: 0.16 s."""
    with running("ours") as server:
        used = psutil.Process(server.process.pid).cpu_times()
    assert used.user + used.system < 0.4


def test_bytes_are_metered_when_asked(connect: Connect, upstream: Upstream) -> None:
    with running("ours", "-proxy-metrics", "-runtime-metrics=true") as server:
        proxy = server.proxy_to(upstream.address)
        proxy.add("limit_data", "downstream", bytes=3)
        pair = connect(proxy)
        pair.client.sendall(b"12345")
        assert receive(pair.served, 5) == b"12345"
        pair.served.sendall(b"1234")
        assert is_cut(pair.client) is False
        shown = server.call("GET", "/metrics").text
        rest = f'listener="{proxy.listen}",proxy="{proxy.name}",upstream="{upstream.address}"}}'
        for line in (
            f'toxiproxy_proxy_received_bytes_total{{direction="upstream",{rest} 5',
            f'toxiproxy_proxy_sent_bytes_total{{direction="upstream",{rest} 5',
            f'toxiproxy_proxy_received_bytes_total{{direction="downstream",{rest} 4',
            f'toxiproxy_proxy_sent_bytes_total{{direction="downstream",{rest} 3',
        ):
            assert line in shown
        assert "process_cpu_seconds_total" in shown


def test_a_seed_repeats_every_decision(connect: Connect, upstream: Upstream) -> None:
    def decisions() -> list[bool]:
        with running("ours", "-seed=7") as server:
            proxy = server.proxy_to(upstream.address)
            proxy.add("limit_data", "downstream", toxicity=0.5, bytes=0)
            hit = []
            for _ in range(20):
                pair = connect(proxy)
                pair.served.sendall(b"x")
                hit.append(is_cut(pair.client))
                pair.client.close()
            return hit

    first = decisions()
    assert set(first) == {True, False}
    assert decisions() == first


def dialling(server: Toxiproxy) -> int:
    connections = psutil.Process(server.process.pid).net_connections("tcp4")
    return sum(connection.status == psutil.CONN_SYN_SENT for connection in connections)


def test_a_client_that_leaves_takes_its_unanswered_dial_with_it(silent: Upstream) -> None:
    """Or its request would arrive minutes later, when the server is back and somebody else's answer is there."""
    with running("ours") as server:
        host, port = server.proxy_to(silent.address).listen.split(":")
        with socket.create_connection((host, int(port)), DEADLINE_S) as client:
            client.sendall(b"a question")
            wait_until(lambda: dialling(server) == 1, "the server to be dialled")
            other = server.proxy_to(f"127.0.0.1:{free_port()}")
            assert server.call("GET", other.path).status == 200  # nobody else waits meanwhile
        left = time.monotonic()
        wait_until(lambda: dialling(server) == 0, "the dial to be given up")
        assert time.monotonic() - left > 0.5
