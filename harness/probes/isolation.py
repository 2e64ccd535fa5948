"""`python -m harness.probes.isolation CONFIG.json`: observers of one company ask for another's data, until SIGTERM.

A program of its own that gives way to all others: when an attempt is made does not matter, only what comes of it. Every
entrance is tried, in plain http and in TLS; requests go several at a time down connections that stay, which costs the
least. In a reply any byte of the other company's data is a leak, and so is any reply but a refusal where only that is
right. Counts go to isolation.jsonl once a second, each leak at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import uvloop

from harness import canaries
from harness.load.access import Entrance
from harness.load.config import LoadConfig
from harness.probes.intrusions import COOKIE, Attempt, Intrusions, Target
from harness.probes.replies import Answered, Replies
from topology.map import Map

FILE: Final = "isolation.jsonl"
#: Attempts a second, of all lanes: ten thousand in two minutes, and half as many again for the time that lanes hang.
RATE: Final = 125.0
#: Requests that leave together.
TOGETHER: Final = 10
DEADLINE_S: Final = 4.0
#: Behind its timetable, a lane makes up for so many turns at most.
BEHIND: Final = 20
SAY_EVERY_S: Final = 1.0
#: So many leaks are told with what came, the others without.
SHOWN: Final = 200
LARGEST_SHOWN: Final = 4000
_NICE: Final = 10


@dataclass(frozen=True)
class IsolationConfig:
    """Settings of the program: the run directory, the ways in, who asks for whose data, and how that is marked."""

    folder: Path
    entrances: tuple[Entrance, ...]
    target: Target
    mark: str
    seed: int
    rate: float = RATE

    @classmethod
    def of(cls, topology: Map, *, load: LoadConfig, token: str, folder: Path) -> IsolationConfig:
        """For a load with canaries. `token`: a link of the observer's own. Raises ValueError without two companies."""
        population = load.population()
        observer, other = canaries.observer(population), canaries.marked(population)
        of_each = [each.entrances for each in load.access]
        return cls(
            folder=folder,
            # Each entrance through another carrier's link.
            entrances=tuple(of_each[at % len(of_each)][at] for at in range(min(map(len, of_each)))),
            target=Target(
                company=observer.number,
                other=other.number,
                user=observer.admin,
                password=observer.password,
                people=tuple(each.number for each in population.people if each.company == other.number),
                token=token,
                key=topology.with_role("web")[0].environment["SESSION_KEY"],
                host=load.host,
            ),
            mark=load.canary,
            seed=load.seed,
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str, indent=1)

    @classmethod
    def from_json(cls, text: str) -> IsolationConfig:
        """Raises ValueError, KeyError or TypeError for a file that is none."""
        data: dict[str, Any] = json.loads(text)
        data["folder"] = Path(data["folder"])
        data["entrances"] = tuple(Entrance(**each) for each in data["entrances"])
        data["target"] = Target(**{**data["target"], "people": tuple(data["target"]["people"])})
        return cls(**data)


