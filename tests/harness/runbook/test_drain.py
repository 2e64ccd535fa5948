"""Where those who come by an old name are passed on to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from harness.faults import Stage
from harness.runbook.commands import drain
from harness.runbook.scene import Refused, Scene
from harness.rundir import RunDir
from harness.runtime import Runtime
from topology.map import Map
from topology.platform.balancer import endpoints


def scene(topology: Map, tmp_path: Path) -> Scene:
    nobody = cast(Runtime, None)  # nothing is asked of it
    return Scene(Stage(nobody, topology, topology.with_role("observers")[0]), RunDir(tmp_path))


@pytest.mark.parametrize(
    ("source", "target", "ways"),
    [
        ("singapore", "tokyo", ["wan-singapore-tokyo:8021"]),
        ("tokyo", "singapore", ["wan-singapore-tokyo:8011", "wan-singapore-tokyo:8012"]),
        ("virginia", "tokyo", ["wan-tokyo-virginia:8021"]),
    ],
)
def test_it_goes_through_the_link_between_the_two(
    whole: Map, tmp_path: Path, source: str, target: str, ways: list[str]
) -> None:
    assert list(drain.ways_between(scene(whole, tmp_path), source, target)) == ways


def test_without_a_link_it_is_refused(whole: Map, tmp_path: Path) -> None:
    arguments = {"from": "singapore", "to": "singapore"}
    with pytest.raises(Refused, match="no wide-area link"):
        drain.drain(scene(whole, tmp_path), arguments)


def test_an_endpoint_has_the_port_that_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    endpoints(path, ["127.0.0.1:8021", "127.0.0.2"], [])
    written: dict[str, Any] = json.loads(path.read_text())
    near = written["resources"][0]["endpoints"][0]["lb_endpoints"]
    ports = [each["endpoint"]["address"]["socket_address"]["port_value"] for each in near]
    assert ports == [8021, 8000]
