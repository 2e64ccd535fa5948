"""`harness clean`"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import PASS


@click.command("clean")
@click.option(
    "--all", "everything", is_flag=True, help="The run directories too, with their verdicts and reports."
)
@click.pass_obj
def command(runs: Path, everything: bool) -> int:
    """Remove what earlier runs left on the disk: the nodes' volumes, or with --all every run directory."""
    from harness import standing
    from harness.sweeping import sweep

    if standing.read(runs) is not None:
        raise click.ClickException("nodes are up; `harness down` first")
    freed, folders = sweep(runs, everything)
    click.echo(f"{folders} folders removed, {freed / 2**20:.0f} MiB freed")
    return PASS
