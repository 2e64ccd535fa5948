"""What the load is told: one JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from harness import canaries
from harness.congestion import Looks
from harness.load import access, population
from harness.load.access import Access, Hosted
from harness.load.visits import Visits
from topology.map import Map

#: Locust's own.
MASTER_PORT: Final = 5557


@dataclass(frozen=True)
class LoadConfig:
    """Settings of `python -m harness.load`: of this replica, not figures of the world.

    `clock` is drill seconds to a real second. `again` of the people answer a second time, `look` of them look
    at their page again, `tls` of them use https. `worker` of `workers` serves the people whose number leaves
    that remainder.
    """

    seed: int
    clock: float
    curve: str
    companies: int
    people: int
    areas: tuple[str, ...]
    access: tuple[Access, ...]
    history: Path  # the folder that load-<worker>.arrow is written to
    host: str = "anpi.example"
    again: float = 0.15
    look: float = 0.05
    tls: float = 0.1
    # How long a person waits for one entrance, real seconds. Who gives up sooner than an overloaded service answers
    # only adds to the load: with 1 s here, 400 people a second never got well again.
    try_s: float = 4.0
    pause_s: tuple[float, float] = (3.0, 6.0)  # before a person tries again, at first; real seconds
    live_every_s: float = 1.0  # from one live line on standard output to the next; real seconds
    patience: int = 20  # attempts of one person before they give up
    worker: int = 0
    workers: int = 1
    master: tuple[str, int] | None = (
        None  # where the master of several processes listens; none: this is all of it
    )
    # Who had no notice looks into the mailbox: so long after everyone knows, so far apart, so often. Drill minutes.
    looks_after_min: float = 10.0
    looks_every_min: float = 10.0
    looks: int = 3
    opened: Path | None = None  # what opened mails are written to; none: they are not
    radio: tuple[str, int] | None = None  # who tells where there is a signal; none: there is one everywhere
    visits: Visits | None = None  # how often people visit besides; none: never
    hosted: tuple[Hosted, ...] = ()
    canary: str = ""  # what marks one company's data, see `harness.canaries`; none: nothing is marked

    @classmethod
    def of(
        cls,
        topology: Map,
        *,
        seed: int,
        clock: float,
        curve: str,
        companies: int,
        people: int,
        areas: Sequence[str],
        history: Path,
        opened: Path | None = None,
        again: float = 0.15,
        tls: float = 0.1,
        canary: str = "",
        by_hand: Looks | None = None,
        visits: Visits | None = None,
    ) -> LoadConfig:
        """The load of one drill on a topology, in one process."""
        by_hand = by_hand or Looks()
        return cls(
            seed,
            clock,
            curve,
            companies,
            people,
            tuple(areas),
            access.of(topology),
            history,
            looks_after_min=by_hand.after_min,
            looks_every_min=by_hand.every_min,
            looks=by_hand.looks,
            opened=opened,
            again=again,
            tls=tls,
            hosted=access.hosted(topology),
            canary=canary,
            radio=access.radio(topology),
            visits=visits,
        )

    def shared(self, workers: int, port: int = MASTER_PORT) -> tuple[LoadConfig, ...]:
        """This load, its people shared among so many processes. Raises ValueError for less than one.

        Several have a master, which listens at `port` of the node where they all are.
        """
        if workers < 1:
            raise ValueError(f"a load is played by at least one process, not {workers}")
        master = None if workers == 1 else ("127.0.0.1", port)
        return tuple(replace(self, worker=each, workers=workers, master=master) for each in range(workers))

    @property
    def opened_file(self) -> Path | None:
        """What this process writes of opened mails. Of several processes each has its own, in a folder of that name."""
        if self.opened is None or self.workers == 1:
            return self.opened
        return self.opened / f"load-{self.worker}.arrow"

    def population(self) -> population.Population:
        """The same people that were enrolled for these settings."""
        everybody = population.generate(
            seed=self.seed,
            companies=self.companies,
            people=self.people,
            carriers={one.carrier: one.share for one in self.access},
            areas=self.areas,
            hosts={one.name: one.share for one in self.hosted},
        )
        return canaries.planted(everybody, self.canary) if self.canary else everybody

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str, indent=1)

    @classmethod
    def from_json(cls, text: str) -> LoadConfig:
        """Raises ValueError, KeyError or TypeError for a file that is not a load's configuration."""
        data = json.loads(text)
        data["areas"] = tuple(data["areas"])
        data["access"] = tuple(Access.parse(one) for one in data["access"])
        data["hosted"] = tuple(Hosted.parse(one) for one in data["hosted"])
        data["pause_s"] = tuple(data["pause_s"])
        data["master"] = (str(data["master"][0]), int(data["master"][1])) if data["master"] else None
        data["radio"] = (str(data["radio"][0]), int(data["radio"][1])) if data["radio"] else None
        data["visits"] = Visits.parse(data["visits"]) if data["visits"] else None
        data["history"] = Path(data["history"])
        data["opened"] = Path(data["opened"]) if data["opened"] else None
        return cls(**data)
