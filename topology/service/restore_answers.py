"""`python -m topology restore-answers [--before INSTANT]`: lost answers come back into the running service.

Run where the backups are. Without `--before` the mistake is looked for in the log: the first transaction that deleted
answers since the last time, or the one that dropped their table. A copy of the database is restored beside the
service, in memory, to just before it; what it has and the service has not is put back, in one transaction. A row that
was made or answered after the mistake stays as it is. Prints one JSON object. Exit status 2: there is no mistake to
undo, or it lies outside of what can be restored; 3: not yet, the log of that time has still to come in.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

import psycopg

from topology.platform.backup import mistakes
from topology.platform.backup.mistakes import Mistake
from topology.platform.backup.restore import NotYet, OutOfReach, Store, instant, restore
from topology.platform.backup.sealed import Unreadable
from topology.platform.backup.settings import Settings
from topology.platform.backup.side_copy import CannotServe, SideCopy, Target

DATABASE: Final = "anpi"
#: What was undone already is not looked for again.
DONE: Final = "answers-restored.jsonl"
_PORT: Final = 5440
_COLUMNS: Final = (
    "token, broadcast, company, person, status, come, comment, answered_at_ns, answered_at, version"
)

_SIDE: Final = "CREATE TEMPORARY TABLE restored (LIKE answers) ON COMMIT DROP"
_RETURN: Final = f"""
    INSERT INTO answers ({_COLUMNS}) SELECT {_COLUMNS} FROM restored ON CONFLICT DO NOTHING
    RETURNING (status IS NOT NULL)::int
"""  # noqa: S608
# A form that somebody still has open, from before or after the mistake, is older than what comes back.
_REFILL: Final = """
    UPDATE answers a SET status = r.status, come = r.come, comment = r.comment,
        answered_at_ns = r.answered_at_ns, answered_at = r.answered_at, version = greatest(a.version, r.version) + 1
    FROM restored r WHERE a.token = r.token AND a.status IS NULL AND r.status IS NOT NULL
"""


class NothingToUndo(Exception):
    """No mistake was found."""


@dataclass(frozen=True)
class Report:
    """`rows` came back, `answers` of them with an answer in them. All in seconds.

    `last_commit` is the last one before the mistake that the copy holds, `mistake` when that was committed.
    """

    mistake: str
    last_commit: str
    rows: int
    answers: int
    table_made_anew: bool
    finding_s: float
    restoring_s: float
    returning_s: float
    seconds: float


@dataclass(frozen=True)
class Copied:
    rows: int
    answers: int
    last_commit: str
    table_made_anew: bool


def restore_answers(settings: Settings, before: datetime | None) -> Report:
    """Raises NothingToUndo, OutOfReach, Unreadable, CannotServe, psycopg.Error."""
    began_s = time.monotonic()
    store = Store.at(settings.data, settings.key)
    scratch = settings.scratch / "restore-answers"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        mistake = _find(settings, store, scratch / "log") if before is None else None
        found_s = time.monotonic()
        at = mistake.at if mistake else before
        assert at is not None
        restore(store, scratch / "copy", at)
        target = Target(transaction=mistake.transaction) if mistake else Target(instant=at, inclusive=False)
        copy = SideCopy(scratch / "copy", target)
        with copy.serving(_PORT):
            restored_s = time.monotonic()
            copied = _return(settings, copy)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    ended_s = time.monotonic()
    report = Report(
        mistake=at.isoformat(),
        last_commit=copied.last_commit,
        rows=copied.rows,
        answers=copied.answers,
        table_made_anew=copied.table_made_anew,
        finding_s=round(found_s - began_s, 3),
        restoring_s=round(restored_s - found_s, 3),
        returning_s=round(ended_s - restored_s, 3),
        seconds=round(ended_s - began_s, 3),
    )
    _note(settings, report)
    return report


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="lost answers come back into the running service")
    parser.add_argument("--before", type=instant, help="the mistake, ISO 8601 with its zone")
    given = parser.parse_args(argv)
    try:
        report = restore_answers(Settings.from_environment(), given.before)
    except NotYet as early:
        print(f"cannot restore yet: {early}", file=sys.stderr)
        return 3
    except (NothingToUndo, OutOfReach) as refused:
        print(f"cannot restore: {refused}", file=sys.stderr)
        return 2
    except (Unreadable, CannotServe, psycopg.Error) as broken:
        print(f"not restored: {broken}", file=sys.stderr)
        return 1
    print(json.dumps(asdict(report)), flush=True)
    return 0


# -- the mistake ------------------------------------------------------------------------------------------------------


def _find(settings: Settings, store: Store, log: Path) -> Mistake:
    """The first since the last one that was undone; looked for in the log after the last two generations.

    The log must have come in so far that the mistake is in it. Raises NothingToUndo, OutOfReach.
    """
    with psycopg.connect(_source(settings), autocommit=True) as connection:
        row = connection.execute(
            "SELECT pg_relation_filepath(to_regclass('answers')), oid::int FROM pg_database "
            "WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    usable = store.usable()
    if not usable:
        raise OutOfReach("there is no generation to restore")
    generation = usable[-2:][0]
    store.archive.unseal(log, generation.start // store.archive.size)
    done = _done(settings)
    found = [each for each in mistakes.find(store, generation, log, row[0], row[1]) if each.at > done]
    shutil.rmtree(log)
    if not found:
        raise NothingToUndo(f"since {max(done.isoformat(), generation.began)} nobody deleted answers")
    return found[0] if row[0] else found[-1]


def _done(settings: Settings) -> datetime:
    """The last mistake that was undone."""
    path = settings.data / DONE
    lines = path.read_text().splitlines() if path.exists() else []
    return max(
        (datetime.fromisoformat(json.loads(line)["mistake"]) for line in lines),
        default=datetime(1970, 1, 1, tzinfo=UTC),
    )


def _note(settings: Settings, report: Report) -> None:
    with (settings.data / DONE).open("a") as file:
        file.write(json.dumps(asdict(report)) + "\n")


# -- bringing back ----------------------------------------------------------------------------------------------------


def _return(settings: Settings, copy: SideCopy) -> Copied:
    """From the copy into the service, all or nothing."""
    with (
        psycopg.connect(copy.source(_PORT, DATABASE)) as side,
        psycopg.connect(_source(settings)) as service,
        service.transaction(),
    ):
        missing = _one(service, "SELECT to_regclass('answers') IS NULL")
        if missing:
            service.execute((files("topology.service") / "schema.sql").read_bytes())
        service.execute(_SIDE)
        with (
            side.cursor().copy(f"COPY answers ({_COLUMNS}) TO STDOUT (FORMAT binary)") as source,
            service.cursor().copy(f"COPY restored ({_COLUMNS}) FROM STDIN (FORMAT binary)") as sink,
        ):
            for block in source:
                sink.write(block)
        returned = [int(answered) for (answered,) in service.execute(_RETURN).fetchall()]
        refilled = service.execute(_REFILL).rowcount
        last = _one(side, "SELECT pg_last_xact_replay_timestamp()")
    last_commit = last.isoformat() if isinstance(last, datetime) else ""
    return Copied(len(returned) + refilled, sum(returned) + refilled, last_commit, bool(missing))


def _one(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _source(settings: Settings) -> str:
    return settings.source("anpi", f"{settings.node}-answers", DATABASE)


if __name__ == "__main__":
    sys.exit(main())
