from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from topology import map as topology
from topology.flat import flatten

pytestmark = pytest.mark.takes(15)

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.multi-region.yml"
DEFECTS = sorted((ROOT / "scenarios" / "defects").glob("*.yml"))


@pytest.mark.parametrize("overrides", [[], *([each] for each in DEFECTS)], ids=lambda paths: str(len(paths)))
def test_one_file_says_the_same_as_many(tmp_path: Path, overrides: list[Path]) -> None:
    variables = {"CLOCK_SCALE": "60"}
    flat = tmp_path / "topology.yml"
    flat.write_text(flatten(COMPOSE, overrides, variables))
    assert topology.read(flat) == topology.read(COMPOSE, overrides, variables)


def test_what_looks_like_something_else_stays_what_it_is(tmp_path: Path) -> None:
    text = COMPOSE.read_text().replace(
        "SESSION_KEY: replica-only-session-key",
        "{A: $$X, B: 0.50, C: 'on', D: '1e3', E: 007, F: \"a\\nb\", G: ${G}, H: 'é: #'}".strip("{}").replace(
            ", ", "\n    "
        ),
    )
    path = tmp_path / "compose.yml"
    path.write_text(text)
    variables = {"G": "$G"}
    flat = tmp_path / "flat.yml"
    flat.write_text(flatten(path, [], variables))
    environment = topology.read(flat).nodes["web-a1"].environment
    assert environment == topology.read(path, [], variables).nodes["web-a1"].environment
    assert [environment[key] for key in "ABCDEFGH"] == [
        "$X",
        "0.50",
        "on",
        "1e3",
        "007",
        "a\nb",
        "$G",
        "é: #",
    ]
    assert yaml.safe_load(flat.read_text())["services"]["web-a1"]["environment"]["C"] == "on"


def test_files_of_configs_are_taken_inside(tmp_path: Path) -> None:
    (tmp_path / "proxies.json").write_text('[{"name": "${not a variable}"}]')
    text = COMPOSE.read_text()
    start, end = text.index("    content: |"), text.index("  wan-singapore-tokyo:\n    content")
    path = tmp_path / "compose.yml"
    path.write_text(text[:start] + "    file: proxies.json\n" + text[end:])
    elsewhere = tmp_path / "elsewhere" / "topology.yml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(flatten(path))
    assert topology.read(elsewhere) == topology.read(path)
    assert topology.read(elsewhere).nodes["au-link"].configs[0].content == '[{"name": "${not a variable}"}]'
