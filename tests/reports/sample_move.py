"""A run directory of a lost region whose service is moved to another by a runbook: small, made up, always the same.

Singapore loses its power at 20 s, Tokyo takes writes from 31 s on, Singapore is back at 60 s and follows again.
Virginia falls behind from 6 s to 12 s. By hand: `python tests/reports/sample_move.py DIRECTORY [ja]`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import sample_run
import yaml
from sample_run import ANCHOR_NS, CARRIERS, START_NS, Sample, at_ns, lines, operations, stream

from harness.checks.judge import judge, write_verdict
from harness.rundir import Clock, RunDir, history
from topology.flat import flatten

SCALE = 60.0
LOST_S, MOVED_S, BACK_S, FOLLOWS_S, END_S = 20.0, 31.0, 60.0, 66.0, 90.0
PEOPLE = 600
#: The runbook's steps: name, titles, planned, begun, proven (seconds), command, proof.
STEPS = (
    ("declare", "Declare the region lost", "リージョンの喪失を宣言する", 10, 24.0, 25.2, "declare",
     "no node of singapore answers"),
    ("fence", "Fence it off", "書き込みを禁じる", 10, 25.2, 26.9, "fence",
     "nobody may write; no database of singapore takes a write"),
    ("hand-over/promote", "Promote the other region's database", "切り替え先のデータベースを昇格する", 30, 27.0, 32.1,
     "promote", "database-t takes a write"),
    ("hand-over/names", "Move the names", "名前を切り替える", 10, 32.1, 34.4, "move-names",
     "anpi.example leads to 10.77.11.13 at every carrier's resolver"),
    ("hand-over", "Hand over", "引き継ぐ", 10, 34.4, 34.9, "", "database-t takes a write"),
    ("users", "Confirm from the user side", "利用者側で確認する", 60, 34.9, 41.3, "", "30 of 30 users, five times"),
)  # fmt: skip


def build(path: Path) -> Sample:
    """Write the whole run directory below `path`, which must not exist yet."""
    for part in ("history", "probes", "final", "mail", "nodes", "figures", "backups"):
        (path / part).mkdir(parents=True)
    run = RunDir(path)
    run.clock = Clock(ANCHOR_NS, "2026-03-11T05:46:00+00:00", SCALE, START_NS)
    run.write("plan.yaml", yaml.safe_dump(_plan(), allow_unicode=True, sort_keys=False))
    topology = Path(__file__).parents[2] / "docker-compose.multi-region.yml"
    run.write("topology.yml", flatten(topology))
    answers = _load(path)
    lines(path / "events.jsonl", _events(len(answers)))
    lines(path / "undo.jsonl", [{"at_ns": at_ns(LOST_S), "fault": "1-lose", "verb": "restore"}])
    lines(path / "host.jsonl", [])
    lines(path / "final" / "answers.jsonl", answers)
    lines(path / "final" / "companies.jsonl", [])
    lines(path / "final" / "broadcasts.jsonl", [])
    _probes(path)
    _databases(path)
    _replication(path)
    _backups(path)
    write_verdict(run, judge(run))
    return Sample(run, len(answers))


def _plan() -> dict[str, object]:
    return {
        "scenario": {
            "name": "region-loss",
            "title": {"en": "Loss of Singapore", "ja": "シンガポールの喪失"},
            "why": "The whole main region loses its power; the service goes on in Tokyo.",
        },
        "timeline": [],
        "seed": 7,
        "expect": {
            "answers": {"rpo": 5.0, "lost": 500},
            "recovery": {"write": 30.0},
            "failover": {"primaries": 1},
            "replication": {"lag": 5.0, "alarms": 1},
            "isolation": {},
        },
    }


def _events(answers: int) -> list[dict[str, object]]:
    def event(at_s: float, kind: str, **data: object) -> dict[str, object]:
        return {"at_ns": at_ns(at_s), "kind": kind, **data}

    lost = ["database-a", "database-b", "web-a"]
    lag = {"alarm": "replication", "node": "database-v", "region": "virginia"}
    rows = [
        event(-20, "run.started", scenario="region-loss", seed=7, runtime="local"),
        event(0, "timeline.started"),
        event(10.6, "alarm.raised", **lag, lag_s=2.61),
        event(12.4, "alarm.over", **lag, lag_s=0.24),
        event(LOST_S - 0.1, "fault.injecting", fault="1-lose", verb="lose", target="region singapore", nodes=lost),
        event(LOST_S, "fault.injected", fault="1-lose"),
        event(LOST_S + 0.4, "fault.proven", fault="1-lose", effect="proven", proof="no node of singapore answers"),
        *_performance(event),
        event(BACK_S, "fault.undoing", fault="1-lose"),
        event(BACK_S + 0.2, "fault.undone", fault="1-lose"),
        event(BACK_S + 7, "fault.undone.seen", fault="1-lose", verified=True, proof="all nodes answer"),
        *_second(event),
        event(END_S, "timeline.ended"),
        event(END_S + 1, "readback", what="answers", rows=answers),
        event(END_S + 2, "run.ended", clean=True),
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row["at_ns"])  # type: ignore[arg-type, return-value]


def _performance(event: object) -> list[dict[str, object]]:
    """The move, from its first step to its last; every step is proven."""
    assert callable(event)
    of = {"performance": "2-run", "runbook": "region-move"}
    steps = [
        {"step": name, "title": {"en": en, "ja": ja}, "within_s": planned}
        for name, en, ja, planned, *_ in STEPS
    ]
    title = {"en": "A region is lost, another one takes over", "ja": "リージョン喪失時の切り替え"}
    arguments = {"from": "singapore", "to": "tokyo"}
    rows = [
        event(24, "runbook.started", **of, title=title, arguments=arguments, steps=steps, first="declare")
    ]
    for number, (name, _, _, planned, begun_s, proven_s, command, proof) in enumerate(STEPS, 1):
        step = {**of, "step": name, "number": number}
        proofs = ["users-served"] if name == "users" else []
        rows += [
            event(
                begun_s,
                "step.started",
                **step,
                command=command,
                arguments={},
                proofs=proofs,
                within_s=planned,
            ),
            event(begun_s + 0.5, "step.done", **step, said=""),
            event(proven_s, "step.proven", **step, proof=proof, seconds=round(proven_s - begun_s, 3)),
        ]
    return [*rows, event(41.3, "runbook.ended", **of, outcome="proven", step="", why="")]


def _second(event: object) -> list[dict[str, object]]:
    """The way back: it goes on at its second step, and fails there."""
    assert callable(event)
    of = {"performance": "3-run", "runbook": "region-return"}
    told = (
        ("resync", "Bring it back", "待機系に戻す"),
        ("switch-back", "Switch back", "切り戻す"),
        ("notice", "Say so", "知らせる"),
    )
    steps = [{"step": name, "title": {"en": en, "ja": ja}, "within_s": 12} for name, en, ja in told]
    why = "not proven within 12s: database-a refuses a write: it is a standby"
    title = {"en": "A lost region comes back", "ja": "喪失したリージョンの復帰"}
    arguments = {"from": "tokyo", "to": "singapore"}
    step = {**of, "step": "switch-back", "number": 2}
    return [
        event(
            70, "runbook.started", **of, title=title, arguments=arguments, steps=steps, first="switch-back"
        ),
        event(70.1, "step.started", **step, command="", proofs=[], within_s=12),
        event(82.4, "step.failed", **step, why=why),
        event(82.5, "runbook.ended", **of, outcome="failed", step="switch-back", why=why),
    ]


def _served(at_s: float) -> bool:
    return not LOST_S <= at_s < MOVED_S + 4


def _load(path: Path) -> list[dict[str, object]]:
    rows: list[tuple[object, ...]] = []
    acknowledged = []
    for person in range(1, PEOPLE + 1):
        now_s, carrier = 1 + 85 * person / PEOPLE, CARRIERS[person % 3]
        if not _served(now_s):
            rows.append((person, "answer", 1, now_s, now_s + 0.4, "fail", carrier, "http 503"))
            now_s = MOVED_S + 5 + person / PEOPLE
        rows.append((person, "answer", 2, now_s, now_s + 0.03, "ok", carrier, None))
        acknowledged.append(
            {"person": person, "company": 1, "broadcast": 1, "event": "e", "status": "safe", "comment": "2"}
        )
    operations(path / "history" / "citizens.arrow", rows)
    return acknowledged


def _probes(path: Path) -> None:
    rows: list[tuple[object, ...]] = []
    for number, capability in enumerate(sample_run.OUTAGE_S):
        for place, carrier in enumerate(CARRIERS):
            for tick in range(-40, int(END_S * 5)):
                now_s = tick / 5 + 0.01 * number
                row = (1000 + 10 * number + place, capability, 0, now_s)
                if _served(now_s):
                    rows.append((*row, now_s + 0.03, "ok", carrier, None))
                else:
                    rows.append((*row, now_s + 1.0, "fail", carrier, "timeout"))
    operations(path / "probes" / "observers.arrow", rows)


def role(node: str, at_s: float) -> tuple[str, bool]:
    """What a database says of itself, and whether it takes writes."""
    if node in ("database-a", "database-b"):
        if at_s < LOST_S:
            return ("primary", True) if node == "database-a" else ("replica", False)
        return ("", False) if at_s < BACK_S + 3 else ("replica", False)
    if node == "database-t" and at_s >= MOVED_S - 2:
        return "primary", at_s >= MOVED_S
    return "replica", False


def lag_s(node: str, at_s: float) -> float | None:
    """How far it is behind; None where it does not answer."""
    said, wrote = role(node, at_s)
    if not said or wrote:
        return 0.0 if wrote else None
    if node == "database-v":
        return 0.24 if not 6 <= at_s < 12 else min(0.24 + 0.52 * (at_s - 6), 3.4)
    if node == "database-t":
        return 0.09
    return 0.0 if at_s < LOST_S else max(0.12, 3.2 - (at_s - BACK_S - 3))


NODES = {
    "database-a": "singapore",
    "database-b": "singapore",
    "database-t": "tokyo",
    "database-v": "virginia",
}


def _databases(path: Path) -> None:
    rows: list[tuple[object, ...]] = []
    for tick in range(-40, int(END_S * 10)):
        for node in NODES:
            said, wrote = role(node, tick / 10)
            leader = {"database-a": "database-a" if tick / 10 < LOST_S else "", "database-b": ""}.get(
                node, node
            )
            timeline = 0 if not said else 2 if tick / 10 >= MOVED_S - 2 else 1
            rows.append((at_ns(tick / 10), node, said, timeline, wrote, leader))
    _table(path / "databases.arrow", history.DATABASE_SCHEMA, rows)


def _replication(path: Path) -> None:
    rows: list[tuple[object, ...]] = []
    for tick in range(-8, int(END_S * 2)):
        now_s = tick / 2 + 0.1
        newest_s = LOST_S if LOST_S <= now_s < MOVED_S else now_s
        for node, region in NODES.items():
            behind_s = lag_s(node, now_s)
            shown = 0 if behind_s is None else at_ns(newest_s - behind_s)
            rows.append((at_ns(now_s), node, region, at_ns(newest_s), shown))
    _table(path / "replication.arrow", history.REPLICATION_SCHEMA, rows)


def _table(path: Path, schema: object, rows: list[tuple[object, ...]]) -> None:
    names = schema.names  # type: ignore[attr-defined]
    stream(path, schema, dict(zip(names, zip(*rows, strict=True), strict=True)))  # type: ignore[arg-type]


def _backups(path: Path) -> None:
    keepers = {"backup-t": "tokyo", "backup-v": "virginia"}
    places = [
        {"node": node, "role": "backup", "region": at, "zone": f"{at}.a", "enclosure": f"{at}-a-archive"}
        for node, at in keepers.items()
    ]
    lines(path / "backups" / "places.jsonl", places)
    rows: list[dict[str, object]] = []
    for tick in np.arange(-2, END_S, 0.5).tolist():
        for node in keepers:
            age_s = 0.8 if node == "backup-t" else 1.3 if not 6 <= tick < 12 else 1.3 + 0.6 * (tick - 6)
            newest_s = LOST_S + 1.4 if LOST_S <= tick < MOVED_S + 5 else tick
            row = {"at_ns": at_ns(tick), "node": node, "answered": True, "holes": []}
            rows.append({**row, "reached_ns": at_ns(newest_s - age_s), "generations": ["20260311T1446"]})
    lines(path / "backups" / "observed.jsonl", rows)
    lines(
        path / "backups" / "verified.jsonl",
        [{"node": node, "generation": "20260311T1446", "restorable": True, "why": ""} for node in keepers],
    )


if __name__ == "__main__":
    from reports import run as report

    built = build(Path(sys.argv[1]))
    print(report.write(built.run, "ja" if "ja" in sys.argv[2:] else "en"))
