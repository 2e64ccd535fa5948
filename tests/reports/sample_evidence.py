"""The documents of the sample run: its plan, its events, what the host was like, and what the checks said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Row = dict[str, object]
At = Callable[[float], int]

_ZONE = ("consensus", "database", "balancer", "web", "feed", "feed-api", "alerter", "mailer")
LOST = tuple(f"{role}-a" for role in _ZONE)
NODES = (
    *LOST,
    *(f"{role}-b" for role in _ZONE),
    "consensus-c",
    "agency",
    "mail-provider-east",
    "docomo-link",
    "docomo-mail",
)
EVENT = "20260311144600"
TELEGRAM = {
    "event_id": EVENT,
    "kind": "VXSE53",
    "info": "発表",
    "status": "通常",
    "areas": {"350": "7", "351": "6+"},
}
VERSIONS = {"harness": "0.1.0", "python": "3.11.9", "postgresql": "18.6", "patroni": "4.1.5", "etcd": "3.5.1"}


def plan(seed: int) -> Row:
    return {
        "scenario": {
            "name": "az-loss",
            "title": {"en": "Loss of zone A", "ja": "ゾーンAの喪失"},
            "why": "One data centre loses its power while the whole country answers.",
            "drill": {"event": "kanto-shindo7", "companies": 40, "people": 20000, "curve": "everyone-2019"},
            "timeline": [
                {"at": "0s", "publish": "kanto-shindo7"},
                {"at": "30s", "lose": {"zone": "singapore.a"}},
                {"at": "80s", "restore": {"zone": "singapore.a"}},
            ],
            "ends": "110s",
        },
        "timeline": [
            {
                "id": "0-publish",
                "at_s": 0.0,
                "verb": "publish",
                "target": "kanto-shindo7",
                "telegram": TELEGRAM,
            },
            {"id": "1-lose", "at_s": 30.0, "verb": "lose", "target": "zone singapore.a"},
            {
                "id": "2-restore",
                "at_s": 80.0,
                "verb": "restore",
                "target": "zone singapore.a",
                "undoes": "1-lose",
            },
        ],
        "topology": "docker-compose.multi-region.yml",
        "overrides": [],
        "seed": seed,
        "versions": VERSIONS,
        "expect": {
            "answers": {"lost": 0, "rpo": 0.0},
            "recovery": {"write": 30.0, "read": 15.0},
            "failover": {"primaries": 1},
            "broadcast": {"exactly": "once"},
            "mail": {"lost": 0, "misdelivered": 0, "duplicated": 0, "all_out_within": 3600.0},
        },
    }


def events(at_ns: At, answers: int) -> list[Row]:
    rows: list[Row] = [
        _event(at_ns(-41), "run.started", scenario="az-loss", seed=7, runtime="local", versions=VERSIONS)
    ]
    for number, node in enumerate(NODES):
        rows.append(_event(at_ns(-40 + number * 0.02), "node.starting", node=node))
    for number, node in enumerate(NODES):
        seconds = 1.5 + number * 0.4
        rows.append(_event(at_ns(-40 + number * 0.02 + seconds), "node.ready", node=node, seconds=seconds))
    proof = "web-a, database-a, balancer-a refuse connections; 8 of 8 nodes of the zone are gone"
    rows += [
        _event(at_ns(-25.5), "nodes.ready", seconds=14.1),
        _event(at_ns(-20), "enrolled", companies=40, people=20000),
        _event(at_ns(-0.5), "steady", seconds=4.0),
        _event(at_ns(0), "timeline.started"),
        {"at_ns": at_ns(0.01), "kind": "published", "what": "kanto-shindo7", **_told()},
        _event(
            at_ns(29.99),
            "fault.injecting",
            fault="1-lose",
            verb="lose",
            target="zone singapore.a",
            nodes=list(LOST),
        ),
        _event(at_ns(30), "fault.injected", fault="1-lose"),
        _event(at_ns(30.4), "fault.proven", fault="1-lose", effect="proven", proof=proof),
        _event(at_ns(80), "fault.undoing", fault="1-lose"),
        _event(at_ns(80.2), "fault.undone", fault="1-lose"),
        _event(
            at_ns(86), "fault.undone.seen", fault="1-lose", verified=True, proof="all 8 nodes answer again"
        ),
        _event(at_ns(110), "timeline.ended"),
        _event(
            at_ns(116),
            "quiet",
            seconds=6.0,
            drained=True,
            why="no mail is waiting and the standby has caught up",
        ),
        _event(at_ns(117), "readback", what="answers", rows=answers),
        _event(at_ns(119), "run.ended", clean=True),
    ]
    return rows


def _event(at: int, kind: str, **data: object) -> Row:
    return {"at_ns": at, "kind": kind, **data}


def _told() -> Row:
    """What the event says of the telegram."""
    return {
        "event_id": EVENT,
        "telegram": "VXSE53",
        "info": "発表",
        "status": "通常",
        "areas": TELEGRAM["areas"],
    }


def undos(at_ns: At) -> list[Row]:
    return [{"at_ns": at_ns(29.98), "fault": "1-lose", "verb": "restore", "nodes": list(LOST)}]


def host(rng: np.random.Generator, at_ns: At) -> list[Row]:
    rows: list[Row] = []
    for tick in range(-12, 236):
        second = tick / 2
        busy = 0.42 + 0.3 * float(np.exp(-abs(second - 43) / 5)) + 0.18 * float(np.exp(-abs(second - 82) / 3))
        cpu = min(1.0, busy + float(rng.normal(0, 0.03)))
        some = max(0.0, (cpu - 0.35) * 0.5 + float(rng.normal(0, 0.01)))
        rows.append(
            {
                "at_ns": at_ns(second),
                "cpu_busy": round(cpu, 4),
                "psi_some_avg10": round(some, 4),
                "mem_available": 9 * 2**30,
            }
        )
    return rows


def company_name(number: int) -> str:
    """One name is Japanese, one is out to break the page."""
    named = {1: "関東製作所株式会社", 2: "<script>alert('x')</script> & Sons", 3: "Harbour Freight Co."}
    return named.get(number, f"Company {number}")
