"""`python -m topology verify-backups [--newest N]`: is every generation worth anything? Restored, checked, started.

Each is unsealed into memory, held against its manifest with `pg_verifybackup`, and started; PostgreSQL replays the
log to its end, and every table is read. One JSON object a generation on standard output, and in `verified.jsonl` of
the archive. It runs at the lowest priority. Exit status 1: at least one of them is worth nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from topology.platform.backup import positions
from topology.platform.backup.generations import Generation
from topology.platform.backup.restore import OutOfReach, Store
from topology.platform.backup.sealed import Unreadable
from topology.platform.backup.settings import Settings, programs
from topology.platform.backup.side_copy import CannotServe, SideCopy

FILE: Final = "verified.jsonl"
_NICENESS: Final = 15
_PORT: Final = 5439
_TABLES: Final = """
    SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


@dataclass(frozen=True)
class Verified:
    """What came of one generation. `replayed_to` and `log_end` are positions; `restorable` is the verdict."""

    generation: str
    restorable: bool
    why: str
    began: str
    seconds: float
    replayed_to: str = ""
    log_end: str = ""
    last_commit: str = ""
    tables: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Replayed:
    """What a started copy shows. `last_commit` is empty if the log held none."""

    position: int
    last_commit: str
    tables: int
    rows: int


def verify(store: Store, generation: Generation, scratch: Path) -> Verified:
    """Whatever is wrong with it is in the result. Leaves nothing behind."""
    began, began_s = datetime.now(UTC).isoformat(), time.monotonic()
    end = positions.lsn(store.reached.lsn)
    folder = scratch / f"verify-{generation.name}"
    replayed, why = None, ""
    try:
        _put_and_hold_against_manifest(store, generation, folder)
        copy = SideCopy(folder)
        with copy.serving(_PORT) as source:
            replayed = _look(copy, source)
        if replayed.position < end:
            why = (
                f"the replay ended at {positions.as_text(replayed.position)}, but the log had reached "
                f"{store.reached.lsn}: there is a hole in it"
            )
    except (OutOfReach, Unreadable, CannotServe, psycopg.Error, OSError) as error:
        why = " ".join(str(error).split())[-500:] or type(error).__name__
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Verified(
        generation=generation.name,
        restorable=not why,
        why=why,
        began=began,
        seconds=round(time.monotonic() - began_s, 3),
        replayed_to=positions.as_text(replayed.position) if replayed else "",
        log_end=store.reached.lsn,
        last_commit=replayed.last_commit if replayed else "",
        tables=replayed.tables if replayed else 0,
        rows=replayed.rows if replayed else 0,
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="restores and starts every generation")
    parser.add_argument("--newest", type=int, metavar="N", help="only the newest N generations")
    given = parser.parse_args(argv)
    settings = Settings.from_environment()
    os.nice(_NICENESS)
    try:
        store = Store.at(settings.data, settings.key)
    except OutOfReach as nothing:
        print(json.dumps({"generation": "", "restorable": False, "why": str(nothing)}), flush=True)
        return 1
    found = []
    for generation in reversed(store.usable()[-(given.newest or 0) :]):
        verified = verify(store, generation, settings.scratch)
        if not verified.restorable and generation not in store.generations.all():
            continue  # its time had come meanwhile: there are ten newer ones
        found.append(verified)
        line = json.dumps(asdict(found[-1]))
        with (settings.data / FILE).open("a") as file:
            file.write(line + "\n")
        print(line, flush=True)
    return 0 if found and all(each.restorable for each in found) else 1


def _put_and_hold_against_manifest(store: Store, generation: Generation, folder: Path) -> None:
    """Raises Unreadable, OutOfReach, CannotServe."""
    store.put(generation, folder)
    (folder / "recovery.signal").unlink()
    checked = subprocess.run(
        [str(programs() / "pg_verifybackup"), "--quiet", "--ignore=archived-log", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if checked.returncode != 0:
        raise Unreadable(f"pg_verifybackup: {checked.stderr.strip() or checked.stdout.strip()}")
    (folder / "recovery.signal").touch()


def _look(copy: SideCopy, source: str) -> Replayed:
    """Every table of every database is read to its end: each page tells by its checksum whether it is whole."""
    with psycopg.connect(source, autocommit=True) as connection:
        row = connection.execute(
            "SELECT pg_last_wal_replay_lsn()::text, pg_last_xact_replay_timestamp()"
        ).fetchone()
        names = connection.execute("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate")
        databases = [str(name) for (name,) in names]
    tables = rows = 0
    for database in databases:
        with psycopg.connect(copy.source(_PORT, database), autocommit=True) as connection:
            for schema, table in connection.execute(_TABLES).fetchall():
                count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
                counted = connection.execute(count).fetchone()
                tables, rows = tables + 1, rows + (int(counted[0]) if counted else 0)
    assert row is not None
    position = positions.lsn(row[0]) if row[0] else 0
    return Replayed(position, row[1].isoformat() if row[1] else "", tables, rows)
