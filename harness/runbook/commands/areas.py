"""`widen-block` and `return-areas`: which block of a carrier's access network lets the handsets of an area in."""

from __future__ import annotations

from typing import Final

from harness.load.network import Steered
from harness.runbook.commands.command import Command
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Refused, Scene
from harness.rundir import Json

ROLE: Final = "maps-steering"
PATH: Final = "/areas"


def read(scene: Scene) -> Steered:
    """Raises OSError when the steering gives no answer that can be read."""
    reply = scene.ask(scene.the(ROLE), "GET", PATH)
    try:
        return Steered.read(reply.body)
    except (ValueError, KeyError, TypeError) as error:
        raise OSError(f"the steering says http {reply.status}: {reply.text} ({error})") from None


def widen(scene: Scene, arguments: Arguments) -> str:
    block, home = str(arguments["block"]), str(arguments["of"])
    count = int(str(arguments["areas"]))
    before = len(read(scene).areas.served(block, home))
    if before >= count:
        return f"{block} serves {before} areas of {home} already"
    _change(scene, {"widen": block, "of": home, "areas": count})
    scene.run.record("block.widened", block=block, of=home, areas=count)
    return f"{block} serves {count} areas of {home}, {count - before} more than before"


def give_back(scene: Scene, arguments: Arguments) -> str:
    home = str(arguments["block"])
    _change(scene, {"return": home})
    scene.run.record("areas.returned", block=home)
    return f"{home} serves all of its own areas"


def _change(scene: Scene, asked: dict[str, Json]) -> None:
    reply = scene.ask(scene.the(ROLE), "PUT", PATH, asked)
    if reply.status == 409:
        raise Refused(f"the steering refuses it: {reply.text}")
    if reply.status != 200:
        raise OSError(f"the steering says http {reply.status}: {reply.text}")


WIDEN: Final = Command(
    "widen-block",
    "a block lets the handsets of another one's areas in as well",
    (
        Argument("block", Kind.NODE, "the block that is widened"),
        Argument("of", Kind.NODE, "the block whose areas they are"),
        Argument("areas", Kind.COUNT, "how many of them it serves from then on"),
    ),
    widen,
)
RETURN: Final = Command(
    "return-areas",
    "a block serves all of its own areas again",
    (Argument("block", Kind.NODE, "whose areas come back"),),
    give_back,
)
