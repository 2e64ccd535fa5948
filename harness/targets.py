"""What the entries of a timeline are aimed at, beside the selector of nodes: domains, links, events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from harness import blackout, congestion, erasure, failing, filtering, keeping, quantities, selector
from harness.blackout import Blackout
from harness.congestion import Congestion, Restriction
from harness.erasure import Erasure
from harness.events import INFOS, STATUSES, Event
from harness.failing import Failing
from harness.filtering import Filtering
from harness.keeping import Keeping
from harness.rundir import Json
from harness.selector import Selector
from harness.verbs import Aim, Argument, Unit, Verb
from topology.document import BadInput, Fields, Items, Scalar, Value, nearest, one_of
from topology.map import Map, Node
from topology.service import schema


@dataclass(frozen=True)
class Domains:
    """Two sides of a cut, each of zones, regions or nodes. `oneway`: only what goes from here to there."""

    here: tuple[str, ...]
    there: tuple[str, ...]
    oneway: bool = False

    def nodes(self, topology: Map) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """The nodes of both sides. The wide-area links from one side to the other stand on the side that they are cut
        off with: that of a whole region, so that what else uses the link at the other end still reaches it.
        """
        here, there = _inside(topology, self.here), _inside(topology, self.there)
        links = _links_between(topology, here, there)
        if _whole_regions(topology, there):
            return here, (*there, *links)
        return (*here, *links), there

    def data(self) -> Mapping[str, Json]:
        oneway: dict[str, Json] = {"oneway": True} if self.oneway else {}
        return {"from": list(self.here), "to": list(self.there), **oneway}

    def __str__(self) -> str:
        sides = f"{' and '.join(self.here)} from {' and '.join(self.there)}"
        return f"{sides}, one way" if self.oneway else sides


@dataclass(frozen=True)
class Link:
    """A carrier's access link, or a wide-area link by the name of its node.

    `effects` are the arguments of the verb in SI (see `verbs.Unit`).
    """

    carrier: str
    effects: Mapping[str, float] = field(default_factory=dict)

    def data(self) -> Mapping[str, Json]:
        return {"link": self.carrier, **self.effects}

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value:g}" for name, value in self.effects.items())
        return f"the link of {self.carrier}" + (f" ({told})" if told else "")


@dataclass(frozen=True)
class Publication:
    """A telegram about an event. `info`, `status`: the agency's words; empty: as the event is defined."""

    event: str
    info: str = ""
    status: str = ""

    def data(self) -> Mapping[str, Json]:
        words = {"event": self.event, "info": self.info, "status": self.status}
        return {word: value for word, value in words.items() if value}

    def __str__(self) -> str:
        return " ".join(word for word in (self.event, self.info, self.status) if word)


@dataclass(frozen=True)
class Performance:
    """A runbook, and what its parameters are given as it was written."""

    runbook: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> Mapping[str, Json]:
        return {"runbook": self.runbook, **self.arguments}

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.arguments.items())
        return f"{self.runbook} ({told})" if told else self.runbook


Target: TypeAlias = (
    Selector
    | Domains
    | Link
    | Publication
    | Performance
    | Erasure
    | Keeping
    | Failing
    | Filtering
    | Blackout
    | Congestion
    | Restriction
)


def read(verb: Verb, value: Value, *, undoing: bool = False) -> Target:
    """A verb's target as it was written, or (`undoing`) that of the verb that takes it back."""
    match verb.aim:
        case Aim.NODES:
            return selector.read(value)
        case Aim.DOMAINS:
            return _domains(value)
        case Aim.LINK:
            return _link(verb.arguments if not undoing else (), value, undoing=undoing)
        case Aim.EVENT:
            return _publication(value)
        case Aim.KEEPING:
            return keeping.read(value, undoing=undoing)
        case Aim.SUPPLY:
            return blackout.read(value, undoing=undoing)
        case Aim.FILTER:
            return filtering.read(value, undoing=undoing)
        case Aim.ENCLOSURES:
            return failing.read(value, undoing=undoing)
        case Aim.RUNBOOK:
            return _performance(value)
        case Aim.DATA:
            return erasure.read(value)


def from_data(verb: Verb, value: Value) -> Target:
    """A target from what its `data` gave, as plans keep it. Raises BadInput."""
    if verb.aim is Aim.KEEPING:
        return keeping.from_data(value)
    if verb.aim is Aim.SUPPLY:
        return blackout.from_data(value)
    if verb.aim is Aim.FILTER:
        return filtering.from_data(value)
    if verb.aim is not Aim.LINK:
        return read(verb, value)
    fields = value.as_fields("a link")
    if "profile" in fields:
        return congestion.from_data(fields)
    effects = {name: each.as_number() for name, each in fields if name != "link"}
    return Link(fields.need("link", "a carrier").as_text(), effects)


