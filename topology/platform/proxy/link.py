"""One direction of one connection.

    source ──────► Link.feed ──► Stub ──► Stub ──► ... ──► sink
    (socket read)                 │        │        (socket write)
       ▲                       latency  bandwidth     │
       │                                              │
       └── pause / resume reading ◄── hold / release ─┘   by any stub where bytes wait, or by a full sink

Toxics stand in the order they were added. One that the dice spared on this connection is left out of the chain; with
none left, the source's reads go straight into the sink's `write`, without a line of Python between them.
The end of the source's bytes travels the same way, behind the last of them, and closes the sink.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from topology.platform.proxy.active import ActiveToxic
from topology.platform.proxy.engine import Engine
from topology.platform.proxy.flow import Output, Sink, Source
from topology.platform.proxy.stub import Stub
from topology.platform.proxy.toxics.toxic import Chunk


class Link:
    __slots__ = ("_dead", "_ended", "_engine", "_first", "_held", "_sink", "_source", "stubs")

    def __init__(self, engine: Engine, source: Source, sink: Sink, toxics: Sequence[ActiveToxic]) -> None:
        self._engine = engine
        self._source = source
        self._sink = sink
        self._held = 0
        self._ended = False
        self._dead = False
        self._first: Output = sink
        self.stubs = [Stub(engine, self, active, sink) for active in toxics]
        self._wire()
        for stub in self.stubs:
            stub.run()

    # -- bytes -------------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        self._first.feed(Chunk(data, monotonic()))

    def end(self) -> None:
        """The source has no more."""
        if not self._ended:
            self._ended = True
            self._first.end()

    def drop(self) -> None:
        """The sink is gone: read on, so that the source's end is noticed, and throw it away."""
        if not self._dead:
            self._dead = True
            for stub in self.stubs:
                stub.drop()
            self._source.deliver(_discard)
            self._source.resume()

    def hold(self) -> None:
        self._held += 1
        if self._held == 1:
            self._source.pause()

    def release(self) -> None:
        self._held -= 1
        if self._held == 0:
            self._source.resume()

    def reset(self) -> None:
        self._source.reset_on_close()
        self._sink.reset_on_close()

    # -- toxics come and go ------------------------------------------------------------------------------------

    def add(self, active: ActiveToxic) -> None:
        if not self._dead:
            stub = Stub(self._engine, self, active, self._sink)
            self.stubs.append(stub)
            self._wire()
            stub.run()

    def update(self, active: ActiveToxic) -> None:
        stub = self._find(active.name)
        if stub is not None:
            stub.update(active)
            self._wire()
            stub.run()

    def remove(self, name: str) -> None:
        stub = self._find(name)
        if stub is not None:
            stub.remove()
            if not stub.closed:  # a closed one stays, to swallow what is still on its way
                self.stubs.remove(stub)
            self._wire()

    def _find(self, name: str) -> Stub | None:
        if self._dead:
            return None
        return next((stub for stub in self.stubs if stub.active.name == name and not stub.closed), None)

    def _wire(self) -> None:
        output: Output = self._sink
        for stub in reversed(self.stubs):
            stub.output = output
            if stub.acts or stub.closed:
                output = stub
        self._first = output
        self._source.deliver(self._sink.write if output is self._sink else self.feed)


def _discard(data: bytes) -> None:
    pass
