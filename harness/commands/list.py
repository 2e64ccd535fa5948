"""`harness list`"""

from __future__ import annotations

import click

from harness import library
from harness.cli import PASS
from harness.incidents.model import FILE


@click.command("list")
def command() -> int:
    """List the scenarios, the controls, the incidents and the defects that come with the harness."""
    click.echo("scenarios:")
    for path in library.scenarios():
        click.echo(f"  {path.stem:<32} {library.title(path)}")
    click.echo("controls (harness run NAME must fail):")
    for path in library.controls():
        click.echo(f"  {path.stem:<32} {library.title(path)}")
    click.echo("incidents (harness replay NAME plays each as it happened and with the countermeasures):")
    for path in library.incidents():
        click.echo(f"  {path.name:<32} {library.title(path / FILE)}")
    click.echo("defects (harness run S --with NAME must fail):")
    for path in library.defects():
        click.echo(f"  {path.stem:<32} {library.title(path)}")
    return PASS
