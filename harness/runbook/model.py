"""A runbook as it will be performed: every parameter filled in, every performed runbook laid out. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from harness.duration import Duration
from harness.rundir import Json
from topology.map import Title

#: The arguments of a command or a proof: name -> text, number, list of texts, as `Kind` says.
Arguments: TypeAlias = Mapping[str, Json]


class Kind(StrEnum):
    """What an argument or a parameter is, and so how it is written."""

    REGION = "region"  # a region of the topology -> its name
    NODE = "node"  # a node of the topology -> its name
    ROLES = "roles"  # one role or a list of them -> a list of names
    SHARE = "share"  # 30% -> 0.3
    DURATION = "duration"  # 5s -> 5.0, seconds
    COUNT = "count"  # 3
    INSTANT = (
        "instant"  # 2026-01-15T14:46:40+09:00; or 59.5s, on the clock of the timeline -> as it was written
    )
    TEXT = "text"  # anything that is not empty


@dataclass(frozen=True)
class Argument:
    """One argument of a command or a proof. Without `needed` it may be left out."""

    name: str
    kind: Kind
    about: str
    needed: bool = True


@dataclass(frozen=True)
class Call:
    """A command or a proof with its arguments."""

    name: str
    arguments: Arguments

    def data(self) -> dict[str, Json]:
        return {self.name: dict(self.arguments)}

    def __str__(self) -> str:
        told = ", ".join(f"{name} {_shown(value)}" for name, value in self.arguments.items())
        return f"{self.name} ({told})" if told else self.name


def _shown(value: Json) -> str:
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


@dataclass(frozen=True)
class Role:
    """Who does a step: one of those that a runbook names."""

    name: str
    title: Title

    def data(self) -> dict[str, Json]:
        return {"name": self.name, "title": {"en": self.title.en, "ja": self.title.ja}}


@dataclass(frozen=True)
class Step:
    """One step. Its command is carried out and all its proofs are seen `within` that time, or it has failed.

    A step without a command only looks. `name` is `outer/inner` for the steps of a runbook that a step performs.
    `hold`: a hold point, which must be proven before the next step may start. `role`: who does it; None: anybody.
    """

    name: str
    title: Title
    command: Call | None
    proofs: tuple[Call, ...]
    within: Duration
    hold: bool = False
    role: Role | None = None

    def data(self) -> dict[str, Json]:
        """As a runbook writes it, durations in SI."""
        return {
            "name": self.name,
            "title": {"en": self.title.en, "ja": self.title.ja},
            "do": self.command.data() if self.command else None,
            "proof": {proof.name: dict(proof.arguments) for proof in self.proofs},
            "within": str(self.within),
            **({"hold": True} if self.hold else {}),
            **({"role": self.role.data()} if self.role else {}),
        }


@dataclass(frozen=True)
class Runbook:
    """`arguments` are what its parameters were given, as they were written."""

    name: str
    title: Title
    why: str
    arguments: Mapping[str, str]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.arguments.items())
        return f"{self.name} ({told})" if told else self.name

    def data(self) -> dict[str, Json]:
        """What `kept.from_data` reads back as the same runbook."""
        return {
            "name": self.name,
            "title": {"en": self.title.en, "ja": self.title.ja},
            "why": self.why,
            "arguments": dict(self.arguments),
            "steps": [step.data() for step in self.steps],
        }
