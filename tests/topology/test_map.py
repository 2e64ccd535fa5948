from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.refusals import refusal, swapped
from topology import map as topology
from topology.document import BadInput
from topology.flat import flatten
from topology.map import AccessNetwork, ConfigFile, Enclosure, Entrance, MailHost, Map, Title, Volume

ROOT = Path(__file__).parents[2]

SMALL = """\
name: small
x-topology:
  regions:
    here:
      title: {en: Here, ja: ここ}
      zones:
        a: {title: {en: A, ja: 甲}, subnet: 10.1.1.0/24}
        b: {title: {en: B, ja: 乙}, subnet: 10.1.2.0/24}
  carriers:
    docomo:
      title: {en: docomo, ja: ドコモ}
      share: 3
      link: link
      mail: mail
      entrances: {a: {http: 8001, https: 8401, to: db}}
configs:
  proxies: {content: "[]"}
services:
  db:
    image: node
    command: [run, db]
    environment: {SYNC: "${SYNC:-on}"}
    volumes: [db:/mnt/data]
    configs: [{source: proxies, target: /etc/proxies.json}]
    networks: {fabric: {ipv4_address: 10.1.1.11}}
    labels: {topology.role: database, topology.zone: here.a, topology.health: 8008/health}
  link:
    image: node
    depends_on: [db]
    networks: {fabric: {ipv4_address: 10.1.2.11}}
    labels: {topology.role: link, topology.zone: here.b, topology.health: 8474/, topology.carrier: docomo}
  mail:
    image: node
    networks: {fabric: {ipv4_address: 10.1.2.12}}
    labels: {topology.role: mail, topology.zone: here.b, topology.health: 8000/x, topology.carrier: docomo}
networks: {fabric: {}, out: {}}
volumes: {db: {}}
"""


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    path = tmp_path / "compose.yml"
    path.write_text(SMALL)
    return path


def changed(compose: Path, old: str, new: str) -> Path:
    compose.write_text(swapped(SMALL, old, new))
    return compose


def complaint(compose: Path, old: str, new: str) -> str:
    return refusal(lambda: topology.read(changed(compose, old, new)))


