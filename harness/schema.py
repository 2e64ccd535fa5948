"""The JSON schema of scenarios, for editors: `python -m harness.schema > scenarios/schema.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from harness import json_schema, limits
from harness.erasure import ALL
from harness.events import INFOS, STATUSES
from harness.failing import HOWS
from harness.json_schema import strict
from harness.load.curves import CURVES
from harness.quantities import HOW_OFTEN
from harness.rundir import Json
from harness.scenario import Checks
from harness.selector import STANDINGS, WORDS
from harness.verbs import UNDOES, VERBS, Aim, Unit, Verb

_DEFINITIONS: Final[Mapping[str, Json]] = {
    "duration": json_schema.described(json_schema.DURATION, "a number and a unit: 500ms, 30s, 30min, 12h"),
    "share": {
        "anyOf": [
            json_schema.SHARE,
            dict(json_schema.PERCENT),
        ],
        "description": "a share: 0.3 or 30%",
    },
    "rate": {
        "type": "string",
        "pattern": r"^[0-9]+(\.[0-9]+)?\s*KB/s$",
        "description": "a rate: 32KB/s",
    },
    "word": dict(json_schema.WORD),
    "count": {"type": "integer", "minimum": 0},
}


def _a(definition: str) -> dict[str, Json]:
    return {"$ref": f"#/$defs/{definition}"}


DURATION, SHARE, RATE, WORD, COUNT = (_a(name) for name in _DEFINITIONS)

_ARGUMENTS: Final[Mapping[Unit, Mapping[str, Json]]] = {
    Unit.DURATION: DURATION,
    Unit.RATE: RATE,
    Unit.SHARE: SHARE,
}
_EXPECTED: Final[Mapping[str, Json]] = {
    "count": COUNT,
    "duration": DURATION,
    "drill-duration": DURATION,
    "ratio": SHARE,
    "how-often": {"enum": list(HOW_OFTEN)},
}


def schema(checks: Checks) -> dict[str, Json]:
    """What every valid scenario satisfies, and most misspelt ones do not; the rest needs the topology."""
    title = strict({"en": WORD, "ja": WORD}, required=["en", "ja"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": dict(_DEFINITIONS),
        "title": "a scenario",
        **strict(
            {
                "name": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
                "title": title,
                "why": {
                    **_described("one sentence: what it is for; in both languages, or one for both"),
                    "anyOf": [{"type": "string"}, title],
                },
                "regions": {
                    "type": "array",
                    "items": WORD,
                    "minItems": 1,
                    **_described("the service's regions that stand; all where this is left out"),
                },
                "systems": {
                    "type": "array",
                    "items": WORD,
                    "minItems": 1,
                    **_described("systems of the world that stand only where they are asked for"),
                },
                "with": {
                    "type": "array",
                    "items": WORD,
                    "minItems": 1,
                    **_described("defects that are laid over the topology: names in defects/, or paths"),
                },
                "drill": _drill(),
                "timeline": {"type": "array", "items": _entry()},
                "ends": DURATION,
                "expect": strict({check: _expectations(names) for check, names in checks.items()}),
            },
            required=["name", "title", "why", "drill", "timeline", "ends"],
        ),
    }


def _drill() -> Json:
    return strict(
        {
            "event": {"type": "string", **_described("a name in events.yaml")},
            "companies": {"type": "integer", "minimum": 1, "maximum": limits.COMPANIES.most},
            "people": {"type": "integer", "minimum": 1, "maximum": limits.PEOPLE.most},
            "curve": {"enum": list(CURVES)},
            "clock": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": limits.CLOCK.most,
                **_described("drill seconds to a real second"),
            },
            "visits": _visits(),
            "again": SHARE,
            "tls": SHARE,
        },
        required=["event", "companies", "people", "curve", "clock"],
    )


def _visits() -> Json:
    times: Json = {"type": "number", "minimum": 0}
    known: dict[str, Json] = {
        "every": DURATION,
        "at_once": times,
        "for": DURATION,
        "then": times,
        "affected": SHARE,
    }
    about = "how often people visit besides answering, and how many times as often after the event"
    return {**strict(known, required=list(known)), **_described(about)}


def _entry() -> Json:
    verbs = {name: {**_target(verb, undoing=False), **_described(verb.about)} for name, verb in VERBS.items()}
    undoing = {
        name: {**_target(verb, undoing=True), **_described(f"takes back {verb.name}")}
        for name, verb in UNDOES.items()
    }
    return {
        **strict({"at": DURATION, "for": DURATION, **verbs, **undoing}, required=["at"]),
        "oneOf": [{"required": [name]} for name in (*verbs, *undoing)],
    }


def _target(verb: Verb, *, undoing: bool) -> dict[str, Json]:
    match verb.aim:
        case Aim.NODES | Aim.ENCLOSURES:
            words: dict[str, Json] = {word: WORD for word in WORDS if word != "is"}
            words["is"] = {"enum": list(STANDINGS)}
            if verb.aim is Aim.NODES or undoing:
                return {**strict(words), "minProperties": 1}
            named: Json = [{"required": [word]} for word in WORDS if word != "is"]
            return {**strict({**words, "how": {"enum": list(HOWS)}}), "anyOf": named}
        case Aim.DOMAINS:
            names: Json = {"anyOf": [WORD, {"type": "array", "items": WORD, "minItems": 1}]}
            pair: Json = {"type": "array", "items": names, "minItems": 2, "maxItems": 2}
            return {
                **strict({"between": pair, "from": names, "to": names, "oneway": {"type": "boolean"}}),
                "oneOf": [{"required": ["between"]}, {"required": ["from", "to"]}],
            }
        case Aim.LINK:
            arguments: dict[str, Json] = {
                argument.name: {"description": argument.about, **_ARGUMENTS[argument.unit]}
                for argument in verb.arguments
            }
            link = strict({"link": WORD, **({} if undoing else arguments)}, required=["link"])
            return link if undoing else {"anyOf": [link, strict({"profile": WORD}, required=["profile"])]}
        case Aim.KEEPING:
            keeping: dict[str, Json] = {} if undoing else {"share": SHARE, "keeps": DURATION}
            return strict({"carrier": WORD, **keeping}, required=list(keeping))
        case Aim.SUPPLY:
            lasting: dict[str, Json] = {} if undoing else {"important": SHARE, "others_last": DURATION}
            return strict({"supply": WORD, **lasting}, required=["supply", *lasting])
        case Aim.FILTER:
            senders: dict[str, Json] = {} if undoing else {"senders": WORD}
            return strict({"carrier": WORD, **senders}, required=["carrier", *senders])
        case Aim.EVENT:
            words = {"event": WORD, "info": {"enum": list(INFOS)}, "status": {"enum": list(STATUSES)}}
            return {"anyOf": [WORD, strict(words, required=["event"])]}
        case Aim.DATA:
            of: Json = strict({"company": {"type": "integer", "minimum": 1}}, required=["company"])
            whose: Json = {"anyOf": [of, {"enum": [ALL]}]}
            what = strict({"answers": whose, "table": WORD, "archive": WORD})
            return {**what, "minProperties": 1, "maxProperties": 1}
        case Aim.RUNBOOK:
            told: dict[str, Json] = {
                **strict({"runbook": WORD}, required=["runbook"]),
                "additionalProperties": WORD,
            }
            return {"anyOf": [WORD, told]}


def _expectations(names: Mapping[str, str]) -> Json:
    return strict({name: _EXPECTED[unit] for name, unit in names.items()})


def _described(text: str) -> dict[str, Json]:
    return {"description": text}


def main() -> None:
    from harness.checks import CHECKS

    checks = {name: check.EXPECTS for name, check in CHECKS.items()}
    print(json.dumps(schema(checks), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
