"""Holding both variants of an incident against what must differ between them. A pure function of their verdicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from harness.checks.judge import Judgement
from harness.checks.terms import sentence
from harness.incidents.model import AS_HAPPENED, VARIANTS, WITH_COUNTERMEASURES, Bounds, Difference, Incident
from harness.rundir import Json
from harness.rundir.verdict import Verdict


@dataclass(frozen=True)
class Compared:
    """One difference: what each variant measured (None: could not be told), how many times as much, and if it holds."""

    difference: Difference
    values: Mapping[str, float | None]
    times: float | None
    verdict: Verdict
    says: str


@dataclass(frozen=True)
class Comparison:
    """`why` is one sentence. `variants` say of each whether it did what it must: lose as it happened, hold with the
    countermeasures.
    """

    verdict: Verdict
    why: str
    variants: Mapping[str, tuple[Verdict, str]]
    differences: tuple[Compared, ...]

    def to_json(self) -> str:
        data: dict[str, Json] = {
            "verdict": self.verdict.value,
            "why": self.why,
            "variants": {
                name: {"verdict": verdict.value, "why": why} for name, (verdict, why) in self.variants.items()
            },
            "differences": [
                {
                    "measured": f"{each.difference.check}.{each.difference.measured}",
                    **each.values,
                    "times": each.times,
                    "verdict": each.verdict.value,
                    "says": each.says,
                }
                for each in self.differences
            ],
        }
        return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def compare(incident: Incident, judged: Mapping[str, Judgement]) -> Comparison:
    """`judged` has a judgement for each variant."""
    variants = {
        AS_HAPPENED: _lost(incident, judged[AS_HAPPENED]),
        WITH_COUNTERMEASURES: _held(judged[WITH_COUNTERMEASURES]),
    }
    differences = tuple(_compared(each, judged) for each in incident.differences)
    said = [*variants.values(), *((each.verdict, each.says) for each in differences)]
    verdict = Verdict.worst(each for each, _ in said)
    if verdict is Verdict.PASS:
        why = "as it happened it lost what was lost; with the countermeasures it held"
    else:
        why = next(why for each, why in said if each is verdict)
    return Comparison(verdict, sentence(why), variants, differences)


def _lost(incident: Incident, judgement: Judgement) -> tuple[Verdict, str]:
    """As it happened: exactly the checks that must fail have failed."""
    failed = [name for name, each in judgement.findings.items() if each.verdict is Verdict.FAIL]
    if doubtful := [fault.id for fault in judgement.faults if fault.effect != "proven"]:
        return Verdict.UNKNOWN, f"as it happened: {', '.join(doubtful)} was not seen to take effect"
    if kept := [name for name in incident.loses if name not in failed]:
        verdicts = [judgement.findings[name].verdict for name in kept if name in judgement.findings]
        unsure = len(verdicts) < len(kept) or Verdict.UNKNOWN in verdicts
        says = f"as it happened: {', '.join(kept)} did not fail, and should have"
        return (Verdict.UNKNOWN if unsure else Verdict.FAIL), says
    if others := [name for name in failed if name not in incident.loses]:
        return (
            Verdict.FAIL,
            f"as it happened: {', '.join(others)} failed as well: {judgement.findings[others[0]].why}",
        )
    unsure_of = [name for name, each in judgement.findings.items() if each.verdict is Verdict.UNKNOWN]
    if unsure_of or judgement.verdict is not Verdict.FAIL:
        return (
            Verdict.UNKNOWN,
            f"as it happened: {', '.join(unsure_of) or 'the run'} could not be told: {judgement.why}",
        )
    return Verdict.PASS, f"as it happened: lost, in {', '.join(incident.loses)}"


def _held(judgement: Judgement) -> tuple[Verdict, str]:
    if judgement.verdict is Verdict.PASS:
        return Verdict.PASS, "with the countermeasures: held"
    return judgement.verdict, f"with the countermeasures: {judgement.why}"


def _compared(difference: Difference, judged: Mapping[str, Judgement]) -> Compared:
    values = {variant: _value(difference, judged[variant]) for variant in VARIANTS}
    before, after = values[AS_HAPPENED], values[WITH_COUNTERMEASURES]
    times = before / after if before is not None and after else None
    what = difference.what.en
    breaches: list[tuple[Verdict, str]] = []
    for variant, bounds in difference.bounds.items():
        value = values[variant]
        if value is None:
            breaches.append((Verdict.UNKNOWN, f"{what}, {variant}: could not be told"))
        elif not bounds.hold(value):
            breaches.append((Verdict.FAIL, f"{what}, {variant}: {value:g}, expected {_told(bounds)}"))
    if difference.times is not None:
        if before is None or after is None:
            breaches.append((Verdict.UNKNOWN, f"{what}: could not be told of both"))
        elif before < difference.times * after or not before:
            found = f"{before:g} as it happened and {after:g} with the countermeasures"
            breaches.append(
                (Verdict.FAIL, f"{what}: {found}, expected at least {difference.times:g} times as much")
            )
    verdict = Verdict.worst([Verdict.PASS, *(each for each, _ in breaches)])
    says = next((says for each, says in breaches if each is verdict), f"{what}: as it must be")
    return Compared(difference, values, times, verdict, says)


def _value(difference: Difference, judgement: Judgement) -> float | None:
    finding = judgement.findings.get(difference.check)
    value = finding.measured.get(difference.measured) if finding else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _told(bounds: Bounds) -> str:
    words = [f"at least {bounds.least:g}"] if bounds.least is not None else []
    return " and ".join(words + ([f"at most {bounds.most:g}"] if bounds.most is not None else []))
