"""`harness down`"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import PASS


@click.command("down")
@click.pass_obj
def command(runs: Path) -> int:
    """Take down what `harness up` brought up."""
    from harness import standing

    click.echo(standing.down(runs))
    return PASS
