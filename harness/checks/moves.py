"""A region move as its runbook recorded it: which step was proven when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from harness.checks.recording import Recording

#: Parts of a region move -> the command of the step that ends it, or (for the last) its proof.
BY_COMMAND: Final[Mapping[str, str]] = {
    "declared": "declare",
    "fenced": "fence",
    "promoted": "promote",
    "named": "move-names",
}
CONFIRMED: Final = "confirmed"
BY_PROOF: Final = "users-served"


def move_after(recording: Recording, from_ns: int, until_ns: int | None) -> Mapping[str, int | None] | None:
    """When each part of the first region move that began in that time was proven, None for those that never were.

    None if there was no such move.
    """
    begun: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}
    for event in recording.events:
        if event.kind == "step.started":
            key = (str(event.data.get("performance")), str(event.data.get("step")))
            proofs = event.data.get("proofs")
            names = tuple(map(str, proofs)) if isinstance(proofs, list) else ()
            begun[key] = (str(event.data.get("command")), names)
    moving = {name for (name, _), (command, _) in begun.items() if command == BY_COMMAND["promoted"]}
    started = [event for event in recording.events if event.kind == "runbook.started"]
    within = [
        each for each in started if each.at_ns >= from_ns and (until_ns is None or each.at_ns < until_ns)
    ]
    move = next((name for each in within if (name := str(each.data.get("performance"))) in moving), None)
    if move is None:
        return None
    found: dict[str, int | None] = dict.fromkeys([*BY_COMMAND, CONFIRMED])
    for event in recording.events:
        key = (str(event.data.get("performance")), str(event.data.get("step")))
        if event.kind != "step.proven" or key[0] != move or key not in begun:
            continue
        command, proofs_of = begun[key]
        for part, name in BY_COMMAND.items():
            if command == name:
                found[part] = event.at_ns
        if BY_PROOF in proofs_of:
            found[CONFIRMED] = event.at_ns
    return found
