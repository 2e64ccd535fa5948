"""`harness run S…`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from harness.cli import BAD_INPUT, CANNOT_RUN, FAIL, PASS, UNKNOWN
from harness.commands.playing import WORSE, Manner, play
from harness.commands.wanted import Wanted, options
from harness.runtime import choice


@click.command("run")
@click.argument("scenarios", nargs=-1, required=True)
@options
@click.option(
    "--runtime", type=click.Choice(choice.NAMES), default=choice.LOCAL, help="Where the nodes live."
)
@click.option("--json", "as_json", is_flag=True, help="Print verdict.json instead of the summary.")
@click.option("--lang", type=click.Choice(["ja", "en"]), default="en", help="The report's language.")
@click.option("--keep", is_flag=True, help="Keep the nodes' volumes for a look at them.")
@click.pass_obj
def command(
    runs: Path,
    scenarios: tuple[str, ...],
    seed: int,
    topology: Path | None,
    defects: tuple[str, ...],
    settings: tuple[str, ...],
    runtime: str,
    as_json: bool,
    lang: Literal["ja", "en"],
    keep: bool,
) -> int:
    """Run scenarios, judge each, and write its report."""
    from harness.runtime import house

    wanted = [Wanted(name, seed, topology, defects, settings) for name in scenarios]
    if not house.inside():
        for each in wanted:
            choice.ready(runtime, each.plan()[1])  # what is wrong is told before anything starts
        status = house.enter([sys.executable, "-m", "harness", *sys.argv[1:]], listens=True)
        return status if status in (PASS, FAIL, BAD_INPUT, UNKNOWN, CANNOT_RUN) else UNKNOWN
    statuses = []
    for each in wanted:
        played = play(each, Manner(runtime, runs, as_json, lang, keep))
        statuses.append(played.status)
        if played.interrupted:
            break
    return max(statuses, key=WORSE.index)
