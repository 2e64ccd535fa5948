"""How long the check `answers` takes, and how much memory: `python bench/answers.py [--operations N]`.

Makes histories of a tenth, a third and all of N operations (10,000,000), as a run leaves them, with known losses in
them; then checks each in a process of its own and prints seconds, peak memory and seconds per million operations,
which stay level when the time is linear. Fails if a loss is missed or 20 s or 4 GiB are exceeded at 10,000,000.
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
import numpy.typing as npt
import pyarrow as pa

from harness.checks import answers
from harness.checks.recording import Recording
from harness.rundir import Clock, RunDir, history

MOST_S: Final = 20.0
MOST_GIB: Final = 4.0
OPERATIONS: Final = 10_000_000
EACH: Final = 5  # operations of one person: answers, looks, answers again, looks, answers once more
LOST, STALE, PHANTOM = 7, 5, 3
START_NS: Final = 1_000_000_000_000
SECONDS: Final = 120.0
WRITERS: Final = 4
BATCH: Final = 20_000

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int16]


def generate(path: Path, operations: int) -> None:
    """A run directory of a fault at half time; people are independent of each other, and everything is kept but for
    the injected faults: the first `LOST` people's last answers, `STALE` and `PHANTOM` looks of the next ones."""
    rng = np.random.default_rng(operations)
    people = operations // EACH
    for part in ("history", "probes", "final", "mail"):
        (path / part).mkdir(parents=True)
    unsure = rng.random(people) < 0.1  # the second answer times out, and is sent again
    kinds = np.tile(np.array([0, 1, 0, 1, 0], np.int16), people).reshape(people, EACH)  # 0 answer, 1 look
    values = np.tile(np.array([1, 1, 2, 2, 3], np.int64), people).reshape(people, EACH)
    values[unsure, 4] = 2
    values[LOST : LOST + STALE, 3] = 1
    values[LOST + STALE : LOST + STALE + PHANTOM, 3] = 9
    unsure[: LOST + STALE + PHANTOM] = False
    values[: LOST + STALE + PHANTOM, 4] = 3
    values[LOST : LOST + STALE, 4] = 2  # sent again and so still there: the look was merely old
    outcomes = np.zeros((people, EACH), np.int16)  # 0 ok, 1 info
    outcomes[unsure, 2] = 1
    begins = rng.random((people, 1)) * (SECONDS - 10) + np.arange(EACH) * 2.0
    invoked = START_NS + (begins * 1e9).astype(np.int64)
    completed = invoked + rng.integers(5_000_000, 900_000_000, (people, EACH))
    keys = np.repeat(np.arange(1, people + 1), EACH)
    order = np.argsort(completed.ravel(), kind="stable")
    for writer in range(WRITERS):
        rows = order[keys[order] % WRITERS == writer]
        columns = (keys, values.ravel(), invoked.ravel(), completed.ravel())
        names = (kinds.ravel(), outcomes.ravel())
        _write(
            path / "history" / f"load-{writer}.arrow", *(c[rows] for c in columns), *(c[rows] for c in names)
        )
    final = values[:, 4].copy()
    final[:LOST] = 2
    _finish(path, final)


def _write(
    path: Path, key: Ints, value: Ints, invoked: Ints, completed: Ints, kind: Ints, outcome: Ints
) -> None:
    """In batches, as a writer that flushes ten times a second leaves them."""
    said = pa.array(np.array([None, "timeout"], object)[outcome], pa.string())
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, history.SCHEMA) as stream:
        for start in range(0, len(key), BATCH):
            part = slice(start, start + BATCH)
            of = key[part]
            columns: dict[str, Any] = {
                "process": of.astype(np.int32),
                "kind": _words(kind[part], "answer", "look"),
                "key": of,
                "value": value[part],
                "intended_ns": invoked[part] - 1_000_000,
                "invoked_ns": invoked[part],
                "completed_ns": completed[part],
                "outcome": _words(outcome[part], "ok", "info"),
                "vantage": _words(of % 3, "docomo", "au", "softbank"),
                "endpoint": _words(of % 2, "a", "b"),
                "detail": said[part],
            }
            stream.write_batch(pa.RecordBatch.from_pydict(columns, history.SCHEMA))


def _words(codes: Any, *words: str) -> pa.Array[Any]:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int16)), pa.array(words))


def _finish(path: Path, final: Ints) -> None:
    row = '{{"person": {}, "company": 1, "status": "safe", "come": "yes", "comment": "{}"}}\n'
    with (path / "final" / "answers.jsonl").open("w") as file:
        file.writelines(row.format(person, value) for person, value in enumerate(final.tolist(), start=1))
    run = RunDir(path)
    run.clock = Clock(START_NS, "2026-01-15T05:46:00+00:00", 60.0, START_NS)
    at_ns = START_NS + round(SECONDS * 0.5e9)
    events = [
        {"at_ns": START_NS, "kind": "timeline.started"},
        {
            "at_ns": at_ns,
            "kind": "fault.injecting",
            "fault": "1-lose",
            "verb": "lose",
            "target": "a",
            "nodes": [],
        },
        {"at_ns": at_ns, "kind": "fault.injected", "fault": "1-lose"},
        {"at_ns": START_NS + round(SECONDS * 1e9), "kind": "run.ended", "clean": True},
    ]
    run.write("events.jsonl", "".join(json.dumps(event) + "\n" for event in events))


def check(path: Path) -> None:
    """Print what the check measured, how long it took, and the most memory this process ever had."""
    started_s = time.perf_counter()
    finding = answers.check(Recording(RunDir(path)))
    seconds, busy = time.perf_counter() - started_s, time.process_time()
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"seconds": seconds, "cpu_seconds": busy, "peak_gib": peak_gib, **finding.measured}))


def bench(operations: int) -> bool:
    """One size, in processes of its own. Whether every loss was found within the limits."""
    with tempfile.TemporaryDirectory(prefix="bench-answers-") as folder:
        path = Path(folder) / "bench" / str(operations)
        _self("--generate", str(path), "--operations", str(operations))
        told = json.loads(_self("--check", str(path)))
    each = told["seconds"] / operations * 1e6
    found = (told["lost"], told["stale"], told["phantom"]) == (LOST, STALE, PHANTOM)
    print(
        f"{operations:>12,} operations  {told['seconds']:6.2f} s ({told['cpu_seconds']:5.2f} s of CPU)  "
        f"{told['peak_gib']:5.2f} GiB  "
        f"{each:5.2f} s per million  {'every loss found' if found else f'WRONG: {told}'}",
        flush=True,
    )
    allowed = max(operations / OPERATIONS, 1.0)
    return found and told["seconds"] <= MOST_S * allowed and told["peak_gib"] <= MOST_GIB * allowed


def _self(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description="Bench the check of acknowledged answers.")
    parser.add_argument("--operations", type=int, default=OPERATIONS)
    parser.add_argument("--generate", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--check", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.generate:
        generate(chosen.generate, chosen.operations)
    elif chosen.check:
        check(chosen.check)
    else:
        sizes = (chosen.operations // 10, chosen.operations // 10 * 3, chosen.operations)
        return 0 if False not in [bench(size) for size in sizes] else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
