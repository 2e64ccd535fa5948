"""Who takes writes and who has what, asked of PostgreSQL itself on every database node, never of whoever manages it."""

from __future__ import annotations

from typing import Final

from harness.faults import Effect
from harness.runbook import control_file
from harness.runbook.commands import fence
from harness.runbook.databases import DATABASE, Progress, progress, try_writes
from harness.runbook.model import Argument, Arguments, Kind
from harness.runbook.proofs.proof import Proof
from harness.runbook.scene import TROUBLE, Scene, at_once
from topology.map import Node


def fenced(scene: Scene, arguments: Arguments) -> Effect:
    """The register names nobody or another region, and no database of the region takes a write that is tried."""
    region = str(arguments["region"])
    register = fence.read(scene)
    if register.region == region:
        return Effect(False, f"the register still says that {region} may write")
    tried = try_writes(scene, scene.nodes(region, DATABASE))
    taking = [str(one) for one in tried if one.taken]
    said = "; ".join(map(str, tried))
    return Effect(
        not taking,
        "; ".join(taking) if taking else f"the register names {register.region or 'nobody'}; {said}",
    )


def writable(scene: Scene, arguments: Arguments) -> Effect:
    """One database of the region is no standby and takes a write, and no database anywhere else does."""
    region = str(arguments["region"])
    tried = try_writes(scene, scene.nodes(None, DATABASE))
    own = {node.name for node in scene.nodes(region, DATABASE)}
    taking = [one.node for one in tried if one.taken]
    if elsewhere := [name for name in taking if name not in own]:
        return Effect(False, f"writes are also taken by {', '.join(elsewhere)}")
    primaries = [one.node for one in progress(scene, scene.nodes(region, DATABASE)) if not one.standby]
    if len(taking) == 1 and primaries == taking:
        return Effect(True, f"{taking[0]} is no standby and took a write; nobody else did")
    said = "; ".join(str(one) for one in tried if one.node in own)
    return Effect(False, f"not exactly one database of {region} takes writes: {said}")


def following(scene: Scene, arguments: Arguments) -> Effect:
    """Every database of the region is a standby, takes no write, and streams from the timeline of the one that does.

    A primary that was lost has log that its successor never had; until it has thrown that away it streams nothing.
    """
    nodes = scene.nodes(str(arguments["region"]), DATABASE)
    everywhere = progress(scene, scene.nodes(None, DATABASE))
    seen = [one for one in everywhere if one.node in [node.name for node in nodes]]
    taking = [one.node for one in try_writes(scene, nodes) if one.taken]
    primaries = [one.node for one in seen if not one.standby]
    if len(seen) == len(nodes) and not taking and not primaries:
        writing = {one.timeline: one.node for one in everywhere if not one.standby}
        if aside := [one.node for one in seen if one.timeline not in writing]:
            at = ", ".join(f"{node} (timeline {timeline})" for timeline, node in writing.items()) or "anybody"
            return Effect(False, f"{', '.join(aside)} does not stream what {at} writes")
        of = " and ".join(sorted({f"timeline {one.timeline} of {writing[one.timeline]}" for one in seen}))
        return Effect(True, f"{len(nodes)} databases are standbys, stream {of} and refuse writes")
    return Effect(
        False,
        f"{len(seen)} of {len(nodes)} databases answer, primaries: {primaries or 'none'}, "
        f"taking writes: {taking or 'none'}",
    )


def replayed(scene: Scene, arguments: Arguments) -> Effect:
    """The furthest database of the region shows everything it has received."""
    seen = progress(scene, scene.nodes(str(arguments["region"]), DATABASE))
    if not seen:
        return Effect(False, f"no database of {arguments['region']} gives an answer")
    last = max(seen, key=lambda one: one.received)
    left = last.received - last.replayed
    return Effect(
        left == 0, f"{last.node} has replayed {'all' if left == 0 else f'all but {left}'} of its log"
    )


def lag_below(scene: Scene, arguments: Arguments) -> Effect:
    """The target lacks less than so many bytes of what the source has."""
    most = arguments["bytes"]
    assert isinstance(most, int)
    missing = _missing(scene, arguments)
    if isinstance(missing, str):
        return Effect(False, missing)
    return Effect(missing < most, f"{arguments['to']} lacks {missing} bytes of {arguments['from']}")


def nothing_left(scene: Scene, arguments: Arguments) -> Effect:
    """The target has replayed everything that each database of the fenced source ever wrote."""
    source, target = (scene.nodes(str(arguments[side]), DATABASE) for side in ("from", "to"))
    there = progress(scene, target)
    if not there:
        return Effect(False, f"no database of {arguments['to']} gives an answer")
    last = max(there, key=lambda one: one.replayed)
    up = [node for node in source if scene.stage.runtime.alive(node)]
    ends = dict(zip((node.name for node in up), at_once(lambda node: _end(scene, node), up), strict=True))
    if not ends:
        return Effect(False, f"no database of {arguments['from']} is there to say what it wrote")
    unknown = [name for name, end in ends.items() if end is None]
    if unknown:
        return Effect(False, f"{', '.join(unknown)} has not said yet where its log ends")
    missing = max(0, *(end - last.replayed for end in ends.values() if end is not None))
    return Effect(missing == 0, f"{arguments['to']} lacks {missing} bytes of {arguments['from']}")


def _end(scene: Scene, node: Node) -> int | None:
    """The position that whoever has all of a database's log has reached; None while it cannot be told."""
    for one in progress(scene, [node]):
        return one.received if one.standby else None
    try:
        record = control_file.end_of_log(scene, node)
    except TROUBLE:
        return None
    return None if record is None else record + 1  # a record is replayed as a whole


def _missing(scene: Scene, arguments: Arguments) -> int | str:
    """Bytes of the source's log that the target has not replayed; in words, why that cannot be told."""
    found: list[Progress] = []
    for side in ("from", "to"):
        seen = progress(scene, scene.nodes(str(arguments[side]), DATABASE))
        if not seen:
            return f"no database of {arguments[side]} gives an answer"
        found.append(max(seen, key=lambda one: one.received if side == "from" else one.replayed))
    source, target = found
    return source.received - target.replayed


_REGION: Final = (Argument("region", Kind.REGION, "where"),)
_MOVE: Final = (
    Argument("from", Kind.REGION, "the region that wrote"),
    Argument("to", Kind.REGION, "the region that is to have it"),
)
FENCED: Final = Proof("takes-no-write", "no database of the region takes a write", _REGION, fenced)
WRITABLE: Final = Proof(
    "takes-writes", "one database of the region takes writes, and no other", _REGION, writable
)
FOLLOWING: Final = Proof(
    "follows", "every database of the region is a standby that streams", _REGION, following
)
REPLAYED: Final = Proof("replayed", "the region's database shows all it has received", _REGION, replayed)
LAG_BELOW: Final = Proof(
    "lag-below",
    "the target lacks less than so many bytes",
    (*_MOVE, Argument("bytes", Kind.COUNT, "bytes of log")),
    lag_below,
)
NOTHING_LEFT: Final = Proof(
    "nothing-left", "the target has everything that was ever written", _MOVE, nothing_left
)
