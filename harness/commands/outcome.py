"""What a finished run tells: judged, written down, summed up for a person, turned into an exit status."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from harness.cli import FAIL, PASS, UNKNOWN
from harness.rundir.verdict import Verdict

if TYPE_CHECKING:
    from harness.checks.judge import Judgement
    from harness.rundir import RunDir
    from harness.rundir.verdict import Finding

STATUS: Final = {Verdict.PASS: PASS, Verdict.FAIL: FAIL, Verdict.UNKNOWN: UNKNOWN}
COLOUR: Final = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.UNKNOWN: "yellow"}

run_argument = click.argument("run", default="latest")


def find(runs: Path, name: str) -> RunDir:
    """A run directory by its path, its name below `runs`, or `latest`."""
    from harness.rundir import RunDir
    from topology.document import BadInput, Place

    for path in (Path(name), runs / name):
        if (path / "events.jsonl").is_file():
            return RunDir(path.resolve())
    expected = f"the path of a run, its name below {runs}, or latest"
    raise BadInput(Place(name or '""'), "no run directory", expected, _newest(runs / name) or None)


def _newest(folder: Path) -> str:
    """The newest run of a scenario, where that is what somebody named."""
    runs = sorted(path.parent for path in folder.glob("*/events.jsonl"))
    return f"{folder.name}/{runs[-1].name}" if runs else ""


def judged(run: RunDir) -> Judgement:
    """Judge a run and write verdict.json and junit.xml. Where they cannot be written the verdict is the same."""
    from harness.checks.judge import judge, write_verdict
    from harness.checks.junit import write as write_junit

    judgement = judge(run)
    for write in (write_verdict, write_junit):
        try:
            write(run, judgement)
        except OSError as error:
            click.echo(f"harness: not written: {error.filename}: {error.strerror}", err=True)
    return judgement


def told(judgement: Judgement, as_json: bool) -> None:
    """The verdict for a person, or as verdict.json has it."""
    from harness.checks.judge import as_json as written

    if as_json:
        click.echo(written(judgement), nl=False)
        return
    click.echo(
        click.style(
            f"{judgement.verdict.value.upper()}: {judgement.why}", COLOUR[judgement.verdict], bold=True
        )
    )
    for name, finding in judgement.findings.items():
        click.echo(_line(name, finding))
    _debrief(judgement)


def _line(name: str, finding: Finding) -> str:
    """One check. A dash, and not `pass`, for what was not part of the run: it was not tried, so it did not hold."""
    if not finding.asked:
        return click.style(f"  {'-':<8} {name:<12} {finding.why}", dim=True)
    word = click.style(f"{finding.verdict.value:<8}", COLOUR[finding.verdict])
    return f"  {word} {name:<12} {finding.why}"


def _debrief(judgement: Judgement) -> None:
    """What somebody who rehearsed is told."""
    if (finding := judgement.findings.get("rehearsal")) is None or not finding.detail:
        return
    from rich.console import Console

    from harness.terminal.debrief import debrief

    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(debrief(finding))


def status_of(judgement: Judgement) -> int:
    return STATUS[judgement.verdict]
