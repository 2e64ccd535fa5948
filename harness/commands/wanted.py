"""What `plan` and `run` are asked for: scenarios, a topology, overrides, settings, a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from harness.plan import Plan
    from harness.rehearsing import Wish
    from harness.scenario import Scenario
    from topology.map import Map

#: Roles that the harness itself works through, and what it does there.
NEEDED: Final = {
    "observers": "from where faults and the service are looked at",
    "citizens": "where those who answer are",
    "agency": "which publishes",
    "web": "through which people are enrolled",
}
ALONE: Final = ("observers", "citizens", "agency")

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True)
class Wanted:
    """One scenario to plan, to run, or to `rehearse` a runbook in.

    `whole`: on all of the topology, whichever regions it names.
    """

    scenario: str
    seed: int
    topology: Path | None
    defects: tuple[str, ...]
    settings: tuple[str, ...]
    rehearse: Wish | None = None
    whole: bool = False

    def plan(self) -> tuple[Plan, Map]:
        """Read everything and make the plan. Raises BadInput; starts nothing."""
        from harness import library, plan, scenario
        from harness.checks import CHECKS
        from harness.versions import versions
        from topology import map as topology_map

        checks = {name: check.EXPECTS for name, check in CHECKS.items()}
        read = scenario.read(library.scenario(self.scenario), checks, self.settings)
        file = self.topology or library.TOPOLOGY
        overrides = self._overrides(read)
        whole = topology_map.read(file, overrides, read.variables)
        topology = whole if self.whole else read.standing(whole)
        _need_roles(file, topology)
        made = plan.make(
            read,
            topology,
            self.seed,
            compose=str(file),
            overrides=[str(path) for path in overrides],
            versions=versions(),
            rehearse=self.rehearse,
        )
        return made, topology

    def _overrides(self, read: Scenario) -> list[Path]:
        """The scenario's own defects, then those of the command line, each once. Raises BadInput."""
        from harness import library

        own = [library.defect(each.as_text("a defect"), each.place) for each in read.defects]
        return list(dict.fromkeys([*own, *(library.defect(name) for name in self.defects)]))


def _need_roles(file: Path, topology: Map) -> None:
    """Raises BadInput for a topology in which nobody could conduct a run."""
    from topology.document import BadInput, Place, nearest

    roles = sorted({node.role for node in topology})
    for role, what in NEEDED.items():
        found = len(topology.with_role(role))
        if found == 0 or (found > 1 and role in ALONE):
            how_many = "one node" if role in ALONE else "a node"
            near = nearest(role, [name for name in roles if name not in NEEDED])
            raise BadInput(
                Place(str(file)), f"{found or 'no'} nodes of role {role}", f"{how_many} of it, {what}", near
            )


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
        click.option(
            "--seed",
            type=click.IntRange(0, 2**31 - 1),
            default=1,
            show_default=True,
            help="Same seed, same run.",
        ),
    ):
        command = option(command)
    return command
