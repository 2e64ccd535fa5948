"""`harness status`"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import PASS, UNKNOWN


@click.command("status")
@click.pass_obj
def command(runs: Path) -> int:
    """Show the nodes that `harness up` brought up, and how each is."""
    from harness import standing

    state = standing.read(runs)
    if state is None:
        click.echo("nothing is up; `harness up` brings every node up")
        return PASS
    click.echo(f"up since {state.since}, process {state.pid}, {state.run}")
    for name, word in state.nodes.items():
        click.echo(f"  {name:<22} {word}")
    return PASS if all(word == "healthy" for word in state.nodes.values()) else UNKNOWN
