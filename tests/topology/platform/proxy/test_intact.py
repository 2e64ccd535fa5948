"""Whatever toxics come and go: as long as none cuts, every byte arrives, once and in order."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.topology.platform.proxy.stage import DEADLINE_S, Pair, Toxiproxy, is_cut, receive

STREAMS = ("upstream", "downstream")

ATTRIBUTES: dict[str, st.SearchStrategy[dict[str, int]]] = {
    "noop": st.just({}),
    "latency": st.fixed_dictionaries({"latency": st.integers(0, 20), "jitter": st.integers(0, 20)}),
    "bandwidth": st.fixed_dictionaries({"rate": st.integers(200, 5000)}),
    "slow_close": st.fixed_dictionaries({"delay": st.integers(0, 20)}),
    "slicer": st.fixed_dictionaries(
        {
            "average_size": st.integers(200, 2000),
            "size_variation": st.integers(0, 150),
            "delay": st.integers(0, 300),
        }
    ),
    "limit_data": st.fixed_dictionaries({"bytes": st.integers(1_000_000, 2_000_000)}),
}


@dataclass(frozen=True)
class Send:
    """So many bytes from either side."""

    stream: str
    size: int


@dataclass(frozen=True)
class Put:
    """A toxic put on in this slot; one that is there is changed if it is of this kind, and else replaced."""

    slot: int
    kind: str
    stream: str
    toxicity: float
    attributes: dict[str, int]


@dataclass(frozen=True)
class Take:
    """The toxic in this slot taken off, if there is one."""

    slot: int


Step: TypeAlias = Send | Put | Take

SENDS = st.builds(Send, st.sampled_from(STREAMS), st.integers(1, 5000))
PUTS = st.sampled_from(sorted(ATTRIBUTES)).flatmap(
    lambda kind: st.builds(
        Put,
        st.integers(0, 2),
        st.just(kind),
        st.sampled_from(STREAMS),
        st.sampled_from([0.0, 0.5, 1.0]),
        ATTRIBUTES[kind],
    )
)
TAKES = st.builds(Take, st.integers(0, 2))


@given(steps=st.lists(st.one_of(SENDS, PUTS, TAKES, SENDS), min_size=1, max_size=14))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_byte_arrives_once_and_in_order(toxiproxy: Toxiproxy, steps: list[Step]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = toxiproxy.proxy_to("{}:{}".format(*listener.getsockname()))
        host, port = proxy.listen.split(":")
        with socket.create_connection((host, int(port)), DEADLINE_S) as client:
            served, _ = listener.accept()
            with served:
                served.settimeout(DEADLINE_S)
                play(steps, proxy.path, toxiproxy, Pair(client, served))
        toxiproxy.call("DELETE", proxy.path)


def play(steps: list[Step], path: str, toxiproxy: Toxiproxy, pair: Pair) -> None:
    sent = dict.fromkeys(STREAMS, b"")
    there: dict[int, Put] = {}
    for step in steps:
        if isinstance(step, Send):
            data = os.urandom(step.size)
            sent[step.stream] += data
            (pair.client if step.stream == "upstream" else pair.served).sendall(data)
        elif isinstance(step, Take):
            if there.pop(step.slot, None):
                assert toxiproxy.call("DELETE", f"{path}/toxics/{step.slot}").status == 204
        else:
            put(step, there.get(step.slot), f"{path}/toxics", toxiproxy)
            there[step.slot] = step
    assert receive(pair.served, len(sent["upstream"])) == sent["upstream"]
    assert receive(pair.client, len(sent["downstream"])) == sent["downstream"]
    pair.client.shutdown(socket.SHUT_WR)
    assert is_cut(pair.served)
    assert is_cut(pair.client)


def put(step: Put, existing: Put | None, path: str, toxiproxy: Toxiproxy) -> None:
    toxic = {"toxicity": step.toxicity, "attributes": step.attributes}
    if existing is not None and (existing.kind, existing.stream) == (step.kind, step.stream):
        assert toxiproxy.call("PATCH", f"{path}/{step.slot}", toxic).status == 200
        return
    if existing is not None:
        assert toxiproxy.call("DELETE", f"{path}/{step.slot}").status == 204
    new = {"name": str(step.slot), "type": step.kind, "stream": step.stream, **toxic}
    assert toxiproxy.call("POST", path, new).status == 200
