"""`harness doctor`"""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli import CANNOT_RUN, PASS


@click.command("doctor")
@click.pass_obj
def command(runs: Path) -> int:
    """Say what this machine can do, and what to do about what it cannot."""
    from harness.doctor import examine

    findings = examine(runs)
    for finding in findings:
        mark = "ok     " if finding.good else ("MISSING" if finding.fatal else "note   ")
        click.echo(f"{mark}  {finding.what:<14} {finding.says}")
    return CANNOT_RUN if any(finding.fatal and not finding.good for finding in findings) else PASS
