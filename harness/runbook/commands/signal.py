"""`bring-signal`: something that brings the network back is taken to an area that has none."""

from __future__ import annotations

from typing import Final

from harness.blackout import ROLE
from harness.runbook.commands.command import Command
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Refused, Scene


def bring(scene: Scene, arguments: Arguments) -> str:
    """Brought once more, it reaches what it was said to reach last."""
    supply, means, reaches = str(arguments["to"]), str(arguments["means"]), float(str(arguments["reaches"]))
    reply = scene.ask(scene.the(ROLE), "PUT", "/means", {"to": supply, "means": means, "reaches": reaches})
    if reply.status == 400:
        raise Refused(f"the base stations refuse it: {reply.text}")
    if reply.status != 200:
        raise OSError(f"the base stations say http {reply.status}: {reply.text}")
    scene.run.record("signal.brought", supply=supply, means=means, reaches=reaches)
    return f"{means} reaches {reaches:.0%} of the places in {supply}"


BRING: Final = Command(
    "bring-signal",
    "a ship, a large-zone station or 00000JAPAN brings places in a dark area back",
    (
        Argument("to", Kind.TEXT, "the area of power supply"),
        Argument("means", Kind.TEXT, "large-zone, ship or 00000japan"),
        Argument("reaches", Kind.SHARE, "the share of the area's places that it reaches"),
    ),
    bring,
)
