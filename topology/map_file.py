"""Reads the compose file into a `Map`: what Compose says of the nodes, and what the labels and x-topology add."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

from topology import slips
from topology.compose import Service, read_project
from topology.document import BadInput, Fields, Items, Value, nearest, one_of, quoted
from topology.map import (
    AccessNetwork,
    Carrier,
    ConfigFile,
    Enclosure,
    Entrance,
    Link,
    MailHost,
    Map,
    Node,
    Region,
    Title,
    Volume,
    Zone,
)

_ROUND_TRIP: Final = re.compile(r"([0-9]+)ms")
#: Decimals that are meant to add up to 1 do so but for this.
_NEAR: Final = 1e-6


def read_map(path: Path, overrides: Iterable[Path], variables: Mapping[str, str]) -> Map:
    """See `topology.map.read`."""
    project = read_project(path, overrides, variables)
    extension = project.file.need("x-topology", "the regions and carriers").as_fields()
    extension.only("regions", "carriers", "links", "enclosures", "hosts", "only", "beside", extensions=True)
    regions = _regions(extension.need("regions", "the regions").as_fields())
    zones = {zone.name: zone for region in regions.values() for zone in region.zones}
    carriers = extension.get("carriers")
    names = list(carriers.as_fields("carriers").values) if carriers else []
    written = extension.get("enclosures")
    enclosures = _enclosures(written, zones)
    services = _without(_beside(extension.get("beside"), project.services), project.services)
    nodes = {name: _node(service, zones, names, enclosures) for name, service in services.items()}
    used = {node.enclosure for node in nodes.values() if node.enclosure}
    _none_empty(written, used | set(_dormant_enclosures(project.dormant)))
    made = Map(
        project.name,
        regions,
        _carriers(carriers, nodes, project.dormant),
        nodes,
        tuple(_links(extension.get("links"), regions, nodes)),
        {name: each for name, each in enclosures.items() if name in used},
        project.profiles,
        _hosts(extension.get("hosts"), nodes, project.dormant),
    )
    only = extension.get("only")
    return _only(made, only.as_items("a list of regions")) if only else made


def _only(made: Map, regions: Items) -> Map:
    names = [each.as_word(made.service_regions) for each in regions]
    if not names:
        raise regions.bad("at least one region")
    return made.only(names)


def _beside(written: Value | None, services: Mapping[str, Service]) -> Collection[str]:
    """Services that are no nodes of the replica: Compose brings them up, a runtime does not."""
    return {each.as_word(services) for each in written.as_items("a list of services")} if written else set()


def _without(beside: Collection[str], services: Mapping[str, Service]) -> Mapping[str, Service]:
    kept = {name: service for name, service in services.items() if name not in beside}
    for service in kept.values():
        if waits_for := next((name for name in service.depends_on if name in beside), None):
            found = f"{service.name}, which waits for {waits_for}"
            raise BadInput(service.place, found, f"a node that does without {waits_for}, which stands beside")
        if service.also_on:
            found = f"{service.name} on {len(service.also_on) + 1} networks"
            raise BadInput(service.place, found, "one network; only what stands beside may be on more")
    return kept


def _title(fields: Fields) -> Title:
    title = fields.need("title", "title: {en: …, ja: …}").as_fields("title: {en: …, ja: …}")
    title.only("en", "ja")
    en, ja = title.need("en", "the English title"), title.need("ja", "the Japanese title")
    return Title(en.as_text(), ja.as_text())


def _regions(written: Fields) -> dict[str, Region]:
    regions: dict[str, Region] = {}
    taken: list[Zone] = []
    for name, value in written:
        fields = value.as_fields("a region: title and zones")
        fields.only("title", "zones", "outside", extensions=True)
        outside = fields.get("outside")
        zones = fields.need("zones", "the zones of the region").as_fields("zones by name")
        for zone_name, zone_value in zones:
            taken.append(_zone(name, zone_name, zone_value.as_fields("a zone: title and subnet"), taken))
        own = tuple(zone for zone in taken if zone.region == name)
        regions[name] = Region(name, _title(fields), own, outside.as_flag() if outside else False)
    return regions


def _zone(region: str, name: str, fields: Fields, taken: Iterable[Zone]) -> Zone:
    fields.only("title", "subnet", extensions=True)
    written = fields.need("subnet", "the addresses of the zone")
    try:
        subnet = IPv4Network(written.as_text("a subnet such as 10.77.1.0/24"))
    except ValueError:
        raise written.bad("a subnet such as 10.77.1.0/24") from None
    for other in taken:
        if other.subnet.overlaps(subnet):
            raise written.bad(f"addresses of its own; {other.name} has {other.subnet}")
    return Zone(f"{region}.{name}", region, _title(fields), subnet)


_LABELS: Final = tuple(
    f"topology.{name}" for name in ("role", "zone", "health", "enclosure", "carrier", "start")
)
#: When a node is started: with all others, or later, when a runbook does it.
_STARTS: Final = ("at-first", "later")
_HEALTH: Final = re.compile(r"[1-9][0-9]{0,4}/\S*")


def _node(
    service: Service,
    zones: Mapping[str, Zone],
    carriers: Iterable[str],
    enclosures: Mapping[str, Enclosure],
) -> Node:
    labels = service.labels
    for key in labels.values:
        if key.startswith("topology.") and key not in _LABELS:
            raise labels.bad_key(key, one_of(_LABELS), nearest(key, _LABELS))
    role = _label(service, "role", "what it is")
    slips.nearly_a_role(role)
    slips.no_such_program(service)
    health = _label(service, "health", "port/path, where it says that it is healthy")
    if not _HEALTH.fullmatch(health.as_text("port/path")):
        raise health.bad("port/path, such as 8000/health")
    zone = zones[_label(service, "zone", "the zone where it stands").as_word(zones)]
    if service.address not in zone.subnet:
        expected = f"an address of {zone.name}: {zone.subnet}"
        raise BadInput(service.address_place, str(service.address), expected)
    if (told := service.environment.get("ZONE", zone.name)) != zone.name:
        found = f"{service.name} with ZONE {told}"
        raise BadInput(service.place, found, f"{zone.name}, as its label topology.zone says")
    carrier = labels.get("topology.carrier")
    start = labels.get("topology.start")
    return Node(
        name=service.name,
        role=role.as_text("a role"),
        zone=zone.name,
        address=service.address,
        health=health.as_text(),
        image=service.image,
        command=service.command,
        environment=service.environment,
        volumes=tuple(Volume(mount.source, mount.target) for mount in service.volumes),
        configs=tuple(ConfigFile(mount.target, mount.source) for mount in service.configs),
        depends_on=service.depends_on,
        carrier=carrier.as_word(carriers) if carrier else None,
        enclosure=_enclosure(service, zone, enclosures),
        confinement=service.confinement,
        later=start is not None and start.as_word(_STARTS) == "later",
    )


def _label(service: Service, name: str, expected: str) -> Value:
    value = service.labels.get(f"topology.{name}")
    if value is None:
        raise BadInput(service.place, f"{service.name} without the label topology.{name}", expected)
    return value


def _enclosures(written: Value | None, zones: Mapping[str, Zone]) -> dict[str, Enclosure]:
    enclosures: dict[str, Enclosure] = {}
    for name, value in written.as_fields("enclosures by name") if written else ():
        fields = value.as_fields("an enclosure: title and zone")
        fields.only("title", "zone", extensions=True)
        zone = fields.need("zone", "the zone where it stands").as_word(zones)
        enclosures[name] = Enclosure(name, _title(fields), zone)
    return enclosures


def _enclosure(service: Service, zone: Zone, enclosures: Mapping[str, Enclosure]) -> str | None:
    """The enclosure that the node's volumes are on."""
    label = service.labels.get("topology.enclosure")
    if label is None:
        return None
    enclosure = enclosures[label.as_word(enclosures)]
    if enclosure.zone != zone.name:
        found = f"{quoted(enclosure.name)}, which stands in {enclosure.zone}"
        raise BadInput(label.place, found, f"an enclosure in {zone.name}, where {service.name} stands")
    if not service.volumes:
        found = f"{quoted(enclosure.name)} for {service.name}"
        raise BadInput(label.place, found, "a node with volumes: only they are on an enclosure")
    return enclosure.name


