"""`move-names`: the service's name leads to another region."""

from __future__ import annotations

from typing import Final

from harness.runbook.commands.command import Command
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Scene

ROLE: Final = "dns"
PATH: Final = "/active"


def move(scene: Scene, arguments: Arguments) -> str:
    region = str(arguments["to"])
    reply = scene.ask(scene.the(ROLE), "PUT", PATH, {"region": region})
    if reply.status >= 300:
        raise OSError(f"dns says http {reply.status}: {reply.text}")
    return f"the names lead to {region} from now on"


MOVE: Final = Command(
    "move-names",
    "the service's name leads to another region",
    (Argument("to", Kind.REGION, "the region that serves"),),
    move,
)
