"""What comes with the harness: scenarios, incidents, defects and the topology, found by name or by path."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Final

from harness import bilingual
from harness.incidents.model import FILE as INCIDENT
from harness.incidents.model import VARIANTS
from topology.document import BadInput, Place, load, nearest, one_of, quoted

ROOT: Final = Path(__file__).parent.parent
SCENARIOS: Final = ROOT / "scenarios"
CONTROLS: Final = SCENARIOS / "controls"
INCIDENTS: Final = SCENARIOS / "incidents"
DEFECTS: Final = SCENARIOS / "defects"
TOPOLOGY: Final = ROOT / "docker-compose.multi-region.yml"
COMMAND_LINE: Final = Place("the command line")


def scenarios() -> list[Path]:
    return sorted(path for path in SCENARIOS.glob("*.yaml") if path.stem != "events")


def controls() -> list[Path]:
    """Scenarios of known-bad designs: each of them must fail."""
    return sorted(CONTROLS.glob("*.yaml"))


def defects() -> list[Path]:
    return sorted(DEFECTS.glob("*.yml"))


def incidents() -> list[Path]:
    """The folders of the outages on record, see `harness.incidents`."""
    return sorted(path.parent for path in INCIDENTS.glob(f"*/{INCIDENT}"))


def variants() -> list[Path]:
    """The scenarios of all incidents."""
    return [path for folder in incidents() for path in sorted(folder.glob("*.yaml")) if path.stem in VARIANTS]


def scenario(name: str) -> Path:
    """A scenario by its name or its path; an incident's by the incident's name, a slash and the variant's. Raises
    BadInput for what is none of these.
    """
    for path in variants():
        if name == f"{path.parent.name}/{path.stem}":
            return path
    return _found(name, [*scenarios(), *controls()], "a scenario's name or path")


def incident(name: str) -> Path:
    """An incident's folder by its name or its path. Raises BadInput for what is neither."""
    known = {path.name: path for path in incidents()}
    if name in known:
        return known[name]
    if (Path(name) / INCIDENT).is_file():
        return Path(name).resolve()
    raise BadInput(COMMAND_LINE, quoted(name), f"an incident: {one_of(known)}", nearest(name, list(known)))


def defect(name: str, place: Place = COMMAND_LINE) -> Path:
    """A Compose override by its name or its path, as it was written at `place`; `./x.yml` is beside the file that
    names it. Raises BadInput for what is neither.
    """
    if name.startswith("./") and place is not COMMAND_LINE:
        name = str(Path(place.file).parent / name)
    return _found(name, defects(), "a defect's name or path", place)


def runbook(name: str) -> tuple[str, Path | None]:
    """What a runbook is called that was given by its name or its file, and the file's folder; None for a name.

    Raises BadInput for a file that is not there.
    """
    path = Path(name)
    if path.is_file():
        return path.stem, path.resolve().parent
    if path.suffix in (".yaml", ".yml"):
        raise BadInput(Place(name), "no such file", "a runbook's name or its file")
    return name, None


def title(path: Path) -> str:
    """What a scenario or an incident is for; of a defect its first comment. Raises BadInput for what cannot be read."""
    why = load(path).as_fields().get("why")
    if why is not None:
        return bilingual.read(why, "what it is for").en
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = " ".join(line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), lines))
    said = comment.removeprefix("Defect: ")
    return said[:1].upper() + said[1:]


def _found(name: str, known: Sequence[Path], expected: str, place: Place = COMMAND_LINE) -> Path:
    by_name = {path.stem: path for path in known}
    if name in by_name:
        return by_name[name]
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or "/" in name:
        if os.path.isfile(name):  # unlike Path's own, it takes any name at all
            return path
        near, folder = nearest(path.stem, list(by_name)), os.path.isdir(name)
        if place is COMMAND_LINE:
            raise BadInput(Place(name), "a folder" if folder else "no such file", expected, near)
        raise BadInput(place, f"{'the folder' if folder else 'no file'} {quoted(name)}", expected, near)
    near = nearest(name, list(by_name))
    raise BadInput(place, quoted(name), expected if near else f"{expected} (harness list shows them)", near)
