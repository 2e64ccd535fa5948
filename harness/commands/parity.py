"""`harness parity RUN RUN…`"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from harness.commands.outcome import STATUS, find


@click.command("parity")
@click.argument("names", nargs=-1, required=True, metavar="RUN RUN…")
@click.option("--lang", type=click.Choice(["ja", "en"]), default="en", help="The table's language.")
@click.pass_obj
def command(runs: Path, names: tuple[str, ...], lang: Literal["ja", "en"]) -> int:
    """Compare runs of the same scenarios in several runtimes: verdicts, and recovery times side by side.

    RUN is a run directory, its name, or a scenario's name for all its runs. Writes parity.html beside the runs.
    """
    from harness.rundir import RunDir
    from reports import parity
    from topology.document import BadInput, Place

    chosen: dict[Path, RunDir] = {}
    for name in names:
        several = [RunDir(events.parent.resolve()) for events in sorted((runs / name).glob("*/events.jsonl"))]
        chosen |= {run.path: run for run in several or [find(runs, name)]}
    told = {run: parity.read(run) for run in chosen.values()}
    for run, said in told.items():
        if said is None:
            raise BadInput(
                Place(str(run.path)), "no verdict", f"a run that was judged; harness check {run.name} does"
            )
    compared = parity.compare(said for said in told.values() if said is not None)
    for line in parity.lines(compared, lang):
        click.echo(line)
    page = runs / "parity.html"
    page.write_text(parity.page(compared, lang), encoding="utf-8")
    click.echo(f"table: {page}", err=True)
    return STATUS[compared.verdict]
