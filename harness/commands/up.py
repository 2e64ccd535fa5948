"""`harness up`"""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands import replica
from harness.runtime import choice


@click.command("up")
@click.option("--topology", type=click.Path(path_type=Path), default=None, help="Another compose file.")
@replica.options
@click.option(
    "--runtime", type=click.Choice(choice.NAMES), default=choice.LOCAL, help="Where the nodes live."
)
@click.option("--foreground", is_flag=True, help="Stay here instead of going on in the background.")
@click.pass_obj
def command(
    runs: Path,
    topology: Path | None,
    defects: tuple[str, ...],
    clock: float,
    regions: tuple[str, ...],
    systems: tuple[str, ...],
    runtime: str,
    foreground: bool,
) -> int:
    """Bring every node up and keep them up until `harness down`."""
    from harness import standing

    replica.hold(clock)
    return standing.up(runs, standing.Wanted(topology, defects, clock, regions, runtime, systems), foreground)
