"""Bytes carried, under the names and labels of upstream's `-proxy-metrics`."""

from __future__ import annotations

import os
import resource
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from topology.platform.proxy.flow import Sink, Source
from topology.platform.proxy.toxics.toxic import Chunk


class Label(NamedTuple):
    """Which bytes: of what direction, and of which proxy as it was then."""

    direction: str
    listener: str
    proxy: str
    upstream: str


class Meter:
    """All counters of one server."""

    def __init__(self) -> None:
        self.received: Counter[Label] = Counter()
        self.sent: Counter[Label] = Counter()

    def exposition(self) -> str:
        """The counters in the text format that Prometheus reads; those that never counted are left out."""
        return "".join(
            _counter(f"toxiproxy_proxy_{name}_bytes_total", counts)
            for name, counts in (("received", self.received), ("sent", self.sent))
            if counts
        )


class MeteredSource:
    """A source whose bytes are counted as received."""

    def __init__(self, source: Source, counts: Counter[Label], label: Label) -> None:
        self._source = source
        self._counts = counts
        self._label = label
        self.pause = source.pause
        self.resume = source.resume
        self.reset_on_close = source.reset_on_close

    def deliver(self, receive: Callable[[bytes], None]) -> None:
        def counted(data: bytes) -> None:
            self._counts[self._label] += len(data)
            receive(data)

        self._source.deliver(counted)


class MeteredSink:
    """A sink whose bytes are counted as sent."""

    def __init__(self, sink: Sink, counts: Counter[Label], label: Label) -> None:
        self._sink = sink
        self._counts = counts
        self._label = label
        self.end = sink.end
        self.reset_on_close = sink.reset_on_close

    def write(self, data: bytes) -> None:
        self._counts[self._label] += len(data)
        self._sink.write(data)

    def feed(self, chunk: Chunk) -> None:
        self.write(chunk.data)


def process_exposition() -> str:
    """What this process uses, for upstream's `-runtime-metrics`, whose other figures are of Go's own runtime."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "process_cpu_seconds_total": ("counter", used.ru_utime + used.ru_stime),
        "process_open_fds": ("gauge", len(os.listdir("/proc/self/fd"))),
        "process_resident_memory_bytes": ("gauge", used.ru_maxrss * 1024),
    }
    return "".join(f"# TYPE {name} {kind}\n{name} {value}\n" for name, (kind, value) in figures.items())


def _counter(name: str, counts: Counter[Label]) -> str:
    lines = [f"# HELP {name} \n# TYPE {name} counter\n"]
    for label, value in sorted(counts.items()):
        pairs = ",".join(f'{key}="{_escape(text)}"' for key, text in label._asdict().items())
        lines.append(f"{name}{{{pairs}}} {value}\n")
    return "".join(lines)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
