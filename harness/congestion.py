"""Congestion: what a disaster does to each carrier's network over time, read from a profile.

A profile is data with sources, in drill time: shares of new connections that are refused, latency and bandwidth of what
gets through, what becomes of push notices, how often people then look into their mailbox by hand, how many mails a
minute a carrier takes before it puts senders off. Each time at which
something changes begins a stage; the scheduler makes a fault of each. Calls are not simulated: their blocked share
stands in the profile so that a report can show it beside what was measured of the packets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness import quantities
from harness.duration import Duration
from harness.rundir import Json
from topology.document import BadInput, Fields, Value, load_all, nearest, one_of
from topology.map import Map

#: Where a scenario's own profiles are, beside it.
FOLDER: Final = "congestion"
#: The profiles that come with the harness.
SUPPLIED: Final = Path(__file__).parents[1] / "scenarios" / FOLDER
#: What can be said of a carrier at a stage: seconds, thousands of bytes a second, shares. `notices_within` is how long
#: a late notice takes at most; `mails_per_s` is how many mails its exchanger takes.
EFFECTS: Final = ("refused", "silence", "latency", "bandwidth")
NOTICES: Final = ("notices_late", "notices_lost", "notices_within")
MAILS: Final = "mails_per_s"
_NEAR: Final = 1e-9

#: Profiles as they were written, by name.
Written = Mapping[str, Fields]


@dataclass(frozen=True)
class Congestion:
    """A profile by its name, as a timeline is aimed at it."""

    profile: str

    def data(self) -> Mapping[str, Json]:
        return {"profile": self.profile}

    def __str__(self) -> str:
        return self.profile


@dataclass(frozen=True)
class Looks:
    """When nobody rang: people look by hand so long after they know, so many times, so far apart; drill minutes."""

    after_min: float = 10.0
    every_min: float = 10.0
    looks: int = 3


@dataclass(frozen=True)
class Restriction:
    """One stage of a profile: what each carrier does to its people, all times in real seconds.

    `after_s`: since when, of the profile's own drill time. `followed`: another stage takes its place at its end.
    `voice`: carrier -> (drill seconds, share of calls blocked from then on).
    """

    profile: str
    after_s: float
    carriers: Mapping[str, Mapping[str, float]]
    followed: bool = False
    looks: Looks = field(default_factory=Looks)
    voice: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)

    def data(self) -> Mapping[str, Json]:
        looks: dict[str, Json] = {
            "after_min": self.looks.after_min,
            "every_min": self.looks.every_min,
            "looks": self.looks.looks,
        }
        return {
            "profile": self.profile,
            "after_s": self.after_s,
            "carriers": {name: dict(effects) for name, effects in self.carriers.items()},
            "followed": self.followed,
            "looks": looks,
            "voice": {name: [list(step) for step in steps] for name, steps in self.voice.items()},
        }

    def __str__(self) -> str:
        told = "; ".join(f"{name} {_told(effects)}" for name, effects in self.carriers.items())
        return f"{self.profile} from {self.after_s / 60:g} min: {told}"


def _told(effects: Mapping[str, float]) -> str:
    words = []
    if refused := effects.get("refused", 0.0) + effects.get("silence", 0.0):
        words.append(f"{refused:.0%} refused")
    if "latency" in effects:
        words.append(f"+{effects['latency'] * 1000:.0f} ms")
    if "bandwidth" in effects:
        words.append(f"{effects['bandwidth']:g} KB/s")
    if troubled := effects.get("notices_late", 0.0) + effects.get("notices_lost", 0.0):
        words.append(f"{troubled:.0%} of notices late or lost")
    if MAILS in effects:
        words.append(f"{effects[MAILS]:g} mails/s")
    return ", ".join(words)


@dataclass(frozen=True)
class Profile:
    """`packets`: carrier -> what changes when, oldest first; drill time, and `notices_within` in drill seconds."""

    name: str
    packets: Mapping[str, tuple[tuple[Duration, Mapping[str, float]], ...]]
    voice: Mapping[str, tuple[tuple[float, float], ...]]
    looks: Looks

    def stages(self, clock: float) -> list[tuple[Duration, Restriction | None]]:
        """Every time at which something changes, in drill time, and what is in force from then on; None: nothing."""
        times = sorted({at for steps in self.packets.values() for at, _ in steps})
        found: list[tuple[Duration, Restriction | None]] = []
        for number, at in enumerate(times):
            carriers = {name: _scaled(now, clock) for name in self.packets if (now := self._at(name, at))}
            last = number + 1 == len(times)
            followed = not last and any(self._at(name, times[number + 1]) for name in self.packets)
            made = Restriction(self.name, at.s, carriers, followed, self.looks, self.voice)
            found.append((at, made if carriers else None))
        return found

    def _at(self, carrier: str, at: Duration) -> Mapping[str, float]:
        begun = [effects for since, effects in self.packets[carrier] if since <= at]
        return begun[-1] if begun else {}


def _scaled(effects: Mapping[str, float], clock: float) -> Mapping[str, float]:
    factors = {"notices_within": 1 / clock, MAILS: clock}
    return {name: value * factors.get(name, 1.0) for name, value in effects.items()}


def written(*folders: Path) -> dict[str, Fields]:
    """Every profile in these folders, by the name of its file; of two with one name the later. Raises BadInput."""
    return load_all("a congestion profile", *folders)


def read(name: Value, known: Written, topology: Map) -> Profile:
    """Raises BadInput: at `name` for a profile that is not there, in the profile's own file for all that is wrong."""
    wanted = name.as_text("a congestion profile")
    if wanted not in known:
        raise name.bad(f"a congestion profile: {one_of(known)}", nearest(wanted, known))
    fields = known[wanted]
    fields.only("name", "title", "why", "by_hand", "carriers")
    own = fields.need("name", "the profile's name")
    if own.as_text("a name") != wanted:
        raise own.bad(f'the name of its file, "{wanted}"')
    packets, voice = {}, {}
    carriers = fields.need("carriers", "what happens at each carrier").as_fields()
    for carrier, value in carriers:
        if carrier not in topology.carriers:
            near = nearest(carrier, topology.carriers)
            raise carriers.bad_key(carrier, f"a carrier of the topology, {one_of(topology.carriers)}", near)
        inner = value.as_fields("{voice: …, packets: […]}")
        inner.only("voice", "packets")
        packets[carrier] = _packets(inner.need("packets", "what becomes of packets, and when"))
        if "voice" in inner:
            voice[carrier] = _voice(inner.need("voice", "calls"))
    if not any(effects for steps in packets.values() for _, effects in steps):
        raise carriers.bad("at least one carrier with packets that are restricted")
    return Profile(wanted, packets, voice, _looks(fields.get("by_hand")))


