"""What a toxic is, and what else one can be able to do."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import Field
from random import Random
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, runtime_checkable

#: A whole number that the API holds to 64 bits. Its error messages tell it from a plain `int`, hence the two names.
Int64: TypeAlias = int


class Chunk(NamedTuple):
    """Bytes as they were read at once, and when (CLOCK_MONOTONIC seconds, plus the latency they have had so far)."""

    data: bytes
    at_s: float


class Stub(Protocol):
    """One toxic's place in one direction of one connection: where its bytes come from and go to."""

    state: object
    random: Random

    def read(self, within_s: float | None = None) -> Awaitable[Chunk | None]:
        """The next chunk; None once no more will come. Raises TimeoutError when none came `within_s` seconds."""

    def write(self, chunk: Chunk) -> None:
        """Hand a chunk on. Never waits: too much on its way makes the connection stop reading."""

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Let others run for at least so long."""

    def sleep_until(self, when_s: float) -> Awaitable[None]:
        """The same until `when_s`; returns at once when that has passed."""

    def reset(self) -> None:
        """From now on both ends of this connection close by a TCP reset."""

    def close(self) -> None:
        """No more comes out of here: what follows ends, once it has passed on what it holds."""


class Toxic(Protocol):
    """A toxic's settings, shared by all connections. A frozen dataclass: its fields are the API's attributes."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    GO_NAME: ClassVar[str]  # its name in the API's error messages

    async def pipe(self, stub: Stub) -> None:
        """Carry one direction of one connection. Returning closes what follows.

        Taken off the connection while asleep, it is woken early and no longer slept on, until it reads again:
        so whatever it holds goes on at once, and a toxic needs no code for being taken off.
        """


@runtime_checkable
class Buffered(Protocol):
    """Bytes may wait before this toxic; others make the connection stop reading as soon as something waits."""

    BUFFER_BYTES: ClassVar[int]


@runtime_checkable
class Stateful(Protocol):
    """Remembers something for each connection, from when it is put on to when it is taken off, over all updates."""

    def new_state(self) -> object: ...


@runtime_checkable
class CleansUp(Protocol):
    """Has something to do on every live connection it is taken off."""

    def clean_up(self, stub: Stub) -> None: ...
