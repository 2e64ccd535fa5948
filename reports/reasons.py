"""The one sentence why, in the language of the report.

The checks wrote theirs in English. Where the report speaks another language, or a verdict has no sentence, it is made
anew from what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from harness.rundir import Json
from reports.words import Words

#: More missed expectations than this are counted, not told.
_MOST_TOLD: Final = 3


def met(sense: Json, measured: Json, expected: Json) -> bool | None:
    """Whether what was measured is as expected, in the sense that the check means it; None where nobody can tell."""
    if measured is None or expected is None:
        return None
    if sense == "exactly":
        return measured == expected
    if not isinstance(measured, int | float) or not isinstance(expected, int | float):
        return None
    return {"at most": measured <= expected, "at least": measured >= expected}.get(str(sense))


def of_check(
    words: Words,
    name: str,
    verdict: str,
    measured: Mapping[str, Json],
    expected: Mapping[str, Json],
    senses: Mapping[str, Json],
) -> str:
    """What was not as expected; else what the check is proud of; empty where it measured too little to say so."""
    missed = [key for key, want in expected.items() if met(senses.get(key), measured.get(key), want) is False]
    unknown = [key for key in expected if measured.get(key) is None]
    if verdict == "fail" and (missed or unknown):
        return _list(words, name, missed or unknown, measured, expected)
    if verdict == "unknown" and unknown:
        names = words("join.list").join(words.measure(key, name) for key in unknown[:_MOST_TOLD])
        return words("why.unknown", what=names)
    if verdict == "unknown" and missed:
        return words("why.doubtful", what=_list(words, name, missed, measured, expected))
    told = {key: words.value(key, value) for key, value in measured.items() if value is not None}
    if verdict == "pass" and not told:
        return words.known(f"why.{name}.none", "")
    if verdict != "pass":
        return ""
    variant = ".stale" if "stale_users_s" in told else ".users" if measured.get("users_s") else ""
    try:
        return words(f"why.{name}{variant}", **told)
    except KeyError:
        return words.known(f"why.{name}.none", "")


def _list(
    words: Words, name: str, keys: Sequence[str], measured: Mapping[str, Json], expected: Mapping[str, Json]
) -> str:
    told = [
        words(
            "why.never" if measured.get(key) is None else "why.missed",
            what=words.measure(key, name),
            measured=words.value(key, measured.get(key)),
            expected=words.value(key, expected[key]),
        )
        for key in keys[:_MOST_TOLD]
    ]
    more = words("why.more", count=len(keys) - _MOST_TOLD) if len(keys) > _MOST_TOLD else ""
    return words("join.list").join(told) + more + words("join.stop")
