"""What reconciling mails over all legs costs: a million of them, in 30 s and 4 GiB.

    python bench/reconcile.py [--mails 1000000]

A run's mails are written as a run leaves them: composed, submitted at two sites, relayed with refusals in between,
stored, noticed and opened, at three carriers. Some are lost on each leg, stored with somebody else, or stored twice.
The check `mail` has to name every lost one, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.checks import mail
from harness.checks.recording import Recording
from harness.rundir import Clock, RunDir, history

MAILS: Final = 1_000_000
MOST_S, MOST_GIB = 30.0, 4.0
START_NS: Final = 1_000_000_000_000
#: One mail in so many is lost on this leg (and so missing from it and from those that follow).
LOST: Final = {"submitted": 100_003, "relayed": 50_021, "stored": 20_011}
ASTRAY, TWICE, DEFERRED = 30_011, 25_013, 7
LEGS: Final = ("composed", "submitted", "relayed", "stored", "noticed", "opened")
CARRIERS: Final = ("docomo", "au", "softbank")


def generate(path: Path, mails: int) -> dict[str, int]:
    """Fill a run directory, and give what the check has to find."""
    (path / "mail").mkdir(parents=True)
    number = np.arange(mails)
    ids = pc.binary_join_element_wise("1.", pa.array(number).cast(pa.string()), ".7@anpi.example", "")
    lost_at = np.full(mails, len(LEGS))
    for leg, one_in in reversed(LOST.items()):
        lost_at[number % one_in == 1] = LEGS.index(leg)
    astray = (number % ASTRAY == 2) & (lost_at == len(LEGS))
    twice = (number % TWICE == 3) & (lost_at == len(LEGS)) & ~astray
    at_ns = START_NS + number * 60_000
    found = {
        "lost": int((lost_at < len(LEGS)).sum()),
        "misdelivered": int(astray.sum()),
        "duplicated": int(twice.sum()),
    }
    for place, leg in enumerate(LEGS):
        rows = np.flatnonzero(lost_at > place)
        nodes = pa.array([f"mail-provider-{site}" for site in ("east", "west")]).take(pa.array(rows % 2))
        results = pa.array(["sent" if leg == "composed" else "ok"] * len(rows))
        if place >= 3:
            nodes = pa.array([f"{carrier}-mail" for carrier in CARRIERS]).take(pa.array(rows % 3))
        box = np.where((place == 3) & astray[rows], rows + 3, rows)
        parts = [_rows(ids, rows, box, at_ns[rows] + place * 900_000_000, nodes, results)]
        if leg == "relayed":
            tried = rows[rows % DEFERRED == 0]
            again = pa.array(["deferred"] * len(tried))
            parts.insert(0, _rows(ids, tried, tried, at_ns[tried] + 950_000_000, nodes[: len(tried)], again))
        if leg == "stored":
            more = np.flatnonzero(twice)
            parts.append(
                _rows(ids, more, more, at_ns[more] + 4_000_000_000, nodes[: len(more)], results[: len(more)])
            )
        table = pa.concat_tables(parts)
        with (
            pa.OSFile(str(path / "mail" / f"{leg}.arrow"), "wb") as file,
            pa.ipc.new_stream(file, history.MAIL_SCHEMA) as out,
        ):
            out.write_table(table)
    run = RunDir(path)
    run.clock = Clock(START_NS, "2026-01-15T05:46:00+00:00", 60.0, START_NS)
    last_ns = int(at_ns[-1]) + 10_000_000_000
    events = [
        {"at_ns": START_NS, "kind": "timeline.started"},
        {"at_ns": last_ns, "kind": "quiet", "drained": True},
        {"at_ns": last_ns, "kind": "run.ended", "clean": True},
    ]
    run.write("events.jsonl", "".join(json.dumps(event) + "\n" for event in events))
    return found


def _rows(ids: Any, mails: Any, boxes: Any, at_ns: Any, nodes: Any, results: Any) -> pa.Table:
    domains = pa.array([f"@{carrier}.example" for carrier in CARRIERS]).take(pa.array(boxes % 3))
    to = pc.binary_join_element_wise("p", pa.array(boxes).cast(pa.string()), domains, "")
    columns = [ids.take(pa.array(mails)), to, pa.array(at_ns), nodes, results]
    return pa.Table.from_arrays(columns, schema=history.MAIL_SCHEMA)


def check(path: Path) -> None:
    """Print what the check measured, how long it took, and the most memory this process ever had."""
    started_s = time.perf_counter()
    finding = mail.check(Recording(RunDir(path)))
    seconds = time.perf_counter() - started_s
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    named = sum(str(row["what"]).startswith("lost") for row in finding.evidence if isinstance(row, dict))
    print(json.dumps({"seconds": seconds, "peak_gib": peak_gib, "named": named, **finding.measured}))


def bench(mails: int) -> bool:
    """Whether everything was found, and every lost mail named, within the limits."""
    with tempfile.TemporaryDirectory(prefix="bench-reconcile-") as folder:
        path = Path(folder) / "bench" / str(mails)
        wanted = generate(path, mails)
        done = subprocess.run(
            [sys.executable, __file__, "--check", str(path)], check=True, stdout=subprocess.PIPE, text=True
        )
    told = json.loads(done.stdout)
    found = told["named"] == told["lost"] and all(told[name] == number for name, number in wanted.items())
    print(
        f"{mails:>12,} mails over {len(LEGS)} legs  {told['seconds']:6.2f} s  {told['peak_gib']:5.2f} GiB  "
        f"{'all found and named' if found else f'WRONG: {told}, wanted {wanted}'}"
    )
    allowed = max(mails / MAILS, 1.0)
    return found and told["seconds"] <= MOST_S * allowed and told["peak_gib"] <= MOST_GIB * allowed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mails", type=int, default=MAILS)
    parser.add_argument("--check", type=Path, help="check this run directory only")
    words = parser.parse_args()
    if words.check is not None:
        check(words.check)
        return 0
    return 0 if bench(words.mails) else 1


if __name__ == "__main__":
    sys.exit(main())
