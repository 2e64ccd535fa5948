"""Isolation: a company's data is never served to another, at any instant of the disaster, and mail addresses lie open
nowhere.

Leaks: replies to the observers of one company that held anything of another's (isolation.jsonl). A page of a broadcast
that was shown without a mark of the other company's is held against whose broadcast it was. Plain text: files of the
service's nodes in which a canary mail address was found (final/plaintext.jsonl).

Attempts prove something only where they were answered: in all, at every way in, and by regions that stand by. Too few
of them are no leak: then it is unknown whether anything would have leaked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.checks.expectations import expectations
from harness.checks.recording import Recording
from harness.checks.terms import Breach, Term, conclude, fail, units, unknown
from harness.checks.ways import ANSWERED, fewest, standing_by, ways
from harness.rundir import Json, read_jsonl
from harness.rundir.verdict import Finding, Verdict

TERMS: Final = {
    "leaks": Term("count", "leaks", "at most", "replies with another company's data", default=0),
    "attempts": Term("count", "attempts", "at least", "attempts that were answered", evidence=True),
    "everywhere": Term(
        "count",
        "fewest",
        "at least",
        "attempts answered at the way in that answered fewest",
        evidence=True,
    ),
    "standing_by": Term(
        "count",
        "standing_by",
        "at least",
        "attempts answered by regions that stood by",
        evidence=True,
    ),
    "plaintext": Term("count", "plaintext", "at most", "files with a mail address in plain text", default=0),
}
EXPECTS: Final = units(TERMS)
FILE: Final = "isolation.jsonl"
MOST_EVIDENCE: Final = 50


def check(recording: Recording) -> Finding:
    stated = recording.plan.get("expect")
    if not isinstance(stated, dict) or "isolation" not in stated:
        return Finding(Verdict.PASS, "Nobody asked for another company's data.", asked=False)
    path = recording.run.path / FILE
    rows = list(read_jsonl(path)) if path.exists() else []
    outcomes, kinds = _counted(rows)
    tried = ways(recording, rows)
    leaks = [*(row for row in rows if row["what"] == "leak"), *_foreign(recording, rows)]
    looked = recording.final("plaintext")
    hits = [row for row in looked or () if row["what"] == "hit"]
    summary: Mapping[str, Json] = next((row for row in looked or () if row["what"] == "looked"), {})
    measured: dict[str, Json] = {
        "attempts": sum(outcomes[outcome] for outcome in ANSWERED) if rows else None,
        "leaks": len(leaks) if rows else None,
        "refused": outcomes["refused"],
        "own": outcomes["own"] + outcomes["granted"],
        "unanswered": outcomes["unanswered"],
        "fewest": fewest(tried),
        "standing_by": standing_by(tried),
        "plaintext": len({str(row["file"]) for row in hits}) if summary else None,
        "files": summary.get("files"),
        "bytes": summary.get("bytes"),
    }
    held = expectations(recording, "isolation", TERMS, measured)
    breaches = [*_told(leaks, hits), *held.breaches, *_doubts(recording, rows, summary)]
    return Finding(
        *conclude(breaches, _well(measured)),
        measured,
        held.expected,
        tuple([*_evidence(recording, leaks), *hits][:MOST_EVIDENCE]),
        {
            "kinds": {kind: dict(counts) for kind, counts in kinds.items()},
            "ways": {name: way.row() for name, way in tried.items()},
        },
    )


def _counted(rows: Sequence[Mapping[str, Json]]) -> tuple[Counter[str], Mapping[str, Counter[str]]]:
    """How many attempts came to what, of all kinds and of each."""
    outcomes: Counter[str] = Counter()
    kinds: dict[str, Counter[str]] = {}
    for row in rows:
        if row["what"] != "counts":
            continue
        for name, count in row.items():
            kind, dot, outcome = name.partition(".")
            if dot and isinstance(count, int):
                outcomes[outcome] += count
                kinds.setdefault(kind, Counter())[outcome] += count
    return outcomes, kinds


def _foreign(recording: Recording, rows: Sequence[Mapping[str, Json]]) -> Iterator[Mapping[str, Json]]:
    """Pages of a broadcast that was not the observer's own."""
    broadcasts = recording.final("broadcasts")
    if broadcasts is None:
        return
    planted = recording.first("canaries")
    observer = planted.data.get("observer") if planted else None
    own = {row["broadcast"] for row in broadcasts if row["company"] == observer}
    for row in rows:
        if row["what"] == "granted" and row["broadcast"] not in own:
            yield {**row, "why": f"broadcast {row['broadcast']} is another company's"}


def _told(leaks: Sequence[Mapping[str, Json]], hits: Sequence[Mapping[str, Json]]) -> Iterator[Breach]:
    """The first of each, in better words than a number."""
    if leaks:
        first = leaks[0]
        line = str(first["request"]).partition(" HTTP/1.1")[0]
        yield fail(f"{line:.80} was answered with {first['status']}: {first['why']}")
    if hits:
        first = hits[0]
        yield fail(f"a mail address ({first['form']}) is in {first['file']} at {first['offset']}")


def _doubts(
    recording: Recording, rows: Sequence[Mapping[str, Json]], summary: Mapping[str, Json]
) -> Iterator[Breach]:
    if recording.final("broadcasts") is None and any(row["what"] == "granted" for row in rows):
        yield unknown("the broadcasts were not read back, so nobody knows whose pages were shown")
    if recording.whole and rows and rows[-1]["what"] != "ended":
        yield unknown("the attempts were not recorded to their end")
    unread = summary.get("unread")
    if isinstance(unread, list) and unread:
        yield unknown(f"{len(unread)} files could not be looked through, {unread[0]} among them")


def _evidence(recording: Recording, leaks: Sequence[Mapping[str, Json]]) -> Iterator[Json]:
    for leak in leaks:
        at_ns = leak.get("at_ns")
        at_s = recording.at_s(at_ns) if isinstance(at_ns, int) else None
        yield {
            "at_s": at_s,
            **{name: leak.get(name) for name in ("why", "kind", "endpoint", "status", "request")},
        }


def _well(measured: Mapping[str, Json]) -> str:
    return (
        f"{measured['attempts']} attempts to see another company's data showed none; no mail address is in plain "
        f"text in {measured['files']} files"
    )
