"""What a proof is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.faults import Effect
from harness.runbook.model import Argument, Arguments
from harness.runbook.scene import Scene


@dataclass(frozen=True)
class Proof:
    """`see` looks once, for a few seconds at most, and says what it saw; it may raise one of `scene.TROUBLE`."""

    name: str
    about: str
    arguments: Sequence[Argument]
    see: Callable[[Scene, Arguments], Effect]
