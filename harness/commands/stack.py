"""`harness stack`"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from harness.cli import PASS
from harness.commands import replica

FILE: Final = Path("docker-stack.yml")


@click.command("stack")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=FILE,
    show_default=True,
    help="The stack file; the files of its configs go into a folder beside it.",
)
@click.option("-f", "--topology", type=click.Path(path_type=Path), default=None, help="Another compose file.")
@replica.options
def command(
    output: Path,
    topology: Path | None,
    defects: tuple[str, ...],
    clock: float,
    regions: tuple[str, ...],
    systems: tuple[str, ...],
) -> int:
    """Write the replica as a stack for Docker Swarm: nodes spread over engines by zone."""
    from harness import library
    from harness.scenario import variables
    from topology import map as topology_map
    from topology.stack import stack

    replica.hold(clock)
    path = topology or library.TOPOLOGY
    overrides = [library.defect(name) for name in defects]
    given = variables(clock, systems)
    topology_map.known(systems, topology_map.read(path, overrides, given))
    made = stack(path, overrides, given, regions, configs=f"{output.stem}-configs")
    for name, text in made.configs.items():
        config = output.parent / name
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(text, encoding="utf-8")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(made.text, encoding="utf-8")
    click.echo(f"{output}: its first lines say how it is brought up")
    return PASS
