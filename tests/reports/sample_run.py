"""A run directory of a lost zone, made up to the last nanosecond: the same for the same seed, and no runtime needed.

About 110 s, three carriers, zone a loses its power at 30 s and gets it back at 80 s. Twelve thousand people answer.
By hand: `python tests/reports/sample_run.py DIRECTORY` writes one and its report.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import sample_evidence as evidence
import yaml

from harness.checks.judge import judge, write_verdict
from harness.rundir import Clock, RunDir, history
from topology.flat import flatten

CARRIERS = ("docomo", "au", "softbank")
COMPANIES = 40
PEOPLE = 20_000
SCALE = 60.0
ANCHOR_NS = 8_000_000_000_000
START_NS = ANCHOR_NS + 41_250_000_000
FAULT_S, BACK_S, END_S, OVER_S = 30.0, 80.0, 110.0, 118.0
HOLD_S = 600 / SCALE
#: Seconds from the fault until each capability works again at the fastest carrier.
OUTAGE_S = {"read": 2.3, "write": 11.4, "login": 2.9, "feed": 12.1, "delivery": 13.6}
LATER_S = {"docomo": 0.0, "au": 0.2, "softbank": 0.6}
#: Minutes from the mail to the answer: everyone's quartiles in the drill of 2019; the window of answering is 12 hours.
CURVE = ((0.0, 0.25, 0.5, 0.75, 1.0), (1.0, 11.7, 51.0, 141.0, 720.0))


@dataclass(frozen=True)
class Sample:
    """What was built, for tests to compare with."""

    run: RunDir
    answers: int


def at_ns(seconds: float) -> int:
    return START_NS + round(seconds * 1e9)


def build(path: Path, seed: int = 7) -> Sample:
    """Write the whole run directory below `path`, which must not exist yet."""
    for part in ("history", "probes", "final", "mail", "nodes", "figures"):
        (path / part).mkdir(parents=True)
    run = RunDir(path)
    rng = np.random.default_rng(seed)
    run.clock = Clock(ANCHOR_NS, "2026-03-11T05:46:00+00:00", SCALE, START_NS)
    run.write("plan.yaml", yaml.safe_dump(evidence.plan(seed), allow_unicode=True, sort_keys=False))
    lines(path / "undo.jsonl", evidence.undos(at_ns))
    lines(path / "host.jsonl", evidence.host(rng, at_ns))
    mailed_s = _mail(path, rng)
    answers = _load(path, rng, mailed_s)
    lines(path / "events.jsonl", evidence.events(at_ns, len(answers)))
    _probes(path, rng)
    _databases(path)
    _final(path, answers)
    run.write("nodes/database-a.log", "2026-03-11 05:46:03 INFO: no action. I am (database-a), the leader\n")
    topology = Path(__file__).parents[2] / "docker-compose.multi-region.yml"
    run.write("topology.yml", flatten(topology, only=["singapore"]))
    write_verdict(run, judge(run))
    return Sample(run, len(answers))


def _down(capability: str, carrier: str, at_s: float) -> bool:
    return FAULT_S <= at_s < FAULT_S + OUTAGE_S[capability] + LATER_S[carrier]


def _latency_s(rng: np.random.Generator, at_s: float) -> float:
    """About 28 ms; up to five times that in the surge after the recovery."""
    since = at_s - FAULT_S - OUTAGE_S["write"]
    surge = 1 + (4 * float(np.exp(-since / 4)) if since > 0 else 0)
    return 0.028 * surge * float(np.exp(rng.normal(0, 0.45)))


def _load(path: Path, rng: np.random.Generator, mailed_s: np.ndarray) -> list[dict[str, object]]:
    minutes = np.exp(np.interp(rng.random(PEOPLE), CURVE[0], np.log(CURVE[1])))
    intended_s = mailed_s + minutes * 60 / SCALE
    rows, acknowledged = [], []
    for person, first_s in enumerate(intended_s, start=1):
        carrier = CARRIERS[person % 3]
        now_s, value = float(first_s), 0
        while now_s < END_S:
            value += 1
            if not _down("write", carrier, now_s):
                done_s = now_s + _latency_s(rng, now_s)
                rows.append((person, "answer", value, now_s, done_s, "ok", carrier, None))
                acknowledged.append(_answer(person, value, done_s))
                break
            silent = now_s < FAULT_S + 6
            wait_s = 3.0 if silent else 0.4
            outcome, why = ("info", "timeout") if silent else ("fail", "http 503")
            rows.append((person, "answer", value, now_s, now_s + wait_s, outcome, carrier, why))
            now_s += wait_s + float(rng.uniform(2, 5))
    operations(path / "history" / "citizens.arrow", rows)
    return acknowledged


def _answer(person: int, value: int, done_s: float) -> dict[str, object]:
    status = "help" if person % 97 == 0 else "slight" if person % 23 == 0 else "safe"
    return {
        "person": person,
        "company": company_of(person),
        "broadcast": company_of(person),
        "event": evidence.EVENT,
        "status": status,
        "come": "no" if person % 5 == 0 else "yes",
        "comment": str(value),
        "answered_at_ns": at_ns(done_s - 0.004),
    }


def company_of(person: int) -> int:
    """Companies of very different sizes: the first is the largest."""
    return 1 + int((person * 2_654_435_761 % 2**32 / 2**32) ** 2 * COMPANIES)


def _probes(path: Path, rng: np.random.Generator) -> None:
    rows = []
    for number, capability in enumerate(OUTAGE_S):
        for place, carrier in enumerate(CARRIERS):
            for tick in range(-60, int(OVER_S * 10)):
                now_s = tick / 10 + 0.01 * number
                lag_s = float(rng.exponential(0.0012))
                row = (1000 + 10 * number + place, capability, 0, now_s)
                if _down(capability, carrier, now_s):
                    done = (
                        now_s + lag_s + 1.0,
                        "fail",
                        carrier,
                        "http 503" if now_s > FAULT_S + 4 else "timeout",
                    )
                elif (
                    capability == "read"
                    and FAULT_S + 7 <= now_s < FAULT_S + 7.5
                    and carrier == "au"
                    and tick % 2
                ):
                    done = (now_s + lag_s + 1.0, "fail", carrier, "reset")
                else:
                    done = (now_s + lag_s + _latency_s(rng, now_s), "ok", carrier, None)
                rows.append((*row, *done, lag_s))
    operations(path / "probes" / "observers.arrow", rows)


def operations(path: Path, rows: list[tuple[object, ...]]) -> None:
    """Rows of (process, kind, value, intended_s, completed_s, outcome, vantage, detail[, lag_s])."""
    process, kind, value, intended, completed, outcome, vantage, detail = zip(
        *(row[:8] for row in rows), strict=True
    )
    invoked = [float(row[3]) + (float(row[8]) if len(row) > 8 else 0.0005) for row in rows]  # type: ignore[arg-type]
    columns = {
        "process": process,
        "kind": kind,
        "key": [who if what == "answer" else 0 for who, what in zip(process, kind, strict=True)],
        "value": value,
        "intended_ns": [at_ns(s) for s in intended],
        "invoked_ns": [at_ns(s) for s in invoked],
        "completed_ns": [at_ns(s) for s in completed],
        "outcome": outcome,
        "vantage": vantage,
        "endpoint": [f"{place}-link:8001" for place in vantage],
        "detail": detail,
    }
    stream(path, history.SCHEMA, columns)


def _databases(path: Path) -> None:
    rows = []
    for tick in range(-60, int(OVER_S * 10)):
        now_s = tick / 10
        rows.append((at_ns(now_s), *_database_a(now_s)))
        rows.append((at_ns(now_s), *_database_b(now_s)))
    names = history.DATABASE_SCHEMA.names
    stream(
        path / "databases.arrow",
        history.DATABASE_SCHEMA,
        dict(zip(names, zip(*rows, strict=True), strict=True)),
    )


def _database_a(now_s: float) -> tuple[str, str, int, bool, str]:
    leader = "database-a" if now_s < FAULT_S + 5.9 else "database-b" if now_s >= FAULT_S + 8.6 else ""
    if now_s < FAULT_S:
        return ("database-a", "primary", 1, True, leader)
    return (
        "database-a",
        "replica" if now_s >= BACK_S + 9 else "",
        2 if now_s >= BACK_S + 9 else 0,
        False,
        leader,
    )


def _database_b(now_s: float) -> tuple[str, str, int, bool, str]:
    leader = _database_a(now_s)[4]
    primary = now_s >= FAULT_S + 8.9
    return (
        "database-b",
        "primary" if primary else "replica",
        2 if primary else 1,
        now_s >= FAULT_S + 10.7,
        leader,
    )


def _mail(path: Path, rng: np.random.Generator) -> np.ndarray:
    """Composed at the end of the hold, sent in batches; the outage holds up what was not sent by then.

    Gives the seconds at which each person's mail was stored.
    """
    people = np.arange(1, PEOPLE + 1)
    composed = HOLD_S + 0.1 + 0.3 * people / PEOPLE
    submitted = composed + 0.5 + 26.0 * people / PEOPLE
    held = (submitted >= FAULT_S) & (submitted < FAULT_S + OUTAGE_S["delivery"])
    submitted = np.where(held, FAULT_S + OUTAGE_S["delivery"] + (submitted - FAULT_S) * 0.6, submitted)
    relayed = submitted + rng.exponential(0.8, PEOPLE)
    stored = relayed + 0.02
    noticed = stored + rng.exponential(1.2, PEOPLE)
    legs = {
        "composed": composed,
        "submitted": submitted,
        "relayed": relayed,
        "stored": stored,
        "noticed": noticed,
    }
    nodes = {"composed": "mailer-a", "submitted": "mail-provider-east", "relayed": "mail-provider-east"}
    for leg, times in legs.items():
        columns = {
            "id": [f"{company_of(p)}.{p}.{company_of(p)}@anpi.example" for p in people.tolist()],
            "to": [f"p{p}@{CARRIERS[p % 3]}.example" for p in people.tolist()],
            "at_ns": [at_ns(s) for s in times.tolist()],
            "node": [nodes.get(leg, f"{CARRIERS[p % 3]}-mail") for p in people.tolist()],
            "result": ["sent" if leg == "composed" else "ok"] * PEOPLE,
        }
        stream(path / "mail" / f"{leg}.arrow", history.MAIL_SCHEMA, columns)
    return stored


def _final(path: Path, answers: list[dict[str, object]]) -> None:
    sizes = np.bincount([company_of(p) for p in range(1, PEOPLE + 1)], minlength=COMPANIES + 1)
    companies = range(1, COMPANIES + 1)
    lines(path / "final" / "answers.jsonl", answers)
    lines(
        path / "final" / "companies.jsonl",
        [
            {
                "company": c,
                "name": evidence.company_name(c),
                "people": int(sizes[c]),
                "areas": [],
                "least": "5-",
                "tsunami": True,
                "special": True,
                "standing": False,
            }
            for c in companies
        ],
    )
    broadcast = {"event": evidence.EVENT, "at_ns": at_ns(HOLD_S + 0.1), "standing": False}
    lines(
        path / "final" / "broadcasts.jsonl",
        [{"broadcast": c, "company": c, "people": int(sizes[c]), **broadcast} for c in companies],
    )


def stream(path: Path, schema: pa.Schema, columns: dict[str, object]) -> None:
    arrays = []
    for field in schema:
        wanted = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        array = pa.array(list(columns[field.name]), wanted)  # type: ignore[call-overload]
        arrays.append(array.dictionary_encode().cast(field.type) if wanted != field.type else array)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, schema) as stream:
        stream.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    from reports import run as report

    built = build(Path(sys.argv[1]))
    print(report.write(built.run, "ja" if "ja" in sys.argv[2:] else "en"))
