"""What README.md says of commands and scenarios is what there is."""

from __future__ import annotations

import re
from typing import Final

import pytest

from harness import library
from harness.cli import COMMANDS
from topology.document import load, parse

TEXTS: Final = {
    name: (library.ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ja.md")
}
README: Final = TEXTS["README.md"]


def test_every_command_is_in_its_table() -> None:
    table = [row for row in README.splitlines() if row.startswith("| `harness ")]
    told = set(re.findall(r"`(?:harness )?([a-z]+)", "\n".join(row.split(" | ")[0] for row in table)))
    assert told == set(COMMANDS)


def test_every_scenario_is_named() -> None:
    paths = [*library.scenarios(), *library.controls(), *library.incidents()]
    assert [path.stem for path in paths if f"`{path.stem}`" not in README] == []


def test_the_scenario_that_it_shows_is_az_loss() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    written = load(library.scenario("az-loss"))
    excerpt = parse(shown, "README.md").as_fields()
    assert excerpt.need("timeline", "").content == written.need("timeline", "").content
    expected = written.need("expect", "").as_fields()
    for check, each in excerpt.need("expect", "").as_fields():
        assert each.content == expected.need(check, "").content


@pytest.mark.parametrize("name", TEXTS)
def test_what_it_links_to_is_there(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXTS[name])
    assert links
    assert [link for link in links if not (library.ROOT / link).exists()] == []