def test_what_a_compose_file_says(compose: Path) -> None:
    read = topology.read(compose)
    assert read.name == "small"
    assert [zone.name for zone in read.regions["here"].zones] == ["here.a", "here.b"]
    assert read.zones["here.b"].subnet == IPv4Network("10.1.2.0/24")
    assert read.zones["here.a"].title.ja == "甲"
    database = read.nodes["db"]
    assert (database.role, database.zone, database.region) == ("database", "here.a", "here")
    assert database.address == IPv4Address("10.1.1.11")
    assert database.health == "8008/health"
    assert database.command == ("run", "db")
    assert database.environment == {"SYNC": "on"}
    assert database.volumes == (Volume("db", "/mnt/data"),)
    assert database.configs == (ConfigFile("/etc/proxies.json", "[]"),)
    assert read.nodes["link"].depends_on == ("db",)
    assert read.nodes["link"].carrier == "docomo"
    carrier = read.carriers["docomo"]
    assert (carrier.link, carrier.mail, carrier.share) == ("link", "mail", 1.0)
    assert carrier.entrances == (Entrance("a", 8001, 8401, "db"),)
    assert [node.name for node in read.in_zone("here.b")] == ["link", "mail"]
    assert [node.name for node in read.in_region("here")] == ["db", "link", "mail"]
    assert [node.name for node in read.with_role("mail")] == ["mail"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "topology.role: database, ",
            "",
            "compose.yml:19:3: found db without the label topology.role, expected what it is",
        ),
        (
            "topology.role: database",
            "topology.role: databse",
            'compose.yml:26:29: found "databse", expected a role; did you mean "database"?',
        ),
        (
            "[run, db]",
            "[python, -m, topology, databas]",
            'compose.yml:19:3: found db with the program "databas", expected one of consensus, ',
        ),
        (
            "topology.zone: here.a",
            "topology.zone: her.a",
            'compose.yml:26:54: found "her.a", expected one of here.a, here.b; did you mean "here.a"?',
        ),
        (
            "topology.zone: here.a",
            "topology.zon: here.a",
            'compose.yml:26:39: found "topology.zon", expected one of topology.role, topology.zone, '
            'topology.health, topology.enclosure, topology.carrier, topology.start; did you mean "topology.zone"?',
        ),
        (
            "topology.health: 8008/health",
            "topology.health: 8008/health, topology.start: latr",
            'compose.yml:26:108: found "latr", expected one of at-first, later; did you mean "later"?',
        ),
        (
            "8008/health",
            "health",
            'compose.yml:26:79: found "health", expected port/path, such as 8000/health',
        ),
        (
            "topology.health: 8000/x, topology.carrier: docomo",
            "topology.health: 8000/x, topology.carrier: dokomo",
            'compose.yml:35:101: found "dokomo", expected docomo; did you mean "docomo"?',
        ),
        (
            "10.1.2.12",
            "10.1.2.11",
            "compose.yml:34:39: found 10.1.2.11 again, expected an address of its own; link has it (",
        ),
        (
            "10.1.2.12",
            "10.1.1.12",
            "compose.yml:34:39: found 10.1.1.12, expected an address of here.b: 10.1.2.0/24",
        ),
        ("10.1.2.12", "10.1.2", 'compose.yml:34:39: found "10.1.2", expected an address such as'),
        ("    link: link", "    link: db", "expected a node with the label topology.carrier: docomo"),
        (
            "    link: link",
            "    link: lin",
            'compose.yml:13:13: found "lin", expected a node; did you mean "link"?',
        ),
        ("share: 3", "share: 0", "compose.yml:12:14: found 0, expected a share above 0"),
        (
            "share: 3",
            "share: 0.7",
            "compose.yml:10:5: found shares that add up to 0.7, expected shares that add up to 1, or whole numbers",
        ),
        ("http: 8001", "http: 80010", "found 80010, expected a port of at most 65535"),
        (
            "entrances: {a: {http: 8001, https: 8401, to: db}}",
            "entrances: {}",
            "compose.yml:15:18: found a mapping, expected",
        ),
        ("10.1.2.0/24", "10.1.0.0/16", "expected addresses of its own; here.a has 10.1.1.0/24"),
        ("10.1.2.0/24", "10.1.2.1/24", 'found "10.1.2.1/24", expected a subnet such as'),
        ("{en: B, ja: 乙}", "{en: B, jp: 乙}", 'found "jp", expected one of en, ja; did you mean "ja"?'),
        (
            "x-topology:",
            "x-topologie:",
            'compose.yml:1:1: found no "x-topology", expected the regions and carriers',
        ),
        (
            "[db:/mnt/data]",
            "[bd:/mnt/data]",
            'compose.yml:23:15: found "bd", expected a name under volumes; did',
        ),
        ("[db:/mnt/data]", "[./db:/mnt/data]", "expected a name under volumes"),
        ("[db:/mnt/data]", "[db]", "expected name:/path, a named volume and where it is seen"),
        ("source: proxies", "source: proxy", 'found "proxy", expected a name under configs'),
        (
            '{content: "[]"}',
            "{}",
            'compose.yml:17:12: found no "content", expected the content of config proxies',
        ),
        (
            '{content: "[]"}',
            "{file: nowhere}",
            'compose.yml:17:19: found "nowhere", expected a readable file',
        ),
        (
            "depends_on: [db]",
            "depends_on: [bd]",
            'compose.yml:29:18: found "bd", expected a service of this file',
        ),
        (
            "fabric: {ipv4_address: 10.1.1.11}",
            "fabrik: {ipv4_address: 10.1.1.11}",
            "expected a network: one of fabric, out",
        ),
        ("    networks: {fabric: {ipv4_address: 10.1.1.11}}\n", "", 'compose.yml:20:5: found no "networks"'),
        ("command: [run, db]", "comand: [run, db]", 'found "comand", expected one of image, command,'),
        ("command: [run, db]", "entrypoint: x", 'compose.yml:21:5: found "entrypoint", expected one of'),
        (
            "command: [run, db]",
            "command: run 'db",
            "expected a command as a shell splits it (No closing quotation)",
        ),
        ("${SYNC:-on}", "${SYNC}", "the variable SYNC, which is not set"),
        (
            'SYNC: "${SYNC:-on}"',
            "SYNC: true",
            "found true, expected text, a number or nothing (put quotes around",
        ),
        (
            "services:",
            "service:",
            'compose.yml:18:1: found "service", expected one of name, version, services',
        ),
        ("    image: node\n    command", "    command", 'compose.yml:20:5: found no "image"'),
        (
            "    command: [run, db]",
            "    hostname: bd",
            """compose.yml:21:15: found "bd", expected the service's own name, db""",
        ),
        (
            'SYNC: "${SYNC:-on}"',
            "ZONE: here.b",
            "compose.yml:19:3: found db with ZONE here.b, expected here.a, as its label topology.zone says",
        ),
        (
            "{fabric: {ipv4_address: 10.1.2.12}}",
            "{fabric: {ipv4_address: 10.1.2.12}, out: {}}",
            "compose.yml:32:3: found mail on 2 networks, expected one network; only what stands beside may",
        ),
        (
            "{fabric: {ipv4_address: 10.1.2.12}}",
            "{fabric: {ipv4_address: 10.1.2.12}, out: {ipv4_address: 10.1.9.9}}",
            "compose.yml:34:15: found 2 networks with an address, expected one network with an address",
        ),
        (
            "{fabric: {ipv4_address: 10.1.2.12}}",
            "{fabric: {}}",
            'compose.yml:34:15: found no "ipv4_address", expected one network with an address',
        ),
        (
            "x-topology:\n",
            "x-topology:\n  beside: [dbb]\n",
            'compose.yml:3:12: found "dbb", expected one of db, link, mail; did you mean "db"?',
        ),
        (
            "x-topology:\n",
            "x-topology:\n  beside: [db]\n",
            "found link, which waits for db, expected a node that does without db, which stands beside",
        ),
    ],
)
def test_what_is_wrong_with_a_topology_is_said_with_its_place(
    compose: Path, old: str, new: str, message: str
) -> None:
    assert message in complaint(compose, old, new)


