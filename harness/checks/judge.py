"""Judging a run: every check held against the run directory, merged by the worst.

A check that crashes is unknown, and so is whatever a fault was to show that was never seen to take effect, and a run
that did not come to its own end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.checks import CHECKS
from harness.checks.recording import Fault, Recording
from harness.checks.terms import sentence
from harness.rundir import Json, RunDir
from harness.rundir.verdict import Finding, Verdict

FILE = "verdict.json"
#: Whatever failed then, it was not the service: what it lives on broke, or nobody was there to bring it back.
_PROVES_NOTHING: Final = ("runtime.broke", "rehearsal.abandoned")
#: That it was not done by the book is told after what users lost by it.
_BY_THE_BOOK: Final = ("runbook", "rehearsal")


@dataclass(frozen=True)
class Injected:
    """One fault as the verdict tells it. `at_s` is in seconds of the timeline.

    `effect` is "proven", "unproven", or "not injected" where it never came to that.
    """

    id: str
    verb: str
    target: Json
    at_s: float
    effect: str
    proof: str


@dataclass(frozen=True)
class Judgement:
    """What verdict.json says. `why` is one sentence on the whole run."""

    scenario: str
    run: str
    seed: int
    runtime: str
    verdict: Verdict
    why: str
    faults: tuple[Injected, ...]
    findings: Mapping[str, Finding]


def judge(run: RunDir) -> Judgement:
    """A pure function of the run directory: the same answer years later. Raises nothing for what a crash left out."""
    recording = Recording(run)
    findings = {name: finding_of(check.check, recording) for name, check in CHECKS.items()}
    doubts = _doubts(recording)
    verdict = Verdict.worst(
        [*(finding.verdict for finding in findings.values()), *(Verdict.UNKNOWN for _ in doubts)]
    )
    if any(recording.first(kind) for kind in _PROVES_NOTHING):
        verdict = Verdict.UNKNOWN
    return Judgement(
        scenario=str(_told(recording, "scenario", run.path.parent.name)),
        run=run.name,
        seed=_seed(recording),
        runtime=str(_told(recording, "runtime", "")),
        verdict=verdict,
        why=_why(verdict, findings, doubts),
        faults=tuple(_injected(recording, fault) for fault in recording.faults),
        findings=findings,
    )


def finding_of(check: Callable[[Recording], Finding], recording: Recording) -> Finding:
    """What a check says; unknown, with the error, if it crashes."""
    try:
        return check(recording)
    except Exception as error:  # whatever it is: a crash is no verdict
        said = " ".join(str(error).split())
        return Finding(Verdict.UNKNOWN, f"The check itself failed: {type(error).__name__}: {said}")


def _doubts(recording: Recording) -> list[str]:
    """What keeps this run from proving anything, whatever the checks say."""
    doubts = []
    if (broke := recording.first("runtime.broke")) is not None:
        doubts.append(f"what the nodes live on broke: {broke.data.get('why')}")
    if (interrupted := recording.first("run.interrupted")) is not None:
        doubts.append(f"the run was interrupted ({interrupted.data.get('why', 'nobody knows why')})")
    elif (failed := recording.first("run.failed")) is not None:
        doubts.append(f"the run ended with an error: {failed.data.get('why', 'nobody knows which')}")
    elif recording.first("run.ended") is None:
        doubts.append("the run was cut short: it never came to its end")
    for event in recording.events:
        if event.kind == "program.died":
            doubts.append(f"the {event.data.get('program')} died, so its record ends too early")
    for fault in recording.faults:
        if fault.effect != "proven":
            doubts.append(f"fault {fault.id} was never seen to take effect: {fault.proof}")
    return doubts


def _why(verdict: Verdict, findings: Mapping[str, Finding], doubts: list[str]) -> str:
    if verdict is Verdict.PASS:
        told = [findings[name].why.rstrip(".") for name in ("answers", "recovery") if name in findings]
        return sentence("; ".join([told[0], *(text[:1].lower() + text[1:] for text in told[1:])]))
    if verdict is Verdict.UNKNOWN and doubts:
        return sentence(doubts[0])
    concerned = [name for name, finding in findings.items() if finding.verdict is verdict]
    name, *others = sorted(concerned, key=_BY_THE_BOOK.__contains__)
    more = f" Failed as well: {', '.join(others)}." if others and verdict is Verdict.FAIL else ""
    return f"{name}: {findings[name].why}{more}"


def _told(recording: Recording, name: str, otherwise: Json) -> Json:
    """A word of the run about itself."""
    started = recording.first("run.started")
    if started is not None and started.data.get(name) is not None:
        return started.data[name]
    planned = recording.plan.get(name)
    return planned if isinstance(planned, str | int) else otherwise


def _seed(recording: Recording) -> int:
    seed = _told(recording, "seed", 0)
    return seed if isinstance(seed, int) else 0


def _injected(recording: Recording, fault: Fault) -> Injected:
    return Injected(
        fault.id, fault.verb, fault.target, recording.at_s(fault.at_ns), fault.effect, fault.proof
    )


# -- verdict.json -------------------------------------------------------------------------------------------------


def write_verdict(run: RunDir, judgement: Judgement) -> Path:
    """Write verdict.json, whole or not at all."""
    return run.write(FILE, as_json(judgement))


def read_verdict(run: RunDir) -> Judgement:
    """What `write_verdict` wrote. Raises FileNotFoundError if there is none, ValueError or KeyError if it is none."""
    data = json.loads((run.path / FILE).read_text(encoding="utf-8"))
    return Judgement(
        **{name: data[name] for name in ("scenario", "run", "seed", "runtime", "why")},
        verdict=Verdict(data["verdict"]),
        faults=tuple(Injected(**row) for row in data["faults"]),
        findings={name: _finding(row) for name, row in data["checks"].items()},
    )


def as_json(judgement: Judgement) -> str:
    """The text of verdict.json."""
    return json.dumps(_data(judgement), ensure_ascii=False, indent=1) + "\n"


def _data(judgement: Judgement) -> dict[str, Json]:
    return {
        "scenario": judgement.scenario,
        "run": judgement.run,
        "seed": judgement.seed,
        "runtime": judgement.runtime,
        "verdict": judgement.verdict.value,
        "why": judgement.why,
        "faults": [
            {
                "id": fault.id,
                "verb": fault.verb,
                "target": fault.target,
                "at_s": fault.at_s,
                "effect": fault.effect,
                "proof": fault.proof,
            }
            for fault in judgement.faults
        ],
        "checks": {
            name: {
                "verdict": finding.verdict.value,
                "why": finding.why,
                "measured": dict(finding.measured),
                "expected": dict(finding.expected),
                "sense": _senses(name, finding),
                "evidence": list(finding.evidence),
                "detail": dict(finding.detail),
                "asked": finding.asked,
            }
            for name, finding in judgement.findings.items()
        },
    }


def _senses(check: str, finding: Finding) -> dict[str, Json]:
    """How each expectation is meant, for whoever holds it against what was measured: at most, at least, exactly."""
    terms = CHECKS[check].TERMS.values() if check in CHECKS else ()
    return {term.measured: term.sense for term in terms if term.measured in finding.expected}


def _finding(row: Mapping[str, Json]) -> Finding:
    measured, expected, detail = (_mapping(row[name]) for name in ("measured", "expected", "detail"))
    evidence = row["evidence"]
    return Finding(
        Verdict(str(row["verdict"])),
        str(row["why"]),
        measured,
        expected,
        tuple(evidence) if isinstance(evidence, list) else (),
        detail,
        row.get("asked") is not False,  # as all were, where no word of it was written yet
    )


def _mapping(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError(f"not an object: {value!r}")
    return value
