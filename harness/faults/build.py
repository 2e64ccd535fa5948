"""From an entry of the plan to a fault on real nodes, at the moment it fires."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from harness.blackout import Blackout, stations
from harness.congestion import EFFECTS, MAILS, NOTICES, Restriction
from harness.erasure import Erasure
from harness.failing import Failing, under
from harness.faults import Fault, Stage
from harness.faults.congest import Congest, Intake, Push
from harness.faults.cut import Cut
from harness.faults.darken import Darken
from harness.faults.degrade import Degrade
from harness.faults.erase import EraseAnswers, EraseArchive, EraseTable
from harness.faults.fail import Fail
from harness.faults.hang import Hang
from harness.faults.looking import get
from harness.faults.lose import Lose
from harness.faults.misfilter import Misfilter
from harness.faults.stale import Stale
from harness.filtering import Filtering
from harness.keeping import Keeping
from harness.plan import Entry
from harness.runtime import CAPABILITIES, CannotRun, Enclosures, Foresees, Runtime
from harness.selector import Selector
from harness.targets import Domains, Link, Target
from topology.map import Map, Node

#: Faults on nodes, by verb.
ON_NODES: Final[Mapping[str, Callable[[Sequence[Node]], Fault]]] = {"lose": Lose, "hang": Hang}
#: What a fault needs of a runtime beyond the minimum, by verb.
NEEDS: Final[Mapping[str, Sequence[str]]] = {
    "hang": ("pauses",),
    "cut": ("cuts",),
    "fail": ("enclosures",),
}
PATRONI_PORT: Final = 8008
NAME_SERVER: Final = "dns"
DATABASES: Final = "database"


class NobodyThere(Exception):
    """A selector that matched no node at the moment its fault was to be injected."""


def build(verb: str, target: Target, stage: Stage) -> Fault:
    """Raises NobodyThere when the selector matches nothing now."""
    match target:
        case Selector():
            nodes = target.resolve(stage.topology, lambda node: standing(stage, node))
            if not nodes:
                raise NobodyThere(f"{verb} {target}: no node is that at the moment")
            return ON_NODES[verb](nodes)
        case Domains():
            here, there = target.nodes(stage.topology)
            return Cut(here, there, target.oneway)
        case Link():
            return _degrade(target, stage)
        case Restriction():
            return _congest(target, stage)
        case Keeping():
            return _stale(target, stage)
        case Erasure():
            return _erase(target, stage)
        case Blackout():
            return _darken(target, stage)
        case Failing():
            return _fail(target, stage)
        case Filtering():
            return Misfilter(
                stage.topology.nodes[stage.topology.carriers[target.carrier].mail], target.senders
            )
    raise NobodyThere(f"{verb}: nothing that can be broken")


def _erase(target: Erasure, stage: Stage) -> Fault:
    """Raises NobodyThere when no database takes writes."""
    if target.archive is not None:
        return EraseArchive(stage.topology.nodes[target.archive])
    databases = stage.topology.with_role(DATABASES)
    primary = next((node for node in databases if standing(stage, node) == "primary"), None)
    if primary is None:
        raise NobodyThere(f"erase {target}: no database takes writes at the moment")
    if target.table is not None:
        return EraseTable(primary, target.table)
    return EraseAnswers(primary, target.company)


def _fail(target: Failing, stage: Stage) -> Fault:
    """Raises NobodyThere when the enclosures meant cannot be told now."""
    enclosures = under(target.selector.resolve(stage.topology, lambda node: standing(stage, node)))
    if not enclosures:
        raise NobodyThere(f"fail {target}: no node is that at the moment")
    nodes = [node for name in enclosures for node in stage.topology.on_enclosure(name)]
    return Fail(enclosures, target.how, nodes)


def _darken(target: Blackout, stage: Stage) -> Fault:
    """Raises NobodyThere where there are no base stations."""
    node = stations(stage.topology)
    if node is None:
        raise NobodyThere(f"blackout {target}: there are no base stations")
    return Darken(node, target)


def _stale(target: Keeping, stage: Stage) -> Fault:
    """Raises NobodyThere when there are no names."""
    carriers = [stage.topology.carriers[name] for name in target.carriers(stage.topology)]
    nodes = [stage.topology.nodes[carrier.resolver] for carrier in carriers if carrier.resolver]
    owners = stage.topology.with_role(NAME_SERVER)
    if not nodes or not owners:
        raise NobodyThere(f"stale {target}: there is no resolver, or no name server")
    return Stale(nodes, owners[0], target.share, target.keeps_s)


def _congest(target: Restriction, stage: Stage) -> Fault:
    links: list[Degrade] = []
    mails: list[Push | Intake] = []
    for name, effects in target.carriers.items():
        carrier = stage.topology.carriers[name]
        packets = {effect: effects[effect] for effect in EFFECTS if effect in effects}
        if packets:
            links.append(Degrade(carrier, packets, stage.topology.nodes[carrier.link]))
        late, lost, within_s = (effects.get(notice, 0.0) for notice in NOTICES)
        if late or lost:
            mails.append(Push(stage.topology.nodes[carrier.mail], late, lost, within_s))
        if MAILS in effects:
            mails.append(Intake(stage.topology.nodes[carrier.mail], effects[MAILS]))
    return Congest(target.profile, tuple(links), tuple(mails), target.followed)


def _degrade(target: Link, stage: Stage) -> Fault:
    if target.carrier in stage.topology.carriers:
        carrier = stage.topology.carriers[target.carrier]
        return Degrade(carrier, target.effects, stage.topology.nodes[carrier.link])
    wide = next(link for link in stage.topology.links if link.node == target.carrier)
    return Degrade(wide, target.effects, stage.topology.nodes[wide.node])


def standing(stage: Stage, node: Node) -> str:
    """What a database node is now, as Patroni's health pages tell it: `primary`, `standby` or nothing."""
    pages = {"primary": "primary", "replica": "standby"}
    for page, word in pages.items():
        if get(stage, stage.observer, node, PATRONI_PORT, page) == "http 200":
            return word
    return ""


def foresee(timeline: Sequence[Entry], topology: Map, runtime: Runtime) -> None:
    """Tell the runtime, before it prepares anything, how enclosures may fail in this run."""
    if isinstance(runtime, Foresees):
        for entry in timeline:
            if isinstance(entry.aim, Failing):
                for enclosure in entry.aim.enclosures(topology):
                    runtime.foresee_failure(enclosure, entry.aim.how)


def refuse_what_is_missing(timeline: Sequence[Entry], runtime: Runtime) -> None:
    """Raises CannotRun, naming what the runtime lacks for these entries, before anything starts."""
    for entry in timeline:
        what = f"the {runtime.name} runtime cannot {entry.verb} {entry.target}"
        for need in NEEDS.get(entry.verb, ()):
            if not isinstance(runtime, CAPABILITIES[need]):
                raise CannotRun(f"{what}: it lacks `{need}`")
        if isinstance(entry.aim, Failing) and isinstance(runtime, Enclosures):
            lack = runtime.refuses_failure(entry.aim.how)
            if lack:
                raise CannotRun(f"{what}: {lack}")
