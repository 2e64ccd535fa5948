"""`harness report RUN`"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from harness.cli import PASS
from harness.commands.outcome import find, run_argument


@click.command("report")
@run_argument
@click.option("--lang", type=click.Choice(["ja", "en"]), default="en", help="The report's language.")
@click.pass_obj
def command(runs: Path, run: str, lang: Literal["ja", "en"]) -> int:
    """Write report.html of a run directory again, or that of a replay."""
    from harness.incidents.replayed import Replay

    if Replay.at(Path(run)):
        from reports import incident

        click.echo(incident.write(Replay.read(Path(run)), lang))
        return PASS
    from reports.run import write

    click.echo(write(find(runs, run), lang))
    return PASS