ENCLOSURES = """\
  enclosures:
    shelf: {title: {en: shelf, ja: 棚}, zone: here.a}
configs:
"""
DB_LABELS = "topology.zone: here.a, topology.health: 8008/health"
MAIL_LABELS = "topology.zone: here.b, topology.health: 8000/x"


@pytest.fixture
def enclosed(compose: Path) -> Path:
    """The small topology with its database on an enclosure."""
    text = swapped(compose.read_text(), "configs:\n  proxies", f"{ENCLOSURES}  proxies")
    compose.write_text(swapped(text, DB_LABELS, f"{DB_LABELS}, topology.enclosure: shelf"))
    return compose


def test_an_enclosure_and_what_sits_on_it(enclosed: Path) -> None:
    read = topology.read(enclosed)
    assert read.enclosures == {"shelf": Enclosure("shelf", Title("shelf", "棚"), "here.a")}
    assert read.enclosures["shelf"].region == "here"
    assert [node.name for node in read.on_enclosure("shelf")] == ["db"]
    assert read.nodes["mail"].enclosure is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "topology.enclosure: shelf",
            "topology.enclosure: shelve",
            'compose.yml:28:112: found "shelve", expected shelf; did you mean "shelf"?',
        ),
        (
            ", topology.enclosure: shelf",
            "",
            'compose.yml:17:5: found "shelf", which no node sits on, '
            "expected a node with the label topology.enclosure: shelf",
        ),
        (
            MAIL_LABELS,
            f"{MAIL_LABELS}, topology.enclosure: shelf",
            'compose.yml:37:103: found "shelf", which stands in here.a, '
            "expected an enclosure in here.b, where mail stands",
        ),
        (
            "zone: here.a}\nconfigs",
            "zone: here.c}\nconfigs",
            'compose.yml:17:46: found "here.c", expected one of here.a, here.b',
        ),
        (
            "    volumes: [db:/mnt/data]\n",
            "",
            'found "shelf" for db, expected a node with volumes: only they are on an enclosure',
        ),
        ("title: {en: shelf, ja: 棚}, ", "", 'compose.yml:17:12: found no "title"'),
        (
            ", zone: here.a}\nconfigs",
            "}\nconfigs",
            'compose.yml:17:12: found no "zone", expected the zone where',
        ),
        (
            "zone: here.a}\nconfigs",
            "zone: here.a, seize: 3}\nconfigs",
            'found "seize", expected one of title, zone',
        ),
    ],
)
def test_what_is_wrong_with_an_enclosure_is_said_with_its_place(
    enclosed: Path, old: str, new: str, message: str
) -> None:
    enclosed.write_text(swapped(enclosed.read_text(), old, new))
    assert message in refusal(lambda: topology.read(enclosed))


