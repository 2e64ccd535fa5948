"""One toxic at work on one direction of one connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine, Generator
from time import monotonic
from types import coroutine
from typing import Protocol

from topology.platform.proxy.active import ActiveToxic
from topology.platform.proxy.engine import Engine
from topology.platform.proxy.flow import Output
from topology.platform.proxy.timers import Timer
from topology.platform.proxy.toxics.toxic import Chunk, CleansUp


class Carrier(Protocol):
    """What a stub asks of the direction it stands in."""

    def hold(self) -> None:
        """Stop reading; as often as `release` is still to come."""

    def release(self) -> None: ...
    def reset(self) -> None: ...


class Stub:
    """Runs its toxic's `pipe` by hand: what is fed resumes it at once, without a turn of the event loop.

    A chunk that finds the toxic asleep waits here; beyond what the toxic buffers, the connection stops reading.
    """

    __slots__ = (
        "_buffer_bytes",
        "_ended",
        "_engine",
        "_holding",
        "_hurried",
        "_link",
        "_pipe",
        "_reading",
        "_timer",
        "_waiting",
        "_waiting_bytes",
        "active",
        "acts",
        "closed",
        "output",
        "random",
        "state",
    )

    def __init__(self, engine: Engine, link: Carrier, active: ActiveToxic, output: Output) -> None:
        self.active = active
        self.acts = False
        self.closed = False
        self.output = output
        self.random = engine.random
        self.state = active.new_state()
        self._engine = engine
        self._link = link
        self._pipe: Coroutine[object, Chunk | None, None] | None = None
        self._timer: Timer | None = None
        self._waiting: deque[Chunk] = deque()
        self._waiting_bytes = 0
        self._buffer_bytes = active.buffer_bytes
        self._ended = False
        self._holding = False
        self._hurried = False
        self._reading = False
        self.roll()

    # -- being run ---------------------------------------------------------------------------------------------

    def roll(self) -> None:
        """Decide whether the toxic acts on this connection, which `toxicity` is the probability of."""
        self.acts = self.random.random() < self.active.toxicity

    def run(self) -> None:
        """Start the toxic, if it acts; otherwise pass on what waited for the one before."""
        if self.closed:
            return
        if self.acts:
            self._pipe = self.active.toxic.pipe(self)
            self._resume(None)
        else:
            self._flush()

    def interrupt(self) -> None:
        """Stop the toxic: what it held has then gone on; what waited still waits."""
        if self._pipe is None or self.closed:
            return
        self._hurried = True
        if not self._reading:
            self._cancel_timer()
            self._resume(None)
        self._hurried = False
        self._stop()

    def update(self, active: ActiveToxic) -> None:
        """The toxic has new settings. The dice are rolled anew, as upstream rolls them."""
        self.interrupt()
        self.active = active
        self.roll()

    def remove(self) -> None:
        """Take the toxic off for good."""
        self.interrupt()
        if isinstance(self.active.toxic, CleansUp):
            self.active.toxic.clean_up(self)
        if not self.closed:
            self._flush()

    def drop(self) -> None:
        """There is nowhere left to write to: forget everything."""
        self.closed = True
        self._stop()
        self._forget()

    # -- being fed ---------------------------------------------------------------------------------------------

    def feed(self, chunk: Chunk) -> None:
        if self._reading:
            self._resume(chunk)
        elif not self.closed:
            self._waiting.append(chunk)
            self._waiting_bytes += len(chunk.data)
            if self._waiting_bytes > self._buffer_bytes and not self._holding:
                self._holding = True
                self._link.hold()

    def end(self) -> None:
        self._ended = True
        if self._reading:
            self._resume(None)

    # -- what a toxic asks for ---------------------------------------------------------------------------------

    @coroutine
    def read(self, within_s: float | None = None) -> Generator[None, Chunk | None, Chunk | None]:
        if not self._hurried:
            if self._waiting:
                return self._next_waiting()
            if self._ended:
                return None
        self._reading = True
        if within_s is not None:
            self._timer = self._engine.timers.at(monotonic() + within_s, self._too_late)
        chunk = yield  # in a hurry nobody resumes this: reading is where a toxic is stopped
        if self._timer is not None:
            self._cancel_timer()
        return chunk

    @coroutine
    def sleep_until(self, when_s: float) -> Generator[None, Chunk | None, None]:
        if not self._hurried and when_s > monotonic():
            self._timer = self._engine.timers.at(when_s, self._wake)
            yield

    @coroutine
    def sleep(self, seconds: float) -> Generator[None, Chunk | None, None]:
        if not self._hurried:
            self._timer = self._engine.timers.at(monotonic() + seconds, self._wake)
            yield

    def write(self, chunk: Chunk) -> None:
        self.output.feed(chunk)

    def reset(self) -> None:
        self._link.reset()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._forget()
            self.output.end()

    # ----------------------------------------------------------------------------------------------------------

    def _resume(self, chunk: Chunk | None) -> None:
        self._reading = False
        assert self._pipe is not None
        try:
            self._pipe.send(chunk)
        except StopIteration:
            self.close()

    def _too_late(self) -> None:
        self._timer = None
        self._reading = False
        assert self._pipe is not None
        try:
            self._pipe.throw(TimeoutError())
        except StopIteration:
            self.close()

    def _wake(self) -> None:
        self._timer = None
        self._resume(None)

    def _stop(self) -> None:
        self._cancel_timer()
        self._reading = False
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next_waiting(self) -> Chunk:
        chunk = self._waiting.popleft()
        self._waiting_bytes -= len(chunk.data)
        if self._holding and self._waiting_bytes <= self._buffer_bytes:
            self._holding = False
            self._link.release()
        return chunk

    def _flush(self) -> None:
        while self._waiting:
            self.output.feed(self._next_waiting())
        if self._ended:
            self.close()

    def _forget(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        if self._holding:
            self._holding = False
            self._link.release()
