"""What the proxy costs, ours against upstream's: `python bench/proxy.py [--rounds 9]`.

An echo server, our proxy and, where it is on PATH, upstream's `toxiproxy-server` run at once, each a process of its
own. Every round measures direct, ours and upstream one after the other, in turning order, so that whatever else the
machine does hits all alike. Printed are medians over the rounds, and the median of each round's ratio of ours to
upstream's. `added` is what a round trip takes beyond a direct one (and beyond the toxic's latency).
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import uvloop

REQUEST: Final = b"x" * 200
LATENCY_MS: Final = 10
ROUND_TRIPS: Final = 400
DELAYED_ROUND_TRIPS: Final = 15
BUSY_S: Final = 0.4
BUSY_CONNECTIONS: Final = 16
DELAYED_CONNECTIONS: Final = 64
SHORT_CONNECTIONS: Final = 250
OURS: Final = (sys.executable, "-m", "topology.platform.proxy.server")


@dataclass(frozen=True)
class Way:
    """One way to the echo server: its ports without and with the toxic, and the process that is measured."""

    clean: int
    delayed: int
    pid: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--echo", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.echo is not None:
        uvloop.run(echo(arguments.echo))
        return
    with ExitStack() as stack:
        ways = open_ways(stack)
        rounds = [measure_all(ways, number) for number in range(arguments.rounds)]
    print_table(list(ways), rounds)
    print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end, {arguments.rounds} rounds")


# -- what is measured --------------------------------------------------------------------------------------------


def open_ways(stack: ExitStack) -> dict[str, Way]:
    echo_port = free_port()
    echo_process = stack.enter_context(
        running([sys.executable, __file__, "--echo", str(echo_port)], echo_port)
    )
    ways = {"direct": Way(echo_port, echo_port, echo_process.pid)}
    commands = {"ours": list(OURS)}
    upstream = shutil.which("toxiproxy-server")
    if upstream:
        commands["upstream"] = [upstream]
    for name, command in commands.items():
        api = free_port()
        process = stack.enter_context(running([*command, "-host", "127.0.0.1", "-port", str(api)], api))
        clean, delayed = (make_proxy(api, each, echo_port) for each in ("clean", "delayed"))
        toxic = {"type": "latency", "stream": "downstream", "attributes": {"latency": LATENCY_MS}}
        call(api, "/proxies/delayed/toxics", toxic)
        ways[name] = Way(clean, delayed, process.pid)
    return ways


def measure_all(ways: Mapping[str, Way], number: int) -> dict[str, dict[str, float]]:
    """One round: every figure of every way."""
    figures: dict[str, dict[str, float]] = {name: {} for name in ways}
    names = list(ways)
    turn = names[number % len(names) :] + names[: number % len(names)]
    for label, measure in MEASUREMENTS.items():
        for name in turn:
            for figure, value in measure(ways[name]).items():
                figures[name][f"{label}: {figure}"] = value
    for label, nominal_us in (("clean", 0), ("latency toxic", LATENCY_MS * 1000)):
        key = f"{label}: round trip, us"
        direct_us = figures["direct"]["clean: round trip, us"]
        for name in names[1:]:
            figures[name][f"{label}: added, us"] = figures[name][key] - nominal_us - direct_us
    return figures


def clean_round_trip(way: Way) -> dict[str, float]:
    return {"round trip, us": round_trip_us(way.clean, ROUND_TRIPS)}


def clean_rate(way: Way) -> dict[str, float]:
    return busy(way, way.clean, BUSY_CONNECTIONS)


def delayed_round_trip(way: Way) -> dict[str, float]:
    return (
        {}
        if way.clean == way.delayed
        else {"round trip, us": round_trip_us(way.delayed, DELAYED_ROUND_TRIPS)}
    )


def delayed_rate(way: Way) -> dict[str, float]:
    return {} if way.clean == way.delayed else busy(way, way.delayed, DELAYED_CONNECTIONS)


def short_connections(way: Way) -> dict[str, float]:
    """Open, one request, close, one after the other."""
    used_us, began = cpu_us(way.pid), time.perf_counter()
    for _ in range(SHORT_CONNECTIONS):
        with socket.create_connection(("127.0.0.1", way.clean)) as client:
            client.sendall(REQUEST)
            receive(client)
    took_s = time.perf_counter() - began
    time.sleep(0.02)  # the last ones are still being closed
    return {
        "wall, us": took_s / SHORT_CONNECTIONS * 1e6,
        "CPU, us": (cpu_us(way.pid) - used_us) / SHORT_CONNECTIONS,
    }


MEASUREMENTS: Final[Mapping[str, Callable[[Way], dict[str, float]]]] = {
    "clean": lambda way: {**clean_round_trip(way), **clean_rate(way)},
    "latency toxic": lambda way: {**delayed_round_trip(way), **delayed_rate(way)},
    "short connection": short_connections,
}


def round_trip_us(port: int, times: int) -> float:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            client.sendall(REQUEST)
            receive(client)
            taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1e6


def busy(way: Way, port: int, connections: int) -> dict[str, float]:
    """Requests a second that so many connections get through, each sending as soon as it was answered."""
    used_us = cpu_us(way.pid)
    answered = uvloop.run(Busy(port, connections).run())
    return {"requests/s": answered / BUSY_S, "CPU a request, us": (cpu_us(way.pid) - used_us) / answered}


class Busy:
    def __init__(self, port: int, connections: int) -> None:
        self._port = port
        self._connections = connections
        self.answered = 0

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        asked = [
            await loop.create_connection(lambda: Asking(self), "127.0.0.1", self._port)
            for _ in range(self._connections)
        ]
        for transport, _ in asked:
            transport.write(REQUEST)
        await asyncio.sleep(BUSY_S)
        answered = self.answered
        for transport, _ in asked:
            transport.abort()
        return answered


class Asking(asyncio.Protocol):
    """Sends the next request when the last one is answered."""

    def __init__(self, busy: Busy) -> None:
        self._busy = busy
        self._got = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._got += len(data)
        if self._got == len(REQUEST):
            self._got = 0
            self._busy.answered += 1
            self._transport.write(REQUEST)


# -- the processes -----------------------------------------------------------------------------------------------


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


async def echo(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


@contextmanager
def running(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process, from when it listens on `port` to the end of the block."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def make_proxy(api: int, name: str, echo_port: int) -> int:
    port = free_port()
    call(api, "/proxies", {"name": name, "listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{echo_port}"})
    return port


def call(api: int, path: str, body: object) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", api, timeout=5)
    connection.request("POST", path, json.dumps(body))
    answer = connection.getresponse()
    assert answer.status < 300, answer.read()
    connection.close()


def cpu_us(pid: int) -> float:
    """CPU that all threads of a process have used, to the nanosecond (proc(5), schedstat)."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total / 1000


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def receive(client: socket.socket) -> None:
    left = len(REQUEST)
    while left:
        left -= len(client.recv(left))


# -- the table ---------------------------------------------------------------------------------------------------


def print_table(names: list[str], rounds: list[dict[str, dict[str, float]]]) -> None:
    figures = dict.fromkeys(figure for each in rounds for name in names for figure in each[name])
    against = "ours/upstream" if "upstream" in names else ""
    print(f"{'':38}" + "".join(f"{name:>12}" for name in names) + f"{against:>16}")
    for figure in sorted(figures, key=lambda figure: list(MEASUREMENTS).index(figure.split(":")[0])):
        cells = [statistics.median(each[name].get(figure, float("nan")) for each in rounds) for name in names]
        line = f"{figure:38}" + "".join(f"{'':>12}" if cell != cell else f"{cell:12,.0f}" for cell in cells)
        if against:
            ratios = [each["ours"][figure] / each["upstream"][figure] for each in rounds]
            line += f"{statistics.median(ratios):16.2f}"
        print(line)


if __name__ == "__main__":
    main()
