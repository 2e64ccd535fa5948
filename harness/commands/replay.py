"""`harness replay NAME`"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from harness.cli import FAIL, PASS, UNKNOWN
from harness.commands.outcome import COLOUR, STATUS
from harness.commands.playing import Manner, again_inside, play
from harness.commands.wanted import Wanted
from harness.runtime import choice

if TYPE_CHECKING:
    from harness.incidents.replayed import Replay
    from harness.rundir import RunDir

#: What of a run's exit status is a word on the service, and what says that the run could not be.
TOLD: Final = (PASS, FAIL, UNKNOWN)


@click.command("replay")
@click.argument("incident")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=1,
    show_default=True,
    help="Same seed, same replay.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change both scenarios: drill.people=2000."
)
@click.option(
    "--runtime", type=click.Choice(choice.NAMES), default=choice.LOCAL, help="Where the nodes live."
)
@click.option("--json", "as_json", is_flag=True, help="Print comparison.json instead of the summary.")
@click.option("--lang", type=click.Choice(["ja", "en"]), default="en", help="The reports' language.")
@click.pass_obj
def command(
    runs: Path,
    incident: str,
    seed: int,
    settings: tuple[str, ...],
    runtime: str,
    as_json: bool,
    lang: Literal["ja", "en"],
) -> int:
    """Play an outage on record, as it happened and with the countermeasures, and report in what they differ.

    It passes when it loses what was lost as it happened, and holds with the countermeasures.
    """
    from harness import library
    from harness.checks import CHECKS
    from harness.incidents import reading
    from harness.incidents.model import VARIANTS
    from harness.incidents.replayed import Replay
    from harness.runtime import house

    read = reading.read(library.incident(incident), CHECKS)
    wanted = {variant: Wanted(str(read.scenario(variant)), seed, None, (), settings) for variant in VARIANTS}
    if not house.inside():
        for each in wanted.values():
            choice.ready(runtime, each.plan()[1])  # what is wrong is told before anything starts
        return again_inside()
    played: dict[str, RunDir] = {}
    for variant, each in wanted.items():
        click.echo(f"{read.title.en}, {variant}", err=True)
        with redirect_stdout(sys.stderr if as_json else sys.stdout):
            one = play(each, Manner(runtime, runs, False, lang, False))
        if one.run is None or one.status not in TOLD:
            return one.status
        if one.interrupted:
            return UNKNOWN
        played[variant] = one.run
    return conclude(Replay.create(runs, read, seed, played), as_json, lang)


def conclude(replay: Replay, as_json: bool, lang: Literal["ja", "en"]) -> int:
    """Compare the two runs of a replay, report, and give the exit status."""
    from harness.incidents.comparison import compare
    from harness.incidents.replayed import COMPARISON
    from reports.incident import write

    compared = compare(replay.incident, replay.judgements())
    (replay.path / COMPARISON).write_text(compared.to_json(), encoding="utf-8")
    if as_json:
        click.echo(compared.to_json(), nl=False)
    else:
        title = f"{compared.verdict.value.upper()}: {compared.why}"
        click.echo(click.style(title, COLOUR[compared.verdict], bold=True))
        for verdict, says in (
            *compared.variants.values(),
            *((each.verdict, each.says) for each in compared.differences),
        ):
            click.echo(f"  {click.style(f'{verdict.value:<8}', COLOUR[verdict])} {says}")
    click.echo(f"incident report: {write(replay, lang)}", err=True)
    return STATUS[compared.verdict]
