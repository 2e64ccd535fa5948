"""`python -m topology restore --into DIR [--at INSTANT] [--serve PORT]`: the cluster as it was at an instant.

INSTANT is ISO 8601 with its zone; without it everything up to the last archived commit comes back. With `--serve` a
PostgreSQL replays the log and serves on that port until it is told to stop; as a `--standby` nobody can write to it,
and another cluster can be made as a copy of it. With `--detach` it goes on serving when the program has ended. Prints
one JSON object. Exit status 2: the instant lies outside of what can be restored, and it says so.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from topology.platform.backup import positions
from topology.platform.backup.archive import Archive, Reached, read_reached
from topology.platform.backup.generations import Generation, Generations
from topology.platform.backup.sealed import Key, Unreadable
from topology.platform.backup.settings import Settings
from topology.platform.backup.side_copy import LOG, CannotServe, SideCopy, Target


class OutOfReach(Exception):
    """What was asked for lies outside of what can be restored."""


class NotYet(OutOfReach):
    """It has happened, but the log that it is in has not come in yet."""


@dataclass(frozen=True)
class Restored:
    """`until` is the instant asked for; None: the last archived commit, which is at `reached` or later."""

    generation: str
    until: str | None
    reached: str
    segments: int
    seconds: float


@dataclass(frozen=True)
class Store:
    """All that one backup node keeps."""

    archive: Archive
    generations: Generations
    reached: Reached
    key: Key

    @classmethod
    def at(cls, folder: Path, key: Key) -> Store:
        """Raises OutOfReach for a folder that holds nothing to restore."""
        reached = read_reached(folder / "reached.json")
        if reached is None:
            raise OutOfReach(f"nothing was ever archived in {folder}")
        return cls(Archive(folder, key, reached.segment_size), Generations(folder), reached, key)

    def usable(self) -> list[Generation]:
        """The generations that the archived log continues, oldest first.

        Not (yet) one whose end the archive has not reached, nor one of a primary that others did not follow so far.
        """
        latest, steps = self.archive.chain()
        left = {step.parent: step.begin for step in steps}
        ends = {latest: positions.lsn(self.reached.lsn), **left}
        return [each for each in self.generations.all() if each.end <= ends.get(each.timeline, 0)]

    def choose(self, until: datetime | None) -> Generation:
        """The newest generation from which an instant can be reached. Raises OutOfReach, saying what can be."""
        there = self.usable()
        if not there:
            raise OutOfReach("there is no generation to restore")
        if until is None:
            return there[-1]
        newest = datetime.fromisoformat(self.reached.instant)
        if until > newest:
            out_of_reach = NotYet if until <= datetime.now(UTC) else OutOfReach
            raise out_of_reach(
                f"{until.isoformat()} is after the newest restorable instant, {newest.isoformat()}"
            )
        before = [each for each in there if datetime.fromisoformat(each.ended) <= until]
        if not before:
            raise OutOfReach(
                f"{until.isoformat()} is before the end of the oldest generation, {there[0].ended}"
            )
        return before[-1]

    def put(self, generation: Generation, into: Path) -> int:
        """A generation's files, plain, with the log after it; ready to replay it. How many segments.

        Raises Unreadable; OutOfReach where the folder is not empty.
        """
        if into.exists() and any(into.iterdir()):
            raise OutOfReach(f"{into} is not empty")
        into.mkdir(parents=True, exist_ok=True)
        into.chmod(0o700)
        _unpack(self.key, self.generations.base(generation), into)
        segments = self.archive.unseal(into / LOG, generation.start // self.archive.size)
        (into / "recovery.signal").touch()
        return segments


def restore(
    store: Store, into: Path, until: datetime | None, generation: Generation | None = None
) -> Restored:
    """Raises OutOfReach, Unreadable."""
    began_s = time.monotonic()
    chosen = generation or store.choose(until)
    segments = store.put(chosen, into)
    return Restored(
        generation=chosen.name,
        until=until.isoformat() if until else None,
        reached=store.reached.instant,
        segments=segments,
        seconds=round(time.monotonic() - began_s, 3),
    )


def instant(text: str) -> datetime:
    """Raises argparse.ArgumentTypeError for what is no instant, or has no zone."""
    with suppress(ValueError):
        read = datetime.fromisoformat(text)
        if read.tzinfo is not None:
            return read
    raise argparse.ArgumentTypeError(
        f"{text!r} is no instant with its zone, such as 2026-01-15T14:46:40+09:00"
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="the cluster as it was at an instant")
    parser.add_argument(
        "--at", type=instant, help="ISO 8601 with its zone; without it: the last archived commit"
    )
    parser.add_argument("--into", type=Path, required=True, help="an empty folder")
    parser.add_argument("--serve", type=int, metavar="PORT", help="replay the log and serve until stopped")
    parser.add_argument("--standby", action="store_true", help="serve as a standby, which others can copy")
    parser.add_argument("--detach", action="store_true", help="go on serving behind the program's end")
    given = parser.parse_args(argv)
    if (given.standby or given.detach) and given.serve is None:
        parser.error("--standby and --detach are ways to --serve")
    if given.standby and given.at is not None:
        parser.error("--standby goes on to the end of the log; it has no --at")
    if given.detach:
        words = sys.argv[1:] if argv is None else argv
        return _detached([word for word in words if word != "--detach"], given.into)
    settings = Settings.from_environment()
    try:
        store = Store.at(settings.data, settings.key)
        restored = restore(store, given.into, given.at)
        copy = SideCopy(
            given.into.absolute(),
            Target(given.at),
            durable=not given.standby,  # whoever copies it makes it so
            standby_at=store.reached.lsn if given.standby else None,
        )
        if given.serve is None:
            copy.prepare(5432, listen="")
            print(json.dumps(asdict(restored)), flush=True)
            return 0
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        with copy.serving(given.serve, listen="*"):
            print(json.dumps({**asdict(restored), "serving": given.serve}), flush=True)
            over.wait()
    except OutOfReach as refused:
        print(f"cannot restore: {refused}", file=sys.stderr)
        return 2
    except (Unreadable, CannotServe) as broken:
        print(f"the backup is broken: {broken}", file=sys.stderr)
        return 1
    return 0


def _detached(words: Sequence[str], into: Path) -> int:
    """The same program in a session of its own; this one ends when that one serves, or has failed."""
    says = into.absolute().with_name(f"{into.name}.says")
    with says.open("wb") as trouble:
        serving = subprocess.Popen(
            [sys.executable, "-m", "topology", "restore", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=trouble,
            start_new_session=True,
        )
    assert serving.stdout is not None
    told = serving.stdout.readline()
    if not told:
        sys.stderr.write(says.read_text(errors="replace"))
        return serving.wait()
    sys.stdout.write(told.decode())
    return 0


def _as_it_is(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo:
    return member


def _unpack(key: Key, base: Path, into: Path) -> None:
    """Raises Unreadable for what the key does not open or what is no whole archive."""
    reading, writing = os.pipe()
    trouble: list[Exception] = []

    def unseal() -> None:
        with suppress(BrokenPipeError), os.fdopen(writing, "wb") as sink:
            try:
                key.open(base, sink)
            except (Unreadable, OSError) as error:
                trouble.append(error)

    opening = threading.Thread(target=unseal)
    opening.start()
    try:
        with os.fdopen(reading, "rb") as source, tarfile.open(fileobj=source, mode="r|gz") as files:
            # The filter is newer than some of the Pythons that are served (3.11.2 of Debian 12); only those who have
            # the service's key can write such an archive.
            files.extraction_filter = getattr(tarfile, "data_filter", _as_it_is)
            files.extractall(into)  # noqa: S202 - filtered, see above
    except (tarfile.TarError, EOFError, OSError) as error:
        trouble.append(error)
    finally:
        opening.join()
    if trouble:
        raise Unreadable(f"{base.parent.name}: {trouble[0]}")
