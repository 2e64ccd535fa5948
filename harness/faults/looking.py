"""How faults look at nodes from outside: through connections that they open where users stand."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from harness.faults import Effect, Stage
from topology.map import Node

#: A healthy node of the same machine answers within milliseconds; slow hosts get a hundred times that.
PATIENCE_S: Final = 0.7

T = TypeVar("T")
Seen = TypeVar("Seen")


def connect(
    stage: Stage, source: Node, target: Node, port: int, timeout_s: float = PATIENCE_S
) -> socket.socket:
    """A connection from one node to another. Raises OSError as any client would see it."""
    with stage.runtime.inside(source):
        return socket.create_connection((str(target.address), port), timeout_s)


def answer(stage: Stage, source: Node, target: Node, timeout_s: float = PATIENCE_S) -> str:
    """What a GET of the target's health page comes to, in a word, see `get`."""
    port, _, path = target.health.partition("/")
    return get(stage, source, target, int(port), path, timeout_s)


def get(stage: Stage, source: Node, target: Node, port: int, path: str, timeout_s: float = PATIENCE_S) -> str:
    """What a GET comes to, in a word: `http 200`, `silent`, `refused`, ..."""
    request = f"GET /{path} HTTP/1.1\r\nHost: {target.name}\r\nConnection: close\r\n\r\n".encode()
    try:
        with connect(stage, source, target, port, timeout_s) as connection:
            connection.sendall(request)
            status = connection.recv(64).split(b" ")[1:2]
            return f"http {status[0].decode()}" if status else "closed"
    except TimeoutError:
        return "silent"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return (error.strerror or type(error).__name__).lower()


def told(stage: Stage, node: Node, port: int, path: str, timeout_s: float) -> Any:
    """The JSON that a node tells the observer on a page. Raises OSError or ValueError."""
    with (
        stage.runtime.inside(stage.observer),
        urllib.request.urlopen(f"http://{node.address}:{port}/{path}", timeout=timeout_s) as reply,
    ):
        return json.load(reply)


def each(look: Callable[[T], Seen], things: Iterable[T]) -> list[Seen]:
    """Look at many things at once, in their order."""
    listed = list(things)
    with ThreadPoolExecutor(max_workers=max(1, min(16, len(listed)))) as pool:
        return list(pool.map(look, listed))


def unreachable(stage: Stage, nodes: Sequence[Node]) -> Effect:
    """Proven when the health page of no node answers."""
    seen = each(lambda node: answer(stage, stage.observer, node), nodes)
    answering = [f"{n.name}: {word}" for n, word in zip(nodes, seen, strict=True) if word.startswith("http")]
    if answering:
        return Effect(False, "still answering: " + ", ".join(answering))
    words = sorted(set(seen))
    return Effect(True, f"{len(nodes)} of {len(nodes)} nodes do not answer ({', '.join(words)})")


def answering(stage: Stage, nodes: Sequence[Node], within_s: float) -> Effect:
    """Proven when every node is healthy within that time."""
    deadline = time.monotonic() + within_s
    started = time.monotonic()
    waiting = list(nodes)
    while True:
        seen = each(lambda node: answer(stage, stage.observer, node), waiting)
        words = {node.name: word for node, word in zip(waiting, seen, strict=True) if word != "http 200"}
        waiting = [node for node in waiting if node.name in words]
        if not waiting:
            return Effect(True, f"{len(nodes)} nodes healthy after {time.monotonic() - started:.1f} s")
        if time.monotonic() > deadline:
            return Effect(False, f"not healthy within {within_s:g} s: {words}")
        time.sleep(0.1)