def _dormant_enclosures(dormant: Mapping[str, Fields]) -> Iterable[str]:
    """Those that services sit on which nobody asked for."""
    for fields in dormant.values():
        labels = fields.get("labels")
        label = labels.as_fields("labels").get("topology.enclosure") if labels else None
        if label is not None:
            yield label.as_text("an enclosure")


def _none_empty(written: Value | None, used: Collection[str]) -> None:
    """Raises BadInput for an enclosure that no node sits on: failing it would do nothing."""
    for name, place in written.as_fields().keys.items() if written else ():
        if name not in used:
            expected = f"a node with the label topology.enclosure: {name}"
            raise BadInput(place, f"{quoted(name)}, which no node sits on", expected)


def _carriers(
    written: Value | None, nodes: Mapping[str, Node], dormant: Collection[str]
) -> dict[str, Carrier]:
    carriers: dict[str, Carrier] = {}
    for name, value in written.as_fields("carriers by name") if written else ():
        fields = value.as_fields("a carrier")
        fields.only("title", "share", "link", "mail", "entrances", "resolver", "access", extensions=True)
        resolver = fields.get("resolver")
        carriers[name] = Carrier(
            name=name,
            title=_title(fields),
            share=_share(fields.need("share", "its share of all people")),
            link=_node_of(name, fields.need("link", "the node that is its access link"), nodes),
            mail=_node_of(name, fields.need("mail", "the node that is its mail exchanger"), nodes),
            entrances=_entrances(fields.need("entrances", "the ways into the service"), nodes),
            resolver=_node_of(name, resolver, nodes) if resolver else None,
            access=_access(name, fields.get("access"), nodes, dormant),
        )
    shares = [carrier.share for carrier in carriers.values()]
    total = sum(shares)
    # Whole numbers are parts, 1 and 1 and 1; whoever writes 0.5 and 0.3 means that nobody is left.
    if written and not (all(share.is_integer() for share in shares) or abs(total - 1) <= _NEAR):
        expected = "shares that add up to 1, or whole numbers of parts"
        raise BadInput(written.place, f"shares that add up to {total:.6g}", expected)
    return {name: replace(carrier, share=carrier.share / total) for name, carrier in carriers.items()}


