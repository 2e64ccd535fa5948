"""The register of which region may write, as a real program on loopback."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.topology.world.program import Program


@pytest.fixture
def fence(tmp_path: Path) -> Iterator[Program]:
    program = Program("topology.platform.fence", tmp_path, WRITABLE="singapore", REGIONS="singapore,tokyo")
    yield program
    program.kill()


def put(fence: Program, body: object) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", int(fence._environment["PORT"]), timeout=10)
    connection.request("PUT", "/writable", json.dumps(body))
    response = connection.getresponse()
    said = json.loads(response.read())
    connection.close()
    return response.status, said


def test_it_begins_with_the_region_that_it_was_told(fence: Program) -> None:
    assert fence.ask("/writable") == (200, {"region": "singapore", "epoch": 0})
    assert fence.ask("/health")[0] == 200


def test_the_right_moves_only_by_way_of_nobody(fence: Program) -> None:
    status, said = put(fence, {"region": "tokyo", "epoch": 1})
    assert (status, said["region"], said["epoch"]) == (409, "singapore", 0)
    assert said["error"] == "singapore may write; it must be fenced (region null) first"
    assert put(fence, {"region": None, "epoch": 1}) == (200, {"region": None, "epoch": 1})
    assert put(fence, {"region": "tokyo", "epoch": 2}) == (200, {"region": "tokyo", "epoch": 2})
    assert fence.get("/writable") == {"region": "tokyo", "epoch": 2}


def test_who_waits_for_a_change_hears_of_it_at_once(fence: Program) -> None:
    began_s = time.monotonic()
    assert fence.get("/writable?after=7") == {"region": "singapore", "epoch": 0}
    assert time.monotonic() - began_s < 0.5  # it knows less than there is
    threading.Timer(0.2, put, (fence, {"region": None, "epoch": 1})).start()
    assert fence.get("/writable?after=0") == {"region": None, "epoch": 1}
    assert 0.2 < time.monotonic() - began_s < 0.9
    assert fence.get("/writable?after=1") == {"region": None, "epoch": 1}
    assert time.monotonic() - began_s > 1.2  # there was none


def test_it_survives_a_power_loss(fence: Program) -> None:
    put(fence, {"region": None, "epoch": 1})
    fence.kill()
    fence.start()
    assert fence.get("/writable") == {"region": None, "epoch": 1}
    put(fence, {"region": "tokyo", "epoch": 2})
    fence.kill()
    fence.start()
    assert fence.get("/writable") == {"region": "tokyo", "epoch": 2}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"region": None, "epoch": 2}, "epoch 2 does not follow 0"),
        ({"region": None, "epoch": 0}, "epoch 0 does not follow 0"),
        ({"region": "singapore", "epoch": 1}, "singapore may write"),
    ],
)
def test_a_step_that_does_not_follow_is_refused(fence: Program, body: object, why: str) -> None:
    status, said = put(fence, body)
    assert status == 409
    assert why in said["error"]
    assert fence.get("/writable") == {"region": "singapore", "epoch": 0}


def test_a_region_that_is_none_and_fencing_nobody_are_refused(fence: Program) -> None:
    put(fence, {"region": None, "epoch": 1})
    assert put(fence, {"region": "tokio", "epoch": 2})[1]["error"] == "there is no region tokio"
    assert "nobody to fence" in put(fence, {"region": None, "epoch": 2})[1]["error"]


@pytest.mark.parametrize(
    "body", [[], {}, {"region": 7, "epoch": 1}, {"region": "tokyo"}, {"region": None, "epoch": True}]
)
def test_what_is_no_change_is_told_so(fence: Program, body: object) -> None:
    status, said = put(fence, body)
    assert (status, said["error"]) == (400, 'expected {"region": name or null, "epoch": whole number}')


def test_of_many_who_change_it_at_once_one_does(fence: Program) -> None:
    statuses: list[int] = []
    each = [
        threading.Thread(target=lambda: statuses.append(put(fence, {"region": None, "epoch": 1})[0]))
        for _ in range(8)
    ]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()
    assert sorted(statuses) == [200, *[409] * 7]