def test_what_stands_beside_the_replica_is_no_node_and_may_be_on_more_networks(compose: Path) -> None:
    door = "  door: {image: node, networks: {fabric: {ipv4_address: 10.1.2.13}, out: {}}}\n"
    text = swapped(
        swapped(SMALL, "networks: {fabric: {}, out", door + "networks: {fabric: {}, out"),
        "x-topology:\n",
        "x-topology:\n  beside: [door]\n",
    )
    compose.write_text(text)
    assert list(topology.read(compose).nodes) == ["db", "link", "mail"]


#: A block that docomo's handsets attach to, only where it is asked for; its storage is on an enclosure.
BLOCK = """\
  block:
    image: node
    profiles: [maps]
    volumes: [block:/mnt/data]
    networks: {fabric: {ipv4_address: 10.1.2.14}}
    labels:
      topology.role: block
      topology.zone: here.b
      topology.health: 8000/x
      topology.carrier: docomo
      topology.enclosure: disk
networks: {fabric: {}, out"""


@pytest.fixture
def with_system(compose: Path) -> Path:
    text = swapped(SMALL, "networks: {fabric: {}, out", BLOCK)
    text = swapped(text, "volumes: {db: {}}", "volumes: {db: {}, block: {}}")
    text = swapped(
        text, "      mail: mail\n", "      mail: mail\n      access: {steering: block, blocks: [block]}\n"
    )
    disk = "  enclosures: {disk: {title: {en: disk, ja: 盤}, zone: here.b}}\n"
    compose.write_text(swapped(text, "  carriers:\n", disk + "  carriers:\n"))
    return compose


def test_a_system_of_the_world_stands_with_all_that_belongs_to_it_only_where_it_is_asked_for(
    with_system: Path,
) -> None:
    without = topology.read(with_system)
    assert without.systems == ("maps",)
    assert (list(without.nodes), dict(without.enclosures)) == (["db", "link", "mail"], {})
    assert without.carriers["docomo"].access is None
    whole = topology.read(with_system, variables=topology.asked_for(["maps"]))
    assert list(whole.nodes) == ["db", "link", "mail", "block"]
    assert list(whole.enclosures) == ["disk"]
    assert whole.carriers["docomo"].access == AccessNetwork("block", ("block",))


def test_what_stands_because_it_was_asked_for_stands_in_one_file_as_well(
    with_system: Path, tmp_path: Path
) -> None:
    flat = tmp_path / "flat.yml"
    for variables in (topology.asked_for(["maps"]), topology.asked_for([])):
        flat.write_text(flatten(with_system, [], variables))
        assert topology.read(flat) == topology.read(with_system, variables=variables)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("blocks: [block]", "blocks: []", "at least one block"),
        ("blocks: [block]", "blocks: [mail, bloc]", 'found "bloc", expected a node'),
        ("steering: block", "steering: db", "expected a node with the label topology.carrier: docomo"),
    ],
)
def test_what_is_wrong_with_an_access_network_is_said_with_its_place(
    with_system: Path, old: str, new: str, message: str
) -> None:
    with_system.write_text(swapped(with_system.read_text(), old, new))
    assert message in refusal(lambda: topology.read(with_system, variables=topology.asked_for(["maps"])))


def test_nodes_that_wait_for_each_other(compose: Path) -> None:
    message = complaint(compose, "command: [run, db]", "depends_on: {link: {condition: service_healthy}}")
    assert "found a circle: " in message
    assert message.startswith(("compose.yml:21:18:", "compose.yml:29:18:"))


def test_the_project_s_own_topology() -> None:
    whole = topology.read(ROOT / "docker-compose.multi-region.yml", variables={"CLOCK_SCALE": "60"})
    read = whole.only(["singapore"])
    assert {len(read.in_zone(f"singapore.{zone}")) for zone in "ab"} == {9}
    assert [node.role for node in read.in_zone("singapore.c")] == ["consensus"]
    assert read.nodes["web-a1"].environment["CLOCK_SCALE"] == "60"
    assert read.nodes["database-a"].environment["DATABASE_SYNCHRONOUS"] == "on"
    assert list(read.carriers) == ["docomo", "au", "softbank"]
    assert sum(carrier.share for carrier in read.carriers.values()) == pytest.approx(1.0)
    assert "a-http" in read.nodes["docomo-link"].configs[0].content
    on = {name: [node.name for node in whole.on_enclosure(name)] for name in whole.enclosures}
    assert on["singapore-a-storage"] == ["database-a"]
    assert on["mail-east-storage"] == ["mail-provider-east"]
    assert on["docomo-storage"] == ["docomo-mail"]
    assert on["tokyo-a-archive"] == ["backup-t"]
    assert "tokyo-a-archive" not in read.enclosures
    for node in read:
        assert node.address in read.zones[node.zone].subnet


