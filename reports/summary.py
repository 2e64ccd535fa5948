"""The verdict, its sentence, the figures that matter most, and each check: what the first screen of a report says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from harness.rundir import Json
from reports import reasons
from reports.reading import Record
from reports.tables import Cell, Table, cell, of_detail, of_rows
from reports.words import Words

#: The order in which checks are told; others follow as they stand in the verdict.
ORDER: Final = (
    "answers", "recovery", "failover", "replication", "backups", "broadcast", "mail", "responses", "isolation",
    "capacity", "host",
)  # fmt: skip
#: The figures of the first screen, where the checks measured them.
HEADLINES: Final = (
    ("answers", "acknowledged"), ("answers", "lost"), ("answers", "rpo_s"), ("recovery", "write_rto_s"),
    ("recovery", "read_rto_s"), ("broadcast", "exactly"), ("mail", "stored"), ("mail", "lost"),
)  # fmt: skip
#: What these checks have in detail has a section of its own.
TOLD_ELSEWHERE: Final = ("responses", "runbook", "rehearsal", "mail")
#: What is said of an expectation that is not meant exactly.
LIMITS: Final = {"at most": "limit.most", "at least": "limit.least"}
VERDICTS: Final = ("pass", "unknown", "fail")
#: How a check is told that was not part of the run, in place of its verdict.
UNASKED: Final = "unasked"


@dataclass(frozen=True)
class Row:
    """One quantity of a check. `expected` is None where nothing was expected of it.

    `tone` is how it looks: pass or fail where it can be told from the two, else none.
    """

    key: str
    label: str
    measured: Cell
    expected: Cell | None
    tone: str


@dataclass(frozen=True)
class Check:
    """One check. `said` is its own sentence where `why` had to be put in other words; else empty.

    `verdict` is `unasked` where it was not part of the run.
    """

    name: str
    title: str
    verdict: str
    why: str
    said: str
    rows: tuple[Row, ...]
    evidence: Table | None
    detail: tuple[Table, ...]

    @property
    def held(self) -> tuple[Row, ...]:
        """What something was expected of."""
        return tuple(row for row in self.rows if row.expected is not None)

    @property
    def other(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.expected is None)


@dataclass(frozen=True)
class Tile:
    """One figure of the first screen."""

    label: str
    value: Cell
    expected: str
    tone: str


@dataclass(frozen=True)
class Summary:
    """`verdict` is pass, unknown, fail, or none: the checks have not been run. `said` is as in `Check`."""

    verdict: str
    why: str
    said: str
    tiles: tuple[Tile, ...]
    checks: tuple[Check, ...]


def summary(record: Record, words: Words, doubt: str) -> Summary:
    """`doubt`: what keeps the run from proving anything whatever the checks say; empty if nothing does."""
    if record.verdict is None:
        return Summary("none", words("verdict.none.why"), "", (), ())
    written = _mapping(record.verdict.get("checks"))
    findings = {name: found for name, found in written.items() if isinstance(found, dict)}
    order = [name for name in ORDER if name in findings] + [name for name in findings if name not in ORDER]
    told = [_check(words, name, findings[name]) for name in order]
    checks = tuple(sorted(told, key=lambda check: check.verdict == UNASKED))
    verdict = _verdict(record.verdict)
    why, said = _sentence(words, record.verdict, _whole(words, verdict, checks, doubt))
    return Summary(verdict, why, said, _tiles(words, checks), checks)


def _whole(words: Words, verdict: str, checks: tuple[Check, ...], doubt: str) -> str:
    """The sentence on the whole run, from those of the checks that decided it."""
    if verdict == "unknown" and doubt:
        return doubt
    if verdict == "pass":
        told = [check.why for check in checks if check.name in ("answers", "recovery")]
        return words("join.gap").join(told)
    concerned = [check for check in checks if check.verdict == verdict]
    if not concerned:
        return ""
    said = [words("why.check", check=concerned[0].title, why=concerned[0].why)]
    if verdict == "fail" and concerned[1:]:
        said.append(words("why.others", checks=", ".join(check.title for check in concerned[1:])))
    return words("join.gap").join(said)


def _sentence(words: Words, found: Mapping[str, Json], made: str) -> tuple[str, str]:
    """What to say, and what was said where that is something else."""
    why = found.get("why")
    said = why if isinstance(why, str) else ""
    if made and (words.lang != "en" or not said):
        return made, said
    return said, ""


def _verdict(found: Mapping[str, Json]) -> str:
    """What it says; a word that is no verdict proves nothing."""
    word = found.get("verdict")
    return word if isinstance(word, str) and word in VERDICTS else "unknown"


def _check(words: Words, name: str, found: Mapping[str, Json]) -> Check:
    measured, expected = _mapping(found.get("measured")), _mapping(found.get("expected"))
    senses = _mapping(found.get("sense"))
    rows = [
        _row(words, name, key, measured.get(key), expected.get(key), senses.get(key), key in expected)
        for key in [*measured, *(key for key in expected if key not in measured)]
    ]
    evidence, verdict, detail = found.get("evidence"), _verdict(found), _mapping(found.get("detail"))
    shown = evidence if isinstance(evidence, list) and not _repeated(evidence, detail) else []
    asked = found.get("asked") is not False  # as all were, where no word of it was written yet
    made = reasons.of_check(words, name, verdict, measured, expected, senses)
    if not asked:
        rows = [replace(row, tone="none") for row in rows]
        verdict, made = UNASKED, words.known(f"unasked.{name}", made)
    why, said = _sentence(words, found, made)
    return Check(
        name,
        words.known(f"check.{name}", name),
        verdict,
        why,
        said,
        tuple(rows),
        of_rows(words, "", shown, name) if shown else None,
        () if name in TOLD_ELSEWHERE else tuple(of_detail(words, detail, name)),
    )


def _repeated(evidence: list[Json], detail: Mapping[str, Json]) -> bool:
    """Whether all of it stands in one of the tables of the detail, too: then it is shown there alone."""
    return any(isinstance(rows, list) and all(row in rows for row in evidence) for rows in detail.values())


def _row(
    words: Words, check: str, key: str, measured: Json, expected: Json, sense: Json, stated: bool
) -> Row:
    as_expected = reasons.met(sense, measured, expected)
    tone = "none" if as_expected is None else "pass" if as_expected else "fail"
    wanted = _limit(words, cell(words, key, expected), sense) if stated else None
    return Row(key, words.measure(key, check), cell(words, key, measured), wanted, tone)


def _limit(words: Words, wanted: Cell, sense: Json) -> Cell:
    """With `at most` or `at least` before it; there is no less than 0."""
    key = LIMITS.get(str(sense))
    if key is None or wanted.raw in ("0", "0.0"):
        return wanted
    return replace(wanted, text=words(key, value=wanted.text))


def _tiles(words: Words, checks: tuple[Check, ...]) -> tuple[Tile, ...]:
    rows = {(check.name, row.key): row for check in checks for row in check.rows}
    tiles = []
    for check, key in HEADLINES:
        if (check, key) in rows:
            row = rows[check, key]
            limit = words("tile.expected", value=row.expected.text) if row.expected else ""
            tiles.append(Tile(words.known(f"tile.{check}.{key}", row.label), row.measured, limit, row.tone))
    return tuple(tiles)


def _mapping(value: Json | None) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
