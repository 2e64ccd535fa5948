"""The labels on everything that a run makes in an engine: by them, and by nothing else, it is found again."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Final

from harness.rundir import RunDir

#: One command of the harness, from its start to its end; its reaper removes what bears this.
SESSION: Final = "resilience-harness.session"
#: The run directory, and the machine on which it is: whether the run goes on can be seen there.
RUN: Final = "resilience-harness.run"
MACHINE: Final = "resilience-harness.machine"
NODE: Final = "resilience-harness.node"
#: On a volume that holds nothing: the Compose project that a run is attached to, to be given back when that is over.
ATTACHED: Final = "resilience-harness.attached"


def of(run: RunDir, session: str) -> Mapping[str, str]:
    """What everything of a run bears."""
    return {SESSION: session, RUN: str(run.path), MACHINE: platform.node()}