def check(target: Target, topology: Map, events: Mapping[str, Event], source: Value) -> None:
    """Raises BadInput, at `source` where the target was read, if it names what is not there."""
    match target:
        case Selector():
            selector.check(target, topology, source)
        case Failing():
            failing.check(target, topology, source)
        case Blackout():
            blackout.check(target, topology, source)
        case Filtering():
            filtering.check(target, topology, source)
        case Domains():
            for name in (*target.here, *target.there):
                known = (*topology.zones, *topology.regions, *topology.nodes)
                _known(name, known, "a zone, region or node", source)
            here, there = target.nodes(topology)
            both = [node.name for node in here if node in there]
            if both:
                raise BadInput(source.place, f"{both[0]} on both sides", "two domains with nothing in common")
        case Link():
            known = (*topology.carriers, *(link.node for link in topology.links))
            _known(target.carrier, known, "a carrier or a wide-area link", source)
        case Erasure(table=str(name)):
            _known(name, schema.tables(), "a table of the service", source)
        case Erasure(archive=str(name)):
            keeping = [node.name for node in topology if node.volumes]
            _known(name, keeping, "a node that keeps something on a volume", source)
        case Keeping():
            if target.carrier is not None:
                _known(target.carrier, topology.carriers, "a carrier", source)
            if not target.carriers(topology):
                raise BadInput(source.place, str(target), "a topology with resolvers")
        case Publication():
            _known(target.event, events, "an event of events.yaml", source)


def _inside(topology: Map, names: Iterable[str]) -> tuple[Node, ...]:
    wanted = set(names)
    return tuple(node for node in topology if wanted & {node.name, node.zone, node.region})


def _links_between(topology: Map, here: Iterable[Node], there: Iterable[Node]) -> tuple[Node, ...]:
    pairs = {frozenset({a, b}) for a in {n.region for n in here} for b in {n.region for n in there} if a != b}
    return tuple(topology.nodes[link.node] for link in topology.links if frozenset(link.between) in pairs)


def _whole_regions(topology: Map, nodes: Iterable[Node]) -> bool:
    names = {node.name for node in nodes}
    regions = {topology.nodes[name].region for name in names}
    return names >= {node.name for region in regions for node in topology.in_region(region)}


def _known(name: str, known: Iterable[str], what: str, source: Value) -> None:
    names = list(known)
    if name not in names:
        place = next((word.place for word in _words(source) if word.text == name), source.place)
        raise BadInput(place, f'"{name}"', f"{what}: {one_of(names)}", nearest(name, names))


def _words(value: Value) -> Iterable[Scalar]:
    match value:
        case Scalar():
            yield value
        case Items():
            for each in value:
                yield from _words(each)
        case Fields():
            for _, each in value:
                yield from _words(each)


_SIDES: Final = "{between: [here, there]} or {from: [here, …], to: [there, …]}"


def _domains(value: Value) -> Domains:
    fields = value.as_fields(_SIDES)
    fields.only("between", "from", "to", "oneway")
    oneway = fields.get("oneway")
    if "between" in fields:
        between = fields.need("between", _SIDES).as_items("a list of two domains")
        if len(between.values) != 2 or "from" in fields or "to" in fields:
            raise BadInput(between.place, f"{len(between.values)} domains", _SIDES)
        here, there = (_names(each) for each in between)
    else:
        here, there = (_names(fields.need(side, _SIDES)) for side in ("from", "to"))
    return Domains(here, there, oneway.as_flag() if oneway else False)


def _names(value: Value) -> tuple[str, ...]:
    """One name or a list of names."""
    if not isinstance(value, Items):
        return (value.as_text("a zone, region or node"),)
    names = tuple(each.as_text("a zone, region or node") for each in value)
    if not names:
        raise value.bad("at least one zone, region or node")
    return names


def _link(arguments: tuple[Argument, ...], value: Value, *, undoing: bool) -> Link | Congestion:
    fields = value.as_fields("{link: carrier, …}" if undoing else "{link: carrier, …} or {profile: name}")
    if "profile" in fields and not undoing:
        fields.only("profile")
        return Congestion(fields.need("profile", "a congestion profile").as_text("a congestion profile"))
    fields.only("link", *(argument.name for argument in arguments))
    carrier = fields.need("link", "link: the carrier").as_text("a carrier")
    effects = {
        argument.name: _amount(argument, fields.need(argument.name, f"a {argument.unit.value}"))
        for argument in arguments
        if argument.name in fields
    }
    if arguments and not effects:
        raise fields.bad("at least one of " + ", ".join(argument.name for argument in arguments))
    if "jitter" in effects and "latency" not in effects:
        raise fields.bad_key("jitter", "a latency that it varies")
    return Link(carrier, effects)


def _amount(argument: Argument, value: Value) -> float:
    """An argument in SI."""
    match argument.unit:
        case Unit.DURATION:
            return quantities.duration(value, meant="ms").s
        case Unit.RATE:
            return quantities.rate(value)
        case Unit.SHARE:
            return quantities.share(value)


def _publication(value: Value) -> Publication:
    if not isinstance(value, Fields):
        return Publication(value.as_text("an event"))
    value.only("event", "info", "status")
    info, status = value.get("info"), value.get("status")
    return Publication(
        value.need("event", "an event").as_text("an event"),
        INFOS[info.as_word(INFOS)] if info else "",
        STATUSES[status.as_word(STATUSES)] if status else "",
    )


def _performance(value: Value) -> Performance:
    if not isinstance(value, Fields):
        return Performance(value.as_text("a runbook"))
    name = value.need("runbook", "a runbook").as_text("a runbook")
    return Performance(name, {key: each.as_text() for key, each in value if key != "runbook"})
