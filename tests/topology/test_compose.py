from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from topology.compose import Mount, Project, Service, read_project

FRAME = (
    "networks: {fabric: {}}\nvolumes: {data: {}}\nconfigs: {here: {content: c}, there: {file: there.txt}}\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "there.txt").write_text("from a file")
    return tmp_path


def project(folder: Path, text: str, variables: Mapping[str, str] | None = None) -> Project:
    path = folder / "compose.yml"
    path.write_text(FRAME + "services:\n" + text)
    return read_project(path, [], variables or {})


def only(folder: Path, words: str, variables: Mapping[str, str] | None = None) -> Service:
    networks = "networks: {fabric: {ipv4_address: 10.0.0.1}}"
    return project(folder, f"  web: {{image: x, {networks}, {words}}}\n", variables).services["web"]


def test_a_command_may_be_one_text(folder: Path) -> None:
    assert only(folder, "command: run 'the thing' -v").command == ("run", "the thing", "-v")


def test_environment_in_both_forms(folder: Path) -> None:
    assert only(folder, "environment: {A: 1, B: x, C: '', D: 0.50}").environment == {
        "A": "1",
        "B": "x",
        "C": "",
        "D": "0.50",
    }
    assert only(folder, "environment: ['A=1=2', 'B=']").environment == {"A": "1=2", "B": ""}


def test_a_variable_without_a_value_comes_from_outside(folder: Path) -> None:
    assert only(folder, "environment: {A: , B: }", {"A": "given"}).environment == {"A": "given"}
    assert only(folder, "environment: [A, B]", {"A": "given"}).environment == {"A": "given"}


def test_what_is_mounted(folder: Path) -> None:
    web = only(
        folder, "volumes: ['data:/a:ro', {type: volume, source: data, target: /b}], configs: [here, there]"
    )
    assert web.volumes == (Mount("data", "/a"), Mount("data", "/b"))
    assert web.configs == (Mount("c", "/here"), Mount("from a file", "/there"))


def test_services_of_a_profile_that_is_not_asked_for_are_left_out(folder: Path) -> None:
    text = "  spare: {image: x, profiles: [more], networks: {fabric: {ipv4_address: 10.0.0.1}}}\n"
    assert project(folder, text).services == {}
    assert list(project(folder, text).dormant) == ["spare"]
    assert project(folder, text).profiles == ("more",)
    assert list(project(folder, text, {"COMPOSE_PROFILES": "most,more"}).services) == ["spare"]


def test_the_folder_names_a_project_without_a_name(folder: Path) -> None:
    assert project(folder, "  {}\n").name == folder.name


def test_an_override_that_changes_one_service(folder: Path) -> None:
    base, over = folder / "compose.yml", folder / "over.yml"
    base.write_text(
        FRAME + "services: {web: {image: x, command: [a], networks: {fabric: {ipv4_address: 10.0.0.1}}}}"
    )
    over.write_text("services: {web: {command: [b, '${WORD}'], environment: {NEW: 1}}}")
    web = read_project(base, [over], {"WORD": "w"}).services["web"]
    assert (web.image, web.command, web.environment) == ("x", ("b", "w"), {"NEW": "1"})
