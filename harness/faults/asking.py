"""One request to a node's own HTTP side, from where the observers stand."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any, Final

from harness.faults import Stage
from harness.faults.looking import connect
from harness.load.access import HTTP_PORT
from harness.rundir import Json
from topology.map import Node

PATIENCE_S: Final = 2.0


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """Raises OSError for what is no JSON: the node is not what was asked for."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise OSError(f"no JSON but {self.body[:80]!r}") from None

    @property
    def text(self) -> str:
        return " ".join(self.body.decode(errors="replace").split())[:200]


def ask(
    stage: Stage,
    node: Node,
    method: str,
    path: str,
    body: Json = None,
    port: int = HTTP_PORT,
    timeout_s: float = PATIENCE_S,
) -> Reply:
    """Whatever the node says to it. Raises OSError or HTTPException, naming the node."""
    connection = http.client.HTTPConnection(str(node.address), port, timeout=timeout_s)
    try:
        connection.sock = connect(stage, stage.observer, node, port, timeout_s)
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"} if content is not None else {}
        connection.request(method, path, content, headers)
        reply = connection.getresponse()
        return Reply(reply.status, reply.read())
    except OSError as error:
        raise OSError(f"{node.name}: {error.strerror or error or type(error).__name__}") from error
    finally:
        connection.close()


def tell(
    stage: Stage, node: Node, method: str, path: str, body: Json = None, timeout_s: float = PATIENCE_S
) -> Reply:
    """The same where only 200 will do. Raises OSError, also when the node refuses."""
    reply = ask(stage, node, method, path, body, timeout_s=timeout_s)
    if reply.status != 200:
        raise OSError(f"{node.name}: {method} {path}: http {reply.status}: {reply.text}")
    return reply
