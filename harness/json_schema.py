"""What the JSON schemas of scenarios, runbooks and incidents share: how words, times and shares are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from harness.rundir import Json

NAME: Final[Mapping[str, Json]] = {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}
WORD: Final[Mapping[str, Json]] = {"type": ["string", "number"], "minLength": 1}
DURATION: Final[Mapping[str, Json]] = {
    "type": "string",
    "pattern": r"^\s*[0-9]{1,12}(\.[0-9]{1,6})?\s*(ms|s|min|h)\s*$",
}
SHARE: Final[Json] = {"type": "number", "minimum": 0, "maximum": 1}
PERCENT: Final[Mapping[str, Json]] = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*%$"}


def strict(properties: Mapping[str, Json], required: Iterable[str] = ()) -> dict[str, Json]:
    """An object of these properties and no others."""
    needed = list[Json](required)
    more: dict[str, Json] = {"required": needed} if needed else {}
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}


def described(schema: Mapping[str, Json], about: str) -> dict[str, Json]:
    """The same, and what it is."""
    return {**schema, "description": about}
