"""`degrade` / `ease`: a carrier's access link, or a wide-area link, gets slow, thin, refusing, silent or resetting."""

from __future__ import annotations

import json
import math
import statistics
import struct
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from harness.faults import Effect, Stage
from harness.faults.looking import PATIENCE_S, connect
from harness.rundir import Json
from harness.toxiproxy import Toxic, Toxiproxy
from topology.map import Carrier, Link, Node

API_PORT: Final = 8474
STREAMS: Final = ("upstream", "downstream")
#: A name of our own, so that nothing is taken away that somebody else has put there.
MARK: Final = "harness-"
#: Connections that are tried to measure a share of them.
TRIES: Final = 60
#: Whoever looks waits no longer for one answer. A link that is to be slower than that is seen to give none meanwhile.
LONGEST_LOOK_S: Final = 5.0
#: Round trips that are measured.
TRIPS: Final = 3
REQUEST: Final = b"GET /login HTTP/1.1\r\nHost: anpi.example\r\nConnection: close\r\n"
#: Behind a wide-area link is PostgreSQL. It answers the question for TLS, and a greeting of its protocol's version 3.
TLS_QUESTION: Final = struct.pack("!II", 8, 80877103)
GREETING_VERSION: Final = 196608
RESET_AFTER_MS: Final = 100
#: Servers refuse a request whose head, or a greeting that, is longer than this.
MOST_BYTES: Final = 30_000
LONGEST_GREETING: Final = 9_000
EASED_WITHIN_S: Final = 10.0


