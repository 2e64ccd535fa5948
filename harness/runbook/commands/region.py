"""`declare` and `state-lag`: what is known of a region, said and written down before anything is changed."""

from __future__ import annotations

from typing import Final

from harness.faults.looking import answer, each
from harness.runbook.commands.command import Command
from harness.runbook.databases import DATABASE, progress
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.scene import Scene


def declare(scene: Scene, arguments: Arguments) -> str:
    region = str(arguments["region"])
    nodes = scene.nodes(region)
    seen = each(lambda node: answer(scene.stage, scene.stage.observer, node), nodes)
    answering = [node.name for node, word in zip(nodes, seen, strict=True) if word.startswith("http")]
    scene.run.record("region.declared", region=region, nodes=len(nodes), answering=answering)
    return f"{region} is declared lost; {len(answering)} of its {len(nodes)} nodes answer"


def state_lag(scene: Scene, arguments: Arguments) -> str:
    """Says what would be lost: what the target lacks of the source if that answers, else how old its last commit is."""
    source, target = str(arguments["from"]), str(arguments["to"])
    there = progress(scene, scene.nodes(target, DATABASE))
    if not there:
        raise OSError(f"no database of {target} gives an answer")
    last = max(there, key=lambda one: one.received)
    here = progress(scene, scene.nodes(source, DATABASE))
    lag_bytes = max((one.received for one in here), default=None)
    missing = None if lag_bytes is None else max(0, lag_bytes - last.replayed)
    behind_s = None if last.behind_s is None else round(last.behind_s, 3)
    scene.run.record(
        "lag.stated",
        source=source,
        target=target,
        node=last.node,
        bytes=missing,
        behind_s=behind_s,
        received=last.received,
        replayed=last.replayed,
    )
    age = "nothing" if behind_s is None else f"a commit of {behind_s:.1f} s ago"
    if missing is None:
        return f"{last.node} has everything up to {age}; what {source} took after that will be lost"
    return f"{last.node} lacks {missing} bytes of {source}; its last is {age}"


DECLARE: Final = Command(
    "declare",
    "a region is declared lost",
    (Argument("region", Kind.REGION, "the region that is lost"),),
    declare,
)
STATE_LAG: Final = Command(
    "state-lag",
    "says and writes down what would be lost",
    (
        Argument("from", Kind.REGION, "the region that wrote until now"),
        Argument("to", Kind.REGION, "the region that is to write"),
    ),
    state_lag,
)
