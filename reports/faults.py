"""What was done to the service and when: the bands of the timeline picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.rundir import Event, Json
from reports.reading import Record


@dataclass(frozen=True)
class Fault:
    """One fault. `until_s` is None where it was never taken back, or nobody knows."""

    id: str
    verb: str
    target: str
    nodes: tuple[str, ...]
    from_s: float
    until_s: float | None
    effect: str
    proof: str
    restored: bool | None


@dataclass(frozen=True)
class Publication:
    """A telegram that was sent to the service."""

    at_s: float
    what: str
    info: str
    status: str


def faults(record: Record) -> list[Fault]:
    """Every fault, in the order it was injected: as the events tell it, else as the verdict does."""
    told = [_from_events(record, name, events) for name, events in _by_fault(record.events).items()]
    return sorted(told or _from_verdict(record), key=lambda fault: (fault.from_s, fault.id))


def publications(record: Record) -> list[Publication]:
    return [
        Publication(
            record.seconds(event.at_ns),
            _word(event.data.get("what") or event.data.get("event_id")),
            _word(event.data.get("info")),
            _word(event.data.get("status")),
        )
        for event in record.events
        if event.kind == "published"
    ]


def _by_fault(events: Iterable[Event]) -> dict[str, dict[str, Event]]:
    """Fault id -> kind -> the first event of that kind; only faults that were at least begun."""
    found: dict[str, dict[str, Event]] = {}
    for event in events:
        if event.kind.startswith("fault."):
            found.setdefault(_word(event.data.get("fault")), {}).setdefault(event.kind, event)
    return {
        name: kinds for name, kinds in found.items() if {"fault.injecting", "fault.injected"} & set(kinds)
    }


def _from_events(record: Record, name: str, kinds: Mapping[str, Event]) -> Fault:
    begun = kinds.get("fault.injecting")
    data: dict[str, Json] = {}
    for event in kinds.values():
        data.update(event.data)
    start = kinds.get("fault.injected", begun)
    undone, proven = kinds.get("fault.undone"), kinds.get("fault.proven")
    nodes, verified = data.get("nodes"), data.get("verified")
    return Fault(
        id=name,
        verb=_word(data.get("verb")) or name.partition("-")[2] or name,
        target=selector(data.get("target")),
        nodes=tuple(str(node) for node in nodes) if isinstance(nodes, list) else (),
        from_s=record.seconds(start.at_ns) if start else 0.0,
        until_s=record.seconds(undone.at_ns) if undone else None,
        effect=_word(proven.data.get("effect")) if proven else "unproven",
        proof=_word(proven.data.get("proof")) if proven else "",
        restored=verified if isinstance(verified, bool) else None,
    )


def _from_verdict(record: Record) -> list[Fault]:
    rows = (record.verdict or {}).get("faults")
    found = []
    for number, row in enumerate(rows if isinstance(rows, list) else (), start=1):
        at_s = row.get("at_s") if isinstance(row, dict) else None
        if isinstance(row, dict) and isinstance(at_s, int | float):
            verb, effect, proof = (_word(row.get(key)) for key in ("verb", "effect", "proof"))
            target = selector(row.get("target"))
            found.append(Fault(f"{number}-{verb}", verb, target, (), float(at_s), None, effect, proof, None))
    return found


def selector(target: Json | None) -> str:
    """A target as people say it: `singapore.a`, `database primary`; a selector's keys only where they add something."""
    if isinstance(target, Mapping):
        plain = {"zone", "node", "region", "role", "is", "carrier"}
        return " ".join(
            selector(value) if key in plain else f"{key} {selector(value)}" for key, value in target.items()
        )
    if isinstance(target, list):
        return ", ".join(selector(value) for value in target)
    return _word(target)


def _word(value: Json | None) -> str:
    return "" if value is None else str(value)