def _access(
    carrier: str, written: Value | None, nodes: Mapping[str, Node], dormant: Collection[str]
) -> AccessNetwork | None:
    """None also where nobody asked for it: then its nodes are not there."""
    if written is None:
        return None
    fields = written.as_fields("an access network: {steering: node, blocks: [node, …]}")
    fields.only("steering", "blocks")
    steering = fields.need("steering", "the node that says which block is whose")
    blocks = fields.need("blocks", "the nodes that let handsets in").as_items("a list of nodes")
    if not blocks.values:
        raise blocks.bad("at least one block")
    if all(each.as_text("a node") in dormant for each in (steering, *blocks)):
        return None
    made = tuple(_node_of(carrier, each, nodes) for each in blocks)
    return AccessNetwork(_node_of(carrier, steering, nodes), made)


def _hosts(written: Value | None, nodes: Mapping[str, Node], dormant: Collection[str]) -> dict[str, MailHost]:
    """Without those that nobody asked for: their nodes are not there."""
    hosts: dict[str, MailHost] = {}
    known = [*nodes, *dormant]
    for name, value in written.as_fields("mail hosts by name") if written else ():
        fields = value.as_fields("a mail host")
        fields.only("title", "share", "firewall", "mailboxes", extensions=True)
        share = fields.need("share", "its share of the companies")
        if not 0 < share.as_number("a share above 0, at most 1") <= 1:
            raise share.bad("a share above 0, at most 1")
        firewall = fields.need("firewall", "the node that all comes in through").as_word(known)
        boxes = fields.need("mailboxes", "its mailbox servers: {node: port of the firewall}").as_fields()
        for box in boxes.values:
            if box not in known:
                raise boxes.bad_key(box, "a node", nearest(box, known))
        if not boxes.values:
            raise boxes.bad("at least one mailbox server")
        mailboxes = {box: _port(boxes, box) for box in boxes.values}
        if firewall in nodes:
            hosts[name] = MailHost(name, _title(fields), share.as_number(), firewall, mailboxes)
    total = sum(host.share for host in hosts.values())
    if written and total > 1 + _NEAR:
        raise BadInput(
            written.place,
            f"shares that add up to {total:.6g}",
            "shares of the companies that add up to 1 at most",
        )
    return hosts


def _share(value: Value) -> float:
    share = value.as_number("a share above 0")
    if share <= 0:
        raise value.bad("a share above 0")
    return share


def _node_of(carrier: str, value: Value, nodes: Mapping[str, Node]) -> str:
    name = value.as_text("a node")
    if name not in nodes:
        raise value.bad("a node", nearest(name, nodes))
    if nodes[name].carrier != carrier:
        raise value.bad(f"a node with the label topology.carrier: {carrier}")
    return name


def _entrances(value: Value, nodes: Mapping[str, Node]) -> tuple[Entrance, ...]:
    expected = "entrances: {…: {http: port, https: port, to: balancer}}"
    entrances = tuple(
        _entrance(name, each.as_fields(expected), nodes) for name, each in value.as_fields(expected)
    )
    if not entrances:
        raise value.bad(expected)
    return entrances


def _entrance(name: str, fields: Fields, nodes: Mapping[str, Node]) -> Entrance:
    fields.only("http", "https", "to")
    to = fields.get("to")
    return Entrance(name, _port(fields, "http"), _port(fields, "https"), to.as_word(nodes) if to else "")


def _port(fields: Fields, scheme: str) -> int:
    value = fields.need(scheme, f"the port for {scheme}")
    port = value.as_whole("a port", least=1)
    if port > 65535:
        raise value.bad("a port of at most 65535")
    return port


def _links(written: Value | None, regions: Mapping[str, Region], nodes: Mapping[str, Node]) -> Iterable[Link]:
    expected = "a list of {between: [region, region], node: …, round_trip: 70ms}"
    known = [region.name for region in regions.values() if not region.outside]
    for value in written.as_items(expected) if written else ():
        fields = value.as_fields(expected)
        fields.only("between", "node", "round_trip", extensions=True)
        between = fields.need("between", expected).as_items(expected)
        ends = [each.as_word(known) for each in between]
        if len(set(ends)) != 2:
            raise between.bad("two regions")
        node = fields.need("node", "the node that is the link").as_word(nodes)
        yield Link((ends[0], ends[1]), node, _round_trip_s(fields.need("round_trip", "such as 70ms")))


def _round_trip_s(value: Value) -> float:
    found = _ROUND_TRIP.fullmatch(value.as_text("a round trip such as 70ms"))
    if not found:
        raise value.bad("a round trip such as 70ms")
    return int(found[1]) / 1000
