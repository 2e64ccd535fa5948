"""`harness clean`"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import CANNOT_RUN, PASS


@click.command("clean")
@click.option(
    "--all", "everything", is_flag=True, help="The run directories too, with their verdicts and reports."
)
@click.pass_obj
def command(runs: Path, everything: bool) -> int:
    """Remove what earlier runs left: in the container engine, and on the disk the nodes' volumes.

    With --all also every run directory.
    """
    from harness import standing
    from harness.runtime.docker.leavings import clear
    from harness.sweeping import sweep

    if standing.read(runs) is not None:
        raise click.ClickException("nodes are up; `harness down` first")
    cleared = clear()
    if cleared.removed:
        click.echo(f"{cleared.removed} containers, networks and volumes removed")
    swept = sweep(runs, everything)
    click.echo(f"{swept.folders} folders removed, {swept.freed / 2**20:.0f} MiB freed")
    for run in {*cleared.busy} | {*swept.busy}:
        click.echo(f"{run} goes on and was left alone")
    for what in (*cleared.kept, *swept.kept):
        click.echo(f"harness: not removed: {what}", err=True)
    return CANNOT_RUN if cleared.kept or swept.kept else PASS
