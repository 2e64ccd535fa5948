"""What the backup nodes hold, looked at during the run, and whether it can be restored, tried at its end."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from harness.beside import Beside
from harness.faults import Stage
from harness.faults.looking import told
from harness.rundir import Json, RunDir
from harness.runtime import NodeFailed, Runtime
from topology.map import Map, Node

LOOK_EVERY_S: Final = 0.5
TIMEOUT_S: Final = 1.0
PORT: Final = 8000
ROLE: Final = "backup"
#: Whom the backups are for, as far as the domains are concerned in which they can be lost together.
PROTECTED: Final = "database"
VERIFIED_WITHIN_S: Final = 120.0


class BackupWatch(Beside):
    """While its context lasts, appends to backups/observed.jsonl what each backup node tells, twice a second."""

    def __init__(self, at: Stage, run: RunDir) -> None:
        super().__init__("backups")
        self._at, self._run = at, run
        self._nodes = at.topology.with_role(ROLE)

    def _work(self) -> None:
        if not self._nodes:
            return
        places = [*self._nodes, *self._at.topology.with_role(PROTECTED)]
        self._write("places", [_place(node) for node in places])
        with ThreadPoolExecutor(max_workers=len(self._nodes)) as pool:
            while not self._over.wait(LOOK_EVERY_S):
                self._write("observed", list(pool.map(self._look, self._nodes)))

    def _look(self, node: Node) -> dict[str, Json]:
        try:
            page = told(self._at, node, PORT, "backups", TIMEOUT_S)
        except (OSError, ValueError, NodeFailed) as error:
            return {"at_ns": time.monotonic_ns(), "node": node.name, "answered": False, "why": str(error)}
        return {"at_ns": time.monotonic_ns(), "node": node.name, "answered": True, **_observed(page)}

    def _write(self, name: str, rows: list[dict[str, Json]]) -> None:
        append(self._run, name, rows)


def try_backups(runtime: Runtime, topology: Map, run: RunDir) -> None:
    """Have every backup node restore and start each generation: backups/verified.jsonl."""
    nodes = topology.with_role(ROLE)
    with ThreadPoolExecutor(max_workers=max(1, len(nodes))) as pool:
        tried = pool.map(lambda node: _tried(runtime, node), nodes)
        for node, (rows, said) in zip(nodes, tried, strict=True):
            if not rows:
                run.record("readback.failed", what=f"backups/{node.name}", tried=[said])
                continue
            append(run, "verified", rows)
            run.record("readback", what=f"backups/{node.name}", rows=len(rows))


def _tried(runtime: Runtime, node: Node) -> tuple[list[dict[str, Json]], str]:
    """What it says of each generation; if nothing, why."""
    try:
        verified = runtime.exec(node, ["python", "-m", "topology", "verify-backups"], VERIFIED_WITHIN_S)
    except (NodeFailed, TimeoutError) as error:
        return [], str(error)
    return _rows(node, verified.stdout), verified.stderr.decode(errors="replace")[-300:]


def append(run: RunDir, name: str, rows: list[dict[str, Json]]) -> None:
    """Add rows to backups/<name>.jsonl."""
    folder = run.path / "backups"
    folder.mkdir(exist_ok=True)
    with (folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _place(node: Node) -> dict[str, Json]:
    return {
        "node": node.name,
        "role": node.role,
        "region": node.region,
        "zone": node.zone,
        "enclosure": node.enclosure,
    }


def _observed(told: Mapping[str, Json]) -> dict[str, Json]:
    reached, log = told.get("reached"), told.get("log")
    generations = told.get("generations")
    holes = log.get("holes") if isinstance(log, Mapping) else None
    return {
        "reached_ns": reached.get("at_ns") if isinstance(reached, Mapping) else None,
        "source": reached.get("source") if isinstance(reached, Mapping) else None,
        "receiving": told.get("receiving"),
        "every_s": told.get("every_s"),
        "generations": [each["name"] for each in generations if isinstance(each, Mapping)]
        if isinstance(generations, list)
        else [],
        "holes": holes if isinstance(holes, list) else [],
        "trouble": told.get("why"),
    }


def _rows(node: Node, lines: bytes) -> list[dict[str, Json]]:
    found = []
    for line in lines.splitlines():
        try:
            found.append({"node": node.name, **json.loads(line)})
        except ValueError:
            continue
    return found