class Record:
    """What came of the attempts, in the run directory. Counts are told once a second, leaks at once."""

    def __init__(self, path: Path, marks: Sequence[bytes]) -> None:
        self._file = path.open("ab", buffering=0)
        self._marks = marks
        self._counts: Counter[str] = Counter()
        self._granted: set[tuple[int, str]] = set()
        self.total: Counter[str] = Counter()

    def answered(self, attempt: Attempt, reply: Answered, endpoint: str) -> None:
        seen = next((mark for mark in self._marks if mark in reply.whole), b"")
        if seen:
            self._leak(attempt, reply, endpoint, f"{seen.decode()} is in the reply")
        elif reply.refused:
            self._count(attempt, "refused")
        elif attempt.broadcast and (attempt.broadcast, endpoint) not in self._granted:
            # Whose it is shows at the end, in what the service had recorded.
            self._granted.add((attempt.broadcast, endpoint))
            self._write("granted", broadcast=attempt.broadcast, **_told(attempt, reply, endpoint))
            self._count(attempt, "granted")
        elif attempt.refusable and not attempt.broadcast:
            self._leak(attempt, reply, endpoint, "it was not refused")
        else:
            self._count(attempt, "own")

    def unanswered(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            self._count(attempt, "unanswered")

    def tell(self) -> None:
        """The counts since the last time."""
        counts, self._counts = self._counts, Counter()
        self._write("counts", **counts)

    def close(self) -> None:
        self.tell()
        self._write("ended", cpu_s=round(time.process_time(), 3), **self.total)
        self._file.close()

    def _count(self, attempt: Attempt, outcome: str) -> None:
        self._counts[f"{attempt.kind}.{outcome}"] += 1
        self.total[outcome] += 1

    def _leak(self, attempt: Attempt, reply: Answered, endpoint: str, why: str) -> None:
        self._count(attempt, "leaked")
        told = _told(attempt, reply, endpoint)
        if self.total["leaked"] > SHOWN:
            del told["reply"]
        self._write("leak", why=why, **told)

    def _write(self, what: str, **data: object) -> None:
        row = {"at_ns": time.monotonic_ns(), "what": what, **data}
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _told(attempt: Attempt, reply: Answered, endpoint: str) -> dict[str, object]:
    return {
        "kind": attempt.kind,
        "endpoint": endpoint,
        "request": attempt.request.decode(errors="replace"),
        "status": reply.status,
        "reply": reply.whole[:LARGEST_SHOWN].decode(errors="replace"),
    }


class Lane:
    """One way in, with a connection that is made anew after any trouble."""

    def __init__(self, entrance: Entrance, intrusions: Intrusions, record: Record, *, tls: bool) -> None:
        self._host, self._port = entrance.host, entrance.https if tls else entrance.http
        self._tls = _context() if tls else None
        self._intrusions, self._record = intrusions, record
        self._replies: Replies | None = None
        self.endpoint = f"{entrance.name}, {'https' if tls else 'http'}"

    async def go(self, every_s: float) -> None:
        """Attempts on a timetable, for ever."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            await self.turn()
            due_s = max(due_s + every_s, loop.time() - BEHIND * every_s)

    async def turn(self) -> None:
        """Some attempts that leave together, signed in if that can be had."""
        if not self._intrusions.session:
            await self._sign_in()
        left = [next(self._intrusions) for _ in range(TOGETHER)]
        try:
            async with asyncio.timeout(DEADLINE_S):
                replies = await self._send(b"".join(attempt.request for attempt in left))
                while left:
                    reply = await replies.next()
                    self._record.answered(left.pop(0), reply, self.endpoint)
        except (OSError, EOFError, ValueError):  # a time-out is an OSError
            self._hang_up()
            self._record.unanswered(left)

    async def _sign_in(self) -> None:
        """As oneself. Without a session, what needs none is tried all the same."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                reply = await (await self._send(self._intrusions.sign_in())).next()
        except (OSError, EOFError, ValueError):
            self._hang_up()
            return
        if cookie := reply.cookie(COOKIE):
            self._intrusions.session = cookie

    async def _send(self, requests: bytes) -> Replies:
        if self._replies is None or self._replies.ended:
            self._hang_up()
            self._replies = await Replies.open(self._host, self._port, self._tls)
        self._replies.ask(requests)
        return self._replies

    def _hang_up(self) -> None:
        if self._replies is not None:
            self._replies.close()
        self._replies = None


def _context() -> ssl.SSLContext:
    """The replica signs its own certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def intrude(config: IsolationConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    marks = [mark(config.mark).encode() for mark in (canaries.name_mark, canaries.address_mark)]
    record = Record(config.folder / FILE, marks)
    intrusions = Intrusions(config.target, config.seed)
    lanes = [Lane(each, intrusions, record, tls=tls) for each in config.entrances for tls in (False, True)]
    every_s = TOGETHER * len(lanes) / config.rate
    tasks = []
    try:
        print("ready", flush=True)
        for lane in lanes:
            tasks.append(asyncio.create_task(lane.go(every_s)))
            await asyncio.sleep(every_s / len(lanes))
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), SAY_EVERY_S)
            record.tell()
            for task in tasks:
                if task.done():
                    task.result()  # it never ends by itself: an error of ours ends the program
            with suppress(BrokenPipeError):
                print(json.dumps(record.total), flush=True)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        record.close()


def main() -> int:
    config = IsolationConfig.from_json(Path(sys.argv[1]).read_text())
    os.nice(_NICE)
    uvloop.run(intrude(config))
    return 0


if __name__ == "__main__":
    sys.exit(main())
