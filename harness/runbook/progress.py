"""How far runbooks came, in words: where one is or stopped, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.runbook.journal import INTERRUPTED, PROVEN, Performed, performances


def told(run: Path, *, stands: bool) -> list[str]:
    """Lines on the last performance of each runbook; `stands`: the replica is still up."""
    last: dict[str, Performed] = {}
    for one in performances(run):
        last.pop(_name(one), None)
        last[_name(one)] = one
    return [line for one in last.values() for line in _lines(one, stands)]


def unfinished(run: Path) -> bool:
    """Whether the last performance did not come to its end: one that stopped before another was proven is history."""
    done = performances(run)
    return bool(done) and done[-1].outcome != PROVEN


def _name(one: Performed) -> str:
    told = ", ".join(f"{name} {value}" for name, value in one.arguments.items())
    return f"{one.runbook} ({told})" if told else one.runbook


def _lines(one: Performed, stands: bool) -> Iterator[str]:
    name, step = _name(one), one.reached
    if one.outcome == PROVEN:
        which = f", but for those passed over: {', '.join(one.passed)}" if one.passed else ""
        yield f"runbook {name}: every step is proven{which}, {one.at}"
        yield from _skipped(one)
        return
    where = (
        f"step {one.steps.index(step) + 1} of {len(one.steps)}, {step}"
        if step in one.steps
        else "its beginning"
    )
    if not one.outcome and stands:
        yield f"runbook {name}: is being performed, {where}, since {one.at}"
        return
    word = (
        "was cut off" if not one.outcome else "was interrupted" if one.outcome == INTERRUPTED else one.outcome
    )
    yield f"runbook {name}: {word} at {where}, {one.at}"
    if one.why:
        yield f"  why: {one.why}"
    proven = ", ".join(one.proven) or "none"
    yield f"  proven: {proven}"
    if one.passed:
        yield f"  passed over: {', '.join(one.passed)}"
    yield from _skipped(one)
    if stands and one.next is not None:
        yield f"  next: {_again(one)} goes on at {one.next}" + _advice(one)
    elif not stands:
        yield "  next: the replica is gone, and what the runbook did with it; `harness up` begins anew"


def _skipped(one: Performed) -> Iterator[str]:
    if one.skipped:
        yield f"  hold points that were skipped and never proven: {', '.join(dict.fromkeys(one.skipped))}"


def _again(one: Performed) -> str:
    told = "".join(f" --set {name}={value}" for name, value in one.arguments.items())
    return f"`harness perform {one.runbook}{told}`"


def _advice(one: Performed) -> str:
    return "" if one.outcome in ("", INTERRUPTED) else ", once the reason is gone"
