"""What comes with the harness: scenarios, defects and the topology, found by name or by path."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from harness import bilingual
from topology.document import BadInput, Place, load, nearest, quoted

ROOT: Final = Path(__file__).parent.parent
SCENARIOS: Final = ROOT / "scenarios"
CONTROLS: Final = SCENARIOS / "controls"
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


def scenario(name: str) -> Path:
    """A scenario by its name or its path. Raises BadInput for what is neither."""
    return _found(name, [*scenarios(), *controls()], "a scenario's name or path")


def defect(name: str, place: Place = COMMAND_LINE) -> Path:
    """A Compose override by its name or its path, as it was written at `place`. Raises BadInput for what is neither."""
    return _found(name, defects(), "a defect's name or path", place)


def title(path: Path) -> str:
    """What a scenario is for; of a defect its first comment. Raises BadInput for what cannot be read."""
    why = load(path).as_fields().get("why")
    if why is not None:
        return bilingual.read(why, "what it is for").en
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ").rstrip() if first.startswith("#") else ""


def _found(name: str, known: Sequence[Path], expected: str, place: Place = COMMAND_LINE) -> Path:
    by_name = {path.stem: path for path in known}
    if name in by_name:
        return by_name[name]
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or "/" in name:
        if path.is_file():
            return path
        near = nearest(path.stem, list(by_name))
        if place is COMMAND_LINE:
            raise BadInput(Place(name), "no such file", expected, near)
        raise BadInput(place, f"no file {quoted(name)}", expected, near)
    raise BadInput(place, quoted(name), expected, nearest(name, list(by_name)))
