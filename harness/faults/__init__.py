"""Faults: few primitives, each of which injects, proves itself from outside, and is undone.

A fault never decides anything about the service; it changes the world and shows that it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from harness.rundir import Json
from harness.runtime import Runtime
from topology.map import Map, Node


@dataclass(frozen=True)
class Stage:
    """Where a fault plays: the runtime, the map, and the node from which it is looked at from outside."""

    runtime: Runtime
    topology: Map
    observer: Node


@dataclass(frozen=True)
class Effect:
    """Whether a fault (or its undoing) was seen from outside, and how."""

    proven: bool
    proof: str


class Fault(Protocol):
    """One fault on targets that are already resolved. What can be taken back is a `Passing` one."""

    @property
    def nodes(self) -> Sequence[Node]:
        """The nodes it touches."""

    @property
    def undoing(self) -> dict[str, Json]:
        """All that is needed to take it back, as it is written to undo.jsonl before `inject`.

        Of one that nothing takes back: `verb` is null, and `why`.
        """

    def inject(self, stage: Stage) -> int | None:
        """Gives the instant, in monotonic ns, since which all of it is in force, if that is known; else it is now."""

    def verify(self, stage: Stage) -> Effect:
        """Look from outside whether it took effect. Takes about a second; does not change anything."""


@runtime_checkable
class Passing(Fault, Protocol):
    """A fault that can be taken back."""

    def undo(self, stage: Stage) -> None: ...

    def verify_undone(self, stage: Stage) -> Effect: ...


@runtime_checkable
class GivesWay(Passing, Protocol):
    """A fault that another of its kind takes the place of, with no moment in between at which nothing is broken."""

    @property
    def followed(self) -> bool:
        """Whether one comes at the instant at which this one ends."""

    def gives_way_to(self, other: Fault) -> bool:
        """Whether the other is the one."""

    def give_way(self, stage: Stage, to: Fault) -> None:
        """The other is injected: take back what it has not put something else in the place of."""