@pytest.mark.parametrize(
    "path", sorted((ROOT / "scenarios" / "defects").glob("*.yml")), ids=lambda path: str(path.stem)
)
def test_a_defect_lies_over_the_topology_and_changes_it(path: Path) -> None:
    file = ROOT / "docker-compose.multi-region.yml"
    everything = topology.asked_for(topology.read(file).systems)
    sound, defective = topology.read(file, [], everything), topology.read(file, [path], everything)
    assert defective != sound
    assert [name for name in defective.nodes if name in sound.nodes] == list(sound.nodes), (
        "none is taken away"
    )


@settings(max_examples=60)
@given(data=st.data())
def test_any_slip_of_the_pen_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(SMALL)))
    end = data.draw(st.integers(at, min(len(SMALL), at + 12)))
    typed = data.draw(st.text(st.sampled_from("ab19:/-.{}[]*&<$ \n'\"#"), max_size=4))
    compose = tmp_path_factory.getbasetemp() / "slip.yml"
    compose.write_text(SMALL[:at] + typed + SMALL[end:])
    refusal = ""
    try:
        assert isinstance(topology.read(compose), Map)
    except BadInput as error:
        refusal = str(error)
    assert not refusal or refusal.startswith(f"{compose}")
    assert "\n" not in refusal


HOST = """\
  hosts:
    hosting:
      title: {en: hosted, ja: 預かり}
      share: 0.4
      firewall: block
      mailboxes: {block: 8001}
"""


@pytest.fixture
def with_host(with_system: Path) -> Path:
    with_system.write_text(swapped(with_system.read_text(), "  carriers:\n", f"{HOST}  carriers:\n"))
    return with_system


def test_hosted_mail_is_there_where_its_firewall_is(with_host: Path) -> None:
    assert topology.read(with_host).hosts == {}
    whole = topology.read(with_host, variables=topology.asked_for(["maps"]))
    assert whole.hosts == {
        "hosting": MailHost("hosting", Title("hosted", "預かり"), 0.4, "block", {"block": 8001})
    }
    assert whole.only(["here"]).hosts == whole.hosts


def test_hosts_have_no_more_than_all_companies(with_host: Path) -> None:
    other = HOST.replace("  hosts:\n", "").replace("hosting:", "other:")
    with_host.write_text(swapped(with_host.read_text(), "  carriers:\n", f"{other}  carriers:\n"))
    standing = topology.asked_for(["maps"])
    assert [host.share for host in topology.read(with_host, variables=standing).hosts.values()] == [0.4, 0.4]
    text = with_host.read_text().replace("share: 0.4", "share: 0.6")
    with_host.write_text(text)
    complaint = refusal(lambda: topology.read(with_host, variables=standing))
    assert "found shares that add up to 1.2, expected shares of the companies that add up to 1" in complaint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("share: 0.4", "share: 1.4", "found 1.4, expected a share above 0, at most 1"),
        ("share: 0.4", "share: 0", "found 0, expected a share above 0, at most 1"),
        ("firewall: block", "firewall: blok", 'did you mean "block"?'),
        ("mailboxes: {block: 8001}", "mailboxes: {blok: 8001}", 'did you mean "block"?'),
        ("mailboxes: {block: 8001}", "mailboxes: {}", "expected at least one mailbox server"),
        ("mailboxes: {block: 8001}", "mailboxes: {block: 80001}", "expected a port of at most 65535"),
    ],
)
def test_what_is_wrong_with_hosted_mail_is_said_with_its_place(
    with_host: Path, old: str, new: str, message: str
) -> None:
    with_host.write_text(swapped(with_host.read_text(), old, new))
    complaint = refusal(lambda: topology.read(with_host))  # also while nobody asks for it
    assert complaint.startswith("compose.yml:")
    assert message in complaint
