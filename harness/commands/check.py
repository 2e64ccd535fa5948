"""`harness check RUN`"""

from __future__ import annotations

from pathlib import Path

import click

from harness.commands.outcome import find, judged, run_argument, status_of, told


@click.command("check")
@run_argument
@click.option("--json", "as_json", is_flag=True, help="Print verdict.json instead of the summary.")
@click.pass_obj
def command(runs: Path, run: str, as_json: bool) -> int:
    """Judge a run directory again: the same answer years later, with no runtime."""
    found = find(runs, run)
    judgement = judged(found)
    told(judgement, as_json)
    return status_of(judgement)