def from_data(value: Value) -> Restriction:
    """What `Restriction.data` gave, as plans keep it. Raises BadInput."""
    fields = value.as_fields("a stage of congestion")
    looks = fields.need("looks", "looks").as_fields()
    return Restriction(
        fields.need("profile", "a profile").as_text(),
        fields.need("after_s", "seconds").as_number(),
        {
            carrier: {name: each.as_number() for name, each in inner.as_fields()}
            for carrier, inner in fields.need("carriers", "carriers").as_fields()
        },
        fields.need("followed", "true or false").as_flag(),
        Looks(
            looks.need("after_min", "minutes").as_number(),
            looks.need("every_min", "minutes").as_number(),
            looks.need("looks", "a number").as_whole(),
        ),
        {
            carrier: tuple(_pair(step) for step in steps.as_items())
            for carrier, steps in fields.need("voice", "calls").as_fields()
        },
    )


def _pair(value: Value) -> tuple[float, float]:
    at, share = (each.as_number() for each in value.as_items())
    return at, share


def _looks(value: Value | None) -> Looks:
    if value is None:
        return Looks()
    fields = value.as_fields("{after: 10min, every: 10min, looks: 3}")
    fields.only("after", "every", "looks")
    after, every = (
        quantities.duration(fields.need(name, "a duration")).s / 60 for name in ("after", "every")
    )
    return Looks(after, every, fields.need("looks", "how often").as_whole("a number of looks", least=1))


def _packets(value: Value) -> tuple[tuple[Duration, Mapping[str, float]], ...]:
    found: list[tuple[Duration, Mapping[str, float]]] = []
    for step in value.as_items("a list of {after: …, connections: …, …}"):
        fields = step.as_fields("{after: 20min, connections: {served: 70%, refused: 30%}, …}")
        fields.only("after", "connections", "latency", "bandwidth", "notices", "mails")
        since = fields.need("after", "since when, drill time")
        at = quantities.duration(since)
        if found and at <= found[-1][0]:
            raise since.bad(f"a time after {found[-1][0]}")
        effects: dict[str, float] = {}
        if (connections := fields.get("connections")) is not None:
            shares = _whole(connections, "served", "refused", "silence")
            effects |= {name: share for name, share in shares.items() if name != "served" and share}
        if (latency := fields.get("latency")) is not None:
            effects["latency"] = quantities.duration(latency).s
        if (bandwidth := fields.get("bandwidth")) is not None:
            effects["bandwidth"] = quantities.rate(bandwidth)
        if (notices := fields.get("notices")) is not None:
            effects |= _notices(notices)
        if (mails := fields.get("mails")) is not None:
            effects[MAILS] = quantities.per_minute(mails) / 60
        found.append((at, effects))
    return tuple(found)


def _notices(value: Value) -> Mapping[str, float]:
    fields = value.as_fields("{at_once: 40%, late: 40%, lost: 20%, within: 30min}")
    shares = _whole(value, "at_once", "late", "lost", others=("within",))
    effects = {f"notices_{name}": shares.get(name, 0.0) for name in ("late", "lost")}
    if effects["notices_late"]:
        within = fields.need("within", "how long a late notice takes at most, drill time")
        effects["notices_within"] = quantities.duration(within).s
    return {name: share for name, share in effects.items() if share}


def _whole(value: Value, *names: str, others: tuple[str, ...] = ()) -> Mapping[str, float]:
    """Shares of one whole. Raises BadInput where they do not add up to 1."""
    fields = value.as_fields("shares: {" + ", ".join(f"{name}: …" for name in names) + "}")
    fields.only(*names, *others)
    shares = {name: quantities.share(share) for name, share in fields if name in names}
    total = sum(shares.values())
    if abs(total - 1) > _NEAR:
        raise BadInput(value.place, f"shares that add up to {total:.6g}", "shares that add up to 1")
    return shares


def _voice(value: Value) -> tuple[tuple[float, float], ...]:
    fields = value.as_fields("{blocked: [{after: 0min, share: 90%}]}")
    fields.only("demand", "blocked")
    if "demand" in fields:
        fields.need("demand", "times the usual").as_number("times the usual")
    steps = fields.need("blocked", "the share of calls that is blocked, over time").as_items()
    found: list[tuple[float, float]] = []
    for step in steps:
        inner = step.as_fields("{after: 0min, share: 90%}")
        inner.only("after", "share")
        at_s = quantities.duration(inner.need("after", "since when, drill time")).s
        found.append((at_s, quantities.share(inner.need("share", "the share that is blocked"))))
    return tuple(sorted(found))
