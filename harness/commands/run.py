"""`harness run S…`"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from harness.cli import BAD_INPUT, CANNOT_RUN, FAIL, PASS, UNKNOWN
from harness.commands.outcome import STATUS, judged, told
from harness.commands.wanted import Wanted, options
from harness.rundir.verdict import Verdict
from harness.runtime import choice

if TYPE_CHECKING:
    from harness.checks.judge import Judgement

#: With less than this on the disk, that is why nodes fail.
FULL_BYTES: Final = 64 * 2**20


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
    from harness.runtime.local import house

    wanted = [Wanted(name, seed, topology, defects, settings) for name in scenarios]
    if not house.inside():
        for each in wanted:
            choice.ready(runtime, each.plan()[1])  # what is wrong is told before anything starts
        status = house.enter([sys.executable, "-m", "harness", *sys.argv[1:]], listens=True)
        return status if status in (PASS, FAIL, BAD_INPUT, UNKNOWN, CANNOT_RUN) else UNKNOWN
    verdicts = []
    for each in wanted:
        verdict, interrupted = _run(each, runtime, runs, as_json, lang, keep)
        verdicts.append(verdict)
        if interrupted:
            break
    return STATUS[Verdict.worst(verdicts)]


def _run(
    wanted: Wanted, runtime_name: str, runs: Path, as_json: bool, lang: Literal["ja", "en"], keep: bool
) -> tuple[Verdict, bool]:
    """The verdict, and whether somebody interrupted."""
    from harness.conductor import conduct
    from harness.faults.build import refuse_what_is_missing
    from harness.interruption import GiveUp, Interruption
    from harness.live import LiveShow, PlainShow
    from harness.rundir import RunDir
    from harness.runtime.local import house
    from harness.sweeping import drop_volumes
    from reports.run import write

    plan, topology = wanted.plan()
    runtime = choice.make(runtime_name)
    refuse_what_is_missing([entry.verb for entry in plan.timeline], runtime)
    run = RunDir.create(runs, plan.scenario, plan.seed)
    click.echo(f"{plan.title.en} ({plan.scenario}), seed {plan.seed}: {run.path}", err=True)
    marks = [(entry.at_s, f"{entry.verb} {entry.target}") for entry in plan.timeline]
    show = LiveShow(plan.title.en, marks) if sys.stderr.isatty() else PlainShow()
    with run.held():
        with show, Interruption() as interruption:
            try:
                house.listen()
                conduct(plan, topology, runtime, run, show, interruption)
            except GiveUp:
                run.record("run.interrupted", why="twice")
            except Exception as error:
                run.record("run.failed", why=f"{type(error).__name__}: {error}")
                _tell_if_full(run.path)
                raise
        if not keep:
            drop_volumes(run.path)
        run.flush()
    judgement: Judgement = judged(run)
    told(judgement, as_json)
    try:
        click.echo(f"report: {write(run, lang)}", err=True)
    except OSError as error:
        click.echo(f"harness: no report: {error.filename}: {error.strerror}", err=True)
    return judgement.verdict, interruption.asked.is_set()


def _tell_if_full(run: Path) -> None:
    free = shutil.disk_usage(run).free
    if free < FULL_BYTES:
        click.echo(f"harness: the disk is nearly full: {free / 2**20:.0f} MiB free at {run}", err=True)