@dataclass(frozen=True)
class Degrade:
    """`effects` are the arguments of the verb, see `harness.verbs`: seconds, thousands of bytes a second, shares."""

    way: Carrier | Link
    effects: Mapping[str, float]
    link: Node

    @property
    def nodes(self) -> Sequence[Node]:
        return (self.link,)

    @property
    def undoing(self) -> dict[str, Json]:
        return {
            "verb": "ease",
            "link": self.way.name if isinstance(self.way, Carrier) else self.way.node,
            "nodes": [self.link.name],
            "toxics": sorted(self.effects),
        }

    def inject(self, stage: Stage) -> None:
        with stage.runtime.inside(stage.observer):
            proxy = self._proxy()
            for name in proxy.proxies():
                for toxic in self._toxics():
                    proxy.add(name, toxic)

    def undo(self, stage: Stage) -> None:
        with stage.runtime.inside(stage.observer):
            proxy = self._proxy()
            for name in proxy.proxies():
                for toxic in self._toxics():
                    proxy.remove(name, toxic.name)

    def verify(self, stage: Stage) -> Effect:
        """Measure what a user of this carrier, or a database at the other end, gets."""
        seen = [self._measure(stage, what, want) for what, want in self.effects.items() if what != "jitter"]
        return Effect(all(effect.proven for effect in seen), "; ".join(effect.proof for effect in seen))

    def verify_undone(self, stage: Stage) -> Effect:
        with stage.runtime.inside(stage.observer):
            proxy = self._proxy()
            left = [toxic.name for name in proxy.proxies() for toxic in proxy.toxics(name)]
        if ours := [name for name in left if name.startswith(MARK)]:
            return Effect(False, f"still on the link: {', '.join(ours)}")
        deadline = time.monotonic() + EASED_WITHIN_S
        while True:
            words = self._try_many(stage)
            answered = words.count("answered")
            if answered >= len(words) * 0.95 or time.monotonic() > deadline:
                return Effect(
                    answered >= len(words) * 0.95, f"{answered} of {len(words)} connections answered"
                )

    def _proxy(self) -> Toxiproxy:
        return Toxiproxy(str(self.link.address), API_PORT)

    def _toxics(self) -> list[Toxic]:
        """Latency and bandwidth hold both ways; a share of connections is chosen once, on one of the ways."""
        made = []
        for what, value in self.effects.items():
            if what == "latency":
                times = {"latency": _ms(value), "jitter": _ms(self.effects.get("jitter", 0.0))}
                made += [
                    Toxic(f"{MARK}latency-{stream}", "latency", stream, 1.0, times) for stream in STREAMS
                ]
            elif what == "bandwidth":
                rate = {"rate": round(value)}
                made += [
                    Toxic(f"{MARK}bandwidth-{stream}", "bandwidth", stream, 1.0, rate) for stream in STREAMS
                ]
            elif what == "refused":
                # On the way there: a refused request never reaches the service.
                made.append(Toxic(f"{MARK}refused", "reset_peer", "upstream", value, {"timeout": 0}))
            elif what == "silence":
                # On the way there: were only the answer lost, its end would still be seen, and that is no silence.
                made.append(Toxic(f"{MARK}silence", "timeout", "upstream", value, {"timeout": 0}))
            elif what == "resets":
                made.append(
                    Toxic(f"{MARK}resets", "reset_peer", "downstream", value, {"timeout": RESET_AFTER_MS})
                )
        return made

    def _measure(self, stage: Stage, what: str, want: float) -> Effect:
        if what == "latency":
            return self._late(stage, want)
        if what == "bandwidth":
            return Effect(*self._thin(stage, want))
        words = {"refused": ("reset", "closed"), "silence": ("silent",), "resets": ("reset", "closed")}[what]
        seen = self._try_many(stage)
        share = sum(word in words for word in seen) / len(seen)
        # Three standard errors of a share measured on so many tries, and a twentieth for other faults at once.
        slack = 3 * math.sqrt(want * (1 - want) / len(seen)) + 0.05
        near = abs(share - want) <= slack and share > 0
        return Effect(near, f"{what}: {share:.0%} of {len(seen)} connections, {want:.0%} wanted")

    def _late(self, stage: Stage, want: float) -> Effect:
        """Whether answers take so much longer, each way."""
        untouched = self.way.round_trip_s if isinstance(self.way, Link) else 0.0
        jitter_s = self.effects.get("jitter", 0.0)
        least = untouched + 2 * (want - jitter_s)
        if least > LONGEST_LOOK_S:
            word = self._exchange(stage, timeout_s=LONGEST_LOOK_S)
            proof = f"a request is {word} after {LONGEST_LOOK_S:g} s, an answer expected after {least:.0f} s"
            return Effect(word == "silent", proof)
        trips = self._round_trips(stage, untouched + 4 * (want + jitter_s) + PATIENCE_S)
        if not trips:
            return Effect(False, "no request came through to see how long it takes")
        took = statistics.median(trips)
        proof = f"a round trip takes {took * 1000:.0f} ms, at least {least * 1000:.0f} expected"
        return Effect(took >= least, proof)

    def _thin(self, stage: Stage, kilobytes: float) -> tuple[bool, str]:
        """Whether a request takes as long as its size needs."""
        most = MOST_BYTES if isinstance(self.way, Carrier) else LONGEST_GREETING
        size = min(most, max(4096, int(kilobytes * 1000)))
        started = time.monotonic()
        word = self._exchange(stage, size, timeout_s=10)
        took = time.monotonic() - started
        least = 0.5 * size / (kilobytes * 1000)
        return took >= least, f"{size} bytes took {took:.2f} s ({word}), at least {least:.2f} expected"

    def _round_trips(self, stage: Stage, timeout_s: float) -> list[float]:
        """Of `TRIPS` requests that came through: one that is refused takes no time, and says nothing."""
        took: list[float] = []
        for _ in range(TRIES):
            started = time.monotonic()
            if self._exchange(stage, timeout_s=timeout_s) == "answered":
                took.append(time.monotonic() - started)
            if len(took) == TRIPS:
                break
        return took

    def _try_many(self, stage: Stage) -> list[str]:
        with ThreadPoolExecutor(max_workers=20) as pool:
            return list(pool.map(lambda _: self._exchange(stage), range(TRIES)))

    def _exchange(self, stage: Stage, size: int = 0, timeout_s: float = PATIENCE_S) -> str:
        """What a request of that size through the link comes to: answered, silent, reset, closed or refused."""
        try:
            with connect(stage, stage.observer, self.link, self._port, timeout_s) as connection:
                connection.sendall(self._request(size))
                return "answered" if connection.recv(16) else "closed"
        except TimeoutError:
            return "silent"
        except ConnectionRefusedError:
            return "refused"
        except OSError:
            return "reset"

    @property
    def _port(self) -> int:
        """The link's first one."""
        if isinstance(self.way, Carrier):
            return self.way.entrances[0].http
        return int(json.loads(self.link.configs[0].content)[0]["listen"].rpartition(":")[2])

    def _request(self, size: int) -> bytes:
        if isinstance(self.way, Carrier):
            return REQUEST + (b"X-Filling: " + b"x" * size + b"\r\n" if size else b"") + b"\r\n"
        if not size:
            return TLS_QUESTION
        words = b"user\0" + b"x" * size + b"\0\0"
        return struct.pack("!II", 8 + len(words), GREETING_VERSION) + words


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
