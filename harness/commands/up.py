"""`harness up`"""

from __future__ import annotations

from pathlib import Path

import click

from harness.runtime import choice


@click.command("up")
@click.option("--topology", type=click.Path(path_type=Path), default=None, help="Another compose file.")
@click.option(
    "--with", "defects", multiple=True, help="A Compose override: a name in scenarios/defects or a path."
)
@click.option(
    "--clock", type=click.FloatRange(min=0, min_open=True), default=1.0, help="Drill seconds to a real one."
)
@click.option("--region", "regions", multiple=True, help="A region of the service, one or more; all if none.")
@click.option(
    "--system", "systems", multiple=True, help="A system of the world that stands only where asked for."
)
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
    from harness import limits, standing
    from topology.document import Place, Scalar

    limits.CLOCK.hold(Scalar(f"{clock:g}", clock, Place("--clock")), clock)
    return standing.up(runs, standing.Wanted(topology, defects, clock, regions, runtime, systems), foreground)
