"""The JSON schema of incidents, for editors: `python -m harness.incidents.schema > scenarios/incidents/schema.json`."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Final

from harness.incidents.model import VARIANTS
from harness.incidents.reading import MARKS
from harness.json_schema import DURATION, NAME, WORD, described, strict
from harness.rundir import Json
from harness.verbs import VERBS

_NAME: Final[Json] = dict(NAME)
_WORD: Final[Json] = dict(WORD)
_BOTH: Final[Json] = {"anyOf": [_WORD, strict({"en": _WORD, "ja": _WORD}, ["en", "ja"])]}
_DURATION: Final[Json] = described(DURATION, "a number and a unit: 38min, 2h")
_BOUNDS: Final[Json] = {
    **strict({"least": {"type": "number"}, "most": {"type": "number"}}),
    "minProperties": 1,
}


def schema(checks: Collection[str]) -> dict[str, Json]:
    """What every valid incident satisfies, and most misspelt ones do not."""
    measured: Json = {
        "type": "string",
        "pattern": rf"^({'|'.join(checks)})\..+$",
        "description": "what a check measures: mail.vanished",
    }
    marks: dict[str, Json] = {kind: described(WORD, about) for kind, about in MARKS.items()}
    marks |= {kind: {"enum": list(VERBS), "description": MARKS[kind]} for kind in ("fault", "undone")}
    marks["measured"] = {
        "type": "string",
        "pattern": rf"^({'|'.join(checks)})\..+_s$",
        "description": MARKS["measured"],
    }
    ours: Json = {**strict(marks), "minProperties": 1, "maxProperties": 1}
    differing: list[Json] = [{"required": [name]} for name in (*VARIANTS, "times")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "an incident",
        **strict(
            {
                "name": _NAME,
                "title": _BOTH,
                "why": _BOTH,
                "began": {"anyOf": [{"type": "string", "format": name} for name in ("date-time", "date")]},
                "sources": {"type": "object", "additionalProperties": _BOTH},
                "figures": _list(
                    strict({"what": _BOTH, "value": _BOTH, "source": _WORD}, ["what", "value", "source"])
                ),
                "official": _list(
                    strict(
                        {"after": _DURATION, "what": _BOTH, "source": _WORD, "ours": ours, "apart": _BOTH},
                        required=["after", "what", "source"],
                    )
                ),
                "countermeasures": _list(
                    strict({"name": _NAME, "title": _BOTH, "source": _WORD}, ["name", "title", "source"])
                ),
                "loses": _list({"enum": list(checks)}),
                "differences": _list(
                    {
                        **strict(
                            {
                                "what": _BOTH,
                                "measured": measured,
                                **dict.fromkeys(VARIANTS, _BOUNDS),
                                "times": {"type": "number", "exclusiveMinimum": 1},
                                "by": {"type": "array", "items": _NAME},
                            },
                            required=["what", "measured", "by"],
                        ),
                        "anyOf": differing,
                    }
                ),
            },
            required=[
                "name",
                "title",
                "why",
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


def main() -> None:
    from harness.checks import CHECKS

    print(json.dumps(schema(CHECKS), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
