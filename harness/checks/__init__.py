"""What a run directory proves: one check a file, each a pure function of what was recorded.

A check is a module with `TERMS`, what a scenario may expect of it, `EXPECTS`, how each of them is written, and `check`.
`harness.checks.judge` holds a run against all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from harness.checks import (
    access,
    answers,
    backups,
    broadcast,
    capacity,
    failover,
    host,
    isolation,
    mail,
    recovery,
    rehearsal,
    replication,
    responses,
    retries,
    runbook,
)
from harness.checks.recording import Recording
from harness.checks.terms import Terms, Unit
from harness.rundir.verdict import Finding


class Check(Protocol):
    """One thing that a run is held against."""

    @property
    def TERMS(self) -> Terms: ...  # noqa: N802

    @property
    def EXPECTS(self) -> Mapping[str, Unit]: ...  # noqa: N802

    def check(self, recording: Recording) -> Finding:
        """Never raises for what a crash may have left out: that is an unknown verdict."""


#: In the order in which reports list them.
CHECKS: Final[Mapping[str, Check]] = {
    "answers": answers,
    "recovery": recovery,
    "access": access,
    "failover": failover,
    "replication": replication,
    "backups": backups,
    "runbook": runbook,
    "rehearsal": rehearsal,
    "broadcast": broadcast,
    "mail": mail,
    "isolation": isolation,
    "responses": responses,
    "retries": retries,
    "capacity": capacity,
    "host": host,
}
