"""What the compose file says of containers, beyond what it says of nodes: who they are, and what they may not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from topology import map as topology
from topology.compose import read_file
from topology.document import BadInput

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.multi-region.yml"
NODE_IMAGE = "safety-confirmation/node:latest"

SERVICES: dict[str, dict[str, Any]] = read_file(FILE, [], {}).content["services"]  # type: ignore[index, call-overload, assignment]
MAP = topology.read(FILE, [], topology.asked_for(topology.read(FILE).systems))


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "1000:1000"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "devices", "pid", "ipc", "userns_mode"} & set(service)
    # Of its own network, and of that one thing alone.
    assert set(service.get("sysctls", ())) <= {"net.ipv4.tcp_syn_retries"}
    # Compose has to put a config into the container of an image that holds nothing else.
    assert service["read_only"] is ("configs" not in service)


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_sees_nothing_of_the_host(name: str) -> None:
    declared = read_file(FILE, [], {}).need("volumes", "").as_fields().values
    for volume in SERVICES[name].get("volumes", ()):
        assert volume.partition(":")[0] in declared


@pytest.mark.parametrize("name", MAP.nodes)
def test_a_node_is_who_it_is_in_every_runtime(name: str) -> None:
    service, node = SERVICES[name], MAP.nodes[name]
    assert service["hostname"] == name
    if service["image"] == NODE_IMAGE:
        assert service["environment"]["ZONE"] == node.zone
        assert service["healthcheck"]["test"] == ["CMD", "healthy", node.health]


def test_every_name_is_known_everywhere() -> None:
    addresses = {name: each["networks"]["fabric"]["ipv4_address"] for name, each in SERVICES.items()}
    for name, service in SERVICES.items():
        assert service["extra_hosts"] == addresses, name


def test_the_door_alone_is_on_a_network_that_leads_out() -> None:
    assert [name for name, each in SERVICES.items() if len(each["networks"]) > 1] == ["door"]
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["door"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["door"]["ports"])
    assert "door" not in MAP.nodes


def test_the_image_has_what_the_project_declares_and_pins() -> None:
    wanted = {line for line in _lines("topology/image/requirements.txt") if not line.startswith("#")}
    declared = (ROOT / "pyproject.toml").read_text()
    pinned = {line.partition("==")[0].lower() for line in _lines("constraints.txt")}
    for requirement in wanted:
        assert f'"{requirement}"' in declared
        assert requirement.partition("[")[0].lower() in pinned


def _lines(path: str) -> list[str]:
    return [line for line in (ROOT / path).read_text().splitlines() if line]


@pytest.mark.parametrize("name", MAP.nodes)
def test_every_runtime_confines_a_node_as_the_file_does(name: str) -> None:
    service, confined = SERVICES[name], MAP.nodes[name].confinement
    assert confined.user == service["user"]
    assert confined.read_only is service["read_only"]
    assert [*confined.cap_drop] == service["cap_drop"]
    assert [*confined.security_opt] == service["security_opt"]
    assert confined.cpu_shares == service.get("cpu_shares", 0)
    assert confined.sysctls == service.get("sysctls", {})
    assert [f"{folder}:{options}" for folder, options in confined.scratch.items()] == service.get("tmpfs", [])


def test_links_keep_no_call_for_long_that_nobody_answers() -> None:
    """A form must not arrive when its sender has long given it up and sent another one."""
    for link in (*MAP.with_role("access-link"), *MAP.with_role("wide-area-link")):
        assert link.confinement.sysctls == {"net.ipv4.tcp_syn_retries": "2"}


def test_a_setting_of_the_kernel_is_one_of_the_nodes_own_network(tmp_path: Path) -> None:
    path = tmp_path / "compose.yml"
    path.write_text(FILE.read_text().replace("net.ipv4.tcp_syn_retries", "vm.swappiness"))
    with pytest.raises(
        BadInput, match=r'found "vm.swappiness", expected a setting of the node\'s own network'
    ):
        topology.read(path)


def test_a_database_weighs_as_many_as_it_has_processes_at_work() -> None:
    weighty = {name for name, each in SERVICES.items() if "cpu_shares" in each}
    assert weighty == {node.name for node in MAP.with_role("database")}
