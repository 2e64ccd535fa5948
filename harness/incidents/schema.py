"""The JSON schema of incidents, for editors: `python -m harness.incidents.schema > scenarios/incidents/schema.json`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Final

from harness.incidents.model import VARIANTS
from harness.incidents.reading import MARKS
from harness.rundir import Json
from harness.verbs import VERBS

_NAME: Final[Json] = {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}
_TEXT: Final[Mapping[str, Json]] = {"type": ["string", "number"], "minLength": 1}
_WORD: Final[Json] = dict(_TEXT)
_BOTH: Final[Json] = {
    "anyOf": [
        _WORD,
        {
            "type": "object",
            "properties": {"en": _WORD, "ja": _WORD},
            "required": ["en", "ja"],
            "additionalProperties": False,
        },
    ]
}
_DURATION: Final[Json] = {
    "type": "string",
    "pattern": r"^\s*[0-9]{1,12}(\.[0-9]{1,6})?\s*(ms|s|min|h)\s*$",
    "description": "a number and a unit: 38min, 2h",
}
_BOUNDS: Final[Json] = {
    "type": "object",
    "properties": {"least": {"type": "number"}, "most": {"type": "number"}},
    "additionalProperties": False,
    "minProperties": 1,
}


def schema(checks: Collection[str]) -> dict[str, Json]:
    """What every valid incident satisfies, and most misspelt ones do not."""
    measured: Json = {
        "type": "string",
        "pattern": rf"^({'|'.join(checks)})\..+$",
        "description": "what a check measures: mail.vanished",
    }
    marks: dict[str, Json] = {kind: {**_TEXT, "description": about} for kind, about in MARKS.items()}
    marks |= {kind: {"enum": list(VERBS), "description": MARKS[kind]} for kind in ("fault", "undone")}
    marks["measured"] = {
        "type": "string",
        "pattern": rf"^({'|'.join(checks)})\..+_s$",
        "description": MARKS["measured"],
    }
    ours: Json = {**_object(marks), "minProperties": 1, "maxProperties": 1}
    differing: list[Json] = [{"required": [name]} for name in (*VARIANTS, "times")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "an incident",
        **_object(
            {
                "name": _NAME,
                "title": _BOTH,
                "why": _BOTH,
                "began": {"type": "string", "format": "date-time"},
                "sources": {"type": "object", "additionalProperties": _BOTH},
                "figures": _list(_object({"what": _BOTH, "value": _BOTH, "source": _WORD}, all_needed=True)),
                "official": _list(
                    _object(
                        {"after": _DURATION, "what": _BOTH, "source": _WORD, "ours": ours},
                        needed=["after", "what", "source"],
                    )
                ),
                "countermeasures": _list(
                    _object({"name": _NAME, "title": _BOTH, "source": _WORD}, all_needed=True)
                ),
                "loses": _list({"enum": list(checks)}),
                "differences": _list(
                    {
                        **_object(
                            {
                                "what": _BOTH,
                                "measured": measured,
                                **dict.fromkeys(VARIANTS, _BOUNDS),
                                "times": {"type": "number", "exclusiveMinimum": 1},
                                "by": {"type": "array", "items": _NAME},
                            },
                            needed=["what", "measured", "by"],
                        ),
                        "anyOf": differing,
                    }
                ),
            },
            needed=[
                "name",
                "title",
                "why",
                "began",
                "sources",
                "official",
                "countermeasures",
                "loses",
                "differences",
            ],
        ),
    }


def _list(items: Json) -> Json:
    return {"type": "array", "items": items, "minItems": 1}


def _object(
    properties: Mapping[str, Json], needed: Collection[str] = (), *, all_needed: bool = False
) -> dict[str, Json]:
    required = list(properties if all_needed else needed)
    return {
        "type": "object",
        "properties": dict(properties),
        "additionalProperties": False,
        **({"required": list[Json](required)} if required else {}),
    }


def main() -> None:
    from harness.checks import CHECKS

    print(json.dumps(schema(CHECKS), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
