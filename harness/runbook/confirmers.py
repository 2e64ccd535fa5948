"""People who confirm: synthetic ones, a few at each carrier, that only runbooks use. Their answers are real ones.

What they do is recorded like any other user's, so that the checks hold their answers against what survived.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from harness.faults import Stage
from harness.load.population import ELSEWHERE, address
from harness.rundir import RunDir
from harness.rundir.history import Writer
from harness.runtime import NodeFailed
from topology.map import Map

FILE: Final = "confirmers.json"
HISTORY: Final = "history/confirmers-{at}.arrow"
#: Beside the company of the probes. Its broadcast is always open; it gets no mail.
COMPANY: Final = 900_002
EACH: Final = 10
_FIRST: Final = 900_100_001
ENROL_WITHIN_S: Final = 60.0


@dataclass(frozen=True)
class Confirmer:
    """One person, and the token of their page."""

    person: int
    token: str


def enrol(at: Stage, run: RunDir) -> None:
    """Make them known to the service and keep their tokens in the run directory. Raises NodeFailed."""
    web = next(iter(at.topology.with_role("web")), None)
    if web is None:
        raise NodeFailed("web", "the topology has no such node")
    done = at.runtime.exec(web, ["python", "-m", "topology", "enrol"], ENROL_WITHIN_S, _lines(at).encode())
    if done.status != 0:
        said = done.stderr.decode(errors="replace").splitlines()[-10:]
        raise NodeFailed(web.name, "those who confirm could not be enrolled", said)
    tokens = {row["person"]: row["token"] for row in map(json.loads, done.stdout.splitlines())}
    run.write(
        FILE,
        json.dumps({carrier: [[p, tokens[p]] for p in people] for carrier, people in _people(at).items()}),
    )


def read(run: RunDir) -> Mapping[str, tuple[Confirmer, ...]]:
    """By carrier; empty where nobody was enrolled."""
    path = run.path / FILE
    if not path.exists():
        return {}
    written = json.loads(path.read_text())
    return {
        carrier: tuple(Confirmer(int(person), str(token)) for person, token in people)
        for carrier, people in written.items()
    }


@contextmanager
def notes(run: RunDir, topology: Map) -> Iterator[Writer]:
    """Where one round of confirming is written down, operation by operation: a file of the run's history of its own."""
    (run.path / "history").mkdir(exist_ok=True)
    endpoints = sorted({entrance.name for one in topology.carriers.values() for entrance in one.entrances})
    path = run.path / HISTORY.format(at=time.monotonic_ns())
    writer = Writer(path, vantages=tuple(topology.carriers), endpoints=endpoints)
    try:
        yield writer
    finally:
        writer.close()


def _people(at: Stage) -> Mapping[str, list[int]]:
    numbers = iter(range(_FIRST, _FIRST + EACH * len(at.topology.carriers)))
    return {carrier: [next(numbers) for _ in range(EACH)] for carrier in at.topology.carriers}


def _lines(at: Stage) -> str:
    company = {
        "company": COMPANY,
        "name": "確認",
        "admin": "admin",
        "password": "replica-confirm",
        "areas": list(ELSEWHERE),
        "least": "7",
        "tsunami": False,
        "special": False,
        "standing": True,
    }
    people = [
        {
            "person": person,
            "company": COMPANY,
            "name": f"確認 {person}",
            "area": ELSEWHERE[0],
            "carrier": carrier,
            "address": address(person, carrier),
        }
        for carrier, numbers in _people(at).items()
        for person in numbers
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (company, *people))
