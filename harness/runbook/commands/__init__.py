"""What a step can do. Every command may be given again: what is done already is not done twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness.runbook.commands import (
    answers,
    areas,
    drain,
    fence,
    hosting,
    mail,
    names,
    nodes,
    notice,
    region,
    release,
    restore,
    signal,
    spam,
)
from harness.runbook.commands.command import Command

#: By the word that a step writes under `do`.
COMMANDS: Final[Mapping[str, Command]] = {
    command.name: command
    for command in (
        region.DECLARE,
        region.STATE_LAG,
        fence.FENCE,
        fence.PROMOTE,
        nodes.START,
        nodes.REBUILD,
        names.MOVE,
        drain.DRAIN,
        drain.SERVE,
        release.RELEASE,
        notice.POST,
        answers.RESTORE,
        areas.WIDEN,
        areas.RETURN,
        signal.BRING,
        restore.RESTORE,
        hosting.CUT,
        hosting.OPEN,
        hosting.POWER_ON,
        hosting.REDELIVER_ARCHIVE,
        mail.SUSPEND,
        mail.RESUME,
        spam.WITHDRAW,
        spam.RELEASE,
    )
}
