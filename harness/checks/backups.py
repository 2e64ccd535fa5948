"""Backups: could everything be brought back, at every instant of the run, from a place that is not lost with it?

The age of the newest restorable instant is the RPO, had all databases been lost at that instant: the time since the
first acknowledged write that no backup had yet (see `restorable`); 0 while there is none. All of it is real time, here
and in the report, however fast a drill's clock goes: the log comes in by real seconds, and the promise is one of the
real service. Most runs are shorter than what is promised: their scenarios state what an archive needs that goes on, and
while no database takes writes the newest of them stay out of every archive. Each generation's worth is what came of
restoring and starting it at the end of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from harness.checks.expectations import expectations
from harness.checks.recording import Recording
from harness.checks.restorable import Look, Place, ages, without_s
from harness.checks.terms import Breach, Term, conclude, fail, units, unknown
from harness.rundir import Json, read_jsonl
from harness.rundir.verdict import Finding

#: One full backup a day, ten generations, and with the log any failure is restored to 5 minutes before it (OPS, SEC).
GENERATIONS: Final = 10
RESTORABLE_TO_S: Final = 300.0

TERMS: Final = {
    "unrestorable": Term(
        "count", "unrestorable", "at most", "generations that cannot be restored", default=0
    ),
    "holes": Term("count", "holes", "at most", "segments missing in the archived log", default=0),
    "age": Term(
        "duration",
        "newest_restorable_age_real_s",
        "at most",
        "age of the newest restorable instant, in real time",
        default=RESTORABLE_TO_S,
        deadline=True,
    ),
    "unsafe": Term(
        "count", "unsafe_databases", "at most", "databases lost together with every backup", default=0
    ),
    "generations": Term("count", "generations", "at least", "generations that can be restored"),
}
EXPECTS: Final = units(TERMS)
MOST_EVIDENCE: Final = 100


def check(recording: Recording) -> Finding:
    """A run without backup nodes holds nothing against it, and says so."""
    places = [_place(row) for row in _rows(recording, "places")]
    keepers = [place for place in places if place.role == "backup"]
    if not keepers:
        return _without_backups(recording)
    looks = [_look(row) for row in _rows(recording, "observed")]
    verified = list(_rows(recording, "verified"))
    found = ages(recording, looks, keepers, [place for place in places if place.role == "database"])
    last = {look.node: look for look in looks if look.answered}
    holes = [(look.node, hole) for look in last.values() for hole in look.holes]
    broken = [row for row in verified if row.get("restorable") is not True]
    unsafe = _unsafe(recording, places, keepers)
    worst = max((age.real_s for age in found), default=None)
    measured: dict[str, Json] = {
        "backup_nodes": len(keepers),
        "generations": len(verified) - len(broken),
        "unrestorable": len(broken) if verified else None,
        "holes": len(holes) if last else None,
        "newest_restorable_age_real_s": None if worst is None else round(worst, 3),
        "no_backup_elsewhere_s": round(without_s(found), 1),
        "unsafe_databases": len(unsafe),
    }
    held = expectations(recording, "backups", TERMS, measured)
    breaches = [*held.breaches, *_wrong_numbers(recording, looks), *_not_tried(recording, keepers, verified)]
    evidence: list[Json] = [_broken_row(row) for row in broken]
    evidence += [{"what": "hole", "node": node, "segment": hole} for node, hole in holes]
    evidence += [{"what": "unsafe", "database": name, "with": shared} for name, shared in unsafe.items()]
    verdict, why = conclude([*breaches, *_reasons(broken, unsafe)], _well(measured))
    detail: dict[str, Json] = {
        "newest_restorable": [
            {"at_s": recording.at_s(age.at_ns), "age_real_s": round(age.real_s, 3)} for age in found
        ],
        "generations": [dict(row) for row in verified],
        "places": [vars(place) for place in keepers],
    }
    return Finding(verdict, why, measured, held.expected, tuple(evidence[:MOST_EVIDENCE]), detail)


def _without_backups(recording: Recording) -> Finding:
    if recording.stated("backups"):
        verdict, why = conclude([unknown("nobody watched any backup")], "")
        return Finding(verdict, why)
    verdict, why = conclude([], "No backup node stands in this part of the service")
    return Finding(verdict, why, {"backup_nodes": 0}, asked=False)


# -- where they are kept ----------------------------------------------------------------------------------------------


def _unsafe(recording: Recording, places: Sequence[Place], keepers: Sequence[Place]) -> Mapping[str, str]:
    """Databases that took writes and share a domain with every backup node -> the domains.

    Where one backup node alone stands, the others were left out with their regions: it is there for the region that
    wrote first, and says nothing of one to which the service moves later.
    """
    table = recording.databases.sort_by("at_ns")
    took = zip(table.column("node").to_pylist(), table.column("wrote").to_pylist(), strict=True)
    writers = list(dict.fromkeys(name for name, wrote in took if wrote))
    databases = {place.node: place for place in places if place.role == "database"}
    written = [databases[name] for name in writers if name in databases]
    judged = [each for each in written if len(keepers) > 1 or each.region == written[0].region]
    unsafe = {}
    for database in judged:
        shared = [keeper.shares(database) for keeper in keepers]
        if all(shared):
            unsafe[database.node] = ", ".join(sorted(set(shared)))
    return unsafe


# -- how many there are -----------------------------------------------------------------------------------------------


def _wrong_numbers(recording: Recording, looks: Sequence[Look]) -> list[Breach]:
    """Ten generations are kept: never more, and fewer only as long as there were no more (since a wipe)."""
    breaches = []
    for node in sorted({look.node for look in looks}):
        mine = [look for look in looks if look.node == node and look.answered]
        wiped_ns = max(
            (fault.at_ns for fault in recording.faults if fault.verb == "erase" and node in fault.nodes),
            default=0,
        )
        since = [look for look in mine if look.at_ns > wiped_ns and look.generations]
        most = max((len(look.generations) for look in mine), default=0)
        if most > GENERATIONS:
            breaches.append(fail(f"{node} kept {most} generations, expected exactly {GENERATIONS}"))
        seen: set[str] = set()
        for look in since:
            seen |= set(look.generations)
            wanted = min(GENERATIONS, len(seen))
            if len(look.generations) < wanted:
                says = f"{node} kept {len(look.generations)} generations, expected exactly {wanted}"
                breaches.append(fail(says))
                break
        if not mine:
            breaches.append(unknown(f"{node} never told what it keeps"))
    return breaches


def _not_tried(
    recording: Recording, keepers: Iterable[Place], verified: Sequence[Mapping[str, Json]]
) -> list[Breach]:
    tried = {str(row.get("node")) for row in verified}
    return [
        unknown(f"no generation of {keeper.node} was tried{_trouble(recording, keeper.node)}")
        for keeper in keepers
        if keeper.node not in tried
    ]


def _trouble(recording: Recording, node: str) -> str:
    """The last line that the trial left, if it left any."""
    for event in recording.events:
        if event.kind == "readback.failed" and event.data.get("what") == f"backups/{node}":
            said = event.data.get("tried")
            lines = "\n".join(map(str, said)).split("\n") if isinstance(said, list) else []
            return next((f" ({line.strip()})" for line in reversed(lines) if line.strip()), "")
    return ""


def _reasons(broken: Sequence[Mapping[str, Json]], unsafe: Mapping[str, str]) -> list[Breach]:
    """Why, in words, after the numbers."""
    reasons = [fail(f"{row.get('node')}: {row.get('why')}") for row in broken[:1]]
    return (
        reasons + [fail(f"{name} shares {shared} with every backup") for name, shared in unsafe.items()][:1]
    )


def _broken_row(row: Mapping[str, Json]) -> Json:
    return {
        "what": "unrestorable",
        "node": row.get("node"),
        "generation": row.get("generation"),
        "why": row.get("why"),
    }


def _well(measured: Mapping[str, Json]) -> str:
    return (
        f"{measured['generations']} generations were restored and started; at no instant was the newest restorable "
        f"one older than {measured['newest_restorable_age_real_s']} s of real time"
    )


# -- what was recorded ------------------------------------------------------------------------------------------------


def _rows(recording: Recording, name: str) -> list[dict[str, Json]]:
    return list(read_jsonl(recording.run.path / "backups" / f"{name}.jsonl"))


def _place(row: Mapping[str, Json]) -> Place:
    enclosure = row.get("enclosure")
    return Place(
        node=str(row.get("node")),
        role=str(row.get("role")),
        region=str(row.get("region")),
        zone=str(row.get("zone")),
        enclosure=str(enclosure) if enclosure else None,
    )


def _look(row: Mapping[str, Json]) -> Look:
    reached, at_ns = row.get("reached_ns"), row.get("at_ns")
    generations, holes = row.get("generations"), row.get("holes")
    return Look(
        at_ns=at_ns if isinstance(at_ns, int) else 0,
        node=str(row.get("node")),
        answered=row.get("answered") is True,
        reached_ns=reached if isinstance(reached, int) else None,
        generations=tuple(map(str, generations)) if isinstance(generations, list) else (),
        holes=tuple(map(str, holes)) if isinstance(holes, list) else (),
    )
