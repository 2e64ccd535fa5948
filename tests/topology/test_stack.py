"""The stack for Docker Swarm: what of the compose file is in it, what is not, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from topology import map as topology
from topology.document import BadInput
from topology.stack import Stack, stack

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.multi-region.yml"
DEFECTS = sorted((ROOT / "scenarios" / "defects").glob("*.yml"))

FRAME = """
name: small
x-topology:
  regions:
    here: {title: {en: h, ja: h}, zones: {a: {title: {en: a, ja: a}, subnet: 10.0.0.0/24}}}
networks: {fabric: {internal: true, ipam: {config: [{subnet: 10.0.0.0/16}]}}}
volumes: {data: {labels: {kept: "yes"}}, other: {}}
configs: {used: {content: "costs $$5"}, unused: {content: x}}
services:
  one:
    image: i
    command: [run, "$$HOME"]
    networks: {fabric: {ipv4_address: 10.0.0.1}}
    labels: {topology.role: web, topology.zone: here.a, topology.health: 8000/health}
"""


def read(made: Stack) -> dict[str, Any]:
    data = yaml.safe_load(made.text)
    assert isinstance(data, dict)
    return data


def of(tmp_path: Path, words: str = "") -> Stack:
    path = tmp_path / "compose.yml"
    path.write_text(FRAME + words)
    return stack(path)


def one(tmp_path: Path, words: str = "") -> dict[str, Any]:
    service = read(of(tmp_path, words))["services"]["one"]
    assert isinstance(service, dict)
    return service


@pytest.fixture(scope="module")
def ours() -> Stack:
    return stack(COMPOSE, variables={"CLOCK_SCALE": "60"})


def test_every_node_stands_in_its_zone_and_is_found_under_its_own_address(ours: Stack) -> None:
    services = read(ours)["services"]
    nodes = topology.read(COMPOSE).nodes
    assert set(nodes) < set(services)
    for name, node in nodes.items():
        deploy = services[name]["deploy"]
        assert deploy["placement"]["constraints"] == [f"node.labels.zone.{node.zone} == true"]
        assert (deploy["endpoint_mode"], deploy["replicas"]) == ("dnsrr", 1)


def test_what_stands_beside_the_nodes_stands_where_its_address_is(ours: Stack) -> None:
    constraints = read(ours)["services"]["door"]["deploy"]["placement"]["constraints"]
    assert constraints == ["node.labels.zone.world.public == true"]


def test_every_node_runs_what_it_runs_with_compose(ours: Stack) -> None:
    services = read(ours)["services"]
    for name, node in topology.read(COMPOSE, variables={"CLOCK_SCALE": "60"}).nodes.items():
        service = services[name]
        assert (service["image"], tuple(service["command"])) == (node.image, node.command)
        assert service.get("environment", {}) == node.environment
        assert service["hostname"] == name
        assert service["labels"]["topology.role"] == node.role


def test_nodes_are_as_confined_as_a_stack_can_say(ours: Stack) -> None:
    for name, service in read(ours)["services"].items():
        assert service["user"] == "1000:1000", name
        assert service["cap_drop"] == ["ALL"], name
        assert "ports" not in service, "who publishes to all who reach an engine, does it by hand"
    assert '{"no-new-privileges": true}' in ours.text


def test_the_network_is_laid_over_all_engines(ours: Stack) -> None:
    fabric = read(ours)["networks"]["fabric"]
    assert fabric == {
        "driver": "overlay",
        "attachable": True,
        "internal": True,
        "ipam": {"config": [{"subnet": "10.77.0.0/16"}]},
    }


def test_no_word_is_in_it_that_a_stack_ignores_or_refuses(ours: Stack) -> None:
    known = {"image", "hostname", "command", "environment", "user", "read_only", "cap_drop", "configs"}
    known |= {"logging", "networks", "volumes", "labels", "deploy", "sysctls"}
    services = read(ours)["services"]
    assert {word for service in services.values() for word in service} <= known


def test_regions_that_are_left_out_are_nowhere(ours: Stack) -> None:
    made = stack(COMPOSE, only=["singapore"])
    assert set(read(made)["services"]) < set(read(ours)["services"])
    assert not {"database-t", "wan-singapore-tokyo"} & set(read(made)["services"])
    assert "database-t" not in read(made)["volumes"]
    assert "zone.tokyo.a" not in made.text


def test_a_defect_is_laid_over_it() -> None:
    made = stack(COMPOSE, [ROOT / "scenarios" / "defects" / "asynchronous-replication.yml"])
    assert read(made)["services"]["database-a"]["environment"]["DATABASE_SYNCHRONOUS"] == "off"


def test_a_system_of_the_world_is_there_where_it_is_asked_for(ours: Stack) -> None:
    assert "hosting-smtp" not in ours.text
    made = read(stack(COMPOSE, variables=topology.asked_for(["hosted-mail"])))
    assert "profiles" not in made["services"]["hosting-smtp"]
    assert "hosting-smtp" in made["volumes"]
    assert "hosting-firewall" in made["configs"]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda path: path.stem)
def test_every_defect_can_be_had(defect: Path) -> None:
    assert read(stack(COMPOSE, [defect]))["services"]


def test_configs_are_files_beside_it(tmp_path: Path) -> None:
    made = of(tmp_path, "    configs: [{source: used, target: /etc/used}]\n")
    assert read(made)["configs"] == {"used": {"file": "./configs/used"}}
    assert read(made)["services"]["one"]["configs"] == [{"source": "used", "target": "/etc/used"}]
    assert made.configs == {"configs/used": "costs $5"}


def test_a_dollar_sign_stays_one(tmp_path: Path) -> None:
    assert one(tmp_path)["command"] == ["run", "$$HOME"]


def test_a_service_is_on_its_networks_by_its_names_alone(tmp_path: Path) -> None:
    assert one(tmp_path)["networks"] == {"fabric": {}}
    address = "ipv4_address: 10.0.0.1"
    (tmp_path / "also.yml").write_text(FRAME.replace(address, f"{address}, aliases: [uno]"))
    assert read(stack(tmp_path / "also.yml"))["services"]["one"]["networks"] == {
        "fabric": {"aliases": ["uno"]}
    }


def test_only_volumes_that_are_used_are_declared(tmp_path: Path) -> None:
    assert read(of(tmp_path, "    volumes: ['data:/d']\n"))["volumes"] == {
        "data": {"labels": {"kept": "yes"}}
    }
    assert "volumes" not in read(of(tmp_path))


def test_scratch_is_in_memory_unless_something_is_executed_there(tmp_path: Path) -> None:
    volumes = one(tmp_path, '    tmpfs: ["/run", "/mnt/tmp:exec,mode=1777"]\n')["volumes"]
    assert volumes == [{"type": "tmpfs", "target": "/run"}, {"type": "volume", "target": "/mnt/tmp"}]


def test_what_is_left_out_is_told_and_nothing_else(tmp_path: Path) -> None:
    plain, weighed = of(tmp_path).text, of(tmp_path, "    cpu_shares: 8\n").text
    told = "All nodes weigh the same"
    assert told not in plain
    assert told in weighed
    assert "zone.$zone=true" in plain
    assert "for zone in here.a;" in plain


def test_a_word_that_swarm_has_nothing_for_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"compose\.yml:15:5: found \"privileged\""):
        of(tmp_path, "    privileged: true\n")


def test_docker_itself_takes_it(tmp_path: Path) -> None:
    """`docker stack config` asks no engine; Docker before 23 and machines without any have no such command."""
    if not _has_stack_config():
        pytest.skip("no docker stack config here")
    made = stack(COMPOSE, variables=topology.asked_for(["hosted-mail", "maps", "radio"]))
    for name, text in made.configs.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "stack.yml").write_text(made.text)
    command = ["docker", "stack", "config", "--compose-file", "stack.yml"]
    taken = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert (taken.returncode, taken.stderr) == (0, "")
    assert set(yaml.safe_load(taken.stdout)["services"]) == set(read(made)["services"])


def _has_stack_config() -> bool:
    if shutil.which("docker") is None:
        return False
    command = ["docker", "stack", "config", "--help"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return asked.returncode == 0 and "Usage:  docker stack config" in asked.stdout
