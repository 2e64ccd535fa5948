"""`harness run S…`"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import click

from harness.commands.playing import WORSE, Manner, again_inside, play
from harness.commands.wanted import Wanted, options
from harness.runtime import choice

#: More than that would play on cores that hardly any machine has. A setting.
MOST_WORKERS: Final = 64


@click.command("run")
@click.argument("scenarios", nargs=-1, required=True)
@options
@click.option(
    "--runtime",
    type=click.Choice(choice.NAMES),
    default=None,
    help="Where the nodes live: local if nothing is said.",
)
@click.option(
    "--attach",
    metavar="PROJECT",
    default="",
    help="Play on a Compose project that is running already, in containers, and leave it running.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    default=1,
    show_default=True,
    help="How many of Locust's workers play the people, where one process is not enough for the load.",
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
    runtime: str | None,
    attach: str,
    workers: int,
    as_json: bool,
    lang: Literal["ja", "en"],
    keep: bool,
) -> int:
    """Run scenarios, judge each, and write its report."""
    from harness.runtime import house

    runtime = runtime or (choice.DOCKER if attach else choice.LOCAL)
    _refuse_what_cannot_be_meant(scenarios, runtime, attach, keep)
    wanted = [Wanted(name, seed, topology, defects, settings, whole=bool(attach)) for name in scenarios]
    if not house.inside():
        for each in wanted:
            choice.ready(runtime, each.plan()[1], attach)  # what is wrong is told before anything starts
        return again_inside()
    statuses = []
    for each in wanted:
        played = play(each, Manner(runtime, runs, as_json, lang, keep, attach, workers))
        statuses.append(played.status)
        if played.interrupted:
            break
    return max(statuses, key=WORSE.index)


def _refuse_what_cannot_be_meant(scenarios: tuple[str, ...], runtime: str, attach: str, keep: bool) -> None:
    """Raises UsageError."""
    if attach and runtime != choice.DOCKER:
        raise click.UsageError(
            "--attach is for containers: a project can be attached to with --runtime docker alone"
        )
    if attach and len(scenarios) > 1:
        raise click.UsageError(
            "--attach plays one scenario: the next would find what this one left in the databases"
        )
    if keep and runtime == choice.DOCKER:
        raise click.UsageError(
            "--keep is for the local runtime: volumes of containers end with the run. To look at them afterwards, "
            "bring the replica up with docker compose, and --attach to it"
        )
