"""Sixty nodes together must not have as much of the processors as the one load that asks them."""

from __future__ import annotations

import docker
import pytest

from harness.runtime import Runtime
from harness.runtime.docker import labels, share
from topology.map import Map

pytestmark = [pytest.mark.fabric]


def test_the_engine_is_left_alone_where_it_asks_another_for_control_groups() -> None:
    assert share.parent({"CgroupDriver": "systemd"}) == ""


@pytest.mark.parametrize("runtime", ["docker"], indirect=True)
def test_each_node_has_a_share_of_its_own(
    runtime: Runtime, small_map: Map, client: docker.DockerClient
) -> None:
    if client.info()["CgroupDriver"] != "cgroupfs":
        assert share.parent(client.info()) == ""
        return
    made = client.containers.list(filters={"label": labels.NODE})
    assert len(made) >= len(small_map.nodes)
    assert {each.attrs["HostConfig"]["CgroupParent"] for each in made} == {share.TOP}
