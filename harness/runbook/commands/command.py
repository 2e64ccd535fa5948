"""What a command is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.runbook.model import Argument, Arguments
from harness.runbook.scene import Scene


@dataclass(frozen=True)
class Command:
    """`act` gives what there is to say of it, in a line.

    It raises Refused when it must not be done as things are, and one of `scene.TROUBLE` when a node did not do its
    part: then it is given again. Anything else is an error of ours.
    """

    name: str
    about: str
    arguments: Sequence[Argument]
    act: Callable[[Scene, Arguments], str]
