"""A plan in plain words, for the dry run: what would happen, to whom, when."""

from __future__ import annotations

from collections.abc import Iterator

from harness.load import curves
from harness.plan import Entry, Plan
from harness.selector import Selector
from harness.targets import Domains
from topology.map import Map, Node


def outline(plan: Plan, topology: Map) -> Iterator[str]:
    """Lines of text. Times are real seconds after the timeline begins."""
    drill = plan.drill
    yield f"{plan.scenario}: {plan.title.en} ({plan.title.ja})"
    yield plan.why.en
    yield ""
    yield f"topology  {plan.topology}, {len(topology.nodes)} nodes{_overrides(plan)}"
    yield f"drill     {drill.event}: {drill.people} people of {drill.companies} companies, seed {plan.seed}"
    yield f"clock     {drill.clock:g} drill seconds a second; {_answers(plan)}"
    yield "timeline"
    for entry in plan.timeline:
        yield f"  {entry.at_s:>7g} s  {entry.verb} {entry.target}{_more(entry, topology)}"
    for entry in plan.unhealed:
        yield f"  {plan.ends_s:>7g} s  heals {entry.id}"
    yield f"  {plan.ends_s:>7g} s  ends"
    yield "expected"
    yield from _expected(plan)


def _overrides(plan: Plan) -> str:
    return "".join(f", with {override}" for override in plan.overrides)


def _answers(plan: Plan) -> str:
    """When people answer, in real seconds after the mail."""
    curve = curves.named(plan.drill.curve)
    quarters = [curve.minutes(share) * 60 / plan.drill.clock for share in (0.25, 0.5, 0.75)]
    return (
        "a quarter answers within {:.3g} s of the mail, half in {:.3g} s, three quarters in {:.3g} s".format(
            *quarters
        )
    )


def _more(entry: Entry, topology: Map) -> str:
    """What is known of it beforehand."""
    if entry.undoes:
        return f" (undoes {entry.undoes})"
    if entry.telegram:
        return " ({kind} {info} {status})".format(**entry.telegram)
    match entry.aim:
        case Selector(standing=None):
            return f" ({_names(entry.aim.candidates(topology))})"
        case Selector():
            return (
                f" (one of {_names(entry.aim.candidates(topology))}, whichever is {entry.aim.standing} then)"
            )
        case Domains():
            here, there = entry.aim.nodes(topology)
            return f" ({len(here)} nodes from {len(there)})"
    return ""


def _expected(plan: Plan) -> Iterator[str]:
    """As the scenario has it, with its own units."""
    expect = plan.written.get("expect") if isinstance(plan.written, dict) else None
    for check, names in expect.items() if isinstance(expect, dict) else ():
        words = names.items() if isinstance(names, dict) else ()
        yield f"  {check:<10} " + ", ".join(f"{name} {value}" for name, value in words)


def _names(nodes: tuple[Node, ...]) -> str:
    return ", ".join(node.name for node in nodes)
