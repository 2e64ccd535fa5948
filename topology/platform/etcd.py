"""A client of the consensus store (etcd), over the JSON gateway that it serves beside gRPC."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

CLIENT_PORT: Final = 2379
PEER_PORT: Final = 2380
FAILURES: Final = (OSError, http.client.HTTPException, ValueError)


class UnreachableError(Exception):
    """No member that was asked gave an answer."""


@dataclass(frozen=True)
class Member:
    """`published`: it has been up as a part of this cluster at least once."""

    number: str
    name: str
    peer_urls: tuple[str, ...]
    published: bool


@dataclass(frozen=True)
class Status:
    """What one member says of itself. `leader` is a member's number, "" while there is none."""

    number: str
    leader: str


class Store:
    """Asks members, given as `host:port`, in this order until one answers; if none does, UnreachableError.

    A member that has not yet found a majority answers nothing, so an answer means that the store can be used.
    """

    def __init__(self, members: Sequence[str], timeout_s: float = 1.0) -> None:
        self._members = tuple(members)
        self._timeout_s = timeout_s

    def get(self, key: str) -> str | None:
        """The value of a key, None if there is none. Linearizable: a majority stands behind the answer."""
        answer = self._post("/v3/kv/range", {"key": _encoded(key)})
        for row in _rows(answer, "kvs"):
            return base64.b64decode(str(row.get("value", ""))).decode()
        return None

    def swap(self, key: str, old: str, new: str) -> bool:
        """Give a key another value if it still has this one. Whether it had."""
        compare = {"key": _encoded(key), "target": "VALUE", "result": "EQUAL", "value": _encoded(old)}
        put = {"requestPut": {"key": _encoded(key), "value": _encoded(new)}}
        return bool(self._post("/v3/kv/txn", {"compare": [compare], "success": [put]}).get("succeeded"))

    def members(self) -> list[Member]:
        return [_member(row, "ID") for row in _rows(self._post("/v3/cluster/member/list", {}), "members")]

    def remove(self, member: Member) -> None:
        self._post("/v3/cluster/member/remove", {"ID": member.number})

    def add(self, peer_url: str) -> None:
        self._post("/v3/cluster/member/add", {"peerURLs": [peer_url]})

    def status(self) -> Status:
        """Of the first member that answers."""
        answer = self._post("/v3/maintenance/status", {})
        header = answer.get("header")
        number = header.get("member_id") if isinstance(header, dict) else None
        leader = str(answer.get("leader", "0"))
        return Status(str(number or ""), "" if leader == "0" else leader)

    def hand_over(self, to: str) -> None:
        """Make another member the leader. Only the leader itself can do this."""
        self._post("/v3/maintenance/transfer-leadership", {"targetID": to})

    def _post(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        failures = []
        for member in self._members:
            try:
                return _ask(member, path, body, self._timeout_s)
            except FAILURES as failure:
                failures.append(f"{member}: {failure or type(failure).__name__}")
        raise UnreachableError("; ".join(failures))


def known_to(peer: str, timeout_s: float = 0.5) -> list[Member]:
    """The members that one of them (a host name) knows of, told on the port that they use among themselves.

    It tells so also while it has no majority, so this may be old. Raises UnreachableError.
    """
    try:
        status, rows = _exchange(peer, PEER_PORT, "GET", "/members", None, timeout_s)
    except FAILURES as failure:
        raise UnreachableError(f"{peer}: {failure}") from failure
    if status != 200 or not isinstance(rows, list):
        raise UnreachableError(f"{peer}: HTTP {status}")
    return [_member(row, "id") for row in rows]


def _ask(member: str, path: str, body: Mapping[str, object], timeout_s: float) -> Mapping[str, object]:
    host, _, port = member.partition(":")
    status, answer = _exchange(host, int(port or CLIENT_PORT), "POST", path, json.dumps(body), timeout_s)
    if status != 200 or not isinstance(answer, dict):
        raise ValueError(answer.get("error", answer) if isinstance(answer, dict) else f"HTTP {status}")
    return answer


def _exchange(
    host: str, port: int, method: str, path: str, body: str | None, timeout_s: float
) -> tuple[int, object]:
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def _member(row: Mapping[str, object], number: str) -> Member:
    return Member(
        str(row[number]), str(row.get("name", "")), _words(row, "peerURLs"), bool(row.get("clientURLs"))
    )


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _rows(answer: Mapping[str, object], name: str) -> Iterator[Mapping[str, object]]:
    rows = answer.get(name, [])
    assert isinstance(rows, list)
    yield from rows


def _words(row: Mapping[str, object], name: str) -> tuple[str, ...]:
    words = row.get(name, [])
    assert isinstance(words, list)
    return tuple(str(word) for word in words)
