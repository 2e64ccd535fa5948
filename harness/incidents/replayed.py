"""A replay on the disk: which two runs it is made of, and what came of it. Reports are made of it, years later too.

runs/replays/<incident>/<time>-<seed>/
  incident.yaml    what is on record, as it was then
  runs.json        variant -> its run directory, relative to this folder
  comparison.json  see `comparison`
  report.html      see `reports.incident`
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.checks.judge import Judgement, judge, read_verdict
from harness.incidents import reading
from harness.incidents.model import FILE, VARIANTS, Incident
from harness.rundir import RunDir, fresh
from topology.document import BadInput, Place, dump, load

REPLAYS: Final = "replays"
RUNS: Final = "runs.json"
COMPARISON: Final = "comparison.json"
REPORT: Final = "report.html"


@dataclass(frozen=True)
class Replay:
    """`runs`: variant -> its run directory."""

    path: Path
    incident: Incident
    runs: Mapping[str, RunDir]

    @classmethod
    def create(cls, root: Path, incident: Incident, seed: int, runs: Mapping[str, RunDir]) -> Replay:
        """Write down, below the folder of all runs, that these belong together. Raises OSError."""
        path = fresh(root / REPLAYS / incident.name, seed).absolute()
        path.mkdir(parents=True)
        assert isinstance(incident.written, dict)
        (path / FILE).write_text(dump(incident.written), encoding="utf-8")
        places = {variant: os.path.relpath(run.path, path) for variant, run in runs.items()}
        (path / RUNS).write_text(json.dumps(places, indent=1) + "\n", encoding="utf-8")
        return cls(path, incident, runs)

    @classmethod
    def read(cls, path: Path) -> Replay:
        """Raises BadInput for a folder that is no replay, or one whose runs are gone."""
        from harness.checks import CHECKS

        fields = load(path / FILE, "the incident of a replay")
        name = fields.need("name", "the incident's name").as_text()
        incident = reading.parse(fields, CHECKS, Path(name))
        try:
            places = json.loads((path / RUNS).read_text(encoding="utf-8"))
            runs = {variant: RunDir((path / str(places[variant])).resolve()) for variant in VARIANTS}
        except (OSError, ValueError, KeyError, TypeError):
            raise BadInput(
                Place(str(path / RUNS)), "nothing that can be read", "the runs of a replay"
            ) from None
        for run in runs.values():
            if not (run.path / "events.jsonl").is_file():
                raise BadInput(Place(str(run.path)), "no run directory", "a run of this replay")
        return cls(path.resolve(), incident, runs)

    def judgements(self) -> Mapping[str, Judgement]:
        """What each run's verdict.json says; judged anew where there is none that can be read."""
        return {variant: _judgement(run) for variant, run in self.runs.items()}

    @staticmethod
    def at(path: Path) -> bool:
        """Whether a folder is a replay's."""
        return (path / RUNS).is_file() and (path / FILE).is_file()


def _judgement(run: RunDir) -> Judgement:
    try:
        return read_verdict(run)
    except (OSError, ValueError, KeyError, TypeError):
        return judge(run)
