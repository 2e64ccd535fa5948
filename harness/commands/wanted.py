"""What `plan` and `run` are asked for: scenarios, a topology, overrides, settings, a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from harness.plan import Plan
    from topology.map import Map

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True)
class Wanted:
    """One scenario to plan or to run."""

    scenario: str
    seed: int
    topology: Path | None
    defects: tuple[str, ...]
    settings: tuple[str, ...]

    def plan(self) -> tuple[Plan, Map]:
        """Read everything and make the plan. Raises BadInput; starts nothing."""
        from harness import library, plan, scenario
        from harness.checks import CHECKS
        from harness.versions import versions
        from topology import map as topology_map

        checks = {name: check.EXPECTS for name, check in CHECKS.items()}
        read = scenario.read(library.scenario(self.scenario), checks, self.settings)
        file = self.topology or library.TOPOLOGY
        overrides = [library.defect(name) for name in self.defects]
        topology = topology_map.read(file, overrides, {"CLOCK_SCALE": f"{read.drill.clock:g}"})
        made = plan.make(
            read,
            topology,
            self.seed,
            compose=str(file),
            overrides=[str(path) for path in overrides],
            versions=versions(),
        )
        return made, topology


def options(command: Decorated) -> Decorated:
    """The options that `plan` and `run` share."""
    for option in (
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="KEY=VALUE",
            help="Change the scenario: drill.people=2000.",
        ),
        click.option(
            "--with", "defects", multiple=True, help="Lay a defect over the topology: a name or a path."
        ),
        click.option(
            "--topology", type=click.Path(path_type=Path), default=None, help="Another compose file."
        ),
        click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same run."),
    ):
        command = option(command)
    return command
