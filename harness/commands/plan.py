"""`harness plan S`"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import PASS
from harness.commands.wanted import Wanted, options


@click.command("plan")
@click.argument("scenario")
@options
def command(
    scenario: str, seed: int, topology: Path | None, defects: tuple[str, ...], settings: tuple[str, ...]
) -> int:
    """Show what a run would do, to the instant, without starting anything."""
    from harness.outline import outline

    for line in outline(*Wanted(scenario, seed, topology, defects, settings).plan()):
        click.echo(line)
    return PASS
