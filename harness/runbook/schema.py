"""The JSON schema of runbooks, for editors: `python -m harness.runbook.schema > scenarios/runbooks/schema.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from harness.json_schema import DURATION, NAME, PERCENT, SHARE, WORD, described, strict
from harness.runbook.commands import COMMANDS
from harness.runbook.model import Argument, Kind
from harness.runbook.proofs import PROOFS
from harness.runbook.reading import PERFORM
from harness.rundir import Json

_PARAMETER: Final[Json] = {"type": "string", "pattern": r"\$\{?[A-Za-z0-9_-]+"}
_WORD: Final[Json] = dict(WORD)
_SHARE: Final[Json] = described(PERCENT, "a share: 30%")
_DURATION: Final = described(DURATION, "a number and a unit: 500ms, 30s, 30min")
_KINDS: Final[Mapping[Kind, Json]] = {
    Kind.REGION: _WORD,
    Kind.NODE: _WORD,
    Kind.ROLES: {"anyOf": [_WORD, {"type": "array", "items": _WORD, "minItems": 1}]},
    Kind.SHARE: {"anyOf": [SHARE, _SHARE, _PARAMETER]},
    Kind.DURATION: {"anyOf": [_DURATION, _PARAMETER]},
    Kind.COUNT: {"anyOf": [{"type": "integer", "minimum": 1}, _PARAMETER]},
    Kind.INSTANT: _WORD,
    Kind.TEXT: _WORD,
}


def schema() -> dict[str, Json]:
    """What every valid runbook satisfies, and most misspelt ones do not; the rest needs the topology."""
    title = strict({"en": _WORD, "ja": _WORD}, ["en", "ja"])
    commands = {name: _call(one.about, one.arguments) for name, one in COMMANDS.items()}
    perform: Json = {
        **strict({"runbook": _WORD}, ["runbook"]),
        "additionalProperties": _WORD,
        "description": "the steps of another runbook come first",
    }
    proofs = {name: _call(one.about, one.arguments) for name, one in PROOFS.items()}
    step = strict(
        {
            "name": dict(NAME),
            "title": title,
            "do": _one_or_more({**commands, PERFORM: perform}, most=1),
            "proof": _one_or_more(proofs),
            "within": {
                **_DURATION,
                "description": "the planned time: done and proven by then, or it has failed",
            },
            "hold": {"type": "boolean", "description": "a hold point: proven before the next step may start"},
            "role": {**NAME, "description": "who does it: one of the roles"},
        },
        ["name", "title", "proof", "within"],
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "a runbook",
        **strict(
            {
                "name": dict(NAME),
                "title": title,
                "why": {"type": "string", "description": "one sentence: what it is for"},
                "parameters": {
                    "type": "object",
                    "additionalProperties": {"enum": [kind.value for kind in Kind]},
                },
                "roles": {
                    "type": "object",
                    "description": "who does what: name -> title",
                    "propertyNames": dict(NAME),
                    "additionalProperties": title,
                },
                "steps": {"type": "array", "items": step, "minItems": 1},
            },
            ["name", "title", "why", "steps"],
        ),
    }


def _call(about: str, arguments: Sequence[Argument]) -> Json:
    known = {each.name: {"description": each.about, "anyOf": [_KINDS[each.kind]]} for each in arguments}
    return {**strict(known, [each.name for each in arguments if each.needed]), "description": about}


def _one_or_more(words: Mapping[str, Json], most: int | None = None) -> Json:
    limits: dict[str, Json] = {"minProperties": 1, **({"maxProperties": most} if most else {})}
    return {"anyOf": [{"enum": list(words)}, {**strict(words), **limits}]}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=1, ensure_ascii=False))
