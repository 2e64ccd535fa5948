"""The verbs of the scenario language, as data: what each is aimed at, what undoes it, what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Aim(Enum):
    """What a verb is aimed at, and so how its target is written."""

    NODES = "nodes"  # a selector
    DOMAINS = "domains"  # {between: [here, there]} or {from: [...], to: [...]}
    LINK = "link"  # {link: carrier, ...}
    ENCLOSURES = "enclosures"  # {enclosure: name} or a selector of nodes on it, perhaps how it fails
    KEEPING = "keeping"  # {share: 0.3, keeps: 120s}, perhaps with the carrier
    SUPPLY = "supply"  # {supply: area, important: 20%, others_last: 6h}
    FILTER = "filter"  # {carrier: name, senders: .co.jp}
    EVENT = "event"  # an event's name, or {event: name, info: ..., status: ...}
    RUNBOOK = "runbook"  # a runbook's name, or {runbook: name, and its parameters}
    DATA = "data"  # {answers: {company: 3}}, {table: name} or {archive: node}


class Unit(Enum):
    """How an argument is written, and what it is in SI."""

    DURATION = "duration"  # 300ms -> 0.3, seconds
    RATE = "rate"  # 32KB/s -> 32.0, thousands of bytes a second, Toxiproxy's unit
    SHARE = "share"  # 0.3 or 30% -> 0.3, of all connections


@dataclass(frozen=True)
class Argument:
    name: str
    unit: Unit
    about: str


@dataclass(frozen=True)
class Verb:
    """One verb. `undone_by` is the verb that takes it back on the same target; None: nothing to take back."""

    name: str
    aim: Aim
    undone_by: str | None
    about: str
    arguments: tuple[Argument, ...] = ()


VERBS: Final[Mapping[str, Verb]] = {
    verb.name: verb
    for verb in (
        Verb("lose", Aim.NODES, "restore", "power goes, without a goodbye"),
        Verb("hang", Aim.NODES, "resume", "nodes keep their connections and answer nothing"),
        Verb("cut", Aim.DOMAINS, "join", "no packet passes between two domains"),
        Verb(
            "degrade",
            Aim.LINK,
            "ease",
            "a carrier's access link gets worse",
            (
                Argument("latency", Unit.DURATION, "added to everything that passes"),
                Argument("jitter", Unit.DURATION, "by how much the latency varies, up and down"),
                Argument("bandwidth", Unit.RATE, "what passes at most, for each connection"),
                Argument("refused", Unit.SHARE, "of new connections, refused at once"),
                Argument("silence", Unit.SHARE, "of connections, left without any answer"),
                Argument("resets", Unit.SHARE, "of connections, reset half-way"),
            ),
        ),
        Verb("fail", Aim.ENCLOSURES, "repair", "a storage enclosure fails, with all that is on it"),
        Verb("erase", Aim.DATA, None, "data is destroyed by mistake; only a runbook brings it back"),
        Verb("stale", Aim.KEEPING, "fresh", "a share of the resolvers keeps answers longer than it may"),
        Verb("blackout", Aim.SUPPLY, "relight", "an area has no power; its base stations run on batteries"),
        Verb("misfilter", Aim.FILTER, "unfilter", "a carrier's filter takes wanted mail for spam"),
        Verb("publish", Aim.EVENT, None, "the agency sends a telegram"),
        Verb("run", Aim.RUNBOOK, None, "a runbook is performed; the timeline goes on meanwhile"),
    )
}

#: The verbs that take back others: `restore` -> `lose`.
UNDOES: Final[Mapping[str, Verb]] = {verb.undone_by: verb for verb in VERBS.values() if verb.undone_by}
