"""What the probes are told: one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.load.access import HTTP_PORT, Access
from harness.load.config import LoadConfig
from harness.probes.door import Door
from topology.map import Map, Node

DATABASE_PORT: Final = 5432
CONSENSUS_PORT: Final = 2379

#: Probes a second of each capability at each carrier (`feed` knows no carriers: it is asked for once; `attach` is for
#: each block of an access network).
RATES: Final[Mapping[str, float]] = {
    "read": 10.0,
    "write": 10.0,
    "login": 10.0,
    "feed": 10.0,
    "delivery": 10.0,
    "attach": 5.0,
}


@dataclass(frozen=True)
class Login:
    """How an administrator of the probe company signs in."""

    company: int
    user: str
    password: str


@dataclass(frozen=True)
class ProbeConfig:
    """Settings of `python -m harness.probes`.

    `people`: of each carrier, who may be played: (person, token of their link). A rate of 0 leaves one out.
    """

    folder: Path  # the run directory: probes/probes.arrow and databases.arrow are written below it
    access: tuple[Access, ...]
    people: Mapping[str, tuple[tuple[int, str], ...]]
    login: Login
    feed_apis: tuple[Door, ...]
    mail_providers: tuple[Door, ...]
    databases: tuple[Door, ...]
    database_password: str
    consensus: tuple[Door, ...]
    regions: Mapping[str, str]  # of each node of `databases` and `consensus`
    host: str = "anpi.example"
    rates: Mapping[str, float] = field(default_factory=lambda: dict(RATES))
    live_every_s: float = 1.0  # from one live line on standard output to the next

    @classmethod
    def of(cls, topology: Map, *, load: LoadConfig, tokens: Mapping[int, str], folder: Path) -> ProbeConfig:
        """The probes beside a load. `tokens` are those of the probe company's people.

        Raises KeyError when one of them has no token.
        """
        population = load.population()
        company = population.probe_company
        databases, consensus = topology.with_role("database"), topology.with_role("consensus")
        return cls(
            folder=folder,
            access=load.access,
            people={
                one.carrier: tuple(
                    (person.number, tokens[person.number])
                    for person in population.probe_people
                    if person.carrier == one.carrier
                )
                for one in load.access
            },
            login=Login(company.number, company.admin, company.password),
            feed_apis=_doors(topology.with_role("feed-api"), HTTP_PORT),
            mail_providers=_doors(topology.with_role("mail-provider"), HTTP_PORT),
            databases=_doors(databases, DATABASE_PORT),
            database_password=databases[0].environment["DATABASE_PASSWORD"] if databases else "",
            consensus=_doors(consensus, CONSENSUS_PORT),
            regions={node.name: node.region for node in (*databases, *consensus)},
            host=load.host,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str, indent=1)

    @classmethod
    def from_json(cls, text: str) -> ProbeConfig:
        """Raises ValueError, KeyError or TypeError for a file that is not a configuration of the probes."""
        data: dict[str, Any] = json.loads(text)
        data["folder"] = Path(data["folder"])
        data["access"] = tuple(Access.parse(one) for one in data["access"])
        data["people"] = {
            carrier: tuple((int(person), str(token)) for person, token in people)
            for carrier, people in data["people"].items()
        }
        data["login"] = Login(**data["login"])
        for name in ("feed_apis", "mail_providers", "databases", "consensus"):
            data[name] = tuple(Door(**door) for door in data[name])
        return cls(**data)


def _doors(nodes: Sequence[Node], port: int) -> tuple[Door, ...]:
    return tuple(Door(node.name, str(node.address), port) for node in nodes)
