"""`harness status`"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import PASS, UNKNOWN


@click.command("status")
@click.pass_obj
def command(runs: Path) -> int:
    """Show the nodes that `harness up` brought up, how each is, and how far runbooks came."""
    from harness import standing
    from harness.runbook import progress

    state = standing.read(runs)
    if state is None:
        click.echo("nothing is up; `harness up` brings every node up")
        if (left := standing.left(runs)) is not None and progress.unfinished(runs / left.run):
            _tell(progress.told(runs / left.run, stands=False))
            return UNKNOWN
        return PASS
    if not state.since:
        click.echo(f"coming up, process {state.pid}, {state.run}")
        return UNKNOWN
    click.echo(f"up since {state.since}, process {state.pid}, {state.run}")
    for name, word in state.nodes.items():
        click.echo(f"  {name:<22} {word}")
    if state.fence:
        click.echo(f"fence: {state.fence}")
    _tell(progress.told(runs / state.run, stands=True))
    well = all(word == "healthy" for word in state.nodes.values())
    return PASS if well and not progress.unfinished(runs / state.run) else UNKNOWN


def _tell(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)
